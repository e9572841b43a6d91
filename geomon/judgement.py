"""The rules of the check on common periods: what two series of one area, in one unit, say about each other.

Their order and thresholds are explained in docs/decisions/0002-order-of-the-check.md. Everything is judged
on the scale of the declared tolerance: differences as they are, or of logarithms where the tolerance is
relative.
"""

from collections.abc import Callable
from dataclasses import dataclass, field, replace

import numpy as np
import pandas as pd

from geomon.finding import (
    AGREES,
    DEFINITION,
    DIRECTION,
    LEVEL,
    NOT_COMPARABLE,
    NOT_ENOUGH,
    amount,
    apart,
    digits,
    span,
)
from geomon.stats.agreement import Array, Trend, jump, mean, trend
from geomon.texts import say

FEWEST = 3  # pairs for any statement on a level
FEWEST_TREND = 8  # years for a trend, and 70 % of those between the first and the last
ALL_BEYOND = 5  # pairs that, all beyond the tolerance on one side, show a difference: chance alone 1 in 32
FEWEST_JUMP = 6  # pairs for a jump: three on either side
CLEAR = 0.02  # p of a jump or drift of the difference; beside it, the size must count
SHARP = 0.6  # squares left by a step over those left by a line, for a step to go before directions
FLOOR = 1e-3  # of the other side: what a zero counts as where ratios are compared

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
class Case:
    """What is judged: common periods in order of time, and what was declared about the two series."""

    pairs: pd.DataFrame
    """time_period, year, satellite, lower, upper (infinite: no limit), official, nature, and stretch: how
    many known breaks lie before."""
    unit: str
    publisher: str
    tolerance: float
    relative: bool = False
    differs: str = ""
    """How the definitions differ; empty if both count the same."""
    counts: str = ""
    """What the official series counts, in a phrase."""
    own: bool = False
    """Whether that phrase is the publisher's own."""

    @property
    def margin(self) -> float:
        """The tolerance on the scale of the differences."""
        return float(np.log1p(self.tolerance)) if self.relative else self.tolerance

    def difference(self, which: str = "satellite") -> Array:
        """The satellite's value, or one of its bounds, minus the official value, on that scale."""
        ours, theirs = self.values(which), self.values("official")
        if not self.relative:
            return ours - theirs
        with np.errstate(divide="ignore", invalid="ignore"):
            apart = np.log(np.maximum(ours, FLOOR * theirs)) - np.log(np.maximum(theirs, FLOOR * ours))
        return np.where((ours == 0) & (theirs == 0), 0.0, np.where(np.isposinf(ours), np.inf, apart))

    def values(self, which: str) -> Array:
        """A column as numbers."""
        return self.pairs[which].to_numpy(dtype="float64")

    @property
    def stretch(self) -> Array:
        """The stretch of each period between known breaks."""
        return self.values("stretch") if "stretch" in self.pairs else np.zeros(len(self.pairs))

    @property
    def time(self) -> float:
        """Years from the first to the last period of each stretch, together."""
        years, parts = self.values("year"), self.stretch
        return float(sum(np.ptp(years[parts == part]) for part in np.unique(parts)))

    @property
    def gap(self) -> Array:
        """How far the official value lies outside the satellite's interval; 0 inside, negative above it."""
        return np.maximum(self.difference("lower"), 0.0) + np.minimum(self.difference("upper"), 0.0)

    @property
    def labels(self) -> list[str]:
        """The periods."""
        return [str(label) for label in self.pairs.time_period]

    def back(self, difference: float) -> float:
        """A difference on the scale as it is told: in the unit, or as a share of the official value."""
        return float(np.expm1(difference)) if self.relative else difference

    def told(self, difference: float) -> str:
        """The size of a difference on the scale, in words."""
        return apart(self.back(difference), self.unit, self.relative)

    @property
    def equal(self) -> str:
        """The tolerance in words."""
        return apart(self.tolerance, self.unit, self.relative)

    def trend(self, values: Array) -> Trend:
        """The trend of values a year, within stretches."""
        return trend(values, self.values("year"), self.stretch)

    def choose(self, keep: np.ndarray) -> "Case":
        """The same with some of its periods."""
        return replace(self, pairs=self.pairs[keep].reset_index(drop=True))


@dataclass(frozen=True)
class Judgement:
    """A verdict, the part of the sentence that gives it, its reasons in order, and its numbers."""

    verdict: str
    clause: str
    reasons: tuple[str, ...] = ()
    evidence: dict[str, float] = field(default_factory=dict)


def judge(case: Case, whole: Case | None = None) -> Judgement:
    """The first rule that has something to say, with what else should be known.

    `case` lies between two known breaks; `whole`, if there is more, has all stretches, for directions
    within each.
    """
    whole = whole or case
    if case.relative and (case.pairs[["satellite", "official"]] < 0).any(axis=None):
        return Judgement(
            NOT_COMPARABLE,
            say("check.negative"),
            (say("check.negative.reason"),),
        )
    found = few(case) if len(case.pairs) < FEWEST else first(case, whole)
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
    return Judgement(DEFINITION, clause, (case.differs, *([counts] if counts else [])))


def latest(case: Case) -> str:
    """'the satellite shows 93.6 % (93.1 to 94.0), the office reports 54.1 %' in the last period."""
    last = case.pairs.iloc[-1]
    value, low, high = float(last.satellite), float(last.lower), float(last.upper)
    known = bool(np.isfinite([low, high]).all()) and high - low > 1e-9 * max(1.0, abs(value))
    ours = amount(value, case.unit)
    return say(
        "check.latest.in" if len(case.pairs) > 1 else "check.latest",
        satellite=say("check.latest.between", value=ours, lower=digits(low), upper=digits(high)) if known else ours,
        publisher=case.publisher,
        official=amount(float(last.official), case.unit),
        period=last.time_period,
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
    ours, theirs = case.values("satellite"), case.values("official")
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
    repaired = np.where(hit, case.values("official") / times, case.values("official"))
    after = level(replace(case, pairs=case.pairs.assign(official=repaired)))
    key = "check.slip.times" if times >= 1 else "check.slip.part"
    clause = say(key, publisher=case.publisher, factor=size, when=when)
    which = say(units) if times >= 1 else say("check.slip.reverse", units=say(units))
    reason = say("check.slip.reason", factor=size, when=when, units=which)
    evidence = {"factor": times, "n_factor": float(hit.sum())}
    return Judgement(LEVEL, clause, (reason, say("check.slip.after", verdict=named(after))), evidence)


def named(found: Judgement) -> str:
    """A verdict as it stands within a sentence."""
    return say(f"check.verdict.{found.verdict}")


def trends(case: Case) -> tuple[Trend, Trend] | None:
    """Both trends in the output's unit a year, where there are enough years."""
    years = case.values("year")
    window = years[-1] - years[0] + 1
    if len(years) < FEWEST_TREND or len(years) < 0.7 * window:
        return None
    return case.trend(case.values("satellite")), case.trend(case.values("official"))


def direction(case: Case) -> Judgement | None:
    """One rises and one falls, both significantly, by half the tolerance; unseen ground cannot explain it."""
    both = trends(case)
    if both is None or both[0].direction * both[1].direction != -1 or not moving_apart(case) or hidden(case):
        return None
    satellite, official = both
    clause = say(
        "check.direction",
        satellite=moves(satellite, case),
        publisher=case.publisher,
        official=moves(official, case),
    )
    reason = say("check.direction.reason", satellite=pace(satellite, case), official=pace(official, case))
    return Judgement(DIRECTION, clause, (reason,))


def moves(side: Trend, case: Case) -> str:
    """'rises by 0.5 percentage points a year (0.4 to 0.6)'."""
    low, high = sorted((abs(side.lower), abs(side.upper)))
    key = "check.rises" if side.slope > 0 else "check.falls"
    return say(key, size=apart(side.slope, case.unit, False), lower=digits(low), upper=digits(high))


def pace(side: Trend, case: Case) -> str:
    """A slope with its sign."""
    return say("check.pace", sign="+" if side.slope > 0 else "-", size=apart(side.slope, case.unit, False))


def moving_apart(case: Case) -> bool:
    """Whether the two series move apart by at least half the tolerance over the years."""
    return abs(case.trend(case.difference()).slope) * case.time >= case.margin / 2


def hidden(case: Case) -> bool:
    """Whether the satellite's interval is as wide as its own change over the years."""
    change = abs(case.trend(case.values("satellite")).slope) * case.time
    return bool(np.median(case.values("upper") - case.values("lower")) >= change)


def sharp(case: Case) -> Judgement | None:
    """A jump that no straight line comes near: it can turn a trend, and is not one."""
    return step(case, SHARP)


def blunt(case: Case) -> Judgement | None:
    """A jump beside which a straight line is better, but not shown."""
    return step(case, np.inf)


def step(case: Case, sharpness: float = 1.0) -> Judgement | None:
    """The difference jumps by more than the tolerance at one time; no definition does that."""
    difference = case.difference()
    if len(difference) < FEWEST_JUMP:
        return None
    found = jump(difference)
    before, after = difference[: found.at], difference[found.at :]
    if found.p >= CLEAR or abs(found.size) < case.margin or straighter(difference, found.at, sharpness):
        return None
    if not any(clear(part, case.margin) for part in (case.gap[: found.at], case.gap[found.at :])):
        return None
    year, side = case.labels[found.at], jumper(case, found.at)
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
        (say("check.jump.reason", when=year, size=case.told(found.size), side=side),),
        {"jump": case.back(found.size), "jump_at": float(case.values("year")[found.at]), "p_jump": found.p},
    )


def straighter(values: Array, at: int, sharpness: float) -> bool:
    """Whether a step before `at` leaves more than `sharpness` times the squares that a straight line leaves."""
    line = np.polyval(np.polyfit(np.arange(len(values)), values, 1), np.arange(len(values)))
    level = np.r_[np.full(at, values[:at].mean()), np.full(len(values) - at, values[at:].mean())]
    return bool(((values - level) ** 2).sum() > sharpness * ((values - line) ** 2).sum())


def jumper(case: Case, at: int) -> str:
    """Which series moves at that time, in words; neither if both or none stand out."""
    moved = {}
    for name in ("satellite", "official"):
        values = np.log(np.maximum(case.values(name), 1e-12)) if case.relative else case.values(name)
        steps = np.abs(np.diff(values))
        usual = float(np.median(np.delete(steps, at - 1)))
        moved[name] = steps[at - 1] > max(4 * usual, case.margin / 2)
    if moved["satellite"] == moved["official"]:
        return say("check.jump.unknown")
    if moved["official"]:
        return say("check.jump.official")
    return say("check.jump.satellite")


def odd(case: Case) -> Judgement | None:
    """Single years that stand out by two tolerances, at most one in five."""
    difference = case.difference()
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
    )


def drift(case: Case) -> Judgement | None:
    """The difference grows steadily and ends, or began, beyond the tolerance."""
    if trends(case) is None:
        return None
    found, sides = case.trend(case.difference()), (case.gap[:FEWEST], case.gap[-FEWEST:])
    apart_by = found.slope * case.time
    beyond_it = max(abs(float(side.mean())) for side in sides) > case.margin
    if found.p >= CLEAR or abs(apart_by) < case.margin or not beyond_it:
        return None
    reason = say("check.drift.reason", size=case.told(10 * found.slope))
    evidence = {"drift": case.back(10 * found.slope), "p_drift": found.p}
    if case.differs:
        why = by_definition(case)
        return replace(why, reasons=(*why.reasons, reason), evidence=evidence)
    clause = say("check.drift", publisher=case.publisher, size=case.told(apart_by), equal=case.equal)
    return Judgement(LEVEL, clause, (reason,), evidence)


def clear(gap: Array, margin: float) -> bool:
    """Whether a mean gap is shown to be beyond the margin, at 5 % two-sided or by all of five values."""
    if len(gap) < FEWEST:
        return False
    found = mean(gap)
    one_side = bool((gap > margin).all() or (gap < -margin).all())
    return abs(found.value) - found.half95 > margin or (one_side and len(gap) >= ALL_BEYOND)


def level(case: Case) -> Judgement:
    """Shown equal within the tolerance (two one-sided tests), shown different, or neither."""
    found = mean(case.difference())
    usual = float(np.median(np.abs(case.difference())))
    words = {"publisher": case.publisher, "size": case.told(found.value), "equal": case.equal}
    if found.equivalent(case.margin) < 0.05 and usual <= case.margin:
        interval = ends(case, found.value, found.half90, 90)
        reason = say("check.agrees.reason", equal=case.equal, interval=interval)
        return Judgement(AGREES, say("check.agrees", interval=interval, **words), (reason,))
    interval = ends(case, found.value, found.half95, 95)
    over = "more" if found.value > 0 else "less"
    if case.differs and (clear(case.gap, case.margin) or beyond(case)):
        return by_definition(case)
    if clear(case.gap, case.margin):
        reason = say(f"check.level.reason.{over}", size=case.told(found.value))
        return Judgement(LEVEL, say(f"check.level.{over}", interval=interval, **words), (reason,))
    if found.equivalent(case.margin) < 0.05:
        reason = say("check.uneven.reason", interval=interval)
        return Judgement(NOT_ENOUGH, say("check.uneven", **words), (reason,))
    return Judgement(NOT_ENOUGH, say(f"check.wide.{over}", **words), (say("check.wide.reason", interval=interval),))


def ends(case: Case, value: float, half: float, percent: int) -> str:
    """An interval of the mean difference in words; 90 % is what two one-sided tests at 5 % ask of."""
    low, high = (case.back(value + side * half) * (100 if case.relative else 1) for side in (-1, 1))
    return say("check.interval", percent=percent, lower=digits(low), upper=digits(high))


def numbers(case: Case, whole: Case) -> dict[str, float]:
    """The evidence that every judgement carries."""
    n = len(case.pairs)
    found = {"n": float(n), "tolerance": case.tolerance, "relative": float(case.relative)}
    if n >= FEWEST:
        bias = mean(case.difference())
        found |= {
            "bias": case.back(bias.value),
            "lower": case.back(bias.value - bias.half95),
            "upper": case.back(bias.value + bias.half95),
            "p_equal": bias.equivalent(case.margin),
            "n_independent": bias.n,
        }
    for name, side in zip(("satellite", "official"), trends(whole) or (), strict=False):
        found |= {
            f"slope_{name}": side.slope,
            f"slope_{name}_lower": side.lower,
            f"slope_{name}_upper": side.upper,
            f"p_slope_{name}": side.p,
        }
    return found


def remarks(case: Case, whole: Case, found: Judgement) -> list[str]:
    """What should be known beside the verdict."""
    said = []
    if case.differs and found.verdict != DEFINITION:
        yet = {AGREES: "check.declared.agrees", NOT_ENOUGH: "check.declared.part"}
        said.append(say(yet.get(found.verdict, "check.declared"), differs=case.differs.rstrip(" .")))
    both = trends(whole)
    if both and found.verdict != DIRECTION and both[0].direction * both[1].direction == -1:
        key = "check.opposite.small"
        if hidden(whole):
            key = "check.opposite.hidden"
        elif moving_apart(whole):
            key = "check.opposite.first"
        said.append(say(key, satellite=pace(both[0], case), official=pace(both[1], case)))
    width = float(np.median(case.values("upper") - case.values("lower")))
    if width > 2 * case.tolerance and not case.relative:
        key = "check.unseen" if np.isfinite(width) else "check.unseen.limitless"
        said.append(say(key, size=apart(width, case.unit, False)))
    if straight(case):
        said.append(say("check.straight"))
    if case.pairs.nature.isin(["E", "M"]).any():
        said.append(say("check.estimated"))
    return said


def straight(case: Case) -> bool:
    """Whether the official values of four or more equally spaced periods change by the same amount."""
    values, years = case.values("official"), case.values("year")
    if len(values) < 4 or np.ptp(np.diff(years)) > 0.01 or np.ptp(values) == 0:
        return False
    return bool((np.abs(np.diff(values, 2)) <= 1e-3 * np.abs(np.diff(values)).max()).all())
