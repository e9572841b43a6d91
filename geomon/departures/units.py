"""A unit slip: official values that are a known factor off, everywhere, in one place, or from a year on."""

from dataclasses import dataclass

import numpy as np

from geomon.departures.records import Floats, Panel, Reason
from geomon.departures.scale import Bools, columns, middle, spread, year_at
from geomon.departures.shapes import Group

ACRES = 2.471  # acres in a hectare
TENS = [10.0**k for k in (-6, -5, -4, -3, -2, -1, 1, 2, 3, 4, 5, 6)]
FACTORS = np.log([*TENS, ACRES, 1 / ACRES, 100 * ACRES, 0.01 / ACRES])
NEAR = 0.25  # of a natural logarithm, for one value
SHARE = 0.7  # of the values of a place that must be off by the factor, and nothing else


@dataclass(frozen=True)
class Slip:
    """A slip, and how to repair it."""

    reason: Reason
    where: Bools
    """(areas, years) bool."""
    factor: float


def unit_slip(panel: Panel, official: Floats, places: list[Group]) -> Slip | None:
    """The slip that explains most values, or None."""
    good = np.isfinite(official) & np.isfinite(panel.satellite) & (official > 0) & (panel.satellite > 0)
    ratio = np.where(good, np.log(np.where(good, official, 1.0) / np.where(good, panel.satellite, 1.0)), np.nan)
    if good.sum() < 3:
        return None
    anchors = [0.0]
    if panel.proxy:
        anchors = [float(middle(part)) for part in (ratio, ratio[:, :4], ratio[:, -6:]) if np.isfinite(part).any()]
    apart = np.abs(official - panel.satellite)
    best: tuple[int, Bools, float, Floats] | None = None
    for anchor in anchors:
        x = ratio - anchor
        nearest = np.argmin(np.abs(np.where(good, x, 0.0)[..., None] - FACTORS), -1)
        hit = good & (np.abs(np.where(good, x, 0.0) - FACTORS[nearest]) < NEAR)
        if not panel.relative:
            hit &= apart > 1.5 * panel.tolerance
        if not hit.any():
            continue
        likely = int(np.bincount(nearest[hit]).argmax())
        hit &= nearest == likely
        if best is None or hit.sum() < best[0]:
            best = int(hit.sum()), hit, float(FACTORS[likely]), x
    if best is None:
        return None
    count, hit, factor, x = best
    top: tuple[float, Group, int, bool, Bools] | None = None
    length = x.shape[1]
    for place in places:
        row = np.zeros(len(x), bool)
        row[list(place.areas)] = True
        if hit[row].sum() < 0.5 * count:
            continue
        in_place, seen = (hit & row[:, None]).sum(0), (good & row[:, None]).sum(0)
        for k in range(length):
            for on in (True, False):
                part = slice(k, None) if on else slice(0, k)
                n, inside = int(seen[part].sum()), int(in_place[part].sum())
                if n < 3 or (not on and k == 0):
                    continue
                share = inside / (n + count - inside)
                if top is None or share > top[0] + 1e-9:
                    where = np.zeros_like(good)
                    where[row, part] = True
                    top = share, place, k, on, where & good
    if top is None or top[0] < SHARE:
        return None
    share, place, k, on, where = top
    centre = float(middle(x[where]))
    error = 1.25 * spread(x[where]) / np.sqrt(min(int(where.sum()), 4 * len(place.areas))) + 0.02
    small = abs(factor) < 1.5
    if abs(centre - factor) > max(0.12, 3 * error) or spread(x[where]) > (0.15 if small else 0.35):
        return None
    if small and abs(centre - factor) > (0.05 if place.scope == "area" else 0.08):
        return None
    if small and len(place.areas) == 1 and _moved(panel, place.areas[0], where, centre):
        return None
    if len(place.areas) == 1 and _exchanged(panel, official, place.areas[0], where):
        return None
    if not panel.relative and (small or len(place.areas) == 1) and middle(apart[where]) < 5 * panel.tolerance:
        return None
    affected = np.zeros_like(good)
    affected[list(place.areas), slice(k, None) if on else slice(0, k)] = True
    reason = Reason(
        name="unit",
        scope=place.scope,
        areas=columns(place.areas),
        since=year_at(panel.years, k) if on else np.nan,
        until=np.nan if on else float(panel.years[k - 1]),
        score=np.inf,
        p=0.0,
        evidence={
            "factor": float(np.exp(factor)),
            "factor lower": float(np.exp(centre - 2 * error)),
            "factor upper": float(np.exp(centre + 2 * error)),
            "values": float((hit & where).sum()),
            "of": float(where.sum()),
        },
    )
    return Slip(reason, affected, float(np.exp(factor)))


def _moved(panel: Panel, area: int, where: Bools, centre: float) -> bool:
    """Whether another boundary on file makes an area about as much larger or smaller."""
    years = where[area]
    before = panel.satellite[area, years]
    for version in panel.versions:
        after = version.satellite[area, years]
        good = (before > 0) & (after > 0)
        if good.any() and abs(float(np.median(np.log(after[good] / before[good]))) - centre) < NEAR:
            return True
    return False


def _exchanged(panel: Panel, official: Floats, area: int, where: Bools) -> bool:
    """Whether the values fit another area, and that area's fit this one: names exchanged, not a unit."""
    years = where[area]
    with np.errstate(invalid="ignore", divide="ignore"):
        off, sat = np.log(official[:, years]), np.log(panel.satellite[:, years])
    off, sat = np.where(np.isfinite(off), off, np.nan), np.where(np.isfinite(sat), sat, np.nan)
    ours, theirs, own = (np.abs(middle(x, 1)) for x in (off[area] - sat, off - sat[area], off - sat))
    return bool(np.any((np.maximum(ours, theirs) < NEAR / 2) & (own > NEAR)))
