"""Lattices, windows on them, and true areas on the ellipsoid."""

import math

import numpy as np
import pyproj
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from geomon.errors import CatalogError
from geomon.grid import Grid, Window, true_area

GEOD = pyproj.Geod(ellps="WGS84")
DEGREES, UTM = "EPSG:4326", "EPSG:32633"
SINUSOIDAL = "+proj=sinu +lon_0=0 +R=6371007.181 +units=m +no_defs"


def geodesic(window: Window, i: int, j: int, points: int = 60) -> float:
    """Square metres of one cell, its edges drawn by many points on the ellipsoid: not the way of the engine."""
    west, south, east, north = Window(window.grid, i, i + 1, j, j + 1).bounds
    ring = shapely.segmentize(shapely.box(west, south, east, north), (east - west) / points).exterior.coords.xy
    lonlat = pyproj.Transformer.from_crs(window.grid.crs, DEGREES, always_xy=True).transform(*ring)
    return abs(GEOD.polygon_area_perimeter(*lonlat)[0])


@pytest.mark.parametrize(
    ("south", "km2"), [(0, 12_308.464), (45, 8_686.495), (-1, 12_308.464)], ids=["equator", "45 N", "1 S"]
)
def test_the_area_of_a_degree(south: float, km2: float) -> None:
    cell = Grid(DEGREES, 0, 0, 1, 1).cover((10, south, 11, south + 1))
    assert cell.shape == (1, 1)
    assert cell.areas[0, 0] / 1e6 == pytest.approx(km2, abs=5e-4)


def test_the_cells_of_the_globe_are_the_globe() -> None:
    globe = Grid(DEGREES, 0, 0, 0.5, 0.5).cover((-180, -90, 180, 90))
    assert globe.areas.sum() / 1e6 == pytest.approx(510_065_621.7, abs=0.05)


@pytest.mark.parametrize("crs", [UTM, "EPSG:3857", "EPSG:6933", "EPSG:3035"])
@pytest.mark.parametrize("place", [(0, 0), (7, 911), (150, 40)])
def test_projected_cells_have_their_geodesic_area(crs: str, place: tuple[int, int]) -> None:
    x, y = pyproj.Transformer.from_crs(DEGREES, crs, always_xy=True).transform(13.3, 45.1)
    grid = Grid.of(crs, (100.0, 0, round(x, -2), 0, -100.0, round(y, -2)))
    start = grid.cover((x, y, x + 1, y + 1))
    i, j = start.i0 + place[0], start.j0 + place[1]
    window = Window(grid, i, i + 1, j, j + 1)
    assert window.areas[0, 0] == pytest.approx(geodesic(window, i, j), rel=2e-8)


def test_a_sphere_has_the_area_of_its_sinusoidal_cells() -> None:
    window = Grid.of(SINUSOIDAL, (463.3127, 0, 0, 0, -463.3127, 5_000_000)).cover((1e6, 4e6, 1.001e6, 4.001e6))
    np.testing.assert_allclose(window.areas, 463.3127**2, rtol=1e-12)


@settings(max_examples=40)
@given(
    i=st.integers(-600_000, 2_000),
    j=st.integers(-3_000, 80_000),
    cut=st.tuples(st.integers(0, 40), st.integers(0, 40)),
    size=st.sampled_from([10.0, 30.0, 250.0, 7.3]),
)
def test_a_cell_has_the_same_area_in_every_block(i: int, j: int, cut: tuple[int, int], size: float) -> None:
    i, j = int(i * 10 / size), int(j * 10 / size)
    whole = Window(Grid(UTM, 0.0, 0.0, size, size), i, i + 90, j, j + 60)
    part = Window(whole.grid, i + cut[0], i + cut[0] + 7, j + cut[1], j + cut[1] + 9)
    np.testing.assert_array_equal(part.areas, whole.areas[part.inside(whole)])


def test_a_cell_near_the_origin_has_the_same_area_in_every_block() -> None:
    """Where rows change their sign, offsets of a block must not be rounded into the place of a cell."""
    whole = Window(Grid(UTM, 0.0, 0.0, 7.3, 7.3), -1500, 200, -1200, 100)
    for i, j in ((-3, -2), (-1, 5), (0, 0), (100, 30)):
        part = Window(whole.grid, i, i + 60, j, j + 60)
        np.testing.assert_array_equal(part.areas, whole.areas[part.inside(whole)])


def test_rasters_of_one_lattice_are_windows_of_it() -> None:
    one = Grid.of(UTM, (10.0, 0, 400_005.0, 0, -10.0, 5_000_005.0))
    two = Grid.of(UTM, (10.0, 0, 500_005.0, 0, -10.0, 4_900_005.0))
    assert one == two
    window = one.window((10.0, 0, 400_005.0, 0, -10.0, 5_000_005.0), (3, 4))
    assert window is not None
    assert window.bounds == (400_005.0, 4_999_975.0, 400_045.0, 5_000_005.0)
    assert tuple(window.transform)[:6] == (10.0, 0, 400_005.0, 0, -10.0, 5_000_005.0)
    assert one.window((10.0, 0, 400_000.0, 0, -10.0, 5_000_005.0), (3, 4)) is None, "half a cell off"
    assert one.window((20.0, 0, 400_005.0, 0, -20.0, 5_000_005.0), (3, 4)) is None, "cells of another size"


@pytest.mark.parametrize(
    "transform", [(10.0, 0.1, 0, 0, -10.0, 0), (10.0, 0, 0, 0, 10.0, 0)], ids=["rotated", "south-up"]
)
def test_what_is_not_north_up_is_refused(transform: tuple[float, ...]) -> None:
    with pytest.raises(CatalogError, match="rotated or not north-up"):
        Grid.of(UTM, transform)


def test_cover_holds_the_bounds_and_no_more() -> None:
    grid = Grid(UTM, 0, 0, 10, 10)
    assert grid.cover((0, 0, 20, 10)) == Window(grid, -1, 0, 0, 2), "on the lines"
    assert grid.cover((-1, -1, 21, 11)) == Window(grid, -2, 1, -1, 3)
    assert grid.cover((0, 0, 20, 10), margin=2) == Window(grid, -3, 2, -2, 4)


@settings(max_examples=50)
@given(
    i=st.integers(-50, 50), j=st.integers(-50, 50), h=st.integers(1, 40), w=st.integers(1, 40), size=st.integers(1, 30)
)
def test_blocks_cover_a_window_once(i: int, j: int, h: int, w: int, size: int) -> None:
    window = Window(Grid(UTM, 0, 0, 10, 10), i, i + h, j, j + w)
    counted = np.zeros(window.shape)
    for block in window.blocks(size):
        assert block.i0 % size == 0 and block.j0 % size == 0
        shared = block.intersect(window)
        assert shared is not None
        counted[shared.inside(window)] += 1
    assert (counted == 1).all()


def test_take_leaves_what_is_outside_unseen() -> None:
    grid = Grid(UTM, 0, 0, 10, 10)
    got = Window(grid, 1, 3, -1, 2).take(np.arange(6.0).reshape(2, 3), Window(grid, 0, 2, 0, 3))
    np.testing.assert_array_equal(got, [[np.nan, 3, 4], [np.nan, np.nan, np.nan]])


@pytest.mark.parametrize("window", [(0, 0, 4, 3), (10.5, 44.25, 13.75, 47.5), (-3, -35, 1, -31)])
def test_the_true_area_of_a_box_of_degrees_is_that_of_its_cells(window: tuple[float, float, float, float]) -> None:
    cells = Grid(DEGREES, 0, 0, 0.25, 0.25).cover(window)
    assert true_area(shapely.box(*window), DEGREES) == pytest.approx(cells.areas.sum(), rel=1e-12)


def test_the_true_area_of_edges_that_are_straight_in_degrees() -> None:
    """A slanted edge is not a geodesic: cut into short pieces, both come to the same."""
    shape = shapely.Polygon([(10, 40), (14, 43), (11, 47), (10, 40)]).difference(shapely.box(11.1, 42, 11.6, 43))
    exterior = shapely.segmentize(shape, 0.01)
    outer = abs(GEOD.polygon_area_perimeter(*exterior.exterior.coords.xy)[0])
    inner = abs(GEOD.polygon_area_perimeter(*exterior.interiors[0].coords.xy)[0])
    assert true_area(shape, DEGREES) == pytest.approx(outer - inner, rel=1e-7)


def test_the_true_area_of_a_polygon_in_utm() -> None:
    shape = shapely.Point(420_000, 5_010_000).buffer(9_000)
    ring = shapely.segmentize(shape, 50).exterior.coords.xy
    lonlat = pyproj.Transformer.from_crs(UTM, DEGREES, always_xy=True).transform(*ring)
    assert true_area(shape, UTM) == pytest.approx(abs(GEOD.polygon_area_perimeter(*lonlat)[0]), rel=1e-8)


def test_nothing_has_no_area() -> None:
    assert true_area(shapely.Polygon(), DEGREES) == 0


def test_feet_count_as_feet() -> None:
    feet = Window(Grid("EPSG:2263", 0, 0, 100, 100), -2000, -1999, 9000, 9001)
    assert feet.areas[0, 0] == pytest.approx((100 * 0.3048006096) ** 2, rel=1e-3)
    assert math.isclose(feet.grid.metres[0], 30.48006096, rel_tol=1e-9)
