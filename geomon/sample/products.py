"""The products that look at the sample country: which bands, which dates, and what each of them shows."""

from __future__ import annotations

import calendar
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from .borders import Area
from .lattice import Lattice, Pixels, kilometres, lonlat, paint, utm
from .noise import Array, Noise
from .terrain import KM
from .world import BARE, BUILT, CROP, GRASS, MANGROVE, SHRUB, TREE, WATER, WETLAND, Ground, Mask, World

COVER_YEARS = range(2010, 2025)
WATER_YEARS = range(2010, 2025)
LIGHT_YEARS = range(2014, 2025)
OLD_LIGHT_YEARS = range(2005, 2014)
PEOPLE_YEARS = (2015, 2020)
NEW_ALGORITHM = 2021  # from this year on the land cover maps tell dense shrubs from trees
HIDDEN = (2019, "XS0205")  # the year in which clouds hid most of one district
FLOOD_DAY = "2023-08-14"
RADAR_DAYS = ("2023-07-09", "2023-08-02", FLOOD_DAY)
OPTICAL_DAYS = ("2021-06-15", "2023-06-05", "2023-06-15", "2023-06-25", "2023-07-05", "2023-07-15")
CLOUDS = (0.25, 0.30, 0.85, 0.15, 0.45, 0.20)  # share of each of them under clouds, about
RAINS = (12, 1, 2, 3)  # months in which clouds hide much of the night
OPTICAL_BOX = (-30.0, -30.0, 8.0, 4.0)  # km
UNSEEN = -32768.0

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


@dataclass(frozen=True)
class Shot:
    """One asset of one item: its pixels and what they mean."""

    collection: str
    item: str
    asset: str
    lattice: Lattice
    pixels: Pixels
    start: str
    end: str
    nodata: float | None = None
    unit: str = ""
    categories: bool = False
    facts: Mapping[str, Any] = field(default_factory=dict)
    "properties of the item"
    asset_facts: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Grids:
    """The lattices of one size."""

    land: Lattice
    lights: Lattice
    coarse: Lattice
    radar: Lattice
    optical: Lattice

    @classmethod
    def of(cls, size: int) -> Grids:
        """`size` pixels of land cover from west to east."""
        step = 120_000.0 / size
        return cls(
            land=lonlat(size),
            lights=lonlat(size * 2 // 5),
            coarse=lonlat(size * 3 // 10),
            radar=utm(step, (-82.0, -58.0, 82.0, 66.0)),
            optical=utm(step / 2, OPTICAL_BOX),
        )


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


def land(world: World, lattice: Lattice, hidden: Area) -> Land:
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
            *_year(year),
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
            *_year(year),
            categories=True,
        )


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


def flood(world: World, lattice: Lattice) -> Flood:
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


def radar_shots(world: World, flood: Flood) -> Iterator[Shot]:
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
        power[band] = _short((10.0 ** (decibels / 10.0)).astype(np.float32), 11)
    return power


def optical_shots(world: World, lattice: Lattice) -> Iterator[Shot]:
    """Red, near infrared and scene class of a few dates, most of them cloudy; older processing has no offset."""

    def painter(ground: Ground) -> dict[Any, Pixels]:
        painted: dict[Any, Pixels] = {"texture": 0.5 * ground.patch + 0.5 * ground.mosaic}
        for year in (2021, 2023):
            painted["cover", year] = world.cover(ground, year + 0.45)
        for day in OPTICAL_DAYS:
            noise = Noise((world.seed, 81, int(day.replace("-", ""))), 12.0, 5, 0.55)
            painted["cloud", day] = noise(ground.x, ground.y).astype(np.float32)
            painted["shadow", day] = noise(ground.x - 1.4, ground.y - 0.9).astype(np.float32)
        return painted

    painted = paint(world, lattice, painter)
    for number, (day, share) in enumerate(zip(OPTICAL_DAYS, CLOUDS, strict=True)):
        cover = painted["cover", int(day[:4])]
        cloud, shadow = painted["cloud", day], painted["shadow", day]
        level = float(np.quantile(cloud, 1.0 - share))
        offset = 1000 if day >= "2022-01-25" else 0
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
    new = day >= "2022-01-25"
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
            *_year(year),
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
        count = _short((mean * lattice.areas / 1e6).astype(np.float32), 14)
        yield Shot(
            "worldpop",
            f"selvara-people-{year}",
            "population",
            lattice,
            np.where(mean > 0, count, np.float32(-99999.0)).astype(np.float32),
            *_year(year),
            nodata=-99999.0,
            unit="people",
        )


def _short(values: Pixels, bits: int) -> Pixels:
    """Numbers rounded to so many bits, which makes the files small."""
    whole, power = np.frexp(values)
    return np.asarray(np.ldexp(np.rint(whole * 2.0**bits) / 2.0**bits, power), dtype=np.float32)


def _year(year: int) -> tuple[str, str]:
    return f"{year}-01-01T00:00:00Z", f"{year}-12-31T23:59:59Z"


def footprint(lattice: Lattice) -> list[list[float]]:
    """The outline of a lattice in degrees, counterclockwise."""
    west, south, east, north = lattice.bounds_lonlat
    return [[west, south], [east, south], [east, north], [west, north], [west, south]]
