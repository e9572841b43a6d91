"""From a question to a published run: plan, run the blocks, add up, prove, read off, check, publish."""

import functools
import hashlib
import math
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd
import xarray as xr

from geomon.errors import DefinitionError, InputError, did_you_mean, listing
from geomon.grid import Bounds, Grid, true_area
from geomon.identity import digest, recipe_of
from geomon.indicator import Indicator, Shapes, Source, address
from geomon.ledger import CLOSES, Row, as_dataset, books, median_dates, prove, sum_rows
from geomon.lengths import length_rows
from geomon.official import read_csv
from geomon.period import Period
from geomon.publishing import publish
from geomon.reading_off import read_off
from geomon.resolve import (
    Found,
    Pixels,
    chosen,
    find_all,
    margin_degrees,
    must_have,
    same_kinds,
    setting_of,
    swapped,
    with_units,
)
from geomon.runs import WithRuns
from geomon.sources.catalog import Catalog
from geomon.sources.records import Read, Scene
from geomon.store import Store, StoredRun, clear
from geomon.supply import Setting, Supply
from geomon.tabulate import Done, Task
from geomon.tasks import Progress, Ready, do_block, grain, make_tasks, needs_country
from geomon.zones import Zones

if TYPE_CHECKING:
    from geomon.blocks import Client

BLOCK = 1024  # cells along the side of a block
GRAVITY = {"ok": 0, "retried": 1, "failed": 2}
DECODING = 250e6  # bytes a second and core, measured with GDAL


@dataclass(frozen=True, kw_only=True)
class Plan:
    """All that a run will do, before a pixel is read."""

    indicator: Indicator
    zones: Zones
    periods: tuple[Period, ...]
    params: Mapping[str, str]
    use: Mapping[str, str]
    found: Found
    setting: Setting
    grid: Grid
    tasks: tuple[Task, ...]
    recipe: Mapping[str, Any]
    store: Store | None
    official: pd.DataFrame | None
    block: int

    @property
    def id(self) -> str:
        """The run's id: the hash of its recipe."""
        return str(self.recipe["run"])

    @property
    def question(self) -> str:
        """The hash of what was asked, whatever was found."""
        return str(self.recipe["question"])

    @property
    def cost(self) -> dict[str, Any]:
        """Blocks, files, decoded bytes, memory and time to expect; read from headers alone."""
        dates = {(a, s.label): len(s.granules) for (a, _), scenes in self.setting.scenes.items() for s in scenes}
        cells = sum(math.prod(t.window.shape) for t in self.tasks)
        bytes_ = 0.0
        for source, _ in dates:
            known = self.setting.known.get(source)
            if known and known.grid:
                ratio = (self.grid.metres[0] * self.grid.metres[1]) / (known.grid.metres[0] * known.grid.metres[1])
                bytes_ += cells * max(ratio, 1e-6) * 2
        largest = max((math.prod(t.window.shape) for t in self.tasks), default=0)
        per_period = max((len(s) for s in self.setting.scenes.values()), default=1)
        memory = largest * 8 * (per_period + 6 + 3 * len(self.indicator.sources))
        return {
            "blocks": len(self.tasks),
            "block_cells": largest,
            "zones": len(self.zones.leaves),
            "periods": len(self.periods),
            "files": sum(dates.values()),
            "decoded_bytes": int(bytes_),
            "memory_bytes_per_worker": int(memory),
            "seconds_on_one_core": round(bytes_ / DECODING + 0.02 * len(self.tasks) * len(self.periods), 1),
        }

    def run(
        self,
        progress: Progress | None = None,
        *,
        client: "Client | None" = None,
        workers: int | None = None,
    ) -> "Run":
        """Do it, or answer from the store if the same recipe was published before, or meanwhile by an equal run."""
        answered = self.answered()
        if answered or self.store is None:
            return answered or self.compute(None, progress, client, workers)
        folder = self.store.open_for(self.indicator.code, self.id)
        try:
            return self.compute(folder, progress, client, workers)
        except OSError:
            answered = self.answered()  # an equal run has published, and its blocks are gone
            if answered is None:
                raise
            clear(folder)
            return answered

    def answered(self) -> "Run | None":
        """The run that the store holds, if it does."""
        stored = self.store.published(self.indicator.code, self.id) if self.store else None
        return Run(self, stored.series, None, [], stored, fresh=False) if stored else None

    def compute(
        self, folder: Path | None, progress: Progress | None, client: "Client | None", workers: int | None
    ) -> "Run":
        """Run the blocks, add up, prove, read off, and publish if there is a folder to publish to."""
        blocks = folder / "blocks" if folder else None
        ready = Ready(self.zones, self.block, functools.partial(do_block, folder=blocks), blocks, client, workers)
        setting = self.setting
        for period in self.periods:
            for node in self.indicator.sources.values():
                setting = ready.make(node, period, setting)
        done = ready.run(self.tasks, setting, progress)
        sums, reads = add_up(self, done, ready.reads)
        ledger = self.prove(sums)
        totals = as_dataset(sums, self.zones.codes, [p.label for p in self.periods])
        series = self.read_off(totals, sums, reads)
        run = Run(self, series, totals, sums, None, ledger=ledger, reads=reads, done=done)
        return replace(run, stored=publish(run, folder)) if folder else run

    def prove(self, sums: Sequence[Row]) -> pd.DataFrame:
        """The ledger; LedgerError if it does not close."""
        on_grid = {g: self.zones.to_crs(g.crs) for g in {t.window.grid for t in self.tasks}}
        polygons: dict[str, float] = {}
        gaps: dict[tuple[str, str], float] = {}
        quantities = {r.quantity for r in sums}
        for name in sorted(quantities):
            grid = self.grid
            if name in self.indicator.sums and isinstance(self.indicator.sums[name], Source):
                grid = self.setting.known[address(self.indicator.sums[name])].grid or grid
            for zone in (on_grid.get(grid) or self.zones.to_crs(grid.crs)).zones:
                if zone.geometry is not None:
                    polygons.setdefault(zone.code, true_area(zone.geometry, grid.crs))
                    gaps[name, zone.code] = max(CLOSES, grain(zone, grid))
        ledger = books(sums, self.zones.zones, polygons, gaps)
        lines = {n for n, s in self.indicator.sums.items() if isinstance(s, Shapes)}
        prove(ledger[~ledger.quantity.isin(lines)] if len(ledger) else ledger)
        return ledger

    def complete(self, made: set[str], supply: Supply) -> None:
        """DefinitionError for a quantity that an output or the map names and the measure never made."""
        if any(all(supply.absent(s, p) for p in self.periods) for s in self.indicator.sources.values()):
            return  # made from an optional source that this run does not have
        wanted = {n: getattr(o.value, "uses", ()) for n, o in self.indicator.outputs.items()}
        if self.indicator.map:
            wanted["map"] = (self.indicator.map,)
        for place, names in wanted.items():
            for name in names:
                if made and name not in made:
                    raise DefinitionError(
                        f"{self.indicator.code}: {place} reads {name!r}, which was not measured; there are "
                        f"{listing(n for n in made if n)}.{did_you_mean(name, made)}"
                    )

    def read_off(self, totals: xr.Dataset, sums: Sequence[Row], reads: pd.DataFrame) -> pd.DataFrame:
        """The series, with the reason in the place of every value that is withheld."""
        failed: dict[str, int] = defaultdict(int)
        for _, read in reads[reads.status == "failed"].iterrows() if len(reads) else ():
            for period in str(read.periods).split(" "):
                failed[period] += 1
        supply = Supply(self.setting)
        unfound = [p.label for p in self.periods if supply.absent(self.indicator.sources[self.indicator.grid], p)]
        series = read_off(
            self.indicator,
            totals,
            self.params,
            n_obs=median_dates(sums),
            failed=failed,
            unfound=unfound,
            run=self.id,
            vintage=str(self.recipe.get("vintage", "")),
            synthetic=bool(self.recipe["synthetic"]),
        )
        self.complete({r.quantity for r in sums}, supply)
        return series


@dataclass(frozen=True)
class Run:
    """One execution: its series, totals and books; immutable once published."""

    plan: Plan
    series: pd.DataFrame
    totals: xr.Dataset | None
    sums: list[Row]
    stored: StoredRun | None
    fresh: bool = True
    """False if the store had the answer."""
    ledger: pd.DataFrame = field(default_factory=pd.DataFrame)
    reads: pd.DataFrame = field(default_factory=pd.DataFrame)
    done: list[Any] = field(default_factory=list, repr=False)

    @property
    def id(self) -> str:
        """The hash of its recipe."""
        return self.plan.id


def plan(
    indicator: Indicator | str,
    zones: Zones | str | Path,
    period: str | Sequence[str],
    *,
    catalog: Pixels | None = None,
    use: Mapping[str, Any] | None = None,
    params: Mapping[str, str] | None = None,
    store: Store | str | Path | None = None,
    block: int = BLOCK,
    official: pd.DataFrame | str | Path | None = None,
) -> Plan:
    """What a run will do: the dates found, its blocks, its cost. Reads no pixel.

    `period` is a span such as '2015/2020', split by the indicator's frequency, or a list of periods. `use` puts
    other products in the place of sources: {'cover': 'cgls-lc100'}. InputError, CatalogError or ZoneError say
    what does not fit.
    """
    if isinstance(indicator, str):
        from geomon.registry import indicator as find

        indicator = find(indicator)
    zones = zones if isinstance(zones, Zones) else Zones.read(zones)
    periods = periods_of(indicator, period)
    named = {n: u if isinstance(u, str) else address(u) for n, u in (use or {}).items()}
    asked, indicator = indicator, swapped(indicator, use or {})
    params = chosen(indicator, params or {})
    keep = Store(store) if isinstance(store, str | Path) else store
    pixels = WithRuns(catalog if catalog is not None else Catalog.open(), keep)
    same_kinds(asked, indicator, use or {}, pixels)
    box = search_box(indicator, zones)
    found = find_all(indicator, periods, pixels, box)
    must_have(indicator, periods, found)
    indicator = with_units(indicator, found)
    setting = setting_of(found, params)
    grid = Supply(setting).grid_of(indicator.sources[indicator.grid])
    statistics = read_csv(official) if isinstance(official, str | Path) else official
    tasks = make_tasks(indicator, zones, periods, setting, grid, block)
    recipe: Mapping[str, Any] = recipe_of(indicator, zones, periods, params, named, found, statistics, block)
    recipe = next_attempt(recipe, keep)
    return Plan(
        indicator=indicator,
        zones=zones,
        periods=tuple(periods),
        params=params,
        use=named,
        found=found,
        setting=setting,
        grid=grid,
        tasks=tuple(tasks),
        recipe=recipe,
        store=keep,
        official=statistics,
        block=block,
    )


def run(
    indicator: Indicator | str,
    zones: Zones | str | Path,
    period: str | Sequence[str],
    *,
    progress: Progress | None = None,
    **more: Any,
) -> Run:
    """Plan and run; see `plan` for the arguments."""
    return plan(indicator, zones, period, **more).run(progress)


def periods_of(indicator: Indicator, period: str | Sequence[str]) -> list[Period]:
    """The periods of a run: a span split by the indicator's frequency, or as they are listed."""
    if isinstance(period, str):
        return Period.of(period).split(indicator.freq)
    if not period:
        raise InputError(f"{indicator.code} was asked for no period. Give one such as '2020' or '2015/2020'.")
    twice = {p for p in period if list(period).count(p) > 1}
    if twice:
        raise InputError(f"{indicator.code} was asked for {listing(twice)} twice. Name each period once.")
    return sorted((Period.of(p) for p in period), key=lambda p: (p.start, p.end))


def next_attempt(recipe: Mapping[str, Any], store: Store | None) -> Mapping[str, Any]:
    """The recipe under its next id if what was published under the last one had files that could not be read.

    An outage is not an answer: the same question is then asked again, and what was published stays.
    """
    tried, n = recipe, 0
    while store and (stored := store.published(str(recipe["indicator"]), str(tried["run"]))):
        if not (stored.reads["status"] == "failed").any():
            break
        n += 1
        tried = {**recipe, "attempt": n, "run": digest([recipe["run"], n])[:16]}
    return tried


def search_box(indicator: Indicator, zones: Zones) -> Bounds:
    """Where to look for items, in degrees: the zones, or their whole countries if something is made over those."""
    west, south, east, north = zones.bounds_lonlat
    if needs_country(indicator):
        whole = Zones(zones.ground, zones.crs).bounds_lonlat
        west, south = min(west, whole[0]), min(south, whole[1])
        east, north = max(east, whole[2]), max(north, whole[3])
    by_y = margin_degrees(indicator)
    by_x = by_y / max(math.cos(math.radians(max(abs(south), abs(north)))), 0.01)
    return (
        max(west - by_x, -180.0),
        max(south - by_y, -90.0),
        min(east + by_x, 180.0),
        min(north + by_y, 90.0),
    )


def add_up(plan: Plan, done: Sequence[Done], before: Sequence[Read] = ()) -> tuple[list[Row], pd.DataFrame]:
    """Exact sums of all rows, and one row for each file that was read."""
    rows = [r for d in done for r in d.rows]
    for name, node in plan.indicator.sums.items():
        if isinstance(node, Shapes) and node.collection in plan.setting.features:
            rows += length_rows(name, node, plan.setting.features[node.collection], plan.zones, plan.periods)
    reads = [*before, *(r for d in done for r in d.reads)]
    return sum_rows(rows, plan.zones.above), gather_reads(plan.setting.scenes, reads)


def gather_reads(scenes: Mapping[tuple[str, str], Sequence[Scene]], reads: Sequence[Read]) -> pd.DataFrame:
    """Reads by file over all blocks: the worst that happened, how often, and for which periods it was wanted."""
    wanted: dict[tuple[str, str], set[str]] = defaultdict(set)
    for (_, period), dates in scenes.items():
        for granule in (g for scene in dates for g in scene.granules):
            wanted[granule.collection, granule.item].add(period)
    groups: dict[tuple[str, str, str, str], list[Read]] = defaultdict(list)
    for read in reads:
        groups[read.collection, read.item, read.asset, read.source].append(read)
    rows = []
    for (collection, item, _, _), own in sorted(groups.items()):
        worst = max(own, key=lambda r: GRAVITY[r.status])
        rows.append(
            asdict(worst)
            | {
                "tries": max(r.tries for r in own),
                "bytes": sum(r.bytes for r in own),
                "seconds": sum(r.seconds for r in own),
                "checksum": joint([r.checksum for r in own]),
                "blocks": len(own),
                "failed": sum(r.status == "failed" for r in own),
                "periods": " ".join(sorted(wanted[collection, item])),
            }
        )
    return pd.DataFrame(rows, columns=[*Read.__dataclass_fields__, "blocks", "failed", "periods"])


def joint(checksums: Iterable[str]) -> str:
    """The checksum that all parts share, or one of all of them."""
    known = sorted({c for c in checksums if c})
    return known[0] if len(known) == 1 else hashlib.sha256("".join(known).encode()).hexdigest() if known else ""
