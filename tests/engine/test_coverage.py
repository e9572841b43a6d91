"""The exact share of each cell in a polygon, against shapely's intersections and exactextract."""

import exactextract
import geopandas as gpd
import numpy as np
import pytest
import shapely
from exactextract.raster import NumPyRasterSource
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from shapely.geometry.base import BaseGeometry

from geomon.grid import Floats, Grid, Window
from geomon.stats.coverage import cover

GRID = Grid("EPSG:32633", 0, 0, 1, 1)
WINDOW = Window(GRID, -8, 8, -8, 8)
number = st.floats(-9, 9, allow_nan=False, width=32)
points = st.tuples(number, number)


def shares(geometry: BaseGeometry, window: Window) -> Floats:
    """All shares of a window as an array."""
    found = cover(geometry, window)
    out = np.zeros(window.shape)
    out.ravel()[found.cells] = found.share
    assert (np.diff(found.cells) > 0).all() and (found.share > 0).all() and (found.share <= 1).all()
    return out


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
    whole = shares(shape, WINDOW)
    part = Window(GRID, i, i + 4, j, j + 4)
    np.testing.assert_allclose(shares(shape, part), whole[part.inside(WINDOW)], atol=1e-15)


@pytest.mark.parametrize("far", [(0.0, 0.0), (4e5, 5e6), (-1.7e7, 8.9e6)])
@pytest.mark.parametrize("size", [10.0, 0.3])
def test_far_from_the_origin(far: tuple[float, float], size: float) -> None:
    """Shares come from places relative to a cell, so that digits are not lost in large coordinates."""
    grid = Grid.of("EPSG:3857", (size, 0, far[0], 0, -size, far[1]))
    near = shapely.Polygon([(0.7, -0.4), (6.3, -1.1), (5.2, -6.6), (1.9, -5.8)])
    shape = shapely.transform(near, lambda c: c * size + np.array(far))
    window = grid.cover(shape.bounds, 1)
    plain = cover(near, Window(Grid("EPSG:3857", 0, 0, 1, 1), -1, 8, -1, 8))
    assert cover(shape, window).share.sum() == pytest.approx(plain.share.sum(), abs=1e-7)
    np.testing.assert_allclose(shares(shape, window), intersected(shape, window), atol=1e-7)


def test_shares_of_neighbours_make_whole_cells() -> None:
    """Zones that share a border, put together, leave no gap and no overlap in any cell."""
    rng = np.random.default_rng(1)
    cells = shapely.get_parts(shapely.voronoi_polygons(shapely.MultiPoint(rng.uniform(-8, 8, (40, 2)))))
    together = sum(shares(c.intersection(shapely.box(-8, -8, 8, 8)), WINDOW) for c in cells)
    np.testing.assert_allclose(together, 1, atol=1e-12)


def test_zones_off_the_window_have_no_cells() -> None:
    assert len(cover(shapely.box(20, 20, 30, 30), WINDOW).cells) == 0
    assert len(cover(shapely.Polygon(), WINDOW).cells) == 0
    assert cover(shapely.box(-30, -30, 30, 30), WINDOW).share.tolist() == [1.0] * 256


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
    np.testing.assert_allclose(shares(shape, WINDOW), oracle, atol=1e-6)  # it keeps single precision
