"""Reporting areas: their codes, names and parents, their geometry, and how they come onto a grid's CRS."""

import functools
import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import geopandas as gpd
import numpy as np
import pyproj
import shapely
from shapely.geometry.base import BaseGeometry

from geomon.areas import are_countries, same_area
from geomon.errors import ZoneError, did_you_mean, listing
from geomon.grid import POLAR, Bounds, is_geographic, strip, transformer
from geomon.zones.boundaries import Boundaries, Zone, clean, load
from geomon.zones.columns import Wanted
from geomon.zones.polygons import polygonal
from geomon.zones.reproject import reproject

__all__ = ["Zone", "Zones"]

FINE_DEGREES, FINE_METRES = 1e-8, 1e-3
EDGE, HALF = 256, 180.0  # points around zones for a search, and degrees that no plain box spans


@dataclass(frozen=True)
class Zones:
    """Reporting areas of one version and CRS; a parent is the sum of its children."""

    zones: tuple[Zone, ...]
    crs: str = "EPSG:4326"
    version: str = ""
    remarks: tuple[str, ...] = ()
    """What was guessed, repaired or found odd when they were read, a sentence each."""
    roots: Mapping[str, str] = field(default_factory=dict, repr=False, compare=False)
    """Zone code -> country code, of every zone before any select; '' is the one country that has no code."""
    ground: tuple[Zone, ...] = field(default=(), repr=False)
    """The leaves of these countries before any select: what a whole country is made of."""

    def __post_init__(self) -> None:
        _check(self.zones)
        if not self.roots:
            object.__setattr__(self, "roots", _roots(self.zones))
            object.__setattr__(self, "ground", self.leaves)

    @classmethod
    def read(
        cls,
        path: str | Path,
        *,
        code: str | None = None,
        name: str | None = None,
        parent: str | Sequence[str] | None = None,
        layer: str | None = None,
        version: str | None = None,
        crs: str | None = None,
        dissolve: bool = False,
    ) -> "Zones":
        """Zones of a GeoJSON, GeoPackage or GeoParquet file; columns not named are guessed, with a remark.

        `crs` is for files that have none. `parent` may be several columns, the nearest first. ZoneError says
        what cannot be used and what to do.
        """
        frame = load(path, layer, crs)
        wanted = Wanted(code=code, name=name, parent=parent, version=version, dissolve=dissolve)
        return cls._from(clean(frame, wanted, Path(path).name))

    @classmethod
    def of(
        cls,
        frame: gpd.GeoDataFrame,
        *,
        code: str | None = None,
        name: str | None = None,
        parent: str | Sequence[str] | None = None,
        version: str | None = None,
        dissolve: bool = False,
    ) -> "Zones":
        """The same from a table in memory."""
        wanted = Wanted(code=code, name=name, parent=parent, version=version, dissolve=dissolve)
        return cls._from(clean(frame, wanted))

    @classmethod
    def _from(cls, found: Boundaries) -> "Zones":
        return cls(found.zones, found.crs, found.version, found.remarks)

    @functools.cached_property
    def codes(self) -> tuple[str, ...]:
        """Codes of all zones, parents too, in the order of the file."""
        return tuple(zone.code for zone in self.zones)

    @functools.cached_property
    def above(self) -> dict[str, str]:
        """Code -> code of its parent, as far as both are among these zones."""
        known = set(self.codes)
        return {zone.code: zone.parent for zone in self.zones if zone.parent in known}

    @functools.cached_property
    def leaves(self) -> tuple[Zone, ...]:
        """Zones without children: those that are measured."""
        parents = set(self.above.values())
        return tuple(zone for zone in self.zones if zone.code not in parents)

    @functools.cached_property
    def whole(self) -> Mapping[str, BaseGeometry]:
        """Country code -> its whole ground, the union of all its leaves, whichever zones were selected."""
        parts: dict[str, list[BaseGeometry]] = {}
        for zone in self.ground:
            if zone.geometry is not None:
                parts.setdefault(self.roots[zone.code], []).append(zone.geometry)
        return {root: polygonal(shapely.union_all(shapes)) for root, shapes in parts.items()}

    def zone(self, code: str) -> Zone:
        """The zone of a code, its own or another for the same place ('STP' for 'ST'); ZoneError if none."""
        found = [z for z in self.zones if z.code == code] or [z for z in self.zones if same_area(z.code, code)]
        if len(found) == 1:
            return found[0]
        if found:
            raise ZoneError(f"{code!r} may be any of {listing(z.code for z in found)}. Use the code of the zones.")
        raise ZoneError(f"There is no zone {code!r}; there are {listing(self.codes)}.{did_you_mean(code, self.codes)}")

    def root(self, code: str) -> str:
        """The country of a zone, its topmost parent; '' in a file of one country without a code."""
        return self.roots[self.zone(code).code]

    def select(self, codes: Iterable[str]) -> "Zones":
        """These zones and all below them; parents of which only a part is selected are left out."""
        keep = {self.zone(code).code for code in codes}
        if not keep:
            raise ZoneError(f"No zone was selected; there are {listing(self.codes)}.")
        while more := {below for below, parent in self.above.items() if parent in keep} - keep:
            keep |= more
        countries = {self.roots[code] for code in keep}
        return replace(
            self,
            zones=tuple(zone for zone in self.zones if zone.code in keep),
            roots={code: root for code, root in self.roots.items() if root in countries},
            ground=tuple(zone for zone in self.ground if self.roots[zone.code] in countries),
        )

    def to_crs(self, crs: str, tolerance: float | None = None) -> "Zones":
        """The same ground in another CRS, with points put into the edges so that they stay where they are.

        Edges are straight in the CRS of the file. After projection none lies off by more than `tolerance`, in
        units of the target: a thousandth of a pixel, say; 1 mm (1e-8 degrees) if not stated.
        """
        if crs == self.crs:
            return self
        if pyproj.CRS.from_user_input(self.crs) == pyproj.CRS.from_user_input(crs):
            return replace(self, crs=crs)
        tolerance = tolerance or fine(crs)
        every = {zone.code: zone for zone in (*self.ground, *self.zones) if zone.geometry is not None}
        shapes = np.array([zone.geometry for zone in every.values()], dtype=object)
        moved = dict(zip(every, reproject(shapes, tuple(every), self.crs, crs, tolerance), strict=True))
        zones, ground = (
            tuple(replace(zone, geometry=moved.get(zone.code)) for zone in group) for group in (self.zones, self.ground)
        )
        return replace(self, zones=zones, crs=crs, ground=ground)

    @property
    def frame(self) -> gpd.GeoDataFrame:
        """A table of code, name, parent and geometry."""
        rows = {
            "code": self.codes,
            "name": [z.name for z in self.zones],
            "parent": [z.parent for z in self.zones],
        }
        return gpd.GeoDataFrame(rows, geometry=[z.geometry for z in self.zones], crs=self.crs)

    @functools.cached_property
    def bounds_lonlat(self) -> Bounds:
        """West, south, east, north in degrees; west is east of east for zones across the antimeridian (RFC 7946)."""
        degrees = self.to_crs("EPSG:4326", tolerance=1e-5)
        parts = shapely.get_parts([z.geometry for z in degrees.zones if z.geometry is not None])
        _, south, _, north = shapely.total_bounds(parts)
        west, east = strip(*shapely.bounds(parts).T[[0, 2]])
        return west, float(south), east, float(north)

    @functools.cached_property
    def near_lonlat(self) -> Bounds:
        """A box in degrees that holds all zones and may be a little larger; found fast, for a search."""
        shapes = [z.geometry for z in self.zones if z.geometry is not None]
        if is_geographic(self.crs) or not shapes:
            return self.bounds_lonlat
        hull = shapely.convex_hull(shapely.GeometryCollection(shapes)).boundary
        edge = shapely.get_coordinates(shapely.segmentize(hull, hull.length / EDGE))
        x, y = transformer(self.crs, "EPSG:4326").transform(*edge.T)
        plain = np.isfinite(x).all() and np.isfinite(y).all() and np.abs(y).max() < POLAR and np.ptp(x) < HALF
        if not plain:  # around a pole, or across the antimeridian
            return self.bounds_lonlat
        sag = max(np.ptp(x), np.ptp(y)) / EDGE
        return float(x.min() - sag), float(y.min() - sag), float(x.max() + sag), float(y.max() + sag)

    @functools.cached_property
    def digest(self) -> str:
        """sha256 of codes, parents and geometry, of these zones and their whole countries; not of names."""
        digest = hashlib.sha256(self.crs.encode())
        for group in (self.zones, self.ground):
            for zone in sorted(group, key=lambda z: z.code):
                shape = b"" if zone.geometry is None else shapely.to_wkb(zone.geometry, byte_order=1)
                for text in (zone.code.encode(), zone.parent.encode(), shape):
                    digest.update(len(text).to_bytes(8, "little") + text)
        return digest.hexdigest()


def fine(crs: str) -> float:
    """How far an edge may lie off after projection, in units of the CRS, unless stated."""
    return FINE_DEGREES if is_geographic(crs) else FINE_METRES


def _check(zones: Sequence[Zone]) -> None:
    """ZoneError unless codes are unique, parents lead somewhere and zones without children have an area."""
    if not zones:
        raise ZoneError("There are no zones. Give at least one polygon with a code.")
    above = {zone.code: zone.parent for zone in zones}
    if len(above) < len(zones):
        codes = [zone.code for zone in zones]
        twice = {code for code in codes if codes.count(code) > 1}
        raise ZoneError(f"Several zones have one code: {listing(twice)}. Give each its own, or dissolve them.")
    for code in above:
        seen = [code]
        while parent := above.get(seen[-1], ""):
            if parent in seen:
                circle = " in ".join([*seen[seen.index(parent) :], parent])
                raise ZoneError(f"Parents go in a circle: {circle}. Correct the column of parents.")
            seen.append(parent)
    parents = set(above.values())
    hollow = [z.code for z in zones if z.code not in parents and not (z.geometry and z.geometry.area > 0)]
    if hollow:
        raise ZoneError(f"Zones without area: {listing(hollow)}. Give each a polygon, or leave it out.")


def _roots(zones: Sequence[Zone]) -> dict[str, str]:
    above = {zone.code: zone.parent for zone in zones}
    if len(zones) > 1 and not any(above.values()) and not are_countries(list(above)):
        return dict.fromkeys(above, "")
    return {code: _top(code, above) for code in above}


def _top(code: str, above: Mapping[str, str]) -> str:
    while parent := above.get(code, ""):
        code = parent
    return code
