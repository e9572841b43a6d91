"""The check page: every satellite series beside its official one, with verdicts, reasons, numbers and lessons."""

from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

import panel as pn

from geomon.panels import (
    chart,
    checking_charts,
    checking_lessons,
    checking_numbers,
    checking_planted,
    checking_words,
    provenance,
)
from geomon.panels.checking_findings import Record, Scale, left_out, mood, publishers, shown
from geomon.panels.checking_tiles import Tiles, groups
from geomon.panels.choices import Choices, select
from geomon.panels.dashboard import Dashboard
from geomon.panels.desk import asked_for, outputs, run_label
from geomon.panels.markup import element, pane, told
from geomon.panels.pages import frame, message
from geomon.panels.story import Story, stored
from geomon.texts import known, say

HTML_PARTS = [
    *("headline", "tally", "heading", "differing", "pairs", "cloud", "reasons", "beside", "statistics"),
    *("limits", "method", "causes", "planted", "lessons", "source"),
]
SECTIONS = {
    "tally": "check.page.tally",
    "beside": "check.title",
    "limits": "check.page.limits",
    "method": "check.page.method",
    "causes": "check.page.causes",
}


def page(store: Any) -> Any:
    """The check page of one visitor over all stored runs, or what to do if none of them was checked."""
    record = about(store)
    runs = {code: found for code in record.indicators if (found := checked(store.runs(code)))}
    stories = {key: first_story(runs, key) for key, _ in outputs(runs)}
    keys = [key for key, story in stories.items() if shown(story)]
    if not keys:
        return message(record, say("check.page.nothing"), element("p", say("check.page.none"), "lead"))
    return CheckPage(record, runs, keys).page()


def about(store: Any) -> Dashboard:
    """The record of the page: it has a frame as a desk has one, and all indicators of the store."""
    codes = tuple(dict.fromkeys(run.indicator for run in store.runs())) or ("none",)
    return Dashboard(
        slug="check", title=say("check.page.title"), desk=say("check.page.for"), page=page, indicators=codes
    )


def checked(runs: Sequence[Any]) -> list[Any]:
    """The runs that have findings."""
    return [run for run in runs if run.check]


def first_story(runs: Mapping[str, Sequence[Any]], key: str) -> Story:
    """The newest run of an output."""
    code, _, name = key.partition("/")
    return stored(runs[code][0], name)


class CheckPage:
    """What one visitor has chosen, and the parts that follow it."""

    def __init__(self, record: Dashboard, runs: Mapping[str, Sequence[Any]], keys: Sequence[str]) -> None:
        self.record, self.runs, self.look = record, runs, "light"
        self.outputs = [(key, title) for key, title in outputs(runs) if key in keys]
        self.html = {name: pane() for name in HTML_PARTS}
        self.choices = Choices(sizing_mode="stretch_width", margin=0)
        self.tiles = Tiles(sizing_mode="stretch_width", margin=0)
        self.series, self.difference, self.scatter = (
            pn.pane.HoloViews(sizing_mode="stretch_width", margin=0) for _ in range(3)
        )
        asked = {k: v[0].decode(errors="replace") for k, v in pn.state.session_args.items() if v}
        self.output = asked["output"] if asked.get("output") in dict(self.outputs) else self.outputs[0][0]
        self.run, self.publisher, self.area = asked.get("run", ""), asked.get("publisher", ""), asked.get("area", "")
        self.before: tuple[str, ...] = ()
        self.choose()
        self.html["lessons"].object = checking_lessons.page()
        self.choices.param.watch(lambda e: self.choose(**asked_of(e.new)), "values")
        self.choices.param.watch(lambda e: self.dress(e.new), "look")
        self.tiles.param.watch(lambda e: self.choose(area=str(e.new.get("code", ""))), "clicked")

    def page(self) -> Any:
        """The template with all parts in their places."""
        template = frame(self.record, "check.html", {name: say(key) for name, key in SECTIONS.items()})
        template.location = True
        parts = {**self.html, "choices": self.choices, "tiles": self.tiles}
        parts |= {"series": self.series, "difference": self.difference, "scatter": self.scatter}
        for name, part in parts.items():
            template.add_panel(name, part)
        return template

    def choose(self, output: str = "", run: str = "", publisher: str | None = None, area: str = "") -> None:
        """Take new choices, correct what does not exist, and show what follows from them."""
        self.output = output if output in dict(self.outputs) else self.output
        code, _, name = self.output.partition("/")
        ids = [r.id for r in self.runs[code]]
        self.run = next((r for r in (run, self.run) if r in ids), ids[0])
        self.story = stored(next(r for r in self.runs[code] if r.id == self.run), name)
        every = shown(self.story)
        if not every:  # an older run in which this output was not checked
            self.run = ids[0]
            self.story = stored(self.runs[code][0], name)
            every = shown(self.story)
        self.offices = publishers(every)
        wanted = self.publisher if publisher is None else publisher
        self.publisher = wanted if wanted in self.offices else self.offices[0]
        self.findings = [f for f in every if str(f.get("publisher") or "") == self.publisher]
        codes = [str(f["ref_area"]) for f in self.findings]
        self.area = next((a for a in (area, self.area) if a in codes), codes[0])
        after = (self.output, self.run, self.publisher, self.area)
        if after != self.before:
            before, self.before = self.before, after
            with pn.io.hold():
                self.show(new=after[:3] != before[:3])

    def dress(self, look: str) -> None:
        """The charts are pictures: they are drawn anew in the colours of the look."""
        self.look = look if look in chart.LOOKS else "light"
        self.draw()

    @property
    def finding(self) -> Record:
        """The finding of the chosen area."""
        return next(f for f in self.findings if f["ref_area"] == self.area)

    # ---- showing

    def show(self, new: bool) -> None:
        """Bring every part to the choices; `new` is another series."""
        story, finding, html = self.story, self.finding, self.html
        if new:
            self.offer()
            self.tiles.groups = groups(story, self.findings)
            html["tally"].object = self.tally()
            relative = Scale.of(self.findings[0], story).relative
            self.cloud = checking_charts.cloud(story, self.findings, relative)
            planted = checking_planted.planted_for(story)
            stories = [first_story(self.runs, key) for key, _ in self.outputs]
            html["planted"].object = checking_planted.page(planted, stories) if planted else ""
            html["planted"].visible = bool(planted)
        self.tiles.chosen = self.area
        chosen = {"output": self.output, "run": self.run, "publisher": self.publisher, "area": self.area}
        self.choices.values = chosen
        html["headline"].object = checking_words.headline(story, finding)
        html["reasons"].object = checking_words.reasons(story, finding)
        html["beside"].object = checking_words.beside(story, finding)
        html["statistics"].object = checking_numbers.statistics(story, finding)
        html["pairs"].object = checking_numbers.pairs(story, finding)
        html["limits"].object = checking_words.limits(finding)
        html["method"].object = checking_words.method(story, finding)
        html["causes"].object = checking_words.causes(finding)
        last = story.periods[-1] if story.periods else ""
        html["source"].object = provenance.footer(story, self.area, last, story.origins.sources)
        self.draw()
        if pn.state.location:
            query: dict[str, Any] = {"output": self.output, "area": self.area}
            pn.state.location.update_query(**query)

    def offer(self) -> None:
        """The choices that this series has."""
        runs = self.runs[self.story.indicator.code]
        fields = [select("output", say("choice.output"), self.outputs)]
        if len(runs) > 1:
            fields.append(select("run", say("choice.run"), [(r.id, run_label(r)) for r in runs]))
        if len(self.offices) > 1:
            options = [(name, name or say("check.official")) for name in self.offices]
            fields.append(select("publisher", say("check.page.choice.publisher"), options))
        options = [(str(f["ref_area"]), self.option(f)) for f in self.findings]
        fields.append(select("area", say("choice.area"), options))
        self.choices.fields = fields

    def option(self, finding: Record) -> str:
        """An area with its verdict."""
        verdict = str(finding["verdict"])
        words = known(f"check.verdict.{verdict}") or verdict
        return say("check.page.option", area=self.story.called(str(finding["ref_area"])), verdict=words)

    def tally(self) -> str:
        """How many areas have which verdict, in words."""
        counts: dict[str, int] = {}
        for finding in self.findings:
            counts[str(finding["verdict"])] = counts.get(str(finding["verdict"]), 0) + 1
        chips = "".join(
            element("span", f"{escape(known(f'verdict.{v}') or v)}: {n}", f"chip {mood(v)}") for v, n in counts.items()
        )
        words = element("p", told("check.page.tally.lead", n=len(self.findings)), "soft")
        hidden = left_out(self.story)
        more = element("p", told("check.page.hidden", n=hidden), "soft small") if hidden else ""
        return element("div", chips, "labels") + words + more

    def draw(self) -> None:
        """The three charts, with their titles and legends."""
        story, finding, html, look = self.story, self.finding, self.html, chart.LOOKS[self.look]
        scale, breaks = Scale.of(finding, story), story.origins.breaks
        dates = [date for date, _ in breaks]
        title = element("h2", told("check.page.series", area=story.called(self.area)))
        html["heading"].object = title + checking_charts.key(story, finding, breaks)
        self.series.object = checking_charts.series(story, finding, dates, look)
        self.difference.visible = html["differing"].visible = bool(finding.get("pairs")) and scale.known
        if self.difference.visible:
            equal = scale.equal(story.unit.name)
            relative = say("check.page.difference.relative") if scale.relative else ""
            html["differing"].object = element("h3", told("check.page.difference", tolerance=equal)) + element(
                "p", told("check.page.difference.lead", relative=relative), "soft small"
            )
            self.difference.object = checking_charts.difference(story, finding, dates, look)
        rows, lost = self.cloud
        said = say("check.page.scatter.logs", n=lost) if scale.relative else ""
        title = element("h2", say("check.page.scatter"))
        lead = element("p", told("check.page.scatter.lead", scale=said), "soft small")
        html["cloud"].object = title + lead + checking_charts.scatter_key()
        self.scatter.visible = bool(len(rows))
        if len(rows):
            self.scatter.object = checking_charts.scatter(story, rows, scale, self.area, look)


def asked_of(values: Mapping[str, Any]) -> dict[str, Any]:
    """Choices as they came from a browser."""
    found = {k: v for k, v in asked_for(values).items() if k in ("output", "run", "area")}
    return found | ({"publisher": str(values["publisher"])} if "publisher" in values else {})
