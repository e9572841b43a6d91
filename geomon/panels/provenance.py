"""Where a number comes from: citation, attribution and the line of provenance."""

from collections.abc import Sequence
from html import escape
from typing import Any

import pandas as pd

from geomon.panels.markup import element
from geomon.panels.story import Story
from geomon.texts import say


def footer(story: Story, area: str, period: str, sources: Sequence[tuple[str, str, str]]) -> str:
    """Citation, attribution of each source (title, attribution, licence), and dates, version, run."""
    lines = []
    for title, attribution, licence in dict.fromkeys(sources):
        words = f"{element('b', escape(title))}: {escape(attribution)}" + (f" ({escape(licence)})" if licence else "")
        lines.append(element("p", words))
    left = element("h2", say("source.cite")) + element("p", escape(citation(story, area, period)))
    left += (element("h2", say("source.attribution")) + "".join(lines)) if lines else ""
    facts = [
        (say("source.data"), data_dates(story)),
        (say("source.made"), moment(story.run.created)),
        (say("source.sources"), ", ".join(title for title, _, _ in sources) or say("source.unknown")),
        (say("source.version"), version(story)),
        (say("source.run"), story.run.id),
        (say("source.nature"), say("source.nature.value")),
    ]
    rows = "".join(f"<dt>{escape(name)}</dt><dd>{escape(value)}</dd>" for name, value in facts)
    right = element("h2", say("source.title")) + element("dl", rows)
    return f'<div class="source"><div>{left}</div><div>{right}</div></div>'


def citation(story: Story, area: str, period: str) -> str:
    """The result as it should be cited."""
    return say(
        "source.citation",
        title=story.title,
        code=story.indicator.code,
        area=story.called(area),
        period=period,
        version=version(story),
        run=story.run.id[:12],
        made=moment(story.run.created)[:10],
        source=say("source.synthetic") if story.synthetic else "",
    ).strip()


def version(story: Story) -> str:
    """The version of geomon that made the run."""
    recipe, properties = story.recipe, story.run.item.get("properties", {})
    versions: Any = recipe.get("versions", {})
    found = versions.get("geomon") if isinstance(versions, dict) else None
    return str(found or recipe.get("version") or properties.get("processing:version") or say("source.unknown"))


def data_dates(story: Story) -> str:
    """The time that the data cover."""
    properties = story.run.item.get("properties", {})
    start, end = properties.get("start_datetime"), properties.get("end_datetime")
    if start and end:
        return say("value.between", lower=str(start)[:10], upper=str(end)[:10])
    if story.periods:
        return say("value.between", lower=story.periods[0], upper=story.periods[-1])
    return say("source.unknown")


def moment(created: Any) -> str:
    """A time as date and minute, UTC."""
    time = pd.Timestamp(created)
    return time.strftime("%Y-%m-%d %H:%M UTC") if not pd.isna(time) else say("source.unknown")
