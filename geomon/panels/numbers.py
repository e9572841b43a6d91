"""How numbers are written on a desk."""

import math
import re
from dataclasses import dataclass

from geomon.texts import known, say

MINUS, FIXED = "\u2212", "\u00a0"  # a true minus, a space that does not break
WRITTEN = ("nW cm-2 sr-1 km2", "nW cm-2 sr-1", "km2", "m2")  # units that a page writes otherwise; the longest first


@dataclass(frozen=True)
class Unit:
    """A unit, and how its numbers are written: percent with one decimal, others with about three digits."""

    name: str

    def decimals(self, value: float) -> int:
        """Digits after the point."""
        size = abs(value)
        if self.name == "percent":
            return 1 if size >= 1 or size == 0 else 2
        return 0 if size >= 100 or size == 0 else 1 if size >= 10 else 2 if size >= 1 else 3

    @property
    def symbol(self) -> str:
        """What stands behind the number."""
        return known(f"unit.{self.name}") or self.name

    def bare(self, value: float, signed: bool = False) -> str:
        """The number alone, with a true minus sign."""
        if not math.isfinite(value):
            return say("value.missing")
        text = f"{abs(value):,.{self.decimals(value)}f}"
        zero = float(text.replace(",", "")) == 0
        return ("" if zero else MINUS if value < 0 else "+" if signed else "") + text

    def write(self, value: float, signed: bool = False) -> str:
        """The number and its unit, never parted by a line break."""
        if not math.isfinite(value):
            return say("value.missing")
        return f"{self.bare(value, signed)}{FIXED}{self.symbol}"

    def named(self, lower: float, upper: float, kind: str) -> str:
        """An interval with what it is, where it is more than bounds."""
        words = self.between(lower, upper)
        return say("value.named", between=words, kind=say(f"interval.{kind}")) if "+" in kind else words

    def between(self, lower: float, upper: float) -> str:
        """An interval; an open end is said in words."""
        if math.isfinite(lower) and not math.isfinite(upper):
            return say("value.at_least", value=self.write(lower))
        if not math.isfinite(lower):
            return say("value.unknown")
        if self.bare(lower) == self.bare(upper):
            return self.write(lower)
        return say("value.between", lower=self.bare(lower), upper=self.write(upper))


def typeset(sentence: str) -> str:
    """A sentence of the check or on change as a page writes it: its units by their signs, true minus signs."""
    for name in WRITTEN:
        sentence = re.sub(rf"(?<= ){re.escape(name)}(?!\w)", Unit(name).symbol, sentence)
    return re.sub(r"(?<![\w.-])-(?=\d)", MINUS, sentence)


def percent(share: float, decimals: int = 0) -> str:
    """A share of one as a percentage; what is not whole is never rounded up to 100."""
    if not math.isfinite(share):
        return say("value.missing")
    text = f"{100 * share:.{decimals}f}"
    if share < 1 and float(text) >= 100:
        text = f"{min(100 * share, 99.9):.1f}"
    return f"{text}{FIXED}%"
