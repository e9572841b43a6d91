"""What a series tells of its own uncertainty: the scatter of its periods, and how far other products lie from it.

Neither is an error of a value, so neither is in its interval; both stand beside it.
"""

import math
from collections.abc import Iterable, Mapping

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.stats import t

from geomon.period import Period, naive
from geomon.texts import say

Floats = NDArray[np.float64]
LEVEL = 0.95
FEWEST_PERIODS = 8  # from which a scatter can be told
NAMES = ["series", "ref_area", "breakdown"]
KEYS = [*NAMES, "time_period", "unit_measure"]
MANY = 1.4826  # median absolute deviations in a standard deviation of normal numbers


def noise(series: pd.DataFrame, breaks: Iterable[tuple[str, str]]) -> list[dict[str, object]]:
    """How far single periods lie off the smooth course of their series, as rows of its components.

    From the distance of each value to the line through its neighbours, by their median, so that a real step or one
    wild year does not count; Student's t with half as many degrees of freedom as distances covers 95 to 97 % of normal
    scatter. Eight periods are needed, on one side of every known break.
    """
    rows: list[dict[str, object]] = []
    cuts = np.array(sorted(naive(pd.Timestamp(date)) for date, _ in breaks), "datetime64[ns]")
    told = series[np.isfinite(series.obs_value) & (series.obs_status == "")].reset_index(drop=True)
    starts = {label: Period.of(label).start for label in told.time_period.unique()}
    times = told.time_period.map(starts).to_numpy("datetime64[ns]")
    days = (times - np.datetime64("1970-01-01", "ns")) / np.timedelta64(1, "D")
    stretch = np.searchsorted(cuts, times, side="right")
    values, facts = told.obs_value.to_numpy(float), told[KEYS].to_dict("records")
    for places in told.groupby([*NAMES, stretch], sort=False).indices.values():
        if len(places) < FEWEST_PERIODS:
            continue
        places = places[np.argsort(days[places], kind="stable")]
        sigma = scatter(values[places], days[places])
        half = sigma * t.ppf(0.5 + LEVEL / 2, (len(places) - 2) / 2)
        said = {"component": "noise", "se": sigma, "level": LEVEL, "basis": say("basis.noise", count=len(places))}
        rows += [{**facts[i], **said, "lower": values[i] - half, "upper": values[i] + half} for i in places]
    return rows


def scatter(values: Floats, times: Floats) -> float:
    """Standard deviation of values about the line through the neighbours of each."""
    near = (times[2:] - times[1:-1]) / (times[2:] - times[:-2])
    apart = values[1:-1] - near * values[:-2] - (1 - near) * values[2:]
    apart = np.abs(apart) / np.sqrt(1 + near**2 + (1 - near) ** 2)
    middle = float(np.median(apart))
    return MANY * middle if middle > 0 else math.sqrt(math.pi / 2) * float(apart.mean())


def products(series: pd.DataFrame, others: Mapping[str, pd.DataFrame]) -> list[dict[str, object]]:
    """How far the same series lie apart that were made from other products, as rows of its components.

    `others` holds them by what they were made from. Products that agree may all be wrong: this is no accuracy.
    """
    named = pd.concat([o[[*KEYS, "obs_value"]].assign(product=name) for name, o in others.items()]) if others else None
    if named is None:
        return []
    told = series.loc[np.isfinite(series.obs_value), [*KEYS, "obs_value"]]
    both = named[np.isfinite(named.obs_value)].merge(told, on=KEYS, suffixes=("", "_own")).sort_values("product")
    groups = both.groupby(KEYS, sort=False)
    found = groups.agg(low=("obs_value", "min"), high=("obs_value", "max"), own=("obs_value_own", "first"))
    made_from = groups["product"].agg(", ".join)
    return [
        {
            **dict(zip(KEYS, key, strict=True)),
            "component": "products",
            "lower": min(low, own),
            "upper": max(high, own),
            "basis": say("basis.products", products=names),
        }
        for key, (low, high, own), names in zip(found.index, found.to_numpy(), made_from, strict=True)
    ]
