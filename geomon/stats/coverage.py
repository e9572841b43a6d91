"""The exact share of each cell that lies in a polygon, by the signed area of its edges.

Every edge is cut at the grid lines it crosses. A piece that runs `dv` rows down at the mean column `u` of its
cell leaves `dv` times the rest of that cell, and `dv` of every cell to the right of it, on its inner side; one
running sum along each row of touched cells turns these into shares, and what lies between two of them is whole
or not covered. Holes run the other way round and subtract themselves. (The method of anti-aliased font
rasterisers; no step of it samples.) Work and memory grow with the border of a zone, not with its area.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil, floor
from typing import Any

import numpy as np
import shapely
from numba import njit
from numpy.typing import NDArray
from shapely.geometry.base import BaseGeometry

from geomon.errors import InputError
from geomon.grid import Floats, Window
from geomon.stats.threads import in_parts

Integers = NDArray[np.int64]
Indices = NDArray[np.int32]
Arrays = tuple[Integers, Indices, Indices, Floats, Integers, Indices, Indices, Indices]
Placed = tuple[Floats, Integers, Floats, Integers, Floats]
Touched = tuple[Indices, Indices, Indices, Integers, Integers]
ROUNDING = 1e-11  # shares this near to 1 are 1; those this near to 0, of a cell or of a zone that is smaller, are 0
ONE = 2.0**60  # parts of a cell: heights and areas are added as whole numbers, so that no order of them matters
STRETCH = 128  # edges that are passed over at once where they are far
BAND = 128  # rows swept at once, so that their pieces stay in the processor's cache


@dataclass(frozen=True, eq=False)
class Coverage:
    """Shares of the cells of a window in its zones, row by row: partly covered cells one by one, whole ones as runs."""

    window: Window
    zones: int
    cell_rows: Integers
    """(rows + 1): the partly covered cells of row r are `cell_rows[r]` to `cell_rows[r + 1]`, by zone and column."""
    cell_zone: Indices
    cell_column: Indices
    cell_share: Floats
    """Above 0 and below 1."""
    run_rows: Integers
    """(rows + 1), of the runs, likewise."""
    run_zone: Indices
    run_start: Indices
    """First column."""
    run_stop: Indices
    """Column after the last."""

    @property
    def arrays(self) -> Arrays:
        """All of it, as kernels take it."""
        cells = self.cell_rows, self.cell_zone, self.cell_column, self.cell_share
        return *cells, self.run_rows, self.run_zone, self.run_start, self.run_stop

    @property
    def nbytes(self) -> int:
        """Memory of it."""
        return sum(a.nbytes for a in self.arrays)

    @property
    def cells(self) -> Floats:
        """How many cells each zone covers of the window, by their shares."""
        out = np.bincount(self.cell_zone, self.cell_share, self.zones).astype(np.float64)
        out += np.bincount(self.run_zone, self.run_stop - self.run_start, self.zones)
        return out

    @property
    def touched(self) -> NDArray[np.bool_]:
        """Whether a zone has any cell of the window."""
        return self.cells > 0

    def on_cells(self) -> Floats:
        """The share of each cell in all zones together, shape (rows, columns)."""
        out = np.zeros(self.window.shape)
        put(self.arrays, out)
        return out


def cover(geometries: Sequence[BaseGeometry | None], window: Window, threads: int = 1) -> Coverage:
    """The exact share of each cell of the window in each polygon, whose edges are straight in the grid's CRS.

    A cell has the same share, to the bit, in whatever window and among whatever zones it is asked for. Parts of a
    polygon that overlap count once. InputError for coordinates that are not finite.
    """
    grid, width = window.grid, window.shape[1]
    polygons, zone = shapely.get_parts(np.asarray(geometries, dtype=object), return_index=True)
    polygons, inner = shapely.get_parts(polygons, return_index=True)  # of a multipolygon in a collection
    rings, part = shapely.get_rings(polygons, return_index=True)
    xy = shapely.get_coordinates(rings)
    ends = np.insert(np.cumsum(shapely.get_num_coordinates(rings), dtype=np.int64), 0, 0)
    if not np.isfinite(xy).all():
        raise InputError(
            "A zone has coordinates that are not finite. Repair it, or cut it to where the CRS is defined."
        )
    uv, corner, area, stretch, box = place(xy, ends, grid.x0, grid.y0, grid.dx, grid.dy)
    shell = np.diff(part, prepend=-1) != 0
    sign = np.sign(area) * np.where(shell, 1.0, -1.0)
    owner = zone[inner][part]
    size = np.bincount(owner, np.abs(area) * np.where(shell, 1, -1), len(geometries))
    least = (ROUNDING * np.clip(size, 0.0, 1.0)).astype(np.float64)

    def band(i0: int, i1: int) -> Arrays:
        found = pieces(uv, stretch, box, corner, sign, owner, i0, i1, window.j0, width)
        return sweep(found, least, i1 - i0, width)

    bands = in_parts(band, window.i0, window.i1, BAND, threads)
    parts = [np.concatenate(p) for p in zip(*bands, strict=True)]
    for per_row in (0, 4):
        parts[per_row] = np.insert(np.cumsum(parts[per_row]), 0, 0)
    return Coverage(window, len(geometries), *parts)


@njit(nogil=True, cache=True, error_model="numpy")
def place(xy: Floats, ends: Integers, x0: float, y0: float, dx: float, dy: float) -> Placed:
    """Columns and rows of vertices from a lattice cell near their ring; that cell; the signed area of each ring.

    And first edge, edge after the last, ring and box of each stretch of a border, which may be far from a window.

    Relative to the lattice, never to a window, or the same cell would differ from one window to the next; near,
    or digits would be lost in large coordinates.
    """
    uv = np.empty_like(xy)
    corner = np.empty((len(ends) - 1, 2), np.int64)
    area = np.zeros(len(ends) - 1)
    many = 0
    for ring in range(len(ends) - 1):
        many += (ends[ring + 1] - ends[ring]) // STRETCH + 1
    stretch, box = np.empty((many, 3), np.int64), np.full((many, 3), np.inf)
    many = 0
    for ring in range(len(ends) - 1):
        a, b = ends[ring], ends[ring + 1]
        j, i = floor((xy[a, 0] - x0) / dx), floor((y0 - xy[a, 1]) / dy)
        corner[ring, 0], corner[ring, 1] = i, j
        west, north = x0 + j * dx, y0 - i * dy
        for k in range(a, b):
            u, v = (xy[k, 0] - west) / dx, (north - xy[k, 1]) / dy
            uv[k, 0], uv[k, 1] = u, v
        for k in range(a, b - 1):
            area[ring] += (uv[k, 0] - uv[a, 0]) * (uv[k + 1, 1] - uv[a, 1]) / 2
            area[ring] -= (uv[k + 1, 0] - uv[a, 0]) * (uv[k, 1] - uv[a, 1]) / 2
        for first in range(a, b - 1, STRETCH):
            last = min(first + STRETCH, b - 1)
            stretch[many, 0], stretch[many, 1], stretch[many, 2] = first, last, ring
            for k in range(first, last + 1):
                box[many, 0] = min(box[many, 0], uv[k, 0])
                box[many, 1], box[many, 2] = min(box[many, 1], uv[k, 1]), min(box[many, 2], -uv[k, 1])
            many += 1
    return uv, corner, -area, stretch[:many], box[:many]  # the area is negative, for rows run down


@njit(nogil=True, cache=True, error_model="numpy")
def pieces(
    uv: Floats,
    stretch: Integers,
    box: Floats,
    corner: Integers,
    sign: Floats,
    owner: Integers,
    i0: int,
    i1: int,
    j0: int,
    width: int,
) -> Touched:
    """Row, column + 1, zone, height and area (in parts of a cell) of the pieces of edges in rows i0:i1.

    Neighbours in one cell are one piece. Column 0 holds what lies left of the window: its height is all that
    counts, and does not depend on where it was cut. What lies right of the window changes nothing in it.
    """
    room = 1
    near = np.zeros(len(stretch), np.bool_)
    for s in range(len(stretch)):
        ring = stretch[s, 2]
        top, bottom = float(i0 - corner[ring, 0]), float(i1 - corner[ring, 0])
        left, right = float(j0 - corner[ring, 1]), float(j0 + width - corner[ring, 1])
        near[s] = box[s, 0] < right and box[s, 1] < bottom and -box[s, 2] > top
        if not near[s]:
            continue
        for k in range(stretch[s, 0], stretch[s, 1]):
            down = min(max(uv[k, 1], uv[k + 1, 1]), bottom) - max(min(uv[k, 1], uv[k + 1, 1]), top)
            if down >= 0:
                across = min(max(uv[k, 0], uv[k + 1, 0]), right) - max(min(uv[k, 0], uv[k + 1, 0]), left)
                room += int(down) + int(max(across, 0.0)) + 4
    row, column, zone = np.empty(room, np.int32), np.empty(room, np.int32), np.empty(room, np.int32)
    height, area = np.empty(room, np.int64), np.empty(room, np.int64)
    n = 0
    for s in range(len(stretch)):
        if not near[s]:
            continue
        ring = stretch[s, 2]
        top, bottom, first = i0 - corner[ring, 0], i1 - corner[ring, 0], j0 - corner[ring, 1]
        for k in range(stretch[s, 0], stretch[s, 1]):
            ua, va, ub, vb = uv[k, 0], uv[k, 1], uv[k + 1, 0], uv[k + 1, 1]
            way = int(sign[ring])
            if va > vb:  # an edge is cut alike from both sides, so that neighbours share their border
                ua, va, ub, vb, way = ub, vb, ua, va, -way
            if va == vb or vb <= top or va >= bottom:
                continue
            slope = (ub - ua) / (vb - va)
            r = max(floor(va), top)
            us = ua if va >= r else min(max(ua + (r - va) * slope, min(ua, ub)), max(ua, ub))
            while r < vb and r < bottom:
                ue = ub if vb <= r + 1 else min(max(ua + (r + 1 - va) * slope, min(ua, ub)), max(ua, ub))
                fs, fe = np.int64((max(va, r) - r) * ONE), np.int64((min(vb, r + 1.0) - r) * ONE)
                low, high = (us, ue) if us <= ue else (ue, us)
                c, last = floor(low), max(floor(low), ceil(high) - 1)
                done = np.int64(0)
                whole = fe - fs
                if c < first:
                    c = min(last + 1, first)
                    done = whole if last < first else np.int64((first - low) / (high - low) * whole)
                    row[n], column[n], zone[n], height[n], area[n] = r - top, 0, owner[ring], way * done, 0
                    n += 1
                while c <= last and c < first + width:
                    upto = whole if c == last else np.int64((c + 1 - low) / (high - low) * whole)
                    rest = c + 1 - (max(low, c) + min(high, c + 1.0)) / 2
                    dv = upto - done
                    part = np.int64(np.rint(dv * rest))
                    at = c - first + 1
                    if n and row[n - 1] == r - top and column[n - 1] == at and zone[n - 1] == owner[ring]:
                        height[n - 1] += way * dv
                        area[n - 1] += way * part
                    else:
                        row[n], column[n], zone[n], height[n], area[n] = r - top, at, owner[ring], way * dv, way * part
                        n += 1
                    done = upto
                    c += 1
                us = ue
                r += 1
    return row[:n], column[:n], zone[:n], height[:n], area[:n]


@njit(nogil=True, cache=True, error_model="numpy")
def sweep(found: Touched, least: Floats, rows: int, width: int) -> Arrays:
    """The arrays of a Coverage, from pieces in any order, but with the number of cells and runs in each row."""
    row, column, zone, height, area = found
    order = ordered(row, rows, ordered(zone, len(least), ordered(column, width + 1, np.arange(len(row)))))
    cell_rows, run_rows = np.zeros(rows, np.int64), np.zeros(rows, np.int64)
    cell_zone, cell_column = np.empty(len(row) + 1, np.int32), np.empty(len(row) + 1, np.int32)
    cell_share = np.empty(len(row) + 1)
    run_zone = np.empty(2 * len(row), np.int32)
    run_start, run_stop = np.empty(2 * len(row), np.int32), np.empty(2 * len(row), np.int32)
    cells, runs, n = 0, 0, 0
    while n < len(order):
        r, z = row[order[n]], zone[order[n]]
        first_cell, first_run, inside = cells, runs, np.int64(0)
        while n < len(order) and row[order[n]] == r and zone[order[n]] == z:
            c, own = column[order[n]] - 1, inside
            while n < len(order) and row[order[n]] == r and zone[order[n]] == z and column[order[n]] - 1 == c:
                own += area[order[n]]
                inside += height[order[n]]
                n += 1
            more = n < len(order) and row[order[n]] == r and zone[order[n]] == z
            beyond = column[order[n]] - 1 if more else width
            for share, start, stop in ((own / ONE, c, c + 1), (inside / ONE, c + 1, beyond)):
                if start < 0 or start >= stop or share <= least[z]:
                    continue
                if share < 1 - ROUNDING:
                    for at in range(start, stop):  # more than one along an edge that is horizontal
                        if cells == len(cell_share):
                            cell_zone, cell_column = grown(cell_zone), grown(cell_column)
                            cell_share = grown(cell_share)
                        cell_zone[cells], cell_column[cells], cell_share[cells] = z, at, share
                        cells += 1
                elif runs > first_run and run_stop[runs - 1] == start:
                    run_stop[runs - 1] = stop
                else:
                    run_zone[runs], run_start[runs], run_stop[runs] = z, start, stop
                    runs += 1
        cell_rows[r] += cells - first_cell
        run_rows[r] += runs - first_run
    crossed = cell_zone[:cells].copy(), cell_column[:cells].copy(), cell_share[:cells].copy()
    return cell_rows, *crossed, run_rows, run_zone[:runs].copy(), run_start[:runs].copy(), run_stop[:runs].copy()


@njit(nogil=True, cache=True)
def ordered(key: Indices, keys: int, order: Integers) -> Integers:
    """The order, stably sorted by a key from 0 to `keys`."""
    begin = np.zeros(keys + 1, np.int64)
    for k in key:
        begin[k + 1] += 1
    for k in range(keys):
        begin[k + 1] += begin[k]
    out = np.empty_like(order)
    for n in order:
        out[begin[key[n]]] = n
        begin[key[n]] += 1
    return out


@njit(nogil=True, cache=True)
def grown(array: Any) -> Any:
    """The same with room for as much again."""
    return np.concatenate((array, np.empty_like(array)))


@njit(nogil=True, cache=True)
def put(coverage: Arrays, out: Floats) -> None:
    """Add all shares onto an array."""
    cell_rows, _, cell_column, cell_share, run_rows, _, run_start, run_stop = coverage
    for r in range(len(cell_rows) - 1):
        for n in range(cell_rows[r], cell_rows[r + 1]):
            out[r, cell_column[n]] += cell_share[n]
        for n in range(run_rows[r], run_rows[r + 1]):
            for c in range(run_start[n], run_stop[n]):
                out[r, c] += 1.0
