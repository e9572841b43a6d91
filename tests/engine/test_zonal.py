"""What the cells of zones hold, against one cell after the other."""

import math
from typing import Any

import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from numba import njit
from numba.core.errors import TypingError
from shapely.geometry.base import BaseGeometry

from geomon.errors import InputError
from geomon.grid import Grid, Window
from geomon.stats import zonal
from geomon.stats.coverage import Coverage, cover
from geomon.stats.lanes import LANES, lane_sums, prefetch
from geomon.stats.zonal import Moments, class_areas, histograms, moments, sums, tally, transitions

GRID = Grid("EPSG:32633", 0, 0, 1, 1)
WINDOW = Window(GRID, 0, 30, 0, 40)
CODES = [0, 1, 3, 7]
CELLS = list[tuple[float, Any]]


def polygons(seed: int, window: Window, n: int = 4) -> list[BaseGeometry]:
    """Triangles and more on a window, over its edge and upon each other, and one that is nowhere near."""
    rng = np.random.default_rng(seed)
    west, south, east, north = window.pad(2).bounds
    corners = [rng.uniform([west, south], [east, north], (rng.integers(3, 9), 2)) for _ in range(n)]
    return [*(shapely.convex_hull(shapely.MultiPoint(c)) for c in corners), shapely.box(500, 500, 501, 501)]


def made(seed: int, dtype: str, times: int = 2) -> np.ndarray:
    """Values with holes, where the type knows any, and with all of CODES and others."""
    rng = np.random.default_rng(seed)
    values = rng.integers(0, 9, (times, *WINDOW.shape)).astype(dtype)
    if np.dtype(dtype).kind == "f":
        values *= np.array(1.7, dtype)
        values[rng.random(values.shape) < 0.2] = np.nan
    return values


def cells(zones: list[BaseGeometry], window: Window, areas: np.ndarray, *layers: np.ndarray) -> list[CELLS]:
    """(weight, values...) of every cell of each zone, for arrays without a time axis."""
    out = []
    for zone in zones:
        share = cover([zone], window).on_cells()
        out.append(
            [(share[i, j] * areas[i], *(a[i, j] for a in layers)) for i, j in zip(*share.nonzero(), strict=True)]
        )
    return out


@settings(max_examples=40)
@given(
    seed=st.integers(0, 10**6),
    dtype=st.sampled_from(["float32", "float64", "uint8", "uint16", "int16"]),
    nodata=st.sampled_from([None, 3.0]),
    by_area=st.booleans(),
)
def test_sums_and_moments(seed: int, dtype: str, nodata: float | None, by_area: bool) -> None:
    values, zones = made(seed, dtype), polygons(seed, WINDOW)
    found = cover(zones, WINDOW)
    areas = np.linspace(1, 2, 30) if by_area else None
    total, weight = sums(values, found, nodata=nodata, areas=areas)
    held = moments(values, found, nodata=nodata, areas=areas)
    for t in range(2):
        for z, inside in enumerate(cells(zones, WINDOW, np.ones(30) if areas is None else areas, values[t])):
            seen = [(w, float(v)) for w, v in inside if not np.isnan(v) and v != nodata]
            mass = math.fsum(w for w, _ in seen)
            assert weight[t, z] == pytest.approx(mass, rel=1e-12) == held.weight[t, z]
            assert total[t, z] == pytest.approx(math.fsum(w * v for w, v in seen), rel=1e-12)
            if not seen:
                assert np.isnan([held.mean[t, z], held.variance[t, z], held.low[t, z], held.high[t, z]]).all()
                continue
            mean = math.fsum(w * v for w, v in seen) / mass
            variance = math.fsum(w * (v - mean) ** 2 for w, v in seen) / mass
            assert held.mean[t, z] == pytest.approx(mean, rel=1e-12)
            assert held.variance[t, z] == pytest.approx(variance, rel=1e-9, abs=1e-12)
            assert (held.low[t, z], held.high[t, z]) == (min(v for _, v in seen), max(v for _, v in seen))


@settings(max_examples=30)
@given(seed=st.integers(0, 10**6), dtype=st.sampled_from(["uint8", "uint16", "int16", "int8"]), by_area=st.booleans())
def test_classes_and_their_changes(seed: int, dtype: str, by_area: bool) -> None:
    before, after, zones = made(seed, dtype, 1)[0], made(seed + 1, dtype, 1)[0], polygons(seed, WINDOW)
    found = cover(zones, WINDOW)
    areas = np.linspace(1, 2, 30) if by_area else None
    ground = class_areas(before, found, CODES, areas=areas)
    moved = transitions(before, after, found, CODES, areas=areas)
    for z, inside in enumerate(cells(zones, WINDOW, np.ones(30) if areas is None else areas, before, after)):
        for i, a in enumerate(CODES):
            assert ground[z, i] == pytest.approx(math.fsum(w for w, x, _ in inside if x == a), rel=1e-12)
            for j, b in enumerate(CODES):
                wanted = math.fsum(w for w, x, y in inside if (x, y) == (a, b))
                assert moved[z, i, j] == pytest.approx(wanted, rel=1e-12)


@settings(max_examples=30)
@given(seed=st.integers(0, 10**6), q=st.sampled_from([0.0, 0.1, 0.5, 0.9, 1.0]), whole=st.booleans())
def test_quantiles(seed: int, q: float, whole: bool) -> None:
    """The least value that holds a share q of the weight: exact for whole numbers, else less than a bin off."""
    values = made(seed, "uint8" if whole else "float32", 1)[0]
    zones = polygons(seed, WINDOW)
    found = cover(zones, WINDOW)
    binned = histograms(values, found, 0, 8) if whole else histograms(values, found, 0, 20, 400)
    got = binned.quantile(q)
    for z, inside in enumerate(cells(zones, WINDOW, np.ones(30), values)):
        seen = sorted((float(v), w) for w, v in inside if not np.isnan(v))
        if not seen:
            assert np.isnan(got[z])
            continue
        need, reached = q * math.fsum(w for _, w in seen), np.cumsum([w for _, w in seen])
        wanted = next(v for (v, _), r in zip(seen, reached, strict=True) if r >= need * (1 - 1e-12))
        assert got[z] == wanted if whole else abs(got[z] - wanted) <= 0.05 + 1e-9


@settings(max_examples=30)
@given(seed=st.integers(0, 10**6), by_area=st.booleans(), dense=st.sampled_from([1, 2**20]))
def test_tallies(seed: int, by_area: bool, dense: int) -> None:
    """Also where there are more groups than a table should hold for all zones at once."""
    rng = np.random.default_rng(seed)
    value, areas = rng.normal(0, 1e6, WINDOW.shape), rng.uniform(90, 110, WINDOW.shape)
    seen = rng.choice([0.0, 0.3, 1.0], WINDOW.shape)
    value[seen == 0] = np.nan
    group = rng.integers(0, 3, WINDOW.shape).astype(np.int32)
    zones = polygons(seed, WINDOW)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(zonal, "DENSE", dense)
        found = tally(value, seen, areas, group, 3, cover(zones, WINDOW), by_area=by_area)
    totals = dict(zip(zip(found.zone, found.group, strict=True), found.total, strict=True))
    assert list(totals) == sorted(totals)
    for z, inside in enumerate(cells(zones, WINDOW, np.ones(30), value, seen, areas, group)):
        assert found.seen[z] == pytest.approx(math.fsum(w * a * s for w, _, s, a, _ in inside), rel=1e-14)
        assert found.unseen[z] == pytest.approx(math.fsum(w * a * (1 - s) for w, _, s, a, _ in inside), rel=1e-14)
        for g in range(3):
            own = [v * w * s * (a if by_area else 1) for w, v, s, a, k in inside if k == g and s > 0]
            assert ((z, g) in totals) == bool(own)
            if own:
                assert totals[z, g] == pytest.approx(math.fsum(own), rel=1e-13, abs=1e-7)


def test_a_tally_keeps_what_a_plain_sum_would_lose() -> None:
    value, ones = np.array([[1e16, 1.0, -1e16, 2.0]]), np.ones((1, 4))
    whole = cover([shapely.box(0, -1, 4, 0)], Window(GRID, 0, 1, 0, 4))
    found = tally(value, ones, ones, np.zeros((1, 4), np.int32), 1, whole, by_area=True)
    assert found.total.tolist() == [3.0]
    assert value.sum() != 3.0


def test_a_tally_in_no_group_stays_within_its_arrays(monkeypatch: pytest.MonkeyPatch) -> None:
    """As of a quantity with keys that nobody saw; in Python, where a place beyond an array is an error."""
    monkeypatch.setattr(zonal, "add_tally", zonal.add_tally.py_func)
    nowhere, ones = np.zeros((1, 4)), np.ones((1, 4))
    whole = cover([shapely.box(0, -1, 3.5, 0)], Window(GRID, 0, 1, 0, 4))
    found = tally(nowhere, nowhere, ones, np.zeros((1, 4), np.int32), 0, whole, by_area=True)
    assert (found.seen.tolist(), found.unseen.tolist(), found.total.size) == ([0.0], [3.5], 0)


def test_counts_go_on_beyond_two_to_the_24th() -> None:
    """Where float32 stops counting: 16,777,216 + 1 is 16,777,216 there."""
    side = 4100
    found = cover([shapely.box(0, -side, side, 0)], Window(GRID, 0, side, 0, side))
    ones = np.ones((side, side), np.uint8)
    assert side**2 > 2**24 and np.float32(2**24) + np.float32(1) == 2**24
    assert class_areas(ones, found, [0, 1]).tolist() == [[0.0, side**2]]
    assert [s.tolist() for s in sums(ones.astype(np.float32), found)] == [[side**2]] * 2
    assert histograms(ones, found, 0, 1).weight.tolist() == [[0.0, side**2]]


def test_class_zero_is_a_class() -> None:
    """A product whose nodata is 0 loses its first class to NaN when it is cast to float; nobody is led to do so."""
    window = Window(GRID, 0, 1, 0, 4)
    found = cover([shapely.box(0, -1, 4, 0)], window)
    stored = np.array([[0, 0, 1, 5]], np.uint8)
    assert class_areas(stored, found, [0, 1, 5]).tolist() == [[2.0, 1.0, 1.0]]
    assert transitions(stored, stored[:, ::-1], found, [0, 1, 5])[0].tolist() == [[0, 1, 1], [1, 0, 0], [1, 0, 0]]
    assert sums(stored, found)[1].tolist() == [4.0]
    with pytest.raises(InputError, match="as they are stored"):
        class_areas(np.where(stored == 0, np.nan, stored), found, [0, 1, 5])


def large() -> tuple[np.ndarray, Coverage]:
    """More rows than a band has."""
    window = Window(GRID, 0, 500, 0, 300)
    values = np.random.default_rng(1).normal(0, 1, (3, 500, 300)).astype(np.float32)
    values[values > 1.5] = np.nan
    return values, cover(polygons(7, window, 12), window)


def test_any_number_of_threads_gives_the_same_bits() -> None:
    values, found = large()
    classes = (np.abs(np.nan_to_num(values)) * 3).astype(np.uint8)
    for one, many in (
        (sums(values, found), sums(values, found, threads=3)),
        (vars(moments(values, found)).values(), vars(moments(values, found, threads=3)).values()),
        ([class_areas(classes, found, CODES)], [class_areas(classes, found, CODES, threads=3)]),
    ):
        for a, b in zip(one, many, strict=True):
            np.testing.assert_array_equal(a, b)


def test_two_parts_merge_to_the_whole() -> None:
    values, found = large()
    zones = polygons(7, found.window, 12)
    whole = moments(values, found)
    parts: list[Moments] = []
    for rows in (slice(0, 190), slice(190, 500)):
        window = Window(GRID, rows.start, rows.stop, 0, 300)
        parts.append(moments(values[:, rows], cover(zones, window)))
    for name, merged in vars(parts[0].merge(parts[1])).items():
        np.testing.assert_allclose(merged, getattr(whole, name), rtol=1e-11, err_msg=name)


def test_spread_survives_a_large_mean() -> None:
    """The sum of squares minus the square of the sum would have no digit left."""
    window = Window(GRID, 0, 2, 0, 50)
    values = 1e9 + np.tile([0.0, 1.0], 50).reshape(2, 50)
    held = moments(values, cover([shapely.box(0, -2, 50, 0)], window))
    assert held.variance.tolist() == pytest.approx([0.25], rel=1e-12)


@njit  # type: ignore[untyped-decorator]
def told(values: np.ndarray, nodata: float, about: float) -> Any:
    return lane_sums(values, nodata, about)


@pytest.mark.parametrize("dtype", ["float32", "float64", "uint8", "int16"])
def test_lanes_add_in_the_order_that_is_written_down(dtype: str) -> None:
    """To the bit, on whatever processor."""
    rng = np.random.default_rng(3)
    for length in (*range(20), 61, 250):
        values = (rng.normal(0, 1, length) * 100).astype(dtype)
        seen = [float(v) if v != 5 else 0.0 for v in values]
        lanes = [0.0] * LANES
        for k, v in enumerate(seen):
            lanes[k % LANES] += v - 0.25 if values[k] != 5 else 0.0
        while len(lanes) > 1:
            lanes = [a + b for a, b in zip(lanes[: len(lanes) // 2], lanes[len(lanes) // 2 :], strict=True)]
        count, total, squares, low, high = told(values, 5.0, 0.25)
        kept = [float(v) - 0.25 for v in values if v != 5]
        assert (count, total) == (len(kept), lanes[0])
        assert squares == pytest.approx(math.fsum(v * v for v in kept), rel=1e-12)
        assert (low, high) == (min(kept, default=math.inf), max(kept, default=-math.inf))


@njit  # type: ignore[untyped-decorator]
def every_other(values: np.ndarray) -> Any:
    return lane_sums(values[::2], 5.0, 0.0)


@njit  # type: ignore[untyped-decorator]
def asked_for(values: np.ndarray) -> None:
    prefetch(values[::2])


@pytest.mark.parametrize("act", [every_other, asked_for])
def test_a_strided_array_does_not_compile(act: Any) -> None:
    with pytest.raises(TypingError, match="Lanes take a contiguous array"):
        act(np.arange(40.0))


@pytest.mark.parametrize(
    ("act", "message"),
    [
        (lambda f: sums(np.ones((3, 3)), f), "does not lie on"),
        (lambda f: sums(np.ones((2, 2, 30, 40)), f), "does not lie on"),
        (lambda f: sums(np.ones((30, 40)), f, areas=np.ones(40)), "one area for each of 30 rows"),
        (lambda f: class_areas(np.ones((30, 40), "u1"), f, [1, 300]), "can have the class 300"),
        (lambda f: class_areas(np.ones((30, 40), "u1"), f, [1, 1]), "stands twice"),
        (lambda f: transitions(np.ones((30, 40), "u1"), np.ones((2, 30, 40), "u1"), f, [1]), "one grid"),
        (lambda f: histograms(np.ones((30, 40)), f, 0, 1), "need a number of bins"),
        (lambda f: histograms(np.ones((30, 40)), f, 1, 0, 5), "no bins"),
        (lambda f: histograms(np.full((30, 40), 2.0), f, 0, 1, 5), "not from 0 to 1"),
        (lambda f: histograms(np.full((30, 40), 2, "u1"), f, 0, 1), "not from 0 to 1"),
    ],
)
def test_what_does_not_fit_is_refused(act: Any, message: str) -> None:
    with pytest.raises(InputError, match=message):
        act(cover([shapely.box(0, -30, 40, 0)], WINDOW))
