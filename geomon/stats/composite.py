"""One image from many, straight from stored numbers: masked by a table of codes, decoded in registers, never a cube.

Pixels are taken LANES at a time through all of their dates, so that every step is the same for each of them and what
is in hand stays in the nearest cache. Values are float64 and are decoded as numpy would (stored x scale + offset, no
fused steps): a median is that of numpy.nanmedian on the decoded cube, to the bit.
"""

import functools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

from geomon.errors import InputError
from geomon.grid import Floats
from geomon.stats.sorting import exchanges

LANES = 64
MEDIAN, MEAN, GREATEST, COUNT, FIRST, LAST = range(6)
STEPS = 1000  # of Weiszfeld's iteration at most; it ends when a step is smaller than NEAR of the spread of the dates
NEAR = 1e-12
Integers = NDArray[np.int64]


@dataclass(frozen=True)
class Stack:
    """The dates of a band as they are stored."""

    stored: NDArray[Any]
    """(time, rows, columns)"""
    scale: Floats
    """(time,): physical = stored x scale + offset."""
    offset: Floats
    missing: float = np.nan
    """The stored number that says that nothing was seen; what is not finite is not seen either."""

    def __post_init__(self) -> None:
        dates = len(self.stored)
        if self.stored.ndim != 3 or not dates or self.scale.shape != (dates,) or self.offset.shape != (dates,):
            raise InputError(
                f"A stack of shape {self.stored.shape} came with {self.scale.shape} scales and {self.offset.shape} "
                "offsets. Give (time, rows, columns), and a scale and an offset for each date."
            )


@dataclass(frozen=True)
class Mask:
    """Which pixels are clear on which date: a table over the codes of a quality band, maybe a coarser one."""

    codes: NDArray[np.uint8]
    """(time, its rows, its columns)"""
    clear: NDArray[np.bool_]
    """By code, 256 of them: what it does not name as clear is hidden, code 0 too."""
    rows: Integers
    """For each row of the composite the row of `codes`."""
    columns: Integers


def median(a: Stack, b: Stack | None = None, mask: Mask | None = None) -> Floats:
    """Median over the clear dates of a band, or of (a - b) / (a + b); NaN where there is none.

    Of an even number of dates it is the mean of the two in the middle.
    """
    return over_dates(MEDIAN, a, b, mask)


def mean(a: Stack, b: Stack | None = None, mask: Mask | None = None) -> Floats:
    """Mean over the clear dates of a band, or of (a - b) / (a + b); NaN where there is none."""
    return over_dates(MEAN, a, b, mask)


def greatest(a: Stack, b: Stack | None = None, mask: Mask | None = None) -> Integers:
    """The clear date of the largest value of a band, or of (a - b) / (a + b), the first of equals; -1 for none."""
    return as_dates(over_dates(GREATEST, a, b, mask))


def count(a: Stack, b: Stack | None = None, mask: Mask | None = None) -> Floats:
    """On how many dates a pixel was seen and clear."""
    return over_dates(COUNT, a, b, mask)


def first(a: Stack, b: Stack | None = None, mask: Mask | None = None) -> Integers:
    """The first date on which a pixel was seen and clear; -1 for none."""
    return as_dates(over_dates(FIRST, a, b, mask))


def last(a: Stack, b: Stack | None = None, mask: Mask | None = None) -> Integers:
    """The last date on which a pixel was seen and clear; -1 for none."""
    return as_dates(over_dates(LAST, a, b, mask))


def medoid(bands: Sequence[Stack], mask: Mask | None = None) -> Integers:
    """The date that lies nearest to all others over the bands; -1 where no date is clear and seen in every band.

    The date with the smallest sum of Euclidean distances to the others, the first of equals (Flood 2013, Remote
    Sensing 5, 6481).
    """
    _, height, width = check_alike(bands, mask)
    dates = len(bands[0].stored)
    out, total = np.empty((height, width), np.int64), np.empty((dates, width))
    for y in range(height):
        _nearest_to_all(line_of(bands, mask, y), total, out[y])
    return out


def geometric_median(bands: Sequence[Stack], mask: Mask | None = None) -> Floats:
    """The point with the smallest sum of distances to all dates over the bands, (band, rows, columns).

    Weiszfeld's iteration from the mean as Vardi and Zhang (2000, PNAS 97, 1423) mend it, which is the composite of
    Roberts et al. (2017, IEEE TGRS 55, 6254). Of two dates it is their mean. A date counts if it is clear and seen in
    every band; NaN where none is.
    """
    n, height, width = check_alike(bands, mask)
    out = np.empty((n, height, width))
    for y in range(height):
        _middles(line_of(bands, mask, y), out[:, y])
    return out


def at(stack: Stack, date: Integers) -> Floats:
    """The values of a band on one date for each pixel; NaN where that is -1 or the band was not seen."""
    there = np.maximum(date, 0)
    stored = np.take_along_axis(stack.stored, there[None], axis=0)[0].astype(float)
    values = stored * stack.scale[there] + stack.offset[there]
    values[(date < 0) | (stored == stack.missing)] = np.nan
    return np.asarray(values)


def dates_seen(stack: Stack) -> Floats:
    """On how many dates each pixel was seen, whatever hid it."""
    out = np.zeros(stack.stored.shape[1:])
    missing = stack.missing
    if stack.stored.dtype.kind != "f":
        fits = np.isfinite(missing) and missing == np.array(missing).astype(stack.stored.dtype)
        if not fits:
            return np.full(out.shape, float(len(stack.stored)))
    _seen(stack.stored, stack.stored.dtype.type(missing), out)
    return out


def over_dates(what: int, a: Stack, b: Stack | None, mask: Mask | None) -> Floats:
    """One number for each pixel from all of its dates."""
    _, height, width = check_alike([a] if b is None else [a, b], mask)
    second = b or a
    if a.stored.dtype != second.stored.dtype:
        a, second = as_floats(a), as_floats(second)
    facts = np.column_stack([v for s in (a, second) for v in (np.full(len(s.scale), s.missing), s.scale, s.offset)])
    codes, hidden, rows, columns = (
        (np.zeros((0, 1, 1), np.uint8), np.zeros(256, np.uint8), np.zeros(height, np.int64), np.zeros(width, np.int64))
        if mask is None
        else (mask.codes, (~mask.clear).astype(np.uint8), mask.rows, mask.columns)
    )
    out = np.empty((height, width))
    net = network(len(a.stored) if what == MEDIAN else 0)
    _over_dates(a.stored, second.stored, b is not None, facts, codes, hidden, rows, columns, net, what, out)
    return out


def check_alike(bands: Sequence[Stack], mask: Mask | None) -> tuple[int, int, int]:
    """Bands, rows and columns; InputError for bands or a mask that do not fit each other."""
    shapes = {s.stored.shape for s in bands}
    if len(shapes) != 1:
        raise InputError(f"Bands of the shapes {sorted(shapes)} make no composite. Bring them to one grid and dates.")
    ((dates, height, width),) = shapes
    if mask is not None and (len(mask.codes), len(mask.rows), len(mask.columns)) != (dates, height, width):
        raise InputError(
            f"A mask of {len(mask.codes)} dates for {len(mask.rows)} x {len(mask.columns)} pixels does not fit bands "
            f"of {dates} dates and {height} x {width} pixels. A quality band needs the dates of the others."
        )
    return len(bands), height, width


def as_floats(stack: Stack) -> Stack:
    """The same numbers in float64, for bands of two types."""
    return Stack(stack.stored.astype(float), stack.scale, stack.offset, stack.missing)


def as_dates(found: Floats) -> Integers:
    """Numbers of dates; -1 for NaN."""
    return np.where(np.isnan(found), -1, found).astype(np.int64)


def line_of(bands: Sequence[Stack], mask: Mask | None, y: int) -> Floats:
    """A row of pixels decoded, (band, time, columns); NaN in every band on dates that do not count."""
    stored = np.stack([s.stored[:, y].astype(float) for s in bands])
    values = np.stack([v * s.scale[:, None] + s.offset[:, None] for v, s in zip(stored, bands, strict=True)])
    lost = ~np.isfinite(values) | (stored == np.array([s.missing for s in bands])[:, None, None])
    hidden = lost.any(axis=0)
    if mask is not None:
        hidden |= ~mask.clear[mask.codes[:, mask.rows[y]]][:, mask.columns]
    values[:, hidden] = np.nan
    return values


@functools.lru_cache(maxsize=64)
def network(n: int) -> Integers:
    """Pairs to be put in order so that the lower half of n numbers, and the one above it, end up sorted.

    The network that sorts all of them, without the pairs that only order the rest.
    """
    needed, kept = set(range(n // 2 + 1)), []
    for i, j in reversed(exchanges(n).tolist()):
        if i in needed or j in needed:
            needed |= {i, j}
            kept.append((i, j))
    return np.array(kept[::-1], np.int64).reshape(-1, 2)


@njit(nogil=True, cache=True, error_model="numpy")
def _over_dates(a, b, two, facts, codes, hidden, rows, columns, net, what, out):  # type: ignore[no-untyped-def]
    dates, height, width = a.shape
    values, hide, before = np.empty((dates, LANES)), np.zeros((dates, width + LANES), np.uint8), -1
    rest_a, rest_b = np.zeros(LANES, a.dtype), np.zeros(LANES, b.dtype)
    for y in range(height):
        if len(codes) and rows[y] != before:  # of a coarser band one line serves several
            before = rows[y]
            for k in range(dates):
                _look_up(codes[k, before], hidden, columns, hide[k])
        for x in range(0, width, LANES):
            n = min(LANES, width - x)
            for k in range(dates):
                if n == LANES:
                    part_a, part_b = a[k, y, x : x + LANES], b[k, y, x : x + LANES]
                else:
                    rest_a[:n], rest_b[:n] = a[k, y, x:], b[k, y, x:]
                    part_a, part_b = rest_a, rest_b
                if two:
                    _difference(part_a, part_b, facts[k], hide[k, x : x + LANES], values[k])
                else:
                    _decode(part_a, facts[k], hide[k, x : x + LANES], values[k])
            _reduce(values, net, what, out[y, x : x + n])


@njit(nogil=True, cache=True, error_model="numpy")
def _look_up(codes, table, columns, out):  # type: ignore[no-untyped-def]
    for lane in range(len(columns)):
        out[lane] = table[codes[columns[lane]]]


@njit(nogil=True, cache=True, error_model="numpy")
def _decode(stored, facts, hide, out):  # type: ignore[no-untyped-def]
    missing, scale, offset = facts[0], facts[1], facts[2]
    for lane in range(LANES):
        number = np.float64(stored[lane])
        value = number * scale + offset
        seen = (hide[lane] == 0) & (number != missing) & (abs(value) < np.inf)
        out[lane] = value if seen else np.inf


@njit(nogil=True, cache=True, error_model="numpy")
def _difference(a, b, facts, hide, out):  # type: ignore[no-untyped-def]
    for lane in range(LANES):
        x, y = np.float64(a[lane]), np.float64(b[lane])
        one, other = x * facts[1] + facts[2], y * facts[4] + facts[5]
        whole = one + other
        seen = (hide[lane] == 0) & (x != facts[0]) & (y != facts[3]) & (whole > 0) & (whole < np.inf)
        out[lane] = (one - other) / whole if seen else np.inf


@njit(nogil=True, cache=True, error_model="numpy")
def _reduce(values, net, what, out):  # type: ignore[no-untyped-def]
    dates = len(values)
    seen, kept = np.zeros(LANES), np.full(LANES, np.nan)
    for k in range(dates):
        _tally(values[k], seen)
    if what == MEDIAN:
        for c in range(len(net)):
            _order(values[net[c, 0]], values[net[c, 1]])
        for lane in range(LANES):
            n = int(seen[lane])
            if n:
                kept[lane] = 0.5 * (values[(n - 1) >> 1, lane] + values[n >> 1, lane])
    elif what == MEAN:
        kept[:] = 0.0
        for k in range(dates):
            _add(values[k], kept)
        kept /= seen
    elif what == COUNT:
        kept[:] = seen
    else:
        best = np.full(LANES, -np.inf)
        for k in range(dates):
            _date(values[k], k, what, best, kept)
    out[:] = kept[: len(out)]


@njit(nogil=True, cache=True, error_model="numpy")
def _tally(values, seen):  # type: ignore[no-untyped-def]
    for lane in range(LANES):
        seen[lane] += 1.0 if values[lane] < np.inf else 0.0


@njit(nogil=True, cache=True, error_model="numpy")
def _add(values, total):  # type: ignore[no-untyped-def]
    for lane in range(LANES):
        total[lane] += values[lane] if values[lane] < np.inf else 0.0


@njit(nogil=True, cache=True, error_model="numpy")
def _date(values, k, what, best, kept):  # type: ignore[no-untyped-def]
    for lane in range(LANES):
        value, none = values[lane], kept[lane] != kept[lane]
        better = none | (what == LAST) | ((what == GREATEST) & (value > best[lane]))
        taken = (value < np.inf) & better
        best[lane] = value if taken else best[lane]
        kept[lane] = k if taken else kept[lane]


@njit(nogil=True, cache=True, error_model="numpy")
def _order(low, high):  # type: ignore[no-untyped-def]
    for lane in range(LANES):
        a, b = low[lane], high[lane]
        low[lane] = a if a < b else b
        high[lane] = b if a < b else a


@njit(nogil=True, cache=True, error_model="numpy")
def _seen(stored, missing, out):  # type: ignore[no-untyped-def]
    dates, height, width = stored.shape
    counts = np.empty(width, np.uint16)
    for y in range(height):
        counts[:] = 0
        for k in range(dates):
            line = stored[k, y]
            for x in range(width):
                counts[x] += np.uint16((line[x] != missing) & (line[x] - line[x] == 0))
        for x in range(width):
            out[y, x] = counts[x]


@njit(nogil=True, cache=True, error_model="numpy")
def _nearest_to_all(line, total, out):  # type: ignore[no-untyped-def]
    bands, dates, width = line.shape
    total[:] = 0.0
    for i in range(dates):
        for j in range(i):
            for x in range(width):
                square = 0.0
                for band in range(bands):
                    step = line[band, i, x] - line[band, j, x]
                    square += step * step
                distance = np.sqrt(square) if square >= 0 else 0.0
                total[i, x] += distance
                total[j, x] += distance
    for x in range(width):
        best = -1
        for k in range(dates):
            if not np.isnan(line[0, k, x]) and (best < 0 or total[k, x] < total[best, x]):
                best = k
        out[x] = best


@njit(nogil=True, cache=True, error_model="numpy")
def _middles(line, out):  # type: ignore[no-untyped-def]
    bands, dates, width = line.shape
    points = np.empty((dates, bands))
    for x in range(width):
        n = 0
        for k in range(dates):
            if not np.isnan(line[0, k, x]):
                points[n] = line[:, k, x]
                n += 1
        _middle(points[:n], out[:, x])


@njit(nogil=True, cache=True, error_model="numpy")
def _middle(points, out):  # type: ignore[no-untyped-def]
    n, bands = points.shape
    out[:] = np.nan
    if not n:
        return
    pull, new = np.empty(bands), np.empty(bands)
    for k in range(n):  # a date at which the others pull less than it holds is the median, and no iteration gets there
        held, _ = _pull(points, points[k], pull, new)
        if np.sqrt((pull * pull).sum()) < held - 1e-9:
            out[:] = points[k]
            return
    for band in range(bands):
        out[band] = points[:, band].mean()
    spread = 0.0
    for k in range(n):
        spread = max(spread, np.abs(points[k] - out).max())
    for _ in range(STEPS):
        held, weight = _pull(points, out, pull, new)
        if weight == 0.0:
            return
        force = np.sqrt((pull * pull).sum())
        stay = min(1.0, held / force) if held > 0 and force > 0 else 0.0
        moved = 0.0
        for band in range(bands):
            step = (1 - stay) * (new[band] / weight - out[band])
            out[band] += step
            moved = max(moved, abs(step))
        if moved <= NEAR * spread or force == 0.0:
            return


@njit(nogil=True, cache=True, error_model="numpy")
def _pull(points, here, pull, new):  # type: ignore[no-untyped-def]
    """Unit vectors to the points and points by inverse distance, summed; how many lie here, and the weights."""
    held, weight = 0.0, 0.0
    pull[:], new[:] = 0.0, 0.0
    for k in range(len(points)):
        square = 0.0
        for band in range(len(here)):
            square += (points[k, band] - here[band]) ** 2
        if square == 0.0:
            held += 1.0
            continue
        inverse = 1 / np.sqrt(square)
        weight += inverse
        for band in range(len(here)):
            pull[band] += (points[k, band] - here[band]) * inverse
            new[band] += points[k, band] * inverse
    return held, weight
