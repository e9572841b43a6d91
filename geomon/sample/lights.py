"""Night lights of two sensors, and people."""

from __future__ import annotations

import calendar
from collections.abc import Iterator
from typing import Any

import numpy as np

from geomon.sample.lattice import Lattice, Pixels, kilometres, paint
from geomon.sample.noise import Noise
from geomon.sample.shots import UNSEEN, Shot, short, whole_year
from geomon.sample.world import Ground, World

LIGHT_YEARS = range(2014, 2025)
OLD_LIGHT_YEARS = range(2005, 2014)
PEOPLE_YEARS = (2015, 2020)
RAINS = (12, 1, 2, 3)  # months in which clouds hide much of the night


def light_shots(world: World, lattice: Lattice, coarse: Lattice) -> Iterator[Shot]:
    """Night lights: monthly from a calibrated sensor, and before it yearly from one that saturates."""
    corners = range(LIGHT_YEARS.start, LIGHT_YEARS.stop + 1)

    def painter(ground: Ground) -> dict[Any, Pixels]:
        painted: dict[Any, Pixels] = {year: world.lights(ground, float(year)) for year in corners}
        painted["capital"] = world.town_lights(ground, 2021.0, world.towns[:1])
        return painted

    painted = paint(world, lattice, painter)
    clouds = Noise((world.seed, 92), 26.0, 2, 0.6)
    x, y = kilometres(*lattice.centres())
    random = np.random.Generator(np.random.PCG64([world.seed, 91]))
    for year in LIGHT_YEARS:
        for month in range(1, 13):
            part = (month - 0.5) / 12.0
            radiance = painted[year] * (1.0 - part) + painted[year + 1] * part
            radiance = radiance - painted["capital"] * dimming(year, month)
            noisy = radiance * random.normal(1.0, 0.03, lattice.shape) + random.normal(0.0, 0.09, lattice.shape)
            drift = random.uniform(0.0, 1000.0, 2)
            cloudy = clouds(x + drift[0], y + drift[1]) > (1.2 if month in RAINS else 2.3)
            days = calendar.monthrange(year, month)[1]
            yield Shot(
                "viirs-night-lights",
                f"selvara-viirs-{year}-{month:02d}",
                "avg_radiance",
                lattice,
                np.where(cloudy, UNSEEN, np.rint(noisy * 20.0) / 20.0).astype(np.float32),
                f"{year}-{month:02d}-01T00:00:00Z",
                f"{year}-{month:02d}-{days}T23:59:59Z",
                nodata=UNSEEN,
                unit="nW cm-2 sr-1",
            )

    def older(ground: Ground) -> dict[Any, Pixels]:
        return {year: world.lights(ground, year + 0.5, blur=1.6) for year in OLD_LIGHT_YEARS}

    for year, radiance in paint(world, coarse, older).items():
        shown = 63.0 * (1.0 - np.exp(-np.clip(radiance - 0.25, 0.0, None) / 6.0))
        yield Shot(
            "dmsp-night-lights",
            f"selvara-dmsp-{year}",
            "stable_lights",
            coarse,
            np.rint(shown).astype(np.uint8),
            *whole_year(year),
            nodata=255,
            unit="DN",
            facts={"platform": "F16" if year < 2010 else "F18"},
        )


def dimming(year: int, month: int) -> float:
    """Share of the capital's lights that was out: shops closed in 2020, and power cuts after the flood."""
    time = year + (month - 0.5) / 12.0
    closed = 0.17 * float(np.exp(-(((time - 2020.6) / 0.45) ** 2)))
    return closed + {(2023, 8): 0.24, (2023, 9): 0.12, (2023, 10): 0.05}.get((year, month), 0.0)


def people_shots(world: World, lattice: Lattice) -> Iterator[Shot]:
    """People in each pixel (a count)."""
    parts = 2  # points to a pixel and side
    fine = Lattice(
        lattice.crs, lattice.x0, lattice.y0, lattice.step / parts, lattice.width * parts, lattice.height * parts
    )

    def painter(ground: Ground) -> dict[Any, Pixels]:
        return {year: world.people(ground, float(year)).astype(np.float32) for year in PEOPLE_YEARS}

    for year, density in paint(world, fine, painter).items():
        mean = density.reshape(lattice.height, parts, lattice.width, parts).astype(np.float64).mean(axis=(1, 3))
        count = short((mean * lattice.areas / 1e6).astype(np.float32), 14)
        yield Shot(
            "worldpop",
            f"selvara-people-{year}",
            "population",
            lattice,
            np.where(mean > 0, count, np.float32(-99999.0)).astype(np.float32),
            *whole_year(year),
            nodata=-99999.0,
            unit="people",
        )
