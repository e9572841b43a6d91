"""A run that is killed leaves finished blocks and nothing that looks finished; the next one goes on from there."""

import hashlib
import json
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest

from geomon.pipeline import Plan, plan
from geomon.store import Store, StoredRun, kept_blocks
from tests.engine.little import Little, asked, little, started

CELLS, BLOCK = 128, 16
BLOCKS = (CELLS // BLOCK) ** 2
pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Little:
    """A country of so many blocks that there is time to kill a run."""
    return little(tmp_path_factory.mktemp("kill"), cells=CELLS)


@pytest.fixture(scope="module")
def undisturbed(made: Little) -> StoredRun:
    """The same run, left alone."""
    done = begin(made, made.folder / "undisturbed")
    _, said = done.communicate(timeout=120)
    assert done.returncode == 0, said
    (stored,) = Store(made.folder / "undisturbed").runs()
    return stored


def begin(made: Little, store: Path) -> "subprocess.Popen[str]":
    """`geomon run` in a process of its own."""
    return started(made, [*asked(made, "--block", str(BLOCK), "--official", str(made.official)), "--store", str(store)])


def kill(process: "subprocess.Popen[str]", when: Callable[[], bool]) -> bool:
    """Kill -9 at a moment; whether the moment came before the end."""
    while process.poll() is None and not when():
        time.sleep(0.001)
    came = process.poll() is None
    process.kill()  # SIGKILL
    process.communicate(timeout=30)
    return came


def planned(made: Little, store: Path, use_workspace: Callable[..., None]) -> Plan:
    """The plan of the same run, here."""
    use_workspace(made.workspace)
    return plan("15.1.1", made.zones, "2020/2021", store=store, block=BLOCK, official=made.official)


def sound(run: StoredRun) -> None:
    """That every file of a run is as its item says, and nothing else lies there that could be taken for one.

    A writer that was killed may leave a hidden file, the slower of two equal ones a few of its blocks.
    """
    files = {f"{run.id}.json"}
    for asset in run.item["assets"].values():
        content = (run.folder / asset["href"]).read_bytes()
        assert asset["file:checksum"] == "1220" + hashlib.sha256(content).hexdigest(), asset["href"]
        files.add(Path(asset["href"]).name)
    assert {p.name for p in run.folder.iterdir() if not p.name.startswith(".")} == files


def same(run: StoredRun, other: StoredRun) -> None:
    """That two runs say the same to the bit."""
    assert run.id == other.id
    pd.testing.assert_frame_equal(run.totals, other.totals, check_exact=True)
    pd.testing.assert_frame_equal(run.series, other.series, check_exact=True)
    for period, path in run.maps.items():
        assert path.read_bytes() == other.maps[period].read_bytes()


@pytest.mark.parametrize("blocks", [1, BLOCKS // 2])
def test_killed_among_its_blocks(
    made: Little,
    undisturbed: StoredRun,
    tmp_path: Path,
    use_workspace: Callable[..., None],
    monkeypatch: pytest.MonkeyPatch,
    blocks: int,
) -> None:
    store, asking = Store(tmp_path / "store"), planned(made, tmp_path / "store", use_workspace)
    folder = store.folder("15.1.1", asking.id)
    assert kill(begin(made, store.root), lambda: len(kept_blocks(folder / "blocks")) >= blocks)
    kept = kept_blocks(folder / "blocks")
    assert blocks <= len(kept) < BLOCKS
    assert store.runs() == [] and not store.catalog_path.exists()
    assert [p.name for p in folder.iterdir()] == ["blocks"]

    computed: list[str] = []
    compute = sys.modules["geomon.tasks"].run_task  # type: ignore[attr-defined]
    monkeypatch.setattr("geomon.tasks.run_task", lambda t, s: computed.append(t.key) or compute(t, s))
    resumed = asking.run()
    assert sorted(computed) == sorted({t.key for t in asking.tasks} - kept)
    assert resumed.stored is not None
    sound(resumed.stored)
    same(resumed.stored, undisturbed)


@pytest.mark.parametrize("file", ["series.parquet", "map-2021.tif"])
def test_killed_while_it_publishes(
    made: Little, undisturbed: StoredRun, tmp_path: Path, use_workspace: Callable[..., None], file: str
) -> None:
    store, asking = Store(tmp_path / "store"), planned(made, tmp_path / "store", use_workspace)
    folder = store.folder("15.1.1", asking.id)
    kill(begin(made, store.root), lambda: (folder / file).exists())
    for run in store.runs():  # it may have been faster than we
        sound(run)
    again = begin(made, store.root)
    _, said = again.communicate(timeout=120)
    assert again.returncode == 0, said
    (stored,) = store.runs()
    assert json.loads(store.catalog_path.read_text())["links"][-1]["rel"] == "child"
    sound(stored)
    same(stored, undisturbed)


def test_two_equal_runs_at_once_do_no_harm(made: Little, undisturbed: StoredRun, tmp_path: Path) -> None:
    both = [begin(made, tmp_path / "store") for _ in range(2)]
    said = [process.communicate(timeout=180)[1] for process in both]
    assert [process.returncode for process in both] == [0, 0], said
    (stored,) = Store(tmp_path / "store").runs()
    sound(stored)
    same(stored, undisturbed)
