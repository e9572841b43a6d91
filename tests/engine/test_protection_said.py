"""What the commands say of a run that counts people: nothing of what is hidden."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from geomon.cli import app
from geomon.protection import SUPPRESSED
from geomon.store import StoredRun
from tests.engine.test_export_people import people


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> StoredRun:
    """Three people in Nyarugenge, of 1,010; both districts were checked."""
    made = people(tmp_path / "store")
    found = [
        {
            "output": "exposed",
            "ref_area": area,
            "verdict": "agrees",
            "sentence": f"{count} people.",
            "reasons": [],
            "pairs": [{"time_period": "2020", "satellite": count}],
        }
        for area, count in (("RW", 1010), ("12", 1007))
    ]
    (made.folder / "check.json").write_text(json.dumps(found))
    graded = {"output": "exposed", "ref_area": "12", "grade": "target met", "sentence": "1007 people.", "why": ""}
    (made.folder / "progress.json").write_text(json.dumps([graded]))
    facts = {"run": made.id, "indicator": made.indicator, "nature": "satellite estimate", "synthetic": False}
    monkeypatch.setattr("geomon.cli.tables.stored_facts", lambda run: facts)
    monkeypatch.setattr("geomon.cli.storing.stored_run", lambda store, wanted: made)
    monkeypatch.setattr("geomon.cli.progress.stored_run", lambda store, wanted: made)
    return made


SHOWN = [["store", "show", "--csv"], ["store", "show", "--json"], ["check", "--json"], ["check"], ["progress"]]


@pytest.mark.parametrize("asked", SHOWN)
def test_no_command_says_a_hidden_count(run: StoredRun, asked: list[str]) -> None:
    answer = CliRunner().invoke(app, [*asked, run.id])
    assert answer.exit_code == 0, answer.output
    assert "1007" not in answer.stdout and "1,007" not in answer.stdout
    assert asked[0] != "check" or "1010 people." in answer.stdout
    assert asked[0] != "store" or SUPPRESSED in answer.stdout
