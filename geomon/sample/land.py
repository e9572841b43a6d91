"""Land cover and surface water, once a year, with what clouds and a broken scanner hid."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from geomon.sample.borders import Area
from geomon.sample.lattice import Lattice, Pixels, kilometres, paint
from geomon.sample.noise import Noise
from geomon.sample.shots import Shot, whole_year
from geomon.sample.terrain import KM
from geomon.sample.world import SHRUB, TREE, Ground, Mask, World

COVER_YEARS = range(2010, 2025)
WATER_YEARS = range(2010, 2025)
NEW_ALGORITHM = 2021  # from this year on the land cover maps tell dense shrubs from trees
HIDDEN = (2019, "XS0205")  # the year in which clouds hid most of one district


@dataclass(frozen=True)
class Land:
    """Land cover and water on the land lattice, whole: what a perfect observer would map."""

    lattice: Lattice
    ground: Mapping[int, Pixels]
    "land cover as it is, by year"
    dense: Mask
    "where shrubs are so dense that the older algorithm takes them for trees"
    water: Mapping[int, Pixels]
    "yearly water class (1 not water, 2 seasonal, 3 permanent); the sea is not inland water"
    cover_gaps: Mapping[int, Mask]
    water_gaps: Mapping[int, Mask]

    def mapped(self, year: int) -> Pixels:
        """Land cover as the product of that year tells it."""
        ground = self.ground[year]
        if year >= NEW_ALGORITHM:
            return ground
        return np.where(self.dense & (ground == SHRUB), TREE, ground).astype(np.uint8)


def render(world: World, lattice: Lattice, hidden: Area) -> Land:
    """Render land cover and water."""

    cover_clouds = {year: Noise((world.seed, 61, year), 10.0, 1) for year in COVER_YEARS}
    water_clouds = {year: Noise((world.seed, 62, year), 12.0, 1) for year in WATER_YEARS}

    def painter(ground: Ground) -> dict[Any, Pixels]:
        painted: dict[Any, Pixels] = {("dense", 0): world.trees(ground) > -0.006}
        for year in COVER_YEARS:
            painted["ground", year] = world.cover(ground, year + 0.5)
            painted["cover gap", year] = _cover_gap(ground, year, cover_clouds[year], hidden)
        for year in WATER_YEARS:
            always, sometimes = world.water(ground, year)
            painted["water", year] = np.where(always, 3, np.where(sometimes, 2, 1)).astype(np.uint8)
            painted["water gap", year] = _water_gap(ground, year, water_clouds[year])
        return painted

    painted = paint(world, lattice, painter)

    def of(name: str) -> dict[int, Pixels]:
        return {year: pixels for (kind, year), pixels in painted.items() if kind == name}

    return Land(lattice, of("ground"), painted["dense", 0], of("water"), of("cover gap"), of("water gap"))


def _cover_gap(ground: Ground, year: int, noise: Noise, hidden: Area) -> Mask:
    """Where the map of a year has no data: clouds that never lifted."""
    clouds = noise(ground.x, ground.y) + 0.35 * ground.patch
    gap = clouds > 2.55
    if year == HIDDEN[0]:
        middle = hidden.geometry.centroid
        x, y = kilometres(np.array(middle.x), np.array(middle.y))
        reach = 0.80 * np.sqrt(hidden.geometry.area * KM[0] * KM[1] / np.pi)
        gap |= np.hypot(ground.x - x, ground.y - y) < reach * (1.0 + 0.16 * clouds)
    return np.asarray(gap)


def _water_gap(ground: Ground, year: int, noise: Noise) -> Mask:
    """Where no image of a year was usable: clouds, and until 2012 the stripes of a broken scanner."""
    gap = noise(ground.x, ground.y) + 0.35 * ground.patch > 2.25
    if year <= 2012:
        across = np.mod(ground.y + 0.18 * ground.x + 1.3 * year, 3.3) / 3.3
        gap |= (across < 0.035 + 0.0011 * np.abs(ground.x)) & (np.abs(ground.x) > 22)
    return np.asarray(gap)


def cover_shots(land: Land) -> Iterator[Shot]:
    """Annual land cover."""
    for year in COVER_YEARS:
        version = "v200" if year >= NEW_ALGORITHM else "v100"
        pixels = np.where(land.cover_gaps[year], 0, land.mapped(year)).astype(np.uint8)
        yield Shot(
            "esa-worldcover",
            f"selvara-cover-{year}",
            "map",
            land.lattice,
            pixels,
            *whole_year(year),
            nodata=0,
            categories=True,
            facts={"version": version},
        )


def water_shots(land: Land) -> Iterator[Shot]:
    """Yearly water classification."""
    for year in WATER_YEARS:
        pixels = np.where(land.water_gaps[year], 0, land.water[year]).astype(np.uint8)
        yield Shot(
            "jrc-gsw",
            f"selvara-water-{year}",
            "water_class",
            land.lattice,
            pixels,
            *whole_year(year),
            categories=True,
        )
