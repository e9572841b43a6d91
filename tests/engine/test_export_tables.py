"""Out as tables: every cell read back, texts that stay texts, equal bytes for an equal run."""

import csv
import io
import json
import zipfile
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
import openpyxl
import pandas as pd
import pyarrow.parquet as pq
import pytest
import yaml

from geomon.errors import InputError, StoreError
from geomon.export import FORMATS, export
from geomon.export.tidy import from_csv
from geomon.places import content, place
from geomon.series import COLUMNS, INTERVALS, tidy
from geomon.store import StoredRun
from tests.engine.buckets import s3
from tests.engine.exported import BREAKDOWNS, CREATED, ID, LITTLE, THIRD, row, rows, same, stored

HIDDEN = row("12", "2019", np.nan, lower=np.nan, upper=np.nan, n_obs=np.nan, obs_status="suppressed")
FLAGS = ["", "", ":", ":", "", ":", "s"]


@pytest.fixture
def run(tmp_path: Path) -> StoredRun:
    return stored(tmp_path / "store", [*rows(), HIDDEN])


def test_csv_gives_back_every_cell(run: StoredRun, tmp_path: Path) -> None:
    export(run, to="csv", out=tmp_path / "a.csv")
    content = (tmp_path / "a.csv").read_bytes()
    assert content.decode().splitlines()[0].split(",")[: len(COLUMNS)] == list(COLUMNS)
    read = from_csv(content)
    same(read[list(COLUMNS)], run.series)
    assert list(read["flag"]) == FLAGS
    for name, said in (("synthetic", "yes"), ("attribution", "© Somebody"), ("created", CREATED)):
        assert set(read[name]) == {said}
    assert set(read["nature"]) == {"satellite estimate"} and set(read["licence"]) == {"esa-worldcover: CC-BY-4.0"}


def test_in_csv_zero_is_written_and_missing_and_suppressed_are_empty_cells(run: StoredRun, tmp_path: Path) -> None:
    export(run, to="csv", out=tmp_path / "a.csv")
    cells = {
        (r["ref_area"], r["time_period"]): r for r in csv.DictReader(io.StringIO((tmp_path / "a.csv").read_text()))
    }
    told = {k: (r["obs_value"], r["flag"]) for k, r in cells.items()}
    assert told["RW", "2021"] == ("0.0", "")
    assert told["11", "2020"] == ("", ":") and told["12", "2019"] == ("", "s")
    assert cells["12", "2020"]["upper"] == "inf"


def test_a_csv_whose_status_contradicts_its_number_is_not_read(run: StoredRun, tmp_path: Path) -> None:
    export(run, to="csv", out=tmp_path / "a.csv")
    with pytest.raises(InputError, match="status ':'"):
        from_csv((tmp_path / "a.csv").read_bytes().replace(f"{ID},,yes".encode(), f"{ID},:,yes".encode()))


def test_parquet_keeps_types_and_says_what_it_is(run: StoredRun, tmp_path: Path) -> None:
    export(run, to="parquet", out=tmp_path / "a.parquet")
    read = pd.read_parquet(tmp_path / "a.parquet")
    same(read[list(COLUMNS)], run.series)
    assert list(read["flag"]) == FLAGS
    told = json.loads(pq.read_schema(tmp_path / "a.parquet").metadata[b"geomon"])
    assert told["runs"] == [ID] and told["created"] == CREATED and told["synthetic"] == "yes"
    assert told["nature"] == "Satellite estimate, not an official figure."
    assert told["indicators"]["15.1.1"]["outputs"]["share"]["official"] == "AG_LND_FRST"
    assert told["products"][0]["licence"] == "CC-BY-4.0"


def sheet_rows(path: Path, sheet: str) -> list[tuple[Any, ...]]:
    """The cells of a sheet."""
    return list(openpyxl.load_workbook(path)[sheet].iter_rows(values_only=True))


def test_excel_gives_back_every_cell(run: StoredRun, tmp_path: Path) -> None:
    export(run, to="xlsx", out=tmp_path / "a.xlsx")
    head, *cells = sheet_rows(tmp_path / "a.xlsx", "Series")
    read = pd.DataFrame(cells, columns=list(map(str, head)))
    assert list(read["flag"].fillna("")) == FLAGS
    assert list(read["area"])[:3] == ["Rwanda", "Rwanda", "Nyarugenge"]
    for name, kind in COLUMNS.items():
        if kind == "float64":
            read[name] = read[name].astype("float64")
        else:
            read[name] = read[name].fillna("").astype(str)
    same(read[list(COLUMNS)].astype(run.series.dtypes.to_dict()), run.series)


def test_excel_shows_digits_by_unit_and_keeps_the_header_in_view(run: StoredRun, tmp_path: Path) -> None:
    export(run, to="xlsx", out=tmp_path / "a.xlsx")
    book = openpyxl.load_workbook(tmp_path / "a.xlsx")
    assert book.sheetnames == ["Series", "Method and caveats", "Statuses", "Provenance"]
    sheet = book["Series"]
    at = {cell.value: cell.column for cell in sheet[1]}
    value = sheet.cell(2, at["obs_value"])
    assert (value.value, value.number_format) == (THIRD, "0.0")
    assert sheet.cell(2, at["coverage"]).number_format == "0.0%"
    assert sheet.freeze_panes == "A2" and sheet.cell(1, 1).font.bold
    assert sheet.column_dimensions["A"].width >= len("indicator")
    assert sheet.cell(6, at["upper"]).value == "inf"


def test_text_that_looks_like_a_formula_is_stored_as_text(run: StoredRun, tmp_path: Path) -> None:
    export(run, to="xlsx", out=tmp_path / "a.xlsx")
    book = openpyxl.load_workbook(tmp_path / "a.xlsx")
    cells = [c for sheet in book for line in sheet.iter_rows() for c in line]
    assert not [c for c in cells if c.data_type == "f"]
    titles = {c.value: c for c in cells if str(c.value).startswith(("=SUM", "-1 is"))}
    assert set(titles) == {"=SUM(A1:A9)", "-1 is not a number here"}
    assert all(c.data_type == "s" and c.quotePrefix for c in titles.values())
    with zipfile.ZipFile(tmp_path / "a.xlsx") as parts:
        assert not any(b"<f>" in parts.read(name) for name in parts.namelist() if name.startswith("xl/worksheets/"))


def test_excel_says_method_statuses_and_origin(run: StoredRun, tmp_path: Path) -> None:
    export(run, to="xlsx", out=tmp_path / "a.xlsx")
    method, legend, origin = (
        dict(sheet_rows(tmp_path / "a.xlsx", s)) for s in ("Method and caveats", "Statuses", "Provenance")
    )
    assert method["Nature"] == "Satellite estimate, not an official figure." and "invented" in method["Synthetic"]
    assert "bounds from what was not seen" in method["Interval"]
    assert set(legend) >= {"(empty)", ":", "s", "SDMX Q"} and "Zero is a value" in legend["(empty)"]
    assert origin["Run"] == ID and origin["Vintage"] == "0a1b" and origin["Made"] == CREATED
    assert origin["esa-worldcover licence"] == "CC-BY-4.0"


def test_excel_names_the_time_of_the_run(run: StoredRun, tmp_path: Path) -> None:
    export(run, to="xlsx", out=tmp_path / "a.xlsx")
    told = openpyxl.load_workbook(tmp_path / "a.xlsx").properties
    assert told.created == told.modified == datetime.fromisoformat(CREATED).replace(tzinfo=None)


def test_excel_says_what_an_interval_is_made_of_if_the_run_knows(run: StoredRun, tmp_path: Path) -> None:
    known = {"series": "share", "ref_area": "RW", "time_period": "2020", "component": "confusion", "level": 0.95}
    tidy([{**known, "lower": 30.1, "upper": 40.2}], INTERVALS).to_parquet(run.folder / "intervals.parquet")
    export(run, to="xlsx", out=tmp_path / "a.xlsx")
    head, (*cells,) = sheet_rows(tmp_path / "a.xlsx", "Intervals")
    said = dict(zip(head, cells, strict=True))
    assert (said["component"], said["level"], said["lower"], said["value"]) == ("confusion", 0.95, 30.1, None)


PIECES = [
    {"series": "share", "ref_area": "RW", "time_period": "2020", "component": n, "lower": 0.1 + 0.2, "upper": np.inf}
    for n in ("unseen", "confusion")
]


def test_csv_and_parquet_have_what_an_interval_is_made_of_beside_them(run: StoredRun, tmp_path: Path) -> None:
    tidy(PIECES, INTERVALS).to_parquet(run.folder / "intervals.parquet")
    for to in ("csv", "parquet"):
        written = export(run, to=to, out=tmp_path / f"a.{to}")
        assert [f.name for f in written.files] == [f"a-intervals.{to}", f"a.{to}"]
    from_parquet = pd.read_parquet(tmp_path / "a-intervals.parquet")
    told = csv.DictReader(io.StringIO((tmp_path / "a-intervals.csv").read_text(encoding="utf-8"), newline=""))
    for read in (from_parquet.to_dict("records"), list(told)):
        assert [(r["component"], float(r["lower"]), float(r["upper"]), r["run"], r["nature"]) for r in read] == [
            (n, 0.1 + 0.2, np.inf, ID, "Satellite estimate, not an official figure.") for n in ("unseen", "confusion")
        ]


def test_parts_of_another_export_are_not_left_beside_a_series(run: StoredRun, tmp_path: Path) -> None:
    (tmp_path / "a-intervals.csv").write_text("of another run")
    for force in (False, True):
        with pytest.raises(StoreError, match=r"a-intervals\.csv is there and would be taken for a part"):
            export(run, to="csv", out=tmp_path / "a.csv", force=force)
    assert [p.name for p in tmp_path.glob("a*")] == ["a-intervals.csv"]


TEXTS = [
    *("=1+1", "@SUM(A1)", "+cmd", "-cmd|' /C calc'!A0", "\t=1", "\r=1", "'=1", "-1", "+33", "'s-Gravenhage"),
    *("a\rb", "a\nb", "a\r\nb", " blank ", "#N/A", "NA", "nan", '"q"', "a,b", "1e5"),
]


@pytest.mark.parametrize("text", TEXTS)
def test_any_text_comes_back_from_csv_and_none_is_a_formula(tmp_path: Path, text: str) -> None:
    run = stored(tmp_path / "store", [row("RW", "2020", 1.0, params=text), row("RW", "2021", 2.0)])
    export(run, to="csv", out=tmp_path / "a.csv")
    content = (tmp_path / "a.csv").read_bytes()
    same(from_csv(content)[list(COLUMNS)], run.series)
    (cell, _) = (r["params"] for r in csv.DictReader(io.StringIO(content.decode(), newline="")))
    assert cell[0] not in "=@\t\r+-" or cell in ("-1", "+33")
    assert (cell == text) == (text in TEXTS[7:])


@pytest.mark.parametrize("text", ["#N/A", "#REF!", "=1+1", "a\ufffeb"])
def test_any_text_is_text_in_excel(tmp_path: Path, text: str) -> None:
    run = stored(tmp_path / "store", [row("RW", "2020", 1.0, params=text)])
    export(run, to="xlsx", out=tmp_path / "a.xlsx")
    sheet = openpyxl.load_workbook(tmp_path / "a.xlsx")["Series"]
    (cell,) = (sheet.cell(2, c.column) for c in sheet[1] if c.value == "params")
    with zipfile.ZipFile(tmp_path / "a.xlsx") as parts:
        assert b't="e"' not in parts.read("xl/worksheets/sheet1.xml")
    assert cell.value == text.replace("\ufffe", " ")


def test_a_csv_that_calls_an_empty_cell_a_value_is_not_read(run: StoredRun, tmp_path: Path) -> None:
    export(run, to="csv", out=tmp_path / "a.csv")
    with pytest.raises(InputError, match="11 2020 has the status ''"):
        from_csv((tmp_path / "a.csv").read_bytes().replace(f"{ID},:,yes".encode(), f"{ID},,yes".encode(), 1))


def test_open_sdg_has_whole_years_and_no_two_areas_of_one_name(tmp_path: Path) -> None:
    labels = ["2020", "2015/2020", "2020-03", "2019-11/2020-03"]
    run = stored(tmp_path / "store", [row("11", p, 1.0) for p in labels] + [row("12", "2020", 2.0)])
    zones = run.zones
    zones.assign(name=["Rwanda", "Kigali", "Kigali"]).to_parquet(run.folder / "zones.parquet")
    export(run, to="open-sdg", out=tmp_path / "site")
    read = pd.read_csv(tmp_path / "site/data/indicator_15-1-1.csv", dtype=str, keep_default_na=False)
    assert list(read["Year"]) == ["2020"] * 5
    assert list(read["Period"]) == ["", *labels[1:], ""]
    assert list(read["Area"]) == ["Kigali (11)"] * 4 + ["Kigali (12)"]


def test_open_sdg_has_a_headline_and_metadata_that_say_estimate(run: StoredRun, tmp_path: Path) -> None:
    export(run, to="open-sdg", out=tmp_path / "site")
    read = pd.read_csv(tmp_path / "site/data/indicator_15-1-1.csv", dtype=str, keep_default_na=False)
    assert list(read.columns[:2]) == ["Year", "Series"] and list(read.columns[-2:]) == ["GeoCode", "Value"]
    headline = read[read["Area"] == ""]
    assert list(zip(headline["Year"], headline["Value"], strict=True)) == [("2020", repr(THIRD)), ("2021", "0.0")]
    assert list(read["Observation status"]) == [
        "Estimated value",
        "Estimated value",
        "Missing value; data exist but were not collected",
        "Missing value; data cannot exist",
        "Estimated value",
        "Missing value",
        "Missing value; suppressed",
    ]
    assert [v == "" for v in read["Value"]] == [False, False, True, True, False, True, True]
    assert read["Status reason"][2] == LITTLE and set(read["Nature"]) == {"satellite estimate"}
    numbers = read[["Value", "Lower bound", "Upper bound", "Coverage"]].replace("", "nan").astype(float)
    ours = run.series[["obs_value", "lower", "upper", "coverage"]]
    np.testing.assert_array_equal(numbers.to_numpy(), ours.to_numpy())
    _, front, body = (tmp_path / "site/meta/15-1-1.md").read_text(encoding="utf-8").split("---\n")
    said = yaml.safe_load(front)
    assert said["data_nature"] == "Satellite estimate, not an official figure." and said["data_synthetic"] == "yes"
    assert said["data_runs"] == ID and said["computation_method"] == "What is seen.\nAnd what is not."
    assert said["source_licence_1"] == "CC-BY-4.0" and body.startswith("Satellite estimate")
    settings = yaml.safe_load((tmp_path / "site/config_data_addition.yml").read_text())["non_disaggregation_columns"]
    assert {"Lower bound", "Upper bound", "Coverage"} <= set(settings) <= set(read.columns)


def content_of(path: Path) -> dict[str, bytes]:
    """A file, or the files of a folder, by name."""
    files = [p for p in path.rglob("*") if p.is_file()] if path.is_dir() else [path]
    return {str(p.relative_to(path)): p.read_bytes() for p in files}


@pytest.mark.parametrize("to", FORMATS)
def test_a_run_exported_twice_gives_the_same_bytes(run: StoredRun, tmp_path: Path, to: str) -> None:
    own = {"structure": "geomon"} if to.startswith("sdmx") else {}
    first, second = tmp_path / "1" / "same", tmp_path / "2" / "same"
    for out in (first, second):
        export(run, to=to, out=out, **own)  # type: ignore[arg-type]
    assert content_of(first) == content_of(second) and content_of(first)


@pytest.mark.parametrize("to", FORMATS)
def test_what_is_there_stays_unless_force_says_otherwise(run: StoredRun, tmp_path: Path, to: str) -> None:
    own: dict[str, Any] = {"structure": "geomon"} if to.startswith("sdmx") else {}
    out = tmp_path / "out" / "same"
    written = export(run, to=to, out=out, **own)
    before = content_of(out)
    export(run, to=to, out=out, **own)  # the same again changes nothing
    for file in written.files:
        file.write_bytes(b"mine")
        with pytest.raises(Exception, match=r"is there already.*--force"):
            export(run, to=to, out=out, **own)
        assert file.read_bytes() == b"mine"
        export(run, to=to, out=out, force=True, **own)
    assert content_of(out) == before
    assert not [p.name for p in (tmp_path / "out").iterdir() if p.name.startswith(".")]


def test_an_export_that_breaks_off_leaves_nothing(
    run: StoredRun, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = Path.write_bytes

    def broken(self: Path, content: bytes) -> int:
        if self.suffix == ".md":
            raise OSError(28, "No space left on device")
        return whole(self, content)

    monkeypatch.setattr(Path, "write_bytes", broken)
    with pytest.raises(Exception, match="No space left"):
        export(run, to="open-sdg", out=tmp_path / "out" / "site")
    assert list((tmp_path / "out").iterdir()) == []


def test_breakdowns_come_when_they_are_asked_for(tmp_path: Path) -> None:
    run = stored(tmp_path / "store", [*rows()[:1], *BREAKDOWNS])
    assert export(run, to="csv", out=tmp_path / "a.csv").left_out == 2
    assert export(run, to="csv", out=tmp_path / "b.csv", breakdowns=True).rows == 3
    only = stored(tmp_path / "only", list(BREAKDOWNS))
    with pytest.raises(InputError, match="--breakdowns"):
        export(only, to="csv", out=tmp_path / "c.csv")


def test_a_series_without_its_run_says_whether_it_is_invented_and_not_when_it_was_made(tmp_path: Path) -> None:
    for nature, said in (("satellite estimate", "no"), ("satellite estimate, synthetic", "yes")):
        export(tidy(rows()).assign(nature=nature), to="csv", out=tmp_path / f"{said}.csv")
        read = from_csv((tmp_path / f"{said}.csv").read_bytes())
        assert set(read["synthetic"]) == {said} and set(read["created"]) == {""} and set(read["attribution"]) == {""}


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        (lambda t: t.drop(columns="nature"), "no 'nature'"),
        (lambda t: t.iloc[:0], "no rows"),
        (lambda t: t.assign(nature="official"), "'official'"),
        (lambda t: t.assign(obs_value=np.inf), "infinite"),
        (lambda t: t.assign(obs_status="why not"), "reason why it has none"),
    ],
)
def test_a_series_that_is_none_does_not_leave(
    tmp_path: Path, change: Callable[[pd.DataFrame], pd.DataFrame], fault: str
) -> None:
    with pytest.raises(InputError, match=fault):
        export(change(tidy(rows())), to="csv", out=tmp_path / "a.csv")
    assert not (tmp_path / "a.csv").exists()


def test_a_folder_is_no_file_and_a_file_no_folder(run: StoredRun, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    with pytest.raises(Exception, match="is a folder"):
        export(run, to="csv", out=tmp_path)
    with pytest.raises(Exception, match="is a file"):
        export(run, to="open-sdg", out=tmp_path / "file")


def test_a_bucket_is_written_like_a_folder(run: StoredRun, monkeypatch: pytest.MonkeyPatch) -> None:
    with s3(monkeypatch) as there:
        address = f"{there.address}/site"
        export(run, to="open-sdg", out=address)
        assert set(there.names("site/")) == {
            "site/config_data_addition.yml",
            "site/data/indicator_15-1-1.csv",
            "site/meta/15-1-1.md",
        }
        export(run, to="csv", out=f"{there.address}/a.csv")
        own = stored(run.folder.parents[2] / "other", rows()[:1])
        with pytest.raises(StoreError, match="is there already"):
            export(own, to="csv", out=f"{there.address}/a.csv")
        same(from_csv(content(place(f"{there.address}/a.csv")))[list(COLUMNS)], run.series)
