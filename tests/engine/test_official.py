"""Published tables are read as meant: what is no number is missing with a reason, and never zero."""

from io import BytesIO, StringIO
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from geomon.errors import InputError
from geomon.official import COLUMNS, factor, read_csv, same_series, unit_name

PLAIN = "series,ref_area,time_period,obs_value,unit_measure\n"


def read(text: str, publisher: str = "") -> pd.DataFrame:
    return read_csv(StringIO(text), publisher=publisher)


def test_a_plain_table_needs_four_columns_and_gets_all() -> None:
    table = read("series,ref_area,time_period,obs_value\nS,ST01,2020,1.5\n", publisher="the statistics office")
    assert list(table.columns) == list(COLUMNS)
    assert table.obs_value.tolist() == [1.5]
    assert table.publisher.tolist() == ["the statistics office"]
    assert table.unit_measure.tolist() == [""]


def test_sdmx_names_in_capitals_and_a_byte_order_mark_are_read() -> None:
    text = "SERIES,REF_AREA,TIME_PERIOD,OBS_VALUE\nS,ST01,2020,1.5\n".encode("utf-8-sig")
    assert read_csv(BytesIO(text)).obs_value.tolist() == [1.5]


@pytest.mark.parametrize("text", ["N", "NV", "<5", "12.3*", "", "..", "5-10", '"1,234"', "1_000", "nan", "inf"])
def test_what_is_no_plain_number_is_missing_with_a_reason(text: str) -> None:
    table = read(f"{PLAIN}S,A,2019,0,%\nS,A,2020,{text},%\n")
    assert table.obs_value[0] == 0 and table.obs_status[0] == ""
    assert np.isnan(table.obs_value[1])
    assert text.strip('"') in table.obs_status[1] and table.obs_status[1]


def test_a_limit_and_a_mark_are_told_apart() -> None:
    table = read(f"{PLAIN}S,A,2018,1,%\nS,A,2019,<5,%\nS,A,2020,12.3*,%\n")
    assert table.obs_status[1] == "only a limit in the source: '<5'"
    assert table.obs_status[2] == "a number with a mark in the source: '12.3*'"


def test_namibia_is_not_missing() -> None:
    assert read(f"{PLAIN}S,NA,2020,1,%\n").ref_area.tolist() == ["NA"]


def test_units_get_one_name_and_values_stay_as_published() -> None:
    table = read(f"{PLAIN}S,A,2020,5,HA_TH\nS,B,2020,5,sq. km\nS,C,2020,5,PERCENT\nS,D,2020,5,furlongs\n")
    assert table.unit_measure.tolist() == ["1000 ha", "km2", "percent", "furlongs"]
    assert table.obs_value.tolist() == [5, 5, 5, 5]


def test_a_unit_multiplier_is_applied() -> None:
    table = read("series,ref_area,time_period,obs_value,unit_mult\nS,A,2020,5,3\nS,B,2020,5,Thousands\nS,C,2020,5,\n")
    assert table.obs_value.tolist() == [5000, 5000, 5]


def test_units_convert_only_within_what_they_measure() -> None:
    assert factor("1000 ha", "km2") == 10
    assert factor("fraction", "percent") == 100
    assert factor("km²", "KMSQ") == 1
    assert factor("furlongs", "Furlongs") == 1
    assert factor("km2", "percent") is None
    assert factor("", "") is None
    assert unit_name("% of land area") == "percent"


def test_years_and_spans_of_years_are_spelled_one_way() -> None:
    rows = "".join(f"S,A,{label},1,%\n" for label in ("2015.0", "2000-2004", "2013/16", "2020-03"))
    assert read(PLAIN + rows).time_period.tolist() == ["2015", "2000/2004", "2013/2016", "2020-03"]


def test_a_repeated_row_is_kept_once_with_a_remark() -> None:
    table = read(f"{PLAIN}S,A,2020,1,%\nS,A,2020,1,%\n")
    assert table.note.tolist() == ["given more than once in the source"]


def test_one_key_with_two_values_is_an_error() -> None:
    with pytest.raises(
        InputError, match=r"S for A in 2020 2 times with different values: '1.0 percent', '2.0 percent'"
    ):
        read(f"{PLAIN}S,A,2020,1,%\nS,A,2020,2,%\n")


def test_a_satellite_estimate_is_not_official() -> None:
    with pytest.raises(InputError, match="not official"):
        read("series,ref_area,time_period,obs_value,nature\nS,A,2020,1,satellite estimate\n")


def test_what_was_read_reads_again_the_same(tmp_path: Path) -> None:
    table = read(f"{PLAIN}S,NA,2019,NV,%\nS,NA,2020,2,KMSQ\n", publisher="P")
    table.to_csv(tmp_path / "again.csv", index=False)
    pd.testing.assert_frame_equal(read_csv(tmp_path / "again.csv"), table)


UN = "SeriesCode,GeoAreaCode,ISO3,TimePeriod,Value,Nature,Units,Dimensions\n"


def test_the_un_database_gives_iso_codes_and_groups_that_pair_with_nobody() -> None:
    table = read(f"{UN}S,678,STP,2020,1,C,PERCENT,\nS,1,,2020,2,E,PERCENT,\nS,412,,2020,3,E,PERCENT,\n")
    assert table.ref_area.tolist() == ["STP", "group:1", "XKX"]
    assert table.nature.tolist() == ["C", "E", "E"]
    assert table.publisher.unique().tolist() == ["UN Statistics Division"]


def test_a_un_export_without_iso_codes_is_read_by_its_numbers() -> None:
    table = read("[SeriesCode],GeoAreaCode,TimePeriod,Value,[Units]\nS,8,2020,1,KMSQ\nS,2,2020,2,KMSQ\n")
    assert table.ref_area.tolist() == ["ALB", "group:2"]
    assert table.unit_measure.tolist() == ["km2", "km2"]


def test_dimensions_tell_series_apart_and_a_status_does_not() -> None:
    modes = "S,4,AFG,2020,1,C,P_KM,mode=air\nS,4,AFG,2020,2,C,P_KM,mode=rail\n"
    table = read(f"{UN}{modes}T,4,AFG,2020,3,C,%,observation_status=i\n")
    assert table.series.tolist() == ["S[mode=air]", "S[mode=rail]", "T"]
    assert table.note.tolist() == ["", "", "observation_status=i"]


def test_the_world_bank_keeps_its_units_in_the_names(tmp_path: Path) -> None:
    (tmp_path / "wdi_indicators.csv").write_text(
        'indicator,indicator_name\nX.K2,Forest area (sq. km)\nP,"Population, total"\n'
    )
    (tmp_path / "wdi.csv").write_text("indicator,iso3,year,value\nX.K2,NAM,2020,7\nP,WLD,2020,8\nP,XKX,2020,9\n")
    table = read_csv(tmp_path / "wdi.csv")
    assert table.unit_measure.tolist() == ["km2", "people", "people"]
    assert table.definition[0] == "Forest area (sq. km)"
    assert table.ref_area.tolist() == ["NAM", "group:WLD", "XKX"]


def test_without_the_names_the_unit_is_unknown_and_said_so() -> None:
    table = read("indicator,iso3,year,value\nX.K2,NAM,2020,7\n")
    assert table.unit_measure[0] == "" and "unit unknown" in table.note[0]


def test_one_series_under_two_publishers_codes() -> None:
    assert same_series("AG.LND.FRST.ZS", "AG_LND_FRST")
    assert not same_series("AG.LND.FRST.K2", "AG_LND_FRST")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "is empty"),
        (PLAIN, "no rows"),
        ("Year,GeoCode,Value\n2020,E92,1\n", "has the columns 'geocode', 'value', 'year'"),
        ("series,area,time_period,obs_value\nS,A,2020,1\n", "Did you mean 'area'"),
        (f"{PLAIN}S,A,2020,1,%,extra,more\nS,A,2021,1,%\n", "regular table"),
        (f"{PLAIN}S,,2020,1,%\n", "without ref_area, the first in line 2"),
        (f"{PLAIN}S,-99,2020,1,%\n", "without ref_area"),
        ("series;ref_area;time_period;obs_value\nS;A;2020;12,5\n", "no value that is a number"),
        ("series,ref_area,time_period,obs_value,unit_mult\nS,A,2020,1,dozens\n", "unit_mult is 'dozens'"),
    ],
)
def test_a_wrong_table_is_refused_with_what_was_there_and_what_to_do(text: str, words: str) -> None:
    with pytest.raises(InputError, match=words):
        read(text)


def test_a_file_that_is_not_there_or_not_text_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="cannot be read: No such file"):
        read_csv(tmp_path / "none.csv")
    (tmp_path / "excel.xlsx").write_bytes(b"PK\x03\x04\xff\xfe\x00")
    with pytest.raises(InputError, match="CSV UTF-8"):
        read_csv(tmp_path / "excel.xlsx")
