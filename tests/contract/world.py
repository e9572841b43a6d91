"""A small country in memory: collections on five grids that do not match, with planted holes, features, zones."""

import functools

import numpy as np
import shapely
from numpy.typing import NDArray

from geomon.grid import Window
from geomon.testing import World, features, raster, window
from geomon.zones import Zone, Zones

CRS = "EPSG:32633"
EAST, NORTH = 400_000.0, 5_000_000.0  # where the country's corner lies in UTM
Floats = NDArray[np.float64]


def at(west: float, north: float, size: float, shape: tuple[int, int]) -> Window:
    """A window by its upper left corner in metres from the country's corner."""
    return window(CRS, EAST + west, NORTH + north, size, shape)


W100, W200 = at(0, 5000, 100, (50, 60)), at(-100, 5240, 200, (27, 32))
W250, W500 = at(-250, 5500, 250, (24, 27)), at(-500, 5500, 500, (12, 14))
LEGEND = {"forest": (10, 95), "water": (80,), "crop": (40,), "built": (50,)}
RADAR_DAYS = ("2020-02-01", "2020-02-20", "2020-03-05")


def holes(rng: np.random.Generator, values: Floats, share: float = 0.02) -> Floats:
    """The array with some pixels unseen."""
    return np.where(rng.random(values.shape) < share, np.nan, values)


def waves(rng: np.random.Generator, where: Window, scale: float = 3e-3) -> Floats:
    """The same landscape on any grid: a few waves over the plane."""
    y, x = where.centres
    y, x = np.meshgrid(y - NORTH, x - EAST, indexing="ij")
    turns = rng.uniform(-1, 1, (5, 3)) * (scale, scale, 3)
    return np.sum([np.sin(x * a + y * b + c) for a, b, c in turns], axis=0)


def land(where: Window, seed: int = 1) -> Floats:
    """A landscape by its number."""
    return waves(np.random.default_rng(seed), where)


def cover(where: Window, seed: int) -> Floats:
    """Land cover by code: mangrove, forest, crop, built, water."""
    level = land(where, seed)
    return np.select([level > 1.6, level > 0.2, level > -0.8, level > -1.6], [95.0, 10.0, 40.0, 50.0], 80.0)


@functools.cache
def make() -> World:
    """The country's collections."""
    rng = np.random.default_rng(7)
    years = range(2000, 2024)
    rainy = rng.gamma(2, 30, (30, 12, *W500.shape))
    ndvi = {
        f"{y}-{m:02d}": 0.4
        + 0.1 * land(W200)
        + (y - 2010) * 0.006 * land(W200, 5)
        + 0.03 * rng.standard_normal(W200.shape)
        for y in years
        for m in (1, 5, 9)
    }
    people = {str(y): np.floor(np.exp(3 + land(W250, 4) + 0.05 * (y - 2010))) for y in (2000, 2010, 2015, 2020, 2023)}
    growth = {y: 1 + 0.01 * (y - 2000) for y in (2000, 2010)}
    loss = rng.choice([0.0, 19, 20, 21, 22, 23], W100.shape, p=[0.9] + [0.02] * 5)
    yearly = {str(y): rng.choice([np.nan, 1, 2, 3], W100.shape, p=[0.05, 0.7, 0.1, 0.15]) for y in range(2000, 2006)}
    static = {"static": True}
    return World(
        (
            raster("cover", W100, {y: holes(rng, cover(W100, 1)) for y in ("2020", "2021")}, groups=LEGEND),
            raster(
                "national",
                W200,
                {"2020": np.where(cover(W200, 1) == 10, 3.0, 7.0)},
                band="class",
                groups={"forest": (3,), "water": (9,)},
            ),
            raster(
                "landcover",
                W250,
                {str(y): holes(rng, cover(W250, 1 + (y > 2012) + (y > 2018)), 0.01) for y in years},
                band="class",
                groups=LEGEND,
            ),
            raster("water", W100, yearly, band="yearly", groups={"seasonal": (2,), "permanent": (3,)}),
            raster(
                "radar",
                W100,
                {d: holes(rng, -14 + 3 * waves(rng, W100, 4e-3)) for d in RADAR_DAYS},
                band="vv",
                kind="rate",
                unit="dB",
            ),
            raster("reference", W100, {"2020": holes(rng, cover(W100, 3))}, band="class", groups=LEGEND, **static),
            raster("ndvi", W200, {t: holes(rng, a, 0.05) for t, a in ndvi.items()}, band="ndvi", kind="rate"),
            raster("soil", W250, {"2000": np.floor(land(W250, 9) % 4)}, band="order", **static),
            raster("carbon", W250, {"2000": holes(rng, 50 + 5 * land(W250), 0.01)}, band="ocs", kind="rate", **static),
            raster(
                "people",
                W250,
                {y: holes(rng, a, 0.01) for y, a in people.items()},
                band="population",
                kind="amount",
                unit="people",
            ),
            raster(
                "ghs",
                W500,
                {str(y): np.floor(np.exp(4.5 + land(W500, 4) * f)) for y, f in growth.items()},
                band="population",
                kind="amount",
                unit="people",
            ),
            raster(
                "ghs",
                W500,
                {str(y): 4e3 * np.exp(land(W500, 4) * (0.2 * f + 0.8)) for y, f in growth.items()},
                band="built",
                kind="amount",
                unit="m2",
            ),
            raster(
                "lights",
                W250,
                {y: holes(rng, land(W250, 4) + 0.5) for y in ("2019", "2020")},
                band="radiance",
                kind="rate",
                unit="nW cm-2 sr-1",
            ),
            raster(
                "rain",
                W500,
                {f"{1991 + y}-{m + 1:02d}": rainy[y, m] for y in range(30) for m in range(12)},
                band="mm",
                kind="rate",
                unit="mm",
            ),
            raster("elevation", W100, {"2000": 400 * land(W100, 6) + 800}, band="m", kind="rate", unit="m", **static),
            raster("loss", W100, {"2000": holes(rng, loss)}, band="lossyear", **static),
            raster("their-map", W250, {"2020-03-05": (land(W250, 3) < -0.5).astype(float)}, band="flood"),
        ),
        {
            "roads": features(
                [
                    line((0, 900), (2400, 1010), (6100, 700)),
                    line((1500, -100), (1600, 2500), (1580, 5100)),
                    line((3000, 1000), (3000, 4000)),
                    line((-50, 3300), (6000, 3350)),
                ],
                CRS,
                highway=["primary", "secondary", "primary", "track"],
            ),
            "corrections": features([box(510, 510, 1490, 1710), box(4000, 2500, 4900, 3000)], CRS, code=[1, 2]),
            "their-polygons": features(
                [shapely.Point(EAST + 2000, NORTH + 2000).buffer(900), box(3500, 500, 5200, 1800)], CRS, flood=[1, 1]
            ),
            "their-extent": features([box(600, 300, 5300, 3900)], CRS),
        },
    )


def line(*points: tuple[float, float]) -> shapely.LineString:
    """A line in metres from the country's corner."""
    return shapely.LineString([(EAST + x, NORTH + y) for x, y in points])


def polygon(*points: tuple[float, float]) -> shapely.Polygon:
    """A polygon in metres from the country's corner."""
    return shapely.Polygon([(EAST + x, NORTH + y) for x, y in points])


def box(west: float, south: float, east: float, north: float) -> shapely.Polygon:
    """A box in metres from the country's corner."""
    return shapely.box(EAST + west, NORTH + south, EAST + east, NORTH + north)


A1 = polygon((130, 160), (3000, 90), (3000, 1700), (2200, 2500), (90, 2300))
A2 = polygon((90, 2300), (2200, 2500), (3000, 1700), (3000, 4000), (2500, 5210), (110, 4700))
B1 = polygon((3000, 90), (5730, 210), (6120, 2600), (5400, 4700), (2500, 5210), (3000, 4000), (3000, 1700))


def zones() -> Zones:
    """Two provinces of two and one districts: slanted borders, one reaches beyond the rasters, parents fit badly."""
    return Zones(
        (
            Zone("A1", "", "A", A1),
            Zone("A2", "", "A", A2),
            Zone("B1", "", "B", B1),
            Zone("A", "", "X", shapely.union(A1, A2).buffer(-20)),
            Zone("B", "", "X", None),
            Zone("X", "", "", None),
        ),
        CRS,
    )


def countries() -> Zones:
    """The same three districts as two countries, whose border runs through the blocks."""
    return Zones(
        (Zone("A1", "", "A", A1), Zone("A2", "", "A", A2), Zone("A", "", "", None), Zone("B", "", "", B1)), CRS
    )


def plots() -> Zones:
    """Farm plots of a few pixels, one partly beyond the raster."""
    places = [(420, 430), (1510, 2220), (3333, 1111), (4444, 3210), (2050, 3050), (5930, 2400)]
    made = [
        Zone(f"P{n}", "", "", shapely.Point(EAST + x, NORTH + y).buffer(180 + 20 * n, quad_segs=5))
        for n, (x, y) in enumerate(places)
    ]
    return Zones(tuple(made), CRS)
