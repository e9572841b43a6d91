"""Departures that touch areas together: names exchanged, ground moved between areas."""

from collections.abc import Sequence

import numpy as np

from geomon.departures.noise import Noise
from geomon.departures.records import Floats, Panel, Reason
from geomon.departures.scale import Bools, columns, scaled, year_at
from geomon.departures.shapes import Bank, Fits, Group

LOOKED_AT = 10  # pairs that a quick measure puts first
FIXED = 1.5  # log likelihood that a departure of free size spends on its size, and one of fixed size does not
GAIN = 6.5  # log likelihood beyond what was tried, below which nothing is said


def gains(model: Noise, e: Floats, areas: Sequence[int], change: Floats) -> Floats:
    """Log likelihood won when a change (cases, areas, years) is added to a difference without NaN (areas, years)."""
    local, total = model.solve(e)
    part = model.precision[list(areas)]
    moved = np.einsum("cau,atu->cat", change, part)
    own = (2 * change * local[list(areas)] + change * moved).sum((1, 2))
    together = moved.sum(1)
    shared = 2 * together @ (model.pooled @ total) + np.einsum("ct,tu,cu->c", together, model.pooled, together)
    return np.asarray(-0.5 * (own - shared))


def starts(length: int) -> list[int]:
    """Columns from which a departure may begin: the first, or any that leaves a few years on both sides."""
    return [0, *range(3, length - 2)]


def swaps(model: Noise, e: Floats, ours: Floats, theirs: Floats) -> list[Reason]:
    """Pairs of areas whose official values fit each other's satellite values, always or from a year on.

    `ours` and `theirs` are satellite and official values in tolerances (areas, years).
    """
    n, length = e.shape
    if n < 2:
        return []
    mask = model.seen.astype(float)
    sat, off = np.where(model.seen, ours, 0.0), np.where(model.seen, theirs, 0.0)
    tried = starts(length)
    best = np.full((n, n), -np.inf)
    for k in tried:
        s, o, m = sat[:, k:], off[:, k:], mask[:, k:]
        cross, own = s @ o.T, (s * o) @ m.T
        best = np.maximum(best, cross + cross.T - own - own.T)
    rows, others = np.triu_indices(n, 1)
    worth = best[rows, others] / model.local**2
    order = [r for r in np.argsort(-worth)[:LOOKED_AT] if worth[r] > GAIN]
    out = []
    for r in order:
        i, j = int(rows[r]), int(others[r])
        both = model.seen[i] & model.seen[j]
        cases = exchange(model, e, theirs, (i, j), tried)
        won = gains(model, e, (i, j), cases) - np.log(len(rows))
        won -= np.where(np.arange(len(tried)) > 0, np.log(2.0 * max(1, len(tried) - 1)), np.log(2.0))
        case = int(np.argmax(won))
        k = tried[case]
        apart = np.abs((ours[i] - ours[j])[k:][both[k:]])
        size = float(apart.mean()) if apart.size else 0.0
        error = model.local * 2 / np.sqrt(max(1, apart.size))
        out.append(
            Reason(
                name="swap",
                scope="pair",
                areas=(i, j),
                since=year_at(model.years, k),
                effect=size,
                lower=size - 1.96 * error,
                upper=size + 1.96 * error,
                score=float(won[case]) + FIXED,
                p=float(np.exp(-np.clip(won[case], 0, 700))),
                evidence={"column": float(k), "fixed": FIXED},
            )
        )
    return out


def exchange(model: Noise, e: Floats, theirs: Floats, pair: tuple[int, int], since: Sequence[int]) -> Floats:
    """(cases, 2, years) what an exchange of two areas from a column on adds to their differences.

    Where one of them has no value to give, the other is left as it is in the years that were exchanged.
    """
    i, j = pair
    both = model.seen[i] & model.seen[j]
    after = np.arange(len(both)) >= np.array(since)[:, None]
    change = np.where(both, theirs[i] - theirs[j], 0.0)
    count = np.maximum((after & both).sum(1), 1)
    out = np.zeros((len(since), 2, len(both)))
    for row, area, sign in ((0, i, 1.0), (1, j, -1.0)):
        usual = np.where(after & both, e[area] + sign * change, 0.0).sum(1) / count
        alone = after & model.seen[area] & ~both
        out[:, row] = np.where(after & both, sign * change, 0.0)
        out[:, row] += np.where(alone, usual[:, None] - e[area], 0.0)
    return out


def versions(model: Noise, panel: Panel, kept: Bools, e: Floats, ours: Floats) -> list[tuple[Reason, Floats]]:
    """Boundaries on file that the official values may follow, with the change (areas, years) that each makes."""
    out = []
    length = len(model.years)
    t = np.arange(length)
    for version in panel.versions:
        other = scaled(version.satellite[:, kept], panel)
        change = np.where(model.seen & np.isfinite(other), other - ours, 0.0)
        typical = np.abs(change).max(1) if length else np.zeros(len(change))
        areas = np.flatnonzero(typical > 0.05)
        if not len(areas):
            continue
        law = int(np.searchsorted(model.years, version.since))
        tried = [(k, True) for k in range(length - 1)] + [(k, False) for k in range(2, length - 1)]
        masks = np.array([(t >= k) if on else (t < k) for k, on in tried])
        cases = np.where(masks[:, None, :], change[areas][None], 0.0)
        near = np.array([abs(k - law) <= 2 for k, _ in tried])
        prior = np.where(near, np.log(0.7 / max(1, near.sum())), np.log(0.3 / max(1, (~near).sum())))
        won = gains(model, e, columns(areas), cases) + prior + np.log(1 / len(panel.versions))
        case = int(np.argmax(won))
        k, on = tried[case]
        mask = masks[case]
        moved = np.where(mask & model.seen[areas], np.abs(change[areas]), 0.0)
        effect = float((moved.sum(1) / np.maximum((mask & model.seen[areas]).sum(1), 1)).max())
        if not (mask & model.seen[areas]).any():
            continue
        inside = mask & model.seen[areas]
        before, after = (float(np.abs(part[inside]).mean()) for part in (e[areas], e[areas] + change[areas]))
        reason = Reason(
            name="boundary",
            scope="pair" if len(areas) <= 2 else "area",
            areas=columns(areas),
            since=year_at(model.years, k) if on else np.nan,
            until=np.nan if on else float(model.years[k - 1]),
            effect=effect,
            lower=effect,
            upper=effect,
            score=float(won[case]) + FIXED,
            p=float(np.exp(-np.clip(won[case], 0, 700))),
            evidence={"version": version.name, "before": before, "after": after, "fixed": FIXED},
        )
        out.append((reason, np.where(mask[None] & model.seen, change, 0.0)))
    return out


def moved_ground(
    model: Noise, panel: Panel, shapes: Bank, tried: list[Group], found: Fits, e: Floats, sizes: Floats
) -> list[Reason]:
    """Two neighbours that step against each other in one year, though no boundary on file says so.

    `sizes` is (areas,) the mean satellite value in the unit: where it is an area, the sum of both is kept.
    """
    n = len(e)
    if n < 3:
        return []
    first = next(g for g, group in enumerate(tried) if group.scope == "area")
    rows = [r for r in shapes.of("break") if shapes.shapes[r].max() > 0]
    if not rows:
        return []
    z, b = found.z[rows][:, first:], found.effect[rows][:, first:]
    if panel.neighbours is None:
        left, right = np.triu_indices(n, 1)
    else:
        pairs = np.array(panel.neighbours, dtype=np.int64).reshape(-1, 2)
        left, right = pairs[:, 0], pairs[:, 1]
    if not len(left):
        return []
    against = z[:, left] * z[:, right] < 0
    weak = np.minimum(np.abs(z[:, left]), np.abs(z[:, right])) < 2
    small = np.maximum(np.abs(b[:, left]), np.abs(b[:, right])) < 1
    quick = np.where(against & ~weak & ~small, z[:, left] ** 2 + z[:, right] ** 2, 0.0) / 2
    out = []
    for pair in np.argsort(-quick.max(0))[:3]:
        k = int(np.argmax(quick[:, pair]))
        if quick[k, pair] <= 0:
            continue
        i, j = int(left[pair]), int(right[pair])
        effect, gain = _two(model, e, shapes.shapes[rows[k]], (i, j))
        error = found.error[rows[k]][[first + i, first + j]]
        gain -= np.log(len(left) * len(rows)) + 2.0  # two free sizes
        if panel.relative and not panel.proxy:
            unit = np.log1p(panel.tolerance)
            ground = sizes[[i, j]] * np.expm1(effect * unit)
            doubt = sizes[[i, j]] * unit * error
            open_sum = float(ground.sum() / np.hypot(*doubt)) if np.all(doubt > 0) else 0.0
            gain += float(np.clip(1.0 - open_sum**2 / 2, -3.0, 1.0))
        largest = int(np.argmax(np.abs(effect)))
        out.append(
            Reason(
                name="boundary",
                scope="pair",
                areas=(i, j),
                since=year_at(model.years, shapes.starts[rows[k]]),
                effect=float(effect[largest]),
                lower=float(effect[largest] - 1.96 * error[largest]),
                upper=float(effect[largest] + 1.96 * error[largest]),
                score=float(gain),
                p=float(np.exp(-np.clip(gain, 0, 700))),
                evidence={"version": "", "first": float(effect[0]), "second": float(effect[1]), "row": float(rows[k])},
            )
        )
    return out


def _two(model: Noise, e: Floats, x: Floats, pair: tuple[int, int]) -> tuple[Floats, float]:
    """Free sizes of one shape in two areas, and the log likelihood that they win."""
    local, total = model.solve(e)
    weighted = np.stack([model.precision[i] @ x for i in pair])
    top = np.array([local[i] @ x for i in pair]) - weighted @ model.pooled @ total
    bottom = np.diag(weighted @ x) - weighted @ model.pooled @ weighted.T
    effect = np.linalg.solve(bottom, top)
    return effect, float(effect @ top / 2)
