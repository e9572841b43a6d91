"""The ground of zones parted between the grids of a source, so that each piece of it is counted once."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
import pyproj
import shapely
from shapely.geometry.base import BaseGeometry

from geomon.errors import ZoneError
from geomon.grid import Bounds, Grid, Window, both_sides
from geomon.zones import Zone, Zones
from geomon.zones.polygons import cut, polygonal
from geomon.zones.reproject import reproject

DEGREES = "EPSG:4326"
AROUND = 0.01  # degrees around the zones within which the ground is parted
PLACED = 1e-6  # degrees: how well it must be known where granules lie
NOTHING = 1e-12  # of a zone: less is rounding along a cut
WIDER = ((0, 0), (0, 180), (3, 180), (6, 180), (360, 180))
"""Degrees of longitude and latitude around the place that a CRS is made for, step by step."""

Footing = Mapping[Grid, Sequence[Window]]
"""The grids of a source, and where on each of them its granules lie."""


def part(zones: Zones, footing: Footing) -> dict[Grid, tuple[Zone, ...]]:
    """The leaves of the zones on the grids, each piece of ground on one of them.

    Ground belongs to the grid whose CRS is made for it (a UTM zone for its six degrees) if that has granules there,
    else to the nearest that has; what no granule covers belongs to the nearest. Zones are cut in longitude and
    latitude, so that both sides share the cut, and each piece is then brought to its grid to within a millimetre.
    """
    if len(footing) == 1:
        (grid,) = footing
        return {grid: zones.to_crs(grid.crs).leaves}
    whole, degrees = zones.leaves, zones.to_crs(DEGREES).leaves
    frame = shapely.union_all([shapely.box(*b) for b in both_sides(zones.bounds_lonlat)]).buffer(AROUND)
    shapes = np.array([z.geometry for z in degrees], dtype=object)
    out = {}
    for grid, region in regions(footing, frame).items():
        shapely.prepare(region)
        inside = np.asarray(shapely.covers(region, shapes))
        pieces = np.asarray(shapely.intersection(region, shapes))
        held = ~inside & (shapely.area(pieces) > NOTHING * shapely.area(shapes))
        cuts = [replace(z, geometry=polygonal(pieces[n])) for n, z in enumerate(degrees) if held[n]]
        alone = [z for n, z in enumerate(whole) if inside[n]]
        own = {z.code: z for z in (*brought(alone, zones.crs, grid), *brought(cuts, DEGREES, grid))}
        if own:
            out[grid] = tuple(own[z.code] for z in whole if z.code in own)
    return out


def brought(zones: Sequence[Zone], crs: str, grid: Grid) -> tuple[Zone, ...]:
    """Zones from one CRS on a grid."""
    return Zones(tuple(replace(z, parent="") for z in zones), crs).to_crs(grid.crs).zones if zones else ()


def regions(footing: Footing, frame: BaseGeometry) -> dict[Grid, BaseGeometry]:
    """The frame (in degrees) parted between the grids; the CRS that is made for the smallest place comes first."""
    homes = {grid: home(grid.crs) for grid in footing}
    first = sorted(footing, key=lambda g: (size(homes[g]), g.dx * g.dy, g.crs, g.x0, g.y0))
    there = {grid: granules_in(grid, footing[grid], frame) for grid in first}
    left, parts = frame, dict[Grid, list[BaseGeometry]]((grid, []) for grid in first)
    for covered in (there, dict.fromkeys(first, frame)):
        for x, y in WIDER:
            for grid in first:
                near = shapely.union_all([grown(box, x, y) for box in homes[grid]])
                mine = polygonal(shapely.intersection_all([left, near, covered[grid]]))
                if not mine.is_empty:
                    parts[grid].append(mine)
                    left = polygonal(left - mine)
    return {grid: shapely.union_all(own) for grid, own in parts.items() if own}


def home(crs: str) -> list[Bounds]:
    """The place in degrees that a CRS is made for; the whole earth if it does not say."""
    use = pyproj.CRS.from_user_input(crs).area_of_use
    return both_sides(use.bounds) if use else [(-180.0, -90.0, 180.0, 90.0)]


def size(boxes: Sequence[Bounds]) -> float:
    """Square degrees."""
    return sum((east - west) * (north - south) for west, south, east, north in boxes)


def grown(box: Bounds, x: float, y: float) -> BaseGeometry:
    """A box in degrees with some more around it, on the other side of the antimeridian too."""
    west, south, east, north = box
    wide = shapely.box(max(west - x, west - 360), max(south - y, -90), min(east + x, east + 360), min(north + y, 90))
    return cut(wide) if x else wide


def granules_in(grid: Grid, windows: Sequence[Window], frame: BaseGeometry) -> BaseGeometry:
    """The ground in the frame that granules cover; all of it where that cannot be said in degrees."""
    ground = polygonal(shapely.union_all([shapely.box(*w.bounds) for w in windows]))
    try:
        (placed,) = reproject(np.array([ground], dtype=object), [grid.crs], grid.crs, DEGREES, PLACED)
    except ZoneError:
        return frame
    return polygonal(shapely.intersection(cut(placed), frame))
