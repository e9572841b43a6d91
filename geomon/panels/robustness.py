"""The specification curve of a desk: values in order with their intervals, and below them what was chosen."""

from collections.abc import Callable, Mapping
from html import escape
from typing import Any

import holoviews as hv
import numpy as np
import pandas as pd

from geomon.panels.chart import Look, hover, plain
from geomon.panels.markup import element, fold, table, told
from geomon.panels.numbers import typeset
from geomon.panels.story import Story
from geomon.robustness import stored
from geomon.store import Store
from geomon.texts import say

ROW = 22  # pixels of an option
LEFT = 260  # pixels left of both frames, for the names of the options
SHOWN = ("spec", "told", "interval", "trend", "verdict")


def result(story: Story) -> Mapping[str, Any] | None:
    """The newest result that has this run among its specifications, as its default if there is one."""
    known = stored(Store(story.run.folder.parent.parent), story.indicator.code)
    mine = [r for r in known if any(s["run"] == story.run.id for s in r["specifications"])]
    return next((r for r in mine if r["specifications"][0]["run"] == story.run.id), next(iter(mine), None))


def curve(story: Story, area: str, found: Mapping[str, Any] | None) -> Mapping[str, Any] | None:
    """The curve of an area that may be shown."""
    if found is None or story.guard is not None or area not in story.areas.index:
        return None
    return next((c for c in found["curves"] if (c["output"], c["ref_area"]) == (story.name, area)), None)


def words(story: Story, area: str, found: Mapping[str, Any] | None) -> str:
    """What the curve says, or why there is none."""
    title, shown = element("h2", say("robust.title")), curve(story, area, found)
    if story.guard is not None:
        return title + element("p", say("robust.hidden"), "soft")
    if found is None or shown is None:
        return title + element("p", told("robust.none", code=story.indicator.code), "soft")
    tried, possible = len(found["specifications"]), found["possible"]
    key = "robust.tried" if tried == possible else "robust.tried.some"
    count = told(key, tried=tried, possible=possible, percent=f"{100 * tried / possible:.0f}")
    beside = [*shown["sentences"][1:], *found.get("left_out", ())]
    said = "".join(element("li", escape(typeset(s))) for s in beside)
    first = element("p", escape(typeset(shown["sentences"][0])), "verdict")
    lead = element("p", f"{count} {say('robust.lead')}", "soft")
    return title + first + element("ul", said, "reasons") + lead + as_table(story, found, shown)


def as_table(story: Story, found: Mapping[str, Any], shown: Mapping[str, Any]) -> str:
    """The curve as a table, on demand."""
    rows = [
        ("here" if row["number"] == 1 else "", [escape(typeset(str(row[name]))) for name in SHOWN])
        for row in points(story, found, shown).to_dict("records")
    ]
    head = [(say(f"tip.{name}"), False) for name in SHOWN]
    return fold(say("robust.table"), table(head, rows, scroll=say("robust.table")))


def points(story: Story, found: Mapping[str, Any], shown: Mapping[str, Any]) -> pd.DataFrame:
    """A row for each specification in the order of its value, those without one last."""
    unit, ways = story.unit, {s["number"]: s["choices"] for s in found["specifications"]}
    default = ways[1]
    rows = []
    for p in shown["points"]:
        value, lower, upper = (np.nan if p[k] is None else float(p[k]) for k in ("value", "lower", "upper"))
        other = [f"{k} {v}" for k, v in ways[p["number"]].items() if v != default[k]]
        slope = "" if p["slope"] is None else unit.write(float(p["slope"]), signed=True)
        rows.append(
            {
                "number": p["number"],
                "value": value,
                "lower": lower,
                "upper": upper,
                "spec": ", ".join(other) or say("robust.default"),
                "told": unit.write(value) if np.isfinite(value) else p["why"],
                "interval": unit.between(lower, upper) if np.isfinite(value) else "",
                "trend": say("robust.slope", unit=slope) if slope else "",
                "verdict": p["verdict"],
            }
        )
    table = pd.DataFrame(rows).sort_values(["value", "number"], na_position="last", kind="stable")
    return table.assign(rank=range(len(table)), rank_=range(len(table)))


def chart(story: Story, area: str, found: Mapping[str, Any], shown: Mapping[str, Any], look: Look) -> Any:
    """The values with their intervals; the default is marked, and what gave no value stands as a cross at the foot."""
    data = points(story, found, shown)
    data["colour"] = np.where(data["number"] == 1, look.accent, look.series)
    there = data.dropna(subset="value")
    drawn = there[["value", "lower", "upper"]].to_numpy(float)
    drawn = drawn[np.isfinite(drawn)]
    low, high = (float(drawn.min()), float(drawn.max())) if len(drawn) else (0.0, 1.0)
    air = 0.08 * (high - low) or 0.05 * abs(high) or 1.0
    ends = there.dropna(subset=["lower", "upper"])
    bars = hv.Segments(ends, ["rank", "lower", "rank_", "upper"], ["colour"]).opts(color="colour", line_width=2)
    marks = hv.Scatter(there, "rank", ["value", "colour", *SHOWN]).opts(
        color="colour", size=9, line_color=look.paper, tools=[hover(SHOWN)]
    )
    ring = hv.Scatter(there[there["number"] == 1], "rank", ["value"]).opts(
        color=look.accent, fill_alpha=0, size=17, line_width=2
    )
    lost = hv.Scatter(data[data["value"].isna()].assign(foot=low - air / 2), "rank", ["foot", *SHOWN]).opts(
        color=look.warn, marker="x", size=9, line_width=2.2, tools=[hover(SHOWN)]
    )
    return (bars * marks * ring * lost).opts(
        responsive=True,
        height=230,
        toolbar=None,
        show_legend=False,
        xlabel="",
        ylabel=say("robust.value.axis", last=shown["last"], unit=story.unit.symbol),
        xlim=(-0.7, len(data) - 0.3),
        ylim=(low - air, high + air),
        xaxis=None,
        hooks=[plain(look), placed(say("robust.chart", what=story.title, area=story.called(area)))],
    )


def chosen(story: Story, area: str, found: Mapping[str, Any], shown: Mapping[str, Any], look: Look) -> Any:
    """Below the curve a dot for each option that a specification took."""
    data = points(story, found, shown)
    ways = {s["number"]: s["choices"] for s in found["specifications"]}
    options = [(f["name"], o) for f in found["forks"] if len(f["options"]) > 1 for o in f["options"]][::-1]
    dots = pd.DataFrame(
        [
            {"rank": rank, "row": row, "colour": look.accent if number == 1 else look.ink}
            for rank, number in zip(data["rank"], data["number"], strict=True)
            for row, (name, option) in enumerate(options)
            if ways[number][name] == option
        ],
        columns=["rank", "row", "colour"],
    )
    return hv.Scatter(dots, "rank", ["row", "colour"]).opts(
        color="colour",
        size=8,
        responsive=True,
        height=30 + ROW * max(1, len(options)),
        toolbar=None,
        show_legend=False,
        xlabel="",
        ylabel="",
        xaxis=None,
        xlim=(-0.7, len(data) - 0.3),
        ylim=(-0.7, max(1, len(options)) - 0.3),
        yticks=[(n, f"{name}: {option}") for n, (name, option) in enumerate(options)],
        hooks=[plain(look), placed(say("robust.chart.choices"))],
    )


def placed(label: str) -> Callable[[Any, Any], None]:
    """The same room left of both charts, so that a specification stands above its dots; and what a reader is told."""

    def hook(plot: Any, element: Any) -> None:
        figure = plot.handles["plot"]
        figure.min_border_left = LEFT
        figure.html_attributes = {"role": "img", "aria-label": label}

    return hook
