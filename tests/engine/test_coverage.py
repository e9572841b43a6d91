"""The exact share of each cell in a polygon, against shapely's intersections and exactextract."""

import itertools
import math

import exactextract
import geopandas as gpd
import numpy as np
import pytest
import shapely
from exactextract.raster import NumPyRasterSource
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from shapely.geometry.base import BaseGeometry

from geomon.errors import InputError
from geomon.grid import Floats, Grid, Window
from geomon.stats.coverage import cover

GRID = Grid("EPSG:32633", 0, 0, 1, 1)
WINDOW = Window(GRID, -8, 8, -8, 8)
number = st.floats(-9, 9, allow_nan=False).map(lambda v: round(v, 7))  # shapely errs with coordinates of 1e-38
points = st.tuples(number, number)


def shares(geometry: BaseGeometry, window: Window) -> Floats:
    """All shares of a window as an array."""
    found = cover([geometry], window)
    assert ((found.cell_share > 0) & (found.cell_share < 1)).all()
    for r in range(window.shape[0]):
        cells = found.cell_column[found.cell_rows[r] : found.cell_rows[r + 1]]
        starts, stops = (a[found.run_rows[r] : found.run_rows[r + 1]] for a in (found.run_start, found.run_stop))
        assert (np.diff(cells) > 0).all() and (starts < stops).all() and (stops[:-1] < starts[1:]).all()
    return found.on_cells()


def intersected(geometry: BaseGeometry, window: Window) -> Floats:
    """The same by intersecting every cell."""
    y, x = window.edges
    cells = shapely.box(x[None, :-1], y[1:, None], x[None, 1:], y[:-1, None])
    return np.asarray(shapely.area(shapely.intersection(cells, geometry)) / (window.grid.dx * window.grid.dy))


@settings(max_examples=150)
@given(ring=st.lists(points, min_size=3, max_size=9, unique=True))
def test_any_polygon(ring: list[tuple[float, float]]) -> None:
    shape = shapely.make_valid(shapely.Polygon(ring))
    polygons = [p for p in shapely.get_parts(shape) if p.geom_type == "Polygon" and p.area > 1e-9]
    assume(polygons)
    shape = shapely.union_all(polygons)
    np.testing.assert_allclose(shares(shape, WINDOW), intersected(shape, WINDOW), atol=2e-9)


@settings(max_examples=60)
@given(middle=points, radius=st.floats(0.05, 7), hole=st.floats(0.05, 0.95), sides=st.integers(1, 6))
def test_rings_with_holes(middle: tuple[float, float], radius: float, hole: float, sides: int) -> None:
    shape = shapely.Point(middle).buffer(radius, quad_segs=sides)
    shape = shape.difference(shapely.Point(middle).buffer(radius * hole, quad_segs=sides))
    np.testing.assert_allclose(shares(shape, WINDOW), intersected(shape, WINDOW), atol=2e-9)


@settings(max_examples=60)
@given(a=points, b=points, width=st.floats(1e-4, 0.05))
def test_slivers(a: tuple[float, float], b: tuple[float, float], width: float) -> None:
    shape = shapely.LineString([a, b]).buffer(width, cap_style="flat")
    assume(shape.area > 1e-6)
    np.testing.assert_allclose(shares(shape, WINDOW), intersected(shape, WINDOW), atol=2e-9)


@settings(max_examples=40)
@given(ring=st.lists(points, min_size=3, max_size=7, unique=True), i=st.integers(-8, 4), j=st.integers(-8, 4))
def test_a_cell_has_the_same_share_to_the_bit_in_every_block(ring: list[tuple[float, float]], i: int, j: int) -> None:
    shape = shapely.convex_hull(shapely.MultiPoint(ring))
    assume(shape.geom_type == "Polygon" and shape.area > 1e-3)
    shape = shape.difference(shape.centroid.buffer(0.7))
    whole = shares(shape, WINDOW)
    part = Window(GRID, i, i + 4, j, j + 4)
    np.testing.assert_array_equal(shares(shape, part), whole[part.inside(WINDOW)])


@pytest.mark.parametrize("far", [(0.0, 0.0), (4e5, 5e6), (-1.7e7, 8.9e6)])
@pytest.mark.parametrize("size", [10.0, 0.3])
def test_far_from_the_origin(far: tuple[float, float], size: float) -> None:
    """Shares come from places relative to a cell, so that digits are not lost in large coordinates."""
    grid = Grid.of("EPSG:3857", (size, 0, far[0], 0, -size, far[1]))
    near = shapely.Polygon([(0.7, -0.4), (6.3, -1.1), (5.2, -6.6), (1.9, -5.8)])
    shape = shapely.transform(near, lambda c: c * size + np.array(far))
    window = grid.cover(shape.bounds, 1)
    plain = shares(near, Window(Grid("EPSG:3857", 0, 0, 1, 1), -1, 8, -1, 8))
    assert shares(shape, window).sum() == pytest.approx(plain.sum(), abs=1e-7)
    np.testing.assert_allclose(shares(shape, window), intersected(shape, window), atol=1e-7)


def test_shares_of_neighbours_make_whole_cells() -> None:
    """Zones that share a border, put together, leave no gap and no overlap in any cell."""
    rng = np.random.default_rng(1)
    cells = shapely.get_parts(shapely.voronoi_polygons(shapely.MultiPoint(rng.uniform(-8, 8, (40, 2)))))
    together = sum(shares(c.intersection(shapely.box(-8, -8, 8, 8)), WINDOW) for c in cells)
    np.testing.assert_allclose(together, 1, atol=1e-12)


def test_zones_off_the_window_have_no_cells() -> None:
    for nothing in ([shapely.box(20, 20, 30, 30)], [shapely.Polygon()], [None], []):
        found = cover(nothing, WINDOW)
        assert (len(found.cell_share), len(found.run_zone), found.zones) == (0, 0, len(nothing))
    whole = cover([shapely.box(-30, -30, 30, 30)], WINDOW)
    assert whole.run_start.tolist() == [0] * 16 and whole.run_stop.tolist() == [16] * 16 and not len(whole.cell_share)


def test_coordinates_that_are_not_finite_are_refused() -> None:
    with pytest.raises(InputError, match="not finite"):
        cover([shapely.Polygon([(0, 0), (1, 0), (np.inf, 1)])], WINDOW)


def units(n: int, side: int) -> list[BaseGeometry]:
    """Polygons that share wiggly borders, in a square of lattice cells down from the origin."""
    rng = np.random.default_rng(n)
    cells = shapely.get_parts(shapely.voronoi_polygons(shapely.MultiPoint(rng.uniform(0, side, (n, 2)) * [1, -1])))
    fine = shapely.segmentize(cells, side / 300)
    wiggle = shapely.transform(fine, lambda c: c + np.sin(c[:, ::-1] * 3) * side / 200)
    return list(shapely.make_valid(wiggle))


def test_many_zones_at_once_are_each_alone_by_row_and_zone_on_any_threads() -> None:
    zones, window = units(30, 300), Window(GRID, 20, 290, 10, 300)
    one, two = cover(zones, window), cover(zones, window, threads=2)
    for a, b in zip(one.arrays, two.arrays, strict=True):
        np.testing.assert_array_equal(a, b)
    together = [cover([z], window) for z in zones]
    for pointers, zone in ((one.cell_rows, one.cell_zone), (one.run_rows, one.run_zone)):
        assert all((np.diff(zone[a:b]) >= 0).all() for a, b in itertools.pairwise(pointers))
    for n, alone in enumerate(together):
        np.testing.assert_array_equal(one.cell_share[one.cell_zone == n], alone.cell_share)
        np.testing.assert_array_equal(one.run_stop[one.run_zone == n], alone.run_stop)


def test_cells_make_the_planar_area_of_a_zone_however_small() -> None:
    """Better than a billionth of the zone, from a thousandth of a cell to some thousands of cells across."""
    for size, slim in ((1e-3, 0.1), (1e-2, 1e-2), (1.0, 1e-5), (40.0, 1e-5), (3000.0, 1e-5)):
        for angle, aspect in ((0.0, 1.0), (0.3, 0.5), (1.1, slim)):
            flat = shapely.affinity.scale(shapely.Point(0, 0).buffer(1, quad_segs=9), size, size * aspect)
            shape = shapely.affinity.translate(shapely.affinity.rotate(flat, angle, use_radians=True), 0.3, 0.9)
            hole = shapely.affinity.scale(shape, 0.4, 0.4)
            found = cover([shape.difference(hole)], GRID.cover(shape.bounds, 1))
            cells = found.cell_share.sum() + (found.run_stop - found.run_start).sum()
            wanted = planar(shape) - planar(hole)
            assert abs(cells - wanted) < 1e-9 * wanted, (size, angle, aspect)


def planar(shape: BaseGeometry) -> float:
    """Area about the first vertex, which is closer than GEOS has it for something small."""
    x, y = (np.asarray(shape.exterior.coords) - shape.exterior.coords[0]).T
    return abs(math.fsum(x[:-1] * y[1:] - x[1:] * y[:-1])) / 2


def test_a_million_vertices() -> None:
    t = np.linspace(0, 2 * np.pi, 1_000_001)[:-1]
    radius = 400 + 20 * np.sin(9 * t) + np.random.default_rng(0).uniform(-0.5, 0.5, len(t))
    shape = shapely.Polygon(np.column_stack([radius * np.cos(t), radius * np.sin(t)]))
    window = GRID.cover(shape.bounds)
    found = cover([shape], window, threads=2)
    cells = found.cell_share.sum() + (found.run_stop - found.run_start).sum()
    assert abs(cells - planar(shape)) < 1e-9 * cells
    assert found.nbytes < 1_000_000, "as long as the border in cells, not in vertices"


@pytest.mark.parametrize(
    ("shape", "expected"),
    [
        (shapely.box(0, 0, 2, 1), [[1.0, 1.0]]),
        (shapely.box(0.5, 0, 1.25, 1), [[0.5, 0.25]]),
        (shapely.Polygon([(0, 0), (2, 0), (2, 1)]), [[0.25, 0.75]]),
        (shapely.MultiPolygon([shapely.box(0, 0, 0.5, 1), shapely.box(1, 0, 1.5, 0.5)]), [[0.5, 0.25]]),
    ],
    ids=["on the lines", "between them", "diagonal", "two parts"],
)
def test_by_eye(shape: BaseGeometry, expected: list[list[float]]) -> None:
    np.testing.assert_allclose(shares(shape, Window(GRID, -1, 0, 0, 2)), expected, atol=1e-15)


def test_as_exactextract_has_it() -> None:
    rng = np.random.default_rng(2)
    hull = shapely.convex_hull(shapely.MultiPoint(rng.uniform(-7, 7, (12, 2))))
    shape = hull.difference(shapely.box(-1.3, -2.2, 0.4, 0.9))
    west, south, east, north = WINDOW.bounds
    source = NumPyRasterSource(np.zeros(WINDOW.shape), west, south, east, north)
    frame = gpd.GeoDataFrame({"n": [1]}, geometry=[shape], crs="EPSG:32633")
    (row,) = exactextract.exact_extract(source, frame, ["cell_id", "coverage"])
    oracle = np.zeros(WINDOW.shape)
    oracle.ravel()[row["properties"]["cell_id"].astype(int)] = row["properties"]["coverage"]
    np.testing.assert_allclose(shares(shape, WINDOW), oracle, atol=1e-7)  # it keeps single precision


def test_sums_over_zones_are_those_of_exactextract() -> None:
    """To a billionth of the zone's cells; its single shares are rounded to 6e-8."""
    zones, window = units(12, 400), Window(GRID, 0, 400, 0, 400)
    west, south, east, north = window.bounds
    zones = [z.intersection(shapely.box(west, south, east, north)) for z in zones]
    source = NumPyRasterSource(np.ones(window.shape), west, south, east, north)
    frame = gpd.GeoDataFrame({"n": range(12)}, geometry=zones, crs="EPSG:32633")
    oracle = [f["properties"]["count"] for f in exactextract.exact_extract(source, frame, ["count"])]
    found = cover(zones, window)
    ours = np.bincount(found.cell_zone, found.cell_share, 12)
    ours += np.bincount(found.run_zone, found.run_stop - found.run_start, 12)
    np.testing.assert_allclose(ours, oracle, rtol=1e-9)
    np.testing.assert_allclose(ours, shapely.area(zones), rtol=1e-12)


def test_corners_of_the_lattice_lose_no_cell() -> None:
    """An edge through a corner of the lattice, where exactextract 0.3.0 has left whole cells out."""
    rng = np.random.default_rng(5)
    for _ in range(200):
        ring = rng.integers(-8, 9, (6, 2)).astype(float)
        shape = shapely.convex_hull(shapely.MultiPoint(ring))
        if shape.geom_type == "Polygon":
            np.testing.assert_allclose(shares(shape, WINDOW), intersected(shape, WINDOW), atol=1e-14)
