"""Which findings of a run may be shown, and their differences in units of the tolerance."""

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from geomon.case import FLOOR
from geomon.finding import AGREES, DEFECT, VERDICTS, apart
from geomon.panels.story import Story

WIDE = ("nation", "province")
MOOD = {
    "agrees": "good",
    "defect in the data": "fault",
    "not settled": "calm",
    "not comparable": "calm",
    "not enough data": "calm",
}
"""Verdict -> colour of its chip; every other one is 'warn'."""
Record = Mapping[str, Any]


def shown(story: Story, publisher: str | None = None) -> list[dict[str, Any]]:
    """The findings of the output that may be shown, the one that needs a reader first in front.

    Of what counts people, nothing is told that concerns one area with a hidden value, in whatever finding it stands.
    """
    found = [f for f in story.check if f.get("output") == story.name and f.get("ref_area") in story.tellable]
    if publisher is not None:
        found = [f for f in found if str(f.get("publisher") or "") == publisher]
    kept = [f for f in (discreet(dict(f), story) for f in found) if f is not None]
    return sorted(kept, key=lambda f: (rank(f), -abs(finite(Scale.of(f).mean(f)[0]))))


def one(story: Story, finding: Record) -> dict[str, Any] | None:
    """A finding as far as it may be told."""
    return discreet(dict(finding), story)


def left_out(story: Story) -> int:
    """How many findings of the output are not shown, to protect people."""
    if story.guard is None:
        return 0
    return sum(bool(f.get("output") == story.name) for f in story.check) - len(shown(story))


def discreet(finding: dict[str, Any], story: Story) -> dict[str, Any] | None:
    """A finding without what it says of areas with a hidden value; None if its very sentence is about one."""
    hidden = set(story.areas.index) - story.tellable if story.guard is not None else set()
    if not hidden:
        return finding
    names = [str(story.called(code)) for code in hidden]
    causes = finding.get("causes") or ()
    kept = [c for c in causes if not hidden & set(c.get("areas") or ()) or c.get("scope") in WIDE]
    lost = [str(c.get("words")) for c in causes if c not in kept]

    def tells(words: str) -> bool:
        return any(named(name, words) for name in names) or any(part in words for part in lost)

    if tells(str(finding["sentence"])):
        return None
    finding["causes"] = [c for c in kept if not tells(str(c.get("words")))]
    finding["reasons"] = [r for r in finding.get("reasons") or () if not tells(str(r))]
    return finding


def named(name: str, words: str) -> bool:
    """Whether an area is named in a text."""
    return re.search(rf"(?<!\w){re.escape(name)}(?!\w)", words) is not None


def rank(finding: Record) -> int:
    """The place of a verdict among all, the one that needs a reader first in front."""
    verdict = str(finding["verdict"])
    order: tuple[str, ...] = VERDICTS
    return order.index(verdict) if verdict in order else len(order)


def mood(verdict: str) -> str:
    """The colour of a verdict; its word always stands beside it."""
    return MOOD.get(verdict, "warn")


def agrees(finding: Record) -> bool:
    """Whether there is nothing to explain."""
    return bool(finding["verdict"] == AGREES)


def publishers(findings: Sequence[Record]) -> list[str]:
    """Who reports on these areas."""
    return sorted({str(f.get("publisher") or "") for f in findings})


def number(value: object) -> float:
    """A number of a stored finding; NaN for what it does not hold."""
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else math.nan


def finite(value: float) -> float:
    """A number to sort by; what is missing counts as nothing."""
    return value if math.isfinite(value) else 0.0


@dataclass(frozen=True)
class Scale:
    """How differences become units of the tolerance."""

    tolerance: float
    relative: bool = False

    @classmethod
    def of(cls, finding: Record, story: Story | None = None) -> "Scale":
        """The scale that a finding was judged by; what it does not say, the definition of its output does."""
        evidence = finding.get("evidence") or {}
        tolerance, relative = number(evidence.get("tolerance")), evidence.get("relative")
        made = cls(tolerance, bool(relative))
        if story is None:
            return made
        said = official(story)
        if not math.isfinite(tolerance):
            made = replace(made, tolerance=number(said.get("tolerance")))
        return replace(made, relative=bool(said.get("relative"))) if relative is None else made

    @property
    def margin(self) -> float:
        """The tolerance on the scale of the differences."""
        return math.log1p(self.tolerance) if self.relative else self.tolerance

    def times(self, satellite: object, official: object) -> float:
        """A difference in tolerances; ratios are compared as logarithms, a zero as a thousandth of the other side."""
        ours, theirs = number(satellite), number(official)
        if not self.known or not (math.isfinite(ours) and math.isfinite(theirs)):
            return math.nan
        if not self.relative:
            return (ours - theirs) / self.margin
        if ours == theirs == 0:
            return 0.0
        if min(ours, theirs) < 0:
            return math.nan
        return float(np.log(max(ours, FLOOR * theirs) / max(theirs, FLOOR * ours))) / self.margin

    def mean(self, finding: Record) -> tuple[float, float, float]:
        """The mean difference with its interval, in tolerances; of a defect as published, without an interval."""
        evidence = finding.get("evidence") or {}
        if finding["verdict"] == DEFECT:
            used = [p for p in finding.get("pairs") or () if p.get("used", True)]
            each = [t for t in (self.times(p.get("satellite"), p.get("official")) for p in used) if math.isfinite(t)]
            return (sum(each) / len(each) if each else math.nan), math.nan, math.nan
        value, lower, upper = (self.share(number(evidence.get(k))) for k in ("bias", "lower", "upper"))
        return value, lower, upper

    def share(self, difference: float) -> float:
        """A difference as it is told (in the unit, or as a share), in tolerances."""
        if not self.known or not math.isfinite(difference):
            return math.nan
        if self.relative:
            return math.log1p(max(difference, FLOOR - 1)) / self.margin
        return difference / self.margin

    def back(self, times: float) -> float:
        """Tolerances as a difference that can be told."""
        return math.expm1(times * self.margin) if self.relative else times * self.margin

    @property
    def known(self) -> bool:
        """Whether there is a tolerance."""
        return math.isfinite(self.tolerance) and self.tolerance > 0

    def told(self, difference: float, unit: str) -> str:
        """A difference in words."""
        return apart(difference, unit, self.relative)

    def equal(self, unit: str) -> str:
        """What counts as equal, in words."""
        return self.told(self.tolerance, unit) if self.known else ""


def official(story: Story) -> dict[str, Any]:
    """What the run declared of the official series of its output."""
    facts: Mapping[str, Any] = (story.recipe.get("outputs") or {}).get(story.name) or {}
    return dict(facts.get("official") or {})
