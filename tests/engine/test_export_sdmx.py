"""Out as SDMX: what is written is read back whole, and what the lists do not have is not written."""

import io
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import sdmx
from lxml import etree

from geomon.errors import InputError
from geomon.export import export, read_message, read_structure
from geomon.export.breakdowns import custom_codes
from geomon.export.message import Message, Observation, observation, to_csv, to_ml
from geomon.export.own import own_structure, span
from geomon.export.release import countries, release_of
from geomon.export.said import area_code
from geomon.export.structure import Structure, global_structure, read_constraints
from geomon.export.units import CODES, moved
from geomon.official.units import factor
from geomon.series import INTERVALS, tidy
from geomon.store import StoredRun
from tests.engine.exported import BREAKDOWNS, ID, LITTLE, THIRD, row, rows, stored


@pytest.fixture
def run(tmp_path: Path) -> StoredRun:
    return stored(tmp_path / "store", rows())


@pytest.fixture(scope="session")
def rwanda(shared_data: Path) -> Structure:
    """The national structure of Rwanda."""
    return read_structure(shared_data / "sdmx" / "RWA_SDG_DSD_1.3_2025.xml")


@pytest.fixture(scope="session")
def rwanda_file(shared_data: Path) -> Path:
    return shared_data / "sdmx" / "RWA_SDG_DSD_1.3_2025.xml"


@pytest.fixture(scope="session")
def limits(shared_data: Path) -> Path:
    return shared_data / "sdmx" / "sdg-build_sdmx_global_content_constraints.csv"


def by_key(message: Message) -> dict[tuple[str, str], dict[str, str]]:
    """All that is said of an area and year: the value under OBS_VALUE."""
    at = message.structure.dimensions.index("REF_AREA")
    return {
        (o.key[at], o.key[-1]): {**dict(o.series), **dict(o.own), "OBS_VALUE": o.value} for o in message.observations
    }


@pytest.mark.parametrize("to", ["sdmx-ml", "sdmx-csv"])
def test_a_run_in_the_national_structure_is_read_back_by_sdmx1_to_the_last_bit(
    run: StoredRun, rwanda: Structure, rwanda_file: Path, limits: Path, tmp_path: Path, to: str
) -> None:
    out = tmp_path / ("data.xml" if to == "sdmx-ml" else "data.csv")
    export(run, to=to, out=out, structure=rwanda_file, constraints=limits)
    with out.open("rb") as file:
        message: Any = sdmx.read_sdmx(file, out.suffix[1:], structure=rwanda.definition)
    got = message.data[0].obs
    said = {(str(o.key["REF_AREA"].value), str(o.key["TIME_PERIOD"].value)): o for o in got}
    assert set(said) == {(a, y) for a in ("RW", "11", "12") for y in ("2020", "2021")}
    assert {str(o.key["REPORTING_TYPE"].value) for o in got} == {"N"}
    first = {n: str(a.value) for n, a in said["RW", "2020"].attrib.items() if a.value}
    assert float(said["RW", "2020"].value) == THIRD
    assert (float(first["LOWER_BOUND"]), float(first["UPPER_BOUND"])) == (30.1, 40.2)
    assert {n: first[n] for n in ("OBS_STATUS", "NATURE", "UNIT_MEASURE", "UNIT_MULT")} == {
        "OBS_STATUS": "E",
        "NATURE": "M",
        "UNIT_MEASURE": "PT",
        "UNIT_MULT": "0",
    }
    assert first["COMMENT_OBS"].startswith("Satellite estimate")
    for fact in ("interval=bounds", "coverage=0.9", f"run={ID}", "vintage=0a1b", "synthetic=yes"):
        assert fact in first["COMMENT_OBS"]
    assert "© Somebody" in first["SOURCE_DETAIL"] and "CC-BY-4.0" in first["SOURCE_DETAIL"]
    assert float(said["12", "2020"].value) == 1e-9
    assert f"coverage={0.1 + 0.2!r}" in str(said["12", "2020"].attrib["COMMENT_OBS"].value)


def test_zero_missing_and_suppressed_stay_apart(tmp_path: Path, rwanda: Structure, rwanda_file: Path) -> None:
    gone = {"lower": np.nan, "upper": np.nan, "obs_status": "suppressed"}
    hidden = row("12", "2019", np.nan, **gone)
    for name in ("data.xml", "data.csv"):
        run = stored(tmp_path / f"store-{name}", [*rows(), hidden])
        to = "sdmx-ml" if name.endswith("xml") else "sdmx-csv"
        export(run, to=to, out=tmp_path / name, structure=rwanda_file)
        said = by_key(read_message(tmp_path / name, rwanda))
        told = {k: (v["OBS_VALUE"], v["OBS_STATUS"]) for k, v in said.items()}
        assert told == {
            ("RW", "2020"): (repr(THIRD), "E"),
            ("RW", "2021"): ("0.0", "E"),
            ("11", "2020"): ("", "L"),
            ("11", "2021"): ("", "M"),
            ("12", "2019"): ("", "Q"),
            ("12", "2020"): ("1e-09", "E"),
            ("12", "2021"): ("", "O"),
        }
        assert LITTLE[1:] in said["11", "2020"]["COMMENT_OBS"]
        assert said["11", "2020"]["LOWER_BOUND"] == "1.5"
        assert "UPPER_BOUND" not in said["12", "2020"] and said["12", "2020"]["LOWER_BOUND"] == "1e-09"


def test_a_definition_that_differs_is_said_by_code_and_in_words(
    tmp_path: Path, rwanda: Structure, rwanda_file: Path
) -> None:
    official = {"series": "AG_LND_FRST", "definition": "forest as land use", "differs": "trees in gardens count"}
    outputs = {"share": {"title": "Tree cover", "unit": "percent", "official": official}}
    run = stored(tmp_path / "store", rows()[:1], outputs=outputs)
    export(run, to="sdmx-ml", out=tmp_path / "data.xml", structure=rwanda_file)
    said = by_key(read_message(tmp_path / "data.xml", rwanda))["RW", "2020"]
    assert said["OBS_STATUS"] == "D"
    assert "AG_LND_FRST, which is forest as land use: trees in gardens count." in said["COMMENT_TS"]


def test_what_is_suppressed_and_still_there_does_not_leave(tmp_path: Path) -> None:
    run = stored(tmp_path / "store", [row("RW", "2020", np.nan, obs_status="suppressed")])
    run.series.assign(lower=3.0, upper=np.nan).to_parquet(run.folder / "series.parquet")
    with pytest.raises(InputError, match="suppressed but still holds lower"):
        export(run, to="csv", out=tmp_path / "a.csv")
    assert not (tmp_path / "a.csv").exists()


@pytest.mark.parametrize(
    ("changed", "fault"),
    [
        ({"unit_measure": "furlong"}, "no code of UNIT_MEASURE says 'furlong'"),
        ({"unit_measure": "km2"}, r"AG_LND_FRST may have 'PT' for UNIT_MEASURE, not 'KM2'"),
        ({"ref_area": "99"}, "the area '99' has no code in REF_AREA"),
        ({"ref_area": "13"}, "the area '13' has no code in REF_AREA"),  # Kicukiro there, nameless here
        ({"ref_area": "UG"}, "the area 'UG' has no code in REF_AREA"),
    ],
)
def test_a_code_that_the_lists_do_not_have_is_refused_and_nothing_is_written(
    tmp_path: Path, rwanda_file: Path, limits: Path, changed: dict[str, Any], fault: str
) -> None:
    run = stored(tmp_path / "store", [{**rows()[0], **changed}, rows()[1]])
    with pytest.raises(InputError, match=fault) as error:
        export(run, to="sdmx", out=tmp_path / "out" / "data", structure=rwanda_file, constraints=limits)
    assert "nothing was written" in str(error.value) and not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("series", "fault"),
    [
        ("EN_LKRV_PWAN", "'EN_LKRV_PWAN' is not in its list SERIES"),  # 6.6.1, which Rwanda does not report
        ("AG_LND_FRSTS", "constraints have no series 'AG_LND_FRSTS'. Did you mean 'AG_LND_FRST"),
    ],
)
def test_a_series_that_is_not_reported_is_refused(
    tmp_path: Path, rwanda_file: Path, limits: Path, series: str, fault: str
) -> None:
    outputs = {"share": {"title": "Water", "unit": "percent", "official": {"series": series}}}
    run = stored(tmp_path / "store", rows()[:1], outputs=outputs)
    with pytest.raises(InputError) as error:
        export(run, to="sdmx-ml", out=tmp_path / "a.xml", structure=rwanda_file, constraints=limits)
    assert fault in str(error.value)


def test_a_structure_that_knows_no_models_takes_no_satellite_value(tmp_path: Path, rwanda_file: Path) -> None:
    strict = etree.parse(str(rwanda_file))
    (natures,) = (c for c in strict.getroot().iter("{*}Codelist") if c.get("id") == "CL_NATURE")
    for code in [c for c in natures if c.get("id") == "M"]:
        natures.remove(code)
    (tmp_path / "dsd.xml").write_bytes(etree.tostring(strict))
    run = stored(tmp_path / "store", rows()[:1])
    with pytest.raises(InputError, match=r"'M' is not in its list NATURE.*'C', 'CA', 'E', 'G'"):
        export(run, to="sdmx-ml", out=tmp_path / "a.xml", structure=tmp_path / "dsd.xml")


def test_an_output_beside_no_official_series_is_refused_until_it_is_left_out(tmp_path: Path, rwanda_file: Path) -> None:
    official = {"series": "AG_LND_FRST", "definition": "", "differs": ""}
    outputs = {n: {"title": n, "unit": "percent", "official": o} for n, o in (("share", official), ("more", None))}
    run = stored(tmp_path / "store", [rows()[0], {**rows()[0], "series": "more"}], outputs=outputs)
    with pytest.raises(InputError, match=r"15\.1\.1 more stands beside no official series.*--series"):
        export(run, to="sdmx-ml", out=tmp_path / "a.xml", structure=rwanda_file)
    written = export(run, to="sdmx-ml", out=tmp_path / "a.xml", structure=rwanda_file, outputs=["share"])
    assert (written.rows, written.left_out) == (1, 1)


def test_areas_are_named_by_m49_in_the_global_structure_and_numbers_are_not_taken_for_it(tmp_path: Path) -> None:
    run = stored(tmp_path / "store", rows()[:1])
    export(run, to="sdmx-csv", out=tmp_path / "a.csv")
    assert ",A,G,AG_LND_FRST,646," in (tmp_path / "a.csv").read_text()
    other = stored(tmp_path / "other", [{**rows()[0], "ref_area": "8"}])  # the eighth zone, not Albania
    with pytest.raises(InputError, match="the area '8' has no code"):
        export(other, to="sdmx-csv", out=tmp_path / "b.csv")
    export(other, to="sdmx-csv", out=tmp_path / "b.csv", areas={"8": "646"})
    assert ",AG_LND_FRST,646," in (tmp_path / "b.csv").read_text()
    with pytest.raises(InputError, match="the area '8' has no code"):
        export(other, to="sdmx-csv", out=tmp_path / "c.csv", areas={"8": "RW"})


@pytest.mark.parametrize(
    ("code", "name", "country", "wanted"),
    [
        ("RWA", "", True, "646"),
        ("RWA", "", False, ""),
        ("CA", "California", False, ""),
        ("CA", "Canada", True, "124"),
        ("646", "Rwanda", True, "646"),
        ("100", "Block 100", True, ""),  # Bulgaria
        ("8", "Albania", True, "8"),
        ("8", "Eighth", True, ""),
        ("XK", "Kosovo", True, ""),
    ],
)
def test_only_a_country_is_taken_for_one(code: str, name: str, country: bool, wanted: str) -> None:
    assert area_code(code, name, global_structure().codes["REF_AREA"], {}, country) == wanted


def test_codes_are_those_of_countries_only_if_all_are() -> None:
    assert countries(["RW", "BI"]) == {"RW", "BI"} and countries(["CA", "TX", "NY"]) == set()


def test_what_could_not_be_checked_is_said(run: StoredRun, tmp_path: Path, limits: Path) -> None:
    own = stored(tmp_path / "one", rows()[:1])
    assert "not checked" in export(own, to="sdmx-csv", out=tmp_path / "a.csv").remarks[0]
    assert export(own, to="sdmx-csv", out=tmp_path / "b.csv", constraints=limits).remarks == ()


def test_a_multiplier_that_the_constraints_demand_moves_digits_and_loses_none(tmp_path: Path, limits: Path) -> None:
    official = {"series": "AG_LND_FRSTN", "definition": "", "differs": ""}
    run = stored(
        tmp_path / "store",
        [row("RW", "2020", THIRD, unit_measure="km2")],
        outputs={"share": {"title": "Forest", "unit": "km2", "official": official}},
    )
    export(run, to="sdmx-ml", out=tmp_path / "a.xml", constraints=limits)
    obs = etree.parse(str(tmp_path / "a.xml")).getroot().find(".//Obs")
    assert (obs.get("UNIT_MULT"), obs.get("OBS_VALUE")) == ("3", "3.3333333333333336")  # thousand hectares
    assert obs.getparent().get("UNIT_MEASURE") == "HA"
    assert moved(0.1, 2) == "10" and moved(0.3, -3) == "0.0003" and moved(5.0, 0) == "5.0"


def test_codes_of_units_agree_with_the_units_of_official_tables() -> None:
    ours = {
        "PT": "percent",
        "RO": "1",
        "KM2": "km2",
        "HA": "ha",
        "M2": "m2",
        "KM": "km",
        "GPERM3": "ug m-3",
        "USD": "USD",
    }
    for unit, codes in CODES.items():
        for code, power in codes:
            assert factor(unit, ours.get(code, "number")) == pytest.approx(10.0**power), (unit, code)


def test_texts_lose_line_breaks_and_what_no_document_may_hold(
    tmp_path: Path, rwanda: Structure, rwanda_file: Path
) -> None:
    run = stored(tmp_path / "store", [row("RW", "2020", np.nan, obs_status="not\x00\ufffe seen,\n\u2028 alas ")])
    for name in ("a.csv", "a.xml"):
        to = "sdmx-csv" if name == "a.csv" else "sdmx-ml"
        export(run, to=to, out=tmp_path / name, structure=rwanda_file)
        said = by_key(read_message(tmp_path / name, rwanda))["RW", "2020"]
        assert "Not  seen,  alas ." in said["COMMENT_OBS"]


def test_breakdowns_take_custom_codes_and_their_label(tmp_path: Path, rwanda: Structure, rwanda_file: Path) -> None:
    run = stored(tmp_path / "store", [*rows()[:1], *BREAKDOWNS])
    assert export(run, to="sdmx-ml", out=tmp_path / "a.xml", structure=rwanda_file).left_out == 2
    export(run, to="sdmx-ml", out=tmp_path / "b.xml", structure=rwanda_file, breakdowns=True)
    at = rwanda.dimensions.index("CUST_BREAKDOWN")
    got = read_message(tmp_path / "b.xml", rwanda).observations
    labels = {o.key[at]: dict(o.series).get("CUST_BREAKDOWN_LB", "") for o in got}
    assert labels == {"_T": "", "C01": "belt=1", "C02": "belt=2"}


def test_the_code_of_a_breakdown_stays_when_others_come(rwanda: Structure) -> None:
    before = custom_codes(["belt=10", "belt=2", "belt=2,class=7", "slope=0.5"], rwanda)
    after = custom_codes([*before, *(f"belt={n}" for n in range(1, 12)), "age=1.5"], rwanda)
    assert {text: after[text] for text in before} == before
    assert (before["belt=2"], before["belt=10"]) == ("C02", "C10") and len(set(after.values())) == len(after)
    assert before == custom_codes(reversed(list(before)), rwanda)


def test_breakdowns_whose_digests_meet_have_two_codes_and_too_many_are_refused(
    tmp_path: Path, rwanda_file: Path, rwanda: Structure
) -> None:
    many = [f"belt={n},class={m}" for n in range(10) for m in range(10)]
    assert len(set(custom_codes(many, rwanda).values())) == 100
    run = stored(tmp_path / "store", [row("RW", "2020", 1.0, breakdown=b) for b in [*many, "belt=10,class=1"]])
    with pytest.raises(InputError, match="1 keys stand for several rows"):
        export(run, to="sdmx-ml", out=tmp_path / "a.xml", structure=rwanda_file, breakdowns=True)


@pytest.mark.parametrize(("allowed", "wanted"), [("6;0", "0"), ("0;6", "0"), ("6", "6"), ("x;3", "3")])
def test_of_two_multipliers_that_fit_alike_the_smaller_is_taken(tmp_path: Path, allowed: str, wanted: str) -> None:
    (tmp_path / "limits.csv").write_text(f"SERIES,UNIT_MULT\nAG_LND_FRST,{allowed}\n")
    official = {"series": "AG_LND_FRST", "definition": "", "differs": ""}
    outputs = {"share": {"title": "People", "unit": "1000 people", "official": official}}
    run = stored(tmp_path / "store", [row("RW", "2020", 5.0, unit_measure="1000 people")], outputs=outputs)
    export(run, to="sdmx-ml", out=tmp_path / "a.xml", constraints=tmp_path / "limits.csv")
    obs = etree.parse(str(tmp_path / "a.xml")).getroot().find(".//Obs")
    assert obs.get("UNIT_MULT") == wanted
    assert float(obs.get("OBS_VALUE")) * 10.0 ** int(wanted) == pytest.approx(5000.0)


def test_two_rows_of_one_key_are_refused(tmp_path: Path, rwanda_file: Path) -> None:
    run = stored(tmp_path / "store", [row("RW", "2018/2020", 1.0), row("RW", "2020", 2.0)])
    with pytest.raises(InputError, match="1 keys stand for several rows"):
        export(run, to="sdmx-ml", out=tmp_path / "a.xml", structure=rwanda_file)


# --- geomon's own structure


def test_the_own_structure_holds_every_fact_of_every_row(tmp_path: Path) -> None:
    run = stored(tmp_path / "store", [*rows(), *BREAKDOWNS])
    export(run, to="sdmx", out=tmp_path / "data", structure="geomon", breakdowns=True)
    assert sorted(p.name for p in (tmp_path / "data").iterdir()) == ["data-structure.xml", "data.csv", "data.xml"]
    structure = read_structure(tmp_path / "data" / "data-structure.xml")
    ours = own_structure(release_of(run))
    assert structure == ours
    from_ml, from_csv = (read_message(tmp_path / "data" / name, structure) for name in ("data.xml", "data.csv"))
    assert Counter(from_ml.observations) == Counter(from_csv.observations)
    assert valid(from_ml) == []
    facts = {
        "OBS_VALUE": "obs_value",
        "LOWER_BOUND": "lower",
        "UPPER_BOUND": "upper",
        "COVERAGE": "coverage",
        "N_OBS": "n_obs",
        "INTERVAL": "interval",
        "COMMENT_OBS": "obs_status",
        "RUN": "run",
        "VINTAGE": "vintage",
        "TIME_DETAIL": "time_period",
        "INDICATOR": "indicator",
    }
    got = []
    for o in from_ml.observations:
        said = {**dict(o.series), **dict(o.own), "OBS_VALUE": o.value}
        got.append((o.key[2], o.key[3], *(said.get(name, "") for name in facts)))
    numbers = {"OBS_VALUE", "LOWER_BOUND", "UPPER_BOUND", "COVERAGE", "N_OBS"}
    wanted = [
        (
            r["ref_area"],
            str(r["breakdown"]).replace("=", "-") or "_T",
            *(text(r[c]) if n in numbers else r[c] for n, c in facts.items()),
        )
        for r in run.series.to_dict("records")
    ]
    assert Counter(got) == Counter(wanted)
    assert "test>true" in (tmp_path / "data" / "data.xml").read_text().lower()


@pytest.mark.parametrize("name", ["data.xml", "data.csv"])
def test_codes_that_sdmx_cannot_hold_and_parts_of_intervals_come_back(tmp_path: Path, name: str) -> None:
    run = stored(tmp_path / "store", [row("Côte/1", "2020", 1.0, interval="bounds+confusion"), row("RW", "2020", 2.0)])
    place = {"series": "share", "ref_area": "Côte/1", "time_period": "2020", "lower": 0.5}
    parts = [{**place, "component": n} for n in ("unseen", "confusion")] + [{**place, "component": "x", "lower": None}]
    tidy(parts, INTERVALS).to_parquet(run.folder / "intervals.parquet")
    export(run, to="sdmx", out=tmp_path / "data", structure="geomon")
    own = read_message(tmp_path / "data" / name, read_structure(tmp_path / "data" / "data-structure.xml"))
    said = {o.key[2]: dict((*o.series, *o.own)) for o in own.observations}
    assert said["C-te-1"]["AREA_CODE"] == "Côte/1" and "AREA_CODE" not in said["RW"]
    assert (said["C-te-1"]["INTERVAL"], said["C-te-1"]["COMPONENTS"]) == ("bounds+confusion", "unseen+confusion")
    assert "COMPONENTS" not in said["RW"] and said["RW"]["OUTPUT"] == "share"


def test_the_parts_of_an_interval_are_named_in_a_national_structure(
    run: StoredRun, tmp_path: Path, rwanda: Structure, rwanda_file: Path
) -> None:
    place = {"series": "share", "ref_area": "RW", "time_period": "2020", "lower": 0.5}
    tidy([{**place, "component": n} for n in ("unseen", "noise")], INTERVALS).to_parquet(
        run.folder / "intervals.parquet"
    )
    export(run, to="sdmx-ml", out=tmp_path / "a.xml", structure=rwanda_file)
    said = by_key(read_message(tmp_path / "a.xml", rwanda))
    assert "; components=unseen+noise; " in said["RW", "2020"]["COMMENT_OBS"]
    assert "components=" not in said["RW", "2021"]["COMMENT_OBS"]


def test_two_rows_of_one_key_have_no_place_in_our_own_structure(tmp_path: Path) -> None:
    run = stored(tmp_path / "store", [row("RW", "2020", 1.0), row("RW", "2020", 2.0)])
    with pytest.raises(InputError, match=r"1 keys stand for several rows.*one run at a time"):
        export(run, to="sdmx-ml", out=tmp_path / "a.xml", structure="geomon")
    assert not (tmp_path / "a.xml").exists()


def text(value: Any) -> str:
    """A number as SDMX has it."""
    return "" if np.isnan(value) else "INF" if np.isinf(value) else repr(float(value))


def valid(message: Message) -> list[str]:
    """Codes of a message that its structure does not have, and what it lacks."""
    structure, faults = message.structure, []
    for o in message.observations:
        said = {**dict(zip(structure.dimensions, o.key, strict=True)), **dict(o.series), **dict(o.own)}
        faults += [f"{n}={c}" for n, c in said.items() if n in structure.codes and c not in structure.codes[n]]
        faults += [n for n, a in structure.attributes.items() if a.mandatory and n not in said]
        faults += [n for n in said if n not in structure.dimensions and n not in structure.attributes]
    return faults


def test_a_structure_without_bounds_gets_our_own_data_beside_it(
    tmp_path: Path, rwanda: Structure, rwanda_file: Path
) -> None:
    poor = etree.parse(str(rwanda_file))
    for attribute in list(poor.getroot().iter("{*}Attribute")):
        if attribute.get("id") in ("LOWER_BOUND", "UPPER_BOUND"):
            attribute.getparent().remove(attribute)
    (tmp_path / "dsd.xml").write_bytes(etree.tostring(poor))
    run = stored(tmp_path / "store", rows())
    written = export(run, to="sdmx-csv", out=tmp_path / "out" / "a.csv", structure=tmp_path / "dsd.xml")
    assert "its interval first" in written.remarks[0]
    assert [f.name for f in written.files] == ["a-geomon.xml", "a-structure.xml", "a.csv"]
    own = read_message(tmp_path / "out" / "a-geomon.xml", read_structure(tmp_path / "out" / "a-structure.xml"))
    assert by_key(own)["RW", "2020"]["LOWER_BOUND"] == "30.1" and valid(own) == []
    assert "LOWER_BOUND" not in (tmp_path / "out" / "a.csv").read_text()


def test_a_structure_that_cannot_say_estimate_is_refused(tmp_path: Path, rwanda_file: Path) -> None:
    mute = etree.parse(str(rwanda_file))
    for attribute in list(mute.getroot().iter("{*}Attribute")):
        if attribute.get("id") in ("COMMENT_OBS", "COMMENT_TS", "SOURCE_DETAIL"):
            attribute.getparent().remove(attribute)
    (tmp_path / "dsd.xml").write_bytes(etree.tostring(mute))
    with pytest.raises(InputError, match="satellite estimate"):
        export(stored(tmp_path / "store", rows()), to="sdmx-ml", out=tmp_path / "a.xml", structure=tmp_path / "dsd.xml")


@pytest.mark.parametrize(
    ("label", "wanted"),
    [
        ("2020", ("A", "2020")),
        ("2020-03", ("M", "2020-03")),
        ("2020-03-05", ("D", "2020-03-05")),
        ("2015/2020", ("A", "2015-01-01/P6Y")),
        ("2020-02/2020-03", ("M", "2020-02-01/P2M")),
        ("2020-02-28/2020-03-01", ("D", "2020-02-28/P3D")),
    ],
)
def test_a_span_is_a_day_and_a_duration(label: str, wanted: tuple[str, str]) -> None:
    assert span(label) == wanted


# --- A file of others


def test_the_file_of_rwanda_goes_out_and_comes_back_whole(shared_data: Path, rwanda: Structure, tmp_path: Path) -> None:
    file = shared_data / "sdmx" / "RWA_SDG_data_2025.xml"
    before = read_message(file, rwanda)
    raw = [
        ({**line.attrib, **own.attrib}, line)
        for line in etree.parse(str(file)).getroot().iter("Series")
        for own in line
    ]
    assert len(before.observations) == len(raw) == 2330
    assert Counter(map(flat, before.observations)) == Counter(frozenset(said.items()) for said, _ in raw)
    for name, told in (("a.xml", to_ml(before)), ("b.xml", to_ml(before, generic=True)), ("c.csv", to_csv(before))):
        (tmp_path / name).write_bytes(told)
        assert read_message(tmp_path / name, rwanda).observations == before.observations


def test_sdmx1_reads_our_csv_of_rwanda_but_for_line_breaks_in_quotes(
    shared_data: Path, rwanda: Structure, tmp_path: Path
) -> None:
    before = read_message(shared_data / "sdmx" / "RWA_SDG_data_2025.xml", rwanda).observations
    told = to_csv(Message(structure=rwanda, observations=before, id="X", prepared="2026-01-01T00:00:00Z"))
    message: Any = sdmx.read_sdmx(io.BytesIO(told), "csv", structure=rwanda.definition)
    after = [observation(o, rwanda) for o in message.data[0].obs]
    assert [o.key for o in after] == [o.key for o in before] and [o.value for o in after] == [o.value for o in before]
    assert [o.series for o in after] == [o.series for o in before]
    assert [unbroken(o) for o in after] == [unbroken(o) for o in before]
    lost = [o.own != p.own for o, p in zip(after, before, strict=True)]
    assert lost == [any("\n" in text for _, text in o.own) for o in before] and sum(lost) == 62


def unbroken(o: Observation) -> list[tuple[str, str]]:
    """Its attributes without line breaks."""
    return [(name, text.replace("\n", "")) for name, text in o.own]


def flat(o: Observation) -> frozenset[tuple[str, str]]:
    """All that an observation says, by name."""
    from geomon.export.structure import SDG_DIMENSIONS

    return frozenset((*zip(SDG_DIMENSIONS, o.key, strict=True), *o.series, *o.own, ("OBS_VALUE", o.value)))


def test_two_series_of_one_key_in_the_file_of_rwanda_stay_two(shared_data: Path, rwanda: Structure) -> None:
    message = read_message(shared_data / "sdmx" / "RWA_SDG_data_2025.xml", rwanda)
    units: dict[tuple[str, ...], set[str]] = {}
    for o in message.observations:
        units.setdefault(o.key[:-1], set()).add(dict(o.series)["UNIT_MEASURE"])
    twice = {key: own for key, own in units.items() if len(own) > 1}
    assert [key[2] for key in twice] == ["SP_LGL_LNDDOC"]  # a count of people in 2023, percent in 2022
    assert list(twice.values()) == [{"NUMBER", "PT"}]
    lines = etree.fromstring(to_ml(message)).iter("Series")
    assert sum(line.get("SERIES") == "SP_LGL_LNDDOC" and line.get("SEX") == "_T" for line in lines) == 2


def test_line_breaks_of_others_survive_our_csv(rwanda: Structure, tmp_path: Path) -> None:
    key = ("A", "N", "AG_LND_FRST", "RW", *["_T"] * 11, "2020")
    one = Observation(key, "1.50", (("UNIT_MEASURE", "PT"),), (("COMMENT_OBS", 'two\nlines, "quoted"'),))
    message = Message(structure=rwanda, observations=(one,), id="X", prepared="2026-01-01T00:00:00Z")
    for name, told in (("a.csv", to_csv(message)), ("a.xml", to_ml(message))):
        (tmp_path / name).write_bytes(told)
        assert read_message(tmp_path / name, rwanda).observations == (one,)


def test_the_names_of_the_global_structure_are_those_of_the_published_ones(
    rwanda: Structure, shared_data: Path
) -> None:
    ours = global_structure()
    assert ours.dimensions == rwanda.dimensions and dict(ours.attributes) == dict(rwanda.attributes)
    shown = etree.parse(str(shared_data / "sdmx" / "sdg-build_1-1-1--structure.xml")).getroot()
    first = next(shown.iter("{*}SeriesKey"))
    assert [v.get("id") for v in first] == list(ours.dimensions[:-1])
    for name in ("UNIT_MEASURE", "OBS_STATUS", "UNIT_MULT", "NATURE", "REPORTING_TYPE", "FREQ"):
        assert set(ours.codes[name]) <= set(rwanda.codes[name]), name


def test_constraints_read_all_as_any(limits: Path) -> None:
    found = read_constraints(limits)
    assert found.allowed("AG_LND_FRST", "UNIT_MEASURE") == frozenset({"PT"})
    assert found.allowed("ER_MTN_TOTL", "UNIT_MULT") is None
    assert found.allowed("ER_MTN_GRNCVI", "COMPOSITE_BREAKDOWN") == frozenset(
        {"_T", *(f"ELV_{n}" for n in range(1, 7))}
    )


@pytest.mark.parametrize("content", [b"", b"<a/>", b"not xml", b"\xff\xfe"])
def test_a_structure_that_is_none_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "dsd.xml").write_bytes(content)
    with pytest.raises(InputError, match=r"dsd\.xml"):
        read_structure(tmp_path / "dsd.xml")


def test_a_broken_structure_and_one_that_is_data_are_said_in_a_sentence_and_in_nothing_else(
    run: StoredRun, tmp_path: Path, capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    export(run, to="sdmx", out=tmp_path / "data", structure="geomon")
    whole = (tmp_path / "data" / "data-structure.xml").read_bytes()
    (tmp_path / "dsd.xml").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(InputError, match="is no SDMX-ML structure message"):
        read_structure(tmp_path / "dsd.xml")
    with pytest.raises(InputError, match="holds data, no structure"):
        read_structure(tmp_path / "data" / "data.xml")
    assert capfd.readouterr() == ("", "") and not caplog.records
    with pytest.raises(InputError, match="cannot be read"):
        read_structure(tmp_path / "none.xml")


def test_data_of_another_structure_are_not_read(run: StoredRun, rwanda: Structure, tmp_path: Path) -> None:
    export(run, to="sdmx-csv", out=tmp_path / "a.csv", structure="geomon")
    with pytest.raises(InputError, match="has no columns"):
        read_message(tmp_path / "a.csv", rwanda)
    structure = read_structure(tmp_path / "a-structure.xml")
    with pytest.raises(InputError, match="holds no data; it is a StructureMessage"):
        read_message(tmp_path / "a-structure.xml", structure)
    whole = (tmp_path / "a.csv").read_text()
    for broken in (whole.replace(",I,", ",I,more,", 1), whole + "datastructure,GEOMON:SATELLITE(1.0),I\n"):
        (tmp_path / "b.csv").write_text(broken)
        with pytest.raises(InputError, match=r"b\.csv is broken: row [17] has other columns"):
            read_message(tmp_path / "b.csv", structure)
    with pytest.raises(InputError, match="from its file"):
        read_message(tmp_path / "a.xml", replace(rwanda, definition=None))
