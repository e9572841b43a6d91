"""Departures that follow something known of every area and year: what was not observed, how high the level is."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from geomon.departures.effects import blended
from geomon.departures.evidence import Weighed, doubt, judged, weighed
from geomon.departures.noise import Noise
from geomon.departures.records import Floats, Panel, Reason
from geomon.departures.scale import columns, middle
from geomon.departures.shapes import Group

PIECE = 0.25  # of an area unseen: what the effect of a gap is stated for
HARMLESS = (0.0, 0.05, 0.1, 0.2)  # shares unseen up to which a gap may do nothing
UNEQUAL = 0.25  # of its size: how far a difference of definition varies from area to area
DECLARED, UNDECLARED = 2.0, -1.0  # log odds of a definition, when a difference is on file and when none is


@dataclass(frozen=True)
class Followed:
    """Effects of shapes that the whole panel follows."""

    found: Weighed
    z: Floats
    freedom: Floats


def followed(model: Noise, e: Floats, shapes: Sequence[Floats]) -> Followed:
    """Effects of shapes (areas, years) on a difference e without NaN."""
    local, total = model.solve(e)
    solved = [model.solve(x) for x in shapes]
    top = np.array([(x * local).sum() for x in shapes])
    power = np.array([(x * own).sum() for x, (own, _) in zip(shapes, solved, strict=True)])
    sums = np.array([s for _, s in solved])
    bottom, more = (power - ((sums @ m) * sums).sum(1) for m in (model.pooled, model.doubtful))
    size = (top - sums @ model.pooled @ total) / np.sqrt(np.maximum(bottom, 1e-6))
    return Followed(
        weighed(model, total, top, sums, power), np.where(bottom > 1e-6, size, 0.0), doubt(model, bottom, more)
    )


def gaps(model: Noise, e: Floats, unseen: Floats | None, tried: Sequence[Group]) -> list[tuple[Reason, Floats]]:
    """Differences that grow where the satellite saw less, in the whole country, a province or an area."""
    if unseen is None:
        return []
    good = model.seen & np.isfinite(unseen)
    values = np.where(good, unseen, 0.0)
    if good.sum() < 3 or np.ptp(values[good]) < 0.02:
        return []
    shapes = [np.where(good, np.maximum(values - start, 0.0), 0.0) / PIECE for start in HARMLESS]
    member = np.zeros((len(tried), len(e)))
    for g, group in enumerate(tried):
        member[g, list(group.areas)] = 1.0
    local, total = model.solve(e)
    z, effect, error = (np.zeros((len(shapes), len(tried))) for _ in range(3))
    for h, x in enumerate(shapes):
        own = np.einsum("itu,iu->it", model.precision, x)
        sums = member @ own
        across = sums @ model.pooled
        bottom = np.maximum(member @ (own * x).sum(1) - (across * sums).sum(1), 1e-9)
        effect[h] = (member @ (x * local).sum(1) - across @ total) / bottom
        error[h] = 1 / np.sqrt(bottom)
        z[h] = effect[h] / error[h]
    out = []
    for g, group in enumerate(tried):
        best = int(np.argmax(np.abs(z[:, g])))
        ids = list(group.areas)
        x = np.zeros(e.shape)
        x[ids] = shapes[best][ids]
        among = x[ids][good[ids]]
        if among.size < 3 or error[best, g] > 100:
            continue
        count = len(shapes) * group.alike
        size, lower, upper = blended(effect[:, g], error[:, g], z[:, g] ** 2 / 2)
        reason = Reason(
            name="gap",
            scope=group.scope,
            areas=group.areas,
            effect=size,
            lower=lower,
            upper=upper,
            score=float(np.logaddexp.reduce(z[:, g] ** 2 / 2) - np.log(count)),
            p=judged(abs(float(z[best, g])), count, np.inf),
            evidence={
                "z": float(z[best, g]),
                "reach": float(np.quantile(among, 0.98) - np.quantile(among, 0.02)),
                "harmless": HARMLESS[best],
            },
        )
        out.append((reason, x))
    return out


def definition(model: Noise, panel: Panel, e: Floats, ours: Floats) -> list[tuple[Reason, Floats]]:
    """A difference in proportion to the level: constant on a log scale, where only how unequal it is tells."""
    if panel.proxy:
        return []
    odds = DECLARED if panel.definition else UNDECLARED
    height = middle(np.where(model.seen, ours, np.nan), 1)
    x = np.where(model.seen, 1.0, 0.0)
    if not panel.relative:
        mean = float(np.nanmean(height)) if np.isfinite(height).any() else 0.0
        if mean <= 0:
            return []
        x = x * np.where(np.isfinite(height), height, 0.0)[:, None] / mean
    fitted = followed(model, e, [x])
    reason = _whole(model, "definition", fitted, 0, tried=2)
    unequal = _unequal(model, panel, e, reason.effect) if panel.relative else 0.0
    return [(replace(reason, score=reason.score + odds + unequal), x)]


def _unequal(model: Noise, panel: Panel, e: Floats, effect: float) -> float:
    """Log odds that constants of areas lie apart as they would under another definition, not as honest ones do."""
    if len(e) < 6:
        return 0.0
    count = np.maximum(model.seen.sum(1), 1)
    own = e.sum(1) / count
    rest = own - np.median(own)
    usual = panel.allowance.area**2 + model.local**2 / count
    more = usual + (UNEQUAL * effect) ** 2
    return float(np.clip(0.5 * (rest**2 * (1 / usual - 1 / more) - np.log(more / usual)).sum(), -0.5, 4.0))


def _whole(model: Noise, name: str, fitted: Followed, best: int, *, tried: int) -> Reason:
    effect, lower, upper = blended(fitted.found.effect, fitted.found.error, fitted.found.share)
    gain = fitted.found.gain - np.log(tried * len(fitted.z))
    return Reason(
        name=name,
        scope="nation",
        areas=columns(range(len(model.seen))),
        effect=effect,
        lower=lower,
        upper=upper,
        score=float(np.logaddexp.reduce(gain)),
        p=judged(abs(float(fitted.z[best])), tried * len(fitted.z), float(fitted.freedom[best])),
        evidence={"z": float(fitted.z[best])},
    )
