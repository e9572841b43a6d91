"""Slope, aspect and local elevation range, on true metres.

A cell is as wide and as high as it is on the ellipsoid: one size for each row of degrees, and in a projected CRS
what the projection makes of it at each place, so that UTM and Web Mercator give one slope, and aspect counts from
true north. Elevation is an array (rows, columns) of metres on a window; NaN is unseen. Each function needs
neighbours: cells without enough of them inside the array are NaN, and all others have the same value, to the bit,
in whatever window they are asked for.
"""

import math
from collections.abc import Callable

import numba
import numpy as np
import pyproj
from numpy.typing import NDArray

from geomon.errors import InputError
from geomon.grid import NODE, STEP, Floats, Window, geographic, is_geographic, transformer, turned, unit_of
from geomon.stats.coverage import Integers
from geomon.stats.threads import do_parts

Numbers = NDArray[np.float64] | NDArray[np.float32]

RADIUS = 7000.0  # m, of the local elevation range (Kapos et al. 2000)
LEAST = 0.5  # share of the circle that must be seen
ROUND = 0.01  # by how much a circle may be off its radius on a projected grid
BAND = 64  # rows computed at once


def slope(elevation: Floats, window: Window, unit: str = "degrees", threads: int = 1) -> Floats:
    """Steepness in degrees or percent from the eight neighbours (Horn 1981); NaN if one of the nine is unseen.

    Needs a margin of 1 px.
    """
    if unit not in ("degrees", "percent"):
        raise InputError(f"Slope was asked for in {unit!r}. There are 'degrees' and 'percent'.")
    return from_rises(degrees_steep if unit == "degrees" else percent_steep, elevation, window, threads)


def aspect(elevation: Floats, window: Window, threads: int = 1) -> Floats:
    """The direction that the ground faces, in degrees clockwise from true north, at least 0 and below 360 (Horn 1981).

    NaN if one of the nine cells is unseen, and where the ground is flat and faces nowhere: its slope is 0 then, not
    NaN. Needs a margin of 1 px.
    """
    return from_rises(degrees_facing, elevation, window, threads)


def from_rises(finish: Callable[..., None], elevation: Floats, window: Window, threads: int) -> Floats:
    """What `finish` makes of the rise per metre to the east and to the north."""
    fits(elevation, window)
    out = np.full(window.shape, np.nan)
    sides, every = cell_sides(window)
    values = np.ascontiguousarray(elevation, np.float64)

    def band(i: int, stop: int) -> None:
        east, north = np.empty((stop - i, values.shape[1] - 2)), np.empty((stop - i, values.shape[1] - 2))
        rises(values[i - 1 : stop + 1], sides[i:stop], every, window.j0 + 1, east, north)
        finish(east.ravel(), north.ravel())
        out[i:stop, 1:-1] = east

    if min(window.shape) > 2:
        do_parts(band, 1, len(out) - 1, BAND, threads)
    return out


def fits(elevation: Floats, window: Window) -> None:
    """InputError if the array is not the window's."""
    if elevation.shape != window.shape:
        raise InputError(f"The elevation has the shape {elevation.shape}, its window {window.shape}.")


def cell_sides(window: Window) -> tuple[Floats, int]:
    """Metres east and north of a step of one column and of one row down, at the centre of each row.

    Shape (rows, 4, nodes); nodes stand `every` columns apart on the lattice, and what is between them is linear.
    """
    grid = window.grid
    if is_geographic(grid.crs):
        y, _ = window.centres
        wide, high = radii(grid.crs, y)
        nought = np.zeros_like(y)
        sides = [wide * math.radians(grid.dx), nought, nought, -high * math.radians(grid.dy)]
        every = 1 << 40
        return np.repeat(np.stack(sides, axis=1)[:, :, None], nodes(window.j0, window.j1, every).size, axis=2), every
    every = max(1, int(NODE / max(grid.metres)))
    i, j = nodes(window.i0, window.i1, every), nodes(window.j0, window.j1, every)
    x, y = np.meshgrid(grid.x0 + grid.dx * every * j, grid.y0 - grid.dy * every * i)
    at = projected_sides(grid.crs, x, y) * np.array([grid.dx, grid.dx, grid.dy, grid.dy])[:, None]
    u = (np.arange(window.i0, window.i1) + 0.5) / every
    p = np.floor(u).astype(np.int64)
    u, p = (u - p)[:, None, None], p - i[0]
    return at[p] * (1 - u) + at[p + 1] * u, every


def nodes(start: int, stop: int, every: int) -> Integers:
    """Multiples of `every` among which the centres of cells start:stop lie, counted in it."""
    return np.arange(start // every, (stop - 1) // every + 2)


def radii(crs: str, latitude: Floats) -> tuple[Floats, Floats]:
    """Metres per radian of longitude and of latitude on the ellipsoid of a CRS, at degrees of latitude."""
    _, b, e2 = geographic(crs)
    s = np.sin(np.radians(latitude))
    across = b / np.sqrt((1 - e2) * (1 - e2 * s * s))
    return across * np.cos(np.radians(latitude)), across * (1 - e2) / (1 - e2 * s * s)


def projected_sides(crs: str, x: Floats, y: Floats) -> Floats:
    """Metres east and north per unit of x, and per unit down y, by central differences; shape (rows, 4, columns)."""
    found = pyproj.CRS.from_user_input(crs)
    assert found.geodetic_crs is not None
    change = transformer(crs, found.geodetic_crs.to_wkt())
    step = STEP / unit_of(crs)
    sides = []
    for dx, dy in ((step, 0.0), (0.0, -step)):
        ahead, behind = (np.radians(change.transform(x + s * dx, y + s * dy)) for s in (1, -1))
        with np.errstate(invalid="ignore"):
            wide, high = radii(crs, np.degrees(ahead + behind)[1] / 2)
            east, north = turned(ahead - behind)
            sides += [east * wide / (2 * step), north * high / (2 * step)]
    return np.stack(sides, axis=1)


@numba.njit(nogil=True, cache=True, error_model="numpy")
def rises(values: Floats, sides: Floats, every: int, j0: int, east: Floats, north: Floats) -> None:
    """Rise per metre to the east and north of rows whose neighbours above, below and beside are in `values` too."""
    rows, width = east.shape
    for i in range(rows):
        j = 0
        while j < width:
            node = (j0 + j) // every
            stop = min(width, (node + 1) * every - j0)
            k = node - (j0 - 1) // every
            above, here, below = values[i, j : stop + 2], values[i + 1, j : stop + 2], values[i + 2, j : stop + 2]
            first, per = j0 + j - node * every, 1.0 / every
            rise(above, here, below, sides[i, :, k], sides[i, :, k + 1], first, per, east[i, j:stop], north[i, j:stop])
            j = stop


@numba.njit(nogil=True, cache=True, error_model="numpy")
def rise(
    above: Floats,
    here: Floats,
    below: Floats,
    a: Floats,
    b: Floats,
    first: int,
    per: float,
    east: Floats,
    north: Floats,
) -> None:
    """The same for the cells of one row between two nodes."""
    a0, a1, a2, a3 = a[0], a[1], a[2], a[3]
    d0, d1, d2, d3 = b[0] - a[0], b[1] - a[1], b[2] - a[2], b[3] - a[3]
    for j in range(len(east)):
        t = (first + j + 0.5) * per
        column_east, column_north, row_east, row_north = a0 + d0 * t, a1 + d1 * t, a2 + d2 * t, a3 + d3 * t
        centre = here[j + 1] - here[j + 1]  # 0, or NaN
        left = above[j] + 2 * here[j] + below[j]
        right = above[j + 2] + 2 * here[j + 2] + below[j + 2]
        top = above[j] + 2 * above[j + 1] + above[j + 2]
        bottom = below[j] + 2 * below[j + 1] + below[j + 2]
        column, row = right - left + centre, bottom - top
        per_area = 0.125 / (column_east * row_north - column_north * row_east)
        east[j] = (column * row_north - row * column_north) * per_area
        north[j] = (row * column_east - column * row_east) * per_area


@numba.njit(nogil=True, cache=True, error_model="numpy")
def percent_steep(east: Floats, north: Floats) -> None:
    """Rises as steepness in percent, in the place of the first."""
    for k in range(len(east)):
        east[k] = 100 * math.sqrt(east[k] * east[k] + north[k] * north[k])


@numba.njit(nogil=True, cache=True, error_model="numpy")
def degrees_steep(east: Floats, north: Floats) -> None:
    """Rises as steepness in degrees, in the place of the first."""
    for k in range(len(east)):
        east[k] = degrees(math.sqrt(east[k] * east[k] + north[k] * north[k]))


@numba.njit(nogil=True, cache=True, error_model="numpy")
def degrees_facing(east: Floats, north: Floats) -> None:
    """Rises as the direction downhill in degrees from north, in the place of the first; 0/0 on flat ground is NaN."""
    for k in range(len(east)):
        turn = degrees(abs(east[k]) / abs(north[k]))
        turn = 180.0 - turn if north[k] > 0 else turn
        turn = 360.0 - turn if east[k] > 0 else turn
        east[k] = 0.0 if turn == 360.0 else turn


@numba.njit(nogil=True, cache=True, error_model="numpy", inline="always")
def degrees(x: float) -> float:
    """The angle whose tangent is x >= 0, to 3e-16 of it (Moshier's Cephes): the same bits on every machine."""
    steep, middling = x > 2.414213562373095, x > 0.66
    up = -1.0 if steep else (x - 1.0 if middling else x)
    down = x if steep else (x + 1.0 if middling else 1.0)
    y = up / down
    z = y * y
    p = ((-8.750608600031904e-1 * z - 1.615753718733365e1) * z - 7.500855792314705e1) * z - 1.228866684490136e2
    q = (((z + 2.485846490142306e1) * z + 1.650270098316988e2) * z + 4.328810604912903e2) * z + 4.853903996359137e2
    y += y * z * (p * z - 6.485021904942025e1) / (q * z + 1.945506571482614e2)
    return (y + (math.pi / 2 if steep else (math.pi / 4 if middling else 0.0))) * (180.0 / math.pi)


def elevation_range(
    elevation: Floats, window: Window, radius: float = RADIUS, least: float = LEAST, threads: int = 1
) -> Floats:
    """Highest less lowest elevation, in metres, of the cells whose centres lie within `radius` metres of a cell's.

    Of the cells that were seen; NaN if they are less than `least` of the circle, beyond a pole, and where the circle
    reaches beyond the array: it needs a margin of `radius`. Distances are those of the ellipsoid on a geographic grid,
    whose circle has more columns the nearer it is to a pole, and those of the plane on a projected one; InputError if
    that stretches the circle by more than 1 %, as Web Mercator does.

    A circle of r rows takes about 2 r steps of a vector instruction (nested widening of chords), not pi r^2.
    """
    fits(elevation, window)
    out = np.full(window.shape, np.nan)
    up, down = chords(window, radius)
    single = elevation.astype(np.float32)
    exact = np.array_equal(single, elevation, equal_nan=True)  # metres of most elevation models: half the bytes
    values = single if exact else np.ascontiguousarray(elevation, np.float64)
    holes = np.zeros((values.shape[0], values.shape[1] + 1), np.int32)
    np.cumsum(np.isnan(values), axis=1, out=holes[:, 1:])
    whole = np.concatenate([[0], np.cumsum(holes[:, -1], dtype=np.int64)])
    do_parts(lambda i, stop: ranges(values, holes, whole, up, down, i, stop, least, out), 0, len(out), BAND, threads)
    return out


def chords(window: Window, radius: float) -> tuple[Integers, Integers]:
    """Columns to each side of the centre within the circle, for rows 0, 1, ... above and below it; then -1.

    Shape (rows of the window, rows of the circle). A row is as wide as half-way between it and the centre's.
    """
    grid = window.grid
    if not is_geographic(grid.crs):
        check_round(window, radius)
        high, wide = grid.metres
        away = (np.arange(int(radius / high) + 2) * high).astype(np.float64)
        half = np.tile(halves(radius, away, np.full_like(away, wide)), (window.shape[0], 1))
        return half, half
    y = window.centres[0][:, None]
    n = np.arange(int(radius / (radii(grid.crs, np.zeros(1))[1][0] * math.radians(grid.dy))) + 3)
    sides = []
    for turn in (1, -1):
        columns, rows = radii(grid.crs, y + turn * n * grid.dy / 2)
        half = halves(radius, n * rows * math.radians(grid.dy), columns * math.radians(grid.dx))
        half[np.abs(y + turn * n * grid.dy) > 90] = -1
        sides.append(np.minimum.accumulate(half, axis=1))  # never longer than one nearer to the centre
    return sides[0], sides[1]


def halves(radius: float, away: Floats, width: Floats) -> Integers:
    """Whole cells of a width in metres on each side of a chord that is so many metres away from the centre."""
    with np.errstate(invalid="ignore", divide="ignore"):
        half = np.floor(np.sqrt(radius * radius - away * away) / width + 1e-9)
    return np.where(half >= 0, np.minimum(half, 1 << 30), -1).astype(np.int64)


def check_round(window: Window, radius: float) -> None:
    """InputError if circles on a projected grid are none on the ground, at the middle or a corner of the window."""
    crs = pyproj.CRS.from_user_input(window.grid.crs)
    ellipsoid, geodetic = crs.ellipsoid, crs.geodetic_crs
    assert ellipsoid is not None and geodetic is not None
    geod = pyproj.Geod(a=ellipsoid.semi_major_metre, b=ellipsoid.semi_minor_metre)
    change, step = transformer(window.grid.crs, geodetic.to_wkt()), radius / unit_of(window.grid.crs)
    west, south, east, north = window.bounds
    turn = np.arange(8) * math.pi / 4
    for x, y in (((west + east) / 2, (south + north) / 2), (west, south), (west, north), (east, south), (east, north)):
        middle = np.array(change.transform(np.full(8, x), np.full(8, y)))
        around = np.array(change.transform(x + step * np.cos(turn), y + step * np.sin(turn)))
        metres = np.asarray(geod.inv(*middle, *around)[2])
        worst = metres[np.argmax(np.abs(metres - radius))]
        if abs(worst - radius) > ROUND * radius:
            raise InputError(
                f"{radius:g} m on the plane of {window.grid.crs} are {worst:.0f} m on the ground here. "
                "Take elevation on a geographic grid, or in the UTM zone of the place."
            )


@numba.njit(nogil=True, cache=True, error_model="numpy")
def ranges(
    x: Numbers,
    holes: NDArray[np.int32],
    whole: Integers,
    up: Integers,
    down: Integers,
    start: int,
    stop: int,
    least: float,
    out: Floats,
) -> None:
    """Rows start:stop of the range within circles, each in the columns in which its circle is inside the array.

    `holes` counts the unseen cells of each row from its left, `whole` those of all rows above. A circle is a stack of
    chords. From the longest on, each step folds rows of that length into the extremes found so far, then widens these
    by what the next shorter one lacks to the last: in the end every row has been widened by its own half-length.
    """
    height, width = x.shape
    found = np.empty((4, width), x.dtype)
    high, low, spare_high, spare_low = found[0], found[1], found[2], found[3]
    missing = np.empty(width, np.int32)
    for i in range(start, stop):
        half = up[i, 0]
        above, below = reach(up[i]), reach(down[i])
        if half < 0 or i < above or i + below >= height or 2 * half >= width:
            continue  # beyond a pole, or the circle is not inside
        edge = half
        high[:], low[:] = -np.inf, np.inf
        fold(high, low, x[i], x[i], x[i], x[i])
        a = b = 1
        done = 0
        while True:
            rows = (i, i, i, i)
            pending = 0
            while up[i, a] >= half or down[i, b] >= half:
                if up[i, a] >= half:
                    row, a = i - a, a + 1
                else:
                    row, b = i + b, b + 1
                rows = (rows[1], rows[2], rows[3], row)
                pending += 1
                if pending == 4:
                    fold_rows(high, low, x, rows, done, width - done)
                    pending = 0
            if pending:
                fold_rows(high, low, x, rows, done, width - done)
            shorter = max(up[i, a], down[i, b], 0)
            grown = 0
            while grown < half - shorter:
                step = min(2 * grown + 1, half - shorter - grown)
                n = width - 2 * done - 2 * step
                widen_high(high[done:], spare_high[done + step :], step, n)
                widen_low(low[done:], spare_low[done + step :], step, n)
                high, spare_high, low, spare_low = spare_high, high, spare_low, low
                grown += step
                done += step
            if half == 0:
                break
            half = shorter
        seen_enough = whole[i + below + 1] == whole[i - above]
        if not seen_enough:
            missing[:] = 0
            cells = 0
            for k in range(-above, below + 1):
                h = down[i, k] if k > 0 else up[i, -k]
                cells += 2 * h + 1
                add_holes(missing[edge : width - edge], holes[i + k, edge - h :], holes[i + k, edge + h + 1 :])
        for j in range(edge, width - edge):
            if high[j] >= low[j] and (seen_enough or cells - missing[j] >= least * cells):
                out[i, j] = np.float64(high[j]) - np.float64(low[j])


@numba.njit(nogil=True, cache=True, error_model="numpy")
def reach(half: Integers) -> int:
    """How many rows away a circle ends."""
    n = 0
    while half[n + 1] >= 0:
        n += 1
    return n


@numba.njit(nogil=True, cache=True, error_model="numpy")
def fold_rows(high: Numbers, low: Numbers, x: Numbers, rows: tuple[int, int, int, int], j: int, stop: int) -> None:
    """Columns j:stop of four rows folded into the extremes."""
    a, b, c, d = rows
    fold(high[j:stop], low[j:stop], x[a, j:stop], x[b, j:stop], x[c, j:stop], x[d, j:stop])


@numba.njit(nogil=True, cache=True, error_model="numpy")
def fold(high: Numbers, low: Numbers, a: Numbers, b: Numbers, c: Numbers, d: Numbers) -> None:
    """Four rows folded into the extremes of each column; a comparison with NaN is false and changes none."""
    for j in range(len(high)):
        h, m = high[j], low[j]
        h = a[j] if a[j] > h else h
        m = a[j] if a[j] < m else m
        h = b[j] if b[j] > h else h
        m = b[j] if b[j] < m else m
        h = c[j] if c[j] > h else h
        m = c[j] if c[j] < m else m
        h = d[j] if d[j] > h else h
        m = d[j] if d[j] < m else m
        high[j], low[j] = h, m


@numba.njit(nogil=True, cache=True, error_model="numpy")
def widen_high(x: Numbers, out: Numbers, step: int, n: int) -> None:
    """The highest of three values a step apart."""
    left, middle, right, out = x[:n], x[step : step + n], x[2 * step : 2 * step + n], out[:n]
    for j in range(n):
        h = left[j] if left[j] > middle[j] else middle[j]
        out[j] = right[j] if right[j] > h else h


@numba.njit(nogil=True, cache=True, error_model="numpy")
def widen_low(x: Numbers, out: Numbers, step: int, n: int) -> None:
    """The lowest of three values a step apart."""
    left, middle, right, out = x[:n], x[step : step + n], x[2 * step : 2 * step + n], out[:n]
    for j in range(n):
        m = left[j] if left[j] < middle[j] else middle[j]
        out[j] = right[j] if right[j] < m else m


@numba.njit(nogil=True, cache=True, error_model="numpy")
def add_holes(missing: NDArray[np.int32], left: NDArray[np.int32], right: NDArray[np.int32]) -> None:
    """The unseen cells of a chord around each column."""
    for j in range(len(missing)):
        missing[j] += right[j] - left[j]


def mountain_class(elevation: Floats, slope: Floats, local_range: Floats, inclusive: bool = False) -> Floats:
    """Mountain classes K1 to K6 of UNEP-WCMC (Kapos et al. 2000), 0 for what is none, from metres and degrees.

    K1 is above 4500 m; K2 from 3500; K3 from 2500; K4 from 1500 and steeper than 2 degrees; K5 from 1000 and steeper
    than 5 degrees or of a local elevation range above 300 m; K6 from 300 m and of such a range. `inclusive` takes in
    2 and 5 degrees themselves, as some renderings do. NaN where a condition that would decide is unseen.
    """
    steeper = np.greater_equal if inclusive else np.greater
    with np.errstate(invalid="ignore"):
        four = as_unseen(steeper(slope, 2.0), slope)
        five = as_unseen(steeper(slope, 5.0), slope)
        six = as_unseen(local_range > 300.0, local_range)
        either = np.where((five == 1) | (six == 1), 1.0, five + six)  # NaN of one decides nothing if the other is true
        bounds = [elevation > 4500, *(elevation >= low for low in (3500, 2500, 1500, 1000, 300))]
    classes = np.select(bounds, [1.0, 2.0, 3.0, 4 * four, 5 * either, 6 * six], 0.0)
    return np.where(np.isnan(elevation), np.nan, classes)


def as_unseen(marked: NDArray[np.bool_], values: Floats) -> Floats:
    """1 and 0, and NaN where the values are."""
    return np.where(np.isnan(values), np.nan, marked)
