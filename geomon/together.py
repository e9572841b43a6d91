"""Areas of one country as a panel: which are compared together, and what that says of each of them."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from geomon.asides import FEWEST_AREAS, average, places_of
from geomon.case import Case, numbers
from geomon.causes import DEFECTS, Together, ahead, clause, level_numbers, mended, record
from geomon.departures.records import Allowance, Floats, Level, Panel, Reason, Version
from geomon.finding import AGREES, DEFECT, DEFINITION, DIRECTION, LEVEL, NOT_SETTLED
from geomon.judgement import (
    Judgement,
    by_definition,
    direction,
    interval,
    judge,
    level,
    mistaken,
    named,
    remarks,
    slip,
)
from geomon.pairing import year
from geomon.texts import say

if TYPE_CHECKING:
    from geomon.check import Comparison

FEWEST_YEARS = 8
SLOW = ("trend", "level", "definition", "optimistic")
"""Reasons beside which opposite directions are what should be said."""
SHOWN = 3  # reasons of parts that are said of the whole


def together(beside: "Comparison", cases: Mapping[tuple[str, str], Case]) -> dict[tuple[str, str], Together]:
    """(area, publisher) -> the comparison of its country, for the areas in it and those above them."""
    around = beside.around
    here = {area for area, _ in cases if area in around.parents}
    above = {around.parents[area] for area in here}
    found: dict[tuple[str, str], Together] = {}
    groups: dict[tuple[str, str], list[str]] = {}
    for (area, publisher), case in cases.items():
        below_zero = case.relative and min(case.satellite.min(), case.official.min()) < 0
        if area in here - above and ratios(case) >= FEWEST_YEARS and not below_zero:
            groups.setdefault((around.top(area), publisher), []).append(area)
    for (top, publisher), codes in groups.items():
        if len(codes) < FEWEST_AREAS:
            continue
        group = compared(beside, publisher, {code: cases[code, publisher] for code in codes})
        for area, whose in cases:
            if whose == publisher and area in here and around.top(area) == top:
                found[area, publisher] = group
    return {
        (area, publisher): group
        for (area, publisher), group in found.items()
        if area in group.panel.areas or area in above or around.leaves(area) & set(group.panel.areas)
    }


def ratios(case: Case) -> int:
    """How many calendar years say anything: where ratios are compared, nothing beside nothing does not."""
    if not case.relative:
        return case.calendar
    return case.choose((case.satellite != 0) | (case.official != 0)).calendar


def compared(beside: "Comparison", publisher: str, cases: Mapping[str, Case]) -> Together:
    """The areas of one country beside one publisher."""
    official, around, codes, ours = beside.official, beside.around, tuple(cases), beside.ours
    declared = beside.declared(publisher, {above for code in codes for above in around.line(code)})
    any_case = next(iter(cases.values()))
    labels = {label: y for case in cases.values() for label, y in zip(case.labels, case.years, strict=True)}
    years = np.array(sorted(set(labels.values())))
    seen = table(ours, "coverage", codes, labels, years)
    parents = [around.parents[code] for code in codes]
    satellite = spread([(case.years, case.floored(case.satellite, case.official)) for case in cases.values()], years)
    panel = Panel(
        areas=codes,
        parents=tuple(parents) if len(set(parents)) > 1 else ("",) * len(codes),
        years=years,
        satellite=satellite,
        official=spread([(case.years, case.floored(case.official, case.satellite)) for case in cases.values()], years),
        tolerance=official.tolerance,
        relative=official.relative,
        fraction=official.fraction,
        lower=spread([(case.years, case.lower) for case in cases.values()], years),
        upper=spread([(case.years, case.upper) for case in cases.values()], years),
        unseen=1 - seen if np.isfinite(seen).any() else None,
        weights=around.ground(codes)
        if official.fraction
        else None
        if official.relative is False
        else average(satellite.T),
        satellite_breaks=since(beside.breaks, years),
        official_breaks=since(declared, years),
        definition=any_case.differs,
        versions=tuple(
            Version(name=name, since=year(date[:10]), satellite=table(other, "obs_value", codes, labels, years))
            for name, date, other in beside.versions
        ),
        neighbours=around.borders(codes),
        proxy=official.proxy,
        allowance=Allowance(**official.allowance),
    )
    found = places_of(panel)
    return Together(
        panel=panel,
        compared=found.rest,
        places=tuple(found.places),
        remarks=tuple(found.remarks),
        levels=tuple(found.levels),
        names=beside.names,
        labels=tuple(next(label for label, y in labels.items() if y == value) for value in years),
        unit=beside.output.unit,
        publisher=any_case.publisher,
        known=tuple(
            say(key, breaks="; ".join(say("check.break", why=why, date=date) for date, why in breaks))
            for key, breaks in (("check.breaks", beside.breaks), ("check.breaks.official", declared))
            if breaks
        ),
    )


def spread(series: Sequence[tuple[Floats, Floats]], years: Floats) -> Floats:
    """(areas, years) from the years and values of each area."""
    made = np.full((len(series), len(years)), np.nan)
    for line, (when, values) in zip(made, series, strict=True):
        line[np.searchsorted(years, when)] = values
    return made


def table(ours: pd.DataFrame, column: str, codes: Sequence[str], labels: Mapping[str, float], years: Floats) -> Floats:
    """(areas, years) of a column of the satellite series, NaN where it has no row."""
    rows = ours[ours.ref_area.isin(codes) & ours.time_period.isin(labels)]
    place = {code: n for n, code in enumerate(codes)}
    made = np.full((len(codes), len(years)), np.nan)
    at = np.searchsorted(years, rows.time_period.map(labels).to_numpy(dtype="float64"))
    values = rows[column].to_numpy(dtype="float64") if column in rows else np.full(len(rows), np.nan)
    made[rows.ref_area.map(place).to_numpy(dtype="int64"), at] = values
    return made


def since(breaks: Sequence[tuple[str, str]], years: Floats) -> tuple[float, ...]:
    """The first year after each break, as far as there is one among the years."""
    dates = [year(str(pd.Timestamp(date).date())) for date, _ in breaks]
    first = {float(years[years >= date - 1e-6][0]) for date in dates if years[0] < date <= years[-1]}
    return tuple(sorted(first))


def member(group: Together, position: int, case: Case) -> Judgement:
    """What the areas together say of one of them."""
    mean, every = group.levels[position], group.touching(position)
    told = shown(every, case)
    if mean is None and not told:
        return judge(case)
    found = by_reasons(group, told, case, position) if told or mean is None else settled(mean, group, case)
    first: tuple[dict[str, Any], ...] = ()
    slipped = slip(case) if found.verdict == LEVEL and told[0].scope == "area" else None
    if slipped is not None:
        known = {"areas": (group.panel.areas[position],), "score": np.inf}
        found, first = slipped, tuple({**said, **known} for said in slipped.causes)
    more = [r for r in remarks(case, case, found) if r not in found.reasons]
    if found.verdict in (AGREES, NOT_SETTLED):
        more += blind(group)
    more += [
        say("check.cause.inside", words=clause(r, group)) for r in every if r not in told and touched(r, case).any()
    ]
    evidence = numbers(case, case) | (level_numbers(mean, group) if mean else {}) | {"noise": group.compared.noise}
    return Judgement(
        found.verdict,
        found.clause,
        (*found.reasons, *more),
        evidence | found.evidence,
        (*first, *(record(r, group) for r in (*told, *(r for r in group.remarks if position in r.areas)))),
    )


def touched(reason: Reason, case: Case) -> np.ndarray:
    """The common periods of an area that a reason speaks of; of unseen ground, those that have some."""
    when = ~(case.years < reason.since - 1e-6) & ~(case.years > reason.until + 1e-6)
    return np.asarray(when & (case.upper > case.lower) if reason.name == "gap" else when)


def shown(told: Sequence[Reason], case: Case) -> list[Reason]:
    """The reasons that an area's own interval leaves standing; with the best go those that would explain the same."""
    if not told or not open_to(told[0], case):
        return [r for r in told if not open_to(r, case)]
    return [r for r in told if ("beside" in r.evidence or np.isinf(r.score)) and not open_to(r, case)]


def open_to(reason: Reason, case: Case) -> bool:
    """Whether what a reason says of an area is not shown there: it has no value then, or its own interval holds the
    official ones, of cloudy and odd years within the tolerance. Exact screens need no interval, and of slow differences
    all years are asked (`unshown`)."""
    if reason.name in DEFECTS or reason.name in SLOW:
        return False
    near = case.margin if reason.name in ("gap", "odd year") else 0.0
    return bool((np.abs(case.gap[touched(reason, case)]) <= near).all())


def parent(group: Together, leaves: set[str], alone: Judgement, case: Case) -> Judgement:
    """An area that has parts: its own values, and the reasons that cover all of it or a part."""
    positions = {n for n, code in enumerate(group.panel.areas) if code in leaves}
    told, below = group.within(positions), group.below(positions)
    parts = tuple(say("check.cause.below", words=clause(r, group)) for r in below[:SHOWN])
    causes = tuple(record(r, group) for r in told)
    if alone.verdict in (LEVEL, DIRECTION, DEFINITION, DEFECT, NOT_SETTLED) and told:
        found = by_reasons(group, told, case)
        said = (*found.reasons, *(r for r in alone.reasons if r not in found.reasons), *parts)
        return Judgement(found.verdict, found.clause, said, alone.evidence | found.evidence, causes)
    above = tuple(say("check.cause.above", words=clause(r, group)) for r in told)
    said = (*alone.reasons, *above, *parts)
    return Judgement(alone.verdict, alone.clause, said, alone.evidence, (*alone.causes, *causes))


def by_reasons(group: Together, told: Sequence[Reason], case: Case, position: int | None = None) -> Judgement:
    """The verdict that the first reason gives, its words, and how far the next is behind."""
    first, words = told[0], clause(told[0], group)
    evidence = {"score": first.score}
    said = [words, *filter(None, [ahead(told)])]
    if first.name in ("break", "sensor"):
        said += group.known
    if first.name == "boundary" and first.evidence.get("version"):
        said.append(say("check.cause.boundary.file", version=first.evidence["version"]))
    if first.name in DEFECTS:
        after = repaired(group, first, case, position) if position is not None else None
        said[1:1] = [say("check.cause.repaired", verdict=named(after))] if after else []
        said += [clause(r, group) for r in told[1:]] if np.isinf(first.score) else []
        return Judgement(DEFECT, words, tuple(said), evidence)
    opposite = direction(case) if first.name in SLOW else None
    if opposite is not None:
        return Judgement(DIRECTION, opposite.clause, (*opposite.reasons, *said), evidence)
    if first.name in SLOW and (case.gap == 0).all():
        return unshown(case, words)
    if case.differs and first.name in SLOW:
        declared = by_definition(case)
        return Judgement(DEFINITION, declared.clause, (*declared.reasons, *said), evidence)
    return Judgement(DEFINITION if first.name == "definition" else LEVEL, words, tuple(said), evidence)


def unshown(case: Case, words: str) -> Judgement:
    """A slow difference of an area whose own satellite interval holds every official value: it cannot be shown."""
    found = case.bias
    ends = interval(case, found.value - found.half95, found.value + found.half95, 95)
    over = "more" if found.value > 0 else "less"
    clause = say(
        f"check.wide.{over}", publisher=case.publisher, size=case.told(found.value), equal=case.equal, interval=ends
    )
    inside = say("check.wide.inside", interval=ends)
    return Judgement(NOT_SETTLED, clause, (inside, say("check.cause.above", words=words)))


def repaired(group: Together, reason: Reason, case: Case, position: int) -> Judgement | None:
    """What the comparison says of an area once a defect is taken out; None if it cannot be."""
    values = mended(reason, group, position)
    if values is None:
        return None
    ours, theirs = (side[np.searchsorted(group.panel.years, case.years)] for side in values)
    moved = ours - case.satellite
    made = replace(case, satellite=ours, lower=case.lower + moved, upper=case.upper + moved, official=theirs)
    made = made.choose(np.isfinite(ours) & np.isfinite(theirs))
    return level(made) if len(made) >= FEWEST_AREAS else None


def settled(mean: Level, group: Together, case: Case) -> Judgement:
    """No reason: shown equal within the tolerance, or not."""
    size, equal = case.told(mean.value * case.margin), case.equal
    words = {"publisher": group.publisher, "size": size, "equal": equal}
    if mean.p_equal < 0.05:
        half = (mean.upper90 - mean.lower90) / 2 * case.margin
        if not case.surely_equal(mean.value * case.margin, half):
            return mistaken(case, mean.value * case.margin)
        ends = interval(case, mean.lower90 * case.margin, mean.upper90 * case.margin, 90)
        said = (say("check.agrees.reason", equal=equal, interval=ends),)
        return Judgement(AGREES, say("check.agrees", interval=ends, **words), said)
    ends = interval(case, mean.lower * case.margin, mean.upper * case.margin, 95)
    over = "more" if mean.value > 0 else "less"
    return Judgement(NOT_SETTLED, say(f"check.wide.{over}", **words), (say("check.wide.reason", interval=ends),))


def blind(group: Together) -> list[str]:
    """What could not be seen in these data if it were there."""
    names = [say(f"check.name.{name}") for name in group.compared.cannot_tell]
    return [say("check.cause.blind", names=", ".join(names))] if names else []
