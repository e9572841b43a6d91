"""Imports go down the floors; definitions import the engine's public names, and never one another."""

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
HOUSE = {
    0: "errors",
    1: "indicator period grid zones areas series pixels values ledger texts workspace places",
    2: "stats sources official",
    2.2: "uncertainty+scatter",  # the words of values, and the kernels of stats
    2.5: "departures protection",
    3: "check+around+asides+case+causes+finding+judgement+pairing+parts+together+between+change+progress "
    "blocks+tabulate+supply+lengths+composite",
    3.5: "store",
    3.7: "registry",
    4: "pipeline+cost+resolve+runs+tasks+reading_off+identity+publishing+maps+strata",
    4.2: "robustness quality export",
    4.5: "__init__",  # the public names: of all that computes, for all that is shown
    5: "evidence panels service sample",
    5.5: "testing",  # beside: for authors, used by nobody here
    6: "cli+__main__",
}
"""Floor -> its rooms: a module or package, or several modules that are one room, `a+b`."""
ROOMS = {name: room for rooms in HOUSE.values() for room in rooms.split() for name in room.split("+")}
FLOORS = {room: floor for floor, rooms in HOUSE.items() for room in rooms.split()}
KNOW_EACH_OTHER = {1}
NOT_IMPORTED = {"testing", "cli+__main__"}
SCIENCE = {"numpy", "xarray", "scipy"} | sys.stdlib_module_names
MAY_IMPORT = {"indicators": SCIENCE, "dashboards": SCIENCE | {"panel", "holoviews"}}


def imports(file: Path, package: str = "") -> Iterator[str]:
    """Dotted names that a file imports, wherever in it, made absolute; `from a import b` is a.b."""
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            above = package.split(".")[: len(package.split(".")) - node.level + 1] if node.level else []
            base = ".".join([*above, *([node.module] if node.module else [])])
            yield from (f"{base}.{alias.name}" for alias in node.names)


def room(name: str, files: Path) -> str:
    """The room that a dotted name of geomon is in: 'geomon.stats.zonal' is in 'stats'; '' if it has none."""
    first = name.split(".")[1] if "." in name else "__init__"
    there = (files / first).is_dir() or (files / f"{first}.py").exists()
    return ROOMS.get(first, "") if there else "__init__"


def faults_of_engine(files: Path) -> list[str]:
    """Every import in geomon that does not go down."""
    faults = []
    for file in sorted(files.rglob("*.py")):
        parts = file.relative_to(files).with_suffix("").parts
        here = ROOMS.get(parts[0], "")
        if not here:
            faults.append(f"{file.name} has no floor: give {parts[0]!r} one in {Path(__file__).name}")
            continue
        for name in sorted(set(imports(file, ".".join(["geomon", *parts[:-1]])))):
            top = name.split(".")[0]
            if top == "geomon" and not goes_down(here, room(name, files)):
                faults.append(f"{file.name} imports {name}")
            if top in ("dask", "distributed") and file != files / "blocks.py":
                faults.append(f"{file.name} imports {top}")
    return faults


def goes_down(here: str, there: str) -> bool:
    """Whether a room may import another."""
    if there in (here, ""):  # '' has no floor: that is a fault of its own
        return True
    beside = FLOORS[there] == FLOORS[here] and FLOORS[here] in KNOW_EACH_OTHER
    return there not in NOT_IMPORTED and (beside or FLOORS[there] < FLOORS[here])


def faults_of_definition(file: Path, kind: str) -> list[str]:
    """Every import of a definition that is not the engine's public names or a library of its kind."""
    faults = []
    for name in imports(file, f"geomon.workspace.{kind}"):
        top, _, rest = name.partition(".")
        public = top == "geomon" and "." not in rest and not rest.startswith("_")
        parts = kind == "dashboards" and f"{name}.".startswith("geomon.panels.") and "._" not in name
        if not (public or parts or top in MAY_IMPORT[kind]) or rest == "workspace":
            faults.append(f"{file.name} imports {name}")
    return faults


def test_imports_in_geomon_go_down() -> None:
    assert faults_of_engine(ROOT / "geomon") == []


@pytest.mark.parametrize("kind", MAY_IMPORT)
def test_definitions_import_public_names_only(kind: str) -> None:
    assert [fault for file in (ROOT / kind).glob("*.py") for fault in faults_of_definition(file, kind)] == []


@pytest.mark.parametrize(
    ("file", "line", "fault"),
    [
        ("errors.py", "import geomon.grid", "errors.py imports geomon.grid"),
        ("stats/sums.py", "from ..blocks import tasks", "sums.py imports geomon.blocks.tasks"),
        ("stats/sums.py", "from geomon import share", "sums.py imports geomon.share"),
        ("check.py", "def late():\n    from geomon import store", "check.py imports geomon.store"),
        ("panels/map.py", "from geomon.testing import suite", "map.py imports geomon.testing.suite"),
        ("pipeline.py", "from dask import delayed", "pipeline.py imports dask"),
        ("helpers.py", "", "helpers.py has no floor: give 'helpers' one in test_floors.py"),
    ],
)
def test_an_import_upwards_is_found(tmp_path: Path, file: str, line: str, fault: str) -> None:
    for name in ("grid", "blocks", "store", "testing", "panels/map", "stats/sums"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / f"{name}.py").touch()
    (tmp_path / file).write_text(line)
    assert faults_of_engine(tmp_path) == [fault]


@pytest.mark.parametrize(
    ("kind", "line", "allowed"),
    [
        ("indicators", "from geomon import share, Source", True),
        ("indicators", "import xarray as xr\nfrom scipy.ndimage import label\nimport math", True),
        ("indicators", "from geomon.pipeline import plan", False),
        ("indicators", "from geomon import _private", False),
        ("indicators", "import rasterio", False),
        ("indicators", "from . import sdg_15_1_1", False),
        ("indicators", "from geomon.workspace.indicators import sdg_15_1_1", False),
        ("indicators", "from geomon.panels import Dashboard", False),
        ("dashboards", "from geomon.panels import Dashboard\nimport panel as pn", True),
        ("dashboards", "from geomon.panels._inner import x", False),
        ("dashboards", "from geomon.pipeline import plan", False),
    ],
)
def test_what_a_definition_may_import(tmp_path: Path, kind: str, line: str, allowed: bool) -> None:
    file = tmp_path / "mine.py"
    file.write_text(line)
    assert (faults_of_definition(file, kind) == []) is allowed
