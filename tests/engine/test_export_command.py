"""`geomon export`: a run of a little country, from the command line."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from typer.testing import CliRunner

from geomon import sample
from geomon.cli import app
from geomon.export import read_message, read_structure
from geomon.export.tidy import from_csv
from geomon.store import Store
from tests.engine.exported import rows, same, stored
from tests.engine.little import asked, little


@pytest.fixture
def run(tmp_path: Path) -> Iterator[Callable[..., Any]]:
    """Export from a store that holds the run written by hand."""
    stored(tmp_path / "store", rows())

    def command(*arguments: str) -> Any:
        return CliRunner().invoke(app, ["export", *arguments, "--store", str(tmp_path / "store")])

    yield command


def test_a_real_run_leaves_as_it_was_stored(tmp_path: Path, use_workspace: Callable[..., None]) -> None:
    made = little(tmp_path)
    use_workspace(made.workspace)
    assert CliRunner().invoke(app, asked(made)).exit_code == 0
    out = tmp_path / "out" / "forest.csv"
    done = CliRunner().invoke(app, ["export", "15.1.1", "--to", "csv", "--out", str(out), "--store", str(made.store)])
    beside = out.with_name("forest-intervals.csv")
    assert (done.exit_code, done.stdout) == (0, f"{beside}\n{out}\n")
    run = Store(made.store).runs("15.1.1")[0]
    same(from_csv(out.read_bytes())[list(run.series.columns)], run.series)
    kept = run.intervals[run.intervals["breakdown"] == ""]
    read = pd.read_csv(beside, keep_default_na=False, dtype={"time_period": str}, float_precision="round_trip")
    assert list(read["component"]) == list(kept["component"]) and "unseen" in set(read["component"])
    assert [float(x or "nan") for x in read["lower"].astype(str)] == pytest.approx(list(kept["lower"]), 0, 0, True)
    assert set(read["run"]) == {run.id}


def test_json_names_the_files(run: Callable[..., Any], tmp_path: Path) -> None:
    out = tmp_path / "site"
    done = run("15.1.1", "--to", "sdmx", "--out", str(out), "--structure", "geomon", "--json")
    told = json.loads(done.stdout)
    assert told["files"] == [str(out / n) for n in ("data-structure.xml", "data.csv", "data.xml")]
    assert told["structure"] == "GEOMON:SATELLITE(1.0)" and told["rows"] == 6


@pytest.mark.parametrize(
    ("arguments", "code", "told"),
    [
        (["15.1.1", "--to", "csvv", "--out", "x"], 1, "There is no format 'csvv'"),
        (["15.1.1", "--to", "csv"], 2, "--out"),
        (["15.1.1", "--out", "x"], 2, "--to"),
        (["9.9.9", "--to", "csv", "--out", "x"], 1, "no run '9.9.9'"),
        (["15.1.1", "--to", "csv", "--out", "x", "--structure", "geomon"], 1, "for SDMX"),
        (["15.1.1", "--to", "sdmx-ml", "--out", "x", "--structure", "none.xml"], 1, "none.xml cannot be read"),
        (["15.1.1", "--to", "sdmx-ml", "--out", "x", "--constraints", "none.csv"], 1, "none.csv cannot be read"),
        (["15.1.1", "--to", "sdmx-ml", "--out", "x", "--area", "11"], 2, "NAME=VALUE"),
        (["15.1.1", "--to", "sdmx-ml", "--out", "x"], 1, "the area '11' has no code in REF_AREA"),
        (["15.1.1", "--to", "csv", "--out", "x", "--series", "shares"], 1, "Did you mean 'share'?"),
        (["15.1.1", "--to", "csv", "--out", "/proc/none/x"], 1, "cannot be written"),
    ],
)
def test_wrong_arguments_are_said_in_a_sentence(
    run: Callable[..., Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arguments: list[str], code: int, told: str
) -> None:
    monkeypatch.chdir(tmp_path)
    done = run(*arguments)
    assert done.exit_code == code, done.output
    assert told in done.output
    assert not (tmp_path / "x").exists()


def test_a_file_that_is_there_is_kept(run: Callable[..., Any], tmp_path: Path) -> None:
    out = tmp_path / "mine.csv"
    out.write_text("mine")
    assert run("15.1.1", "--to", "csv", "--out", str(out)).exit_code == 1
    assert out.read_text() == "mine"
    assert run("15.1.1", "--to", "csv", "--out", str(out), "--force").exit_code == 0
    assert out.read_text() != "mine"


def test_help_teaches_by_an_example() -> None:
    done = CliRunner().invoke(app, ["export", "--help"])
    assert "$ geomon export 15.1.1 --to xlsx" in done.stdout and "open-sdg" in done.stdout


def test_a_run_of_the_sample_says_that_its_country_is_invented(
    country: sample.Sample, tmp_path: Path, use_workspace: Callable[..., None]
) -> None:
    use_workspace(country.workspace)
    store, out = str(tmp_path / "store"), tmp_path / "out"
    asked_for = ["run", "6.6.1", "--zones", str(country.zones), "--period", "2020/2021", "--store", store]
    assert CliRunner().invoke(app, asked_for).exit_code in (0, 3)
    wrong = CliRunner().invoke(app, ["export", "6.6.1", "--to", "sdmx", "--out", str(out), "--store", store])
    assert wrong.exit_code == 1 and "no code in REF_AREA" in wrong.output and not out.exists()
    more = ["--to", "sdmx", "--out", str(out), "--structure", "geomon", "--store", store]
    assert CliRunner().invoke(app, ["export", "6.6.1", *more]).exit_code == 0
    ours = Store(store).runs("6.6.1")[0].series
    assert set(ours["series"]) == {"permanent", "seasonal"}
    message = read_message(out / "data.xml", read_structure(out / "data-structure.xml"))
    assert message.test and {dict(o.series)["SYNTHETIC"] for o in message.observations} == {"yes"}
    assert {dict(o.series)["OFFICIAL_SERIES"] for o in message.observations} == {"EN_LKRV_PWAN", "EN_LKRV_SWAN"}
    values = sorted(float(o.value) for o in message.observations if o.value)
    assert values == sorted(ours["obs_value"].dropna())
    assert len(message.observations) == int((ours["breakdown"] == "").sum())
