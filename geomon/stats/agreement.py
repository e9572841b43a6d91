"""Kernels for two short series of the same thing: equivalence, trends, and one jump in their difference."""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import stats

Array = NDArray[np.float64]
SHORTEST = 3  # years on either side of a jump


@dataclass(frozen=True)
class Mean:
    """A mean, how many independent values carry it, and the half widths of its intervals."""

    value: float
    n: float
    half95: float
    half90: float
    error: float
    """Standard error."""

    def equivalent(self, tolerance: float) -> float:
        """p of two one-sided tests for a mean within the tolerance; small: it is (Schuirmann 1987)."""
        if self.error == 0:
            return 0.0 if abs(self.value) < tolerance else 1.0
        nearest = (tolerance - abs(self.value)) / self.error
        return float(stats.t.sf(nearest, self.n - 1))


def mean(values: Array) -> Mean:
    """The mean of at least two values in order of time; neighbours alike count as fewer from 8 values on."""
    n, free = len(values), float(len(values))
    if n >= 8:
        free = max(3.0, n * (1 - persistence(values)) / (1 + persistence(values)))
    spread = float(np.std(values, ddof=1))
    error = spread / math.sqrt(free) if spread > 1e-12 * max(1.0, float(np.abs(values).max())) else 0.0
    half95, half90 = (float(stats.t.ppf(q, free - 1)) * error for q in (0.975, 0.95))
    return Mean(float(np.mean(values)), free, half95, half90, error)


def persistence(values: Array) -> float:
    """Correlation of neighbours in time, not below 0; 0 for a constant."""
    centred = values - values.mean()
    power = float(centred @ centred)
    return max(0.0, float(centred[1:] @ centred[:-1]) / power) if power > 0 else 0.0


@dataclass(frozen=True)
class Trend:
    """Theil-Sen slope a year with its 95 % interval, and Mann-Kendall's two-sided p."""

    slope: float
    lower: float
    upper: float
    p: float

    @property
    def direction(self) -> int:
        """1 up, -1 down, 0 not shown at 5 %."""
        return 0 if self.p >= 0.05 or self.slope == 0 else (1 if self.slope > 0 else -1)


def trend(values: Array, years: Array, stretch: Array | None = None) -> Trend:
    """The trend of at least 8 values, from pairs within one stretch only, so that no step between two counts.

    Scores and variances are summed over stretches, as over the seasons of Hirsch et al. (1982); ties are
    corrected for (Kendall 1975), the interval is Gilbert's (1987). Without stretches it is the ordinary
    one.
    """
    parts = np.zeros(len(values)) if stretch is None else stretch
    i, j = np.triu_indices(len(values), k=1)
    i, j = i[parts[i] == parts[j]], j[parts[i] == parts[j]]
    rises = values[j] - values[i]
    rises[np.abs(rises) <= 1e-12 * max(1.0, float(np.abs(values).max()))] = 0.0
    score = float(np.sign(rises).sum())
    variance = sum(kendall_variance(values[parts == part]) for part in np.unique(parts))
    if variance <= 0:
        return Trend(0.0, 0.0, 0.0, 1.0)
    slopes = np.sort(rises / (years[j] - years[i]))
    z = (score - np.sign(score)) / math.sqrt(variance)
    reach = 1.959963984540054 * math.sqrt(variance)
    ranks = np.array([(len(slopes) - reach) / 2 - 1, (len(slopes) + reach) / 2])
    lower, upper = np.interp(ranks, np.arange(len(slopes)), slopes)
    return Trend(float(np.median(slopes)), float(lower), float(upper), float(2 * stats.norm.sf(abs(z))))


def kendall_variance(values: Array) -> float:
    """Variance of Kendall's score of one stretch under no trend, with ties."""
    n, ties = len(values), np.unique(values, return_counts=True)[1]
    return (n * (n - 1) * (2 * n + 5) - float((ties * (ties - 1) * (2 * ties + 5)).sum())) / 18


@dataclass(frozen=True)
class Jump:
    """A shift of the mean before one position, and p after correction for the positions that were tried."""

    at: int
    size: float
    p: float


def jump(values: Array) -> Jump:
    """The clearest shift of the mean in at least 6 values.

    p is that of the two-sample t test at the best position times the number of positions (Bonferroni); the
    largest of several F is not distributed as F.
    """
    n = len(values)
    splits = np.arange(SHORTEST, n - SHORTEST + 1)
    before = np.cumsum(values)[splits - 1]
    shift = (values.sum() - before) / (n - splits) - before / splits
    gain = shift**2 * splits * (n - splits) / n  # what one split takes off the sum of squares
    best = int(gain.argmax())
    at, size = int(splits[best]), float(shift[best])
    left = float(((values - values.mean()) ** 2).sum() - gain[best])
    if left <= 1e-18 * float((values**2).sum()):
        return Jump(at, size, 1.0 if size == 0 else 0.0)
    t = math.sqrt(gain[best] / (left / (n - 2)))
    return Jump(at, size, min(1.0, len(splits) * float(2 * stats.t.sf(t, n - 2))))
