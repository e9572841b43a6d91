"""A desk: one page of parts that all follow the same choices (output, run, area, period)."""

from collections.abc import Mapping, Sequence
from typing import Any

import panel as pn

from geomon.panels import advance, chart, map, method, people, provenance, quality, robustness, verdict
from geomon.panels.choices import Choices, select, slider, switch
from geomon.panels.dashboard import Dashboard
from geomon.panels.map import MapLibre
from geomon.panels.markup import element, pane, told
from geomon.panels.origins import definition
from geomon.panels.pages import empty, frame
from geomon.panels.story import Story, lineage, stored
from geomon.panels.titles import named
from geomon.texts import say

HTML_PARTS = [
    *("headline", "figure", "check", "progress", "heading", "seen", "astable", "change", "areas", "quality", "robust"),
    *("objections", "caveats", "note", "code", "recipe", "ledger", "reads", "source"),
]


def desk(record: Dashboard, store: Any, colours: Mapping[str, str], first: str = "") -> Any:
    """The page of one visitor: a desk over the stored runs of its indicators, or what to do if there are none.

    `colours` names the palette of each indicator: 'land', 'water' or 'light'; `first` the output that is shown
    first, as '6.6.1/seasonal'.
    """
    runs = {code: found for code in record.indicators if (found := store.runs(code))}
    return Desk(record, runs, colours, first).page() if runs else empty(record, store)


class Desk:
    """What one visitor has chosen, and the parts that follow it."""

    def __init__(
        self, record: Dashboard, runs: Mapping[str, Sequence[Any]], colours: Mapping[str, str], first: str = ""
    ) -> None:
        self.record, self.runs, self.colours = record, runs, colours
        self.look = "light"
        self.html = {name: pane() for name in HTML_PARTS}
        self.choices, self.steps, self.dates = (Choices(sizing_mode="stretch_width", margin=0) for _ in range(3))
        self.map = MapLibre(words={k: say(f"map.{k}") for k in ("legend", "none", "selected", "keys")}, margin=0)
        self.map.sizing_mode = "stretch_both"
        self.series, self.coverage, self.curve, self.chosen = (
            pn.pane.HoloViews(sizing_mode="stretch_width", margin=0) for _ in range(4)
        )
        self.outputs = outputs(runs)
        asked = {k: v[0].decode(errors="replace") for k, v in pn.state.session_args.items() if v}
        self.output, self.run = "", ""
        self.area, self.period, self.pixels = asked.get("area", ""), asked.get("period", ""), False
        keys = [key for key, _ in self.outputs]
        self.choose(output=next((key for key in (asked.get("output"), first) if key in keys), keys[0]))
        self.choices.param.watch(lambda e: self.choose(**asked_for(e.new)), "values")
        self.choices.param.watch(lambda e: self.dress(e.new), "look")
        self.steps.param.watch(lambda e: self.choose(**asked_for(e.new)), "values")
        self.dates.param.watch(lambda e: self.compare(), "values")
        self.map.param.watch(lambda e: self.click(str(e.new.get("code", ""))), "clicked")

    def page(self) -> Any:
        """The template with all parts in their places."""
        words = {
            "map": "map.section",
            "change": "change.title",
            "objections": "objections.title",
            "caveats": "caveats.title",
            "method": "method.title",
            "code": "code.title",
            "recipe": "recipe.title",
            "reads": "reads.title",
        }
        template = frame(self.record, "desk.html", {name: say(key) for name, key in words.items()})
        template.location = True
        parts = {**self.html, "choices": self.choices, "period": self.steps, "dates": self.dates}
        parts |= {"map": self.map, "series": self.series, "coverage": self.coverage}
        parts |= {"curve": self.curve, "chosen": self.chosen}
        for name, part in parts.items():
            template.add_panel(name, part)
        return template

    # ---- choosing

    def choose(
        self,
        output: str | None = None,
        run: str | None = None,
        area: str | None = None,
        period: str | None = None,
        pixels: bool | None = None,
    ) -> None:
        """Take new choices, correct what does not exist, and show what follows from them."""
        before = (self.output, self.run, self.area, self.period, self.pixels)
        self.output = output if output in dict(self.outputs) else self.output
        self.run = self.known_run(run or self.run)
        code, _, name = self.output.partition("/")
        self.story = stored(next(r for r in self.runs[code] if r.id == self.run), name)
        if area is not None and area in self.story.areas.index:
            self.area = area
        if self.area not in self.story.areas.index:
            self.area = self.story.country
        self.period = period or self.period
        if self.period not in self.story.periods:
            self.period = self.story.periods[-1] if self.story.periods else ""
        self.pixels = self.pixels if pixels is None else pixels
        after = (self.output, self.run, self.area, self.period, self.pixels)
        if after != before:
            with pn.io.hold():
                self.show(new=after[:2] != before[:2], moved=after[:3] != before[:3])

    def known_run(self, run: str) -> str:
        """The run if it belongs to the chosen indicator, else the newest of it."""
        ids = [r.id for r in self.runs[self.output.partition("/")[0]]]
        return run if run in ids else ids[0]

    def click(self, code: str) -> None:
        """A click chooses an area; a second click, or Escape, goes back to the whole."""
        self.choose(area=self.story.country if code in ("", self.area) else code)

    def dress(self, look: str) -> None:
        """The charts are pictures: they are drawn anew in the colours of the look."""
        self.look = look if look in chart.LOOKS else "light"
        self.draw()

    # ---- showing

    def show(self, new: bool, moved: bool) -> None:
        """Bring every part to the choices; `new` is another story, `moved` another area."""
        story, palette = self.story, self.colours[self.story.indicator.code]
        if new:
            self.offer()
            self.map.param.update(**map.regions(story), attribution=self.attribution(), scale=map.scale(story, palette))
            self.tell_method()
            self.robustness = robustness.result(story)
        self.choices.values = {"output": self.output, "run": self.run, "area": self.area, "pixels": self.pixels}
        self.steps.values = {"period": self.period}
        self.map.frame = map.frame(story, self.period)
        self.map.marked = [] if self.area == story.country else story.parts(self.area)
        self.map.raster = map.overlay(story, self.period, palette) if self.pixels else {}
        if moved:
            self.compare()
            self.html["check"].object = verdict.card(story, self.area)
            self.html["progress"].object = advance.card(story, self.area)
            self.html["quality"].object = quality.card(story, self.area, self.runs[story.indicator.code])
            self.html["robust"].object = robustness.words(story, self.area, self.robustness)
        self.tell()
        self.draw()
        query: dict[str, Any] = {"output": self.output, "area": self.area, "period": self.period}
        if pn.state.location:
            pn.state.location.update_query(**query)

    def offer(self) -> None:
        """The choices that this story has."""
        story, runs = self.story, self.runs[self.story.indicator.code]
        fields = [select("output", say("choice.output"), self.outputs)]
        if len(runs) > 1:
            fields.append(select("run", say("choice.run"), [(r.id, run_label(r)) for r in runs]))
        fields.append(select("area", say("choice.area"), *area_options(story)))
        fields.append(switch("pixels", say("choice.pixels"), disabled=not (story.pixels and story.run.maps)))
        self.choices.fields = fields
        self.choices.traits = ["single"] if len(story.periods) < 2 else []
        steps = [(label, label) for label in story.periods]
        self.steps.fields = [slider("period", say("choice.period"), steps)] if len(steps) > 1 else []
        ends = [select("start", say("change.from"), steps), select("end", say("change.to"), steps)]
        self.dates.fields = ends if len(steps) > 1 else []
        # the longest look back that no known break forbids, else the whole series
        last = chart.segments(story.periods, [date for date, _ in story.origins.breaks])[-1:]
        start = last[0][0] if last and len(last[0]) > 1 else story.periods[0] if story.periods else ""
        self.dates.values = {"start": start, "end": story.periods[-1]} if steps else {}

    def attribution(self) -> str:
        """The line on the map."""
        sources = "; ".join(dict.fromkeys(words.rstrip(". ") for _, words, _ in self.story.origins.sources))
        return told("map.attribution", source=sources) if sources else ""

    def tell(self) -> None:
        """The words that follow area and period."""
        story, html = self.story, self.html
        html["headline"].object = verdict.headline(story, self.area, self.period)
        html["figure"].object = verdict.figure(story, self.area, self.period)
        title = element("h2", told("areas.title", period=self.period)) + people.note(story, self.period)
        html["areas"].object = title + verdict.areas(story, self.area, self.period)
        title = told("ledger.title", area=story.called(self.area), period=self.period)
        html["ledger"].object = element("h2", title) + method.ledger(story, self.area, self.period)
        html["source"].object = provenance.footer(story, self.area, self.period, self.story.origins.sources)

    def tell_method(self) -> None:
        """The words that follow the run alone."""
        story, html = self.story, self.html
        html["objections"].object = method.objections(story)
        html["caveats"].object = method.caveats(story, self.story.origins.caveats, self.story.origins.breaks)
        html["note"].object = method.note(story)
        html["code"].object = method.code(story)
        html["recipe"].object = method.recipe(story)
        html["reads"].object = method.reads(story)

    def draw(self) -> None:
        """The charts: a series through time, or all areas where there is one date only."""
        story, look = self.story, chart.LOOKS[self.look]
        official = verdict.official_values(story, self.area)
        breaks = [date for date, _ in self.story.origins.breaks]
        through_time = len(story.periods) > 1
        self.coverage.visible = through_time
        self.html["seen"].object = element("p", say("series.coverage"), "caption") if through_time else ""
        if through_time:
            self.series.object = chart.series(story, self.area, self.period, official, breaks, look)
            self.coverage.object = chart.coverage(story, self.area, look)
            title = told("series.title", area=story.called(self.area))
        else:
            self.series.object = chart.ranking(story, self.period, self.area, look)
            title = told("series.ranking", period=self.period)
        self.html["heading"].object = element("h2", title) + chart.key(
            story, through_time, official, self.story.origins.breaks
        )
        self.html["astable"].object = verdict.as_table(story, self.area, official)
        shown = robustness.curve(story, self.area, self.robustness)
        self.curve.visible = self.chosen.visible = shown is not None
        if shown is not None and self.robustness is not None:
            self.curve.object = robustness.chart(story, self.area, self.robustness, shown, look)
            self.chosen.object = robustness.chosen(story, self.area, self.robustness, shown, look)

    def compare(self) -> None:
        """Is that change real?"""
        known, chosen = self.story.periods, self.dates.values
        start, end = (label if label in known else "" for label in (chosen.get("start"), chosen.get("end")))
        self.html["change"].object = verdict.change(self.story, self.area, start, end)


def asked_for(values: Mapping[str, Any]) -> dict[str, Any]:
    """Choices as they came from a browser, without what no desk has."""
    words = {key: str(values[key]) for key in ("output", "run", "area", "period") if key in values}
    return words | ({"pixels": bool(values["pixels"])} if "pixels" in values else {})


def outputs(runs: Mapping[str, Sequence[Any]]) -> list[tuple[str, str]]:
    """Every output that a desk can show, as key and words."""
    newest = {code: definition(found[0].recipe) for code, found in runs.items()}
    return [
        (f"{code}/{name}", named(code, o.title)) for code, known in newest.items() for name, o in known.outputs.items()
    ]


def run_label(run: Any) -> str:
    """A run by what it covers and when it was made."""
    labels = sorted(set(run.series["time_period"]))
    covered = labels[0] if len(labels) < 2 else say("value.between", lower=labels[0], upper=labels[-1])
    return say("choice.run.label", span=covered, made=provenance.moment(run.created))


def area_options(story: Story) -> tuple[list[tuple[str, str]], list[tuple[str, list[tuple[str, str]]]]]:
    """The whole and its parts first, then the areas of each part in its own group."""
    parents = story.areas["parent"]
    inner = [code for code in story.areas.index if code not in story.painted]
    top = inner or story.painted
    groups = []
    for code in inner:
        below = [c for c in story.painted if lineage(c, parents)[1:2] == [code]]
        if below:
            groups.append((story.called(code), [(c, story.called(c)) for c in below]))
    return [(code, story.called(code)) for code in top], groups
