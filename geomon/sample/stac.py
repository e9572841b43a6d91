"""The products as files: Cloud Optimized GeoTIFFs and a static STAC catalog that lists them."""

from __future__ import annotations

import hashlib
import json
from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from itertools import groupby
from pathlib import Path
from typing import Any

import numpy as np
import rasterio
import rasterio.shutil
from affine import Affine
from rasterio.io import MemoryFile

from geomon.sample.borders import COUNTRY
from geomon.sample.lattice import threads
from geomon.sample.shots import Shot, footprint

SYNTHETIC = "Synthetic sample, no real place"
STATEMENT = (
    f"{SYNTHETIC}: {COUNTRY} is a fictional country, made by geomon to show what it does. "
    "No pixel was seen by any satellite and no figure was published by any office."
)
COG = "image/tiff; application=geotiff; profile=cloud-optimized"
EXTENSIONS = {
    "file": "https://stac-extensions.github.io/file/v2.1.0/schema.json",
    "proj": "https://stac-extensions.github.io/projection/v2.0.0/schema.json",
    "raster": "https://stac-extensions.github.io/raster/v2.0.0/schema.json",
    "sar": "https://stac-extensions.github.io/sar/v1.0.0/schema.json",
    "sat": "https://stac-extensions.github.io/sat/v1.0.0/schema.json",
    "version": "https://stac-extensions.github.io/version/v1.2.0/schema.json",
}
TITLES = {
    "esa-worldcover": "Land cover, once a year",
    "jrc-gsw": "Surface water, once a year",
    "sentinel-1-rtc": "Radar backscatter before and after a flood",
    "sentinel-2-l2a": "Optical images with clouds",
    "viirs-night-lights": "Night lights, monthly",
    "dmsp-night-lights": "Night lights of the older sensor, once a year",
    "worldpop": "People",
}


@dataclass(frozen=True)
class Workspace:
    """What the sample says about one of our collections, beside where its items are."""

    caveats: Sequence[str] = ()
    breaks: Sequence[Mapping[str, str]] = field(default_factory=list)


WORKSPACE = {
    "esa-worldcover": Workspace(
        caveats=(
            "Until 2020 the older algorithm took dense shrubs for trees.",
            "In 2019 clouds hid most of one district.",
        ),
        breaks=[
            {
                "date": "2021-01-01",
                "why": "The algorithm changed from v100 to v200, which tells dense shrubs from trees.",
            }
        ],
    ),
    "jrc-gsw": Workspace(
        caveats=(
            "The sea is not inland water: it is told as not water.",
            "Until 2012 stripes of a broken scanner were not observed.",
        )
    ),
    "sentinel-1-rtc": Workspace(caveats=("The western cape lies beyond the swath.",)),
    "sentinel-2-l2a": Workspace(caveats=("The images show only the lower valley of the great river.",)),
    "viirs-night-lights": Workspace(caveats=("Background noise may be slightly negative.",)),
    "dmsp-night-lights": Workspace(
        breaks=[{"date": "2010-01-01", "why": "The satellite changed from F16 to F18."}],
        caveats=("City centres saturate at 63.", "Never joined to the newer sensor."),
    ),
    "worldpop": Workspace(caveats=("No data marks the sea, where nobody was estimated.",)),
}


def write(shots: Iterable[Shot], folder: Path, workspace: Path) -> list[dict[str, Any]]:
    """All products as COGs with their items, the catalog over them, and the workspace that binds to it.

    Gives the items.
    """
    items: list[dict[str, Any]] = []
    for key, group in groupby(_cogs(shots, folder), key=lambda pair: (pair[0].collection, pair[0].item)):
        items.append(_item(*key, list(group)))
        _json(folder / key[0] / key[1] / f"{key[1]}.json", items[-1])
    links = [
        _link("root", "./catalog.json"),
        *(_link("child", f"./{id}/collection.json", title=f"{COUNTRY}: {TITLES[id]}") for id in TITLES),
    ]
    _json(
        folder / "catalog.json",
        {
            "type": "Catalog",
            "stac_version": "1.1.0",
            "id": "geomon-sample",
            "title": f"{COUNTRY} ({SYNTHETIC.lower()})",
            "description": STATEMENT,
            "links": links,
        },
    )
    for id in TITLES:
        _json(folder / id / "collection.json", _collection(id, [i for i in items if i["collection"] == id]))
        _json(workspace / "catalogs" / id / "collection.json", _bound(id, items))
    return items


def _cogs(shots: Iterable[Shot], folder: Path) -> Iterator[tuple[Shot, dict[str, Any]]]:
    """Write the pixels, a few files at a time; gives the shots in order, each with its asset."""
    waiting: deque[tuple[Shot, Future[dict[str, Any]]]] = deque()
    with ThreadPoolExecutor(threads()) as pool:
        for shot in shots:
            waiting.append((shot, pool.submit(_cog, shot, folder)))
            while len(waiting) > 2 * threads():
                first, asset = waiting.popleft()
                yield first, asset.result()
        for first, asset in waiting:
            yield first, asset.result()


def _cog(shot: Shot, folder: Path) -> dict[str, Any]:
    """Write the pixels of one asset; gives the asset."""
    name = f"{shot.item}-{shot.asset.replace('_', '-')}.tif"
    path = folder / shot.collection / shot.item / name
    path.parent.mkdir(parents=True, exist_ok=True)
    floating = shot.pixels.dtype.kind == "f"
    with MemoryFile() as memory:
        with memory.open(
            driver="GTiff",
            width=shot.lattice.width,
            height=shot.lattice.height,
            count=1,
            dtype=shot.pixels.dtype,
            crs=shot.lattice.crs,
            transform=Affine(*shot.lattice.transform),
            nodata=shot.nodata,
        ) as plain:
            plain.write(shot.pixels, 1)
            plain.update_tags(SYNTHETIC=STATEMENT)
        rasterio.shutil.copy(
            memory.name,
            path,
            driver="COG",
            compress="DEFLATE",
            level=6,
            predictor="YES" if floating or shot.pixels.dtype.itemsize > 1 else "NO",
            blocksize=256,
            overview_resampling="MODE" if shot.categories else "AVERAGE",
            num_threads=1,
        )
    content = path.read_bytes()
    asset: dict[str, Any] = {
        "href": f"./{name}",
        "type": COG,
        "title": f"{TITLES[shot.collection]}: {shot.asset} (synthetic)",
        "roles": ["data"],
        "data_type": str(shot.pixels.dtype),
        "file:size": len(content),
        "file:checksum": "1220" + hashlib.sha256(content).hexdigest(),
        "proj:code": shot.lattice.crs,
        "proj:shape": list(shot.lattice.shape),
        "proj:transform": list(shot.lattice.transform),
        "raster:spatial_resolution": shot.lattice.step,
        "raster:sampling": "area",
        **shot.asset_facts,
    }
    if shot.nodata is not None:
        asset["nodata"] = shot.nodata if np.isfinite(shot.nodata) else "nan"
    if shot.unit:
        asset["unit"] = shot.unit
    return asset


def _item(collection: str, id: str, assets: Sequence[tuple[Shot, dict[str, Any]]]) -> dict[str, Any]:
    """A STAC item of the assets of one scene."""
    first = assets[0][0]
    moment = first.start if first.start == first.end else None
    span = {} if moment else {"start_datetime": first.start, "end_datetime": first.end}
    prefixes = {key.partition(":")[0] for key in first.facts} | {"version" for key in first.facts if key == "version"}
    return {
        "type": "Feature",
        "stac_version": "1.1.0",
        "stac_extensions": [EXTENSIONS[e] for e in ("file", "proj", "raster")]
        + [EXTENSIONS[e] for e in ("sar", "sat", "version") if e in prefixes],
        "id": id,
        "collection": collection,
        "bbox": list(first.lattice.bounds_lonlat),
        "geometry": {"type": "Polygon", "coordinates": [footprint(first.lattice)]},
        "properties": {
            "title": f"{COUNTRY}: {TITLES[collection]} ({SYNTHETIC.lower()})",
            "description": STATEMENT,
            "datetime": moment,
            **span,
            "license": "CC0-1.0",
            "geomon:synthetic": True,
            "proj:code": first.lattice.crs,
            "proj:shape": list(first.lattice.shape),
            "proj:transform": list(first.lattice.transform),
            **first.facts,
        },
        "assets": {shot.asset: asset for shot, asset in assets},
        "links": [
            _link("root", "../../catalog.json"),
            _link("parent", "../collection.json"),
            _link("collection", "../collection.json"),
        ],
    }


def _collection(id: str, items: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """The STAC collection of some items."""
    return {
        "type": "Collection",
        "stac_version": "1.1.0",
        "id": id,
        "title": f"{COUNTRY}: {TITLES[id]} ({SYNTHETIC.lower()})",
        "description": STATEMENT,
        "license": "CC0-1.0",
        "keywords": ["synthetic", "sample"],
        "providers": [{"name": "geomon, sample country", "roles": ["producer"]}],
        "extent": _extent(items),
        "geomon:synthetic": True,
        "links": [
            _link("root", "../catalog.json"),
            _link("parent", "../catalog.json"),
            *(_link("item", f"./{i['id']}/{i['id']}.json", "application/geo+json") for i in items),
        ],
    }


def _bound(id: str, items: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Our collection, bound to the items of the sample: it inherits bands and classes."""
    said = WORKSPACE[id]
    return {
        "type": "Collection",
        "stac_version": "1.1.0",
        "id": id,
        "title": f"{COUNTRY}: {TITLES[id]} (synthetic)",
        "description": STATEMENT,
        "license": "CC0-1.0",
        "extent": _extent([i for i in items if i["collection"] == id]),
        "links": [],
        "geomon:extends": id,
        "geomon:synthetic": True,
        "geomon:attribution": f"{SYNTHETIC} ({COUNTRY}, made by geomon)",
        "geomon:update": "Never: it is made, not observed.",
        "geomon:sensor": "none (synthetic)",
        "geomon:breaks": list(said.breaks),
        "geomon:caveats": [f"{SYNTHETIC}.", *said.caveats],
        "geomon:origins": [{"type": "static", "href": "../../../stac/catalog.json", "collection": id}],
    }


def _extent(items: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """The box and the time that hold all items."""
    boxes = np.array([item["bbox"] for item in items])
    box = [*boxes[:, :2].min(axis=0).tolist(), *boxes[:, 2:].max(axis=0).tolist()]
    moments = sorted(_moments(items))
    return {"spatial": {"bbox": [box]}, "temporal": {"interval": [[moments[0], moments[-1]]]}}


def _moments(items: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    for item in items:
        said = item["properties"]
        yield from (said[k] for k in ("datetime", "start_datetime", "end_datetime") if said.get(k))


def _link(rel: str, href: str, type: str = "application/json", **more: str) -> dict[str, str]:
    return {"rel": rel, "href": href, "type": type, **more}


def _json(path: Path, document: Mapping[str, Any]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(document, indent=1, allow_nan=False), encoding="utf-8")
