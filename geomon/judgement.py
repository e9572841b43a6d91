"""The rules of the check for one area that stands alone: what two series of it, in one unit, say about each other.

Many areas of a country are judged together by geomon.departures; docs/decisions/0002-order-of-the-check.md says
which rules are needed besides, and why. Everything is judged on the scale of the declared tolerance: differences as
they are, or of logarithms where the tolerance is relative.
"""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from geomon.case import FEWEST, Case, numbers
from geomon.finding import (
    AGREES,
    DEFECT,
    DEFINITION,
    DIRECTION,
    LEVEL,
    NOT_COMPARABLE,
    NOT_ENOUGH,
    NOT_SETTLED,
    amount,
    apart,
    cause,
    digits,
    span,
)
from geomon.stats.agreement import Array, Trend, mean
from geomon.texts import say

ALL_BEYOND = 5  # pairs that, all beyond the tolerance on one side, show a difference: chance alone 1 in 32
FEWEST_JUMP = 6  # pairs for a jump: three on either side
FEWEST_SAME = 4  # equal official values in a row, to be remarked on
CLEAR = 0.02  # p of a jump or drift of the difference; beside it, the size must count
SHARP = 0.6  # squares left by a step over those left by a line, for a step to go before directions

# Official over satellite value: the text of what was perhaps mistaken, how near the median must be and how far one year
# may be off (in logarithms).
SLIPS = {
    10.0: ("check.slip.km2", 0.25, 0.35),
    100.0: ("check.slip.hectares", 0.25, 0.35),
    1000.0: ("check.slip.thousands", 0.25, 0.35),
    1e6: ("check.slip.millions", 0.25, 0.35),
    2.4710538: ("check.slip.acres", 0.05, 0.15),
}


@dataclass(frozen=True)
class Judgement:
    """A verdict, the part of the sentence that gives it, its reasons in order, and its numbers."""

    verdict: str
    clause: str
    reasons: tuple[str, ...] = ()
    evidence: dict[str, float] = field(default_factory=dict)
    causes: tuple[dict[str, Any], ...] = ()
    """As in `Finding.causes`."""


def judge(case: Case, whole: Case | None = None) -> Judgement:
    """The first rule that has something to say, with what else should be known.

    `case` lies between two known breaks; `whole`, if there is more, has all stretches, for directions
    within each.
    """
    whole = whole or case
    if case.relative and min(case.satellite.min(), case.official.min()) < 0:
        return Judgement(NOT_COMPARABLE, say("check.negative"), (say("check.negative.reason"),))
    found = few(case) if len(case) < FEWEST else first(case, whole)
    reasons = (*found.reasons, *(r for r in remarks(case, whole, found) if r not in found.reasons))
    return replace(found, reasons=reasons, evidence=numbers(case, whole) | found.evidence)


def first(case: Case, whole: Case) -> Judgement:
    """Screens before shapes, shapes before the mean level."""
    rules: tuple[tuple[Callable[[Case], Judgement | None], Case], ...] = (
        (slip, case),
        (sharp, case),
        (direction, whole),
        (step, case),
        (odd, case),
        (drift, case),
        (blunt, case),
    )
    return next((found for rule, pairs in rules if (found := rule(pairs))), None) or level(case)


def few(case: Case) -> Judgement:
    """One or two common periods: no statistics, but a declared difference of definition explains much."""
    if case.differs and beyond(case):
        return by_definition(case)
    years = say("check.few.years", periods=span(case.labels))
    clause = say("check.few", latest=latest(case), years=years, fewest=FEWEST)
    return Judgement(NOT_ENOUGH, clause, (years,))


def by_definition(case: Case) -> Judgement:
    """They differ, and the declared difference of definition says why."""
    clause = say("check.definition", latest=latest(case), why=because(case))
    counts = say("check.definition.counts", publisher=case.publisher, counts=case.counts) if case.counts else ""
    words = case.differs.rstrip(" .")
    causes = (cause("definition", words, twins=("level",), **shift(case)),)
    return Judgement(DEFINITION, clause, (case.differs, *([counts] if counts else [])), causes=causes)


def shift(case: Case) -> dict[str, float]:
    """The mean difference with its interval, as numbers of a cause; with two periods or fewer there is no interval."""
    if len(case) < FEWEST:
        return {"effect": case.back(float(case.difference.mean()))}
    value, half = case.bias.value, case.bias.half95
    return {"effect": case.back(value), "lower": case.back(value - half), "upper": case.back(value + half)}


def latest(case: Case) -> str:
    """'the satellite shows 93.6 % (93.1 to 94.0), the office reports 54.1 %' in the last period."""
    value, low, high = (float(side[-1]) for side in (case.satellite, case.lower, case.upper))
    known = bool(np.isfinite([low, high]).all()) and high - low > 1e-9 * max(1.0, abs(value))
    ours = amount(value, case.unit)
    return say(
        "check.latest.in" if len(case) > 1 else "check.latest",
        satellite=say("check.latest.between", value=ours, lower=digits(low), upper=digits(high)) if known else ours,
        publisher=case.publisher,
        official=amount(float(case.official[-1]), case.unit),
        period=case.labels[-1],
    )


def because(case: Case) -> str:
    """The declared difference of definition, going on within a sentence."""
    words = case.differs.rstrip(" .")
    if case.own:
        words = say("check.definition.own", differs=words, publisher=case.publisher, counts=case.counts)
    return words[0].lower() + words[1:] if words[1:2].islower() or words[1:2] == " " else words


def beyond(case: Case) -> bool:
    """Whether every official value lies beyond the tolerance on the same side of the satellite's interval."""
    return bool((case.gap > case.margin).all() or (case.gap < -case.margin).all())


def slip(case: Case) -> Judgement | None:
    """Official values that are a known factor of the satellite's, in all years or in some."""
    ours, theirs = case.satellite, case.official
    if (ours <= 0).any() or (theirs <= 0).any():
        return None
    ratio = np.log(theirs / ours)
    for size, (units, near, spread) in SLIPS.items():
        for times in (size, 1 / size):
            hit = (np.abs(ratio - np.log(times)) < spread) & (np.abs(case.gap) > case.margin)
            rest = np.abs(ratio[~hit])
            if not hit.any() or abs(float(np.median(ratio[hit])) - np.log(times)) > near:
                continue
            if not hit.all() and (size < 10 or len(rest) < FEWEST or (rest > np.log(3)).any()):
                continue
            if size < 10 and (case.differs or len(ratio) < ALL_BEYOND):
                continue
            return slipped(case, hit, times, units)
    return None


def slipped(case: Case, hit: np.ndarray, times: float, units: str) -> Judgement:
    """The words for a factor, and what remains once it is taken out."""
    when = span([label for label, h in zip(case.labels, hit, strict=True) if h])
    size = f"{times:,.5g}" if times >= 1 else f"1/{1 / times:,.5g}"
    repaired = np.where(hit, case.official / times, case.official)
    after = level(replace(case, official=repaired))
    key = "check.slip.times" if times >= 1 else "check.slip.part"
    clause = say(key, publisher=case.publisher, factor=size, when=when)
    which = say(units) if times >= 1 else say("check.slip.reverse", units=say(units))
    reason = say("check.slip.reason", factor=size, when=when, units=which)
    evidence = {"factor": times, "n_factor": float(hit.sum())}
    touched = [label for label, h in zip(case.labels, hit, strict=True) if h]
    said = cause("unit", reason, since=touched[0], until=touched[-1], evidence=evidence)
    return Judgement(DEFECT, clause, (reason, say("check.slip.after", verdict=named(after))), evidence, (said,))


def named(found: Judgement) -> str:
    """A verdict as it stands within a sentence."""
    return say(f"check.verdict.{found.verdict}")


def direction(case: Case) -> Judgement | None:
    """One rises and one falls, both significantly, by half the tolerance; unseen ground cannot explain it."""
    both = case.trends
    if both is None or both[0].direction * both[1].direction != -1 or not moving_apart(case) or hidden(case):
        return None
    satellite, official = both
    clause = say(
        "check.direction",
        satellite=moves(satellite, case),
        publisher=case.publisher,
        official=moves(official, case, len(case.knots)),
    )
    reason = say("check.direction.reason", satellite=pace(satellite, case), official=pace(official, case))
    apart_by = case.drifting
    ends = {name: case.back(10 * getattr(apart_by, name)) for name in ("lower", "upper")}
    size = {"effect": case.back(10 * apart_by.slope), "p": apart_by.p, **ends}
    return Judgement(DIRECTION, clause, (reason,), causes=(cause("trend", reason, **size),))


def moves(side: Trend, case: Case, knots: int | None = None) -> str:
    """'rises by 0.5 percentage points a year (0.4 to 0.6)'; lines through a few `knots` have no such interval."""
    if knots is not None and knots < len(case):
        key = "check.rises.line" if side.slope > 0 else "check.falls.line"
        return say(key, size=apart(side.slope, case.unit, False), knots=knots)
    low, high = sorted((abs(side.lower), abs(side.upper)))
    key = "check.rises" if side.slope > 0 else "check.falls"
    return say(key, size=apart(side.slope, case.unit, False), lower=digits(low), upper=digits(high))


def pace(side: Trend, case: Case) -> str:
    """A slope with its sign."""
    return say("check.pace", sign="+" if side.slope > 0 else "-", size=apart(side.slope, case.unit, False))


def moving_apart(case: Case) -> bool:
    """Whether the two series move apart by at least half the tolerance over the years."""
    return abs(case.drifting.slope) * case.time >= case.margin / 2


def hidden(case: Case) -> bool:
    """Whether the satellite's interval is as wide as its own change over the years."""
    change = abs(case.trend(case.satellite).slope) * case.time
    return bool(np.median(case.upper - case.lower) >= change)


def sharp(case: Case) -> Judgement | None:
    """A jump that no straight line comes near: it can turn a trend, and is not one."""
    return step(case, SHARP)


def blunt(case: Case) -> Judgement | None:
    """A jump beside which a straight line is better, but not shown."""
    return step(case, np.inf)


def step(case: Case, sharpness: float = 1.0) -> Judgement | None:
    """The difference jumps by more than the tolerance at one time; no definition does that."""
    difference = case.difference
    if len(difference) < FEWEST_JUMP:
        return None
    found = case.jump
    before, after = difference[: found.at], difference[found.at :]
    if found.p >= CLEAR or abs(found.size) < case.margin or straighter(difference, found.at, sharpness):
        return None
    if not any(clear(part, case.margin) for part in (case.gap[: found.at], case.gap[found.at :])):
        return None
    year, (name, twins, side) = case.labels[found.at], jumper(case, found.at)
    reason = say("check.jump.reason", when=year, size=case.told(found.size), side=side)
    said = cause(name, reason, since=year, effect=case.back(found.size), p=found.p, twins=twins)
    return Judgement(
        LEVEL,
        say(
            "check.jump",
            publisher=case.publisher,
            size=case.told(found.size),
            when=year,
            before=case.told(mean(before).value),
            after=case.told(mean(after).value),
            side=side,
        ),
        (reason,),
        {"jump": case.back(found.size), "jump_at": float(case.years[found.at]), "p_jump": found.p},
        (said,),
    )


def straighter(values: Array, at: int, sharpness: float) -> bool:
    """Whether a step before `at` leaves more than `sharpness` times the squares that a straight line leaves."""
    line = np.polyval(np.polyfit(np.arange(len(values)), values, 1), np.arange(len(values)))
    level = np.r_[np.full(at, values[:at].mean()), np.full(len(values) - at, values[at:].mean())]
    return bool(((values - level) ** 2).sum() > sharpness * ((values - line) ** 2).sum())


def jumper(case: Case, at: int) -> tuple[str, tuple[str, ...], str]:
    """Which series moves at that time: the name of the cause, its twins, the words; both if both or none stand out."""
    moved = {}
    for name, side in (("satellite", case.satellite), ("official", case.official)):
        values = np.log(np.maximum(side, 1e-12)) if case.relative else side
        steps = np.abs(np.diff(values))
        usual = float(np.median(np.delete(steps, at - 1)))
        moved[name] = steps[at - 1] > max(4 * usual, case.margin / 2)
    if moved["satellite"] == moved["official"]:
        return "break", ("sensor",), say("check.jump.unknown")
    if moved["official"]:
        return "break", (), say("check.jump.official")
    return "sensor", (), say("check.jump.satellite")


def odd(case: Case) -> Judgement | None:
    """Single years that stand out by two tolerances, at most one in five."""
    difference = case.difference
    off = difference - np.median(difference)
    usual = 1.4826 * float(np.median(np.abs(off)))
    out = (np.abs(off) > max(2 * case.margin, 5 * usual)) & (np.abs(case.gap) > case.margin)
    if not out.any() or out.sum() > len(out) / 5:
        return None
    years = ", ".join(label for label, o in zip(case.labels, out, strict=True) if o)
    size, rest = case.told(float(off[out][0])), level(case.choose(~out))
    return Judgement(
        LEVEL,
        say("check.odd", years=years, publisher=case.publisher, size=size, verdict=named(rest)),
        (
            say("check.odd.reason", years=years, size=size),
            say("check.odd.rest", verdict=named(rest)),
            *rest.reasons,
        ),
        causes=(odd_year(case, out, size, float(off[out][0])), *rest.causes),
    )


def odd_year(case: Case, out: np.ndarray, size: str, off: float) -> dict[str, Any]:
    """The cause that single years stand out."""
    years = [label for label, o in zip(case.labels, out, strict=True) if o]
    words = say("check.odd.reason", years=", ".join(years), size=size)
    return cause("odd year", words, since=years[0], until=years[-1], effect=case.back(off))


def drift(case: Case) -> Judgement | None:
    """The difference grows steadily and ends, or began, beyond the tolerance."""
    if case.trends is None:
        return None
    found, sides = case.drifting, (case.gap[:FEWEST], case.gap[-FEWEST:])
    apart_by = found.slope * case.time
    beyond_it = max(abs(float(side.mean())) for side in sides) > case.margin
    if found.p >= CLEAR or abs(apart_by) < case.margin or not beyond_it:
        return None
    reason = say("check.drift.reason", size=case.told(10 * found.slope))
    evidence = {"drift": case.back(10 * found.slope), "p_drift": found.p}
    low, high = (case.back(10 * side) for side in (found.lower, found.upper))
    said = cause("trend", reason, effect=evidence["drift"], lower=low, upper=high, p=found.p)
    if case.differs:
        why = by_definition(case)
        return replace(why, reasons=(*why.reasons, reason), evidence=evidence, causes=(*why.causes, said))
    clause = say("check.drift", publisher=case.publisher, size=case.told(apart_by), equal=case.equal)
    return Judgement(LEVEL, clause, (reason,), evidence, (said,))


def clear(gap: Array, margin: float) -> bool:
    """Whether a mean gap is shown to be beyond the margin, at 5 % two-sided or by all of five values."""
    if len(gap) < FEWEST:
        return False
    found = mean(gap)
    one_side = bool((gap > margin).all() or (gap < -margin).all())
    return abs(found.value) - found.half95 > margin or (one_side and len(gap) >= ALL_BEYOND)


def level(case: Case) -> Judgement:
    """Shown equal within the tolerance (two one-sided tests), shown different, or neither."""
    found = case.bias
    usual = float(np.median(np.abs(case.difference)))
    words = {"publisher": case.publisher, "size": case.told(found.value), "equal": case.equal}
    if found.equivalent(case.margin) < 0.05 and usual <= case.margin:
        if not case.surely_equal(found.value, found.half90):
            return mistaken(case, found.value)
        ends = interval(case, found.value - found.half90, found.value + found.half90, 90)
        reason = say("check.agrees.reason", equal=case.equal, interval=ends)
        return Judgement(AGREES, say("check.agrees", interval=ends, **words), (reason,))
    ends = interval(case, found.value - found.half95, found.value + found.half95, 95)
    over = "more" if found.value > 0 else "less"
    if case.differs and (clear(case.gap, case.margin) or beyond(case)):
        return by_definition(case)
    if clear(case.gap, case.margin):
        reason = say(f"check.level.reason.{over}", size=case.told(found.value))
        said = cause("level", reason, twins=("definition",), **shift(case))
        return Judgement(LEVEL, say(f"check.level.{over}", interval=ends, **words), (reason,), causes=(said,))
    if found.equivalent(case.margin) < 0.05:
        reason = say("check.uneven.reason", interval=ends)
        return Judgement(NOT_SETTLED, say("check.uneven", **words), (reason,))
    reaches = abs(found.value) - found.half95 > case.margin
    reason = say("check.wide.inside" if reaches else "check.wide.reason", interval=ends)
    return Judgement(NOT_SETTLED, say(f"check.wide.{over}", **words), (reason,))


def mistaken(case: Case, value: float) -> Judgement:
    """Equal as published, but the map itself may err by more than the tolerance leaves."""
    words = {"publisher": case.publisher, "size": case.told(value), "equal": case.equal}
    over = "more" if value > 0 else "less"
    reason = say("check.wide.mistakes", size=case.told(case.mistakes), equal=case.equal)
    return Judgement(NOT_SETTLED, say(f"check.wide.{over}", **words), (reason,))


def interval(case: Case, low: float, high: float, percent: int) -> str:
    """An interval of the mean difference in words; 90 % is what two one-sided tests at 5 % ask of."""
    lower, upper = (case.back(end) * (100 if case.relative else 1) for end in (low, high))
    return say("check.interval", percent=percent, lower=digits(lower), upper=digits(upper))


def repeated(case: Case) -> tuple[str, ...]:
    """The longest run of four or more equal official values other than zero beside a satellite series that moves."""
    bends = np.flatnonzero(np.diff(case.official)) + 1
    run = max(np.split(np.arange(len(case)), bends), key=len)
    if len(run) < FEWEST_SAME or case.official[run[0]] == 0 or np.ptp(case.satellite[run]) == 0:
        return ()
    return tuple(case.labels[n] for n in run)


def remarks(case: Case, whole: Case, found: Judgement) -> list[str]:
    """What should be known beside the verdict."""
    said = []
    if case.differs and found.verdict != DEFINITION:
        yet = {AGREES: "check.declared.agrees", NOT_ENOUGH: "check.declared.part", NOT_SETTLED: "check.declared.part"}
        said.append(say(yet.get(found.verdict, "check.declared"), differs=case.differs.rstrip(" .")))
    both = whole.trends
    if both and found.verdict != DIRECTION and both[0].direction * both[1].direction == -1:
        key = "check.opposite.small"
        if hidden(whole):
            key = "check.opposite.hidden"
        elif moving_apart(whole):
            key = "check.opposite.first"
        said.append(say(key, satellite=pace(both[0], case), official=pace(both[1], case)))
    width = float(np.median(case.upper - case.lower))
    if width > 2 * case.tolerance and not case.relative:
        key = "check.unseen" if np.isfinite(width) else "check.unseen.limitless"
        said.append(say(key, size=apart(width, case.unit, False)))
    zeros = int(((case.satellite == 0) != (case.official == 0)).sum())
    if case.relative and zeros:
        said.append(say("check.zeros", n=zeros, of=len(case)))
    if same := repeated(whole):
        said.append(say("check.same", publisher=case.publisher, n=len(same), when=span(same)))
    if len(whole.knots) < len(whole):
        said.append(say("check.straight.knots", knots=len(whole.knots), n=len(whole)))
    if case.modelled:
        said.append(say("check.estimated"))
    return said
