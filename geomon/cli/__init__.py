"""The command line: `geomon demo | list | where | zones | plan | run | check | store | serve`."""

import os
import sys

from geomon.cli import comparing, demo, exporting, looking, official, progress, quality, robustness, running, storing
from geomon.cli.speaking import STOPPED, Commands, say
from geomon.cli.tree import app

__all__ = [
    "Commands",
    "app",
    "comparing",
    "demo",
    "exporting",
    "looking",
    "main",
    "official",
    "progress",
    "quality",
    "robustness",
    "running",
    "storing",
]


def main() -> None:
    """Run a command; the exit code says how it went."""
    try:
        app()
    except SystemExit as end:
        if end.code == STOPPED:  # blocks on threads would otherwise be waited for
            sys.stdout.flush()
            sys.stderr.flush()
            os._exit(STOPPED)
        raise
    except Exception as error:
        if "--debug" in sys.argv:
            raise
        what = " ".join(str(error).split())
        if isinstance(error, OSError) and error.strerror:
            say(f"{error.strerror}: {error.filename or what}. Mend that, and run the same command again.", "red")
            raise SystemExit(1) from error
        say(
            f"geomon failed where it should not: {type(error).__name__}: {what}\n"
            "Run the same command with --debug to see where, and please report it.",
            "red",
        )
        raise SystemExit(1) from error
