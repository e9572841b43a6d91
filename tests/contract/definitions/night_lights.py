"""Night lights: radiance added up over ground, and its mean."""

import xarray as xr

from geomon import Indicator, Output, Source, mean, rate, total

UNIT = "nW cm-2 sr-1"


def measure(radiance: xr.DataArray) -> dict:
    """Light of each place; slightly negative where it is dark."""
    return {"light": rate(radiance, UNIT)}


INDICATOR = Indicator(
    code="toy-lights",
    title="Sum and mean of night lights",
    sources={"radiance": Source("lights")},
    grid="radiance",
    measure=measure,
    outputs={"sum": Output(total("light"), f"{UNIT} m2"), "mean": Output(mean("light"), UNIT)},
)
