"""What a planted world is: the panel that a check sees, and the truth that it does not."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from geomon.departures.records import Panel

Floats = NDArray[np.float64]

PLANTS = (
    "level",
    "trend",
    "break",
    "unit",
    "swap",
    "interpolated",
    "boundary",
    "copied",
    "optimistic",
    "definition",
    "sensor",
    "gap",
)
"""What can be planted; 'none' plants nothing."""

NOISES = {"quiet": (0.1, 0.45), "noisy": (0.45, 1.0), "mixed": (0.1, 1.0)}
"""Standard deviation of one district's difference from year to year, in tolerances: drawn once a world."""


@dataclass(frozen=True, kw_only=True)
class Truth:
    """What was planted. Sizes are satellite minus official in tolerances, on log scale where the tolerance is relative:
    one tolerance up is a factor of 1 + tolerance."""

    plant: str
    """One of PLANTS, or 'none'."""
    scope: str = ""
    areas: tuple[int, ...] = ()
    since: float = np.nan
    """First and last year that it touches; NaN: from the beginning, to the end."""
    until: float = np.nan
    effect: float = np.nan
    """As `Reason.effect`: a shift, or for 'trend' the change a decade; NaN where a size has no single meaning."""
    with_honest: float = np.nan
    """The same with the honest departure of that place added, which a single pair of series cannot tell apart."""
    twins: tuple[str, ...] = ()
    """Names that no method could tell from it in this world."""
    visible: bool = True
    because: str = ""
    """Why no method can see it: 'rounding', 'proxy', 'alike' or 'noise'; '' if one can."""
    best: float = np.nan
    """Chance that the best possible test finds it; NaN where exact values show it and noise hides nothing."""
    nation: float = np.nan
    """True mean difference of the country over the common years, the plant in it: the weighted mean of its areas."""
    nation_value: float = np.nan
    """The same between the two national values; another number only where the tolerance is relative."""
    districts: tuple[float, ...] = ()
    """True mean difference of each area over the common years."""


@dataclass(frozen=True, kw_only=True)
class World:
    """What the check is shown, and what it should say."""

    seed: int
    noise: str
    kind: str
    panel: Panel
    truth: Truth
