"""The components of an interval hold what they say, with numbers that can be checked by eye."""

import numpy as np
import pandas as pd
import pytest

from geomon.scatter import noise, products, scatter
from geomon.series import INTERVALS, tidy
from geomon.stats.accuracy import stratified
from geomon.uncertainty import Sample, choose, ratio
from tests.planted.intervals import coverage

COUNTS = np.array([[80.0, 15.0, 5.0], [10.0, 85.0, 5.0], [0.0, 10.0, 90.0]])
AREAS = np.array([[30.0, 0.0], [50.0, 10.0], [20.0, 0.0]])
FIRST, LAND, ALL = np.array([1.0, 0.0, 0.0]), np.array([1.0, 1.0, 0.0]), np.ones(3)


def rows(values: list[float], first: int = 2000, **facts: object) -> pd.DataFrame:
    """A yearly series of one area."""
    return tidy(
        [
            {"series": "share", "ref_area": "X", "time_period": str(first + n), "obs_value": v, **facts}
            for n, v in enumerate(values)
        ]
    )


def test_a_share_of_all_ground_is_that_of_the_stratified_estimator() -> None:
    """0.3 x 0.8 + 0.5 x 0.1; the place with only the second class has a tenth."""
    got = ratio(COUNTS, AREAS, FIRST, ALL)
    np.testing.assert_allclose(got.value, [0.29, 0.1])
    whole = stratified(COUNTS.astype(int), AREAS[:, 0])
    assert got.se[0] == pytest.approx(whole.share.se[0])
    alone = stratified(np.array([[80, 20], [10, 190]]), np.array([30.0, 70.0]))
    merged = ratio(np.array([[80.0, 20.0], [10.0, 190.0]]), np.array([[30.0], [70.0]]), FIRST[:2], ALL[:2])
    for one, other in ((merged.lower, alone.share.lower), (merged.upper, alone.share.upper)):
        assert one[0] == pytest.approx(other[0])


def test_a_share_of_land_divides_one_estimate_by_another() -> None:
    """Land is 0.3 x 0.95 + 0.5 x 0.95 + 0.2 x 0.1."""
    got = ratio(COUNTS, AREAS, FIRST, LAND)
    assert got.value[0] == pytest.approx(0.29 / 0.78)
    assert got.lower[0] < got.value[0] < got.upper[0]


def test_the_error_of_a_ratio_is_that_of_samples_drawn_again() -> None:
    """The delta method beside 4,000 samples of the same map."""
    rng = np.random.default_rng(20261123)
    truth = COUNTS / COUNTS.sum(axis=1, keepdims=True)
    drawn = [
        ratio(np.array([rng.multinomial(100, p) for p in truth], float), AREAS[:, :1], FIRST, LAND).value[0]
        for _ in range(4_000)
    ]
    assert ratio(COUNTS, AREAS, FIRST, LAND).se[0] == pytest.approx(np.std(drawn), rel=0.05)


def test_a_sample_without_an_error_leaves_an_interval() -> None:
    got = ratio(np.diag([50.0, 50.0, 50.0]), AREAS, FIRST, LAND)
    assert got.se[0] == 0 and got.lower[0] < 0.375 < got.upper[0]


@pytest.mark.parametrize(
    ("sample", "zone", "expected"),
    [
        ({"ref_area": "X", "period": "2020"}, "X", "confusion"),
        ({"ref_area": "X", "period": "2020"}, "A", "model"),
        ({"ref_area": "A", "period": "2020"}, "X", None),
        ({"ref_area": "X", "period": "2019/2021"}, "X", "model"),
        ({"ref_area": "X", "period": "2019"}, "X", None),
        ({"ref_area": "X", "period": "2020-01/2020-12"}, "X", "confusion"),
        ({"ref_area": "X"}, "X", "model"),
        ({}, "A", "model"),
    ],
)
def test_a_sample_speaks_of_its_area_and_period(sample: dict[str, str], zone: str, expected: str | None) -> None:
    """Of two periods; with a single one, a sample that does not say its own is of that."""
    one = Sample(rows=(), columns=(), counts=(), **sample)
    found = choose([one], zone, "2020", {"X": "", "A": "X"}, alone=False)
    assert (found[1] if found else None) == expected


def test_the_nearest_sample_speaks() -> None:
    samples = [Sample(rows=(), columns=(), counts=(), ref_area=code) for code in ("", "X", "A")]
    line = {"X": "", "A": "X", "B": "X"}
    found = [choose(samples, zone, "2020", line, alone=True) for zone in ("A", "B", "X", "Y")]
    assert found == [(2, "confusion"), (1, "model"), (1, "confusion"), (0, "model")]


def test_intervals_hold_as_often_as_they_say() -> None:
    """A few of the cases that are run by the thousand: 99.9 % of such samples lie in these limits."""
    found = coverage(60)
    assert found["interval_coverage"][0] >= 0.85 and found["composed_hold"][0] >= 0.9
    assert found["bounds_hold"][0] == 1


# ---- noise


def test_a_straight_course_has_no_noise_and_a_zigzag_has() -> None:
    """Values 1 off to either side lie 2 off the line through their neighbours: 2 / sqrt(1.5) each."""
    times = np.arange(8.0)
    assert scatter(3 * times, times) == pytest.approx(0, abs=1e-12)
    assert scatter(np.array([1.0, -1.0] * 4), times) == pytest.approx(1.4826 * 2 / np.sqrt(1.5))


def test_noise_knows_uneven_steps() -> None:
    times = np.array([0.0, 1.0, 3.0, 4.0, 8.0, 9.0, 10.0, 14.0])
    assert scatter(5 * times, times) == pytest.approx(0, abs=1e-12)


def test_one_wild_year_is_not_the_noise_of_all() -> None:
    values = np.tile([1.0, -1.0], 8)
    wild = values.copy()
    wild[7] = 1_000.0
    times = np.arange(16.0)
    assert scatter(wild, times) < 1.5 * scatter(values, times)


def test_noise_needs_eight_periods_on_one_side_of_a_break() -> None:
    values = [1.0, -1.0] * 8
    assert noise(rows(values[:7]), ()) == []
    assert len(noise(rows(values), ())) == 16
    broken = noise(rows(values), [("2008-01-01", "a new sensor")])
    assert len(broken) == 16 and {r["basis"] for r in broken} == {r["basis"] for r in noise(rows(values[:8]), ())}
    assert len(noise(rows(values), [("2007-01-01", "a new sensor")])) == 9
    step = noise(rows([0.0] * 8 + [50.0] * 8), [("2008-01-01", "a new sensor")])
    assert {(r["upper"], r["lower"]) for r in step} == {(0.0, 0.0), (50.0, 50.0)}


def test_noise_is_of_published_values_and_stands_around_them() -> None:
    values = rows([1.0, -1.0] * 5)
    values.loc[9, ["obs_value", "obs_status"]] = [np.nan, "too little was seen"]
    found = tidy(noise(values, ()), INTERVALS)
    assert list(found.time_period) == [str(y) for y in range(2000, 2009)]
    np.testing.assert_allclose((found.lower + found.upper) / 2, values.obs_value[:9])
    assert (found.level == 0.95).all()


def test_normal_scatter_lies_within_the_noise_as_often_as_it_says() -> None:
    rng = np.random.default_rng(20261123)
    inside = []
    for _ in range(300):
        values = np.linspace(0, 30, 12) + rng.normal(size=12)
        half = noise(rows(list(values)), ())[0]
        width = (float(half["upper"]) - float(half["lower"])) / 2  # type: ignore[arg-type]
        inside.append(abs(rng.normal()) <= width)
    assert np.mean(inside) >= 0.92


# ---- products


def test_products_lie_as_far_apart_as_the_lowest_and_the_highest() -> None:
    own, low, high = rows([40.0, 41.0]), rows([30.0, np.nan]), rows([44.0, 40.0])
    found = tidy(products(own, {"b": low, "a": high}), INTERVALS).set_index("time_period")
    assert (found.lower["2000"], found.upper["2000"]) == (30, 44)
    assert (found.lower["2001"], found.upper["2001"]) == (40, 41)
    assert "a, b" in found.basis["2000"] and "no accuracy" in found.basis["2000"]
    assert np.isnan(found.level).all()


def test_products_of_another_area_or_unit_are_not_compared() -> None:
    own = rows([40.0], unit_measure="percent")
    assert products(own, {"a": rows([4.0], unit_measure="km2")}) == []
    assert products(own, {}) == []
