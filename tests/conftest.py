"""What every test has: no network, no warning unheard, and the place of what is not in the repository."""

import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NoReturn

import pytest
from hypothesis import settings

from geomon import workspace
from tests.offline import blocked

ROOT = Path(__file__).resolve().parents[1]
OFFLINE = Path(blocked.__file__).parent
CI = os.environ.get("CI", "").lower() in ("true", "1")
absent: set[str] = set()
"""What tests asked for and this machine does not have."""

os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, [str(OFFLINE), os.environ.get("PYTHONPATH")]))
settings.register_profile("ci", derandomize=True, deadline=None, print_blob=True)
settings.register_profile("here", deadline=None)
settings.load_profile("ci" if CI else "here")


@pytest.fixture(autouse=True)
def _offline() -> Iterator[None]:
    """Fail a test that called for the network, even if it caught the refusal."""
    blocked.tried.clear()
    yield
    assert not blocked.tried, f"called for the network: {', '.join(blocked.tried)}"


@pytest.fixture(scope="session")
def root() -> Path:
    """The checkout's folder."""
    return ROOT


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of real data: ../shared/data beside the repository, or $GEOMON_SHARED_DATA."""
    folder = Path(os.environ.get("GEOMON_SHARED_DATA", ROOT.parent / "shared" / "data"))
    if not (folder / "catalog.json").exists():
        _missing(f"real data ({folder}; GEOMON_SHARED_DATA names another folder)")
    return folder


@pytest.fixture(scope="session")
def chromium() -> str:
    """The system's chromium, as a path, or $GEOMON_CHROMIUM."""
    names = (os.environ.get("GEOMON_CHROMIUM"), "chromium", "chromium-browser", "google-chrome")
    for path in (shutil.which(name) for name in names if name):
        if path:
            return path
    _missing("chromium (apt-get install chromium; GEOMON_CHROMIUM names another browser)")


@pytest.fixture
def use_workspace() -> Iterator[Callable[..., None]]:
    """`geomon.workspace.use` for one test: folders of definitions that are searched before geomon's."""
    before = os.environ.get(workspace.VARIABLE)
    yield workspace.use
    workspace.use(*filter(None, (before or "").split(os.pathsep)))
    if before is None:
        del os.environ[workspace.VARIABLE]


def _missing(what: str) -> NoReturn:
    """Fail under CI; elsewhere skip, and leave one line for the end of the report."""
    if CI:
        pytest.fail(f"CI must have {what}")
    absent.add(what)
    pytest.skip(f"there is no {what}")


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """One loud line for each thing that this machine does not have."""
    for what in sorted(absent):
        skipped = sum(what in str(report.longrepr) for report in terminalreporter.stats.get("skipped", []))
        line = f"!!! NOT RUN: {skipped} tests, for there is no {what}"
        terminalreporter.write_line(line, yellow=True, bold=True)
