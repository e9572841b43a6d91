"""Pixels onto another grid: classes by the nearest cell, rates by average, amounts split by area.

Each gives the values and the share of every target cell that was seen. A cell that was seen in part holds what
its seen part says about it (the mean rate, or the amount that the whole cell would hold at the same density), so
that value times seen share is what was seen: 5 % of holes in a fine source take 5 % of the ground, not every
coarse cell that has one.
"""

import math
from dataclasses import replace

import numpy as np

from geomon.grid import Floats, Grid, Window, authalic, is_geographic, poles, transformer
from geomon.stats.coverage import Integers

COARSE = 1 / 8  # of a source cell: the width of a target cell below which an amount is given as a density
LEAST = 1e-9  # of a cell: less than this was not seen
POINTS = 2**22  # placed at once
FINEST = 512  # points along the side of a cell
Moved = tuple[Floats, Floats]


def move(array: Floats, origin: Window, to: Window, kind: str, seen: Floats | None = None) -> Moved:
    """Values (..., rows, columns) on `origin` as values and seen shares on `to`; NaN and 0 where nothing was seen.

    `seen` is the share of each origin cell that was seen; without it, all of every cell that is not NaN.
    """
    seen = np.isfinite(array).astype(float) if seen is None else np.where(np.isfinite(array), seen, 0.0)
    if origin.grid == to.grid:
        return to.take(array, origin), np.nan_to_num(to.take(seen, origin))
    if kind == "class":
        return nearest(array, origin, to, seen)
    if origin.grid.crs == to.grid.crs:
        return by_overlap(array, origin, to, kind, seen)
    return by_points(array, origin, to, kind, seen)


def reach(grid: Grid, to: Window) -> Window:
    """The window of another grid that holds all of `to`, and a cell around it; in degrees it may run beyond 180."""
    if grid == to.grid:
        return to
    west, south, east, north = to.bounds
    if grid.crs != to.grid.crs:
        x, y = edge_points(to)
        x, y = transformer(to.grid.crs, grid.crs).transform(x, y)
        good = np.isfinite(x) & np.isfinite(y)
        x, y = x[good], y[good]
        if is_geographic(grid.crs):
            x = one_turn(x, middle(to, grid.crs))
        west, south, east, north = x.min(), y.min(), x.max(), y.max()
        for latitude, px, py in poles(to.grid.crs) if is_geographic(grid.crs) else ():
            if to.bounds[0] <= px <= to.bounds[2] and to.bounds[1] <= py <= to.bounds[3]:
                west, east, south, north = -180.0, 180.0, min(south, latitude), max(north, latitude)
    return grid.cover((float(west), float(south), float(east), float(north)), margin=1)


def edge_points(window: Window) -> tuple[Floats, Floats]:
    """Points along the border of a window, close enough that a curved image of it is held by them."""
    west, south, east, north = window.bounds
    n = 65 if east - west < 20 or not is_geographic(window.grid.crs) else 1025
    t = np.linspace(0, 1, n)
    x = np.concatenate([west + t * (east - west)] * 2 + [np.full(n, west), np.full(n, east)])
    y = np.concatenate([np.full(n, south), np.full(n, north)] + [south + t * (north - south)] * 2)
    return x, y


def middle(window: Window, crs: str) -> float:
    """The longitude, in a CRS of degrees, of the middle of a window."""
    west, south, east, north = window.bounds
    x, _ = transformer(window.grid.crs, crs).transform((west + east) / 2, (south + north) / 2)
    return float(x) if math.isfinite(x) else 0.0


def one_turn(longitude: Floats, near: float) -> Floats:
    """Longitudes as they run on within half a turn of one of them."""
    with np.errstate(invalid="ignore"):
        return np.asarray(longitude + 360 * np.round((near - longitude) / 360))


def nearest(array: Floats, origin: Window, to: Window, seen: Floats) -> Moved:
    """The value of the cell that holds the centre of each target cell."""
    y, x = to.centres
    if origin.grid.crs == to.grid.crs:
        i, j = np.meshgrid(*rows_columns(origin, x, y), indexing="ij")
    else:
        xx, yy = np.meshgrid(x, y)
        i, j = rows_columns(origin, *transformer(to.grid.crs, origin.grid.crs).transform(xx, yy))
    return pick(array, i, j, np.nan), pick(seen, i, j, 0.0)


def pick(array: Floats, i: Integers, j: Integers, outside: float) -> Floats:
    """Cells (..., i, j) of an array; `outside` where there is none."""
    height, width = array.shape[-2:]
    inside = (i >= 0) & (i < height) & (j >= 0) & (j < width)
    return np.where(inside, array[..., np.clip(i, 0, height - 1), np.clip(j, 0, width - 1)], outside)


def rows_columns(window: Window, x: Floats, y: Floats) -> tuple[Integers, Integers]:
    """Row and column in the window of coordinates of its CRS; a point on an edge belongs to the cell below or right."""
    grid = window.grid
    far = -(2**31)
    west, _, east, _ = window.bounds
    if is_geographic(grid.crs) and not -180 <= west <= east <= 180:
        x = one_turn(x, (west + east) / 2)
    with np.errstate(invalid="ignore"):
        i, j = np.floor((grid.y0 - y) / grid.dy + 1e-9), np.floor((x - grid.x0) / grid.dx + 1e-9)
    i, j = np.where(np.isfinite(i), i, far), np.where(np.isfinite(j), j, far)
    return i.astype(np.int64) - window.i0, j.astype(np.int64) - window.j0


def by_overlap(array: Floats, origin: Window, to: Window, kind: str, seen: Floats) -> Moved:
    """Exact overlaps of two lattices of one CRS, by true area where rows differ in it."""
    parts = []
    for target, source in ((heights(to), heights(origin)), (to.edges[1], origin.edges[1])):
        low, high = np.maximum(target[:-1, None], source[:-1]), np.minimum(target[1:, None], source[1:])
        parts.append((np.clip(high - low, 0, None), np.diff(source), np.diff(target)))
    (rows, source_rows, target_rows), (columns, source_columns, target_columns) = parts
    filled = np.where(seen > 0, array, 0.0) * seen
    ground = (rows / target_rows[:, None]) @ seen @ (columns / target_columns[:, None]).T
    if kind == "amount":
        summed = (rows / source_rows) @ filled @ (columns / source_columns).T
    else:
        summed = (rows / target_rows[:, None]) @ filled @ (columns / target_columns[:, None]).T
    return per_seen(summed, ground)


def heights(window: Window) -> Floats:
    """Rising numbers from the top row edge down, proportional to true area along a column."""
    y = window.edges[0]
    return -authalic(window.grid.crs, y) if is_geographic(window.grid.crs) else -y


def per_seen(summed: Floats, ground: Floats) -> Moved:
    """What each whole cell would hold, from what its seen part holds."""
    ground = np.where(ground > 1 - LEAST, 1.0, np.where(ground < LEAST, 0.0, ground))
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(ground > 0, summed / ground, np.nan), ground


def by_points(array: Floats, origin: Window, to: Window, kind: str, seen: Floats) -> Moved:
    """Between two CRSs, by a regular lattice of points.

    They lie in the source's cells for amounts, of which nothing is then lost or doubled, and for rates of cells
    that are smaller, so that every one of them counts; else in the target's. An amount of a cell much larger than
    the target's is a density to them.
    """
    ratio = cell_ratio(origin.grid, to.grid)
    if kind == "amount" and ratio < COARSE:
        density, ground = by_points(array / origin.areas, origin, to, "rate", seen)
        return density * to.areas, ground
    if kind == "amount" or ratio >= 2:
        return scatter(array, origin, to, kind, finely(ratio), seen)
    n = math.ceil(2 * max(1.0, ratio))
    x, y = points_in(to, n)
    i, j = rows_columns(origin, *transformer(to.grid.crs, origin.grid.crs).transform(x, y))
    known = pick(seen, i, j, 0.0)
    found = np.where(known > 0, pick(array, i, j, 0.0), 0.0) * known
    cells = (*array.shape[:-2], to.shape[0], n, to.shape[1], n)
    summed, ground = (v.reshape(cells).mean(axis=(-3, -1)) for v in (found, known))
    return per_seen(summed, ground)


def finely(ratio: float) -> int:
    """Points along the side of a source cell: 4 for each target cell, fewer where that holds many of the source."""
    if ratio >= 4:
        return 1 if ratio >= 16 else 2
    return min(math.ceil(4 * max(1.0, 1 / ratio)), FINEST)


def scatter(array: Floats, origin: Window, to: Window, kind: str, n: int, seen: Floats) -> Moved:
    """Each source cell in n x n equal parts, dropped where their centres fall, some rows of the source at a time."""
    change = transformer(origin.grid.crs, to.grid.crs)
    height, width = to.shape
    size, lead = height * width, array.shape[:-2]
    held = np.where(seen > 0, array, 0.0) * seen
    summed, ground, points = np.zeros((*lead, size)), np.zeros((*seen.shape[:-2], size)), np.zeros(size)
    rows = max(1, POINTS // (origin.shape[1] * n * n))
    for top in range(0, origin.shape[0], rows):
        strip = replace(origin, i0=origin.i0 + top, i1=min(origin.i0 + top + rows, origin.i1))
        i, j = rows_columns(to, *change.transform(*points_in(strip, n)))
        inside = (i >= 0) & (i < height) & (j >= 0) & (j < width)
        where = (i * width + j)[inside]
        part = slice(top, top + strip.shape[0])
        points += np.bincount(where, minlength=size)
        for whole, total in ((held, summed), (seen, ground)):
            for place in np.ndindex(*whole.shape[:-2]):
                fine = whole[place][part].repeat(n, axis=0).repeat(n, axis=1)[inside]
                total[place] += np.bincount(where, weights=fine, minlength=size)
    there = np.maximum(points, 1.0)
    summed = summed / (n * n) if kind == "amount" else summed / there
    return per_seen(summed.reshape(*lead, *to.shape), (ground / there).reshape(*seen.shape[:-2], *to.shape))


def points_in(window: Window, n: int) -> tuple[Floats, Floats]:
    """Coordinates of n x n points in each cell, as arrays of n times the rows and columns."""
    grid = window.grid
    rows = window.i0 + (np.arange(window.shape[0] * n) + 0.5) / n
    columns = window.j0 + (np.arange(window.shape[1] * n) + 0.5) / n
    x, y = np.meshgrid(grid.x0 + grid.dx * columns, grid.y0 - grid.dy * rows)
    return x, y


def cell_ratio(origin: Grid, to: Grid) -> float:
    """Width of a target cell in source cells."""
    return max(to.metres) / max(origin.metres)
