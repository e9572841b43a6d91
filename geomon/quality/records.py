"""The records of a quality card: limits with their reasons, measures, dimensions."""

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from geomon.finding import plain
from geomon.texts import say

GOOD, CARE, POOR, UNKNOWN = "good", "with care", "poor", "not known"
WORST = (GOOD, UNKNOWN, CARE, POOR)
"""The traffic words, the worst last: what is not known is worse than good, and better than what is known to be bad."""


@dataclass(frozen=True)
class Limits:
    """Up to (or, if `down`, down to) which number a measure is good, and up to which it is to be read with care."""

    good: float
    care: float
    unit: str
    why: str
    down: bool = False

    def light(self, value: float) -> str:
        """The traffic word of a number; not known for NaN."""
        if math.isnan(value):
            return UNKNOWN
        sign = -1 if self.down else 1
        return GOOD if sign * value <= sign * self.good else CARE if sign * value <= sign * self.care else POOR

    @property
    def rule(self) -> str:
        """The limits in words."""
        key = "quality.rule." + ("down" if self.down else "up" if math.isfinite(self.care) else "none")
        return say(key, good=f"{self.good:g}", care=f"{self.care:g}", unit=self.unit, why=self.why)


SHARE = ("%", "one gap in five periods or areas leaves too little for a trend or a ranking")
LIMITS: Mapping[str, Limits] = {
    "periods": Limits(100, 80, *SHARE, down=True),
    "parts": Limits(100, 80, *SHARE, down=True),
    "coverage": Limits(95, 80, "%", "unseen ground widens the bounds, and below 80 % most definitions withhold", True),
    "reads": Limits(0, 1, "%", "a file that could not be read is ground that nobody saw"),
    "age": Limits(2, 4, "years", "national figures are mostly reported within two years, and every four at the least"),
    "age.M": Limits(0.25, 1, "years", "a monthly series is used within the season"),
    "age.D": Limits(0.04, 0.25, "years", "a single day is used in the first two weeks, and for a season at the most"),
    "width": Limits(1, 2, "tolerances", "an interval wider than the tolerance cannot show that two values are equal"),
    "breaks": Limits(0, math.inf, "breaks", "no line is drawn across a break, so the series is shorter than it looks"),
    "jump": Limits(1.5, 3, "usual steps", "a step at a break that is like others may be real, three times that is not"),
    "revision": Limits(0.1, 1, "tolerances", "a revision above the tolerance would change what the check says"),
    "gap": Limits(1e-6, 1e-3, "of the area", "the books of a run close to 1e-6 of a zone"),
    "definition": Limits(0, 1, "steps", "0: counts the same, 1: counts something near it, 2: a proxy in another unit"),
    "pixels": Limits(1000, 100, "pixels", "at 100 pixels the edge of a zone is a third of it", True),
}
"""By measure; the age by the frequency of the indicator. Reasons stand beside the numbers."""


@dataclass(frozen=True, kw_only=True)
class Measured:
    """One number of a card."""

    name: str
    value: float
    """NaN: not known, and `words` says why."""
    unit: str
    words: str
    how: str
    """How it was measured."""
    light: str = ""
    """Its traffic word; empty: shown, and judged by nobody."""
    rule: str = ""


@dataclass(frozen=True)
class Dimension:
    """One of the five."""

    name: str
    measures: tuple[Measured, ...]

    @property
    def light(self) -> str:
        """The worst traffic word of its measures."""
        return max((m.light for m in self.measures if m.light), key=WORST.index, default=UNKNOWN)

    @property
    def because(self) -> str:
        """What the measure says that decides; of equals the first."""
        return next((m.words for m in self.measures if m.light == self.light), "")


@dataclass(frozen=True, kw_only=True)
class Card:
    """The quality of one output in one area."""

    run: str
    indicator: str
    output: str
    title: str
    ref_area: str
    name: str
    on: str
    """The day that ages are counted to."""
    dimensions: tuple[Dimension, ...]

    def as_dict(self) -> dict[str, Any]:
        """Plain values for JSON; what is not known is None."""
        found: dict[str, Any] = plain(asdict(self))
        for dimension, told in zip(self.dimensions, found["dimensions"], strict=True):
            told |= {"light": dimension.light, "because": dimension.because}
        return found


def measured(name: str, value: float, words: str, *, limits: str = "", unit: str = "", light: str = "") -> Measured:
    """A number with its word, by the limits of that name; `light` says the word where it is no number."""
    rule = LIMITS.get(limits)
    return Measured(
        name=name,
        value=value,
        unit=unit or (rule.unit if rule else ""),
        words=words,
        how=say(f"quality.how.{name}"),
        light=light or (rule.light(value) if rule else ""),
        rule=rule.rule if rule else "",
    )


def unknown(name: str, why: str, light: str = UNKNOWN) -> Measured:
    """What could not be measured."""
    return measured(name, math.nan, say(f"quality.unknown.{why}"), light=light)
