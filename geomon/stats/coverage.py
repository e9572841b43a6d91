"""The exact share of each cell that lies in a polygon, by the signed area of its edges.

Every edge is cut at the grid lines it crosses. A piece that runs `dv` rows down at the mean column `u` of its
cell leaves `dv` times the rest of that cell, and `dv` of every cell to the right of it, on its inner side; one
running sum along each row turns these into shares. Holes run the other way round and subtract themselves.
(The method of anti-aliased font rasterisers; no step of it samples.)
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from shapely.geometry.base import BaseGeometry

from geomon.grid import Floats, Window, oriented_rings

Integers = NDArray[np.int64]
ROUNDING = 1e-11  # shares this near to 0 or 1 are 0 or 1


@dataclass(frozen=True)
class Cover:
    """The cells of a window that a zone touches."""

    cells: Integers
    """Flat indices into the window, in rising order."""
    share: Floats
    """Share of each in the zone, above 0 and at most 1."""


def cover(geometry: BaseGeometry, window: Window) -> Cover:
    """The exact share of each cell of the window inside the geometry, whose edges are straight in the grid's CRS."""
    nothing = Cover(np.empty(0, np.int64), np.empty(0))
    near = None if geometry.is_empty else window.intersect(window.grid.cover(geometry.bounds))
    if near is None:
        return nothing
    pieces = [signed_pieces(ring, near) for ring in oriented_rings(geometry)]
    if not any(len(p[0]) for p in pieces):
        return nothing
    height, width = near.shape
    row, column, dv, u = (np.concatenate(parts) for parts in zip(*pieces, strict=True))
    left = column < 0
    rest = np.where(left, 1.0, column + 1 - u)
    column = np.where(left, 0, column)
    inside = column < width
    row, column, dv, rest = row[inside], column[inside], dv[inside], rest[inside]
    deltas = np.bincount(row * (width + 1) + column, weights=dv * rest, minlength=height * (width + 1))
    deltas += np.bincount(row * (width + 1) + column + 1, weights=dv * (1 - rest), minlength=height * (width + 1))
    share = np.cumsum(deltas.reshape(height, width + 1), axis=1)[:, :width]
    share[np.abs(share) < ROUNDING] = 0.0
    share[np.abs(share - 1) < ROUNDING] = 1.0
    i, j = np.nonzero(share > 0)
    cells = (i + near.i0 - window.i0) * window.shape[1] + j + near.j0 - window.j0
    return Cover(cells, np.minimum(share[i, j], 1.0))


def signed_pieces(ring: Floats, window: Window) -> tuple[Integers, Integers, Floats, Floats]:
    """Row, column, rows run down and mean column of each piece of a ring, within the window's rows.

    Coordinates are taken relative to a cell of the lattice near the ring, never to the window: a cell gets the
    same share in whatever window it is asked for.
    """
    grid = window.grid
    j, i = np.floor((ring[0, 0] - grid.x0) / grid.dx), np.floor((grid.y0 - ring[0, 1]) / grid.dy)
    u = (ring[:, 0] - (grid.x0 + j * grid.dx)) / grid.dx
    v = ((grid.y0 - i * grid.dy) - ring[:, 1]) / grid.dy
    top, bottom = window.i0 - int(i), window.i1 - int(i)
    a, b = np.column_stack([u[:-1], v[:-1]]), np.column_stack([u[1:], v[1:]])
    near = (np.minimum(a[:, 1], b[:, 1]) < bottom) & (np.maximum(a[:, 1], b[:, 1]) > top) & (a[:, 1] != b[:, 1])
    near &= np.minimum(a[:, 0], b[:, 0]) < window.j1 - int(j)
    a, b = a[near], b[near]
    a, b = cut(a, b, 1)
    mid = (a[:, 1] + b[:, 1]) / 2
    kept = (mid > top) & (mid < bottom)
    a, b = cut(a[kept], b[kept], 0)
    middle = (a + b) / 2
    row, column = np.floor(middle[:, 1]).astype(np.int64) - top, np.floor(middle[:, 0]).astype(np.int64)
    row = np.clip(row, 0, window.shape[0] - 1)  # a vanishing piece at an edge may round across it
    first = window.j0 - int(j)
    return row, column - first, b[:, 1] - a[:, 1], middle[:, 0] - first


def cut(a: Floats, b: Floats, axis: int) -> tuple[Floats, Floats]:
    """Segments from a to b, cut wherever they cross an integer of one axis."""
    low, high = np.minimum(a[:, axis], b[:, axis]), np.maximum(a[:, axis], b[:, axis])
    first, last = np.floor(low).astype(np.int64) + 1, np.ceil(high).astype(np.int64) - 1
    crossings = np.maximum(last - first + 1, 0)
    many = crossings > 0
    if not many.any():
        return a, b
    whole_a, whole_b = a[~many], b[~many]
    a, b, n, first, last = a[many], b[many], crossings[many], first[many], last[many]
    down = b[:, axis] < a[:, axis]
    which = np.repeat(np.arange(len(n)), n)
    step = np.arange(n.sum()) - np.repeat(np.cumsum(n) - n, n)
    line = np.where(down[which], last[which] - step, first[which] + step).astype(float)
    t = (line - a[which, axis]) / (b[which, axis] - a[which, axis])
    points = a[which] + t[:, None] * (b[which] - a[which])
    points[:, axis] = line
    ends = np.cumsum(n)
    starts = np.insert(points, ends - n, a, axis=0)
    stops = np.insert(points, ends, b, axis=0)
    return np.concatenate([whole_a, starts]), np.concatenate([whole_b, stops])
