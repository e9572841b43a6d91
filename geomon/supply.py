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

from geomon.errors import DefinitionError, InputError
from geomon.grid import Bounds, Floats, Grid, Window, is_geographic, transformer
from geomon.indicator import Given, Layer, Shapes, Source, Survey, address, arguments, optional
from geomon.period import Period
from geomon.pixels import SEEN
from geomon.sources.reading import read
from geomon.sources.records import Band, Read, Scene
from geomon.stats.coverage import cover
from geomon.stats.moving import move, reach

ONE_DATE = (None, "first", "last", "closest")  # windows without a time axis
MOST = 2**24  # cells of one source in memory at once
KEPT = 2**28  # bytes of decoded pixels that a task keeps for its next question


@dataclass(frozen=True)
class Known:
    """What the pixels of a source are."""

    collection: str
    band: Band
    grid: Grid | None
    """None if no item was found in any period of the run."""

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
    lost: dict[str, Floats] = {}
    for name, mark in found.items():
        argument = name.partition(".")[0]
        lost[argument] = np.maximum(lost.get(argument, 0.0), 1 - mark)
    return np.clip(1 - functools.reduce(np.add, lost.values(), np.zeros(shape)), 0.0, 1.0)


def marks(x: Any) -> dict[str, Floats]:
    """Where an array was seen, by the argument it came from."""
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
        given = {n: self.give(s, n, window, period) for n, s in owner.sources.items()}
        for name, x in given.items():
            if x is None and not optional(function, name):
                given[name] = self.nothing(owner.sources[name], name, window)
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

    def source(self, node: Source, window: Window, period: Period) -> tuple[Floats, Floats]:
        """Values and seen shares of a source on the window; with a time axis if its window has one."""
        known, scenes = self.setting.known[address(node)], self.setting.scenes[address(node), period.label]
        assert known.grid is not None
        if node.window is None and len(scenes) > 1:
            dates = ", ".join(s.label for s in scenes[:4])
            raise DefinitionError(
                f"{node.collection} has {len(scenes)} dates in {period.label} ({dates} ...). "
                "Say which with window='first' or 'last', or take them all with 'period'."
            )
        if node.window in ONE_DATE:
            scenes = (scenes[-1 if node.window == "last" else 0],)
        origin = reach(known.grid, window)
        if math.prod(origin.shape) > MOST and max(window.shape) > 1 and known.grid != window.grid:
            return joined([self.source(node, half, period) for half in halves(window)], window)
        stack = np.stack([self.decoded(scene, known, origin) for scene in scenes])
        if node.window in ONE_DATE:
            stack = stack[0]
        return move(stack, origin, window, known.band.kind)

    def decoded(self, scene: Scene, known: Known, window: Window) -> Floats:
        """One date of a band on its own grid, from what was read before if that holds it."""
        key = known.collection, known.band.name, tuple((g.item, g.asset, g.href) for g in scene.granules)
        if key in self.kept:
            held, values = self.kept[key]
            if held.intersect(window) == window:
                return values[window.inside(held)]
        values, reads = read(scene, known.band, window)
        self.reads += reads
        if key in self.kept:
            self.bytes -= self.kept.pop(key)[1].nbytes
        self.kept[key] = window, values
        self.bytes += values.nbytes
        while self.bytes > KEPT and len(self.kept) > 1:
            self.bytes -= self.kept.popitem(last=False)[1][1].nbytes
        return values

    def layer(self, node: Layer, window: Window, period: Period) -> dict[str, tuple[Floats, Floats]]:
        """Values and seen shares of each part of a layer on the window; '' names the only part."""
        if node.over == "country":
            origin, made = self.setting.ready[address(node), period.label, self.country]
        else:
            grid = self.grid_of(node)
            origin = reach(grid, window)
            if math.prod(origin.shape) > MOST and max(window.shape) > 1 and grid != window.grid:
                several = [self.layer(node, half, period) for half in halves(window)]
                return {part: joined([s[part] for s in several], window) for part in several[0]}
            origin = origin.pad(cells(node.margin, grid, origin.bounds))
            made = self.kernel(node, origin, period)
        return {part: move(v, origin, window, node.kind, s) for part, (v, s) in made.items()}

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

    def grid_of(self, node: Any) -> Grid:
        """The native grid of a source or layer."""
        if isinstance(node, Source):
            known = self.setting.known[address(node)]
            if known.grid is None:
                raise InputError(f"Nothing of {node.collection} was found for this run, so it cannot be the grid.")
            return known.grid
        if isinstance(node, Given | Shapes):
            raise InputError("Shapes, and what was not handed in, have no pixels that could be the grid.")
        return self.grid_of(node.sources[node.grid or next(iter(node.sources))])

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
            values = np.zeros(window.shape)
            if near:
                part = cover(shapely.union_all(near), window)
                values.ravel()[part.cells] = part.share
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
        values, _ = self.source(node, window, period)
        return np.isfinite(values).sum(axis=0).astype(float) if values.ndim == 3 else np.isfinite(values).astype(float)


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
    west, south, east, north = reach_of(window, features.crs, node.within)
    near = shapely.box(west, south, east, north)
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
    return reproject(reproject(geometry, crs, local).buffer(within, quad_segs=32), local, grid)


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
