"""Indicators and periods as they stand in a title or a sentence."""

import re

from geomon.period import Period
from geomon.texts import say


def named(code: str, title: str) -> str:
    """An indicator of the SDG framework with its code, another by its title alone."""
    return say("title.sdg", code=code, title=title) if re.match(r"\d+\.", code) else title


def when(label: str) -> str:
    """A period as part of a sentence: 'in 2024', 'in March 2024', 'on 5 March 2024', 'from 2016 to 2019'."""
    if "/" in label:
        return say("when.span", start=plain(label.split("/")[0]), end=plain(label.split("/")[1]))
    return say("when.day" if label.count("-") == 2 else "when.in", period=plain(label))


def plain(label: str) -> str:
    """A date with the name of its month; a span has two."""
    if "/" in label:
        lower, upper = (plain(end) for end in label.split("/"))
        return say("value.between", lower=lower, upper=upper)
    start, parts = Period.of(label).start, label.count("-")
    if parts == 0:
        return label
    month = say(f"month.{start.month}")
    words = say("date.month", month=month, year=start.year)
    return words if parts == 1 else say("date.day", day=start.day, month=month, year=start.year)
