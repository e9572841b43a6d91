"""From a definition and what exists to the setting of a run: which dates every source has, on which grid."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
import pandas as pd
import shapely

from geomon.errors import CatalogError, InputError, did_you_mean, listing
from geomon.grid import Bounds, Grid, Window, both_sides, is_geographic, transformer
from geomon.indicator import Given, Indicator, Layer, Shapes, Source, Survey, address, below, optional
from geomon.period import Period
from geomon.sources.records import Collection, Granule, Scene
from geomon.supply import Features, Known, Setting, lattice, look_back, pinned
from geomon.zones import Zone

if TYPE_CHECKING:
    import geopandas as gpd


class Pixels(Protocol):
    """Where pixels come from: geomon.Catalog, or anything that answers these."""

    def collection(self, id: str) -> Collection:
        """What is known of a product."""

    def find(
        self,
        collection_id: str,
        band: str = "",
        period: Period | None = None,
        bbox_lonlat: Sequence[float] | None = None,
    ) -> tuple[Scene, ...]:
        """Its dates in a period and place; reads no pixel. The box has its west east of its east across 180 degrees."""

    def grids(self, scenes: Sequence[Scene]) -> tuple[Grid, ...]:
        """The lattices that they lie on."""

    def features(self, collection_id: str, bbox: Sequence[float] | None = None) -> "gpd.GeoDataFrame":
        """Of a vector collection, in degrees."""


@dataclass
class Found:
    """What a search has brought together; becomes a Setting."""

    pixels: Pixels
    span: Period
    box: Bounds
    scenes: dict[tuple[str, str], tuple[Scene, ...]] = field(default_factory=dict)
    known: dict[str, Known] = field(default_factory=dict)
    features: dict[str, Features] = field(default_factory=dict)
    collections: dict[str, Collection] = field(default_factory=dict)
    remarks: set[str] = field(default_factory=set)
    """What was left out, and why."""


def swapped(indicator: Indicator, use: Mapping[str, Any]) -> Indicator:
    """The definition with the run's own products in the places it names; InputError for what does not fit."""
    sources, sums = dict(indicator.sources), dict(indicator.sums)
    for name, wanted in use.items():
        known = {**sources, **sums}
        if name not in known:
            raise InputError(
                f"{indicator.code} has no source {name!r}; it has {listing(known)}.{did_you_mean(name, known)}"
            )
        for named in (sources, sums):
            if name in named:
                named[name] = product(name, named[name], wanted)
    for name, node in sources.items():
        if isinstance(node, Given) and not optional(indicator.measure, name):
            raise InputError(
                f"{indicator.code} needs {name}: {node.what}. Hand it in with use={{{name!r}: Source(...)}}, "
                f"or with --use {name}=<collection>."
            )
    return replace(indicator, sources=sources, sums=sums)


def product(name: str, node: Any, wanted: Any) -> Any:
    """A product for a place: text such as 'cgls-lc100' or 'jrc-gsw:yearly' keeps the window of what it replaces."""
    if isinstance(wanted, str):
        collection, _, band = wanted.partition(":")
        if isinstance(node, Source):
            return replace(node, collection=collection, band=band)
        if isinstance(node, Layer):
            if len(node.sources) > 1:
                raise InputError(
                    f"{name} is made of {listing(node.sources)}, so {wanted!r} cannot stand for it. "
                    "Hand in a Layer or Source from Python, or bind the collections in a workspace."
                )
            ((inner, under),) = node.sources.items()
            return replace(node, sources={inner: product(inner, under, wanted)})
        return Source(collection, band)
    if isinstance(node, Given) and isinstance(wanted, Shapes) and not wanted.extent:
        raise InputError(
            f"{name}: polygons need the extent that was analysed, or unmapped ground would count as dry. "
            "Add extent= with the collection of polygons that were looked at."
        )
    if not isinstance(wanted, Source | Shapes | Layer):
        raise InputError(f"{name}: {wanted!r} is neither the name of a product nor a Source, Shapes or Layer.")
    return wanted


def chosen(indicator: Indicator, params: Mapping[str, str]) -> dict[str, str]:
    """The choice of every param, the first option where nothing was said; InputError that lists the options."""
    for name, value in params.items():
        if name not in indicator.params:
            raise InputError(
                f"{indicator.code} has no choice {name!r}; it has {listing(indicator.params)}."
                f"{did_you_mean(name, indicator.params)}"
            )
        options = indicator.params[name].options
        if value not in options:
            raise InputError(f"{name}={value!r} is none of {listing(options)}.{did_you_mean(value, options)}")
    return {n: params.get(n, c.options[0]) for n, c in indicator.params.items()}


def find_all(indicator: Indicator, periods: Sequence[Period], pixels: Pixels, box: Bounds) -> Found:
    """Every date of every source, for every period of the run, with the lattice that they share."""
    span = Period.between(min(p.start for p in periods), max(p.end for p in periods), "span")
    found = Found(pixels, span, box)
    for node, needed in sources_of(indicator):
        if isinstance(node, Shapes):
            bring_features(node, found, needed)
    for period in periods:
        for node, at, needed in rasters_of(indicator, period):
            bring_scenes(node, at, found, needed)
    for node, needed in sources_of(indicator):
        if isinstance(node, Source):
            bring_grid(node, found, needed)
    return found


def sources_of(indicator: Indicator) -> Iterator[tuple[Any, bool]]:
    """Every Source and Shapes of a definition, and whether it is needed."""
    for node, _, needed in leaves(indicator, None, True):
        yield node, needed


def rasters_of(indicator: Indicator, period: Period) -> Iterator[tuple[Source, Period, bool]]:
    """Every Source with the period it is read for, its own if it is pinned."""
    for node, at, needed in leaves(indicator, period, True):
        if isinstance(node, Source):
            assert at is not None
            yield node, at, needed


def leaves(owner: Any, period: Period | None, needed: bool) -> Iterator[tuple[Any, Period | None, bool]]:
    """Sources and shapes below a record, a pinned period passed on to what is below it."""
    function = getattr(owner, "kernel", None) or owner.measure
    named = [(n, s, needed and not optional(function, n)) for n, s in owner.sources.items()]
    named += [(n, s, needed) for n, s in getattr(owner, "sums", {}).items()]
    for _, node, wanted in named:
        at = pinned(node, period) if period else None
        if isinstance(node, Source | Shapes):
            yield node, at, wanted
        elif isinstance(node, Layer | Survey):
            yield from leaves(node, at, wanted)


def bring_scenes(node: Source, period: Period, found: Found, needed: bool) -> None:
    """The dates of a source for a period, looked back as its window says."""
    key = address(node), period.label
    if key in found.scenes:
        return
    collection = known_collection(node, found, needed)
    if collection is None:
        return
    asked = None if node.window == "closest" else look_back(node.window, period, found.span)
    try:
        scenes = touching(found.pixels.find(node.collection, node.band, asked, found.box), found.box)
    except CatalogError as error:
        if needed:
            raise
        found.remarks.add(f"{node.collection} was left out, it is not needed: {error}")
        return
    if node.window == "closest":
        scenes = tuple(sorted(scenes, key=lambda s: (distance(s.when, period), s.when.start))[:1])
    if node.window is None and len(scenes) > 1:
        raise InputError(
            f"{node.collection} has {len(scenes)} dates in {period.label}: {listing(s.label for s in scenes)}. "
            "Ask for a period that holds one of them, or let the definition say which (window='first', 'last' ...)."
        )
    found.scenes[key] = scenes


def same_kinds(before: Indicator, after: Indicator, use: Mapping[str, Any], pixels: Pixels) -> None:
    """InputError where a product of another kind stands for one: a measure cannot tell people from light."""
    for name in use:
        first, then = (kind_of({**i.sources, **i.sums}[name], pixels) for i in (before, after))
        if first and then and first != then:
            raise InputError(
                f"{before.code} takes {name} from a product of kind {first!r}, and {use[name]!r} is one of kind "
                f"{then!r}. Hand in a product whose band is {first!r}, or change the band's kind in its collection."
            )


def kind_of(node: Any, pixels: Pixels) -> str:
    """The kind of the first source of a node, '' where nothing is known of it."""
    source = next((n for n in below(node) if isinstance(n, Source)), None)
    try:
        return pixels.collection(source.collection).band(source.band).kind if source else ""
    except CatalogError:  # said where its dates are looked for
        return ""


def touching(scenes: Sequence[Scene], box: Bounds) -> tuple[Scene, ...]:
    """The dates with those granules that touch the box: an item need not say where it lies, its file does."""
    near = (replace(s, granules=tuple(g for g in s.granules if touches(g, box))) for s in scenes)
    return tuple(s for s in near if s.granules)


def touches(granule: Granule, box: Bounds) -> bool:
    """Whether a granule touches a box in degrees; yes where that cannot be told."""
    if granule.fault or not granule.crs:
        return True
    a, _, left, _, e, top = granule.transform[:6]
    right, bottom = left + a * granule.shape[1], top + e * granule.shape[0]
    if is_geographic(granule.crs):
        turns = (-360.0, 0.0, 360.0)
        found = [(west + n, south, east + n, north) for west, south, east, north in both_sides(box) for n in turns]
    else:
        change = transformer("EPSG:4326", granule.crs)
        found = [change.transform_bounds(*one, 21) for one in both_sides(box)]
    return any(
        not np.isfinite((west, south, east, north)).all()
        or west > east
        or bool(left <= east and west <= right and bottom <= north and south <= top)
        for west, south, east, north in found
    )


def outside(zones: Sequence[Zone], scenes: Sequence[Scene]) -> list[str]:
    """Codes of zones (in degrees) that no granule of any of these dates touches."""
    granules = list({(g.crs, g.transform, g.shape): g for s in scenes for g in s.granules}.values())
    shapes = {z.code: shapely.get_parts(z.geometry) for z in zones if z.geometry is not None}
    return [code for code, ps in shapes.items() if not any(touches(g, p.bounds) for p in ps for g in granules)]


def distance(a: Period, b: Period) -> pd.Timedelta:
    """How far one period lies from another; none if they overlap."""
    return max(a.start - b.end, b.start - a.end, pd.Timedelta(0))


def known_collection(node: Source, found: Found, needed: bool) -> Collection | None:
    """The collection of a source; None if it is not known and not needed."""
    try:
        collection = found.pixels.collection(node.collection)
    except CatalogError:
        if needed:
            raise
        return None
    found.collections[node.collection] = collection
    collection.band(node.band)
    return collection


def bring_grid(node: Source, found: Found, needed: bool) -> None:
    """What the pixels of a source are, and where on which lattices its dates lie."""
    if address(node) in found.known or node.collection not in found.collections:
        return
    scenes = [s for (where, _), dates in found.scenes.items() if where == address(node) for s in dates]
    grids = found.pixels.grids(scenes) if scenes else ()
    band = found.collections[node.collection].band(node.band)
    found.known[address(node)] = Known(node.collection, band, footing(scenes, grids))


def footing(scenes: Sequence[Scene], grids: Sequence[Grid]) -> dict[Grid, tuple[Window, ...]]:
    """Where the granules of some dates lie on their grids, each place once."""
    where: dict[Grid, dict[Window, None]] = {grid: {} for grid in grids}
    for granule in {(g.crs, g.transform, g.shape): g for s in scenes for g in s.granules if not g.fault}.values():
        grid = lattice(granule, grids)
        window = grid.window(granule.transform, granule.shape) if grid else None
        if grid and window:
            where[grid][window] = None
    return {grid: tuple(windows) for grid, windows in where.items()}


def bring_features(node: Shapes, found: Found, needed: bool) -> None:
    """The features of a vector source, and of the ground that was looked at."""
    for name in filter(None, (node.collection, node.extent)):
        if name in found.features:
            continue
        try:
            frame = found.pixels.features(name, found.box)
        except CatalogError:
            if needed:
                raise
            continue
        if name == node.collection and node.as_ == "cover" and not node.within and not frame.area.any():
            raise CatalogError(
                f"{name} holds lines or points, which cover no ground. Say within= how many metres around them count."
            )
        fields = frame.drop(columns=frame.geometry.name).to_dict("records")
        crs = frame.crs.to_string() if frame.crs else "EPSG:4326"
        found.features[name] = Features(
            tuple(frame.geometry), tuple({str(k): v for k, v in f.items()} for f in fields), crs
        )


def with_units(indicator: Indicator, found: Found) -> Indicator:
    """The definition with '{source}' in the units of its outputs filled by the unit of that source."""
    units = {}
    for name, node in indicator.sources.items():
        first = next((n for n in below(node) if isinstance(n, Source)), None)
        if first is not None and address(first) in found.known:
            units[name] = found.known[address(first)].band.unit
    filled = {**dict.fromkeys(indicator.sources, "unit of its source"), **units}
    outputs = {n: replace(o, unit=o.unit.format(**filled)) for n, o in indicator.outputs.items()}
    return replace(indicator, outputs=outputs)


def setting_of(found: Found, params: Mapping[str, str]) -> Setting:
    """All that tasks need, without the catalog."""
    return Setting(found.scenes, found.known, found.features, found.span, params)


def must_have(indicator: Indicator, periods: Sequence[Period], found: Found) -> None:
    """CatalogError if a source that is needed has nothing in any period of the run, with what there is instead."""
    for node, needed in sources_of(indicator):
        if not isinstance(node, Source) or not needed:
            continue
        if any(scenes for (where, _), scenes in found.scenes.items() if where == address(node)):
            continue
        reason = getattr(found.pixels, "nothing", None)
        asked = look_back(node.window, found.span, found.span)
        asked = replace(
            asked, label=f"{periods[0].label}/{periods[-1].label}" if len(periods) > 1 else periods[0].label
        )
        if reason is not None:
            raise reason(node.collection, node.band, asked, found.box)
        raise CatalogError(f"Nothing found of {node.collection} for {asked.label}. Ask for another period or place.")


def margin_degrees(indicator: Indicator) -> float:
    """How far beyond the zones pixels may be needed, in degrees."""
    margins = [m.partition(" ") for m in (getattr(n, "margin", "0 px") for n in below(indicator))]
    metres = max((float(n) for n, _, unit in margins if unit == "m"), default=0.0)
    within = max((getattr(n, "within", 0.0) for n in below(indicator)), default=0.0)
    return 2 * max(metres, within) / 111_000 + (
        0.05 if any(unit == "px" and n != "0" for n, _, unit in margins) else 0.0
    )
