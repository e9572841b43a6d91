"""Polygons from one CRS to another without moving their ground: edges get the points they need to bend."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray
from shapely.geometry.base import BaseGeometry

from geomon.errors import ZoneError, listing
from geomon.grid import is_geographic, poles, transformer, unit_of
from geomon.zones.polygons import Polygons, cut, made_valid, polygonal, torn

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Mover = Callable[[Floats, Ints], Floats]

ROUNDS = 12  # of densifying; two or three are usual, since the bend of half an edge is a quarter
MOST = 4096  # pieces of an edge per round
NEXT = 1e-3  # metres from a pole, where the meridians are told apart; the ground within is closed again
SEEN = np.array([0.0, 0.25, 0.5, 0.75, 1.0])  # where along an edge its bend is looked at


def reproject(shapes: Polygons, codes: Sequence[str], origin: str, to: str, tolerance: float) -> list[BaseGeometry]:
    """Polygons whose edges, straight in `origin`, stay in place to within `tolerance`, in units of `to`.

    In degrees they are cut at the antimeridian, and what lies around a pole reaches up to its parallel. ZoneError
    names the zones (by their codes) that lie where the target is not defined.
    """
    around = _around_poles(shapes, origin, to)
    if not around:
        return _moved(shapes, codes, origin, to, tolerance)
    plain = [n for n in range(len(shapes)) if n not in around]
    out = dict(zip(plain, _moved(shapes[plain], [codes[n] for n in plain], origin, to, tolerance), strict=True))
    for n, quarters in around.items():
        parts = [shapely.intersection(shapes[n], quarter) for _, _, quarter in quarters]
        held = [k for k, part in enumerate(parts) if part.area > 0]
        polygons = np.array([polygonal(parts[k]) for k in held], dtype=object)
        moved = _moved(polygons, [codes[n]] * len(held), origin, to, tolerance)
        joined = [_closed(shape, *quarters[k][:2]) for shape, k in zip(moved, held, strict=True)]
        out[n] = polygonal(shapely.union_all(joined))
    return [out[n] for n in range(len(shapes))]


def _moved(shapes: Polygons, codes: Sequence[str], origin: str, to: str, tolerance: float) -> list[BaseGeometry]:
    """The same for shapes that hold no pole."""
    if len(shapes) == 0:
        return []
    kind, xy, offsets = shapely.to_ragged_array(shapes)
    inner: tuple[Any, ...] = offsets[1:]
    rings = np.asarray(offsets[0], dtype=np.int64)
    owner = np.repeat(np.arange(len(shapes)), shapely.get_num_coordinates(shapes))
    move = _mover(shapes, origin, to)
    xy, rings, owner = _densify(xy, rings, owner, codes, move, tolerance)
    moved = shapely.from_ragged_array(kind, move(xy, owner), (rings, *inner))
    if is_geographic(to):
        _refuse_poles(moved, codes)
    out = [shape if shape.is_valid else _mended(shape) for shape in moved]
    return [_cut_if_beyond(shape) for shape in out] if is_geographic(to) else out


Quarter = tuple[float, float, BaseGeometry]
"""A fourth of the plane around a pole, from one meridian to another, but for a millimetre next to the pole."""


def _around_poles(shapes: Polygons, origin: str, to: str) -> dict[int, list[Quarter]]:
    """Shapes of a polar projection that lie around its pole, by row, each with the quarters it is taken apart in."""
    if is_geographic(origin) or not is_geographic(to):
        return {}
    found = {}
    bounds = shapely.bounds(shapes)
    for latitude, x, y in poles(origin):
        west, south, east, north = bounds.T
        for n in np.flatnonzero((west < x) & (x < east) & (south < y) & (y < north)):
            quarters = _quarters(origin, latitude, x, y, float(2 * np.ptp(bounds[n].reshape(2, 2), axis=0).sum()))
            if quarters:
                found[int(n)] = quarters
    return found


def _quarters(crs: str, latitude: float, x: float, y: float, reach: float) -> list[Quarter]:
    """The quarters between the meridians -180, -90, 0 and 90; none if they are no straight lines in the CRS."""
    change = transformer("EPSG:4326", crs)
    longitudes = np.array([-180.0, -90.0, 0.0, 90.0])
    rays: list[Floats] = []
    for away in (1.0, 30.0):
        ray = np.column_stack(change.transform(longitudes, np.full(4, latitude - np.copysign(away, latitude)))) - (x, y)
        rays.append(ray / np.hypot(*ray.T)[:, None])
    near, far = rays
    if not (np.allclose(near, far, atol=1e-9) and np.allclose(near[0], -near[2]) and abs(near[0] @ near[1]) < 1e-9):
        return []
    least = NEXT / unit_of(crs)
    out: list[Quarter] = []
    for n in range(4):
        a, b = near[n], near[(n + 1) % 4]
        corners = np.array([least * a, reach * a, reach * (a + b), reach * b, least * b]) + np.array([x, y])
        out.append((float(longitudes[n]), float(longitudes[n]) + 90.0, shapely.Polygon(corners)))
    return out


def _closed(shape: BaseGeometry, west: float, east: float) -> BaseGeometry:
    """A quarter in degrees, its edges put onto its meridians and onto the pole."""

    def put(xy: Floats) -> Floats:
        x, y = xy[:, 0].copy(), xy[:, 1].copy()
        metres = 111_320 * np.cos(np.radians(y))
        for meridian in (west, east):
            x[np.abs(x - meridian) * metres < NEXT / 10] = meridian
        pole = 90 - np.abs(y) < 2 * NEXT / 111_320
        return np.column_stack([np.clip(x, west, east), np.where(pole, np.copysign(90.0, y), y)])

    return made_valid(shapely.transform(shape, put))


def _mended(shape: BaseGeometry) -> BaseGeometry:
    """Parts that met across the antimeridian, and now along an edge, united."""
    return polygonal(shapely.union_all([made_valid(part) for part in shapely.get_parts(shape)]))


def _cut_if_beyond(shape: BaseGeometry) -> BaseGeometry:
    return cut(shape) if shape.bounds[0] < -180 or shape.bounds[2] > 180 else shape


def _refuse_poles(shapes: Polygons, codes: Sequence[str]) -> None:
    around = torn(shapes)
    if around.any():
        raise ZoneError(
            f"{listing(c for c, a in zip(codes, around, strict=True) if a)} cannot be drawn in degrees: the "
            "outline runs around a pole. Cut the zone along a meridian."
        )


def _mover(shapes: Polygons, origin: str, to: str) -> Mover:
    """Points (n, 2) and the rows of their zones -> projected points.

    Longitudes run on beyond 180 within a zone, so that no edge leaps.
    """
    transform = transformer(origin, to).transform
    if is_geographic(origin) or not is_geographic(to):
        return lambda xy, owner: np.column_stack(transform(*xy.T))
    bounds = shapely.bounds(shapes)
    middle = np.asarray(transform((bounds[:, 0] + bounds[:, 2]) / 2, (bounds[:, 1] + bounds[:, 3]) / 2)[0])

    def move(xy: Floats, owner: Ints) -> Floats:
        x, y = transform(*xy.T)
        away = x - middle[owner]
        return np.column_stack([np.where(np.abs(away) > 180, x - np.sign(away) * 360, x), y])

    return move


def _densify(
    xy: Floats, rings: Ints, owner: Ints, codes: Sequence[str], move: Mover, tolerance: float
) -> tuple[Floats, Ints, Ints]:
    """Points put into edges until each lies near its chord; neighbours get the same on shared edges."""
    begins = np.ones(len(xy), dtype=bool)  # the edges still to be looked at, by their first point
    begins[rings[1:] - 1] = False
    for _ in range(ROUNDS):
        edges = np.flatnonzero(begins)
        low, high, backward = _one_way(xy, edges)
        pieces = np.ones(len(xy), dtype=np.int64)
        bend = _bend(low[edges], high[edges], owner[edges], codes, move)
        pieces[edges] = np.clip(np.ceil(np.sqrt(bend / tolerance)), 1, MOST)
        if (pieces == 1).all():
            return xy, rings, owner
        starts = np.concatenate([[0], np.cumsum(pieces)])
        of = np.repeat(np.arange(len(xy)), pieces)
        step = np.arange(len(of)) - starts[of]
        share = np.where(backward[of], pieces[of] - step, step) / pieces[of]
        dense = low[of] + (high[of] - low[of]) * share[:, None]
        dense[step == 0] = xy
        xy, rings, owner, begins = dense, starts[rings], owner[of], (pieces > 1)[of]
    raise ZoneError(
        f"{listing({codes[i] for i in owner[begins]})}: edges cannot be brought into the other CRS to within "
        f"{tolerance:g}. Is the zone far outside the area that it is made for?"
    )


def _one_way(xy: Floats, edges: Ints) -> tuple[Floats, Floats, NDArray[np.bool_]]:
    """Both ends of each edge in one order whichever neighbour draws it, so that both round alike."""
    low, high, backward = xy.copy(), xy.copy(), np.zeros(len(xy), dtype=bool)
    a, b = xy[edges], xy[edges + 1]
    turned = (a[:, 0] > b[:, 0]) | ((a[:, 0] == b[:, 0]) & (a[:, 1] > b[:, 1]))
    low[edges], high[edges] = np.where(turned[:, None], b, a), np.where(turned[:, None], a, b)
    backward[edges] = turned
    return low, high, backward


def _bend(a: Floats, b: Floats, owner: Ints, codes: Sequence[str], move: Mover) -> Floats:
    """How far projected edges lie off their chords."""
    points = a[:, None, :] + (b - a)[:, None, :] * SEEN[:, None]
    moved = move(points.reshape(-1, 2), np.repeat(owner, len(SEEN))).reshape(points.shape)
    lost = ~np.isfinite(moved).all(axis=(1, 2))
    if lost.any():
        raise ZoneError(
            f"{listing({codes[i] for i in owner[lost]})}: a part lies where the other CRS is not defined. "
            "Leave the zone out, or use a product on another grid."
        )
    chord, offset = moved[:, -1] - moved[:, 0], moved[:, 1:-1] - moved[:, :1]
    length = np.hypot(*chord.T)[:, None]
    across = np.abs(offset[..., 0] * chord[:, None, 1] - offset[..., 1] * chord[:, None, 0])
    away = np.hypot(offset[..., 0], offset[..., 1])
    off = np.where(length > 0, across / np.where(length > 0, length, 1.0), away)
    return np.asarray(off.max(axis=1))
