"""Is an indicator on its way? The UN's assessment of progress, with the probability of each answer.

UN Statistics Division, "SDG progress assessment" (ratio of the actual to the required growth rate, and its cut
points), and the variant that Open SDG sites publish (sdg-build). Where the sources leave something open, the
rule is our own and says so.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import ArrayLike, NDArray

from geomon.errors import InputError

Floats = NDArray[np.float64]

MET, SUBSTANTIAL, FAIR, LIMITED, WORSE, UNKNOWN = (
    "target met",
    "substantial progress",
    "fair progress",
    "limited or no progress",
    "deterioration",
    "not enough data",
)
CLASSES = (MET, SUBSTANTIAL, FAIR, LIMITED, WORSE)
FIRST = 2015
"""Adoption of the goals."""
LEAST = 3
"""Years between the two values (our rule; Open SDG takes one)."""
STILL = 1e-6
"""A required growth rate below which the target is where the start was."""
DRAWS = 1000


@dataclass(frozen=True)
class Rules:
    """Cut points of an assessment, from the best class down."""

    ratio: tuple[float, float, float]
    """Of the actual to the required growth rate, with a target."""
    rate: tuple[float, float, float]
    """Of the growth rate a year in the desired direction, without one."""
    reached: tuple[tuple[bool, bool, bool], tuple[bool, bool, bool]]
    """Whether a value just at each cut point belongs to the class above it: for ratios, for rates."""


RULES = {
    "unsd": Rules((0.95, 0.5, -0.1), (0.01, 0.005, -0.01), ((False, True, True), (False, False, True))),
    "open-sdg": Rules((0.95, 0.6, 0.0), (0.015, 0.005, 0.0), ((True,) * 3, (True,) * 3)),
}


@dataclass(frozen=True)
class Progress:
    """The answer for one series."""

    grade: str
    """One of CLASSES, or UNKNOWN."""
    start: tuple[int, float] = (0, np.nan)
    """Year and value that it starts from."""
    latest: tuple[int, float] = (0, np.nan)
    rate: float = np.nan
    """Growth a year, as a share; in the desired direction where there is no target."""
    required: float = np.nan
    """Growth a year that reaches the target in its year."""
    ratio: float = np.nan
    """Actual to required; by differences where a value or target is not above zero (`linear`)."""
    linear: bool = False
    probability: Mapping[str, float] = field(default_factory=dict)
    """Of each class, if both values are drawn within their intervals; empty without standard errors."""
    why: str = ""
    """What is missing, if it is UNKNOWN."""


def assess(
    years: ArrayLike,
    values: ArrayLike,
    *,
    desired: str,
    target: float | None = None,
    target_year: int = 2030,
    se: ArrayLike | None = None,
    rules: str = "unsd",
    seed: int = 0,
) -> Progress:
    """Progress from 2015, or the first year after it, to the latest value.

    `years` and `values` (n,) may have gaps (NaN); a missing 2015 between two years is read off the line between them.
    `desired` is 'up' or 'down', `se` (n,) are standard errors. A series that starts at its target or beyond it
    has met it as long as it stays there, and got worse once it does not. InputError for unknown rules or directions,
    a target that is no number, or arrays of different lengths.
    """
    if rules not in RULES:
        raise InputError(f"There are no rules {rules!r}; there are {', '.join(map(repr, RULES))}.")
    if desired not in ("up", "down"):
        raise InputError(f"Progress needs a direction: desired='up' or 'down', not {desired!r}.")
    if target is not None and not np.isfinite(target):
        raise InputError(f"A target of {target:g} can not be reached. Give a number, or None for no target.")
    t, x = np.asarray(years, float), np.asarray(values, float)
    spread = np.zeros(x.shape) if se is None else np.asarray(se, float)
    if t.ndim != 1 or not t.shape == x.shape == spread.shape:
        shapes = f"{t.shape} years, {x.shape} values and {spread.shape} standard errors"
        raise InputError(f"There are {shapes}. Give one value, and one standard error or none at all, for each year.")
    known = np.isfinite(x) & np.isfinite(t)
    order = np.argsort(t[known], kind="stable")
    t, x, spread = t[known][order], x[known][order], spread[known][order]
    if len(t) < 2 or t[-1] < FIRST:
        return Progress(UNKNOWN, why=f"there are not two values of which the latest is from {FIRST} or later")
    t0 = float(FIRST) if t[0] <= FIRST else float(t[0])
    if t[-1] - t0 < LEAST:
        return Progress(UNKNOWN, why=f"{t0:.0f} to {t[-1]:.0f} are fewer than {LEAST} years")
    if target is not None and target_year <= t0:
        return Progress(UNKNOWN, why=f"the year of the target, {target_year}, is not after {t0:.0f}, the first")
    x0, s0 = float(np.interp(t0, t, x)), float(np.interp(t0, t, spread))
    if target is None and x0 == 0:
        return Progress(UNKNOWN, why=f"growth from zero, the value of {t0:.0f}, is undefined")
    one = graded(np.array([x0]), np.array([x[-1]]), t[-1] - t0, desired, target, target_year - t0, RULES[rules])
    odds: dict[str, float] = {}
    if se is not None and np.isfinite([s0, spread[-1]]).all():
        drawn = np.random.default_rng(seed).standard_normal((2, DRAWS))
        many = graded(
            x0 + s0 * drawn[0],
            x[-1] + spread[-1] * drawn[1],
            t[-1] - t0,
            desired,
            target,
            target_year - t0,
            RULES[rules],
        )
        odds = {grade: float(np.mean(many.grade == n)) for n, grade in enumerate(CLASSES)}
    return Progress(
        CLASSES[int(one.grade[0])],
        (int(t0), x0),
        (int(t[-1]), float(x[-1])),
        float(one.rate[0]),
        float(one.required[0]),
        float(one.ratio[0]),
        bool(one.linear[0]),
        odds,
    )


@dataclass(frozen=True)
class Graded:
    """Classes of many pairs of values."""

    grade: NDArray[np.int64]
    rate: Floats
    required: Floats
    ratio: Floats
    linear: NDArray[np.bool_]


def graded(x0: Floats, x: Floats, span: float, desired: str, target: float | None, left: float, rules: Rules) -> Graded:
    """The class of each pair of a first and a latest value `span` years apart; `left` years from first to target."""
    sign = 1.0 if desired == "up" else -1.0
    with np.errstate(invalid="ignore", divide="ignore", over="ignore"):
        rate = (x / x0) ** (1 / span) - 1
        if target is None:
            linear = ~((x0 > 0) & (x > 0))
            moved = sign * np.where(linear, by_differences(x0, x, span), rate)
            nothing = np.full(x.shape, np.nan)
            return Graded(below(moved, rules.rate, rules.reached[1]), moved, nothing, nothing, linear)
        linear = ~((x0 > 0) & (x > 0) & (target > 0))
        rate = np.where(linear, by_differences(x0, x, span), rate)
        required = np.where(linear, by_differences(x0, target, left), (target / x0) ** (1 / left) - 1)
        ratio = np.where(linear, (x - x0) / (target - x0) * left / span, rate / required)
        there = (sign * (x0 - target) >= 0) | (np.abs(required) < STILL)  # it started at the target or beyond it
        met = (sign * (x - target) >= 0) | (there & (sign * (x - x0) >= 0))
        grade = np.where(there, len(CLASSES) - 1, below(ratio, rules.ratio, rules.reached[0]))
        return Graded(np.where(met, 0, grade), rate, required, ratio, linear)


def by_differences(first: Floats, last: Floats | float, years: float) -> Floats:
    """Change a year as a share of the first value, whatever its sign; endless from zero."""
    return np.asarray((last - first) / (years * np.abs(first)))


def below(values: Floats, cuts: tuple[float, float, float], reached: tuple[bool, bool, bool]) -> NDArray[np.int64]:
    """1 for the best class to 4 for the worst; a cut point itself is in the class above where it is `reached`."""
    grade = np.full(values.shape, len(cuts) + 1)
    for n in range(len(cuts), 0, -1):
        cut = cuts[n - 1]
        there = np.isclose(values, cut, rtol=0, atol=1e-12)
        grade = np.where(np.where(there, reached[n - 1], values > cut), n, grade)
    return grade
