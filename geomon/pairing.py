"""Satellite and official values of the same area, period and definition, side by side for all areas at once."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from geomon import areas
from geomon.errors import InputError, listing
from geomon.finding import span
from geomon.official import factor
from geomon.period import Period, naive
from geomon.texts import say

Floats = NDArray[np.float64]
KINDS = {
    r"\d{4}": "check.kind.years",
    r"\d{4}-\d{2}": "check.kind.months",
    r"\d{4}-\d{2}-\d{2}": "check.kind.days",
}
"""What a label looks like -> the text that names its kind."""


@dataclass(frozen=True, kw_only=True)
class Pairs:
    """Common periods in order of time, under one definition; all as long as one another."""

    labels: tuple[str, ...] = ()
    years: Floats = field(default_factory=lambda: np.empty(0))
    satellite: Floats = field(default_factory=lambda: np.empty(0))
    lower: Floats = field(default_factory=lambda: np.empty(0))
    """Ends of the satellite's interval; infinite: no limit."""
    upper: Floats = field(default_factory=lambda: np.empty(0))
    official: Floats = field(default_factory=lambda: np.empty(0))
    """In the satellite's unit."""
    sampled: NDArray[np.bool_] = field(default_factory=lambda: np.empty(0, bool))
    """Whether the interval holds errors of the map, from a reference sample."""
    natures: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    definition: str = ""

    def __len__(self) -> int:
        return len(self.labels)


@dataclass(frozen=True, kw_only=True)
class Side:
    """One area beside one publisher."""

    area: str
    publisher: str
    pairs: Pairs
    series: pd.DataFrame
    """The whole satellite series, of which `mine` are the rows of the area."""
    mine: NDArray[np.intp]
    table: pd.DataFrame
    """The whole official table with `official` in the satellite's unit, of which `held` are the publisher's rows."""
    held: NDArray[np.intp]
    remarks: tuple[str, ...] = ()
    """What was left out."""

    @property
    def ours(self) -> pd.DataFrame:
        """All rows of the satellite series of the area."""
        return self.series.iloc[self.mine]

    @property
    def theirs(self) -> pd.DataFrame:
        """All rows of the publisher for it."""
        return self.table.iloc[self.held]


def sides(ours: pd.DataFrame, theirs: pd.DataFrame, unit: str, preferred: Sequence[str]) -> list[Side]:
    """Every area beside every publisher that has a row for it, in the order of the satellite series.

    An area that nobody reports on has one Side without publisher and rows. Withheld values never pair, and periods
    only if their labels are equal: a mean of five years is not a year. Of several definitions the preferred one
    counts, else the latest.
    """
    order = {str(area): n for n, area in enumerate(ours.ref_area.unique())}
    links = [(area, code) for area, codes in partners(order, theirs.ref_area.unique()).items() for code in set(codes)]
    linked = theirs.merge(pd.DataFrame(links, columns=["area", "ref_area"]), on="ref_area")
    times = {str(u): factor(str(u), unit) for u in linked.unit_measure.unique()}
    linked["official"] = linked.obs_value * linked.unit_measure.map(times).astype("float64")
    both = known_of(linked).merge(told_of(ours), on=["area", "time_period"])
    both["year"] = both.time_period.map({p: year(str(p)) for p in both.time_period.unique()}).astype("float64")
    both = both.sort_values(["year", "definition"], kind="stable").reset_index(drop=True)
    kept = under_one_definition(both, preferred)
    paired, left = groups_of(both[kept]), both[~kept].groupby(["area", "publisher"], sort=False).time_period
    out: dict[Any, tuple[str, ...]] = {key: other_definition(labels) for key, labels in left}
    held, nothing = positions(linked), np.empty(0, np.intp)
    mine = {str(area): np.asarray(at, np.intp) for area, at in ours.groupby("ref_area").indices.items()}
    there = {area for area, _ in held}
    keys = [*sorted(held), *((area, "") for area in order if area not in there)]
    return [
        Side(
            area=area,
            publisher=publisher,
            pairs=paired.get((area, publisher), Pairs()),
            series=ours,
            mine=mine[area],
            table=linked,
            held=held.get((area, publisher), nothing),
            remarks=out.get((area, publisher), ()),
        )
        for area, publisher in sorted(keys, key=lambda key: order[key[0]])
    ]


def groups_of(both: pd.DataFrame) -> dict[tuple[str, str], Pairs]:
    """The pairs of each area and publisher."""
    numbers = {name: both[name].to_numpy() for name in ("satellite", "lower", "upper", "official", "sampled")}
    words = {name: both[name].to_numpy(dtype=object) for name in ("time_period", "nature", "note", "definition")}
    years = both.year.to_numpy()
    return {
        key: Pairs(
            labels=tuple(words["time_period"][at]),
            years=years[at],
            natures=tuple(words["nature"][at]),
            notes=tuple(words["note"][at]),
            definition=str(words["definition"][at[-1]]),
            **{name: values[at] for name, values in numbers.items()},
        )
        for key, at in positions(both).items()
    }


def positions(rows: pd.DataFrame) -> dict[tuple[str, str], NDArray[np.intp]]:
    """(area, publisher) -> positions of its rows."""
    found: dict[Any, Any] = rows.groupby(["area", "publisher"], sort=False).indices
    return {(str(area), str(publisher)): np.asarray(at, np.intp) for (area, publisher), at in found.items()}


def told_of(ours: pd.DataFrame) -> pd.DataFrame:
    """Published satellite values with their bounds, infinite where there is no limit; InputError for one twice."""
    told = ours[ours.obs_value.notna() & (ours.obs_status == "")]
    twice = told[told.duplicated(["ref_area", "time_period"])]
    if len(twice):
        raise InputError(
            f"The series holds {twice.series.iloc[0]} for {twice.ref_area.iloc[0]} in {twice.time_period.iloc[0]} "
            "more than once. Check the series of one run."
        )
    silent = told.interval == ""
    made = pd.DataFrame(
        {
            "area": told.ref_area,
            "time_period": told.time_period,
            "satellite": told.obs_value,
            "sampled": told.interval.str.contains("confusion|model"),
        }
    )
    for side, limit in (("lower", -np.inf), ("upper", np.inf)):
        made[side] = told[side].where(told[side].notna(), told.obs_value.where(silent, limit))
    return made


def known_of(linked: pd.DataFrame) -> pd.DataFrame:
    """Official values, each once; InputError for two of an area, period and definition."""
    key = ["area", "publisher", "time_period", "definition"]
    known = linked.loc[linked.official.notna(), [*key, "official", "nature", "note", "ref_area"]]
    known = known.drop_duplicates([*key, "official", "nature"])
    again = known[known.duplicated(key)]
    if len(again):
        first = again.iloc[0]
        codes = linked[(linked.area == first.area) & (linked.publisher == first.publisher)].ref_area.unique()
        raise InputError(
            f"{first.publisher or 'The official table'} gives two values for {first.time_period} "
            f"under the codes {listing(codes)}. Keep one."
        )
    return known.drop(columns="ref_area")


def under_one_definition(both: pd.DataFrame, preferred: Sequence[str]) -> pd.Series:
    """Which rows stay: those of the first preferred definition that an area and publisher has, else of its latest."""
    key = [both.area, both.publisher]
    place = pd.Series(len(preferred), index=both.index)
    for n, definition in reversed(list(enumerate(preferred))):
        place[both.definition == definition] = n
    last = both.groupby(key).definition.transform("last") if len(both) else both.definition
    best = place.groupby(key).transform("min") if len(both) else place
    return (place == best) & ((best < len(preferred)) | (both.definition == last))


def other_definition(periods: pd.Series | None) -> tuple[str, ...]:
    """That figures under another definition were left out."""
    if periods is None:
        return ()
    return (say("check.definition.other", periods=span(sorted({str(label) for label in periods}))),)


def partners(ours: Iterable[str], theirs: Iterable[str]) -> dict[str, list[str]]:
    """The official codes of each area of the satellite series.

    Equal texts name one area. Beyond that, countries and their parts are known under all their codes; but
    zones numbered 101, 102, ... or states called AL, AK, ... are not countries because some happen to spell
    one: a code counts as a country's only if all codes of that look in the series do.
    """
    codes = [str(code) for code in ours]
    looks = {code: (code.isdigit(), len(code)) for code in codes}
    strange = {looks[code] for code in codes if areas.find(code) is None}
    held: dict[tuple[str, str], list[str]] = {}
    for code in map(str, theirs):
        held.setdefault(place(code), []).append(code)
    return {code: [code, *([] if looks[code] in strange else held.get(place(code), []))] for code in codes}


def place(code: str) -> tuple[str, str]:
    """One key for all codes of an area; a code of its own stands for itself."""
    found = areas.find(code)
    return (found.iso3, found.part) if found else (code.strip(), "its own")


def year(label: str) -> float:
    """When a period begins, in years."""
    start = Period.of(label).start
    return float(start.year + (start.dayofyear - 1) / 365.25)


def kinds(labels: pd.Series) -> set[str]:
    """What the periods are: single years, months, days, or means of several."""
    forms = [[key for form, key in KINDS.items() if re.fullmatch(form, str(label))] for label in labels]
    return {say(keys[0] if keys else "check.kind.spans") for keys in forms}


def stretch(label: str, breaks: Sequence[tuple[str, str]]) -> int:
    """How many breaks lie before a period; -1 if one falls inside it."""
    period = Period.of(label)
    dates = [naive(pd.Timestamp(date)) for date, _ in breaks]
    return (
        -1 if any(period.start < date <= period.end for date in dates) else sum(date <= period.start for date in dates)
    )


def longest(stretches: np.ndarray) -> np.ndarray:
    """The rows of the stretch with most periods, the latest of equals; none if all have a break inside."""
    there, counts = np.unique(stretches[stretches >= 0], return_counts=True)
    return np.asarray(stretches == (there[counts == counts.max()].max() if len(there) else np.inf))
