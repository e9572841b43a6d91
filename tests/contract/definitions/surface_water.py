"""SDG 6.6.1: permanent and seasonal surface water. A pixel that was not seen is not dry: it widens the bounds."""

import xarray as xr

from geomon import Indicator, Output, Source, classes, total


def measure(yearly: xr.DataArray) -> dict:
    """Mark permanent and seasonal water."""
    return {"permanent": classes(yearly, "permanent"), "seasonal": classes(yearly, "seasonal")}


INDICATOR = Indicator(
    code="toy-6.6.1",
    title="Extent of surface water",
    sources={"yearly": Source("water", "yearly")},
    grid="yearly",
    measure=measure,
    outputs={"permanent": Output(total("permanent"), "km2"), "seasonal": Output(total("seasonal"), "km2")},
    minimum_coverage=0.9,
)
