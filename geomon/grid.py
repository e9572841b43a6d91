"""Grids, windows on them, and true areas on the ellipsoid.

Cells of a geographic grid have the closed-form area between two parallels; those of a projected grid
are planar area over the areal scale of the projection, which changes slowly and is interpolated on a
lattice that belongs to the grid, so that a cell has the same area whatever block it is read in.
"""

import functools
import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import pyproj
import shapely
from affine import Affine
from numpy.typing import NDArray
from odc.geo.geobox import GeoBox
from shapely.geometry.base import BaseGeometry

from geomon.errors import CatalogError

Bounds = tuple[float, float, float, float]
Floats = NDArray[np.float64]

NEAR = 1e-2  # of a cell: how far the corner of a raster may lie off the lattice
NODE = 1000.0  # metres between the nodes at which the areal scale is computed
STEP = 50.0  # metres to each side of a node
POLAR = 80.0  # degrees: beyond it longitudes differ too much around a point for differences of them


@dataclass(frozen=True)
class Grid:
    """An endless lattice of cells in one CRS; rows go down from y0, columns right from x0."""

    crs: str
    x0: float
    y0: float
    dx: float
    dy: float

    @classmethod
    def of(cls, crs: str, transform: Sequence[float]) -> "Grid":
        """The lattice of a raster, from its CRS and affine coefficients a, b, c, d, e, f; CatalogError if rotated."""
        a, b, c, d, e, f = transform[:6]
        if b or d or a <= 0 or e >= 0:
            raise CatalogError(
                f"A raster with the transform {tuple(transform[:6])} is rotated or not north-up, "
                "and geomon never warps a grid. Convert it once to a north-up GeoTIFF."
            )
        return cls(crs, c - round(c / a) * a, f - round(f / -e) * -e, a, -e)

    def window(self, transform: Sequence[float], shape: tuple[int, int]) -> "Window | None":
        """Where a raster lies on this lattice; None if its corners are off it by more than a hundredth of a cell."""
        a, b, c, d, e, f = transform[:6]
        if b or d or a <= 0 or e >= 0:
            return None
        corners = [
            ((c + n * a * shape[1] - self.x0) / self.dx, (self.y0 - (f + n * e * shape[0])) / self.dy) for n in (0, 1)
        ]
        if any(abs(v - round(v)) > NEAR for corner in corners for v in corner):
            return None
        (j0, i0), (j1, i1) = ((round(x), round(y)) for x, y in corners)
        if (i1 - i0, j1 - j0) != tuple(shape):
            return None
        return Window(self, i0, i1, j0, j1)

    def cover(self, bounds: Bounds, margin: int = 0) -> "Window":
        """The smallest window that holds these bounds, and `margin` cells around it."""
        x0, y0, x1, y1 = bounds
        low, high = 1e-9, 1 - 1e-9
        return Window(
            self,
            math.floor((self.y0 - y1) / self.dy + low) - margin,
            math.floor((self.y0 - y0) / self.dy + high) + margin,
            math.floor((x0 - self.x0) / self.dx + low) - margin,
            math.floor((x1 - self.x0) / self.dx + high) + margin,
        )

    @property
    def metres(self) -> tuple[float, float]:
        """Height and width of a cell in metres, for a geographic grid at the equator."""
        unit = unit_of(self.crs)
        return self.dy * unit, self.dx * unit


@dataclass(frozen=True)
class Window:
    """Rows i0:i1 and columns j0:j1 of a grid."""

    grid: Grid
    i0: int
    i1: int
    j0: int
    j1: int

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns."""
        return self.i1 - self.i0, self.j1 - self.j0

    @property
    def edges(self) -> tuple[Floats, Floats]:
        """y of the row edges from the top down, x of the column edges."""
        g = self.grid
        rows, columns = np.arange(self.i0, self.i1 + 1.0), np.arange(self.j0, self.j1 + 1.0)
        return (g.y0 - g.dy * rows).astype(np.float64), (g.x0 + g.dx * columns).astype(np.float64)

    @property
    def centres(self) -> tuple[Floats, Floats]:
        """y of the rows, x of the columns."""
        g = self.grid
        rows, columns = np.arange(self.i0, self.i1) + 0.5, np.arange(self.j0, self.j1) + 0.5
        return (g.y0 - g.dy * rows).astype(np.float64), (g.x0 + g.dx * columns).astype(np.float64)

    @property
    def bounds(self) -> Bounds:
        """West, south, east, north in the grid's CRS."""
        g = self.grid
        return (
            g.x0 + g.dx * self.j0,
            g.y0 - g.dy * self.i1,
            g.x0 + g.dx * self.j1,
            g.y0 - g.dy * self.i0,
        )

    @property
    def transform(self) -> Affine:
        """From columns and rows to x and y."""
        west, _, _, north = self.bounds
        return Affine(self.grid.dx, 0.0, west, 0.0, -self.grid.dy, north)

    @property
    def geobox(self) -> GeoBox:
        """The same as the GeoBox of odc-geo."""
        return GeoBox(self.shape, self.transform, self.grid.crs)

    @property
    def areas(self) -> Floats:
        """True square metres of each cell on the ellipsoid, shape (rows, columns)."""
        if is_geographic(self.grid.crs):
            return np.repeat(band_areas(self.grid.crs, self.edges[0], self.grid.dx)[:, None], self.shape[1], axis=1)
        return projected_areas(self)

    def pad(self, n: int) -> "Window":
        """n cells more on each side."""
        return Window(self.grid, self.i0 - n, self.i1 + n, self.j0 - n, self.j1 + n)

    def intersect(self, other: "Window") -> "Window | None":
        """What both share, if anything."""
        i0, i1 = max(self.i0, other.i0), min(self.i1, other.i1)
        j0, j1 = max(self.j0, other.j0), min(self.j1, other.j1)
        return Window(self.grid, i0, i1, j0, j1) if i0 < i1 and j0 < j1 else None

    def inside(self, other: "Window") -> tuple[slice, slice]:
        """Rows and columns of this window within a larger one's array."""
        return slice(self.i0 - other.i0, self.i1 - other.i0), slice(self.j0 - other.j0, self.j1 - other.j0)

    def take(self, array: Floats, origin: "Window") -> Floats:
        """This window of an array (..., rows, columns) that lies on `origin`; NaN outside it."""
        out = np.full((*array.shape[:-2], *self.shape), np.nan)
        shared = self.intersect(origin)
        if shared:
            out[(..., *shared.inside(self))] = array[(..., *shared.inside(origin))]
        return out

    def blocks(self, size: int, corner: tuple[int, int] = (0, 0)) -> list["Window"]:
        """Square blocks that cover the window, at multiples of `size` from a row and column of the lattice."""
        i, j = corner
        rows = range((self.i0 - i) // size * size + i, self.i1, size)
        columns = range((self.j0 - j) // size * size + j, self.j1, size)
        return [Window(self.grid, i, i + size, j, j + size) for i in rows for j in columns]


@functools.cache
def geographic(crs: str) -> tuple[bool, float, float]:
    """Whether the CRS is in degrees, and the semi-axis b (m) and squared eccentricity of its ellipsoid."""
    found = pyproj.CRS.from_user_input(crs)
    ellipsoid = found.ellipsoid or pyproj.CRS.from_epsg(4326).ellipsoid
    assert ellipsoid is not None
    a, b = ellipsoid.semi_major_metre, ellipsoid.semi_minor_metre
    return found.is_geographic, b, 1 - (b / a) ** 2


def is_geographic(crs: str) -> bool:
    """Whether coordinates are degrees."""
    return geographic(crs)[0]


@functools.cache
def unit_of(crs: str) -> float:
    """Metres of one unit of the CRS; of a degree at the equator for a geographic one."""
    found = pyproj.CRS.from_user_input(crs)
    return 111_319.49 if found.is_geographic else found.axis_info[0].unit_conversion_factor


def both_sides(box: Sequence[float]) -> list[Bounds]:
    """A box in degrees as one or, if it crosses the antimeridian (its west is east of its east), as two."""
    west, south, east, north = box
    return [(west, south, east, north)] if west <= east else [(west, south, 180.0, north), (-180.0, south, east, north)]


def strip(west: Floats, east: Floats) -> tuple[float, float]:
    """The narrowest strip of longitude that holds these spans; its west is east of its east across the antimeridian."""
    order = np.argsort(west)
    starts, ends = west[order], np.maximum.accumulate(east[order])
    first, last = float(starts[0]), float(ends[-1])
    gaps = starts[1:] - ends[:-1]
    if len(gaps) == 0 or gaps.max() <= first + 360 - last:
        return first, last
    widest = int(gaps.argmax())
    return float(starts[widest + 1]), float(ends[widest])


@functools.lru_cache(maxsize=64)
def poles(crs: str) -> tuple[tuple[float, float, float], ...]:
    """Latitude, x and y of each pole that is a point of a projected CRS."""
    found = []
    for latitude in (90.0, -90.0):
        places = np.array(transformer("EPSG:4326", crs).transform([-180.0, -90.0, 0.0, 90.0], [latitude] * 4))
        if np.isfinite(places).all() and np.ptp(places, axis=1).max() * unit_of(crs) < 1e-3:
            found.append((latitude, *places.mean(axis=1).tolist()))
    return tuple(found)


@functools.lru_cache(maxsize=256)
def transformer(origin: str, to: str) -> pyproj.Transformer:
    """Coordinates from one CRS to another, x before y."""
    return pyproj.Transformer.from_crs(origin, to, always_xy=True)


def authalic(crs: str, latitude: Floats) -> Floats:
    """q(latitude in degrees): area north of the equator per radian of longitude, over b²/2 (Snyder 1987, 3-12)."""
    _, _, e2 = geographic(crs)
    s = np.sin(np.radians(np.clip(latitude, -90, 90)))
    e = math.sqrt(e2)
    return np.asarray(s / (1 - e2 * s * s) + (np.arctanh(e * s) / e if e else s))


def band_areas(crs: str, edges: Floats, width: float) -> Floats:
    """Square metres of one cell in each row of a geographic grid, between the parallels `edges` (top down)."""
    _, b, _ = geographic(crs)
    q = authalic(crs, edges)
    return np.asarray(math.radians(width) * b * b / 2 * (q[:-1] - q[1:]))


def projected_areas(window: Window) -> Floats:
    """Planar area over areal scale, the scale bilinear between nodes that belong to the grid."""
    grid = window.grid
    every = max(1, int(NODE / max(grid.metres)))
    i = np.arange(window.i0 // every, -(-window.i1 // every) + 2)
    j = np.arange(window.j0 // every, -(-window.j1 // every) + 2)
    x, y = np.meshgrid(grid.x0 + grid.dx * every * j, grid.y0 - grid.dy * every * i)
    inverse = 1 / areal_scale(grid.crs, x, y)
    u, v = (np.arange(window.i0, window.i1) + 0.5) / every, (np.arange(window.j0, window.j1) + 0.5) / every
    p, q = np.floor(u).astype(int), np.floor(v).astype(int)
    u, v, p, q = (u - p)[:, None], (v - q)[None, :], p - i[0], q - j[0]
    mixed = (
        inverse[np.ix_(p, q)] * (1 - u) * (1 - v)
        + inverse[np.ix_(p + 1, q)] * u * (1 - v)
        + inverse[np.ix_(p, q + 1)] * (1 - u) * v
        + inverse[np.ix_(p + 1, q + 1)] * u * v
    )
    return np.asarray(mixed * grid.dx * grid.dy * unit_of(grid.crs) ** 2)


@functools.lru_cache(maxsize=256)
def to_degrees(crs: str) -> pyproj.Transformer | None:
    """From a projected CRS to the degrees of its own ellipsoid; None for one of equal area."""
    found = pyproj.CRS.from_user_input(crs)
    if found.coordinate_operation and "equal area" in found.coordinate_operation.method_name.lower():
        return None
    if "sinusoidal" in crs.lower() or "+proj=sinu" in crs:
        return None
    return pyproj.Transformer.from_crs(found, found.geodetic_crs, always_xy=True)


def areal_scale(crs: str, x: Floats, y: Floats) -> Floats:
    """Planar over true area at points of a projected CRS; 1 where the projection is not defined.

    From how far longitude and latitude move around each point, by central differences (to 1e-9), because PROJ's
    own factors are those of a sphere for Web Mercator (0.6 % off at 10 degrees).
    """
    degrees = to_degrees(crs)
    if degrees is None:
        return np.ones_like(x)
    step = STEP / unit_of(crs)
    (east, west), (north, south) = (
        [np.radians(degrees.transform(x + sign * dx, y + sign * dy)) for sign in (1, -1)]
        for dx, dy in ((step, 0.0), (0.0, step))
    )
    with np.errstate(invalid="ignore"):
        (a, c), (b, d) = turned(east - west), turned(north - south)
        latitude = (north + south)[1] / 2
        _, axis, e2 = geographic(crs)
        w = 1 - e2 * np.sin(latitude) ** 2
        true = np.abs(a * d - b * c) / (2 * STEP) ** 2 * axis**2 / w**2 * np.cos(latitude)
        polar = np.abs(latitude) > math.radians(POLAR)
        if polar.any():
            across, along = on_sphere(crs, east) - on_sphere(crs, west), on_sphere(crs, north) - on_sphere(crs, south)
            true = np.where(polar, np.linalg.norm(np.cross(across, along), axis=-1) / (2 * STEP) ** 2, true)
    fine = np.isfinite(true) & (true > 0)
    return np.where(fine, 1 / np.where(fine, true, 1.0), 1.0)


def on_sphere(crs: str, place: Floats) -> Floats:
    """Points (..., 3) on the sphere that has the ellipsoid's area, from longitude and latitude (2, ...) in radians.

    Areas on it are those on the ellipsoid (Snyder 1987, 3-11). How much is left to the pole is integrated, for next
    to it the sine of a latitude has lost its digits.
    """
    _, b, e2 = geographic(crs)
    longitude, latitude = place
    pole = float(authalic(crs, np.array(90.0)))
    nodes, weights = (GAUSS[0] + 1) / 2, GAUSS[1] / 2
    left = 2 * np.sin((math.pi / 2 - np.abs(latitude)) / 2) ** 2
    rest = left * ((2 / (1 - e2 * (1 - left[..., None] * nodes) ** 2) ** 2) @ weights) / pole
    cosine, sine = np.sqrt(rest * (2 - rest)), np.sign(latitude) * (1 - rest)
    return np.stack([cosine * np.cos(longitude), cosine * np.sin(longitude), sine], axis=-1) * b * math.sqrt(pole / 2)


def turned(difference: Floats) -> Floats:
    """Differences of longitude and latitude (radians), the short way round the globe."""
    return np.stack([(difference[0] + math.pi) % (2 * math.pi) - math.pi, difference[1]])


SHORT = 50.0  # units of a projected CRS: edges of this length are as straight in one projection as in another


def true_area(geometry: BaseGeometry, crs: str) -> float:
    """Square metres of a polygon on the ellipsoid, its edges straight in `crs`.

    Geographic: the line integral of the authalic function along each edge, by five Gauss points, which is
    exact to rounding for edges of a few degrees. Projected: edges densified, then planar in an equal-area
    projection about a whole degree near the polygon, which many of them share.
    """
    if geometry.is_empty:
        return 0.0
    if is_geographic(crs):
        _, b, _ = geographic(crs)
        return abs(math.fsum(ring_integral(crs, ring) for ring in oriented_rings(geometry))) * b * b / 2
    step = max(geometry.length / 4_000, SHORT)
    dense = shapely.segmentize(geometry, step)
    middle = geometry.representative_point()
    longitude, latitude = transformer(crs, "EPSG:4326").transform(middle.x, middle.y)
    local = f"+proj=laea +lat_0={latitude:.0f} +lon_0={longitude:.0f} +datum=WGS84 +units=m"
    flat = shapely.transform(dense, lambda c: np.column_stack(transformer(crs, local).transform(*c.T)))
    return float(flat.area)


def oriented_rings(geometry: BaseGeometry) -> Iterable[Floats]:
    """Coordinates of all rings, shells one way round and holes the other."""
    for part in shapely.get_parts(geometry):
        if part.geom_type != "Polygon":
            continue
        turned = shapely.geometry.polygon.orient(part)
        for ring in (turned.exterior, *turned.interiors):
            yield np.asarray(ring.coords)[:, :2]


GAUSS = np.polynomial.legendre.leggauss(5)


def ring_integral(crs: str, ring: Floats) -> float:
    """The integral of q(latitude) over longitude (radians) around a ring of degrees."""
    x, y = ring.T
    nodes, weights = (GAUSS[0] + 1) / 2, GAUSS[1] / 2
    mean = authalic(crs, y[:-1, None] + np.diff(y)[:, None] * nodes) @ weights
    return -math.fsum(np.radians(np.diff(x)) * mean)
