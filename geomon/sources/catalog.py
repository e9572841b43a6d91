"""The collections that are known, and the dates that can be found in them for a place and a period."""

from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from geomon import workspace
from geomon.errors import CatalogError, did_you_mean, listing
from geomon.grid import Grid
from geomon.period import Period
from geomon.sources import documents, items, origins, vectors
from geomon.sources.opening import Patience
from geomon.sources.origins import Search, Unreachable
from geomon.sources.records import Band, Bbox, Collection, Granule, Legend, Origin, Read, Scene

if TYPE_CHECKING:
    import geopandas as gpd

__all__ = ["Band", "Catalog", "Collection", "Granule", "Legend", "Origin", "Read", "Scene"]


@dataclass(frozen=True)
class Catalog:
    """Collections by id. It holds no connection and survives pickling; searches are made when asked for."""

    known: tuple[Collection, ...]
    patience: Patience | None = None
    """None: as the environment says."""

    @classmethod
    def open(cls, *paths: str | Path, patience: Patience | None = None) -> "Catalog":
        """The collections in these catalogue folders; without any, in those of the workspace."""
        found = documents.collections(paths or workspace.catalogs())
        return cls(tuple(found[id] for id in sorted(found)), patience)

    def collections(self) -> list[Collection]:
        """All of them, sorted by id."""
        return list(self.known)

    def collection(self, id: str) -> Collection:
        """One of them; CatalogError with the nearest name if there is none."""
        for one in self.known:
            if one.id == id:
                return one
        ids = [c.id for c in self.known]
        raise CatalogError(
            f"There is no collection {id!r}; the catalogues have {listing(ids)}.{did_you_mean(id, ids)} "
            "Add <folder>/<id>/collection.json to a catalogs folder of GEOMON_WORKSPACE for one of your own."
        )

    def with_collection(self, *collections: Collection) -> "Catalog":
        """The same with further collections, which take the place of those of their id."""
        ids = {c.id for c in collections}
        return replace(self, known=(*(c for c in self.known if c.id not in ids), *collections))

    def with_raster(self, id: str, path: str | Path, **facts: Any) -> "Catalog":
        """The same with a GeoTIFF of one's own as a collection of one band, always valid unless `when` is given.

        The facts are those of a band in 'geomon:bands': kind, unit, classes, nodata, member, ...
        """
        file = Path(path).absolute()
        document = {
            "id": id,
            "title": id,
            "geomon:bands": {id: {"when": "static", **facts}},
            "geomon:origins": [{"type": "folder", "href": str(file), "pattern": "*"}],
        }
        return self.with_collection(documents.record(document, file))

    def find(
        self,
        collection_id: str,
        band: str = "",
        period: Period | None = None,
        bbox_lonlat: Sequence[float] | None = None,
        *,
        required: bool = False,
    ) -> tuple[Scene, ...]:
        """The dates of a band inside a period that touch a box, sorted by time.

        Opens headers at most and reads no pixel. The collection's origins are asked in their order until one
        has something; one that cannot be asked is passed over, with a remark on what another one had. Nothing
        found is an empty tuple or, if `required`, the CatalogError of `nothing`.
        """
        collection = self.collection(collection_id)
        search = self.search(collection, collection.band(band), period, bbox_lonlat)
        silent: list[Unreachable] = []
        for origin in self.origins(collection, search.band):
            try:
                found = items.scenes(origins.items(origin, search), origin, search)
            except Unreachable as error:
                silent.append(error)
                continue
            if found:
                return tuple(replace(s, remarks=(*s.remarks, *(str(e) for e in silent))) for s in found)
        if silent:
            raise silent[0]
        if required:
            raise self.nothing(collection_id, band, period, bbox_lonlat)
        return ()

    def nothing(
        self, collection_id: str, band: str, period: Period | None, bbox_lonlat: Sequence[float] | None
    ) -> CatalogError:
        """Why nothing was found: what was asked for, and which times and places there are instead."""
        collection = self.collection(collection_id)
        wanted = collection.band(band)
        anywhere = self.search(collection, wanted, None, None)
        asked = f"{collection_id} band {wanted.name!r} for {period.label if period else 'any time'}"
        if bbox_lonlat is not None:
            asked += f" in the box {', '.join(f'{v:.4g}' for v in bbox_lonlat)}"
        there: list[Scene] = []
        for origin in self.origins(collection, wanted):
            with suppress(Unreachable):
                if origin.type != "stac-api":
                    there += items.scenes(origins.items(origin, anywhere), origin, anywhere)
        if there:
            within = [s for s in there if period is None or wanted.when == "static" or period.holds(s.when)]
            exists = f"it has {listing([s.label for s in there])}"
            exists += "; of these some lie in the period, but not in the box" if within else ""
        else:
            first, last = collection.interval
            exists = f"its items run from {first or '...'} to {last or 'today'} in the box {collection.bbox}"
        return CatalogError(f"Nothing found of {asked}; {exists}. Ask for another period or place.")

    def features(self, collection_id: str, bbox: Sequence[float] | None = None) -> "gpd.GeoDataFrame":
        """The features of a vector collection that touch a box, in longitude and latitude."""
        collection = self.collection(collection_id)
        if collection.kind != "features":
            raise CatalogError(f"{collection_id} holds rasters, not features. Read it as a Source.")
        layer = Band("features", "class", collection.main or "data", when="static")
        search = self.search(collection, layer, None, bbox)
        for origin in self.origins(collection, layer):
            if found := origins.items(origin, search):
                return vectors.features(found, origin, search)
        return vectors.nothing()

    def grids(self, scenes: Iterable[Scene]) -> tuple[Grid, ...]:
        """The lattices that granules lie on, in the order they are met; CatalogError if none can be placed."""
        granules = [g for s in scenes for g in s.granules]
        placed = {(g.crs, g.transform, g.shape) for g in granules if not g.fault}
        found: list[Grid] = []
        for granule in granules:
            place = granule.crs, granule.transform, granule.shape
            if granule.fault or place not in placed:
                continue
            placed.discard(place)  # the same place on another date
            same = (g for g in found if g.crs == granule.crs)
            if not any(g.window(granule.transform, granule.shape) for g in same):
                found.append(Grid.of(granule.crs, granule.transform))
        if not found:
            faults = "; ".join(sorted({f"{g.item}: {g.fault}" for g in granules})) or "there are none"
            raise CatalogError(
                f"No granule can be placed on a grid ({faults}). Mend the files, or take another source."
            )
        return tuple(found)

    def search(self, collection: Collection, band: Band, period: Period | None, bbox: Sequence[float] | None) -> Search:
        """What is looked for, as origins and items take it."""
        box: Bbox | None = None
        if bbox is not None:
            west, south, east, north = (float(v) for v in bbox)
            box = (west, south, east, north)
        return Search(collection, band, period, box, self.patience or Patience.usual())

    def origins(self, collection: Collection, band: Band) -> tuple[Origin, ...]:
        """Where a band's items come from; CatalogError if nobody said."""
        having = tuple(o for o in collection.origins if not o.bands or band.name in o.bands)
        if not having:
            raise CatalogError(
                f"{collection.id} does not say where items with its band {band.name!r} come from. Bind it to "
                f'yours: a collection.json with "geomon:extends": "{collection.id}" and "geomon:origins" '
                "in a "
                "catalogs folder of GEOMON_WORKSPACE."
            )
        return having
