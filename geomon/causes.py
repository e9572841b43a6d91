"""The reasons of many areas together in words and as records, and the verdict that they give one area."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from geomon.departures.records import Compared, Floats, Level, Panel, Reason
from geomon.finding import apart, cause, digits, span
from geomon.texts import say

DEFECTS = ("unit", "copied", "swap", "boundary")
STEPS = ("break", "sensor")
GAPS = {1.0: "alike", 3.0: "likely", 6.0: "clearly", math.inf: "far"}
"""Score of the first reason over the second -> how it is said."""


@dataclass(frozen=True, kw_only=True)
class Together:
    """Many areas of one publisher as they were compared, with what their words need."""

    panel: Panel
    compared: Compared
    """Of the areas that no place holds, behind all that was found."""
    places: tuple[tuple[Reason, ...], ...]
    """For each place where something was found, the reasons that would explain it there, the best first."""
    remarks: tuple[Reason, ...]
    """What is remarkable about the official series, by itself no difference."""
    levels: tuple[Level | None, ...]
    """Mean difference of each area."""
    names: Mapping[str, str]
    """Code of an area or province -> its name."""
    labels: tuple[str, ...]
    """The panel's years as they are published."""
    unit: str
    publisher: str
    known: tuple[str, ...] = ()
    """The declared breaks of either side, in words."""

    def touching(self, position: int) -> tuple[Reason, ...]:
        """The reasons that one area has part in, ranked."""
        return next((place for place in self.places if position in place[0].areas), ())

    def within(self, positions: set[int]) -> tuple[Reason, ...]:
        """The reasons that cover all of several areas: those of a province or country, ranked."""
        return next((place for place in self.places if positions <= set(place[0].areas)), ())

    def below(self, positions: set[int]) -> list[Reason]:
        """The best reason of each place that is only a part of several areas."""
        firsts = [place[0] for place in self.places]
        return [r for r in firsts if positions & set(r.areas) and not positions <= set(r.areas)]

    def back(self, effect: float) -> float:
        """Tolerances as they are told: in the unit, or as a share of the official value."""
        if self.panel.relative:
            return float(np.expm1(effect * np.log1p(self.panel.tolerance)))
        return effect * self.panel.tolerance

    def size(self, reason: Reason) -> str:
        """How large an effect is, with its interval."""
        sign = -1.0 if reason.effect < 0 else 1.0
        whole = apart(self.back(reason.effect), self.unit, self.panel.relative)
        ends = [sign * self.back(end) * (100 if self.panel.relative else 1) for end in (reason.lower, reason.upper)]
        if not np.isfinite(ends).all():
            return whole
        low, high = sorted(ends)
        return say("check.cause.size", size=whole, lower=digits(low), upper=digits(high))

    def where(self, reason: Reason) -> str:
        """The place of a reason by name."""
        if reason.scope == "nation":
            every = len(reason.areas) == len(self.panel.areas)
            return say("check.cause.where.nation" if every else "check.cause.where.rest")
        if reason.scope == "province":
            return self.called(self.panel.parents[reason.areas[0]])
        names = [self.called(self.panel.areas[i]) for i in reason.areas]
        if len(names) > 2:
            return say("check.cause.where.many", first=names[0], n=len(names) - 1)
        return say("check.and").join(names)

    def called(self, code: str) -> str:
        """The name of an area."""
        return self.names.get(code, code)

    def period(self, year: float) -> str:
        """The label of a year; empty if none is meant."""
        if not math.isfinite(year):
            return ""
        return self.labels[int(np.abs(self.panel.years - year).argmin())]

    def when(self, reason: Reason) -> str:
        """The years that a reason touches."""
        first, last = self.period(reason.since), self.period(reason.until)
        if first and last:
            return (
                first if first == last else span([first, *([""] if abs(reason.until - reason.since) > 1 else []), last])
            )
        return say("check.cause.since", first=first) if first else say("check.cause.all")


def clause(reason: Reason, told: Together) -> str:
    """What a reason says, with the twins that the numbers cannot tell from it."""
    name, more = reason.name, "more" if reason.effect > 0 else "less"
    key = f"check.cause.{name}"
    led = "lead" in reason.evidence
    if name in STEPS and set(reason.twins) & set(STEPS) and not led:
        key = "check.cause.either"
    elif name in ("level", "definition"):
        key = f"check.cause.{name}.{more}"
    factor = float(reason.evidence.get("factor", math.nan))
    if name == "unit":
        key = f"check.cause.unit.{'times' if factor >= 1 else 'part'}"
    size = f"{factor:,.5g}" if factor >= 1 else f"1/{1 / factor:,.5g}" if factor > 0 else ""
    words = say(
        key,
        publisher=told.publisher,
        where=told.where(reason),
        when=told.when(reason),
        since=told.period(reason.since),
        size=told.size(reason) if math.isfinite(reason.effect) else "",
        factor=size,
    )
    if not reason.twins:
        return words
    twins = reason.twins if key != "check.cause.either" else (name, *reason.twins)
    others = say("check.cause.or").join(say(f"check.name.{twin}") for twin in twins)
    return say("check.cause.twins.less" if led else "check.cause.twins", words=words, twins=others)


def ahead(reasons: Sequence[Reason]) -> str:
    """How far the first reason is ahead of the second of another name; empty if it is exact, or there is none."""
    first = reasons[0]
    second = next((r for r in reasons[1:] if r.name not in (first.name, *first.twins)), None)
    if second is None or not math.isfinite(first.score):
        return ""
    gap = next(word for limit, word in GAPS.items() if first.score - second.score < limit or limit == math.inf)
    return say("check.cause.next", other=say(f"check.name.{second.name}"), gap=say(f"check.cause.gap.{gap}"))


def record(reason: Reason, told: Together) -> dict[str, object]:
    """A reason as `Finding.causes` has it."""
    return cause(
        reason.name,
        clause(reason, told),
        scope=reason.scope,
        areas=tuple(told.panel.areas[i] for i in reason.areas),
        since=told.period(reason.since),
        until=told.period(reason.until),
        effect=told.back(reason.effect),
        lower=told.back(reason.lower),
        upper=told.back(reason.upper),
        score=reason.score,
        p=reason.p,
        twins=reason.twins,
        remark=reason.remark,
        evidence=dict(reason.evidence),
    )


def mended(reason: Reason, told: Together, position: int) -> tuple[Floats, Floats] | None:
    """Satellite and official values of an area without a defect, NaN where they cannot be mended; None if unknown."""
    panel = told.panel
    ours, theirs = panel.satellite[position].copy(), panel.official[position].copy()
    touched = np.ones(len(panel.years), bool)
    touched &= ~(panel.years < reason.since)
    touched &= ~(panel.years > reason.until)
    if reason.name == "unit" and "factor" in reason.evidence:
        theirs[touched] /= float(reason.evidence["factor"])
    elif reason.name == "copied":
        theirs[touched] = np.nan
    elif reason.name == "swap" and len(reason.areas) == 2 and position in reason.areas:
        other = next(i for i in reason.areas if i != position)
        theirs[touched] = panel.official[other][touched]
    elif reason.name == "boundary" and any(v.name == reason.evidence.get("version") for v in panel.versions):
        version = next(v for v in panel.versions if v.name == reason.evidence["version"])
        ours[touched] = version.satellite[position][touched]
    else:
        return None
    return ours, theirs


def level_numbers(level: Level, told: Together) -> dict[str, float]:
    """The mean difference of an area as evidence, from all areas together."""
    return {
        "bias": told.back(level.value),
        "lower": told.back(level.lower),
        "upper": told.back(level.upper),
        "p_equal": level.p_equal,
        "n_independent": level.n,
    }
