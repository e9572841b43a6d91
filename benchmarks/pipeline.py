"""From items to numbers by zone: masked annual median NDVI of sixty images, averaged over 295 zones.

The real engine, a definition through `geomon.plan(...).run()`, beside what is used for this today. Everybody starts
from the same STAC items in hand, reads the same files, hides the same classes and ends with a mean for each zone and
year. Ours weighs pixels by their true area and also proves its ledger; without a store unless it says so.
"""

import functools
import os
import tempfile
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import numpy as np
import xarray as xr

from benchmarks import scenes
from benchmarks.pairs import Pair
from benchmarks.zones import fitted, units
from geomon import Indicator, Layer, Output, Source, classes, mean, normalized_difference, packed, rate
from geomon.grid import Floats
from geomon.period import Period
from geomon.pipeline import Plan, plan
from geomon.sources import items
from geomon.sources.catalog import Catalog
from geomon.sources.records import Scene
from geomon.zones import Zone, Zones

os.environ.setdefault("GDAL_DISABLE_READDIR_ON_OPEN", "EMPTY_DIR")
CORES = 2
AGREE = 1e-6
WORK = f"pipeline: {len(scenes.YEARS) * 12} items to annual median NDVI by zone"


@packed
def greenness(red: xr.DataArray, nir: xr.DataArray, scl: xr.DataArray) -> xr.DataArray:
    """Median NDVI of the dates on which a pixel was clear."""
    return normalized_difference(nir, red).where(classes(scl, "clear")).median("time")


def measure(ndvi: xr.DataArray) -> dict[str, Any]:
    """How green each place is."""
    return {"green": rate(ndvi, "1")}


BANDS = {band: Source("scenes", band, window="period") for band in ("red", "nir", "scl")}
INDICATOR = Indicator(
    code="greenness",
    title="Median greenness of clear pixels",
    sources={"ndvi": Layer(greenness, BANDS, kind="rate")},
    grid="ndvi",
    measure=measure,
    outputs={"ndvi": Output(mean("green"), "1")},
    minimum_coverage=0.0,
)


@dataclass(frozen=True)
class InHand(Catalog):
    """A catalogue whose items were found before."""

    items: tuple[Any, ...] = ()

    def find(
        self,
        collection_id: str,
        band: str = "",
        period: Period | None = None,
        bbox_lonlat: Sequence[float] | None = None,
        *,
        required: bool = False,
    ) -> tuple[Scene, ...]:
        """Its dates in a period."""
        collection = self.collection(collection_id)
        search = self.search(collection, collection.band(band), period, bbox_lonlat)
        return items.scenes(self.items, collection.origins[0], search)


@functools.cache
def found() -> list[Any]:
    """The items."""
    import pystac

    return [pystac.Item.from_dict(one) for one in scenes.make()]


@functools.cache
def shapes() -> list[Any]:
    """The zones, in the CRS of the images."""
    return fitted(units(), scenes.BOX)


def planned(store: str | None = None) -> Plan:
    """What the engine will do."""
    zones = Zones(tuple(Zone(f"{n:03d}", "", "", g) for n, g in enumerate(shapes())), f"EPSG:{scenes.EPSG}")
    catalog = InHand(scenes.catalog().known, items=tuple(found()))
    return plan(INDICATOR, zones, f"{scenes.YEARS[0]}/{scenes.YEARS[-1]}", catalog=catalog, store=store)


def ours(store: bool = False) -> Floats:
    """Zone means by year, from the real engine."""
    with tempfile.TemporaryDirectory() as folder:
        run = planned(folder if store else None).run(workers=CORES)
    table = run.series.pivot(index="time_period", columns="ref_area", values="obs_value")
    return np.asarray(table.to_numpy(float))


def by_zone(annual: xr.DataArray) -> Floats:
    """Zone means of annual images, by exactextract through xvec, at its best."""
    import exactextract
    import geopandas as gpd
    import rioxarray  # noqa: F401

    frame = gpd.GeoDataFrame(geometry=shapes(), crs=scenes.EPSG)
    raster = annual.rename(year="band").transpose("band", "y", "x").rio.write_crs(scenes.EPSG)
    made = exactextract.exact_extract(raster, frame, "mean", strategy="raster-sequential", output="pandas")
    return np.asarray(made.to_numpy(float).T)


def annual(red: xr.DataArray, nir: xr.DataArray, scl: xr.DataArray) -> xr.DataArray:
    """Masked annual medians of a lazy cube, computed."""
    import dask

    ndvi = (nir.astype("f4") - red.astype("f4")) / (nir.astype("f4") + red.astype("f4"))
    ndvi = ndvi.where(scl.isin(scenes.CLEAR) & (red > 0) & (nir > 0)).chunk(time=-1)
    with dask.config.set(scheduler="threads", num_workers=CORES):
        return ndvi.groupby("time.year").median().compute()


def odc(chunk: int, times: int, years: int) -> Floats:
    """odc-stac, xarray, exactextract."""
    import odc.stac
    from affine import Affine
    from odc.geo.geobox import GeoBox

    place = Affine(scenes.STEP, 0, scenes.WEST, 0, -scenes.STEP, scenes.NORTH)
    box = GeoBox((scenes.SIZE, scenes.SIZE), place, scenes.EPSG)
    chunks = {"time": times, "x": chunk, "y": chunk}
    cube = odc.stac.load(found()[: 12 * years], bands=["red", "nir", "scl"], geobox=box, groupby="id", chunks=chunks)
    return by_zone(annual(cube.red, cube.nir, cube.scl))


def typical() -> Floats:
    """All years, as most would write it."""
    return odc(1024, 1, 5)


def tuned() -> Floats:
    """One year, in the chunks that suit the files and the medians best."""
    return odc(512, 12, 1)


def stacked() -> Floats:
    """One year by stackstac, xarray, exactextract; not in its default float64, which takes eight times the memory."""
    import stackstac

    cube = stackstac.stack(
        found()[:12],
        assets=["red", "nir", "scl"],
        epsg=scenes.EPSG,
        resolution=scenes.STEP,
        bounds=scenes.BOX,
        chunksize=1024,
        xy_coords="center",
        dtype="uint16",
        fill_value=np.uint16(0),
        rescale=False,
    )
    kept = cube.drop_vars([c for c in cube.coords if c not in ("time", "x", "y", "band")])
    return by_zone(annual(*(kept.sel(band=b, drop=True) for b in ("red", "nir", "scl"))))


@functools.cache
def windows() -> list[tuple[int, int, int, int]]:
    """First column and row, width and height of what the engine reads: blocks without zones are not."""
    north, west = round(scenes.NORTH / scenes.STEP), round(scenes.WEST / scenes.STEP)
    return [(t.window.j0 - west, t.window.i0 + north, *t.window.shape[::-1]) for t in planned().tasks]


def decoded() -> Floats:
    """GDAL, through rasterio, merely decoding the same bytes on as many threads: no mask, no index, no zones."""
    import rasterio
    from rasterio.windows import Window

    def read(item: Any) -> None:
        for asset, cells in (("red", 1), ("nir", 1), ("scl", 2)):
            with rasterio.open(item.assets[asset].href) as file:
                for window in windows():
                    file.read(1, window=Window(*(n // cells for n in window)))

    with ThreadPoolExecutor(CORES) as pool:
        list(pool.map(read, found()))
    return np.zeros(0)


def apart(a: Floats, b: Floats) -> float:
    """Largest absolute difference over the years that the peer was given; infinite if others of them are missing."""
    if not b.size:
        return 0.0
    a = a[: len(b)]
    return float(np.nanmax(np.abs(a - b))) if (np.isnan(a) == np.isnan(b)).all() else np.inf


def pairs() -> Iterable[Pair]:
    """Ours beside each of them; the slower ones are given fewer years, which they take no longer over for each."""
    peers: list[tuple[str, Callable[[], Floats], int, int]] = [
        ("GDAL decoding the same bytes (rasterio, 2 threads; no result)", decoded, 5, 7),
        ("odc-stac, typical: chunks of 1024, one date; groupby(year).median, exactextract", typical, 5, 2),
        ("odc-stac, tuned: chunks of one COG block and one year; the same", tuned, 1, 3),
        ("stackstac in uint16, chunks of 1024; the same", stacked, 1, 1),
    ]
    for name, theirs, years, least in peers:
        yield Pair(
            name=WORK,
            peer=name,
            ours=ours,
            theirs=theirs,
            apart=apart,
            allowed=AGREE,
            share=years / len(scenes.YEARS),
            budget=1.0,
            least=least,
        )
