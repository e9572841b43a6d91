"""A recipe names all that a number depends on: every file that a block runs, and every library that computes."""

from pathlib import Path

import geomon
from geomon.identity import ENGINE, made_with
from tests.contract.test_floors import imports

HOME = Path(geomon.__file__).parent
WITHOUT_NUMBERS = {"errors", "areas", "places", "sources/signing", "zones/boundaries", "zones/columns"}
"""What a block imports that no number depends on, or (zones as they were read) stands in the recipe by its content."""


def file_of(name: str) -> Path | None:
    """The file of a dotted name in geomon, which may end in something that the file holds."""
    parts = name.split(".")[1:]
    for n in range(len(parts), 0, -1):
        for file in (HOME.joinpath(*parts[:n]).with_suffix(".py"), HOME.joinpath(*parts[:n], "__init__.py")):
            if file.exists():
                return file
    return None


def imported_by(name: str) -> set[str]:
    """All files of geomon that one of them imports, and they in turn."""
    seen, todo = set[Path](), [HOME / f"{name}.py"]
    while todo:
        file = todo.pop()
        if file not in seen:
            seen.add(file)
            package = ".".join(["geomon", *file.relative_to(HOME).parts[:-1]])
            todo += [f for n in imports(file, package) if n.startswith("geomon.") and (f := file_of(n))]
    return {file.relative_to(HOME).with_suffix("").as_posix() for file in seen}


def test_every_file_that_a_block_runs_is_of_the_engine() -> None:
    needed = {name for name in imported_by("tabulate") if not name.startswith("stats/")} - WITHOUT_NUMBERS
    assert "sources/tiles" in needed
    assert needed - set(ENGINE) == set()


def test_the_engine_has_what_adds_up_and_no_file_that_is_gone() -> None:
    assert {"tasks", "pipeline", "reading_off"} <= set(ENGINE)
    assert [name for name in ENGINE if not (HOME / f"{name}.py").is_file()] == []


def test_every_library_that_computes_is_named_with_its_version() -> None:
    found = made_with()
    assert {"numba", "llvmlite", "imagecodecs", "gdal", "geos", "proj"} <= set(found)
    assert all(found.values())
