"""The check: a satellite series beside the official one, area by area: a verdict, its reasons, a sentence.

The order of the rules is the method (docs/decisions/0002-order-of-the-check.md): what cannot be compared is
said first and needs no points (unit, area, kind of period, definition); then statistics, on the longest
stretch without a known break. A difference is satellite minus official.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd

from geomon import areas
from geomon.errors import InputError, listing
from geomon.finding import DIRECTION, NOT_COMPARABLE, NOT_ENOUGH, VERDICTS, Finding, headline, row, span
from geomon.indicator import Indicator, Official, Output
from geomon.judgement import Case, Judgement, judge
from geomon.official import AS_MEASURED, factor, same_series
from geomon.official import COLUMNS as OFFICIAL
from geomon.period import Period, naive
from geomon.texts import say

__all__ = ["VERDICTS", "Finding", "check", "headline"]

OURS = (
    "series",
    "ref_area",
    "time_period",
    "breakdown",
    "obs_value",
    "lower",
    "upper",
    "interval",
    "unit_measure",
    "obs_status",
)
KINDS = {
    r"\d{4}": "check.kind.years",
    r"\d{4}-\d{2}": "check.kind.months",
    r"\d{4}-\d{2}-\d{2}": "check.kind.days",
}
"""What a label looks like -> the text that names its kind."""


def check(
    series: pd.DataFrame,
    official: pd.DataFrame,
    indicator: Indicator,
    *,
    breaks: Sequence[tuple[str, str]] = (),
    names: Mapping[str, str] | None = None,
) -> list[Finding]:
    """One finding for each output with an official series, area, and publisher that reports on it.

    `series` is one indicator's Series, `official` a table of `official.read_csv`, `breaks` the known breaks
    of the satellite collections as (ISO date, why), `names` the names of areas for the sentences. Only
    totals are compared, no breakdowns. Official groups ('group:WLD') never pair.
    """
    for table, wanted, what in ((series, OURS, "satellite series"), (official, OFFICIAL, "official table")):
        missing = set(wanted) - set(table.columns)
        if missing:
            raise InputError(f"The {what} lacks the columns {listing(missing)}. Read it with geomon, or add them.")
    found: list[Finding] = []
    for name, output in indicator.outputs.items():
        if output.official is not None:
            ours = series[(series.series == name) & (series.breakdown == "")]
            codes = [c for c in official.series.unique() if same_series(str(c), output.official.series)]
            theirs = official[official.series.isin(codes)]
            beside = Comparison(indicator, name, output, output.official, tuple(breaks), names or {})
            found += beside.findings(ours, theirs)
    return found


@dataclass(frozen=True)
class Comparison:
    """One output beside its official series."""

    indicator: Indicator
    name: str
    output: Output
    official: Official
    breaks: tuple[tuple[str, str], ...]
    names: Mapping[str, str]

    def findings(self, ours: pd.DataFrame, theirs: pd.DataFrame) -> list[Finding]:
        """One for each area and publisher, in the order of the satellite series."""
        partner = partners(ours.ref_area.unique(), theirs.ref_area.unique())
        found = []
        for area, rows in ours.groupby("ref_area", sort=False):
            reported = theirs[theirs.ref_area.isin(partner[str(area)])]
            if reported.empty:
                text = say("check.absent", series=self.official.series)
                found.append(self.finding(str(area), "", Judgement(NOT_ENOUGH, text, (text,)), no_pairs()))
            for publisher, published in reported.groupby("publisher", sort=True):
                found.append(self.compare(str(area), str(publisher), rows, published))
        return found

    def compare(self, area: str, publisher: str, ours: pd.DataFrame, theirs: pd.DataFrame) -> Finding:
        """Comparability first, then what the common periods say."""
        who = publisher or say("check.official")
        times = theirs.unit_measure.map({u: factor(u, self.output.unit) for u in theirs.unit_measure.unique()})
        if times.isna().all() or any(factor(u, self.output.unit) != 1 for u in ours.unit_measure.unique()):
            return self.finding(area, publisher, self.units(who, ours, theirs), no_pairs())
        theirs = theirs.assign(official=theirs.obs_value * times.astype("float64"))
        pairs, remarks = paired(ours, theirs, (AS_MEASURED, self.official.definition))
        if pairs.empty:
            return self.finding(area, publisher, nothing_common(who, ours, theirs), pairs)
        pairs["stretch"] = [stretch(label, self.breaks) for label in pairs.time_period]
        pairs["used"] = longest(pairs.stretch)
        if not pairs.used.any():
            text = say("check.break.inside")
            return self.finding(area, publisher, Judgement(NOT_COMPARABLE, text, (text,)), pairs)
        whole = self.case(who, pairs[pairs.stretch >= 0])
        found = judge(replace(whole, pairs=pairs[pairs.used].reset_index(drop=True)), whole)
        if found.verdict == DIRECTION:
            pairs["used"] = pairs.stretch >= 0
        if pairs.stretch.nunique() > 1:
            remarks += self.either_side(whole, pairs)
        if times.isna().any():
            remarks.append(say("check.unit.some"))
        if whole.own and not whole.differs:
            remarks.append(say("check.described", publisher=who, counts=whole.counts))
        return self.finding(area, publisher, replace(found, reasons=(*found.reasons, *remarks)), pairs)

    def case(self, who: str, pairs: pd.DataFrame) -> Case:
        """What is judged, with the declared definitions."""
        definition = str(pairs.definition.iloc[-1])
        return Case(
            pairs.reset_index(drop=True),
            self.output.unit,
            who,
            self.official.tolerance,
            self.official.relative,
            differs="" if definition == AS_MEASURED else self.official.differs,
            counts=definition or self.official.definition,
            own=definition not in ("", AS_MEASURED, self.official.definition),
        )

    def units(self, who: str, ours: pd.DataFrame, theirs: pd.DataFrame) -> Judgement:
        """Why the units do not allow a comparison."""
        mine = listing(ours.unit_measure.unique())
        if (theirs.unit_measure == "").all():
            text = say("check.unit.unstated", publisher=who, units=mine)
        else:
            given = listing(u or say("check.unit.none") for u in theirs.unit_measure.unique())
            text = say("check.unit.apart", publisher=who, given=given, units=mine)
        return Judgement(NOT_COMPARABLE, text, (say("check.unit", why=text),))

    def either_side(self, whole: Case, pairs: pd.DataFrame) -> list[str]:
        """What a known break keeps apart, and the verdict for each stretch that the first one leaves out."""
        why = "; ".join(say("check.break", why=why, date=date) for date, why in self.breaks)
        said = [say("check.breaks", breaks=why)]
        for side, rows in pairs[~pairs.used].groupby("stretch"):
            labels = span([str(label) for label in rows.time_period])
            if side == -1:
                said.append(say("check.side.out", periods=labels))
            else:
                other = judge(replace(whole, pairs=rows.reset_index(drop=True)))
                said.append(say("check.side.other", periods=labels, verdict=say(f"check.verdict.{other.verdict}")))
        return said

    def finding(self, area: str, publisher: str, found: Judgement, pairs: pd.DataFrame) -> Finding:
        """The record, with its sentence."""
        used = pairs[pairs.used] if "used" in pairs else pairs
        subject = self.output.title or self.indicator.title
        definition = str(pairs.definition.iloc[-1]) if len(pairs) else ""
        counts = subject if definition == AS_MEASURED else definition or self.official.definition
        sentence = say(
            "check.subject.when" if len(used) else "check.subject",
            what=subject,
            area=self.names.get(area, area),
            when=span([str(label) for label in used.time_period]),
            clause=found.clause,
        )
        return Finding(
            indicator=self.indicator.code,
            output=self.name,
            ref_area=area,
            verdict=found.verdict,
            sentence=row(sentence),
            reasons=found.reasons,
            evidence={"n": float(len(used)), "tolerance": self.official.tolerance} | found.evidence,
            pairs=tuple(listed(pairs)),
            definition_satellite=subject,
            definition_official=counts,
            publisher=publisher,
        )


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


def paired(ours: pd.DataFrame, theirs: pd.DataFrame, preferred: Sequence[str] = ()) -> tuple[pd.DataFrame, list[str]]:
    """Periods in which both sides have a value, in order and under one definition; and what was left out.

    Columns as in `Case.pairs`; withheld values never pair, and periods only if their labels are equal: a mean of
    five years is not a year. Of several definitions the preferred one counts, else the latest.
    """
    told = ours[ours.obs_value.notna() & (ours.obs_status == "")]
    twice = told.time_period[told.time_period.duplicated()]
    if len(twice):
        raise InputError(
            f"The series holds {ours.series.iloc[0]} for {ours.ref_area.iloc[0]} in {twice.iloc[0]} "
            "more than once. Check the series of one run."
        )
    told = told[["time_period", "obs_value", "lower", "upper", "interval"]]
    known = theirs.loc[theirs.official.notna(), ["time_period", "official", "nature", "definition"]]
    known = known.drop_duplicates()
    again = known.time_period[known.duplicated(["time_period", "definition"])]
    if len(again):
        raise InputError(
            f"{theirs.publisher.iloc[0] or 'The official table'} gives two values for {again.iloc[0]} "
            f"under the codes {listing(theirs.ref_area.unique())}. Keep one."
        )
    both = told.rename(columns={"obs_value": "satellite"}).merge(known, on="time_period")
    starts = pd.DatetimeIndex([Period.of(str(label)).start for label in both.time_period])
    both["year"] = starts.year + (starts.dayofyear - 1) / 365.25
    both = both.sort_values(["year", "definition"], kind="stable").reset_index(drop=True)
    silent = both.interval == ""
    for side, limit in (("lower", -np.inf), ("upper", np.inf)):
        both[side] = both[side].where(both[side].notna(), both.satellite.where(silent, limit))
    there = [d for d in preferred if (both.definition == d).any()] or list(both.definition[-1:])
    kept = both.definition.isin(there[:1])
    if kept.all():
        return both, []
    left = span(sorted({str(label) for label in both.time_period[~kept]}))
    return both[kept].reset_index(drop=True), [say("check.definition.other", periods=left)]


def no_pairs() -> pd.DataFrame:
    """A table without common periods."""
    return pd.DataFrame(
        columns=["time_period", "year", "satellite", "lower", "upper", "official", "nature", "definition"]
    )


def nothing_common(who: str, ours: pd.DataFrame, theirs: pd.DataFrame) -> Judgement:
    """Why no period has a value on both sides."""
    told, known = ours[ours.obs_value.notna() & (ours.obs_status == "")], theirs[theirs.obs_value.notna()]
    for rows, kept, name in ((ours, told, say("check.satellite")), (theirs, known, who)):
        if kept.empty:
            status = next((str(s) for s in rows.obs_status if s), say("check.empty.why"))
            text = say("check.empty", name=name, status=status)
            return Judgement(NOT_ENOUGH, text, (text,))
    a, b = kinds(told.time_period), kinds(known.time_period)
    if not a & b:
        mine, other = (say("check.and").join(sorted(side)) for side in (a, b))
        text = say("check.date.kinds", ours=mine, publisher=who, theirs=other)
        return Judgement(NOT_COMPARABLE, text, (say("check.date", why=text),))
    ranges = [span(sorted({*rows.time_period})) for rows in (told, known)]
    text = say("check.date.none", ours=ranges[0], publisher=who, theirs=ranges[1])
    return Judgement(NOT_ENOUGH, text, (text,))


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


def longest(stretches: pd.Series) -> pd.Series:
    """The rows of the stretch with most periods, the latest of equals; none if all have a break inside."""
    counts = stretches[stretches >= 0].value_counts()
    if counts.empty:
        return stretches >= 0
    return stretches.isin([max(counts[counts == counts.max()].index)])


def listed(pairs: pd.DataFrame) -> list[dict[str, Any]]:
    """The pairs as they are published; a bound without limit is NaN."""
    return [
        {
            "time_period": str(p["time_period"]),
            "satellite": float(p["satellite"]),
            "lower": float(p["lower"]) if np.isfinite(p["lower"]) else np.nan,
            "upper": float(p["upper"]) if np.isfinite(p["upper"]) else np.nan,
            "official": float(p["official"]),
            "difference": float(p["satellite"] - p["official"]),
            "nature": str(p["nature"]),
            "used": bool(p.get("used", False)),
        }
        for p in pairs.to_dict("records")
    ]
