"""A change is real only if the intervals say so, and never across a known break."""

from typing import Any

import numpy as np
import pandas as pd
import pytest

from geomon.change import change
from geomon.errors import InputError
from geomon.series import tidy

V200 = [("2021-01-01", "WorldCover changed its algorithm from v100 to v200")]


def rows(*values: tuple[str, float, float, float], interval: str = "bounds", **more: Any) -> pd.DataFrame:
    """Period, lower end, value, upper end."""
    return tidy(
        [
            {
                "series": "share",
                "ref_area": "P1",
                "time_period": period,
                "lower": low,
                "obs_value": value,
                "upper": high,
            }
            | {"unit_measure": "percent", "interval": interval}
            | more
            for period, low, value, high in values
        ]
    )


def test_intervals_apart_are_a_yes_with_the_difference_that_they_leave() -> None:
    found = change(rows(("2018", 59, 60, 61), ("2019", 56, 57, 58)), "2018", "2019")
    assert found.answer == "yes"
    assert (found.difference, found.lower, found.upper) == (-3, -5, -1)
    assert found.sentence == (
        "From 2018 to 2019: yes, from 60.0 % to 57.0 %, 3.0 percentage points less; the two intervals do not "
        "overlap: the difference lies between -5.00 and -1.00; the intervals cover ground that was not seen, "
        "not mistakes of the map."
    )


def test_intervals_that_overlap_or_touch_cannot_tell() -> None:
    assert change(rows(("2018", 59, 60, 61), ("2019", 58, 59, 60)), "2018", "2019").answer == "cannot tell"
    assert change(rows(("2018", 59, 60, 61), ("2019", 57, 58, 59)), "2018", "2019").answer == "cannot tell"


def test_no_room_for_a_change_that_matters_is_a_no() -> None:
    table = rows(("2018", 59.9, 60, 60.1), ("2019", 59.9, 60.1, 60.2))
    assert change(table, "2018", "2019", smallest=0.5).answer == "no"
    assert change(table, "2018", "2019", smallest=0.2).answer == "cannot tell"


def test_equal_values_without_doubt_are_a_no() -> None:
    assert change(rows(("2018", 60, 60, 60), ("2019", 60, 60, 60)), "2018", "2019").answer == "no"


def test_a_known_break_between_them_cannot_tell() -> None:
    found = change(rows(("2020", 59, 60, 61), ("2021", 36, 37, 38)), "2020", "2021", V200)
    assert found.answer == "cannot tell"
    assert "changed its algorithm" in found.reason
    assert found.difference == -23


def test_the_break_counts_in_both_orders_and_inside_a_period() -> None:
    table = rows(("2020", 59, 60, 61), ("2021", 36, 37, 38))
    assert change(table, "2021", "2020", V200).answer == "cannot tell"
    assert change(table, "2020", "2021", [("2020-06-01", "a new sensor")]).answer == "cannot tell"


@pytest.mark.parametrize("date", ["2020-01-01", "2022-01-01", "2019-05-05"])
def test_a_break_that_lies_outside_them_does_not_matter(date: str) -> None:
    table = rows(("2020", 59, 60, 61), ("2021", 36, 37, 38))
    assert change(table, "2020", "2021", [(date, "a new sensor")]).answer == "yes"


def test_another_method_or_sensor_cannot_tell() -> None:
    table = rows(("2018", 59, 60, 61), ("2019", 36, 37, 38))
    assert change(table.assign(params=["a=1", "a=2"]), "2018", "2019").answer == "cannot tell"
    assert "the sensor is not the same" in change(table.assign(sensor=["DMSP", "VIIRS"]), "2018", "2019").reason


@pytest.mark.parametrize(("low", "high"), [(np.nan, 61), (59, np.nan), (np.nan, np.nan)])
def test_without_an_interval_of_two_ends_it_cannot_be_told(low: float, high: float) -> None:
    found = change(rows(("2018", low, 60, high), ("2019", 36, 37, 38)), "2018", "2019")
    assert found.answer == "cannot tell" and "no interval with two ends" in found.reason


def test_missing_and_withheld_values_cannot_tell_and_say_why() -> None:
    table = rows(("2018", 59, 60, 61), ("2019", np.nan, np.nan, np.nan))
    table.loc[1, "obs_status"] = "too little was seen: 41 % of 80 %"
    assert "withheld (too little was seen" in change(table, "2018", "2019").reason
    none = change(table, "2018", "2024")
    assert none.answer == "cannot tell" and "no value for 2024" in none.reason
    assert none.as_dict()["difference"] is None


def test_rows_of_two_areas_or_one_period_twice_are_refused() -> None:
    two = pd.concat([rows(("2018", 59, 60, 61)), rows(("2019", 59, 60, 61)).assign(ref_area="P2")])
    with pytest.raises(InputError, match="differ in 'ref_area'"):
        change(two, "2018", "2019")
    with pytest.raises(InputError, match="two periods"):
        change(rows(("2018", 59, 60, 61)), "2018", "2018")
