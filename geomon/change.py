"""Is that change real? Two dates of one area, answered from the intervals of the two values.

The intervals of a series without reference sample are bounds: they cover the ground that was not seen, and
not the mistakes of the map. A yes therefore says that unseen ground cannot explain the change; a map that
errs differently in two years would look the same, which is why no answer is given across a known break.
With a reference sample they cover the map's mistakes too; a value adjusted by a sample and one that was
only counted are never set against each other.
"""

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import pandas as pd

from geomon.errors import InputError, listing
from geomon.finding import amount, apart, digits, plain, row
from geomon.period import Period, naive
from geomon.texts import say

YES = "yes"
NO = "no"
CANNOT_TELL = "cannot tell"
KINDS = ("bounds", "sampling", "confusion", "model", "bounds+confusion", "bounds+model")
COVERS = {kind: f"change.covers.{kind}" for kind in KINDS}
ONE_SERIES = ("indicator", "series", "ref_area", "breakdown", "unit_measure")
METHOD = ("sensor", "params")


@dataclass(frozen=True, kw_only=True)
class Change:
    """Whether a value changed between two periods: 'yes', 'no' or 'cannot tell', and why."""

    answer: str
    sentence: str
    reason: str
    difference: float
    """Second minus first, in `unit`; NaN if a value is missing."""
    lower: float
    upper: float
    """What the two intervals leave possible for the difference; NaN where an interval is missing or open."""
    first: str
    second: str
    unit: str

    def as_dict(self) -> dict[str, Any]:
        """Plain values for JSON; what is missing is None."""
        found: dict[str, Any] = plain(asdict(self))
        return found


def change(
    rows: pd.DataFrame,
    first: str,
    second: str,
    breaks: Sequence[tuple[str, str]] = (),
    *,
    smallest: float = 0.0,
) -> Change:
    """Whether the one series in `rows` changed from the period `first` to the period `second`.

    Yes if the two intervals do not overlap; no if they leave no room for a change of more than `smallest`
    (in the unit of the series: the smallest change that matters; at 0 only equal values without any doubt
    are unchanged); else it cannot be told. `breaks` are the known breaks of the collections as (ISO date,
    why). InputError if the rows belong to more than one series.
    """
    mixed = [name for name in ONE_SERIES if rows[name].nunique() > 1]
    if mixed:
        raise InputError(
            f"Changes are asked of one series, but these rows differ in {listing(mixed)}. "
            "Select one area, output and breakdown."
        )
    if first == second:
        raise InputError(f"A change needs two periods, and both are {first!r}.")
    if smallest < 0:
        raise InputError(f"The smallest change of interest is {smallest}; it cannot be below zero.")
    unit = str(rows.unit_measure.iloc[0]) if len(rows) else ""
    found = [rows[rows.time_period == label] for label in (first, second)]
    values = [float(f.obs_value.iloc[0]) if len(f) == 1 else math.nan for f in found]
    ends = [interval(f) for f in found]
    low, high = ends[1][0] - ends[0][1], ends[1][1] - ends[0][0]
    difference = values[1] - values[0]
    why = obstacle(found, (first, second), breaks)
    if why:
        answer, reason = CANNOT_TELL, why
    else:
        answer, reason = compare(low, high, difference, smallest, unit)
        covers = COVERS.get(weaker(*(str(f.interval.iloc[0]) for f in found)), "change.covers.unknown")
        reason = say("change.reason", reason=reason, covers=say(covers))
    told = {} if math.isnan(difference) else {"change": describe(difference, values, unit)}
    sentence = say(
        "change.sentence.told" if told else "change.sentence",
        first=first,
        second=second,
        answer=say(f"change.answer.{answer}"),
        reason=reason,
        **told,
    )
    return Change(
        answer=answer,
        sentence=row(sentence),
        reason=reason,
        difference=difference,
        lower=low,
        upper=high,
        first=first,
        second=second,
        unit=unit,
    )


def interval(found: pd.DataFrame) -> tuple[float, float]:
    """Lower and upper end of the one row, NaN if there is none."""
    return (float(found.lower.iloc[0]), float(found.upper.iloc[0])) if len(found) == 1 else (math.nan, math.nan)


def weaker(first: str, second: str) -> str:
    """Of two kinds of interval the one that claims less: a plausible range, then the one that has fewer components."""
    return min((first, second), key=lambda kind: ("model" not in kind, kind.count("+"), kind))


def describe(difference: float, values: Sequence[float], unit: str) -> str:
    """'from 60.0 % to 57.0 %, 3.0 percentage points less'."""
    key = "change.none" if difference == 0 else "change.more" if difference > 0 else "change.less"
    first, second = (amount(value, unit) for value in values)
    return say(key, first=first, second=second, size=apart(difference, unit, False))


def obstacle(found: Sequence[pd.DataFrame], labels: tuple[str, str], breaks: Sequence[tuple[str, str]]) -> str:
    """What stands in the way of any answer, in words; empty if nothing does."""
    for rows, label in zip(found, labels, strict=True):
        if len(rows) != 1:
            return say("change.many" if len(rows) else "change.absent", count=len(rows), period=label)
        status = str(rows.obs_status.iloc[0])
        if status or math.isnan(rows.obs_value.iloc[0]):
            return say("change.withheld", period=label, status=status or say("change.missing"))
    across = [say("change.break", why=why, date=date) for date, why in breaks if between(date, labels)]
    if across:
        return say("change.across", breaks="; ".join(across))
    for name in METHOD:
        if name in found[0] and str(found[0][name].iloc[0]) != str(found[1][name].iloc[0]):
            one, other = (repr(rows[name].iloc[0]) for rows in found)
            return say(f"change.differs.{name}", first=one, second=other)
    if len({"confusion" in str(rows.interval.iloc[0]).split("+") for rows in found}) > 1:
        return say("change.adjusted")
    for rows, label in zip(found, labels, strict=True):
        if not np.isfinite(interval(rows)).all():
            return say("change.open", period=label)
    return ""


def between(date: str, labels: tuple[str, str]) -> bool:
    """Whether a break separates two periods or falls inside one; not on the first day of the earlier."""
    early, late = sorted((Period.of(label) for label in labels), key=lambda p: (p.start, p.end))
    return early.start < naive(pd.Timestamp(date)) <= late.end


def compare(low: float, high: float, difference: float, smallest: float, unit: str) -> tuple[str, str]:
    """The answer that the possible differences from low to high give, with its reason."""
    ends = {"lower": digits(low), "upper": digits(high)}
    limit = max(smallest, 1e-9 * max(1.0, abs(difference)))
    if max(abs(low), abs(high)) <= limit:
        key = "change.small.matter" if smallest else "change.small"
        return NO, say(key, smallest=apart(smallest, unit, False), **ends)
    if low > 0 or high < 0:
        return YES, say("change.clear", **ends)
    return CANNOT_TELL, say("change.overlap", **ends)
