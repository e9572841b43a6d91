"""Small rasters and items that tests are made of."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import rasterio
from numpy.typing import NDArray

from geomon.period import Period
from geomon.sources.catalog import Catalog
from geomon.sources.documents import record
from geomon.sources.records import Band, Collection, Granule, Legend, Scene

STEP = 0.01
PLACE = (STEP, 0.0, 10.0, 0.0, -STEP, 50.0)
"""Affine coefficients of most test rasters: the north-west corner is 10 E, 50 N."""


def tif(
    path: Path,
    values: Any,
    *,
    transform: Sequence[float] = PLACE,
    crs: str | None = "EPSG:4326",
    nodata: float | None = None,
    names: Sequence[str] = (),
    scale: float | None = None,
    offset: float | None = None,
    **profile: Any,
) -> Path:
    """A GeoTIFF of one or more bands (an array of 2 or 3 dimensions)."""
    array = np.asarray(values)
    bands = array[None] if array.ndim == 2 else array
    path.parent.mkdir(parents=True, exist_ok=True)
    options = {"driver": "GTiff", "tiled": True, "blockxsize": 16, "blockysize": 16, "compress": "deflate", **profile}
    with rasterio.open(
        path,
        "w",
        count=len(bands),
        height=bands.shape[1],
        width=bands.shape[2],
        dtype=bands.dtype,
        crs=crs,
        transform=rasterio.Affine(*transform[:6]),
        nodata=nodata,
        **options,
    ) as file:
        file.write(bands)
        for i, name in enumerate(names, 1):
            file.set_band_description(i, name)
        if scale is not None:
            file.scales = [scale] * len(bands)
        if offset is not None:
            file.offsets = [offset] * len(bands)
    return path


def item(
    id: str,
    assets: Mapping[str, Mapping[str, Any]],
    *,
    time: str | tuple[str, str] = ("2020-01-01T00:00:00Z", "2020-12-31T23:59:59Z"),
    bbox: Sequence[float] = (10.0, 49.0, 11.0, 50.0),
    proj: bool = True,
    shape: Sequence[int] = (4, 4),
    transform: Sequence[float] = PLACE,
    said: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """A STAC item that says this of itself; with proj, its assets say where they lie."""
    west, south, east, north = bbox
    ring = [[west, south], [east, south], [east, north], [west, north], [west, south]]
    moment: dict[str, Any] = {"datetime": time}
    if isinstance(time, tuple):
        moment = {"datetime": None, "start_datetime": time[0], "end_datetime": time[1]}
    place = {"proj:code": "EPSG:4326", "proj:transform": list(transform), "proj:shape": list(shape)}
    return {
        "type": "Feature",
        "stac_version": "1.1.0",
        "stac_extensions": [],
        "id": id,
        "geometry": {"type": "Polygon", "coordinates": [ring]},
        "bbox": list(bbox),
        "properties": {**moment, **(said or {})},
        "links": [],
        "assets": {name: {**(place if proj else {}), **facts} for name, facts in assets.items()},
    }


def static(folder: Path, items: Sequence[Mapping[str, Any]], id: str = "made", **more: Any) -> Path:
    """A STAC collection of these items on disk; gives its collection.json."""
    links = []
    for one in items:
        file = folder / f"{one['id']}.json"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(json.dumps({**one, "collection": id}), encoding="utf-8")
        links.append({"rel": "item", "href": f"./{file.name}", "type": "application/geo+json"})
    document = {
        "type": "Collection",
        "stac_version": "1.1.0",
        "id": id,
        "description": id,
        "license": "other",
        "extent": {"spatial": {"bbox": [[-180, -90, 180, 90]]}, "temporal": {"interval": [[None, None]]}},
        "links": links,
        **more,
    }
    file = folder / "collection.json"
    file.write_text(json.dumps(document), encoding="utf-8")
    return file


def collection(origin: Mapping[str, Any], band: Mapping[str, Any] | None = None, **facts: Any) -> Collection:
    """A collection 'made' with one band 'x' from one origin."""
    document = {
        "id": "made",
        "geomon:bands": {"x": {"asset": "data", "kind": "amount", "unit": "people", **(band or {})}},
        "geomon:origins": [{"collection": "made", **origin}],
        **facts,
    }
    return record(document, Path("made/collection.json").absolute())


def catalog(origin: Mapping[str, Any], band: Mapping[str, Any] | None = None, **facts: Any) -> Catalog:
    """A catalogue of that one collection."""
    return Catalog((collection(origin, band, **facts),))


def granule(href: str | Path = "", **facts: Any) -> Granule:
    """A granule of 4 x 4 cells at the usual place."""
    plain: dict[str, Any] = {
        "item": "one",
        "collection": "made",
        "asset": "data",
        "href": str(href),
        "when": Period.of("2020"),
        "crs": "EPSG:4326",
        "transform": PLACE,
        "shape": (4, 4),
    }
    return Granule(**{**plain, **facts})


def scene(*granules: Granule) -> Scene:
    """A date of these granules."""
    return Scene("2020", Period.of("2020"), granules)


def band(kind: str = "amount", **facts: Any) -> Band:
    """A band 'x'."""
    return Band("x", kind, "data", **facts)


def legend(codes: Mapping[int, str], missing: Sequence[int] = ()) -> Legend:
    """A legend in which every class is a group."""
    return Legend(codes, {n: (c,) for c, n in codes.items() if c not in missing}, {}, tuple(missing))


def cells(rows: int = 4, columns: int = 4, dtype: str = "uint8") -> NDArray[Any]:
    """1, 2, 3, ... in rows."""
    return np.arange(1, rows * columns + 1, dtype=dtype).reshape(rows, columns)
