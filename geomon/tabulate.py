"""One task is one block: read, measure, tabulate."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from geomon.errors import DefinitionError, listing
from geomon.grid import Floats, Window
from geomon.indicator import Indicator, Survey
from geomon.ledger import Keys, Row
from geomon.period import Period
from geomon.pixels import Quantity, amount, area, rate
from geomon.sources.records import Read
from geomon.stats.coverage import Coverage, Indices, cover
from geomon.stats.zonal import tally
from geomon.supply import Setting, Supply, ask, on_pixels, sight
from geomon.zones import Zone

TAKEN = {"zone", "period", "quantity", "seen", "unseen"}
SPAN = 2**16  # of whole numbers that are ranked by counting


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
    found = cover([z.geometry for z in task.zones], task.window)
    rows: list[Row] = []
    maps: dict[str, Floats] = {}
    if found.touched.any():
        areas = task.window.areas
        for period in task.periods:
            rows += measured(task, period, supply, found, areas, maps)
    shown = next((r.kind for r in rows if r.quantity == task.map), "")
    keyed = any(r.quantity == task.map and r.keys for r in rows)
    return Done(task.key, tuple(rows), tuple(supply.reads), maps, ("keys" if keyed else shown) if maps else "")


def measured(
    task: Task, period: Period, supply: Supply, found: Coverage, areas: Floats, maps: dict[str, Floats]
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
    codes = [z.code for z in task.zones]
    for name, quantity in made.items():
        ready = prepare(name, quantity, given, task.window.shape, made)
        rows += tabulate(name, ready, found, areas, codes, period.label)
        if name == task.map and ready.seen.any():
            shown = next(iter(ready.keys.values()), ready.value)
            here = ready.seen > 0
            if task.country:  # the other countries of the block have tasks of their own
                here &= found.on_cells() > 0
            maps[period.label] = np.where(here, shown, np.nan)
    if isinstance(task.owner, Indicator):
        dates = supply.dates(task.owner.sources[task.owner.grid], task.window, period)
        rows += by_dates(dates, found, areas, codes, period.label)
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


def tabulate(name: str, ready: Ready, found: Coverage, areas: Floats, codes: Sequence[str], period: str) -> list[Row]:
    """Seen and unseen ground of a quantity in each zone, and its totals by key."""
    labels, which = grouped(ready.keys, ready.seen > 0)
    by_area = ready.kind != "amount"
    made = tally(ready.value, ready.seen, areas, which, len(labels), found, by_area=by_area)
    rows: list[Row] = []
    for zone in np.flatnonzero(found.touched).tolist():
        blank = Row("seen", name, ready.kind, ready.unit, codes[zone], period, (), float(made.seen[zone]))
        rows += [blank, blank._replace(what="unseen", number=float(made.unseen[zone]))]
        own = slice(*np.searchsorted(made.zone, [zone, zone + 1]))
        totals = {labels[g]: v for g, v in zip(made.group[own].tolist(), made.total[own].tolist(), strict=True)}
        if not ready.keys and not totals:
            totals = {(): 0.0}
        rows += [blank._replace(what="total", keys=keys, number=number) for keys, number in totals.items()]
    return rows


def by_dates(dates: Floats, found: Coverage, areas: Floats, codes: Sequence[str], period: str) -> list[Row]:
    """Ground of each zone by the number of dates that saw it."""
    labels, which = grouped({"n": dates}, np.ones(dates.shape, bool))
    ones = np.ones(dates.shape)
    made = tally(ones, ones, areas, which, len(labels), found, by_area=True)
    return [
        Row("dates", "", "area", "m2", codes[zone], period, labels[group], total)
        for zone, group, total in zip(*(a.tolist() for a in (made.zone, made.group, made.total)), strict=True)
    ]


def grouped(keys: Mapping[str, Floats], where: NDArray[np.bool_]) -> tuple[list[Keys], Indices]:
    """The different combinations of keys, and which of them each of those cells has."""
    which = np.zeros(where.shape, np.int32)
    labels: list[Keys] = [()]
    at = np.zeros(np.count_nonzero(where), np.int64)
    for name, values in keys.items():
        distinct, place = ranked(values[where])
        combined, at = ranked(at * len(distinct) + place)
        parts = (divmod(int(c), len(distinct)) for c in combined)
        labels = [(*labels[a], (name, float(distinct[b]))) for a, b in parts]
    which[where] = at
    return labels, which


def ranked(values: NDArray[Any]) -> tuple[NDArray[Any], NDArray[np.int64]]:
    """The different values in rising order, and the place of each among them."""
    low, high = (values.min(), values.max()) if len(values) else (0, 0)
    if high - low < SPAN and (values == np.rint(values)).all():
        whole = (values - low).astype(np.int64)
        there = np.bincount(whole, minlength=1) > 0
        return low + np.flatnonzero(there), (np.cumsum(there) - 1)[whole]
    distinct, place = np.unique(values, return_inverse=True)
    return distinct, place.astype(np.int64)


def survey_of(name: str, source: Any, kind: str, unit: str) -> Survey:
    """A source that is only added up, as something with a measure."""
    return Survey(AsItIs(name, kind, unit), len, {"source": source})
