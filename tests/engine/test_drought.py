"""SPI is what scipy's distributions give; anomalies are beside the climate of their own season."""

import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import optimize, special, stats

from geomon.errors import InputError
from geomon.stats import drought
from geomon.stats.drought import (
    Gamma,
    accumulate,
    anomaly,
    climatology,
    condition,
    dekads,
    fit_gamma,
    months,
    spi,
    unccd_class,
)
from geomon.stats.smoothing import Series


@pytest.fixture(scope="session")
def vectors(shared_data: Path) -> dict[str, Any]:
    found = json.loads((shared_data.parent / "methods" / "test_vectors.json").read_text())["vectors"]
    return {v["name"]: v for v in found}


def rain(seed: int, years: int, seasons: int = 3, pixels: int = 4, dry: float = 0.15, holes: float = 0.02) -> Series:
    """Amounts of the seasons of some years: some zero, some missing, of very different shapes."""
    rng = np.random.default_rng(seed)
    shape = 10 ** rng.uniform(-0.7, 2.5, (seasons, pixels))
    amounts = rng.gamma(np.tile(shape, (years, 1)), 20.0)
    amounts[rng.random(amounts.shape) < dry] = 0
    amounts[rng.random(amounts.shape) < holes] = np.nan
    return amounts


def reference(amounts: Series, known: Series, ml: bool, centre: bool, wet: int) -> Series:
    """SPI of one season and pixel, slowly: `known` are the amounts of the calibration."""
    known = known[np.isfinite(known)]
    above, n = known[known > 0], len(known)
    q = (n - len(above)) / max(n, 1)
    if len(above) < wet or q > 0.9:
        return np.full_like(amounts, np.nan)
    s = math.log(above.mean()) - np.log(above).mean()
    if s < 1e-6:
        return np.full_like(amounts, np.nan)
    k = (1 + math.sqrt(1 + 4 * s / 3)) / (4 * s)
    if ml:
        k = optimize.brentq(lambda k: math.log(k) - special.digamma(k) - s, 1e-4, 1e7, xtol=1e-13, rtol=1e-14)
    low, high = stats.gamma.cdf(amounts, k, scale=above.mean() / k), stats.gamma.sf(amounts, k, scale=above.mean() / k)
    low, high = q + (1 - q) * low, (1 - q) * high
    dry = (n - len(above) + 1) / (2 * (n + 1)) if centre and q > 0 else q
    z = np.where(low < 0.5, stats.norm.ppf(low), stats.norm.isf(high))
    z = np.where(amounts == 0, stats.norm.ppf(dry), z)
    return np.clip(z, -8.21, 8.21)


@pytest.mark.parametrize("estimator", ["ml", "thom"])
def test_the_vector_of_spi(vectors: dict[str, Any], estimator: Any) -> None:
    vector = vectors["drought.spi_gamma_zero_inflated"]
    given, expected, within = vector["inputs"], vector["expected"], vector["tolerance"]
    calibration = np.array(given["precip_mm_calibration"], float)
    gamma = fit_gamma(calibration, np.zeros(30, int), estimator=estimator)
    assert float(gamma.shape[0]) == pytest.approx(expected[f"shape_{estimator}"], abs=within)
    assert float(gamma.scale[0]) == pytest.approx(expected[f"scale_{estimator}"], abs=within)
    assert gamma.zeros[0] / gamma.n[0] == pytest.approx(expected["p_zero"], abs=within)
    new = np.array(given["evaluate"], float)
    found = spi(new, np.zeros(6, int), gamma, zero="upper")
    np.testing.assert_allclose(found, expected[f"spi_{estimator}"], atol=within, rtol=0)
    centred = spi(new, np.zeros(6, int), gamma)
    assert centred[0] == pytest.approx(expected["spi_of_zero_weibull_centre"], abs=within)
    np.testing.assert_array_equal(centred[1:], found[1:])


def test_the_vectors_of_classes_and_exposure(vectors: dict[str, Any]) -> None:
    vector = vectors["drought.unccd_class"]
    index = np.array(vector["inputs"]["spi"])
    np.testing.assert_array_equal(unccd_class(index), vector["expected"]["unccd_code"])
    np.testing.assert_array_equal(unccd_class(np.array([-0.995, np.nan], "f4")), np.array([1, np.nan], "f4"))
    vector = vectors["drought.so3_1_so3_2"]
    code = unccd_class(np.array(vector["inputs"]["spi12"]))
    area, people = (np.array(vector["inputs"][k]) / sum(vector["inputs"][k]) * 100 for k in ("area_km2", "pop"))
    expected = vector["expected"]
    found = [area[code == c].sum() for c in (1, 2, 3, 4)]
    np.testing.assert_allclose(found, list(expected["pct_area_by_class"].values()), atol=vector["tolerance"])
    assert area[code > 0].sum() == pytest.approx(expected["pct_land_under_drought"], abs=vector["tolerance"])
    assert people[code > 0].sum() == pytest.approx(expected["pct_pop_exposed"], abs=vector["tolerance"])


def test_the_vectors_of_crops_and_of_deviation(vectors: dict[str, Any]) -> None:
    vector = vectors["crop.vci_tci_vhi"]
    v, expected = vector["inputs"], vector["expected"]
    one = np.zeros(1, int)

    def between(low: float, high: float) -> Any:
        return climatology(np.array([low, high], float), np.zeros(2, int), minimum=2)

    vci = condition(np.array([v["ndvi"]]), one, between(v["ndvi_min"], v["ndvi_max"]))[0]
    tci = condition(np.array([float(v["bt_K"])]), one, between(v["bt_min"], v["bt_max"]), inverted=True)[0]
    found = [vci, tci, v["w"] * vci + (1 - v["w"]) * tci]
    np.testing.assert_allclose(found, [expected[k] for k in ("VCI", "TCI", "VHI")], atol=vector["tolerance"])
    vector = vectors["14.1.1a.deviation"]
    base = vector["inputs"]["baseline_month_mean_2000_2004"]
    climate = climatology(np.full(5, base), np.zeros(5, int), minimum=3)
    found = anomaly(np.array([vector["inputs"]["chl_month"]]), one, climate, "relative")
    np.testing.assert_allclose(found, vector["expected"]["deviation_pct"], atol=vector["tolerance"])


@settings(max_examples=60)
@given(
    seed=st.integers(0, 9999),
    dry=st.sampled_from([0.0, 0.15, 0.6, 0.95]),
    ml=st.booleans(),
    centre=st.booleans(),
    part=st.booleans(),
)
def test_spi_is_that_of_scipy(seed: int, dry: float, ml: bool, centre: bool, part: bool) -> None:
    years, seasons, pixels = 25, 3, 4
    amounts = rain(seed, years, dry=dry)
    season = np.tile(np.arange(seasons), years)
    marked = np.arange(years * seasons) < 20 * seasons if part else np.ones(years * seasons, bool)
    gamma = fit_gamma(amounts, season, calibration=marked, years=20, wet=2, estimator="ml" if ml else "thom")
    found = spi(amounts, season, gamma, zero="centre" if centre else "upper")
    for s in range(seasons):
        for k in range(pixels):
            of = season == s
            expected = reference(amounts[of, k], amounts[of & marked, k], ml, centre, 2)
            np.testing.assert_allclose(found[of, k], expected, atol=1e-7, rtol=1e-7)


def test_incomplete_gamma_functions_to_twelve_digits() -> None:
    rng = np.random.default_rng(2)
    a = 10 ** rng.uniform(-2, 4.5, 3000)
    x = np.where(rng.random(3000) < 0.8, a + np.sqrt(a) * rng.normal(0, 3, 3000), a * rng.uniform(0, 20, 3000))
    x = np.maximum(x, a * 1e-3)
    found = np.empty((2, 3000))
    for i in range(3000):
        sums, terms, density = np.zeros((3, 1))
        far = a[i] + 10 * math.sqrt(a[i]) + 50
        drought.series(a[i], np.minimum(x[i : i + 1], far), sums, terms)
        drought.densities(a[i], x[i : i + 1], density)
        found[:, i] = drought.tails(a[i], x[i], density[0], sums[0], far)
    np.testing.assert_allclose(found[0], special.gammainc(a, x), rtol=0, atol=1e-12)
    above = special.gammaincc(a, x)
    some = above > 1e-250
    np.testing.assert_allclose(found[1][some], above[some], rtol=1e-10, atol=0)


def test_normal_quantiles_to_fifteen_digits() -> None:
    p = np.concatenate([10 ** -np.linspace(0.01, 290, 999), np.linspace(0.001, 0.499, 999)])
    low, high, places = np.empty_like(p), np.empty_like(p), np.zeros(len(p), int)
    drought.normal_quantiles(p, 1 - p, places, low)
    drought.normal_quantiles(1 - p, p, places, high)
    np.testing.assert_allclose(low, special.ndtri(p), rtol=2e-15, atol=1e-16)
    np.testing.assert_allclose(high, -low, rtol=1e-13, atol=1e-16)


def test_outside_the_calibration_nothing_is_learned() -> None:
    """Neither the share of zeros nor the distribution: later years do not change the index of earlier ones."""
    season, amounts = np.zeros(60, int), rain(1, 60, seasons=1)
    marked = np.arange(60) < 30
    found = spi(amounts, season, fit_gamma(amounts, season, calibration=marked, wet=10))
    alone = spi(amounts[:30], season[:30], fit_gamma(amounts[:30], season[:30], wet=10))
    np.testing.assert_array_equal(found[:30], alone)
    amounts[30:] = 0.0
    np.testing.assert_array_equal(
        spi(amounts, season, fit_gamma(amounts, season, calibration=marked, wet=10))[:30], alone
    )


def test_dry_constant_and_unseen_pixels_say_why_they_have_none() -> None:
    amounts = np.tile([0.0, 12.3, np.nan, 1e-30], (30, 1))
    amounts[:, 3] *= np.random.default_rng(0).gamma(2, 1, 30)
    gamma = fit_gamma(amounts, np.zeros(30, int))
    np.testing.assert_array_equal(np.isnan(gamma.shape[0]), [True, True, True, False])
    np.testing.assert_array_equal(gamma.zeros[0], [30, 0, 0, 0])
    np.testing.assert_array_equal(gamma.n[0], [30, 30, 0, 30])
    assert np.isnan(spi(amounts, np.zeros(30, int), gamma)[:, :3]).all()


def test_what_never_was_is_at_the_limit() -> None:
    gamma = Gamma(shape=np.array([2.0]), scale=np.array([10.0]), zeros=np.array([0.0]), n=np.array([30.0]))
    far = np.array([0.0, 1e-300, 1e7, 1e300, np.inf, np.nan])
    found = spi(far, np.zeros(6, int), gamma, zero="upper", limit=3.0)
    np.testing.assert_array_equal(found, [-3, -3, 3, 3, np.nan, np.nan])


@pytest.mark.parametrize("zero", ["centre", "upper"])
@pytest.mark.parametrize("zeros", [0, 1, 2, 15])
def test_no_rain_is_drier_than_any(zeros: int, zero: Any) -> None:
    gamma = Gamma(shape=np.array([2.0]), scale=np.array([10.0]), zeros=np.array([float(zeros)]), n=np.array([30.0]))
    found = spi(np.array([0.0, 1e-3, 0.1, 10.0]), np.zeros(4, int), gamma, zero=zero)
    assert (np.diff(found) > 0).all()


def test_infinity_is_not_in_the_climate() -> None:
    season, values = np.zeros(12, int), np.arange(12.0)
    values[[3, 7]] = np.inf, -np.inf
    climate = climatology(values, season)
    assert (climate.lowest[0], climate.highest[0], climate.n[0]) == (0, 11, 10)
    assert condition(values, season, climate)[11] == pytest.approx(100)


def test_threads_shape_and_type() -> None:
    amounts, season = rain(4, 40, pixels=101).astype("f4").reshape(120, 1, 101), np.tile(np.arange(3), 40)
    gamma = fit_gamma(amounts, season, threads=3)
    assert gamma.shape.shape == (3, 1, 101)
    found = spi(amounts, season, gamma)
    assert found.shape == amounts.shape and found.dtype == np.float32
    np.testing.assert_array_equal(found, spi(amounts, season, fit_gamma(amounts, season), threads=2))
    order = np.random.default_rng(0).permutation(120)
    shuffled = spi(amounts[order], season[order], gamma)
    np.testing.assert_array_equal(shuffled, found[order])


@settings(max_examples=40)
@given(seed=st.integers(0, 999), steps=st.integers(1, 14), float32=st.booleans())
def test_accumulations_are_sums_of_whole_windows(seed: int, steps: int, float32: bool) -> None:
    amounts = rain(seed, 4, dry=0.5).astype("f4" if float32 else "f8")
    found = accumulate(amounts, steps)
    assert found.dtype == amounts.dtype
    for t in range(len(amounts)):
        window = amounts[max(t - steps + 1, 0) : t + 1].astype(float)
        expected = window.sum(axis=0) if t >= steps - 1 else np.full(4, np.nan)
        np.testing.assert_allclose(found[t], expected, rtol=1e-6 if float32 else 1e-14)


def test_no_rain_after_a_flood_is_exactly_none() -> None:
    amounts = np.concatenate([[0.1, 1e9, 0.3], np.zeros(6)])
    np.testing.assert_array_equal(accumulate(amounts, 3)[5:], 0)


def test_the_calendar() -> None:
    days = np.array(["1999-12-31", "2000-01-10", "2000-01-11", "2000-02-20", "2000-02-21", "1961-03-05"], "M8[D]")
    np.testing.assert_array_equal(months(days), [11, 0, 0, 1, 1, 2])
    np.testing.assert_array_equal(dekads(days.astype("M8[ns]")), [35, 0, 1, 4, 5, 6])


@pytest.mark.parametrize("calendar", [months, dekads])
def test_a_time_that_is_none_has_no_season(calendar: Any) -> None:
    with pytest.raises(InputError, match="1 of 2 times"):
        calendar(np.array(["NaT", "2000-01-01"], "M8[D]"))


@settings(max_examples=40)
@given(seed=st.integers(0, 999), minimum=st.integers(1, 12))
def test_a_climate_is_that_of_each_season(seed: int, minimum: int) -> None:
    values, season = rain(seed, 12, holes=0.4) - 5, np.tile(np.arange(3), 12)
    marked = np.random.default_rng(seed).random(36) < 0.9
    found = climatology(values, season, calibration=marked, minimum=minimum)
    kinds = {k: anomaly(values, season, found, k) for k in ("absolute", "relative", "of normal", "standardized")}  # type: ignore[arg-type]
    vci = condition(values, season, found)
    for s in range(3):
        for k in range(4):
            x, own = values[season == s, k], values[(season == s) & marked, k]
            own = own[np.isfinite(own)]
            assert found.n[s, k] == len(own)
            enough = len(own) >= minimum
            mean = own.mean() if enough else np.nan
            deviation = own.std(ddof=1) if enough and len(own) > 1 else np.nan
            low, high = (own.min(), own.max()) if enough else (np.nan, np.nan)
            expected = {
                "absolute": x - mean,
                "relative": (x - mean) / (mean if mean > 0 else np.nan) * 100,
                "of normal": x / (mean if mean > 0 else np.nan) * 100,
                "standardized": (x - mean) / (deviation if deviation > 0 else np.nan),
            }
            for kind, values_ in expected.items():
                np.testing.assert_allclose(kinds[kind][season == s, k], values_, rtol=1e-9, atol=1e-9)
            width = high - low if high - low >= 0.05 else np.nan
            np.testing.assert_allclose(vci[season == s, k], (x - low) / width * 100, rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (lambda v, s: fit_gamma(v, s), "20 times of one season, and 30"),
        (lambda v, s: fit_gamma(v, s[1:], years=20), "one for each of 20 times"),
        (lambda v, s: fit_gamma(v, s, years=20, calibration=s == 1), "marks some"),
        (lambda v, s: fit_gamma(np.where(v > 5, -9999.0, v), s, years=20), "-9999.0: is it a code"),
        (lambda v, s: accumulate(-v, 2), "is it a code"),
        (lambda v, s: fit_gamma(v, s, years=20, estimator="mle"), "'ml' or 'thom'"),
        (lambda v, s: spi(v, s + 1, fit_gamma(v, s, years=20)), "do not fit"),
        (lambda v, s: spi(v, s, fit_gamma(v, s, years=20), zero="lower"), "'centre' or the 'upper'"),
        (lambda v, s: accumulate(v, 0), "1 step or more"),
        (lambda v, s: anomaly(v, s, climatology(v, s), "percent"), "An anomaly is"),
        (lambda v, s: anomaly(v[:, 0], s, climatology(v, s)), "does not fit"),
    ],
)
def test_what_cannot_be_is_refused(call, said: str) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(InputError, match=said):
        call(np.random.default_rng(0).gamma(2, 10, (20, 2)), np.zeros(20, int))
