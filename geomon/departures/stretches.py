"""What the official series show by themselves: a year copied from the one before, stretches on straight lines."""

import numpy as np
from scipy import stats

from geomon.departures.records import Floats, Panel, Reason
from geomon.departures.scale import Bools, columns
from geomon.departures.shapes import Group
from geomon.departures.straight import Straight, chains, shared, straight_pairs

SURE = 1e-3  # p after the correction
MOVEMENT = 0.05  # tolerances: a series that moves less from year to year is taken for steady
STILL = 0.1  # of that movement: less is straight, whatever the rounding
REST = 30  # second differences elsewhere that say how often one is small
STANDS = 4.0  # limits, by which bends stand out where all the rest is small
EVIDENCE = 12.0  # log likelihood beyond what was tried
FITTING = 0.985  # of the lines of a place
EXACT = 6.0  # the same of one series that lies on lines as exactly as it is rounded


def copied(panel: Panel, places: list[Group]) -> tuple[Reason | None, bool]:
    """The year whose official values repeat those of the year before, and whether one could be seen at all.

    Values that are often equal (rounded, or truly steady) carry no evidence; one area alone never does.
    """
    off = panel.official
    if off.shape[1] < 4:
        return None, False
    both = np.isfinite(off[:, 1:]) & np.isfinite(off[:, :-1])
    equal = both & (off[:, 1:] == off[:, :-1])
    best: tuple[float, Reason] | None = None
    could = False
    for place in places:
        ids = list(place.areas)
        if len(ids) < 2:
            continue
        n, same = both[ids].sum(0), equal[ids].sum(0)
        tried = len(n) * place.alike
        for k in range(len(n)):
            if n[k] < max(2, 0.5 * len(ids)):
                continue
            usual = (same.sum() - same[k] + 1) / (n.sum() - n[k] + 2)
            could = could or float(usual) ** int(n[k]) * tried < SURE
            if same[k] < 0.9 * n[k]:
                continue
            p = float(stats.binom.sf(same[k] - 1, n[k], usual)) * tried
            if p < SURE and (best is None or p < best[0]):
                year = float(panel.years[k + 1])
                evidence = {"equal": float(same[k]), "of": float(n[k]), "usual": float(usual)}
                best = p, Reason(
                    name="copied", scope=place.scope, areas=columns(ids), since=year, until=year, score=np.inf, p=p,
                    evidence=evidence,
                )  # fmt: skip
    return (best[1] if best else None), could


def step_of(off: Floats) -> Floats:
    """The rounding step of values (areas, years), read from them: the coarser of decimals and significant digits."""
    good = np.isfinite(off) & (off != 0)
    step = np.full(off.shape, 1e-12)
    if not good.any():
        return np.asarray(step)
    values = np.where(good, off, 1.0)
    for decimals in range(-3, 7):
        unit = 10.0**-decimals
        if np.all(
            np.abs(np.round(values[good] / unit) * unit - values[good]) < 1e-9 * np.maximum(1, np.abs(values[good]))
        ):
            step = np.maximum(step, unit)
            break
    size = np.floor(np.log10(np.abs(values)) + 1e-12)
    for digits in range(1, 8):
        unit_of = 10.0 ** (size - digits + 1)
        if np.all(np.abs(np.round(values[good] / unit_of[good]) * unit_of[good] / values[good] - 1) < 1e-9):
            return np.asarray(np.maximum(step, np.where(good, unit_of, 0.0)))
    return np.asarray(step)


def lines(panel: Panel, off: Floats, places: list[Group]) -> tuple[Reason | None, bool]:
    """Years in which official values lie on straight lines between bends, and whether lines could be seen at all.

    Second differences of rounded points on a line are no more than one step of the rounding. How often others are as
    small is read from the rest of the panel; where there is no rest, from a series that moves by a twentieth of the
    tolerance a year.
    """
    length = off.shape[1]
    years = panel.years
    if length < 5:
        return None, False
    step = step_of(off)
    before, after = np.diff(years)[:-1], np.diff(years)[1:]
    inner = off[:, 1:-1]
    chord = (off[:, :-2] * after + off[:, 2:] * before) / (before + after)
    bend = 2 * (chord - inner)
    moves = np.nanmax(off, 1, initial=-np.inf) > np.nanmin(off, 1, initial=np.inf)
    good = np.isfinite(bend) & moves[:, None]
    around = np.maximum(step[:, 1:-1], np.maximum(step[:, 2:], step[:, :-2]))
    limit = 1.001 * around + 1e-9 * np.abs(np.where(good, inner, 0.0))
    unit = np.abs(np.where(good, inner, 1.0)) if panel.relative else np.ones_like(bend)
    moving = MOVEMENT * panel.tolerance * unit * np.sqrt(6) + 1e-300
    limit = np.maximum(limit, STILL * moving)
    straight = good & (np.abs(np.where(good, bend, np.inf)) <= limit)
    small = 2 * stats.norm.cdf((limit + around / 2) / moving) - 1
    seeable = good.any() and min(float(np.median(small[good])), float(straight[good].mean())) <= 0.8
    own = np.vstack([step_of(row[None]) for row in off])
    sizes = np.abs(np.where(np.isfinite(off) & (off != 0), off, 1.0)) if panel.relative else np.ones_like(off)
    moving_off = np.where(moves[:, None], off, np.nan)
    fits = straight_pairs(moving_off, own, years)
    alone = chains(moving_off, fits, own, np.where(good, bend, np.nan), sizes)
    best: Reason | None = None
    for place in places:
        if place.scope == "area":
            reason = _alone(panel, place, alone[place.areas[0]])
        else:
            reason = _lines(panel, place, good, straight, np.abs(bend) / limit, small)
            ids = list(place.areas)
            if reason and shared(fits[ids], np.isfinite(moving_off[ids])) < FITTING:
                reason = None
        if reason and (best is None or reason.score > best.score):
            best = reason
    return best, bool(seeable)


def _lines(
    panel: Panel,
    place: Group,
    good: Bools,
    straight: Bools,
    bent: Floats,
    small: Floats,
) -> Reason | None:
    """The straight stretches of one place."""
    ids = list(place.areas)
    count = good[ids].sum(0)
    share = straight[ids].sum(0) / np.maximum(count, 1)
    enough = count >= max(1, 0.3 * len(ids))
    runs = [(s, e) for s, e in _runs((share >= 0.8) & enough, ~enough) if ((share >= 0.8) & enough)[s:e].sum() >= 3]
    if not runs:
        return None
    inside = np.zeros(len(count), bool)
    for s, e in runs:
        inside[s:e] = True
    outside = good.copy()
    outside[np.ix_(np.array(ids), np.flatnonzero(inside))] = False
    chance = np.where(good[ids], small[ids], 0.0).sum(0) / np.maximum(count, 1)
    if outside.sum() >= REST:
        chance = np.full(len(count), (straight[outside].sum() + 1) / (outside.sum() + 2))
    chance, seen = np.clip(chance, 1e-3, 0.999), np.clip(share, 1e-9, 1 - 1e-9)
    gain = count * (seen * np.log(seen / chance) + (1 - seen) * np.log((1 - seen) / (1 - chance)))
    total = float(np.where((share > chance) & inside, gain, 0.0).sum())
    total -= float(np.log(place.alike * len(count) ** 2 / 2))
    left = good[ids] & ~inside
    stands = float(np.median(bent[ids][left])) if left.any() else 0.0
    if total <= EVIDENCE or (np.median(chance) > 0.8 and stands < STANDS):
        return None
    first, last = runs[0][0], runs[-1][1] + 1
    knots = sum(not inside[t] for t in range(first, last - 1)) + 2
    return Reason(
        name="interpolated",
        scope=place.scope,
        areas=columns(ids),
        since=float(panel.years[first]),
        until=float(panel.years[last]),
        score=total + (5.0 if place.scope == "nation" else 0.0),
        p=float(np.exp(-min(total, 700.0))),
        remark=True,
        evidence={"knots": float(knots), "years": float(last - first + 1), "runs": float(len(runs))},
    )


def _alone(panel: Panel, place: Group, found: Straight | None) -> Reason | None:
    """The chain of lines of one area among others."""
    total = found.gain - float(np.log(place.alike)) if found else 0.0
    if found is None or total <= EXACT:
        return None
    first, last = float(panel.years[found.first]), float(panel.years[found.last])
    knots = len({end for line in found.columns for end in line})
    return Reason(
        name="interpolated",
        scope=place.scope,
        areas=columns(place.areas),
        since=first,
        until=last,
        score=total,
        p=float(np.exp(-total)),
        remark=True,
        evidence={"knots": float(knots), "years": last - first + 1, "runs": float(len(found.columns))},
    )


def _runs(on: Bools, unknown: Bools) -> list[tuple[int, int]]:
    """Stretches [start, end) of what is on, those that nothing is known of carried along."""
    out, start = [], None
    for t in range(len(on)):
        if on[t] and start is None:
            start = t
        elif start is not None and not on[t] and not unknown[t]:
            out.append((start, t))
            start = None
    if start is not None:
        out.append((start, len(on)))
    return out
