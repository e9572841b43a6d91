"""The contract that every definition keeps, as checks that say in a sentence what is wrong."""

import inspect
import pickle
import random
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import Any
from unittest import mock

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from geomon import supply
from geomon.grid import Floats
from geomon.indicator import Indicator, Source, address, optional
from geomon.pipeline import Run
from geomon.sources import reading
from geomon.sources.records import Scene
from geomon.stats.coverage import cover
from geomon.store import keep_block
from geomon.testing.compare import farthest, same_bits
from geomon.testing.invent import Trial, extremes, invent, legal, raster_sources
from geomon.testing.world import Raster

EXACT = 1e-12  # of the largest total of a quantity
MENU = 100  # letters that fit a menu
LEAST = 0.25  # of the holes that must be missed: another grid may take its classes from the cells between them
NOWHERE = Source("a-product-that-is-not-there")
ELSEWHERE = """
import pickle, sys
sys.path[:] = pickle.load(sys.stdin.buffer)
sys.stdout.buffer.write(pickle.dumps([plan.run(workers=1) for plan in pickle.load(sys.stdin.buffer)]))
"""


class Broken(AssertionError):
    """A definition does not keep the contract."""


def require(kept: bool, sentence: str) -> None:
    """Broken with the sentence unless it is kept."""
    if not kept:
        raise Broken(sentence)


def arguments(trial: Trial) -> None:
    """Positional arguments of the measure are its sources, keyword-only ones its params."""
    found = inspect.signature(trial.indicator.measure).parameters.values()
    positional = {p.name for p in found if p.kind is p.POSITIONAL_OR_KEYWORD}
    keyword = {p.name for p in found if p.kind is p.KEYWORD_ONLY}
    require(positional == set(trial.indicator.sources), f"Arguments {sorted(positional)} are not the sources.")
    require(keyword <= set(trial.indicator.params), f"Keywords {sorted(keyword)} are not the params.")


def menu(trial: Trial) -> None:
    """The first line of the method note, and the title, fit a menu."""
    first = trial.indicator.note.partition("\n")[0]
    require(bool(first.strip()), "The module has no docstring: say in a line what it is.")
    for text in (first, trial.indicator.title):
        require(len(text) <= MENU, f"{len(text)} letters do not fit a menu of {MENU}: {text!r}.")


def plan_reads_nothing(trial: Trial) -> None:
    """A plan is made without reading a pixel."""
    with unreadable():
        cost = trial.plan().cost
    require(cost["blocks"] > 0, "The plan has no blocks: no zone lies on the pixels of the grid.")


@contextmanager
def unreadable() -> Iterator[None]:
    """Every read raises."""
    refuse = mock.Mock(side_effect=Broken("A plan read pixels."))
    with mock.patch.object(supply, "read", refuse), mock.patch.object(reading, "fetch", refuse):
        yield


def blocking(trial: Trial, block: int = 7) -> None:
    """Blocks of another size give the same totals."""
    apart = farthest(trial.whole, trial.run(block=block))
    require(
        apart < EXACT,
        f"Blocks of {block} instead of {trial.block} pixels change a total by {apart:.1g} of the largest. A kernel "
        "that looks at neighbours needs a margin; one that numbers what it finds must number by place.",
    )


def order(trial: Trial, seed: int = 1) -> None:
    """Another order of the blocks gives the same bits."""
    plan = trial.plan()
    shuffled = random.Random(seed).sample(plan.tasks, len(plan.tasks))
    require(
        same_bits(trial.whole, replace(plan, tasks=tuple(shuffled)).run(workers=1)),
        "Another order of the blocks changes a number: a kernel keeps something from one call to the next.",
    )


def resuming(trial: Trial) -> None:
    """A run that goes on from half of its blocks gives the same bits."""
    with tempfile.TemporaryDirectory() as folder:
        plan = trial.plan(store=folder)
        assert plan.store is not None
        blocks = plan.store.open_for(plan.indicator.code, plan.id) / "blocks"
        whole = trial.whole
        for done in whole.done[::2]:
            keep_block(blocks, done)
        counted: list[int] = []
        run = plan.run(lambda done, every: counted.append(done), workers=1)
        kept = len(whole.done[::2])
        require(counted[0] == min(kept + 1, len(plan.tasks)), "Blocks that were finished were computed again.")
        require(same_bits(whole, run), "A run that was resumed gives other numbers.")


def holes(trial: Trial) -> None:
    """A pixel missing in a source enters no total that it could move, and lowers the coverage."""
    plan = trial.plan()
    done = set()
    for node in raster_sources(plan.indicator):
        dates = {
            scene.label
            for (where, _), scenes in plan.setting.scenes.items()
            if where == address(node)
            for scene in picked(node, scenes)
        }
        what = node.collection, trial.catalog.collection(node.collection).band(node.band).name, frozenset(dates)
        if dates and what not in done:
            done.add(what)
            plant(trial, *what)


def picked(node: Source, scenes: Sequence[Scene]) -> Sequence[Scene]:
    """The dates of those found that a source gives."""
    if not scenes or node.window not in (None, "first", "last", "closest"):
        return scenes
    return (scenes[-1 if node.window == "last" else 0],)


def plant(trial: Trial, collection: str, band: str, dates: frozenset[str]) -> None:
    """Make holes in some dates of a source, and see that all that depends on what stands there misses it."""
    raster = next(r for r in trial.catalog.rasters if (r.collection, r.band.name) == (collection, band))
    at, ground = scattered(trial, raster)

    def having(value: float) -> xr.Dataset:
        def change(date: str, pixels: Floats) -> Floats:
            return np.where(at, value, pixels) if date in dates else pixels

        run = trial.run(catalog=trial.catalog.changed(collection, change, band))
        assert run.totals is not None
        return run.totals.sel(zone=[zone.code for zone in trial.zones.leaves])

    filled_in = [having(value) for value in values_for(raster)]
    hole = having(np.nan)
    for quantity in hole["quantity"].values:
        for period in hole["period"].values:
            if not any_moves([t[quantity].sel(period=period) for t in filled_in]):
                continue
            where = {"quantity": quantity, "period": period}
            most = max(float(t["unseen"].sel(where).sum()) for t in filled_in)
            more = float(hole["unseen"].sel(where).sum()) - most
            require(
                more >= LEAST * ground,
                f"{quantity} of {period} depends on {collection} {band}, but holes of {ground:.0f} m2 in it leave "
                f"{more:.0f} m2 more unseen: what was not seen enters a total. Something loses where an array was "
                "seen; work on the arrays themselves, not on their .values.",
            )


def scattered(trial: Trial, raster: Raster) -> tuple[NDArray[np.bool_], float]:
    """A fifth of the cells of a raster that lie in zones, here and there, and how much ground of zones that is."""
    window = raster.window
    share = cover([z.geometry for z in trial.zones.to_crs(window.grid.crs).leaves], window).on_cells()
    rng = np.random.default_rng(3)
    at = (share > 0) & (rng.random(window.shape) < 0.2)
    if not at.any():
        at = share == share.max()
    require(bool(share.any()), f"No pixel of {raster.collection} lies in a zone of the trial: give it other zones.")
    return at, float((share * window.areas)[at].sum())


def values_for(raster: Raster) -> list[float]:
    """Values that a hole might be taken for: classes of every group, or the extremes."""
    if raster.band.kind != "class":
        known = np.concatenate([a[np.isfinite(a)] for a in raster.dates.values()])
        low, high = extremes(raster.band)
        return [min(low, float(known.min())), max(high, float(known.max()))]
    codes = legal(raster.band)
    groups = raster.band.legend.groups.values() if raster.band.legend else ()
    chosen = [next((c for c in group if c in codes), None) for group in groups]
    several = dict.fromkeys([float(c) for c in chosen if c is not None] + [float(c) for c in codes])
    return list(several)[:8]


def any_moves(totals: Sequence[xr.DataArray]) -> bool:
    """Whether a quantity differs among runs."""
    first, *others = totals
    pairs = (xr.align(first, other, join="outer", fill_value=0.0) for other in others)
    return any(not np.array_equal(a.values, b.values, equal_nan=True) for a, b in pairs)


def absence(trial: Trial) -> None:
    """An optional source that is not there lowers no coverage."""
    whole = trial.whole.totals
    assert whole is not None
    for name in trial.indicator.sources:
        if not optional(trial.indicator.measure, name):
            continue
        less = trial.run(use={**trial.use, name: NOWHERE}).totals
        assert less is not None
        for quantity in less["quantity"].values:
            if quantity in whole["quantity"].values:
                more = less["unseen"].sel(quantity=quantity) - whole["unseen"].sel(quantity=quantity)
                require(
                    not bool((more > 1e-6 * less["seen"].sel(quantity=quantity)).any()),
                    f"Without {name}, which is optional, less is seen of {quantity}.",
                )


def parents(trial: Trial) -> None:
    """A parent is the sum of its children."""
    totals = trial.whole.totals
    assert totals is not None
    above = trial.zones.above
    for parent in set(above.values()):
        children = [code for code, up in above.items() if up == parent]
        for name, variable in totals.data_vars.items():
            parts = variable.sel(zone=children).sum("zone", skipna=False)
            whole = variable.sel(zone=parent)
            scale = float(np.nanmax(np.abs(variable.values), initial=0.0)) or 1.0
            apart = np.nanmax(np.abs((whole - parts).values), initial=0.0)
            require(bool(apart <= EXACT * scale), f"{name} of {parent} is not the sum of its children.")


def units(trial: Trial) -> None:
    """Every output has values, in the unit that it declares."""
    run = trial.whole
    assert run.totals is not None
    for quantity in run.totals["quantity"].values:
        seen = float(run.totals["seen"].sel(quantity=quantity).sum())
        require(seen > 0, f"{quantity} was nowhere seen on synthetic input: give the contract a catalog that suits it.")
    for name, output in run.plan.indicator.outputs.items():
        rows = run.series[run.series.series == name]
        require(len(rows) > 0, f"The output {name} gave no row.")
        require(bool((rows.unit_measure == output.unit).all()), f"The output {name} is not in {output.unit!r}.")


def pickling(trial: Trial) -> None:
    """Another process, to which the definition was sent, gives the same bits."""
    require(same_bits(trial.whole, elsewhere([trial])[0]), "In another process it gives other numbers.")


def elsewhere(trials: Sequence[Trial]) -> list[Run]:
    """The runs of some trials, made in one other process."""
    try:
        sent = pickle.dumps(sys.path) + pickle.dumps([trial.plan() for trial in trials])
    except (pickle.PicklingError, AttributeError, TypeError) as error:
        raise Broken(
            f"The definition cannot be sent to a worker: {error}. Write kernels as functions of the module."
        ) from error
    answer = subprocess.run([sys.executable, "-c", ELSEWHERE], input=sent, capture_output=True)
    require(answer.returncode == 0, f"In another process it fails: {answer.stderr.decode()[-500:]}")
    return list(pickle.loads(answer.stdout))


CHECKS: Mapping[str, Callable[[Trial], None]] = {
    check.__name__: check
    for check in (
        arguments,
        menu,
        plan_reads_nothing,
        blocking,
        order,
        resuming,
        holes,
        absence,
        parents,
        units,
        pickling,
    )
}


def contract(indicator: Indicator | Trial, **given: Any) -> Trial:
    """Check all of it, on input invented for the definition (see `invent`) or on a trial; Broken says what fails."""
    trial = indicator if isinstance(indicator, Trial) else invent(indicator, **given)
    for check in CHECKS.values():
        check(trial)
    return trial
