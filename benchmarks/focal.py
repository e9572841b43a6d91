"""Slope, aspect, local elevation range, CFAR and patches beside xarray-spatial and scipy."""

from collections.abc import Iterable
from typing import Any

import numpy as np
import xarray as xr
import xrspatial
from scipy import ndimage

from benchmarks.pairs import Pair
from geomon.grid import Floats, Grid, Window
from geomon.stats.detection import alarm_factor, bright_targets
from geomon.stats.patches import patches
from geomon.stats.terrain import aspect, elevation_range, slope

SIDE = 2000
UTM = Grid("EPSG:32633", 0.0, 0.0, 30.0, 30.0)
DEGREES = Grid("EPSG:4326", 0.0, 0.0, 1 / 3600, 1 / 3600)
RADIUS = 7000.0


def pairs() -> Iterable[Pair]:
    """Hills of 0 to 3000 m in cells of 30 m."""
    rng = np.random.default_rng(0)
    hills = ndimage.gaussian_filter(rng.random((SIDE, SIDE)), 12)
    hills = (3000 * (hills - hills.min()) / np.ptp(hills)).astype(np.float32).astype(np.float64)
    yield from slopes(hills)
    yield from ranges(hills)
    yield from targets(rng)
    yield labels(rng)


def at(grid: Grid, i: int, j: int, shape: tuple[int, ...]) -> Window:
    """A window by its first cell."""
    return Window(grid, i, i + shape[0], j, j + shape[1])


def as_xarray(z: Floats, window: Window) -> xr.DataArray:
    """With its coordinates, as xarray-spatial asks for them."""
    y, x = window.centres
    return xr.DataArray(z, dims=("y", "x"), coords={"y": y, "x": x}, attrs={"res": (window.grid.dx, window.grid.dy)})


def slopes(z: Floats) -> Iterable[Pair]:
    """Where UTM has no scale error (slope), where its north is true (aspect), and on degrees."""
    size = f"{SIDE} x {SIDE}"
    true_scale = at(UTM, -160_000, (320_000 - 45_000) // 30, z.shape)
    planar = as_xarray(z, true_scale)
    yield Pair(
        name=f"focal: slope, {size}, UTM",
        peer="xarray-spatial slope (planar, float32)",
        ours=lambda: slope(z, true_scale),
        theirs=lambda: xrspatial.slope(planar).values,
        apart=lambda a, b: float(np.nanmax(np.abs(a - b))),
        allowed=0.02,
        budget=8,
    )
    true_north = at(UTM, -160_000, (500_000 - 45_000) // 30, z.shape)
    steep = slope(z, true_north) > 1
    yield Pair(
        name=f"focal: aspect, {size}, UTM",
        peer="xarray-spatial aspect (planar, float32)",
        ours=lambda: aspect(z, true_north),
        theirs=lambda: xrspatial.aspect(as_xarray(z, true_north)).values,
        apart=lambda a, b: float(np.max(np.abs((a - b + 180) % 360 - 180)[steep])),
        allowed=0.5,  # of grid north
        budget=8,
    )
    window = at(DEGREES, -48 * 3600, 15 * 3600, z.shape)
    rows = SIDE // 10
    part = as_xarray(z[:rows], at(DEGREES, -48 * 3600, 15 * 3600, (rows, SIDE)))
    yield Pair(
        name=f"focal: slope, {size}, degrees",
        peer="xarray-spatial slope (geodesic, a plane fitted to the nine cells)",
        ours=lambda: slope(z, window),
        theirs=lambda: xrspatial.slope(part, method="geodesic").values,
        apart=lambda a, b: float(np.nanmax(np.abs(a[1 : rows - 1] - b[1:-1]))),
        allowed=0.5,
        share=rows / SIDE,
        budget=8,
    )


def ranges(z: Floats) -> Iterable[Pair]:
    """scipy computes every cell that it is given, and is given few; of a 30 m model numpy takes some circles."""
    grid = Grid("EPSG:32633", 0.0, 0.0, 90.0, 90.0)
    whole, few = np.ascontiguousarray(z[:1000, :1000]), np.ascontiguousarray(z[:180, :180])
    window = at(grid, -53_000, 5_100, whole.shape)
    n = int(RADIUS / 90)
    circle = footprint(n, 90.0)
    inside = np.s_[n : 180 - n, n : 180 - n]
    side = len(whole) - 2 * n
    yield Pair(
        name=f"focal: elevation range in 7 km, {side} x {side} of 90 m",
        peer="scipy.ndimage maximum_filter and minimum_filter, the circle as footprint",
        ours=lambda: elevation_range(whole, window, RADIUS),
        theirs=lambda: ndimage.maximum_filter(few, footprint=circle) - ndimage.minimum_filter(few, footprint=circle),
        apart=lambda a, b: float(np.max(np.abs(a[inside] - b[inside]))),
        allowed=0.0,
        share=few.size / side**2,
        budget=8,
    )
    fine = np.ascontiguousarray(z[:1500, :1500])
    there = at(UTM, -160_000, 15_500, fine.shape)
    m = int(RADIUS / 30)
    disc = footprint(m, 30.0)
    cells = np.random.default_rng(1).integers(m, len(fine) - m, (300, 2))
    side = len(fine) - 2 * m
    yield Pair(
        name=f"focal: elevation range in 7 km, {side} x {side} of 30 m",
        peer="numpy, the circle of one cell after the other",
        ours=lambda: elevation_range(fine, there, RADIUS),
        theirs=lambda: np.array([np.ptp(fine[i - m : i + m + 1, j - m : j + m + 1][disc]) for i, j in cells]),
        apart=lambda a, b: float(np.max(np.abs(a[tuple(cells.T)] - b))),
        allowed=0.0,
        share=len(cells) / side**2,
        budget=8,
    )


def footprint(n: int, metres: float) -> np.ndarray[Any, np.dtype[np.bool_]]:
    """The cells of the circle."""
    i, j = np.mgrid[-n : n + 1, -n : n + 1] * metres
    return np.asarray(i**2 + j**2 <= RADIUS**2)


def targets(rng: np.random.Generator) -> Iterable[Pair]:
    """Ships on a speckled sea, and with a coast along it."""
    power = rng.exponential(1.0, (SIDE, SIDE))
    power[rng.random(power.shape) < 1e-5] = 300.0
    window = at(Grid("EPSG:32633", 0.0, 0.0, 10.0, 10.0), -480_000, 50_000, power.shape)
    sea = ndimage.gaussian_filter(rng.random(power.shape), 40) > 0.5
    for name, within in (("open sea", None), ("coast", sea)):
        yield Pair(
            name=f"focal: CA-CFAR, guard 25, training 51, {SIDE} x {SIDE}, {name}",
            peer="scipy.ndimage uniform_filter, its two windows subtracted",
            ours=lambda within=within: bright_targets(power, window, within, pfa=1e-5, passes=1),
            theirs=lambda within=within: by_uniform_filters(power, within, 1e-5),
            apart=lambda a, b: float(np.nansum(np.abs(a - b))),  # beside the edges, which are NaN
            allowed=0.0,
            budget=8,
        )


def by_uniform_filters(power: Floats, within: Any, pfa: float) -> Floats:
    """Means of the two windows, as in most published code."""

    def ring(x: Floats) -> Floats:
        large, small = (ndimage.uniform_filter(x, n, mode="constant") * n * n for n in (51, 25))
        return np.asarray(large - small)

    if within is None:
        n: Any = 51**2 - 25**2
        return np.asarray(power > alarm_factor(np.array(n), pfa) * ring(power) / n, float)
    n = np.round(ring(within.astype(float)))
    factor = n * np.expm1(-np.log(pfa) / np.maximum(n, 1))
    return np.asarray((power > factor * ring(np.where(within, power, 0.0)) / np.maximum(n, 1)) & within, float)


def labels(rng: np.random.Generator) -> Pair:
    """Winding patches over half of the ground."""
    mask = ndimage.gaussian_filter(rng.random((SIDE, SIDE)), 2) > 0.5
    window = at(UTM, -160_000, 15_500, mask.shape)

    def apart(a: Any, b: Any) -> float:
        ours = np.unique(a[mask], return_inverse=True)[1]
        both = len(np.unique(ours * (b.max() + 1) + b[mask]))
        return float(both - ours.max() - 1 + both - b.max())

    return Pair(
        name=f"focal: patches, 8 neighbours, {SIDE} x {SIDE}",
        peer="scipy.ndimage label (numbers in 32 bits, by the array)",
        ours=lambda: patches(mask, window),
        theirs=lambda: ndimage.label(mask, np.ones((3, 3)))[0],
        apart=apart,
        allowed=0.0,
        budget=8,
    )
