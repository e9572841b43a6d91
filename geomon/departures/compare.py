"""What a panel shows: exact screens first, then shapes beside honest differences, one departure after another."""

from collections.abc import Iterable
from dataclasses import dataclass, replace

import numpy as np

from geomon.departures.blind import cannot_tell
from geomon.departures.breaks import official_jumped
from geomon.departures.levels import NOTHING, common_years, level, yearly
from geomon.departures.noise import Noise, noise
from geomon.departures.pairs import GAIN, exchange, moved_ground, swaps, versions
from geomon.departures.records import Compared, Floats, Level, Panel, Reason
from geomon.departures.scale import Bools, known, middle, provinces, scaled
from geomon.departures.shapes import Bank, Group, bank, fits, groups, reasons, refitted
from geomon.departures.stretches import copied, lines
from geomon.departures.units import unit_slip
from geomon.departures.wander import wanders
from geomon.departures.wide import definition, gaps

FEWEST = 8  # common years for shapes
SURE = 0.0015  # p after the correction within a family that has a year to choose
SURE_WHOLE = 0.002  # the same of what holds in all years
SURE_AREA_BREAK = 0.003  # the same of breaks of one area: wandering is judged besides, and neighbours are much alike
SMALLEST = 1.0  # tolerance: a smaller departure is not worth a word
ODD = 2.0  # tolerances of one year alone, which must also be surer
AT_ONCE = 1.0  # of log likelihood: reasons closer than that cannot be told apart
ROUNDS = 3  # departures that are looked for one behind the other
WHOLE = ("level", "definition", "trend")
EXACT = ("unit", "copied", "interpolated")
TWINS = {"level": ("definition",), "definition": ("level",), "break": ("sensor",), "sensor": ("break",)}


def compare(panel: Panel) -> Compared:
    """The reasons why a satellite panel and an official one differ, and their mean differences.

    Raises InputError where the parts of the panel do not fit each other.
    """
    known(panel)
    parts = provinces(panel)
    places = groups(len(panel.areas), parts)
    found, official, could = _exact(panel, places)
    ours, theirs = scaled(panel.satellite, panel), scaled(official, panel)
    d = ours - theirs
    model = None
    if common_years(d) >= FEWEST:
        kept: Bools = np.asarray(np.isfinite(d).any(0))
        held = _Held(panel, kept, panel.years[kept], ours[:, kept], theirs[:, kept])
        model = noise(panel, held.years, d[:, kept])
        found += _shaped(held, model, places)
    weights = np.ones(len(d)) if panel.weights is None else np.where(np.isfinite(panel.weights), panel.weights, 0.0)

    def mean(ids: Iterable[int]) -> Level:
        picked = list(ids)
        return level(d[picked], weights[picked], model)

    alone = [level(d[[i]], np.ones(1), model) for i in range(len(d))]
    names = {r.name for r in found}
    return Compared(
        reasons=tuple(sorted(found, key=_order)),
        nation=mean(range(len(d))),
        provinces={name: mean(ids) for name, ids in parts.items()},
        districts=tuple(None if one is NOTHING else one for one in alone),
        years=common_years(d),
        cannot_tell={k: v for k, v in cannot_tell(panel, model, could).items() if k not in names},
        noise=model.local if model else np.nan,
    )


@dataclass(frozen=True)
class _Held:
    """The years that both sides have, in tolerances (areas, years)."""

    panel: Panel
    kept: Bools
    years: Floats
    ours: Floats
    theirs: Floats


@dataclass(frozen=True)
class _Found:
    """A reason, and the part of the difference (areas, years) that it explains."""

    reason: Reason
    part: Floats


def _exact(panel: Panel, places: list[Group]) -> tuple[list[Reason], Floats, dict[str, bool]]:
    """What needs no noise to be judged, the official values after its repair, and what could have been found."""
    out: list[Reason] = []
    official = np.where(np.isfinite(panel.official), panel.official, np.nan)
    for _ in range(ROUNDS):
        slip = unit_slip(panel, official, places)
        if slip is None or any(r.areas == slip.reason.areas for r in out):
            break
        out.append(slip.reason)
        official = np.where(slip.where, official / slip.factor, official)
    straight, bends = lines(panel, official, places)
    repeat, repeats = copied(panel, places)
    if repeat is not None:
        out.append(repeat)
        official[np.ix_(np.array(repeat.areas), np.flatnonzero(panel.years == repeat.since))] = np.nan
    if straight is not None:
        out.append(straight)
    return out, official, {"interpolated": bends, "copied": repeats}


def _shaped(held: _Held, model: Noise, places: list[Group]) -> list[Reason]:
    """The ranked reasons of the difference, then what is left when the best of them is repaired or taken away."""
    shapes = bank(held.years)
    rest = np.where(model.seen, held.ours - held.theirs, 0.0)
    told: list[Reason] = []
    beside: list[Reason] = []
    for turn in range(ROUNDS):
        found = _ranked(held, model, shapes, places, rest)
        if not found:
            break
        best = found[0]
        if best.reason.name in ("swap", "boundary"):
            held = replace(held, theirs=held.theirs + best.part)
        before, rest = rest, rest - best.part
        model = noise(held.panel, held.years, np.where(model.seen, rest, np.nan))
        reason = refitted(model, shapes, best.reason, before)
        known_by = [i for i, r in enumerate(told) if (r.name, r.areas) == (reason.name, reason.areas)]
        if turn == 0:
            told = [reason, *(f.reason for f in found[1:])]
        elif known_by:
            told[known_by[0]] = _beside(told[known_by[0]], turn)
        elif (reason.name, reason.areas) not in {(r.name, r.areas) for r in beside}:
            beside.append(_beside(reason, turn))
    return [replace(r, twins=_twins(r, told)) for r in told] + [replace(r, twins=_twins(r, [])) for r in beside]


def _beside(reason: Reason, turn: int) -> Reason:
    """A departure that stands whatever explains the first, not in its place."""
    return replace(reason, evidence={**reason.evidence, "beside": float(turn)})


def _ranked(held: _Held, model: Noise, shapes: Bank, places: list[Group], e: Floats) -> list[_Found]:
    """All that may be said of a difference e, the best first, the best place of each name only."""
    panel, ours, theirs = held.panel, held.ours, held.theirs
    fitted = fits(model, shapes, places, e)
    declared = (*panel.satellite_breaks, *panel.official_breaks)
    tried = [
        _Found(r, _steps(model, r, shapes, [r.effect] * len(r.areas)))
        for r in reasons(model, shapes, places, fitted, proxy=panel.proxy, declared=declared, sure=SURE_AREA_BREAK)
        if not wanders(model, shapes, r, e)
    ]
    unseen = panel.unseen[:, held.kept] if panel.unseen is not None else None
    for r, x in [*gaps(model, e, unseen, places), *definition(model, panel, e, ours)]:
        tried.append(_Found(r, np.where(model.seen, r.effect * x, 0.0)))
    tried += [_Found(r, _exchanged(model, r, e, theirs)) for r in swaps(model, e, ours, theirs)]
    tried += [_Found(r, -change) for r, change in versions(model, panel, held.kept, e, ours)]
    sizes = middle(panel.satellite[:, held.kept], 1)
    for r in moved_ground(model, panel, shapes, places, fitted, e, sizes):
        tried.append(_Found(r, _steps(model, r, shapes, [float(r.evidence["first"]), float(r.evidence["second"])])))
    told = [side for f in tried if _worth_a_word(f.reason) for side in _sides(held, model, f)]
    told.sort(key=lambda f: -f.reason.score)
    return [f for i, f in enumerate(told) if f.reason.name not in {g.reason.name for g in told[:i]}]


def _worth_a_word(reason: Reason) -> bool:
    """Whether a reason is sure and large enough to be said."""
    if reason.name in ("swap", "boundary"):
        sure = GAIN + float(reason.evidence.get("fixed", 0.0))
        return reason.score > sure and abs(reason.effect) >= SMALLEST
    odd = reason.name == "odd year"
    size = abs(reason.effect) * float(reason.evidence.get("reach", 1.0))
    sure = SURE_WHOLE if reason.name in WHOLE else SURE * (0.1 if odd else 1.0)
    if reason.scope == "area" and reason.name == "break":
        sure = SURE_AREA_BREAK
    return reason.p < sure and size >= (ODD if odd else SMALLEST)


def _sides(held: _Held, model: Noise, found: _Found) -> list[_Found]:
    """A break of the whole country, parted into one of the official side and one of the satellite's."""
    reason, panel = found.reason, held.panel
    if reason.name != "break" or reason.scope != "nation":
        return [found]
    k = int(np.searchsorted(held.years, reason.since))
    ours, theirs = (yearly(z, model.seen) for z in (held.ours, held.theirs))
    odds, evidence = official_jumped(ours, theirs, held.years, k, panel.satellite_breaks, panel.official_breaks)
    out = []
    for name, sign in (("break", -1), ("sensor", 1)):
        score = reason.score + float(np.log(2) - np.logaddexp(0, sign * odds))
        out.append(
            _Found(replace(reason, name=name, score=score, evidence={**reason.evidence, **evidence}), found.part)
        )
    return out


def _steps(model: Noise, reason: Reason, shapes: Bank, sizes: list[float]) -> Floats:
    """What a shape explains, at a size for each area."""
    part = np.zeros(model.seen.shape)
    part[list(reason.areas)] = np.outer(sizes, shapes.shapes[int(reason.evidence["row"])])
    return np.where(model.seen, part, 0.0)


def _exchanged(model: Noise, reason: Reason, e: Floats, theirs: Floats) -> Floats:
    """What an exchange of names explains."""
    i, j = reason.areas
    part = np.zeros(model.seen.shape)
    part[[i, j]] = -exchange(model, e, theirs, (i, j), [int(reason.evidence["column"])])[0]
    return part


def _twins(reason: Reason, others: list[Reason]) -> tuple[str, ...]:
    """Names that the numbers cannot tell from this one: some never, some as it happens."""
    always = TWINS.get(reason.name, ()) if reason.scope == "nation" else ()
    near = [o.name for o in others if o.name != reason.name and abs(o.score - reason.score) < AT_ONCE]
    return tuple(dict.fromkeys([*always, *near]))


def _order(reason: Reason) -> int:
    """Exact screens come first; the rest is in order already."""
    return EXACT.index(reason.name) if reason.name in EXACT else len(EXACT)
