"""Metres of line in each zone."""

import itertools
from collections.abc import Sequence

import numpy as np
import pyproj
import shapely
from shapely.geometry.base import BaseGeometry

from geomon.grid import true_area
from geomon.indicator import Shapes
from geomon.ledger import Row
from geomon.period import Period
from geomon.supply import Features, reproject
from geomon.zones import Zone, Zones

GEOD = pyproj.Geod(ellps="WGS84")
DEGREES = "EPSG:4326"


def length_rows(name: str, node: Shapes, features: Features, zones: Zones, periods: Sequence[Period]) -> list[Row]:
    """Geodesic metres of the wanted lines in each zone; half of what runs along a border belongs to the other side."""
    wanted = [
        reproject(g, features.crs, zones.crs)
        for g, f in zip(features.geometries, features.fields, strict=True)
        if all(f.get(k) in values for k, values in node.where)
    ]
    rows: list[Row] = []
    for zone in zones.leaves:
        if zone.geometry is None:
            continue
        ground = true_area(zone.geometry, zones.crs)
        metres = sum(line_length(g, zone, zones.crs) for g in wanted if g.intersects(zone.geometry))
        for period, (what, number) in itertools.product(
            periods, (("total", metres), ("seen", ground), ("unseen", 0.0))
        ):
            rows.append(Row(what, name, "amount", "m", zone.code, period.label, (), number))
    return rows


def line_length(line: BaseGeometry, zone: Zone, crs: str) -> float:
    """Metres of a line inside a zone, and half of those on its border."""
    assert zone.geometry is not None
    inside = geodesic(line.intersection(zone.geometry), crs)
    return inside - geodesic(line.intersection(zone.geometry.boundary), crs) / 2


def geodesic(shape: BaseGeometry, crs: str) -> float:
    """Metres along the ellipsoid of the lines in a shape."""
    total = 0.0
    for part in shapely.get_parts(reproject(shape, crs, DEGREES)):
        for piece in shapely.get_parts(part):
            if piece.geom_type in ("LineString", "LinearRing"):
                longitude, latitude = np.asarray(piece.coords)[:, :2].T
                total += float(GEOD.line_length(longitude, latitude))
    return total
