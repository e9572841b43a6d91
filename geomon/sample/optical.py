"""Optical images with clouds, of the lower valley of the great river."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from geomon.sample.lattice import Lattice, Pixels, paint
from geomon.sample.noise import Array, Noise
from geomon.sample.shots import Shot
from geomon.sample.world import BARE, BUILT, CROP, GRASS, MANGROVE, SHRUB, TREE, WATER, WETLAND, Ground, World

OPTICAL_DAYS = ("2021-06-15", "2023-06-05", "2023-06-15", "2023-06-25", "2023-07-05", "2023-07-15")
CLOUDS = (0.25, 0.30, 0.85, 0.15, 0.45, 0.20)  # share of each of them under clouds, about
OFFSET_SINCE = "2022-01-25"  # from this day on stored reflectance is 1000 higher
# Reflectance (red, near infrared) of each land cover
REFLECTANCE = {
    TREE: (0.030, 0.310),
    SHRUB: (0.070, 0.235),
    GRASS: (0.090, 0.260),
    CROP: (0.062, 0.345),
    BUILT: (0.165, 0.205),
    BARE: (0.215, 0.280),
    WATER: (0.035, 0.018),
    WETLAND: (0.050, 0.200),
    MANGROVE: (0.028, 0.280),
}


def shots(world: World, lattice: Lattice) -> Iterator[Shot]:
    """Red, near infrared and scene class of a few dates, most of them cloudy; older processing has no offset."""

    def painter(ground: Ground) -> dict[Any, Pixels]:
        painted: dict[Any, Pixels] = {"texture": 0.5 * ground.patch + 0.5 * ground.mosaic}
        for year in (2021, 2023):
            painted["cover", year] = world.cover(ground, year + 0.45)
        for day in OPTICAL_DAYS:
            noise = Noise((world.seed, 81, int(day.replace("-", ""))), 12.0, 4, 0.6)
            painted["cloud", day] = noise(ground.x, ground.y).astype(np.float32)
            painted["shadow", day] = noise(ground.x - 1.4, ground.y - 0.9).astype(np.float32)
        return painted

    painted = paint(world, lattice, painter)
    for number, (day, share) in enumerate(zip(OPTICAL_DAYS, CLOUDS, strict=True)):
        cover = painted["cover", int(day[:4])]
        cloud, shadow = painted["cloud", day], painted["shadow", day]
        level = float(np.quantile(cloud, 1.0 - share))
        offset = 1000 if day >= OFFSET_SINCE else 0
        bands = _reflectance(world, cover, painted["texture"], number)
        scene = np.where(cover == WATER, 6, np.where(np.isin(cover, (BARE, BUILT)), 5, 4)).astype(np.uint8)
        thick, thin = cloud > level, (cloud > level - 0.12) & (cloud <= level)
        shade = (shadow > level) & ~thick & ~thin
        scene = np.where(shade, 3, np.where(thin, 10, np.where(cloud > level + 0.25, 9, np.where(thick, 8, scene))))
        column = np.arange(lattice.width)[None, :] + np.arange(lattice.height)[:, None] // 6
        unseen = column > lattice.width * (1.0 if number % 2 else 0.92)
        veil = np.clip((cloud - level + 0.12) * 1.1, 0.0, 0.62)
        for band, clear in bands.items():
            value = np.where(shade, 0.45 * clear, clear) * (1.0 - veil) + veil
            stored = np.rint(value * 10000.0) + offset
            yield _optical(day, band, lattice, np.where(unseen, 0, np.clip(stored, 1, 65535)).astype(np.uint16))
        yield _optical(day, "scl", lattice, np.where(unseen, 0, scene).astype(np.uint8))


def _optical(day: str, band: str, lattice: Lattice, pixels: Pixels) -> Shot:
    """One band of one date."""
    moment = f"{day}T04:57:21Z"
    new = day >= OFFSET_SINCE
    return Shot(
        "sentinel-2-l2a",
        f"selvara-s2-{day.replace('-', '')}",
        band,
        lattice,
        pixels,
        moment,
        moment,
        nodata=0,
        categories=band == "scl",
        facts={"s2:processing_baseline": "05.09" if new else "03.00"},
        asset_facts={} if band == "scl" else {"raster:scale": 0.0001, "raster:offset": -0.1 if new else 0.0},
    )


def _reflectance(world: World, cover: Pixels, texture: Array, number: int) -> dict[str, Array]:
    """Surface reflectance without clouds."""
    random = np.random.Generator(np.random.PCG64([world.seed, 82, number]))
    bands = {}
    for k, band in enumerate(("red", "nir")):
        table = np.zeros(256)
        for code, values in REFLECTANCE.items():
            table[code] = values[k]
        grain = 1.0 + 0.05 * texture + 0.02 * random.standard_normal(cover.shape)
        bands[band] = table[cover] * np.clip(grain, 0.7, 1.3)
    return bands
