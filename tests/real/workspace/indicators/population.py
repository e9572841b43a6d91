"""People, added up on the product's own grid."""

import xarray as xr

from geomon import Indicator, Output, Source, amount, total


def measure(people: xr.DataArray) -> dict:
    """Count people."""
    return {"people": amount(people, "people")}


INDICATOR = Indicator(
    code="population",
    title="Population",
    freq="",
    sources={"people": Source("worldpop", window="closest")},
    grid="people",
    measure=measure,
    outputs={"people": Output(total("people"), "people", title="People")},
    people=True,
)
