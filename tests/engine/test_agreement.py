"""The kernels of the check against published or independently computed numbers."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy import stats

from geomon.stats.agreement import (
    Mean,
    agreement,
    jump,
    knots,
    mean,
    pettitt,
    sup_f,
    together,
    trend,
    trends_agree,
)

NDVI = np.array([0.52, 0.5, 0.55, 0.53, 0.58, 0.57, 0.55, 0.6, 0.62, 0.59, 0.63, 0.61, 0.66, 0.64, 0.68, 0.67])


def test_theil_sen_and_mann_kendall_with_ties() -> None:
    found = trend(NDVI, np.arange(16.0))
    assert (found.slope, found.lower, found.upper) == pytest.approx((0.011, 0.00875, 0.0133333333), abs=1e-9)
    assert found.p == pytest.approx(1.5146373314e-05, rel=1e-9)
    assert found.direction == 1


def test_the_slope_is_that_of_scipy_when_years_are_missing() -> None:
    years = np.array([2001.0, 2002, 2005, 2006, 2007, 2010, 2011, 2012])
    theirs = stats.theilslopes(NDVI[:8], years)
    found = trend(NDVI[:8], years)
    assert found.slope == pytest.approx(theirs.slope)
    assert theirs.low_slope <= found.lower < found.upper <= theirs.high_slope  # scipy rounds to the next slope


def test_a_constant_has_no_trend() -> None:
    assert trend(np.ones(9), np.arange(9.0)).direction == 0


def test_two_one_sided_tests() -> None:
    found = mean(np.array([0.3, -0.2, 0.5, 0.1, -0.4, 0.2, 0.0, 0.3, -0.1, 0.2]))
    assert found.value == pytest.approx(0.09)
    assert found.equivalent(0.5) == pytest.approx(0.00046813943, rel=1e-6)
    assert (found.value - found.half90, found.value + found.half90) == pytest.approx((-0.0656647631, 0.2456647631))


def test_a_constant_difference_is_known_exactly() -> None:
    found = mean(np.array([1.5, 1.5, 1.5]))
    assert (found.half95, found.equivalent(2.0), found.equivalent(1.0)) == (0.0, 0.0, 1.0)


def test_values_alike_in_time_count_as_fewer() -> None:
    assert mean(np.repeat([1.0, -1.0], 8)).n < 4
    assert mean(np.tile([1.0, -1.0], 8)).n == 16


def test_a_jump_is_placed_and_chance_is_not_called_one() -> None:
    series = np.array([10.1, 10.4, 9.8, 10.2, 10.0, 10.3, 9.9, 12.1, 12.4, 11.9, 12.2, 12.5, 12.0, 12.3])
    found = jump(series)
    assert found.at == 7
    assert found.size == pytest.approx(2.1)
    assert found.p < 0.01
    calls = [jump(np.random.default_rng(seed).normal(size=12)).p < 0.05 for seed in range(200)]
    assert 0.01 < np.mean(calls) < 0.10


@pytest.fixture(scope="module")
def vectors(shared_data: Path) -> dict[str, Any]:
    found = json.loads((shared_data.parent / "methods" / "test_vectors.json").read_text())["vectors"]
    return {case["name"]: case for case in found}


def test_agreement_is_that_of_the_method(vectors: dict[str, Any]) -> None:
    case = vectors["ts.agreement"]
    found, wanted = agreement(*(np.array(case["inputs"][k]) for k in ("estimate", "reference"))), case["expected"]
    told = (found.ccc, found.r, found.bias, found.mae, found.rmse, found.mape, found.smape)
    keys = ("ccc", "pearson_r", "bias", "mae", "rmse", "mape_pct", "smape_pct")
    assert told == pytest.approx([wanted[k] for k in keys], abs=1e-6)
    assert (found.lower, found.upper) == pytest.approx(wanted["ccc_ci95_fisher"], abs=1e-6)


def test_equivalence_is_that_of_the_method(vectors: dict[str, Any]) -> None:
    case = vectors["ts.tost_paired"]
    found, wanted = mean_alone(np.array(case["inputs"]["differences"])), case["expected"]
    assert found.equivalent(case["inputs"]["high"]) == pytest.approx(wanted["p_tost"], abs=1e-6)
    assert [found.value - found.half90, found.value + found.half90] == pytest.approx(wanted["ci90"], abs=1e-6)


def mean_alone(values: np.ndarray) -> Mean:
    """The mean, which here has neighbours that are not alike, so that all values count."""
    found = mean(values)
    assert found.n == len(values)
    return found


def test_trend_agreement_is_that_of_the_method(vectors: dict[str, Any]) -> None:
    case = vectors["ts.trend_agreement"]
    assert [trends_agree(*pair) for pair in case["inputs"]["z_pairs"]] == case["expected"]["class_"]


def test_pettitt_is_that_of_the_method(vectors: dict[str, Any]) -> None:
    case = vectors["ts.pettitt"]
    found, wanted = pettitt(np.array(case["inputs"]["x"])), case["expected"]
    assert (found.k, found.at) == (wanted["K"], wanted["change_after_index_1based"])
    assert found.p == pytest.approx(wanted["p_approx"], abs=1e-9)


def test_concordance_needs_five_pairs_and_movement() -> None:
    assert np.isnan(agreement(np.arange(4.0), np.arange(4.0)).ccc)
    assert np.isnan(agreement(np.ones(9), np.arange(9.0)).ccc)
    assert agreement(np.arange(9.0), np.arange(9.0)).ccc == 1


def test_a_common_trend_alone_is_no_correlation_of_changes() -> None:
    random, rising = np.random.default_rng(1), np.arange(40.0)
    assert abs(together(rising + random.normal(0, 1, 40), rising + random.normal(0, 1, 40))) < 0.35
    assert together(NDVI, 2 * NDVI) == pytest.approx(1)


def test_sup_f_places_a_shift_and_seldom_calls_chance_one() -> None:
    series = np.array([10.1, 10.4, 9.8, 10.2, 10.0, 10.3, 9.9, 12.1, 12.4, 11.9, 12.2, 12.5, 12.0, 12.3])
    found = sup_f(series)
    before, after = series[:7], series[7:]
    left = ((before - before.mean()) ** 2).sum() + ((after - after.mean()) ** 2).sum()
    assert found.at == 7 and found.p < 0.05
    assert found.f == pytest.approx((((series - series.mean()) ** 2).sum() - left) / (left / 12))
    calls = [sup_f(np.random.default_rng(seed).normal(size=15)).p < 0.05 for seed in range(200)]
    assert np.mean(calls) < 0.09
    assert sup_f(np.ones(9)).p == 1


def test_knots_are_where_lines_bend() -> None:
    years = np.arange(11.0)
    bent = np.r_[2 * years[:6], 10 + 3 * years[1:6]]
    assert knots(bent, years).tolist() == [0, 5, 10]
    assert knots(np.round(0.6 * years + 0.004, 2), years).tolist() == [0, 10]
    assert len(knots(NDVI, np.arange(16.0))) == 16
    assert len(knots(np.ones(11), years)) == 11  # a constant is no line that somebody drew
