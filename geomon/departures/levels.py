"""Mean differences of the nation, its provinces and its areas, with intervals."""

import numpy as np
from scipy.special import stdtr, stdtrit

from geomon.departures.noise import Noise
from geomon.departures.records import Floats, Level
from geomon.departures.scale import Bools, middle

NOTHING = Level(
    value=np.nan, lower=np.nan, upper=np.nan, lower90=np.nan, upper90=np.nan, n=0.0, p_equal=np.nan
)  # fmt: skip


def level(d: Floats, weights: Floats, model: Noise | None) -> Level:
    """The mean of a difference (areas, years) over areas by weight and over years; NaN below three years.

    With noise, its size is the model's; without, that of the yearly means.
    """
    seen = np.isfinite(d) & (weights[:, None] > 0)
    with_values = seen.any(1)
    if not with_values.any():
        return NOTHING
    d, seen, weights = d[with_values], seen[with_values], weights[with_values]
    own = np.where(seen, d, 0.0).sum(1) / seen.sum(1)
    share = weights / weights.sum()
    value = float(share @ own)
    beside = np.where(seen, d - own[:, None], 0.0)
    part = np.where(seen, share[:, None], 0.0).sum(0)
    yearly = np.where(part > 0, (beside * share[:, None]).sum(0) / np.where(part > 0, part, 1.0), np.nan)
    yearly = yearly[np.isfinite(yearly)]
    n = len(yearly)
    if n < 3:
        return NOTHING
    if model is None:
        free = float(n)
        error = float(np.std(yearly, ddof=1)) / np.sqrt(n)
    else:
        free = max(2.0, n * (1 - model.persistence) / (1 + model.persistence))
        size = np.sqrt(model.common**2 + float((share**2 * (model.local**2)).sum()))
        error = float(size / np.sqrt(free))
    half95, half90 = (float(stdtrit(max(free - 1, 1.0), q)) * error for q in (0.975, 0.95))
    nearest = (1 - abs(value)) / error if error > 0 else np.sign(1 - abs(value)) * np.inf
    p = float(stdtr(max(free - 1, 1.0), -nearest))
    return Level(
        value=value,
        lower=value - half95,
        upper=value + half95,
        lower90=value - half90,
        upper90=value + half90,
        n=free,
        p_equal=p,
    )


def common_years(d: Floats) -> int:
    """Years in which any area has both values."""
    return int(np.isfinite(d).any(0).sum())


def yearly(z: Floats, seen: Bools) -> Floats:
    """(years,) what the areas of one side have in common: mean over areas of what each is beside its own median."""
    z = np.where(seen, z, np.nan)
    beside = z - middle(z, 1)[:, None]
    count = np.isfinite(beside).sum(0)
    return np.where(count > 0, np.nansum(beside, 0) / np.maximum(count, 1), np.nan)
