"""The exam itself is right: what is planted is there and nowhere else, noise is as stated, marks are as by hand."""

import json
from dataclasses import replace
from math import isnan
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from geomon.departures.records import Allowance, Compared, Level, Panel, Reason
from tests.planted import textbook
from tests.planted.country import AREAS, Country, honest, neighbours
from tests.planted.exam import CONDITIONS, EXAM, TUNING, mark, tasks
from tests.planted.plants import SOW, redrawn
from tests.planted.score import Scored, rate, score, wilson
from tests.planted.seeing import sight, whitened
from tests.planted.tables import line, report
from tests.planted.truth import PLANTS, Floats, Truth, World
from tests.planted.worlds import make

SEEDS = range(12)
Bools = NDArray[np.bool_]


def steps(world: World, values: Floats) -> Floats:
    """Values in tolerances."""
    panel = world.panel
    return np.log(values) / np.log1p(panel.tolerance) if panel.relative else values / panel.tolerance


def difference(world: World) -> Floats:
    """Satellite minus official in tolerances, as the panel shows it."""
    return steps(world, world.panel.satellite) - steps(world, world.panel.official)


def same(one: Floats, other: Floats) -> Bools:
    return np.isclose(one, other, rtol=0, atol=0, equal_nan=True)


# --- worlds


@pytest.mark.parametrize("plant", [*PLANTS, "none"])
def test_a_seed_gives_one_world(plant: str) -> None:
    one, other = (make(7, plant, noise="mixed") for _ in range(2))
    np.testing.assert_array_equal(one.panel.satellite, other.panel.satellite)
    np.testing.assert_array_equal(one.panel.official, other.panel.official)
    assert repr(one.truth) == repr(other.truth)


@pytest.mark.parametrize("plant", PLANTS)
def test_a_plant_changes_its_place_and_time_and_nothing_else(plant: str) -> None:
    for seed in SEEDS:
        world, clean = make(seed, plant, noise="quiet"), make(seed, "none", noise="quiet")
        if world.truth.because == "proxy":
            continue
        years = world.panel.years
        inside = np.isin(np.arange(AREAS), world.truth.areas)[:, None] & (
            (years >= np.nan_to_num(world.truth.since, nan=-np.inf))
            & (years <= np.nan_to_num(world.truth.until, nan=np.inf))
        )
        side = "satellite" if plant in ("sensor", "gap") else "official"
        for name in ("satellite", "official"):
            kept = same(getattr(world.panel, name), getattr(clean.panel, name))
            assert kept[~inside].all()
            assert kept.all() == (name != side and world.truth.visible) or not world.truth.visible


@pytest.mark.parametrize("plant", ["level", "break", "sensor"])
@pytest.mark.parametrize("effect", [2.0, 3.5])
def test_the_effect_is_satellite_minus_official_in_tolerances(plant: str, effect: float) -> None:
    for seed in SEEDS:
        world, clean = (make(seed, p, noise="quiet", effect=effect) for p in (plant, "none"))
        if not world.truth.visible:
            continue
        there = np.isin(np.arange(AREAS), world.truth.areas)
        after = world.panel.years >= np.nan_to_num(world.truth.since, nan=-np.inf)
        added = np.nanmean((difference(world) - difference(clean))[there][:, after])
        assert abs(world.truth.effect) == effect
        assert added == pytest.approx(world.truth.effect, abs=0.15)  # rounding, and shares that end at 0 and 100


def test_a_trend_is_of_its_effect_over_the_record_at_least_and_a_decade_at_most() -> None:
    for seed in SEEDS:
        world, clean = make(seed, "trend", noise="quiet"), make(seed, "none", noise="quiet")
        added = (difference(world) - difference(clean))[world.truth.areas[0]]
        known = ~np.isnan(added)
        years = world.panel.years[known]
        slope = 10 * np.polyfit(years, added[known], 1)[0]
        assert slope == pytest.approx(world.truth.effect, abs=0.15)
        assert abs(world.truth.effect) <= 2
        assert abs(world.truth.effect) * (world.panel.years[-1] - world.panel.years[0]) / 10 >= 2


def test_an_optimistic_end_grows_to_its_effect_on_the_better_side() -> None:
    for seed in SEEDS:
        world, clean = make(seed, "optimistic", noise="quiet"), make(seed, "none", noise="quiet")
        added = np.nanmean((difference(world) - difference(clean))[list(world.truth.areas)], axis=0)
        last = np.flatnonzero(~np.isnan(added))[-1]
        assert added[last] == pytest.approx(world.truth.effect, abs=0.3)
        assert 2 <= world.panel.years[last] - world.truth.since + 1 <= 5
        better = honest(np.random.default_rng((seed, 0)), noise="quiet").better
        rise = np.nanmean((world.panel.official - clean.panel.official)[list(world.truth.areas)], axis=0)
        assert rise[last] * better > 0


def test_a_gap_bias_follows_what_was_not_seen() -> None:
    world, clean = make(3, "gap", noise="quiet"), make(3, "none", noise="quiet")
    areas = list(world.truth.areas)
    added = (difference(world) - difference(clean))[areas]
    known = ~np.isnan(added)
    assert world.panel.unseen is not None
    assert abs(np.corrcoef(added[known], world.panel.unseen[areas][known])[0, 1]) > 0.98


def test_a_copied_year_repeats_the_one_before() -> None:
    world = make(5, "copied", noise="quiet")
    year = np.flatnonzero(world.panel.years == world.truth.since)[0]
    rows = world.panel.official[list(world.truth.areas)]
    both = ~np.isnan(rows[:, year] + rows[:, year - 1])
    assert both.any()
    np.testing.assert_array_equal(rows[both, year], rows[both, year - 1])


def test_interpolated_years_lie_on_lines_to_the_last_decimal() -> None:
    for seed in SEEDS:
        world = make(seed, "interpolated", noise="noisy")
        years = world.panel.years
        first = np.flatnonzero(years == world.truth.since)[0]
        piece = world.panel.official[list(world.truth.areas), first : first + 6]
        line = piece[:, :1] + (piece[:, 5:] - piece[:, :1]) * np.arange(6) / 5
        quantum = honest(np.random.default_rng((seed, 0)), noise="noisy").quantum
        assert np.nanmax(np.abs(piece - line), initial=0) <= 1.01 * quantum


def test_a_slip_of_units_multiplies() -> None:
    factors = set()
    for seed in range(40):
        world, clean = make(seed, "unit", noise="quiet"), make(seed, "none", noise="quiet")
        if world.truth.visible:
            after = world.panel.years >= np.nan_to_num(world.truth.since, nan=-np.inf)
            ratio = (world.panel.official / clean.panel.official)[list(world.truth.areas)][:, after]
            factors.add(float(f"{np.nanmedian(ratio):.1e}"))
    assert factors <= {0.01, 100.0, 250.0, 1000.0, 0.001}
    assert {0.01, 1000.0} <= factors


def test_a_swap_exchanges_two_districts() -> None:
    world, clean = make(2, "swap", noise="quiet"), make(2, "none", noise="quiet")
    one, other = world.truth.areas
    after = world.panel.years >= np.nan_to_num(world.truth.since, nan=-np.inf)
    for mine, theirs in ((one, other), (other, one)):
        got, was = world.panel.official[mine, after], clean.panel.official[theirs, after]
        both = ~np.isnan(got + was)
        np.testing.assert_array_equal(got[both], was[both])


def test_a_version_on_file_follows_the_new_boundary_and_idle_ones_do_not() -> None:
    for seed in SEEDS:
        world = make(seed, "boundary", noise="quiet")
        if world.panel.proxy:  # constants between its sides move with the piece
            continue
        after = world.panel.years >= world.truth.since
        assert tuple(world.truth.areas) in neighbours()
        old = _jump(world, world.panel.satellite, after)
        followed = [_jump(world, v.satellite, after) < 1 for v in world.panel.versions if v.since == world.truth.since]
        others = [_jump(world, v.satellite, after) for v in world.panel.versions if v.since != world.truth.since]
        assert followed == [True] and old > 1
        np.testing.assert_allclose(others, old)
    assert any(len(make(s, "boundary", noise="quiet").panel.versions) == 2 for s in SEEDS)
    assert any(make(s, "none", noise="quiet").panel.versions for s in SEEDS)


def _jump(world: World, satellite: Floats, after: Bools) -> float:
    """How far the difference jumps in the districts of the plant when `satellite` is taken from a year on."""
    areas = list(world.truth.areas)
    new = (steps(world, satellite) - steps(world, world.panel.official))[areas][:, after]
    return float(np.abs(np.nanmean(new, axis=1) - np.nanmean(difference(world)[areas][:, ~after], axis=1)).max())


def test_a_piece_that_moves_keeps_the_sum_and_the_weighted_mean() -> None:
    country = honest(np.random.default_rng(1), noise="quiet")
    values = np.full((AREAS, country.years.size), 40.0)
    simple = replace(
        country,
        real=np.full(values.shape, 20.0),
        relative=False,
        fraction=True,
        tolerance=2.0,
        weights=np.arange(1.0, AREAS + 1),
    )
    moved = redrawn(replace(simple, extensive=False), values, (3, 4), 0.25, 2.0)
    # district 3 weighs 4 and loses a quarter, 4 weighs 5: 3 * 36 + 6 * x = 9 * 40
    np.testing.assert_allclose(moved[[3, 4], 0], [36, 42])
    added = redrawn(replace(simple, extensive=True), values, (3, 4), 0.25, 2.0)
    np.testing.assert_allclose(added[[3, 4], 0], [36, 44])


def test_what_is_taken_away_is_not_shown() -> None:
    bare = make(4, "sensor", noise="quiet", metadata=False, geometry=False).panel
    assert (bare.satellite_breaks, bare.official_breaks, bare.definition, bare.versions) == ((), (), "", ())
    assert bare.neighbours is None
    told = make(4, "sensor", noise="quiet")
    assert told.panel.satellite_breaks == (told.truth.since,)
    assert make(4, "definition", noise="quiet").panel.definition


def test_metadata_that_mean_nothing_stand_in_honest_worlds_too() -> None:
    panels = [make(seed, "none", noise="quiet").panel for seed in range(60)]
    assert 0.1 < np.mean([bool(p.satellite_breaks) for p in panels]) < 0.5
    assert 0 < np.mean([bool(p.official_breaks) for p in panels]) < 0.4
    assert 0 < np.mean([bool(p.definition) for p in panels]) < 0.3


def test_worlds_are_as_large_and_as_gappy_as_they_should_be() -> None:
    panels = [make(seed, "none", noise="mixed").panel for seed in range(60)]
    assert {p.years.size for p in panels} == {20, 21, 22, 23, 24, 25}
    assert {len(p.areas) for p in panels} == {24} and {len(set(p.parents)) for p in panels} == {4}
    late = {int(p.years.size - 1 - np.flatnonzero(~np.isnan(p.official).all(axis=0))[-1]) for p in panels}
    assert late == {0, 1, 2}
    assert all(0 < np.isnan(p.satellite).mean() < 0.25 for p in panels[:10])
    assert all(np.nanmin(p.satellite) > 0 for p in panels)
    with pytest.raises(ValueError, match="at least 20 years"):
        make(1, "none", noise="quiet", years=12)


def test_bounds_hold_the_value() -> None:
    for seed in SEEDS:
        panel = make(seed, "none", noise="quiet").panel
        assert panel.lower is not None and panel.upper is not None
        known = ~np.isnan(panel.satellite)
        assert (panel.lower[known] <= panel.satellite[known] + 1e-9).all()
        assert (panel.upper[known] >= panel.satellite[known] - 1e-9).all()


# --- noise and honest departures


@pytest.fixture(scope="module")
def countries() -> list[Country]:
    return [honest(np.random.default_rng((seed, 0)), noise="mixed") for seed in range(300)]


def test_noise_is_as_stated(countries: list[Country]) -> None:
    ratios, common, memory = [], [], []
    for country in countries:
        noise = (country.noise_satellite - country.noise_official) / country.scatter
        common.append(noise.mean(axis=0))
        noise = noise - noise.mean(axis=0)
        ratios.append(noise.var() * AREAS / (AREAS - 1))
        memory.append((noise[:, 1:] * noise[:, :-1]).mean() / noise.var() - country.memory)
    assert np.mean(ratios) == pytest.approx(1, abs=0.02)
    assert np.concatenate(common).std() == pytest.approx(np.sqrt(1 / 9 + 1 / AREAS), abs=0.02)
    assert np.mean(memory) == pytest.approx(0, abs=0.02)
    assert 0.1 <= min(c.scatter for c in countries) < 0.13 and 0.97 < max(c.scatter for c in countries) <= 1
    assert all(0 <= c.memory <= 0.5 for c in countries)


@pytest.mark.parametrize(("noise", "low", "high"), [("quiet", 0.1, 0.45), ("noisy", 0.45, 1.0)])
def test_noise_stays_within_its_condition(noise: str, low: float, high: float) -> None:
    drawn = [honest(np.random.default_rng(seed), noise=noise).scatter for seed in range(40)]
    assert low <= min(drawn) and max(drawn) <= high and max(drawn) - min(drawn) > 0.8 * (high - low)


@pytest.mark.parametrize("honesty", [1.0, 1.5])
def test_honest_departures_are_as_declared(honesty: float) -> None:
    said = Allowance()
    constant, drift = [], []
    for seed in range(400):
        country = honest(np.random.default_rng((seed, 0)), noise="mixed", honesty=honesty)
        if not country.proxy:
            decades = (country.years - country.years.mean()) / 10
            constant.append(country.departure.mean(axis=1))
            drift.append(country.departure @ decades / (decades @ decades))
    for values, nation, area in ((constant, said.nation, said.area), (drift, said.drift_nation, said.drift_area)):
        within = np.array(values) - np.mean(values, axis=1, keepdims=True)
        assert np.sqrt((within**2).sum() / len(values) / (AREAS - 1)) == pytest.approx(honesty * area, rel=0.05)
        assert np.mean(values, axis=1).std() == pytest.approx(honesty * np.hypot(nation, area / AREAS**0.5), rel=0.12)


def test_the_panel_shows_the_noise_and_the_departure_that_were_drawn() -> None:
    """People are counted finely enough that rounding hides nothing."""
    for seed in range(40):
        world = make(seed, "none", noise="quiet")
        if world.kind == "people":
            country = honest(np.random.default_rng((seed, 0)), noise="quiet")
            drawn = country.departure + country.noise_satellite - country.noise_official
            shown = difference(world)
            assert np.nanmax(np.abs(shown - drawn)) < 0.5 * 0.5 / np.nanmin(world.panel.official) / 0.03 + 1e-6


def test_the_true_mean_of_a_country_is_what_was_drawn() -> None:
    country = honest(np.random.default_rng((11, 0)), noise="quiet")
    truth = make(11, "none", noise="quiet").truth
    weights = np.ones(AREAS) if country.weights is None else country.weights
    known = country.departure[:, country.common].mean(axis=1)
    assert truth.nation == pytest.approx(float(known @ weights / weights.sum()))
    assert truth.nation_value == pytest.approx(truth.nation, abs=0.3)


# --- what can be seen, and told apart


@pytest.mark.parametrize(
    ("plant", "because"),
    [("level", "proxy"), ("unit", "proxy"), ("swap", "alike"), ("optimistic", "noise"), ("break", "noise")],
)
def test_what_no_method_can_see_is_known_from_how_it_was_made(plant: str, because: str) -> None:
    reasons = {make(seed, plant, noise="noisy", effect=1.5).truth.because for seed in range(40)}
    assert {"", because} <= reasons


def test_lines_and_copies_are_hidden_by_rounding_that_is_as_coarse_as_the_movement() -> None:
    country = replace(honest(np.random.default_rng(0), noise="quiet"), relative=False, tolerance=1.0, decimals=0)
    still = np.tile(np.arange(country.years.size) / 5.0, (AREAS, 1))
    moving = still + 5 * np.cos(np.arange(country.years.size) * 2.0)
    for plant in ("interpolated", "copied"):
        for real, because in ((still, "rounding"), (moving, "")):
            simple = replace(country, real=real, noise_official=np.zeros_like(real))
            planted = replace(
                SOW[plant](simple, np.random.default_rng(0), 2.0), scope="province", areas=(0, 1, 2, 3, 4, 5)
            )
            assert sight(plant, simple, planted, np.zeros_like(real))[0] == because


def test_the_best_test_knows_how_honest_differences_scatter() -> None:
    sizes = []
    for seed in range(200):
        country = honest(np.random.default_rng((seed, 0)), noise="mixed")
        if not country.proxy:
            fine = replace(country, decimals=9)
            difference = country.departure + country.noise_satellite - country.noise_official
            white = whitened(fine, difference[:, country.common])
            sizes.append((white**2).sum() / AREAS / country.common.sum())
    assert np.mean(sizes) == pytest.approx(1, abs=0.02)


def test_a_plant_of_nothing_is_seen_by_nobody_and_a_giant_by_all() -> None:
    assert not any(make(seed, "break", noise="mixed", effect=0.01).truth.visible for seed in SEEDS)
    assert all(make(seed, "break", noise="noisy", effect=9).truth.visible for seed in SEEDS)


def test_level_and_definition_are_twins_on_a_log_scale_unless_the_definition_is_declared() -> None:
    for seed in SEEDS:
        level = make(seed, "level", noise="quiet")
        if level.truth.visible:
            assert ("definition" in level.truth.twins) >= level.panel.relative
        declared = make(seed, "definition", noise="quiet")
        assert "level" not in declared.truth.twins
        silent = make(seed, "definition", noise="quiet", metadata=False)
        if silent.panel.relative:
            assert silent.truth.twins == ("level",)


def test_break_and_sensor_are_twins_only_where_the_country_moves_as_much_and_nothing_is_declared() -> None:
    told = [make(seed, "sensor", noise="quiet").truth for seed in range(20)]
    assert not any(t.twins for t in told)
    small = [make(seed, "sensor", noise="quiet", effect=0.6, metadata=False) for seed in range(40)]
    twins = ["break" in world.truth.twins for world in small if world.truth.visible]
    assert any(twins) and not all(twins)


def test_a_boundary_without_geometry_is_a_break() -> None:
    assert make(1, "boundary", noise="quiet", geometry=False).truth.twins == ("break",)
    assert make(1, "boundary", noise="quiet").truth.twins == ()


# --- marks

NATION = tuple(range(AREAS))
LEVEL = Level(value=0.1, lower=-0.4, upper=0.6, lower90=-0.3, upper90=0.5, n=20, p_equal=0.01)
TRUTH = Truth(
    plant="level", scope="area", areas=(3,), effect=2.0, with_honest=2.3, districts=(0.0,) * AREAS, nation=0.1
)


def said(*reasons: Reason, **more: Any) -> Compared:
    return Compared(reasons=reasons, nation=LEVEL, provinces={}, districts=(None,) * AREAS, years=20, **more)


def marks(truth: Truth, compared: Compared) -> Scored:
    world = next(w for w in (make(seed, "none", noise="quiet") for seed in SEEDS) if not w.panel.proxy)
    return score(replace(world, truth=truth), compared)


def reason(name: str, *areas: int, **more: Any) -> Reason:
    return Reason(name=name, scope="area", areas=areas, **more)


def test_the_right_name_at_the_right_place_is_first() -> None:
    marked = marks(TRUTH, said(reason("level", 3, effect=2.2, lower=2.1, upper=2.5)))
    assert (marked.found, marked.first, marked.in_two, marked.first_name) == (True, True, True, "level")
    assert (marked.effect_held, marked.effect_held_with_honest) == (False, True)
    assert marked.false_alarm is None


def test_the_right_name_after_another_is_among_the_first_two_and_after_two_others_is_not() -> None:
    second = marks(TRUTH, said(reason("trend", 3), reason("level", 3)))
    assert (second.found, second.first, second.in_two) == (True, False, True)
    third = marks(TRUTH, said(reason("trend", 3), reason("break", 3), reason("level", 3)))
    assert (third.found, third.first, third.in_two) == (True, False, False)


def test_a_wrong_place_is_not_found() -> None:
    elsewhere = marks(TRUTH, said(reason("level", 5)))
    assert (elsewhere.found, elsewhere.first, elsewhere.stray) == (False, False, True)
    everywhere = marks(TRUTH, said(reason("level", *NATION)))
    assert (everywhere.found, everywhere.first, everywhere.stray) == (False, False, False)


def test_a_wrong_time_is_not_found() -> None:
    late = replace(TRUTH, plant="break", since=2010.0)
    assert not marks(late, said(reason("copied", 3, since=2005, until=2006))).found
    assert marks(late, said(reason("copied", 3, since=2009, until=2011))).found


def test_a_district_of_a_province_is_found_and_its_effect_is_not_judged() -> None:
    province = replace(TRUTH, scope="province", areas=(0, 1, 2, 3, 4, 5))
    marked = marks(province, said(reason("level", 3, effect=0.0, lower=-1, upper=1)))
    assert marked.found and marked.first and marked.effect_held is None
    assert marks(province, said(reason("level", 3, 4, 5, 6, 7, 8))).found
    assert not marks(province, said(reason("level", 4, 5, 6, 7, 8, 9))).found


def test_a_name_at_a_wrong_place_keeps_the_place_of_that_name() -> None:
    marked = marks(TRUTH, said(reason("level", 5), reason("level", 3)))
    assert (marked.found, marked.first) == (True, False)


def test_twins_count_as_one_place_only_if_the_truth_says_so() -> None:
    order = (reason("definition", 3, twins=("level",)), reason("trend", 3), reason("level", 3))
    assert not marks(TRUTH, said(*order)).in_two
    twins = replace(TRUTH, twins=("definition",))
    assert marks(twins, said(*order)).first
    claimed = (reason("break", 3), reason("trend", 3, twins=("level",)), reason("level", 3))
    assert not marks(twins, said(*claimed)).in_two
    shared = (reason("trend", 3), reason("definition", 3, twins=("level",)), reason("level", 3))
    assert marks(twins, said(*shared)).in_two and not marks(twins, said(*shared)).first


def test_twins_share_a_place_so_that_what_follows_moves_up() -> None:
    truth = replace(TRUTH, twins=("definition",))
    order = (reason("definition", 5, twins=("level",)), reason("level", 5), reason("trend", 3))
    assert not marks(truth, said(*order)).in_two


def test_a_name_that_is_no_twin_takes_a_place_of_its_own_whatever_is_said_of_it() -> None:
    truth = replace(TRUTH, twins=("definition",))
    order = (reason("level", 5, twins=("trend",)), reason("trend", 3), reason("definition", 3))
    assert not marks(truth, said(*order)).in_two


def test_an_honest_world_with_any_reason_is_a_false_alarm_and_remarks_are_counted_apart() -> None:
    none = Truth(plant="none", nation=0.1, nation_value=0.9, districts=(0.0,) * AREAS)
    assert marks(none, said()).false_alarm is False
    assert marks(none, said(reason("trend", 1))).false_alarm is True
    remarked = marks(none, said(reason("interpolated", 1, remark=True)))
    assert (remarked.false_alarm, remarked.false_remark) == (False, True)
    assert (remarked.nation_held, remarked.nation_value_held) == (True, False)


def test_a_remark_on_lines_finds_interpolation_and_nothing_else() -> None:
    remark = reason("interpolated", 3, remark=True)
    assert marks(replace(TRUTH, plant="interpolated"), said(remark)).first
    assert not marks(TRUTH, said(remark)).found


def test_equal_said_of_what_differs_is_counted() -> None:
    equal = [LEVEL if k in (3, 4) else None for k in range(AREAS)]
    far = replace(TRUTH, nation=1.2, districts=tuple(2.0 if k == 3 else 0.1 for k in range(AREAS)))
    marked = marks(far, replace(said(), districts=tuple(equal)))
    assert (marked.nation_equal_wrongly, marked.districts_different, marked.districts_equal_wrongly) == (True, 1, 1)
    assert marks(TRUTH, said()).nation_equal_wrongly is False


def test_saying_that_it_cannot_tell_counts_for_the_plant_only() -> None:
    assert marks(TRUTH, said(cannot_tell={"level": "proxy"})).cannot_tell
    assert not marks(TRUTH, said(cannot_tell={"swap": "alike"})).cannot_tell


def test_wilson_as_in_the_book() -> None:
    assert wilson(0, 10) == pytest.approx([0, 0, 0.2775], abs=1e-4)
    assert wilson(81, 263) == pytest.approx([0.3080, 0.2553, 0.3662], abs=1e-4)  # Newcombe 1998, method 3
    assert rate([True, None, False]) == wilson(1, 2)
    assert all(isnan(x) for x in rate([None]))


# --- the exam and the textbook


def test_textbook_tests_alone_raise_many_false_alarms() -> None:
    worlds = [make(seed, "none", noise="mixed") for seed in range(40)]
    alarms = [bool(textbook.compare(world.panel).reasons) for world in worlds]
    assert np.mean(alarms) > 0.4


def test_textbook_tests_are_silent_on_pure_noise() -> None:
    rng, quiet = np.random.default_rng(5), 0
    panel = next(p for p in (make(seed, "none", noise="quiet").panel for seed in SEEDS) if not p.relative)
    for _ in range(60):
        noise = rng.normal(size=panel.official.shape) * panel.tolerance
        quiet += not textbook.compare(replace(panel, satellite=panel.official + noise)).reasons
    assert quiet >= 45  # three tests at five percent each


def test_holm_by_hand() -> None:
    np.testing.assert_allclose(textbook.holm(np.array([0.04, 0.01, 0.03])), [0.06, 0.03, 0.06])


def test_the_exam_has_as_many_worlds_as_it_says_on_seeds_that_nobody_tunes_on() -> None:
    asked = tasks(100)
    assert len({task.seed for task in asked}) == len(asked) == 6 * 1200 + 5 * 500
    assert min(task.seed for task in asked) >= EXAM > TUNING
    mixed = [t for t in asked if t.condition.name == "mixed" and t.plant != "none"]
    assert np.mean([t.geometry for t in mixed]) == 0.5
    assert np.mean([t.effect == 2 for t in mixed]) == 0.5 and max(t.effect for t in mixed) <= 4
    assert {(t.geometry, t.effect == 2) for t in mixed} == {(a, b) for a in (True, False) for b in (True, False)}
    assert len(tasks(200)) == 6 * 2400 + 5 * 1000


def test_an_exam_ends_in_tables_and_one_line() -> None:
    asked = [task for task in tasks(1) if task.plant != "none" or task.seed % 50 == 0]
    marked = [mark(task, textbook.compare) for task in asked]
    tables = report(marked)
    assert all(name in tables for name in (*PLANTS, *(c.name for c in CONDITIONS), "missed"))
    found = json.loads(line(marked, {"interval_coverage": [0.95, 0.94, 0.96], "bounds_hold": [1.0, 0.99, 1.0]}))
    keys = {f"{key}{end}" for key in ("named_first", "named_in_two", "found", "false_alarms") for end in ENDS}
    assert set(found) == {*keys, "interval_coverage", "bounds_hold"}
    assert found["false_alarms"][0] > 0.4 and found["interval_coverage"] == [0.95, 0.94, 0.96]
    assert json.loads(line(marked, None))["bounds_hold"] is None
    assert json.loads(line([], None))["found"] is None


ENDS = ("", "_quiet", "_noisy")


def test_a_check_that_fails_says_in_which_world() -> None:
    def broken(panel: Panel) -> Compared:
        raise KeyError("years")

    with pytest.raises(KeyError) as caught:
        mark(tasks(1)[0], broken)
    assert "seed=500000" in caught.value.__notes__[0]
