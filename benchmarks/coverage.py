"""The exact share of every cell in real units, beside exactextract's cell ids and coverage."""

from collections.abc import Iterator
from typing import Any

import geopandas as gpd
import numpy as np
import shapely
from exactextract import exact_extract

from benchmarks.pairs import Pair
from benchmarks.zonal import THREADS, Pixels, grid_of, sources
from benchmarks.zones import units
from geomon.stats.coverage import cover


def pairs() -> Iterator[Pair]:
    """All units, and those few with the longest borders on cells as fine as fit them."""
    every = units()
    complex_ = sorted(every, key=lambda z: int(shapely.get_num_coordinates(z)))[-25:]
    for what, zones in (("295 units", every), ("25 units of complex borders", complex_)):
        yield pair(what, zones)


def pair(what: str, zones: list[Any]) -> Pair:
    """Cells of each zone; the difference is a share of the zone."""
    window = grid_of(zones)
    frame = gpd.GeoDataFrame({"zone": range(len(zones))}, geometry=zones, crs=4326)
    blank = np.zeros((1, *window.shape), np.uint8)

    def exactextract() -> Pixels:
        found = exact_extract(sources(blank, window), frame, ["cell_id", "coverage"], output="pandas")
        return np.array([share.sum(dtype=float) for share in found["coverage"]])

    return Pair(
        name=f"coverage: {what}, {shapely.get_num_coordinates(zones).sum():,} vertices, {window.shape[0]} rows",
        peer="exactextract (cell_id and coverage)",
        ours=lambda: cover(zones, window, THREADS).cells,
        theirs=exactextract,
        apart=lambda a, b: float(np.abs(a / b - 1).max()),
        allowed=1e-7,  # its shares are single precision; ours lie within 1e-14 of the planar areas
        budget=30,
    )
