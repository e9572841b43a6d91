"""Suitable synthetic input for any definition, made from its sources alone."""

import functools
import zlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import geopandas as gpd
import numpy as np
import shapely

from geomon.errors import CatalogError
from geomon.grid import Floats
from geomon.indicator import Given, Indicator, Layer, Shapes, Source, below
from geomon.period import Period
from geomon.pipeline import Plan, Run, plan
from geomon.resolve import Pixels, rasters_of, sources_of, swapped
from geomon.sources.catalog import Catalog
from geomon.sources.records import Band, Legend
from geomon.supply import look_back
from geomon.testing.world import Raster, World, features, window
from geomon.zones import Zone, Zones

CRS = "EPSG:32633"
EAST, NORTH = 400_000.0, 5_000_000.0
ROWS, COLUMNS = 30, 36  # of the grid of the measure, over all zones
CELL = 100.0  # metres
LATTICES = ((1.0, 0.0), (1.3, -0.37), (2.5, -1.1), (0.7, -0.21))  # size and offset in cells of the measure's grid
PERIODS = {"A": ("2020", "2021"), "M": ("2020-03", "2020-04"), "D": ("2020-03-05", "2020-03-17"), "": ("2019/2020",)}
DATES = 3  # of a source with a time axis, in each period


@dataclass(frozen=True, kw_only=True)
class Trial:
    """A definition with all that a run of it needs."""

    indicator: Indicator
    catalog: World
    zones: Zones
    periods: tuple[str, ...]
    use: Mapping[str, Any] = field(default_factory=dict)
    params: Mapping[str, str] = field(default_factory=dict)
    block: int = 16

    def plan(self, **changes: Any) -> Plan:
        """What a run will do, with some of it changed: `catalog`, `use`, `block`, `store` ..."""
        asked = {"catalog": self.catalog, "use": self.use, "params": self.params, "block": self.block, **changes}
        return plan(self.indicator, self.zones, self.periods, **asked)

    @functools.cached_property
    def whole(self) -> Run:
        """The run as it is, made once."""
        return self.run()

    def run(self, **changes: Any) -> Run:
        """The run, with some of it changed."""
        return self.plan(**changes).run(workers=1)


def invent(
    indicator: Indicator,
    *,
    periods: Sequence[str] = (),
    use: Mapping[str, Any] | None = None,
    known: Pixels | None = None,
    holes: float = 0.01,
) -> Trial:
    """A trial of a definition on a small country, with pixels as its collections describe them.

    What a band is (kind, unit, classes) is asked of `known`, the workspace's catalogues if not stated; a product
    that they do not have is taken for a map of 0 and 1. `holes` is the share of the pixels of every date that
    nobody saw.
    """
    places = {n: Source(f"given/{n}") for n, s in indicator.sources.items() if isinstance(s, Given)}
    use = {**places, **(use or {})}
    filled = swapped(indicator, use)
    chosen = tuple(periods) or PERIODS[indicator.freq]
    wanted = dates_of(filled, [Period.of(p) for p in chosen])
    cell = max(CELL, margin(filled) / 6)
    ids = sorted({c for c, _ in wanted}, key=lambda c: (c != grid_of(filled), c))
    lattice = {c: LATTICES[n % len(LATTICES)] for n, c in enumerate(ids)}
    known = known or Catalog.open()
    rasters = tuple(
        imagine(collection, fact(known, collection, band), lattice[collection], cell, margin(filled), dates, holes)
        for (collection, band), dates in wanted.items()
    )
    shapes = [s for s, _ in sources_of(filled) if isinstance(s, Shapes)]
    return Trial(
        indicator=indicator,
        catalog=World(rasters, vectors(shapes, cell)),
        zones=country(cell),
        periods=chosen,
        use=use,
    )


def margin(indicator: Indicator) -> float:
    """The widest margin of any layer or shape, in metres."""
    margins = [getattr(n, "margin", "0 px").split() for n in below(indicator)]
    metres = [float(n) for n, unit in margins if unit == "m"]
    return max([0.0, *metres, *(getattr(n, "within", 0.0) for n in below(indicator))])


def grid_of(indicator: Indicator) -> str:
    """The collection whose pixels are the grid of the measure."""
    node = indicator.sources[indicator.grid]
    while not isinstance(node, Source):
        node = node.sources[node.grid or next(iter(node.sources))]
    return node.collection


def dates_of(indicator: Indicator, periods: Sequence[Period]) -> dict[tuple[str, str], set[str]]:
    """Labels of the dates that every band must have, so that each source finds what its window asks for."""
    span = Period.between(min(p.start for p in periods), max(p.end for p in periods), "span")
    alone: dict[tuple[str, str], set[str]] = {}
    more: dict[tuple[str, str], set[str]] = {}
    for period in periods:
        for node, at, _ in rasters_of(indicator, period):
            key = node.collection, node.band
            alone.setdefault(key, set())
            more.setdefault(key, set())
            if node.window in (None, "closest"):
                alone[key] |= set(inside(at, 1))
            else:
                more[key] |= set(inside(look_back(node.window, at, span), DATES))
    taken = {key: [Period.of(label) for label in labels] for key, labels in alone.items()}
    return {
        key: labels | {t for t in more[key] if not any(p.overlaps(Period.of(t)) for p in taken[key])}
        for key, labels in alone.items()
    }


def inside(period: Period, n: int) -> list[str]:
    """Labels of n dates inside a period: years, else months, else days, whichever there are enough of.

    Of many years there is one in each, as kernels of trends expect.
    """
    years = period.split("A")
    if len(years) > 1 or (n == 1 and period.holds(years[0])):
        return [p.label for p in (years[:1] if n == 1 else years)]
    for freq in ("M", "D"):
        parts = [p for p in period.split(freq) if period.holds(p)]
        if len(parts) > n or (n == 1 and parts):
            return [parts[(k + 1) * len(parts) // (n + 1)].label if n > 1 else parts[0].label for k in range(n)]
    return [period.label]


def fact(known: Pixels, collection: str, band: str) -> Band:
    """What a band is, without scale, offset and nodata: synthetic pixels are physical, NaN is unseen."""
    try:
        found = known.collection(collection).band(band)
    except CatalogError:
        legend = Legend(codes={0: "no", 1: "yes"}, groups={}, colours={})
        return Band(band or "map", "class", asset=band or "map", legend=legend, stated=True)
    return Band(
        found.name, found.kind, asset=found.name, unit=found.unit, legend=found.legend, when=found.when, stated=True
    )


def imagine(
    collection: str,
    band: Band,
    lattice: tuple[float, float],
    cell: float,
    around: float,
    dates: set[str],
    holes: float,
) -> Raster:
    """Pixels of a band over the country and what lies around it."""
    size, offset = lattice[0] * cell, lattice[1] * cell
    beyond = around + 3 * size
    height, width = (int((n * cell + 2 * beyond) / size) for n in (ROWS, COLUMNS))
    where = window(CRS, EAST - beyond + offset, NORTH + beyond + offset, size, (height, width))
    labels = {"static": {"2000"}}.get(band.when, {band.when.removeprefix("year:")} if ":" in band.when else dates)
    made = {}
    for label in sorted(labels):
        rng = np.random.default_rng(zlib.crc32(f"{collection} {band.name} {label}".encode()))
        values = pixels(band, rng, where.shape)
        made[label] = np.where(rng.random(where.shape) < holes, np.nan, values)
    return Raster(collection, band, where, made)


def pixels(band: Band, rng: np.random.Generator, shape: tuple[int, int]) -> Floats:
    """Physical values of a band, in patches of a few pixels."""
    height, width = shape
    rough = rng.random((height // 3 + 1, width // 3 + 1)).repeat(3, axis=0).repeat(3, axis=1)[:height, :width]
    level = (2 * rough + rng.random(shape)) / 3
    if band.kind == "class":
        codes = np.array(legal(band), float)
        return np.asarray(codes[np.minimum((level * len(codes)).astype(int), len(codes) - 1)])
    low, high = extremes(band)
    if band.kind == "amount":
        return np.floor(low + (high - low) * level**3)
    if low > 0:
        return np.asarray(low * (high / low) ** level)
    return low + (high - low) * level


def legal(band: Band) -> list[int]:
    """Codes that a class band may hold and that mean something was seen."""
    if band.legend is None or not band.legend.codes:
        return [0, 1, 2, 3]
    return [code for code in band.legend.codes if code not in band.legend.missing]


def extremes(band: Band) -> tuple[float, float]:
    """The lowest and the highest value that are usual for a unit."""
    usual = {
        "dB": (-28.0, -4.0),
        "percent": (0.0, 100.0),
        "m": (-20.0, 3000.0),
        "DN": (0.0, 63.0),
        "mm": (0.0, 300.0),
        "K": (250.0, 320.0),
        "1": (0.001, 1.0),
    }
    return usual.get(band.unit, (0.0, 400.0) if band.kind == "amount" else (-0.5, 60.0))


def country(cell: float) -> Zones:
    """Two provinces of two and one districts; slanted borders, of which one reaches beyond the pixels."""
    corners = {
        "west": [(1, 1), (18, 1), (18, 11), (13, 15), (1, 14)],
        "north": [(1, 14), (13, 15), (18, 11), (18, 24), (15, 31), (1, 28)],
        "east": [(18, 1), (34, 1), (41, 15), (32, 28), (15, 31), (18, 24), (18, 11)],
    }
    shapes = {n: shapely.Polygon([place(x, y, cell) for x, y in c]) for n, c in corners.items()}
    whole = shapely.union(shapes["west"], shapes["north"])
    return Zones(
        (
            Zone("1", "West", "A", shapes["west"]),
            Zone("2", "North", "A", shapes["north"]),
            Zone("3", "East", "B", shapes["east"]),
            Zone("A", "Old province", "X", whole.buffer(-cell / 5)),
            Zone("B", "New province", "X", None),
            Zone("X", "Country", "", None),
        ),
        CRS,
    )


def vectors(wanted: Sequence[Shapes], cell: float) -> dict[str, gpd.GeoDataFrame]:
    """Features for every vector source: circles on a fifth of the country, or lines through it."""
    made = {}
    for node in wanted:
        if node.as_ == "length":
            lines = [[(-2, y), (17, y + 3), (44, y)] for y in (6, 12, 21)]
            shapes: list[Any] = [shapely.LineString([place(x, y, cell) for x, y in line]) for line in lines]
        else:
            circles = ((8, 8, 4), (24, 16, 6), (11, 22, 3))
            shapes = [shapely.Point(place(x, y, cell)).buffer(radius * cell) for x, y, radius in circles]
        fields: dict[str, list[Any]] = {key: [values[0]] * len(shapes) for key, values in node.where}
        if node.field:
            fields[node.field] = list(range(1, len(shapes) + 1))
        made[node.collection] = features(shapes, CRS, **fields)
        if node.extent:
            made[node.extent] = features([shapely.box(*place(-3, 27, cell), *place(33, -3, cell))], CRS)
    return made


def place(x: float, y: float, cell: float) -> tuple[float, float]:
    """Coordinates of a point in cells east and south of the country's corner."""
    return EAST + x * cell, NORTH - y * cell


def raster_sources(node: Any) -> Iterator[Source]:
    """Every source whose pixels lie under what is measured; those of surveys only move a table."""
    for below_ in (*getattr(node, "sources", {}).values(), *getattr(node, "sums", {}).values()):
        if isinstance(below_, Source):
            yield below_
        elif isinstance(below_, Layer):
            yield from raster_sources(below_)
