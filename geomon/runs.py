"""Results are read like inputs: the maps of published runs as collections named 'runs/<indicator>'."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import shapely

from geomon.errors import CatalogError, did_you_mean, listing
from geomon.grid import Grid, both_sides
from geomon.period import Period
from geomon.sources.records import Band, Break, Collection, Granule, Legend, Scene
from geomon.store import Store, StoredRun

if TYPE_CHECKING:
    import geopandas as gpd

    from geomon.resolve import Pixels

PREFIX = "runs/"


@dataclass(frozen=True)
class WithRuns:
    """A catalog that also knows the maps of a store: 'runs/water-extent', or one run by its id, 'runs/4f2a…'.

    What the catalog itself has under such a name comes first.
    """

    pixels: "Pixels"
    store: Store | None

    def collection(self, id: str) -> Collection:
        """What is known of a product or of a run's map; CatalogError if there is none."""
        if not id.startswith(PREFIX):
            return self.pixels.collection(id)
        try:
            return self.pixels.collection(id)
        except CatalogError:
            return collection_of(id, self.runs(id))

    def find(
        self,
        collection_id: str,
        band: str = "",
        period: Period | None = None,
        bbox_lonlat: Sequence[float] | None = None,
    ) -> tuple[Scene, ...]:
        """Dates in a period and place; of the runs of a period the newest among those that cover most of the place."""
        if not collection_id.startswith(PREFIX):
            return self.pixels.find(collection_id, band, period, bbox_lonlat)
        try:
            self.pixels.collection(collection_id)
        except CatalogError:
            return scenes_of(self.runs(collection_id), collection_id, period, bbox_lonlat)
        return self.pixels.find(collection_id, band, period, bbox_lonlat)

    def grids(self, scenes: Sequence[Scene]) -> tuple[Grid, ...]:
        """The lattices that they lie on."""
        return self.pixels.grids(scenes)

    def features(self, collection_id: str, bbox: Sequence[float] | None = None) -> "gpd.GeoDataFrame":
        """Of a vector collection."""
        return self.pixels.features(collection_id, bbox)

    def nothing(
        self, collection_id: str, band: str, period: Period | None, bbox_lonlat: Sequence[float] | None
    ) -> CatalogError:
        """Why nothing was found, and what there is instead."""
        reason = getattr(self.pixels, "nothing", None)
        if reason is not None and not collection_id.startswith(PREFIX):
            refusal: CatalogError = reason(collection_id, band, period, bbox_lonlat)
            return refusal
        there = [s.label for s in self.find(collection_id, band)]
        return CatalogError(
            f"Nothing found of {collection_id} for {period.label if period else 'any time'}; it has {listing(there)}. "
            "Ask for another period or place."
        )

    def runs(self, id: str) -> list[StoredRun]:
        """Runs with a map of an indicator, or the one of an id, newest first; CatalogError if there is none."""
        wanted = id.removeprefix(PREFIX)
        if self.store is None:
            raise CatalogError(
                f"{id} is the map of an earlier run, and no store was named that could hold it. Say store=, or --store."
            )
        every = [run for run in self.store.runs() if run.maps]
        found = [run for run in every if wanted in (run.indicator, run.id)]
        if not found:
            names = {run.indicator for run in every}
            raise CatalogError(
                f"{self.store.root} has no run of {wanted!r} with a map; it has maps of {listing(names)}."
                f"{did_you_mean(wanted, names)} Run it first, with the same store."
            )
        return found


def collection_of(id: str, runs: Sequence[StoredRun]) -> Collection:
    """The maps of some runs of an indicator as a collection; breaks and caveats are those of what they were made of."""
    newest = runs[0]
    band, recipe = band_of(newest), newest.recipe
    made_of: list[dict[str, Any]] = recipe.get("collections", [])
    breaks = {(b["date"], b["why"]) for c in made_of for b in c["breaks"]}
    return Collection(
        id,
        f"{recipe['title']} (satellite estimate{', synthetic' if recipe.get('synthetic') else ''})",
        str(recipe.get("note", "")),
        {band.name: band},
        band.name,
        (),
        breaks=tuple(Break(date, why) for date, why in sorted(breaks)),
        attribution="; ".join(recipe.get("attribution", [])),
        caveats=tuple(sorted({caveat for c in made_of for caveat in c["caveats"]})),
    )


def band_of(run: StoredRun) -> Band:
    """What the pixels of a run's map are: classes of its keys, 1 for marked ground, a share, an amount or a rate."""
    assets = maps_of(run)
    name = assets[0]["geomon:quantity"]
    totals = run.totals
    own = totals[(totals.what == "total") & (totals.quantity == name)].iloc[0]
    whole = all(asset["geomon:kind"] == "class" for asset in assets)
    about: dict[str, Any] = {"asset": f"map of {name}", "title": run.item["properties"]["title"], "stated": True}
    if own["keys"] != "[]":
        return Band(name, "class", **about)
    if own.kind == "area" and whole:
        legend = Legend(codes={0: f"not {name}", 1: name}, groups={name: (1,), f"not {name}": (0,)}, colours={})
        return Band(name, "class", legend=legend, **about)
    if own.kind == "area":
        return Band(name, "rate", unit="1", **about)
    return Band(name, own.kind, unit=str(own.unit).removesuffix(" m2"), **about)


def maps_of(run: StoredRun) -> list[dict[str, Any]]:
    """The map assets of a run, of all periods and grids."""
    return [a for a in run.item["assets"].values() if "geomon:period" in a]


def scenes_of(
    runs: Sequence[StoredRun], id: str, period: Period | None, box: Sequence[float] | None
) -> tuple[Scene, ...]:
    """One scene for each period of the runs' maps, sorted by time."""
    best: dict[str, tuple[float, StoredRun]] = {}
    for run in runs:
        reached = overlap(run.item["bbox"], box)
        for label in {a["geomon:period"]: None for a in maps_of(run)} if reached > 0 else ():
            if label not in best or reached > best[label][0] * (1 + 1e-9):
                best[label] = reached, run
    scenes = [Scene(t, Period.of(t), granules_of(run, id, t)) for t, (_, run) in best.items()]
    return tuple(
        sorted((s for s in scenes if period is None or period.holds(s.when)), key=lambda s: (s.when.start, s.when.end))
    )


def overlap(own: Sequence[float], box: Sequence[float] | None) -> float:
    """How much of a box a run covers, in square degrees; 1 for any place."""
    if box is None:
        return 1.0
    ours, theirs = (shapely.union_all([shapely.box(*b) for b in both_sides(boxes)]) for boxes in (own, box))
    return float(ours.intersection(theirs).area)


def granules_of(run: StoredRun, id: str, label: str) -> tuple[Granule, ...]:
    """The map of one period as something that can be read, in as many parts as it has grids."""
    return tuple(granule_of(run, id, label, asset) for asset in maps_of(run) if asset["geomon:period"] == label)


def granule_of(run: StoredRun, id: str, label: str, asset: Mapping[str, Any]) -> Granule:
    """One part of a map."""
    nodata, grid = float(asset["nodata"]), asset.get("geomon:grid", "")
    return Granule(
        item=f"{run.id}-{grid}" if grid else run.id,
        collection=id,
        asset=f"map-{label}",
        href=str(run.folder / asset["href"]),
        when=Period.of(label),
        crs=asset["proj:code"] or asset["proj:wkt2"],
        transform=tuple(asset["proj:transform"]),
        shape=tuple(asset["proj:shape"]),
        nodata=None if math.isnan(nodata) else nodata,
        checksum=asset["file:checksum"],
        size=asset["file:size"],
        dtype=str(asset["data_type"]),
    )
