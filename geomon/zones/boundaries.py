"""Boundary files, with all that is usually wrong in them, become one clean table of zones, with remarks."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pyogrio
import pyproj
import shapely
from shapely.geometry.base import BaseGeometry

from geomon.areas import are_countries, find
from geomon.errors import ZoneError, did_you_mean, listing
from geomon.grid import true_area
from geomon.zones.columns import Named, Wanted, named
from geomon.zones.polygons import check_place, crs_text, km2, overlaps, polygonal, sound

PARQUET = (".parquet", ".geoparquet", ".pq")
GEOJSON = (".geojson", ".json")


MISFIT = 1e-6  # of a parent: how far its own shape may lie from its parts without a remark


@dataclass(frozen=True)
class Zone:
    """A reporting area; its geometry is in the CRS of its Zones, or None for a sum of its children."""

    code: str
    name: str = ""
    parent: str = ""
    geometry: BaseGeometry | None = None


@dataclass(frozen=True)
class Boundaries:
    """Zones and their parents, ready to trust, and a sentence on all that was guessed, mended or odd."""

    zones: tuple[Zone, ...]
    crs: str
    version: str
    remarks: tuple[str, ...]


def load(path: str | Path, layer: str | None = None, crs: str | None = None) -> gpd.GeoDataFrame:
    """The features of a GeoJSON, GeoPackage or GeoParquet file, or of whatever else GDAL reads.

    GeoJSON is longitude and latitude (RFC 7946) unless `crs` or the file says otherwise; for other formats
    `crs` stands in only where the file has none. ZoneError if the file cannot be used.
    """
    path = Path(path)
    if not path.exists():
        raise ZoneError(f"There is no file {path}. Check the path of the zones.")
    try:
        frame = gpd.read_parquet(path) if path.suffix.lower() in PARQUET else _read_layer(path, layer)
    except (pyogrio.errors.DataSourceError, ValueError) as error:
        raise ZoneError(
            f"{path.name} could not be read as zones: {str(error).splitlines()[0]} "
            "Expected GeoJSON, GeoPackage or GeoParquet."
        ) from error
    if not isinstance(frame, gpd.GeoDataFrame):
        raise ZoneError(f"{path.name} holds a table without geometry. Zones need polygons.")
    if crs is None:
        return frame
    implied = path.suffix.lower() in GEOJSON and frame.crs == pyproj.CRS(4326)
    if frame.crs is None or implied:
        return frame.set_crs(crs, allow_override=True)
    if frame.crs != pyproj.CRS.from_user_input(crs):
        raise ZoneError(
            f"{path.name} says that its CRS is {crs_text(frame.crs)}, not {crs}. Leave crs= out, or correct the file."
        )
    return frame


def _read_layer(path: Path, layer: str | None) -> Any:
    names = [str(name) for name in pyogrio.list_layers(path)[:, 0]]
    if layer is not None and layer not in names:
        raise ZoneError(f"{path.name} has no layer {layer!r}; it has {listing(names)}.{did_you_mean(layer, names)}")
    if layer is None and len(names) > 1:
        raise ZoneError(f"{path.name} has {len(names)} layers, {listing(names)}. Say which: layer={names[0]!r}.")
    return gpd.read_file(path, layer=layer or names[0])


def clean(frame: gpd.GeoDataFrame, wanted: Wanted, where: str = "The table") -> Boundaries:
    """Zones with unique codes, valid polygons and known parents; ZoneError where that needs a decision."""
    if frame.empty:
        raise ZoneError(f"{where} holds no zones. Give it at least one polygon with a code.")
    crs = _stated_crs(frame, where)
    given = named(frame.drop(columns=frame.geometry.name), wanted, where)
    shapes, changed = _shapes(frame, given.codes, crs, where)
    nearest = [above[0] if above else "" for above in given.above]
    rows = list(map(Zone, given.codes, given.names, nearest, shapes))
    rows, united = _one_each(rows, wanted.dissolve, where)
    made = _missing_parents(given, where)
    zones = (*rows, *made)
    odd = [*_made(made, where), *_overlapping(zones, crs), *_misfitting(zones, crs), *_mistakable(zones)]
    return Boundaries(zones, crs, given.version, (*given.remarks, *changed, *united, *odd))


def _stated_crs(frame: gpd.GeoDataFrame, where: str) -> str:
    if frame.crs is None:
        raise ZoneError(
            f"{where} does not say in which CRS its coordinates are. Save it with its CRS, or state it: "
            "crs='EPSG:4326' for longitude and latitude."
        )
    flat = frame.crs.to_2d()
    if not (flat.is_geographic or flat.is_projected):
        raise ZoneError(
            f"{where} has the CRS {flat.name!r}, which is no map of the earth. State the right one: crs='EPSG:...'."
        )
    return crs_text(flat)


def _shapes(
    frame: gpd.GeoDataFrame, codes: Sequence[str], crs: str, where: str
) -> tuple[list[BaseGeometry | None], list[str]]:
    """Valid polygons in range, None where a row has no geometry, and remarks."""
    raw = shapely.force_2d(np.asarray(frame.geometry.array, dtype=object))
    remarks = check_place(raw, codes, crs, where)
    shapes = []
    for shape, code in zip(raw, codes, strict=True):
        area, changed = sound(shape, code, crs)
        shapes.append(area)
        remarks += changed
    return shapes, remarks


def _one_each(rows: list[Zone], dissolve: bool, where: str) -> tuple[list[Zone], list[str]]:
    """One zone for each code, and a remark if rows were united for it."""
    groups: dict[str, list[Zone]] = defaultdict(list)
    for row in rows:
        groups[row.code].append(row)
    twice = [code for code, group in groups.items() if len(group) > 1]
    if not twice:
        return rows, []
    if not dissolve:
        raise ZoneError(
            f"{where} has several zones with one code: {listing(twice)}. Give each its own code, say another "
            "column with code='...', or unite their shapes with dissolve=True."
        )
    for code in twice:
        _refuse_several(code, {row.parent for row in groups[code]}, where)
    united = [
        replace(group[0], geometry=polygonal(shapely.union_all([row.geometry for row in group])))
        if len(group) > 1
        else group[0]
        for group in groups.values()
    ]
    return united, [f"{where}: rows with one code were united: {listing(twice)}."]


def _refuse_several(code: str, parents: set[str], where: str) -> None:
    if len(parents) > 1:
        raise ZoneError(f"{where}: {code!r} lies in several parents, {listing(parents)}. Give it one.")


def _missing_parents(given: Named, where: str) -> list[Zone]:
    """Parents that the file names but does not hold: zones without geometry."""
    known = set(given.codes)
    above: dict[str, set[str]] = defaultdict(set)
    for row in given.above:
        for parent, grandparent in zip(row, [*row, ""][1:], strict=True):
            if parent not in known:
                above[parent].add(grandparent)
    for code, found in above.items():
        _refuse_several(code, found, where)
    return [Zone(code, given.called.get(code) or _country(code), found.pop()) for code, found in above.items()]


def _country(code: str) -> str:
    area = find(code)
    return area.name if area and not area.part else code


def _made(parents: Sequence[Zone], where: str) -> list[str]:
    codes = listing(zone.code for zone in parents)
    return [f"{where}: no shape for {codes}: the sum of the zones in it."] if parents else []


def _overlapping(zones: Sequence[Zone], crs: str) -> list[str]:
    parents = {zone.parent for zone in zones}
    leaves = {z.code: z.geometry for z in zones if z.code not in parents and z.geometry is not None}
    found = overlaps(list(leaves), list(leaves.values()), crs)
    if not found:
        return []
    largest = "; ".join(f"{o.a} and {o.b} {km2(o.area)}" for o in found[:5])
    pairs = "1 pair" if len(found) == 1 else f"{len(found)} pairs"
    return [
        f"{pairs} of zones overlap, by {km2(sum(o.area for o in found))} together ({largest}). "
        "What lies in two zones counts in both."
    ]


def _misfitting(zones: Sequence[Zone], crs: str) -> list[str]:
    """A remark on each parent whose own shape is not its parts: the value is the sum of the parts."""
    parts: dict[str, list[BaseGeometry]] = {}
    parents = {zone.parent for zone in zones}
    above = {zone.code: zone.parent for zone in zones}
    for zone in zones:
        if zone.code in parents or zone.geometry is None:
            continue
        code = zone.parent
        while code:
            parts.setdefault(code, []).append(zone.geometry)
            code = above.get(code, "")
    remarks = []
    for zone in zones:
        if zone.geometry is None or zone.code not in parts:
            continue
        union, own = shapely.union_all(parts[zone.code]), true_area(zone.geometry, crs)
        gap, beyond = (true_area(polygonal(d), crs) for d in (zone.geometry - union, union - zone.geometry))
        if gap + beyond > MISFIT * own:
            remarks.append(
                f"{zone.code}: its own shape has {km2(own)}; its parts leave {km2(gap)} of it out and reach "
                f"{km2(beyond)} beyond it. Its values are the sums of its parts."
            )
    return remarks


def _mistakable(zones: Sequence[Zone]) -> list[str]:
    """A remark on zones of one country whose codes happen to be those of other countries."""
    codes = [zone.code for zone in zones]
    if any(zone.parent for zone in zones) or are_countries(codes):
        return []
    areas = {code: find(code) for code in codes}
    chance = [f"{code} of {area.name}" for code, area in areas.items() if area and not area.part]
    if not chance:
        return []
    return [
        f"Some zones have the codes of countries: {', '.join(chance)}. They would stand beside the official "
        "statistics of these: if that is not meant, give them other codes."
    ]
