"""The command line: what it prints where, and its exit codes."""

import json
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from typer.testing import CliRunner

import geomon.cli
from geomon import __version__
from geomon.cli import app
from geomon.cli.tables import SYNTHETIC
from geomon.store import Store, kept_blocks
from tests.engine.little import Little, asked, bind, little, started

COMMANDS = ("demo", "list", "where", "zones", "plan", "run", "check", "store", "serve")
Geomon = Callable[..., Any]


@pytest.fixture
def made(tmp_path: Path, use_workspace: Callable[..., None]) -> Little:
    """The little country, its workspace in use."""
    country = little(tmp_path)
    use_workspace(country.workspace)
    return country


@pytest.fixture
def geomon_() -> Geomon:
    """Run a command in this process."""

    def run(*arguments: str) -> Any:
        return CliRunner().invoke(app, list(arguments))

    return run


@pytest.fixture
def ran(made: Little, geomon_: Geomon) -> Iterator[Any]:
    """The answer of a first run."""
    yield geomon_(*asked(made, "--official", str(made.official)))


def test_help_shows_all_commands_in_the_order_one_meets_them(geomon_: Geomon) -> None:
    text = geomon_("--help").stdout
    places = [text.index(f"│ {command} ") for command in COMMANDS]
    assert places == sorted(places)
    assert all(f"  {code} " in text for code in (0, 1, 2, 3, 130))


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_teaches_by_an_example(geomon_: Geomon, command: str) -> None:
    answer = geomon_(command, "--help")
    assert answer.exit_code == 0
    assert f"$ geomon {command}" in answer.stdout
    assert "--help" in answer.stdout and "<bool>" not in answer.stdout


def test_a_command_of_the_store_shows_no_type_beside_help(geomon_: Geomon) -> None:
    assert "<bool>" not in geomon_("--help").stdout + geomon_("store", "list", "--help").stdout


def test_help_does_not_wait_for_gdal_dask_or_panel() -> None:
    heavy = {"dask", "rasterio", "panel", "geopandas", "pandas", "xarray"}
    code = f"import sys, geomon.cli; print(sorted({heavy} & set(sys.modules)))"
    shown = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert shown.stdout == "[]\n"


def test_the_version(geomon_: Geomon) -> None:
    assert geomon_("--version").stdout == f"geomon {__version__}\n"


def test_a_run_shows_values_bounds_verdicts_and_where_they_lie(ran: Any, made: Little) -> None:
    assert ran.exit_code == 0, ran.stderr
    lines = [line.split() for line in ran.stdout.splitlines()]
    assert ["X", "X", "2020", "53.2", "53.2", "to", "53.2", "100.0", "%"] in lines
    assert "Beside official figures: 1 not enough data." in ran.stdout
    assert "2 areas: the official table has no value" in ran.stdout
    (stored,) = Store(made.store).runs()
    assert f"Stored in {stored.folder}" in ran.stderr
    assert f"geomon store show {stored.id[:8]} --store {made.store}" in ran.stderr


def test_the_same_run_again_is_answered_by_the_store(ran: Any, made: Little, geomon_: Geomon) -> None:
    again = geomon_(*asked(made, "--official", str(made.official)))
    assert again.exit_code == 0
    assert again.stdout == ran.stdout
    assert "The store had the answer" in again.stderr and "The store had the answer" not in ran.stderr


def test_json_is_all_that_is_on_stdout(made: Little, geomon_: Geomon) -> None:
    answer = geomon_(*asked(made, "--json"))
    facts = json.loads(answer.stdout)
    assert (facts["status"], facts["fresh"], facts["withheld"]) == ("complete", True, 0)
    values = {(r["ref_area"], r["time_period"]): r["obs_value"] for r in facts["series"]}
    assert values["A", "2020"] == pytest.approx(50, abs=0.2)
    assert values["A", "2021"] == pytest.approx(47.5, abs=0.2)
    assert Path(facts["item"]).is_file()


def test_a_run_with_withheld_values_ends_with_3(made: Little, geomon_: Geomon) -> None:
    (made.maps / "cover-2021.tif").unlink()
    answer = geomon_(*asked(made))
    assert answer.exit_code == 3
    assert "no image was found" in answer.stdout
    facts = json.loads(geomon_(*asked(made, "--json")).stdout)
    assert (facts["status"], facts["withheld"], facts["values"]) == ("partial", 3, 3)


def test_a_refusal_is_a_sentence_on_stderr_and_1(made: Little, geomon_: Geomon) -> None:
    answer = geomon_(*asked(made, "--use", "covr=cgls-lc100"))
    assert answer.exit_code == 1
    assert answer.stdout == ""
    assert answer.stderr.startswith("InputError: 15.1.1 has no source 'covr'; it has 'cover'. Did you mean 'cover'?")
    assert "Traceback" not in answer.stderr


def test_a_refusal_is_json_for_whom_asks_for_json(made: Little, geomon_: Geomon) -> None:
    answer = geomon_(*asked(made, "--json", "--use", "covr=cgls-lc100"))
    error = json.loads(answer.stdout)["error"]
    assert (answer.exit_code, error["class"]) == (1, "InputError")
    assert error["message"].startswith("15.1.1 has no source 'covr'")


def test_debug_shows_the_traceback_wherever_it_stands(made: Little, geomon_: Geomon) -> None:
    answer = geomon_(*asked(made, "--use", "covr=cgls-lc100", "--debug"))
    assert type(answer.exception).__name__ == "InputError"


@pytest.mark.parametrize(
    "arguments",
    [
        ["run", "15.1.1"],
        ["run", "15.1.1", "-z", "a.geojson", "-p", "2020", "--use", "cover"],
        ["run", "15.1.1", "-z", "a.geojson", "-p", "2020", "--block", "many"],
        ["list", "--collections", "--desks"],
        ["fly"],
    ],
)
def test_wrong_usage_is_2(geomon_: Geomon, arguments: list[str]) -> None:
    assert geomon_(*arguments).exit_code == 2


def test_what_should_not_fail_and_does_is_said_without_a_traceback(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail() -> None:
        raise RuntimeError("a fault [of ours]")

    monkeypatch.setattr(geomon.cli, "app", fail)
    with pytest.raises(SystemExit) as end:
        geomon.cli.main()
    said = capsys.readouterr().err
    assert end.value.code == 1
    assert "RuntimeError: a fault [of ours]" in said and "--debug" in said and "Traceback" not in said


def test_a_plan_reads_no_pixel_and_says_what_was_found(
    made: Little, geomon_: Geomon, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("read", "read_packed"):
        monkeypatch.setattr(f"geomon.supply.{name}", lambda *_: pytest.fail("a pixel was read"))
    facts = json.loads(geomon_(*asked(made, "--json", "--block", "16", command="plan")).stdout)
    assert [(f["period"], f["dates"], f["files"]) for f in facts["found"]] == [
        ("2020", ["2020"], 1),
        ("2021", ["2021"], 1),
    ]
    assert (facts["cost"]["blocks"], facts["cost"]["files"], facts["published"]) == (9, 2, False)
    assert facts["cost"]["memory_bytes_per_worker"] > 0
    assert not made.store.exists()


def test_a_plan_for_people(made: Little, geomon_: Geomon) -> None:
    answer = geomon_(*asked(made, command="plan"))
    assert answer.exit_code == 0
    assert "esa-worldcover" in answer.stdout and "Memory" in answer.stdout
    assert "Next: geomon run" in answer.stderr


def test_list_names_indicators_products_and_desks(made: Little, geomon_: Geomon) -> None:
    codes = {row["code"] for row in json.loads(geomon_("list", "--json").stdout)}
    assert {"15.1.1", "6.6.1", "night-lights", "water-extent"} <= codes
    products = {row["id"] for row in json.loads(geomon_("list", "--collections", "--json").stdout)}
    assert {"esa-worldcover", "jrc-gsw", "sentinel-1-rtc"} <= products
    desks = {row["slug"] for row in json.loads(geomon_("list", "--desks", "--json").stdout)}
    assert {"development", "humanitarian", "trade"} <= desks
    assert "Forest area" in geomon_("list").stdout
    assert "mean (unit of radiance)" in geomon_("list", "--json").stdout
    assert "{radiance}" not in geomon_("list").stdout + geomon_("list", "--json").stdout


def test_where_prints_the_file_and_nothing_else(made: Little, geomon_: Geomon, root: Path) -> None:
    assert geomon_("where", "15.1.1").stdout == f"{root / 'indicators' / 'sdg_15_1_1.py'}\n"
    assert Path(geomon_("where", "esa-worldcover").stdout.strip()).is_relative_to(made.workspace)
    assert geomon_("where", "trade").stdout == f"{root / 'dashboards' / 'trade.py'}\n"
    assert "Did you mean 'trade'?" in geomon_("where", "trad").stderr


def test_zones_are_shown_as_a_run_would_read_them(made: Little, geomon_: Geomon) -> None:
    facts = json.loads(geomon_("zones", str(made.zones), "--json").stdout)
    assert [z["code"] for z in facts["zones"]] == ["A", "B", "X"]
    assert facts["zones"][0]["km2"] == pytest.approx(facts["zones"][1]["km2"])
    shown = geomon_("zones", str(made.zones))
    assert "the sum of its parts" in shown.stdout and "guessed" in shown.stderr


def test_only_selected_zones_are_measured(made: Little, geomon_: Geomon) -> None:
    facts = json.loads(geomon_(*asked(made, "--json", "--select", "A")).stdout)
    assert {r["ref_area"] for r in facts["series"]} == {"A"}


def test_another_product_takes_the_place_of_a_source(made: Little, geomon_: Geomon) -> None:
    folder = made.folder / "more" / "my-map"
    folder.mkdir(parents=True)
    document = {
        "id": "my-map",
        "geomon:extends": "esa-worldcover",
        "geomon:origins": [{"type": "folder", "href": str(made.maps), "pattern": "cover-{year}.tif"}],
    }
    (folder / "collection.json").write_text(json.dumps(document))
    answer = geomon_(*asked(made, "--json", "--use", "cover=my-map", "--catalog", str(folder.parent)))
    assert answer.exit_code == 0, answer.stderr
    (stored,) = Store(made.store).runs()
    assert stored.recipe["use"] == {"cover": "my-map"}


def test_a_workspace_may_be_named(tmp_path: Path, geomon_: Geomon, use_workspace: Callable[..., None]) -> None:
    country = little(tmp_path)
    answer = geomon_(*asked(country, "--workspace", str(country.workspace), "--json"))
    assert json.loads(answer.stdout)["status"] == "complete"


def test_a_stored_run_is_held_against_other_statistics(ran: Any, made: Little, geomon_: Geomon) -> None:
    lines = made.official.read_text().splitlines()
    far = made.folder / "far.csv"
    far.write_text(
        "\n".join([lines[0], *(f"AG_LND_FRST,X,{y},20,percent,as measured,Other" for y in range(2015, 2022))])
    )
    first = json.loads(geomon_("check", "15.1.1", "--store", str(made.store), "--json").stdout)
    other = geomon_("check", "15.1.1", "--store", str(made.store), "--official", str(far), "--json")
    assert (first["indicator"], first["synthetic"]) == ("15.1.1", False)
    assert [f["publisher"] for f in first["findings"] if f["ref_area"] == "X"] == ["Office"]
    assert [f["publisher"] for f in json.loads(other.stdout)["findings"] if f["ref_area"] == "X"] == ["Other"]


def test_a_check_of_invented_images_says_so(made: Little, geomon_: Geomon) -> None:
    origin = {"type": "folder", "href": str(made.maps), "pattern": "cover-{year}.tif"}
    bind(made, origin, title="Synthetic land cover")
    ran = geomon_(*asked(made, "--official", str(made.official)))
    check = ["check", "15.1.1", "--store", str(made.store)]
    assert SYNTHETIC in ran.stdout and SYNTHETIC in geomon_(*check).stdout
    assert json.loads(geomon_(*check, "--json").stdout)["synthetic"] is True


def test_a_run_without_statistics_says_so_when_checked(made: Little, geomon_: Geomon) -> None:
    geomon_(*asked(made))
    answer = geomon_("check", "15.1.1", "--store", str(made.store))
    assert answer.exit_code == 1
    assert "--official" in answer.stderr


def test_the_store_is_listed_shown_and_found(ran: Any, made: Little, geomon_: Geomon) -> None:
    store = ["store", "--store", str(made.store)]
    (facts,) = json.loads(geomon_(*store, "--json").stdout)
    assert (facts["indicator"], facts["values"], facts["nature"]) == ("15.1.1", 6, "satellite estimate")
    assert facts["run"] in geomon_(*store).stdout
    for again in ([*store, "list"], ["store", "list", *store[1:]]):
        assert geomon_(*again).stdout == geomon_(*store).stdout
        assert json.loads(geomon_(*again, "--json").stdout) == [facts]
    assert json.loads(geomon_(*store, "--json", "list").stdout) == [facts]
    assert "as a proportion of total land area" in geomon_(*store, "show", facts["run"][:6]).stdout
    whole = json.loads(geomon_(*store, "show", "15.1.1", "--json").stdout)
    assert (len(whole["series"]), whole["recipe"]["run"]) == (6, facts["run"])
    assert geomon_("store", "show", "15.1.1", *store[1:]).stdout == geomon_(*store, "show", "15.1.1").stdout
    assert geomon_(*store, "path").stdout == f"{made.store / 'catalog.json'}\n"
    assert geomon_(*store, "path", facts["run"]).stdout == f"{facts['folder']}\n"


def test_a_series_leaves_as_csv(ran: Any, made: Little, geomon_: Geomon, tmp_path: Path) -> None:
    text = geomon_("store", "--store", str(made.store), "show", "15.1.1", "--csv").stdout
    (tmp_path / "series.csv").write_text(text)
    assert len(pd.read_csv(tmp_path / "series.csv")) == 6


def test_an_empty_store_says_what_to_do(tmp_path: Path, geomon_: Geomon) -> None:
    answer = geomon_("store", "--store", str(tmp_path / "nothing"))
    assert (answer.exit_code, answer.stdout) == (0, "")
    assert "geomon demo" in answer.stderr
    for command in (["check", "15.1.1"], ["store", "show", "15.1.1"]):
        answer = geomon_(*command, "--store", str(tmp_path / "nothing"))
        assert (answer.exit_code, answer.stdout) == (1, "")
        assert "nothing holds no runs yet. geomon demo makes some, geomon run makes yours." in answer.stderr


@pytest.mark.slow
def test_the_demo_runs_four_indicators_says_synthetic_and_is_remembered(
    tmp_path: Path, geomon_: Geomon, use_workspace: Callable[..., None]
) -> None:
    first, second = (geomon_("demo", "--no-serve", "--size", "120", "--folder", str(tmp_path / "d")) for _ in range(2))
    assert (first.exit_code, second.exit_code) == (0, 0), first.stderr
    assert "synthetic" in first.stdout and "stored before" not in first.stdout
    assert "agrees" in first.stdout and "differs by definition" in first.stdout
    assert second.stdout.count("stored before") == 4
    runs = Store(tmp_path / "d" / "store").runs()
    assert {r.indicator for r in runs} == {"15.1.1", "6.6.1", "night-lights", "water-extent"}
    assert all(r.item["properties"]["geomon:synthetic"] for r in runs)


@pytest.mark.slow
def test_the_desks_open_at_the_address_that_is_printed_and_close_by_ctrl_c(made: Little, geomon_: Geomon) -> None:
    geomon_(*asked(made))
    process = started(made, ["serve", "--store", str(made.store), "--port", "0"])
    try:
        assert process.stdout is not None
        address = process.stdout.readline().partition(" at ")[2].split(" ")[0]
        with urllib.request.urlopen(address, timeout=30) as page:
            assert page.status == 200
    finally:
        process.send_signal(signal.SIGINT)
        _, said = process.communicate(timeout=30)
    assert process.returncode == 0
    assert address.startswith("http://127.0.0.1:") and "The desks are closed" in said


@pytest.mark.parametrize("host", ["0.0.0.0", "192.0.2.7", "example.org", "::"])
def test_desks_are_not_served_to_others(tmp_path: Path, geomon_: Geomon, host: str) -> None:
    answer = geomon_("serve", "--host", host, "--store", str(tmp_path))
    assert answer.exit_code == 1
    assert "no sign-in yet" in answer.stderr


def test_ctrl_c_says_what_is_kept_and_is_130(tmp_path: Path) -> None:
    country = little(tmp_path, cells=400)
    process = started(country, asked(country, "--block", "16"))
    while process.poll() is None and not list(country.store.glob("*/*/blocks/*.done")):
        time.sleep(0.02)
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "blocks are kept" in said and "Nothing was published" in said and "Traceback" not in said
    (blocks,) = country.store.glob("*/*/blocks")
    assert 0 < len(kept_blocks(blocks)) < 625
    assert Store(country.store).runs() == []


def test_a_check_takes_declared_changes_and_other_boundaries(made: Little, geomon_: Geomon) -> None:
    assert geomon_(*asked(made)).exit_code == 0
    assert geomon_(*asked(made, "--select", "A")).exit_code == 0
    small, large = sorted(Store(made.store).runs(), key=lambda run: len(run.zones))
    rows = [f"AG_LND_FRST,X,{year},50,percent,,Office" for year in (2020, 2021)]
    made.official.write_text("\n".join([made.official.read_text().splitlines()[0], *rows]))
    check = ["check", large.id, "--store", str(made.store), "--json"]
    told = [*check, "--official", str(made.official)]
    answer = geomon_(*told, "--official-break", "2021:new inventory", "--boundaries", f"{small.id}@2021")
    (finding,) = (f for f in json.loads(answer.stdout)["findings"] if f["ref_area"] == "X")
    assert "declared changes of method in the official series: new inventory (2021-01-01)" in finding["reasons"]
    for arguments, words in (
        ([*told, "--official-break", "2021"], "say when and why"),
        ([*told, "--official-break", "soon:new"], "'soon' is no year or date"),
        ([*check, "--official-break", "2021:new"], "Name the statistics too, with --official"),
        ([*told, "--boundaries", small.id], "name a run and the date"),
        ([*told, "--boundaries", f"{large.id}@2021"], "that is the run itself"),
        ([*told, "--boundaries", f"{small.id}@21"], "'21' is no year or date"),
    ):
        refused = geomon_(*arguments)
        assert refused.exit_code == 1 and words in json.loads(refused.stdout or refused.stderr)["error"]["message"]
