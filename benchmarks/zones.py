"""Real boundaries for the comparisons: the first-level units of West and Central Africa, and a grid around them."""

import os
from pathlib import Path

import geopandas as gpd
import numpy as np
import shapely
from shapely.geometry.base import BaseGeometry

ROOT = Path(__file__).resolve().parents[1]
SHARED = Path(os.environ.get("GEOMON_SHARED_DATA", ROOT.parent / "shared" / "data"))
UNITS = SHARED / "vectors" / "ocha_wca_adm1.parquet"
DATA = Path(os.environ.get("GEOMON_BENCH_DATA", ROOT / "benchmarks" / "data"))
"""Made input, kept between runs."""


def units() -> list[BaseGeometry]:
    """The 295 units in degrees, valid, polygons only."""
    if not UNITS.exists():
        raise SystemExit(f"The boundaries are not at {UNITS}. Set GEOMON_SHARED_DATA to the folder of the shared data.")
    found = shapely.make_valid(gpd.read_parquet(UNITS).geometry.values)
    return [polygons(g) for g in found]


def polygons(geometry: BaseGeometry) -> BaseGeometry:
    """The polygons of a collection, without its lines and points."""
    if geometry.geom_type != "GeometryCollection":
        return geometry
    return shapely.MultiPolygon([p for p in shapely.get_parts(geometry) if p.geom_type == "Polygon"])


def bounds(geometries: list[BaseGeometry]) -> tuple[float, float, float, float]:
    """A little more than what they cover."""
    west, south, east, north = shapely.total_bounds(geometries)
    x, y = (east - west) * 0.005, (north - south) * 0.005
    return west - x, south - y, east + x, north + y


def fitted(geometries: list[BaseGeometry], into: tuple[float, float, float, float]) -> list[BaseGeometry]:
    """The same shapes in another box."""
    west, south, east, north = bounds(geometries)
    x0, y0, x1, y1 = into
    scale = np.array([(x1 - x0) / (east - west), (y1 - y0) / (north - south)])
    return [shapely.transform(g, lambda c: np.array([x0, y0]) + (c - [west, south]) * scale) for g in geometries]
