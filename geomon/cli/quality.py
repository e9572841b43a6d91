"""`geomon quality`: the data quality card of a stored run."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, Any

from rich.text import Text

from geomon.cli import tables
from geomon.cli.question import STORE, Json, StoreFolder, flag, option
from geomon.cli.speaking import show, write_json
from geomon.cli.storing import RunId, areas_in, stored_run
from geomon.cli.tree import app, examples
from geomon.texts import say

if TYPE_CHECKING:
    from geomon.quality import Card

MARKS = {"good": "green", "with care": "yellow", "poor": "red", "not known": "dim"}
NONE: list[str] = []
Outputs = Annotated[list[str], option("--output", metavar="NAME", help="Only this output; may be given several times.")]
Areas = Annotated[
    list[str],
    option("--area", metavar="CODE", help="The card of this area, and not of the whole; several times: each."),
]
On = Annotated[
    str, option("--on", metavar="DAY", help="Ages as of this day, 2026-11-23; without it, as of the day of the run.")
]
Every = Annotated[bool, flag("--all", "A line for each area as well.")]
How = Annotated[bool, flag("--how", "How each number was measured, and its rule.")]


@app.command(
    epilog=examples(
        "geomon quality 15.1.1",
        "geomon quality 15.1.1 --area XS0204 --on 2026-11-23 --how",
        "geomon quality 3f2a9c1b --all --json > quality.json",
        more="There is no score over all: each measure stands by itself, and the word of a dimension is that of\n"
        "its worst measure. What cannot be measured says that it is not known.",
    )
)
def quality(
    run: RunId,
    output: Outputs = NONE,
    area: Areas = NONE,
    on: On = "",
    store: StoreFolder = STORE,
    every: Every = False,
    how: How = False,
    as_json: Json = False,
) -> None:
    """How complete, timely, accurate, consistent and relevant a stored series is, each as measured."""
    from geomon.quality import Subject, cards
    from geomon.store import Store

    keep = Store(store)
    stored = stored_run(keep, run)
    subject = Subject(stored, on, keep.runs(stored.indicator))
    known = areas_in(stored)
    chosen = area or list(known)[:1]
    made = cards(subject, output, chosen)
    rest = cards(subject, output, list(known)) if every else []
    facts = tables.stored_facts(stored)
    if as_json:
        told = {name: facts[name] for name in ("run", "indicator", "title", "created", "nature", "synthetic")}
        return write_json({**told, "on": made[0].on, "cards": [c.as_dict() for c in rest or made]})
    if facts["synthetic"]:
        show(tables.SYNTHETIC)
    for one in made:
        show(Text(f"{one.indicator} {one.output}: {one.title}, {one.name}, as of {one.on}", style="bold"))
        show(card_table(one, how))
        show()
    if rest:
        show(lights_table(rest, known))


def card_table(card: "Card", how: bool) -> Any:
    """A line for each measure, under the word of its dimension."""
    way_too = ["How, and by which rule"] if how else []
    made = tables.table("", "", "Measured", *way_too, wrap=("Measured", *way_too))
    for dimension in card.dimensions:
        head = Text(say(f"quality.{dimension.name}"), style="bold")
        made.add_row(head, word(dimension.light), "", *([""] if how else []))
        for one in dimension.measures:
            way = f"{one.how}; {one.rule}" if one.rule else one.how
            made.add_row(
                "", word(one.light) if one.light else "", one.words, *([Text(way, style="dim")] if how else [])
            )
    return made


def lights_table(cards: "list[Card]", areas: Mapping[str, tables.Area]) -> Any:
    """A line for each output and area: the word of each dimension."""
    names = [d.name for d in cards[0].dimensions]
    made = tables.table("Output", "Area", "Code", *(say(f"quality.{name}") for name in names))
    for card in cards:
        area = areas.get(card.ref_area, tables.Area(card.ref_area, 0))
        words = (word(d.light) for d in card.dimensions)
        made.add_row(card.output, Text("  " * area.depth + area.name), card.ref_area, *words)
    return made


def word(light: str) -> Text:
    """A traffic word in its colour."""
    return Text(say(f"quality.light.{light}"), style=MARKS[light])
