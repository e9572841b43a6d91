"""The check as the commands show it."""

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from rich.text import Text

from geomon.cli.tables import Area

SENTENCES = 6  # verdicts that are shown without --all
NOT_ENOUGH = "not enough data"
MARKS = {
    "agrees": "green",
    "defect in the data": "bold red",
    "differs in level": "red",
    "differs in direction": "red",
    "differs by definition": "yellow",
}


def verdicts(findings: Sequence[Mapping[str, Any]], areas: Mapping[str, Area], every: bool = False) -> Iterator[Text]:
    """How many there are of each, and a sentence for those to read first: whole countries, then by verdict."""
    compared = [f for f in findings if f["pairs"] or f["verdict"] != NOT_ENOUGH]
    alone: dict[str, list[str]] = defaultdict(list)
    for found in findings:
        if found not in compared:
            alone[found["reasons"][0]].append(found["ref_area"])
    if compared:
        yield Text(f"Beside official figures: {tally(compared)}.", style="bold")
    order = {code: n for n, code in enumerate(areas)}
    ranked = sorted(compared, key=lambda f: (depth(f, areas) > 0, rank(f), order.get(f["ref_area"], 0)))
    for found in ranked if every else ranked[:SENTENCES]:
        grade = f" ({found['grade']})" if found.get("grade") else ""
        yield Text.assemble((found["verdict"] + grade, MARKS.get(found["verdict"], "dim")), f"  {found['sentence']}")
    if not every and len(ranked) > SENTENCES:
        yield Text(f"{len(ranked) - SENTENCES} further verdicts: geomon check with --all.", style="dim")
    for reason, codes in alone.items():
        names = areas.get(codes[0], Area(codes[0], 0)).name if len(set(codes)) == 1 else f"{len(set(codes))} areas"
        yield Text.assemble((NOT_ENOUGH, "dim"), f"  {names}: {reason}.")


def tally(findings: Sequence[Mapping[str, Any]]) -> str:
    """'18 agrees, 8 differs in level'."""
    return ", ".join(f"{n} {verdict}" for verdict, n in Counter(f["verdict"] for f in findings).most_common())


def depth(found: Mapping[str, Any], areas: Mapping[str, Area]) -> int:
    """How far below the topmost areas a finding is."""
    return areas.get(found["ref_area"], Area("", 0)).depth


def rank(found: Mapping[str, Any]) -> int:
    """The verdict that needs a reader first in front."""
    from geomon.finding import VERDICTS

    return VERDICTS.index(found["verdict"])
