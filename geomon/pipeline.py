"""From a question to a published run: plan, run the blocks, add up, prove, read off, check, publish."""

import contextlib
import errno
import functools
import hashlib
import math
import os
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd
import xarray as xr

from geomon.blocks import agreed, reached
from geomon.cost import estimate
from geomon.errors import DefinitionError, InputError, StoreError, did_you_mean, listing
from geomon.grid import Bounds, Grid
from geomon.identity import digest, made_with, recipe_of
from geomon.indicator import Indicator, Shapes, address
from geomon.ledger import Row, as_dataset, books, median_dates, prove, sum_rows
from geomon.lengths import length_rows
from geomon.official import statistics
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
from geomon.scatter import noise, products
from geomon.series import INTERVALS, tidy
from geomon.sources.catalog import Catalog
from geomon.sources.records import Read, Scene
from geomon.store import Store, StoredRun, clear, kept_blocks, take_over
from geomon.strata import errors_of, with_accuracy, with_classes
from geomon.supply import Setting, Supply
from geomon.tabulate import Done, Task
from geomon.tasks import Ground, Progress, Ready, do_block, grounds, make_tasks, needs_country
from geomon.uncertainty import Errors
from geomon.zones import Zones

if TYPE_CHECKING:
    from geomon.blocks import Client

BLOCK = 1024  # cells along the side of a block
FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO, errno.EROFS}
GRAVITY = {"ok": 0, "retried": 1, "failed": 2}


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
    ground: Mapping[str, Ground]
    """The zones on the grids of the measure, under '', and on those of the sources that are only added up."""
    tasks: tuple[Task, ...]
    recipe: Mapping[str, Any]
    store: Store | None
    official: pd.DataFrame | None
    block: int
    errors: tuple[Errors, ...] = ()
    """What is known of the errors of its sources."""

    @property
    def id(self) -> str:
        """The run's id: the hash of its recipe."""
        return str(self.recipe["run"])

    @property
    def grids(self) -> tuple[Grid, ...]:
        """The grids of the measure that have some of the zones."""
        return tuple(self.ground[""].leaves)

    @property
    def question(self) -> str:
        """The hash of what was asked, whatever was found."""
        return str(self.recipe["question"])

    @property
    def cost(self) -> dict[str, Any]:
        """What a run costs on the cores of this machine; read from headers alone."""
        return self.cost_on()

    def cost_on(self, threads: int | None = None, workers: int | None = None) -> dict[str, Any]:
        """Blocks, reads, bytes, memory and time to expect on so many threads, or worker processes of one thread."""
        return estimate(self, threads, workers)

    def run(
        self,
        progress: Progress | None = None,
        *,
        client: "Client | None" = None,
        workers: int | None = None,
    ) -> "Run":
        """Do it, or answer from the store if the same recipe was published before, or meanwhile by an equal run.

        On `workers` threads of this process, one for each core if not said, or on the workers of a dask `client`.
        WorkerError says why they cannot be used, StoreError why blocks cannot be kept.
        """
        answered = self.answered()
        if answered:
            return answered
        if client is not None:
            agreed(client, made_with)
        if self.store is None:
            return self.compute(None, progress, client, workers)
        folder = self.store.open_for(self.indicator.code, self.id)
        if client is not None:
            reached(client, folder / "blocks")
        try:
            if before := self.recipe.get("before"):
                take_over(folder, self.store.folder(self.indicator.code, str(before)))
            return self.compute(folder, progress, client, workers)
        except OSError as error:
            answered = self.answered()  # an equal run has published, and its blocks are gone
            if answered is not None:
                clear(folder)
                return answered
            if error.errno in FULL:
                raise StoreError(
                    f"The store {self.store.root} takes no more: {os.strerror(error.errno)}. {self.kept} "
                    "Make room there, and the same command goes on from them."
                ) from error
            raise

    @property
    def kept(self) -> str:
        """How much of it is finished: 'N of M blocks are kept in ...'."""
        assert self.store is not None
        folder = self.store.folder(self.indicator.code, self.id) / "blocks"
        return f"{len(self.finished)} of {len(self.tasks)} blocks are kept in {folder}."

    @property
    def finished(self) -> set[str]:
        """Keys of its blocks that need not be computed: kept by a run that was stopped, or by the attempt before."""
        if self.store is None:
            return set()
        attempts = [str(a) for a in (self.recipe.get("before"), self.id) if a]
        folders = [self.store.folder(self.indicator.code, a) / "blocks" for a in attempts]
        return {t.key for t in self.tasks} & set().union(*map(kept_blocks, folders))

    def answered(self) -> "Run | None":
        """The run that the store holds, if it does."""
        stored = self.store.published(self.indicator.code, self.id) if self.store else None
        return Run(self, stored.series, None, [], stored, fresh=False, intervals=stored.intervals) if stored else None

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
        series, intervals = self.read_off(totals, sums, reads)
        run = Run(self, series, totals, sums, None, ledger=ledger, reads=reads, done=done, intervals=intervals)
        return replace(run, stored=publish(run, folder)) if folder else run

    def prove(self, sums: Sequence[Row]) -> pd.DataFrame:
        """The ledger; LedgerError if it does not close."""
        polygons: dict[str, float] = {}
        gaps: dict[tuple[str, str], float] = {}
        for name in sorted({r.quantity for r in sums}):
            ground = self.ground.get(name, self.ground[""])
            polygons = ground.areas | polygons
            gaps |= {(name, code): gap for code, gap in ground.gaps.items()}
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

    def read_off(
        self, totals: xr.Dataset, sums: Sequence[Row], reads: pd.DataFrame
    ) -> tuple[pd.DataFrame, pd.DataFrame]:
        """The series, with the reason in the place of every value that is withheld, and what its intervals are of."""
        failed: dict[str, int] = defaultdict(int)
        missing = reads[reads.status == "failed"] if len(reads) else reads
        for _, read in missing[missing.collection != ""].iterrows():  # the others are blocks
            for period in str(read.periods).split(" "):
                failed[period] += 1
        supply = Supply(self.setting)
        unfound = [p.label for p in self.periods if supply.absent(self.indicator.sources[self.indicator.grid], p)]
        series, intervals = read_off(
            self.indicator,
            totals,
            self.params,
            n_obs=median_dates(sums),
            failed=failed,
            lost=self.lost(missing[missing.collection == ""]["item"]),
            unfound=unfound,
            run=self.id,
            vintage=str(self.recipe.get("vintage", "")),
            synthetic=bool(self.recipe["synthetic"]),
            errors=self.errors,
            above=self.zones.above,
        )
        self.complete({r.quantity for r in sums}, supply)
        return series, pd.concat([intervals, tidy(self.beside(series), INTERVALS)], ignore_index=True)

    def beside(self, series: pd.DataFrame) -> list[dict[str, object]]:
        """What is known of the series from itself, and from runs of the store that took other products."""
        breaks = [(str(date), str(why)) for date, why in self.recipe["breaks"]]
        return [*noise(series, breaks), *products(series, other_products(self.recipe, self.store))]

    def lost(self, keys: Iterable[str]) -> Counter[str]:
        """How many of these blocks have ground of a zone, by its code; all zones rest on those of a survey."""
        zones = {t.key: [z.code for z in t.zones] for t in self.tasks}
        found: Counter[str] = Counter()
        for key in keys:
            codes = set(zones.get(key, self.zones.codes))
            while above := {self.zones.above[c] for c in codes if c in self.zones.above} - codes:
                codes |= above
            found.update(codes)
        return found


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
    intervals: pd.DataFrame = field(default_factory=pd.DataFrame)
    """What each interval of the series is made of; see geomon.series.INTERVALS."""

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
    accuracy: Mapping[str, Any] | None = None,
) -> Plan:
    """What a run will do: the dates found, its blocks, its cost. Reads no pixel.

    `official` is a table, a file of any form that `official.read` takes, or the name of a pinned vintage ('un-sdg'),
    which the recipe then names.
    `period` is a span such as '2015/2020', split by the indicator's frequency, or a list of periods. `use` puts
    other products in the place of sources: {'cover': 'cgls-lc100'}. `accuracy` gives reference samples of sources,
    as ErrorMatrix or files of counts: {'cover': 'sample.csv'}. InputError, CatalogError or ZoneError say what does
    not fit.
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
    ground = grounds(indicator, zones, setting)
    published = statistics(official)
    errors = errors_of(indicator, found, setting, periods, accuracy or {}, zones.codes)
    tasks = make_tasks(with_classes(indicator, errors), zones, periods, setting, ground, block)
    recipe: Mapping[str, Any] = recipe_of(indicator, zones, periods, params, named, found, published, block)
    recipe = next_attempt(with_accuracy(recipe, errors, accuracy or {}, periods), keep)
    return Plan(
        indicator=indicator,
        zones=zones,
        periods=tuple(periods),
        params=params,
        use=named,
        found=found,
        setting=setting,
        ground=ground,
        tasks=tuple(tasks),
        recipe=recipe,
        store=keep,
        official=published,
        block=block,
        errors=errors,
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
    """The recipe under its next id if what was published under the last one had files or blocks that failed.

    An outage is not an answer: the same question is then asked again, and what was published stays.
    """
    tried, n = recipe, 0
    while store and (stored := store.published(str(recipe["indicator"]), str(tried["run"]))):
        if not (stored.reads["status"] == "failed").any():
            break
        n += 1
        tried = {**recipe, "attempt": n, "before": tried["run"], "run": digest([recipe["run"], n])[:16]}
    return tried


def other_products(recipe: Mapping[str, Any], store: Store | None) -> dict[str, pd.DataFrame]:
    """Series of the same question from other products, the newest run of each, by their names."""
    own, asked = products_in(recipe), question_in(recipe)
    found: dict[str, pd.DataFrame] = {}
    for run in store.runs(str(recipe["indicator"])) if store else ():
        with contextlib.suppress(StoreError, OSError):  # what cannot be read any more is no evidence
            name = products_in(run.recipe)
            if name != own and name not in found and question_in(run.recipe) == asked:
                found[name] = run.series
    return found


def products_in(recipe: Mapping[str, Any]) -> str:
    """'esa-worldcover', or several."""
    return " and ".join(sorted(str(c["id"]) for c in recipe["collections"]))


def question_in(recipe: Mapping[str, Any]) -> tuple[Any, ...]:
    """What must be the same in two runs for their products to be compared."""
    return list(recipe["code"]), dict(recipe["params"]), recipe["zones"]["digest"], recipe["freq"]


def search_box(indicator: Indicator, zones: Zones) -> Bounds:
    """Where to look for items, in degrees: the zones, or their whole countries if something is made over those.

    Its west is east of its east across the antimeridian.
    """
    everything = Zones((*zones.zones, *(z for z in zones.ground if z.code not in zones.codes)), zones.crs)
    west, south, east, north = (everything if needs_country(indicator) else zones).near_lonlat
    by_y = margin_degrees(indicator)
    by_x = by_y / max(math.cos(math.radians(max(abs(south), abs(north)))), 0.01)
    south, north = max(south - by_y, -90.0), min(north + by_y, 90.0)
    if (east - west) % 360 + 2 * by_x >= 360 or (west, east) == (-180.0, 180.0):
        return -180.0, south, 180.0, north
    return turned(west - by_x), south, turned(east + by_x), north


def turned(longitude: float) -> float:
    """The same longitude between -180 and 180."""
    return longitude + 360 if longitude < -180 else longitude - 360 if longitude > 180 else longitude


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
                "periods": " ".join(sorted(wanted[collection, item] if collection else {p for _, p in scenes})),
            }
        )
    return pd.DataFrame(rows, columns=[*Read.__dataclass_fields__, "blocks", "failed", "periods"])


def joint(checksums: Iterable[str]) -> str:
    """The checksum that all parts share, or one of all of them."""
    known = sorted({c for c in checksums if c})
    return known[0] if len(known) == 1 else hashlib.sha256("".join(known).encode()).hexdigest() if known else ""
