"""What each source of a definition gives for a window, inside one task; every read is noted."""

import functools
import math
from collections import OrderedDict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import pandas as pd
import pyproj
import shapely
import xarray as xr
from shapely.geometry.base import BaseGeometry

from geomon.composite import Images, is_packed
from geomon.errors import DefinitionError, InputError
from geomon.grid import NEAR, Bounds, Floats, Grid, Window, both_sides, is_geographic, transformer
from geomon.indicator import Given, Layer, Shapes, Source, Survey, address, arguments, optional
from geomon.period import Period
from geomon.pixels import SEEN
from geomon.sources.reading import read, read_packed
from geomon.sources.records import Band, Granule, Read, Scene
from geomon.stats.composite import Stack, dates_seen
from geomon.stats.coverage import cover
from geomon.stats.moving import move, reach, rows_columns
from geomon.zones.polygons import LEAP, rejoined

ONE_DATE = (None, "first", "last", "closest")  # windows without a time axis
MOST = 2**24  # cells of one source in memory at once
KEPT = 2**28  # bytes of decoded pixels that a task keeps for its next question


@dataclass(frozen=True)
class Known:
    """What the pixels of a source are, and where they lie."""

    collection: str
    band: Band
    footing: Mapping[Grid, tuple[Window, ...]]
    """The grids of its granules in all periods of the run, and where on each of them they lie; empty if none was found.

    Most sources have one; the tiles of Sentinel-2 have one in each UTM zone.
    """

    @property
    def grids(self) -> tuple[Grid, ...]:
        """Its grids."""
        return tuple(self.footing)

    def best(self, window: Window) -> tuple[Grid, ...]:
        """Those grids that have something of a window, its own first; in one order in all windows."""
        if len(self.footing) < 2:
            return self.grids
        there = [g for g, where in self.footing.items() if g == window.grid or covers(g, where, window)]
        return tuple(sorted(there, key=lambda g: g != window.grid)) or self.grids[:1]

    def turned(self, window: Window) -> list[Window]:
        """The same ground a turn around the earth away, as far as granules in degrees run on beyond 180 there."""
        grid = window.grid
        turn = 360 / grid.dx if is_geographic(grid.crs) else 0.5
        if abs(turn - round(turn)) > NEAR:
            return []
        low, high = self.columns[grid]
        other = [replace(window, j0=window.j0 + n, j1=window.j1 + n) for n in (round(turn), -round(turn))]
        return [w for w in other if w.j0 < high and low < w.j1]

    @functools.cached_property
    def columns(self) -> dict[Grid, tuple[int, int]]:
        """The first column of each grid that has something, and the one after the last."""
        return {grid: (min(w.j0 for w in ws), max(w.j1 for w in ws)) for grid, ws in self.footing.items()}

    @property
    def attrs(self) -> dict[str, Any]:
        """What an array of it tells the author's code."""
        groups = dict(self.band.legend.groups) if self.band.legend else {}
        return {
            "collection": self.collection,
            "kind": self.band.kind,
            "unit": self.band.unit,
            "groups": groups,
        }


@dataclass(frozen=True)
class Features:
    """Geometries with their fields."""

    geometries: tuple[BaseGeometry, ...]
    fields: tuple[Mapping[str, Any], ...]
    crs: str


@dataclass(frozen=True)
class Setting:
    """All that a task knows besides its block; it can be pickled."""

    scenes: Mapping[tuple[str, str], tuple[Scene, ...]]
    """By address of the source and label of the period: its dates, looked back as its window says."""
    known: Mapping[str, Known]
    features: Mapping[str, Features]
    span: Period
    params: Mapping[str, str]
    ready: Mapping[tuple[str, str, str], Any] = field(default_factory=dict)
    """Surveys and country layers by address, period and country."""


def look_back(window: str | None, period: Period, span: Period) -> Period:
    """The stretch of time that a source's window asks for."""
    if window in (None, "first", "last", "closest", "period"):
        return period
    if window == "span":
        return span
    number = int(window[:-1])
    step = pd.DateOffset(years=abs(number)) if window[-1] == "Y" else pd.DateOffset(days=abs(number))
    moment = pd.Timedelta(1, "ns")
    if number > 0:
        return Period.between(period.end + moment - step, period.end)
    return Period.between(period.start - step, period.start - moment)


def pinned(node: Any, period: Period) -> Period:
    """The period of a node: its own, or the run's."""
    own = getattr(node, "period", None)
    return Period.of(own) if own else period


def ask(function: Callable[..., Any], given: Mapping[str, Any], params: Mapping[str, str]) -> Any:
    """The function on what it is given, with those params that it names."""
    return function(**given, **{n: v for n, v in params.items() if n in arguments(function)})


def cells(margin: str, grid: Grid, at: Bounds) -> int:
    """A margin in cells of a grid; metres are counted where a cell of the bounds is narrowest."""
    number, _, unit = margin.partition(" ")
    if unit == "px":
        return int(float(number))
    height, width = grid.metres
    if is_geographic(grid.crs):
        height *= 0.9933  # of latitude, a degree is shorter at the equator
        width *= math.cos(math.radians(min(max(abs(at[1]), abs(at[3])), 89.0)))
    return math.ceil(float(number) / min(height, width))


def array(values: Floats, window: Window, attrs: Mapping[str, Any] | None = None) -> xr.DataArray:
    """With the place of each cell, by which kernels number what they find: not by its row in some array."""
    y, x = window.centres
    return xr.DataArray(
        values, dims=("time", "y", "x")[-values.ndim :], coords={"y": y, "x": x}, attrs=dict(attrs or {})
    )


def with_sight(x: xr.DataArray, seen: Floats, name: str) -> xr.DataArray:
    """The array carrying which share of each pixel was seen, on any of its dates."""
    whole = seen.max(axis=0) if seen.ndim == 3 else seen
    return x.assign_coords({f"{SEEN}{name}": (("y", "x"), whole)})


def sight(made: Sequence[Any], given: Mapping[str, Any], shape: tuple[int, int]) -> Floats:
    """The share of each pixel on which all was seen that some arrays were made from.

    If one no longer says from what, all that was given counts. Two marks of one argument share their holes;
    marks of different arguments may have them side by side, so their unseen shares add up.
    """
    found: dict[str, Floats] = {}
    for x in made:
        own = marks(x)
        if not own and isinstance(x, xr.DataArray | np.ndarray):
            own = {n: m for g in given.values() for p in parts(g) for n, m in marks(p).items()}
        found |= own
    if len(found) == 1:
        (mark,) = found.values()
        return np.asarray(np.clip(mark, 0.0, 1.0))
    lost: dict[str, Floats] = {}
    for name, mark in found.items():
        argument = name.partition(".")[0]
        lost[argument] = np.maximum(lost.get(argument, 0.0), 1 - mark)
    return np.clip(1 - functools.reduce(np.add, lost.values(), np.zeros(shape)), 0.0, 1.0)


def marks(x: Any) -> dict[str, Floats]:
    """Where an array was seen, by the argument it came from."""
    if isinstance(x, Images):
        return {f"{SEEN}{x.name}": x.sight if x.share is None else np.minimum(x.sight, x.share)}
    named = getattr(x, "coords", {})
    found = {str(n): c for n, c in named.items() if str(n).startswith(SEEN)}
    return {n: np.asarray((c if c.dims == ("y", "x") else c.transpose("y", "x")).values) for n, c in found.items()}


def on_pixels(name: str, x: Any, shape: tuple[int, int]) -> Floats:
    """What a kernel or measure gave, as an array of the window; DefinitionError if it has other axes."""
    if isinstance(x, xr.DataArray):
        if extra := [str(d) for d in x.dims if d not in ("y", "x")]:
            raise DefinitionError(
                f"{name} still has the axis {extra[0]!r}: say what of it counts, with .mean({extra[0]!r}) or .isel()."
            )
        x = x.transpose(*(d for d in ("y", "x") if d in x.dims)).values
    values = np.asarray(x, dtype=float)
    if values.shape not in ((), shape):
        raise DefinitionError(f"{name} gave {values.shape} numbers for {shape} pixels. Keep one for each pixel.")
    return np.broadcast_to(values, shape)


def parts(given: Any) -> Iterator[Any]:
    """An argument's arrays: itself, or the parts of a layer."""
    yield from given.values() if isinstance(given, dict) else [given]


class Supply:
    """Gives what a measure or kernel asks for, one block at a time."""

    def __init__(self, setting: Setting, country: str = "") -> None:
        self.setting, self.country = setting, country
        self.reads: list[Read] = []
        self.kept: OrderedDict[tuple[str, str, tuple[Any, ...]], tuple[Window, Floats]] = OrderedDict()
        self.bytes = 0
        self.counted: dict[str, tuple[str, Window, Floats]] = {}
        """Of a packed source: the period and window that it was last given for, and how many dates saw each pixel."""

    def absent(self, node: Any, period: Period) -> bool:
        """Decided once per run and period, never per block: or one block would see a flood and the next only water."""
        period = pinned(node, period)
        if isinstance(node, Given):
            return True
        if isinstance(node, Source):
            return not self.setting.scenes.get((address(node), period.label))
        if isinstance(node, Shapes):
            return node.collection not in self.setting.features
        if isinstance(node, Layer):
            needed = [s for n, s in node.sources.items() if not optional(node.kernel, n)]
            return any(self.absent(s, period) for s in needed)
        return False

    def give_all(self, owner: Any, function: Callable[..., Any], window: Window, period: Period) -> dict[str, Any]:
        """The arguments of a function; a required source that is not there is wholly unseen."""
        packed = {n for n, s in owner.sources.items() if is_packed(function) and isinstance(s, Source)}
        lead = getattr(owner, "grid", "") or next(iter(owner.sources), "")
        given = {
            n: self.images(s, n, window, period, n == lead) if n in packed else self.give(s, n, window, period)
            for n, s in owner.sources.items()
        }
        for name, x in given.items():
            if x is None and not optional(function, name):
                empty = self.nothing(owner.sources[name], name, window)
                given[name] = Images.of(name, window, empty.values, attrs=empty.attrs) if name in packed else empty
        return given

    def nothing(self, node: Any, name: str, window: Window) -> xr.DataArray:
        """An array that was nowhere seen; InputError for a place that the run had to fill."""
        if isinstance(node, Given):
            raise InputError(f"{name} was not handed in: {node.what}. Add use={{{name!r}: Source(...)}} to the run.")
        known = self.setting.known.get(address(node))
        in_time = isinstance(node, Source) and node.window not in ONE_DATE
        shape = (1, *window.shape) if in_time else window.shape
        empty = array(np.full(shape, np.nan), window, known.attrs if known else {})
        return with_sight(empty, np.zeros(window.shape), name)

    def give(self, node: Any, name: str, window: Window, period: Period) -> Any:
        """An array, a dict of them, a table, or None for what is not there."""
        if self.absent(node, period):
            return None
        period = pinned(node, period)
        if isinstance(node, Survey):
            return self.setting.ready[address(node), period.label, self.country]
        if isinstance(node, Layer):
            made = self.layer(node, window, period)
            named = {part: with_sight(array(v, window), s, f"{name}.{part}") for part, (v, s) in made.items()}
            return named[""] if set(named) == {""} else named
        if isinstance(node, Shapes):
            values = self.burn(node, window)
            return with_sight(array(values, window), np.isfinite(values).astype(float), name)
        values, seen = self.source(node, window, period)
        return with_sight(array(values, window, self.setting.known[address(node)].attrs), seen, name)

    def images(self, node: Source, name: str, window: Window, period: Period, lead: bool = False) -> Images | None:
        """The dates of a source as they are stored, or None for what is not there.

        Decoded after all where its cells cannot be named by row and column: in another CRS, in several, or shared out.
        Of the `lead`, the grid of its owner, the dates that saw each pixel are counted while it is at hand.
        """
        if self.absent(node, period):
            return None
        period = pinned(node, period)
        known, scenes = self.known(node, period)
        grid, *others = known.best(window)
        dates = tuple(s.when.start.strftime("%Y-%m-%d") for s in scenes)
        named = grid == window.grid or repeats(known.band.kind, grid, window.grid)
        origin = grid.cover(window.bounds) if named else reach(grid, window)
        if others or not named or known.turned(origin):
            values, seen = self.source(node, window, period)
            return Images.of(name, window, values, dates=dates, attrs=known.attrs, seen=seen)
        found, reads = read_packed([on_grid(s, grid, known) for s in scenes], known.band, origin)
        self.reads += reads
        stack = Stack(found.stored, found.scale, found.offset, found.missing)
        made = Images(name=name, window=window, stack=stack, dates=dates, attrs=known.attrs)
        if grid == window.grid:
            if lead:
                self.counted[address(node)] = period.label, window, dates_seen(stack)
            return made
        y, x = window.centres
        rows, columns = rows_columns(origin, x, y)
        return replace(made, rows=rows, columns=columns)

    def known(self, node: Source, period: Period) -> tuple[Known, tuple[Scene, ...]]:
        """What a source is, and the dates of it that count."""
        known, scenes = self.setting.known[address(node)], self.setting.scenes[address(node), period.label]
        assert known.footing
        if node.window is None and len(scenes) > 1:
            dates = ", ".join(s.label for s in scenes[:4])
            raise DefinitionError(
                f"{node.collection} has {len(scenes)} dates in {period.label} ({dates} ...). "
                "Say which with window='first' or 'last', or take them all with 'period'."
            )
        if node.window in ONE_DATE:
            scenes = (scenes[-1 if node.window == "last" else 0],)
        return known, scenes

    def source(self, node: Source, window: Window, period: Period) -> tuple[Floats, Floats]:
        """Values and seen shares of a source on the window; with a time axis if its window has one.

        Of several grids the first that has seen a pixel on a date gives it, as among granules of one grid.
        """
        known, scenes = self.known(node, period)
        grids = known.best(window)
        first, *more = [(k, g) for k in as_unseen(known, len(grids)) for g in grids]
        made = self.on_grid(node, *first, scenes, window)
        for k, grid in more:
            if made[1].min(initial=1.0) == 1:
                break
            made = filled(made, self.on_grid(node, k, grid, scenes, window), known.band.kind)
        return made

    def on_grid(
        self, node: Source, known: Known, grid: Grid, scenes: Sequence[Scene], window: Window
    ) -> tuple[Floats, Floats]:
        """What a source has on one of its grids, brought to the window."""
        origin = reach(grid, window)
        if math.prod(origin.shape) > MOST and max(window.shape) > 1 and grid != window.grid:
            return joined([self.on_grid(node, known, grid, scenes, half) for half in halves(window)], window)
        stack = np.stack([self.decoded(on_grid(scene, grid, known), known, origin) for scene in scenes])
        if node.window in ONE_DATE:
            stack = stack[0]
        if origin == window:
            return stack, seen_of(stack) if len(known.footing) < 2 else np.isfinite(stack).astype(float)
        return move(stack, origin, window, known.band.kind)

    def decoded(self, scene: Scene, known: Known, window: Window) -> Floats:
        """One date of a band on its own grid, from what was read before if that holds it."""
        of = tuple((g.item, g.asset, g.href) for g in scene.granules)
        key = known.collection, known.band.name, (known.band.nodata_means, window.grid, *of)
        if key in self.kept:
            held, values = self.kept[key]
            if held.intersect(window) == window:
                return values[window.inside(held)]
        values, reads = read(scene, known.band, window)
        self.reads += reads
        for other in known.turned(window):
            more, reads = read(scene, known.band, other)
            values = np.where(np.isnan(values), more, values)
            self.reads += reads
        if key in self.kept:
            self.bytes -= self.kept.pop(key)[1].nbytes
        self.kept[key] = window, values
        self.bytes += values.nbytes
        while self.bytes > KEPT and len(self.kept) > 1:
            self.bytes -= self.kept.popitem(last=False)[1][1].nbytes
        return values

    def layer(self, node: Layer, window: Window, period: Period) -> dict[str, tuple[Floats, Floats]]:
        """Values and seen shares of each part of a layer on the window; '' names the only part.

        Under a grid that is not its own, a pixel takes the first of its grids that has granules there.
        """
        if node.over == "country":
            origin, whole = self.setting.ready[address(node), period.label, self.country]
            return brought(whole, origin, window, node.kind)
        known = self.ground_of(node)
        first, *more = known.best(window)
        made = self.layer_on(node, known, first, window, period)
        for grid in more if first != window.grid else ():
            if all(seen.min(initial=1.0) == 1 for _, seen in made.values()):
                break
            other = self.layer_on(node, known, grid, window, period)
            made = {part: filled(own, other[part], node.kind) for part, own in made.items()}
        return made

    def layer_on(
        self, node: Layer, known: Known, grid: Grid, window: Window, period: Period
    ) -> dict[str, tuple[Floats, Floats]]:
        """What a layer has on one of its grids, brought to the window.

        Of several, only where that one has granules: its sources are filled from the others beyond them.
        """
        origin = reach(grid, window)
        if math.prod(origin.shape) > MOST and max(window.shape) > 1 and grid != window.grid:
            several = [self.layer_on(node, known, grid, half, period) for half in halves(window)]
            return {part: joined([s[part] for s in several], window) for part in several[0]}
        origin = origin.pad(cells(node.margin, grid, origin.bounds))
        made = self.kernel(node, origin, period)
        if len(known.footing) > 1 and grid != window.grid:
            there = np.zeros(origin.shape, bool)
            for turn in (origin, *known.turned(origin)):
                for shared in filter(None, (w.intersect(turn) for w in known.footing[grid])):
                    there[shared.inside(turn)] = True
            made = {part: (v, np.where(there, s, 0.0)) for part, (v, s) in made.items()}
        return brought(made, origin, window, node.kind)

    def kernel(self, node: Layer, window: Window, period: Period) -> dict[str, tuple[Floats, Floats]]:
        """What a layer's kernel makes on its own grid."""
        given = self.give_all(node, node.kernel, window, period)
        made = ask(node.kernel, given, self.setting.params)
        out = {}
        for part, x in (made if isinstance(made, dict) else {"": made}).items():
            seen = sight([x], given, window.shape)
            values = np.where(seen > 0, on_pixels(node.kernel.__name__, x, window.shape), np.nan)
            out[part] = values, np.where(np.isfinite(values), seen, 0.0)
        return out

    def ground_of(self, node: Any) -> Known:
        """The source whose pixels a source or layer lies on; InputError if there is none."""
        if isinstance(node, Source):
            known = self.setting.known[address(node)]
            if not known.footing:
                raise InputError(f"Nothing of {node.collection} was found for this run, so it cannot be the grid.")
            return known
        if isinstance(node, Given | Shapes):
            raise InputError("Shapes, and what was not handed in, have no pixels that could be the grid.")
        return self.ground_of(node.sources[node.grid or next(iter(node.sources))])

    def burn(self, node: Shapes, window: Window) -> Floats:
        """Features as shares of pixels, or as codes at their centres."""
        features = self.setting.features[node.collection]
        kept = chosen(features, node, window)
        if node.as_ == "code":
            values = np.zeros(window.shape)
            for geometry, fields in kept:
                values[centres_in(geometry, window)] = float(fields[node.field])
        else:
            near = [to_grid(g, features.crs, window.grid.crs, node.within) for g, _ in kept]
            values = cover([shapely.union_all(near)] if near else [], window).on_cells()
        if node.extent:
            looked = self.setting.features[node.extent]
            ground = shapely.union_all([to_grid(g, looked.crs, window.grid.crs) for g in looked.geometries])
            values[~centres_in(ground, window)] = np.nan
        return values

    def dates(self, node: Any, window: Window, period: Period) -> Floats:
        """How many distinct dates of the grid's own source saw each pixel."""
        period = pinned(node, period)
        if isinstance(node, Layer | Survey):
            return self.dates(node.sources[node.grid or next(iter(node.sources))], window, period)
        if self.absent(node, period) or not isinstance(node, Source):
            return np.zeros(window.shape)
        label, held, counts = self.counted.get(address(node), ("", window, np.zeros(0)))
        if label == period.label and held.intersect(window) == window:
            return counts[window.inside(held)]
        known, scenes = self.known(node, period)
        if known.best(window) == (window.grid,):
            own = (on_grid(scene, window.grid, known) for scene in scenes)
            seen = (np.isfinite(self.decoded(scene, known, window)) for scene in own)
            return np.asarray(functools.reduce(np.add, seen, np.zeros(window.shape)), float)
        values, _ = self.source(node, window, period)
        return np.asarray(np.isfinite(values.reshape(-1, *window.shape)).sum(axis=0), float)


def seen_of(values: Floats) -> Floats:
    """Where any date of some values (maybe only one) was seen."""
    dates = values.reshape(-1, *values.shape[-2:])
    return np.asarray(functools.reduce(np.logical_or, (np.isfinite(v) for v in dates)), float)


def covers(grid: Grid, where: Sequence[Window], window: Window) -> bool:
    """Whether granules on a grid have something of a window, by their outlines."""
    try:
        there = reach(grid, window)
    except ValueError:  # no point of the window has a place in its CRS
        return False
    return any(w.intersect(there) for w in where)


def on_grid(scene: Scene, grid: Grid, known: Known) -> Scene:
    """The date with its granules on one of the grids, and those that nobody can place."""
    if len(known.footing) < 2:
        return scene
    return replace(scene, granules=tuple(g for g in scene.granules if g.fault or lattice(g, known.grids) == grid))


def lattice(granule: Granule, grids: Sequence[Grid]) -> Grid | None:
    """The first of some grids that a granule lies on."""
    return lattice_at(granule.crs, granule.transform, granule.shape, tuple(grids))


@functools.lru_cache(maxsize=2**14)
def lattice_at(crs: str, transform: tuple[float, ...], shape: tuple[int, int], grids: tuple[Grid, ...]) -> Grid | None:
    """The first of some grids that a raster lies on."""
    return next((g for g in grids if g.crs == crs and g.window(transform, shape)), None)


def as_unseen(known: Known, grids: int) -> list[Known]:
    """What stands for zero is unseen first, where another of several grids may hold something there."""
    if grids < 2 or known.band.nodata_means != "zero":
        return [known]
    return [replace(known, band=replace(known.band, nodata_means="unseen")), known]


def filled(first: tuple[Floats, Floats], then: tuple[Floats, Floats], kind: str) -> tuple[Floats, Floats]:
    """Values and seen shares, where the second has seen more of a pixel: its class, or what its further share adds."""
    (a, seen), (b, more) = first, then
    better = more > seen
    if kind == "class":
        return np.where(better, b, a), np.where(better, more, seen)
    share = np.where(better, seen / np.where(better, more, 1.0), 1.0)
    mixed = np.where(share > 0, a, 0.0) * share + np.where(better, b, 0.0) * (1 - share)
    return np.where(better, mixed, a), np.where(better, more, seen)


def repeats(kind: str, origin: Grid, to: Grid) -> bool:
    """Whether each cell of a grid takes its value from one cell of another: classes, and rates of cells that nest."""
    if origin.crs != to.crs or kind == "amount":
        return False
    steps = origin.dx / to.dx, origin.dy / to.dy
    apart = (origin.x0 - to.x0) / to.dx, (origin.y0 - to.y0) / to.dy
    return kind == "class" or (min(steps) > 0.5 and all(abs(v - round(v)) < 1e-6 for v in (*steps, *apart)))


def brought(
    made: Mapping[str, tuple[Floats, Floats]], origin: Window, window: Window, kind: str
) -> dict[str, tuple[Floats, Floats]]:
    """The parts of a layer on another window."""
    if origin.intersect(window) == window:
        return {part: (v[window.inside(origin)], s[window.inside(origin)]) for part, (v, s) in made.items()}
    return {part: move(v, origin, window, kind, s) for part, (v, s) in made.items()}


def halves(window: Window) -> tuple[Window, Window]:
    """The window cut across its longer side."""
    height, width = window.shape
    if height >= width:
        return replace(window, i1=window.i0 + height // 2), replace(window, i0=window.i0 + height // 2)
    return replace(window, j1=window.j0 + width // 2), replace(window, j0=window.j0 + width // 2)


def joined(two: list[tuple[Floats, Floats]], window: Window) -> tuple[Floats, Floats]:
    """The halves of a window side by side again."""
    axis = -2 if window.shape[0] >= window.shape[1] else -1
    return np.concatenate([v for v, _ in two], axis=axis), np.concatenate([s for _, s in two], axis=axis)


def chosen(features: Features, node: Shapes, window: Window) -> list[tuple[BaseGeometry, Mapping[str, Any]]]:
    """Features of the wanted fields that may reach the window, in its grid's CRS for codes, else in their own."""
    wanted = [
        (g, f)
        for g, f in zip(features.geometries, features.fields, strict=True)
        if all(f.get(k) in values for k, values in node.where)
    ]
    if node.as_ == "code":
        wanted = [(to_grid(g, features.crs, window.grid.crs), f) for g, f in wanted]
        return [(g, f) for g, f in wanted if g.intersects(shapely.box(*window.bounds))]
    turns = (-360.0, 0.0, 360.0) if is_geographic(features.crs) else (0.0,)
    boxes = both_sides(reach_of(window, features.crs, node.within))
    near = shapely.union_all([shapely.box(w + turn, s, e + turn, n) for w, s, e, n in boxes for turn in turns])
    return [(g, f) for g, f in wanted if g.intersects(near)]


def reach_of(window: Window, crs: str, metres: float) -> Bounds:
    """Bounds of a window in another CRS, and some metres around them."""
    west, south, east, north = window.bounds
    if crs != window.grid.crs:
        west, south, east, north = transformer(window.grid.crs, crs).transform_bounds(west, south, east, north, 21)
    by_y = metres * 1.01 / (111_000.0 if is_geographic(crs) else 1.0) + 1e-9
    by_x = by_y / math.cos(math.radians(min(max(abs(south), abs(north)), 89.0))) if is_geographic(crs) else by_y
    return west - by_x, south - by_y, east + by_x, north + by_y


def to_grid(geometry: BaseGeometry, crs: str, grid: str, within: float = 0.0) -> BaseGeometry:
    """The geometry, or the ground within some metres of it, in the grid's CRS.

    Distances are planar in a projected grid; around a feature of a geographic one they are measured in an
    azimuthal projection about the feature's own middle.
    """
    if not within:
        return reproject(geometry, crs, grid)
    if not is_geographic(grid):
        return reproject(geometry, crs, grid).buffer(within, quad_segs=32)
    middle = reproject(geometry, crs, "EPSG:4326").envelope.centroid
    local = pyproj.CRS(f"+proj=aeqd +lat_0={middle.y} +lon_0={middle.x} +datum=WGS84 +units=m").to_wkt()
    around = reproject(reproject(geometry, crs, local).buffer(within, quad_segs=32), local, grid)
    west, _, east, _ = around.bounds
    return rejoined(around)[0] if east - west > LEAP else around  # it leaps across the antimeridian


def reproject(geometry: BaseGeometry, crs: str, to: str) -> BaseGeometry:
    """The geometry in another CRS, its vertices moved one by one."""
    if crs == to:
        return geometry
    change = transformer(crs, to)
    return shapely.transform(geometry, lambda c: np.column_stack(change.transform(c[:, 0], c[:, 1])))


def centres_in(geometry: BaseGeometry, window: Window) -> np.ndarray[Any, np.dtype[np.bool_]]:
    """Cells whose centre lies in the geometry."""
    y, x = window.centres
    xx, yy = np.meshgrid(x, y)
    shapely.prepare(geometry)
    return np.asarray(shapely.intersects_xy(geometry, xx, yy))
