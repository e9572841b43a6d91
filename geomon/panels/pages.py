"""The frame around every page, and the pages that are no desk: all desks, an empty store, an error."""

from collections.abc import Mapping, Sequence
from html import escape
from pathlib import Path
from typing import Any

import panel as pn

from geomon.panels.dashboard import Dashboard
from geomon.panels.markup import element, told
from geomon.panels.origins import definition
from geomon.panels.story import stored
from geomon.panels.verdict import sentence
from geomon.texts import LANGUAGES, say

HERE = Path(__file__).parent
MARK = (
    '<svg viewBox="0 0 26 26" aria-hidden="true"><rect width="26" height="26" rx="7" fill="#fff" opacity=".16"/>'
    '<path d="M5 5h7v7H5z" fill="#9fdcb5"/><path d="M14 5h7v7h-7z" fill="#fff" opacity=".55"/>'
    '<path d="M5 14h7v7H5z" fill="#fff" opacity=".55"/><path d="M14 14h7v7h-7z" fill="#fff"/></svg>'
)
WHOLE = "{% extends"  # what a file that is a page by itself begins with
DEPTHS = ("foundation", "practitioner", "expert")


def style() -> str:
    """The style of the frame."""
    return (HERE / "desk.css").read_text(encoding="utf-8")


def frame(record: Dashboard, file: str, words: Mapping[str, str], desks: Sequence[Dashboard] = ()) -> Any:
    """A page of a desk as a Panel template, its own words filled in; `file` holds its parts, or a whole page."""
    text = (HERE / file).read_text(encoding="utf-8")
    if not text.startswith(WHOLE):
        text = (HERE / "frame.html").read_text(encoding="utf-8").replace("<!-- parts -->\n", text)
    page = pn.Template(text)
    frame_words = {name: say(f"page.{name}") for name in ("skip", "home", "desks", "look", "noscript")}
    variables = {
        "page_title": say("page.title", desk=record.title),
        "style": style(),
        "mark": MARK,
        "slug": record.slug,
        "desks": list(desks) or siblings(record),
        "depths": [(depth, say(f"depth.{depth}")) for depth in DEPTHS],
        "words": {**frame_words, "depth": say("depth.title"), "check": say("check.page.title"), **words},
    }
    for name, value in variables.items():
        page.add_variable(name, value)
    return page


def siblings(record: Dashboard) -> list[Dashboard]:
    """All desks of the workspace, for the navigation."""
    from geomon.registry import dashboards  # the registry imports the desks, which import this module

    return list(dashboards().values()) or [record]


def empty(record: Dashboard, store: Any) -> Any:
    """The page of a desk that has nothing to show, and what to do."""
    example = f"geomon run {record.indicators[0]} --zones admin.geojson --period 2020/2024"
    inside = element("p", f"{say('empty.lead')} {told('empty.store', store=place(store))}", "lead")
    inside += element("p", say("empty.demo")) + element("pre", "geomon demo")
    inside += element("p", say("empty.own")) + element("pre", escape(example))
    return message(record, say("empty.title"), inside)


def failed(record: Dashboard, reason: str) -> Any:
    """The page of a desk that could not be opened."""
    inside = element("p", escape(reason), "lead") + element("p", say("error.lead"))
    return message(record, say("error.title"), inside)


def message(record: Dashboard, title: str, inside: str) -> Any:
    """A page with a message where the desk would be."""
    page = frame(record, "message.html", {})
    page.add_variable("message_title", title)
    page.add_variable("message", inside)
    return page


def place(store: Any) -> str:
    """Where the store lies, for people."""
    return str(store.catalog_path.parent)


def index(desks: Sequence[Dashboard], store: Any) -> str:
    """The first page: all desks. Plain HTML, no request to anybody."""
    runs = store.runs()
    cards = "".join(card(d, [r for r in runs if r.indicator in d.indicators]) for d in desks)
    synthetic = any(r.item.get("properties", {}).get("geomon:synthetic") for r in runs)
    banner = f'<div class="banner">{say("banner.synthetic")}</div>' if synthetic else ""
    parts = {
        "language": LANGUAGES[0],
        "title": say("index.title"),
        "style": style() + (HERE / "parts.css").read_text(encoding="utf-8").replace(":host", "main"),
        "home": say("page.home"),
        "mark": MARK,
        "lead": say("index.lead"),
        "banner": banner,
        "cards": cards,
        "look": say("page.look"),
    }
    text = (HERE / "index.html").read_text(encoding="utf-8")
    for name, words in parts.items():
        text = text.replace("{{ " + name + " }}", words)
    return text


def card(desk: Dashboard, runs: Sequence[Any]) -> str:
    """One desk on the first page, with the newest result of its first indicator."""
    inside = element("h2", escape(desk.title)) + element("p", escape(desk.desk))
    known = [run for code in desk.indicators for run in runs if run.indicator == code]
    if known:
        story = stored(known[0], next(iter(definition(known[0].recipe).outputs)))
        if story.periods:
            inside += element("p", sentence(story, story.country, story.periods[-1]), "result")
        count = say("index.run") if len(runs) == 1 else say("index.runs", count=len(runs))
        inside += element("p", told("index.made", count=count, made=str(runs[0].created)[:10]), "soft small")
    else:
        inside += element("p", say("empty.title"), "soft")
    return f'<a class="card desk" href="/{desk.slug}">{inside}<span class="open">{say("index.open")}</span></a>'
