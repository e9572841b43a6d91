"""The country, its provinces and districts: polygons that share their borders exactly."""

from __future__ import annotations

import json
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import contourpy
import numpy as np
import rasterio.features
import shapely
from affine import Affine
from numpy.typing import NDArray
from scipy import ndimage
from scipy.optimize import linear_sum_assignment
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import dijkstra
from scipy.spatial import cKDTree
from shapely.geometry.base import BaseGeometry

from geomon.sample.noise import Array, Noise
from geomon.sample.terrain import CELL, CENTRE, KM, Terrain, along, frame
from geomon.sample.world import World

COUNTRY = "Selvara"
COUNTRY_CODE = "XSA"  # ISO 3166 keeps XAA to XZZ for users: no country will ever have it
PROVINCES = ("Norrevane", "Talimar", "Ostelia", "Merrow Isles")
DISTRICTS = (
    ("Aldovar", "Brennach", "Cavelle", "Dunmarra", "Eskoril", "Fennaway"),
    ("Port Selva", "Harrowen", "Ilvento", "Jessamar", "Karsole", "Lunavera", "Maristane"),
    ("Galdera", "Nethervale", "Orsolen", "Pellagar", "Quillora", "Rivessa", "Sarrelin"),
    ("Tolvane", "Umberlee", "Vassoria", "Wystrella"),
)
SPINES = (  # about where each province lies, km
    ((-58.0, 26.0), (24.0, 32.0)),
    ((-42.0, 4.0), (-30.0, -20.0)),
    ((6.0, 8.0), (46.0, -17.0)),
    ((45.0, 56.0), (70.0, 16.0)),
)
SHORE = 0.25  # km, the grid that the coast line is drawn from
GRAIN = 1e-7  # degrees, about a centimetre
SMALLEST = 1.0  # km2 of an island that is worth a line on the map


@dataclass(frozen=True)
class Area:
    """A reporting area."""

    code: str
    name: str
    parent: str
    level: int
    geometry: BaseGeometry
    "degrees of longitude and latitude"


def areas(world: World) -> list[Area]:
    """The country, then its provinces, then its districts."""
    districts = _districts(world)
    grouped = _provinces(districts)
    found: list[Area] = []
    for number, (province, members) in enumerate(zip(PROVINCES, grouped, strict=True), 1):
        code = f"XS{number:02d}"
        names = DISTRICTS[number - 1]
        below = [
            Area(f"{code}{k:02d}", name, code, 2, districts[member])
            for k, (name, member) in enumerate(zip(names, members, strict=True), 1)
        ]
        found.append(Area(code, province, COUNTRY_CODE, 1, shapely.union_all([d.geometry for d in below])))
        found.extend(below)
    whole = shapely.union_all([area.geometry for area in found if area.level == 2])
    found.append(Area(COUNTRY_CODE, COUNTRY, "", 0, whole))
    return sorted(found, key=lambda area: (area.level, area.code))


def write(areas: list[Area], path: Path, statement: str) -> None:
    """The areas as GeoJSON."""
    features = [
        {
            "type": "Feature",
            "properties": {"code": a.code, "name": a.name, "parent": a.parent, "level": a.level, "synthetic": True},
            "geometry": shapely.geometry.mapping(a.geometry),
        }
        for a in areas
    ]
    whole = {"type": "FeatureCollection", "name": "selvara", "description": statement, "features": features}
    path.write_text(json.dumps(whole), encoding="utf-8")


def _districts(world: World) -> list[BaseGeometry]:
    """Twenty-four pieces of the land that fit each other without gap or overlap."""
    coast = _coast(world.terrain)
    x, y = frame(CELL)
    label = _allot(world, x, y)
    wind = _Wind(world.seed)
    lines = [shapely.LineString(_degrees(wind.blow(_round(arc)))) for arc in _arcs(label, x, y)]
    drawn = shapely.set_precision(shapely.unary_union([*lines, coast.boundary]), GRAIN)
    faces = shapely.get_parts(shapely.polygonize(list(shapely.get_parts(drawn))))
    within = shapely.point_on_surface(faces)
    shapely.prepare(coast)
    pieces: dict[int, list[BaseGeometry]] = {}
    for face, point in zip(faces, within, strict=True):
        if shapely.contains(coast, point):
            place = wind.back(_kilometres(np.array([[point.x, point.y]])))[0]
            row = int(np.clip((y[0, 0] - place[1]) / CELL + 0.5, 0, label.shape[0] - 1))
            column = int(np.clip((place[0] - x[0, 0]) / CELL + 0.5, 0, label.shape[1] - 1))
            pieces.setdefault(int(label[row, column]), []).append(face)
    return [shapely.union_all(pieces[k]) for k in sorted(pieces)]


def _coast(terrain: Terrain) -> BaseGeometry:
    """The land, degrees; islets that are too small for a map left out."""
    x, y = frame(SHORE)
    contours: Any = contourpy.contour_generator(x, y, terrain.shelf(x, y), fill_type="OuterOffset", corner_mask=False)
    points, offsets = contours.filled(0.0, 1e9)
    land = []
    for outline, ends in zip(points, offsets, strict=True):
        rings = [_degrees(outline[a:b]) for a, b in pairwise(ends)]
        land.append(shapely.Polygon(rings[0]))  # a hole is a lagoon, inside the country
    kept = [part for part in land if part.area * KM[0] * KM[1] >= SMALLEST]
    return shapely.set_precision(shapely.union_all(kept), GRAIN)


def _allot(world: World, x: Array, y: Array) -> NDArray[np.int32]:
    """For each cell the district that is the easiest to reach: borders come to lie on ridges, rivers and straits."""
    height = world.terrain.elevation(x, y)
    river, station = world.rivers.tree.query(np.stack([x, y], axis=-1))
    toil = 1.0 + np.clip(height, 0.0, None) / 420.0 + 1.6 * (height <= 0)
    toil += 2.2 * ((river < CELL) & (world.rivers.basin[station] > 150))
    toil *= np.exp(0.45 * Noise((world.seed, 51), 6.0, 4)(x, y))
    seats = _seats(world, x, y, height > 0)
    reached = dijkstra(_net(toil), indices=seats, min_only=True, return_predecessors=True)[2]
    number = np.full(x.size, -1, dtype=np.int32)
    number[seats] = np.arange(seats.size)
    return np.asarray(number[reached].reshape(x.shape), dtype=np.int32)


def _seats(world: World, x: Array, y: Array, land: NDArray[np.bool_]) -> NDArray[np.int64]:
    """Cells around which the districts form: evenly over the land, closer where people live (Lloyd's algorithm)."""
    cells = np.flatnonzero(land)
    places = np.stack([x.ravel()[cells], y.ravel()[cells]], axis=1)
    weight = np.full(cells.size, 1.0)
    for town in world.towns:
        away = np.hypot(places[:, 0] - town.x, places[:, 1] - town.y)
        weight += 2.0 * np.sqrt(town.people / 1e5) * np.exp(-((away / 9.0) ** 2))
    seats = [int(np.argmin(np.hypot(places[:, 0] - world.towns[0].x, places[:, 1] - world.towns[0].y)))]
    away = np.full(cells.size, np.inf)
    for _ in range(sum(map(len, DISTRICTS)) - 1):
        last = places[seats[-1]]
        away = np.minimum(away, np.hypot(places[:, 0] - last[0], places[:, 1] - last[1]))
        seats.append(int(np.argmax(away * weight**0.25)))
    middles = places[seats]
    for _ in range(14):
        nearest = _nearest(places, middles)
        for k in range(len(middles)):
            mine = nearest == k
            middles[k] = np.average(places[mine], axis=0, weights=weight[mine])
    return np.asarray(cells[_nearest(middles, places)], dtype=np.int64)


def _nearest(points: Array, others: Array) -> NDArray[np.int64]:
    """For each point the number of the nearest of the others."""
    return np.asarray(cKDTree(others).query(points)[1], dtype=np.int64)


def _net(toil: Array) -> coo_matrix:
    """Neighbouring cells and how hard it is to go from one to the other."""
    number = np.arange(toil.size).reshape(toil.shape)
    ways = []
    for a, b, length in (
        (np.s_[:, :-1], np.s_[:, 1:], 1.0),
        (np.s_[:-1, :], np.s_[1:, :], 1.0),
        (np.s_[:-1, :-1], np.s_[1:, 1:], 2**0.5),
        (np.s_[:-1, 1:], np.s_[1:, :-1], 2**0.5),
    ):
        ways.append((number[a].ravel(), number[b].ravel(), (length * (toil[a] + toil[b]) / 2).ravel()))
    start, end, cost = (np.concatenate([way[k] for way in ways]) for k in range(3))
    both = np.concatenate([start, end]), np.concatenate([end, start])
    return coo_matrix((np.tile(cost, 2), both), shape=(toil.size, toil.size)).tocsr()


def _arcs(label: NDArray[np.int32], x: Array, y: Array) -> list[Array]:
    """The borders between two labels each, from one meeting point of three to the next, km."""
    corner = Affine(CELL, 0.0, x[0, 0] - CELL / 2, 0.0, -CELL, y[0, 0] + CELL / 2)
    shapes = rasterio.features.shapes(label, transform=corner)
    outlines = [shapely.geometry.shape(geometry).boundary for geometry, _ in shapes]
    merged = shapely.line_merge(shapely.unary_union(outlines))
    return [np.asarray(shapely.get_coordinates(arc)) for arc in shapely.get_parts(merged)]


def _round(arc: Array) -> Array:
    """An arc without its stairs; its ends stay."""
    line = np.asarray(shapely.get_coordinates(shapely.segmentize(shapely.LineString(arc), CELL / 2)))
    if len(line) < 5:
        return line
    turn = np.concatenate([2 * line[0] - line[1:13][::-1], line, 2 * line[-1] - line[-13:-1][::-1]])
    ahead = len(line[1:13])
    smooth: Array = ndimage.gaussian_filter1d(turn, 2.6, axis=0)[ahead : ahead + len(line)]
    smooth[0], smooth[-1] = line[0], line[-1]
    return smooth


class _Wind:
    """A gentle warp of the plane, so that borders wander without ever crossing."""

    def __init__(self, seed: int) -> None:
        self._noises = Noise((seed, 52), 5.0, 3, 0.45), Noise((seed, 53), 5.0, 3, 0.45)

    def shift(self, places: Array) -> Array:
        return np.stack([0.32 * noise(places[:, 0], places[:, 1]) for noise in self._noises], axis=1)

    def blow(self, places: Array) -> Array:
        """Where the warp takes the places."""
        return places + self.shift(places)

    def back(self, places: Array) -> Array:
        """Where it took them from."""
        origin = places
        for _ in range(6):
            origin = places - self.shift(origin)
        return origin


def _provinces(districts: list[BaseGeometry]) -> list[list[int]]:
    """Which districts belong to each province, in the order of their codes (north to south, the capital first)."""
    middles = _kilometres(shapely.get_coordinates(shapely.centroid(districts)))
    slots = np.repeat(np.arange(len(PROVINCES)), [len(names) for names in DISTRICTS])
    away = np.stack([along(middles[:, 0], middles[:, 1], spine)[0] for spine in SPINES], axis=1)[:, slots] ** 2
    mine = np.empty(len(districts), dtype=np.int64)
    rows, columns = linear_sum_assignment(away)
    mine[rows] = slots[columns]
    return [sorted(np.flatnonzero(mine == k).tolist(), key=lambda d: (d != 0, -middles[d, 1])) for k in range(4)]


def _degrees(places: Array) -> Array:
    return np.asarray(np.asarray(places) / KM + CENTRE)


def _kilometres(places: Array) -> Array:
    return np.asarray((np.asarray(places) - CENTRE) * KM)
