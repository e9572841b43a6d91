"""The card on progress: the UN's grade of an area, and how sure it is."""

from collections.abc import Mapping
from html import escape
from typing import Any

from geomon.panels.markup import element, table, told
from geomon.panels.numbers import percent, typeset
from geomon.panels.story import Story, lineage
from geomon.texts import known, say

MOOD = {"target met": "good", "substantial progress": "good", "fair progress": "calm", "not enough data": "calm"}


def card(story: Story, area: str) -> str:
    """The grade of an area, of the one above it if it has none, or why there is none."""
    title = element("h2", say("progress.title"))
    where, found = graded(story, area)
    if found is None:
        hidden = any(g["output"] == story.name and g["ref_area"] == area for g in story.run.progress)
        return title + element("p", say("progress.hidden" if hidden else "progress.none"), "soft")
    grade = str(found["grade"])
    chip = element("span", escape(known(f"progress.grade.{grade}") or grade), f"chip {MOOD.get(grade, 'warn')}")
    parts = [element("div", title + chip, "row")]
    if where != area:
        parts.append(element("p", told("progress.upwards", area=story.called(area), above=story.called(where)), "soft"))
    words = str(found["sentence"]).removeprefix(f"{story.title}, {story.called(where)}: {grade}").lstrip(".: ")
    parts.append(element("p", escape(typeset(words[:1].upper() + words[1:])), "verdict"))
    if found["target_source"]:
        parts.append(element("p", told("progress.target", source=found["target_source"]), "soft small"))
    return "".join(parts) + odds(found) + element("p", say("progress.scale"), "soft small")


def graded(story: Story, area: str) -> tuple[str, Mapping[str, Any] | None]:
    """The nearest area, upwards, whose progress may be told, and that."""
    told_of = {g["ref_area"]: g for g in story.progress}
    for code in lineage(area, story.areas["parent"]):
        if code in told_of:
            return code, told_of[code]
    return area, None


def odds(found: Mapping[str, Any]) -> str:
    """How often each grade comes out, if the values have intervals of 95 %."""
    chances = found["probability"]
    if not chances:
        return ""
    rows = [("", [escape(known(f"progress.grade.{g}") or g), percent(p)]) for g, p in chances.items() if p > 0]
    return table([(say("progress.grade"), False), (say("progress.chance"), True)], rows)
