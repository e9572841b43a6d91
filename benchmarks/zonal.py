"""Means of 24 dates in 295 real units, coverage included, beside exactextract, xvec, rasterstats and xarray-spatial."""

import math
from collections.abc import Callable, Iterator
from typing import Any

import geopandas as gpd
import numpy as np
import rioxarray  # noqa: F401
import xarray as xr
from exactextract import exact_extract
from exactextract.raster import NumPyRasterSource
from numpy.typing import NDArray
from rasterio.features import rasterize

from benchmarks.pairs import Pair
from benchmarks.zones import bounds, units
from geomon.grid import Grid, Window
from geomon.stats.coverage import cover
from geomon.stats.zonal import sums

TIMES, SIDE, THREADS = 24, 4000, 2
Pixels = NDArray[Any]


def grid_of(zones: list[Any], side: int = SIDE) -> Window:
    """A square window of cells in degrees around some zones."""
    west, south, east, north = bounds(zones)
    return Window(Grid("EPSG:4326", west, north, (east - west) / side, (north - south) / side), 0, side, 0, side)


def patterns(times: int, side: int) -> Iterator[Pixels]:
    """A landscape of float32 that changes from date to date, with 14 % of it under clouds."""
    rng = np.random.default_rng(1)
    y, x = np.mgrid[0:side, 0:side].astype(np.float32)
    base = 0.4 + 0.25 * np.sin(x / 311) * np.cos(y / 173)
    for t in range(times):
        layer = base + np.float32(0.01 * t) + rng.random((side, side), dtype=np.float32) * np.float32(0.2)
        layer[np.sin(x / 97 + 3 * t) * np.cos(y / 131 + t) > 0.612] = np.nan
        yield layer


def sources(cube: Pixels, window: Window, nodata: float | None = None) -> list[NumPyRasterSource]:
    """Each date as exactextract reads it fastest."""
    west, south, east, north = window.bounds
    return [NumPyRasterSource(b, west, south, east, north, nodata=nodata, name=f"b{t}") for t, b in enumerate(cube)]


def labelled(cube: Pixels, window: Window) -> xr.DataArray:
    """The same as an xarray user has it."""
    y, x = window.centres
    array = xr.DataArray(cube, dims=("time", "y", "x"), coords={"time": np.arange(len(cube)), "y": y, "x": x})
    return array.rename("values").rio.write_crs(4326)


def furthest(ours: Pixels, theirs: Pixels) -> float:
    """On the dates that the peer was given; what is missing for one and not for the other is infinitely far."""
    ours = ours[: len(theirs)]
    if (np.isnan(ours) != np.isnan(theirs)).any():
        return math.inf
    return float(np.nanmax(np.abs(ours - theirs)))


def pairs() -> Iterator[Pair]:
    """The best call of each peer, and the usual one."""
    zones = units()
    window = grid_of(zones)
    cube = np.stack(list(patterns(TIMES, SIDE)))
    frame = gpd.GeoDataFrame({"zone": range(len(zones))}, geometry=zones, crs=4326)
    array = labelled(cube, window)

    def ours() -> Pixels:
        total, weight = sums(cube, cover(zones, window, THREADS), threads=THREADS)
        return total / weight

    def exactextract_best() -> Pixels:
        found = exact_extract(sources(cube, window), frame, ["mean"], output="pandas", strategy="raster-sequential")
        return found.to_numpy().T

    def exactextract_usual() -> Pixels:
        return exact_extract(array[:2], frame, ["mean"], output="pandas").to_numpy().T

    def xvec() -> Pixels:
        import xvec  # noqa: F401

        told = {"x_coords": "x", "y_coords": "y", "stats": "mean", "method": "exactextract", "index": False}
        return array.xvec.zonal_stats(frame.geometry, **told).transpose("time", ...).values

    def rasterstats() -> Pixels:
        from rasterstats import zonal_stats

        told = {"affine": window.transform, "stats": ["mean"], "nodata": math.nan}
        return np.array([[z["mean"] for z in zonal_stats(frame, layer, **told)] for layer in cube[:2]], float)

    def xarray_spatial() -> Pixels:
        from xrspatial.zonal import stats

        burnt = rasterize(zip(zones, range(len(zones)), strict=True), window.shape, -1, transform=window.transform)
        told = stats(array[0].copy(data=burnt), array[0], stats_funcs=["mean"])
        return told.set_index("zone")["mean"].reindex(range(len(zones))).to_numpy()[None]

    def pair(peer: str, theirs: Callable[[], Pixels], allowed: float, dates: int = TIMES, budget: float = 25) -> Pair:
        name = f"zonal: means of {TIMES} x {SIDE} x {SIDE} float32, {len(zones)} units, coverage included"
        share = dates / TIMES
        return Pair(
            name=name,
            peer=peer,
            ours=ours,
            theirs=theirs,
            apart=furthest,
            allowed=allowed,
            share=share,
            budget=budget,
        )

    by_centre = 0.05  # these count whole cells by their centres
    yield pair("exactextract (numpy source, raster-sequential, one call)", exactextract_best, 1e-7, budget=60)
    yield pair("xvec zonal_stats (exactextract)", xvec, 1e-7, budget=60)
    yield pair("exactextract (xarray, as it comes)", exactextract_usual, 1e-7, dates=2, budget=10)
    yield pair("rasterstats", rasterstats, by_centre, dates=2, budget=10)
    yield pair("xarray-spatial zonal.stats", xarray_spatial, by_centre, dates=1, budget=10)
