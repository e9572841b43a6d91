"""Radar images before and after the flood: water mirrors the signal away and is dark."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from geomon.sample.lattice import Lattice, Pixels, paint
from geomon.sample.noise import Array
from geomon.sample.shots import UNSEEN, Shot, short
from geomon.sample.world import BARE, BUILT, CROP, GRASS, MANGROVE, SHRUB, TREE, WETLAND, Ground, Mask, World

FLOOD_DAY = "2023-08-14"
RADAR_DAYS = ("2023-07-09", "2023-08-02", FLOOD_DAY)

# Backscatter (VV, VH in dB) of each land cover; water stays apart from all of them
ECHO = {
    TREE: (-8.6, -13.8),
    SHRUB: (-11.6, -17.2),
    GRASS: (-12.4, -18.6),
    CROP: (-12.2, -18.2),
    BUILT: (-5.0, -12.0),
    BARE: (-12.4, -19.0),
    WETLAND: (-12.0, -17.8),
    MANGROVE: (-8.2, -13.4),
}
STILL, WAVES = (-24.6, -29.6), (-22.8, -28.4)  # inland water and the sea
LOOKS = 32  # of the speckle


@dataclass(frozen=True)
class Flood:
    """What stood under water on the radar lattice: 0 dry, 1 water also before, 2 only on the day of the flood."""

    lattice: Lattice
    state: Pixels
    cover: Pixels
    sea: Mask
    texture: Array
    seen: Mask
    "inside the swath"


def render(world: World, lattice: Lattice) -> Flood:
    """Render the day of the flood."""

    def painter(ground: Ground) -> dict[Any, Pixels]:
        always, sometimes = world.water(ground, 2023)
        wet = always | sometimes | ~ground.land
        state = np.where(wet, 1, np.where(world.flood(ground), 2, 0)).astype(np.uint8)
        swath = ground.x - 0.19 * ground.y
        return {
            "state": state,
            "cover": world.cover(ground, 2023.6),
            "sea": ~ground.land,
            "texture": np.clip(0.35 * ground.patch, -0.7, 0.7),
            "seen": (swath > -69.5) & (swath < 86.0),
        }

    return Flood(lattice, **paint(world, lattice, painter))


def shots(world: World, flood: Flood) -> Iterator[Shot]:
    """Two overlapping granules of one overpass on each date, linear gamma0."""
    rows = flood.lattice.height
    granules = {"n": (0, round(0.58 * rows)), "s": (round(0.42 * rows), rows)}
    for number, day in enumerate(RADAR_DAYS):
        wet = (flood.state == 1) | ((flood.state == 2) & (day == FLOOD_DAY))
        power = _echo(world, flood, wet, number)
        for place, (granule, (top, bottom)) in enumerate(granules.items()):
            seen = flood.seen[top:bottom].copy()
            slant = np.arange(flood.lattice.width) // 12  # the frame is not parallel to the grid
            inner = np.arange(bottom - top)[:, None]
            seen &= inner >= slant[None, :] if place else inner < bottom - top - slant[None, ::-1]
            for band in ("vv", "vh"):
                moment = f"{day}T00:31:{12 + 25 * place:02d}Z"
                yield Shot(
                    "sentinel-1-rtc",
                    f"selvara-s1-{day.replace('-', '')}-{granule}",
                    band,
                    flood.lattice.cut(top, bottom),
                    np.where(seen, power[band][top:bottom], UNSEEN).astype(np.float32),
                    moment,
                    moment,
                    nodata=UNSEEN,
                    facts={
                        "sat:orbit_state": "descending",
                        "sat:relative_orbit": 19,
                        "sar:instrument_mode": "IW",
                        "sar:frequency_band": "C",
                        "sar:polarizations": ["VV", "VH"],
                        "sar:product_type": "RTC",
                    },
                )


def _echo(world: World, flood: Flood, wet: Mask, number: int) -> dict[str, Pixels]:
    """Backscatter of one overpass, linear power: land and water keep a gap between them, whatever the speckle."""
    random = np.random.Generator(np.random.PCG64([world.seed, 71, number]))
    power = {}
    for k, band in enumerate(("vv", "vh")):
        table = np.full(256, ECHO[GRASS][k])
        for code, levels in ECHO.items():
            table[code] = levels[k]
        level = np.where(wet, np.where(flood.sea, WAVES[k], STILL[k]), table[flood.cover]) + flood.texture
        speckle = 10.0 * np.log10(random.gamma(LOOKS, 1.0 / LOOKS, level.shape))
        decibels = level + np.clip(speckle, -2.3, 2.3)
        power[band] = short((10.0 ** (decibels / 10.0)).astype(np.float32), 11)
    return power
