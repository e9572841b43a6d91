"""One import name for the definitions, wherever their folders are: `geomon.workspace.indicators.<module>`.

A workspace folder holds `indicators/`, `dashboards/`, `catalogs/` or some of them, without `__init__.py`.
In order: the folders that the environment variable GEOMON_WORKSPACE names, this package's own (in a wheel),
the checkout's root. The variable travels to worker processes, so that what is pickled by name is found there.
"""

import importlib
import os
import sys
import tomllib
from functools import cache
from pathlib import Path

from geomon.errors import DefinitionError, InputError, listing

VARIABLE = "GEOMON_WORKSPACE"
KINDS = ("indicators", "dashboards", "catalogs")


def folders() -> list[Path]:
    """The workspace folders, in the order in which they are searched; InputError if one is none."""
    found = [Path(folder) for folder in __path__]
    for folder in found:
        if folder not in _ours():
            _must_hold_definitions(folder)
    return [folder for folder in found if _holds_definitions(folder)]


def catalogs() -> list[Path]:
    """The catalogs' folders, in the order of the workspace folders."""
    return [folder / "catalogs" for folder in folders() if (folder / "catalogs").is_dir()]


def modules(kind: str) -> dict[str, list[Path]]:
    """Module name -> its files, of which the first is imported; 'indicators' or 'dashboards'."""
    found: dict[str, list[Path]] = {}
    for folder in folders():
        if (package := folder / kind / "__init__.py").exists():
            raise DefinitionError(f"{package} hides the {kind} of every other folder. Remove that file.")
        for file in sorted((folder / kind).glob("[!_.]*.py")):
            found.setdefault(file.stem, []).append(file)
    return found


def use(*own: str | Path) -> None:
    """Search these folders first, in this process and in those that it starts; without any, only geomon's."""
    first = [Path(folder).absolute() for folder in own]
    for folder in first:
        _must_hold_definitions(folder)
    os.environ[VARIABLE] = os.pathsep.join(map(str, first))
    __path__[:] = _search()
    _forget_what_moved()


def _search() -> list[str]:
    """The folders that the variable names, then geomon's own; unchecked, for the import must not fail."""
    stated = os.environ.get(VARIABLE, "").split(os.pathsep)
    own = [Path(part).absolute() for part in stated if part]
    return list(dict.fromkeys(map(str, [*own, *_ours()])))


@cache
def _ours() -> list[Path]:
    """The folder of this package, and the checkout that it stands in, if it is one of geomon."""
    package = Path(__file__).absolute().parent
    root = package.parents[1]
    return [package, root] if _is_ours(root) else [package]


def _must_hold_definitions(folder: Path) -> None:
    """Refuse a folder that a person named in error."""
    asked = f"The workspace folder {str(folder)!r} ({VARIABLE})"
    if not folder.is_dir():
        raise InputError(f"{asked} is not there. Make it, or correct the name.")
    if not _holds_definitions(folder):
        there = listing(file.name for file in folder.iterdir())
        raise InputError(f"{asked} holds {there}. Name the folder in which {' or '.join(KINDS)} stand.")


def _holds_definitions(folder: Path) -> bool:
    return any((folder / kind).is_dir() for kind in KINDS)


def _is_ours(root: Path) -> bool:
    """Whether this package stands in a checkout of geomon, and not in somebody's site-packages."""
    project = root / "pyproject.toml"
    if not (root / "indicators").is_dir() or not project.is_file():
        return False
    return bool(tomllib.loads(project.read_text(encoding="utf-8")).get("project", {}).get("name") == "geomon")


def _forget_what_moved() -> None:
    """Drop imported definitions that another file now stands for; all others keep their identity."""
    importlib.invalidate_caches()
    for kind in KINDS[:2]:
        package = f"{__name__}.{kind}"
        first = {name: files[0] for name, files in modules(kind).items()}
        for name in [n for n in sys.modules if n.startswith(f"{package}.")]:
            short = name.removeprefix(f"{package}.")
            if Path(sys.modules[name].__file__ or "") != first.get(short):
                del sys.modules[name]
                vars(sys.modules[package]).pop(short, None)


__path__ = _search()
