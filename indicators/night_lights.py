"""Night lights: radiance added up over ground, and its mean.

Each pixel counts with its true area, so the sum does not depend on the size of a product's pixels.
Lights follow electricity, traffic and industry more than welfare; gas flares, fires and snow shine too.
One sensor makes one series: values of DMSP (until 2013) and VIIRS (from 2012) are never joined.

The mean of the months of a year is taken pixel by pixel over those that were observed; how many is in n_obs.
Radiance can be slightly negative where it is dark: that is noise around zero, and it is kept.
"""

import xarray as xr

from geomon import Indicator, Output, Source, mean, rate, total


def measure(radiance: xr.DataArray) -> dict:
    """Light of each place, the mean of the period's images."""
    return {"light": rate(radiance.mean("time"), radiance.attrs["unit"])}


INDICATOR = Indicator(
    code="night-lights",
    title="Night lights: sum over ground and mean",
    freq="A",
    sources={"radiance": Source("viirs-night-lights", window="period")},
    grid="radiance",
    measure=measure,
    outputs={
        "sum": Output(total("light"), "{radiance} km2", title="Sum of lights over ground"),
        "mean": Output(mean("light"), "{radiance}", title="Mean radiance"),
    },
    map="light",
    minimum_coverage=0.8,
    unseen=(
        "Not seen: people and work without electric light, blue light of new lamps, and everything that happens in "
        "daylight."
    ),
    objections={
        "More light is not more income.": (
            "Right. Lights are shown as what they are; a relation to trade or income is a correlation, and it is "
            "weak for small areas."
        ),
        "We changed to LED lamps and your series fell.": (
            "The sensor does not see blue light, so a change to LED lowers the value without less light."
        ),
    },
)
