"""One task is one block: read, measure, tabulate."""

import itertools
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from geomon.errors import DefinitionError, listing
from geomon.grid import Floats, Window
from geomon.indicator import Indicator, Survey
from geomon.ledger import Keys, Row
from geomon.period import Period
from geomon.pixels import Quantity, amount, area, rate
from geomon.sources.records import Read
from geomon.stats.coverage import Cover, cover
from geomon.supply import Setting, Supply, ask, on_pixels, sight
from geomon.zones import Zone

TAKEN = {"zone", "period", "quantity", "seen", "unseen"}
DENSE = 2**25  # cells of the table of partial sums of one zone


@dataclass(frozen=True)
class Task:
    """A measure on one block, for the zones of it and all periods."""

    key: str
    """Its name in the store: the same block of the same question has the same."""
    owner: Any
    """An Indicator, a Survey, or the measure of a source that is added up as it is."""
    window: Window
    zones: tuple[Zone, ...]
    """Geometries in the grid's CRS."""
    periods: tuple[Period, ...]
    map: str = ""
    country: str = ""


@dataclass(frozen=True)
class Done:
    """What a task returns."""

    key: str
    rows: tuple[Row, ...]
    reads: tuple[Read, ...]
    maps: Mapping[str, Floats]
    """Pixels of the map by label of the period; NaN where nothing was seen."""
    shown: str = ""
    """What they are: 'keys' (classes), or the kind of the quantity."""


class AsItIs:
    """The measure of a source that is only added up."""

    def __init__(self, name: str, kind: str, unit: str) -> None:
        self.name, self.kind, self.unit = name, kind, unit
        self.__name__, self.__module__ = f"sum of {name}", __name__

    def __call__(self, source: Any) -> dict[str, Quantity]:
        if self.kind == "class":
            raise DefinitionError(f"{self.name} holds classes, which cannot be added up: measure them.")
        return {self.name: (amount if self.kind == "amount" else rate)(source, self.unit)}


def run_task(task: Task, setting: Setting) -> Done:
    """The rows of one block, every read it made, and the pixels of its map."""
    supply = Supply(setting, task.country)
    covers = {z.code: cover(z.geometry, task.window) for z in task.zones if z.geometry is not None}
    covers = {code: c for code, c in covers.items() if len(c.cells)}
    rows: list[Row] = []
    maps: dict[str, Floats] = {}
    if covers:
        areas = task.window.areas
        for period in task.periods:
            rows += measured(task, period, supply, covers, areas, maps)
    shown = next((r.kind for r in rows if r.quantity == task.map), "")
    keyed = any(r.quantity == task.map and r.keys for r in rows)
    return Done(task.key, tuple(rows), tuple(supply.reads), maps, ("keys" if keyed else shown) if maps else "")


def measured(
    task: Task,
    period: Period,
    supply: Supply,
    covers: Mapping[str, Cover],
    areas: Floats,
    maps: dict[str, Floats],
) -> list[Row]:
    """The rows of one period; its map goes into `maps`."""
    given = supply.give_all(task.owner, task.owner.measure, task.window, period)
    made = ask(task.owner.measure, given, supply.setting.params)
    if not isinstance(made, dict):
        raise DefinitionError(
            f"{task.owner.measure.__name__} gave {type(made).__name__}: give a dict, as in {{'forest': ...}}."
        )
    clash = set(made) & set(getattr(task.owner, "sums", {}))
    if clash:
        raise DefinitionError(f"{listing(clash)} is measured and also in sums. Give one of them another name.")
    rows: list[Row] = []
    for name, quantity in made.items():
        ready = prepare(name, quantity, given, task.window.shape, made)
        for code, found in covers.items():
            rows += tabulate(name, ready, found, areas, code, period.label)
        if name == task.map and ready.seen.any():
            shown = next(iter(ready.keys.values()), ready.value)
            here = ready.seen > 0
            if task.country:  # the other countries of the block have tasks of their own
                own = np.zeros(here.size, bool)
                own[np.concatenate([c.cells for c in covers.values()])] = True
                here &= own.reshape(here.shape)
            maps[period.label] = np.where(here, shown, np.nan)
    if isinstance(task.owner, Indicator):
        dates = supply.dates(task.owner.sources[task.owner.grid], task.window, period)
        rows += [r for code, found in covers.items() for r in by_dates(dates, found, areas, code, period.label)]
    return rows


@dataclass(frozen=True)
class Ready:
    """A quantity as arrays: values, keys, and the share of each pixel on which all of them were seen."""

    kind: str
    unit: str
    value: Floats
    keys: Mapping[str, Floats]
    seen: Floats


def prepare(
    name: str, quantity: Any, given: Mapping[str, Any], shape: tuple[int, int], made: Mapping[str, Any]
) -> Ready:
    """A quantity as arrays; DefinitionError for what cannot be summed."""
    if not isinstance(quantity, Quantity):
        if getattr(quantity, "dtype", None) != np.dtype(bool):
            raise DefinitionError(
                f"{name} is a plain number, and nobody can tell how to add it up. Say area(), amount() or rate()."
            )
        quantity = area(quantity)
    clash = sorted(set(quantity.keys) & set(made))
    if clash:
        raise DefinitionError(f"{name}: the key {clash[0]!r} is also the name of a quantity. Rename one of them.")
    if taken := sorted({name, *quantity.keys} & TAKEN):
        raise DefinitionError(f"{name}: {taken[0]!r} is a name that totals have for something else. Take another.")
    value = on_pixels(name, quantity.value, shape)
    keys = {str(k): on_pixels(f"{k} of {name}", x, shape) for k, x in quantity.keys.items()}
    seen = sight([quantity.value, *quantity.keys.values()], given, shape)
    seen = np.where(np.logical_and.reduce([np.isfinite(v) for v in (value, *keys.values())]), seen, 0.0)
    known = value[seen > 0]
    if quantity.kind != "rate" and known.size:
        if known.min() < 0:
            raise DefinitionError(f"{name} has the negative {quantity.kind} {known.min():g}. Is it a rate()?")
        if quantity.kind == "area" and known.max() > 1 + 1e-9:
            raise DefinitionError(
                f"{name} marks {known.max():g} of a pixel; an area is a share, at most 1. Is it an amount()?"
            )
    return Ready(quantity.kind, quantity.unit, value, keys, seen)


def tabulate(name: str, ready: Ready, found: Cover, areas: Floats, zone: str, period: str) -> list[Row]:
    """Seen and unseen ground of a quantity in a zone, and its totals by key."""
    at = found.cells
    lines = at // areas.shape[1]
    ground, seen = found.share * areas.ravel()[at], ready.seen.ravel()[at]
    blank = Row("seen", name, ready.kind, ready.unit, zone, period, (), line_sums(ground * seen, lines)[0])
    rows = [blank, blank._replace(what="unseen", number=line_sums(ground * (1 - seen), lines)[0])]
    here = seen > 0
    weight = (found.share if ready.kind == "amount" else ground)[here] * seen[here]
    value = ready.value.ravel()[at][here] * weight
    labels, which = grouped({k: v.ravel()[at][here] for k, v in ready.keys.items()}, len(value))
    sums = line_sums(value, lines[here], which, len(labels))
    found_keys = zip(labels, sums, strict=True)
    return rows + [blank._replace(what="total", keys=keys, number=number) for keys, number in found_keys]


def by_dates(dates: Floats, found: Cover, areas: Floats, zone: str, period: str) -> list[Row]:
    """Ground of a zone by the number of dates that saw it."""
    counts = dates.ravel()[found.cells]
    labels, which = grouped({"n": counts}, len(counts))
    sums = line_sums(found.share * areas.ravel()[found.cells], found.cells // areas.shape[1], which, len(labels))
    return [Row("dates", "", "area", "m2", zone, period, k, v) for k, v in zip(labels, sums, strict=True)]


def grouped(keys: Mapping[str, Floats], n: int) -> tuple[list[Keys], np.ndarray[Any, np.dtype[np.int64]]]:
    """The different combinations of keys, and which of them each of n cells has."""
    which = np.zeros(n, dtype=np.int64)
    labels: list[Keys] = [()]
    for name, values in keys.items():
        distinct, place = np.unique(values, return_inverse=True)
        combined, which = np.unique(which * len(distinct) + place.ravel(), return_inverse=True)
        labels = [(*labels[c // len(distinct)], (name, float(distinct[c % len(distinct)]))) for c in combined.tolist()]
    return labels, which


def line_sums(
    values: Floats,
    lines: np.ndarray[Any, np.dtype[np.int64]],
    which: np.ndarray[Any, np.dtype[np.int64]] | None = None,
    groups: int = 1,
) -> list[float]:
    """Sums by group: within each row of pixels first, then exactly over the rows, so that rounding cannot build up."""
    if not len(values):
        return [0.0] * groups
    first = int(lines.min())
    height = int(lines.max()) - first + 1
    which = np.zeros(len(values), np.int64) if which is None else which
    place = which * height + lines - first
    if groups * height > DENSE:
        order = np.argsort(which, kind="stable")
        ends = np.searchsorted(which[order], np.arange(groups + 1))
        return [math.fsum(values[order[a:b]]) for a, b in itertools.pairwise(ends)]
    partial = np.bincount(place, weights=values, minlength=groups * height).reshape(groups, height)
    return [math.fsum(p) for p in partial]


def survey_of(name: str, source: Any, kind: str, unit: str) -> Survey:
    """A source that is only added up, as something with a measure."""
    return Survey(AsItIs(name, kind, unit), len, {"source": source})
