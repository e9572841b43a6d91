"""The definitions found in the workspace."""

import importlib
from collections.abc import Mapping
from pathlib import Path
from types import ModuleType
from typing import Any

from geomon import workspace
from geomon.errors import DefinitionError, InputError, did_you_mean, listing
from geomon.indicator import Indicator


def indicators() -> dict[str, Indicator]:
    """Every indicator by its code, sorted; DefinitionError for two of one code unless one replaces the other."""
    return {code: found for code, (found, _) in sorted(located("indicators", "INDICATOR", "code").items())}


def indicator(code: str) -> Indicator:
    """One of them; InputError with the nearest code if there is none."""
    known = indicators()
    if code not in known:
        raise InputError(f"There is no indicator {code!r}; there are {listing(known)}.{did_you_mean(code, known)}")
    return known[code]


def where(code: str) -> Path:
    """The file that defines an indicator."""
    indicator(code)
    return located("indicators", "INDICATOR", "code")[code][1]


def dashboards() -> dict[str, Any]:
    """Every desk by its slug."""
    return {slug: found for slug, (found, _) in sorted(located("dashboards", "DASHBOARD", "slug").items())}


def located(kind: str, name: str, key: str) -> dict[str, tuple[Any, Path]]:
    """Records of a kind with their files; what an earlier folder replaces gives way."""
    found: dict[str, tuple[Any, Path]] = {}
    for module, files in workspace.modules(kind).items():
        record = record_of(kind, module, name, files)
        code = getattr(record, key)
        if len(files) > 1 and getattr(record, "replaces", "") != code:
            raise DefinitionError(
                f"{kind}/{module}.py is in {' and in '.join(str(f.parent) for f in files)}. Rename yours, or say "
                f"replaces={code!r} in its record if it is meant to take the other's place."
            )
        place(found, code, record, files[0])
    return found


def place(found: dict[str, tuple[Any, Path]], code: str, record: Any, file: Path) -> None:
    """Put a record under its code, or say which other has it."""
    if code in found:
        other, there = found[code]
        claims: Mapping[bool, tuple[Any, Path]] = {
            getattr(r, "replaces", "") == code: (r, f) for r, f in ((other, there), (record, file))
        }
        if set(claims) != {True, False}:
            raise DefinitionError(
                f"Both {there} and {file} define {code}. Rename one, or say replaces={code!r} in the one that counts."
            )
        found[code] = claims[True]
        return
    found[code] = record, file


def record_of(kind: str, module: str, name: str, files: list[Path]) -> Any:
    """The record of a module; DefinitionError for a module that has none."""
    loaded: ModuleType = importlib.import_module(f"geomon.workspace.{kind}.{module}")
    if not hasattr(loaded, name):
        raise DefinitionError(f"{files[0]} has no {name}. End it with {name} = ... as the other definitions do.")
    return getattr(loaded, name)
