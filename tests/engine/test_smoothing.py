"""Smooth curves are those of the dense equations; what is filled stays apart from what was observed."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from geomon.errors import InputError
from geomon.stats.smoothing import LANES, Series, fill, v_curve, whittaker


def made(seed: int, times: int, pixels: int, holes: float = 0.2) -> Series:
    """Seasons with noise, and gaps."""
    rng = np.random.default_rng(seed)
    values = (
        0.5 + 0.3 * np.sin(np.arange(times)[:, None] / 5.7 + rng.random(pixels)) + rng.normal(0, 0.05, (times, pixels))
    )
    return np.where(rng.random(values.shape) < holes, np.nan, values)


def dense(y: Series, lambda_: float, weights: Series) -> Series:
    """(W + lambda D'D) z = W y, as it is written."""
    d = np.diff(np.eye(len(y)), 2, axis=0)
    return np.linalg.solve(np.diag(weights) + lambda_ * d.T @ d, weights * np.nan_to_num(y))


def expectile(y: Series, lambda_: float, p: float) -> Series:
    """Weights p above and 1 - p below, until they stay."""
    seen = np.isfinite(y).astype(float)
    weights = seen * p
    for _ in range(26):
        z = dense(y, lambda_, weights)
        before, weights = weights, seen * np.where(np.nan_to_num(y) > z, p, 1 - p)
        if (weights == before).all():
            break
    return z


@settings(max_examples=60)
@given(
    seed=st.integers(0, 999),
    times=st.integers(3, 40),
    pixels=st.sampled_from([1, LANES - 1, LANES, LANES + 3]),
    lambda_=st.sampled_from([0.01, 1.0, 37.0, 1e4]),
    trusted=st.booleans(),
    float32=st.booleans(),
)
def test_the_curve_solves_the_dense_equations(
    seed: int, times: int, pixels: int, lambda_: float, trusted: bool, float32: bool
) -> None:
    dtype = np.dtype("f4" if float32 else "f8")
    values = made(seed, times, pixels).astype(dtype)
    trust = np.random.default_rng(seed).choice([0.0, 0.25, 1.0], values.shape).astype(dtype)
    found = whittaker(values, lambda_, weights=trust if trusted else None)
    assert found.dtype == dtype
    for k in range(pixels):
        weights = np.isfinite(values[:, k]) * (trust[:, k] if trusted else 1.0)
        expected = dense(values[:, k].astype(float), lambda_, weights) if (weights > 0).sum() >= 3 else np.nan
        np.testing.assert_allclose(found[:, k], np.full(times, expected), rtol=1e-5 if float32 else 1e-7, atol=1e-7)


@settings(max_examples=25)
@given(seed=st.integers(0, 999), lambda_=st.sampled_from([0.5, 10.0, 300.0]), p=st.sampled_from([0.1, 0.5, 0.9]))
def test_the_asymmetric_curve_agrees_with_its_own_weights(seed: int, lambda_: float, p: float) -> None:
    values = made(seed, 40, 5)
    found = whittaker(values, lambda_, p=p)
    for k in range(5):
        np.testing.assert_allclose(found[:, k], expectile(values[:, k], lambda_, p), rtol=1e-9, atol=1e-9)


def test_a_high_p_follows_the_upper_envelope() -> None:
    values = made(1, 200, 50)
    above = [np.nanmean(values > whittaker(values, 10.0, p=p), axis=0).max() for p in (0.5, 0.9, 0.99)]
    assert above[0] > above[1] > above[2]


@pytest.mark.parametrize("p", [None, 0.9])
def test_the_v_curve_is_lowest_at_the_lambda(p: float | None) -> None:
    """The grid searched slowly, by the definition."""
    values, lambdas = made(3, 60, 7), tuple(10 ** np.arange(-1, 3.1, 0.25))
    found, chosen = v_curve(values, lambdas=lambdas, p=p)
    for k in range(7):
        y, seen = values[:, k], np.isfinite(values[:, k])
        curves = [dense(y, v, seen * 1.0) if p is None else expectile(y, v, p) for v in lambdas]
        fit = np.log([np.nansum((y - z) ** 2) for z in curves])
        rough = np.log([np.sum(np.diff(z, 2) ** 2) for z in curves])
        j = int(np.argmin(np.hypot(np.diff(fit), np.diff(rough))))
        middle = np.sqrt(lambdas[j] * lambdas[j + 1])
        assert chosen[k] == pytest.approx(middle)
        best = dense(y, middle, seen * 1.0) if p is None else expectile(y, middle, p)
        np.testing.assert_allclose(found[:, k], best, rtol=1e-9)
    np.testing.assert_allclose(whittaker(values, chosen, p=p), found, rtol=1e-9)


def test_a_straight_line_stays_and_goes_on() -> None:
    values = np.tile(2.0 + 0.5 * np.arange(20.0), (3, 1)).T
    values[:4], values[9:12], values[-3:] = np.nan, np.nan, np.nan
    np.testing.assert_allclose(whittaker(values, 100.0)[:, 0], 2.0 + 0.5 * np.arange(20))


def test_few_observations_stay_missing() -> None:
    values = np.full((10, 3), np.nan)
    values[2, 0] = values[[2, 5], 1] = values[[2, 5, 7], 2] = 1.0
    np.testing.assert_array_equal(np.isfinite(whittaker(values, 1.0)).all(axis=0), [False, False, True])
    np.testing.assert_array_equal(np.isfinite(whittaker(values, 1.0, minimum=2)).any(axis=0), [False, True, True])
    curve, chosen = v_curve(values, minimum=4)
    assert np.isnan(curve).all() and np.isnan(chosen).all()


@pytest.mark.parametrize("p", [None, 0.9])
def test_threads_and_neighbours_do_not_change_a_bit(p: float | None) -> None:
    values = made(5, 50, 5 * LANES + 7).reshape(50, 1, -1)
    whole = v_curve(values, p=p)
    for threads in (2, 3, 64):
        np.testing.assert_array_equal(v_curve(values, p=p, threads=threads)[0], whole[0])
    np.testing.assert_array_equal(v_curve(values[..., 40:45].copy(), p=p)[0], whole[0][..., 40:45])
    np.testing.assert_array_equal(v_curve(values[..., ::3], p=p)[1], whole[1][..., ::3])


@settings(max_examples=60)
@given(
    seed=st.integers(0, 999),
    longest=st.integers(1, 6),
    holes=st.sampled_from([0.1, 0.5, 0.8]),
    curved=st.booleans(),
)
def test_only_short_gaps_between_observations_are_filled(seed: int, longest: int, holes: float, curved: bool) -> None:
    values = made(seed, 30, 6, holes)
    curve = made(seed + 1, 30, 6, 0.05) if curved else None
    found = fill(values, longest, curve=curve)
    expected = values.copy()
    for k in range(6):
        for a, b in pairwise(np.flatnonzero(np.isfinite(values[:, k]))):
            if 1 < b - a <= longest + 1:
                gap = np.arange(a + 1, b)
                line = np.interp(gap, [a, b], [values[a, k], values[b, k]])
                expected[gap, k] = line if curve is None else curve[gap, k]
    np.testing.assert_allclose(found.values, expected, rtol=1e-12)
    np.testing.assert_array_equal(found.filled, np.isnan(values) & np.isfinite(expected))
    observed = np.isfinite(values)
    np.testing.assert_array_equal(found.values[observed], values[observed])


@pytest.mark.parametrize("p", [None, 0.9])
def test_a_pixel_without_lambda_has_no_curve(p: float | None) -> None:
    values = made(0, 40, LANES + 5)
    values[:, [0, 3, LANES + 1]] = np.nan
    found, chosen = v_curve(values, p=p)
    assert np.isnan(chosen).sum() == 3
    np.testing.assert_allclose(whittaker(values, chosen, p=p), found, rtol=1e-9)
    seen = made(0, 40, LANES + 5)
    np.testing.assert_array_equal(np.isnan(whittaker(seen, chosen, p=p)), np.isnan(found))
    assert np.isnan(whittaker(seen[:, 0], np.nan)).all()


@pytest.mark.parametrize("times", [12, 36, 300])
def test_the_stiffest_curve_is_good_to_a_millionth(times: int) -> None:
    """By orthogonal factors of the rectangular equations, whose condition is the root of that of the normal ones."""
    y = made(times, times, 1)[:, 0]
    seen = np.isfinite(y)
    left = np.concatenate([np.eye(times)[seen], np.sqrt(1e9) * np.diff(np.eye(times), 2, axis=0)])
    exact = np.linalg.lstsq(left, np.concatenate([y[seen], np.zeros(times - 2)]), rcond=None)[0]
    np.testing.assert_allclose(whittaker(y, 1e9), exact, rtol=0, atol=1e-6)
    np.testing.assert_allclose(whittaker(y, 1e-3, weights=np.full(times, 1e-12)), exact, rtol=0, atol=1e-6)


def test_infinity_is_a_gap() -> None:
    values = np.array([1.0, np.inf, 3.0, -np.inf, np.nan, np.inf, 9.0, np.inf])
    found = fill(values, 1)
    np.testing.assert_array_equal(found.values, [1, 2, 3, np.nan, np.nan, np.nan, 9, np.nan])
    np.testing.assert_array_equal(found.filled, np.arange(8) == 1)
    assert not fill(values, 1, curve=values).filled.any()


def test_filling_leaves_the_series_and_its_type() -> None:
    values = np.array([np.nan, 1, np.nan, 2, np.nan, np.nan, 5, np.nan], np.float32)
    found = fill(values, 1, threads=2)
    np.testing.assert_array_equal(found.values, np.array([np.nan, 1, 1.5, 2, np.nan, np.nan, 5, np.nan], np.float32))
    np.testing.assert_array_equal(found.filled, np.arange(8) == 2)
    assert found.values.dtype == np.float32 and np.isnan(values[2])


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (lambda v: whittaker(v, 0.0), "Lambda must be above 0"),
        (lambda v: whittaker(v, 1.1e9), "at most 1e.09 times the largest weight"),
        (lambda v: whittaker(v, np.array([1.0, np.nan, np.inf])), "and is inf times"),
        (lambda v: whittaker(v, 1.0, weights=v * [1, 0, 1e-10]), "and is 1e.10 times"),
        (lambda v: v_curve(v, lambdas=(1.0, 1e10)), "straight line"),
        (lambda v: whittaker(v, np.ones(2)), r"each pixel \(3,\), not \(2,\)"),
        (lambda v: whittaker(v, 1.0, weights=v * np.inf), "not infinite"),
        (lambda v: whittaker(v, 1.0, p=1.0), "p lies between 0 and 1"),
        (lambda v: whittaker(v, 1.0, minimum=1), "Two observations"),
        (lambda v: whittaker(v[:2], 1.0), "three steps"),
        (lambda v: whittaker((v * 100).astype("i2"), 1.0), "not int16"),
        (lambda v: whittaker(v, 1.0, weights=-v), "Weights are not negative"),
        (lambda v: whittaker(v, 1.0, weights=v[:, :2]), "shape of the series"),
        (lambda v: v_curve(v, lambdas=(1.0, 1.0)), "rising lambdas"),
        (lambda v: fill(v, 0), "1 step or more"),
        (lambda v: fill(v, 1, curve=v[1:]), "shape of the series"),
    ],
)
def test_what_cannot_be_is_refused(call, said: str) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(InputError, match=said):
        call(np.ones((5, 3)))
