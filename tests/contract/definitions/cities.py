"""SDG 11.3.1: land consumption rate to population growth rate, by city, in one frame for both years."""

import numpy as np
import xarray as xr

from geomon import Indicator, Layer, Output, Source, amount

CORE, CITY = 150.0, 1500.0  # people a cell, people a city


def cities(people: xr.DataArray) -> xr.DataArray:
    """Number the connected dense cells of any year by the place of the first of them; 0 is no city."""
    dense = (people >= CORE).any("time")
    place = (dense.x - 1e6 * dense.y).transpose("y", "x").where(dense, np.inf)  # from the north, then from the west
    number, before = place, None
    while before is None or not number.equals(before):
        before, steps = number, [number.shift({d: n}, fill_value=np.inf) for d in ("y", "x") for n in (1, -1)]
        every = xr.concat([number, *steps], "step", coords="minimal", compat="override")
        number = every.min("step").where(dense, np.inf)
    _, which = np.unique(number.values, return_inverse=True)
    size = np.bincount(which.ravel(), weights=people.max("time").fillna(0).values.ravel())
    return xr.where(np.isfinite(number) & (size[which.reshape(number.shape)] >= CITY), number, 0.0)


def measure(people: xr.DataArray, built: xr.DataArray, city: xr.DataArray) -> dict:
    """People and built-up ground of each city."""
    return {"people": amount(people, "people").by(city=city), "built": amount(built, "m2").by(city=city)}


def ratio(totals: xr.Dataset) -> xr.DataArray:
    """Growth of built-up ground over growth of people; missing where people hardly change."""
    inside = totals.sel(city=totals.city != 0)
    start, end = inside.isel(period=0, drop=True), inside.isel(period=-1, drop=True)
    years = int(totals.period[-1]) - int(totals.period[0])
    growth = np.log(end.people / start.people) / years
    return ((end.built / start.built - 1) / years / growth).where(abs(growth) >= 0.001)


INDICATOR = Indicator(
    code="toy-11.3.1",
    title="Ratio of land consumption rate to population growth rate",
    sources={
        "people": Source("ghs", "population"),
        "built": Source("ghs", "built"),
        "city": Layer(cities, {"people": Source("ghs", "population", window="span")}, over="country", margin="2000 m"),
    },
    grid="people",
    measure=measure,
    outputs={"ratio": Output(ratio, "1")},
    map="people",
)
