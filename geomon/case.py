"""One area beside one publisher as arrays: the common periods on the scale of the tolerance, and their numbers."""

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from geomon.finding import apart
from geomon.stats.agreement import (
    Array,
    Jump,
    Mean,
    Trend,
    agreement,
    jump,
    knots,
    mean,
    pettitt,
    sup_f,
    together,
    trend,
)

FEWEST = 3  # pairs for any statement on a level
FEWEST_TREND = 8  # years for a trend, and 70 % of those between the first and the last
Z90, Z95 = 1.6449, 1.96  # halves of normal intervals, in standard errors
FLOOR = 1e-3  # of the other side: what a zero counts as where ratios are compared


@dataclass(frozen=True, kw_only=True)
class Case:
    """What is judged: common periods in order of time, and what was declared about the two series."""

    labels: tuple[str, ...]
    years: Array
    satellite: Array
    lower: Array
    """Ends of the satellite's interval; infinite: no limit."""
    upper: Array
    official: Array
    stretch: Array
    """How many known breaks lie before each period; -1: one falls into it."""
    sampled: NDArray[np.bool_] | None = None
    """Whether each interval holds errors of the map, which no number of years averages out; None: none does."""
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
    modelled: bool = False
    """Whether the publisher says of some values that they are estimated or modelled."""

    def __len__(self) -> int:
        return len(self.years)

    @property
    def calendar(self) -> int:
        """How many calendar years the periods begin in: twelve months are one."""
        return len(set(np.floor(self.years + 1e-6).tolist()))

    @property
    def margin(self) -> float:
        """The tolerance on the scale of the differences."""
        return float(np.log1p(self.tolerance)) if self.relative else self.tolerance

    @cached_property
    def difference(self) -> Array:
        """Satellite minus official, on that scale."""
        return self.against(self.satellite)

    def against(self, ours: Array) -> Array:
        """The satellite's values, or one of its bounds, minus the official values, on that scale."""
        theirs = self.official
        if not self.relative:
            return ours - theirs
        with np.errstate(divide="ignore", invalid="ignore"):
            apart = np.log(np.maximum(ours, FLOOR * theirs)) - np.log(np.maximum(theirs, FLOOR * ours))
        return np.where((ours == 0) & (theirs == 0), 0.0, np.where(np.isposinf(ours), np.inf, apart))

    def floored(self, one: Array, other: Array) -> Array:
        """One side's values with a zero as a thousandth of the other side's, where ratios are compared."""
        return np.maximum(one, FLOOR * other) if self.relative else one

    @cached_property
    def gap(self) -> Array:
        """How far the official value lies outside the satellite's interval; 0 inside, negative above it."""
        return np.maximum(self.against(self.lower), 0.0) + np.minimum(self.against(self.upper), 0.0)

    @cached_property
    def mistakes(self) -> float:
        """Half of the 95 % interval that errors of the map leave to the mean, on the scale: they last all years."""
        if self.sampled is None or not self.sampled.any():
            return 0.0
        half = (self.against(self.upper) - self.against(self.lower))[self.sampled] / 2
        return float(np.median(half))

    def surely_equal(self, value: float, half90: float) -> bool:
        """Whether a mean shown to lie within the tolerance stays there with the errors of the map added to it."""
        return abs(value) + float(np.hypot(half90, Z90 / Z95 * self.mistakes)) < self.margin

    @property
    def time(self) -> float:
        """Years from the first to the last period of each stretch, together."""
        return float(sum(np.ptp(self.years[self.stretch == part]) for part in np.unique(self.stretch)))

    @cached_property
    def whole(self) -> bool:
        """Whether no known break lies among the periods."""
        return bool((self.stretch == self.stretch[0]).all())

    @cached_property
    def bias(self) -> Mean:
        """The mean difference."""
        return mean(self.difference)

    @cached_property
    def trends(self) -> tuple[Trend, Trend] | None:
        """Both trends in the output's unit a year, where there are enough years."""
        window = self.years[-1] - self.years[0] + 1
        if self.calendar < FEWEST_TREND or len(self) < 0.7 * window:
            return None
        return self.trend(self.satellite), self.trend(self.official)

    @cached_property
    def drifting(self) -> Trend:
        """The trend of the difference."""
        return self.trend(self.difference)

    @cached_property
    def jump(self) -> Jump:
        """The clearest shift of the difference; six periods are needed."""
        return jump(self.difference)

    def trend(self, values: Array) -> Trend:
        """The trend of values a year, within stretches."""
        return trend(values, self.years, None if self.whole else self.stretch)

    @cached_property
    def knots(self) -> np.ndarray:
        """The positions at which the official series bends; all, if it is not drawn as straight lines."""
        return knots(self.official, self.years)

    @property
    def noise(self) -> float:
        """Scatter of the difference from year to year, in tolerances; NaN below three periods."""
        if len(self) < FEWEST:
            return np.nan
        return float(1.4826 * np.median(np.abs(np.diff(self.difference))) / np.sqrt(2) / self.margin)

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

    def choose(self, keep: np.ndarray) -> "Case":
        """The same with some of its periods."""
        columns = ["years", "satellite", "lower", "upper", "official", "stretch"]
        columns += ["sampled"] if self.sampled is not None else []
        labels = tuple(label for label, kept in zip(self.labels, keep, strict=True) if kept)
        return replace(self, labels=labels, **{name: getattr(self, name)[keep] for name in columns})


def numbers(case: Case, whole: Case) -> dict[str, float]:
    """The evidence that every judgement carries; correlations say that two series move together, not why.

    Trends are of `whole`, across known breaks but within stretches; all else is of `case`.
    """
    found = {"n": float(len(case)), "tolerance": case.tolerance, "relative": float(case.relative)}
    if len(case) >= FEWEST:
        near, bias = agreement(case.satellite, case.official), case.bias
        found |= {
            "bias": case.back(bias.value),
            "lower": case.back(bias.value - bias.half95),
            "upper": case.back(bias.value + bias.half95),
            "p_equal": bias.equivalent(case.margin),
            "n_independent": bias.n,
            "mae": near.mae,
            "relative_difference": near.relative,
            "ccc": near.ccc,
            "ccc_lower": near.lower,
            "ccc_upper": near.upper,
            "correlation_of_changes": together(case.satellite, case.official),
            "noise": case.noise,
        }
    both = whole.trends
    if both is None:
        return found
    found["knots_official"] = float(len(whole.knots))
    for name, side in zip(("satellite", "official"), both, strict=True):
        found |= {
            f"slope_{name}": side.slope,
            f"slope_{name}_lower": side.lower,
            f"slope_{name}_upper": side.upper,
            f"p_slope_{name}": side.p,
        }
    if len(whole.knots) < len(whole):
        line = trend(whole.official[whole.knots], whole.years[whole.knots])
        found |= {
            "p_slope_official": line.p,
            "slope_official_lower": min(line.lower, both[1].slope),
            "slope_official_upper": max(line.upper, both[1].slope),
        }
    if len(case) >= FEWEST_TREND:
        for name, values in (("satellite", case.satellite), ("official", case.official)):
            ranks, means = pettitt(values), sup_f(values)
            found |= {
                f"pettitt_{name}": float(case.years[ranks.at]),
                f"p_pettitt_{name}": ranks.p,
                f"sup_f_{name}": float(case.years[means.at]),
                f"p_sup_f_{name}": means.p,
            }
    return found
