"""Charts of the check page: the pair of series, the difference in tolerances, and all areas against each other."""

import math
from collections.abc import Sequence
from typing import Any

import holoviews as hv
import numpy as np
import pandas as pd

from geomon.panels import chart
from geomon.panels.chart import Look, dress, hover, middle, plain
from geomon.panels.checking_findings import Record, Scale, number
from geomon.panels.markup import told
from geomon.panels.numbers import MINUS
from geomon.panels.story import Story
from geomon.period import Period
from geomon.texts import known, say

TIMED = ("break", "sensor", "odd year", "optimistic", "copied", "unit", "swap", "boundary")
"""Causes whose years are marked."""
FURTHEST = 4.0  # tolerances that the axis of differences shows at the least
POINTS = 90  # of the curve of a band on a linear scale


def found(finding: Record) -> tuple[str, str, str] | None:
    """The first reason, if it has a time: its name, and the first and last period that it touches ('' is open)."""
    first = next((c for c in finding.get("causes") or () if not c.get("remark")), None)
    if first is None or first.get("name") not in TIMED or not first.get("since"):
        return None
    return str(first["name"]), str(first["since"]), str(first.get("until") or "")


def when(mark: tuple[str, str, str]) -> str:
    """A mark in words: what, and when."""
    name, since, until = mark
    years = say("check.page.series.odd", years=since) if until == since else say("check.page.series.since", year=since)
    return f"{known(f'check.name.{name}') or name}, {years}"


def table(story: Story, finding: Record) -> pd.DataFrame:
    """The pairs, with what charts and tooltips show."""
    scale = Scale.of(finding, story)
    rows = []
    for pair in finding.get("pairs") or ():
        ours, theirs = number(pair.get("satellite")), number(pair.get("official"))
        times = scale.times(ours, theirs)
        rows.append(
            {
                "area": story.called(str(finding["ref_area"])),
                "time": middle(str(pair["time_period"])),
                "period": str(pair["time_period"]),
                "satellite": ours,
                "figure": theirs,
                "published": story.unit.write(theirs),
                "told": story.unit.write(ours),
                "difference": story.unit.write(ours - theirs, signed=True),
                "times": times,
                "tolerances": f"{times:+.1f}".replace("-", MINUS) if math.isfinite(times) else say("value.missing"),
                "used": bool(pair.get("used", True)),
                "zero": 0.0,
            }
        )
    columns = ["area", "time", "period", "satellite", "figure", "published", "told", "difference", "times"]
    return pd.DataFrame(rows, columns=[*columns, "tolerances", "used", "zero"])


def labelled(words: str) -> Any:
    """What a screen reader says of a chart."""

    def hook(plot: Any, element: Any) -> None:
        plot.handles["plot"].html_attributes = {"role": "img", "aria-label": say("check.page.chart", what=words)}

    return hook


def marks(finding: Record, labels: Sequence[str], look: Look) -> list[Any]:
    """The time that the check found: a line at its beginning, or its years shaded."""
    mark = found(finding)
    if mark is None or mark[1] not in labels:
        return []
    start = Period.of(mark[1]).start
    stop = Period.of(mark[2]).end if mark[2] else max(Period.of(label).end for label in labels)
    shade = hv.VSpan(start, stop).opts(color=look.accent, alpha=0.13 if mark[2] else 0.06, line_width=0)
    return [shade, hv.VLine(start).opts(color=look.accent, line_width=2.2)]


def series(story: Story, finding: Record, breaks: Sequence[str], look: Look) -> Any:
    """Both series of an area: line with its interval, diamonds, known breaks, and the time that the check found."""
    area, pairs = str(finding["ref_area"]), table(story, finding)
    data = chart.readings(story, area)
    shown = data.dropna(subset="value")
    low, high = chart.limits(shown, pairs["figure"].dropna())
    layers: list[Any] = marks(finding, story.periods, look)
    layers += [hv.VLine(pd.Timestamp(b)).opts(color=look.warn, line_dash=[5, 4], line_width=1.6) for b in breaks]
    layers.append(chart.band(shown, look))
    for part in chart.segments(story.periods, breaks):
        rows = data[data["period"].isin(part)]
        layers.append(hv.Curve(rows, "time", "value").opts(color=look.series, line_width=2.4))
    layers.append(chart.dots(shown, look))
    layers += [diamonds(pairs[pairs["used"] == used], used, look) for used in (True, False)]
    layers.append(chart.crosses(data, low, look))
    return hv.Overlay(layers).opts(
        **frame(300),
        ylabel=story.unit.symbol,
        xlim=chart.span(story.periods),
        ylim=(low - 0.07 * (high - low), high),
        hooks=[dress(look, story.periods), labelled(say("check.page.series", area=story.called(area)))],
    )


def diamonds(rows: pd.DataFrame, used: bool, look: Look) -> Any:
    """Official figures; those that were not used are pale."""
    style = {"marker": "diamond", "size": 14 if used else 11, "line_width": 2 if used else 1.2}
    style |= {"fill_alpha": 0.35 if used else 0.0, "line_color": look.official if used else look.soft}
    words = ["period", "published", "difference", "tolerances"]
    return hv.Scatter(rows, "time", ["figure", *words]).opts(color=look.official, tools=[hover(words)], **style)


def frame(height: int) -> dict[str, Any]:
    """What all charts of the page share."""
    return {"responsive": True, "height": height, "toolbar": None, "show_legend": False, "xlabel": ""}


def difference(story: Story, finding: Record, breaks: Sequence[str], look: Look) -> Any:
    """Satellite minus official through time, in tolerances, over the band of what counts as equal."""
    rows = table(story, finding).dropna(subset="times")
    reach = max(FURTHEST, 1.12 * float(rows["times"].abs().max())) if len(rows) else FURTHEST
    equal = hv.HSpan(-1, 1).opts(color=look.series, alpha=0.13, line_width=0)
    layers: list[Any] = [equal, hv.HLine(0).opts(color=look.soft, line_width=1), *marks(finding, story.periods, look)]
    layers += [hv.VLine(pd.Timestamp(b)).opts(color=look.warn, line_dash=[5, 4], line_width=1.6) for b in breaks]
    stems = rows.assign(time_=rows["time"])
    layers.append(
        hv.Segments(stems, ["time", "zero", "time_", "times"]).opts(color=look.ink, line_width=1.6, alpha=0.5)
    )
    words = ["period", "difference", "tolerances"]
    for used in (True, False):
        style = {"color": look.ink if used else look.paper, "line_color": look.ink if used else look.soft, "size": 9}
        some = rows[rows["used"] == used]
        layers.append(hv.Scatter(some, "time", ["times", *words]).opts(tools=[hover(words)], line_width=1.6, **style))
    return hv.Overlay(layers).opts(
        **frame(200),
        ylabel=say("check.page.difference.axis"),
        xlim=chart.span(story.periods),
        ylim=(-reach, reach),
        hooks=[dress(look, story.periods), labelled(say("check.page.difference", tolerance=""))],
    )


def cloud(story: Story, findings: Sequence[Record], logs: bool) -> tuple[pd.DataFrame, int]:
    """The pairs of all areas, and how many cannot stand on a logarithmic scale."""
    there = [f for f in findings if f.get("pairs")] or findings[:1]
    rows = pd.concat([table(story, f).assign(code=str(f["ref_area"])) for f in there], ignore_index=True)
    rows = rows.dropna(subset=["satellite", "figure"])
    drawn = rows[(rows["satellite"] > 0) & (rows["figure"] > 0)] if logs else rows
    return drawn, len(rows) - len(drawn)


def scatter(story: Story, rows: pd.DataFrame, scale: Scale, area: str, look: Look) -> Any:
    """The rows of `cloud`, satellite against official, with the line of equality and what counts as equal."""
    low, high = ends(rows, scale.relative)
    x = np.geomspace(low, high, POINTS) if scale.relative else np.linspace(low, high, POINTS)
    away = np.full(POINTS, scale.tolerance if scale.known else 0.0)
    under, over = (x / (1 + away), x * (1 + away)) if scale.relative else (x - away, x + away)
    layers = [
        hv.Area((x, under, over), vdims=["y", "y2"]).opts(color=look.series, alpha=0.16, line_width=0),
        hv.Curve((x, x)).opts(color=look.soft, line_width=1.2, line_dash=[4, 3]),
    ]
    words = ["area", "period", "told", "published", "tolerances"]
    for mine in (False, True):
        some = rows[(rows["code"] == area) == mine]
        style = {"color": look.accent if mine else look.series, "size": 10 if mine else 6, "alpha": 1 if mine else 0.55}
        style |= {
            "line_color": look.paper,
            "line_width": 1.2 if mine else 0.4,
            "marker": "diamond" if mine else "circle",
        }
        layers.append(hv.Scatter(some, "figure", ["satellite", *words]).opts(tools=[hover(words)], **style))
    symbol = story.unit.symbol
    return hv.Overlay(layers).opts(
        **frame(440) | {"xlabel": say("check.page.scatter.x", unit=symbol)},
        ylabel=say("check.page.scatter.y", unit=symbol),
        logx=scale.relative,
        logy=scale.relative,
        xlim=(low, high),
        ylim=(low, high),
        hooks=[plain(look), labelled(say("check.page.scatter"))],
    )


def ends(rows: pd.DataFrame, logs: bool) -> tuple[float, float]:
    """The axes of the scatter, the same for both."""
    values = rows[["satellite", "figure"]].to_numpy(float)
    if not values.size:
        return (1.0, 10.0) if logs else (0.0, 1.0)
    low, high = float(values.min()), float(values.max())
    if logs:
        return low / 1.3, high * 1.3
    air = 0.05 * (high - low) or 0.05 * abs(high) or 1.0
    return (max(0.0, low - air) if low >= 0 else low - air), high + air


def key(story: Story, finding: Record, breaks: Sequence[tuple[str, str]]) -> str:
    """The legend of the charts of time."""
    used = {bool(pair.get("used", True)) for pair in finding.get("pairs") or ()}
    items = [("dot", say("series.satellite")), ("band", say("series.band"))]
    items += [("diamond", say("check.page.series.used"))] if True in used else []
    items += [("diamond pale", say("check.page.series.unused"))] if False in used else []
    items += [("dash", say("series.break"))] if breaks else []
    mark = found(finding)
    if mark is not None and mark[1] in story.periods:
        items.append(("found", told("check.page.series.found", words=when(mark))))
    why = "".join(f"<li>{told('series.why', date=date, why=reason)}</li>" for date, reason in breaks)
    lines = "".join(f'<li><i class="{sign}" aria-hidden="true"></i>{words}</li>' for sign, words in items)
    return f'<ul class="key">{lines}</ul>' + (f'<ul class="key why">{why}</ul>' if why else "")


def scatter_key() -> str:
    """The legend of the scatter."""
    items = [("dot", "others"), ("chosen", "chosen"), ("band", "band"), ("dash soft", "line")]
    lines = (f'<li><i class="{s}" aria-hidden="true"></i>{say(f"check.page.scatter.{w}")}</li>' for s, w in items)
    return f'<ul class="key">{"".join(lines)}</ul>'
