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

FEWEST = 3  # pairs for any statement on a level
FEWEST_TREND = 8  # years for a trend, and 70 % of those between the first and the last
ALL_BEYOND = 5  # pairs that, all beyond the tolerance on one side, show a difference: chance alone 1 in 32
FEWEST_JUMP = 6  # pairs for a jump: three on either side
CLEAR = 0.02  # p of a jump or drift of the difference; beside it, the size must count
SHARP = 0.6  # squares left by a step over those left by a line, for a step to go before directions
FLOOR = 1e-3  # of the other side: what a zero counts as where ratios are compared

# Official over satellite value: what was perhaps mistaken, how near the median must be and how far one year
# may be off (in logarithms).
SLIPS = {
    10.0: ("km2 for 1000 ha", 0.25, 0.35),
    100.0: ("hectares for km2, or percent for fractions", 0.25, 0.35),
    1000.0: ("single units for thousands", 0.25, 0.35),
    1e6: ("m2 for km2, or single units for millions", 0.25, 0.35),
    2.4710538: ("acres for hectares", 0.05, 0.15),
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
            "a tolerance in percent has no meaning for values below zero",
            ("unit: values below zero",),
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
    years = f"only {span(case.labels)} in common"
    clause = f"{latest(case)}; with {years} nothing can be said yet, {FEWEST} common periods are needed"
    return Judgement(NOT_ENOUGH, clause, (years,))


def by_definition(case: Case) -> Judgement:
    """They differ, and the declared difference of definition says why."""
    clause = f"{latest(case)}; they do not count the same thing: {because(case)}"
    counts = f"{case.publisher} counts: {case.counts}" if case.counts else ""
    return Judgement(DEFINITION, clause, (case.differs, *([counts] if counts else [])))


def latest(case: Case) -> str:
    """'the satellite shows 93.6 % (93.1 to 94.0), the office reports 54.1 %' in the last period."""
    last = case.pairs.iloc[-1]
    value, low, high = float(last.satellite), float(last.lower), float(last.upper)
    known = bool(np.isfinite([low, high]).all()) and high - low > 1e-9 * max(1.0, abs(value))
    between = f" ({digits(low)} to {digits(high)})" if known else ""
    return (
        f"the satellite shows {amount(value, case.unit)}{between}, "
        f"{case.publisher} reports {amount(float(last.official), case.unit)}"
        f"{f' in {last.time_period}' if len(case.pairs) > 1 else ''}"
    )


def because(case: Case) -> str:
    """The declared difference of definition, going on within a sentence."""
    words = case.differs.rstrip(" .") + (f" ({case.publisher}: {case.counts})" if case.own else "")
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
    words = f"{times:,.5g} times" if times >= 1 else f"1/{1 / times:,.5g} of"
    mistaken = "one unit had been written for another"
    repaired = np.where(hit, case.values("official") / times, case.values("official"))
    after = level(replace(case, pairs=case.pairs.assign(official=repaired)))
    clause = f"{case.publisher} reports {words} what the satellite shows in {when}, as if {mistaken}"
    which = units if times >= 1 else f"the reverse of {units}"
    reason = f"factor {words.split()[0]} in {when}, as if {mistaken} ({which})"
    evidence = {"factor": times, "n_factor": float(hit.sum())}
    return Judgement(LEVEL, clause, (reason, f"with the factor taken out: {after.verdict}"), evidence)


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
    clause = (
        f"the satellite series {moves(satellite, case)} while {case.publisher} {moves(official, case)}; "
        "which of the two is right cannot be told from them alone"
    )
    reason = f"opposite directions: satellite {pace(satellite, case)}, official {pace(official, case)}"
    return Judgement(DIRECTION, clause, (reason,))


def moves(side: Trend, case: Case) -> str:
    """'rises by 0.5 percentage points a year (0.4 to 0.6)'."""
    low, high = sorted((abs(side.lower), abs(side.upper)))
    verb = "rises" if side.slope > 0 else "falls"
    return f"{verb} by {apart(side.slope, case.unit, False)} a year ({digits(low)} to {digits(high)})"


def pace(side: Trend, case: Case) -> str:
    """A slope with its sign."""
    return f"{'+' if side.slope > 0 else '-'}{apart(side.slope, case.unit, False)} a year"


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
        f"the difference between the satellite series and {case.publisher} jumps by {case.told(found.size)} "
        f"in {year}: "
        f"{case.told(mean(before).value)} before, {case.told(mean(after).value)} since; {side}",
        (f"a break in {year}: the difference jumps by {case.told(found.size)}; {side}",),
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
        return "which of the two jumped cannot be told"
    if moved["official"]:
        return "it is the official series that jumps, as a change of method would make it"
    return "it is the satellite series that jumps, as a change of sensor or algorithm would make it"


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
        f"in {years} {case.publisher} and the satellite series are {size} further apart than usual; "
        f"the verdict for the other years is: {rest.verdict}",
        (f"odd years: {years} stands out by {size}", f"without it: {rest.verdict}", *rest.reasons),
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
    reason = (
        f"they drift apart by {case.told(10 * found.slope)} in ten years; numbers alone do not say which side drifts"
    )
    evidence = {"drift": case.back(10 * found.slope), "p_drift": found.p}
    if case.differs:
        why = by_definition(case)
        return replace(why, reasons=(*why.reasons, reason), evidence=evidence)
    clause = (
        f"the satellite series and {case.publisher} drift apart by {case.told(apart_by)} over the years, "
        f"more than the {case.equal} that count as equal"
    )
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
    if found.equivalent(case.margin) < 0.05 and usual <= case.margin:
        interval = ends(case, found.value, found.half90, 90)
        clause = (
            f"the satellite series and {case.publisher} agree: on average they are "
            f"{case.told(found.value)} apart ({interval}), inside the {case.equal} that count as equal"
        )
        return Judgement(AGREES, clause, (f"equal within {case.equal}: {interval}",))
    interval = ends(case, found.value, found.half95, 95)
    over = "more" if found.value > 0 else "less"
    if case.differs and (clear(case.gap, case.margin) or beyond(case)):
        return by_definition(case)
    if clear(case.gap, case.margin):
        clause = (
            f"the satellite shows on average {case.told(found.value)} {over} than {case.publisher} reports "
            f"({interval}), beyond the {case.equal} that count as equal"
        )
        reason = f"level: {case.told(found.value)} {over} by satellite; another definition would look the same"
        return Judgement(LEVEL, clause, (reason,))
    if found.equivalent(case.margin) < 0.05:
        clause = (
            f"on average the satellite series and {case.publisher} are only {case.told(found.value)} apart, "
            f"but in most periods by more than the {case.equal} that count as equal"
        )
        return Judgement(NOT_ENOUGH, clause, (f"equal on average, not period by period: {interval}",))
    clause = (
        f"on average the satellite shows {case.told(found.value)} {over} than {case.publisher} reports, "
        f"but the uncertainty is too wide to say whether they agree within {case.equal}"
    )
    return Judgement(NOT_ENOUGH, clause, (f"neither equal nor different is shown: {interval}",))


def ends(case: Case, value: float, half: float, percent: int) -> str:
    """An interval of the mean difference in words; 90 % is what two one-sided tests at 5 % ask of."""
    low, high = (case.back(value + side * half) * (100 if case.relative else 1) for side in (-1, 1))
    return f"{percent} % interval of the difference {digits(low)} to {digits(high)}"


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
        yet = "this alone does not explain what is seen"
        if found.verdict in (AGREES, NOT_ENOUGH):
            yet = "yet the figures agree" if found.verdict == AGREES else "that may be a part of it"
        said.append(f"the definitions differ as declared ({case.differs.rstrip(' .')}); {yet}")
    both = trends(whole)
    if both and found.verdict != DIRECTION and both[0].direction * both[1].direction == -1:
        why = "by less than half the tolerance"
        if hidden(whole):
            why = "the ground that was not seen could explain the satellite's"
        elif moving_apart(whole):
            why = "what is said first explains them"
        said.append(f"opposite directions ({pace(both[0], case)} and {pace(both[1], case)}), but {why}")
    width = float(np.median(case.values("upper") - case.values("lower")))
    if width > 2 * case.tolerance and not case.relative:
        told = f"by {apart(width, case.unit, False)}" if np.isfinite(width) else "without limit"
        said.append(f"the satellite's own interval is wide: what was not seen could move its value {told}")
    if straight(case):
        said.append("the official values lie on a straight line: they carry fewer observations than years")
    if case.pairs.nature.isin(["E", "M"]).any():
        said.append("some official values are themselves estimated or modelled (nature E or M)")
    return said


def straight(case: Case) -> bool:
    """Whether the official values of four or more equally spaced periods change by the same amount."""
    values, years = case.values("official"), case.values("year")
    if len(values) < 4 or np.ptp(np.diff(years)) > 0.01 or np.ptp(values) == 0:
        return False
    return bool((np.abs(np.diff(values, 2)) <= 1e-3 * np.abs(np.diff(values)).max()).all())
