"""Every published form gives the same long table: real files where there are any, else messages after the standard.

SDMX-JSON, SDMX-CSV and the wide CSV of the World Bank are known from documentation only: the messages here are made
from rows of Rwanda's SDMX-ML file and of the shared extract.
"""

import json
from datetime import date
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from geomon.errors import InputError
from geomon.official import Told, read
from geomon.official.opensdg import code_in
from geomon.official.reading import read_bytes

ROWS = [
    {"SERIES": "SI_POV_DAY1", "REF_AREA": "RW", "SEX": "_T", "TIME_PERIOD": "2016", "OBS_VALUE": "63.8"},
    {"SERIES": "SI_POV_DAY1", "REF_AREA": "RW", "SEX": "_T", "TIME_PERIOD": "2023", "OBS_VALUE": "38.6"},
    {"SERIES": "SI_POV_DAY1", "REF_AREA": "RW", "SEX": "F", "TIME_PERIOD": "2023", "OBS_VALUE": "39.1"},
    {"SERIES": "SP_POP", "REF_AREA": "1", "SEX": "_T", "TIME_PERIOD": "2023", "OBS_VALUE": "1745"},
]
UNITS = {"SI_POV_DAY1": ("PT", "0"), "SP_POP": ("PERSONS", "3")}
DSD = "NISR-SDGs:SDG(1.3)"


def value(table: pd.DataFrame, series: str, area: str, year: str) -> float:
    """The one value of a key."""
    return float(table.set_index(["series", "ref_area", "time_period"]).obs_value.loc[(series, area, year)])


def sdmx_csv(version: int) -> bytes:
    """ROWS as SDMX-CSV."""
    first = ["DATAFLOW"] if version == 1 else ["STRUCTURE", "STRUCTURE_ID", "ACTION"]
    names = [*ROWS[0], "UNIT_MEASURE", "UNIT_MULT", "OBS_STATUS", "NATURE"]
    start = [DSD] if version == 1 else ["datastructure", DSD, "I"]
    lines = [[*start, *row.values(), *UNITS[row["SERIES"]], "A", "C"] for row in ROWS]
    if version == 2:
        lines.append(["datastructure", DSD, "D", "SI_POV_DAY1", "RW", "_T", "1999", "99", "PT", "0", "A", "C"])
    return "\n".join(",".join(line) for line in [[*first, *names], *lines]).encode()


def component(id: str, codes: list[str]) -> dict[str, Any]:
    """A component of SDMX-JSON with its values."""
    return {"id": id, "name": id, "values": [{"id": code, "name": f"the {code}"} for code in codes]}


def sdmx_json(version: int, flat: bool = False) -> dict[str, Any]:
    """ROWS as SDMX-JSON."""
    ids = ["SERIES", "REF_AREA", "SEX", "TIME_PERIOD"]
    codes = {id: list(dict.fromkeys(row[id] for row in ROWS)) for id in ids}
    units = [UNITS[row["SERIES"]] for row in ROWS]
    mults, measures = ["0", "3"], ["PT", "PERSONS"]
    levels = {"series": [] if flat else ids[:3], "observation": ids if flat else ids[3:]}
    attributes = [component("UNIT_MEASURE", measures), component("UNIT_MULT", mults)]
    status = component("OBS_STATUS", ["A", "E"])
    structure: dict[str, Any] = {
        "links": [{"rel": "datastructure", "urn": f"urn:sdmx:org.sdmx.infomodel.datastructure.DataStructure={DSD}"}],
        "dimensions": {level: [component(id, codes[id]) for id in there] for level, there in levels.items()},
        "attributes": {"series": [] if flat else attributes, "observation": [*(attributes if flat else []), status]},
    }
    series: dict[str, Any] = {}
    observations: dict[str, Any] = {}
    for row, (unit, mult) in zip(ROWS, units, strict=True):
        key = [str(codes[id].index(row[id])) for id in ids]
        places = [measures.index(unit), mults.index(mult)]
        number = float(row["OBS_VALUE"])
        if flat:
            observations[":".join(key)] = [number, *places, 0]
        else:
            group = series.setdefault(":".join(key[:3]), {"attributes": places, "observations": {}})
            group["observations"][key[3]] = [number, 0]
    dataset = {"observations": observations} if flat else {"series": series}
    if version == 1:
        return {"header": {"id": "1"}, "structure": structure, "dataSets": [dataset]}
    return {"meta": {"id": "1"}, "data": {"structures": [structure], "dataSets": [{"structure": 0, **dataset}]}}


@pytest.mark.parametrize(
    "data",
    [
        *(sdmx_csv(version) for version in (1, 2)),
        *(json.dumps(sdmx_json(version, flat)).encode() for version in (1, 2) for flat in (False, True)),
    ],
    ids=["csv1", "csv2", "json1 by series", "json1 flat", "json2 by series", "json2 flat"],
)
def test_sdmx_gives_one_table_in_whatever_form_it_comes(data: bytes) -> None:
    table = read_bytes(data, "the message")
    assert value(table, "SI_POV_DAY1", "RWA", "2023") == 38.6
    assert value(table, "SI_POV_DAY1[SEX=F]", "RWA", "2023") == 39.1
    assert value(table, "SP_POP", "1", "2023") == 1_745_000  # UNIT_MULT 3, once; and 1 is a province, not the World
    assert len(table) == 4 and set(table.unit_measure) == {"percent", "people"}
    assert set(table.publisher) == {"NISR-SDGs"}


def test_labels_beside_the_codes_of_sdmx_csv_are_left_out() -> None:
    head = "DATAFLOW,SERIES: Series,REF_AREA: Area,TIME_PERIOD: Time,OBS_VALUE,SEX: Sex"
    table = read_bytes(f"{head}\nX:F(1.0),S: A series,RW: Rwanda,2020,5,F: Female\n".encode(), "the message")
    assert table[["series", "ref_area", "obs_value"]].to_numpy().tolist() == [["S[SEX=F]", "RWA", 5.0]]


def test_sdmx_json_that_is_an_error_says_what_the_service_said() -> None:
    with pytest.raises(InputError, match="It says: No data found"):
        read_bytes(b'{"errors": [{"code": 100, "title": "No data found"}]}', "the message")


@pytest.fixture
def rwanda(shared_data: Path) -> pd.DataFrame:
    folder = shared_data / "sdmx"
    return read(folder / "RWA_SDG_data_2025.xml", Told(structure=(folder / "RWA_SDG_DSD_1.3_2025.xml").read_bytes()))


def test_rwandas_file_is_read_whole(rwanda: pd.DataFrame) -> None:
    assert len(rwanda) == 2330 and rwanda.obs_value.notna().all()
    assert value(rwanda, "SI_POV_DAY1", "RWA", "2023") == 38.6
    assert rwanda.definition[0] == "Proportion of population below international poverty line [1.1.1]"
    assert set(rwanda.nature) == {"_X"} and set(rwanda.publisher) == {"NISR-SDGs"}
    assert rwanda.note[0] == "Proportion of population below international poverty line; World Bank"


def test_rwandas_provinces_are_not_the_groups_of_m49(rwanda: pd.DataFrame) -> None:
    assert {"1", "11", "57"} <= set(rwanda.ref_area)
    assert not rwanda.ref_area.str.startswith("group:").any()


def test_rwandas_series_key_that_comes_twice_is_two_units_kept_apart(rwanda: pd.DataFrame) -> None:
    """SP_LGL_LNDDOC: 4,218,003 people in 2023, 21.9 percent in 2022, under one key of the DSD."""
    twice = rwanda[rwanda.series.str.startswith("SP_LGL_LNDDOC") & (rwanda.ref_area == "RWA")]
    totals = twice[twice.series.str.contains("UNIT_MEASURE")]
    assert totals.series.tolist() == ["SP_LGL_LNDDOC[UNIT_MEASURE=NUMBER]", "SP_LGL_LNDDOC[UNIT_MEASURE=PT]"]
    assert totals.obs_value.tolist() == [4218003, 21.9] and totals.time_period.tolist() == ["2023", "2022"]
    assert totals.note.str.contains("one code in several units").all()
    assert rwanda.series.str.contains("UNIT_MEASURE").sum() == 2


def test_rwandas_file_without_its_structure_gives_the_same_values(rwanda: pd.DataFrame, shared_data: Path) -> None:
    alone = read(shared_data / "sdmx/RWA_SDG_data_2025.xml")
    assert alone.drop(columns="definition").equals(rwanda.drop(columns="definition"))


@pytest.mark.parametrize("form", ["structure", "structure-specific"])
def test_the_samples_with_the_global_structure(form: str, shared_data: Path) -> None:
    table = read(shared_data / f"sdmx/sdg-build_1-1-1--{form}.xml")
    assert table.ref_area.unique().tolist() == ["GBR"]  # M49 826
    assert table.series.tolist() == [f"SI_POV_DAY1{s}" for s in ("", "", "[SEX=M]", "[SEX=M]", "[SEX=F]", "[SEX=F]")]
    assert table.obs_value.tolist()[:4] == [100, 120, 50, 60] and set(table.unit_measure) == {"percent"}


def test_sdmx_that_was_cut_off_is_an_error_and_not_data(shared_data: Path) -> None:
    whole = (shared_data / "sdmx/RWA_SDG_data_2025.xml").read_bytes()
    with pytest.raises(InputError, match="cut off"):
        read_bytes(whole[: len(whole) // 2], "the message")


def test_a_structure_is_no_data(shared_data: Path) -> None:
    with pytest.raises(InputError, match="no data but StructureMessage"):
        read(shared_data / "sdmx/RWA_SDG_DSD_1.3_2025.xml")


def test_the_extract_of_the_un_database_is_read_right(shared_data: Path) -> None:
    table = read(shared_data / "tables/official/unsd_sdg_2020q3_extract.csv")
    assert len(table) == 22901 and table.series.str.partition("[")[0].nunique() == 20
    assert table.nature.value_counts().to_dict() == {"E": 9351, "C": 6474, "CA": 3909, "NOTSPEC": 3167}
    words = table.obs_status[table.obs_value.isna()].value_counts().to_dict()
    assert words == {
        "text instead of a number in the source: 'N'": 40,
        "text instead of a number in the source: 'NV'": 30,
    }
    assert (table.ref_area == "group:1").sum() == 86 and "NAM" in set(table.ref_area)


def test_the_extract_of_the_world_bank_is_read_right(shared_data: Path) -> None:
    table = read(shared_data / "tables/official/wdi_extract.csv")
    assert len(table) == 87804 and table.obs_value.notna().all()
    assert "group:WLD" in set(table.ref_area) and "WLD" not in set(table.ref_area)


ONS = {  # rows, series, rows without a number
    "11-3-1": (1176, 180, 0),
    "11-6-2": (842, 144, 0),
    "15-1-1": (249, 3, 0),
    "15-2-1": (420, 7, 54),
    "15-4-2": (12, 3, 0),
    "6-6-1_first4000rows": (4000, 259, 169),
}


@pytest.mark.parametrize("name", ONS)
def test_each_file_of_the_ons_site_is_read_whole(name: str, shared_data: Path) -> None:
    table = read(shared_data / f"tables/official/uk_ons_indicator_{name}.csv", Told(area="GBR"))
    assert (len(table), table.series.nunique(), int(table.obs_value.isna().sum())) == ONS[name]


def test_only_totals_of_an_open_sdg_file_have_the_bare_code(shared_data: Path) -> None:
    table = read(shared_data / "tables/official/uk_ons_indicator_15-1-1.csv", Told(area="GBR", series="FOREST"))
    assert sorted(table.series.unique()) == [
        "FOREST",
        "FOREST[Sustainably managed status=Certified]",
        "FOREST[Sustainably managed status=Non-certified]",
    ]
    assert value(table, "FOREST", "E92000001", "2004") == pytest.approx(9.74595518668)


def test_thousands_of_hectares_are_multiplied_once_though_said_twice(shared_data: Path) -> None:
    """Units 'Area (000s hectares)', Unit measure 'Hectares', Unit multiplier 'Thousands'."""
    table = read(shared_data / "tables/official/uk_ons_indicator_15-2-1.csv", Told(area="GBR"))
    series = "15.2.1[Series=1) Woodland area][Units=Area (000s hectares)]"
    assert value(table, series, "E92000001", "2004") == pytest.approx(1_271_745.5485836701)
    assert set(table.unit_measure[table.series == series]) == {"ha"}


def test_spans_and_statuses_of_the_water_file_are_read(shared_data: Path) -> None:
    table = read(shared_data / "tables/official/uk_ons_indicator_6-6-1_first4000rows.csv", Told(area="GBR"))
    assert table.time_period[0] == "1987/1991"
    assert table.obs_status[0] == "missing in the source: data exist but were not collected"


SITE = b"Year,Sex,Country,GeoCode,Units,Value\n2020,,,,%,1\n2020,F,,,%,2\n2020,,England,E92,%,3\n2020,,England,,%,4\n"


def test_a_place_without_a_geocode_is_not_the_whole_country() -> None:
    table = read_bytes(SITE, "indicator_1-2-3.csv", Told(area="GBR"))
    assert list(zip(table.series, table.ref_area, table.obs_value, strict=True)) == [
        ("1.2.3", "GBR", 1),
        ("1.2.3[Sex=F]", "GBR", 2),
        ("1.2.3", "E92", 3),
        ("1.2.3[Country=England]", "GBR", 4),
    ]


def test_an_open_sdg_file_of_a_whole_country_asks_which() -> None:
    with pytest.raises(InputError, match=r"3 rows without a GeoCode.*--area"):
        read_bytes(SITE, "indicator_1-2-3.csv")


def test_an_open_sdg_file_tells_its_indicator_by_its_name() -> None:
    assert code_in("folder/uk_ons_indicator_6-6-1_first4000rows.csv") == "6.6.1"
    assert code_in("https://site/en/data/15-1-1.csv") == "15.1.1"
    assert code_in("forest-2020.csv") == ""


def test_the_world_banks_wide_csv_is_read_from_its_header_on() -> None:
    text = (
        '"Data Source","World Development Indicators",\n\n"Last Updated Date","2026-01-28",\n\n'
        '"Country Name","Country Code","Indicator Name","Indicator Code","2019","2020",\n'
        '"World","WLD","Forest area (sq. km)","AG.LND.FRST.K2","7","",\n'
        '"Namibia","NAM","Forest area (sq. km)","AG.LND.FRST.K2","8.5","9",\n'
    )
    table = read_bytes(text.encode(), "API_AG.LND.FRST.K2.csv")
    keys = table[["ref_area", "time_period", "obs_value", "unit_measure"]].to_numpy().tolist()
    assert sorted(map(tuple, keys)) == [
        ("NAM", "2019", 8.5, "km2"),
        ("NAM", "2020", 9.0, "km2"),
        ("group:WLD", "2019", 7.0, "km2"),
    ]


def test_the_un_portals_csv_has_its_dimensions_in_brackets() -> None:
    text = (
        "Indicator,SeriesCode,GeoAreaCode,TimePeriod,Value,FootNote,LowerBound,UpperBound,"
        "[Nature],[Reporting Type],[Sex],[Units]\n"
        "1.1.1,S,646,2020,5,a note,4,6,C,G,BOTHSEX,PERCENT\n1.1.1,S,646,2020,7,,,,C,G,FEMALE,PERCENT\n"
    )
    table = read_bytes(text.encode(), "the export")
    assert table.series.tolist() == ["S", "S[Sex=FEMALE]"] and table.ref_area.tolist() == ["RWA", "RWA"]
    assert table[["lower", "upper"]].to_numpy()[0].tolist() == [4, 6] and table.note[0] == "a note"


def test_an_observation_of_the_un_api_keeps_bounds_dimensions_and_footnotes() -> None:
    row = {
        **{"series": "S", "geoAreaCode": "646", "timePeriodStart": 2020.0, "value": "5"},
        **{"lowerBound": "4", "upperBound": "6", "footnotes": ["a note", ""]},
        **{"dimensions": {"Sex": "FEMALE", "Age": "ALLAGE", "Reporting Type": "G"}},
        "attributes": {"Nature": "M", "Units": "KMSQ"},
    }
    (read,) = read_bytes(json.dumps({"data": [row]}).encode(), "the answer").to_dict("records")
    assert (read["series"], read["ref_area"], read["time_period"]) == ("S[Sex=FEMALE]", "RWA", "2020")
    assert (read["obs_value"], read["lower"], read["upper"]) == (5, 4, 6)
    assert (read["nature"], read["unit_measure"], read["note"]) == ("M", "km2", "a note")


def test_national_and_global_figures_of_one_series_are_kept_apart_where_an_area_has_both() -> None:
    rows = [("646", "G", 5), ("646", "N", 7), ("678", "G", 9)]
    csv = "SeriesCode,GeoAreaCode,TimePeriod,Value,[Reporting Type],[Units]\n" + "".join(
        f"S,{area},2020,{value},{kind},%\n" for area, kind, value in rows
    )
    api = [
        {"series": "S", "geoAreaCode": area, "timePeriodStart": 2020, "value": value}
        | {"dimensions": {"Reporting Type": kind}, "attributes": {"Units": "%"}}
        for area, kind, value in rows
    ]
    for data in (csv, json.dumps({"data": api})):
        table = read_bytes(data.encode(), "the export")
        assert table.series.tolist() == ["S[Reporting Type=G]", "S[Reporting Type=N]", "S"]
        assert table.obs_value.tolist() == [5, 7, 9]


def test_a_multiplier_of_an_open_sdg_site_is_a_number_or_a_word_and_never_left_out() -> None:
    head = "Year,Unit measure,Unit multiplier,GeoCode,Value\n"
    table = read_bytes(f"{head}2020,ha,3,E92,5\n2020,ha,Thousands,E93,5\n".encode(), "indicator_1-2-3.csv")
    assert table.obs_value.tolist() == [5000, 5000]
    with pytest.raises(InputError, match="unit_mult is 'mio'"):
        read_bytes(f"{head}2020,ha,Mio,E92,5\n".encode(), "indicator_1-2-3.csv")


MAPPING = {"series": "=FOREST", "ref_area": "Code", "time_period": "Year", "obs_value": "Share", "unit_measure": "=%"}


def test_a_plain_csv_is_read_by_a_mapping() -> None:
    table = read_bytes(b"Code,Year,Share\nST01,2020,1.5\nST02,2020,N\n", "the file", Told(mapping=MAPPING))
    assert table.series.tolist() == ["FOREST", "FOREST"] and table.unit_measure.tolist() == ["percent"] * 2
    np.testing.assert_equal(table.obs_value.to_numpy(), [1.5, np.nan])


def test_a_wide_table_has_a_row_for_each_cell() -> None:
    wide = {"series": "=FOREST", "ref_area": "Code", "time_period": "columns"}
    table = read_bytes(b"Code,1850,2019,2020,Note\nA,0,1,2,x\nB,3,,4,y\n", "the file", Told(mapping=wide))
    assert sorted(zip(table.ref_area, table.time_period, table.obs_value.fillna(-1), strict=True)) == [
        ("A", "1850", 0),
        ("A", "2019", 1),
        ("A", "2020", 2),
        ("B", "1850", 3),
        ("B", "2019", -1),
        ("B", "2020", 4),
    ]
    assert set(table.note) == {"x", "y"}


@pytest.mark.parametrize(
    ("mapping", "words"),
    [
        ({**MAPPING, "obs_value": "Shares"}, "Did you mean 'Share'"),
        ({**MAPPING, "value": "Share"}, "no 'value'"),
        ({"series": "=X"}, "does not say what 'obs_value', 'ref_area', 'time_period'"),
    ],
)
def test_a_mapping_that_does_not_fit_says_what_is_there(mapping: dict[str, str], words: str) -> None:
    with pytest.raises(InputError, match=words):
        read_bytes(b"Code,Year,Share\nA,2020,1\n", "the file", Told(mapping=mapping))


def book(rows: list[list[Any]], percent: str = "", sheet: str = "Data") -> bytes:
    """A workbook of one sheet; `percent` is a cell that is shown as percent."""
    from openpyxl import Workbook

    made = Workbook()
    made.active.title = sheet
    for row in rows:
        made.active.append(row)
    if percent:
        made.active[percent].number_format = "0.0%"
    content = BytesIO()
    made.save(content)
    return content.getvalue()


def test_an_excel_sheet_is_read_as_it_is_seen() -> None:
    data = book([["Forest in 2024"], ["Code", "Year", "Share"], ["A", 2020, 0.125], ["B", 2020, "<5"]], percent="C3")
    table = read_bytes(data, "the workbook", Told(mapping={**MAPPING, "header": 2, "sheet": "Data"}))
    assert table.obs_value[0] == 12.5 and table.upper[1] == 5 and table.time_period.tolist() == ["2020", "2020"]


def test_an_excel_sheet_under_our_own_names_needs_no_mapping() -> None:
    data = book([["series", "ref_area", "time_period", "obs_value"], ["S", "A", date(2020, 3, 5), 7]])
    table = read_bytes(data, "the workbook")
    assert table[["time_period", "obs_value"]].to_numpy().tolist() == [["2020-03-05", 7.0]]


def test_a_formula_without_its_result_is_an_error_and_not_missing() -> None:
    with pytest.raises(InputError, match="cell C2 of 'Data' is a formula without its result"):
        read_bytes(book([["Code", "Year", "Share"], ["A", 2020, "=1+1"]]), "the workbook", Told(mapping=MAPPING))


@pytest.mark.parametrize(
    ("mapping", "words"),
    [({"sheet": "Datum"}, "no sheet 'Datum'; it has 'Data'"), ({"header": 9}, "no header in row 9")],
)
def test_a_sheet_or_header_that_is_not_there_is_refused(mapping: dict[str, Any], words: str) -> None:
    with pytest.raises(InputError, match=words):
        read_bytes(book([["Code", "Year", "Share"]]), "the workbook", Told(mapping={**MAPPING, **mapping}))


@pytest.mark.parametrize(
    "data",
    [
        b'[{"page": 1}, [{"indicator": null, "date": "2020", "value": 1}]]',
        b'{"data": [{"series": "S", "geoAreaCode": "8", "timePeriodStart": 1, "value": 1, "dimensions": [1]}]}',
    ],
)
def test_observations_of_another_form_are_a_sentence(data: bytes) -> None:
    with pytest.raises(InputError, match="observations of another form"):
        read_bytes(data, "the answer")


@pytest.mark.parametrize("data", [b'[{"page": 1}, null]', b'{"data": []}', b"[]"])
def test_an_answer_without_observations_is_said_so(data: bytes) -> None:
    with pytest.raises(InputError, match="no observations"):
        read_bytes(data, "the answer")


def test_a_workbook_that_is_none_is_refused() -> None:
    with pytest.raises(InputError, match="no Excel workbook"):
        read_bytes(b"PK\x03\x04nothing", "the workbook", Told(mapping=MAPPING))
