"""How the command line speaks: results on stdout, all else on stderr, errors as sentences, exit codes that tell."""

import json
import math
import sys
from collections.abc import Mapping
from typing import Any

import typer
from typer.core import TyperGroup

from geomon.errors import GeomonError

FAULT, PARTIAL, STOPPED = 1, 3, 130
PIPED = 120  # columns where there is no terminal
ORDER = (
    "demo",
    "list",
    "where",
    "zones",
    "plan",
    "run",
    "check",
    "compare",
    "progress",
    "quality",
    "robustness",
    "official",
    "export",
    "store",
    "serve",
)


class Stopped(KeyboardInterrupt):
    """Ctrl-C, with a sentence on what is kept."""


class Quiet(TyperGroup):
    """Commands whose help shows no type beside --help, which takes no value."""

    def get_help_option(self, ctx: Any) -> Any:
        """The --help of this group."""
        return bare(super().get_help_option(ctx))

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        """A command, its --help made before it is asked for."""
        found = super().get_command(ctx, cmd_name)
        if found is not None:
            bare(found.get_help_option(ctx))
        return found


def bare(option: Any) -> Any:
    """An option without a word for its value."""
    if option is not None:
        option.metavar = ""
    return option


class Commands(Quiet):
    """The commands; what goes wrong in one is said in a sentence."""

    def list_commands(self, ctx: Any) -> list[str]:
        """In the order in which one meets them."""
        return sorted(super().list_commands(ctx), key=ORDER.index)

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """`--debug` counts wherever it stands."""
        ctx.obj = {"json": "--json" in args}
        debug = ["--debug"] if "--debug" in args else []
        return super().parse_args(ctx, debug + [a for a in args if a != "--debug"])

    def invoke(self, ctx: Any) -> Any:
        """Run the command; with --debug errors come through as they are."""
        try:
            return super().invoke(ctx)
        except KeyboardInterrupt as stop:
            say(str(stop) or "Stopped.", "yellow")
            raise typer.Exit(STOPPED) from stop
        except GeomonError as error:
            if ctx.params.get("debug"):
                raise
            kind = type(error).__name__
            if ctx.obj["json"]:
                write_json({"error": {"class": kind, "message": str(error)}})
            say(f"{kind}: {error}", "red")
            raise typer.Exit(FAULT) from error


def screen(stdout: bool) -> Any:
    """A rich console on stdout or stderr; wide where there is no terminal, so that nothing is cut in a file."""
    from rich.console import Console

    wide = None if (sys.stdout if stdout else sys.stderr).isatty() else PIPED
    return Console(stderr=not stdout, highlight=False, width=wide)


def show(thing: Any = "") -> None:
    """A table or a line on stdout."""
    if isinstance(thing, str):
        screen(stdout=True).print(thing, markup=False, soft_wrap=True)
    else:
        screen(stdout=True).print(thing)


def say(text: Any, style: str = "") -> None:
    """A sentence on stderr, whatever brackets are in it; the class of an error stands out."""
    from rich.text import Text

    words = Text(str(text))
    head, colon, _ = words.plain.partition(": ")
    if style:
        words.stylize(style, 0, len(head) + 1 if colon and " " not in head else None)
    screen(stdout=False).print(words, soft_wrap=True)


def write_json(content: Any) -> None:
    """JSON on stdout, and nothing else there."""
    sys.stdout.write(json.dumps(plain(content), ensure_ascii=False, indent=1, allow_nan=False, default=str) + "\n")


def plain(content: Any) -> Any:
    """Content as JSON has it: what is missing or without limit is null."""
    if isinstance(content, Mapping):
        return {str(k): plain(v) for k, v in content.items()}
    if isinstance(content, list | tuple):
        return [plain(v) for v in content]
    if isinstance(content, float) and not math.isfinite(content):
        return None
    return content


def records(table: Any) -> list[dict[str, Any]]:
    """Rows of a DataFrame for JSON."""
    return [{str(k): v for k, v in row.items()} for row in table.to_dict("records")]


def bar(shown: bool = True) -> Any:
    """A progress bar on stderr, which goes when it is done; none where there is no terminal."""
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeRemainingColumn

    console = screen(stdout=False)
    columns = (
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(bar_width=32),
        MofNCompleteColumn(),
        TextColumn("blocks"),
        TimeRemainingColumn(compact=True),
    )
    return Progress(*columns, console=console, transient=True, disable=not (shown and console.is_terminal))


def waiting(text: str) -> Any:
    """A sign of life on stderr for what has no measure of progress."""
    return screen(stdout=False).status(text)
