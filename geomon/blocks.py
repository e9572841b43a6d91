"""The tasks of a run on threads or on a cluster. The only file that imports Dask."""

import contextlib
import os
import warnings
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

from dask.base import compute
from dask.callbacks import Callback
from dask.delayed import delayed

from geomon.supply import Setting
from geomon.tabulate import Task

if TYPE_CHECKING:
    from distributed import Client as Client

BLOCK = "block-"

UNSAID = ("All-NaN slice encountered", "Mean of empty slice", "Degrees of freedom <= 0")


def execute(
    jobs: Sequence[Task],
    setting: Setting,
    do: Callable[[Task, Setting], Any],
    *,
    client: "Client | None" = None,
    workers: int | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> list[Any]:
    """`do(task, setting)` for each task, in the order given: on a cluster's client, else on threads here.

    `progress(done, all)` is called as tasks end. The first error ends the run; what was finished stays stored.
    """
    shown = progress or (lambda done, all_: None)
    if not jobs:
        return []
    if client is not None:
        return on_cluster(jobs, setting, do, client, shown)
    lazy = delayed(do, pure=False, traverse=False)
    shared = delayed(setting, pure=False, traverse=False)
    tasks = [
        lazy(delayed(job, pure=False, traverse=False), shared, dask_key_name=f"{BLOCK}{n}")
        for n, job in enumerate(jobs)
    ]
    with unseen_is_no_news(), Ended(len(jobs), shown):
        return list(compute(*tasks, scheduler="threads", num_workers=workers or os.cpu_count() or 2))


def on_cluster(
    jobs: Sequence[Task],
    setting: Setting,
    do: Callable[[Task, Setting], Any],
    client: "Client",
    shown: Callable[[int, int], None],
) -> list[Any]:
    """The same on dask.distributed, the setting sent once to every worker."""
    from distributed import as_completed

    shared = client.scatter(setting, broadcast=True, hash=False)
    futures = [client.submit(quietly, do, job, shared, pure=False) for job in jobs]
    for n, future in enumerate(as_completed(futures), 1):
        if future.status == "error":
            client.cancel(futures)
            future.result()
        shown(n, len(jobs))
    return list(client.gather(futures))


@contextlib.contextmanager
def unseen_is_no_news() -> Iterator[None]:
    """Ground that no date saw is NaN after a median or mean, as it should be: numpy need not say so.

    Around all threads at once, for filters of warnings belong to the process: threads that set them one by one
    put back what others still need.
    """
    with warnings.catch_warnings():
        for said in UNSAID:
            warnings.filterwarnings("ignore", said, RuntimeWarning)
        yield


def quietly(do: Callable[[Task, Setting], Any], task: Task, setting: Setting) -> Any:
    """The task as a worker process runs it."""
    with unseen_is_no_news():
        return do(task, setting)


class Ended(Callback):
    """Counts the blocks that have ended."""

    def __init__(self, all_: int, shown: Callable[[int, int], None]) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.done, self.all, self.shown = 0, all_, shown

    def _posttask(self, key: Any, result: Any, dsk: Any, state: Any, worker_id: Any) -> None:
        if str(key).startswith(BLOCK):
            self.done += 1
            self.shown(self.done, self.all)
