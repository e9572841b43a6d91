"""The check says what two series show, and no more: each verdict, in the order of the rules."""

import json
from collections.abc import Mapping, Sequence
from io import StringIO
from typing import Any

import numpy as np
import pandas as pd
import pytest

from geomon.check import Finding, check, headline
from geomon.errors import InputError
from geomon.indicator import Indicator, Official, Output, Source
from geomon.official import AS_MEASURED, read_csv
from geomon.series import tidy

SAME = Official("S", 2.0)
OTHER = Official("S", 2.0, definition="land use", differs="The map counts tree cover, the office land use.")
YEARS = 20
WOBBLE = np.array([0.3, -0.4, 0.1, 0.5, -0.2, -0.5, 0.2, 0.4, -0.3, 0.0] * 2)  # honest noise, no trend
LEVEL = 50 + np.array([0.6, -0.3, 0.2, -0.7, 0.4, 0.1, -0.5, 0.7, -0.2, -0.3] * 2)
RISING = 50 + 0.4 * np.arange(YEARS) + WOBBLE / 3


def measure(cover: Any) -> dict[str, Any]:
    return {}


def indicator(official: Official | None = SAME, unit: str = "percent") -> Indicator:
    return Indicator(
        code="0.0.0",
        title="Tree cover",
        sources={"cover": Source("any")},
        grid="cover",
        measure=measure,
        outputs={
            "share": Output(lambda totals: None, unit, official=official),
            "other": Output(lambda totals: None, unit),
        },
    )


def satellite(
    values: Sequence[float] | np.ndarray, area: str = "P1", reach: float = 0.0, first: int = 2001, **more: Any
) -> pd.DataFrame:
    """A series whose bounds are `reach` on either side."""
    rows = []
    for i, value in enumerate(values):
        bounds = {"lower": value - reach, "upper": value + reach, "interval": "bounds"} if reach else {}
        row = {"series": "share", "ref_area": area, "time_period": str(first + i), "obs_value": value}
        rows.append(row | {"unit_measure": "percent"} | bounds | more)
    return tidy(rows)


def office(
    values: Sequence[float | None] | np.ndarray,
    area: str = "P1",
    unit: str = "percent",
    first: int = 2001,
    **more: str,
) -> pd.DataFrame:
    rows = [
        {"series": "S", "ref_area": area, "time_period": str(first + i), "obs_value": v, "unit_measure": unit} | more
        for i, v in enumerate(values)
        if v is not None
    ]
    return read_csv(StringIO(pd.DataFrame(rows).to_csv(index=False)), publisher="the office")


def found(ours: pd.DataFrame, theirs: pd.DataFrame, official: Official = SAME, **more: Any) -> Finding:
    (finding,) = check(ours, theirs, indicator(official, str(ours.unit_measure.iloc[0])), **more)
    return finding


# Comparability, which needs no points


def test_one_year_far_apart_differs_by_a_declared_definition() -> None:
    finding = found(satellite([93.6]), office([54.1]), OTHER)
    assert finding.verdict == "differs by definition"
    assert finding.sentence == (
        "Tree cover, P1, 2001: the satellite shows 93.6 %, the office reports 54.1 %; they do not count the "
        "same thing: the map counts tree cover, the office land use."
    )
    assert finding.reasons == (OTHER.differs, "the office counts: land use")


def test_a_declared_definition_does_not_forbid_to_agree() -> None:
    finding = found(satellite(LEVEL), office(LEVEL + WOBBLE), OTHER)
    assert finding.verdict == "agrees"
    assert "yet the figures agree" in finding.reasons[1]


def test_a_declared_definition_excuses_no_opposite_direction() -> None:
    assert found(satellite(RISING), office(110 - RISING), OTHER).verdict == "differs in direction"


def test_a_declared_definition_excuses_no_jump() -> None:
    assert found(satellite(LEVEL), office(LEVEL + WOBBLE + np.where(np.arange(20) < 12, 0, 5)), OTHER).verdict == (
        "differs in level"
    )


def test_an_official_series_that_counts_what_the_satellite_measures_differs_in_level() -> None:
    assert found(satellite(LEVEL), office(LEVEL - 9), OTHER).verdict == "differs by definition"
    same = found(satellite(LEVEL), office(LEVEL - 9, definition=AS_MEASURED), OTHER)
    assert same.verdict == "differs in level"
    assert same.definition_official == same.definition_satellite == "Tree cover"


def test_one_year_near_enough_is_not_enough_to_agree() -> None:
    assert found(satellite([55]), office([54]), OTHER).verdict == "not enough data"


def test_a_publishers_own_words_stand_in_the_sentence() -> None:
    finding = found(satellite([93.6]), office([54.1], definition="forest by law"), OTHER)
    assert finding.sentence.endswith("the office land use (the office: forest by law).")


def test_years_under_an_earlier_definition_are_left_out() -> None:
    rows = pd.concat([office([10, 10, 10], definition="old"), office(LEVEL[3:6], definition="new", first=2004)])
    finding = found(satellite(LEVEL[:6]), rows)
    assert finding.evidence["n"] == 3
    assert "official figures under another definition left out (2001 to 2003)" in finding.reasons


@pytest.mark.parametrize(
    ("unit", "words"), [("furlongs", "gives 'furlongs'"), ("km2", "gives 'km2'"), ("", "states no unit")]
)
def test_units_that_cannot_be_converted_are_not_comparable(unit: str, words: str) -> None:
    finding = found(satellite(LEVEL), office(LEVEL, unit=unit), OTHER)
    assert finding.verdict == "not comparable"
    assert words in finding.sentence


def test_units_that_can_be_converted_are() -> None:
    assert found(satellite(LEVEL), office(LEVEL / 100, unit="fraction")).verdict == "agrees"
    finding = found(satellite([100, 101, 99], unit_measure="km2"), office([10, 10.1, 9.9], unit="1000 ha"))
    assert [pair["official"] for pair in finding.pairs] == [100, 101, 99]


def test_a_mean_of_years_is_not_a_year() -> None:
    rows = office([50.0]).assign(time_period="2000/2004")
    assert found(satellite(LEVEL), rows).verdict == "not comparable"


def test_no_common_year_is_not_enough_data() -> None:
    finding = found(satellite([93.6], first=2021), office([60, 54], first=2019), OTHER)
    assert finding.verdict == "not enough data"
    assert "no period in common: the satellite series has 2021, the office 2019 and 2020" in finding.sentence


def test_an_area_without_official_value_is_not_enough_data() -> None:
    assert found(satellite(LEVEL, area="P2"), office(LEVEL)).verdict == "not enough data"


# Areas


@pytest.mark.parametrize("code", ["ST", "STP", "678"])
def test_a_country_is_found_under_each_of_its_codes(code: str) -> None:
    assert found(satellite([93.6], area=code), office([54.1], area="STP"), OTHER).verdict == "differs by definition"


def test_parts_of_a_country_pair_with_themselves_and_not_with_it() -> None:
    ours = pd.concat([satellite(LEVEL, area="ST"), satellite(LEVEL, area="ST01")])
    whole, part = check(ours, office(LEVEL, area="STP"), indicator())
    assert (whole.verdict, part.verdict) == ("agrees", "not enough data")


def test_states_whose_codes_spell_countries_are_none() -> None:
    ours = pd.concat([satellite(LEVEL, area=code) for code in ("AL", "AK", "AZ")])
    theirs = pd.concat([office(LEVEL, area="ALB"), office(LEVEL, area="AZ")])
    verdicts = {f.ref_area: f.verdict for f in check(ours, theirs, indicator())}
    assert verdicts == {"AL": "not enough data", "AK": "not enough data", "AZ": "agrees"}


def test_a_district_numbered_one_is_not_the_world() -> None:
    world = read_csv(StringIO("SeriesCode,GeoAreaCode,ISO3,TimePeriod,Value,Units\nS,1,,2001,50,PERCENT\n"))
    assert found(satellite(LEVEL, area="1"), world).verdict == "not enough data"


def test_each_publisher_gets_a_finding() -> None:
    two = pd.concat([office(LEVEL), office(LEVEL - 9).assign(publisher="the bank")])
    assert {f.publisher: f.verdict for f in check(satellite(LEVEL), two, indicator())} == {
        "the office": "agrees",
        "the bank": "differs in level",
    }


# Statistics


def test_honest_series_agree() -> None:
    finding = found(satellite(LEVEL), office(LEVEL + WOBBLE))
    assert finding.verdict == "agrees"
    assert abs(finding.evidence["bias"]) < 0.05
    assert finding.evidence["lower"] < finding.evidence["bias"] < finding.evidence["upper"]


@pytest.mark.parametrize("missing", [0, 5, 19])
def test_a_missing_year_changes_nothing(missing: int) -> None:
    values: list[float | None] = list(LEVEL + WOBBLE)
    values[missing] = None
    finding = found(satellite(LEVEL), office(values))
    assert finding.verdict == "agrees" and finding.evidence["n"] == YEARS - 1


def test_a_level_bias_is_found_with_its_size() -> None:
    finding = found(satellite(LEVEL), office(LEVEL + WOBBLE - 5))
    assert finding.verdict == "differs in level"
    assert finding.evidence["bias"] == pytest.approx(5, abs=0.1)
    assert "5.0 percentage points more than the office reports" in finding.sentence


def test_a_level_is_only_said_beyond_the_nearest_bound() -> None:
    assert found(satellite(LEVEL, reach=2.5), office(LEVEL - 5)).verdict == "differs in level"
    assert found(satellite(LEVEL, reach=3.5), office(LEVEL - 5)).verdict == "not settled"


def test_a_one_sided_interval_leaves_that_side_open() -> None:
    low = LEVEL - 20
    open_above = satellite(low, interval="one_sided").assign(lower=low)
    assert found(open_above, office(LEVEL)).verdict == "not settled"
    assert found(open_above, office(low - 9)).verdict == "differs in level"


@pytest.mark.parametrize("definition", [SAME, OTHER])
@pytest.mark.parametrize("factor", [10, 100, 1000, 0.1, 0.01, 0.001])
def test_a_unit_slip_is_named_by_its_factor(factor: float, definition: Official) -> None:
    finding = found(satellite(LEVEL), office((LEVEL + WOBBLE) * factor), definition)
    assert finding.verdict == "defect in the data"
    assert finding.reasons[0].startswith(f"factor {factor:,}" if factor > 1 else f"factor 1/{1 / factor:,.0f} in")
    assert finding.reasons[1] == "with the factor taken out: agrees"
    assert finding.evidence["factor"] == factor


def test_a_unit_slip_in_one_year_is_named() -> None:
    values = LEVEL + WOBBLE
    values[7] *= 1000
    assert found(satellite(LEVEL), office(values)).reasons[0].startswith("factor 1,000 in 2008,")


def test_small_values_ten_times_apart_but_within_the_tolerance_are_no_slip() -> None:
    assert found(satellite([0.1, 0.11, 0.09]), office([1.0, 1.1, 0.9])).verdict == "agrees"


def test_a_break_is_dated_and_laid_to_the_series_that_jumps() -> None:
    shift = np.where(np.arange(YEARS) < 12, 0, 5)
    theirs = found(satellite(LEVEL), office(LEVEL + WOBBLE + shift))
    assert theirs.verdict == "differs in level"
    assert "a break in 2013" in theirs.reasons[0] and "the official series that jumps" in theirs.reasons[0]
    assert theirs.evidence["jump"] == pytest.approx(-5, abs=0.2)
    ours = found(satellite(LEVEL + shift), office(LEVEL + WOBBLE))
    assert "the satellite series that jumps" in ours.reasons[0]


def test_one_odd_year_is_named_and_the_rest_judged_without_it() -> None:
    values = LEVEL + WOBBLE
    values[7] += 8
    finding = found(satellite(LEVEL), office(values))
    assert finding.verdict == "differs in level"
    assert finding.reasons[:2] == (
        "odd years: 2008 stands out by 8.4 percentage points",
        "without it: agrees",
    )


def test_opposite_directions_are_said_with_both_slopes() -> None:
    finding = found(satellite(RISING), office(110 - RISING))
    assert finding.verdict == "differs in direction"
    assert finding.evidence["slope_satellite"] == pytest.approx(0.4, abs=0.02)
    assert finding.evidence["slope_official"] == pytest.approx(-0.4, abs=0.02)


def test_opposite_directions_of_no_size_are_a_remark() -> None:
    tiny = 50 + 0.01 * np.arange(YEARS)
    finding = found(satellite(tiny), office(100 - tiny))
    assert finding.verdict == "agrees"
    assert any(reason.startswith("opposite directions") for reason in finding.reasons)


def test_unseen_ground_as_large_as_the_change_forbids_a_direction() -> None:
    assert found(satellite(RISING, reach=5), office(110 - RISING)).verdict != "differs in direction"


def test_seven_years_show_no_direction() -> None:
    assert found(satellite(RISING[:7]), office(110 - RISING[:7])).verdict != "differs in direction"


def test_a_drift_is_said_where_it_ends_beyond_the_tolerance() -> None:
    finding = found(satellite(LEVEL), office(LEVEL + WOBBLE + 0.4 * np.arange(YEARS)))
    assert finding.verdict == "differs in level" and "drift apart" in finding.sentence


def test_noise_is_not_called_agreement() -> None:
    assert found(satellite(LEVEL), office(LEVEL + 10 * WOBBLE)).verdict == "not settled"


def test_a_tolerance_in_percent_works_on_ratios() -> None:
    share = Official("S", 0.05, relative=True)
    area = 1000 + 10 * WOBBLE
    ours = satellite(area, unit_measure="km2")
    assert found(ours, office(area * 102, unit="ha"), share).verdict == "agrees"
    finding = found(ours, office(area * 130, unit="ha"), share)
    assert finding.verdict == "differs in level"
    assert finding.evidence["bias"] == pytest.approx(1 / 1.3 - 1)
    assert "23.1 % less" in finding.sentence


def test_no_trend_and_no_level_runs_across_a_known_break() -> None:
    shift = np.where(np.arange(YEARS) < 6, -9, 0)
    finding = found(satellite(LEVEL + shift), office(LEVEL + WOBBLE), breaks=[("2007-01-01", "sensor B follows A")])
    assert finding.verdict == "agrees"
    assert finding.evidence["n"] == 14
    assert [pair["used"] for pair in finding.pairs] == [False] * 6 + [True] * 14
    assert any("sensor B follows A" in reason for reason in finding.reasons)


def test_years_on_both_sides_of_a_known_break_show_a_direction_together() -> None:
    step = np.where(np.arange(10) < 6, 0, 30)  # the satellite's level changes with its sensor
    finding = found(satellite(RISING[:10] + step), office(110 - RISING[:10]), breaks=[("2007-01-01", "sensor B")])
    assert finding.verdict == "differs in direction"
    assert finding.evidence["slope_satellite"] == pytest.approx(0.4, abs=0.1)
    assert all(pair["used"] for pair in finding.pairs)


def test_a_step_at_a_known_break_is_no_trend() -> None:
    step = np.where(np.arange(10) < 5, 0, 30)
    ours, theirs = satellite(LEVEL[:10] + step), office(LEVEL[:10] + WOBBLE[:10] + 30)
    finding = found(ours, theirs, breaks=[("2006-01-01", "sensor B")])
    assert finding.evidence["p_slope_satellite"] > 0.05
    assert finding.verdict == "agrees" and "2006 to 2010" in finding.sentence
    assert "2001 to 2005, on the other side of a break: differs in level" in finding.reasons


def test_a_jump_is_found_in_the_six_years_before_a_known_break() -> None:
    values = LEVEL[:10] + WOBBLE[:10] + np.where(np.arange(10) < 3, 0, 8)
    finding = found(satellite(LEVEL[:10]), office(values), breaks=[("2007-01-01", "sensor B")])
    assert finding.verdict == "differs in level" and "a break in 2004" in finding.reasons[0]


def test_a_year_with_the_break_inside_is_used_by_no_side() -> None:
    finding = found(satellite(LEVEL), office(LEVEL + WOBBLE), breaks=[("2007-06-15", "sensor B follows A")])
    assert [pair["time_period"] for pair in finding.pairs if pair["used"]] == [str(y) for y in range(2008, 2021)]


def test_withheld_values_never_pair() -> None:
    ours = satellite([50, 51, np.nan, 90])
    ours.loc[2:, "obs_status"] = "too little was seen: 41 % of 80 %"
    finding = found(ours, office([50, 51, 52, 53]))
    assert [pair["time_period"] for pair in finding.pairs] == ["2001", "2002"]
    assert "too little was seen" in found(ours[2:], office([50, 51, 52, 53])).sentence


def test_text_in_the_official_table_never_pairs() -> None:
    finding = found(satellite([50.0, 51.0]), office([50.0, 51.0]).assign(obs_value=np.nan, obs_status="text: 'NV'"))
    assert finding.verdict == "not enough data" and "'NV'" in finding.sentence


def test_interpolated_and_modelled_figures_are_remarked() -> None:
    reasons = found(satellite(RISING), office(50 + 0.4 * np.arange(YEARS), nature="E")).reasons
    assert any("straight line" in reason for reason in reasons)
    assert any("nature E or M" in reason for reason in reasons)


# Planted departures in random honest series: yearly noise of 0.3 tolerances, correlated 0.5


def worlds(n: int, seed: int) -> list[tuple[np.ndarray, np.ndarray]]:
    """Satellite and honest official values."""
    random = np.random.default_rng(seed)
    made = []
    for _ in range(n):
        noise = random.normal(0, 0.6, YEARS)
        for i in range(1, YEARS):
            noise[i] = 0.5 * noise[i - 1] + 0.75**0.5 * noise[i]
        base = 50 + random.normal(0, 1, YEARS) + random.normal(0, 0.1) * np.arange(YEARS)
        made.append((base, base + noise))
    return made


PLANTS = {
    "level": lambda v: v + 4,
    "break": lambda v: v + np.where(np.arange(YEARS) < 11, 0, 4),
    "drift": lambda v: v + 4 * np.arange(YEARS) / YEARS,
    "odd": lambda v: v + np.where(np.arange(YEARS) == 6, 8, 0),
    "factor": lambda v: v * 100,
}


@pytest.mark.parametrize("plant", PLANTS)
def test_departures_of_two_tolerances_are_found(plant: str) -> None:
    different = [
        found(satellite(ours), office(PLANTS[plant](theirs))).verdict.startswith(("differs", "defect"))
        for ours, theirs in worlds(25, seed=list(PLANTS).index(plant))
    ]
    assert sum(different) >= 24


def test_honest_series_are_left_alone() -> None:
    verdicts = [found(satellite(ours), office(theirs)).verdict for ours, theirs in worlds(60, seed=9)]
    assert not [v for v in verdicts if v.startswith(("differs", "defect"))]
    assert verdicts.count("agrees") >= 57


# What comes out


def test_only_totals_of_outputs_with_an_official_series_are_checked() -> None:
    ours = pd.concat(
        [satellite(LEVEL), satellite(LEVEL, breakdown="status=1"), satellite(LEVEL).assign(series="other")]
    )
    assert [(f.output, f.evidence["n"]) for f in check(ours, office(LEVEL), indicator())] == [("share", YEARS)]


def test_a_finding_is_json_without_nan() -> None:
    finding = found(satellite([50.0, 51.0], interval="one_sided").assign(lower=49.0), office([50.0, 51.0]))
    plain: Mapping[str, Any] = json.loads(json.dumps(finding.as_dict(), allow_nan=False))
    assert plain["pairs"][0]["upper"] is None and plain["pairs"][0]["lower"] == 49.0
    assert plain["verdict"] == "not enough data"


def test_the_headline_is_the_country_then_the_gravest() -> None:
    ours = pd.concat([satellite(LEVEL, area=code) for code in ("P1", "P2", "STP")])
    theirs = pd.concat([office(LEVEL, "P1"), office(LEVEL - 9, "P2"), office(LEVEL, "STP")])
    findings = check(ours, theirs, indicator())
    assert [f.ref_area for f in (headline(findings), headline(findings[:2])) if f] == ["STP", "P2"]
    assert headline([]) is None


def test_a_table_that_is_none_is_refused() -> None:
    with pytest.raises(InputError, match="official table lacks the columns 'definition'"):
        check(satellite(LEVEL), office(LEVEL).drop(columns="definition"), indicator())


def test_two_runs_in_one_series_are_refused() -> None:
    with pytest.raises(InputError, match="more than once"):
        check(pd.concat([satellite(LEVEL), satellite(LEVEL)]), office(LEVEL), indicator())


# What a sceptic would ask


def test_months_are_no_years() -> None:
    months = [f"{2019 + n // 12}-{n % 12 + 1:02d}" for n in range(20)]
    ours = satellite(RISING).assign(time_period=months)
    theirs = office(LEVEL + 5 - RISING + 50).assign(time_period=months)
    assert found(ours, theirs).verdict != "differs in direction"
    agreed = found(ours, office(RISING).assign(time_period=months))
    assert (agreed.verdict, agreed.grade, agreed.evidence["n"]) == ("agrees", "", 20)


def test_a_line_between_two_values_has_no_interval_of_its_own() -> None:
    finding = found(satellite(110 - RISING), office(np.linspace(50, 58, YEARS)))
    assert finding.verdict == "differs in direction"
    assert "the office rises by 0.4 percentage points a year on straight lines through 2 values;" in finding.sentence
    assert finding.evidence["p_slope_official"] > 0.05


def test_the_first_grade_needs_a_satellite_interval_that_is_no_wider_than_the_tolerance() -> None:
    assert found(satellite(LEVEL, reach=1.9), office(LEVEL + WOBBLE)).grade == "A"
    wide = found(satellite(LEVEL, reach=2.1), office(LEVEL + WOBBLE))
    assert (wide.verdict, wide.grade) == ("agrees", "B")
    assert "the satellite's own interval is wider" in wide.grade_rule
    assert found(satellite(LEVEL, interval="bounds"), office(LEVEL + WOBBLE)).grade == "B"


def test_errors_of_the_map_last_all_years_and_can_forbid_to_agree() -> None:
    """Half a point of scatter averages out over 20 years; three points by which the sample lets the map err do not."""
    theirs = office(LEVEL + WOBBLE)
    assert found(satellite(LEVEL, reach=3.0), theirs).verdict == "agrees"
    sampled = satellite(LEVEL, reach=3.0).assign(interval="bounds+confusion")
    finding = found(sampled, theirs)
    assert finding.verdict == "not settled"
    assert finding.reasons[0] == (
        "as published they lie within 2.0 percentage points, but the reference sample lets the map err by "
        "3.0 percentage points in every year"
    )
    assert found(satellite(LEVEL, reach=1.0).assign(interval="bounds+confusion"), theirs).verdict == "agrees"


def test_what_an_open_interval_leaves_unsettled_is_said_so() -> None:
    finding = found(satellite(LEVEL, interval="bounds"), office(LEVEL - 9))
    assert finding.verdict == "not settled"
    assert finding.reasons[0] == (
        "as published they are further apart (95 % interval of the difference 9.00 to 9.00), "
        "but the satellite's own interval reaches the official values"
    )


def test_an_official_value_that_is_repeated_is_remarked_on() -> None:
    words = "the office gives the same value 5 times in a row (2016 to 2020): perhaps carried forward"
    assert any(words in r for r in found(satellite(LEVEL), office([*LEVEL[:15], *[LEVEL[14] + 0.1] * 5])).reasons)
    assert not any("in a row" in r for r in found(satellite(LEVEL), office(LEVEL)).reasons)
    assert not any("in a row" in r for r in found(satellite([50] * 9), office([50] * 9)).reasons)


def test_a_ratio_to_zero_is_said_to_have_no_size() -> None:
    finding = found(satellite([5.0] * 10), office([0.0] * 10), Official("S", 0.1, relative=True))
    assert any("10 of 10 pairs hold a zero" in reason for reason in finding.reasons)


def test_a_declared_change_of_method_is_said_of_an_area_alone() -> None:
    jumped = office(LEVEL + WOBBLE + np.where(np.arange(20) < 12, 0, 5))
    finding = found(satellite(LEVEL), jumped, official_breaks=[("2013-01-01", "new inventory"), ("1990-01-01", "old")])
    assert "declared changes of method in the official series: new inventory (2013-01-01)" in finding.reasons
