"""Periods of whole days: what a run asks for, what an item describes."""

import functools
import re
from dataclasses import dataclass
from datetime import UTC

import pandas as pd

from geomon.errors import InputError

FREQUENCIES = {"A": "Y", "M": "M", "D": "D"}
LABEL = re.compile(r"\d{4}(-\d{2}){0,2}")


@dataclass(frozen=True)
class Period:
    """Whole days from start to end, both included, in naive UTC."""

    label: str
    start: pd.Timestamp
    end: pd.Timestamp
    """The last nanosecond of the last day."""

    @classmethod
    def of(cls, label: str) -> "Period":
        """From '2020', '2020-03', '2020-03-05', or two of them as in '2016/2019'."""
        first, _, last = label.strip().partition("/")
        last = last or first
        if not LABEL.fullmatch(first) or not LABEL.fullmatch(last):
            raise InputError(f"{label!r} is not a period. Write '2020', '2020-03', '2020-03-05' or '2016/2019'.")
        try:
            start, end = pd.Period(first).start_time, pd.Period(last).end_time
        except ValueError as error:
            raise InputError(f"{label!r} is not a period: {error}.") from error
        if start > end:
            raise InputError(f"{label!r} ends before it starts. Write the earlier date first.")
        return cls(label.strip(), start, end)

    @classmethod
    def between(cls, start: pd.Timestamp, end: pd.Timestamp, label: str = "") -> "Period":
        """From two moments, made naive UTC; labelled by the shortest date that says them."""
        start, end = naive(start), naive(end)
        return cls(label or shortest(start, end), start, end)

    def holds(self, other: "Period") -> bool:
        """Whether the other lies inside this one."""
        return self.start <= other.start and other.end <= self.end

    def overlaps(self, other: "Period") -> bool:
        """Whether they share a moment."""
        return self.start <= other.end and other.start <= self.end

    def split(self, freq: str) -> list["Period"]:
        """The whole years ('A'), months ('M') or days ('D') inside; the period itself for '' or if it holds none."""
        if not freq:
            return [self]
        if freq not in FREQUENCIES:
            raise InputError(f"{freq!r} is not a frequency. Use 'A' (years), 'M' (months), 'D' (days) or ''.")
        units = pd.period_range(self.start, self.end, freq=FREQUENCIES[freq])
        return [p for p in (Period.of(str(u)) for u in units) if self.holds(p)] or [self]


def naive(moment: pd.Timestamp) -> pd.Timestamp:
    """The moment in UTC, without a zone."""
    moment = pd.Timestamp(moment)
    return moment.tz_convert(UTC).tz_localize(None) if moment.tzinfo else moment


@functools.lru_cache(maxsize=4096)
def shortest(start: pd.Timestamp, end: pd.Timestamp) -> str:
    """'2020' for a whole year, '2020-03' for a whole month, else the day, or two days."""
    for unit, label in (("Y", "%Y"), ("M", "%Y-%m")):
        whole = pd.Period(start, freq=unit)
        if start == whole.start_time and abs(end - whole.end_time) <= pd.Timedelta("1s"):
            return start.strftime(label)
    first, last = start.strftime("%Y-%m-%d"), end.strftime("%Y-%m-%d")
    return first if first == last else f"{first}/{last}"
