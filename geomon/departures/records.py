"""What is compared, and what is found: numbers and names only, no words for a reader."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

NAMES = (
    "unit",
    "copied",
    "interpolated",
    "swap",
    "boundary",
    "level",
    "definition",
    "trend",
    "break",
    "sensor",
    "optimistic",
    "gap",
    "odd year",
)
"""Every departure that is known by name."""


@dataclass(frozen=True, kw_only=True)
class Allowance:
    """How far honest sides differ, in tolerances: standard deviations of what is constant, drifts, and scatters."""

    nation: float = 0.30
    """A constant difference of the whole country."""
    area: float = 0.33
    """A constant difference of one area beside the rest."""
    drift_nation: float = 0.15
    """Tolerances a decade."""
    drift_area: float = 0.25
    """Tolerances a decade."""


@dataclass(frozen=True, kw_only=True)
class Version:
    """The satellite values on another version of the boundaries, in the order of the panel's areas."""

    name: str
    since: float
    """The year from which this version is law."""
    satellite: Floats
    """(areas, years)"""


@dataclass(frozen=True, kw_only=True)
class Panel:
    """Satellite and official values of the smallest areas, in one unit, with all that is known beside them.

    Everything is (areas, years) unless it says otherwise, in the unit as published; NaN is missing.
    """

    areas: tuple[str, ...]
    parents: tuple[str, ...]
    """The province of each area, '' if none."""
    years: Floats
    """(years,) ascending, whole or not, gaps allowed."""
    satellite: Floats
    official: Floats
    tolerance: float
    """Difference that counts as equal: in the unit, or as a share of the official value if `relative`."""
    relative: bool = False
    fraction: bool = False
    """Values are parts of a whole (percent, shares), so that they cannot be larger than it."""
    lower: Floats | None = None
    """Ends of the satellite's interval; NaN where there is none, infinite where it has no limit."""
    upper: Floats | None = None
    unseen: Floats | None = None
    """Share of the area that was not observed, 0 to 1."""
    weights: Floats | None = None
    """(areas,) what a nation's or province's value weighs each area by; equal if None."""
    satellite_breaks: tuple[float, ...] = ()
    """Years (the first of the new) in which a sensor or algorithm is known to have changed."""
    official_breaks: tuple[float, ...] = ()
    """Years in which the publisher declared a change of method."""
    definition: str = ""
    """The declared difference of definition, '' if both count the same."""
    versions: tuple[Version, ...] = ()
    """Other boundaries on file: the official values may follow them, or may not."""
    neighbours: tuple[tuple[int, int], ...] | None = None
    """Pairs of areas that share a border; None if no geometry is known."""
    proxy: bool = False
    """The satellite measures something else in another unit, and the two were set to one scale by a fitted line:
    constants between them say nothing."""
    allowance: Allowance = field(default_factory=Allowance)


@dataclass(frozen=True, kw_only=True)
class Reason:
    """One departure that would explain what is seen. Sizes are satellite minus official, in tolerances
    (on log scale where the tolerance is relative)."""

    name: str
    """One of NAMES."""
    scope: str
    """'nation', 'province', 'area' or 'pair'."""
    areas: tuple[int, ...]
    """Positions of the areas that it touches."""
    since: float = np.nan
    """First and last year that it touches; NaN: all."""
    until: float = np.nan
    effect: float = np.nan
    """Its size: of a level or step the shift, of a drift the change a decade, of an exact screen NaN."""
    lower: float = np.nan
    upper: float = np.nan
    """95 % interval of the effect."""
    score: float = 0.0
    """Evidence, in log likelihood after the correction for what was tried; infinite for exact screens."""
    p: float = np.nan
    """After the correction for many tests."""
    twins: tuple[str, ...] = ()
    """Names that the numbers cannot tell from this one; always said together with it."""
    remark: bool = False
    """A description of the official series (straight lines), which by itself is no difference."""
    evidence: Mapping[str, float | str] = field(default_factory=dict)
    """Numbers and words behind it: 'factor', 'before', 'after', 'knots', 'jump_satellite', ..."""


@dataclass(frozen=True, kw_only=True)
class Level:
    """A mean difference, satellite minus official, in tolerances."""

    value: float
    lower: float
    upper: float
    """95 %."""
    lower90: float
    upper90: float
    n: float
    """How many independent years carry it."""
    p_equal: float
    """Two one-sided tests for a mean within one tolerance; small: it is."""


@dataclass(frozen=True, kw_only=True)
class Compared:
    """What a panel shows."""

    reasons: tuple[Reason, ...]
    """Ranked: the best first, one entry a name and place; those that are remarks too."""
    nation: Level
    provinces: Mapping[str, Level]
    districts: tuple[Level | None, ...]
    """None: too few common years."""
    years: int
    """Common years."""
    cannot_tell: Mapping[str, str] = field(default_factory=dict)
    """Name of a departure that could not be seen in these data if it were there -> why
    ('rounding', 'proxy', 'years', 'movement', 'single area', 'alike')."""
    noise: float = np.nan
    """Scatter of the difference of one area from year to year, in tolerances."""

    @property
    def first(self) -> Reason | None:
        """The best reason that is no remark."""
        return next((r for r in self.reasons if not r.remark), None)

    @property
    def gap(self) -> float:
        """How far the first reason is ahead of the second of another name; infinite if there is none."""
        told = [r for r in self.reasons if not r.remark and "beside" not in r.evidence]
        second = next((r for r in told if r.name != told[0].name), None) if told else None
        return told[0].score - second.score if second and np.isfinite(told[0].score) else np.inf
