"""What a run will cost, from headers alone: blocks, reads, bytes, memory and time.

The constants were measured on the sample country and are held by tests (tests/engine/test_cost.py); times are those
of a core that decodes DECODING bytes a second, without the network.
"""

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import shapely

from geomon.blocks import cores
from geomon.composite import is_packed
from geomon.grid import Window
from geomon.indicator import Layer, Shapes, Source, Survey, address
from geomon.period import Period
from geomon.sources.records import Granule, Scene
from geomon.stats.moving import reach
from geomon.supply import KEPT, ONE_DATE, Known, Setting, Supply, cells, lattice, pinned
from geomon.tabulate import Task
from geomon.tasks import Ready

if TYPE_CHECKING:
    from geomon.pipeline import Plan

SAMPLE = 2000
"""Blocks that are looked at one by one; where there are more, these stand for all."""
MIB = 2**20
DECODING = 250e6  # bytes a second and core, of deflated integers
CELLS = 2e6  # cells of a source and period that a core measures, tabulates and maps in a second
PER_BLOCK = 0.01  # seconds for what every block and period needs beside its cells
AT_THE_END = 0.8  # seconds to add up and publish
STARTED = 450 * MIB  # of a process that has imported geomon and computed one small block
AROUND = 40 * MIB  # of each block under way beside its arrays: open files, tables on their way to the store
NUMBER = 8  # bytes of a decoded number
BESIDE = 12  # arrays of a block's size beside those of its sources: areas, shares, quantities, masks
EACH = 3  # the same for each source: its values, where it was seen, what is made of it
ROW = 600  # bytes of one number that a block leaves, as the process that adds up holds it
ROWS = 8  # numbers for each zone and period of a block


@dataclass(frozen=True)
class Block:
    """What one block costs."""

    reads: int
    """Files that it opens, each as often as it is read."""
    bytes: int
    """Decoded."""
    memory: int
    """Bytes while its largest period is measured."""
    cells: int
    """Of its window and of every date of every source, over all periods."""


def estimate(plan: "Plan", threads: int | None = None, workers: int | None = None) -> dict[str, Any]:
    """The cost of a plan on threads of one process, or on so many worker processes of one thread each."""
    ahead, places = Ahead.of(plan), Places(plan)
    blocks = [total(tasks, places) for tasks in (plan.tasks, *ahead.surveys)]
    alone = [total([task], places) for task in ahead.layers]
    every = blocks + alone
    asked = workers or threads or cores()
    side = max(1, min(asked, max(t.blocks for t in blocks)))  # no more than there are blocks
    arrays = NUMBER * sum(math.prod(task.window.shape) for task in ahead.layers)  # in every process until the end
    block = max(t.memory for t in blocks) + AROUND
    layer = max((t.memory for t in alone), default=0)
    rows = sum(t.rows for t in blocks)
    worker = STARTED + arrays + max((1 if workers else side) * block, 0 if workers else layer)
    client = STARTED + arrays + layer if workers else 0
    scenes = {(a, s.label): len(s.granules) for (a, _), dates in plan.setting.scenes.items() for s in dates}
    return {
        "blocks": len(plan.tasks),
        "block_cells": max((math.prod(t.window.shape) for t in plan.tasks), default=0),
        "zones": len(plan.zones.leaves),
        "periods": len(plan.periods),
        "files": sum(scenes.values()),
        "reads": round(sum(t.reads for t in every)),
        "decoded_bytes": round(sum(t.bytes for t in every)),
        "largest_block_bytes": max(t.largest for t in blocks),
        "side_by_side": side,
        "processes": workers or 1,
        "memory_bytes_per_worker": round(worker),
        "memory_bytes": round(worker * (workers or 1) + rows + client),
        "seconds_on_one_core": round(AT_THE_END + sum(t.seconds for t in every), 1),
        "seconds": round(AT_THE_END / side + sum(t.seconds / max(1, min(asked, t.blocks)) for t in every), 1),
    }


@dataclass(frozen=True)
class Total:
    """What blocks cost that may run side by side."""

    blocks: int
    reads: float
    bytes: float
    largest: int
    """Bytes of the block that reads most."""
    memory: int
    """Bytes of the block that holds most."""
    rows: float
    """Bytes of the numbers that they leave."""
    seconds: float
    """Of one core."""


def total(tasks: Sequence[Task], places: "Places") -> Total:
    """The cost of all tasks, from a sample of them if they are many."""
    sample = sorted(tasks, key=lambda t: t.key)[:: max(1, math.ceil(len(tasks) / SAMPLE))]
    found = [block_cost(task, places) for task in sample]
    scale = len(tasks) / max(len(found), 1)
    reads, bytes_, cells_ = (scale * sum(getattr(b, n) for b in found) for n in ("reads", "bytes", "cells"))
    return Total(
        blocks=len(tasks),
        reads=reads,
        bytes=bytes_,
        largest=max((b.bytes for b in found), default=0),
        memory=max((b.memory for b in found), default=0),
        rows=scale * sum(len(t.zones) * len(t.periods) for t in sample) * ROWS * ROW,
        seconds=bytes_ / DECODING + cells_ / CELLS + PER_BLOCK * scale * sum(len(t.periods) for t in sample),
    )


@dataclass(frozen=True)
class Ahead(Ready):
    """What a run makes before its blocks, as tasks: the blocks of each survey, and one for each country layer."""

    surveys: list[list[Task]] = field(default_factory=list)
    layers: list[Task] = field(default_factory=list)

    @classmethod
    def of(cls, plan: "Plan") -> "Ahead":
        """All of it, in the order of a run."""
        ahead, setting = cls(plan.zones, plan.block, block_cost, None, None, None), plan.setting
        for period in plan.periods:
            for node in plan.indicator.sources.values():
                setting = ahead.make(node, period, setting)
        return ahead

    def survey(self, node: Survey, period: Period, country: str, setting: Setting) -> Any:
        """Note its blocks."""
        self.surveys.append(self.survey_tasks(node, period, country, setting))

    def country_layer(self, node: Layer, period: Period, country: str, setting: Setting) -> Any:
        """Note where it lies."""
        window = self.country_window(node, country, Supply(setting, country))
        self.layers.append(Task("", node, window, (), (period,), "", country))


class Places:
    """Where the files of each source lie on its grid."""

    def __init__(self, plan: "Plan") -> None:
        self.supply = Supply(plan.setting)
        self.trees: dict[tuple[str, str, str], tuple[list[tuple[str, Window, int]], shapely.STRtree]] = {}

    def touched(self, node: Source, period: Period, window: Window) -> Iterator[tuple[str, int]]:
        """Each file of a source that a window touches, by name, and how many bytes of it."""
        key = address(node), period.label, node.window or ""
        if key not in self.trees:
            placed = list(self.placed(node, period))
            self.trees[key] = placed, shapely.STRtree([on_lattice(w) for _, w, _ in placed])
        placed, tree = self.trees[key]
        for n in np.sort(tree.query(on_lattice(window))).tolist():
            name, where, size = placed[n]
            shared = where.intersect(window) if where.grid == window.grid else None
            if shared is not None:
                yield name, math.prod(shared.shape) * size

    def placed(self, node: Source, period: Period) -> Iterator[tuple[str, Window, int]]:
        """The files of a source: name, window on its grid, bytes of a number."""
        known = self.supply.setting.known[address(node)]
        for scene in dated(node, self.supply.setting.scenes[address(node), period.label]):
            for granule in scene.granules:
                where = None if granule.fault else on(known, granule)
                if where is not None:
                    yield f"{granule.item} {granule.asset} {granule.index}", where, size_of(granule, known)


def dated(node: Source, scenes: Sequence[Scene]) -> Sequence[Scene]:
    """The dates that a source takes."""
    return scenes if node.window not in ONE_DATE else scenes[-1:] if node.window == "last" else scenes[:1]


def on(known: Known, granule: Granule) -> Window | None:
    """Where a file lies on a grid of its source."""
    grid = lattice(granule, known.grids)
    return grid.window(granule.transform, granule.shape) if grid else None


def on_lattice(window: Window) -> Any:
    """A window as a box of rows and columns, a little smaller so that neighbours do not touch."""
    return shapely.box(window.j0 + 0.1, window.i0 + 0.1, window.j1 - 0.1, window.i1 - 0.1)


def size_of(granule: Granule, known: Known) -> int:
    """Bytes of a stored number: as it is known, else as products of its kind have it."""
    if granule.pixels is not None:
        return int(granule.pixels.dtype.itemsize)
    if granule.dtype:
        return np.dtype(granule.dtype).itemsize
    return 1 if known.band.kind == "class" else 2 if granule.scale != 1 else 4


def block_cost(task: Task, places: Places) -> Block:
    """What one block reads, and what it holds while it measures."""
    every: dict[str, int] = {}
    reads = again = cells_ = held = decoded = 0
    here = math.prod(task.window.shape)
    for period in task.periods:
        own = (BESIDE if task.zones else EACH) * NUMBER * here  # a country layer is not tabulated
        for function, node, at, window in wanted(task.owner, period, task.window, places.supply):
            files = dict(places.touched(node, at, window))
            every |= files
            reads, again = reads + len(files), again + sum(files.values())
            dates = len(dated(node, places.supply.setting.scenes[address(node), at.label]))
            there = dates * math.prod(window.shape)
            cells_ += there
            if is_packed(function):  # as the files hold it
                own += sum(files.values()) + EACH * NUMBER * here
            else:
                own += NUMBER * (there + (dates + EACH) * here)
                decoded += NUMBER * there
        held = max(held, own)
    whole = cells_ * NUMBER <= KEPT  # what one period has read the next one need not
    bytes_ = sum(every.values()) if whole else again
    return Block(len(every) if whole else reads, bytes_, held + min(decoded, KEPT), cells_)


Wanted = tuple[Callable[..., Any], Source, Period, Window]


def wanted(owner: Any, period: Period, window: Window, supply: Supply) -> Iterator[Wanted]:
    """Every source that a block reads for a period: for which function, and the window on the source's own grid."""
    for node in owner.sources.values():
        at = pinned(node, period)
        if isinstance(node, Shapes | Survey) or supply.absent(node, at):
            continue
        if isinstance(node, Source):
            for grid in supply.setting.known[address(node)].best(window):
                yield getattr(owner, "kernel", None) or owner.measure, node, at, reach(grid, window)
        elif isinstance(node, Layer) and node.over != "country":  # what is made by country is there before the blocks
            first, *more = supply.ground_of(node).best(window)
            for grid in (first, *(more if first != window.grid else ())):
                origin = reach(grid, window)
                yield from wanted(node, at, origin.pad(cells(node.margin, grid, origin.bounds)), supply)
