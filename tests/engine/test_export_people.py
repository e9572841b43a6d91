"""Counts of people leave protected, and the books say that they left."""

import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from geomon.errors import InputError, StoreError
from geomon.export import export, read_message, read_structure
from geomon.export.release import BOOKS
from geomon.export.tidy import from_csv
from geomon.protection import SUPPRESSED
from geomon.series import tidy
from geomon.store import StoredRun
from tests.engine.exported import row, stored

COUNTS = {"RW": 1010.0, "11": 3.0, "12": 1007.0}
OUTPUT: dict[str, Any] = {
    "title": "People exposed",
    "unit": "people",
    "official": None,
    "uses": ["exposed"],
    "part": False,
}


def people(folder: Path) -> StoredRun:
    """A run that counts three people in Nyarugenge."""
    made = [row(a, "2020", n, series="exposed", unit_measure="people") for a, n in COUNTS.items()]
    return stored(folder, made, people=True, protect="people", outputs={"exposed": OUTPUT})


def entries(run: StoredRun) -> list[Path]:
    """Of the books beside the results."""
    return sorted((run.folder.parent.parent / BOOKS).glob("*/*.json"))


def test_a_small_count_is_suppressed_with_another_that_would_give_it_away(tmp_path: Path) -> None:
    run = people(tmp_path / "store")
    export(run, to="csv", out=tmp_path / "a.csv")
    read = from_csv((tmp_path / "a.csv").read_bytes())
    assert list(read["flag"]) == ["", "s", "s"]
    assert list(read["obs_status"]) == ["", SUPPRESSED, SUPPRESSED]
    assert np.isnan(read.loc[1:, ["obs_value", "lower", "upper"]].to_numpy(float)).all()
    assert "1007" not in (tmp_path / "a.csv").read_text()


@pytest.mark.parametrize("to", ["sdmx", "open-sdg", "parquet", "xlsx"])
def test_no_format_holds_a_hidden_number(tmp_path: Path, to: str) -> None:
    own: dict[str, Any] = {"structure": "geomon"} if to == "sdmx" else {}
    written = export(people(tmp_path / "store"), to=to, out=tmp_path / "out", **own)
    assert not [f for f in written.files if "1007" in plain(f)]
    assert any("1000" in plain(f) for f in written.files)
    if to == "sdmx":
        structure = read_structure(tmp_path / "out" / "data-structure.xml")
        said = {
            o.key[2]: (o.value, dict(o.own)["OBS_STATUS"], dict(o.own)["CONF_STATUS"])
            for o in read_message(tmp_path / "out" / "data.xml", structure).observations
        }
        assert said == {"RW": ("1000.0", "E", "F"), "11": ("", "Q", "C"), "12": ("", "Q", "C")}


def plain(file: Path) -> str:
    """All text and numbers of a file, unpacked."""
    if zipfile.is_zipfile(file):
        with zipfile.ZipFile(file) as parts:
            return "".join(parts.read(name).decode() for name in parts.namelist())
    if file.read_bytes().startswith(b"PAR1"):
        return pd.read_parquet(file).to_csv()
    return file.read_text(encoding="utf-8")


def test_what_left_is_in_the_books_once(tmp_path: Path) -> None:
    run = people(tmp_path / "store")
    for name in ("a.csv", "b.csv"):
        export(run, to="csv", out=tmp_path / name)
    assert len(entries(run)) == 1
    assert (tmp_path / "a.csv").read_bytes() == (tmp_path / "b.csv").read_bytes()


def test_what_did_not_leave_is_not_in_the_books(tmp_path: Path) -> None:
    run = people(tmp_path / "store")
    with pytest.raises(InputError, match="no official series"):
        export(run, to="sdmx-ml", out=tmp_path / "a.xml")
    (tmp_path / "a.csv").write_text("mine")
    with pytest.raises(StoreError, match="is there already"):
        export(run, to="csv", out=tmp_path / "a.csv")
    assert entries(run) == []


def test_a_series_of_people_without_its_run_does_not_leave(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from tests.contract.definitions.people_in_flood import INDICATOR

    monkeypatch.setattr("geomon.export.release.indicator", lambda code: INDICATOR)
    made = tidy([row("RW", "2020", 1e6, indicator="toy-exposed", series="exposed", unit_measure="people")])
    with pytest.raises(InputError, match=r"'toy-exposed' counts people.*Store the run"):
        export(made, to="csv", out=tmp_path / "a.csv")
