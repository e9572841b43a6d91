"""The data quality card of a desk: five dimensions, what decides each, and every measure with its rule on demand."""

import time
from collections.abc import Sequence
from html import escape
from typing import Any

from geomon.panels.markup import element, fold, table, told
from geomon.panels.numbers import FIXED, typeset
from geomon.panels.story import Story
from geomon.quality import Card, Measured, Subject
from geomon.quality import card as measured
from geomon.texts import say

MOOD = {"good": "good", "with care": "warn", "poor": "fault", "not known": "calm"}
SUBJECTS: dict[tuple[str, str, int], Subject] = {}


def card(story: Story, area: str, others: Sequence[Any] = (), day: str = "") -> str:
    """The card of an area as of a day, today if not said; none where it might tell a hidden value."""
    title = element("h2", say("quality.title"))
    day = day or time.strftime("%Y-%m-%d", time.gmtime())
    asked = subject(story, others, day)
    if area not in story.tellable or (story.name, area) in asked.hidden:
        return title + element("p", say("quality.hidden"), "soft")
    found = measured(asked, story.name, area)
    rows = [("", [*head(d.name, d.light), escape(typeset(d.because))]) for d in found.dimensions]
    columns = [(say(f"quality.{name}"), False) for name in ("dimension", "light", "why")]
    lead = element("p", told("quality.lead", day=found.on), "soft")
    return title + lead + table(columns, rows) + fold(say("quality.more"), every(found))


def subject(story: Story, others: Sequence[Any], day: str) -> Subject:
    """The run of a story, read once for all visitors of a day."""
    key = (story.run.id, day, len(others))
    if key not in SUBJECTS:
        SUBJECTS[key] = Subject(story.run, day, others)
    return SUBJECTS[key]


def head(name: str, light: str) -> list[str]:
    """The name of a dimension and its word."""
    return [element("b", say(f"quality.{name}")), chip(light)]


def chip(light: str) -> str:
    """A traffic word; the colour only repeats it."""
    words = say(f"quality.light.{light}").replace(" ", FIXED) if light else ""
    return element("span", words, f"chip {MOOD[light]}") if light else ""


def every(found: Card) -> str:
    """All measures, each with its way and its rule."""
    rows = [("", line(d.name, one)) for d in found.dimensions for one in d.measures]
    columns = [(say(f"quality.{name}"), False) for name in ("dimension", "light", "measure", "way")]
    return table(columns, rows, scroll=say("quality.more"))


def line(name: str, one: Measured) -> list[str]:
    """One measure as a row."""
    way = f"{one.how}; {one.rule}" if one.rule else one.how
    return [say(f"quality.{name}"), chip(one.light), escape(typeset(one.words)), escape(way)]
