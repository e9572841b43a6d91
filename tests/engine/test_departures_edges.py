"""Panels with little or nothing in them: no error, no warning, no word that the numbers do not carry."""

import numpy as np
import pytest

from geomon.departures.compare import compare
from geomon.departures.records import Panel


def panel(satellite, official, **more):
    n, length = satellite.shape
    known = {"tolerance": 2.0, "parents": tuple(f"p{i % 4}" for i in range(n))} | more
    years = 2000.0 + np.arange(length)
    areas = tuple(str(i) for i in range(n))
    return Panel(areas=areas, years=years, satellite=satellite, official=official, **known)


def near(n, length, seed=0):
    rng = np.random.default_rng(seed)
    truth = 30 + 20 * rng.random((n, 1)) + 0.3 * rng.standard_normal((n, length))
    return truth, truth + 0.5 * rng.standard_normal((n, length))


@pytest.mark.parametrize("n", [1, 2, 3, 5, 24, 60])
@pytest.mark.parametrize("length", [1, 2, 3, 7, 8, 12, 30])
@pytest.mark.parametrize("relative", [False, True])
def test_any_shape_is_compared(n, length, relative):
    sat, off = near(n, length)
    kind = {"relative": relative, "tolerance": 0.05 if relative else 2.0}
    hollow = np.where(np.arange(length) % 3 == 1, np.nan, off)
    for official in (off, sat.copy(), hollow, np.full_like(off, np.nan)):
        for proxy in (False, True):
            seen = compare(panel(sat, official, proxy=proxy, **kind))
            assert seen.first is None
            assert len(seen.districts) == n
            assert np.isfinite(seen.nation.value) == (np.isfinite(official).any(0).sum() >= 3)


@pytest.mark.parametrize("relative", [False, True])
def test_constant_series_and_zeros_are_compared(relative):
    kind = {"relative": relative, "tolerance": 0.05 if relative else 2.0}
    for value in (0.0, 7.0):
        same = np.full((6, 15), value)
        assert compare(panel(same, same.copy(), **kind)).reasons == ()
    sat, off = near(6, 15)
    sat[0] = off[0] = 0.0
    seen = compare(panel(sat, off, **kind))
    assert seen.first is None
    assert (seen.districts[0] is None) == relative  # a zero has no logarithm


def test_the_only_area_is_the_nation():
    sat, off = near(1, 20)
    found = compare(panel(sat + 8, off)).first
    assert (found.name, found.scope, found.areas) == ("level", "nation", (0,))
    blind = compare(panel(sat, off)).cannot_tell
    assert {blind[name] for name in ("swap", "boundary", "copied")} == {"single area"}


def test_few_years_show_a_unit_but_no_shape():
    sat, off = near(6, 5)
    kind = {"relative": True, "tolerance": 0.05}
    seen = compare(panel(sat, off * 1000, **kind))
    assert [r.name for r in seen.reasons] == ["unit"]
    assert seen.cannot_tell["break"] == "years"
    assert seen.years == 5
    assert compare(panel(sat, off * 1.5, **kind)).reasons == ()


def test_weights_move_the_mean_of_the_nation():
    sat, off = near(2, 20)
    sat[0] += 4
    heavy = compare(panel(sat, off, weights=np.array([3.0, 1.0])))
    equal = compare(panel(sat, off))
    assert equal.nation.value == pytest.approx(1.0, abs=0.15)
    assert heavy.nation.value == pytest.approx(1.5, abs=0.15)


def test_equal_series_are_shown_to_be_equal():
    sat, off = near(24, 20)
    assert compare(panel(sat, off)).nation.p_equal < 0.001
    assert compare(panel(sat + 4, off)).nation.p_equal > 0.999


def test_years_apart_count_as_they_lie():
    sat, off = near(6, 12)
    years = np.array([2000, 2001, 2002, 2003, 2004, 2005, 2010, 2011, 2012, 2018, 2019, 2020.0])
    found = compare(
        Panel(
            areas=tuple("abcdef"),
            parents=("",) * 6,
            years=years,
            satellite=sat + 2 * 2 * (years - 2000) / 10,
            official=off,
            tolerance=2.0,
        )
    ).first
    assert found.name == "trend"
    assert found.lower < 2 < found.upper
