"""The check and its official tables on the published files."""

from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from geomon.areas import find
from geomon.between import Beside, between, matches
from geomon.check import check
from geomon.indicator import Indicator, Official, Output, Source
from geomon.official import read_csv
from geomon.series import tidy

pytestmark = pytest.mark.real

FOREST = Official(
    "AG_LND_FRST",
    5.0,
    definition="forest by land use, as countries report it to FAO",
    differs="The map shows land cover, the official figure land use: cocoa and coffee under shade trees, oil palm "
    "and orchards are tree cover on the map and agriculture in the statistics.",
)


def measure(cover: Any) -> dict[str, Any]:
    return {}


FOREST_SHARE = Indicator(
    code="15.1.1",
    title="Forest share of the land",
    sources={"cover": Source("esa-worldcover")},
    grid="cover",
    measure=measure,
    outputs={"share": Output(lambda totals: None, "percent", official=FOREST)},
)


@pytest.fixture
def un(shared_data: Path) -> pd.DataFrame:
    return read_csv(shared_data / "tables/official/unsd_sdg_2020q3_extract.csv")


@pytest.fixture
def bank(shared_data: Path) -> pd.DataFrame:
    return read_csv(shared_data / "tables/official/wdi_extract.csv")


def value(table: pd.DataFrame, series: str, area: str, year: str) -> tuple[float, str]:
    """The one value of a key, with its unit."""
    rows = table[(table.series == series) & (table.ref_area == area) & (table.time_period == year)]
    assert len(rows) == 1
    return float(rows.obs_value.iloc[0]), str(rows.unit_measure.iloc[0])


def worldcover(*values: tuple[str, float], area: str = "ST") -> pd.DataFrame:
    """Tree cover of São Tomé and Príncipe, nearly all of it seen."""
    row = {
        "indicator": "15.1.1",
        "series": "share",
        "ref_area": area,
        "unit_measure": "percent",
        "interval": "bounds",
    }
    return tidy([row | {"time_period": y, "obs_value": v, "lower": v - 0.4, "upper": v + 0.3} for y, v in values])


def test_the_un_extract_is_read_right(un: pd.DataFrame) -> None:
    assert len(un) == 22901
    assert value(un, "AG_LND_FRST", "STP", "2020") == (54.0625, "percent")
    assert value(un, "AG_LND_FRSTN", "STP", "2020") == (51.9, "1000 ha")
    assert value(un, "AG_LND_FRST", "NAM", "2010") == (8.9263686, "percent")
    assert value(un, "AG_LND_FRST", "group:1", "2020") == (31.1710014, "percent")
    assert un.obs_value.isna().sum() == 70 == (un.obs_status != "").sum()  # 40 N and 30 NV, none of them zero
    assert set(un.nature) == {"C", "CA", "E", "NOTSPEC"}
    assert {c for c in un.ref_area if find(c) is None and not c.startswith("group:")} == {"XKX", "ANT", "CHI"}


def test_the_world_bank_extract_is_read_right(bank: pd.DataFrame) -> None:
    assert len(bank) == 87804
    assert value(bank, "AG.LND.FRST.ZS", "STP", "2023") == (52.125, "percent")
    assert value(bank, "AG.LND.FRST.K2", "STP", "2020") == (519.0, "km2")
    assert value(bank, "AG.LND.FRST.K2", "group:AFE", "1990") == (4767936.8, "km2")
    assert (bank.unit_measure != "").all() and bank.obs_value.notna().all()
    assert {c for c in bank.ref_area if find(c) is None and not c.startswith("group:")} == {"XKX", "CHI"}


def test_tree_cover_of_sao_tome_differs_by_definition(un: pd.DataFrame) -> None:
    (finding,) = check(worldcover(("2020", 93.6)), un, FOREST_SHARE, names={"ST": "São Tomé and Príncipe"})
    assert finding.verdict == "differs by definition"
    assert finding.reasons[0] == FOREST.differs
    assert finding.sentence.startswith(
        "Forest share of the land, São Tomé and Príncipe, 2020: the satellite shows 93.6 % (93.2 to 93.9), "
        "UN Statistics Division reports 54.1 %; they do not count the same thing: the map shows land cover"
    )
    assert finding.pairs[0]["difference"] == pytest.approx(39.5375)


def test_it_does_so_on_either_side_of_the_change_of_algorithm(un: pd.DataFrame, bank: pd.DataFrame) -> None:
    both = worldcover(("2020", 93.6), ("2021", 92.9))
    breaks = [("2021-01-01", "WorldCover 2021 is made with algorithm v200, 2020 with v100")]
    findings = check(both, pd.concat([un, bank]), FOREST_SHARE, breaks=breaks)
    assert [(f.publisher, f.verdict, f.evidence["n"]) for f in findings] == [
        ("UN Statistics Division", "differs by definition", 1),
        ("World Bank", "differs by definition", 1),
    ]


def test_two_publishers_of_one_figure_agree(un: pd.DataFrame, bank: pd.DataFrame) -> None:
    ours = bank[(bank.series == "AG.LND.FRST.ZS") & ~bank.ref_area.str.startswith("group:")]
    told = ours[["ref_area", "time_period", "obs_value"]].assign(series="share", unit_measure="percent")
    ours = tidy([{str(k): v for k, v in row.items()} for row in told.to_dict("records")])
    same = Indicator(
        code="15.1.1",
        title="Forest share",
        sources={"cover": Source("any")},
        grid="cover",
        measure=measure,
        outputs={"share": Output(lambda totals: None, "percent", official=Official("AG_LND_FRST", 1.0))},
    )
    findings = [f for f in check(ours, un, same) if f.publisher]
    verdicts = pd.Series([f.verdict for f in findings]).value_counts()
    assert verdicts["agrees"] >= 0.9 * verdicts.sum()
    assert verdicts.get("differs in direction", 0) == verdicts.get("not comparable", 0) == 0
    drawn = [f for f in findings if any("straight lines" in reason for reason in f.reasons)]
    assert len(drawn) > 50  # assessments every five to ten years, and lines between


def compared(un: pd.DataFrame, bank: pd.DataFrame, series: str, tolerance: float) -> Beside:
    (found,) = between(un, bank, [series], tolerance=tolerance)
    return found


def pairs(found: Beside) -> dict[str, int]:
    return dict(zip(found.reasons.reason, found.reasons.pairs, strict=True))


def test_every_difference_of_forest_share_is_explained_by_its_parts(un: pd.DataFrame, bank: pd.DataFrame) -> None:
    found = compared(un, bank, "AG_LND_FRST", 0.01)
    assert (len(found.pairs), found.pairs.ref_area.nunique(), len(found.differing)) == (1352, 170, 211)
    assert (found.differing.difference.abs() > 1).sum() == 38
    assert pairs(found) == {"denominator": 133, "base year": 76, "numerator": 2}
    revised = found.differing[found.differing.reason == "numerator"]
    assert sorted(zip(revised.ref_area, revised.time_period, strict=True)) == [("AUT", "2019"), ("AUT", "2020")]


def test_forest_areas_differ_by_rounding_and_one_revision(un: pd.DataFrame, bank: pd.DataFrame) -> None:
    found = compared(un, bank, "AG_LND_FRSTN", 0.1)
    assert (len(found.pairs), pairs(found)) == (1352, {"rounding": 21, "last years": 2})


def test_growth_per_person_explains_a_part_and_the_rest_is_said_to_be_open(
    un: pd.DataFrame, bank: pd.DataFrame
) -> None:
    found = compared(un, bank, "NY_GDP_PCAP", 0.5)
    assert (len(found.pairs), len(found.differing)) == (3014, 2382)
    counted = pairs(found)
    assert counted["per person"] == 1295
    assert counted["year after"] == 11  # Australia, whose year ends in June
    assert counted["unexplained"] == 1053
    assert set(found.differing[found.differing.reason == "year after"].ref_area) == {"AUS"}


def test_nothing_in_the_files_explains_the_differences_of_fine_dust(un: pd.DataFrame, bank: pd.DataFrame) -> None:
    found = compared(un, bank, "EN_ATM_PM25[location=allarea]", 2.0)
    assert (len(found.pairs), pairs(found)) == (151, {"unexplained": 101})


def test_the_only_shared_series_are_these(un: pd.DataFrame, bank: pd.DataFrame) -> None:
    assert {a for a, _ in matches(un, bank)} == {
        "AG_LND_FRST",
        "AG_LND_FRSTN",
        "AG_LND_TOTL",
        "EN_ATM_PM25[location=allarea]",
        "NY_GDP_PCAP",
    }
