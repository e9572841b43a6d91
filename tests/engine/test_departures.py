"""What is planted in a small panel is named first, with its place, year and size; honest panels are left in peace."""

from dataclasses import replace

import numpy as np
import pytest

from geomon.departures.compare import compare
from geomon.departures.records import Panel, Reason, Version
from geomon.errors import InputError

YEARS = np.arange(2001.0, 2021.0)
EVERY = (0, 1, 2, 3, 4, 5)
NORTH = (0, 1, 2)


def pair(relative=False, seed=1, noise=0.3):
    """Six areas in two provinces over twenty years, one unit of noise apart; tolerance 2 points, or 5 %."""
    rng = np.random.default_rng(seed)
    height = np.array([20.0, 28.0, 36.0, 44.0, 52.0, 60.0])[:, None]
    truth = height - 0.1 * (YEARS - 2001) + 0.3 * rng.standard_normal((6, 20))
    scatter = 2 * noise * rng.standard_normal((6, 20))
    official = np.round(truth * np.exp(0.025 * scatter) if relative else truth + scatter, 2)
    return Panel(
        areas=("a", "b", "c", "d", "e", "f"),
        parents=("north", "north", "north", "south", "south", "south"),
        years=YEARS,
        satellite=truth,
        official=official,
        tolerance=0.05 if relative else 2.0,
        relative=relative,
    )


def moved(panel, areas=EVERY, since=2001, by=0.0, until=2020):
    """The panel with so many tolerances added to the official values."""
    official = panel.official.copy()
    where = np.ix_(areas, (panel.years >= since) & (panel.years <= until))
    official[where] = official[where] * 1.05**by if panel.relative else official[where] + 2 * by
    return replace(panel, official=official)


def first(panel) -> Reason:
    found = compare(panel).first
    assert found is not None
    return found


@pytest.mark.parametrize("seed", range(12))
@pytest.mark.parametrize("relative", [False, True])
def test_honest_series_are_left_in_peace(seed, relative):
    assert compare(pair(relative, seed)).reasons == ()


@pytest.mark.parametrize(("scope", "areas"), [("nation", EVERY), ("province", NORTH), ("area", (4,))])
def test_a_level_is_satellite_minus_official(scope, areas):
    found = first(moved(pair(), areas, by=-3))
    assert (found.name, found.scope, found.areas) == ("level", scope, areas)
    assert found.lower < 3 < found.upper


def test_a_level_of_the_nation_always_comes_with_its_twin():
    found = compare(moved(pair(relative=True), by=2)).reasons
    assert [r.name for r in found][:2] == ["level", "definition"]
    assert found[0].twins[0] == "definition"
    assert found[1].twins[0] == "level"


def test_a_declared_definition_goes_before_a_level():
    panel = moved(pair(relative=True), by=2)
    assert first(replace(panel, definition="trees outside forest")).name == "definition"


def test_what_grows_with_the_height_is_a_definition():
    panel = pair()
    found = first(replace(panel, official=panel.official * 1.2))
    assert found.name == "definition"
    assert found.effect < 0


@pytest.mark.parametrize(("scope", "areas"), [("nation", EVERY), ("province", NORTH), ("area", (4,))])
def test_a_drift_is_told_by_the_decade(scope, areas):
    panel = pair()
    official = panel.official.copy()
    official[list(areas)] -= 2 * 2 * (YEARS - 2001) / 10
    found = first(replace(panel, official=official))
    assert (found.name, found.scope, found.areas) == ("trend", scope, areas)
    assert found.lower < 2 < found.upper


@pytest.mark.parametrize(("scope", "areas"), [("nation", EVERY), ("province", NORTH), ("area", (4,))])
def test_a_break_is_told_with_its_year(scope, areas):
    found = first(moved(pair(), areas, since=2012, by=3))
    assert (found.name, found.scope, found.areas, found.since) == ("break", scope, areas, 2012)
    assert found.lower < -3 < found.upper


def test_the_side_that_jumped_is_told_and_the_other_is_its_twin():
    panel = pair()
    satellite = panel.satellite + np.where(YEARS >= 2010, 6.0, 0.0)
    found = compare(replace(panel, satellite=satellite)).reasons
    assert [r.name for r in found][:2] == ["sensor", "break"]
    assert found[0].since == 2010
    assert found[0].lower < 3 < found[0].upper
    assert found[0].twins[0] == "break"


def test_what_is_declared_decides_where_the_indicator_itself_moves():
    panel = pair()
    wild = panel.satellite + 8 * np.random.default_rng(0).standard_normal(20)
    panel = moved(replace(panel, satellite=wild, official=panel.official + wild - panel.satellite), since=2010, by=2)
    assert first(replace(panel, official_breaks=(2010.0,))).name == "break"
    assert first(replace(panel, satellite_breaks=(2010.0,))).name == "sensor"


@pytest.mark.parametrize("factor", [1000.0, 0.01, 10.0, 2.471, 247.1])
def test_a_unit_slip_is_repaired_before_anything_else(factor):
    panel = pair(relative=True)
    seen = compare(replace(panel, official=panel.official * factor))
    assert [r.name for r in seen.reasons] == ["unit"]
    assert seen.reasons[0].evidence["factor"] == pytest.approx(factor)
    assert abs(seen.nation.value) < 0.5


@pytest.mark.parametrize(("scope", "areas"), [("province", NORTH), ("area", (4,))])
def test_a_unit_slip_has_a_place_and_a_year(scope, areas):
    panel = pair(relative=True)
    official = panel.official.copy()
    official[np.ix_(areas, YEARS >= 2010)] *= 100
    found = first(replace(panel, official=official))
    assert (found.name, found.scope, found.areas, found.since) == ("unit", scope, areas, 2010)


def test_behind_a_unit_slip_a_break_is_still_found():
    panel = moved(pair(relative=True), NORTH, since=2012, by=3)
    seen = compare(replace(panel, official=panel.official * 1000)).reasons
    assert [(r.name, r.since) for r in seen][1] == ("break", 2012)


def test_a_second_departure_is_found_beside_the_first():
    panel = moved(moved(pair(), NORTH, by=3), (4,), since=2012, by=-4)
    both = [r for r in compare(panel).reasons if (r.name, r.areas) in {("level", NORTH), ("break", (4,))}]
    assert len(both) == 2
    assert ["beside" in r.evidence for r in both] == [False, True]


@pytest.mark.parametrize("since", [2001, 2011])
def test_exchanged_names_are_told(since):
    panel = pair()
    official = panel.official.copy()
    when = since <= YEARS
    official[np.ix_([1, 3], when)] = official[np.ix_([3, 1], when)]
    seen = compare(replace(panel, official=official))
    assert (seen.first.name, seen.first.areas) == ("swap", (1, 3))
    assert seen.first.since == since or (since == 2001 and np.isnan(seen.first.since))
    assert seen.first.effect == pytest.approx(8, abs=0.3)
    assert all("beside" not in r.evidence for r in seen.reasons)


def boundary():
    """From 2012 area a loses ground to area b; the other boundary on file never applied."""
    panel = pair()
    real, decoy = panel.satellite.copy(), panel.satellite.copy()
    real[0] -= 6
    real[1] += 5
    decoy[3] += 4
    decoy[4] -= 4
    versions = (
        Version(name="law of 2012", since=2012, satellite=real),
        Version(name="draft", since=2008, satellite=decoy),
    )
    official = panel.official + np.where(YEARS >= 2012, real - panel.satellite, 0.0)
    return replace(panel, official=official, versions=versions)


def test_a_boundary_on_file_is_told_and_the_other_is_not():
    found = first(boundary())
    assert (found.name, found.scope, found.areas, found.since) == ("boundary", "pair", (0, 1), 2012)
    assert found.evidence["version"] == "law of 2012"
    assert found.evidence["after"] < 0.5 < 2 < found.evidence["before"]


def test_without_a_version_neighbours_that_step_apart_are_a_boundary():
    panel = replace(boundary(), versions=())
    near = ((0, 1), (1, 2), (2, 3), (3, 4), (4, 5))
    for known in (near, None):
        found = first(replace(panel, neighbours=known))
        assert (found.name, found.areas, found.since) == ("boundary", (0, 1), 2012)
    assert first(replace(panel, neighbours=((2, 3),))).name != "boundary"


def test_a_copied_year_is_told():
    panel = pair()
    official = panel.official.copy()
    official[:, 13] = official[:, 12]
    found = first(replace(panel, official=official))
    assert (found.name, found.scope, found.since, found.until) == ("copied", "nation", 2014, 2014)


def test_values_that_hardly_ever_move_cannot_show_a_copy():
    panel = pair()
    seen = compare(replace(panel, official=np.round(panel.official, -1)))
    assert seen.cannot_tell["copied"] == "rounding"
    assert "copied" not in compare(panel).cannot_tell


def test_straight_lines_are_a_remark_and_no_difference():
    panel = pair(noise=0.1)
    knots = [0, 5, 10, 15, 19]
    lines = np.array([np.interp(np.arange(20), knots, row[knots]) for row in panel.official])
    seen = compare(replace(panel, official=np.round(lines, 2)))
    assert (seen.reasons[0].name, seen.reasons[0].remark) == ("interpolated", True)
    assert seen.reasons[0].evidence["knots"] == 5
    assert seen.first is None


def test_optimistic_last_years_are_told():
    panel = pair()
    official = panel.official + 2 * 3 * np.clip((YEARS - 2016) / 4, 0, 1)
    found = first(replace(panel, official=official))
    assert (found.name, found.since) == ("optimistic", 2017)
    assert found.lower < -3 < found.upper


def test_a_difference_that_grows_with_clouds_is_a_gap():
    rng = np.random.default_rng(3)
    unseen = rng.uniform(0, 0.5, (6, 20))
    panel = replace(pair(), unseen=unseen)
    assert compare(panel).reasons == ()
    found = first(replace(panel, satellite=panel.satellite + 2 * 2 * unseen / 0.25))
    assert found.name == "gap"
    assert found.lower < 2 < found.upper


def test_one_odd_year_is_told():
    found = first(moved(pair(), since=2009, until=2009, by=4))
    assert (found.name, found.since, found.until) == ("odd year", 2009, 2009)


def test_a_proxy_says_nothing_of_constants():
    panel = replace(moved(pair(relative=True), by=4), proxy=True)
    seen = compare(panel)
    assert seen.reasons == ()
    assert {seen.cannot_tell[name] for name in ("level", "definition", "unit")} == {"proxy"}


def test_areas_alike_cannot_show_an_exchange():
    panel = pair()
    flat = replace(panel, satellite=panel.satellite * 0 + 40, official=panel.official * 0 + 40)
    assert compare(flat).cannot_tell["swap"] == "alike"
    assert "swap" not in compare(panel).cannot_tell


def test_parts_that_do_not_fit_are_refused():
    panel = pair()
    with pytest.raises(InputError, match=r"6 areas and 20 years came with official \(6, 19\)"):
        compare(replace(panel, official=panel.official[:, :-1]))
    with pytest.raises(InputError, match="tolerance 0"):
        compare(replace(panel, tolerance=0.0))
    with pytest.raises(InputError, match="ascend"):
        compare(replace(panel, years=YEARS[::-1]))
