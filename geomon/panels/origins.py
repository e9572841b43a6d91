"""What a run says about itself in its recipe: its definition, and the collections behind its numbers."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Published:
    """An output as it was published."""

    title: str
    unit: str
    finest: str = ""
    """'province': shown no finer than that."""


@dataclass(frozen=True)
class Definition:
    """The definition that a run was made with, in the words of that day."""

    code: str
    title: str
    note: str
    objections: Mapping[str, str]
    minimum_coverage: float
    people: bool
    outputs: Mapping[str, Published]


@dataclass(frozen=True)
class Origins:
    """The facts about a run that its numbers do not hold."""

    breaks: tuple[tuple[str, str], ...]
    """ISO date and why: no line and no change across it."""
    caveats: tuple[str, ...]
    sources: tuple[tuple[str, str, str], ...]
    """Title, attribution and licence of each collection."""


def definition(recipe: Mapping[str, Any]) -> Definition:
    """The definition that a recipe recorded."""
    return Definition(
        code=str(recipe["indicator"]),
        title=str(recipe["title"]),
        note=str(recipe.get("note", "")),
        objections=dict(recipe.get("objections") or {}),
        minimum_coverage=float(recipe.get("minimum_coverage", 0)),
        people=bool(recipe.get("people")),
        outputs={name: output(name, facts, recipe) for name, facts in recipe["outputs"].items()},
    )


def output(name: str, facts: Mapping[str, Any], recipe: Mapping[str, Any]) -> Published:
    """An output with its title; the only one of an indicator may go by the indicator's."""
    own = str(facts.get("title") or name)
    title = str(recipe["title"]) if own == name and len(recipe["outputs"]) == 1 else own
    return Published(title, str(facts["unit"]), str(facts.get("finest") or ""))


def origins(recipe: Mapping[str, Any]) -> Origins:
    """The collections that a recipe recorded, with what limits them."""
    known = recipe.get("collections") or []
    remarks = recipe.get("remarks") or []
    return Origins(
        breaks=tuple(sorted({(str(date), str(why)) for date, why in recipe.get("breaks") or []})),
        caveats=tuple(dict.fromkeys([*(words for c in known for words in c.get("caveats", [])), *remarks])),
        sources=tuple(
            (str(c.get("title") or c["id"]), str(c.get("attribution", "")), str(c.get("licence", ""))) for c in known
        ),
    )
