"""Published tables are read as meant: what is no number is missing with a reason, and never zero."""

from io import BytesIO, StringIO
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from geomon.errors import InputError
from geomon.official import COLUMNS, factor, nature_name, read_csv, same_series, unit_name
from geomon.official.fetching import NotWholeError
from geomon.official.text import cell

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


@pytest.mark.parametrize("text", ["N", "NV", "<5", ">95", "", "..", "-", "5-10", "1_000", "nan", "inf", "12 km", "5k"])
def test_what_is_no_plain_number_is_missing_with_a_reason(text: str) -> None:
    table = read(f"{PLAIN}S,A,2019,0,%\nS,A,2020,{text},%\n")
    assert table.obs_value[0] == 0 and table.obs_status[0] == ""
    assert np.isnan(table.obs_value[1])
    assert text.strip('"') in table.obs_status[1] and table.obs_status[1]


@pytest.mark.parametrize(
    ("text", "value", "note"),
    [
        ("12.3*", 12.3, "marked '*' in the source"),
        ("12.3 [1]", 12.3, "marked '[1]' in the source"),
        ("12.3 a b", 12.3, "marked 'a b' in the source"),
        ("12.3b", 12.3, "marked 'b' in the source"),
        ("4 [3, 5]", 4.0, "interval in the source: '4 [3, 5]'"),
        ("~5", 5.0, "about, in the source: '~5'"),
        ("-5", -5.0, ""),
        ("\u22125", -5.0, ""),
        ("1 234", 1234.0, ""),
        ("1\u202f234.5", 1234.5, ""),
        ("1'234'567", 1234567.0, ""),
        ('"1,234"', 1234.0, ""),
        ('"1,234,567.8"', 1234567.8, ""),
        ("1e3", 1000.0, ""),
    ],
)
def test_a_number_is_read_as_it_is_meant_and_its_mark_stays_as_a_note(text: str, value: float, note: str) -> None:
    table = read(f"{PLAIN}S,A,2020,{text if not text.startswith('4 [') else chr(34) + text + chr(34)},%\n")
    assert table.obs_value[0] == value and table.note[0] == note and table.obs_status[0] == ""


@pytest.mark.parametrize(
    ("text", "bounds", "status"),
    [
        ("<5", (np.nan, 5), "only a limit in the source: '<5'"),
        (">95", (95, np.nan), "only a limit in the source: '>95'"),
        ("≥ 95", (95, np.nan), "only a limit in the source: '≥ 95'"),
        ("10-20", (10, 20), "only a range in the source: '10-20'"),
        ("10 – 20", (10, 20), "only a range in the source: '10 – 20'"),
        ("-5 to -2", (-5, -2), "only a range in the source: '-5 to -2'"),
        ("20-10", (np.nan, np.nan), "text instead of a number in the source: '20-10'"),
    ],
)
def test_a_limit_or_range_bounds_the_value_and_gives_none(text: str, bounds: tuple[float, float], status: str) -> None:
    table = read(f"{PLAIN}S,A,2019,1,%\nS,A,2020,{text},%\n")
    assert np.isnan(table.obs_value[1]) and table.obs_status[1] == status
    np.testing.assert_equal((table.lower[1], table.upper[1]), bounds)
    assert np.isnan(table.lower[0]) and np.isnan(table.upper[0])


@given(st.text(alphabet="0123456789.,-+<>~ *[]()ab:%e", max_size=12))
@example("1e999")
@example("<")
@example("-")
def test_a_cell_is_a_finite_number_or_says_why_not(text: str) -> None:
    for comma in ("thousands", "decimal", "unclear"):
        said = cell(text, comma)
        assert np.isfinite(said.value) == (said.status == "")
        assert not (said.lower > said.upper)


def test_a_value_with_its_interval_keeps_both() -> None:
    table = read(f'{PLAIN}S,A,2020,"4 [3, 5]",%\n')
    assert table[["obs_value", "lower", "upper"]].to_numpy().tolist() == [[4, 3, 5]]


@pytest.mark.parametrize("text", ["c", "(x)", ":c"])
def test_suppressed_is_neither_missing_nor_zero(text: str) -> None:
    table = read(f"{PLAIN}S,A,2019,0,%\nS,A,2020,{text},%\n")
    assert table.obs_status[1] == f"suppressed in the source ({text})" and table.obs_value[0] == 0


def test_a_status_of_missing_counts_whatever_stands_in_the_cell() -> None:
    table = read("series,ref_area,time_period,obs_value,obs_status\nS,A,2019,7,A\nS,A,2020,0,M\nS,A,2021,3,E\n")
    np.testing.assert_equal(table.obs_value.to_numpy(), [7, np.nan, 3])
    assert table.obs_status[1] == "missing in the source: data cannot exist (the cell says 0)"
    assert table.note[2] == "observation status E"


def test_a_comma_is_decimal_thousands_or_unclear_by_what_else_stands_in_the_column() -> None:
    head = "series;ref_area;time_period;obs_value\n"
    decimal = read(f"{head}S;A;2019;12,5\nS;A;2020;1,234\n")
    assert decimal.obs_value.tolist() == [12.5, 1.234]
    unclear = read(f"{head}S;A;2019;12\nS;A;2020;1,234\n")
    np.testing.assert_equal(unclear.obs_value.to_numpy(), [12, np.nan])
    both = read(f'{PLAIN}S,A,2018,1,%\nS,A,2019,"12,5",%\nS,A,2020,"1,234.5",%\n')
    np.testing.assert_equal(both.obs_value.to_numpy(), [1, np.nan, np.nan])


@pytest.mark.parametrize("text", ["10 billion", "1.2 bn", "100 ha", "5 years", "3 cr", "12.3ab"])
def test_a_word_behind_a_number_is_no_mark_and_the_number_is_left_out(text: str) -> None:
    said = cell(text)
    assert np.isnan(said.value) and said.status == f"text instead of a number in the source: {text!r}"


def test_a_point_is_thousands_where_the_column_can_mean_nothing_else() -> None:
    head = "series;ref_area;time_period;obs_value\n"
    dotted = read(f"{head}S;A;2018;1.234,5\nS;A;2019;2.345\nS;A;2020;1.234.567\nS;A;2021;12,5\n")
    assert dotted.obs_value.tolist() == [1234.5, 2345, 1234567, 12.5]
    plain = read(f"{head}S;A;2018;1.234\nS;A;2019;2.345\n")
    assert plain.obs_value.tolist() == [1.234, 2.345]
    mixed = read(f"{head}S;A;2018;12,5\nS;A;2019;12.5\nS;A;2020;1.234\n")
    assert mixed.obs_value.tolist() == [12.5, 12.5, 1.234]


@pytest.mark.parametrize("column", [["12,5", "1.234"], ["1 234,5", "1.234"], ["1.234,5", "0.5", "1.234"]])
def test_a_point_that_may_be_thousands_or_decimal_leaves_the_number_out(column: list[str]) -> None:
    rows = "".join(f"S;A;{2000 + n};{text}\n" for n, text in enumerate(column))
    table = read(f"series;ref_area;time_period;obs_value\n{rows}")
    assert np.isnan(table.obs_value.iloc[-1])
    assert table.obs_status.iloc[-1] == "a number of unclear thousands or decimals in the source: '1.234'"


def test_bounds_of_the_source_are_read_as_values_are_and_crossed_ones_are_none() -> None:
    table = read(
        'series,ref_area,time_period,obs_value,lower,upper,unit_mult\nS,A,2019,5,"1,000","2,000",3\nS,A,2020,5,9,1,0\n'
    )
    np.testing.assert_equal(table[["lower", "upper"]].to_numpy(), [[1e6, 2e6], [np.nan, np.nan]])
    assert table.obs_value.tolist() == [5000, 5] and table.note[1] == "bounds 9 to 1 in the source are no interval"


def test_an_empty_cell_of_normal_status_is_missing_in_the_source() -> None:
    table = read("series,ref_area,time_period,obs_value,obs_status\nS,A,2019,1,A\nS,A,2020,,A\n")
    assert table.obs_status.tolist() == ["", "missing in the source"]


def test_breakdowns_of_a_plain_table_are_no_totals() -> None:
    head = "SERIES,REF_AREA,TIME_PERIOD,OBS_VALUE,SEX,AGE\n"
    table = read(f"{head}S,A,2020,1,F,_T\nS,A,2020,2,T,_T\nS,A,2020,3,Both sexes,Y0T14\n")
    assert table.series.tolist() == ["S[SEX=F]", "S", "S[AGE=Y0T14]"]


def test_a_multiplier_that_the_unit_holds_is_not_applied_again() -> None:
    table = read("series,ref_area,time_period,obs_value,unit_measure,unit_mult\nS,A,2020,5,HA_TH,3\nS,B,2020,5,ha,3\n")
    assert table.obs_value.tolist() == [5, 5000] and table.unit_measure.tolist() == ["1000 ha", "ha"]
    assert table.note.tolist() == ["unit multiplier 3 is in the unit", ""]
    with pytest.raises(InputError, match="unit_mult is '3' where the unit is 'Mha', which holds another"):
        read("series,ref_area,time_period,obs_value,unit_measure,unit_mult\nS,A,2020,5,Mha,3\n")


def test_a_table_that_was_cut_off_within_a_row_is_an_error() -> None:
    with pytest.raises(InputError, match="ends in the middle of line 3"):
        read(f"{PLAIN}S,A,2019,1,%\nS,A,20")


def test_a_table_that_was_cut_off_within_quotes_is_no_other_error() -> None:
    with pytest.raises(NotWholeError, match="cut off"):
        read(f'{PLAIN}S,A,2019,1,%\nS,A,2020,"2')


def test_natures_are_spelled_out() -> None:
    codes = ("C", "CA", "E", "G", "M", "N", "NA", "_X", "NOTSPEC", "")
    names = {code: nature_name(code) for code in codes}
    assert names["C"] == "country data" and names["M"] == "modelled" and names["N"] == "non-relevant"
    assert names["NA"] == names["_X"] == "nature not available" and names[""] == "nature not stated"
    assert len(set(names.values())) == len(codes) - 1


def test_namibia_is_not_missing() -> None:
    assert read(f"{PLAIN}S,NA,2020,1,%\n").ref_area.tolist() == ["NA"]


def test_units_get_one_name_and_values_stay_as_published() -> None:
    table = read(f"{PLAIN}S,A,2020,5,HA_TH\nS,B,2020,5,sq. km\nS,C,2020,5,PERCENT\nS,D,2020,5,furlongs\n")
    assert table.unit_measure.tolist() == ["1000 ha", "km2", "percent", "furlongs"]
    assert table.obs_value.tolist() == [5, 5, 5, 5]


def test_a_unit_multiplier_is_applied() -> None:
    table = read("series,ref_area,time_period,obs_value,unit_mult\nS,A,2020,5,3.0\nS,B,2020,5,Thousands\nS,C,2020,5,\n")
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
    rows = "".join(f"S,A,{label},1,%\n" for label in ("2015.0", "2000-2004", "2013/16", "2020-03", "1999/00"))
    assert read(PLAIN + rows).time_period.tolist() == ["2015", "2000/2004", "2013/2016", "2020-03", "1999/2000"]


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
    assert table.ref_area.tolist() == ["ALB", "group:2"] and table.series.tolist() == ["S", "S"]
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
        ("series;ref_area;time_period;obs_value\nS;A;2020;twelve\n", "no value that is a number"),
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
