"""What the cells of zones hold: sums, means, spread, classes, changes of class, distributions.

Every cell counts with the exact share of it in the zone (`geomon.stats.coverage`), times its area where cells
differ in it. Values are read as they are stored, (rows, columns) or (times, rows, columns), float or integer;
NaN and a nodata value are unseen and enter nothing. Weights and counts are float64 throughout: float32 stops
counting at 2**24. Rows are worked through in bands of one height, whose results are added from the top down, so
that the bits do not depend on the number of threads. An array that is not contiguous is copied first.

All results of two parts of a zone can be put together: sums and tables by adding them, `Moments` by `merge`.
"""

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numba import njit
from numpy.typing import ArrayLike, NDArray

from geomon.errors import InputError
from geomon.grid import Floats
from geomon.stats.coverage import Arrays, Coverage, Indices, Integers
from geomon.stats.lanes import lane_sums, prefetch
from geomon.stats.threads import in_parts

BAND = 128  # rows
DENSE = 2**20  # totals by zone and group held at once
Pixels = NDArray[Any]


def sums(
    values: Pixels,
    coverage: Coverage,
    *,
    nodata: float | None = None,
    areas: ArrayLike | None = None,
    threads: int = 1,
) -> tuple[Floats, Floats]:
    """Sum of value times weight, and sum of the weight of what was seen, by (time and) zone.

    The weight is the share of the cell in the zone, times the area of a cell of its row if `areas` (one a row) are
    given. Their quotient is the mean; it is NaN for a zone of which nothing was seen.
    """
    found = banded(add_sums, values, coverage, (coverage.zones, 2), nodata, areas, threads)
    added = sum_of(found, values, (coverage.zones, 2))
    return added[..., 0], added[..., 1]


@dataclass(frozen=True, eq=False)
class Moments:
    """Weight, mean, spread and extremes by (time and) zone; NaN where nothing was seen."""

    weight: Floats
    mean: Floats
    spread: Floats
    """Sum of weight times squared distance from the mean."""
    low: Floats
    high: Floats

    @property
    def variance(self) -> Floats:
        """Mean squared distance from the mean."""
        with np.errstate(invalid="ignore"):
            return self.spread / self.weight

    def merge(self, other: "Moments") -> "Moments":
        """Of two sets of cells together (Chan, Golub and LeVeque 1983)."""
        weight = self.weight + other.weight
        with np.errstate(invalid="ignore"):
            part = other.weight / weight
        apart = other.mean - self.mean
        mean = self.mean + apart * part
        spread = self.spread + other.spread + apart**2 * self.weight * part
        for empty, full in ((self, other), (other, self)):
            mean = np.where(empty.weight == 0, full.mean, mean)
            spread = np.where(empty.weight == 0, full.spread, spread)
        return Moments(weight, mean, spread, np.fmin(self.low, other.low), np.fmax(self.high, other.high))


def moments(
    values: Pixels,
    coverage: Coverage,
    *,
    nodata: float | None = None,
    areas: ArrayLike | None = None,
    threads: int = 1,
) -> Moments:
    """Weighted mean and variance, least and greatest value of the cells that a zone touches; weights as for `sums`."""
    found = banded(add_moments, values, coverage, (coverage.zones, 5), nodata, areas, threads)
    shape = (*np.shape(values)[:-2], coverage.zones)
    whole = Moments(np.zeros(shape), *(np.full(shape, np.nan) for _ in range(4)))
    for band in found:
        weight, mean, spread, low, high = np.moveaxis(band.reshape(*shape, 5), -1, 0)
        none = weight == 0
        parts = (np.where(none, np.nan, p) for p in (mean, spread, low, high))
        whole = whole.merge(Moments(weight, *parts))
    return whole


def class_areas(
    classes: Pixels,
    coverage: Coverage,
    codes: Sequence[int],
    *,
    areas: ArrayLike | None = None,
    threads: int = 1,
) -> Floats:
    """Weight of each class, by (time,) zone and place in `codes`; what has another code is not counted.

    InputError for classes that are not integers of 8 or 16 bits: a cast to float turns a class that is also
    nodata into NaN, and loses it.
    """
    bits, table = ranks(classes, codes)
    shape = coverage.zones, len(codes)
    return sum_of(banded(add_classes, bits, coverage, shape, table, areas, threads), classes, shape)


def transitions(
    before: Pixels,
    after: Pixels,
    coverage: Coverage,
    codes: Sequence[int],
    *,
    areas: ArrayLike | None = None,
    threads: int = 1,
) -> Floats:
    """Weight of what was one class and became another, by (time,) zone, place in `codes` before, and after.

    Errors as for `class_areas`.
    """
    if before.shape != after.shape:
        raise InputError(f"Classes before have the shape {before.shape}, after {after.shape}: bring them to one grid.")
    (bits, table), (later, other) = ranks(before, codes), ranks(after, codes)
    shape = coverage.zones, len(codes), len(codes)
    extra = later.reshape(-1, *after.shape[-2:]), table, other
    return sum_of(banded(add_changes, bits, coverage, shape, extra, areas, threads), before, shape)


@dataclass(frozen=True, eq=False)
class Histogram:
    """Weight by (time,) zone and bin; two of one zone and the same bins are put together by adding the weights."""

    low: float
    width: float
    weight: Floats
    whole: bool
    """Each bin holds one whole number."""

    def quantile(self, q: float) -> Floats:
        """The least value that a share q of the weight does not exceed, by (time and) zone; NaN without weight.

        Exact where a bin is a whole number; else within the bin in proportion, so less than a width off.
        """
        total = self.weight.sum(axis=-1)
        need = q * total
        reached = np.cumsum(self.weight, axis=-1)
        at = (reached < need[..., None] * (1 - 1e-12)).sum(axis=-1).clip(max=self.weight.shape[-1] - 1)
        at = np.where(need > 0, at, (self.weight > 0).argmax(axis=-1))
        own, upto = (np.take_along_axis(a, at[..., None], -1)[..., 0] for a in (self.weight, reached))
        with np.errstate(invalid="ignore", divide="ignore"):
            within = 0.0 if self.whole else np.clip(1 - (upto - need) / own, 0.0, 1.0)
        return np.where(total > 0, self.low + self.width * (at + within), np.nan)


def histograms(
    values: Pixels,
    coverage: Coverage,
    low: float,
    high: float,
    bins: int | None = None,
    *,
    nodata: float | None = None,
    areas: ArrayLike | None = None,
    threads: int = 1,
) -> Histogram:
    """Weight in equal bins from `low` to `high`; without `bins`, one for each whole number, `high` with it.

    InputError for values outside, which would move every quantile.
    """
    whole = bins is None
    if whole and values.dtype.kind not in "iu":
        raise InputError(f"Values of type {values.dtype} need a number of bins; only integers have one for each.")
    if not low < high + whole or (bins is not None and bins < 1):
        raise InputError(f"There are no bins from {low:g} to {high:g}. Give a low end, a high end above it, and bins.")
    if bins is None:
        low, count, width = math.ceil(low), math.floor(high) - math.ceil(low) + 1, 1.0
    else:
        count, width = bins, (high - low) / bins
    shape = coverage.zones, count + 1
    extra = float(low), width, math.nan if whole else float(high), unseen(nodata)
    found = sum_of(banded(add_histogram, values, coverage, shape, extra, areas, threads), values, shape)
    if found[..., -1].any():
        raise InputError(f"Some values of the zones are not from {low:g} to {high:g}. Widen the bins, or name nodata.")
    return Histogram(float(low), width, found[..., :-1], whole)


@dataclass(frozen=True, eq=False)
class Tally:
    """What one quantity adds up to: areas by zone, and totals of those groups that occur in a zone."""

    seen: Floats
    """Area on which it was seen, (zones)."""
    unseen: Floats
    zone: Integers
    """Of each total; totals are sorted by zone and group."""
    group: Integers
    total: Floats


def tally(
    value: Floats, seen: Floats, areas: Floats, group: Indices, groups: int, coverage: Coverage, *, by_area: bool
) -> Tally:
    """Totals of one quantity by zone and group, and the area on which it was seen or not; arrays (rows, columns).

    A cell adds its value times the share of it in the zone, times the share of it that was `seen`, times its area
    if it is `by_area`, to the total of its `group`. Sums are compensated to twice the precision (Knuth's two-sum),
    so that they depend on the order of cells, and on how they were cut into blocks, in the last bit at most.
    """
    value, seen, areas = (np.ascontiguousarray(a, dtype=np.float64) for a in (value, seen, areas))
    groups = max(groups, 1)  # of cells that nobody saw there are none, and yet each has a place
    some = max(1, DENSE // groups)
    ground = np.zeros((coverage.zones, 2, 2))
    parts = []
    for first in range(0, coverage.zones, some):
        sums = np.zeros((min(some, coverage.zones - first), groups, 2))
        cells = np.zeros(sums.shape[:2], np.int64)
        add_tally(coverage.arrays, value, seen, areas, group, by_area, first, ground, sums, cells)
        zone, own = np.nonzero(cells)
        parts.append((zone + first, own, sums[zone, own].sum(axis=-1)))
    found = [np.concatenate(p) for p in zip(*parts, strict=True)] if parts else [np.empty(0)] * 3
    return Tally(*ground.sum(axis=-1).T, *found)


def banded(
    kernel: Callable[..., None],
    values: Pixels,
    coverage: Coverage,
    shape: tuple[int, ...],
    extra: Any,
    areas: ArrayLike | None,
    threads: int,
) -> Iterator[Floats]:
    """What a kernel makes of each band of rows, from the top down."""
    if values.shape[-2:] != coverage.window.shape or values.ndim not in (2, 3):
        raise InputError(f"An array of the shape {values.shape} does not lie on {coverage.window.shape} cells.")
    cube = np.ascontiguousarray(values).reshape(-1, *values.shape[-2:])
    rows = cube.shape[1]
    factor = np.ones(rows) if areas is None else np.asarray(areas, dtype=np.float64)
    if factor.shape != (rows,):
        raise InputError(f"Give one area for each of {rows} rows; there are {factor.shape} of them.")
    extra = extra if isinstance(extra, tuple | np.ndarray) else unseen(extra)

    def band(top: int, stop: int) -> Floats:
        out = np.zeros((len(cube), *shape))
        kernel(cube, coverage.arrays, top, stop, extra, factor, out)
        return out

    yield from in_parts(band, 0, rows, BAND, threads)


def sum_of(bands: Iterator[Floats], values: Pixels, shape: tuple[int, ...]) -> Floats:
    """All bands added up; without a time axis if the values have none."""
    whole = np.zeros((*values.shape[:-2], *shape))
    for band in bands:
        whole += band.reshape(whole.shape)
    return whole


def unseen(nodata: float | None) -> float:
    """NaN, which equals nothing, for no nodata."""
    return math.nan if nodata is None else float(nodata)


def ranks(classes: Pixels, codes: Sequence[int]) -> tuple[Pixels, NDArray[np.uint16]]:
    """The bits of classes as positive numbers, and the place of the code of each; the number of codes for others."""
    if classes.dtype.kind not in "iu" or classes.dtype.itemsize > 2:
        raise InputError(f"Classes are integers of 8 or 16 bits, not {classes.dtype}. Read them as they are stored.")
    limits = np.iinfo(classes.dtype)
    if beyond := [c for c in codes if not limits.min <= c <= limits.max]:
        raise InputError(f"No cell of type {classes.dtype} can have the class {beyond[0]}.")
    if len(set(codes)) < len(codes):
        raise InputError(f"A class stands twice in {list(codes)}.")
    table = np.full(2 ** (8 * classes.dtype.itemsize), len(codes), np.uint16)
    table[np.asarray(codes, np.int64) % len(table)] = np.arange(len(codes))
    return np.ascontiguousarray(classes).view(f"u{classes.dtype.itemsize}"), table


@njit(nogil=True, cache=True, error_model="numpy")
def add_sums(values: Pixels, coverage: Arrays, top: int, stop: int, nodata: float, factor: Floats, out: Floats) -> None:
    cell_rows, cell_zone, cell_column, cell_share, run_rows, run_zone, run_start, run_stop = coverage
    for t in range(len(values)):
        for r in range(top, stop):
            line, below = values[t, r], values[t, min(r + 1, stop - 1)]
            for n in range(run_rows[r], run_rows[r + 1]):
                prefetch(below[run_start[n] : run_stop[n]])
                count, total, _, _, _ = lane_sums(line[run_start[n] : run_stop[n]], nodata, 0.0)
                out[t, run_zone[n], 0] += total * factor[r]
                out[t, run_zone[n], 1] += count * factor[r]
            for n in range(cell_rows[r], cell_rows[r + 1]):
                v = np.float64(line[cell_column[n]])
                if v == v and v != nodata:
                    weight = cell_share[n] * factor[r]
                    out[t, cell_zone[n], 0] += v * weight
                    out[t, cell_zone[n], 1] += weight


@njit(nogil=True, cache=True, error_model="numpy")
def add_moments(
    values: Pixels, coverage: Arrays, top: int, stop: int, nodata: float, factor: Floats, out: Floats
) -> None:
    cell_rows, cell_zone, cell_column, cell_share, run_rows, run_zone, run_start, run_stop = coverage
    for t in range(len(values)):
        for r in range(top, stop):
            line = values[t, r]
            for n in range(run_rows[r], run_rows[r + 1]):
                run = line[run_start[n] : run_stop[n]]
                count, total, _, low, high = lane_sums(run, nodata, 0.0)
                if count > 0:
                    _, off, squares, _, _ = lane_sums(run, nodata, total / count)
                    spread = max(squares - off * off / count, 0.0) * factor[r]
                    join(out[t, run_zone[n]], count * factor[r], total / count, spread, low, high)
            for n in range(cell_rows[r], cell_rows[r + 1]):
                v = np.float64(line[cell_column[n]])
                if v == v and v != nodata:
                    join(out[t, cell_zone[n]], cell_share[n] * factor[r], v, 0.0, v, v)


@njit(nogil=True, cache=True, error_model="numpy")
def join(held: Floats, weight: float, mean: float, spread: float, low: float, high: float) -> None:
    """More cells into weight, mean, spread, low, high."""
    if held[0] == 0:
        held[3], held[4] = low, high
    part = weight / (held[0] + weight)
    apart = mean - held[1]
    held[2] += spread + apart * apart * held[0] * part
    held[1] += apart * part
    held[0] += weight
    held[3], held[4] = min(held[3], low), max(held[4], high)


@njit(nogil=True, cache=True, error_model="numpy")
def add_classes(values: Pixels, coverage: Arrays, top: int, stop: int, table: Any, factor: Floats, out: Floats) -> None:
    cell_rows, cell_zone, cell_column, cell_share, run_rows, run_zone, run_start, run_stop = coverage
    codes = out.shape[2]
    counts = np.zeros((4, codes + 1), np.int64)  # four, for neighbours of one class would wait for each other
    for t in range(len(values)):
        for r in range(top, stop):
            line, below = values[t, r], values[t, min(r + 1, stop - 1)]
            for n in range(run_rows[r], run_rows[r + 1]):
                prefetch(below[run_start[n] : run_stop[n]])
                start, end = run_start[n], run_stop[n]
                fours = start + (end - start) // 4 * 4
                for c in range(start, fours, 4):
                    counts[0, table[line[c]]] += 1
                    counts[1, table[line[c + 1]]] += 1
                    counts[2, table[line[c + 2]]] += 1
                    counts[3, table[line[c + 3]]] += 1
                for c in range(fours, end):
                    counts[0, table[line[c]]] += 1
                for k in range(codes):
                    found = counts[0, k] + counts[1, k] + counts[2, k] + counts[3, k]
                    out[t, run_zone[n], k] += found * factor[r]
                    counts[0, k] = counts[1, k] = counts[2, k] = counts[3, k] = 0
            for n in range(cell_rows[r], cell_rows[r + 1]):
                k = table[line[cell_column[n]]]
                if k < codes:
                    out[t, cell_zone[n], k] += cell_share[n] * factor[r]


@njit(nogil=True, cache=True, error_model="numpy")
def add_changes(values: Pixels, coverage: Arrays, top: int, stop: int, later: Any, factor: Floats, out: Floats) -> None:
    after, table, table_after = later
    cell_rows, cell_zone, cell_column, cell_share, run_rows, run_zone, run_start, run_stop = coverage
    codes = out.shape[2]
    for t in range(len(values)):
        for r in range(top, stop):
            for n in range(run_rows[r], run_rows[r + 1]):
                for c in range(run_start[n], run_stop[n]):
                    i = table[values[t, r, c]]
                    j = table_after[after[t, r, c]]
                    if i < codes and j < codes:
                        out[t, run_zone[n], i, j] += factor[r]
            for n in range(cell_rows[r], cell_rows[r + 1]):
                i = table[values[t, r, cell_column[n]]]
                j = table_after[after[t, r, cell_column[n]]]
                if i < codes and j < codes:
                    out[t, cell_zone[n], i, j] += cell_share[n] * factor[r]


@njit(nogil=True, cache=True, error_model="numpy")
def add_histogram(values: Pixels, coverage: Arrays, top: int, stop: int, how: Any, factor: Floats, out: Floats) -> None:
    cell_rows, cell_zone, cell_column, cell_share, run_rows, run_zone, run_start, run_stop = coverage
    for t in range(len(values)):
        for r in range(top, stop):
            line = values[t, r]
            for n in range(run_rows[r], run_rows[r + 1]):
                for c in range(run_start[n], run_stop[n]):
                    put(out[t, run_zone[n]], np.float64(line[c]), factor[r], how)
            for n in range(cell_rows[r], cell_rows[r + 1]):
                put(out[t, cell_zone[n]], np.float64(line[cell_column[n]]), cell_share[n] * factor[r], how)


@njit(nogil=True, cache=True, error_model="numpy")
def put(weights: Floats, value: float, weight: float, how: Any) -> None:
    """A weight into the bin of a value; the last one holds what lies outside."""
    low, width, high, nodata = how
    if value == value and value != nodata:
        place = (value - low) / width
        last = len(weights) - 1
        if 0 <= place < last and value != high:
            weights[int(place)] += weight
        elif value == high:
            weights[last - 1] += weight
        else:
            weights[last] += weight


@njit(nogil=True, cache=True, error_model="numpy")
def add_tally(
    coverage: Arrays,
    value: Floats,
    seen: Floats,
    areas: Floats,
    group: Indices,
    by_area: bool,
    first: int,
    ground: Floats,
    sums: Floats,
    cells: Integers,
) -> None:
    """Of the zones from `first` on, as many as `sums` has room for."""
    cell_rows, cell_zone, cell_column, cell_share, run_rows, run_zone, run_start, run_stop = coverage
    for r in range(len(cell_rows) - 1):
        for n in range(run_rows[r], run_rows[r + 1]):
            z = run_zone[n] - first
            if 0 <= z < len(sums):
                for c in range(run_start[n], run_stop[n]):
                    k, known, own = group[r, c], seen[r, c], ground[z + first]
                    cells[z, k] += add_cell(1.0, value[r, c], known, areas[r, c], by_area, own, sums[z, k])
        for n in range(cell_rows[r], cell_rows[r + 1]):
            z, c = cell_zone[n] - first, cell_column[n]
            if 0 <= z < len(sums):
                k, known, own = group[r, c], seen[r, c], ground[z + first]
                cells[z, k] += add_cell(cell_share[n], value[r, c], known, areas[r, c], by_area, own, sums[z, k])


@njit(nogil=True, cache=True, error_model="numpy")
def add_cell(
    share: float, value: float, known: float, area: float, by_area: bool, ground: Floats, total: Floats
) -> int:
    """A cell into the areas seen and unseen and into its total; 1 if anything of it was seen."""
    own = share * area
    two_sum(ground[0], own * known)
    two_sum(ground[1], own * (1 - known))
    if known > 0:
        two_sum(total, value * ((own if by_area else share) * known))
        return 1
    return 0


@njit(nogil=True, cache=True, error_model="numpy")
def two_sum(held: Floats, more: float) -> None:
    """Add to a sum and to what rounding has taken from it."""
    total = held[0] + more
    back = total - held[0]
    held[1] += (held[0] - (total - back)) + (more - back)
    held[0] = total
