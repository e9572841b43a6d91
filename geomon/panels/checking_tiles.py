"""All checked areas as buttons, by verdict, those that need a reader first in front."""

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import param
from panel.custom import JSComponent

from geomon.finding import VERDICTS
from geomon.panels.checking_findings import Record, Scale, mood
from geomon.panels.comparison import at
from geomon.panels.numbers import MINUS
from geomon.panels.story import Story
from geomon.texts import known, say


class Tiles(JSComponent):
    """Buttons in groups; `clicked` holds the code of the area that was chosen last."""

    groups = param.List(default=[], doc="see groups()")
    chosen = param.String("")
    clicked = param.Dict(default={})

    _esm = Path(__file__).parent / "tiles.js"


def groups(story: Story, findings: Sequence[Record]) -> list[dict[str, Any]]:
    """A group for each verdict that there is, in the order of the verdicts."""
    verdicts = [*VERDICTS, *sorted({str(f["verdict"]) for f in findings} - set(VERDICTS))]
    made = [(verdict, [f for f in findings if f["verdict"] == verdict]) for verdict in verdicts]
    return [
        {
            "title": known(f"verdict.{verdict}") or verdict,
            "mood": mood(verdict),
            "tiles": [tile(story, f) for f in some],
        }
        for verdict, some in made
        if some
    ]


def tolerances(value: float) -> str:
    """A difference in tolerances with its sign; none for a zero."""
    text = f"{abs(value):.1f}"
    return text if text == "0.0" else (MINUS if value < 0 else "+") + text


def tile(story: Story, finding: Record) -> dict[str, Any]:
    """One area: its name, its mean difference in tolerances, and where that stands on the bar."""
    code, verdict = str(finding["ref_area"]), str(finding["verdict"])
    mean = Scale.of(finding, story).mean(finding)[0]
    there = math.isfinite(mean)
    size = tolerances(mean)
    words = say("check.page.tile.size", size=size) if there else say("check.page.tile.none")
    return {
        "code": code,
        "name": story.called(code),
        "wide": code not in story.painted,
        "at": round(at(mean), 1) if there else None,
        "size": say("check.page.tile.short", size=size) if there else "",
        "label": say("check.page.tile", area=story.called(code), verdict=verdict, size=words),
    }
