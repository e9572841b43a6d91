"""From items to granules and scenes: which asset holds a band, when it was seen, where it lies."""

import json
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import Any

import pandas as pd
import pystac

from geomon.errors import CatalogError, did_you_mean, listing
from geomon.grid import Grid
from geomon.period import Period, shortest
from geomon.sources.opening import Header, crs_name, header
from geomon.sources.origins import WHOLE, Search, stamp
from geomon.sources.records import Band, Collection, Granule, Origin, Scene
from geomon.sources.signing import endpoint

DAY = pd.Timedelta("1D")
TICK = pd.Timedelta("1ns")
OFFSET_SINCE = 4.0  # the Sentinel-2 processing baseline that moved reflectance by 1000 digital numbers
SENTINEL_2_OFFSET = -0.1


@dataclass(frozen=True)
class Found:
    """An item that holds the band, and the granule in it."""

    item: pystac.Item
    granule: Granule
    facts: Mapping[str, Any]
    """What the item and its asset say about the band."""


def scenes(items: Sequence[pystac.Item], origin: Origin, search: Search) -> tuple[Scene, ...]:
    """The dates of a band among these items, sorted by time; only those that lie inside the period."""
    found = [f for f in (granule(item, origin, search) for item in items) if f and inside(f.granule, search)]
    found = placed(found, search)
    overpasses: dict[tuple[Any, ...], list[Found]] = {}
    for one in found:
        overpasses.setdefault(overpass(one, search.band), []).append(one)
    made = [scene(group, search.band) for group in overpasses.values()]
    return told_apart(sorted(made, key=lambda s: (s.when.start, s.when.end, s.granules[0].item)))


def granule(item: pystac.Item, origin: Origin, search: Search) -> Found | None:
    """The asset of an item that holds the band; None if it has none of that name."""
    band, collection = search.band, search.collection
    name = WHOLE if origin.type == "folder" else origin.assets.get(band.name, band.asset)
    asset = item.assets.get(name)
    if asset is None:
        return None
    extra = {**asset.extra_fields}
    index = member_index(extra, band, item, name)
    facts = {**item.properties, **extra, **(described_bands(extra)[index - 1] if index else {})}
    href = asset.get_absolute_href() or asset.href
    rows, columns = first(extra, item.properties, "proj:shape") or (0, 0)
    return Found(
        item,
        Granule(
            item=item.id,
            collection=collection.id,
            asset=name,
            href=href,
            when=when(item, band),
            crs=projection(extra) or projection(item.properties),
            transform=tuple(float(v) for v in (first(extra, item.properties, "proj:transform") or ())[:6]),
            shape=(int(rows), int(columns)),
            index=index,
            member=band.member,
            scale=stated(facts, "scale", band.scale),
            offset=sentinel_2_offset(item, facts)
            if band.correction == "sentinel-2"
            else stated(facts, "offset", band.offset),
            nodata=None if facts.get("nodata") is None else float(facts["nodata"]),
            missing=tuple(int(c["value"]) for c in extra.get("classification:classes", ()) if c.get("nodata")),
            sign=endpoint(origin.sign, origin.collection),
            checksum=str(extra.get("file:checksum") or ""),
            size=int(extra.get("file:size") or 0),
            version=str(extra.get("updated") or item.properties.get("updated") or ""),
            dtype=str(facts.get("data_type") or ""),
        ),
        facts,
    )


def first(asset: Mapping[str, Any], properties: Mapping[str, Any], name: str) -> Any:
    """A fact of the asset, or else of the item."""
    return asset[name] if asset.get(name) is not None else properties.get(name)


def described_bands(asset: Mapping[str, Any]) -> list[dict[str, Any]]:
    """What an asset says about its bands, in the old fields and the new."""
    lists = [asset[key] for key in ("eo:bands", "raster:bands", "bands") if isinstance(asset.get(key), list)]
    out: list[dict[str, Any]] = [{} for _ in range(max((len(known) for known in lists), default=0))]
    for known in lists:
        for i, said in enumerate(known):
            out[i] |= said
    return out or [{}]


def member_index(asset: Mapping[str, Any], band: Band, item: pystac.Item, name: str) -> int:
    """The band's number in its asset, from 1; 0 if only the file can tell; never just the first."""
    known = described_bands(asset)
    names = [str(b.get("name") or "") for b in known]
    if not band.member:
        if len(known) > 1:
            raise CatalogError(
                f"The asset {name!r} of {item.id} holds {len(known)} bands, {listing(names)}, and the band "
                f"{band.name!r} does not say which. Add \"member\" to it under 'geomon:bands'."
            )
        return 1
    for key in ("name", "common_name", "eo:common_name"):
        for i, said in enumerate(known):
            if said.get(key) == band.member:
                return i + 1
    if any(names):
        raise CatalogError(
            f"The asset {name!r} of {item.id} has no band {band.member!r}; it has "
            f"{listing(filter(None, names))}.{did_you_mean(band.member, filter(None, names))}"
        )
    return 0


def projection(facts: Mapping[str, Any]) -> str:
    """The CRS that the projection extension names, in any of its forms; '' if none."""
    if facts.get("proj:code"):
        return crs_name(str(facts["proj:code"]))
    if facts.get("proj:epsg"):
        return f"EPSG:{int(facts['proj:epsg'])}"
    for key in ("proj:wkt2", "proj:projjson"):
        if facts.get(key):
            text = facts[key] if isinstance(facts[key], str) else json.dumps(facts[key])
            return crs_name(text)
    return ""


def stated(facts: Mapping[str, Any], name: str, otherwise: float) -> float:
    """A scale or offset as the item states it, or else the collection's."""
    for key in (f"raster:{name}", name):
        if facts.get(key) is not None:
            return float(facts[key])
    return otherwise


def sentinel_2_offset(item: pystac.Item, facts: Mapping[str, Any]) -> float:
    """The offset of surface reflectance that the pixels of this item still need, once.

    From processing baseline 04.00 on ESA stores reflectance x 10000 + 1000. Earth Search takes the 1000 off
    some items and says so in earthsearch:boa_offset_applied, while their raster:bands may still name -0.1:
    the flag is the truth (Element84/earth-search issue 9). Without the flag an offset that the asset states
    counts.
    Where neither is said, as on the Planetary Computer, the baseline decides.
    """
    applied = first(item.properties, {}, "earthsearch:boa_offset_applied")
    if applied is True:
        return 0.0
    if applied is None:
        for key in ("raster:offset", "offset"):
            if facts.get(key) is not None:
                return float(facts[key])
    baseline = item.properties.get("s2:processing_baseline") or item.properties.get("processing:version")
    if baseline is None:
        raise CatalogError(
            f"The Sentinel-2 item {item.id} says neither its offset nor its processing baseline "
            "(s2:processing_baseline), so its reflectance may be off by 0.1. Take it from another origin."
        )
    return SENTINEL_2_OFFSET if float(str(baseline)) >= OFFSET_SINCE else 0.0


def when(item: pystac.Item, band: Band) -> Period:
    """What time the band of an item describes."""
    if band.when.startswith("year:"):
        return Period.of(band.when.removeprefix("year:"))
    common = item.common_metadata
    start = common.start_datetime or item.datetime
    end = common.end_datetime or item.datetime
    if start is None or end is None:
        raise CatalogError(f"The item {item.id} has no time. Add datetime, or start_datetime and end_datetime.")
    first, last = stamp(start), stamp(end)
    if common.end_datetime:
        last = last_moment(first, last)
    return Period.between(first, last, "static" if band.when == "static" else "")


def last_moment(first: pd.Timestamp, last: pd.Timestamp) -> pd.Timestamp:
    """The last nanosecond of an interval of days.

    An end at midnight of the first of a month, after a start at midnight of another, is the exclusive end
    that many catalogues write; any other midnight, and 23:59:59, is meant to hold the whole of its day.
    """
    if last == last.normalize() and last > first:
        exclusive = last.day == 1 and first.day == 1 and first == first.normalize()
        return last - TICK if exclusive else last + DAY - TICK
    if last == last.normalize() and last == first:
        return last
    return last.normalize() + DAY - TICK if last >= last.normalize() + DAY - pd.Timedelta("1s") else last


def inside(granule: Granule, search: Search) -> bool:
    """Whether it counts for the period."""
    return search.band.when == "static" or search.period is None or search.period.holds(granule.when)


def placed(found: Sequence[Found], search: Search) -> list[Found]:
    """The same, each on its lattice; the header is opened only where the item does not say enough."""
    lacking = [f for f in found if not (f.granule.crs and len(f.granule.transform) == 6 and f.granule.shape[0])]
    band, headers = search.band, {}
    if lacking:
        with ThreadPoolExecutor(max_workers=8) as pool:
            heads = pool.map(lambda f: header(f.granule, search.patience), lacking)
            headers = {id(f): head for f, head in zip(lacking, heads, strict=True)}
    elif found and not says_missing(found[0], band):
        headers = {id(found[0]): header(found[0].granule, search.patience)}
    out = []
    for one in found:
        head, outcome = headers.get(id(one), (None, None))
        if outcome and outcome.why and not one.granule.crs:
            one = replace(one, granule=replace(one.granule, fault=outcome.why))
        if head:
            one = replace(one, granule=completed(one, head, band))
        if not one.granule.fault:
            check(one.granule, search.collection)
        out.append(one)
    return out


def says_missing(one: Found, band: Band) -> bool:
    """Whether it is known, without opening the file, how unseen pixels are marked."""
    floats = str(one.facts.get("data_type", "")).startswith("float")
    return band.legend is not None or band.nodata is not None or one.granule.nodata is not None or floats


def completed(one: Found, head: Header, band: Band) -> Granule:
    """The granule with what its file says where the item is silent; CatalogError if both say too little."""
    granule, i = one.granule, max(one.granule.index, 1) - 1
    if not says_missing(one, band) and not (
        head.masked or head.dtype.startswith("float") or head.nodata[0] is not None
    ):
        raise CatalogError(
            f"The band {band.name!r} of {granule.item} marks unseen pixels in no way: neither the "
            "collection nor "
            'the item nor the file names a nodata value, and it has no legend. Add "nodata" to the band '
            "under "
            "'geomon:bands', or \"classes\" if its numbers are codes."
        )
    if not (granule.crs or head.crs):
        raise CatalogError(
            f"{granule.href} has no CRS, and its item names none. Add proj:code to the item, or write "
            "the CRS "
            "into the file (gdal_edit.py -a_srs)."
        )
    if granule.asset == WHOLE and i < head.count and (granule.scale, granule.offset) == (1.0, 0.0):
        granule = replace(granule, scale=head.scales[i], offset=head.offsets[i])
    return replace(
        granule,
        crs=granule.crs or head.crs,
        transform=granule.transform if len(granule.transform) == 6 else head.transform,
        shape=granule.shape if granule.shape[0] else head.shape,
        dtype=granule.dtype or head.dtype,
    )


def check(granule: Granule, collection: Collection) -> None:
    """That the granule lies on a north-up lattice."""
    try:
        Grid.of(granule.crs, granule.transform)
    except CatalogError as error:
        raise CatalogError(f"{granule.item} of {collection.id}: {error}") from error


def overpass(one: Found, band: Band) -> tuple[Any, ...]:
    """What granules of one date share: the interval, or satellite, orbit direction and solar day."""
    if band.when == "static":
        return ("static",)
    period = one.granule.when
    if period.end - period.start >= pd.Timedelta("1h") or band.when != "item":
        return (period.start, period.end)
    said = one.item.properties
    return (
        solar_day(one.item, period.start),
        str(said.get("platform", "")).lower(),
        said.get("sat:orbit_state", ""),
    )


def solar_day(item: pystac.Item, moment: pd.Timestamp) -> pd.Timestamp:
    """The day at the item's own longitude, an hour for each 15 degrees; a time of midnight is only a date."""
    if not item.bbox or moment == moment.normalize():
        return moment.normalize()
    box = item.bbox
    west, east = box[0], box[3] if len(box) == 6 else box[2]
    middle = (west + east) / 2 if west <= east else (west + east + 360) / 2
    return (moment + pd.Timedelta(hours=((middle + 180) % 360 - 180) / 15)).normalize()


def scene(group: Sequence[Found], band: Band) -> Scene:
    """One date from its granules, the newest of each; what was left out is remarked."""
    newest: dict[tuple[Any, ...], Found] = {}
    remarks = []
    for one in sorted(group, key=age):
        place = (one.granule.crs, one.granule.transform, one.granule.shape)
        spot = (*place, one.granule.href if one.granule.fault else one.granule.when.start.floor("s"))
        if spot in newest:
            remarks.append(f"{newest[spot].granule.item} is left out for its newer version {one.granule.item}")
        newest[spot] = one
    granules = tuple(sorted((f.granule for f in newest.values()), key=lambda g: g.item))
    start, end = min(g.when.start for g in granules), max(g.when.end for g in granules)
    label = "static" if band.when == "static" else shortest(start, end)
    if band.when == "item" and end - start < pd.Timedelta("1h"):
        label = solar_day(group[0].item, start).strftime("%Y-%m-%d")
    elif "/" in label:
        long = end - start > pd.Timedelta(days=366)
        label = f"{start.year}/{end.year}" if long else start.strftime("%Y-%m-%d")
    return Scene(label, Period(label, start, end), granules, tuple(remarks))


def age(one: Found) -> tuple[str, str, str]:
    """Sorts versions of one granule, the newest last."""
    said = one.item.properties
    baseline = said.get("s2:processing_baseline") or said.get("processing:version") or said.get("version") or ""
    made = said.get("s2:generation_time") or said.get("created") or said.get("updated") or ""
    return str(baseline), str(made), one.item.id


def told_apart(made: list[Scene]) -> tuple[Scene, ...]:
    """Scenes whose labels are all different: those of one day get their hour in the label."""
    labels = [s.label for s in made]
    out = []
    for one in made:
        if labels.count(one.label) > 1:
            label = f"{one.label} {one.when.start.strftime('%H:%M')}"
            one = replace(one, label=label, when=replace(one.when, label=label))
        out.append(one)
    return tuple(out)
