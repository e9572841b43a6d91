"""Plots under a deforestation rule: forest at the end of 2020, and loss after it. The zones are the plots."""

import xarray as xr

from geomon import Indicator, Output, Source, classes, share


def measure(cover: xr.DataArray, lossyear: xr.DataArray) -> dict:
    """Mark the forest of 2020, and what of it was lost later."""
    forest = classes(cover, "forest")
    return {"forest": forest, "lost": forest & (lossyear >= 21)}


def verdict(totals: xr.Dataset) -> xr.DataArray:
    """0 no forest in 2020, 1 forest and no loss, 2 forest and loss after it: on a tenth of what was seen."""
    forest, lost = share("forest")(totals).value > 10, share("lost")(totals).value > 10
    return xr.where(forest, xr.where(lost, 2.0, 1.0), 0.0)


INDICATOR = Indicator(
    code="toy-plots",
    title="Forest and later loss on plots",
    sources={"cover": Source("cover", period="2020"), "lossyear": Source("loss")},
    grid="cover",
    measure=measure,
    outputs={"verdict": Output(verdict, "1"), "lost": Output(share("lost"), "percent")},
)
