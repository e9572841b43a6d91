"""Rough ground: local relief within 300 m above 250 m, for a margin in metres. A toy of SDG 15.4.2."""

import xarray as xr

from geomon import Indicator, Layer, Output, Source, total


def relief(elevation: xr.DataArray) -> xr.DataArray:
    """Range of elevation in a square of 7 x 7 cells; missing where it is not whole."""
    around = elevation.rolling(y=7, x=7, center=True).construct(y="i", x="j")
    return around.max(("i", "j"), skipna=False) - around.min(("i", "j"), skipna=False)


def measure(relief: xr.DataArray) -> dict:
    """Mark rough ground."""
    return {"rough": relief > 250}


INDICATOR = Indicator(
    code="toy-rough",
    title="Rough ground",
    sources={"relief": Layer(relief, {"elevation": Source("elevation")}, margin="300 m", kind="rate")},
    grid="relief",
    measure=measure,
    outputs={"rough": Output(total("rough"), "km2")},
)
