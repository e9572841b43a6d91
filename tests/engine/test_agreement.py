"""The kernels of the check against published or independently computed numbers."""

import numpy as np
import pytest
from scipy import stats

from geomon.stats.agreement import jump, mean, trend

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
