"""Trends of many series: Mann-Kendall and Theil-Sen with gaps and ties, and what autocorrelation leaves of them.

Series lie time first, (time, y, x) or (time, pixels), and NaN and infinity are missing. The kernel takes 64 pixels
in lockstep. All slopes between two dates of a pixel are cut into the bytes of integers that sort as they do; the
rank that is wanted is then found bit by bit, by counting how many slopes lie below. No step of it depends on the
values, so no branch is missed, and 64 counts are one instruction. Each pixel is computed by itself: the results
are the same bits for any number of threads and any cut into blocks.
"""

import math
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numba import njit
from numpy.typing import ArrayLike, NDArray
from scipy.special import erfc, ndtri

from geomon.errors import InputError
from geomon.stats.sorting import exchanges
from geomon.stats.threads import do_parts

Array = NDArray[Any]
LANES = 64  # pixels in lockstep; one byte of each fills a vector register
SLAB = 24  # rows of slopes counted at once
FEW = 10  # slabs whose counts fit into a byte
PIECE = 256 * LANES  # pixels that a thread takes at a time
ALIKE = 1e-10  # of the largest value: residuals closer than that differ by rounding
SURE = 1.96  # standard errors beyond which an autocorrelation is taken for real
compiled = njit(nogil=True, cache=True, error_model="numpy")


@dataclass(frozen=True, kw_only=True)
class Trends:
    """Trends of pixels, as arrays of their shape; NaN where too few dates hold a value."""

    n: Array
    """Dates with a value."""
    score: Array
    """Mann-Kendall's S."""
    variance: Array
    """Variance of S under no trend, corrected for ties."""
    z: Array
    p: Array
    """Two-sided, from the normal distribution; 1 where all values are equal."""
    tau: Array
    """Kendall's tau-b; NaN where all values are equal."""
    slope: Array
    """Theil-Sen, per unit of time."""
    intercept: Array
    """Median of values less slope times median of their times: the line at time 0."""
    lower: Array | None = None
    upper: Array | None = None

    @property
    def tau_a(self) -> Array:
        """Score over the number of pairs."""
        return np.asarray(self.score / (self.n * (self.n - 1) / 2))


def trends(
    values: Array,
    times: ArrayLike | None = None,
    *,
    least: int = 8,
    share: float = 0.0,
    precision: float = 0.0,
    confidence: float | None = None,
    threads: int = 1,
) -> Trends:
    """Mann-Kendall's test and Theil-Sen's slope of each pixel of (time, ...) values.

    Times rise, at any distances (default: 0, 1, 2, ...). A pixel needs `least` dates with a value and that `share`
    of all; below 8 the normal distribution of z is rough (`exact_p`). Values are rounded to multiples of
    `precision` first, so that what a sensor cannot tell apart is a tie. With `confidence` (0.95) come the bounds
    of the slope. float32 is computed as float32, whose slopes are good to 2e-7 of themselves, and so are integers
    of up to 16 bits; all else as float64.

    Memory beside input and output: 320 bytes (float64: 576) x dates squared for each thread.

    Sources: Kendall (1975) with ties; Sen (1968); Gilbert (1987, 16.4.1) for the bounds. Raises InputError.
    """
    series, moments = checked(values, times)
    dates, pixels = series.shape
    if confidence is not None and not 0 < confidence < 1:
        raise InputError(f"A confidence lies between 0 and 1, and {confidence} was asked for; 95 % is 0.95.")
    i, j = np.triu_indices(dates, 1)
    factors = (1 / (moments[j] - moments[i])).astype(series.dtype)
    reach = 0.0 if confidence is None else float(ndtri((1 + confidence) / 2))
    needed = max(least, math.ceil(share * dates - 1e-9), 2)
    rows = 8 if confidence is None else 10
    network, whole = exchanges(dates), np.empty(0, np.int32 if series.itemsize == 4 else np.int64)

    def piece(first: int, last: int) -> None:
        _trends(series, moments, factors, network, whole, float(precision), reach, needed, first, last, out)

    out = np.empty((rows, pixels), series.dtype)
    do_parts(piece, 0, pixels, PIECE, threads)
    names = ("n", "score", "variance", "z", "p", "tau", "slope", "intercept", "lower", "upper")[:rows]
    return Trends(**{name: row.reshape(values.shape[1:]) for name, row in zip(names, out, strict=True)})


def prewhitened(values: Array, times: ArrayLike | None = None, *, threads: int = 1, **rules: Any) -> Trends:
    """`trends`, tested on series freed of the correlation of neighbours where that is significant (TFPW).

    Residuals of Theil-Sen's line lose r1 times the one before (the last date with a value, after a gap) and get
    the line back; n, score, variance, z, p and tau are of that. Slope, intercept and bounds stay those of the
    series. Where |r1| <= 1.96 / sqrt(n), or the line has no residuals, nothing changes. All is computed as float64.
    Source: Yue et al. (2002).
    """
    series, moments, alike = doubles(values, times)
    plain = trends(series.reshape(np.shape(values)), moments, threads=threads, **rules)
    pixels = series.shape[1]
    white, changed = np.empty(series.shape), np.empty(pixels, np.bool_)
    work = (series, moments, plain.slope.reshape(pixels), float(rules.get("precision", 0.0)), alike)
    do_parts(lambda a, b: _whiten(*work, a, b, white, changed), 0, pixels, PIECE, threads)
    # One value fewer is no reason to give up a pixel that had enough of them.
    freed = trends(white[:, changed], moments, least=2, threads=threads)
    parts = {}
    for name in ("n", "score", "variance", "z", "p", "tau"):
        part = getattr(plain, name).reshape(pixels).copy()
        part[changed] = getattr(freed, name)
        parts[name] = part.reshape(plain.n.shape)
    return replace(plain, **parts)


def hamed_rao(
    values: Array,
    times: ArrayLike | None = None,
    *,
    lags: int = 3,
    shrink: bool = False,
    threads: int = 1,
    **rules: Any,
) -> Trends:
    """`trends` with variance, z and p for autocorrelated series.

    The variance grows by the significant autocorrelations of the ranks of the residuals, up to so many `lags`:
    chance ones at long lags would make it smaller. It never falls, unless it may `shrink`. All is computed as
    float64; residuals that differ by rounding are ties. Source: Hamed & Rao (1998).
    """
    series, moments, alike = doubles(values, times)
    plain = trends(series.reshape(np.shape(values)), moments, threads=threads, **rules)
    pixels = series.shape[1]
    growth = np.empty(pixels)
    work = (series, moments, plain.slope.reshape(pixels), float(rules.get("precision", 0.0)), alike)
    do_parts(lambda a, b: _growth(*work, lags, a, b, growth), 0, pixels, PIECE, threads)
    grown = growth.reshape(plain.n.shape)
    variance = plain.variance * (grown if shrink else np.maximum(grown, 1.0))
    with np.errstate(divide="ignore", invalid="ignore"):
        z = np.where(variance > 0, (plain.score - np.sign(plain.score)) / np.sqrt(variance), plain.z)
    return replace(plain, variance=variance, z=z, p=two_sided(z))


@dataclass(frozen=True, kw_only=True)
class Contextual:
    """Mann-Kendall's test of pixels with their neighbours, as arrays (y, x); NaN where a date is missing."""

    n: Array
    """Pixels that count: itself and those around it with a value at every date, up to 9."""
    score: Array
    """Mean of their scores."""
    variance: Array
    """Of that mean under no trend, with the covariances of neighbours."""
    z: Array
    p: Array
    """Two-sided."""


def contextual(values: Array) -> Contextual:
    """Mann-Kendall's test of 3 x 3 pixels together, of (time, y, x) values that may be alike in space.

    At the edge a pixel has the neighbours that are there: a block needs a margin of one pixel. z is not corrected
    for continuity. Sources: Neeti & Eastman (2011), with the covariances of Dietz & Killeen (1981), valid with ties.
    """
    if np.ndim(values) != 3:
        raise InputError(f"Neighbours need values as (time, y, x); there are {np.ndim(values)} dimensions.")
    series = checked(values, None)[0].reshape(np.shape(values)).astype(float)
    n, score, variance = _contextual(np.ascontiguousarray(series.transpose(1, 2, 0)))
    with np.errstate(divide="ignore", invalid="ignore"):
        z = np.where(variance == 0, 0.0, score / np.sqrt(variance))
    return Contextual(n=n, score=score, variance=variance, z=z, p=two_sided(z))


def two_sided(z: Array) -> Array:
    """p of a standard normal z."""
    return np.asarray(erfc(np.abs(z) * math.sqrt(0.5)))


def exact_p(score: int, n: int) -> float:
    """Two-sided p of Mann-Kendall's score of n values without ties, from all orders of them (Kendall 1975)."""
    ways = np.ones(1)  # orders of 1, 2, ... n values by how many pairs fall
    for size in range(2, n + 1):
        ways = np.convolve(ways, np.ones(size)) / size
    falling = len(ways) - 1
    scores = falling - 2 * np.arange(len(ways))
    return min(1.0, float(ways[np.abs(scores) >= abs(score)].sum()))


def five_classes(z: Array) -> Array:
    """1 degrading, 2 potentially, 3 no change, 4 potentially improving, 5 improving; NaN where z is (GPG v2)."""
    classes = 3.0 - (z < -1.28) - (z < -1.96) + (z > 1.28) + (z > 1.96)
    return np.where(np.isnan(z), np.nan, classes)


def three_classes(z: Array) -> Array:
    """-1 below -1.96, 1 above 1.96, else 0; NaN where z is: a trend at 5 %, or a change of state."""
    return np.where(np.isnan(z), np.nan, 1.0 * (z > 1.96) - (z < -1.96))


def checked(values: Array, times: ArrayLike | None) -> tuple[Array, NDArray[np.float64]]:
    """Values as floats (time, pixels) without a copy where none is needed, and their times."""
    values = np.asarray(values)
    if values.ndim < 1 or values.shape[0] < 2 or values.dtype.kind not in "fiu":
        raise InputError(
            f"A trend needs numbers at two dates or more, time first; there is {values.dtype} of shape {values.shape}."
        )
    dates = values.shape[0]
    moments = np.arange(dates, dtype=float) if times is None else np.asarray(times, float)
    if moments.shape != (dates,) or not np.isfinite(moments).all() or not (np.diff(moments) > 0).all():
        raise InputError(
            f"Times must rise, one for each of the {dates} dates; there are {moments.size}"
            f"{'' if moments.size != dates else ', not rising'}. Sort the dates, and merge those of one time."
        )
    floats = np.result_type(values.dtype, np.float32)
    wanted = np.float32 if floats == np.float32 else np.float64
    return np.ascontiguousarray(values.reshape(dates, -1), dtype=wanted), moments


def doubles(values: Array, times: ArrayLike | None) -> tuple[Array, NDArray[np.float64], float]:
    """`checked` as float64, and the share of the largest value below which residuals are alike."""
    series, moments = checked(values, times)
    kind = np.asarray(values).dtype
    return series.astype(float, copy=False), moments, max(ALIKE, 8 * np.finfo(kind).eps if kind.kind == "f" else 0.0)


@compiled
def _trends(series, moments, factors, network, whole, precision, reach, needed, first, last, out):  # type: ignore[no-untyped-def]
    dates, floats, pairs = series.shape[0], series.dtype, len(factors)
    rows = -(-pairs // SLAB) * SLAB
    x, ordered = np.empty((dates, LANES), floats), np.empty((dates, LANES), floats)
    slopes = np.full((rows, LANES), np.nan, floats)
    pieces, spare = np.empty((series.itemsize, rows, LANES), np.int8), np.empty((2, rows, LANES), np.int8)
    n, run, falls = np.empty(LANES, np.int32), np.empty(LANES, np.int32), np.empty(LANES, np.int32)
    ties, tied, middle, rank = np.empty(LANES), np.empty(LANES), np.empty(LANES), np.empty(LANES)
    chosen, zero, few = np.empty(LANES, floats), np.zeros(LANES, np.int8), np.empty(LANES, np.uint8)
    for start in range(first, last, LANES):
        width = min(LANES, last - start)
        for k in range(dates):
            _load(series[k, start : start + width], precision, x[k])
        _count(x, n)
        _slopes(x, factors, slopes)
        _cut(slopes.ravel(), slopes.view(whole.dtype).ravel(), pieces)
        _below(pieces[0].ravel(), zero, few, falls)
        _sort(x, network, ordered)
        _ties(ordered, run, ties, tied)
        _middle_time(x, moments, n, run, middle)
        for lane in range(LANES):
            rank[lane] = 0.25 * n[lane] * (n[lane] - 1.0) - 0.5
        _select(slopes, pieces, spare, rank, chosen, chosen.view(whole.dtype))
        for lane in range(width):
            at, m = start + lane, n[lane]
            out[0, at] = m
            if m < needed:
                out[1:, at] = np.nan
                continue
            count = 0.5 * m * (m - 1.0)
            score = count - tied[lane] - 2.0 * falls[lane]
            variance = (m * (m - 1.0) * (2.0 * m + 5.0) - ties[lane]) / 18.0
            z = (score - np.sign(score)) / math.sqrt(variance) if variance > 0 else 0.0
            out[1, at] = score
            out[2, at] = variance
            out[3, at] = z
            out[4, at] = math.erfc(abs(z) * 0.7071067811865476)
            out[5, at] = score / math.sqrt((count - tied[lane]) * count)
            out[6, at] = chosen[lane]
            median = 0.5 * (ordered[(m - 1) >> 1, lane] + ordered[m >> 1, lane])
            out[7, at] = median - chosen[lane] * middle[lane]
        for bound in range(8, len(out)):
            for lane in range(LANES):
                m = n[lane]
                count = 0.5 * m * (m - 1.0)
                half = 0.5 * reach * math.sqrt(max(0.0, (m * (m - 1.0) * (2.0 * m + 5.0) - ties[lane]) / 18.0))
                place = 0.5 * count - half - 1.0 if bound == 8 else 0.5 * count + half
                rank[lane] = min(max(place, 0.0), max(count - 1.0, 0.0))
            _select(slopes, pieces, spare, rank, chosen, chosen.view(whole.dtype))
            for lane in range(width):
                out[bound, start + lane] = chosen[lane] if n[lane] >= needed else np.nan


@compiled
def _load(values, precision, row):  # type: ignore[no-untyped-def]
    row[:] = np.nan
    for lane in range(len(values)):
        value = values[lane]
        if abs(value) < np.inf:
            value = value if precision == 0 else np.rint(value / precision) * precision
            row[lane] = value + 0.0  # which has no sign where it is zero


@compiled
def _count(x, n):  # type: ignore[no-untyped-def]
    n[:] = 0
    for k in range(len(x)):
        for lane in range(LANES):
            n[lane] += np.int32(x[k, lane] == x[k, lane])


@compiled
def _slopes(x, factors, slopes):  # type: ignore[no-untyped-def]
    k = 0
    for i in range(len(x)):
        early = x[i]
        for j in range(i + 1, len(x)):
            factor = factors[k]
            for lane in range(LANES):
                slopes[k, lane] = (x[j, lane] - early[lane]) * factor
            k += 1


@compiled
def _cut(slopes, bits, pieces):  # type: ignore[no-untyped-def]
    """Bytes of integers in the order of the slopes, the highest first, each less 128 but for the sign's."""
    words = len(pieces) // 4
    for word in range(words):
        four = pieces[4 * word : 4 * word + 4].reshape((4, len(slopes)))
        flip = np.int32(0x00808080) if word == 0 else np.int32(-0x7F7F7F80)
        _cut_word(slopes, bits, word == 0, flip, four[0], four[1], four[2], four[3])


@compiled
def _cut_word(slopes, bits, high, flip, a, b, c, d):  # type: ignore[no-untyped-def]
    most, top = np.iinfo(bits.dtype).max, np.iinfo(bits.dtype).bits - 1
    for k in range(len(slopes)):
        whole = bits[k] ^ ((bits[k] >> top) & most)
        word = np.int32(whole >> (top - 31)) if high else np.int32(whole)
        word = np.int32(word ^ flip) if slopes[k] == slopes[k] else np.int32(0x7F7F7F7F)  # missing: above all
        a[k] = np.int8(word >> 24)
        b[k] = np.int8(word >> 16)
        c[k] = np.int8(word >> 8)
        d[k] = np.int8(word)


@compiled
def _select(slopes, pieces, spare, rank, chosen, bits):  # type: ignore[no-untyped-def]
    """The slope of a rank from 0 of each lane, or between two where the rank is no whole number."""
    byte, left, key = np.empty(LANES, np.int8), np.empty(LANES, np.int32), np.zeros(LANES, np.int64)
    alive, masked = spare[0], spare[1]
    between = False
    for lane in range(LANES):
        left[lane] = int(max(rank[lane], 0.0))
        between |= rank[lane] > left[lane]
    for level in range(len(pieces)):
        if level > 0:
            _narrow(pieces[level - 1], byte, pieces[level], np.int8(level == 1), alive, masked)
        _search((pieces[0] if level == 0 else masked).ravel(), left, byte)
        for lane in range(LANES):
            key[lane] = (key[lane] << 8) + byte[lane] + (0 if level == 0 else 128)
    most = np.iinfo(bits.dtype).max
    for lane in range(LANES):
        bits[lane] = key[lane] ^ ((key[lane] >> 63) & most)
    if between:
        _interpolate(slopes, rank, chosen)


@compiled
def _search(flat, left, byte):  # type: ignore[no-untyped-def]
    """The byte at rank `left`, which becomes the rank among those of the same byte."""
    top, few = np.empty(LANES, np.int8), np.empty(LANES, np.uint8)
    counts, passed = np.empty(LANES, np.int32), np.zeros(LANES, np.int32)
    byte[:] = -128
    step = 128
    while step > 0:
        for lane in range(LANES):
            top[lane] = np.int8(byte[lane] + step)
        _below(flat, top, few, counts)
        _step(counts, left, top, byte, passed)
        step >>= 1
    for lane in range(LANES):
        left[lane] -= passed[lane]


@compiled
def _step(counts, left, top, byte, passed):  # type: ignore[no-untyped-def]
    for lane in range(LANES):
        low = counts[lane] <= left[lane]
        byte[lane] = top[lane] if low else byte[lane]
        passed[lane] = counts[lane] if low else passed[lane]


@compiled
def _below(flat, top, few, counts):  # type: ignore[no-untyped-def]
    counts[:] = 0
    for first in range(0, len(flat), FEW * SLAB * LANES):
        few[:] = 0
        for k in range(first, min(first + FEW * SLAB * LANES, len(flat)), SLAB * LANES):
            _below_slab(flat[k : k + SLAB * LANES], top, few)
        _widen(few, counts)


@compiled
def _widen(few, counts):  # type: ignore[no-untyped-def]
    for lane in range(LANES):
        counts[lane] += np.int32(few[lane])


@compiled
def _below_slab(flat, top, few):  # type: ignore[no-untyped-def]
    for lane in range(LANES):
        count = np.uint8(0)
        for row in range(SLAB):
            count = np.uint8(count + np.uint8(flat[lane + row * LANES] < top[lane]))
        few[lane] += count


@compiled
def _narrow(plane, byte, following, all_, alive, masked):  # type: ignore[no-untyped-def]
    """The bytes of the next level where those so far are the ones chosen; elsewhere the highest, never counted."""
    for row in range(len(plane)):
        for lane in range(LANES):
            lives = np.int8((alive[row, lane] | all_) & np.int8(plane[row, lane] == byte[lane]))
            alive[row, lane] = lives
            masked[row, lane] = following[row, lane] if lives else np.int8(127)


@compiled
def _interpolate(slopes, rank, chosen):  # type: ignore[no-untyped-def]
    upto, above = np.zeros(LANES, np.int32), np.full(LANES, np.inf, chosen.dtype)
    for row in range(len(slopes)):
        for lane in range(LANES):
            slope = slopes[row, lane]
            upto[lane] += np.int32(slope <= chosen[lane])
            higher = slope if slope > chosen[lane] else chosen.dtype.type(np.inf)
            above[lane] = higher if higher < above[lane] else above[lane]
    for lane in range(LANES):
        whole = math.floor(rank[lane])
        if rank[lane] > whole and upto[lane] == whole + 1:  # else the next one is its equal
            chosen[lane] += (rank[lane] - whole) * (above[lane] - chosen[lane])


@compiled
def _sort(x, network, ordered):  # type: ignore[no-untyped-def]
    for k in range(len(x)):
        for lane in range(LANES):
            ordered[k, lane] = x[k, lane] if x[k, lane] == x[k, lane] else np.inf
    for k in range(len(network)):
        _exchange(ordered[network[k, 0]], ordered[network[k, 1]])


@compiled
def _exchange(low, high):  # type: ignore[no-untyped-def]
    for lane in range(LANES):
        a, b = low[lane], high[lane]
        low[lane] = a if a < b else b
        high[lane] = b if a < b else a


@compiled
def _ties(ordered, run, ties, tied):  # type: ignore[no-untyped-def]
    """Sums over groups of t equal values: of t (t - 1) (2 t + 5), and of their pairs."""
    run[:] = 1
    ties[:] = 0
    tied[:] = 0
    for k in range(1, len(ordered)):
        for lane in range(LANES):
            same = (ordered[k, lane] == ordered[k - 1, lane]) & (ordered[k, lane] < np.inf)
            run[lane] = run[lane] + 1 if same else 1
            t = float(run[lane])
            ties[lane] += 6.0 * (t * t - 1.0)
            tied[lane] += t - 1.0


@compiled
def _middle_time(x, moments, n, run, middle):  # type: ignore[no-untyped-def]
    """Median time of the dates with a value."""
    run[:] = 0
    middle[:] = 0
    for k in range(len(x)):
        half = 0.5 * moments[k]
        for lane in range(LANES):
            valid = x[k, lane] == x[k, lane]
            run[lane] += np.int32(valid)
            middle[lane] += half if valid & (run[lane] == (n[lane] + 1) >> 1) else 0.0
            middle[lane] += half if valid & (run[lane] == (n[lane] >> 1) + 1) else 0.0


@compiled
def _residuals(series, moments, slope, precision, pixel, y, t):  # type: ignore[no-untyped-def]
    """Values of a pixel less a line of that slope, and their times; how many, and the largest value."""
    n, largest = 0, 0.0
    for k in range(len(moments)):
        value = float(series[k, pixel])
        if abs(value) < np.inf:
            value = value if precision == 0 else np.rint(value / precision) * precision
            t[n] = moments[k] - moments[0]
            y[n] = value - slope * t[n]
            largest = max(largest, abs(value))
            n += 1
    return n, largest


@compiled
def _correlation(y, n, lag, near):  # type: ignore[no-untyped-def]
    """Autocorrelation, divided by n at every lag; 0 where the standard deviation is no more than `near`."""
    mean = 0.0
    for k in range(n):
        mean += y[k] / n
    power = together = 0.0
    for k in range(n):
        power += (y[k] - mean) ** 2
        if k >= lag:
            together += (y[k] - mean) * (y[k - lag] - mean)
    return together / power if power > n * near**2 else 0.0


@compiled
def _whiten(series, moments, slopes, precision, alike, first, last, white, changed):  # type: ignore[no-untyped-def]
    y, t = np.empty(len(moments)), np.empty(len(moments))
    for pixel in range(first, last):
        changed[pixel] = False
        if not abs(slopes[pixel]) < np.inf:
            continue
        n, largest = _residuals(series, moments, slopes[pixel], precision, pixel, y, t)
        r = _correlation(y, n, 1, alike * largest)
        changed[pixel] = abs(r) > SURE / math.sqrt(n)
        white[:, pixel] = np.nan
        for k in range(1, n):
            white[k, pixel] = y[k] - r * y[k - 1] + slopes[pixel] * t[k]


@compiled
def _growth(series, moments, slopes, precision, alike, lags, first, last, growth):  # type: ignore[no-untyped-def]
    y, t, ranks = np.empty(len(moments)), np.empty(len(moments)), np.empty(len(moments))
    for pixel in range(first, last):
        growth[pixel] = np.nan
        if not abs(slopes[pixel]) < np.inf:
            continue
        n, largest = _residuals(series, moments, slopes[pixel], precision, pixel, y, t)
        near = alike * largest
        for i in range(n):
            ranks[i] = 0.0
            for j in range(n):
                ranks[i] += 0.5 * (y[j] < y[i] - near) + 0.5 * (y[j] <= y[i] + near)
        total = 0.0
        for lag in range(1, min(lags, n - 1) + 1):
            r = _correlation(ranks, n, lag, 0.0)
            if abs(r) > SURE / math.sqrt(n):
                total += (n - lag) * (n - lag - 1.0) * (n - lag - 2.0) * r
        growth[pixel] = 1 + 2 / (n * (n - 1.0) * (n - 2.0)) * total if n > 2 else 1.0


@compiled
def _contextual(x):  # type: ignore[no-untyped-def]
    height, width, dates = x.shape
    ranks, scores = np.empty(x.shape), np.full((height, width), np.nan)
    for y in range(height):
        for z in range(width):
            if np.isfinite(x[y, z]).all():
                scores[y, z] = 0.0
                for i in range(dates):
                    ranks[y, z, i] = 0.5
                    for j in range(dates):
                        ranks[y, z, i] += 0.5 * (x[y, z, j] < x[y, z, i]) + 0.5 * (x[y, z, j] <= x[y, z, i])
                        scores[y, z] += np.sign(x[y, z, j] - x[y, z, i]) if j > i else 0.0
    together = np.zeros((3, 5, height, width))  # covariance with the pixel so many rows below and columns beside
    for y in range(height):
        for z in range(width):
            for down in range(min(3, height - y)):
                for beside in range(max(-2, -z), min(3, width - z)):
                    other = scores[y + down, z + beside]
                    if scores[y, z] == scores[y, z] and other == other:
                        together[down, beside + 2, y, z] = _covariance(
                            x[y, z], x[y + down, z + beside], ranks[y, z], ranks[y + down, z + beside]
                        )
    n, score, variance = np.zeros((height, width)), np.full((height, width), np.nan), np.full((height, width), np.nan)
    for y in range(height):
        for z in range(width):
            if scores[y, z] != scores[y, z]:
                continue
            total = sums = 0.0
            for a in range(max(0, y - 1), min(height, y + 2)):
                for b in range(max(0, z - 1), min(width, z + 2)):
                    if scores[a, b] == scores[a, b]:
                        n[y, z] += 1
                        total += scores[a, b]
                        for c in range(max(0, y - 1), min(height, y + 2)):
                            for d in range(max(0, z - 1), min(width, z + 2)):
                                below = c >= a
                                sums += together[
                                    abs(c - a), (d - b if below else b - d) + 2, min(a, c), b if below else d
                                ]
            score[y, z] = total / n[y, z]
            variance[y, z] = sums / n[y, z] ** 2
    return n, score, variance


@compiled
def _covariance(g, h, rank_g, rank_h):  # type: ignore[no-untyped-def]
    """Of the scores of two series (Dietz & Killeen 1981)."""
    n, both = len(g), 0.0
    for i in range(n):
        both += 4 * rank_g[i] * rank_h[i]
        for j in range(i + 1, n):
            both += np.sign(g[j] - g[i]) * np.sign(h[j] - h[i])
    return (both - n * (n + 1.0) ** 2) / 3
