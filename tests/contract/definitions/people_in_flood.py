"""People where there is flood: a fine map on a coarse count, beside all people on their own grid."""

import xarray as xr

from geomon import Indicator, Layer, Output, Source, amount, classes, total


def flooded(now: xr.DataArray, reference: xr.DataArray) -> xr.DataArray:
    """1 where there is water that is not there otherwise."""
    return ((now < -16.0) & ~classes(reference, "water")) * 1.0


def measure(people: xr.DataArray, flood: xr.DataArray) -> dict:
    """People of the flooded share of each cell."""
    return {"exposed": amount(people * flood, "people")}


PEOPLE = Source("people", period="2020")
INDICATOR = Indicator(
    code="toy-exposed",
    title="People exposed to flood",
    freq="D",
    sources={
        "people": PEOPLE,
        "flood": Layer(flooded, {"now": Source("radar", "vv"), "reference": Source("reference")}, kind="rate"),
    },
    grid="people",
    measure=measure,
    sums={"population": PEOPLE},
    outputs={"exposed": Output(total("exposed"), "people"), "population": Output(total("population"), "people")},
    minimum_coverage=0.3,
    people=True,
)
