"""What a row says, as text that is exchanged: its area, its time, its numbers, and all that has no code."""

import re
from collections.abc import Mapping
from typing import Any

import numpy as np

from geomon import areas
from geomon.export.release import Release
from geomon.export.units import moved
from geomon.texts import say

Row = Mapping[str, Any]
BROKEN = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff\ufffe\uffff]+")


def area_code(
    code: str, name: str, known: Mapping[str, str] | None, given: Mapping[str, str], country: bool = False
) -> str:
    """The code that a list has for an area, '' if none; a bare number counts only if the names agree.

    `country`: whether the area is a country by its place among the others. Only then CA is Canada.
    """
    if code in given:
        return given[code] if known is None or given[code] in known else ""
    if known is None:
        return code
    found = areas.find(code)
    if found and country and (not code.isdigit() or same_name(name, found.name)):
        return next((c for c in (found.iso2, found.iso3, found.m49, str(int(found.m49))) if c in known), "")
    part = found.part.lstrip("-") if found else ""
    same = {c for c in (code, part) if same_name(name, known.get(c, ""))}
    if same:
        return min(same)
    taken = code.isdigit() or (found is not None and not found.part)
    return code if code in known and not taken else ""


def same_name(name: str, other: str) -> bool:
    """Whether two names are there and equal but for their case."""
    return bool(name) and name.casefold() == other.casefold()


def time_of(label: str) -> tuple[str, str]:
    """FREQ and TIME_PERIOD of a period; a span stands at the year, month or day that it ends with."""
    last = label.rpartition("/")[2]
    return {4: "A", 7: "M"}.get(len(last), "D"), last


def bound(value: float, power: int) -> str:
    """A number in full, '' where there is none or where it is endless."""
    return moved(value, power) if np.isfinite(value) else ""


def comment(row: Row, release: Release) -> str:
    """What a row says that the structure has no other place for: the reason, then name=value."""
    facts = {
        "interval": row["interval"],
        "components": release.components(row),
        "coverage": "" if np.isnan(row["coverage"]) else repr(float(row["coverage"])),
        "n_obs": "" if np.isnan(row["n_obs"]) else repr(float(row["n_obs"])),
        "synthetic": release.invented,
        "run": row["run"],
        "vintage": row["vintage"],
        "params": row["params"],
    }
    why = f"{row['obs_status'][:1].upper()}{row['obs_status'][1:]}." if row["obs_status"] else ""
    told = "; ".join(f"{n}={v}" for n, v in facts.items() if v)
    return " ".join(filter(None, (say("export.estimate"), why, told)))


def plain(text: str) -> str:
    """Text with blanks for line breaks and control characters, which formats keep differently or not at all."""
    return BROKEN.sub(" ", text).strip()


def source(release: Release) -> str:
    """Whom the images come from, and on which terms."""
    return " ".join(filter(None, (say("export.estimate"), release.attribution, release.licences)))
