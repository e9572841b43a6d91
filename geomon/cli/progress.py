"""`geomon progress`: is an indicator on its way to its target, or in the desired direction?"""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from rich.text import Text

from geomon.cli import tables
from geomon.cli.findings import SENTENCES
from geomon.cli.question import STORE, Json, StoreFolder
from geomon.cli.speaking import show, write_json
from geomon.cli.storing import EveryVerdict, RunId, areas_in, stored_run
from geomon.cli.tables import Area
from geomon.cli.tree import app, examples

MARKS = {
    "target met": "green",
    "substantial progress": "green",
    "fair progress": "yellow",
    "limited or no progress": "yellow",
    "deterioration": "red",
}
NOT_ENOUGH = "not enough data"


@app.command(epilog=examples("geomon progress 15.1.1", "geomon progress 3f2a9c1b --all --json"))
def progress(run: RunId, store: StoreFolder = STORE, every: EveryVerdict = False, as_json: Json = False) -> None:
    """Grade the progress of each area by the UN's rules, with how sure the grade is."""
    from geomon.store import Store

    stored = stored_run(Store(store), run)
    graded = may_be_told(stored)
    facts = tables.stored_facts(stored)
    if as_json:
        told = {name: facts[name] for name in ("run", "indicator", "nature", "synthetic")}
        return write_json({**told, "progress": graded})
    if facts["synthetic"]:
        show(tables.SYNTHETIC)
    for line in grades(graded, areas_in(stored), every):
        show(line)
    if not graded:
        from geomon.texts import say

        show(say("progress.none"))


def may_be_told(stored: Any) -> list[dict[str, Any]]:
    """The grades of a run, without those that rest on counts which are hidden to protect people."""
    from geomon.protection import guard_in, published, with_hidden

    graded: list[dict[str, Any]] = stored.progress
    if guard_in(stored.recipe) is None or not graded:
        return graded
    hidden = with_hidden(published(stored))
    return [g for g in graded if (g["output"], g["ref_area"]) not in hidden]


def grades(graded: Sequence[Mapping[str, Any]], areas: Mapping[str, Area], every: bool = False) -> Iterator[Text]:
    """A sentence for each area, whole countries first; those without a grade by their reason."""
    known = [g for g in graded if g["grade"] != NOT_ENOUGH]
    order = {code: (area.depth, n) for n, (code, area) in enumerate(areas.items())}
    known = sorted(known, key=lambda g: order.get(g["ref_area"], (0, 0)))
    for found in known if every else known[:SENTENCES]:
        yield Text.assemble((found["grade"], MARKS[found["grade"]]), f"  {found['sentence']}")
    if not every and len(known) > SENTENCES:
        yield Text(f"{len(known) - SENTENCES} further grades: geomon progress with --all.", style="dim")
    alone: dict[str, set[str]] = defaultdict(set)
    for found in graded:
        if found["grade"] == NOT_ENOUGH:
            alone[found["why"]].add(found["ref_area"])
    for why, codes in alone.items():
        one = min(codes)
        name = areas.get(one, Area(one, 0)).name if len(codes) == 1 else f"{len(codes)} areas"
        yield Text.assemble((NOT_ENOUGH, "dim"), f"  {name}: {why}.")
