"""Straight lines and copies of few values, and areas that only wander, are told from what chance would show."""

from dataclasses import replace

import numpy as np
import pytest

from geomon.departures.compare import compare
from geomon.departures.records import Panel
from geomon.departures.straight import shared, straight_pairs

YEARS = np.arange(2001.0, 2021.0)


def panel(areas=6, noise=0.3, seed=1):
    """Areas ten apart that scatter by 0.6 points on both sides; the tolerance is 2 points."""
    rng = np.random.default_rng(seed)
    truth = 10.0 * np.arange(1, areas + 1)[:, None] - 0.1 * (YEARS - 2001) + 0.3 * rng.standard_normal((areas, 20))
    return Panel(
        areas=tuple(f"a{i}" for i in range(areas)),
        parents=("",) * areas,
        years=YEARS,
        satellite=truth,
        official=np.round(truth + 2 * noise * rng.standard_normal((areas, 20)), 2),
        tolerance=2.0,
    )


def test_a_line_goes_through_rounded_values_or_it_does_not():
    years = np.arange(5.0)
    on, off = [0.0, 0.0, 1.0, 1.0, 1.0], [0.0, 0.0, 2.0, 0.0, 1.0]  # slope 0.3 or so, and none
    fits = straight_pairs(np.array([on, off]), np.ones((2, 5)), years)
    assert fits[0, 0, 4]
    assert not fits[1, 0, 4]
    assert fits[1, 0, 2]


def test_a_missing_year_does_not_break_a_line():
    years = np.arange(5.0)
    fits = straight_pairs(
        np.array([[0.0, 0.7, np.nan, 2.1, 2.8], [0.0, 0.7, np.nan, 2.2, 2.8]]), np.full((2, 5), 0.01), years
    )
    assert fits[:, 0, 4].tolist() == [True, False]


def test_one_district_between_three_known_years_is_told_with_gaps():
    whole = panel()
    official = whole.official.copy()
    official[2] = np.round(np.interp(np.arange(20), [4, 9, 14], official[2, [4, 9, 14]]), 2)
    official[2, :4], official[2, 15:] = whole.official[2, :4], whole.official[2, 15:]
    official[2, 6] = np.nan
    told = compare(replace(whole, official=official)).reasons
    found = next(r for r in told if r.name == "interpolated")
    assert (found.scope, found.areas, found.since, found.until) == ("area", (2,), 2005, 2015)
    assert found.evidence["knots"] == 3


@pytest.mark.parametrize("seed", range(8))
def test_a_smooth_country_in_whole_numbers_is_no_line(seed):
    bent = 40 + 30 * np.tanh((YEARS - 2006) / 9) + 3.3 * np.arange(16)[:, None]
    official = np.round(bent + np.random.default_rng(seed).normal(0, 0.3, bent.shape))
    told = compare(replace(panel(areas=16), satellite=bent, official=official)).reasons
    assert "interpolated" not in [r.name for r in told]


def test_all_lines_of_an_interpolated_country_fit_and_few_of_another():
    years = np.arange(11.0)
    knots = np.random.default_rng(5).normal(50, 5, (6, 3))
    lines = np.array([np.interp(years, [0, 5, 10], row) for row in knots]).round(1)
    rough = (lines + np.random.default_rng(6).normal(0, 1, lines.shape)).round(1)
    every = np.ones(lines.shape, bool)
    step = np.full(lines.shape, 0.1)
    assert shared(straight_pairs(lines, step, years), every) == 1
    assert shared(straight_pairs(rough, step, years), every) < 0.985


def test_a_copy_is_told_where_two_values_in_five_are_missing():
    whole = panel(areas=5)
    official = whole.official.copy()
    official[:, 13] = official[:, 12]
    official[:2, 13] = np.nan
    told = compare(replace(whole, official=official)).reasons
    assert [(r.name, r.since, r.evidence["of"]) for r in told] == [("copied", 2014, 3)]


@pytest.mark.parametrize(("kind", "said"), [("wanders", False), ("steps", True)])
def test_an_area_that_wanders_has_no_break(kind, said):
    whole = panel(areas=8)
    path = np.array([0, 1, 2, 3, 4, 5, 5, 4, 3, 2, 1, 0, -2, -3, -4, -3, -2, -1, 0, 1]) / 1.0
    step = np.where(YEARS >= 2011, -4.0, 0.0)
    official = whole.official.copy()
    official[3] += path if kind == "wanders" else step
    told = compare(replace(whole, official=official)).reasons
    assert (("break", (3,)) in [(r.name, r.areas) for r in told]) == said
