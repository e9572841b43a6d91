"""Satellite and sensor rasters become SDG indicators that can be checked against official statistics."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from geomon.composite import at_maximum, first_date, geometric_median, last_date, medoid, packed
    from geomon.errors import GeomonError
    from geomon.indicator import Choice, Given, Indicator, Layer, Official, Output, Shapes, Source, Survey
    from geomon.pipeline import plan, run
    from geomon.pixels import amount, area, classes, decibels, look_up, normalized_difference, rate
    from geomon.sources.catalog import Catalog
    from geomon.store import Store
    from geomon.values import Estimate, mean, percentile, share, total
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
    "at_maximum",
    "classes",
    "decibels",
    "first_date",
    "geometric_median",
    "last_date",
    "look_up",
    "mean",
    "medoid",
    "normalized_difference",
    "packed",
    "percentile",
    "plan",
    "rate",
    "run",
    "share",
    "total",
]

ROOMS = {
    "composite": ("at_maximum", "first_date", "geometric_median", "last_date", "medoid", "packed"),
    "errors": ("GeomonError",),
    "indicator": ("Choice", "Given", "Indicator", "Layer", "Official", "Output", "Shapes", "Source", "Survey"),
    "pipeline": ("plan", "run"),
    "pixels": ("amount", "area", "classes", "decibels", "look_up", "normalized_difference", "rate"),
    "sources.catalog": ("Catalog",),
    "store": ("Store",),
    "values": ("Estimate", "mean", "percentile", "share", "total"),
    "zones": ("Zones",),
}
WHERE = {name: f"geomon.{room}" for room, names in ROOMS.items() for name in names}


def __getattr__(name: str) -> Any:
    """Imported when first asked for: a definition does not wait for GDAL and Dask, `geomon --help` for nothing."""
    if name not in WHERE:
        raise AttributeError(f"module 'geomon' has no attribute {name!r}")
    import importlib

    return getattr(importlib.import_module(WHERE[name]), name)
