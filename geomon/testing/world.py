"""Synthetic sources in memory: what stands where the catalog would, so that a test reads no file."""

import functools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import geopandas as gpd
import numpy as np
import pyproj
import shapely

from geomon.errors import CatalogError, did_you_mean, listing
from geomon.grid import Bounds, Floats, Grid, Window, both_sides
from geomon.period import Period
from geomon.sources.catalog import Catalog
from geomon.sources.records import Band, Collection, Granule, Legend, Scene

DEGREES = "EPSG:4326"


@dataclass(frozen=True)
class Raster:
    """One band of a collection, its dates as arrays on one window; NaN is unseen."""

    collection: str
    band: Band
    window: Window
    dates: Mapping[str, Floats]
    """Label of the time that each describes ('2020', '2020-03-05') to its stored pixels, (rows, columns)."""

    def __post_init__(self) -> None:
        for label, pixels in self.dates.items():
            if pixels.shape != self.window.shape:
                raise CatalogError(
                    f"{self.collection} of {label} has {pixels.shape} pixels and its window {self.window.shape}. "
                    "Give both the same shape."
                )

    @functools.cached_property
    def scenes(self) -> tuple[Scene, ...]:
        """A scene of one granule for each date, sorted by time."""
        return tuple(sorted((self.scene(label) for label in self.dates), key=lambda s: s.when.start))

    def scene(self, label: str) -> Scene:
        """One date."""
        granule = Granule(
            item=f"{self.collection}-{label}",
            collection=self.collection,
            asset=self.band.asset,
            href=f"memory:{self.collection}/{self.band.name}/{label}",
            when=Period.of(label),
            crs=self.window.grid.crs,
            transform=tuple(self.window.transform)[:6],
            shape=self.window.shape,
            scale=self.band.scale,
            offset=self.band.offset,
            nodata=self.band.nodata,
            pixels=np.asarray(self.dates[label], float),
        )
        return Scene(label, granule.when, (granule,))

    def touches(self, box: Sequence[float]) -> bool:
        """Whether it lies at least in part within a box in degrees."""
        degrees = pyproj.Transformer.from_crs(self.window.grid.crs, DEGREES, always_xy=True)
        own = both_sides(degrees.transform_bounds(*self.window.bounds, 21))
        return any(shapely.box(*a).intersects(shapely.box(*b)) for a in own for b in both_sides(box))


def raster(
    collection: str,
    window: Window,
    dates: Mapping[str, Floats],
    *,
    band: str = "map",
    kind: str = "class",
    unit: str = "1",
    groups: Mapping[str, tuple[int, ...]] | None = None,
    static: bool = False,
) -> Raster:
    """A band in memory; a class band knows the codes of its groups and those that occur."""
    legend = legend_of(groups or {}, list(dates.values())) if kind == "class" else None
    when = "static" if static else "item"
    made = Band(band, kind, asset=band, unit=unit, legend=legend, when=when, stated=True)
    return Raster(collection, made, window, dates)


def legend_of(groups: Mapping[str, tuple[int, ...]], arrays: Sequence[Floats]) -> Legend:
    """A legend of the codes that are named or occur."""
    there = {int(v) for a in arrays for v in np.unique(a[np.isfinite(a)])}
    codes = sorted(there | {code for group in groups.values() for code in group})
    return Legend(codes={code: f"class {code}" for code in codes}, groups=dict(groups), colours={})


def window(crs: str, west: float, north: float, size: float, shape: tuple[int, int]) -> Window:
    """The window of a raster with square cells, from its upper left corner."""
    transform = (size, 0.0, west, 0.0, -size, north)
    found = Grid.of(crs, transform).window(transform, shape)
    assert found is not None
    return found


@dataclass(frozen=True)
class World:
    """Collections in memory, found as `geomon.Catalog` finds its own; it can be pickled."""

    rasters: tuple[Raster, ...] = ()
    vectors: Mapping[str, gpd.GeoDataFrame] = field(default_factory=dict, compare=False)

    def collection(self, id: str) -> Collection:
        """What is known of a product; CatalogError if it is not there."""
        bands = {r.band.name: r.band for r in self.rasters if r.collection == id}
        if not bands and id not in self.vectors:
            known = [*self.vectors, *(r.collection for r in self.rasters)]
            raise CatalogError(
                f"There is no collection {id!r}; there are {listing(set(known))}.{did_you_mean(id, known)}"
            )
        kind = "raster" if bands else "features"
        main = next(iter(bands), "")
        return Collection(id, f"synthetic {id}", "Made for a test.", bands, main, (), kind=kind)

    def find(
        self,
        collection_id: str,
        band: str = "",
        period: Period | None = None,
        bbox_lonlat: Bounds | Sequence[float] | None = None,
    ) -> tuple[Scene, ...]:
        """Dates that lie inside the period (of a static band: all) and touch the box, sorted by time."""
        wanted = self.collection(collection_id).band(band)
        own = [r for r in self.rasters if r.collection == collection_id and r.band.name == wanted.name]
        near = [r for r in own if bbox_lonlat is None or r.touches(bbox_lonlat)]
        return tuple(
            scene for scene in dates(near) if period is None or wanted.when == "static" or period.holds(scene.when)
        )

    def grids(self, scenes: Sequence[Scene]) -> tuple[Grid, ...]:
        """The lattices that they lie on."""
        return Catalog(()).grids(scenes)

    def features(self, collection_id: str, bbox: Sequence[float] | None = None) -> gpd.GeoDataFrame:
        """The features of a vector collection, in whatever CRS they were given."""
        self.collection(collection_id)
        if collection_id not in self.vectors:
            raise CatalogError(f"{collection_id} holds rasters, not features. Read it as a Source.")
        return self.vectors[collection_id]

    def having(self, *rasters: Raster, **vectors: gpd.GeoDataFrame) -> "World":
        """The same with these, which take the place of those of their collection and band; several may share one."""
        new = {(r.collection, r.band.name) for r in rasters}
        kept = [r for r in self.rasters if (r.collection, r.band.name) not in new]
        return replace(self, rasters=(*kept, *rasters), vectors={**self.vectors, **vectors})

    def changed(self, collection: str, change: Callable[[str, Floats], Floats], band: str = "") -> "World":
        """The same with the arrays of a collection's band changed: `change(label, pixels)` gives the new ones."""
        name = self.collection(collection).band(band).name
        return replace(
            self,
            rasters=tuple(
                replace(r, dates={t: change(t, np.array(a)) for t, a in r.dates.items()})
                if (r.collection, r.band.name) == (collection, name)
                else r
                for r in self.rasters
            ),
        )


def dates(rasters: Sequence[Raster]) -> list[Scene]:
    """The dates of some rasters of one band, sorted by time: those of one label are granules of one date."""
    found: dict[str, Scene] = {}
    for n, scene in enumerate(scene for r in rasters for scene in r.scenes):
        if scene.label in found:
            more = tuple(replace(g, item=f"{g.item}-{n}", href=f"{g.href}-{n}") for g in scene.granules)
            scene = replace(found[scene.label], granules=(*found[scene.label].granules, *more))
        found[scene.label] = scene
    return sorted(found.values(), key=lambda s: s.when.start)


def features(shapes: Sequence[Any], crs: str, **fields: Sequence[Any]) -> gpd.GeoDataFrame:
    """Geometries with their fields, as a vector collection holds them."""
    return gpd.GeoDataFrame(dict(fields), geometry=list(shapes), crs=crs)
