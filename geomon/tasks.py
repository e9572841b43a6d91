"""The tasks of a run: which blocks, what must be there before them, and how far cells may lie from polygons."""

import functools
import hashlib
import math
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import numpy as np
import shapely
import xarray as xr
from shapely.geometry.base import BaseGeometry

from geomon.blocks import TRIES, Lost, execute, hopeless
from geomon.errors import WorkerError, listing
from geomon.grid import Grid, Window, areal_scale, is_geographic, true_area
from geomon.identity import made_with
from geomon.indicator import Indicator, Layer, Shapes, Survey, address
from geomon.ledger import CLOSES, Row, as_dataset, sum_rows
from geomon.period import Period
from geomon.pixels import Quantity
from geomon.reading_off import read_totals
from geomon.sources.records import Read
from geomon.store import keep_block, kept_blocks, read_block
from geomon.supply import Setting, Supply, cells, pinned
from geomon.tabulate import AsItIs, Done, Task, run_task, survey_of
from geomon.zones import Zone, Zones, fine
from geomon.zones.parting import Footing, part

if TYPE_CHECKING:
    from geomon.blocks import Client

Progress = Callable[[int, int], None]


def needs_country(node: Any) -> bool:
    """Whether something of it is made over the whole country before the blocks."""
    if isinstance(node, Survey) or (isinstance(node, Layer) and node.over == "country"):
        return True
    return any(needs_country(s) for s in getattr(node, "sources", {}).values())


@dataclass(frozen=True)
class Ground:
    """Zones on the grids of a source, each piece of their ground on one of them."""

    leaves: Mapping[Grid, tuple[Zone, ...]]
    whole: Zones
    """All zones: on the grid if the source has one, as they were read if it has several, wherever the zones lie."""
    corners: Mapping[Grid, tuple[int, int]]
    """Row and column where the first granule begins, so that blocks are cut along the tiles of its file."""

    @classmethod
    def of(cls, zones: Zones, footing: Footing, to_crs: Callable[[str], Zones]) -> "Ground":
        """Zones on the grids that a source's granules lie on."""
        if len(footing) > 1:
            return cls(part(zones, footing), zones, corners(footing))
        (grid,) = footing
        whole = to_crs(grid.crs)
        return cls({grid: whole.leaves}, whole, corners(footing))

    @functools.cached_property
    def areas(self) -> dict[str, float]:
        """True square metres of every zone that has a shape, by its code."""
        return {z.code: true_area(z.geometry, self.whole.crs) for z in self.whole.zones if z.geometry is not None}

    @functools.cached_property
    def gaps(self) -> dict[str, float]:
        """How far the cells of a zone may lie from its polygon, as a share of it, by its code."""
        grid = next(iter(self.leaves))
        if len(self.leaves) == 1 and self.whole.crs == grid.crs:
            shapes = {z.code: z.geometry for z in self.whole.zones if z.geometry is not None}
            apart = zip(shapes, grains(list(shapes.values()), grid), strict=True)
            return {code: max(CLOSES, gap) for code, gap in apart}
        total = dict.fromkeys(self.areas, 0.0)
        for grid, pieces in self.leaves.items():
            for piece in pieces:
                assert piece.geometry is not None
                moved = 2 * fine(grid.crs) * piece.geometry.length / piece.geometry.area
                share = true_area(piece.geometry, grid.crs) / self.areas[piece.code]
                total[piece.code] += (grains([piece.geometry], grid)[0] + moved) * share
        return {code: max(CLOSES, gap) for code, gap in total.items()}


def corners(footing: Footing) -> dict[Grid, tuple[int, int]]:
    """Row and column where the first granule of each grid begins."""
    return {grid: min(((w.i0, w.j0) for w in windows), default=(0, 0)) for grid, windows in footing.items()}


def grounds(indicator: Indicator, zones: Zones, setting: Setting) -> dict[str, Ground]:
    """The zones on the grids of the measure, under '', and on those of each source that is only added up."""
    known = {"": Supply(setting).ground_of(indicator.sources[indicator.grid])}
    known |= {n: setting.known[address(s)] for n, s in indicator.sums.items() if not isinstance(s, Shapes)}
    to_crs = functools.cache(zones.to_crs)
    made: list[tuple[Footing, Ground]] = []
    out = {}
    for name, source in known.items():
        if not source.footing:
            continue
        same = next((g for footing, g in made if footing == source.footing), None)
        out[name] = same or Ground.of(zones, source.footing, to_crs)
        made.append((source.footing, out[name]))
    return out


def make_tasks(
    indicator: Indicator,
    zones: Zones,
    periods: Sequence[Period],
    setting: Setting,
    ground: Mapping[str, Ground],
    block: int,
) -> list[Task]:
    """One task a block of each grid of the measure, and of the own grids of each source that is only added up."""
    by_country = needs_country(indicator)
    roots = zones.roots if by_country else {}
    tasks = tasks_on(indicator, "measure", ground[""], periods, block, roots, indicator.map)
    for name, node in indicator.sums.items():
        if name not in ground:
            continue
        known = setting.known[address(node)]
        owner = survey_of(name, node, known.band.kind, known.band.unit)
        tasks += tasks_on(owner, f"sum-{quote(name, safe='')}", ground[name], periods, block)
    return tasks


def names_of(grids: Iterable[Grid]) -> dict[Grid, str]:
    """A short name for each of several grids, the number of its CRS; '' for one that is alone."""
    grids = list(grids)
    if len(grids) == 1:
        return {grids[0]: ""}
    out: dict[Grid, str] = {}
    for grid in grids:
        number = grid.crs.removeprefix("EPSG:")
        short = number if number.isdigit() else hashlib.sha256(grid.crs.encode()).hexdigest()[:8]
        same = sum(name.partition("-")[0] == short for name in out.values())
        out[grid] = f"{short}-{same + 1}" if same else short
    return out


def tasks_on(
    owner: Any,
    name: str,
    ground: Ground,
    periods: Sequence[Period],
    block: int,
    roots: Mapping[str, str] | None = None,
    map_: str = "",
) -> list[Task]:
    """Tasks of one owner on its grids; with `roots` a block on a border belongs to each country on its own."""
    groups: dict[tuple[Grid, int, int, str], list[Zone]] = defaultdict(list)
    for grid, own in ground.leaves.items():
        for zone in own:
            country = roots[zone.code] if roots else ""
            for at in touched(zone, grid, block, ground.corners[grid]):
                groups[(grid, *at, country)].append(zone)
    names = names_of(ground.leaves)
    order = {grid: n for n, grid in enumerate(ground.leaves)}
    tasks = []
    for (grid, i, j, country), zones in sorted(groups.items(), key=lambda g: (order[g[0][0]], g[0][1:])):
        square = Window(grid, i, i + block, j, j + block)
        bounds = shapely.total_bounds([shapely.clip_by_rect(z.geometry, *square.bounds) for z in zones])
        window = square.intersect(grid.cover(tuple(bounds.tolist()))) if not math.isnan(bounds[0]) else None
        if window is None:
            continue
        on = f"{name}-{names[grid]}" if names[grid] else name
        key = f"{on}-{i}-{j}-{block}" + (f"-{quote(country, safe='')}" if country else "")
        tasks.append(Task(key, owner, window, tuple(zones), tuple(periods), map_, country))
    return tasks


def touched(zone: Zone, grid: Grid, block: int, corner: tuple[int, int]) -> Iterable[tuple[int, int]]:
    """First row and column of every block that a zone touches; far islands do not bring the sea between them."""
    if zone.geometry is None:
        return
    shapely.prepare(zone.geometry)
    pieces = [grid.cover(p.bounds) for p in shapely.get_parts(zone.geometry)]
    blocks = {(w.i0, w.j0): w for piece in pieces for w in piece.blocks(block, corner)}
    for at, window in blocks.items():
        if zone.geometry.intersects(shapely.box(*window.bounds)):
            yield at


def do_block(task: Task, setting: Setting, folder: Path | None, *, final: bool = True) -> Done:
    """Run a block and keep it, so that it is never computed twice; without its map if there is a store for that.

    Not final is a block that rests on something made from a file that could not be read.
    """
    done = run_task(task, setting)
    if folder is None:
        return done
    keep_block(folder, done, final=final)
    return replace(done, maps={})


class Unseen:
    """The measure of a block that could not be computed: of all that the others measured, nothing was seen."""

    sources: Mapping[str, Any] = {}

    def __init__(self, quantities: Iterable[tuple[str, str, str]]) -> None:
        self.quantities = tuple(quantities)

    def measure(self) -> dict[str, Quantity]:
        """Each of these quantities (name, kind, unit), nowhere seen."""
        return {name: Quantity(math.nan, unit, kind) for name, kind, unit in self.quantities}


def missed(lost: Lost, task: Task, setting: Setting, others: Sequence[Done]) -> Done:
    """What stands for a block that is lost: its ground as unseen, and a row among the reads that names it."""
    as_it_is = getattr(task.owner, "measure", None)
    known = {(as_it_is.name, as_it_is.kind, as_it_is.unit)} if isinstance(as_it_is, AsItIs) else set()
    if not others and not known:
        raise WorkerError(hopeless(1, 0, lost.why))
    rows: list[Row] = []
    for period in task.periods:
        measured = known or {
            (r.quantity, r.kind, r.unit)
            for d in others
            for r in d.rows
            if r.what == "seen" and r.period == period.label
        }
        blank = replace(task, owner=Unseen(sorted(measured)), periods=(period,), map="")
        rows += [r for r in run_task(blank, setting).rows if r.what != "total"]
    if isinstance(task.owner, Indicator):
        ground = {(r.zone, r.period): r.number for r in rows if r.what == "unseen"}
        rows += [Row("dates", "", "area", "m2", *at, (("n", 0.0),), number) for at, number in ground.items()]
    zones = listing(z.code for z in task.zones)
    why = f"{lost.why} each of {TRIES} times; its part of {zones} counts as unseen"
    return Done(task.key, tuple(rows), (Read("", "", task.key, "", "", "failed", TRIES, why),), {})


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
        made = execute(todo, setting, do, client=self.client, workers=self.workers, progress=shown, made_with=made_with)
        done = {t.key: d for t, d in zip(todo, made, strict=True) if not isinstance(d, Lost)}
        done |= {t.key: read_block(self.folder, t.key) for t in tasks if self.folder and t.key in kept}
        for task, lost in zip(todo, made, strict=True):
            if isinstance(lost, Lost):
                others = [done[t.key] for t in tasks if t.owner is task.owner and t.key in done]
                done[task.key] = missed(lost, task, setting, others)
                if self.folder:
                    keep_block(self.folder, done[task.key])
        return [done[t.key] for t in tasks]

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

    def country(self, code: str) -> Zones:
        """A whole country as one zone."""
        return Zones((Zone(code or "country", "", "", self.zones.whole[code]),), self.zones.crs)

    def survey_tasks(self, node: Survey, period: Period, country: str, setting: Setting) -> list[Task]:
        """The blocks of a survey over the whole country, not only over the zones that were asked for."""
        whole = self.country(country)
        footing = Supply(setting, country).ground_of(node).footing
        ground = Ground(part(whole, footing), whole, corners(footing))
        name = f"survey-{hashlib.sha256((address(node) + period.label).encode()).hexdigest()[:12]}"
        tasks = tasks_on(node, name, ground, (period,), self.block)
        return [replace(t, country=country, key=f"{t.key}-{quote(country, safe='')}") for t in tasks]

    def survey(self, node: Survey, period: Period, country: str, setting: Setting) -> Any:
        """The table of a survey."""
        done = self.run(self.survey_tasks(node, period, country, setting), setting)
        self.reads.extend(r for d in done for r in d.reads)
        sums = sum_rows((r for d in done for r in d.rows), {})
        codes = self.country(country).codes
        got = read_totals(node.value, as_dataset(sums, codes, [period.label]), setting.params)
        table: xr.DataArray = getattr(got, "value", got)
        return table.isel(zone=0, period=0, drop=True)

    def country_window(self, node: Layer, country: str, supply: Supply) -> Window:
        """Where a country layer lies: the whole country and its margin, for a city does not end at the border.

        Of several grids it lies on the one that has most of the country, and the others are brought to that.
        """
        whole = self.country(country)
        leaves = part(whole, supply.ground_of(node).footing)
        grid = max(leaves, key=lambda g: sum(true_area(z.geometry, g.crs) for z in leaves[g] if z.geometry))
        geometry = (leaves[grid] if len(leaves) == 1 else whole.to_crs(grid.crs).zones)[0].geometry
        assert geometry is not None
        window = grid.cover(geometry.bounds)
        return window.pad(cells(node.margin, grid, window.bounds))

    def country_layer(self, node: Layer, period: Period, country: str, setting: Setting) -> Any:
        """A layer as one array over the whole country."""
        supply = Supply(setting, country)
        window = self.country_window(node, country, supply)
        made = supply.kernel(node, window, period)
        self.reads.extend(supply.reads)
        return window, made


def grains(shapes: Sequence[BaseGeometry], grid: Grid) -> list[float]:
    """How far cells may lie from polygons, as shares of them: a part of a cell counts with the cell's mean area."""
    height, width = grid.dy, grid.dx
    count = shapely.area(shapes) / (height * width)
    border = shapely.length(shapes) / min(height, width) + 4
    west, south, east, north = shapely.bounds(shapes).T
    if is_geographic(grid.crs):
        far = np.minimum(np.maximum(np.abs(south), np.abs(north)), max(89.0, 90 - 1.5 * height))
        slope = math.radians(height) * np.tan(np.radians(far + height))
    else:
        x = np.stack([west, (west + east) / 2, east])[None, :] + np.zeros((3, 1, 1))
        y = np.stack([south, (south + north) / 2, north])[:, None] + np.zeros((1, 3, 1))
        here, right, up = (areal_scale(grid.crs, x + dx, y + dy) for dx, dy in ((0, 0), (width, 0), (0, height)))
        slope = np.max(np.abs(right / here - 1) + np.abs(up / here - 1), axis=(0, 1)) + 1e-8
    return [float(g) for g in slope * border / 4 / np.maximum(count, 1e-9)]
