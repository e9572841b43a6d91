"""Water on the day of a radar image; flood, if an image before it or reference water is there to tell."""

import xarray as xr

from geomon import Indicator, Output, Source, classes, total

DARK = -16.0  # dB


def measure(now: xr.DataArray, before: xr.DataArray | None = None, reference: xr.DataArray | None = None) -> dict:
    """Mark water, and the water that is not there otherwise."""
    water = now < DARK
    usual = [] if before is None else [before.median("time") < DARK]
    usual += [] if reference is None else [classes(reference, "water")]
    if not usual:
        return {"water": water}
    return {"water": water, "flood": water & ~(usual[0] | usual[-1])}


INDICATOR = Indicator(
    code="toy-flood",
    title="Water and flood on one day",
    freq="D",
    sources={
        "now": Source("radar", "vv"),
        "before": Source("radar", "vv", window="-60D"),
        "reference": Source("reference"),
    },
    grid="now",
    measure=measure,
    outputs={"water": Output(total("water"), "km2"), "flood": Output(total("flood"), "km2")},
    map="water",
)
