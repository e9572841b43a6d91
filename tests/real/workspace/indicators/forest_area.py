"""Forest area in hectares, all forest and closed forest, of a land cover map with both groups."""

import xarray as xr

from geomon import Indicator, Output, Source, classes, total


def measure(cover: xr.DataArray) -> dict:
    """Mark forest and closed forest."""
    return {"forest": classes(cover, "forest"), "closed": classes(cover, "closed-forest")}


INDICATOR = Indicator(
    code="forest-area",
    title="Forest area",
    sources={"cover": Source("cgls-lc100")},
    grid="cover",
    measure=measure,
    outputs={
        "forest": Output(total("forest"), "ha", title="Forest"),
        "closed": Output(total("closed"), "ha", title="Closed forest"),
    },
)
