"""Terrain on true metres: one slope in every CRS, circles that are round on the ground, the same bits in any block."""

import json
import math
from pathlib import Path

import numpy as np
import pyproj
import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st
from scipy import ndimage

from geomon.errors import InputError
from geomon.grid import Floats, Grid, Window, transformer
from geomon.stats.terrain import aspect, degrees_steep, elevation_range, mountain_class, percent_steep, slope
from geomon.supply import cells

DEGREES, UTM = "EPSG:4326", "EPSG:32633"
GEOD = pyproj.Geod(ellps="WGS84")
NAN = np.nan


def rough(shape: tuple[int, int], seed: int, holes: float = 0.0) -> Floats:
    """Hills of metres in float32's grain, with holes."""
    rng = np.random.default_rng(seed)
    hills = ndimage.gaussian_filter(rng.random(shape), 1.5) * 3000
    return np.where(rng.random(shape) < holes, NAN, hills.astype(np.float32).astype(np.float64))


def window_at(crs: str, longitude: float, latitude: float, cell: float, shape: tuple[int, int]) -> Window:
    """A window of cells of so many units around a place."""
    x, y = transformer(DEGREES, crs).transform(longitude, latitude)
    i, j = round(-y / cell), round(x / cell)
    return Window(Grid(crs, 0, 0, cell, cell), i, i + shape[0], j, j + shape[1])


# Slope and aspect


def slow_gradient(z: Floats, window: Window) -> tuple[Floats, Floats]:
    """Horn's differences one by one, over metres measured along the ellipsoid."""
    east, north = np.full(z.shape, NAN), np.full(z.shape, NAN)
    y, _ = window.centres
    for i in range(1, z.shape[0] - 1):
        wide = GEOD.inv(0, y[i], window.grid.dx, y[i])[2]
        high = GEOD.inv(0, y[i] - window.grid.dy / 2, 0, y[i] + window.grid.dy / 2)[2]
        for j in range(1, z.shape[1] - 1):
            box = z[i - 1 : i + 2, j - 1 : j + 2]
            east[i, j] = (box[:, 2] - box[:, 0]) @ [1, 2, 1] / (8 * wide) + 0 * box.sum()
            north[i, j] = (box[0] - box[2]) @ [1, 2, 1] / (8 * high) + 0 * box.sum()
    return east, north


@settings(max_examples=40)
@given(
    seed=st.integers(0, 999), latitude=st.floats(-84, 84), holes=st.sampled_from([0.0, 0.05]), arc=st.integers(1, 30)
)
def test_slope_and_aspect_are_horns_on_metres(seed: int, latitude: float, holes: float, arc: int) -> None:
    z = rough((7, 9), seed, holes)
    window = window_at(DEGREES, 20.0, latitude, arc / 3600, z.shape)
    east, north = slow_gradient(z, window)
    steep = np.degrees(np.arctan(np.hypot(east, north)))
    np.testing.assert_allclose(slope(z, window), steep, rtol=2e-6)
    np.testing.assert_allclose(slope(z, window, "percent"), 100 * np.hypot(east, north), rtol=2e-6)
    off = (aspect(z, window) - np.degrees(np.arctan2(-east, -north)) + 180) % 360 - 180
    np.testing.assert_array_equal(np.isnan(off), np.isnan(east))
    assert np.nanmax(np.abs(off), initial=0) < 1e-3


@pytest.mark.parametrize("crs", [DEGREES, UTM, "EPSG:3857", "EPSG:3035", "ESRI:54008"])
@pytest.mark.parametrize(("longitude", "latitude"), [(12.2, 3.0), (17.9, 48.0), (16.0, 63.0)])
def test_every_crs_gives_one_slope_and_one_aspect(crs: str, longitude: float, latitude: float) -> None:
    """A surface that rises by 4 m in a thousandth of a degree east and falls by 9 m in one north."""
    window = window_at(crs, longitude, latitude, 25 / 111_320 if crs == DEGREES else 25.0, (60, 130))
    x, y = transformer(crs, DEGREES).transform(*np.meshgrid(*window.centres[::-1]))
    z = 4000 * (x - longitude) - 9000 * (y - latitude)
    east = 4.0 / GEOD.inv(longitude - 5e-4, latitude, longitude + 5e-4, latitude)[2]
    north = -9.0 / GEOD.inv(longitude, latitude - 5e-4, longitude, latitude + 5e-4)[2]
    inside = np.s_[1:-1, 1:-1]
    steep = math.degrees(math.atan(math.hypot(east, north)))
    np.testing.assert_allclose(slope(z, window)[inside], steep, rtol=5e-4)
    np.testing.assert_allclose(aspect(z, window)[inside], math.degrees(math.atan2(-east, -north)) % 360, atol=0.03)


@pytest.mark.parametrize(
    ("plane", "faces"),
    [((-1, 0), 90), ((1, 0), 270), ((0, -1), 0), ((0, 1), 180), ((-1, 1), 135), ((1, -1), 315), ((-1, -1), 45)],
)
def test_aspect_is_where_the_ground_falls_to(plane: tuple[int, int], faces: float) -> None:
    """Metres of rise in a cell to the east and to the north; UTM's north is true on its central meridian."""
    j, i = np.meshgrid(np.arange(3.0), np.arange(3.0))
    window = window_at(UTM, 15.0, 45.0, 10.0, (3, 3))
    z = plane[0] * j - plane[1] * i
    off = (aspect(z, window)[1, 1] - faces + 180) % 360 - 180
    assert abs(off) < 1e-3 and 0 <= aspect(z, window)[1, 1] < 360
    assert slope(z, window, "percent")[1, 1] == pytest.approx(10 * math.hypot(*plane), rel=1e-3)


def test_flat_ground_is_seen_and_faces_nowhere() -> None:
    window = window_at(UTM, 15.0, 45.0, 10.0, (3, 3))
    assert slope(np.full((3, 3), 7.0), window)[1, 1] == 0
    assert np.isnan(aspect(np.full((3, 3), 7.0), window)).all()


def test_one_unseen_neighbour_is_enough_and_the_edge_is_unseen() -> None:
    window = window_at(DEGREES, 15.0, 45.0, 0.001, (5, 5))
    z = np.arange(25.0).reshape(5, 5)
    np.testing.assert_array_equal(np.isfinite(slope(z, window)), np.pad(np.ones((3, 3), bool), 1))
    z[1, 1] = NAN
    assert np.argwhere(np.isfinite(slope(z, window))).tolist() == [[1, 3], [2, 3], [3, 1], [3, 2], [3, 3]]
    assert np.isnan(slope(np.ones((2, 5)), window_at(UTM, 15, 45, 10, (2, 5)))).all()


def test_our_arctangent_is_that_of_the_library() -> None:
    t = np.concatenate(
        [[0.0, 0.66, math.tan(math.pi / 8), 1.0, math.tan(3 * math.pi / 8)], np.geomspace(1e-9, 1e9, 5000)]
    )
    ours = t.copy()
    degrees_steep(ours, np.zeros_like(t))
    np.testing.assert_allclose(ours, np.degrees(np.arctan(t)), rtol=5e-16)
    percent_steep(t, np.zeros_like(t))
    assert t[3] == 100


# Local elevation range


def slow_range(z: Floats, window: Window, radius: float, least: float) -> Floats:
    """Cell by cell, by geodesic distances; NaN where a row or column beyond the array would be in the circle."""
    y, x = window.pad(20).centres
    out = np.full(z.shape, NAN)
    wide = np.pad(z, 20, constant_values=NAN)
    there = np.pad(np.ones(z.shape, bool), 20)
    xx, yy = np.meshgrid(x, y)
    for i in range(z.shape[0]):
        away = GEOD.inv(np.full(xx.shape, x[20]), np.full(xx.shape, y[i + 20]), xx, yy)[2]
        assume((np.abs(away / radius - 1) > 3e-6).all())
        for j in range(z.shape[1]):
            circle = np.roll(away <= radius, j, axis=1)
            if (circle & ~there).any():
                continue
            values = wide[circle]
            if np.isfinite(values).mean() >= least and np.isfinite(values).any():
                out[i, j] = np.nanmax(values) - np.nanmin(values)
    return out


@settings(max_examples=20)
@given(
    seed=st.integers(0, 999),
    latitude=st.floats(-70, 70),
    arc=st.integers(20, 60),
    radius=st.floats(500, 4000),
    holes=st.sampled_from([0.0, 0.02, 0.5]),
    least=st.sampled_from([0.0, 0.5, 0.99]),
)
@example(seed=1, latitude=70.0, arc=20, radius=4000.0, holes=0.5, least=0.5)
def test_range_is_that_of_a_true_circle(
    seed: int, latitude: float, arc: int, radius: float, holes: float, least: float
) -> None:
    z = rough((22, 41), seed, holes)
    window = window_at(DEGREES, 20.0, latitude, arc / 3600, z.shape)
    np.testing.assert_array_equal(elevation_range(z, window, radius, least), slow_range(z, window, radius, least))


@settings(max_examples=40)
@given(
    seed=st.integers(0, 999),
    radius=st.integers(0, 60),
    height=st.integers(2, 9),
    width=st.integers(2, 9),
    fine=st.booleans(),
    holes=st.sampled_from([0.0, 0.3]),
)
def test_range_is_that_of_a_plain_footprint(
    seed: int, radius: int, height: int, width: int, fine: bool, holes: float
) -> None:
    """On the plane, with cells of any shape; numbers that float32 cannot hold are kept as they are."""
    z = rough((70, 90), seed, holes) + (1e-9 * np.arange(90) if fine else 0)
    window = Window(Grid(UTM, 500_000, 5_000_000, width, height), 3, 73, 5, 95)
    m, n = radius // height, radius // width
    i, j = np.mgrid[-m : m + 1, -n : n + 1]
    circle = (i * height) ** 2 + (j * width) ** 2 <= radius**2
    high = ndimage.maximum_filter(np.where(np.isnan(z), -np.inf, z), footprint=circle)
    low = ndimage.minimum_filter(np.where(np.isnan(z), np.inf, z), footprint=circle)
    expected = np.full(z.shape, NAN)
    inside = np.s_[m : max(70 - m, m), n : max(90 - n, n)]
    expected[inside] = np.where(np.isinf(high), NAN, high - low)[inside]
    np.testing.assert_array_equal(elevation_range(z, window, radius, 0.0), expected)


def test_a_lone_peak_lifts_the_cells_around_it_and_no_other() -> None:
    """3-4-5: five cells of 10 m away to the side and by 3 and 4; not by 4 and 4."""
    z = np.zeros((21, 21))
    z[10, 10] = 100
    lifted = elevation_range(z, window_at(UTM, 15, 45, 10, (21, 21)), 50) == 100
    assert lifted[10, 15] and lifted[13, 14] and lifted[6, 7] and not lifted[14, 14] and not lifted[10, 16]
    assert lifted.sum() == 81


def test_a_circle_has_more_columns_nearer_to_the_pole() -> None:
    z = np.zeros((41, 161))
    z[:, 80] = 100
    for latitude, columns in ((0.0, 9), (60.0, 19)):
        found = elevation_range(z, window_at(DEGREES, 10, latitude, 0.001, z.shape), 510)[20] == 100
        assert found.sum() == columns


def test_beyond_the_pole_there_is_nothing_and_up_to_it_all_is_as_it_was() -> None:
    """A window padded over the pole: its first 9 rows lie at 90 degrees and beyond."""
    window = Window(Grid(DEGREES, -180, 90, 1 / 120, 1 / 120), -9, 60, 0, 1400)
    found = elevation_range(np.zeros(window.shape), window, 2000.0)
    assert np.isnan(found[:9]).all() and not np.isinf(found).any()
    assert (found[40:55, 600:800] == 0).all() and np.isnan(found[9:30, :100]).all()


def test_too_little_seen_is_unseen() -> None:
    """Of the 5 cells within 10 m, three are seen."""
    z = np.array([[1, 5, 1], [NAN, 2, NAN], [1, 9, 1.0]])
    window = window_at(UTM, 15, 45, 10, (3, 3))
    assert elevation_range(z, window, 10, 0.6)[1, 1] == 7
    assert np.isnan(elevation_range(z, window, 10, 0.61)[1, 1])


@pytest.mark.parametrize("crs", ["EPSG:3857", "ESRI:54008"])
def test_a_stretched_circle_is_refused(crs: str) -> None:
    window = window_at(crs, 30.0, 45.0, 100.0, (10, 10))
    with pytest.raises(InputError, match="on the ground"):
        elevation_range(np.zeros((10, 10)), window)


@pytest.mark.parametrize("latitude", [0.0, 3.0, 30.0, -60.0])
@pytest.mark.parametrize("arc", [0.1, 1.0, 3.0])
def test_the_margin_that_a_layer_asks_for_holds_the_circle(latitude: float, arc: float) -> None:
    inner = window_at(DEGREES, 20.0, latitude, arc / 3600, (3, 3))
    window = inner.pad(cells("1750 m", inner.grid, inner.bounds))
    found = elevation_range(np.zeros(window.shape), window, 1750)
    assert (found[inner.inside(window)] == 0).all()


# All of them


@settings(max_examples=20)
@given(seed=st.integers(0, 99), crs=st.sampled_from([DEGREES, UTM]), data=st.data(), threads=st.sampled_from([1, 3]))
def test_a_cell_has_the_same_bits_in_any_block(seed: int, crs: str, data: st.DataObject, threads: int) -> None:
    z = rough((150, 140), seed, 0.01)
    whole = window_at(crs, 15.3, 50.0, 10 / 3600 if crs == DEGREES else 250.0, z.shape)
    i, j = data.draw(st.integers(0, 60)), data.draw(st.integers(0, 50))
    part = Window(whole.grid, whole.i0 + i, whole.i0 + i + 80, whole.j0 + j, whole.j0 + j + 90)
    at = part.inside(whole)
    for kernel in (slope, aspect, elevation_range):
        inside = kernel(z[at], part, threads=threads)
        known = ~np.isnan(inside)
        assert known.any()
        np.testing.assert_array_equal(inside[known], kernel(z, whole)[at][known])


def test_an_array_that_is_not_the_windows_is_refused() -> None:
    window = window_at(UTM, 15, 45, 10, (4, 4))
    for kernel in (slope, aspect, elevation_range):
        with pytest.raises(InputError, match=r"\(3, 4\).*\(4, 4\)"):
            kernel(np.zeros((3, 4)), window)
    with pytest.raises(InputError, match="radians"):
        slope(np.zeros((4, 4)), window, "radians")


def test_mountain_classes_are_those_of_the_method(shared_data: Path) -> None:
    vectors = json.loads((shared_data.parent / "methods" / "test_vectors.json").read_text())["vectors"]
    case = next(v for v in vectors if v["name"] == "15.4.2.kapos_class")
    found = mountain_class(*np.array(case["inputs"]["rows"], float).T)
    np.testing.assert_array_equal(found, case["expected"]["K"])


def test_a_mountain_is_unseen_only_where_what_is_unseen_would_decide() -> None:
    elevation = np.array([5000, 2000, 1200, 1200, 1200, 1200, 600, 100, NAN])
    steep = np.array([NAN, NAN, 6, NAN, NAN, 1, NAN, NAN, 9])
    local = np.array([NAN, 400, NAN, 301, 200, NAN, 301, NAN, 900])
    np.testing.assert_array_equal(mountain_class(elevation, steep, local), [1, NAN, 5, 5, NAN, NAN, 6, 0, NAN])
    assert mountain_class(np.array([2000.0]), np.array([2.0]), np.array([0.0]), inclusive=True) == 4
