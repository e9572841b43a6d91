"""A little country on disk: zones, one product in a workspace folder, and the command line over them."""

import json
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import shapely

from tests.engine.made import PLACE, STEP, tif

TREES, GRASS, WATER = 10, 30, 80
OFFICIAL = "series,ref_area,time_period,obs_value,unit_measure,definition,publisher"


@dataclass(frozen=True)
class Little:
    """Where its files are."""

    folder: Path
    cells: int

    @property
    def workspace(self) -> Path:
        """A workspace whose esa-worldcover is the files in `maps`."""
        return self.folder / "workspace"

    @property
    def zones(self) -> Path:
        """Country X of the halves A (west) and B (east)."""
        return self.folder / "zones.geojson"

    @property
    def maps(self) -> Path:
        """cover-2020.tif, ..."""
        return self.folder / "maps"

    @property
    def store(self) -> Path:
        """For results; not there yet."""
        return self.folder / "store"

    @property
    def official(self) -> Path:
        """Official forest shares of the country."""
        return self.folder / "official.csv"


def little(folder: Path, *, cells: int = 40, years: Sequence[int] = (2020, 2021)) -> Little:
    """Trees in the upper half, grass below, a lake of a sixteenth in the south-east; 2021 lost a row of trees."""
    made = Little(folder, cells)
    for n, year in enumerate(years):
        codes = np.full((cells, cells), GRASS, "uint8")
        codes[n : cells // 2] = TREES
        codes[cells * 3 // 4 :, cells * 3 // 4 :] = WATER
        tif(made.maps / f"cover-{year}.tif", codes, nodata=0)
    bind(made, {"type": "folder", "href": str(made.maps), "pattern": "cover-{year}.tif"})
    west, north, half = PLACE[2], PLACE[5], cells * STEP / 2
    shapes = [shapely.box(west + n * half, north - cells * STEP, west + (n + 1) * half, north) for n in (0, 1)]
    draw(made.zones, {"A": shapes[0], "B": shapes[1]})
    rows = [f"AG_LND_FRST,X,{year},{value},percent,as measured,Office" for year, value in ((2020, 53.0), (2021, 52.0))]
    made.official.write_text("\n".join([OFFICIAL, *rows]), encoding="utf-8")
    return made


def bind(made: Little, origin: Mapping[str, Any], **facts: Any) -> None:
    """Our WorldCover with its items from there."""
    document = {"id": "esa-worldcover", "geomon:extends": "esa-worldcover", "geomon:origins": [origin], **facts}
    write(made, "esa-worldcover", document)


def write(made: Little, id: str, document: Mapping[str, Any]) -> None:
    """A collection in the workspace."""
    file = made.workspace / "catalogs" / id / "collection.json"
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(json.dumps(document), encoding="utf-8")


def draw(file: Path, shapes: Mapping[str, Any], **columns: Sequence[str]) -> Path:
    """Zones in a file: code, name, parent X."""
    table = {"code": list(shapes), "name": [f"Half {c}" for c in shapes], "parent": ["X"] * len(shapes), **columns}
    gpd.GeoDataFrame(table, geometry=list(shapes.values()), crs="EPSG:4326").to_file(file, driver="GeoJSON")
    return file


def asked(made: Little, *more: str, command: str = "run", period: str = "2020/2021") -> list[str]:
    """The arguments of a run of 15.1.1."""
    zones, store = str(made.zones), str(made.store)
    return [command, "15.1.1", "--zones", zones, "--period", period, "--store", store, *more]


def started(made: Little, arguments: Sequence[str]) -> "subprocess.Popen[str]":
    """`python -m geomon ...` in a process of its own."""
    return subprocess.Popen(
        [sys.executable, "-m", "geomon", *arguments],
        env={**os.environ, "GEOMON_WORKSPACE": str(made.workspace)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
