"""Which worlds an exam is made of, and how it is sat on all cores."""

import multiprocessing
import os
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from tests.planted import textbook
from tests.planted.score import Check, Scored, score
from tests.planted.truth import PLANTS
from tests.planted.worlds import make

EXAM = 500_000
"""Seeds of the exam begin here. Nobody tunes on them: rules and thresholds are tried on seeds below TUNING only."""
TUNING = 100_000


@dataclass(frozen=True, kw_only=True)
class Condition:
    """One row of the result: how its worlds are drawn."""

    name: str
    noise: str
    effect: float = 2.0
    metadata: bool = True
    honesty: float = 1.0
    varied: bool = False
    """Every second world without geometry, and every second pair of effects between `effect` and twice of it."""
    honest: bool = True
    """Honest worlds too; of another size of plants there are none."""


CONDITIONS = (
    Condition(name="quiet", noise="quiet"),
    Condition(name="noisy", noise="noisy"),
    Condition(name="mixed", noise="mixed", varied=True),
    Condition(name="no metadata", noise="mixed", varied=True, metadata=False),
    Condition(name="honesty 1.5", noise="mixed", varied=True, honesty=1.5),
    Condition(name="3 tolerances", noise="mixed", effect=3.0, honest=False),
)


@dataclass(frozen=True, kw_only=True)
class Task:
    """One world to be made and marked."""

    seed: int
    condition: Condition
    plant: str
    effect: float
    geometry: bool


@dataclass(frozen=True, kw_only=True)
class Marked:
    """One world's marks, for the check and for textbook tests alone."""

    condition: str
    check: Scored
    textbook: Scored


def tasks(worlds: int, *, first: int = EXAM) -> list[Task]:
    """Of every condition `worlds` worlds a plant, and honest ones: five times as many, and 500 at least."""
    made: list[Task] = []
    for condition in CONDITIONS:
        honest = max(500, 5 * worlds) if condition.honest else 0
        for plant, count in [*((plant, worlds) for plant in PLANTS), ("none", honest)]:
            for k in range(count):
                seed = first + len(made)
                larger = condition.varied and k % 4 >= 2
                effect = condition.effect * (1 + np.random.default_rng((seed, 3)).random() if larger else 1.0)
                geometry = not condition.varied or k % 2 == 0
                made.append(Task(seed=seed, condition=condition, plant=plant, effect=float(effect), geometry=geometry))
    return made


def sit(asked: list[Task], *, cores: int | None = None) -> Iterator[Marked]:
    """Make and mark all worlds by `geomon.departures.compare.compare`, in any order."""
    for threads in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "NUMBA_NUM_THREADS"):
        os.environ.setdefault(threads, "1")  # a world is small, and every core has worlds of its own
    with multiprocessing.get_context("spawn").Pool(cores or os.cpu_count() or 1) as pool:
        yield from pool.imap_unordered(_marked, asked, chunksize=16)


def mark(task: Task, check: Check) -> Marked:
    """Make one world and mark what the check and the textbook say of it."""
    condition = task.condition
    world = make(
        task.seed,
        task.plant,
        noise=condition.noise,
        effect=task.effect,
        metadata=condition.metadata,
        geometry=task.geometry,
        honesty=condition.honesty,
    )
    try:
        compared = check(world.panel)
    except Exception as fault:
        fault.add_note(f"The world was {task}.")
        raise
    plain = score(world, textbook.compare(world.panel))
    return Marked(condition=condition.name, check=score(world, compared), textbook=plain)


def _marked(task: Task) -> Marked:
    from geomon.departures.compare import compare

    return mark(task, compare)
