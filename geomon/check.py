"""The check: a satellite series beside the official one: a verdict, its reasons, a grade, a sentence.

The order of the rules is the method (docs/decisions/0002-order-of-the-check.md): what cannot be compared is
said first and needs no points (unit, area, kind of period, definition); then the smallest areas of a country are
compared together, and an area that stands alone by itself. A difference is satellite minus official.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd

from geomon.around import Around
from geomon.case import Case
from geomon.causes import Together
from geomon.errors import InputError, listing
from geomon.finding import DIRECTION, NOT_COMPARABLE, NOT_ENOUGH, VERDICTS, Finding, graded, headline, row, span
from geomon.indicator import Indicator, Official, Output
from geomon.judgement import Judgement, judge, named
from geomon.official import AS_MEASURED, FIRST, factor, same_series
from geomon.pairing import Pairs, Side, kinds, longest, partners, sides, stretch, year
from geomon.parts import explained
from geomon.period import Period
from geomon.texts import say
from geomon.together import member, parent, together

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
BREAK = r"(?<!no )\bbreak\b|(?<!no )\bnew (?:method|inventory)|observation status b\b"
"""What a publisher's note says of the first value of a new method (B: a break, in SDMX)."""
MARKS = "revis|vintage|provisional|prelim|rebas"
"""What a publisher's note says of a value that may change, or has."""


def check(
    series: pd.DataFrame,
    official: pd.DataFrame,
    indicator: Indicator,
    *,
    breaks: Sequence[tuple[str, str]] = (),
    official_breaks: Sequence[tuple[str, str]] = (),
    names: Mapping[str, str] | None = None,
    zones: pd.DataFrame | None = None,
    versions: Sequence[tuple[str, str, pd.DataFrame]] = (),
) -> list[Finding]:
    """One finding for each output with an official series, area, and publisher that reports on it.

    `series` is one indicator's Series, `official` a table of official statistics, `breaks` the known breaks of the
    satellite collections as (ISO date, why), `official_breaks` the declared changes of the publishers' methods.
    `zones` has code, name and parent of the areas, and their geometry if there is one; without it every area is
    judged alone. `names` are those of areas for the sentences, and go before those of `zones`. `versions` are the
    satellite series on other boundaries: (name, ISO date from which they are law, series). Only totals are compared,
    no breakdowns. Official groups ('group:WLD') never pair.
    """
    others = [(other, OURS, f"satellite series on the boundaries {name!r}") for name, _, other in versions]
    for table, wanted, what in ((series, OURS, "satellite series"), (official, FIRST, "official table"), *others):
        missing = set(wanted) - set(table.columns)
        if missing:
            raise InputError(f"The {what} lacks the columns {listing(missing)}. Read it with geomon, or add them.")
    around = Around.of(zones)
    totals = series[series.breakdown == ""]
    found: list[Finding] = []
    for name, output in indicator.outputs.items():
        if output.official is not None:
            beside = Comparison(
                indicator=indicator,
                totals=totals,
                table=official,
                name=name,
                output=output,
                official=output.official,
                breaks=tuple(breaks),
                official_breaks=tuple(official_breaks),
                names={**around.names, **(names or {})},
                around=around,
                versions=tuple(
                    (called, date, other[(other.series == name) & (other.breakdown == "")])
                    for called, date, other in versions
                ),
            )
            found += beside.findings()
    return found


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """One output beside its official series."""

    indicator: Indicator
    totals: pd.DataFrame
    table: pd.DataFrame
    """The official table."""
    name: str
    output: Output
    official: Official
    breaks: tuple[tuple[str, str], ...]
    official_breaks: tuple[tuple[str, str], ...]
    names: Mapping[str, str]
    around: Around
    versions: tuple[tuple[str, str, pd.DataFrame], ...]
    """Of this output alone."""
    stretches: dict[str, int] = field(default_factory=dict)
    """Period -> stretch between known breaks, as far as it was looked up."""

    @cached_property
    def codes(self) -> frozenset[str]:
        """The official codes of the series, at any publisher."""
        return frozenset(str(c) for c in self.table.series.unique() if same_series(str(c), self.official.series))

    @cached_property
    def theirs(self) -> pd.DataFrame:
        """The official rows of the series."""
        return self.table[self.table.series.isin(self.codes)]

    @cached_property
    def ours(self) -> pd.DataFrame:
        """The satellite's rows of the output."""
        return self.totals[self.totals.series == self.name]

    @cached_property
    def marked(self) -> pd.DataFrame:
        """The official rows whose notes mark a new method."""
        notes = [note for note in self.theirs.note.unique() if re.search(BREAK, str(note), re.IGNORECASE)]
        return self.theirs[self.theirs.note.isin(notes)]

    @cached_property
    def strange(self) -> set[str]:
        """Official units that cannot be turned into the output's."""
        return {str(u) for u in self.theirs.unit_measure.unique() if factor(str(u), self.output.unit) is None}

    @cached_property
    def plain(self) -> bool:
        """Whether all of the satellite's rows are in the output's unit."""
        return all(factor(str(u), self.output.unit) == 1 for u in self.ours.unit_measure.unique())

    def findings(self) -> list[Finding]:
        """One for each area and publisher, in the order of the satellite series."""
        beside = sides(self.ours, self.theirs, self.output.unit, (AS_MEASURED, self.official.definition))
        cases = {(s.area, s.publisher): self.case(s) for s in beside if self.why_not(s) is None and len(s.pairs)}
        groups = together(self, cases)
        why = explained(self)
        return [self.finding(side, self.judged(side, cases, groups), why) for side in beside]

    def judged(
        self, side: Side, cases: Mapping[tuple[str, str], Case], groups: Mapping[tuple[str, str], Together]
    ) -> tuple[Judgement, np.ndarray]:
        """What is found of one area and publisher, and which pairs it rests on."""
        whole, none = cases.get((side.area, side.publisher)), np.zeros(len(side.pairs), bool)
        if whole is None:
            return self.why_not(side) or nothing_common(who(side.publisher), side), none
        group = groups.get((side.area, side.publisher))
        if group is not None and side.area in group.panel.areas:
            return member(group, group.panel.areas.index(side.area), whole), np.ones(len(whole), bool)
        alone, used = self.alone(side, whole)
        if group is None:
            return alone, used
        found = parent(group, self.around.leaves(side.area), alone, whole)
        return found, used if found.clause == alone.clause else np.ones(len(whole), bool)

    def alone(self, side: Side, whole: Case) -> tuple[Judgement, np.ndarray]:
        """An area by itself: its longest stretch without a known break, and what the others say."""
        used = longest(whole.stretch)
        if not used.any():
            text = say("check.break.inside")
            return Judgement(NOT_COMPARABLE, text, (text,)), used
        between = whole.choose(whole.stretch >= 0)
        found = judge(between if used.all() else whole.choose(used), between)
        said = self.either_side(whole, used) if not whole.whole else []
        inside = [
            say("check.break", why=why, date=date)
            for date, why in self.declared(side.publisher, (side.area,))
            if whole.years[0] < year(str(date)[:10]) <= whole.years[-1]
        ]
        if inside:
            said.append(say("check.breaks.official", breaks="; ".join(inside)))
        if found.verdict == DIRECTION:
            used = whole.stretch >= 0
        return replace(found, reasons=(*found.reasons, *said)), used

    def why_not(self, side: Side) -> Judgement | None:
        """Why nothing can be compared; None if it can."""
        if not len(side.held):
            text = say("check.absent", series=self.official.series)
            return Judgement(NOT_ENOUGH, text, (text,))
        if len(side.pairs) and self.plain:
            return None
        units = side.ours.unit_measure.unique()
        known = len(side.pairs) or any(factor(str(u), self.output.unit) for u in side.theirs.unit_measure.unique())
        if known and all(factor(str(u), self.output.unit) == 1 for u in units):
            return None
        mine, name = listing(units), who(side.publisher)
        if (side.theirs.unit_measure == "").all():
            text = say("check.unit.unstated", publisher=name, units=mine)
        else:
            given = listing(u or say("check.unit.none") for u in side.theirs.unit_measure.unique())
            text = say("check.unit.apart", publisher=name, given=given, units=mine)
        return Judgement(NOT_COMPARABLE, text, (say("check.unit", why=text),))

    def declared(self, publisher: str, areas: Iterable[str]) -> tuple[tuple[str, str], ...]:
        """Changes of the publisher's method as (ISO date, why): those handed in, and those that its notes of the areas
        mark."""
        rows = self.marked
        if len(rows):
            known = partners(self.ours.ref_area.unique(), rows.ref_area.unique())
            codes = {code for area in areas for code in known.get(area, (area,))}
            rows = rows[(rows.publisher == publisher) & rows.ref_area.isin(codes)]
        noted = {
            str(Period.of(str(label)).start.date()): str(note)
            for label, note in zip(rows.time_period, rows.note, strict=True)
        }
        return (*self.official_breaks, *sorted(noted.items()))

    def case(self, side: Side) -> Case:
        """What is judged, with the declared definitions."""
        pairs, definition = side.pairs, side.pairs.definition
        return Case(
            labels=pairs.labels,
            years=pairs.years,
            satellite=pairs.satellite,
            lower=pairs.lower,
            upper=pairs.upper,
            official=pairs.official,
            sampled=pairs.sampled,
            stretch=np.array([self.stretch(label) for label in pairs.labels]),
            unit=self.output.unit,
            publisher=who(side.publisher),
            tolerance=self.official.tolerance,
            relative=self.official.relative,
            differs="" if definition == AS_MEASURED else self.official.differs,
            counts=definition or self.official.definition,
            own=definition not in ("", AS_MEASURED, self.official.definition),
            modelled="E" in pairs.natures or "M" in pairs.natures,
        )

    def stretch(self, label: str) -> int:
        """The stretch between known breaks that a period lies in."""
        if label not in self.stretches:
            self.stretches[label] = stretch(label, self.breaks)
        return self.stretches[label]

    def either_side(self, whole: Case, used: np.ndarray) -> list[str]:
        """What a known break keeps apart, and the verdict for each stretch that the first one leaves out."""
        why = "; ".join(say("check.break", why=why, date=date) for date, why in self.breaks)
        said = [say("check.breaks", breaks=why)]
        for part in np.unique(whole.stretch[~used]):
            rest = whole.choose((whole.stretch == part) & ~used)
            if part == -1:
                said.append(say("check.side.out", periods=span(rest.labels)))
            else:
                said.append(say("check.side.other", periods=span(rest.labels), verdict=named(judge(rest))))
        return said

    def wide(self, pairs: Pairs, used: np.ndarray) -> bool:
        """Whether the satellite's own interval is usually wider than the tolerance on either side."""
        if not used.any():
            return False
        room = self.official.tolerance * (np.abs(pairs.official[used]) if self.official.relative else 1.0)
        return bool(np.median(pairs.upper[used] - pairs.lower[used] - 2 * room) > 0)

    def remarks(self, side: Side) -> list[str]:
        """What should be known of the official figures beside the verdict."""
        said, pairs, name = list(side.remarks), side.pairs, who(side.publisher)
        if self.strange and len(pairs) and set(side.theirs.unit_measure) & self.strange:
            said.append(say("check.unit.some"))
        each = [(p, n) for p, n in zip(pairs.labels, pairs.notes, strict=True) if n and re.search(MARKS, n.lower())]
        if each:
            marks = "; ".join(say("check.vintage.mark", period=period, note=note) for period, note in each)
            said.append(say("check.vintage", publisher=name, marks=marks))
        if pairs.definition not in ("", AS_MEASURED, self.official.definition) and not self.official.differs:
            said.append(say("check.described", publisher=name, counts=pairs.definition))
        return said

    def finding(
        self, side: Side, judged: tuple[Judgement, np.ndarray], why: Mapping[tuple[str, str], Sequence[str]]
    ) -> Finding:
        """The record, with its sentence."""
        found, used = judged
        labels = [label for label, kept in zip(side.pairs.labels, used, strict=True) if kept]
        subject = self.output.title or self.indicator.title
        definition = side.pairs.definition
        sentence = say(
            "check.subject.when" if labels else "check.subject",
            what=subject,
            area=self.names.get(side.area, side.area),
            when=span(labels),
            clause=found.clause,
        )
        parts = why.get((side.area, side.publisher), ())
        years = len(set(np.floor(side.pairs.years[used] + 1e-6).tolist()))
        grade, rule = graded(found.verdict, years, found.evidence.get("noise", np.nan), self.wide(side.pairs, used))
        return Finding(
            indicator=self.indicator.code,
            output=self.name,
            ref_area=side.area,
            verdict=found.verdict,
            sentence=row(sentence),
            reasons=(*found.reasons, *parts, *self.remarks(side)),
            evidence={"n": float(len(labels)), "tolerance": self.official.tolerance} | found.evidence,
            pairs=tuple(listed(side.pairs, used)),
            definition_satellite=subject,
            definition_official=subject if definition == AS_MEASURED else definition or self.official.definition,
            publisher=side.publisher,
            grade=grade,
            grade_rule=rule,
            causes=found.causes,
            not_seen=self.indicator.unseen,
        )


def who(publisher: str) -> str:
    """A publisher's name, or that it is the official series."""
    return publisher or say("check.official")


def nothing_common(name: str, side: Side) -> Judgement:
    """Why no period has a value on both sides."""
    ours, theirs = side.ours, side.theirs
    told, known = ours[ours.obs_value.notna() & (ours.obs_status == "")], theirs[theirs.obs_value.notna()]
    for rows, kept, called in ((ours, told, say("check.satellite")), (theirs, known, name)):
        if kept.empty:
            status = next((str(s) for s in rows.obs_status if s), say("check.empty.why"))
            text = say("check.empty", name=called, status=status)
            return Judgement(NOT_ENOUGH, text, (text,))
    a, b = kinds(told.time_period), kinds(known.time_period)
    if not a & b:
        mine, other = (say("check.and").join(sorted(kind)) for kind in (a, b))
        text = say("check.date.kinds", ours=mine, publisher=name, theirs=other)
        return Judgement(NOT_COMPARABLE, text, (say("check.date", why=text),))
    ranges = [span(sorted({*rows.time_period})) for rows in (told, known)]
    text = say("check.date.none", ours=ranges[0], publisher=name, theirs=ranges[1])
    return Judgement(NOT_ENOUGH, text, (text,))


def listed(pairs: Pairs, used: np.ndarray) -> Iterator[dict[str, Any]]:
    """The pairs as they are published; a bound without limit is NaN."""
    lower, upper = (np.where(np.isfinite(side), side, np.nan).tolist() for side in (pairs.lower, pairs.upper))
    columns = (pairs.labels, pairs.satellite.tolist(), lower, upper, pairs.official.tolist(), pairs.natures)
    for period, satellite, low, high, official, nature, kept in zip(*columns, used.tolist(), strict=True):
        yield {
            "time_period": period,
            "satellite": satellite,
            "lower": low,
            "upper": high,
            "official": official,
            "difference": satellite - official,
            "nature": nature,
            "used": kept,
        }
