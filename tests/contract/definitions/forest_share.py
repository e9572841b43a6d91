"""SDG 15.1.1: forest area as a proportion of total land area, by land cover."""

import xarray as xr

from geomon import Indicator, Official, Output, Source, classes, share


def measure(cover: xr.DataArray) -> dict:
    """Mark the pixels that are forest, and those that are land at all."""
    return {"forest": classes(cover, "forest"), "land": ~classes(cover, "water")}


INDICATOR = Indicator(
    code="toy-15.1.1",
    title="Forest area as a proportion of total land area",
    sources={"cover": Source("cover")},
    grid="cover",
    measure=measure,
    outputs={"share": Output(share("forest", of="land"), "percent", official=Official("AG_LND_FRST", tolerance=5.0))},
    map="forest",
)
