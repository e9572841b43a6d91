"""What a check said of a world, marked against the truth, and rates with their intervals.

A reason points at the plant if at least half of its areas are planted ones and its years overlap the planted years: a
district named for a whole province counts as found, a whole nation named for one district does not.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from math import isfinite, isnan, nan, sqrt
from typing import Protocol

from geomon.departures.records import Compared, Level, Panel, Reason
from tests.planted.truth import Truth, World


class Check(Protocol):
    """Whatever compares a panel."""

    def __call__(self, panel: Panel) -> Compared: ...


@dataclass(frozen=True, kw_only=True)
class Scored:
    """The marks of one world; None where the question does not arise."""

    seed: int
    noise: str
    kind: str
    plant: str
    scope: str
    visible: bool
    because: str
    best: float
    twins: int
    found: bool = False
    first: bool = False
    in_two: bool = False
    first_name: str = "-"
    """'-' if nothing was said."""
    false_alarm: bool | None = None
    """An honest world in which a reason was given that is no remark."""
    false_remark: bool | None = None
    """Straight lines remarked on where there are none."""
    stray: bool = False
    """A reason that touches no planted area at all."""
    cannot_tell: bool = False
    """The check says that it could not see such a plant in these data."""
    cannot_tells: int = 0
    """How many names it says that of."""
    effect_held: bool | None = None
    """The interval of the effect holds what was planted, of reasons with the right name and areas."""
    effect_held_with_honest: bool | None = None
    """The same for the planted effect with the honest departure of the place in it."""
    nation_held: bool | None = None
    """In honest worlds: the interval of the national mean holds the true mean difference."""
    nation_value_held: bool | None = None
    nation_equal: bool = False
    nation_equal_wrongly: bool | None = None
    """The nation is called equal within a tolerance, and is not."""
    districts_different: int = 0
    """Districts whose true mean difference is a tolerance or more, and in how many of them the test calls it equal."""
    districts_equal_wrongly: int = 0


def score(world: World, compared: Compared) -> Scored:
    """Mark what was said of a world."""
    truth = world.truth
    said = [r for r in compared.reasons if not r.remark or (truth.plant == r.name == "interpolated")]
    ranked = _ranked(said, truth)
    remarks = [r for r in compared.reasons if r.remark and r.name == "interpolated"]
    planted = truth.plant != "none"
    right = next((r for r in said if r.name == truth.plant and sorted(r.areas) == sorted(truth.areas)), None)
    different = [abs(d) >= 1 and not world.panel.proxy for d in truth.districts]
    equal = _equal(compared.nation)
    honest = not planted and not world.panel.proxy
    return Scored(
        seed=world.seed,
        noise=world.noise,
        kind=world.kind,
        plant=truth.plant,
        scope=truth.scope,
        visible=truth.visible,
        because=truth.because,
        best=truth.best,
        twins=len(truth.twins),
        found=planted and any(_points_at(r, truth) for r in said),
        first=planted and any(ranked[:1]),
        in_two=planted and any(ranked[:2]),
        first_name=said[0].name if said else "-",
        false_alarm=None if planted else any(not r.remark for r in compared.reasons),
        false_remark=None if truth.plant == "interpolated" else bool(remarks),
        stray=planted and any(not r.remark and not set(r.areas) & set(truth.areas) for r in compared.reasons),
        cannot_tell=truth.plant in compared.cannot_tell,
        cannot_tells=len(compared.cannot_tell),
        effect_held=_held(right, truth.effect),
        effect_held_with_honest=_held(right, truth.with_honest),
        nation_held=_within(compared.nation, truth.nation) if honest else None,
        nation_value_held=_within(compared.nation, truth.nation_value) if honest else None,
        nation_equal=equal,
        nation_equal_wrongly=None if world.panel.proxy or not equal else abs(truth.nation) >= 1,
        districts_different=sum(different),
        districts_equal_wrongly=sum(
            d and level is not None and _equal(level) for d, level in zip(different, compared.districts, strict=True)
        ),
    )


def _ranked(said: list[Reason], truth: Truth) -> list[bool]:
    """For each place in the ranking whether it names the plant. A name has the place of its best reason; names said to
    be twins share one if the truth says that they are."""
    group = {truth.plant, *truth.twins}
    places: list[tuple[set[str], set[str], bool]] = []  # names, the twins said with them, right
    for reason in said:
        if any(reason.name in names for names, _, _ in places):
            continue
        right = reason.name in group and _points_at(reason, truth)
        at = next((k for k, (names, also, _) in enumerate(places) if reason.name in also and names <= group), None)
        if at is None or reason.name not in group:
            places.append(({reason.name}, set(reason.twins), right))
        else:
            names, also, was = places[at]
            places[at] = (names | {reason.name}, also | set(reason.twins), was or right)
    return [right for _, _, right in places]


def _points_at(reason: Reason, truth: Truth) -> bool:
    """Whether a reason is about the planted place and time."""
    here = len(set(reason.areas) & set(truth.areas))
    starts, ends = _from(reason.since), _to(reason.until)
    return 2 * here >= len(set(reason.areas)) > 0 and starts <= _to(truth.until) and ends >= _from(truth.since)


def _from(year: float) -> float:
    return -float("inf") if isnan(year) else year


def _to(year: float) -> float:
    return float("inf") if isnan(year) else year


def _held(reason: Reason | None, effect: float) -> bool | None:
    """Whether the interval of a reason holds a true effect; None if either has none."""
    if reason is None or isnan(effect) or not (isfinite(reason.lower) and isfinite(reason.upper)):
        return None
    return reason.lower <= effect <= reason.upper


def _within(level: Level, mean: float) -> bool | None:
    return level.lower <= mean <= level.upper if isfinite(level.lower) and isfinite(level.upper) else None


def _equal(level: Level) -> bool:
    return level.p_equal < 0.05


def rate(marks: Iterable[bool | None]) -> list[float]:
    """Share of True among what is not None, with its Wilson 95 % interval: [rate, low, high]; NaN of nothing."""
    known = [bool(mark) for mark in marks if mark is not None]
    return wilson(sum(known), len(known))


def wilson(hits: int, of: int) -> list[float]:
    """A share and its 95 % interval by Wilson (1927)."""
    if not of:
        return [nan, nan, nan]
    share, z = hits / of, 1.959964
    middle, spread = share + z**2 / (2 * of), z * sqrt(share * (1 - share) / of + z**2 / (4 * of**2))
    return [share, max(0.0, (middle - spread) / (1 + z**2 / of)), min(1.0, (middle + spread) / (1 + z**2 / of))]
