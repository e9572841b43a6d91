"""What has to be protected of an indicator: whom it counts, from which number on, and what its outputs are made of."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from geomon.indicator import Indicator
from geomon.official.units import factor, unit_name
from geomon.stats.disclosure import HOUSEHOLDS, PEOPLE, PLOTS, SENSITIVE

FEWEST = {"people": PEOPLE, "households": HOUSEHOLDS, "plots": PLOTS, "sensitive": SENSITIVE}
"""Theme -> the fewest that are published."""
UNITS = {"people": "people", "sensitive": "people", "households": "households", "plots": "plots"}
COUNTED = ("people", "households", "plots")
"""Units of counts; an indicator that is guarded has none of them that is not."""
SMALLEST = {"people": 1.0, "sensitive": 1.0, "households": 1.0, "plots": 10.0}
"""Theme -> square kilometres of the smallest area that anything is published of."""


@dataclass(frozen=True)
class Guard:
    """How an indicator is protected."""

    theme: str
    uses: Mapping[str, tuple[str, ...]]
    """Output -> the quantities that it is made of; an output that is not in it may be made of all."""
    parts: frozenset[str] = frozenset()
    """Outputs that take some classes of a quantity only."""

    @property
    def fewest(self) -> int:
        """Counts above zero and below this are hidden."""
        return FEWEST[self.theme]

    @property
    def unit(self) -> str:
        """What is counted."""
        return UNITS[self.theme]

    def times(self, unit: str) -> float | None:
        """What a count in this unit is multiplied by to be one of `unit`, or of another that is counted; else None."""
        return next((f for u in (self.unit, *COUNTED) if (f := factor(unit, u)) is not None), None)

    def columns(self, counts: Collection[str]) -> dict[str, str]:
        """Quantity -> the output that gives its count as it is."""
        whole = {o: uses for o, uses in self.uses.items() if o in counts and o not in self.parts}
        return {uses[0]: output for output, uses in whole.items() if len(uses) == 1}


def guard(indicator: Indicator) -> Guard | None:
    """The guard of a definition; None if it counts nobody."""
    outputs = {name: behind(output.value) | {"unit": output.unit} for name, output in indicator.outputs.items()}
    return made(indicator.protect or ("people" if indicator.people else ""), outputs)


def guard_in(recipe: Mapping[str, Any]) -> Guard | None:
    """The guard of a run by what it recorded of its definition."""
    outputs: Mapping[str, Mapping[str, Any]] = recipe.get("outputs") or {}
    return made(str(recipe.get("protect") or ("people" if recipe.get("people") else "")), outputs)


def behind(value: object) -> dict[str, Any]:
    """What a recipe records of the quantities behind an output, and whether it takes some of their classes only."""
    return {"uses": list(getattr(value, "uses", ())), "part": bool(getattr(value, "keys", None))}


def made(theme: str, outputs: Mapping[str, Mapping[str, Any]]) -> Guard | None:
    """A guard, if there is a theme, or an output counts somebody, whatever the definition says."""
    units = {str(facts.get("unit") or "") for facts in outputs.values()}
    theme = theme or next((u for u in COUNTED if any(counts(unit, u) for unit in units)), "")
    if not theme:
        return None
    uses = {name: tuple(facts["uses"]) for name, facts in outputs.items() if facts.get("uses")}
    return Guard(theme, uses, frozenset(name for name, facts in outputs.items() if facts.get("part")))


def counts(unit: str, whom: str) -> bool:
    """Whether a unit counts people, households or plots, by any of its names; a bare number may count anything."""
    return unit_name(unit) != "number" and factor(unit, whom) is not None
