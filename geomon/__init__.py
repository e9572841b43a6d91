"""Satellite and sensor rasters become SDG indicators that can be checked against official statistics."""

from typing import TYPE_CHECKING, Any

from geomon.errors import GeomonError
from geomon.indicator import (
    Choice,
    Given,
    Indicator,
    Layer,
    Official,
    Output,
    Shapes,
    Source,
    Survey,
)
from geomon.pixels import amount, area, classes, decibels, look_up, normalized_difference, rate
from geomon.values import Estimate, mean, percentile, share, total

if TYPE_CHECKING:
    from geomon.pipeline import plan, run
    from geomon.sources.catalog import Catalog
    from geomon.store import Store
    from geomon.zones import Zones

__version__ = "0.1.0"

__all__ = [
    "Catalog",
    "Choice",
    "Estimate",
    "GeomonError",
    "Given",
    "Indicator",
    "Layer",
    "Official",
    "Output",
    "Shapes",
    "Source",
    "Store",
    "Survey",
    "Zones",
    "amount",
    "area",
    "classes",
    "decibels",
    "look_up",
    "mean",
    "normalized_difference",
    "percentile",
    "plan",
    "rate",
    "run",
    "share",
    "total",
]

LATER = {
    "Catalog": "geomon.sources.catalog",
    "Store": "geomon.store",
    "Zones": "geomon.zones",
    "plan": "geomon.pipeline",
    "run": "geomon.pipeline",
}


def __getattr__(name: str) -> Any:
    """What needs GDAL and Dask is imported when it is first asked for, so that a definition loads fast."""
    if name not in LATER:
        raise AttributeError(f"module 'geomon' has no attribute {name!r}")
    import importlib

    return getattr(importlib.import_module(LATER[name]), name)
