"""SDG 6.6.1: extent of surface water, permanent and seasonal.

Water that was there in every observed month of the year is permanent, in some months seasonal. A pixel
that was never observed in the year is not dry: it widens the upper bound. Narrow rivers, water under
vegetation and ponds smaller than a pixel are not seen; paddy fields and wetlands may count as seasonal water.

The years up to about 2003 were observed less often than later ones, so early values can be low.
"""

import xarray as xr

from geomon import Indicator, Official, Output, Source, classes, total

SAME = "surface water mapped from Landsat"


def measure(yearly: xr.DataArray) -> dict:
    """Mark permanent and seasonal water."""
    return {"permanent": classes(yearly, "permanent"), "seasonal": classes(yearly, "seasonal")}


INDICATOR = Indicator(
    code="6.6.1",
    title="Extent of surface water, permanent and seasonal",
    freq="A",
    sources={"yearly": Source("jrc-gsw", "yearly")},
    grid="yearly",
    measure=measure,
    outputs={
        "permanent": Output(
            total("permanent"),
            "km2",
            title="Permanent surface water",
            official=Official("EN_LKRV_PWAN", tolerance=0.1, relative=True, definition=SAME),
        ),
        "seasonal": Output(
            total("seasonal"),
            "km2",
            title="Seasonal surface water",
            official=Official("EN_LKRV_SWAN", tolerance=0.2, relative=True, definition=SAME),
        ),
    },
    map="permanent",
    minimum_coverage=0.9,
    unseen=(
        "Not seen: rivers, springs and ponds smaller than a pixel, water under plants, groundwater, and how good the "
        "water is for the people who drink it."
    ),
    objections={
        "A dry year is not a lost lake.": (
            "Right. One year's step says little; look at several years, and at seasonal water beside permanent."
        ),
        "Why is the upper bound so far away in early years?": (
            "Fewer images were taken then. Every pixel that nobody saw could have been water."
        ),
    },
)
