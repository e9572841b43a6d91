"""Progress by the published cut points, and how sure it is."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from geomon.errors import InputError
from geomon.stats.progress import CLASSES, FAIR, LIMITED, MET, RULES, SUBSTANTIAL, UNKNOWN, WORSE, assess, below

SHORT = {"substantial": SUBSTANTIAL, "fair": FAIR, "limited": LIMITED, "deterioration": WORSE}
OPEN = {"on_track": SUBSTANTIAL, "needs_acceleration": FAIR, "limited": LIMITED, "deterioration": WORSE}


@pytest.fixture(scope="module")
def vectors(shared_data: Path) -> dict[str, Any]:
    found = json.loads((shared_data.parent / "methods" / "test_vectors.json").read_text())["vectors"]
    return {v["name"]: v for v in found}


def test_with_a_target(vectors: dict[str, Any]) -> None:
    case, wanted = (vectors["unsd.progress_with_target"][k] for k in ("inputs", "expected"))
    found = assess(
        [case["t0"], case["t"]],
        [case["x0"], case["xt"]],
        desired="down",
        target=case["target"],
        target_year=case["target_year"],
    )
    assert found.rate == pytest.approx(wanted["cagr_actual"], abs=1e-9)
    assert found.required == pytest.approx(wanted["cagr_required"], abs=1e-9)
    assert found.ratio == pytest.approx(wanted["ratio"], abs=1e-9)
    assert found.grade == LIMITED and wanted["class_unsd"] == "limited_or_no_progress"


def test_the_cut_points_of_ratios(vectors: dict[str, Any]) -> None:
    case, wanted = (vectors["unsd.progress_ratio_classes"][k] for k in ("inputs", "expected"))
    for rules, key, words in (("unsd", "class_unsd", SHORT), ("open-sdg", "class_open_sdg", OPEN)):
        found = below(np.array(case["ratio"], float), RULES[rules].ratio, RULES[rules].reached[0])
        assert [CLASSES[n] for n in found] == [words[w] for w in wanted[key]]


def test_without_a_target(vectors: dict[str, Any]) -> None:
    case, wanted = (vectors["unsd.progress_no_target"][k] for k in ("inputs", "expected"))
    for n, x in enumerate(case["xt"]):
        for rules, key, words in (("unsd", "class_unsd", SHORT), ("open-sdg", "class_open_sdg", OPEN)):
            found = assess([2015, 2015 + case["years"]], [case["x0"], x], desired="up", rules=rules)
            assert found.rate == pytest.approx(wanted["cagr"][n], abs=1e-9)
            assert found.grade == words[wanted[key][n]]


def test_falling_is_progress_where_that_is_desired() -> None:
    """A known program takes the absolute rate and can never say that something got worse."""
    assert assess([2015, 2023], [100, 90], desired="down").grade == SUBSTANTIAL
    assert assess([2015, 2023], [100, 110], desired="down").grade == WORSE


@pytest.mark.parametrize(
    ("values", "target", "grade"),
    [
        ((40, 10), 10, MET),
        ((40, 9), 10, MET),
        ((8, 9), 10, MET),
        ((8, 12), 10, WORSE),  # it was met once
        ((40, 0), 0, MET),
        ((40, 23), 0, FAIR),  # by differences: growth rates know no zero
    ],
)
def test_targets_that_are_met_or_zero(values: tuple[float, float], target: float, grade: str) -> None:
    found = assess([2015, 2023], values, desired="down", target=target)
    assert found.grade == grade
    assert found.linear == (target == 0)


@pytest.mark.parametrize(
    ("values", "desired", "target", "grade"),
    [
        ((10, 5), "up", 10, WORSE),
        ((10, 10), "up", 10, MET),
        ((-1, 5), "down", -1, WORSE),
        ((0, 5), "down", 0, WORSE),
        ((0, 0), "down", 0, MET),
        ((12, 11), "up", 10, MET),
        ((10, 10), "up", 10.00001, MET),  # a target where the start was, but for its digits
        ((10, 9), "up", 10.00001, WORSE),
    ],
)
def test_what_started_at_its_target_keeps_it_or_got_worse(
    values: tuple[float, float], desired: str, target: float, grade: str
) -> None:
    assert assess([2015, 2023], values, desired=desired, target=target).grade == grade


def test_2015_is_read_off_the_line_between_its_neighbours() -> None:
    found = assess([2010, 2020, 2023], [10, 20, 26], desired="up")
    assert found.start == (2015, 15.0) and found.latest == (2023, 26.0)
    assert assess([2017, 2023], [10, 20], desired="up").start == (2017, 10.0)


def test_too_little_is_said_to_be_too_little() -> None:
    for years, values in (
        ([2015], [1.0]),
        ([2015, 2017], [1.0, 2.0]),
        ([2000, 2010], [1.0, 2.0]),
        ([2015, 2023], [1, np.nan]),
    ):
        found = assess(years, values, desired="up")
        assert found.grade == UNKNOWN and found.why


def test_three_years_are_enough_and_less_are_not() -> None:
    assert assess([2015, 2018], [1, 2], desired="up").grade == SUBSTANTIAL
    assert assess([2015, 2017.9], [1, 2], desired="up").grade == UNKNOWN


def test_growth_from_zero_is_not_known_without_a_target() -> None:
    found = assess([2015, 2023], [0, 3], desired="up", se=[1, 1])
    assert (found.grade, found.why) == (UNKNOWN, "growth from zero, the value of 2015, is undefined")
    assert assess([2015, 2023], [0, 4], desired="up", target=6).grade == SUBSTANTIAL


@pytest.mark.parametrize(("years", "target_year"), [([2015, 2023], 2015), ([2015, 2023], 2010), ([2032, 2036], 2030)])
def test_a_target_of_a_year_that_was_over_is_not_assessed(years: list[int], target_year: int) -> None:
    found = assess(years, [1, 2], desired="up", target=3, target_year=target_year)
    assert found.grade == UNKNOWN and f"year of the target, {target_year}, is not after {years[0]}" in found.why


def test_how_sure_it_is() -> None:
    """A value just above a cut point with a wide interval is as likely below it."""
    at = 100 * 1.01**8
    sharp = assess([2015, 2023], [100, at + 1], se=[0.01, 0.01], desired="up")
    assert sharp.probability[SUBSTANTIAL] == 1
    blunt = assess([2015, 2023], [100, at], se=[0, 2], desired="up")
    assert blunt.probability[SUBSTANTIAL] == pytest.approx(0.5, abs=0.06)
    assert sum(blunt.probability.values()) == pytest.approx(1)
    assert assess([2015, 2023], [100, at], desired="up").probability == {}
    off_the_line = assess([2005, 2015, 2023], [50, 100, at + 1], se=[50, 0.01, 0.01], desired="up")
    assert off_the_line.probability[SUBSTANTIAL] == 1  # the error of 2015 counts, not that of 2005
    again = assess([2015, 2023], [100, at], se=[0, 2], desired="up")
    assert again.probability == blunt.probability


def test_what_is_not_known_is_refused() -> None:
    with pytest.raises(InputError, match="'unsd', 'open-sdg'"):
        assess([2015, 2023], [1, 2], desired="up", rules="escap")
    with pytest.raises(InputError, match="desired='up' or 'down'"):
        assess([2015, 2023], [1, 2], desired="")
    for target in (np.nan, np.inf):
        with pytest.raises(InputError, match="Give a number, or None"):
            assess([2015, 2023], [1, 2], desired="up", target=target)
    for years, values, se in (([2015, 2023], [1, 2, 3], None), ([2015, 2023], [1, 2], [0.1])):
        with pytest.raises(InputError, match="for each year"):
            assess(years, values, desired="up", se=se)


@pytest.mark.parametrize("desired", ["up", "down"])
@pytest.mark.parametrize(("rate", "grade"), [(0.01, FAIR), (0.005, LIMITED), (-0.01, LIMITED)])
def test_a_value_at_a_cut_point_is_below_it_whatever_its_digits(desired: str, rate: float, grade: str) -> None:
    """More than 1 % is substantial; 1 % is not, also where its fifth root is not exact."""
    sign = 1 if desired == "up" else -1
    assert assess([2015, 2020], [100, 100 * (1 + sign * rate) ** 5], desired=desired).grade == grade


def test_rates_by_differences_are_what_the_ratio_is_of() -> None:
    """Twelve to eight in 5 of 15 years: a third of twelve, as a target of zero asks for."""
    found = assess([2015, 2020], [12, 8], desired="down", target=0)
    assert (found.rate, found.required, found.ratio) == pytest.approx((-1 / 15, -1 / 15, 1))
