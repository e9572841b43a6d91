"""How honest series differ: constants, drifts and noise of the country and of its areas, as covariances.

The difference of area i in year t is a national part (a constant, a drift, noise of the year) and a local part of the
same kind. What is constant and drifts has the size that the allowance declares, or more where the areas show it;
noise is measured by medians of changes in time, which one departure hardly moves. All areas are taken together:
the inverse of the covariance of the whole panel comes from one small matrix for each area (Woodbury), so that an
effect on one province is measured beside what the rest says about the nation.
"""

from dataclasses import dataclass

import numpy as np

from geomon.departures.records import Floats, Panel
from geomon.departures.scale import Bools, middle, scaled, spread

FLOOR = 0.05  # tolerances: no series is trusted to be less noisy
FREE = 30.0  # tolerances: how far constants of a proxy may lie apart
SIZES = np.exp(np.linspace(-0.8, 0.8, 5))  # of the noise of the country beside what changes in time show
UNSURE = 0.6  # standard deviation of their logarithm
USUAL = 0.25  # correlation of neighbours in time before any were seen


@dataclass(frozen=True, kw_only=True)
class Noise:
    """Covariance of honest differences, ready for least squares."""

    years: Floats
    seen: Bools
    """(areas, years) where both sides have a value."""
    precision: Floats
    """(areas, years, years) inverse covariance of the local part; 0 where nothing is seen."""
    pooled: Floats
    """(years, years): what the national part leaves, inverse of its own precision plus that of all areas."""
    local: float
    """Standard deviation of the yearly noise of an area, in tolerances."""
    own: Floats
    """(areas,) the same for each area."""
    common: float
    """Of the whole country."""
    persistence: float
    constant: float
    """Standard deviation of the constant differences of areas."""
    doubtful: Floats
    """The same as `pooled` if the noise of the country were a tenth larger in variance."""
    sized: Floats
    """(sizes, years, years) the same for each of SIZES times the noise of the country."""
    odds: Floats
    """(sizes,) log weight of each size before the difference is seen."""
    freedom: float
    """Degrees of freedom with which the noise of the country is known."""

    def solve(self, e: Floats) -> tuple[Floats, Floats]:
        """The precision of the areas times a difference (areas, years) without NaN, and its sum over them."""
        local = np.einsum("itu,iu->it", self.precision, e)
        return local, local.sum(0)

    def weighed(self, total: Floats) -> Floats:
        """(sizes,) log likelihood of the noise of the country, by what a difference sums to after `solve`."""
        return np.asarray(np.einsum("t,gtu,u->g", total, self.sized, total) / 2 + self.odds)


def noise(panel: Panel, years: Floats, d: Floats) -> Noise:
    """The noise of a difference d (areas, years) in tolerances; years are those of its columns."""
    n, length = d.shape
    seen = np.isfinite(d)
    allowed = panel.allowance
    level = middle(d, 1)
    nation = _nation(d, level)
    rest = d - nation if n > 1 else d
    shrunk = 1 - 1 / n if 1 < n < 6 else 1.0  # what few areas lose by their own mean
    persistence = _persistence(rest)
    changes = rest[:, 1:] - rest[:, :-1]
    local = max(np.sqrt(spread(changes) ** 2 / (2 * (1 - persistence) * shrunk)), FLOOR)
    own = _own(changes, local, persistence, shrunk)
    common = local
    if n == 1:
        own = np.full(1, 0.02)
    else:
        step = np.diff(nation[np.isfinite(nation)])
        power = 0.5 * spread(step) ** 2 + 0.5 * _clipped(step)
        common = np.sqrt(max(power / (2 * (1 - persistence)) - 1.2 * local**2 / n, (0.15 * local) ** 2, 0.04**2))
    decades = (years - years.mean()) / 10
    between, drifts = _between(panel, d, level, decades, local, persistence)
    near = persistence ** np.abs(years[:, None] - years)
    constant, drift = np.ones((length, length)), np.outer(decades, decades)
    wide = _widths(panel, years, rest)
    cov = np.zeros((n, length, length))
    if n > 1:
        cov = cov + (FREE if panel.proxy else between) ** 2 * constant + drifts**2 * drift
    cov = cov + (own**2)[:, None, None] * near * wide[:, :, None] * wide[:, None, :]
    both = seen[:, :, None] & seen[:, None, :]
    cov = np.where(both, cov, 0.0) + np.eye(length) * (1.0 - seen)[:, :, None]
    precision = np.where(both, np.linalg.inv(cov), 0.0)
    free = FREE if panel.proxy else allowed.nation
    known = free**2 * constant + allowed.drift_nation**2 * drift + 1e-6 * np.eye(length)
    variances = np.concatenate([[1.0, 1.1], SIZES**2])[:, None, None]
    ours = known + variances * common**2 * near
    inner = np.linalg.inv(ours) + precision.sum(0)
    solved = np.linalg.inv(inner)
    volume = np.linalg.slogdet(ours)[1] + np.linalg.slogdet(inner)[1]
    return Noise(
        years=years,
        seen=seen,
        precision=precision,
        pooled=solved[0],
        doubtful=solved[1],
        sized=solved[2:],
        odds=-volume[2:] / 2 - (np.log(SIZES) / UNSURE) ** 2 / 2,
        local=float(local),
        own=own,
        common=float(common),
        persistence=persistence,
        constant=float(between),
        freedom=max(3.0, float(seen.any(0).sum()) - 4),
    )


def _nation(d: Floats, level: Floats) -> Floats:
    """(years,) the national part: the median of what areas are beside their own; the mean of few areas."""
    beside = d - level[:, None]
    if d.shape[0] >= 4:
        return middle(beside, 0) + middle(level)
    count = np.isfinite(beside).sum(0)
    total = np.nansum(beside, 0) / np.maximum(count, 1) + (np.nanmean(level) if np.isfinite(level).any() else 0.0)
    return np.where(count > 0, total, np.nan)


def _persistence(rest: Floats) -> float:
    """Correlation of neighbours in time, from changes over one step and over two, drawn to the usual where few."""
    one, two = rest[:, 1:] - rest[:, :-1], rest[:, 2:] - rest[:, :-2]
    count = float(np.isfinite(two).sum())
    v1, v2 = spread(one) ** 2, spread(two) ** 2
    shown = v2 / v1 - 1 if v1 > 0 else 0.0
    return float(np.clip((shown * count + USUAL * 60) / (count + 60), 0.0, 0.7))


def _own(changes: Floats, local: float, persistence: float, shrunk: float) -> Floats:
    """(areas,) noise of each area, drawn to that of all as far as their spread is no more than chance."""
    count = np.isfinite(changes).sum(1)
    size = 1.4826 * middle(np.abs(changes), 1) / np.sqrt(2 * (1 - persistence) * shrunk)
    good = (count >= 6) & (size > 0)
    if good.sum() < 6:
        return np.full(len(changes), local)
    ratio = np.where(good, np.log(np.where(good, np.maximum(size, FLOOR), 1.0) / local), 0.0)
    chance = 1.5 / np.maximum(count, 6)  # variance of the logarithm of a deviation by medians
    real = max(0.0, spread(ratio[good]) ** 2 - float(chance[good].mean()))
    return np.asarray(local * np.exp(ratio * real / (real + chance)))


def _clipped(step: Floats) -> float:
    """Mean square of steps, none counted beyond three deviations."""
    if step.size == 0:
        return 0.0
    far = 3 * spread(step)
    return float(np.mean(np.clip(step - np.median(step), -far, far) ** 2))


def _between(
    panel: Panel, d: Floats, level: Floats, decades: Floats, local: float, persistence: float
) -> tuple[float, float]:
    """How far constants and drifts of areas lie apart: as allowed, or as the areas show."""
    allowed = panel.allowance
    seen = np.isfinite(d)
    count = seen.sum(1)
    full = count >= max(5, 0.5 * seen.any(0).sum())
    if full.sum() < 6:
        return allowed.area, allowed.drift_area
    inflate = (1 + persistence) / (1 - persistence)
    chance = 1.57 * local**2 * inflate / count[full].mean()
    between = np.sqrt(max(0.0, spread(level[full]) ** 2 - chance))
    x = np.where(seen, decades, 0.0)
    x = np.where(seen, x - x.sum(1, keepdims=True) / np.maximum(count, 1)[:, None], 0.0)
    power = (x**2).sum(1)
    slopes = (x * np.where(seen, d, 0.0)).sum(1)[full] / power[full]
    drifts = np.sqrt(max(0.0, spread(slopes) ** 2 - local**2 * inflate / power[full].mean()))
    high = 1 + 1.17 / np.sqrt(2 * full.sum())  # by which such a deviation may lie too high
    return (
        float(np.clip(between / high, allowed.area, 3 * allowed.area)),
        float(np.clip(drifts / high, allowed.drift_area, 2 * allowed.drift_area)),
    )


def _widths(panel: Panel, years: Floats, rest: Floats) -> Floats:
    """(areas, years) how noisy a value is beside the usual one, by the width of the satellite's interval.

    Widths count only as far as what is left of the difference is in fact wider where they are.
    """
    same = np.ones(rest.shape)
    if panel.lower is None or panel.upper is None:
        return same
    kept = np.isin(panel.years, years)
    with np.errstate(invalid="ignore"):
        half = (scaled(panel.upper, panel) - scaled(panel.lower, panel))[:, kept] / 2
    good = np.isfinite(half) & (half > 0)
    if not good.any():
        return same
    log = np.where(good, np.log(np.where(good, half, 1.0)), np.nan)
    log = np.where(good, np.clip(log - middle(log), -1.0, 1.0), 0.0)
    left = rest - middle(rest, 1)[:, None]
    used = good & np.isfinite(left)
    wide = log > np.median(log[used]) if used.any() else used
    wider, narrower = left[used & wide], left[used & ~wide]
    if min(wider.size, narrower.size) < 30:
        return same
    apart = float(log[used & wide].mean() - log[used & ~wide].mean())
    shown = np.log(max(spread(wider), FLOOR) / max(spread(narrower), FLOOR))
    if apart < 0.05 or shown < 2 * 1.17 * np.sqrt(0.5 / wider.size + 0.5 / narrower.size):
        return same
    return np.asarray(np.exp(log * min(shown / apart, 1.0)))
