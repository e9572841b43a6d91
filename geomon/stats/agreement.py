"""Kernels for two short series of the same thing: agreement, equivalence, trends, jumps and knots."""

import functools
import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr, stdtr, stdtrit

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
        return float(stdtr(self.n - 1, -nearest))


def mean(values: Array) -> Mean:
    """The mean of at least two values in order of time; neighbours alike count as fewer from 8 values on."""
    n, free = len(values), float(len(values))
    if n >= 8:
        free = max(3.0, n * (1 - persistence(values)) / (1 + persistence(values)))
    spread = float(np.std(values, ddof=1))
    error = spread / math.sqrt(free) if spread > 1e-12 * max(1.0, float(np.abs(values).max())) else 0.0
    half95, half90 = (float(stdtrit(free - 1, q)) * error for q in (0.975, 0.95))
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
    i, j = every_two(len(values))
    if stretch is not None:
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
    return Trend(float(np.median(slopes)), float(lower), float(upper), float(2 * ndtr(-abs(z))))


@functools.cache
def every_two(n: int) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Positions of all pairs, the earlier first."""
    return np.triu_indices(n, k=1)


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
    return Jump(at, size, min(1.0, len(splits) * float(2 * stdtr(n - 2, -t))))


@dataclass(frozen=True, kw_only=True)
class Agreement:
    """How near one series is to another; shares are of the reference, NaN where nothing can be said."""

    bias: float
    """Mean of estimate minus reference."""
    relative: float
    """Sum of the differences over the sum of the reference."""
    mae: float
    rmse: float
    mape: float
    """Percent, over the reference values that are not 0."""
    smape: float
    """Percent of the mean of both sides."""
    r: float
    """Pearson's."""
    ccc: float
    """Lin's concordance, with moments over n (Lin 1989)."""
    lower: float
    """95 % interval of it, by Fisher's z."""
    upper: float


def agreement(estimate: Array, reference: Array) -> Agreement:
    """Difference and concordance of paired values; concordance needs five of them."""
    apart, size, total = estimate - reference, np.abs(reference), float(reference.sum())
    both = (np.abs(estimate) + size) / 2
    ccc, lower, upper, r = concordance(estimate, reference)
    return Agreement(
        bias=float(apart.mean()),
        relative=float(apart.sum()) / total if total else math.nan,
        mae=float(np.abs(apart).mean()),
        rmse=math.sqrt(float((apart**2).mean())),
        mape=percent(np.abs(apart), size),
        smape=percent(np.abs(apart), both),
        r=r,
        ccc=ccc,
        lower=lower,
        upper=upper,
    )


def percent(part: Array, whole: Array) -> float:
    """Mean of part over whole in percent, where there is a whole."""
    there = whole > 0
    return 100 * float((part[there] / whole[there]).mean()) if there.any() else math.nan


def concordance(a: Array, b: Array) -> tuple[float, float, float, float]:
    """Lin's coefficient, its 95 % interval, and Pearson's r; NaN below five pairs or where a side is constant."""
    n, x, y = len(a), a - a.mean(), b - b.mean()
    sa, sb, sab = (float(v) / n for v in (x @ x, y @ y, x @ y))
    if n < 5 or min(sa, sb) <= 1e-24 * max(1.0, float(np.abs(a).max()), float(np.abs(b).max())) ** 2 or sab == 0:
        return math.nan, math.nan, math.nan, math.nan
    shift = float(a.mean() - b.mean())
    ccc, r, u = 2 * sab / (sa + sb + shift**2), sab / math.sqrt(sa * sb), shift / (sa * sb) ** 0.25
    if abs(ccc) >= 1 - 1e-12:
        return ccc, ccc, ccc, r
    square = (
        (1 - r**2) * ccc**2 / ((1 - ccc**2) * r**2)
        + 2 * ccc**3 * (1 - ccc) * u**2 / (r * (1 - ccc**2) ** 2)
        - ccc**4 * u**4 / (2 * r**2 * (1 - ccc**2) ** 2)
    ) / (n - 2)
    reach = 1.959963984540054 * math.sqrt(max(square, 0.0))
    return ccc, math.tanh(math.atanh(ccc) - reach), math.tanh(math.atanh(ccc) + reach), r


def together(a: Array, b: Array) -> float:
    """Correlation of the changes from one period to the next; a common trend does not count. NaN if unknown."""
    x, y = (np.diff(side) - np.diff(side).mean() for side in (a, b))
    power = float(x @ x) * float(y @ y)
    return float(x @ y) / math.sqrt(power) if len(a) >= 5 and power > 0 else math.nan


def trends_agree(ours: float, theirs: float) -> str:
    """Two Mann-Kendall z in a word: agree_increase, agree_decrease, agree_no_trend, partial or conflict."""
    shown = [0 if abs(z) <= 1.96 else (1 if z > 0 else -1) for z in (ours, theirs)]
    if shown[0] == shown[1]:
        return {1: "agree_increase", -1: "agree_decrease", 0: "agree_no_trend"}[shown[0]]
    return "partial" if 0 in shown else "conflict"


@dataclass(frozen=True)
class Pettitt:
    """The likeliest change point by ranks: K, how many values lie before it, and the approximate p."""

    k: float
    at: int
    p: float


def pettitt(values: Array) -> Pettitt:
    """Pettitt's test for one change of the level (1979)."""
    n = len(values)
    ranks = np.sign(values[:, None] - values[None, :]).sum(1)
    sums = np.abs(np.cumsum(ranks))[:-1]
    at = int(sums.argmax())
    k = float(sums[at])
    return Pettitt(k, at + 1, min(1.0, 2 * math.exp(-6 * k**2 / (n**3 + n**2))))


@dataclass(frozen=True)
class SupF:
    """The largest F of a shift of the mean, how many values lie before it, and p by permutation."""

    f: float
    at: int
    p: float


def sup_f(values: Array, *, draws: int = 299) -> SupF:
    """The clearest shift of the mean outside the first and last 15 %, against orders drawn at random.

    Values alike in time are drawn in blocks of n^(1/3). The draws are the same each time.
    """
    n = len(values)
    spread = float(((values - values.mean()) ** 2).sum())
    if spread <= 1e-20 * max(1.0, float(np.abs(values).max())) ** 2:
        return SupF(0.0, 0, 1.0)
    block = max(2, round(n ** (1 / 3))) if persistence(values) > 0.2 else 1
    f = largest_f(np.vstack([values, values[orders(n, block, draws)]]))
    at = int(f[0].argmax())
    top = f.max(1)
    first = max(2, math.ceil(0.15 * n))
    return SupF(float(top[0]), first + at, float((top >= top[0] * (1 - 1e-9)).sum()) / len(top))


def largest_f(values: Array) -> Array:
    """F of every split of each row, (rows, splits)."""
    n = values.shape[1]
    first = max(2, math.ceil(0.15 * n))
    splits = np.arange(first, n - first + 1)
    centred = values - values.mean(1, keepdims=True)
    gain = np.cumsum(centred, 1)[:, splits - 1] ** 2 * n / (splits * (n - splits))
    left = (centred**2).sum(1, keepdims=True) - gain
    return np.asarray(gain / np.maximum(left, 1e-300) * (n - 2))


@functools.cache
def orders(n: int, block: int, draws: int) -> NDArray[np.intp]:
    """Random orders of n positions, (draws, n), in which runs of `block` neighbours stay together."""
    random = np.random.default_rng(n)
    found = np.empty((draws, n), np.intp)
    for row in found:
        start = int(random.integers(block))
        parts = np.split(np.arange(n), np.arange(start, n, block)[start == 0 :])
        row[:] = np.concatenate([parts[i] for i in random.permutation(len(parts))])
    return found


def knots(values: Array, years: Array) -> NDArray[np.intp]:
    """Positions where straight lines of at least four values bend or end; all positions if there is no such line.

    A line may be off by a thousandth of its steps, or by what rounding to the published decimals does.
    """
    n = len(values)
    if n < 4:
        return np.arange(n)
    step = next((10.0**-d for d in range(7) if np.abs(values - np.round(values, d)).max() <= 1e-9), 0.0)
    pace = np.diff(values) / np.diff(years)
    bend = np.abs(np.diff(pace)) * np.minimum(np.diff(years)[1:], np.diff(years)[:-1])
    moves = np.minimum(np.abs(np.diff(values))[1:], np.abs(np.diff(values))[:-1])
    near = np.maximum(1e-3 * moves, np.minimum(2.001 * step, moves / 20)) + 1e-9 * float(np.abs(values).max())
    flat = (bend <= near) & (moves > 1e-6 * float(np.abs(values).max()))
    inner = [i + 1 for i in range(n - 2) if flat[i] and ((i > 0 and flat[i - 1]) or (i < n - 3 and flat[i + 1]))]
    return np.setdiff1d(np.arange(n), inner)
