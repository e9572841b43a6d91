"""How a result was made and what may be said against it: note, objections, caveats, recipe, reads, code."""

import json
import shlex
from collections.abc import Sequence
from html import escape
from typing import Any

import pandas as pd
from markdown_it import MarkdownIt

from geomon.panels.markup import element, fold, table, told
from geomon.panels.numbers import percent
from geomon.panels.story import Story
from geomon.period import Period
from geomon.pipeline import BLOCK
from geomon.texts import say

READS_SHOWN = 40


def note(story: Story) -> str:
    """The method note of the definition; it is written as Markdown, and any HTML in it is shown as text."""
    return element("div", MarkdownIt("commonmark", {"html": False}).render(story.indicator.note), "note")


def objections(story: Story) -> str:
    """The likeliest objections, each with its answer."""
    found = story.indicator.objections
    if not found:
        return element("p", say("objections.none"), "soft")
    return "".join(fold(question, escape(reply)) for question, reply in found.items())


def caveats(story: Story, known: Sequence[str], breaks: Sequence[tuple[str, str]]) -> str:
    """What limits the numbers, from the collections and from the definition."""
    lines = [
        say("caveats.nature"),
        told("caveats.minimum", share=percent(story.indicator.minimum_coverage)),
        *(say("map.coarse") for _ in [0] if story.coarse),
        *(say("people.pixels") for _ in [0] if story.guard is not None),
        *(told("caveats.break", date=date, why=why) for date, why in breaks),
        *(escape(words) for words in known),
    ]
    return element("ul", "".join(element("li", words) for words in lines), "reasons")


def recipe(story: Story) -> str:
    """What decides the result: the main facts, then all of it."""
    known = story.recipe
    zones = known.get("zones") or {}
    words = {
        "params": written(known.get("params")),
        "use": written(known.get("use")),
        "zones": "; ".join(str(z) for z in (zones.get("version"), zones.get("digest"), *zones.get("remarks", [])) if z),
        "items": str(len(story.reads)),
        "question": str(known.get("question", "")),
        "run": story.run.id,
        "versions": written(known.get("versions")),
    }
    rows = "".join(f"<dt>{say(f'recipe.{name}')}</dt><dd>{escape(text)}</dd>" for name, text in words.items() if text)
    text = json.dumps(known, indent=1, default=str, ensure_ascii=False)
    whole = fold(say("recipe.show"), f'<pre tabindex="0">{escape(text)}</pre>')
    return element("p", say("recipe.lead"), "soft") + f'<dl class="recipe">{rows}</dl>{whole}'


def written(choices: Any) -> str:
    """'threshold -16 dB, profile plain' from a mapping."""
    return ", ".join(f"{name} {value}" for name, value in (choices or {}).items())


def reads(story: Story) -> str:
    """Every asset that was asked for, the failed ones first."""
    rows = story.reads
    if rows.empty:
        return element("p", say("reads.none"), "soft")
    count = rows["status"].value_counts()
    states = ", ".join(f"{n} {state}" for state, n in count.items())
    summary = told("reads.summary", count=len(rows), states=states, bytes=size(float(rows["bytes"].fillna(0).sum())))
    first = rows.assign(rank=rows["status"].map({"failed": 0, "retried": 1}).fillna(2)).sort_values(
        "rank", kind="stable"
    )
    names = ("item", "source", "status", "tries", "why", "checksum")
    head = [(say(f"reads.{name}"), name == "tries") for name in names]
    lines = [
        ("", [escape(short(row.get(name))) for name in names]) for row in first.head(READS_SHOWN).to_dict("records")
    ]
    shown = told("reads.shown", shown=min(READS_SHOWN, len(rows)), count=len(rows)) if len(rows) > READS_SHOWN else ""
    return element("p", summary, "soft") + table(head, lines, shown, scroll=say("reads.title"))


def short(value: Any) -> str:
    """A cell of the list of reads; a long checksum keeps its beginning."""
    text = "" if value is None or pd.isna(value) else str(value)
    return text if len(text) <= 40 else text[:37] + "..."


def size(count: float) -> str:
    """Bytes as kB, MB or GB."""
    for unit in ("B", "kB", "MB"):
        if count < 1000:
            return f"{count:.0f} {unit}"
        count /= 1000
    return f"{count:.1f} GB"


def ledger(story: Story, area: str, period: str) -> str:
    """What was counted, what was excluded and what was not seen in an area and period, beside its polygon."""
    rows = story.ledger
    if rows.empty or area not in story.areas.index:
        return element("p", say("ledger.none"), "soft")
    some = rows[rows["zone"].eq(area) & rows["period"].eq(period)]
    parts = ("counted", "excluded", "unseen", "polygon")
    lines = [("", [escape(str(r["quantity"])), *(area_of(r[name]) for name in parts)]) for r in some.to_dict("records")]
    head = [(say("ledger.quantity"), False), *((say(f"ledger.{name}"), True) for name in parts)]
    return element("p", say("ledger.lead"), "soft") + table(head, lines)


def area_of(value: float) -> str:
    """Square metres as square kilometres, to the hectare."""
    return f"{value / 1e6:,.2f}"


def code(story: Story) -> str:
    """How to get the same result: some lines of Python, or one command."""
    blocks = ((say("code.python"), python(story)), (say("code.shell"), shell(story)))
    return "".join(element("h3", escape(title)) + f'<pre tabindex="0">{escape(text)}</pre>' for title, text in blocks)


def python(story: Story) -> str:
    """The run as a script."""
    words = [repr(story.indicator.code), "zones", repr(span(story))]
    words += [f"{name}={dict(given)!r}" for name in ("params", "use") if (given := story.recipe.get(name))]
    words += [f"block={size}" for size in block(story)]
    asked = ", ".join(words)
    if story.recipe.get("vintage"):
        asked = f'\n    {asked},\n    official="...",  # {say("code.official")}\n'
    lines = (
        *surroundings(story),
        "import geomon",
        f"zones = geomon.Zones.read({areas(story)!r})",
        f"plan = geomon.plan({asked})",
        "run = plan.run()",
        f"print(run.series.query({f'series == {story.name!r}'!r}))",
    )
    return "\n".join(lines)


def shell(story: Story) -> str:
    """The run as a command."""
    period = span(story)
    words = ["geomon", "run", story.indicator.code, "--zones", areas(story)]
    words += [word for asked in ([period] if isinstance(period, str) else period) for word in ("--period", asked)]
    for option, name in (("--param", "params"), ("--use", "use")):
        words += [word for key, value in (story.recipe.get(name) or {}).items() for word in (option, f"{key}={value}")]
    words += [word for size in block(story) for word in ("--block", str(size))]
    official = f" --official ...  # {say('code.official')}" if story.recipe.get("vintage") else ""
    return "\n".join((*surroundings(story), shlex.join(words) + official))


def surroundings(story: Story) -> list[str]:
    """A remark where the definitions or pixels may come from a workspace: the recipe does not name its folder."""
    return [f"# {say('code.workspace')}"] if story.recipe.get("synthetic") or story.recipe.get("use") else []


def areas(story: Story) -> str:
    """The zones as the run keeps them."""
    return str(story.run.folder / "zones.parquet")


def block(story: Story) -> list[int]:
    """The side of a block, if it was not the usual one."""
    size = int(story.recipe.get("block") or BLOCK)
    return [] if size == BLOCK else [size]


def span(story: Story) -> str | list[str]:
    """The periods as they would be asked for: a span if it splits into just these, else each of them."""
    labels = story.recipe.get("periods") or story.periods
    if len(labels) == 1:
        return str(labels[0])
    asked = f"{labels[0]}/{labels[-1]}"
    parts = [p.label for p in Period.of(asked).split(story.recipe.get("freq") or "A")]
    return asked if parts == labels else list(labels)
