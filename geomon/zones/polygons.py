"""Polygons as they come: are they where they say, are they whole, do neighbours claim the same ground?"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyproj
import shapely
from numpy.typing import NDArray
from shapely.geometry.base import BaseGeometry

from geomon.errors import ZoneError, listing
from geomon.grid import Floats, is_geographic, transformer, true_area

Polygons = NDArray[np.object_]

EDGE = 1e-6  # degrees: how far beyond 180 or 90 a coordinate may lie by rounding
LEAP = 270.0  # degrees of longitude: a longer edge is not wide, it went around the earth the wrong way
SLIVER = 1e-9  # of the smaller zone: overlaps below are rounding along a border


@dataclass(frozen=True)
class Overlap:
    """Ground that two zones both claim, in square metres."""

    a: str
    b: str
    area: float


def crs_text(crs: Any) -> str:
    """A CRS as 'EPSG:n' where it has a number, else as WKT; coordinates are always x before y."""
    found = pyproj.CRS.from_user_input(crs)
    if found.to_authority() == ("OGC", "CRS84"):
        return "EPSG:4326"
    number = found.to_epsg()
    return f"EPSG:{number}" if number else str(found.to_wkt())


def short(crs: str) -> str:
    """A CRS as it is written in a sentence."""
    return crs if len(crs) < 40 else str(pyproj.CRS.from_user_input(crs).name)


def check_place(shapes: Polygons, codes: Sequence[str], crs: str, where: str) -> list[str]:
    """Remarks on coordinates; ZoneError for those that cannot be in the CRS."""
    xy, of = shapely.get_coordinates(shapes, return_index=True)
    lost = ~np.isfinite(xy).all(axis=1)
    if lost.any():
        raise ZoneError(f"{where}: {_named(codes, of[lost])} has coordinates that are not numbers. Draw it again.")
    if len(xy) == 0:
        return []
    if is_geographic(crs):
        _check_degrees(xy, of, codes, where)
        return []
    return _check_projected(xy, of, codes, crs, where)


def _named(codes: Sequence[str], rows: NDArray[np.int64]) -> str:
    return listing({codes[i] for i in rows})


def _check_degrees(xy: NDArray[np.float64], of: NDArray[np.int64], codes: Sequence[str], where: str) -> None:
    x, y = np.abs(xy).T
    far = np.flatnonzero((x > 360 + EDGE) | (y > 90 + EDGE))
    if not far.size:
        return
    if max(x.max(), y.max()) > 1000:
        todo = "They look like metres: state the CRS that they are in, crs='EPSG:...'."
    elif y.max() <= 180 + EDGE and x.max() <= 90 + EDGE:
        todo = "Longitude and latitude look swapped: longitude comes first."
    else:
        todo = "Correct the file, or state the CRS that they are in: crs='EPSG:...'."
    lon, lat = xy[far[0]]
    raise ZoneError(
        f"{where}: zone {codes[of[far[0]]]!r} has the point ({lon:.6g}, {lat:.6g}), but coordinates here are "
        f"longitude and latitude (GeoJSON always is, by RFC 7946). {todo}"
    )


def _check_projected(
    xy: NDArray[np.float64], of: NDArray[np.int64], codes: Sequence[str], crs: str, where: str
) -> list[str]:
    if np.abs(xy[:, 0]).max() <= 180 and np.abs(xy[:, 1]).max() <= 90:
        raise ZoneError(
            f"{where}: no coordinate is beyond 180 and 90, so they look like degrees, but the CRS is "
            f"{short(crs)}. If they are longitude and latitude, the CRS is EPSG:4326 "
            "(in geopandas: to_crs was meant, not set_crs)."
        )
    degrees = np.column_stack(transformer(crs, "EPSG:4326").transform(*xy.T))
    lost = ~np.isfinite(degrees).all(axis=1)
    if lost.any():
        raise ZoneError(
            f"{where}: {_named(codes, of[lost])} has coordinates that are no place in {short(crs)}. "
            "Correct the file, or state the CRS that they are in."
        )
    use = pyproj.CRS.from_user_input(crs).area_of_use
    lies = shapely.box(*degrees.min(axis=0), *degrees.max(axis=0))
    if use is None or use.west > use.east or lies.intersects(shapely.box(*use.bounds)):
        return []
    lon, lat = degrees.mean(axis=0)
    return [
        f"{where} lies near longitude {lon:.4g}, latitude {lat:.4g}, outside the area that {short(crs)} "
        f"is made for ({use.name}). Is that its CRS?"
    ]


def torn(shapes: Polygons) -> NDArray[np.bool_]:
    """Which polygons in degrees have an edge that leaps from one side of the antimeridian to the other."""
    out = np.zeros(len(shapes), dtype=bool)
    rings, of = shapely.get_rings(shapes, return_index=True)
    xy, ring = shapely.get_coordinates(rings, return_index=True)
    leap = np.abs(np.diff(xy[:, 0]))
    # from -180 to 180 exactly is an honest edge: the foot of Antarctica, a box around the world
    bad = (ring[1:] == ring[:-1]) & (leap > LEAP) & (leap < 360 - EDGE)
    out[of[ring[1:][bad]]] = True
    return out


def cut(shape: BaseGeometry) -> BaseGeometry:
    """A polygon in degrees that runs on beyond 180 or -180, as parts on both sides of the antimeridian."""
    parts: list[Any] = []
    for turn in (-360.0, 0.0, 360.0):
        strip = shapely.intersection(shape, shapely.box(turn - 180, -90, turn + 180, 90))
        parts += polygons_of(shapely.affinity.translate(strip, xoff=-turn))
    whole = parts[0] if len(parts) == 1 else shapely.MultiPolygon(parts)
    return whole if whole.is_valid else polygonal(shapely.union_all(parts))


def leaps(ring: Floats) -> bool:
    """Whether a ring in degrees leaps across the antimeridian, from 179 to -179, instead of being cut there.

    An edge from -180 to 180 exactly is an honest one if the ring holds more ground without it: the foot of
    Antarctica, a box around the world.
    """
    leap = np.abs(np.diff(ring[:, 0]))
    if (leap < LEAP).all():
        return False
    if ((leap > LEAP) & (leap < 360 - EDGE)).any():
        return True
    joined = run_on(ring)
    return bool(joined[0, 0] == joined[-1, 0] and 0 < shapely.Polygon(joined).area < shapely.Polygon(ring).area)


def run_on(ring: Floats) -> Floats:
    """A ring in degrees that runs on beyond 180 where it leaps to the other side."""
    step = np.diff(ring[:, 0])
    turns = np.where(np.abs(step) > LEAP, -360.0 * np.sign(step), 0.0)
    return np.column_stack([ring[:, 0] + np.concatenate([[0.0], np.cumsum(turns)]), ring[:, 1]])


def rejoined(shape: BaseGeometry) -> tuple[BaseGeometry, bool]:
    """A shape in degrees whose rings leap across the antimeridian, cut there; and whether one ran around a pole."""
    parts, polar = [], False
    for polygon in polygons_of(shape):
        rings = rings_of(polygon)
        if not any(leaps(ring) for ring in rings):
            parts.append(polygon)
            continue
        shell, *holes = [run_on(ring) for ring in rings]
        if shell[0, 0] != shell[-1, 0]:  # once around the earth: closed along the pole that is nearer
            polar, pole = True, math.copysign(90.0, shell[:, 1].mean())
            shell = np.vstack([shell, [(shell[-1, 0], pole), (shell[0, 0], pole), shell[0]]])
        ground = made_valid(shapely.Polygon(shell))
        placed = [hole + np.array([turn, 0.0]) for hole in holes for turn in (-360, 0, 360)]
        inside = [shapely.Polygon(hole) for hole in placed if ground.intersects(shapely.Polygon(hole))]
        parts.append(cut(ground.difference(shapely.union_all(inside))))
    return polygonal(shapely.GeometryCollection(parts)), polar


def polygons_of(shape: BaseGeometry) -> Iterator[Any]:
    """Every polygon in a geometry, however nested."""
    for part in shapely.get_parts(shape):
        if part.geom_type == "Polygon" and not part.is_empty:
            yield part
        elif part.geom_type in ("MultiPolygon", "GeometryCollection"):
            yield from polygons_of(part)


def rings_of(polygon: Any) -> list[Floats]:
    """Coordinates of a polygon's shell, then of its holes."""
    return [np.asarray(ring.coords)[:, :2] for ring in (polygon.exterior, *polygon.interiors)]


def polygonal(shape: BaseGeometry) -> BaseGeometry:
    """The polygons of any geometry, as one Polygon or MultiPolygon."""
    parts = list(polygons_of(shape))
    return parts[0] if len(parts) == 1 else shapely.MultiPolygon(parts)


def made_valid(shape: BaseGeometry) -> BaseGeometry:
    """The same ground with valid rings; what parts of one shape cover twice is kept once."""
    return polygonal(shapely.make_valid(shape, method="structure", keep_collapsed=False))


def sound(shape: BaseGeometry | None, code: str, crs: str) -> tuple[BaseGeometry | None, list[str]]:
    """The valid polygonal part of a zone's shape (None if it has none), and remarks on what was changed."""
    remarks: list[str] = []
    if shape is None or shape.is_empty:
        return None, remarks
    area = polygonal(shape)
    if is_geographic(crs) and any(leaps(r) for p in polygons_of(area) for r in rings_of(p)):
        area, polar = rejoined(area)
        remarks.append(
            f"{code!r} leaps across the antimeridian uncut: cut at 180 degrees (RFC 7946, 3.1.9)"
            + (", and closed along the pole that it runs around." if polar else ".")
        )
    if area.is_empty:
        raise ZoneError(f"{code!r} is a {shape.geom_type}. A zone is a polygon with an area: draw its outline.")
    if shape.geom_type == "GeometryCollection":
        remarks.append(f"{code!r} is a GeometryCollection: its polygons were kept, lines and points dropped.")
    if not area.is_valid:
        broken, area = area, made_valid(area)
        remarks.append(_repair(code, broken, area, crs))
    if not area.area > 0:
        raise ZoneError(f"{code!r} has no area: its outline is a line or a point. Draw it again, or leave it out.")
    if is_geographic(crs) and (area.bounds[0] < -180 - EDGE or area.bounds[2] > 180 + EDGE):
        area = cut(area)
        remarks.append(f"{code!r} runs beyond longitude 180: cut at the antimeridian (RFC 7946, 3.1.9).")
    return area, remarks


def _repair(code: str, broken: BaseGeometry, mended: BaseGeometry, crs: str) -> str:
    reason = shapely.is_valid_reason(broken)
    before, after = true_area(broken, crs), true_area(mended, crs)
    if abs(after - before) < 1:
        change = "its area stays the same"
    else:
        change = f"{km2(before)} as it was drawn, {km2(after)} now"
    return f"{code!r} has an invalid outline ({reason}); repaired, {change}."


def km2(area: float) -> str:
    """Square metres as words."""
    return f"{round(area) / 1e6:.6g} km2"


def overlaps(codes: Sequence[str], shapes: Sequence[BaseGeometry], crs: str) -> list[Overlap]:
    """Pairs of zones that claim the same ground, the largest first; rounding along borders is left out."""
    zones = np.asarray(shapes, dtype=object)
    a, b = shapely.STRtree(zones).query(zones, predicate="intersects")
    a, b = a[a < b], b[a < b]
    inside = shapely.relate_pattern(zones[a], zones[b], "T********")
    a, b = a[inside], b[inside]
    shared = shapely.intersection(zones[a], zones[b])
    real = shapely.area(shared) > SLIVER * np.minimum(shapely.area(zones[a]), shapely.area(zones[b]))
    found = [
        Overlap(codes[i], codes[j], true_area(polygonal(shape), crs))
        for i, j, shape in zip(a[real], b[real], shared[real], strict=True)
    ]
    return sorted(found, key=lambda overlap: -overlap.area)
