"""The same numbers the slow way: whole arrays, one cell after the other, none of the engine's reading or adding.

Each function gives, by quantity, ({(zone, keys): total}, {zone: unseen square metres}). True areas of cells come
from the grid, and are tested against the geodesic elsewhere; the kernels of 15.3.1 are the definition's own.
"""

import functools
import itertools
import math
from collections.abc import Callable, Iterator, Sequence

import numpy as np
import shapely
import xarray as xr

from geomon.grid import Window
from geomon.testing import World
from geomon.zones import Zone
from tests.contract.definitions import cities as cities_
from tests.contract.definitions import degraded_land, drought, road_access
from tests.contract.world import LEGEND, W100, W200, W250, W500, Floats

FRAME = 8  # cells around each raster, for zones that reach beyond it
Tally = tuple[dict[tuple[str, tuple[float, ...]], float], dict[str, float]]
Part = tuple[int, int, float]


def pixels(world: World, collection: str, date: str, band: str = "") -> Floats:
    """The array of one date."""
    name = world.collection(collection).band(band).name
    found = [r for r in world.rasters if (r.collection, r.band.name) == (collection, name)]
    return found[0].dates[date]


@functools.cache
def boxes(window: Window) -> np.ndarray:
    """Every cell as a polygon."""
    g = window.grid
    rows, columns = range(window.i0, window.i1), range(window.j0, window.j1)
    corner = [[(g.x0 + j * g.dx, g.y0 - (i + 1) * g.dy) for j in columns] for i in rows]
    return np.array([[shapely.box(x, y, x + g.dx, y + g.dy) for x, y in row] for row in corner])


@functools.cache
def shares(shape: shapely.Geometry, window: Window) -> Floats:
    """Share of each cell in a polygon, by intersecting the two."""
    return shapely.area(shapely.intersection(boxes(window), shape)) / (window.grid.dx * window.grid.dy)


def frame(values: Floats, fill: float = np.nan) -> Floats:
    """The raster and the cells around it."""
    return np.pad(np.asarray(values, float), FRAME, constant_values=fill)


def tally(
    zones: Sequence[Zone], window: Window, value: Floats, seen: Floats, kind: str = "area", keys: Sequence[Floats] = ()
) -> Tally:
    """Totals by zone and key, and unseen ground by zone; `seen` is the share of each cell."""
    around = window.pad(FRAME)
    value, seen, keys = frame(value), frame(seen, 0), [frame(k) for k in keys]
    ground = around.areas
    totals: dict[tuple[str, tuple[float, ...]], list[float]] = {}
    holes: dict[str, list[float]] = {z.code: [] for z in zones}
    for z in zones:
        part = shares(z.geometry, around)
        for i, j in zip(*np.nonzero(part), strict=True):
            holes[z.code].append(part[i, j] * ground[i, j] * (1 - seen[i, j]))
            if seen[i, j] > 0:
                key = z.code, tuple(float(k[i, j]) for k in keys)
                each = part[i, j] * (1 if kind == "amount" else ground[i, j]) * seen[i, j]
                totals.setdefault(key, []).append(value[i, j] * each)
    return {k: math.fsum(v) for k, v in totals.items()}, {z: math.fsum(v) for z, v in holes.items()}


def known(*arrays: Floats) -> Floats:
    """1 where all are seen."""
    return np.all([~np.isnan(a) for a in arrays], axis=0) * 1.0


def nearest(values: Floats, origin: Window, to: Window) -> Floats:
    """Class codes of the cells that hold the centres of another grid's cells."""
    out = np.full(to.shape, np.nan)
    for i, j in np.ndindex(*to.shape):
        x, y = to.grid.x0 + (to.j0 + j + 0.5) * to.grid.dx, to.grid.y0 - (to.i0 + i + 0.5) * to.grid.dy
        r = math.floor((origin.grid.y0 - y) / origin.grid.dy) - origin.i0
        c = math.floor((x - origin.grid.x0) / origin.grid.dx) - origin.j0
        if 0 <= r < origin.shape[0] and 0 <= c < origin.shape[1]:
            out[i, j] = values[r, c]
    return out


def overlaps(origin: Window, to: Window) -> Iterator[tuple[int, int, list[Part]]]:
    """For each target cell, the origin's cells that it shares ground with, and how much (planar square metres)."""
    a, b = origin.grid, to.grid
    for i, j in np.ndindex(*to.shape):
        west, north = b.x0 + (to.j0 + j) * b.dx, b.y0 - (to.i0 + i) * b.dy
        rows = range(math.floor((a.y0 - north) / a.dy), math.ceil((a.y0 - north + b.dy) / a.dy))
        columns = range(math.floor((west - a.x0) / a.dx), math.ceil((west + b.dx - a.x0) / a.dx))
        parts = []
        for p, q in itertools.product(rows, columns):
            high = min(north, a.y0 - p * a.dy) - max(north - b.dy, a.y0 - (p + 1) * a.dy)
            wide = min(west + b.dx, a.x0 + (q + 1) * a.dx) - max(west, a.x0 + q * a.dx)
            if 0 <= p - origin.i0 < origin.shape[0] and 0 <= q - origin.j0 < origin.shape[1]:
                parts.append((p - origin.i0, q - origin.j0, high * wide))
        yield i, j, parts


def moved(values: Floats, origin: Window, to: Window, kind: str) -> tuple[Floats, Floats]:
    """Onto another grid, with the share of each cell that was seen: what the seen part says of the whole cell.

    A rate is the mean of the seen part; an amount is what the whole cell would hold as densely peopled as that.
    """
    out, seen = np.full(to.shape, np.nan), np.zeros(to.shape)
    cell, source = to.grid.dx * to.grid.dy, origin.grid.dx * origin.grid.dy
    for i, j, parts in overlaps(origin, to):
        there = [(p, q, s) for p, q, s in parts if not np.isnan(values[p, q])]
        ground = math.fsum(s for _, _, s in there)
        if ground == 0:
            continue
        held = math.fsum(values[p, q] * s for p, q, s in there)
        seen[i, j] = ground / cell
        out[i, j] = held / ground if kind == "rate" else held / source * cell / ground
    return out, seen


def joint(*shares_: Floats) -> Floats:
    """Where several sources were seen: their holes may lie side by side in a cell, so what they miss adds up."""
    return np.clip(1 - sum(1 - s for s in shares_), 0, 1)


def group(values: Floats, *names: str) -> Floats:
    """Cells of some groups of the legend."""
    return np.isin(values, [c for n in names for c in LEGEND[n]])


# The cases -------------------------------------------------------------------------------------------------------


def forest(world: World, zones: Sequence[Zone], period: str) -> dict[str, Tally]:
    """15.1.1."""
    a = pixels(world, "cover", period)
    return {
        "forest": tally(zones, W100, group(a, "forest"), known(a)),
        "land": tally(zones, W100, ~group(a, "water"), known(a)),
    }


def water(world: World, zones: Sequence[Zone], period: str) -> dict[str, Tally]:
    """6.6.1."""
    a = pixels(world, "water", period)
    return {n: tally(zones, W100, a == c, known(a)) for n, c in (("permanent", 3), ("seasonal", 2))}


def flood(world: World, zones: Sequence[Zone], before: bool, reference: bool) -> dict[str, Tally]:
    """Water, and flood with an image before, reference water, or both."""
    now = pixels(world, "radar", "2020-03-05")
    out = {"water": tally(zones, W100, now < -16, known(now))}
    usual = []
    if before:
        a, b = (pixels(world, "radar", d) for d in ("2020-02-01", "2020-02-20"))
        middle = np.where(np.isnan(a), b, np.where(np.isnan(b), a, (a + b) / 2))
        usual.append((middle < -16, known(middle)))
    if reference:
        r = pixels(world, "reference", "2020")
        usual.append((group(r, "water"), known(r)))
    if usual:
        wet, seen = np.any([u for u, _ in usual], axis=0), np.prod([k for _, k in usual] + [known(now)], axis=0)
        out["flood"] = tally(zones, W100, (now < -16) & ~wet, seen)
    return out


def lights(world: World, zones: Sequence[Zone], period: str) -> dict[str, Tally]:
    """Night lights."""
    a = pixels(world, "lights", period)
    return {"light": tally(zones, W250, a, known(a), "rate")}


def plots(world: World, zones: Sequence[Zone], period: str) -> dict[str, Tally]:
    """Forest of 2020 and later loss."""
    a, b = pixels(world, "cover", "2020"), pixels(world, "loss", "2000")
    f = group(a, "forest")
    return {"forest": tally(zones, W100, f, known(a)), "lost": tally(zones, W100, f & (b >= 21), known(a, b))}


def roads(
    world: World, zones: Sequence[Zone], period: str, length: Callable[[shapely.Geometry], float]
) -> dict[str, Tally]:
    """9.1.1; `length` gives the metres of a line."""
    people = pixels(world, "people", period)
    found = world.vectors["roads"]
    lines = [g for g, h in zip(found.geometry, found.highway, strict=True) if h != "track"]
    near = shares(shapely.union_all([g.buffer(450, quad_segs=32) for g in lines]), W250)
    rural = np.full(people.shape, np.nan)
    for i, j in itertools.product(range(1, people.shape[0] - 1), range(1, people.shape[1] - 1)):
        around = people[i - 1 : i + 2, j - 1 : j + 2]
        rural[i, j] = np.nan if np.isnan(around).any() else around.mean() < road_access.DENSE
    seen, metres = known(people, rural), {}
    for z in zones:  # what runs along a border is shared
        others = shapely.union_all([o.geometry for o in zones if o is not z])
        metres[z.code, ()] = math.fsum(
            (length(g.intersection(z.geometry)) + length(g.difference(others).intersection(z.geometry))) / 2
            for g in lines
        )
    whole = shapely.union_all([z.geometry for z in zones])
    every = math.fsum(length(g.intersection(whole)) for g in lines)
    assert abs(math.fsum(metres.values()) - every) < 1e-6 * every
    return {
        "rural": tally(zones, W250, people * rural, seen, "amount"),
        "served": tally(zones, W250, people * rural * near, seen, "amount"),
        "population": tally(zones, W250, people, known(people), "amount"),
        "road": (metres, {z.code: 0.0 for z in zones}),
    }


def cities(world: World, zones: Sequence[Zone], period: str) -> dict[str, Tally]:
    """11.3.1: flood fill from the first cell of each city, from the north, then from the west."""
    years = [pixels(world, "ghs", y, "population") for y in ("2000", "2010")]
    dense, most = np.any([a >= cities_.CORE for a in years], axis=0), np.max(years, axis=0)
    number, left = np.zeros(dense.shape), dense.copy()
    y, x = W500.centres
    for i, j in zip(*np.nonzero(dense), strict=True):
        if not left[i, j]:
            continue
        todo, found = [(i, j)], []
        left[i, j] = False
        while todo:
            p, q = todo.pop()
            found.append((p, q))
            for r, c in ((p + 1, q), (p - 1, q), (p, q + 1), (p, q - 1)):
                if 0 <= r < dense.shape[0] and 0 <= c < dense.shape[1] and left[r, c]:
                    left[r, c] = False
                    todo.append((r, c))
        if math.fsum(most[f] for f in found) >= cities_.CITY:
            for f in found:
                number[f] = x[j] - 1e6 * y[i]
    ones = np.ones(dense.shape)
    return {
        n: tally(zones, W500, pixels(world, "ghs", period, b), ones, "amount", [number])
        for n, b in (("people", "population"), ("built", "built"))
    }


def droughts(world: World, zones: Sequence[Zone], period: str) -> dict[str, Tally]:
    """Drought classes."""
    year = [np.sqrt(sum(pixels(world, "rain", f"{y}-{m:02d}") for m in range(1, 13))) for y in range(1991, 2021)]
    z = (year[-1] - np.mean(year, axis=0)) / np.std(year, axis=0)
    level = nearest(np.sum([(z <= e) * 1.0 for e in drought.EDGES], axis=0), W500, W250)
    people = pixels(world, "people", period)
    return {
        "ground": tally(zones, W250, np.ones(level.shape), known(level), keys=[level]),
        "exposed": tally(zones, W250, people, known(level, people), "amount", [level]),
    }


def exposed(world: World, zones: Sequence[Zone], period: str) -> dict[str, Tally]:
    """People in a flood: a coarse cell that was seen in part counts with that part."""
    now, usual = pixels(world, "radar", period), pixels(world, "reference", "2020")
    wet = np.where(np.isnan(now) | np.isnan(usual), np.nan, (now < -16) & ~group(usual, "water"))
    share, seen = moved(wet, W100, W250, "rate")
    people = pixels(world, "people", "2020")
    return {
        "exposed": tally(zones, W250, people * share, seen * known(people, share), "amount"),
        "population": tally(zones, W250, people, known(people), "amount"),
    }


def rough(world: World, zones: Sequence[Zone], period: str) -> dict[str, Tally]:
    """Rough ground."""
    m = pixels(world, "elevation", "2000")
    r = np.full(m.shape, np.nan)
    for i, j in itertools.product(range(3, m.shape[0] - 3), range(3, m.shape[1] - 3)):
        r[i, j] = np.ptp(m[i - 3 : i + 4, j - 3 : j + 4])
    return {"rough": tally(zones, W100, r > 250, known(r))}


def crossed(zones: Sequence[Zone], ours: Floats, theirs: Floats) -> dict[str, Tally]:
    """Two maps on one grid."""
    return {"crossed": tally(zones, W100, np.ones(ours.shape), known(ours, theirs), keys=[ours, theirs])}


def degraded(
    world: World, zones: Sequence[Zone], country: shapely.Geometry, period: str, profile: str
) -> dict[str, Tally]:
    """15.3.1: kernels of the definition on whole arrays; windows, survey, grids, holes and sums are done here."""
    begin, end = map(int, period.split("/"))
    base, _, _ = signals(world, country, 2000, 2015, profile)
    now, first, carbon = signals(world, country, begin, end, profile)
    land, there = ~group(first, "water"), known(first)
    status = np.full(W200.shape, np.nan)
    for i, j in np.ndindex(*W200.shape):
        status[i, j] = degraded_land.STATUS.get((base["all"][i, j], now["all"][i, j]), np.nan)
    # where both assessments were made, each misses what carbon misses, and either may miss another part
    seen = joint(carbon, carbon, there) * known(base["all"], now["all"])
    x, y = np.meshgrid(*reversed(W200.centres))
    for g, code in zip(world.vectors["corrections"].geometry, world.vectors["corrections"].code, strict=True):
        inside = shapely.intersects_xy(g, x, y) & (known(base["all"], now["all"]) > 0)
        status = np.where(inside, 0.0 if code == 1 else -1.0, status)
    out = {"land": tally(zones, W200, land, seen, keys=[status])}
    for part in ("productivity", "cover", "carbon"):
        own = carbon if part == "carbon" else np.ones(W200.shape)
        out[part] = tally(zones, W200, land, joint(own, there) * known(now[part]), keys=[now[part]])
    if "2023" in period:
        people, counted = moved(pixels(world, "people", "2023"), W250, W200, "amount")
        both = joint(carbon, carbon, there, counted) * known(base["all"], now["all"], people)
        out["people"] = tally(zones, W200, people * land, both, "amount", keys=[status])
    return out


def signals(
    world: World, country: shapely.Geometry, first_year: int, last_year: int, profile: str
) -> tuple[dict[str, Floats], Floats, Floats]:
    """Signals of each part, the first land cover, and the share of each cell whose carbon is known."""
    years = range(last_year - 15, last_year + 1)
    stack = np.stack([pixels(world, "ndvi", f"{y}-{m:02d}") for y in years for m in (1, 5, 9)])
    ndvi = xr.DataArray(stack, dims=("time", "y", "x"))
    level = degraded_land.annual_mean(ndvi)
    covers = {n: pixels(world, "landcover", str(y)) for n, y in (("first", first_year), ("last", last_year))}
    unit = nearest(pixels(world, "soil", "2000") * 100 + covers["first"], W250, W200)
    carbon, seen = moved(pixels(world, "carbon", "2000"), W250, W200, "rate")
    grids = {"unit": unit, "carbon": carbon} | {n: nearest(a, W250, W200) for n, a in covers.items()}
    arrays = {n: xr.DataArray(a, dims=("y", "x"), attrs={"groups": LEGEND}) for n, a in grids.items()}
    table = best(level.values, unit, shares(country, W200))
    got = degraded_land.assess(degraded_land.slopes(ndvi), level, p90=table, profile=profile, **arrays)
    made = {n: np.where(known(carbon) > 0, a, np.nan) if n in ("carbon", "all") else a.values for n, a in got.items()}
    return made, grids["first"], seen


def best(level: Floats, unit: Floats, country: Floats) -> xr.DataArray:
    """The 90th percentile of NDVI in each land unit of the country, to the middle of its bin."""
    found = {}
    for u in np.unique(unit[~np.isnan(unit)]):
        at = (unit == u) & (country > 0) & ~np.isnan(level)
        bins, n = np.floor(level[at] / degraded_land.BIN), country[at]
        reached = [b for b in np.unique(bins) if n[bins <= b].sum() >= 0.9 * n.sum() - 1e-9]
        found[u] = (reached[0] + 0.5) * degraded_land.BIN if n.sum() >= 30 else np.nan
    return xr.DataArray(list(found.values()), dims="unit", coords={"unit": list(found)})
