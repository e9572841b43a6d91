"""UNCCD SO 3-1 and 3-2: land and people by drought class of the calendar year's rain."""

import numpy as np
import xarray as xr

from geomon import Indicator, Layer, Output, Source, amount, area, share

EDGES = (-2.0, -1.5, -1.0, 0.0)


def spi(rain: xr.DataArray) -> xr.DataArray:
    """Standardised rain of the last year against 30 (a toy: z of the square root, not a gamma fit)."""
    years = np.sqrt(rain.values.reshape(-1, 12, *rain.shape[1:]).sum(axis=1))
    return xr.zeros_like(rain.isel(time=0)) + (years[-1] - years.mean(axis=0)) / years.std(axis=0)


def severity(spi: xr.DataArray) -> xr.DataArray:
    """0 none, 1 mild, 2 moderate, 3 severe, 4 extreme."""
    return sum(((spi <= edge) * 1.0 for edge in EDGES), xr.zeros_like(spi)).where(spi.notnull())


def measure(people: xr.DataArray, drought: xr.DataArray) -> dict:
    """Ground and people by class."""
    return {"ground": area().by(drought=drought), "exposed": amount(people, "people").by(drought=drought)}


INDICATOR = Indicator(
    code="toy-so3",
    title="Land and people exposed to drought",
    sources={
        "people": Source("people"),
        "drought": Layer(severity, {"spi": Layer(spi, {"rain": Source("rain", window="30Y")}, kind="rate")}),
    },
    grid="people",
    measure=measure,
    outputs={"land": Output(share("ground"), "percent"), "people": Output(share("exposed", of="exposed"), "percent")},
    map="ground",
    people=True,
)
