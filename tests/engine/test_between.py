"""Two publishers of one figure: what differs between their tables, and what brings it together."""

import itertools
import json
from io import StringIO
from pathlib import Path

import pandas as pd
import pytest
from typer.testing import CliRunner

from geomon.between import Beside, between
from geomon.cli import app
from geomon.errors import InputError
from geomon.official import read_csv

YEARS = [str(year) for year in range(2001, 2011)]
SHARE, PART, WHOLE = "AG_LND_FRST", "AG_LND_FRSTN", "AG_LND_TOTL"


def table(**series: dict[str, list[float]]) -> pd.DataFrame:
    """An official table: series -> area -> values from 2001 on."""
    units = {SHARE: "percent", PART: "km2", WHOLE: "km2", "SP.POP.TOTL": "people"}
    rows = [
        {
            "series": name,
            "ref_area": area,
            "time_period": year,
            "obs_value": value,
            "unit_measure": units.get(name, "percent"),
        }
        for name, areas in series.items()
        for area, values in areas.items()
        for year, value in zip(YEARS, values, strict=False)
    ]
    return read_csv(StringIO(pd.DataFrame(rows).to_csv(index=False)), publisher="x")


def reasons(found: Beside) -> dict[str, int]:
    return dict(zip(found.reasons.reason, found.reasons.pairs, strict=True))


def forest(part: list[float], whole: list[float]) -> pd.DataFrame:
    """Forest share of Austria, with the areas that it is made of."""
    share = [100 * p / w for p, w in zip(part, whole, strict=True)]
    return table(**{SHARE: {"AUT": share}, PART: {"AUT": part}, WHOLE: {"AUT": whole}})


def test_equal_tables_differ_nowhere() -> None:
    (found,) = between(forest([40.0] * 10, [100.0] * 10), forest([40.0] * 10, [100.0] * 10), [SHARE])
    assert (len(found.pairs), len(found.differing)) == (10, 0)


def test_a_revised_part_is_the_numerator() -> None:
    (found,) = between(forest([40.0] * 10, [100.0] * 10), forest([40.0] * 8 + [41.0, 41.0], [100.0] * 10), [SHARE])
    assert reasons(found) == {"numerator": 2}
    assert found.differing.difference.tolist() == pytest.approx([-1, -1])


def test_another_figure_for_the_country_is_the_denominator() -> None:
    (found,) = between(forest([40.0] * 10, [100.0] * 10), forest([40.0] * 10, [105.0] * 10), [SHARE])
    assert reasons(found) == {"denominator": 10}


def test_a_whole_of_one_year_beside_wholes_of_each_is_a_base_year() -> None:
    one = forest([40.0] * 10, [100.0] * 10)
    one = one[(one.series != WHOLE) | (one.time_period == "2001")]
    (found,) = between(one, forest([40.0] * 10, [100.0 + n for n in range(10)]), [SHARE])
    assert reasons(found) == {"base year": 9}


def test_what_the_parts_do_not_close_is_unexplained() -> None:
    other = forest([40.0] * 10, [100.0] * 10)
    other.loc[other.series == SHARE, "obs_value"] += 3
    (found,) = between(forest([40.0] * 10, [100.0] * 10), other, [SHARE])
    assert reasons(found) == {"unexplained": 10}


def grown(rates: list[float], people: list[float]) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Growth per person at one publisher, of the total at the other."""
    growth = [(b / a - 1) for a, b in itertools.pairwise(people)]
    each = [100 * ((1 + g / 100) / (1 + n) - 1) for g, n in zip(rates[1:], growth, strict=True)]
    ours = table(NY_GDP_PCAP={"AUT": [0.0, *each]})
    return ours[ours.time_period != "2001"], table(
        **{"NY.GDP.MKTP.KD.ZG": {"AUT": rates}, "SP.POP.TOTL": {"AUT": people}}
    )


def test_growth_per_person_beside_growth_of_the_total_is_a_definition() -> None:
    ours, theirs = grown([4.0, 5, 3, 6, 4, 5, 3, 4, 6, 5], [100 * 1.03**n for n in range(10)])
    (found,) = between(ours, theirs, tolerance=0.1)
    assert reasons(found) == {"per person": 9}
    assert found.pairs.left.abs().max() < 1e-9


def test_growth_of_the_year_after_is_named_where_it_fits_the_whole_area() -> None:
    ours, theirs = grown([4.0, 5, 3, 9, 1, 7, 2, 8, 6, 5], [100 * 1.03**n for n in range(10)])
    ours["time_period"] = [str(int(year) - 1) for year in ours.time_period]
    (found,) = between(ours, theirs, tolerance=0.1)
    assert reasons(found)["year after"] >= 6
    assert "unexplained" not in reasons(found) or reasons(found)["unexplained"] <= 1


def test_a_power_of_ten_in_all_years_is_a_unit() -> None:
    a, b = (table(S={"AUT": [scale * v for v in (1.5, 2.5, 3.5)]}) for scale in (1, 1000))
    (found,) = between(a, b)
    assert reasons(found) == {"unit": 3}


def test_figures_rounded_to_four_digits_are_rounding() -> None:
    (found,) = between(table(S={"AUT": [497798.5, 12.0]}), table(S={"AUT": [497799.0, 12.5]}))
    assert reasons(found) == {"rounding": 1, "unexplained": 1}


def test_a_newer_vintage_shows_in_the_last_years_only() -> None:
    (found,) = between(table(S={"AUT": [5.0] * 10}), table(S={"AUT": [5.0] * 8 + [5.7, 5.9]}))
    assert reasons(found) == {"last years": 2}


def test_groups_never_pair_and_countries_do_under_each_code() -> None:
    a = table(S={"AUT": [5.0], "group:WLD": [7.0]})
    (found,) = between(a, table(S={"AT": [6.0], "group:WLD": [9.0]}))
    assert found.pairs.ref_area.tolist() == ["AUT"]


def test_a_series_that_is_not_shared_is_refused() -> None:
    with pytest.raises(InputError, match=r"do not share the series 'T'.*They share 'S'"):
        between(table(S={"AUT": [5.0]}), table(S={"AUT": [5.0]}), ["T"])


def test_the_command_counts_by_reason_and_shows_examples(tmp_path: Path) -> None:
    for name, part in (("a", [40.0] * 10), ("b", [40.0] * 8 + [41.0, 41.0])):
        forest(part, [100.0] * 10).to_csv(tmp_path / f"{name}.csv", index=False)
    files = [str(tmp_path / f"{name}.csv") for name in "ab"]
    shown = CliRunner().invoke(app, ["compare", *files, "--series", SHARE])
    assert shown.exit_code == 0
    assert "2 of 10 pairs in 1 areas differ by more than 0.01." in shown.stdout and "the numerator" in shown.stdout
    told = json.loads(CliRunner().invoke(app, ["compare", *files, "--series", SHARE, "--json"]).stdout)
    (reason,) = told["compared"][0]["reasons"]
    assert (reason["reason"], reason["pairs"], reason["examples"][0]["time_period"]) == ("numerator", 2, "2009")


def test_a_tolerance_below_zero_is_refused() -> None:
    assert CliRunner().invoke(app, ["compare", "a.csv", "b.csv", "--tolerance", "-1"]).exit_code == 1
