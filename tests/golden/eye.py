"""Rasters small enough to check by eye, of the real collections: their codes, nodata, scale and units."""

from collections.abc import Mapping, Sequence

import numpy as np
import shapely

from geomon.grid import Window
from geomon.sources.catalog import Catalog
from geomon.testing import Raster, window
from geomon.zones import Zone, Zones

CRS = "EPSG:6933"  # of equal area: a cell of 100 m is a hectare
NAN = float("nan")


def stored(
    collection: str, dates: Mapping[str, Sequence[Sequence[float]]], band: str = "", at: Window | None = None
) -> Raster:
    """Pixels as a file of the collection would hold them."""
    arrays = {label: np.array(rows, float) for label, rows in dates.items()}
    shape = next(iter(arrays.values())).shape
    where = at or window(CRS, 0, 100 * shape[0], 100, (shape[0], shape[1]))
    return Raster(collection, Catalog.open().collection(collection).band(band), where, arrays)


def zone(*bounds: float, crs: str = CRS) -> Zones:
    """One zone, a box."""
    return Zones((Zone("all", "", "", shapely.box(*bounds)),), crs)
