"""The sample country as it is: what is on the ground at any place and time, before anything looks at it.

Everything is a function of position (km east and north of the centre) and time (years), so that each product is
rendered from the same world onto its own grid. Nothing here is a real place.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from geomon.sample.noise import Array, Noise
from geomon.sample.terrain import Rivers, Terrain
from geomon.sample.towns import CAPITAL, Town, connect, settle

Mask = NDArray[np.bool_]

TREE, SHRUB, GRASS, CROP, BUILT, BARE, WATER, WETLAND, MANGROVE = 10, 20, 30, 40, 50, 60, 80, 90, 95

DAM_CLOSED = 2014.5  # when the great reservoir began to fill
FRONTIER = ((20.0, -13.0), 16.0)  # centre and breadth (km) of where forest is being cleared
REGROWTH = ((-38.0, -20.0), 13.0)  # and of where fields are given up
LAKES = ((15.0, -8.5, 5.6, 3.4, 25.0, True), (-37.5, -6.5, 2.9, 1.9, -40.0, False))  # x, y, radii, turn, shrinking


@dataclass(frozen=True)
class Ground:
    """What does not change with time, at the points of one array (all of one shape)."""

    x: Array
    y: Array
    shelf: Array
    height: Array
    river: Array
    "km to the nearest river"
    basin: Array
    "km2 that the nearest river drains there"
    along: Array
    "km from there to its mouth"
    great: Mask
    "the nearest river is the great one"
    dammed: Mask
    "the nearest river runs through the dam"
    road: Array
    "km to the nearest road"
    moist: Array
    "0 (desert) .. 1 (rain forest)"
    patch: Array
    "fine noise: stands and glades"
    mosaic: Array
    "fine noise: fields"
    lobes: Array
    "noise of the size of river bends"
    pressure: Array
    "how much people would like to farm here"
    town: NDArray[np.intp]
    "number of the town that would be the first to build here"
    outskirts: Array
    "how far out that is: 1 at the edge of the town of 2020"
    lakes: Array
    "(lake, ...) distance from the middle of each lake, 1 on its mean shore"

    @property
    def land(self) -> Mask:
        """Above the sea."""
        return self.shelf > 0


@lru_cache(maxsize=4)
def world(seed: int) -> World:
    """The world of a seed; made once."""
    return World(seed)


@dataclass(frozen=True)
class World:
    """The whole country, from one number."""

    seed: int

    @cached_property
    def terrain(self) -> Terrain:
        return Terrain(self.seed)

    @cached_property
    def rivers(self) -> Rivers:
        return Rivers.of(self.terrain)

    @cached_property
    def noises(self) -> dict[str, Noise]:
        """Named noises."""
        made = {
            "moist": Noise((self.seed, 21), 30.0, 2),
            "patch": Noise((self.seed, 22), 7.0, 6, 0.62),
            "mosaic": Noise((self.seed, 23), 3.4, 4, 0.7),
            "lobes": Noise((self.seed, 24), 4.2, 4, 0.55),
            "towns": Noise((self.seed, 25), 2.2, 4, 0.6),
        }
        return made

    @cached_property
    def dam(self) -> tuple[float, Mask]:
        """Kilometres from the dam to the mouth, and the stations of the rivers that run through it."""
        rivers = self.rivers
        stem = np.flatnonzero((rivers.mouth == 0) & (rivers.basin > 330))
        near = stem[np.argmin(np.hypot(rivers.points[stem, 0] - 2.0, rivers.points[stem, 1] - 4.5))]
        return float(rivers.along[near]), rivers.above(int(near))

    # -- people ---------------------------------------------------------------------------------------------------

    @cached_property
    def towns(self) -> tuple[Town, ...]:
        """Towns, greatest first."""
        return settle(self.terrain, self.rivers)

    @cached_property
    def roads(self) -> Array:
        """Points along the roads, (n, 2) km."""
        return connect(self.terrain, self.towns)

    # -- the ground -----------------------------------------------------------------------------------------------

    def ground(self, x: Array, y: Array) -> Ground:
        """What lies at the points, whatever the year."""
        shelf = self.terrain.shelf(x, y)
        height = self.terrain.height(shelf, x, y)
        places = np.stack([x, y], axis=-1)
        river, station = self.rivers.tree.query(places)
        noises = {name: noise(x, y) for name, noise in self.noises.items()}
        lobes = noises["lobes"]
        lee = np.clip((x * 0.75 - y * 0.55) / 62.0, -1.0, 1.0)  # the trade wind comes from the south-east
        rain = 0.10 * np.exp(-(((height - 800.0) / 500.0) ** 2))
        moist = 0.53 + 0.17 * lee + rain + 0.085 * noises["moist"] + 0.10 * np.exp(-river / 0.8)
        basin, road = self.rivers.basin[station], self._road_tree.query(places)[0]
        valley = np.exp(-river / 3.4) * np.clip(basin / 300.0, 0.2, 1.0)
        town, outskirts, near_towns = self._around_towns(x, y, road, noises["towns"])
        pressure = (
            0.42 * np.exp(-road / 2.6)
            + 0.37 * valley
            + 0.30 * near_towns
            + 0.105 * noises["patch"]
            + 0.05 * noises["mosaic"]
            - np.clip(height - 420.0, 0.0, None) / 1500.0
        )
        return Ground(
            x=x,
            y=y,
            shelf=shelf,
            height=height,
            river=river,
            basin=basin,
            along=self.rivers.along[station],
            great=self.rivers.mouth[station] == 0,
            dammed=self.dam[1][station],
            road=road,
            moist=moist,
            patch=noises["patch"],
            mosaic=noises["mosaic"],
            lobes=lobes,
            pressure=pressure,
            town=town,
            outskirts=outskirts,
            lakes=np.stack([_ellipse(x, y, *lake[:5]) + 0.17 * lobes for lake in LAKES]),
        )

    def _around_towns(self, x: Array, y: Array, road: Array, ragged: Array) -> tuple[NDArray[np.intp], Array, Array]:
        """The town that would build here first, how far out that is, and how near great towns are (0..1)."""
        town, outskirts = np.zeros(x.shape, dtype=np.intp), np.full(x.shape, np.inf)
        near = np.zeros(x.shape)
        shape = np.maximum(1.0 + 0.34 * ragged, 0.2) * (1.0 + 0.7 * np.exp(-((road / 0.45) ** 2)))
        for number, place in enumerate(self.towns):
            away = np.hypot(x - place.x, y - place.y)
            out = away / (place.radius(2020.0) * shape)
            closer = out < outskirts
            town[closer], outskirts[closer] = number, out[closer]
            near = np.maximum(near, np.exp(-away / (3.0 + 4.0 * np.sqrt(place.people / 100_000.0))))
        return town, outskirts, near

    @cached_property
    def _road_tree(self) -> cKDTree:
        return cKDTree(self.roads)

    def wetness(self, year: int) -> float:
        """How wet a year was, about -1 .. 1."""
        random = np.random.Generator(np.random.PCG64([self.seed, 41, year]))
        return float(np.clip(random.normal(0.0, 0.5), -1.0, 1.0))

    def reservoir(self, time: float) -> float:
        """Metres of water at the dam."""
        return float(26.0 * (1.0 - np.exp(-max(time - DAM_CLOSED, 0.0) / 1.7)))

    def water(self, ground: Ground, year: int) -> tuple[Mask, Mask]:
        """Inland water all year, and inland water in some months only."""
        wet = self.wetness(year)
        funnel = np.where(ground.great, 0.75 * np.exp(-ground.along / 2.2), 0.25 * np.exp(-ground.along / 0.8))
        half = np.where(ground.basin > 150, 0.15 + 0.0042 * np.sqrt(np.clip(ground.basin - 150, 0, None)), 0.0)
        half = np.where(half > 0, half + funnel, 0.0)
        fringe = np.where(half > 0, (0.05 + 0.16 * np.exp(-ground.height / 40.0)) * (1.0 + 0.8 * wet), 0.0)
        fringe = fringe * np.clip(0.9 + ground.lobes, 0.0, 2.5)
        always, sometimes = ground.river < half, ground.river < half + fringe
        for size, lake in zip(ground.lakes, LAKES, strict=True):
            dry = 0.024 * np.clip(year - 2010, 0, 14) if lake[5] else 0.0
            always |= size < 1.0 - dry + 0.05 * wet
            sometimes |= size < 1.07 - 0.75 * dry + 0.10 * wet
        full = self.reservoir(year + 0.5)
        rise = 15.0 * (ground.river / 1.5) ** 1.15 * (1.0 + 0.33 * np.clip(ground.lobes, -1.5, 2.0))
        rise = rise + 1.45 * (ground.along - self.dam[0])
        held = ground.dammed & (ground.river < 6.0) & (full > 1.0)
        always |= held & (rise < full * 0.90 + 1.2 * wet)
        sometimes |= held & (rise < full * 1.06 + 1.6 * wet)
        return always & ground.land, sometimes & ~always & ground.land

    def flood(self, ground: Ground) -> Mask:
        """Land that stood under water on the day of the flood, beyond what is water in most years."""
        away, station = self._stem.query(np.stack([ground.x, ground.y], axis=-1))
        along = self._stem_along[station]
        reach = np.clip(1.0 - ((along - 13.0) / 22.0) ** 2, 0.0, None) ** 0.5
        spread = (3.0 + 1.5 * ground.lobes + 0.5 * ground.mosaic) * reach
        return np.asarray((away < spread) & (ground.height < 95.0) & ground.land)

    @cached_property
    def _stem_stations(self) -> NDArray[np.intp]:
        """Stations of the great river below the dam, without its tributaries."""
        rivers, (_, dammed) = self.rivers, self.dam
        return np.flatnonzero((rivers.mouth == 0) & (rivers.basin > 330) & ~dammed)

    @cached_property
    def _stem_along(self) -> Array:
        return self.rivers.along[self._stem_stations]

    @cached_property
    def _stem(self) -> cKDTree:
        return cKDTree(self.rivers.points[self._stem_stations])

    def built(self, ground: Ground, time: float) -> Mask:
        """Houses, streets, works."""
        growth = np.array([town.radius(time) / town.radius(2020.0) for town in self.towns])
        return np.asarray((ground.outskirts < growth[ground.town]) & ground.land)

    def cleared(self, ground: Ground, time: float) -> Mask:
        """Ground that people have turned to fields and pasture."""
        years = time - 2000.0
        front = _bell(ground, *FRONTIER)
        given_up = _bell(ground, *REGROWTH)
        gain = 0.0022 * years + front * 0.0075 * np.clip(years - 8.0, 0.0, None) - given_up * 0.009 * years
        return np.asarray((ground.pressure + gain > 0.345) & ground.land)

    def trees(self, ground: Ground) -> Array:
        """How well trees would grow, if left alone: forest above 0, the more the denser."""
        line = np.clip((ground.height - 1500.0) / 500.0, 0.0, None)
        return np.asarray(ground.moist + 0.100 * ground.patch - 0.515 - 0.5 * line)

    def cover(self, ground: Ground, time: float) -> NDArray[np.uint8]:
        """Land cover with the codes of WorldCover; the sea is water."""
        trees = self.trees(ground)
        dry = ground.moist + 0.05 * ground.mosaic
        cover = np.where(trees > 0, TREE, np.where(trees > -0.10 + 0.05 * ground.mosaic, SHRUB, GRASS))
        cover = np.where((dry < 0.22) | (ground.height + 90 * ground.mosaic > 2080), BARE, cover)
        marsh = (ground.height < 30) & (ground.river < 1.6 + 0.8 * ground.lobes) & (ground.basin > 90)
        cover = np.where(marsh & (ground.lobes > 0.35), WETLAND, cover)
        farmed = self.cleared(ground, time) & (cover != BARE)
        field = ground.mosaic + 1.1 * (ground.moist - 0.5) - ground.height / 900.0 > -0.55
        cover = np.where(farmed, np.where(field, CROP, GRASS), cover)
        year = int(np.floor(time))
        always, sometimes = self.water(ground, year)
        cover = np.where((ground.lakes.min(axis=0) < 1.14) & (cover != BARE), WETLAND, cover)
        tidal = (ground.shelf < 0.030 + 0.012 * ground.lobes) & (ground.lobes + 0.5 * ground.patch > 1.1)
        cover = np.where(tidal, MANGROVE, cover)
        cover = np.where(self.built(ground, time), BUILT, cover)
        cover = np.where(always | ~ground.land, WATER, cover)
        return np.where(sometimes & (cover != BUILT), WETLAND, cover).astype(np.uint8)

    def lights(self, ground: Ground, time: float, blur: float = 0.0) -> Array:
        """Radiance at night, nW cm-2 sr-1, without noise; `blur` km widen every light."""
        roads = 0.35 * np.exp(-((ground.road / (0.9 + blur)) ** 2)) * ground.land
        return 0.04 + roads + self.town_lights(ground, time, self.towns, blur)

    def town_lights(self, ground: Ground, time: float, towns: Sequence[Town], blur: float = 0.0) -> Array:
        """Radiance of some towns alone."""
        total = np.zeros(ground.x.shape)
        for town in towns:
            core = 0.75 * town.radius(time) + 0.25 + blur
            bright = 5.0 + 24.0 * np.sqrt(town.people_in(time) / CAPITAL)
            bright *= 1.0 + 0.028 * (time - 2014.0)
            away = np.hypot(ground.x - town.x, ground.y - town.y)
            spread = 1.0 / (1.0 + blur / core)
            total += bright * spread * np.exp(-((away / core) ** 2))
            total += 0.05 * bright * np.exp(-away / (2.2 * core))
        return total

    def people(self, ground: Ground, time: float) -> Array:
        """People to a square kilometre of land."""
        density = np.where(self.cleared(ground, time), 62.0, 3.0) + 45.0 * np.exp(-ground.road / 0.7)
        for town in self.towns:
            size = 1.35 * town.radius(time)
            away = np.hypot(ground.x - town.x, ground.y - town.y)
            density += town.people_in(time) / (np.pi * size * size) * np.exp(-((away / size) ** 2))
        return np.where(ground.land, density, 0.0)


def _ellipse(x: Array, y: Array, cx: float, cy: float, length: float, breadth: float, turn: float) -> Array:
    """Distance from the middle of an ellipse, 1 on its edge."""
    c, s = np.cos(np.radians(turn)), np.sin(np.radians(turn))
    a, b = (x - cx) * c + (y - cy) * s, (y - cy) * c - (x - cx) * s
    return np.asarray(np.hypot(a / length, b / breadth))


def _bell(ground: Ground, centre: tuple[float, float], breadth: float) -> Array:
    """1 at the centre, falling off smoothly."""
    x, y = centre
    return np.asarray(np.exp(-(((ground.x - x) ** 2 + (ground.y - y) ** 2) / breadth**2)))
