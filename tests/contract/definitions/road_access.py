"""SDG 9.1.1: rural people near an all-season road, with the length of road beside it."""

import xarray as xr

from geomon import Indicator, Layer, Output, Shapes, Source, amount, share

ALL_SEASON = (("highway", ("primary", "secondary")),)
DENSE = 60.0  # people a cell


def is_rural(people: xr.DataArray) -> xr.DataArray:
    """Cells whose neighbourhood of 3 x 3 is not dense; unknown where it is not whole."""
    around = people.rolling(y=3, x=3, center=True).construct(y="i", x="j").mean(("i", "j"), skipna=False)
    return (around < DENSE).where(around.notnull())


def measure(people: xr.DataArray, rural: xr.DataArray, near: xr.DataArray) -> dict:
    """Count rural people, and those near a road."""
    return {"rural": amount(people * rural, "people"), "served": amount(people * rural * near, "people")}


def road_density(totals: xr.Dataset) -> xr.DataArray:
    """Metres of road for each rural person: kilometres for a thousand."""
    return totals.road / totals.rural.where(totals.rural > 0)


PEOPLE = Source("people")
INDICATOR = Indicator(
    code="toy-9.1.1",
    title="Rural population near an all-season road",
    sources={
        "people": PEOPLE,
        "rural": Layer(is_rural, {"people": PEOPLE}, margin="1 px"),
        "near": Shapes("roads", where=ALL_SEASON, within=450),
    },
    grid="people",
    measure=measure,
    sums={"road": Shapes("roads", where=ALL_SEASON, as_="length"), "population": PEOPLE},
    outputs={
        "access": Output(share("served", of="rural"), "percent"),
        "road": Output(road_density, "km per 1000"),
    },
    people=True,
)
