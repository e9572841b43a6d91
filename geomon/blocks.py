"""The tasks of a run on threads or on a cluster. The only file that imports Dask."""

import contextlib
import importlib.metadata
import io
import os
import pickle
import socket
import tempfile
import time
import uuid
import warnings
import zipfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import CancelledError
from dataclasses import dataclass
from functools import partial
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

import dask
from dask.base import compute
from dask.callbacks import Callback
from dask.delayed import delayed

from geomon import workspace
from geomon.errors import StoreError, WorkerError
from geomon.places import create
from geomon.supply import Setting
from geomon.tabulate import Task

if TYPE_CHECKING:
    from distributed import Client as Client

BLOCK = "block-"
TRIES = 3
"""How often a block may kill its worker or run out of memory: once among others, then with nothing beside it."""
HOPELESS = 8
"""So many blocks lost, and more than were made: it is not the blocks."""
UNDER_WAY = 1000  # blocks that dask knows at a time
REACHED = 15.0  # seconds in which a scheduler and its workers must answer
PAUSE, LOOK = 0.02, 10.0  # seconds between looks for a block that ended, and for workers
ABANDONED = 900.0  # seconds without a worker until a run gives up

UNSAID = ("All-NaN slice encountered", "Mean of empty slice", "Degrees of freedom <= 0")

LOCAL = {
    "distributed.worker.memory.target": False,  # nothing is held that could be written to disk instead,
    "distributed.worker.memory.spill": False,
    "distributed.worker.memory.pause": False,  # and a worker that pauses above 80 % may never go on
    "distributed.worker.memory.terminate": 0.95,
    "distributed.deploy.lost-worker-timeout": "10 minutes",  # a worker that died is back in its time
}


@dataclass(frozen=True)
class Lost:
    """A block that could not be computed."""

    key: str
    why: str


class Ended:
    """What became of the blocks so far, by their place in the order."""

    def __init__(self, jobs: Sequence[Task], progress: Callable[[int, int], None] | None) -> None:
        self.all, self.progress = len(jobs), progress
        self.made: dict[int, Any] = {}
        self.lost: dict[int, Lost] = {}

    def __call__(self, n: int, result: Any) -> None:
        """Note what a block gave; WorkerError if hardly any gives anything."""
        if isinstance(result, Lost):
            self.lost[n] = result
            if len(self.lost) >= max(HOPELESS, len(self.made)):
                raise WorkerError(hopeless(len(self.lost), len(self.made), result.why))
            return
        self.lost.pop(n, None)
        self.made[n] = result
        if self.progress:
            self.progress(len(self.made), self.all)


def hopeless(lost: int, made: int, why: str) -> str:
    """What to do where blocks are lost one after the other."""
    return (
        f"{lost} blocks were lost and {made} computed; of the last one {why}. Give each worker more memory, "
        "let fewer blocks run side by side (--threads, --workers), or cut smaller ones (--block)."
    )


def execute(
    jobs: Sequence[Task],
    setting: Setting,
    do: Callable[[Task, Setting], Any],
    *,
    client: "Client | None" = None,
    workers: int | None = None,
    progress: Callable[[int, int], None] | None = None,
    made_with: Callable[[], Mapping[str, str]] = dict,
) -> list[Any]:
    """`do(task, setting)` for each task, in the order given: on a cluster's client, else on threads here.

    `progress(done, all)` is called as tasks end. The first error ends the run; what was finished stays stored.
    A worker on which `made_with()` differs from what it is here is refused, also if it joins during the run.
    A block that runs out of memory or kills its worker is tried again after all others, alone; if nothing came of
    three tries it is Lost, and the others stand.
    """
    if not jobs:
        return []
    ended = Ended(jobs, progress)
    with unseen_is_no_news(), brought(client, setting, made_with) as name:
        run = partial(on_cluster, client, name) if client else partial(on_threads, setting, workers or cores())
        run(jobs, do, range(len(jobs)), ended, alone=False)
        for _ in range(TRIES - 1):
            run(jobs, do, sorted(ended.lost), ended, alone=True)
    return [ended.made[n] if n in ended.made else ended.lost[n] for n in range(len(jobs))]


def cores() -> int:
    """How many this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 2


def tried(do: Callable[[Task, Setting], Any], task: Task, setting: Setting) -> Any:
    """What the task gives; Lost if memory does not suffice."""
    try:
        return do(task, setting)
    except MemoryError:
        return Lost(task.key, "it ran out of memory")


@contextlib.contextmanager
def unseen_is_no_news() -> Iterator[None]:
    """Ground that no date saw is NaN after a median or mean, as it should be: numpy need not say so.

    Around all threads at once, for filters of warnings belong to the process: threads that set them one by one
    put back what others still need.
    """
    with warnings.catch_warnings():
        quiet()
        yield


def quiet() -> None:
    """Leave these warnings unsaid in this process."""
    for said in UNSAID:
        warnings.filterwarnings("ignore", said, RuntimeWarning)


# --- Threads


def on_threads(
    setting: Setting,
    threads: int,
    jobs: Sequence[Task],
    do: Callable[[Task, Setting], Any],
    which: Sequence[int],
    ended: Ended,
    *,
    alone: bool,
) -> None:
    """Some of the tasks on threads of this process, a limited number known to dask at a time."""
    lazy = delayed(partial(tried, do), pure=False, traverse=False)
    shared = delayed(setting, pure=False, traverse=False)
    for start in range(0, len(which), UNDER_WAY):
        tasks = [
            lazy(delayed(jobs[n], pure=False, traverse=False), shared, dask_key_name=f"{BLOCK}{n}")
            for n in which[start : start + UNDER_WAY]
        ]
        compute(*tasks, scheduler="threads", num_workers=1 if alone else threads, callbacks=told(ended))


def told(ended: Ended) -> list[tuple[Any, ...]]:
    """Hands on what blocks give as they end; given to one call, for what is entered with dask hears every run."""

    def after(key: Any, result: Any, *_: Any) -> None:
        if str(key).startswith(BLOCK):
            ended(int(str(key).removeprefix(BLOCK)), result)

    return [Callback(posttask=after)._callback]


# --- Clusters


def on_cluster(
    client: "Client",
    name: str,
    jobs: Sequence[Task],
    do: Callable[[Task, Setting], Any],
    which: Sequence[int],
    ended: Ended,
    *,
    alone: bool,
) -> None:
    """Some of the tasks on dask.distributed, a limited number under way at a time; WorkerError if it goes away."""
    from distributed import KilledWorker, as_completed

    call, rest, under_way = uuid.uuid4().hex, iter(which), dict[Any, int]()

    def submitted(most: int) -> list[Any]:
        new = {
            client.submit(in_worker, name, packed(do, jobs[n]), key=f"{BLOCK}{call}-{n}", pure=False): n
            for n in islice(rest, most)
        }
        under_way.update(new)
        return list(new)

    try:
        flow = as_completed(submitted(1 if alone else max(UNDER_WAY, 4 * sum(client.nthreads().values()))))
        while under_way:
            until_one_ends(flow, client)
            future = next(flow)
            n = under_way.pop(future)
            try:
                ended(n, future.result())
            except KilledWorker:
                ended(n, Lost(jobs[n].key, "its worker died"))
            except CancelledError as error:
                raise WorkerError(
                    "The scheduler dropped the blocks of this run: it was restarted, or the connection broke. "
                    "The same command goes on from the blocks that are kept."
                ) from error
            flow.update(submitted(1))
    finally:
        client.cancel(list(under_way))


def until_one_ends(flow: Any, client: "Client") -> None:
    """Wait for the next block of a flow; WorkerError if there is no worker for too long."""
    looked = manned = time.monotonic()
    while not flow.has_ready():
        time.sleep(PAUSE)
        now = time.monotonic()
        if now - looked < LOOK:
            continue
        looked = now
        with contextlib.suppress(OSError):  # of a scheduler that does not answer
            manned = now if client.nthreads() else manned
        if now - manned > ABANDONED:
            raise WorkerError(
                f"The cluster has had no worker for {(now - manned) / 60:.0f} minutes. Start workers again; "
                "the same command goes on from the blocks that are kept."
            )


def packed(do: Callable[[Task, Setting], Any], task: Task) -> bytes:
    """A task as it travels: no scheduler need know its definition, and functions of a notebook go by value."""
    from distributed.protocol.pickle import dumps

    return bytes(dumps((do, task)))


def in_worker(name: str, packed: bytes) -> Any:
    """A packed task as a worker runs it, once the definitions of its run are the ones in force there."""
    bag = BAGS[name]
    if bag.definitions != IN_FORCE[0]:
        raise WorkerError(
            f"The worker {socket.gethostname()} was given the workspace of another run meanwhile. "
            "Runs with workspaces of their own take a cluster one after the other: start this one again."
        )
    if bag.differs:
        raise WorkerError(bag.differs)
    do, task = pickle.loads(packed)
    return tried(do, task, bag.setting)


@dataclass
class Bag:
    """What a run brings to every worker, also to one that is started while it runs."""

    packed: bytes
    """The setting."""
    definitions: str
    """Which folders of definitions, '' for none of the run's own."""
    files: bytes
    """Those folders, zipped."""
    home: tuple[str, int]
    """The machine and process that it comes from."""
    made_with: Callable[[], Mapping[str, str]]
    """Gives the versions of what a process computes with."""
    here: Mapping[str, str]
    """Those of the process that it comes from."""
    setting: Any = None
    differs: str = ""
    """Why the worker that unpacked it may not compute."""

    def unpack(self, name: str) -> None:
        """Take the run's definitions and its setting into use in this process."""
        if self.home != process():
            quiet()
            self.differs = apart(socket.gethostname(), self.here, self.made_with())
            if IN_FORCE[0] != self.definitions:
                folder = Path(tempfile.mkdtemp(prefix="geomon-workspace-"))
                with zipfile.ZipFile(io.BytesIO(self.files)) as files:
                    files.extractall(folder)
                workspace.use(*sorted(folder.iterdir()))
        IN_FORCE[0] = self.definitions
        self.setting = pickle.loads(self.packed)
        BAGS[name] = self


BAGS: dict[str, Bag] = {}
"""By run, in a worker."""
IN_FORCE = [""]
"""Which definitions a worker uses."""


def process() -> tuple[str, int]:
    """This machine and process."""
    return socket.gethostname(), os.getpid()


@contextlib.contextmanager
def brought(
    client: "Client | None", setting: Setting, made_with: Callable[[], Mapping[str, str]] = dict
) -> Iterator[str]:
    """The setting and the run's own definitions on all workers of a cluster, under the name that is given."""
    if client is None:
        yield ""
        return
    from distributed import WorkerPlugin

    class Brought(WorkerPlugin):  # here, for distributed takes half a second to import; it travels by value
        def __init__(self, bag: Bag, name: str) -> None:
            self.bag, self.name = bag, name

        def setup(self, worker: Any) -> None:
            self.bag.unpack(self.name)

        def teardown(self, worker: Any) -> None:
            BAGS.pop(self.name, None)

    name = f"geomon-{uuid.uuid4().hex}"
    bag = Bag(pickle.dumps(setting), *own_definitions(), process(), made_with, dict(made_with()))
    client.register_plugin(Brought(bag, name), name=name)
    try:
        yield name
    finally:
        with contextlib.suppress(Exception):  # of a scheduler that is gone
            client.unregister_worker_plugin(name)


def own_definitions() -> tuple[str, bytes]:
    """The indicators in the workspace folders of this process: what they are, '' for none, and the files, zipped."""
    stated = [Path(part) for part in os.environ.get(workspace.VARIABLE, "").split(os.pathsep) if part]
    buffer = io.BytesIO()
    found = ""
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as files:
        for n, folder in enumerate(stated):
            for file in sorted((folder / "indicators").rglob("*")):
                if file.is_file() and "__pycache__" not in file.parts:
                    files.write(file, f"{n:03}/{file.relative_to(folder).as_posix()}")
        found = "".join(f"{i.filename} {i.CRC} {i.file_size}\n" for i in files.infolist())
    return found, buffer.getvalue() if found else b""


def agreed(client: "Client", made_with: Callable[[], Mapping[str, str]]) -> None:
    """WorkerError unless the scheduler and every worker have the geomon, and what it computes with, of this process."""
    ours = importlib.metadata.version("geomon")
    theirs = client.run(importlib.metadata.version, "geomon", on_error="return")
    with contextlib.suppress(Exception):  # an older scheduler, or one that has no geomon
        theirs["scheduler"] = "none"
        theirs["scheduler"] = client.run_on_scheduler(importlib.metadata.version, "geomon")
    others = {at: "none" if isinstance(v, Exception) else v for at, v in theirs.items() if v != ours}
    if not others:
        here = dict(made_with())
        for at, there in client.run(made_with).items():
            if differs := apart(at, here, there):
                raise WorkerError(differs)
        return
    told = ", ".join(f"{at} has {v}" for at, v in sorted(others.items())[:4])
    raise WorkerError(
        f"geomon {ours} asks, and {told}{' ...' if len(others) > 4 else ''}. "
        "Install the same version on the scheduler and all workers."
    )


def apart(at: str, here: Mapping[str, str], there: Mapping[str, str]) -> str:
    """Why a worker may not compute for this process, by the versions of both; '' if they are the same."""
    differ = {n: v for n, v in here.items() if there.get(n) != v}
    if not differ:
        return ""
    told = ", ".join(f"{n} {there.get(n, 'none')} (here {v})" for n, v in sorted(differ.items()))
    return f"The worker {at} computes with {told}, so its numbers may differ. Install the same there as here."


def reached(client: "Client", folder: Any) -> None:
    """StoreError unless every worker sees what is written to a folder here, and may write there itself."""
    mark = folder / f".{uuid.uuid4().hex}"
    create(mark, b"")
    said = client.run(seen_from_here, mark)
    mark.unlink()
    blind = {at: why for at, why in said.items() if why}
    if blind:
        at, why = sorted(blind.items())[0]
        raise StoreError(
            f"The store at {folder} is not shared with {len(blind)} of {len(said)} workers ({at}: {why}). "
            "Name a folder with --store that all of them reach, or a bucket (s3://...)."
        )


def seen_from_here(mark: Any) -> str:
    """Why this process cannot use the folder in which a file was just written; '' if it can."""
    try:
        if not mark.exists():
            return "it is not there"
        probe = mark.parent / f".{uuid.uuid4().hex}"
        create(probe, b"")
        probe.unlink()
    except Exception as error:
        return getattr(error, "strerror", None) or str(error)
    return ""


@contextlib.contextmanager
def connected(scheduler: str = "", workers: int = 0, memory: str = "auto") -> Iterator["Client | None"]:
    """A client of an existing scheduler, or of worker processes started for this purpose; None if neither is named.

    The processes have one thread and at most `memory` each ('2GiB'; by itself an even share of this machine's), are
    reached from this machine alone, and end with the context. WorkerError says why nobody can be reached.
    """
    if scheduler:
        with joined(scheduler) as client:
            yield client
    elif workers:
        from distributed import Client, LocalCluster

        with (
            dask.config.set(LOCAL),
            LocalCluster(
                n_workers=workers,
                threads_per_worker=1,
                processes=True,
                host="127.0.0.1",
                memory_limit=memory,
                silence_logs=60,
                preload=["import signal; signal.signal(signal.SIGINT, signal.SIG_IGN)"],  # Ctrl-C is for this process
                scheduler_kwargs={
                    "allowed_failures": 0,  # blocks that killed a worker are counted in `execute`
                    "dashboard": False,
                    "dashboard_address": "127.0.0.1:0",
                },
            ) as cluster,
            Client(cluster) as client,
        ):
            yield client
    else:
        yield None


@contextlib.contextmanager
def joined(scheduler: str) -> Iterator["Client"]:
    """A client of an existing scheduler that has workers."""
    from distributed import Client

    try:
        client = Client(scheduler, timeout=REACHED)
    except (OSError, ValueError, TimeoutError) as error:
        raise WorkerError(
            f"No scheduler answers at {scheduler}: {' '.join(str(error).split())[:200] or 'not within the time'}. "
            "Start one with `dask scheduler`, or name the address that it printed, such as tcp://host:8786."
        ) from error
    with client:
        try:
            client.wait_for_workers(1, timeout=REACHED)
        except TimeoutError as error:
            raise WorkerError(
                f"The scheduler at {scheduler} has no workers. Start some with `dask worker {scheduler}`."
            ) from error
        yield client
