"""Intervals of effects that several shapes explain nearly as well."""

import numpy as np
from scipy.special import ndtr

from geomon.departures.records import Floats


def blended(effect: Floats, error: Floats, share: Floats) -> tuple[float, float, float]:
    """The best of several effects, and the 95 % interval of all: of normal distributions mixed by their log likelihood.

    The arrays have one shape; where they have two axes, the effect is that of the best row, over its columns.
    """
    good = np.isfinite(error)
    rows = share if share.ndim == 1 else np.logaddexp.reduce(share, axis=1)
    row = int(np.argmax(np.where(good.reshape(len(rows), -1).any(1), rows, -np.inf)))
    own = np.exp(share[row] - np.max(share[row]))
    best = float((effect[row] * own).sum() / own.sum()) if share.ndim == 2 else float(effect[row])
    share = np.where(good, share, -np.inf)
    keep = share > share.max() - 8
    weight = np.exp(share[keep] - share.max())
    weight /= weight.sum()
    centre, width = effect[keep], error[keep]
    low, high = (_quantile(q, weight, centre, width) for q in (0.025, 0.975))
    return best, min(low, best), max(high, best)


def _quantile(q: float, weight: Floats, centre: Floats, width: Floats) -> float:
    low, high = float((centre - 6 * width).min()), float((centre + 6 * width).max())
    for _ in range(40):
        half = (low + high) / 2
        below = float((weight * ndtr((half - centre) / width)).sum())
        low, high = (half, high) if below < q else (low, half)
    return (low + high) / 2


def selected(effect: float, lower: float, upper: float, least: float) -> tuple[float, float]:
    """The interval of an effect that is told only because it is large: beyond `least` standard errors from 0.

    The end next to 0 is the size of which one in forty that are told would be as large (Zhong & Prentice 2008).
    """
    error = (upper - lower) / (2 * 1.96)
    if not error > 0:
        return lower, upper
    z = abs(effect) / error
    low, high = 0.0, z
    for _ in range(40):
        half = (low + high) / 2
        told = ndtr(half - least) + ndtr(-half - least)
        low, high = (half, high) if ndtr(half - max(z, least)) < 0.025 * told else (low, half)
    end = low * error
    return (min(lower, end), upper) if effect > 0 else (lower, max(upper, -end))
