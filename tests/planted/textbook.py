"""What one gets from textbook tests alone: the row that a check has to beat.

On the differences of the nation and of each district: a paired t-test for a level, Mann and Kendall's for a trend,
Pettitt's for a break, each corrected by Holm's method over the nation and its districts, and nothing else: no
tolerance, no allowance for honest differences, no memory from year to year.
"""

import numpy as np
from scipy.stats import norm, t

from geomon.departures.records import Compared, Level, Panel, Reason
from tests.planted.truth import Floats

NOTHING = Level(value=np.nan, lower=np.nan, upper=np.nan, lower90=np.nan, upper90=np.nan, n=0, p_equal=np.nan)


def compare(panel: Panel) -> Compared:
    """Every rejection at five percent as a reason, the smallest p first."""
    with np.errstate(divide="ignore", invalid="ignore"):
        difference = _difference(panel)
    known = ~np.isnan(difference)
    heavy = np.ones(len(difference)) if panel.weights is None else panel.weights
    weights = np.where(known, heavy[:, None], 0.0)
    total = (weights * np.nan_to_num(difference)).sum(axis=0)
    whole = np.where(known.any(axis=0), weights.sum(axis=0), np.nan)
    series = np.vstack([total / whole, difference])
    everywhere = tuple(range(len(difference)))
    places = [("nation", everywhere), *(("area", (k,)) for k in everywhere)]
    reasons = []
    for name, p in (("level", _student(series)), ("trend", _kendall(series)), ("break", _pettitt(series))):
        for (scope, areas), corrected in zip(places, holm(p), strict=True):
            if corrected < 0.05:
                reasons.append(Reason(name=name, scope=scope, areas=areas, score=-float(corrected), p=float(corrected)))
    return Compared(
        reasons=tuple(sorted(reasons, key=lambda reason: reason.p)),
        nation=NOTHING,
        provinces={},
        districts=(None,) * len(difference),
        years=int(known.any(axis=0).sum()),
    )


def _difference(panel: Panel) -> Floats:
    if not panel.relative:
        return (panel.satellite - panel.official) / panel.tolerance
    ratio = np.where(panel.official > 0, panel.satellite / panel.official, np.nan)
    return np.asarray(np.log(ratio) / np.log1p(panel.tolerance))


def _student(series: Floats) -> Floats:
    """p of a mean of zero, for each row."""
    n = (~np.isnan(series)).sum(axis=1)
    value = np.nanmean(series, axis=1) / np.maximum(np.nanstd(series, axis=1, ddof=1), 1e-12) * np.sqrt(n)
    return np.asarray(2 * t.sf(np.abs(value), n - 1))


def _signs(series: Floats) -> Floats:
    """(rows, years, years) 1 where the later of two years is larger, -1 where smaller, 0 where either is missing."""
    return np.nan_to_num(np.sign(series[:, None, :] - series[:, :, None]))


def _kendall(series: Floats) -> Floats:
    """p of no trend after Mann (1945) and Kendall (1975), ties left out of the variance."""
    n = (~np.isnan(series)).sum(axis=1)
    s = np.triu(_signs(series), 1).sum(axis=(1, 2))
    z = (np.abs(s) - 1).clip(0) / np.sqrt(n * (n - 1) * (2 * n + 5) / 18)
    return np.asarray(2 * norm.sf(z))


def _pettitt(series: Floats) -> Floats:
    """p of no break after Pettitt (1979), by his approximation."""
    n = (~np.isnan(series)).sum(axis=1)
    signs = _signs(series)
    k = np.max([np.abs(signs[:, :cut, cut:].sum(axis=(1, 2))) for cut in range(1, series.shape[1])], axis=0)
    return np.asarray(np.minimum(1.0, 2 * np.exp(-6 * k**2 / (n**3 + n**2))))


def holm(p: Floats) -> Floats:
    """p-values corrected after Holm (1979)."""
    order = np.argsort(p)
    corrected = np.empty(p.size)
    corrected[order] = np.minimum(1.0, np.maximum.accumulate(p[order] * np.arange(p.size, 0, -1)))
    return corrected
