"""Bright targets at a constant false-alarm rate, and thresholds from histograms."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import special

from geomon.errors import InputError
from geomon.grid import Floats, Grid, Window
from geomon.stats.detection import alarm_factor, bright_targets, clutter, histogram, modes, otsu, otsu_threshold

UTM = Grid("EPSG:32633", 0, 0, 10, 10)
NAN = np.nan
odd = st.sampled_from([1, 3, 5, 7])


def window_of(x: Floats, i: int = 0, j: int = 0) -> Window:
    """Where an array lies, its first cell at a row and column of the lattice."""
    return Window(UTM, i, i + x.shape[0], j, j + x.shape[1])


@pytest.fixture
def vectors(shared_data: Path) -> dict[str, Any]:
    """The numbers of the methods by name."""
    found = json.loads((shared_data.parent / "methods" / "test_vectors.json").read_text())["vectors"]
    return {v["name"]: v for v in found}


# CFAR


def test_factors_are_those_of_the_method(vectors: dict[str, Any]) -> None:
    case = vectors["sar.cacfar_alpha"]
    for n, pfa, alpha in zip(*case["inputs"].values(), case["expected"]["alpha"], strict=True):
        assert alarm_factor(np.array(n), pfa) == pytest.approx(alpha, abs=case["tolerance"])


@given(n=st.integers(1, 3000), pfa=st.floats(1e-9, 0.5), looks=st.floats(1.0, 20.0))
def test_the_factor_holds_the_rate(n: int, pfa: float, looks: float) -> None:
    """P_fa = 1 - I(L, N L) at alpha / (alpha + N), whatever branch it was found by."""
    alpha = alarm_factor(np.array(n), pfa, looks)
    assert special.betaincc(looks, n * looks, alpha / (alpha + n)) == pytest.approx(pfa, rel=1e-7)


def test_one_dimension_of_the_method(vectors: dict[str, Any]) -> None:
    case = vectors["sar.cacfar_1d"]
    given_, expected = case["inputs"], case["expected"]
    power = np.array([given_["power"]])
    guard = 1, 2 * given_["guard_each_side"] + 1
    training = 1, guard[1] + 2 * given_["train_each_side"]
    mean, _, count = clutter(power, window_of(power), np.ones_like(power, bool), guard, training)
    assert mean.shape == (1, 1) and count.item() == expected["N"]
    assert mean.item() == pytest.approx(expected["clutter_mean"], abs=1e-9)
    factor = alarm_factor(np.array(expected["N"]), given_["Pfa"])
    assert factor * mean.item() == pytest.approx(expected["threshold"], abs=1e-9)
    found = bright_targets(power, window_of(power), pfa=given_["Pfa"], guard=guard, training=training, passes=1)
    np.testing.assert_array_equal(found, [[NAN] * 5 + [float(expected["detected"])] + [NAN] * 5])


def slow_targets(
    x: Floats, sea: Floats, pfa: float, sigmas: float | None, guard: Any, training: Any, passes: int
) -> Floats:
    """Cell by cell, the ring of each as a list."""
    seen, bright = np.isfinite(x) & (sea > 0), np.zeros(x.shape, bool)
    m, n = training[0] // 2, training[1] // 2
    for _ in range(passes):
        found = np.full(x.shape, NAN)
        counted = seen & ~bright
        for i in range(m, x.shape[0] - m):
            for j in range(n, x.shape[1] - n):
                ring = [
                    x[k, q]
                    for k in range(i - m, i + m + 1)
                    for q in range(j - n, j + n + 1)
                    if counted[k, q] and (abs(k - i) > guard[0] // 2 or abs(q - j) > guard[1] // 2)
                ]
                if not sea[i, j]:
                    found[i, j] = 0
                elif seen[i, j] and ring:
                    alpha = len(ring) * (pfa ** (-1 / len(ring)) - 1)
                    limit = alpha * np.mean(ring) if sigmas is None else np.mean(ring) + sigmas * np.std(ring)
                    found[i, j] = x[i, j] > limit
        bright = found == 1
    edge = np.full(x.shape, NAN)
    inside = np.s_[passes * m : max(x.shape[0] - passes * m, 0), passes * n : max(x.shape[1] - passes * n, 0)]
    edge[inside] = found[inside]
    return edge


@settings(max_examples=40)
@given(
    seed=st.integers(0, 999),
    guard=st.tuples(odd, odd),
    more=st.tuples(st.integers(0, 3), st.integers(0, 3)).filter(any),
    passes=st.integers(1, 2),
    sigmas=st.sampled_from([None, 2.0]),
    land=st.sampled_from([0.0, 0.4, 0.97]),
    corner=st.tuples(st.integers(-99, 99), st.integers(-99, 99)),
)
def test_targets_are_those_of_a_slow_search(
    seed: int,
    guard: tuple[int, int],
    more: tuple[int, int],
    passes: int,
    sigmas: float | None,
    land: float,
    corner: tuple[int, int],
) -> None:
    rng = np.random.default_rng(seed)
    x = np.where(rng.random((24, 27)) < 0.05, 30.0, rng.exponential(1, (24, 27)))
    x[rng.random(x.shape) < (0.05 if land else 0.003)] = NAN
    sea = rng.random(x.shape) >= land
    training = guard[0] + 2 * more[0], guard[1] + 2 * more[1]
    found = bright_targets(
        x,
        window_of(x, *corner),
        sea if land else None,
        pfa=0.02,
        sigmas=sigmas,
        guard=guard,
        training=training,
        passes=passes,
        threads=passes,
    )
    np.testing.assert_array_equal(found, slow_targets(x, sea, 0.02, sigmas, guard, training, passes))


def test_the_rate_of_false_alarms_is_that_asked_for() -> None:
    x = np.random.default_rng(5).exponential(2.0, (700, 700))
    found = bright_targets(x, window_of(x), pfa=1e-3, guard=5, training=15, passes=1)
    alarms, cells = np.nansum(found), np.isfinite(found).sum()
    assert abs(alarms - 1e-3 * cells) < 4 * np.sqrt(1e-3 * cells)


def test_a_second_pass_finds_a_ship_beside_a_brighter_one() -> None:
    x = np.ones((61, 61))
    x[30, 30], x[30, 35] = 25.0, 4000.0
    once, twice = (bright_targets(x, window_of(x), guard=3, training=21, passes=n)[30, 30] for n in (1, 2))
    assert (once, twice) == (0, 1)


@settings(max_examples=25)
@given(seed=st.integers(0, 99), i=st.integers(0, 20), j=st.integers(0, 20), corner=st.integers(-40, 40))
def test_clutter_has_the_same_bits_in_any_block(seed: int, i: int, j: int, corner: int) -> None:
    rng = np.random.default_rng(seed)
    x = rng.exponential(1, (60, 60))
    x[rng.random(x.shape) < 0.01] = 1e7
    seen = rng.random(x.shape) > 0.1
    whole, part = window_of(x, corner, 3 * corner), window_of(x[i : i + 40, j : j + 40], corner + i, 3 * corner + j)
    at = part.inside(whole)
    ours, theirs = (
        clutter(x[at], part, seen[at], (5, 3), (11, 13), True),
        clutter(x, whole, seen, (5, 3), (11, 13), True),
    )
    for a, b in zip(ours, theirs, strict=True):
        np.testing.assert_array_equal(a, b[i : i + 30, j : j + 28])
        assert a.shape == (30, 28) and np.isfinite(a).all()


def test_sums_beside_a_very_bright_target_lose_nothing() -> None:
    """Differences of running sums would keep an error of a thousandth here."""
    x = np.full((9, 40), 1e-3)
    x[4, 20] = 1e13
    mean, _, _ = clutter(x, window_of(x), np.ones(x.shape, bool), (3, 3), (7, 7))
    np.testing.assert_allclose(mean[1, [17, 21, 27]], 1e-3, rtol=1e-15)


@pytest.mark.parametrize(("guard", "training"), [(4, 9), (3, 8), (9, 5), (5, 5), (-1, 5), ((3, 9), (9, 7))])
def test_windows_that_are_none_are_refused(guard: Any, training: Any) -> None:
    with pytest.raises(InputError, match="odd rows and columns"):
        bright_targets(np.ones((20, 20)), window_of(np.ones((20, 20))), guard=guard, training=training)


@pytest.mark.parametrize(("dtype", "unit"), [("u1", 1), ("i2", 9), ("u2", 200), ("f4", 1e-24)])
def test_squares_stay_within_their_range(dtype: str, unit: float) -> None:
    """Power as it is stored gives what the same numbers give as float64."""
    drawn = np.random.default_rng(2).integers(1, 200, (20, 20))
    x = (drawn * unit).astype(dtype)
    exact, around, seen = x.astype(np.float64), ((3, 3), (9, 9), True), np.ones(x.shape, bool)
    for a, b in zip(clutter(x, window_of(x), seen, *around), clutter(exact, window_of(x), seen, *around), strict=True):
        np.testing.assert_array_equal(a, b)
    ours, theirs = (bright_targets(p, window_of(x), sigmas=1.0, guard=3, training=9, passes=1) for p in (x, exact))
    np.testing.assert_array_equal(ours, theirs)
    assert 0 < np.nansum(ours) < 100


@pytest.mark.parametrize("within", [np.ones((60, 60), "u1"), np.ones((60, 1), bool)])
def test_a_sea_that_is_no_mask_of_the_window_is_refused(within: Any) -> None:
    x = np.ones((60, 60))
    with pytest.raises(InputError, match=r"Give booleans of the window's shape, \(60, 60\)"):
        bright_targets(x, window_of(x), within)


def test_numbers_that_mean_nothing_are_refused_and_those_of_numpy_are_numbers() -> None:
    x = np.ones((20, 20))
    with pytest.raises(InputError, match="0 passes"):
        bright_targets(x, window_of(x), passes=0)
    with pytest.raises(InputError, match="at nan looks"):
        bright_targets(x, window_of(x), looks=NAN)
    found = bright_targets(x, window_of(x), guard=np.int64(3), training=np.int64(7), passes=1)  # type: ignore[arg-type]
    np.testing.assert_array_equal(found, bright_targets(x, window_of(x), guard=3, training=7, passes=1))


def test_an_image_smaller_than_its_margin_is_unseen() -> None:
    x = np.ones((30, 80))
    assert np.isnan(bright_targets(x, window_of(x))).all()
    with pytest.raises(InputError, match="rate"):
        alarm_factor(np.array(9), 0.0)
    with pytest.raises(InputError, match="shape"):
        bright_targets(x, window_of(x.T))


# Otsu


def test_the_parting_of_the_textbook(vectors: dict[str, Any]) -> None:
    case = vectors["flood.otsu_histogram6"]
    found = otsu(np.array(case["inputs"]["hist"]), np.array(case["inputs"]["bin_values"]))
    assert found.first == case["expected"]["threshold_first_foreground_bin"]
    assert found.between == pytest.approx(case["expected"]["between_class_variance"], abs=case["tolerance"])


@given(st.lists(st.integers(0, 9), min_size=2, max_size=30).filter(lambda c: np.count_nonzero(c) > 1))
def test_no_other_parting_has_classes_further_apart(counts: list[int]) -> None:
    values = np.linspace(-3, 7, len(counts))
    pixels = np.repeat(values, counts)
    between = []
    for edge in values[1:]:
        low, high = pixels[pixels < edge], pixels[pixels >= edge]
        both = len(low) and len(high)
        between.append(len(low) * len(high) * (low.mean() - high.mean()) ** 2 / len(pixels) ** 2 if both else -1.0)
    found = otsu(np.array(counts), values)
    assert found.between == pytest.approx(max(between), rel=1e-9)
    assert between[found.first - 1] == pytest.approx(max(between), rel=1e-9)


def test_of_equal_partings_the_lowest_is_taken() -> None:
    """Between two lone values every threshold parts the same."""
    assert otsu(np.array([0, 5, 0, 0, 5]), np.arange(5.0)).first == 2


def test_water_is_below_the_threshold_and_unseen_is_nowhere() -> None:
    rng = np.random.default_rng(0)
    decibels = np.concatenate([rng.normal(-20, 1, 3000), rng.normal(-9, 1.5, 9000), np.full(5000, NAN)])
    assert -17 < otsu_threshold(decibels) < -12
    assert otsu_threshold(decibels) == otsu_threshold(decibels[:12_000])


def test_exact_values_part_too() -> None:
    values, counts = np.unique([1.0, 1.5, 1.2, 9.0, 9.5, 30.0], return_counts=True)
    assert values[otsu(counts, values).first] == 30


@pytest.mark.parametrize("x", [[], [NAN, NAN], [3.0], [3.0, 3.0, NAN]])
def test_what_has_no_two_values_has_no_histogram(x: list[float]) -> None:
    with pytest.raises(InputError, match="two values"):
        histogram(np.array(x))
    with pytest.raises(InputError, match="nothing to part"):
        otsu(np.array([0, 7, 0]), np.arange(3.0))


def test_a_lone_value_beyond_the_percentiles_is_not_said_to_be_the_rest() -> None:
    with pytest.raises(InputError, match="between percentiles 1 and 99; of 1001 seen cells all there are 0"):
        histogram(np.append(np.zeros(1000), 1.0))


@pytest.mark.parametrize(
    ("water", "land", "bimodal"),
    [(20_000, 40_000, True), (0, 60_000, False), (1_200, 60_000, False), (60_000, 30_000, True)],
)
def test_a_tile_is_bimodal_if_it_holds_both(water: int, land: int, bimodal: bool) -> None:
    """Otsu's halves alone would call one normal distribution bimodal: their D is 2.65."""
    rng = np.random.default_rng(1)
    counts, edges = histogram(np.concatenate([rng.normal(-20, 1.2, water), rng.normal(-12, 1.5, land)]), 256, (0, 100))
    found = modes(counts, (edges[1:] + edges[:-1]) / 2)
    assert found.bimodal() is bimodal
    if bimodal:
        assert found.means == pytest.approx((-20, -12), abs=0.05)
        assert found.deviations == pytest.approx((1.2, 1.5), abs=0.05)
        assert found.shares[0] == pytest.approx(water / (water + land), abs=0.01)
        assert found.ashman == pytest.approx(np.sqrt(2) * 8 / np.hypot(1.2, 1.5), rel=0.03)
