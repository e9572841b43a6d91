"""What the check found for one area: a verdict, its reasons, its numbers, and one sentence for a minister."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from geomon import areas
from geomon.texts import say

AGREES = "agrees"
LEVEL = "differs in level"
DIRECTION = "differs in direction"
DEFINITION = "differs by definition"
DEFECT = "defect in the data"
NOT_SETTLED = "not settled"
NOT_COMPARABLE = "not comparable"
NOT_ENOUGH = "not enough data"
VERDICTS = (DEFECT, DIRECTION, LEVEL, DEFINITION, NOT_SETTLED, AGREES, NOT_COMPARABLE, NOT_ENOUGH)
"""All verdicts, the one that needs a reader first in front."""
FEWEST_GRADE = 8  # common years
QUIET = 0.5  # tolerances of scatter from year to year, up to which agreement is of the first grade


@dataclass(frozen=True, kw_only=True)
class Finding:
    """How one output compares with the official series in one area."""

    indicator: str
    output: str
    ref_area: str
    verdict: str
    sentence: str
    reasons: tuple[str, ...]
    """The reason for the verdict first, then what else should be known."""
    evidence: Mapping[str, float]
    """Numbers behind the verdict; differences are satellite minus official, in the output's unit, or as a
    share of the official value where `relative` is 1."""
    pairs: tuple[Mapping[str, Any], ...]
    """Common periods: time_period, satellite, lower, upper, official (in the satellite's unit), difference,
    nature, and whether the statistics used it."""
    definition_satellite: str
    definition_official: str
    publisher: str
    grade: str = ""
    """A to D; empty with too few years, or where nothing can be compared."""
    grade_rule: str = ""
    """Why it is that grade, in a sentence."""
    causes: tuple[Mapping[str, Any], ...] = ()
    """The reasons as numbers, the best first: name, words, place (scope, areas), since and until, effect with lower
    and upper (95 %; satellite minus official, in the unit or as a share), score, p, twins that the numbers cannot
    tell from it, whether it is only a remark, and its evidence."""
    not_seen: str = ""
    """Who and what the satellite does not see."""

    def as_dict(self) -> dict[str, Any]:
        """Plain values for JSON; what is missing or without limit is None."""
        found: dict[str, Any] = plain(asdict(self))
        return found


def plain(value: Any) -> Any:
    """Lists, dicts, text and finite numbers; None for the rest."""
    if isinstance(value, Mapping):
        return {str(k): plain(v) for k, v in value.items()}
    if isinstance(value, tuple | list):
        return [plain(v) for v in value]
    if value is None or isinstance(value, str | bool | int):
        return value
    return float(value) if math.isfinite(value) else None


def headline(findings: Sequence[Finding]) -> Finding | None:
    """The one to show first: a whole country before its parts, then the verdict that needs a reader most."""
    ranked = sorted(findings, key=lambda f: (not whole(f.ref_area), VERDICTS.index(f.verdict)))
    return ranked[0] if ranked else None


def cause(name: str, words: str, **known: Any) -> dict[str, Any]:
    """One record of `causes`; what is not said is not known."""
    blank = dict.fromkeys(("effect", "lower", "upper", "score", "p"), math.nan)
    return {
        "name": name,
        "words": words,
        "scope": "area",
        "areas": (),
        "since": "",
        "until": "",
        **blank,
        "twins": (),
        "remark": False,
        "evidence": {},
        **known,
    }


def graded(verdict: str, years: float, noise: float, wide: bool = False) -> tuple[str, str]:
    """The grade of a verdict with its rule; `noise` is the scatter from year to year, in tolerances, `wide` whether the
    satellite's own interval is wider than the tolerance on either side."""
    if verdict in (NOT_COMPARABLE, NOT_ENOUGH) or years < FEWEST_GRADE:
        return "", say("check.grade.none", fewest=FEWEST_GRADE)
    if verdict == AGREES:
        if noise < QUIET and wide:
            return "B", say("check.grade.B.wide", fewest=FEWEST_GRADE)
        grade = "A" if noise < QUIET else "B"
    else:
        grade = "C" if verdict == NOT_SETTLED else "D"
    return grade, say(f"check.grade.{grade}", fewest=FEWEST_GRADE)


def whole(code: str) -> bool:
    """Whether a code is a country's, not a part's."""
    found = areas.find(code)
    return found is not None and not found.part


def amount(value: float, unit: str) -> str:
    """A value with its unit, in as many digits as can be read: '93.6 %', '1,234 km2'."""
    if unit == "percent":
        return say("check.percent", value=digits(value, 1))
    return say("check.amount", value=digits(value), unit=unit) if unit not in ("", "1") else digits(value)


def apart(value: float, unit: str, relative: bool) -> str:
    """The size of a difference: '5.0 percentage points', '12 %' of the official value, '3.4 km2'."""
    if relative:
        return say("check.percent", value=digits(100 * abs(value), 1))
    if unit == "percent":
        return say("check.points", value=digits(abs(value), 1))
    return amount(abs(value), unit)


def digits(value: float, least: int = 2) -> str:
    """Three digits or so, with separators of thousands; small numbers keep two that count."""
    if value == 0:
        return "0"
    size = abs(value)
    if size < 0.1:
        return f"{value:.2g}"
    return f"{value:,.{0 if size >= 1000 else 1 if size >= 10 else least}f}"


def span(labels: Sequence[str]) -> str:
    """'2020', '2015 and 2016' or '2012 to 2020' for periods in order."""
    if len(labels) < 2:
        return "".join(labels)
    key = "check.span.two" if len(labels) == 2 else "check.span.more"
    return say(key, first=labels[0], last=labels[-1])


def row(words: str) -> str:
    """The words as the end of a sentence: one full stop."""
    return say("check.sentence", words=words.rstrip(" ."))
