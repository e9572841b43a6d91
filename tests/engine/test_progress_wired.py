"""Progress of the series of a run: graded by area, never across a break, stored and said."""

import json
from typing import Any

import numpy as np
import pandas as pd
import pytest

from geomon import Indicator, Output, Source, share
from geomon.cli.progress import grades
from geomon.cli.tables import Area
from geomon.errors import DefinitionError
from geomon.progress import Progress, progress
from geomon.publishing import plain
from geomon.series import tidy


def forest(**more: Any) -> Indicator:
    output = Output(share("forest"), "percent", title="Forest", **({"desired": "up"} | more))
    return Indicator(
        code="forest",
        title="Forest",
        sources={"cover": Source("esa-worldcover")},
        grid="cover",
        measure=lambda cover: {"forest": cover > 0},
        outputs={"share": output},
    )


def series(values: dict[int, float], half: float = 0.0, interval: str = "bounds", area: str = "A") -> pd.DataFrame:
    common = {
        "indicator": "forest",
        "series": "share",
        "ref_area": area,
        "unit_measure": "percent",
        "interval": interval,
    }
    return tidy(
        [
            {**common, "time_period": str(y), "obs_value": v, "lower": v - half, "upper": v + half}
            for y, v in values.items()
        ]
    )


def one(*given: Any, breaks: Any = (), **more: Any) -> Progress:
    (found,) = progress(series(*given), forest(**more), breaks=breaks, names={"A": "Aland"})
    return found


def test_two_percent_a_year_is_substantial_progress() -> None:
    found = one({2015: 50.0, 2020: 50 * 1.02**5})
    assert (found.grade, found.open_sdg) == ("substantial progress", "substantial progress")
    assert found.rate == pytest.approx(0.02) and found.start == (2015, 50) and found.latest is not None
    assert found.sentence.startswith(
        "Forest, Aland: substantial progress. It changed by +2.0 % a year from 2015 to 2020; more is progress."
    )


def test_the_rate_is_a_change_and_the_grade_knows_what_is_desired() -> None:
    found = one({2015: 50.0, 2020: 50 * 0.98**5}, desired="down")
    assert found.grade == "substantial progress" and found.rate == pytest.approx(-0.02)
    assert "It changed by -2.0 % a year" in found.sentence and "less is progress" in found.sentence


def test_a_target_and_what_it_takes() -> None:
    found = one({2015: 40.0, 2020: 44.0}, target=60.0, target_year=2030, target_source="the forest plan of Aland")
    assert found.required == pytest.approx((60 / 40) ** (1 / 15) - 1)
    assert found.ratio == pytest.approx(((44 / 40) ** 0.2 - 1) / found.required)
    assert found.grade == "fair progress" and "To reach 60 % in 2030 it takes +2.7 % a year." in found.sentence


@pytest.mark.parametrize("more", [{"target": 60.0}, {"target": 60.0, "desired": "", "target_source": "a plan"}])
def test_a_target_says_who_set_it_and_which_way(more: dict[str, Any]) -> None:
    with pytest.raises(DefinitionError, match="The target 60 of an output needs"):
        forest(**more)


def test_intervals_of_95_percent_give_probabilities() -> None:
    """Standard errors of 1.96 / 1.96 = 1 at both ends of a rise of 0.8 % a year: 50 to 52."""
    found = one({2015: 50.0, 2020: 52.0}, 1.96, "confusion")
    assert sum(found.probability.values()) == pytest.approx(1)
    assert found.grade == "fair progress" and found.probability["deterioration"] > 0
    rises = np.random.default_rng(1).normal(50, 1, 4000), np.random.default_rng(2).normal(52, 1, 4000)
    wanted = np.mean((rises[1] / rises[0]) ** 0.2 - 1 > 0.01)
    assert found.probability["substantial progress"] == pytest.approx(wanted, abs=0.05)
    assert f"in {100 * found.probability['fair progress']:.0f} of 100 draws" in found.sentence


def test_bounds_are_no_probability_but_leave_grades_possible() -> None:
    found = one({2015: 50.0, 2020: 52.0}, 1.5)
    assert found.probability == {}
    assert found.possible == ("substantial progress", "fair progress", "limited or no progress")
    assert "anything from substantial progress to limited or no progress" in found.sentence
    assert one({2015: 50.0, 2020: 60.0}, 0.1).possible == ("substantial progress",)


def test_a_plausible_range_is_no_probability_either() -> None:
    """A sample of the product at large claims no 95 %, so no grade has odds by it."""
    found = one({2015: 50.0, 2020: 52.0}, 1.5, "bounds+model")
    assert found.probability == {} and found.open_sdg_probability == {}
    assert found.possible == ("substantial progress", "fair progress", "limited or no progress")
    assert "the plausible errors of the map leave anything from" in found.sentence
    assert "errors of the map might" in one({2015: 50.0, 2020: 60.0}, 0.1).sentence
    assert "known for elsewhere change that" in one({2015: 50.0, 2020: 60.0}, 0.1, "bounds+model").sentence
    assert one({2015: 50.0, 2020: 52.0}, 1.96, "bounds+confusion").probability


def test_nothing_is_graded_across_a_known_break() -> None:
    values = {y: 50.0 + (y >= 2019) * 20 for y in range(2015, 2024)}
    assert one(values).grade == "substantial progress"
    found = one(values, breaks=[("2019-01-01", "another sensor")])
    assert found.grade == "limited or no progress" and found.start == (2019, 70)
    found = one(values, breaks=[("2022-01-01", "another sensor")])
    assert found.grade == "not enough data"
    assert "fewer than 3 years, counted since a known break" in found.why and "another sensor" in found.why


def test_a_break_before_the_series_or_after_it_means_nothing() -> None:
    values = {2015: 50.0, 2020: 60.0}
    for date in ("2014-06-01", "2015-01-01", "2021-01-01"):
        assert one(values, breaks=[(date, "another sensor")]).start == (2015, 50)


def test_few_years_are_not_enough() -> None:
    found = one({2020: 50.0, 2021: 51.0})
    assert found.grade == found.open_sdg == "not enough data"
    assert found.sentence == "Forest, Aland: not enough data: 2020 to 2021 are fewer than 3 years."


def test_withheld_years_are_gaps() -> None:
    found = one({2015: 50.0, 2019: np.nan, 2020: 52.0, 2022: np.nan})
    assert found.latest == (2020, 52)


def test_nothing_is_graded_without_a_direction_nor_by_month() -> None:
    assert progress(series({2015: 50.0, 2020: 60.0}), forest(desired="")) == []
    monthly = series({2015: 50.0}).assign(time_period="2015-01")
    assert progress(monthly, forest()) == []


def test_it_is_json_without_what_is_not_known() -> None:
    written = json.loads(json.dumps(plain(one({2020: 50.0, 2021: 51.0}).as_dict()), allow_nan=False))
    assert written["rate"] is None and written["start"] is None and written["why"]


def test_the_command_line_says_countries_first_and_reasons_once() -> None:
    years, few = {2015: 50.0, 2020: 60.0}, {2020: 50.0}
    table = pd.concat([series(v, area=a) for a, v in {"d": years, "N": years, "e": few, "f": few}.items()])
    found = [p.as_dict() for p in progress(table, forest(), names={"N": "Nation", "d": "Dee"})]
    areas = {"N": Area("Nation", 0), "d": Area("Dee", 1), "e": Area("Ee", 1), "f": Area("Eff", 1)}
    lines = [line.plain for line in grades(found, areas)]
    assert lines[0].startswith("substantial progress  Forest, Nation:")
    assert lines[1].startswith("substantial progress  Forest, Dee:")
    assert lines[2].startswith("not enough data  2 areas: there are not two values")


def test_from_zero_no_rate_follows_and_json_says_null() -> None:
    found = one({2015: 0.0, 2020: 5.0}, target=30.0, target_year=2030, target_source="a plan")
    assert found.grade == "fair progress" and "no rate follows" in found.sentence and "inf" not in found.sentence
    assert found.as_dict()["rate"] is None and json.dumps(found.as_dict(), allow_nan=False)
