"""What goes wrong around a run leaves its totals as they are, to the bit, or is said by name."""

import errno
import os
import resource
import signal
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import shapely

from geomon import Indicator, Output, Source, Survey, tasks, total
from geomon.blocks import HOPELESS, Ended, Lost, connected
from geomon.cli.tables import failures, stored_facts
from geomon.errors import StoreError, WorkerError
from geomon.pipeline import Plan, Run, plan
from geomon.registry import indicator
from geomon.store import kept_blocks
from geomon.testing import World, raster, window
from geomon.zones import Zone, Zones
from tests.engine.little import Little, bind, little
from tests.engine.loopback import Fault, serving
from tests.engine.made import item, static

pytestmark = pytest.mark.slow

CELLS, BLOCK = 120, 20
DEFINITION = '''"""Trees and water by the cell, with faults on demand."""

import os
import signal
import time
from pathlib import Path

import numpy as np

from geomon import Indicator, Output, Source, area, classes, total

FAULTS = Path({folder!r})


def measure(cover):
    first = float(cover.x[0]) < {x} and float(cover.y[0]) > {y}
    if first and (FAULTS / "kill").exists():
        os.kill(os.getpid(), signal.SIGKILL)
    if first and (FAULTS / "memory").exists():
        raise MemoryError
    if (FAULTS / "grow").exists():
        try:
            (FAULTS / "grow").unlink()
            np.ones(2**28)
            time.sleep(30)
        except FileNotFoundError:  # another block has it
            pass
    if (FAULTS / "slow").exists():
        time.sleep(0.05)
    return {{"trees": classes(cover, "forest"), "kinds": area(cover > 0).by(code=cover)}}


INDICATOR = Indicator(
    code="faulty",
    title="Trees",
    freq="A",
    sources={{"cover": Source("esa-worldcover")}},
    grid="cover",
    measure=measure,
    outputs={{"trees": Output(total("trees"), "km2"), "kinds": Output(total("kinds"), "km2")}},
    map="trees",
    minimum_coverage=0.9,
)
'''


@dataclass(frozen=True)
class Trouble:
    """A little country whose indicator does wrong when a file tells it to."""

    country: Little
    folder: Path

    def plan(self, store: Path | None) -> Plan:
        """The same question each time."""
        return plan(indicator("faulty"), self.country.zones, "2020/2021", store=store, block=BLOCK)

    def make(self, fault: str) -> Path:
        """From now on, or until the file is gone."""
        file = self.folder / fault
        file.touch()
        return file


@pytest.fixture(scope="module")
def country(tmp_path_factory: pytest.TempPathFactory) -> Trouble:
    """36 blocks; the first one, in the north-west, lies wholly in zone A."""
    made = little(tmp_path_factory.mktemp("faults"), cells=CELLS)
    folder = made.folder / "faults"
    folder.mkdir()
    file = made.workspace / "indicators" / "faulty.py"
    file.parent.mkdir()
    file.write_text(DEFINITION.format(folder=str(folder), x=10.05, y=49.95))
    return Trouble(made, folder)


@pytest.fixture
def trouble(country: Trouble, use_workspace: Callable[..., None]) -> Iterator[Trouble]:
    """The country in use, without any fault left from before."""
    use_workspace(country.country.workspace)
    yield country
    for file in country.folder.iterdir():
        file.unlink()


@pytest.fixture
def undisturbed(trouble: Trouble) -> Run:
    """The same run, left alone."""
    return trouble.plan(None).run(workers=2)


@pytest.fixture(scope="module")
def client() -> Iterator[Any]:
    """Two workers of 700 MiB."""
    with connected(workers=2, memory="700MiB") as client:
        yield client


def same_bits(run: Run, other: Run) -> None:
    """The totals and the values."""
    assert run.sums == other.sums
    pd.testing.assert_frame_equal(run.series, other.series, check_exact=True)


def failed(run: Run) -> list[str]:
    """Names of the files and blocks that failed."""
    return sorted(run.reads[run.reads.status == "failed"]["item"])


# --- Workers


def test_a_worker_that_is_killed_changes_nothing(
    trouble: Trouble, undisturbed: Run, client: Any, tmp_path: Path
) -> None:
    trouble.make("slow")
    pids = client.run(os.getpid)
    told: list[int] = []

    def watch(done: int, of: int) -> None:
        told.append(done)
        if done in (3, 20):
            os.kill(list(pids.values())[done % 2], signal.SIGKILL)

    run = trouble.plan(tmp_path).run(watch, client=client)
    same_bits(run, undisturbed)
    assert told == list(range(1, 37)) and failed(run) == []
    assert set(client.run(os.getpid).values()).isdisjoint(pids.values())


def test_a_worker_that_runs_out_of_memory_changes_nothing(
    trouble: Trouble, undisturbed: Run, client: Any, tmp_path: Path
) -> None:
    """A block takes 2 GiB where its worker may have 0.7: the nanny ends it."""
    pids = client.run(os.getpid)
    grow = trouble.make("grow")
    run = trouble.plan(tmp_path).run(client=client)
    same_bits(run, undisturbed)
    assert not grow.exists() and failed(run) == []
    assert set(client.run(os.getpid).values()) != set(pids.values())


def test_a_block_that_kills_its_worker_thrice_is_named_and_the_rest_stands(
    trouble: Trouble, undisturbed: Run, client: Any, tmp_path: Path
) -> None:
    cause = trouble.make("kill")
    asking = trouble.plan(tmp_path)
    partial(asking.run(client=client), undisturbed, "its worker died each of 3 times")
    cause.unlink()
    computed = only_the_lost_block_is_computed_again(trouble, undisturbed, tmp_path)
    assert computed == [asking.tasks[0].key]


def test_a_block_that_runs_out_of_memory_is_named_and_the_rest_stands(
    trouble: Trouble, undisturbed: Run, tmp_path: Path
) -> None:
    """On threads, and twice: what failed is asked for again, and is again not an answer."""
    cause = trouble.make("memory")
    asking = [trouble.plan(tmp_path)]
    partial(asking[0].run(workers=2), undisturbed, "it ran out of memory each of 3 times")
    asking.append(trouble.plan(tmp_path))
    assert asking[1].id != asking[0].id
    partial(asking[1].run(workers=1), undisturbed, "it ran out of memory each of 3 times")
    cause.unlink()
    computed = only_the_lost_block_is_computed_again(trouble, undisturbed, tmp_path)
    assert computed == [asking[0].tasks[0].key]
    assert list(tmp_path.glob("*/*/blocks")) == []


def test_a_value_that_is_withheld_for_a_lost_block_says_so(trouble: Trouble) -> None:
    trouble.make("memory")
    asking = trouble.plan(None)
    strict = replace(asking, indicator=replace(asking.indicator, minimum_coverage=0.99))
    said = strict.run(workers=1).series.set_index(["series", "ref_area", "time_period"]).obs_status["trees"]
    why = "too little was seen: {} of the 99 % needed; 1 block could not be computed"
    assert {area: said[area, "2020"] for area in "ABX"} == {
        "A": why.format("94.5 %"),
        "B": "",
        "X": why.format("97.2 %"),
    }


def partial(run: Run, undisturbed: Run, why: str) -> None:
    """That a run says what it lacks, and has all the rest to the bit."""
    key = run.plan.tasks[0].key
    assert failed(run) == [key]
    assert run.stored is not None and stored_facts(run.stored)["status"] == "partial"
    assert failures(run.reads) == [f"Could not compute {key}: {why}; its part of 'A' counts as unseen."]
    assert run.reads.set_index("item").periods[key] == "2020 2021"
    got, whole = (r.series.set_index(["series", "ref_area", "time_period", "breakdown"]) for r in (run, undisturbed))
    share = 1 / 18  # one of the 18 blocks of zone A
    for period in ("2020", "2021"):
        at = "trees", "A", period, ""
        assert got.coverage[at] == pytest.approx(1 - share, rel=1e-3)
        assert got.obs_value[at] < whole.obs_value[at] <= got.upper[at] * (1 + 1e-12)
        pd.testing.assert_series_equal(
            got.loc["trees", "B", period, ""].drop("run"), whole.loc["trees", "B", period, ""].drop("run")
        )
    dates = [(s.keys, s.number) for s in run.sums if s.what == "dates" and s.zone == "A" and s.period == "2020"]
    assert [k for k, _ in dates] == [(("n", 0.0),), (("n", 1.0),)]
    assert dates[0][1] / dates[1][1] == pytest.approx(share / (1 - share), rel=0.02)


def only_the_lost_block_is_computed_again(trouble: Trouble, undisturbed: Run, store: Path) -> list[str]:
    """The blocks that the next attempt computes; what it gives is as if nothing had been."""
    computed: list[str] = []

    def noted(task: Any, setting: Any) -> Any:
        computed.append(task.key)
        return original(task, setting)

    original = tasks.run_task
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(tasks, "run_task", noted)
        again = trouble.plan(store).run(workers=1)
    assert again.sums == undisturbed.sums and failed(again) == []
    assert again.stored is not None and sorted(again.stored.maps) == ["2020", "2021"]
    return computed


def test_memory_that_sufficed_alone_is_no_news(
    trouble: Trouble, undisturbed: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    short = [True] * 3

    def run_task(task: Any, setting: Any) -> Any:
        if short:
            short.pop()
            raise MemoryError
        return original(task, setting)

    original = tasks.run_task
    monkeypatch.setattr(tasks, "run_task", run_task)
    same_bits(trouble.plan(None).run(workers=2), undisturbed)
    assert short == []


def test_a_run_in_which_every_block_is_lost_ends(trouble: Trouble, monkeypatch: pytest.MonkeyPatch) -> None:
    def run_task(task: Any, setting: Any) -> Any:
        raise MemoryError

    monkeypatch.setattr(tasks, "run_task", run_task)
    with pytest.raises(WorkerError, match=rf"{HOPELESS} blocks were lost and 0 computed; .*--block"):
        trouble.plan(None).run(workers=2)
    whole = trouble.plan(None)
    with pytest.raises(WorkerError, match="1 blocks were lost and 0 computed"):
        replace(whole, tasks=whole.tasks[:1]).run(workers=2)


def test_the_only_block_of_a_source_that_is_added_up_may_be_lost(monkeypatch: pytest.MonkeyPatch) -> None:
    """No other block of it says what it would have measured."""

    def run_task(task: Any, setting: Any) -> Any:
        if task.key.startswith("sum-") and isinstance(task.owner, Survey):
            raise MemoryError
        return original(task, setting)

    original = tasks.run_task
    monkeypatch.setattr(tasks, "run_task", run_task)
    where = window("EPSG:32632", 600_000, 5_200_000, 100, (20, 20))
    people = raster("people", where, {"2020": np.ones(where.shape)}, band="people", kind="amount", unit="people")
    what = Indicator(
        code="toy",
        title="Ground with people",
        freq="A",
        sources={"people": Source("people")},
        grid="people",
        measure=lambda people: {"settled": people > 0},
        outputs={"settled": Output(total("settled"), "km2")},
        sums={"everybody": Source("people")},
    )
    zones = Zones((Zone("A", geometry=shapely.box(*where.bounds)),), where.grid.crs)
    run = plan(what, zones, ("2020",), catalog=World((people,))).run(workers=1)
    found = {(row.what, row.quantity): row.number for row in run.sums}
    assert [item.partition("-")[0] for item in failed(run)] == ["sum"]
    assert found["unseen", "everybody"] == pytest.approx(found["seen", "settled"])
    assert found["seen", "everybody"] == 0 and ("total", "everybody") not in found


def test_many_blocks_may_be_lost_among_more_that_are_not() -> None:
    ended = Ended([None] * 100, None)  # type: ignore[list-item]
    for n in range(50):
        ended(n, "made")
    for n in range(50, 99):
        ended(n, Lost("key", "it ran out of memory"))
    with pytest.raises(WorkerError):
        ended(99, Lost("key", "it ran out of memory"))


# --- Servers


@pytest.mark.parametrize("fault", [Fault("503", 3), Fault("stall", 1), Fault("reset", 2)], ids=lambda f: f.kind)
def test_a_server_in_trouble_changes_nothing(
    trouble: Trouble, undisturbed: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fault: Fault
) -> None:
    for name, value in {"PAUSE": "0.05", "TIMEOUT": "1", "CONNECT": "1", "TRIES": "6"}.items():
        monkeypatch.setenv(f"GEOMON_READ_{name}", value)
    own = trouble.country
    with serving(own.maps) as server:
        spans = {y: (f"{y}-01-01T00:00:00Z", f"{y}-12-31T23:59:59Z") for y in (2020, 2021)}
        known = [
            item(f"cover-{y}", {"map": {"href": f"{server.url}/cover-{y}.tif"}}, time=spans[y], shape=(CELLS, CELLS))
            for y in spans
        ]
        before = (own.workspace / "catalogs" / "esa-worldcover" / "collection.json").read_bytes()
        try:
            bind(own, {"type": "static", "href": str(static(tmp_path / "stac", known)), "collection": "made"})
            asking = trouble.plan(tmp_path / "store")
            server.faults["/cover-2021.tif"] = fault
            run = asking.run(workers=2)
        finally:
            (own.workspace / "catalogs" / "esa-worldcover" / "collection.json").write_bytes(before)
    assert run.sums == undisturbed.sums
    assert set(run.reads.status) == {"ok", "retried"} and fault.times == 0


# --- Disks


def test_a_disk_that_fills_up_is_said_and_the_run_goes_on_when_there_is_room(
    trouble: Trouble, undisturbed: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """ENOSPC halfway through a block's files, after five blocks."""
    asking = trouble.plan(tmp_path)
    kept: list[str] = []

    def keep(folder: Path, done: Any, **more: Any) -> None:
        if len(kept) == 5:
            (folder / f"{done.key}.rows.parquet").write_bytes(b"PAR1 and no more")
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        kept.append(done.key)
        keep_block(folder, done, **more)

    keep_block = tasks.keep_block
    with monkeypatch.context() as patch:
        patch.setattr(tasks, "keep_block", keep)
        said = "takes no more: No space left on device. 5 of 36 blocks are kept in .* Make room there"
        with pytest.raises(StoreError, match=said):
            asking.run(workers=1)
    same_bits(asking.run(workers=2), undisturbed)


def test_a_limit_on_files_is_said_and_leaves_nothing_half_written(
    trouble: Trouble, undisturbed: Run, tmp_path: Path
) -> None:
    asking = trouble.plan(tmp_path)
    with files_of(2048), pytest.raises(StoreError, match=r"takes no more: File too large\. 0 of 36 blocks are kept"):
        asking.run(workers=2)
    files = (file for file in tmp_path.rglob("*") if file.is_file())
    assert [file for file in files if not file.name.startswith(".")] == []  # which a thread may be writing still
    run = asking.run(workers=2)
    same_bits(run, undisturbed)


def test_a_disk_that_fills_up_on_a_worker_is_said(trouble: Trouble, client: Any, tmp_path: Path) -> None:
    asking = trouble.plan(tmp_path)
    client.run(limit_files, 2048)
    try:
        with pytest.raises(StoreError, match="takes no more: File too large"):
            asking.run(client=client)
    finally:
        client.run(limit_files, resource.RLIM_INFINITY)
    assert kept_blocks(tmp_path / "faulty" / asking.id / "blocks") == set()


class files_of:
    """Files of this process may not be larger than so many bytes."""

    def __init__(self, size: int) -> None:
        self.size = size

    def __enter__(self) -> None:
        self.before = resource.getrlimit(resource.RLIMIT_FSIZE)
        limit_files(self.size)

    def __exit__(self, *_: object) -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, self.before)


def limit_files(size: int) -> None:
    """The soft limit; the hard one stays."""
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, resource.getrlimit(resource.RLIMIT_FSIZE)[1]))
