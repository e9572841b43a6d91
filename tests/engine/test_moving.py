"""Pixels onto another grid: nothing is lost or doubled, and unseen stays unseen."""

import numpy as np
import pyproj
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from geomon.grid import Floats, Grid, Window
from geomon.stats.moving import move, reach

UTM = "EPSG:32633"
FINE = Window(Grid(UTM, 0, 0, 10, 10), -12, 0, 0, 12)  # 120 m x 120 m
size = st.sampled_from([5.0, 10.0, 13.0, 27.0, 40.0, 64.0])
offset = st.integers(-3000, 3000).map(lambda n: n / 100)  # what is less than 1e-9 of a cell is dropped


def target(size: float, x: float, y: float) -> Window:
    """A window of other cells that holds all of FINE."""
    return Grid(UTM, x, y, size, size).cover(FINE.bounds, margin=1)


@settings(max_examples=60)
@given(size=size, x=offset, y=offset, seed=st.integers(0, 99), holes=st.sampled_from([0.0, 0.1, 0.6]))
def test_people_are_conserved(size: float, x: float, y: float, seed: int, holes: float) -> None:
    """What each cell would hold, times the share of it that was seen, is what was seen."""
    rng = np.random.default_rng(seed)
    people = np.where(rng.random(FINE.shape) < holes, np.nan, rng.gamma(1, 50, FINE.shape))
    values, seen = move(people, FINE, target(size, x, y), "amount")
    assert np.nansum(values * seen) == pytest.approx(np.nansum(people), rel=1e-12)
    cell = target(size, x, y).grid.dx ** 2
    assert seen.sum() * cell == pytest.approx(np.isfinite(people).sum() * 100, rel=1e-12)
    assert (np.isfinite(values) == (seen > 0)).all()


@settings(max_examples=60)
@given(size=size, x=offset, y=offset, seed=st.integers(0, 99), holes=st.sampled_from([0.0, 0.1, 0.6]))
def test_rates_are_averaged(size: float, x: float, y: float, seed: int, holes: float) -> None:
    """The integral over seen ground is kept, and no mean lies outside the values it was made of."""
    rng = np.random.default_rng(seed)
    rates = np.where(rng.random(FINE.shape) < holes, np.nan, rng.normal(0, 5, FINE.shape))
    to = target(size, x, y)
    values, seen = move(rates, FINE, to, "rate")
    assert np.nansum(values * seen) * to.grid.dx**2 == pytest.approx(np.nansum(rates) * 100, rel=1e-9, abs=1e-6)
    assert np.nanmin(values) >= np.nanmin(rates) - 1e-9 and np.nanmax(values) <= np.nanmax(rates) + 1e-9


def test_by_eye() -> None:
    """Two fine cells of a coarse one seen, of four: 3 and 5 people. Whole, it would hold 16; half was seen."""
    nan = np.nan
    fine, coarse = Window(Grid(UTM, 0, 0, 10, 10), -2, 0, 0, 2), Window(Grid(UTM, 0, 0, 20, 20), -1, 0, 0, 1)
    people = np.array([[3.0, 5.0], [nan, nan]])
    for kind, value in (("amount", 16.0), ("rate", 4.0)):
        values, seen = move(people, fine, coarse, kind)
        assert (values.item(), seen.item()) == (value, 0.5), kind


def test_an_amount_is_split_by_area() -> None:
    coarse, fine = Window(Grid(UTM, 0, 0, 20, 20), -1, 0, 0, 1), Window(Grid(UTM, 0, 0, 10, 10), -2, 0, 0, 2)
    values, seen = move(np.array([[8.0]]), coarse, fine, "amount")
    np.testing.assert_array_equal(values, [[2, 2], [2, 2]])
    np.testing.assert_array_equal(seen, 1)
    np.testing.assert_array_equal(move(np.array([[8.0]]), coarse, fine, "rate")[0], [[8, 8], [8, 8]])


def test_a_class_is_that_of_the_cell_that_holds_the_centre() -> None:
    """No class appears that was not there, and none is averaged."""
    nan = np.nan
    fine, coarse = Window(Grid(UTM, 0, 0, 10, 10), -2, 0, 0, 3), Window(Grid(UTM, 2, 0, 13, 13), -2, 0, -1, 3)
    values, seen = move(np.array([[1.0, 5.0, 9.0], [nan, 2.0, 4.0]]), fine, coarse, "class")
    # centres of columns at -4.5, 8.5, 21.5, 34.5 m east; of rows at 19.5 and 6.5 m north
    np.testing.assert_array_equal(values, [[nan, 1, 9, nan], [nan, nan, 4, nan]])
    np.testing.assert_array_equal(seen, [[0, 1, 1, 0], [0, 0, 1, 0]])


@pytest.mark.parametrize("kind", ["class", "amount", "rate"])
def test_what_lies_beyond_is_unseen(kind: str) -> None:
    to = Window(Grid(UTM, 3, 3, 10, 10), 40, 44, 40, 44)
    values, seen = move(np.ones(FINE.shape), FINE, to, kind)
    assert np.isnan(values).all() and (seen == 0).all()


@pytest.mark.parametrize("kind", ["class", "amount", "rate"])
def test_the_same_grid_changes_nothing(kind: str) -> None:
    rng = np.random.default_rng(1)
    pixels = np.where(rng.random(FINE.shape) < 0.2, np.nan, rng.integers(0, 9, FINE.shape))
    part = Window(FINE.grid, -9, -3, 2, 8)
    values, seen = move(pixels, FINE, part, kind)
    np.testing.assert_array_equal(values, pixels[part.inside(FINE)])
    np.testing.assert_array_equal(seen, np.isfinite(values))


@pytest.mark.parametrize("kind", ["class", "amount", "rate"])
def test_a_time_axis_is_moved_date_by_date(kind: str) -> None:
    rng = np.random.default_rng(4)
    dates = rng.random((3, *FINE.shape))
    to = target(27.0, 4.0, -3.0)
    values, seen = move(dates, FINE, to, kind)
    for n in range(3):
        one, there = move(dates[n], FINE, to, kind)
        np.testing.assert_array_equal(values[n], one)
        np.testing.assert_array_equal(seen[n] if seen.ndim == 3 else seen, there)


def test_seen_shares_are_carried_on() -> None:
    fine, coarse = Window(Grid(UTM, 0, 0, 10, 10), -2, 0, 0, 2), Window(Grid(UTM, 0, 0, 20, 20), -1, 0, 0, 1)
    values, seen = move(np.array([[4.0, 4], [4, 8]]), fine, coarse, "rate", np.array([[1.0, 1.0], [1.0, 0.5]]))
    assert seen.item() == pytest.approx(3.5 / 4)
    assert values.item() == pytest.approx((12 + 8 * 0.5) / 3.5)


# Degrees


def test_rows_of_degrees_count_by_their_true_area() -> None:
    """At 60 degrees the southern half of a cell is larger: it holds more of the people."""
    coarse = Grid("EPSG:4326", 0, 0, 2, 2).cover((10, 60, 12, 62))
    fine = Grid("EPSG:4326", 0, 0, 2, 1).cover((10, 60, 12, 62))
    values, _ = move(np.array([[100.0]]), coarse, fine, "amount")
    areas = fine.areas.ravel()
    np.testing.assert_allclose(values.ravel(), 100 * areas / areas.sum(), rtol=1e-9)
    assert values[1, 0] > values[0, 0]
    back, seen = move(values, fine, coarse, "amount")
    assert (back.item(), seen.item()) == (pytest.approx(100), 1)


# Between two CRSs


PATCH = Window(Grid(UTM, 0, 0, 100, 100), -50_040, -50_000, 4_000, 4_040)  # 4 km x 4 km


def framed(pixels: Floats, to: Window) -> tuple[Floats, Window]:
    """The patch's pixels with unseen ground around them, as far as the other window reaches."""
    around = reach(PATCH.grid, to)
    return around.take(pixels, PATCH), around


@pytest.mark.parametrize("size", [0.00002, 0.0005, 0.002, 0.01, 0.03])
def test_people_are_conserved_between_two_crs(size: float) -> None:
    """Also where cells of the target are far smaller, or hold hundreds of the source."""
    people = np.random.default_rng(5).gamma(1, 50, PATCH.shape)
    near = PATCH if size > 1e-4 else Window(PATCH.grid, -50_020, -50_018, 4_010, 4_012)
    to = reach(Grid("EPSG:4326", 0, 0, size, size), near).pad(1)
    values, seen = move(*framed(people, to), to, "amount")
    if near is PATCH:
        assert np.nansum(values * seen) == pytest.approx(people.sum(), rel=1e-4)
        assert (seen * to.areas).sum() == pytest.approx(PATCH.areas.sum(), rel=0.01)
    assert np.isfinite(values[1:-1, 1:-1]).mean() > 0.2 if size < 0.01 else True


def test_a_much_finer_grid_has_no_gaps() -> None:
    """One kilometre onto ten metres: every cell has its share of the people."""
    x, y = pyproj.Transformer.from_crs("EPSG:4326", UTM, always_xy=True).transform(13.755, 45.155)
    fine = Grid(UTM, 0, 0, 10, 10).cover((x, y, x + 200, y + 200))
    coarse = reach(Grid("EPSG:4326", 0, 0, 0.01, 0.01), fine)
    values, seen = move(np.full(coarse.shape, 1000.0), coarse, fine, "amount")
    assert (seen == 1).all()
    assert values.sum() == pytest.approx(1000 * fine.areas.sum() / coarse.areas.mean(), rel=2e-3)


@pytest.mark.parametrize("size", [0.0004, 0.0013, 0.004, 0.008])
def test_rates_between_two_crs_are_means_of_all_that_lies_there(size: float) -> None:
    """A plane keeps its values; one bright cell among hundreds is not overlooked."""
    y, x = np.meshgrid(*PATCH.centres, indexing="ij")
    plane = (x - 400_000) / 100 + 2 * (y - 5_000_000) / 100
    to = Grid("EPSG:4326", 0, 0, size, size).cover((13.735, 45.148, 13.77, 45.178))
    values, seen = move(*framed(plane, to), to, "rate")
    whole = seen > 1 - 1e-9
    ty, tx = np.meshgrid(*to.centres, indexing="ij")
    east, north = pyproj.Transformer.from_crs("EPSG:4326", UTM, always_xy=True).transform(tx, ty)
    wanted = (east - 400_000) / 100 + 2 * (north - 5_000_000) / 100
    assert whole.any()
    np.testing.assert_allclose(values[whole], wanted[whole], atol=2.0)
    bright = np.zeros(PATCH.shape)
    bright[17, 23] = 1.0
    lit, there = move(*framed(bright, to), to, "rate")
    assert np.nansum(lit * there * to.areas) == pytest.approx(PATCH.areas[17, 23], rel=0.5)


def test_classes_between_two_crs_are_the_nearest() -> None:
    utm = Window(Grid(UTM, 0, 0, 100, 100), -50_100, -50_000, 4_000, 4_100)
    codes = np.arange(utm.shape[0] * utm.shape[1], dtype=float).reshape(utm.shape)
    to = Grid("EPSG:4326", 0, 0, 0.0013, 0.0013).cover((13.75, 45.1, 13.8, 45.15))
    values, _ = move(codes, utm, to, "class")
    y, x = to.centres
    change = pyproj.Transformer.from_crs("EPSG:4326", UTM, always_xy=True)
    for i, j in ((3, 4), (10, 20), (30, 7)):
        east, north = change.transform(x[j], y[i])
        row, column = int((5_010_000 - north) // 100), int((east - 400_000) // 100)
        expected = codes[row, column] if 0 <= row < 100 and 0 <= column < 100 else np.nan
        np.testing.assert_equal(values[i, j], expected)


@pytest.mark.parametrize("crs", [UTM, "EPSG:4326", "EPSG:3857"])
def test_reach_holds_all_of_a_window(crs: str) -> None:
    """Each cell's corners, in the other CRS, lie within what is read for it."""
    size = 0.001 if crs == "EPSG:4326" else 90.0
    window = Window(Grid(UTM, 0, 0, 100, 100), -50_300, -50_000, 4_000, 4_300)
    held = reach(Grid(crs, 0, 0, size, size), window)
    y, x = np.meshgrid(*window.edges, indexing="ij")
    east, north = pyproj.Transformer.from_crs(UTM, crs, always_xy=True).transform(x, y)
    west_, south_, east_, north_ = held.bounds
    assert west_ <= east.min() and east.max() <= east_ and south_ <= north.min() and north.max() <= north_
