"""The same run on dask.distributed: bits, definitions and settings that travel, and what is refused."""

import contextlib
import importlib.metadata
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest
from typer.testing import CliRunner

from geomon import blocks
from geomon.blocks import agreed, brought, connected, own_definitions, reached
from geomon.cli import app
from geomon.errors import StoreError, WorkerError
from geomon.identity import made_with
from geomon.pipeline import plan
from geomon.registry import indicator
from geomon.store import Store, kept_blocks
from tests.engine.little import Little, asked, little
from tests.engine.test_kill import same

if TYPE_CHECKING:
    from distributed import Client

pytestmark = pytest.mark.slow

MINE = '''"""Trees, of somebody's own."""

from geomon import Indicator, Output, Source, classes, total


def measure(cover):
    return {"trees": classes(cover, "forest")}


INDICATOR = Indicator(
    code="own.trees",
    title="Trees",
    freq="A",
    sources={"cover": Source("esa-worldcover")},
    grid="cover",
    measure=measure,
    outputs={"trees": Output(total("trees"), "km2")},
    map="trees",
)
'''


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Little:
    """A country whose workspace also holds an indicator."""
    country = little(tmp_path_factory.mktemp("cluster"))
    file = country.workspace / "indicators" / "own_trees.py"
    file.parent.mkdir()
    file.write_text(MINE)
    return country


@pytest.fixture(scope="module")
def client() -> "Iterator[Client]":
    """Two worker processes that know nothing of any workspace, as on another machine."""
    before = os.environ.pop("GEOMON_WORKSPACE", None)
    with connected(workers=2) as client:
        assert client is not None
        if before is not None:
            os.environ["GEOMON_WORKSPACE"] = before
        yield client


def test_a_definition_of_a_folder_travels_and_gives_the_same_bits(
    made: Little, client: "Client", tmp_path: Path, use_workspace: Callable[..., None]
) -> None:
    use_workspace(made.workspace)
    asking = [
        plan(indicator("own.trees"), made.zones, "2020/2021", store=tmp_path / name, block=16) for name in ("a", "b")
    ]
    told: list[tuple[int, int]] = []
    there = asking[0].run(lambda done, of: told.append((done, of)), client=client)
    here = asking[1].run(workers=2)
    assert told == [(n, 9) for n in range(1, 10)]
    assert there.stored is not None and here.stored is not None
    same(there.stored, here.stored)
    files = client.run(lambda: sys.modules["geomon.workspace.indicators.own_trees"].__file__)
    assert all(not str(file).startswith(str(made.folder)) for file in files.values())


def test_a_changed_definition_travels_anew(
    made: Little, client: "Client", tmp_path: Path, use_workspace: Callable[..., None]
) -> None:
    """And a run whose definitions are no longer in force on a worker is refused there, not computed by others."""
    folder = tmp_path / "own"
    shutil.copytree(made.workspace, folder)
    file = folder / "indicators" / "own_trees.py"
    file.write_text(file.read_text().replace('"forest")', '"water")'))
    use_workspace(made.workspace)
    zones = {"zones": made.zones, "period": "2020", "block": 16}
    first = plan(indicator("own.trees"), **zones).run(client=client)
    older = plan(indicator("own.trees"), **zones)
    with brought(client, older.setting) as name:
        packed = blocks.packed(lambda task, setting: None, older.tasks[0])
        assert client.submit(blocks.in_worker, name, packed, pure=False).result(timeout=30) is None
        use_workspace(folder)
        second = plan(indicator("own.trees"), **zones).run(client=client)
        with pytest.raises(WorkerError, match="the workspace of another run"):
            client.submit(blocks.in_worker, name, packed, pure=False).result(timeout=30)
    values = [float(run.series.set_index("ref_area").obs_value["X"]) for run in (first, second)]
    assert values[0] / values[1] == pytest.approx(8, rel=0.01)  # a half of the country, and a sixteenth of it


def test_folders_without_indicators_need_not_travel(tmp_path: Path, use_workspace: Callable[..., None]) -> None:
    use_workspace(little(tmp_path).workspace)
    assert own_definitions() == ("", b"")


def test_workers_that_compute_with_something_else_are_refused(client: "Client") -> None:
    agreed(client, made_with)
    with pytest.raises(WorkerError, match=r"The worker tcp://\S+ computes with engine \w+ \(here other\)"):
        agreed(client, Other())


def test_a_worker_that_joins_later_and_computes_with_something_else_is_refused(
    made: Little, client: "Client", use_workspace: Callable[..., None]
) -> None:
    use_workspace(made.workspace)
    asking = plan(indicator("own.trees"), made.zones, "2020", block=16)
    packed = blocks.packed(lambda task, setting: None, asking.tasks[0])
    with brought(client, asking.setting, made_with) as name:
        assert client.submit(blocks.in_worker, name, packed, pure=False).result(timeout=30) is None
    with (
        brought(client, asking.setting, Other()) as name,
        pytest.raises(WorkerError, match=r"The worker \S+ computes with engine \w+ \(here other\)"),
    ):
        client.submit(blocks.in_worker, name, packed, pure=False).result(timeout=30)


def test_a_run_tells_its_workers_what_it_computes_with(
    made: Little, client: "Client", use_workspace: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    use_workspace(made.workspace)
    monkeypatch.setattr("geomon.tasks.made_with", Other())
    with pytest.raises(WorkerError, match=r"computes with engine \w+ \(here other\)"):
        plan(indicator("own.trees"), made.zones, "2020", block=16).run(client=client)


def test_a_cluster_that_all_workers_left_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    from distributed import Client, LocalCluster

    monkeypatch.setattr(blocks, "LOOK", 0.05)
    monkeypatch.setattr(blocks, "ABANDONED", 0.2)
    quietly = {"dashboard": False, "dashboard_address": "127.0.0.1:0"}
    nobody = LocalCluster(n_workers=0, host="127.0.0.1", scheduler_kwargs=quietly)
    job: Any = SimpleNamespace(key="a")
    with nobody, Client(nobody) as client, pytest.raises(WorkerError, match=r"no worker for \d+ minutes"):
        blocks.on_cluster(client, "", [job], print, [0], blocks.Ended([job], None), alone=False)


@pytest.mark.parametrize("there", ["0.0.9", importlib.metadata.PackageNotFoundError("geomon")])
def test_workers_with_another_geomon_or_none_are_refused(there: object) -> None:
    client = SimpleNamespace(
        run=lambda *_, **how: {"tcp://a": there, "tcp://b": importlib.metadata.version("geomon")},
        run_on_scheduler=lambda function, name: function(name),
    )
    named = "none" if isinstance(there, Exception) else there
    with pytest.raises(WorkerError, match=rf"geomon \S+ asks, and tcp://a has {named}\. Install the same version"):
        agreed(client, made_with)  # type: ignore[arg-type]


class Other:
    """What this process computes with differs from what a worker does."""

    def __init__(self) -> None:
        self.here = os.getpid()

    def __call__(self) -> dict[str, str]:
        return {**made_with(), "engine": "other"} if os.getpid() == self.here else made_with()


def test_a_store_that_workers_do_not_see_is_refused(client: "Client", tmp_path: Path) -> None:
    (tmp_path / "shared").mkdir()
    reached(client, tmp_path / "shared")
    assert list((tmp_path / "shared").iterdir()) == []
    with pytest.raises(StoreError, match=r"is not shared with 2 of 2 workers .*it is not there.*s3://"):
        reached(client, Elsewhere(tmp_path / "shared"))


class Elsewhere(type(Path())):  # type: ignore[misc]
    """A folder that is another one on another machine."""

    def __reduce__(self) -> tuple[type[Path], tuple[str]]:
        return Path, (f"{self}-there",)


def test_a_scheduler_that_does_not_answer(made: Little, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("geomon.blocks.REACHED", 1.0)
    with pytest.raises(WorkerError, match=r"No scheduler answers at tcp://127.0.0.1:9: .*`dask scheduler`"):
        connected("tcp://127.0.0.1:9").__enter__()


def test_the_machines_are_named_once(made: Little) -> None:
    for pair in (["--threads", "2", "--workers", "2"], ["--workers", "2", "--scheduler", "tcp://x:8786"]):
        answer = CliRunner().invoke(app, asked(made, *pair))
        assert answer.exit_code == 2 and "exclude each other" in answer.stderr


def test_the_command_line_on_a_scheduler_that_somebody_started(
    made: Little, tmp_path: Path, use_workspace: Callable[..., None]
) -> None:
    use_workspace(made.workspace)
    file = tmp_path / "scheduler.json"
    common = ["--scheduler-file", str(file), "--no-dashboard", "--host", "127.0.0.1"]
    with contextlib.ExitStack() as stack:
        for role in (["scheduler", "--port", "0"], ["worker", "--nthreads", "2", "--no-nanny"]):
            process = subprocess.Popen(
                [sys.executable, "-m", "dask", *role, *common], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
            )
            stack.callback(process.wait, 30)
            stack.callback(process.kill)
        while not file.exists():
            time.sleep(0.05)
        address = json.loads(file.read_text())["address"]
        where = {"there": ["--scheduler", address], "here": ["--threads", "1"]}
        for name, how in where.items():
            store = ["--store", str(tmp_path / name)]
            answer = CliRunner().invoke(app, [*asked(made, *how, "--block", "16", "--json"), *store])
            assert answer.exit_code == 0, answer.stderr
    there, here = (Store(tmp_path / name).runs()[0] for name in where)
    same(there, here)


def test_ctrl_c_ends_the_workers_and_says_what_is_kept(made: Little, tmp_path: Path) -> None:
    """To all of a terminal's processes at once, as a terminal sends it."""
    country = little(tmp_path, cells=400)
    arguments = asked(country, "--block", "16", "--workers", "2")
    process = subprocess.Popen(
        [sys.executable, "-m", "geomon", *arguments],
        env={**os.environ, "GEOMON_WORKSPACE": str(country.workspace)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    while process.poll() is None and not list(country.store.glob("*/*/blocks/*.done")):
        time.sleep(0.02)
    os.killpg(process.pid, signal.SIGINT)
    _, said = process.communicate(timeout=60)
    assert process.returncode == 130, said
    assert "blocks are kept" in said and "Traceback" not in said
    assert [line for line in said.splitlines() if "distributed" in line] == []
    (folder,) = country.store.glob("*/*/blocks")
    assert 0 < len(kept_blocks(folder)) < 625
    with pytest.raises(ProcessLookupError):
        for _ in range(300):  # the last of them see that their parent is gone
            os.killpg(process.pid, 0)
            time.sleep(0.1)
