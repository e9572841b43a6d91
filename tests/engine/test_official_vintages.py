"""A vintage is pinned once, whole, and never changes; a later one says what was revised."""

import hashlib
import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from io import StringIO
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from typer.testing import CliRunner

from geomon.cli import app
from geomon.errors import StoreError
from geomon.official import fingerprint, read_csv, statistics, vintage_of
from geomon.official.asking import Fetched
from geomon.official.fetching import Body, Manner
from geomon.official.revisions import CHANGES, revisions
from geomon.official.vintages import VARIABLE, Vintage, find, last, newer, pin, vintages
from tests.engine.little import Little, asked, little
from tests.engine.official_servers import Sdmx, Service, Un, rows_of, serving

HEAD = "series,ref_area,time_period,obs_value,unit_measure,nature\n"
QUERY = {"series": "S"}


def table(*rows: str) -> pd.DataFrame:
    return read_csv(StringIO(HEAD + "\n".join(rows) + "\n"), publisher="P")


def fetched(*rows: str, release: str = "2020.Q3", dsd: str = "") -> Fetched:
    return Fetched(table=table(*rows), bodies=(Body("u", HEAD.encode()),), release=release, dsd=dsd, url="http://x")


def pinned(root: Path, *rows: str, day: int = 1, release: str = "2020.Q3", query: dict[str, str] = QUERY) -> Vintage:
    now = datetime(2026, 1, day, tzinfo=UTC)
    return pin(fetched(*rows, release=release), "un-sdg", query, root=root, now=now)[0]


def test_a_vintage_keeps_table_bodies_and_hashes(tmp_path: Path) -> None:
    vintage = pinned(tmp_path, "S,A,2020,1,%,C")
    facts = json.loads((vintage.folder / "vintage.json").read_text())
    assert vintage.folder.parent == tmp_path / "un-sdg" and vintage.id.startswith("2020.Q3-")
    assert (
        facts["retrieved"] == "2026-01-01T00:00:00.000000Z" and facts["url"] == "http://x" and facts["query"] == QUERY
    )
    assert facts["files"]["raw/0000.csv"] == hashlib.sha256(HEAD.encode()).hexdigest()
    pd.testing.assert_frame_equal(vintage.table(), table("S,A,2020,1,%,C"))


def test_the_same_content_again_is_the_same_vintage(tmp_path: Path) -> None:
    first = pinned(tmp_path, "S,A,2020,1,%,C", "S,B,2020,2,%,C")
    again, fresh = pin(fetched("S,B,2020,2,%,C", "S,A,2020,1,%,C", release="2020.Q4"), "un-sdg", QUERY, root=tmp_path)
    assert again == first and not fresh and len(vintages(root=tmp_path)) == 1
    assert sorted(p.name for p in (tmp_path / "un-sdg").iterdir()) == [first.id]


def test_a_state_that_a_publisher_goes_back_to_is_the_newest_again(tmp_path: Path) -> None:
    first = pinned(tmp_path, "S,A,2020,1,%,C", day=1)
    pinned(tmp_path, "S,A,2020,2,%,C", day=2)
    third = pinned(tmp_path, "S,A,2020,1,%,C", day=3)
    assert find("un-sdg", root=tmp_path) == third != first and third.sha256 == first.sha256
    assert newer(first.facts(), root=tmp_path) == third and len(vintages(root=tmp_path)) == 3


def test_two_fetches_at_once_pin_one_vintage(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = pinned(tmp_path, "S,A,2020,1,%,C")
    monkeypatch.setattr("geomon.official.vintages.last", lambda *_, **__: None)  # it looked before the other wrote
    again, fresh = pin(fetched("S,A,2020,1,%,C"), "un-sdg", QUERY, root=tmp_path)
    assert again == first and not fresh
    assert [p.name for p in (tmp_path / "un-sdg").iterdir()] == [first.id]


@pytest.mark.parametrize("content", ["", "{", "[]", '"x"', "{}", None])
def test_one_broken_vintage_stops_no_other(tmp_path: Path, content: str | None) -> None:
    old = pinned(tmp_path, "S,A,2020,1,%,C", day=1)
    broken = pinned(tmp_path, "S,A,2020,2,%,C", day=2)
    other = pin(fetched("S,A,2020,1,%,C"), "ine", QUERY, root=tmp_path)[0]
    record = broken.folder / "vintage.json"
    record.unlink() if content is None else record.write_text(content)
    assert {v.name for v in vintages(root=tmp_path)} == {old.name, other.name}
    assert find("ine", root=tmp_path) == other and find(old.name, root=tmp_path) == old
    for name in ("un-sdg", "un-sdg@2020.Q3", broken.name):
        with pytest.raises(StoreError, match=r"vintage.json cannot be read. Remove that vintage"):
            find(name, root=tmp_path)
    with pytest.raises(StoreError, match=r"vintage.json cannot be read. Remove that vintage"):
        pinned(tmp_path, "S,A,2020,2,%,C")
    third = pinned(tmp_path, "S,A,2020,3,%,C")
    assert third in vintages(root=tmp_path)


@pytest.mark.parametrize("name", ["", "*", "../un-sdg", "un-sdg/.."])
def test_only_the_name_of_a_provider_names_one(tmp_path: Path, name: str) -> None:
    pinned(tmp_path, "S,A,2020,1,%,C")
    with pytest.raises(StoreError, match="No vintage of"):
        find(name, root=tmp_path)
    assert find("UN-SDG", root=tmp_path).provider == "un-sdg"


def test_the_same_table_for_another_question_is_another_vintage(tmp_path: Path) -> None:
    pinned(tmp_path, "S,A,2020,1,%,C")
    pinned(tmp_path, "S,A,2020,1,%,C", query={"series": "T"})
    assert len(vintages(root=tmp_path)) == 2
    with pytest.raises(StoreError, match=r"different questions. Name one"):
        find("un-sdg", root=tmp_path)


@pytest.mark.parametrize("name", ["data.parquet", "raw/0000.csv", "vintage.json"])
def test_a_file_that_was_changed_is_an_error_on_reading(tmp_path: Path, name: str) -> None:
    vintage = pinned(tmp_path, "S,A,2020,1,%,C")
    file = vintage.folder / name
    content = file.read_bytes()
    file.write_bytes(content.replace(b"2020.Q3", b"2020.Q4") if name == "vintage.json" else content + b"x")
    with pytest.raises(StoreError, match=rf"{name} is not what was pinned"):
        find("un-sdg", root=tmp_path).table()


def test_a_write_that_fails_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: Any, **__: Any) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(pd.DataFrame, "to_parquet", full)
    with pytest.raises(StoreError, match="No space left"):
        pinned(tmp_path, "S,A,2020,1,%,C")
    assert vintages(root=tmp_path) == [] and list((tmp_path / "un-sdg").iterdir()) == []


def test_the_newest_of_a_name_is_found_and_an_older_one_by_its_beginning(tmp_path: Path) -> None:
    old = pinned(tmp_path, "S,A,2020,1,%,C", day=1)
    new = pinned(tmp_path, "S,A,2020,2,%,C", day=2, release="2020.Q4")
    assert find("un-sdg", root=tmp_path) == new and find("un-sdg@2020.Q3", root=tmp_path) == old
    assert last("un-sdg", QUERY, root=tmp_path) == new and last("un-sdg", {"series": "T"}, root=tmp_path) is None
    assert newer(old.facts(), root=tmp_path) == new and newer(new.facts(), root=tmp_path) is None
    with pytest.raises(StoreError, match="no vintage '1999'"):
        find("un-sdg@1999", root=tmp_path)
    with pytest.raises(StoreError, match="Did you mean 'un-sdg'"):
        find("unsdg", root=tmp_path)


def test_what_was_revised_is_listed_largest_first() -> None:
    old = table(
        "S,A,2018,10,%,C", "S,A,2019,10,%,C", "S,A,2020,10,%,C", "S,B,2018,1,km2,C", "S,C,2018,5,%,C", "S,D,1,5,%,C"
    )
    new = table(
        "S,A,2018,10,%,C", "S,A,2019,11,%,C", "S,A,2020,5,%,E", "S,B,2018,100,ha,C", "S,C,2018,5,%,E", "S,E,1,5,%,C"
    )
    found = revisions(old, new)
    shown = found[["change", "ref_area", "time_period", "difference"]].to_numpy().tolist()
    assert shown[:4] == [
        ["revised", "A", "2020", -5.0],
        ["revised", "A", "2019", 1.0],
        ["unit", "B", "2018", 0.0],
        ["nature", "C", "2018", 0.0],
    ]
    assert [row[:3] for row in shown[4:]] == [["new", "E", "1"], ["dropped", "D", "1"]]
    assert found.relative.tolist()[:2] == [-0.5, 0.1] and found.nature_new[0] == "E"


def test_a_value_that_became_missing_was_dropped() -> None:
    found = revisions(table("S,A,2019,1,%,C", "S,A,2020,1,%,C"), table("S,A,2019,1,%,C", "S,A,2020,NV,%,C"))
    assert found[["change", "time_period"]].to_numpy().tolist() == [["dropped", "2020"]]


def test_units_that_do_not_measure_the_same_give_no_difference() -> None:
    found = revisions(table("S,A,2020,1,%,C"), table("S,A,2020,1,km2,C"))
    assert found.change.tolist() == ["unit"] and np.isnan(found.difference[0])


def test_a_zero_that_was_revised_has_no_share_and_comes_first() -> None:
    found = revisions(table("S,A,2019,0,%,C", "S,B,2019,1,%,C"), table("S,A,2019,1,%,C", "S,B,2019,9,%,C"))
    assert found.ref_area.tolist() == ["A", "B"] and found.relative[0] == np.inf


def test_a_change_of_bounds_reason_or_note_is_a_change_though_no_value_was_revised() -> None:
    old = table("S,A,2019,1,%,C", "S,B,2019,<5,%,C", "S,C,2019,N,%,C", "S,D,2019,1*,%,C", "S,E,2019,4 [3-5],%,C")
    new = table("S,A,2019,1,%,C", "S,B,2019,<6,%,C", "S,C,2019,NV,%,C", "S,D,2019,1,%,C", "S,E,2019,4 [3-6],%,C")
    found = revisions(old, new)
    assert sorted(zip(found.change, found.ref_area, strict=True)) == [
        ("bounds", "B"),
        ("bounds", "E"),
        ("remark", "C"),
        ("remark", "D"),
    ]
    assert found.upper_new.max() == 6 and found.difference.fillna(0).eq(0).all()


def test_the_unit_of_a_value_that_is_missing_on_both_sides_is_compared() -> None:
    found = revisions(table("S,A,2019,1,%,C", "S,B,2019,N,%,C"), table("S,A,2019,1,%,C", "S,B,2019,N,km2,C"))
    assert found[["change", "ref_area"]].to_numpy().tolist() == [["unit", "B"]] and np.isnan(found.relative[0])


def test_nothing_changed_between_a_table_and_itself() -> None:
    same = table("S,A,2019,0.1,%,C", "S,B,2019,NV,%,C")
    assert revisions(same, same).empty


def test_a_recipe_calls_a_plain_table_by_its_hash_and_a_vintage_by_its_name(tmp_path: Path) -> None:
    plain = table("S,A,2020,1,%,C")
    vintage = pinned(tmp_path, "S,A,2020,1,%,C")
    first_ten = plain[[c for c in plain if c not in ("lower", "upper")]].to_dict("list")
    content = json.dumps(first_ten, sort_keys=True, ensure_ascii=False, default=str)
    assert fingerprint(plain) == hashlib.sha256(content.encode()).hexdigest()[:16]
    assert fingerprint(vintage.table()) == f"{vintage.name} sha256:{vintage.sha256[:16]}"
    assert fingerprint(table("S,A,2020,1,%,C", "S,B,2020,<5,%,C")) != fingerprint(table("S,A,2020,1,%,C"))
    assert fingerprint(None) == ""


def test_a_table_that_was_changed_since_is_not_called_by_the_vintages_name(tmp_path: Path) -> None:
    vintage = pinned(tmp_path, "S,A,2020,1,%,C", "S,B,2020,2,%,C")
    for changed in (vintage.table().assign(obs_value=[2.0, 4.0]), vintage.table().iloc[:1]):
        assert changed.attrs["vintage"]["name"] == vintage.name  # pandas keeps it
        assert vintage.name not in fingerprint(changed) and vintage_of(changed) is None
    assert vintage_of(vintage.table()) == vintage.facts() and vintage_of(None) is None


def test_statistics_are_a_table_a_file_or_a_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(VARIABLE, str(tmp_path / "kept"))
    vintage = pinned(tmp_path / "kept", "S,A,2020,1,%,C")
    file = tmp_path / "plain.csv"
    file.write_text(HEAD + "S,A,2020,7,%,C\n")
    by_file, by_name = statistics(str(file)), statistics("un-sdg")
    assert by_file is not None and by_file.obs_value.tolist() == [7] and by_file.attrs == {}
    assert by_name is not None and by_name.attrs["vintage"]["name"] == vintage.name
    assert statistics(by_name) is by_name and statistics(None) is None


# The command line --------------------------------------------------------------------------------------------------


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv(VARIABLE, str(tmp_path / "kept"))
    monkeypatch.setattr("geomon.official.providers.MANNER", Manner(timeout=0.5, tries=2, pause=0.0))
    return tmp_path / "kept"


@pytest.fixture
def un(shared_data: Path) -> Iterator[Service]:
    file = shared_data / "tables/official/unsd_sdg_2020q3_extract.csv"
    with serving(Un(rows_of(file, SeriesCode="AG_LND_FRST", GeoAreaCode="678"))) as service:
        yield service


def geomon(*arguments: str) -> Any:
    return CliRunner().invoke(app, ["official", *arguments])


def fetch_un(un: Service, *more: str) -> Any:
    return geomon("fetch", "un-sdg", "--series", "AG_LND_FRST", "--area", "STP", "--url", un.url, *more)


def revised(un: Service) -> None:
    """The service publishes a new release, in which the first value is one point more."""
    assert isinstance(un.answer, Un)
    first, *rest = un.answer.rows
    un.answer.rows = [{**first, "Value": str(float(first["Value"]) + 1)}, *rest]
    un.answer.release = "2020.Q4.G.02"


def test_fetch_pins_and_fetching_again_finds_nothing_new(root: Path, un: Service) -> None:
    first = fetch_un(un)
    assert first.exit_code == 0 and "Pinned un-sdg@2020.Q3.G.01-" in first.stdout
    again = geomon("fetch", "un-sdg", "--series", "AG_LND_FRST", "--area", "678", "--url", un.url)
    assert again.exit_code == 0 and "Nothing new: it is un-sdg@2020.Q3.G.01-" in again.stdout
    listed = json.loads(geomon("list", "--json").stdout)
    assert [v["release"] for v in listed] == ["2020.Q3.G.01"] and listed[0]["query"] == {
        "area": "STP",
        "series": "AG_LND_FRST",
    }


def test_a_new_release_is_another_vintage_and_diff_lists_what_was_revised(root: Path, un: Service) -> None:
    fetch_un(un)
    revised(un)
    said = fetch_un(un)
    assert "geomon official diff un-sdg@2020.Q3.G.01-" in said.stderr.replace("\n", "")
    answer = geomon("diff", "un-sdg", "--json")
    told = json.loads(answer.stdout)
    assert told["counts"] == {**dict.fromkeys(CHANGES, 0), "revised": 1}
    assert told["changes"][0]["difference"] == pytest.approx(1) and told["new"]["release"] == "2020.Q4.G.02"
    assert "1 revised" in geomon("diff", "un-sdg").stdout


@pytest.mark.parametrize("fault", ["500", "stall", "cut", "short", "garbage"])
def test_when_the_service_is_away_the_last_vintage_serves_and_says_so(root: Path, un: Service, fault: str) -> None:
    fetch_un(un)
    un.faults = [fault, "*"]
    answer = fetch_un(un)
    assert answer.exit_code == 3 and "The last pinned vintage serves: un-sdg@2020.Q3.G.01-" in answer.stdout
    assert "The service is away" in answer.stderr
    told = json.loads(fetch_un(un, "--json").stdout)
    assert told["served"] == "the last pinned vintage" and told["new"] is False


def test_when_the_service_is_away_and_nothing_is_pinned_that_is_an_error(root: Path, un: Service) -> None:
    un.faults = ["500", "*"]
    answer = fetch_un(un)
    assert answer.exit_code == 1 and answer.stderr.startswith("ServiceError: ")


def test_a_vintage_of_another_question_does_not_serve(root: Path, un: Service) -> None:
    fetch_un(un)
    un.faults = ["500", "*"]
    answer = geomon("fetch", "un-sdg", "--series", "AG_LND_FRST", "--area", "BDI", "--url", un.url)
    assert answer.exit_code == 1


def test_a_refusal_is_not_answered_from_a_vintage(root: Path, un: Service) -> None:
    fetch_un(un)
    un.faults = ["404"]
    answer = fetch_un(un)
    assert answer.exit_code == 1 and "(404)" in answer.stderr


def test_a_changed_structure_is_said(root: Path, shared_data: Path) -> None:
    folder = shared_data / "sdmx"
    dsd, data = ((folder / name).read_bytes() for name in ("RWA_SDG_DSD_1.3_2025.xml", "RWA_SDG_data_2025.xml"))
    with serving(Sdmx(dsd, data.split(b"</Series>")[0] + b"</Series>" + data.rpartition(b"</Series>")[2])) as service:
        command = ("fetch", "sdmx", "--flow", "NISR-SDGs/DF_SDG", "--url", service.url)
        assert geomon(*command).exit_code == 0
        assert isinstance(service.answer, Sdmx)
        service.answer.versions["1.11"] = "1.4"
        service.answer.data = service.answer.data.replace(b'OBS_VALUE="82.3"', b'OBS_VALUE="82.4"')
        said = geomon(*command)
    assert "The data structure changed from NISR-SDGs:SDG(1.3) to NISR-SDGs:SDG(1.4)" in said.stderr.replace("\n", "")
    assert [v.dsd for v in vintages("sdmx", root=root)] == ["NISR-SDGs:SDG(1.4)", "NISR-SDGs:SDG(1.3)"]


def test_a_file_is_pinned_under_its_publisher_by_a_mapping(root: Path, tmp_path: Path) -> None:
    (tmp_path / "national.csv").write_text("Code,2019,2020\nA,1,<5\n")
    (tmp_path / "m.json").write_text('{"series": "=S", "ref_area": "Code", "time_period": "columns"}')
    made = geomon(
        "fetch", "file", str(tmp_path / "national.csv"), "--mapping", str(tmp_path / "m.json"), "--publisher", "INE"
    )
    assert made.exit_code == 0, made.stderr
    shown = json.loads(geomon("show", "ine", "--json").stdout)
    assert shown["provider"] == "ine" and shown["missing"] == {"only a limit in the source: '<5'": 1}
    rows = geomon("show", "ine", "--csv").stdout.splitlines()
    assert rows[0].startswith("series,ref_area") and len(rows) == 3


def test_an_sdmx_file_is_pinned_with_its_structure_and_release(root: Path, shared_data: Path) -> None:
    folder = shared_data / "sdmx"
    file, dsd = folder / "RWA_SDG_data_2025.xml", folder / "RWA_SDG_DSD_1.3_2025.xml"
    made = geomon("fetch", "file", str(file), "--structure", str(dsd), "--publisher", "NISR", "--release", "May 2026")
    assert made.exit_code == 0, made.stderr
    vintage = find("nisr@May-2026", root=root)
    assert (vintage.dsd, vintage.release, vintage.rows) == ("NISR-SDGs:SDG(1.3)", "May 2026", 2330)


def test_show_counts_natures_in_words(root: Path, un: Service) -> None:
    fetch_un(un)
    shown = json.loads(geomon("show", "un-sdg", "--json").stdout)
    assert set(shown["nature"]) <= {"estimated", "country data", "country data, adjusted", "nature not specified"}
    assert "Nature: " in geomon("show", "un-sdg").stdout


def test_a_broken_vintage_is_named_by_list_and_fetch_and_stops_neither(root: Path, un: Service) -> None:
    fetch_un(un)
    old = find("un-sdg", root=root)
    revised(un)
    fetch_un(un)
    (find("un-sdg", root=root).folder / "vintage.json").write_text("{")
    answer = geomon("list", "--json")
    assert answer.exit_code == 3 and [v["name"] for v in json.loads(answer.stdout)] == [old.name]
    assert "vintage.json cannot be read" in answer.stderr.replace("\n", "")
    shown = geomon("list")
    assert shown.exit_code == 3 and "2020.Q3.G.01" in shown.stdout
    revised(un)
    made = fetch_un(un)
    assert made.exit_code == 0 and "vintage.json cannot be read" in made.stderr.replace("\n", "")


def test_a_structure_that_is_not_there_is_a_sentence(root: Path, tmp_path: Path) -> None:
    answer = geomon("fetch", "file", "x.xml", "--structure", str(tmp_path / "none.xml"))
    assert answer.exit_code == 1 and "none.xml cannot be read: No such file or directory. Check --structure." in (
        answer.stderr.replace("\n", "")
    )


def test_diff_says_what_changed_besides_values(root: Path, tmp_path: Path) -> None:
    file = tmp_path / "n.csv"
    for limit in ("<5", "<6"):
        file.write_text(f"{HEAD}S,A,2019,1,%,C\nS,A,2020,{limit},%,C\n")
        geomon("fetch", "file", str(file), "--publisher", "INE")
    shown = geomon("diff", "ine").stdout
    assert "1 bounds" in shown and "upper 5 to 6" in " ".join(shown.split()) and "Nothing changed" not in shown


def test_an_empty_root_says_what_fills_it(root: Path) -> None:
    assert "geomon official fetch pins one" in geomon("list").stderr
    assert geomon("show", "un-sdg").exit_code == 1


# A run beside a vintage --------------------------------------------------------------------------------------------


@pytest.fixture
def country(tmp_path: Path, use_workspace: Callable[..., None]) -> Little:
    made = little(tmp_path / "little")
    use_workspace(made.workspace)
    return made


def test_a_run_names_the_vintage_that_it_was_checked_against(root: Path, country: Little) -> None:
    assert geomon("fetch", "file", str(country.official), "--publisher", "INE").exit_code == 0
    vintage = find("ine", root=root)
    answer = CliRunner().invoke(app, asked(country, "--official", "ine", "--json"))
    assert answer.exit_code == 0, answer.stderr
    told = json.loads(
        CliRunner().invoke(app, ["store", "show", "15.1.1", "--store", str(country.store), "--json"]).stdout
    )
    assert told["recipe"]["official"] == vintage.facts()
    assert told["recipe"]["vintage"] == f"{vintage.name} sha256:{vintage.sha256[:16]}"
    assert {row["vintage"] for row in told["series"]} == {told["recipe"]["vintage"]} and told["check"]
    shown = CliRunner().invoke(app, ["store", "show", "15.1.1", "--store", str(country.store)]).stdout
    assert f"{vintage.name}, retrieved {vintage.retrieved[:10]}" in shown


def test_a_new_vintage_changes_no_verdict_and_is_pointed_at(root: Path, country: Little) -> None:
    geomon("fetch", "file", str(country.official), "--publisher", "INE")
    CliRunner().invoke(app, asked(country, "--official", "ine"))
    check = ["check", "15.1.1", "--store", str(country.store), "--json"]
    before = CliRunner().invoke(app, check)
    content = country.official.read_text().splitlines()
    cells = content[1].split(",")
    cells[3] = str(float(cells[3]) + 30)
    country.official.write_text("\n".join([content[0], ",".join(cells), *content[2:]]) + "\n")
    geomon("fetch", "file", str(country.official), "--publisher", "INE")
    after = CliRunner().invoke(app, check)
    assert json.loads(after.stdout) == json.loads(before.stdout) and "A newer vintage is pinned" not in before.stderr
    assert "A newer vintage is pinned. Its revisions: geomon official diff ine@" in after.stderr.replace("\n", "")
    anew = json.loads(CliRunner().invoke(app, [*check, "--official", "ine"]).stdout)
    assert (
        anew["official"]["name"] == find("ine", root=root).name
        and anew["findings"] != json.loads(after.stdout)["findings"]
    )
