"""What stands out: bright targets against their surroundings (CFAR), and the threshold between two classes (Otsu).

Arrays lie on a window of a lattice; NaN is unseen. Sums over the surroundings of a cell are added up in an order that
belongs to the lattice, without a difference of large sums: a cell gets the same bits in whatever window.
"""

from dataclasses import dataclass, replace
from functools import partial

import numba
import numpy as np
from numpy.typing import NDArray
from scipy import special

from geomon.errors import InputError
from geomon.grid import Floats, Window
from geomon.stats.coverage import Integers
from geomon.stats.threads import do_parts

Mask = NDArray[np.bool_]
Pair = tuple[int, int]

PFA = 1e-6  # false alarms per cell of clutter
GUARD, TRAINING = 25, 51  # cells: at 10 m, no ship reaches from the middle of the first into the second
BAND = 256  # rows at once


def alarm_factor(cells: Integers, pfa: float = PFA, looks: float = 1.0) -> Floats:
    """By what a cell must exceed the mean of so many cells of clutter, for a false-alarm rate.

    Clutter is gamma distributed power of so many independent looks: 1 is exponential, where the factor is
    N (pfa^(-1/N) - 1). Infinite for no cells. InputError for a rate that is none.
    """
    if not (0 < pfa < 1 and looks > 0):
        raise InputError(f"A false-alarm rate of {pfa:g} at {looks:g} looks was asked for: 0 < rate < 1, looks > 0.")
    n = np.maximum(np.asarray(cells, np.float64), 1.0)
    if looks == 1:
        factor = n * np.expm1(-np.log(pfa) / n)
    else:
        tail = special.betainccinv(looks, n * looks, pfa)
        factor = n * tail / (1 - tail)
    return np.where(np.asarray(cells) > 0, factor, np.inf)


def bright_targets(
    power: Floats,
    window: Window,
    within: Mask | None = None,
    *,
    pfa: float = PFA,
    looks: float = 1.0,
    sigmas: float | None = None,
    guard: int | Pair = GUARD,
    training: int | Pair = TRAINING,
    passes: int = 2,
    threads: int = 1,
) -> Floats:
    """1 where linear power stands out of its clutter by cell-averaging CFAR, 0 where not, NaN where none can tell.

    Clutter are the cells of the training rectangle outside the guard rectangle, of odd rows and columns (one number
    for both), that are seen and `within` (the sea). Each pass leaves out of it what the pass before found. The
    threshold is `alarm_factor` times the mean, for the number of cells that there are, so that the rate of false
    alarms holds along a coast too; or `sigmas` standard deviations above the mean, which holds for no rate.
    0 where a cell is not within; NaN where one is unseen, has no clutter, or is nearer to the edge of the array than
    the passes reach: the margin is passes x (training - 1) / 2 px. InputError for arrays that are not the window's, a
    mask that is not of booleans, rectangles that are none, and no pass.
    """
    if power.shape != window.shape:
        raise InputError(f"The power has the shape {power.shape}, its window {window.shape}.")
    if within is not None and (within.shape != window.shape or within.dtype != np.bool_):
        was = f"{within.dtype} {within.shape}"
        raise InputError(f"`within` is {was}. Give booleans of the window's shape, {window.shape}.")
    if passes < 1:
        raise InputError(f"{passes} passes were asked for. Give 1 or more.")
    power = np.asarray(power, np.float64)
    guard, training = rectangles(guard, training)
    seen = np.isfinite(power) if within is None else np.isfinite(power) & within
    factor = alarm_factor(np.arange(training[0] * training[1] + 1), pfa, looks)
    m, n = training[0] // 2, training[1] // 2
    found = np.where(seen if within is None else seen | ~within, 0.0, np.nan)

    def band(i: int, stop: int, counted: Mask) -> None:
        rows, columns = slice(i - m, stop + m), slice(n, power.shape[1] - n)
        part = replace(window, i0=window.i0 + i - m, i1=window.i0 + stop + m)
        mean, deviation, count = clutter(power[rows], part, counted[rows], guard, training, sigmas is not None)
        limit = factor[count] * mean if sigmas is None else mean + sigmas * deviation
        here = seen[i:stop, columns]
        bright = np.where(count > 0, power[i:stop, columns] > limit, np.nan)
        found[i:stop, columns] = np.where(here, bright, found[i:stop, columns])

    for _ in range(passes):
        counted = seen & (found != 1)
        if power.shape[1] > 2 * n:
            do_parts(partial(band, counted=counted), m, power.shape[0] - m, BAND, threads)
    out = np.full(power.shape, np.nan)
    part = inner(power.shape, passes * m, passes * n)
    out[part] = found[part]
    return out


def rectangles(guard: int | Pair, training: int | Pair) -> tuple[Pair, Pair]:
    """Both as rows and columns; InputError if one is even, or the guard is not inside the training rectangle."""
    g = (int(guard), int(guard)) if isinstance(guard, int | np.integer) else guard
    t = (int(training), int(training)) if isinstance(training, int | np.integer) else training
    if any(n < 1 or n % 2 == 0 for n in (*g, *t)) or g[0] > t[0] or g[1] > t[1] or g == t:
        raise InputError(f"Guard {g} and training {t}: give odd rows and columns, the guard inside the training cells.")
    return g, t


def inner(shape: tuple[int, ...], rows: int, columns: int) -> tuple[slice, slice]:
    """An array without so many rows and columns on each side; empty if they are more than it has."""
    return slice(rows, max(shape[0] - rows, rows)), slice(columns, max(shape[1] - columns, columns))


def clutter(
    power: Floats, window: Window, counted: Mask, guard: Pair, training: Pair, spread: bool = False
) -> tuple[Floats, Floats, Integers]:
    """Mean, standard deviation (NaN unless `spread`) and number of the counted cells around each cell.

    Of the cells whose training rectangle is inside the array: (training - 1) / 2 fewer on each side.
    """
    power = np.asarray(power, np.float64)  # squares of integers and of float32 would leave their range
    if counted.all():
        held, n = power, np.full((1, 1), training[0] * training[1] - guard[0] * guard[1], np.float64)
    else:
        held, n = np.where(counted, power, 0.0), ring_sums(counted.astype(np.float64), window, guard, training)
    with np.errstate(invalid="ignore", divide="ignore"):
        mean = ring_sums(held, window, guard, training) / n
        deviation = np.full((1, 1), np.nan)
        if spread:
            squares = ring_sums(held * held, window, guard, training) / n
            deviation = np.sqrt(np.maximum(squares - mean**2, 0.0))
    return mean, np.broadcast_to(deviation, mean.shape), np.broadcast_to(n.astype(np.int64), mean.shape)


def ring_sums(x: Floats, window: Window, guard: Pair, training: Pair) -> Floats:
    """Sums over the training rectangle without the guard around each cell that has it: of four rectangles."""
    (g, h), (t, u) = guard, training
    above, beside = (t - g) // 2, (u - h) // 2
    rows, columns = x.shape[0] - t + 1, x.shape[1] - u + 1
    out = np.zeros((rows, columns))
    if above:
        strip = sums_down(x, above, window.i0)
        out += sums_across(strip[:rows] + strip[above + g : above + g + rows], u, window.j0)
    if beside:
        strip = sums_across(sums_down(x[above : above + rows + g - 1], g, window.i0 + above), beside, window.j0)
        out += strip[:, :columns] + strip[:, beside + h : beside + h + columns]
    return out


@numba.njit(nogil=True, cache=True, error_model="numpy")
def sums_down(x: Floats, length: int, i0: int) -> Floats:
    """Sums of `length` rows from each row on: the end of one block of rows of the lattice and the start of the next.

    (The method of van Herk and of Gil and Werman: two additions for each cell, whatever the length, and nothing
    outside the `length` rows plays a role, as it does in running sums.)
    """
    height, width = x.shape
    out = np.empty((height - length + 1, width))
    ends, start = np.empty((length, width)), np.empty(width)
    for s in range(-(i0 % length), height - length + 1, length):
        ends[length - 1] = x[s + length - 1]
        for k in range(length - 2, max(-s, 0) - 1, -1):
            added(ends[k], ends[k + 1], x[s + k])
        start[:] = 0.0
        for k in range(min(length, height - length + 1 - s)):
            if k:
                added(start, start, x[s + k + length - 1])
            if s + k >= 0:
                added(out[s + k], ends[k], start)
    return out


@numba.njit(nogil=True, cache=True, error_model="numpy")
def added(out: Floats, a: Floats, b: Floats) -> None:
    """a + b."""
    for j in range(len(out)):
        out[j] = a[j] + b[j]


@numba.njit(nogil=True, cache=True, error_model="numpy")
def sums_across(x: Floats, length: int, j0: int) -> Floats:
    """The same along rows."""
    height, width = x.shape
    out = np.empty((height, width - length + 1))
    ends = np.empty(length)
    for i in range(height):
        for s in range(-(j0 % length), width - length + 1, length):
            total = 0.0
            for k in range(length - 1, max(-s, 0) - 1, -1):
                total += x[i, s + k]
                ends[k] = total
            start = 0.0
            for k in range(min(length, width - length + 1 - s)):
                if k:
                    start += x[i, s + k + length - 1]
                if s + k >= 0:
                    out[i, s + k] = ends[k] + start
    return out


@dataclass(frozen=True)
class Split:
    """Values parted into two classes."""

    first: int
    """The first bin of the upper class."""
    between: float
    """Between-class variance: w0 w1 (mean0 - mean1)^2."""


def histogram(x: Floats, bins: int = 256, percentiles: tuple[float, float] = (1, 99)) -> tuple[Integers, Floats]:
    """Counts and edges of equal bins between two percentiles of what was seen; values beyond them are in no bin.

    Counts of several blocks add up if they are made with `np.histogram` and one set of edges. InputError if there are
    not two values between the percentiles.
    """
    values = x[np.isfinite(x)]
    low, high = np.percentile(values, percentiles) if values.size else (0.0, 0.0)
    if not low < high:
        raise InputError(
            f"A histogram takes two values between percentiles {percentiles[0]:g} and {percentiles[1]:g}; "
            + (f"of {values.size} seen cells all there are {low:g}." if values.size else "no cell was seen.")
        )
    return np.histogram(values, bins, (low, high))


def otsu(counts: Integers, values: Floats) -> Split:
    """The parting of a histogram whose classes differ most (Otsu 1979); of several equal ones the lowest.

    `values` are those of the bins, in rising order: their centres, or the values themselves (`np.unique`). InputError
    if fewer than two bins hold anything.
    """
    n = np.asarray(counts, np.float64)
    if np.count_nonzero(n) < 2:
        raise InputError(f"{np.count_nonzero(n)} of {n.size} bins hold anything. There is nothing to part.")
    below, sums = np.cumsum(n)[:-1], np.cumsum(n * values)
    above = n.sum() - below
    with np.errstate(invalid="ignore", divide="ignore"):
        apart = below * above * (sums[:-1] / below - (sums[-1] - sums[:-1]) / above) ** 2 / n.sum() ** 2
    apart = np.where((below > 0) & (above > 0), apart, -1.0)
    first = int(np.argmax(apart)) + 1
    return Split(first, float(apart[first - 1]))


def otsu_threshold(x: Floats, bins: int = 256) -> float:
    """The value below which lies the lower of two classes, from the histogram of what was seen."""
    counts, edges = histogram(x, bins)
    return float(edges[otsu(counts, (edges[1:] + edges[:-1]) / 2).first])


@dataclass(frozen=True, kw_only=True)
class Modes:
    """Two normal distributions fitted to a histogram, the lower first."""

    means: tuple[float, float]
    deviations: tuple[float, float]
    shares: tuple[float, float]
    fit: float
    """Bhattacharyya coefficient of the histogram and the fit; 1 is the same."""

    @property
    def ashman(self) -> float:
        """Ashman's D: how far apart they are, in their widths; above 2 they are apart."""
        spread = np.hypot(*self.deviations)
        return float(np.sqrt(2) * abs(self.means[1] - self.means[0]) / spread) if spread else np.inf

    def bimodal(self, ashman: float = 2.0, smaller: float = 0.1, fit: float = 0.99) -> bool:
        """Whether a tile holds two classes that a threshold can part (Chini et al. 2017)."""
        return self.ashman > ashman and min(self.shares) >= smaller and self.fit > fit


def modes(counts: Integers, values: Floats, steps: int = 500) -> Modes:
    """The two normal distributions of a histogram of equal bins, by expectation and maximisation from Otsu's parting.

    A fit of one mode ends with two that overlap (D below 2), which the two halves of Otsu's parting would not.
    """
    n, x = np.asarray(counts, np.float64), np.asarray(values, np.float64)
    width = (x[-1] - x[0]) / (len(x) - 1)
    upper = (np.arange(len(x)) >= otsu(counts, x).first).astype(np.float64)
    belongs, before = np.stack([1 - upper, upper]), -np.inf
    for _ in range(steps):
        weights = (belongs * n).sum(axis=1)
        means = (belongs * n) @ x / weights
        variance = ((belongs * n) * (x - means[:, None]) ** 2).sum(axis=1) / weights + width**2 / 12
        density = weights[:, None] / n.sum() * np.exp(-((x - means[:, None]) ** 2) / (2 * variance[:, None]))
        density *= width / np.sqrt(2 * np.pi * variance[:, None])
        whole = np.maximum(density.sum(axis=0), np.finfo(float).tiny)
        likelihood = float(n @ np.log(whole)) / n.sum()
        if likelihood - before < 1e-9:
            break
        belongs, before = density / whole, likelihood
    low, high = np.argsort(means, kind="stable")
    deviations, shares = np.sqrt(variance), weights / n.sum()
    return Modes(
        means=(float(means[low]), float(means[high])),
        deviations=(float(deviations[low]), float(deviations[high])),
        shares=(float(shares[low]), float(shares[high])),
        fit=float(np.sqrt(n / n.sum() * whole / whole.sum()).sum()),
    )
