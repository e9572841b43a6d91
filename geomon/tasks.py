"""The tasks of a run: which blocks, what must be there before them, and how far cells may lie from polygons."""

import functools
import hashlib
import math
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import numpy as np
import shapely
import xarray as xr

from geomon.blocks import execute
from geomon.grid import Grid, Window, areal_scale, is_geographic
from geomon.indicator import Indicator, Layer, Shapes, Survey, address
from geomon.ledger import as_dataset, sum_rows
from geomon.period import Period
from geomon.reading_off import read_totals
from geomon.sources.records import Read
from geomon.store import keep_block, kept_blocks, read_block
from geomon.supply import Setting, Supply, cells, pinned
from geomon.tabulate import Done, Task, run_task, survey_of
from geomon.zones import Zone, Zones

if TYPE_CHECKING:
    from geomon.blocks import Client

Progress = Callable[[int, int], None]


def needs_country(node: Any) -> bool:
    """Whether something of it is made over the whole country before the blocks."""
    if isinstance(node, Survey) or (isinstance(node, Layer) and node.over == "country"):
        return True
    return any(needs_country(s) for s in getattr(node, "sources", {}).values())


def make_tasks(
    indicator: Indicator, zones: Zones, periods: Sequence[Period], setting: Setting, grid: Grid, block: int
) -> list[Task]:
    """One task a block of the measure's grid, and of the own grid of each source that is only added up."""
    leaves = zones.to_crs(grid.crs).leaves
    by_country = needs_country(indicator)
    tasks = tasks_on(indicator, "measure", grid, leaves, zones, periods, block, by_country, indicator.map)
    for name, node in indicator.sums.items():
        if isinstance(node, Shapes):
            continue
        known = setting.known[address(node)]
        if known.grid is None:
            continue
        owner = survey_of(name, node, known.band.kind, known.band.unit)
        key = f"sum-{quote(name, safe='')}"
        tasks += tasks_on(owner, key, known.grid, zones.to_crs(known.grid.crs).leaves, zones, periods, block, False)
    return tasks


def tasks_on(
    owner: Any,
    name: str,
    grid: Grid,
    leaves: Sequence[Zone],
    zones: Zones,
    periods: Sequence[Period],
    block: int,
    by_country: bool,
    map_: str = "",
) -> list[Task]:
    """Tasks of one owner; a block on a border belongs to each country on its own if something is made by country."""
    groups: dict[tuple[int, int, str], list[Zone]] = defaultdict(list)
    for zone in leaves:
        country = zones.roots[zone.code] if by_country else ""
        for at in touched(zone, grid, block):
            groups[(*at, country)].append(zone)
    tasks = []
    for (i, j, country), own in sorted(groups.items()):
        square = Window(grid, i, i + block, j, j + block)
        bounds = shapely.total_bounds([shapely.clip_by_rect(z.geometry, *square.bounds) for z in own])
        window = square.intersect(grid.cover(tuple(bounds.tolist()))) if not math.isnan(bounds[0]) else None
        if window is None:
            continue
        key = f"{name}-{i}-{j}-{block}" + (f"-{quote(country, safe='')}" if country else "")
        tasks.append(Task(key, owner, window, tuple(own), tuple(periods), map_, country))
    return tasks


def touched(zone: Zone, grid: Grid, block: int) -> Iterable[tuple[int, int]]:
    """First row and column of every block that a zone touches; far islands do not bring the sea between them."""
    if zone.geometry is None:
        return
    shapely.prepare(zone.geometry)
    blocks = {(w.i0, w.j0): w for p in shapely.get_parts(zone.geometry) for w in grid.cover(p.bounds).blocks(block)}
    for at, window in blocks.items():
        if zone.geometry.intersects(shapely.box(*window.bounds)):
            yield at


def do_block(task: Task, setting: Setting, folder: Path | None, *, final: bool = True) -> Any:
    """Run a block and keep it, so that it is never computed twice; its key, or all of it if there is no store.

    Not final is a block that rests on something made from a file that could not be read.
    """
    done = run_task(task, setting)
    if folder is None:
        return done
    keep_block(folder, done, final=final)
    return done.key


@dataclass(frozen=True)
class Ready:
    """Runs tasks, and what must be there before them."""

    zones: Zones
    block: int
    do: Callable[..., Any]
    folder: Path | None
    client: "Client | None"
    workers: int | None
    reads: list[Read] = field(default_factory=list)
    """What was read for surveys and country layers."""

    def run(self, tasks: Sequence[Task], setting: Setting, progress: Progress | None = None) -> list[Done]:
        """The blocks of these tasks, in order; only those that are not kept are computed."""
        kept = kept_blocks(self.folder) if self.folder else set()
        todo = [t for t in tasks if t.key not in kept]
        shown = (lambda done, _: progress(done + len(tasks) - len(todo), len(tasks))) if progress else None
        if shown and not todo:
            progress(len(tasks), len(tasks))  # type: ignore[misc]
        do = functools.partial(self.do, final=not any(r.status == "failed" for r in self.reads))
        made = execute(todo, setting, do, client=self.client, workers=self.workers, progress=shown)
        if self.folder is None:
            return list(made)
        return [read_block(self.folder, t.key) for t in tasks]

    def make(self, node: Any, period: Period, setting: Setting) -> Setting:
        """Surveys and country layers under a node, those below first, each once per period and country."""
        if not needs_country(node) or Supply(setting).absent(node, period):
            return setting
        period = pinned(node, period)
        for under in node.sources.values():
            setting = self.make(under, period, setting)
        for country in sorted({self.zones.roots[c] for c in self.zones.codes}):
            key = address(node), period.label, country
            if key in setting.ready:
                continue
            if isinstance(node, Survey):
                made = self.survey(node, period, country, setting)
            elif node.over == "country":
                made = self.country_layer(node, period, country, setting)
            else:
                continue
            setting = replace(setting, ready={**setting.ready, key: made})
        return setting

    def ground(self, country: str, grid: Grid) -> Zone:
        """The whole country as one zone on a grid."""
        whole = self.zones.whole[country]
        zones = Zones((Zone(country or "country", "", "", whole),), self.zones.crs)
        return zones.to_crs(grid.crs).zones[0]

    def survey(self, node: Survey, period: Period, country: str, setting: Setting) -> xr.DataArray:
        """The table of a survey over the whole country, not only over the zones that were asked for."""
        grid = Supply(setting, country).grid_of(node)
        zone = self.ground(country, grid)
        zones = Zones((zone,), grid.crs)
        name = f"survey-{hashlib.sha256((address(node) + period.label).encode()).hexdigest()[:12]}"
        tasks = tasks_on(node, name, grid, (zone,), zones, (period,), self.block, False)
        tasks = [replace(t, country=country, key=f"{t.key}-{quote(country, safe='')}") for t in tasks]
        done = self.run(tasks, setting)
        self.reads.extend(r for d in done for r in d.reads)
        sums = sum_rows((r for d in done for r in d.rows), {})
        got = read_totals(node.value, as_dataset(sums, [zone.code], [period.label]), setting.params)
        table: xr.DataArray = getattr(got, "value", got)
        return table.isel(zone=0, period=0, drop=True)

    def country_layer(self, node: Layer, period: Period, country: str, setting: Setting) -> Any:
        """A layer as one array over the whole country and its margin: a city does not end at the border."""
        supply = Supply(setting, country)
        grid = supply.grid_of(node)
        geometry = self.ground(country, grid).geometry
        assert geometry is not None
        window = grid.cover(geometry.bounds)
        window = window.pad(cells(node.margin, grid, window.bounds))
        made = supply.kernel(node, window, period)
        self.reads.extend(supply.reads)
        return window, made


def grain(zone: Zone, grid: Grid) -> float:
    """How far cells may lie from a polygon, as a share of it: a part of a cell counts with the cell's mean area."""
    assert zone.geometry is not None
    height, width = grid.dy, grid.dx
    count = zone.geometry.area / (height * width)
    border = zone.geometry.length / min(height, width) + 4
    west, south, east, north = zone.geometry.bounds
    if is_geographic(grid.crs):
        slope = math.radians(height) * math.tan(math.radians(min(max(abs(south), abs(north)), 89.0) + height))
    else:
        x, y = np.meshgrid([west, (west + east) / 2, east], [south, (south + north) / 2, north])
        here, right, up = (areal_scale(grid.crs, x + dx, y + dy) for dx, dy in ((0, 0), (width, 0), (0, height)))
        slope = float(np.max(np.abs(right / here - 1) + np.abs(up / here - 1))) + 1e-8
    return slope * border / 4 / max(count, 1e-9)
