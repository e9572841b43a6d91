"""Sixty Sentinel-2-like images: five years of months, red, near infrared and a scene classification, with clouds.

Cloud-optimised GeoTIFFs as providers have them: 10 m bands in uint16, classes in uint8 at 20 m, deflate (predictor 2
for the bands), blocks of 512, overviews, UTM 33N. Made once, from a seed, and kept.
"""

import datetime
import json
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import rasterio
from numpy.typing import NDArray
from pyproj import Transformer

from benchmarks.zones import DATA
from geomon.sources.catalog import Catalog
from geomon.sources.documents import record

SIZE, STEP = 2048, 10.0
EPSG, WEST, NORTH = 32633, 499_980.0, 5_400_000.0
YEARS, MONTHS = range(2019, 2024), range(1, 13)
CLEAR = (4, 5, 6, 11)
CLASSES = {0: "no_data", 1: "saturated", 3: "shadow", 4: "vegetation", 5: "bare", 6: "water", 9: "cloud", 11: "snow"}
SIDE = SIZE * STEP
BOX = (WEST, NORTH - SIDE, WEST + SIDE, NORTH)
FOLDER = DATA / f"scenes-{SIZE}"


def months() -> Iterator[tuple[int, int, int]]:
    """Number, year and month of each image."""
    yield from ((n, y, m) for n, (y, m) in enumerate((y, m) for y in YEARS for m in MONTHS))


def make() -> list[dict[str, Any]]:
    """The STAC items, and their files if they are not there yet."""
    index = FOLDER / "items.json"
    if not index.exists():
        FOLDER.mkdir(parents=True, exist_ok=True)
        print(f"making {len(list(months()))} images in {FOLDER} (once)", file=sys.stderr, flush=True)
        start = time.monotonic()
        with ProcessPoolExecutor(2) as pool:
            list(pool.map(image, months()))
        index.write_text(json.dumps([item(*month) for month in months()]))
        print(f"made in {time.monotonic() - start:.0f} s", file=sys.stderr, flush=True)
    return list(json.loads(index.read_text()))


def image(month: tuple[int, int, int]) -> None:
    """One image: fields that green up in summer, noise, clouds that drift, the edge of a swath."""
    n, _, m = month
    rng = np.random.default_rng(n)
    y, x = np.mgrid[0:SIZE, 0:SIZE].astype(np.float32)
    season = 0.12 * np.sin(2 * np.pi * (m - 4) / 12)
    green = 0.5 + 0.35 * np.sin(x / 190) * np.cos(y / 230) + season
    cloud = np.sin(x / 333 + n * 1.7) * np.cos(y / 277 + n * 2.3) + 0.4 * np.sin((x + y) / 71 + n)
    fields = rng.integers(0, 300, (SIZE // 16, SIZE // 16)).repeat(16, 0).repeat(16, 1)
    swath = max(0, 40 - n % 80)
    for band, bare, leaf in (("red", 1800, 400), ("nir", 2000, 4200)):
        ground = bare + (leaf - bare) * green + fields + rng.normal(0, 60, green.shape)
        white = 7000 + 900 * cloud + rng.normal(0, 150, green.shape)
        stored = np.clip(np.where(cloud > 0.75, white, ground), 1, 10_000).astype(np.uint16)
        stored[:, :swath] = 0
        write(n, band, stored, STEP, 2)
    coarse = cloud[::2, ::2]
    codes = np.where(coarse > 0.75, 9, np.where(coarse > 0.65, 3, np.where(green[::2, ::2] > 0.4, 4, 5)))
    codes[:, : swath // 2] = 0
    write(n, "scl", codes.astype(np.uint8), 2 * STEP, 1)


def write(n: int, band: str, stored: NDArray[Any], step: float, predictor: int) -> None:
    """One cloud-optimised GeoTIFF."""
    profile = {
        "driver": "COG",
        "count": 1,
        "height": stored.shape[0],
        "width": stored.shape[1],
        "dtype": stored.dtype,
        "crs": f"EPSG:{EPSG}",
        "transform": rasterio.Affine(step, 0.0, WEST, 0.0, -step, NORTH),
        "nodata": 0,
        "compress": "DEFLATE",
        "predictor": predictor,
        "blocksize": 512,
        "overview_count": 2,
    }
    with rasterio.open(FOLDER / f"{n:03d}_{band}.tif", "w", **profile) as file:
        file.write(stored, 1)


def item(n: int, year: int, month: int) -> dict[str, Any]:
    """The STAC item of one image."""
    east, south = Transformer.from_crs(EPSG, 4326, always_xy=True).transform(
        [WEST, WEST + SIDE, WEST + SIDE, WEST], [NORTH, NORTH, NORTH - SIDE, NORTH - SIDE]
    )
    corners = [[a, b] for a, b in zip(east, south, strict=True)]
    assets = {}
    for band, step in (("red", STEP), ("nir", STEP), ("scl", 2 * STEP)):
        cells = int(SIDE / step)
        assets[band] = {
            "href": str(FOLDER / f"{n:03d}_{band}.tif"),
            "type": "image/tiff; application=geotiff; profile=cloud-optimized",
            "roles": ["data"],
            "eo:bands": [{"name": band}],
            "raster:bands": [{"data_type": "uint8" if band == "scl" else "uint16", "nodata": 0}],
            "proj:shape": [cells, cells],
            "proj:transform": [step, 0, WEST, 0, -step, NORTH, 0, 0, 1],
        }
    moment = datetime.datetime(year, month, 5, 10).isoformat()
    return {
        "type": "Feature",
        "stac_version": "1.0.0",
        "stac_extensions": [
            f"https://stac-extensions.github.io/{name}/v1.1.0/schema.json" for name in ("projection", "eo", "raster")
        ],
        "id": f"image-{n:03d}",
        "collection": "scenes",
        "properties": {"datetime": f"{moment}Z", "proj:epsg": EPSG, "proj:code": f"EPSG:{EPSG}"},
        "bbox": [min(east), min(south), max(east), max(south)],
        "geometry": {"type": "Polygon", "coordinates": [[*corners, corners[0]]]},
        "links": [],
        "assets": assets,
    }


def catalog() -> Catalog:
    """Ours of them: what the numbers and codes mean."""
    folder = FOLDER / "stac"
    if not (folder / "collection.json").exists():
        folder.mkdir(exist_ok=True)
        for one in make():
            (folder / f"{one['id']}.json").write_text(json.dumps(one))
        links = [{"rel": "item", "href": f"./{one['id']}.json", "type": "application/geo+json"} for one in make()]
        extent = {"spatial": {"bbox": [[-180, -90, 180, 90]]}, "temporal": {"interval": [[None, None]]}}
        head = {
            "type": "Collection",
            "stac_version": "1.0.0",
            "id": "scenes",
            "description": "scenes",
            "license": "other",
        }
        (folder / "collection.json").write_text(json.dumps({**head, "extent": extent, "links": links}))
    reflectance = {"kind": "rate", "unit": "1", "scale": 0.0001, "nodata": 0}
    classes = [
        {"value": code, "name": name, **({"groups": ["clear"]} if code in CLEAR else {}), "nodata": code == 0}
        for code, name in CLASSES.items()
    ]
    document = {
        "id": "scenes",
        "geomon:main": "red",
        "geomon:bands": {
            "red": {"asset": "red", **reflectance},
            "nir": {"asset": "nir", **reflectance},
            "scl": {"asset": "scl", "kind": "class", "nodata": 0, "classes": classes},
        },
        "geomon:origins": [{"type": "static", "href": str(folder / "collection.json"), "collection": "scenes"}],
    }
    return Catalog((record(document, Path(folder / "ours.json")),))


if __name__ == "__main__":
    make()
