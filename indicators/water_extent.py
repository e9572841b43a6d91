"""Water on the day of a radar image; flood, if an image before it or reference water is there to tell.

Calm open water is dark in radar because it mirrors the signal away. Wind, floating plants and flooded
streets or forests are not dark and are missed; airfields, dry sand, radar shadow and wet snow can be dark
and are mistaken for water. The image shows one moment: the peak of a flood may have passed before or
after it. Without an image before and without reference water there is water here, and no flood.

Backscatter is averaged over 3 x 3 pixels against speckle, then compared with a fixed threshold in VV. The
threshold stays fixed because one that is found in the image itself (Otsu) needs much water in it: in dry
scenes it lands in the middle of the land.
"""

import numpy as np
import xarray as xr
from scipy.ndimage import uniform_filter

from geomon import Choice, Indicator, Layer, Output, Source, classes, decibels, total


def smooth(power: xr.DataArray) -> xr.DataArray:
    """Backscatter in dB, its power averaged over those of 3 x 3 pixels that were seen."""
    db = decibels(power)
    seen = db.notnull().values
    linear = np.where(seen, 10 ** (db.fillna(0).values / 10), 0.0)
    share = uniform_filter(seen.astype(float), 3, mode="constant")
    around = uniform_filter(linear, 3, mode="constant") / np.where(seen, share, 1.0)
    return db.copy(data=10 * np.log10(np.where(seen, around, np.nan)))


def middle(power: xr.DataArray) -> xr.DataArray:
    """The median of several images, smoothed."""
    return smooth(power.median("time", keep_attrs=True))


def measure(
    now: xr.DataArray,
    before: xr.DataArray | None = None,
    reference: xr.DataArray | None = None,
    *,
    threshold: str,
) -> dict:
    """Mark water, and the water that is not there otherwise."""
    dark = float(threshold.removesuffix(" dB"))
    water = now < dark
    usual = [] if before is None else [before < dark]
    usual += [] if reference is None else [classes(reference, "permanent")]
    if not usual:
        return {"water": water}
    return {"water": water, "flood": water & ~(usual[0] | usual[-1])}


INDICATOR = Indicator(
    code="water-extent",
    title="Water and flood on one day, by radar",
    freq="D",
    sources={
        "now": Layer(smooth, {"power": Source("sentinel-1-rtc", "vv")}, kind="rate", margin="1 px"),
        "before": Layer(middle, {"power": Source("sentinel-1-rtc", "vv", window="-60D")}, kind="rate", margin="1 px"),
        "reference": Source("jrc-gsw", "yearly", window="closest"),
    },
    grid="now",
    measure=measure,
    outputs={
        "water": Output(total("water"), "km2", title="Water"),
        "flood": Output(total("flood"), "km2", title="Flood: water that is not there otherwise", desired="down"),
    },
    params={"threshold": Choice(("-15 dB", "-14 dB", "-16 dB", "-17 dB"), "darker than this in VV is water")},
    map="water",
    minimum_coverage=0.5,
    unseen=(
        "Not seen: water between houses and under trees, the hours before and after the image, and how many people the "
        "water reached."
    ),
    objections={
        "Our town was flooded and your map shows it dry.": (
            "Radar hardly sees water between houses or under trees. The flooded area is a lower estimate there."
        ),
        "That lake is always there.": (
            "Flood is only what was not water in the images before, and not in the reference water, where they exist."
        ),
    },
)
