"""Charts of a desk: the series with its interval, breaks and official figures, what was seen, and all areas."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import holoviews as hv
import numpy as np
import pandas as pd
from bokeh.models import CustomJSTickFormatter, FixedTicker, HoverTool, NoOverlap

from geomon.panels.markup import told
from geomon.panels.numbers import Unit, percent
from geomon.panels.story import Story
from geomon.period import Period
from geomon.texts import say

hv.extension("bokeh", logo=False)  # without it no option of a chart is known

SANS = "Inter, Segoe UI, Roboto, Noto Sans, system-ui, sans-serif"
BORDER = 66  # pixels left of the frame, the same for charts above each other


@dataclass(frozen=True)
class Look:
    """Colours of the charts in one of the two looks."""

    series: str
    official: str
    ink: str
    soft: str
    line: str
    paper: str
    accent: str
    warn: str


LOOKS = {
    "light": Look("#1c6b41", "#4a3fa0", "#15211c", "#4f5e57", "#dbe2dd", "#ffffff", "#b23c06", "#7d4300"),
    "dark": Look("#7ccb9c", "#b4acff", "#e9f0ec", "#a9b9b1", "#2b3933", "#16201c", "#ff9d5c", "#f6c27d"),
}


def middle(label: str) -> pd.Timestamp:
    """Where a period stands on the axis of time."""
    period = Period.of(label)
    return period.start + (period.end - period.start) / 2


def segments(labels: Sequence[str], breaks: Iterable[str]) -> list[list[str]]:
    """Runs of periods that no known break parts."""
    cuts = [pd.Timestamp(b) for b in breaks]
    parts: list[list[str]] = []
    for label in labels:
        start = Period.of(label).start
        if parts and not any(Period.of(parts[-1][-1]).start < cut <= start for cut in cuts):
            parts[-1].append(label)
        else:
            parts.append([label])
    return parts


def readings(story: Story, area: str) -> pd.DataFrame:
    """The rows of one area in order of time, with the words of the tooltip."""
    rows = [story.at(area, label) for label in story.periods]
    return pd.DataFrame(
        {
            "time": [middle(label) for label in story.periods],
            "period": story.periods,
            "value": [r.value for r in rows],
            "lower": [r.lower for r in rows],
            "upper": [r.upper for r in rows],
            "coverage": [r.coverage for r in rows],
            "status": [r.status for r in rows],
            "told": [story.unit.write(r.value) for r in rows],
            "interval": [story.unit.named(r.lower, r.upper, r.interval) for r in rows],
            "seen": [percent(r.coverage, 1) for r in rows],
        }
    )


def series(
    story: Story, area: str, period: str, official: Mapping[str, float], breaks: Sequence[str], look: Look
) -> Any:  # an overlay of HoloViews, which carries no types
    """The series of an area: band, line, dots, official diamonds, breaks, the chosen period."""
    data = readings(story, area)
    shown = data.dropna(subset="value")
    chosen = Period.of(period)
    low, high = limits(shown, official.values())
    layers: list[Any] = [hv.VSpan(chosen.start, chosen.end).opts(color=look.ink, alpha=0.07, line_width=0)]
    layers += [hv.VLine(pd.Timestamp(b)).opts(color=look.warn, line_dash=[5, 4], line_width=1.6) for b in breaks]
    layers.append(band(shown, look))
    for part in segments(story.periods, breaks):
        rows = data[data["period"].isin(part)]
        layers.append(hv.Curve(rows, "time", "value").opts(color=look.series, line_width=2.4))
    layers.append(dots(shown, look))
    layers += diamonds(official, story.unit, look)
    layers.append(crosses(data, low, look))
    return hv.Overlay(layers).opts(
        responsive=True,
        height=290,
        toolbar=None,
        show_legend=False,
        xlabel="",
        ylabel=story.unit.symbol,
        xlim=span(story.periods),
        ylim=(low - 0.07 * (high - low), high),
        hooks=[dress(look, story.periods), labelled(story, area)],
    )


def band(shown: pd.DataFrame, look: Look) -> Any:
    """The interval of each period over the whole of it: between two periods nothing is known."""
    rows = shown.dropna(subset=["lower", "upper"])
    spans = [Period.of(label) for label in rows["period"]]
    boxes = rows.assign(first=[s.start for s in spans], last=[s.end for s in spans])
    edges = ["first", "lower", "last", "upper"]
    return hv.Rectangles(boxes, edges).opts(color=look.series, alpha=0.22, line_color=look.series, line_width=0.8)


def dots(shown: pd.DataFrame, look: Look) -> Any:
    """Published values."""
    words = ["period", "told", "interval", "seen"]
    style = {"size": 8.5, "line_color": look.paper, "line_width": 1.4}
    return hv.Scatter(shown, "time", ["value", *words]).opts(color=look.series, tools=[hover(words)], **style)


def diamonds(official: Mapping[str, float], unit: Unit, look: Look) -> list[Any]:
    """Official values."""
    if not official:
        return []
    rows = pd.DataFrame(
        {
            "time": [middle(label) for label in official],
            "figure": list(official.values()),
            "period": list(official),
            "published": [unit.write(v) for v in official.values()],
        }
    )
    style = {"marker": "diamond", "size": 14, "line_color": look.official, "line_width": 2, "fill_alpha": 0.12}
    words = ["period", "published"]
    return [hv.Scatter(rows, "time", ["figure", *words]).opts(color=look.official, tools=[hover(words)], **style)]


def crosses(data: pd.DataFrame, low: float, look: Look) -> Any:
    """Withheld values stand as crosses at the foot of the chart and tell their reason."""
    hidden = data[data["value"].isna() & (data["status"] != "")].assign(foot=low)
    words = ["period", "status", "seen"]
    style = {"marker": "x", "size": 9, "line_width": 2.2}
    return hv.Scatter(hidden, "time", ["foot", *words]).opts(color=look.warn, tools=[hover(words)], **style)


def coverage(story: Story, area: str, look: Look) -> Any:
    """How much of the area was seen in each period, against the minimum."""
    data = readings(story, area).dropna(subset="coverage")
    half = [0.32 * (Period.of(label).end - Period.of(label).start) for label in data["period"]]
    bars = pd.DataFrame(
        {
            "from": [t - h for t, h in zip(data["time"], half, strict=True)],
            "foot": 0.0,
            "to": [t + h for t, h in zip(data["time"], half, strict=True)],
            "share": 100 * data["coverage"].to_numpy(),
            "period": data["period"].to_numpy(),
            "seen": data["seen"].to_numpy(),
            "colour": np.where(data["coverage"] < story.indicator.minimum_coverage, look.warn, look.soft),
        }
    )
    boxes = hv.Rectangles(bars, ["from", "foot", "to", "share"], ["colour", "period", "seen"])
    style = {"color": "colour", "line_width": 0, "alpha": 0.75, "tools": [hover(["period", "seen"])]}
    need = hv.HLine(100 * story.indicator.minimum_coverage).opts(color=look.warn, line_dash=[5, 4], line_width=1.4)
    return (boxes.opts(**style) * need).opts(
        responsive=True,
        height=78,
        toolbar=None,
        show_legend=False,
        xlabel="",
        ylabel=Unit("percent").symbol,
        xlim=span(story.periods),
        ylim=(0, 108),
        yticks=[0, 100],
        hooks=[dress(look, story.periods), no_labels, labelled(story, area)],
    )


def ranking(story: Story, period: str, area: str, look: Look) -> Any:
    """All painted areas of one period in order, with their intervals: for runs of a single date."""
    rows = [(code, story.at(code, period)) for code in story.painted]
    rows = sorted((r for r in rows if r[1].published), key=lambda r: r[1].value)
    inside = set(story.parts(area)) if area != story.country else set()
    data = pd.DataFrame(
        {
            "value": [r.value for _, r in rows],
            "rank": range(len(rows)),
            "rank_": range(len(rows)),
            "lower": [r.lower for _, r in rows],
            "upper": [r.upper for _, r in rows],
            "area": [story.called(code) for code, _ in rows],
            "told": [story.unit.write(r.value) for _, r in rows],
            "interval": [story.unit.named(r.lower, r.upper, r.interval) for _, r in rows],
            "colour": [look.accent if code in inside else look.series for code, _ in rows],
        }
    )
    ends = hv.Segments(data.dropna(), ["lower", "rank", "upper", "rank_"], ["colour"]).opts(
        color="colour", line_width=2
    )
    words = ["area", "told", "interval"]
    style = {"color": "colour", "size": 9, "line_color": look.paper, "tools": [hover(words)]}
    marks = hv.Scatter(data, "value", ["rank", "colour", *words]).opts(**style)
    return (ends * marks).opts(
        responsive=True,
        height=60 + 19 * len(rows),
        toolbar=None,
        show_legend=False,
        xlabel=story.unit.symbol,
        ylabel="",
        xlim=room(data),
        ylim=(-0.8, len(rows) - 0.2),
        yticks=[(i, name) for i, name in enumerate(data["area"])],
        hooks=[plain(look), labelled(story, area)],
    )


def room(data: pd.DataFrame) -> tuple[float, float]:
    """The axis of a ranking: from zero, or from the smallest value below it."""
    drawn = [0.0, *data["value"], *data["lower"].dropna(), *data["upper"].dropna()]
    low, high = min(drawn), max(drawn)
    air = 0.04 * (high - low) or 1.0
    return low - (air if low < 0 else air / 4), high + air


def key(story: Story, through_time: bool, official: Mapping[str, float], breaks: Sequence[tuple[str, str]]) -> str:
    """The legend of the chart as HTML, with the reasons of known breaks."""
    marks = [("dot", "series.satellite"), ("band", "series.band")]
    if through_time and official:
        marks.append(("diamond", "series.official"))
    if through_time and breaks:
        marks.append(("dash", "series.break"))
    if (story.rows["obs_status"] != "").any() and through_time:
        marks.append(("cross", "series.withheld"))
    items = "".join(f'<li><i class="{mark}" aria-hidden="true"></i>{say(words)}</li>' for mark, words in marks)
    why = "".join(f"<li>{told('series.why', date=date, why=why)}</li>" for date, why in breaks) if through_time else ""
    return f'<ul class="key">{items}</ul>' + (f'<ul class="key why">{why}</ul>' if why else "")


def limits(shown: pd.DataFrame, official: Iterable[float]) -> tuple[float, float]:
    """Foot and top of the axis: all that is drawn with a little air, and never a flat nothing."""
    drawn = [*shown["value"], *shown["lower"].dropna(), *shown["upper"].dropna(), *official]
    if not drawn:
        return 0.0, 1.0
    low, high = min(drawn), max(drawn)
    air = 0.08 * (high - low) or 0.05 * abs(high) or 1.0
    return max(0.0, low - air) if low >= 0 else low - air, high + air


def span(labels: Sequence[str]) -> tuple[pd.Timestamp, pd.Timestamp]:
    """The axis of time: all periods, whole."""
    periods = [Period.of(label) for label in labels]
    return min(p.start for p in periods), max(p.end for p in periods)


def hover(columns: Sequence[str]) -> HoverTool:
    """A tooltip of words that were made in Python."""
    return HoverTool(tooltips=[(say(f"tip.{name}"), f"@{{{name}}}") for name in columns], attachment="above")


def dress(look: Look, labels: Sequence[str]) -> Callable[[Any, Any], None]:
    """Axes of a chart of time: a tick for each period, or for some of many."""
    step = -(-len(labels) // 12)
    ticks = {middle(label).value / 1e6: label for label in labels[::step]}

    def hook(plot: Any, element: Any) -> None:
        plain(look)(plot, element)
        figure = plot.handles["plot"]
        figure.xaxis[0].ticker = FixedTicker(ticks=list(ticks))
        names = {str(round(at)): label for at, label in ticks.items()}
        figure.xaxis[0].formatter = CustomJSTickFormatter(
            args={"names": names}, code="return names[Math.round(tick)] ?? ''"
        )
        figure.xaxis[0].major_label_policy = NoOverlap()
        figure.min_border_left = BORDER
        figure.xgrid[0].grid_line_color = None

    return hook


def plain(look: Look) -> Callable[[Any, Any], None]:
    """Quiet axes on the paper of the card."""

    def hook(plot: Any, element: Any) -> None:
        figure = plot.handles["plot"]
        figure.update(background_fill_color=None, border_fill_color=None, outline_line_color=None, min_border_right=16)
        for axis in (*figure.xaxis, *figure.yaxis):
            axis.update(axis_line_color=look.line, major_tick_line_color=look.line, minor_tick_line_color=None)
            axis.update(
                major_label_text_color=look.soft, axis_label_text_color=look.soft, axis_label_text_font_style="normal"
            )
            axis.update(major_label_text_font_size="13px", axis_label_text_font_size="13px")
            axis.update(major_label_text_font=SANS, axis_label_text_font=SANS)
        for grid in (*figure.xgrid, *figure.ygrid):
            grid.grid_line_color = look.line
            grid.grid_line_alpha = 0.7

    return hook


def no_labels(plot: Any, element: Any) -> None:
    """The chart above has the labels of the same axis."""
    plot.handles["plot"].xaxis[0].update(major_label_text_font_size="0px", major_tick_line_color=None)


def labelled(story: Story, area: str) -> Callable[[Any, Any], None]:
    """What a screen reader says of a chart: its title, and that a table holds the same."""
    words = say("series.chart", what=story.title, area=story.called(area))

    def hook(plot: Any, element: Any) -> None:
        plot.handles["plot"].html_attributes = {"role": "img", "aria-label": words}

    return hook
