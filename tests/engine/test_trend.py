"""Trends of many pixels against published numbers, other packages, and the definitions written out slowly."""

import json
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from geomon.errors import InputError
from geomon.stats import history, trend
from geomon.stats.history import decile_change, line, percentiles, recent_z
from geomon.stats.trend import (
    Trends,
    contextual,
    exact_p,
    five_classes,
    hamed_rao,
    prewhitened,
    three_classes,
    trends,
)

NDVI = np.array([0.52, 0.5, 0.55, 0.53, 0.58, 0.57, 0.55, 0.6, 0.62, 0.59, 0.63, 0.61, 0.66, 0.64, 0.68, 0.67])
Array = np.ndarray[Any, Any]
FIELDS = ("n", "score", "variance", "z", "p", "tau", "slope", "intercept", "lower", "upper")


@pytest.fixture(scope="session")
def vector(shared_data: Path) -> Callable[[str], dict[str, Any]]:
    """Inputs, expected numbers and tolerance of a published case."""
    found = json.loads((shared_data.parent / "methods" / "test_vectors.json").read_text())["vectors"]
    return {v["name"]: v for v in found}.__getitem__


def slowly(values: Array, times: Array, confidence: float = 0.95) -> dict[str, float]:
    """The definitions, pair by pair, of one series."""
    valid = np.isfinite(values)
    x, t = values[valid].astype(float), times[valid]
    n = len(x)
    pairs = [(i, j) for i in range(n) for j in range(i + 1, n)]
    score = sum(int(np.sign(x[j] - x[i])) for i, j in pairs)
    groups = np.unique(x, return_counts=True)[1]
    variance = (n * (n - 1) * (2 * n + 5) - sum(g * (g - 1) * (2 * g + 5) for g in groups)) / 18
    z = (score - np.sign(score)) / math.sqrt(variance) if variance > 0 else 0.0
    slopes = np.sort([(x[j] - x[i]) / (t[j] - t[i]) for i, j in pairs])
    slope = float(np.median(slopes))
    reach = stats.norm.ppf((1 + confidence) / 2) * math.sqrt(max(variance, 0.0))
    ranks = [(len(slopes) - reach) / 2 - 1, (len(slopes) + reach) / 2]
    lower, upper = np.interp(ranks, np.arange(len(slopes)), slopes)
    untied = len(pairs) - sum(g * (g - 1) / 2 for g in groups)
    return {
        "n": n,
        "score": score,
        "variance": variance,
        "z": float(z),
        "p": float(2 * stats.norm.sf(abs(z))),
        "tau": score / math.sqrt(untied * len(pairs)) if untied else math.nan,
        "slope": slope,
        "intercept": float(np.median(x) - slope * np.median(t)),
        "lower": float(lower),
        "upper": float(upper),
    }


def agree(found: Trends, values: Array, times: Array, least: int, *, rel: float, size: float) -> None:
    """Every field of every pixel."""
    for pixel in range(values.shape[1]):
        n = int(np.isfinite(values[:, pixel]).sum())
        expected = slowly(values[:, pixel], times) if n >= least else {f: math.nan for f in FIELDS} | {"n": n}
        for field in FIELDS:
            absolute = size if field in ("slope", "intercept", "lower", "upper") else 0.0
            got = getattr(found, field)[pixel]
            assert got == pytest.approx(expected[field], rel=rel, abs=absolute, nan_ok=True), (field, pixel)


def test_published_series_with_ties(vector: Callable[[str], dict[str, Any]]) -> None:
    case, sen = vector("ts.mann_kendall.with_ties_16yr"), vector("ts.theil_sen.16yr")
    found = trends(np.array(case["inputs"]["x"]), confidence=0.95)
    names = {"S": "score", "varS": "variance", "z": "z", "p_two_sided": "p", "tau_a": "tau_a", "tau_b": "tau"}
    for name, expected in case["expected"].items():
        assert float(getattr(found, names[name])) == pytest.approx(expected, abs=case["tolerance"])
    assert float(found.slope) == pytest.approx(sen["expected"]["slope"], abs=sen["tolerance"])
    assert float(found.intercept) == pytest.approx(sen["expected"]["intercept_median"], abs=sen["tolerance"])
    assert [float(found.lower), float(found.upper)] == pytest.approx(sen["expected"]["slope_ci95"], abs=1e-9)


def test_published_rise_without_a_fall(vector: Callable[[str], dict[str, Any]]) -> None:
    case = vector("ts.mann_kendall.monotone_16")
    found = trends(np.array(case["inputs"]["x"]))
    got = {"S": float(found.score), "varS": float(found.variance), "z": float(found.z)}
    assert got == pytest.approx(case["expected"], abs=case["tolerance"])


def test_published_series_with_autocorrelation(vector: Callable[[str], dict[str, Any]]) -> None:
    case = vector("ts.mk_autocorrelated_25")
    x, expected = np.array(case["inputs"]["x"]), case["expected"]
    ways = {
        "original": trends(x),
        "hamed_rao_lag3": hamed_rao(x),
        "hamed_rao_all_lags": hamed_rao(x, lags=24, shrink=True),
        "tfpw": prewhitened(x),
    }
    names = {"S": "score", "varS": "variance", "z": "z", "p": "p", "slope": "slope"}
    for way, found in ways.items():
        for name in names.keys() & expected[way].keys():
            got = float(getattr(found, names[name]))
            assert got == pytest.approx(expected[way][name], abs=case["tolerance"]), (way, name)
    residuals = x - expected["original"]["slope"] * np.arange(25)
    assert trend._correlation(residuals, 25, 1, 0.0) == pytest.approx(expected["tfpw"]["lag1_r"], abs=1e-9)


def test_published_neighbours(vector: Callable[[str], dict[str, Any]]) -> None:
    case = vector("ts.contextual_mk_3pixels")
    series = np.array(case["inputs"]["series"], float).T[:, None, :]  # three pixels in a row
    found = contextual(series)
    assert float(found.score[0, 1]) == pytest.approx(case["expected"]["S_mean"], abs=1e-9)
    assert float(found.variance[0, 1]) == pytest.approx(case["expected"]["var_mean"], abs=1e-9)
    assert float(found.z[0, 1]) == pytest.approx(case["expected"]["z"], abs=1e-9)
    pair = case["expected"]["cov_pairs"]["1-2"]
    own = case["expected"]["S"][0], trends(series[:, 0, 0]).variance, trends(series[:, 0, 1]).variance
    assert float(found.variance[0, 0]) == pytest.approx((own[1] + own[2] + 2 * pair) / 4, abs=1e-9)
    assert float(found.score[0, 0]) == pytest.approx((26 + 22) / 2)


def test_published_classes_of_z(vector: Callable[[str], dict[str, Any]]) -> None:
    case = vector("15.3.1.trend_class_from_z")
    z = np.array([*case["inputs"]["z"], np.nan])
    np.testing.assert_equal(five_classes(z), [*case["expected"]["class5"], np.nan])
    np.testing.assert_equal(three_classes(z), [*case["expected"]["class3"], np.nan])


def test_published_scores_needed(vector: Callable[[str], dict[str, Any]]) -> None:
    case = vector("15.3.1.trend.critical_S_vs_trends_earth")["expected"]
    assert exact_p(36, 16) == pytest.approx(case["exact_two_sided_p_at_S36"], abs=5e-4)
    assert exact_p(-46, 16) == pytest.approx(case["exact_two_sided_p_at_S46"], abs=5e-4)
    variance = float(trends(np.arange(16.0)).variance)
    needed = next(s for s in range(0, 121, 2) if (s - 1) / math.sqrt(variance) > 1.96)
    assert needed == case["S_needed_gpg_abs_z_gt_1_96"]


def test_exact_p_counts_all_orders_of_four() -> None:
    assert exact_p(6, 4) == pytest.approx(2 / 24)  # one order rises throughout, one falls
    assert exact_p(4, 4) == pytest.approx(8 / 24)
    assert exact_p(0, 4) == pytest.approx(1.0)
    theirs = stats.kendalltau(range(8), [1, 0, 2, 3, 4, 6, 5, 7], method="exact")  # two pairs of 28 fall
    assert exact_p(24, 8) == pytest.approx(theirs.pvalue, rel=1e-9)


def test_published_state(vector: Callable[[str], dict[str, Any]]) -> None:
    case = vector("15.3.1.state.z_gpg_v2")
    past, now = np.array(case["inputs"]["baseline_13yr"]), np.array(case["inputs"]["recent_3yr"])
    z = recent_z(past, now)
    assert float(z) == pytest.approx(case["expected"]["z"], abs=case["tolerance"])
    assert float(three_classes(z)) == case["expected"]["class3"]


series_lists = st.lists(
    st.one_of(
        st.integers(-3, 3).map(float),  # ties
        st.floats(-1, 1, width=32),
        st.sampled_from([math.nan, math.inf, -0.0]),
    ),
    min_size=12,
    max_size=12,
)


@settings(max_examples=60)
@given(st.lists(series_lists, min_size=1, max_size=4), st.lists(st.integers(1, 40), min_size=12, max_size=12))
def test_definitions_written_out_slowly(columns: list[list[float]], steps: list[int]) -> None:
    times = np.cumsum(np.array(steps)) / 4
    values = np.array(columns).T
    agree(trends(values, times, least=4, confidence=0.95), values, times, 4, rel=1e-9, size=1e-9)
    single = values.astype(np.float32)
    agree(trends(single, times, least=4, confidence=0.95), single, times, 4, rel=2e-6, size=2e-4)


@pytest.mark.parametrize("dates", [2, 3, 7, 22, 23, 24, 40])
def test_any_number_of_dates(dates: int) -> None:
    """231 slopes of 22 dates fit a byte, 276 of 24 do not."""
    rng = np.random.default_rng(dates)
    values = np.round(rng.normal(size=(dates, 5)), 1)
    values[rng.random((dates, 5)) < [0, 0, 0.2, 0.2, 0.5]] = np.nan
    times = np.arange(dates, dtype=float)
    agree(trends(values, least=2, confidence=0.95), values, times, 2, rel=1e-9, size=1e-9)


def test_scipy_agrees_when_years_are_missing() -> None:
    years = np.array([2001.0, 2002, 2005, 2006, 2007, 2010, 2011, 2012])
    found = trends(NDVI[:8], years)
    assert float(found.slope) == pytest.approx(stats.theilslopes(NDVI[:8], years).slope)
    assert float(found.tau) == pytest.approx(stats.kendalltau(years, NDVI[:8]).statistic)


def test_a_gap_is_not_an_observation() -> None:
    """Counting gaps as values, without a rise or fall, gives a p that is wrong by more than 0.1."""
    rng = np.random.default_rng(3)
    values = rng.normal(size=(22, 300)) + 0.03 * np.arange(22)[:, None]
    values[rng.random(values.shape) < 0.3] = np.nan
    found = trends(values)
    variance = 22 * 21 * 49 / 18
    wrong = 2 * stats.norm.sf(np.abs(found.score - np.sign(found.score)) / math.sqrt(variance))
    seen = ~np.isnan(found.p)
    assert np.abs(found.p - wrong)[seen].max() > 0.1
    for pixel in range(20):
        kept = values[~np.isnan(values[:, pixel]), pixel]
        assert found.p[pixel] == (trends(kept).p if len(kept) >= 8 else pytest.approx(np.nan, nan_ok=True))


@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.int16, np.uint8, np.int64])
def test_all_equal_is_no_trend(dtype: type) -> None:
    found = trends(np.full((10, 3), 7, dtype), confidence=0.95)
    np.testing.assert_array_equal(found.z, 0)
    np.testing.assert_array_equal(found.p, 1)
    np.testing.assert_array_equal(found.slope, 0)
    np.testing.assert_array_equal(found.intercept, 7)
    np.testing.assert_array_equal([found.lower, found.upper], 0)
    assert np.isnan(found.tau).all()


def test_too_few_dates_have_no_trend() -> None:
    values = np.arange(30.0).reshape(10, 3)
    values[:3, 0] = np.nan
    values[:2, 1] = np.inf
    values[:, 2] = np.nan
    found = trends(values)
    np.testing.assert_array_equal(found.n, [7, 8, 0])
    np.testing.assert_array_equal(np.isnan(found.p), [True, False, True])
    assert np.isnan([found.slope[2], found.z[2], found.score[2], found.intercept[2]]).all()
    assert np.isnan(trends(values, share=0.85).p[1])
    assert not np.isnan(trends(values, least=7).p[0])
    assert np.isnan(trends(values, share=0.8, least=2).p[0])


def test_what_a_sensor_cannot_tell_apart_is_a_tie() -> None:
    values = np.array([1.00001, 1.00002, 1.00003, 1.0, 1.00004, 2.0, 2.00001, 2.00002])
    found = trends(values, precision=1e-4)
    np.testing.assert_array_equal([found.score], [15])
    assert float(found.variance) == pytest.approx((8 * 7 * 21 - 5 * 4 * 15 - 3 * 2 * 11) / 18)
    assert float(trends(values).score) == 28 - 2 * 3


def test_a_zero_with_a_sign_is_a_zero() -> None:
    assert float(trends(np.array([0.0, -0.0, 0.0, -0.0, -0.0, 0.0, 0.0, -0.0])).score) == 0


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_tiny_and_huge_values_keep_their_order(dtype: type) -> None:
    scales = np.array([1e-30, 1.0, 1e30])
    values = np.arange(12.0)[:, None] * scales
    found = trends(values.astype(dtype))
    np.testing.assert_array_equal(found.score, 66)
    np.testing.assert_allclose(found.slope, scales, rtol=1e-6)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_the_same_bits_for_any_threads_and_cuts(dtype: type) -> None:
    pixels = 2 * trend.PIECE + 77
    values = np.random.default_rng(0).normal(size=(9, pixels)).astype(dtype)
    values[values > 1.5] = np.nan
    whole = trends(values, confidence=0.95)
    threaded = trends(values, confidence=0.95, threads=3)
    cut = [trends(values[:, a:b], confidence=0.95) for a, b in ((0, 100), (100, 131), (131, pixels))]
    white, rao = prewhitened(values), hamed_rao(values)
    white3, rao3 = prewhitened(values, threads=3), hamed_rao(values, threads=3)
    for field in FIELDS:
        expected = getattr(whole, field)
        np.testing.assert_array_equal(getattr(threaded, field), expected)
        np.testing.assert_array_equal(np.concatenate([getattr(part, field) for part in cut]), expected)
        if field not in ("lower", "upper"):
            np.testing.assert_array_equal(getattr(white, field), getattr(white3, field))
            np.testing.assert_array_equal(getattr(rao, field), getattr(rao3, field))


def test_results_have_the_shape_of_the_pixels() -> None:
    values = np.random.default_rng(0).normal(size=(9, 4, 5))
    flat = trends(values.reshape(9, 20)).slope
    np.testing.assert_array_equal(trends(values).slope, flat.reshape(4, 5))
    np.testing.assert_array_equal(trends(values[:, ::-1, ::2]).slope, flat.reshape(4, 5)[::-1, ::2])


@pytest.mark.parametrize(
    ("values", "times", "says"),
    [
        (np.zeros((1, 4)), None, "two dates or more"),
        (np.zeros((3, 4), bool), None, "bool"),
        (np.zeros((3, 4)), [1, 1, 2], "not rising"),
        (np.zeros((3, 4)), [1, 2], "there are 2"),
        (np.zeros((3, 4)), [1, 2, np.nan], "not rising"),
    ],
)
def test_what_is_no_series_is_refused(values: Array, times: list[float] | None, says: str) -> None:
    with pytest.raises(InputError, match=says):
        trends(values, times)


@pytest.mark.parametrize("confidence", [95, 1.0, 0.0, -0.5, math.nan])
def test_a_confidence_is_a_share(confidence: float) -> None:
    with pytest.raises(InputError, match="between 0 and 1"):
        trends(np.zeros((9, 2)), confidence=confidence)


def test_white_noise_is_left_as_it_is() -> None:
    values = np.array([0.1, 0.4, -0.3, -0.1, 0.2, 0.3, -0.2, 0.5, 0.6, 0.0])
    residuals = values - float(trends(values).slope) * np.arange(10)
    assert abs(trend._correlation(residuals, 10, 1, 0.0)) < 1.96 / math.sqrt(10)
    for field in FIELDS[:8]:
        assert getattr(prewhitened(values), field) == getattr(trends(values), field)


def test_autocorrelation_is_of_dates_with_a_value() -> None:
    x = np.array([2.16, 2.24, 2.21, 2.13, 2.1, 1.83, 1.97, 1.99, 2.1, 2.19, 2.36, 2.28, 2.32, 2.5, 2.37, 2.36])
    gappy, times = np.insert(x, [3, 9], np.nan), np.insert(np.arange(16.0), [3, 9], [2.5, 8.5])
    for way in (prewhitened, hamed_rao):
        whole, holed = way(x), way(gappy, times)
        for field in FIELDS[:8]:
            assert float(getattr(holed, field)) == pytest.approx(float(getattr(whole, field)), rel=1e-12), field
    assert float(prewhitened(x).n) == 15
    assert float(hamed_rao(x).variance) > float(trends(x).variance)


def grown(values: Array, times: Array, lags: int, digits: int) -> float:
    """The factor of Hamed and Rao (1998), of residuals without the digits that rounding makes."""
    n = len(values)
    residuals = values - slowly(values, times)["slope"] * times
    ranks = stats.rankdata(np.round(residuals, digits)) - (n + 1) / 2
    total = 0.0
    for lag in range(1, lags + 1):
        r = (ranks[lag:] * ranks[: n - lag]).sum() / (ranks**2).sum()
        total += (n - lag) * (n - lag - 1) * (n - lag - 2) * r if abs(r) > 1.96 / math.sqrt(n) else 0.0
    return 1 + 2 / (n * (n - 1) * (n - 2)) * total


@pytest.mark.parametrize("lags", [1, 3, 15])
def test_significant_lags_alone_change_the_variance(lags: int) -> None:
    times = np.arange(16.0)
    values = np.cumsum(np.random.default_rng(0).normal(size=(16, 60)), 0)
    found = hamed_rao(values, lags=lags, shrink=True)
    expected = [grown(values[:, k], times, lags, 9) for k in range(60)]
    np.testing.assert_allclose(found.variance / trends(values).variance, expected, rtol=1e-9)
    assert len(set(expected)) > 10


STEPS = np.array([30, 31, 32, 33, 33, 35, 36, 37, 38, 38, 39, 40, 41, 42, 43, 44, 46, 46, 47, 48])


def test_rounding_is_no_rank() -> None:
    """The same rise in whole numbers, in hundredths, and in float32 says the same."""
    factor = grown(STEPS, np.arange(20.0), 3, 9)
    assert factor > 1.5
    for values in (STEPS, STEPS.astype("i2"), STEPS / 100, STEPS.astype("f4") / np.float32(100)):
        assert float(hamed_rao(values).z) == pytest.approx(float(trends(values).z) / math.sqrt(factor), rel=1e-6)
    every_third = 10 * np.arange(16), 3 * np.arange(16.0)
    for dtype in ("i2", "f4", "f8"):
        found = hamed_rao(every_third[0].astype(dtype), every_third[1])
        assert float(found.variance) == float(trends(*every_third).variance), dtype


@pytest.mark.parametrize("dtype", ["f4", "f8"])
def test_a_line_without_residuals_has_no_correlation(dtype: str) -> None:
    levels = np.arange(1, 100) / 100
    for rise in (0.0, 0.01):
        values = (levels + rise * np.arange(16.0)[:, None]).astype(dtype)
        np.testing.assert_array_equal(prewhitened(values).n, 16)
        same = trends(values.astype(float)).variance
        np.testing.assert_array_equal(hamed_rao(values, lags=15, shrink=True).variance, same)


def test_variance_never_falls() -> None:
    flips = np.arange(20.0) * 0.01 + np.tile([1.0, -1.0], 10)
    assert float(hamed_rao(flips).variance) == float(trends(flips).variance)
    assert float(hamed_rao(flips, shrink=True, lags=1).variance) < float(trends(flips).variance)


def test_neighbours_are_not_independent() -> None:
    """Nine copies of one pixel say what one says; a hole is no neighbour."""
    one = np.random.default_rng(1).permutation(12).astype(float)
    found = contextual(np.tile(one[:, None, None], (1, 3, 3)))
    np.testing.assert_allclose(found.variance, trends(one).variance, rtol=1e-12)
    holed = np.random.default_rng(2).normal(size=(12, 1, 3))
    holed[4, 0, 2] = np.nan
    alone = contextual(holed[:, :, :2])
    np.testing.assert_array_equal(contextual(holed).z[0, :2], alone.z[0])
    assert np.isnan(contextual(holed).z[0, 2])


@settings(max_examples=40)
@given(series_lists, st.lists(st.integers(1, 9), min_size=12, max_size=12))
def test_least_squares(values: list[float], steps: list[int]) -> None:
    x, times = np.array(values), np.cumsum(steps).astype(float)
    valid = np.isfinite(x)
    found = line(x, times)
    assert found.n == valid.sum()
    if valid.sum() < 3:
        assert np.isnan(found.slope)
    elif np.ptp(x[valid]) <= 1e-6:
        assert float(found.slope) == pytest.approx(0, abs=1e-5)
    else:
        theirs = stats.linregress(times[valid], x[valid])
        assert float(found.slope) == pytest.approx(theirs.slope, rel=1e-9, abs=1e-12)
        assert float(found.intercept) == pytest.approx(theirs.intercept, rel=1e-9, abs=1e-9)
        assert float(found.r2) == pytest.approx(theirs.rvalue**2, rel=1e-6, abs=1e-12)
        assert float(found.error) == pytest.approx(theirs.stderr, rel=1e-6, abs=1e-9)
        assert float(found.p) == pytest.approx(theirs.pvalue, rel=1e-5, abs=1e-9)


def test_lines_without_residuals() -> None:
    found = line(np.stack([np.arange(5.0), np.full(5, 0.1), [1, np.nan, 3, np.nan, np.nan]], 1), least=2)
    np.testing.assert_allclose(found.slope, [1, 0, 1])
    np.testing.assert_array_equal(found.p, [0, 1, np.nan])
    np.testing.assert_array_equal(found.r2, [1, np.nan, 1])
    half = np.random.default_rng(0).random((5, 1000))
    np.testing.assert_array_equal(line(np.concatenate([half, half[::-1]])).r2 >= 0, True)


@settings(max_examples=40)
@given(st.integers(1, 30), st.integers(0, 2**32 - 1), st.sampled_from([np.float32, np.float64]))
def test_percentiles_are_those_of_numpy(dates: int, seed: int, dtype: type) -> None:
    rng = np.random.default_rng(seed)
    values = np.round(rng.normal(size=(dates, 7)), 1).astype(dtype)
    values[1:][rng.random((dates - 1, 7)) < 0.3] = np.nan
    found = percentiles(values, [0, 10, 50, 90, 100])
    assert found.dtype == dtype
    np.testing.assert_allclose(found, np.nanpercentile(values, [0, 10, 50, 90, 100], axis=0), rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize("small", [1e-3, 1e-7])
def test_residuals_far_smaller_than_the_rise(small: float) -> None:
    times = np.arange(16.0)
    values = times[:, None] + small * np.random.default_rng(0).normal(size=(16, 50))
    rest = values - values.mean(0)
    slope = ((times - 7.5) @ rest) / 340
    rest -= slope * (times - 7.5)[:, None]
    np.testing.assert_allclose(line(values).error, np.sqrt((rest**2).sum(0) / 14 / 340), rtol=1e-6)


def test_the_history_of_pixels_has_the_same_bits_for_any_threads_and_cuts() -> None:
    pixels = 2 * trend.PIECE + 77
    values = np.random.default_rng(0).normal(size=(7, pixels))
    values[values > 1.5] = np.nan

    def of(part: Array, threads: int) -> Array:
        fitted = line(part, threads=threads)
        fields = [getattr(fitted, field) for field in ("n", "slope", "intercept", "error", "p", "r2")]
        z = recent_z(part[:4], part[4:], threads=threads)
        return np.stack([*fields, z, *percentiles(part, [10, 50], threads=threads)])

    whole = of(values, 1)
    np.testing.assert_array_equal(of(values, 3), whole)
    np.testing.assert_array_equal(np.concatenate([of(values[:, :131], 1), of(values[:, 131:], 1)], 1), whole)


def test_percentiles_of_nothing() -> None:
    assert np.isnan(percentiles(np.full((4, 2), np.nan), 50)).all()
    assert np.isnan(percentiles(np.array([1.0, np.nan, np.nan]), 50, least=2)).all()
    with pytest.raises(InputError, match="between 0 and 100"):
        percentiles(np.zeros((4, 2)), 101)


def test_recent_years_against_a_constant() -> None:
    past = np.full((13, 3), 0.1)
    now = np.tile([[0.1, 0.2, np.nan]], (3, 1))
    np.testing.assert_array_equal(recent_z(past, now), [0, np.nan, np.nan])
    levels = np.tile(np.arange(1, 100) / 100, (13, 1))
    np.testing.assert_array_equal(recent_z(levels, levels[:3]), 0)
    np.testing.assert_array_equal(recent_z(levels, levels[:3] + 0.01), np.nan)


def test_recent_years_with_gaps() -> None:
    past, now = np.array([1.0, np.nan, 3.0, 2.0]), np.array([5.0, np.nan, 7.0])
    assert float(recent_z(past, now)) == pytest.approx((6 - 2) / (np.std([1, 3, 2]) / math.sqrt(2)))
    assert np.isnan(recent_z(past, now, least_recent=3))
    assert np.isnan(recent_z(past, now, least_history=4))
    with pytest.raises(InputError, match="same pixels"):
        recent_z(np.zeros((3, 2)), np.zeros((3, 3)))


def test_decile_change() -> None:
    """History 0 to 100 in tens, stretched to -5 and 105: its mean, 50, lies in the fifth tenth."""
    past = np.tile(np.arange(0.0, 101, 10)[:, None], (1, 5))
    now = np.array([[95.0, 52.0, 10.0, 50.0, np.nan]])
    cuts = np.percentile([-5, *range(0, 101, 10), 105], range(10, 100, 10))
    own = (cuts < 50).sum()
    expected = [(cuts < 95).sum() - own, (cuts < 52).sum() - own, (cuts < 10).sum() - own, 0, np.nan]
    np.testing.assert_array_equal(decile_change(past, now), expected)
    assert expected[0] >= 4 and expected[2] <= -3
    np.testing.assert_array_equal(decile_change(past, now, alike=45), [0, 0, 0, 0, np.nan])


def test_a_constant_has_no_decile_change() -> None:
    """Whatever the mean of 13 equal numbers is rounded to; a fall from the lowest tenth is none, a rise is 9."""
    for levels in (np.arange(1, 100) / 100, np.arange(1, 100), (np.arange(1, 100) / 100).astype("f4")):
        past = np.tile(levels, (13, 1))
        for now, change in ((past[:3], 0), (past[:3] * 1.1, 9), (past[:3] * 0.9, 0)):
            np.testing.assert_array_equal(decile_change(past, now), change)


@pytest.mark.parametrize("years", [5, 13])
def test_tenths_of_a_history_stretched_by_a_twentieth(years: int) -> None:
    """The stretch moves the outer tenths of less than 9 years, and is two more values to longer histories."""
    rng = np.random.default_rng(0)
    past, now = rng.normal(size=(years, 400)), rng.normal(size=(3, 400))
    margin = 0.05 * np.ptp(past, axis=0)
    stretched = np.concatenate([past, [past.min(0) - margin], [past.max(0) + margin]])
    cuts = np.percentile(stretched, range(10, 100, 10), axis=0)
    expected = (now.mean(0) > cuts).sum(0) - (past.mean(0) > cuts).sum(0)
    np.testing.assert_array_equal(decile_change(past, now), expected)
    assert len(set(expected)) > 5


def test_history_is_numbers_beside_numbers() -> None:
    assert history.joined(np.zeros((2, 3, 4), np.uint8), np.ones((1, 3, 4)))[0].shape == (3, 12)
