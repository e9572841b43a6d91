"""Places where areas of a country depart, found one after another: each is set aside and the rest compared again."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from geomon.departures.breaks import official_jumped
from geomon.departures.compare import compare
from geomon.departures.records import Compared, Floats, Level, Panel, Reason
from geomon.departures.scale import scaled

FEWEST_AREAS = 3
MOST_PLACES = 30


@dataclass
class Places:
    """Where something was found, one place after another, and what the other areas show without them."""

    rest: Compared
    places: list[tuple[Reason, ...]]
    remarks: list[Reason]
    levels: list[Level | None]


def places_of(panel: Panel) -> Places:
    """The best reason, then what is found in the areas that it does not touch, until there is none.

    A departure of one place bends what its neighbours are held against; without its areas they are judged rightly.
    """
    rest = compare(panel)
    found = Places(rest, [], [r for r in rest.reasons if r.remark], list(rest.districts))
    here = list(range(len(panel.areas)))
    while (first := found.rest.first) is not None:
        touched = set(first.areas)
        told = [r for r in found.rest.reasons if not r.remark and touched <= set(r.areas)]
        told = [replace(r, areas=tuple(here[n] for n in r.areas)) for r in told]
        found.places.append(tuple(with_lead([sided(r, panel) for r in told])))
        left = [n for n in range(len(here)) if n not in touched]
        if len(left) < FEWEST_AREAS or len(found.places) > MOST_PLACES:
            break
        here = [here[n] for n in left]
        found.rest = compare(part(panel, here))
        for position, mean in zip(here, found.rest.districts, strict=True):
            found.levels[position] = mean
    return found


def with_lead(told: Sequence[Reason]) -> list[Reason]:
    """Reasons of one place; a step that is ahead of the step of the other side by a score of 1 says by how much."""
    other = next((r for r in told[1:] if {r.name, told[0].name} == {"break", "sensor"}), None)
    if other is None or told[0].score - other.score < 1:
        return list(told)
    lead = {**told[0].evidence, "lead": told[0].score - other.score}
    return [replace(told[0], evidence=lead), *told[1:]]


def sided(reason: Reason, panel: Panel) -> Reason:
    """A step of a part of the country, laid to the side whose own series jumps; to either, if that cannot be told."""
    if reason.name != "break" or reason.scope == "nation":
        return reason
    k, at = int(np.searchsorted(panel.years, reason.since)), list(reason.areas)
    ours, theirs = (average(scaled(z[at], panel)) for z in (panel.satellite, panel.official))
    odds, jumps = official_jumped(ours, theirs, panel.years, k, panel.satellite_breaks, panel.official_breaks)
    name, other = ("break", "sensor") if odds > 0 else ("sensor", "break")
    near = [other] if abs(odds) < 1 else []
    twins = tuple(dict.fromkeys([*(t for t in reason.twins if t != name), *near]))
    return replace(reason, name=name, twins=twins, evidence={**reason.evidence, **jumps})


def part(panel: Panel, areas: Sequence[int]) -> Panel:
    """Some of the areas of a panel."""
    at = list(areas)
    place = {old: new for new, old in enumerate(at)}
    cut: dict[str, Any] = {
        name: None if getattr(panel, name) is None else getattr(panel, name)[at]
        for name in ("satellite", "official", "lower", "upper", "unseen", "weights")
    }
    pairs = panel.neighbours
    return replace(
        panel,
        areas=tuple(panel.areas[n] for n in at),
        parents=tuple(panel.parents[n] for n in at),
        versions=tuple(replace(v, satellite=v.satellite[at]) for v in panel.versions),
        neighbours=None if pairs is None else tuple((place[a], place[b]) for a, b in pairs if {a, b} <= set(at)),
        **cut,
    )


def average(values: Floats) -> Floats:
    """The mean of each column, over what there is; NaN where there is nothing."""
    there = np.isfinite(values)
    with np.errstate(invalid="ignore"):
        return np.asarray(np.where(there, values, 0.0).sum(0) / np.where(there.any(0), there.sum(0), np.nan))
