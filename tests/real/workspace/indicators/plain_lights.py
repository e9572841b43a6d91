"""Pixel values added up as they are, negative noise included: the plain sum that others publish.

It depends on the size of the pixels; the area-weighted sum of `night-lights` does not.
"""

import xarray as xr

from geomon import Indicator, Output, Source, amount


def measure(radiance: xr.DataArray) -> dict:
    """Values above and below zero, each as a count."""
    unit = radiance.attrs["unit"]
    return {"above": amount(radiance.clip(min=0), unit), "below": amount((-radiance).clip(min=0), unit)}


def plain(totals: xr.Dataset) -> xr.DataArray:
    """What is above zero less what is below."""
    return totals.above - totals.below


INDICATOR = Indicator(
    code="plain-lights",
    title="Plain sum of night lights",
    freq="",
    sources={"radiance": Source("viirs-night-lights")},
    grid="radiance",
    measure=measure,
    outputs={"sum": Output(plain, "{radiance}", title="Plain sum")},
    minimum_coverage=0.0,
)
