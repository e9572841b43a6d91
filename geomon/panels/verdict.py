"""The figure, the verdict card, the answer on change and the table of areas, as HTML."""

import math
from collections.abc import Mapping
from html import escape
from typing import Any

from geomon.change import change as compare
from geomon.panels.checking_findings import one
from geomon.panels.comparison import definitions, marks, meter_of, onward, pairs
from geomon.panels.markup import element, fold, table, told
from geomon.panels.numbers import percent, typeset
from geomon.panels.story import Reading, Story
from geomon.panels.titles import named, plain, when
from geomon.period import Period
from geomon.texts import known, say

FIRST = 3  # reasons that stand on a card before a reader asks for more
MOOD = {
    "yes": "good",
    "no": "calm",
    "cannot tell": "calm",
}


def banner(story: Story) -> str:
    """Says that a country is invented, wherever it is."""
    return element("div", say("banner.synthetic"), "banner") if story.synthetic else ""


def headline(story: Story, area: str, period: str) -> str:
    """The result in a sentence, then how sure it is, then whether it agrees: all of the shortest reading."""
    reading = story.at(area, period)
    eyebrow = element("p", escape(named(story.indicator.code, story.indicator.title)), "eyebrow")
    lead = element("p", sureness(story, reading), "lead")
    return f"{banner(story)}{eyebrow}<h1>{sentence(story, area, period)}</h1>{lead}{agreement(story, area)}"


def sentence(story: Story, area: str, period: str) -> str:
    """The result, or that none is published."""
    reading = story.at(area, period)
    if not reading.published:
        return told("headline.withheld", area=story.called(area), when=when(period))
    value = element("b", escape(story.unit.write(reading.value)))
    words = told(
        "headline.value",
        area=story.called(area),
        what=inside(story.title.partition(":")[0]),
        value="\0",
        when=when(period),
    )
    return words.replace("\0", value)


def inside(title: str) -> str:
    """A title as the middle of a sentence: its first letter small, unless it begins an abbreviation."""
    return title[:1].lower() + title[1:] if title[1:2].islower() else title


def sureness(story: Story, reading: Reading) -> str:
    """What the interval and the coverage say."""
    if not reading.published:
        why = told("headline.why", status=reading.status) if reading.status else say("headline.nothing")
        return why
    partly = math.isfinite(reading.coverage) and reading.coverage < 1 - 1e-9
    seen = told("headline.seen", coverage=percent(reading.coverage, 1)) if partly else ""
    return f"{interval(story, reading)} {seen} {say('headline.estimate')}"


def interval(story: Story, reading: Reading) -> str:
    """The interval in a sentence, by what it is."""
    between = story.unit.between(reading.lower, reading.upper)
    if not math.isfinite(reading.lower):
        return say("headline.no_interval")
    if reading.interval == "bounds" and reading.coverage >= 1 - 1e-9:
        return say("headline.exact")
    if reading.interval == "bounds" and story.unit.bare(reading.lower) == story.unit.bare(reading.upper):
        return say("headline.narrow")
    key = f"headline.{reading.interval}"
    if known(key):
        return told(key, between=between)
    return told("headline.interval", kind=say(f"interval.{reading.interval}"), between=between)


def agreement(story: Story, area: str) -> str:
    """The verdict of the check in its own sentence."""
    where, stored = story.checked(area)
    finding = one(story, stored) if stored is not None else None
    if finding is None:
        return ""
    name = "" if where == area else f" ({escape(story.called(where))})"
    title = element("b", say("check.title") + name + ":")
    return element("p", f"{title} {escape(brief(story, where, finding))}", "lead agreement")


def brief(story: Story, where: str, finding: Mapping[str, Any]) -> str:
    """The sentence of a finding without the title and area that stand beside it."""
    words = str(finding["sentence"]).removeprefix(f"{story.title}, {story.called(where)}, ")
    return typeset(words[:1].upper() + words[1:])


def figure(story: Story, area: str, period: str) -> str:
    """The number, large, with what it rests on."""
    reading = story.at(area, period)
    label = element("p", f"{escape(story.called(area))}, {escape(plain(period))}", "label")
    if reading.published:
        symbol = element("small", escape(story.unit.symbol))
        number = element("p", escape(story.unit.bare(reading.value)) + symbol, "number")
    else:
        number = element("p", say("figure.withheld"), "number none") + element(
            "p", escape(reading.status), "soft small"
        )
    between = story.unit.between(reading.lower, reading.upper) if reading.published else say("value.missing")
    minimum = story.indicator.minimum_coverage
    facts = [
        (say(f"figure.interval.{reading.interval}"), escape(between)),
        (
            say("figure.coverage"),
            escape(percent(reading.coverage, 1)) + meter(reading.coverage, reading.coverage < minimum),
        ),
        (say("figure.minimum"), escape(percent(minimum))),
    ]
    rows = "".join(f"<div><dt>{escape(name)}</dt><dd>{value}</dd></div>" for name, value in facts)
    return f'<div class="figure"><div>{label}{number}</div><dl class="facts">{rows}</dl></div>'


def meter(share: float, low: bool = False) -> str:
    """A bar of a share of one; the number stands beside it in words."""
    if not math.isfinite(share):
        return ""
    width = 100 * min(max(share, 0.0), 1.0)
    return f'<span class="meter{" low" if low else ""}" aria-hidden="true"><i style="width:{width:.1f}%"></i></span>'


def card(story: Story, area: str) -> str:
    """The comparison card: the verdict with its grade, how far apart, the reasons, and the pairs it rests on."""
    where, stored = story.checked(area)
    finding = one(story, stored) if stored is not None else None
    title = element("h2", say("check.title"))
    if finding is None:
        return title + element("p", say("check.none" if stored is None else "people.told"), "soft")
    parts = [element("div", title + element("div", marks(finding), "labels"), "row")]
    if where != area:
        parts.append(
            element("p", told("check.upwards", area=story.called(area), above=story.called(where)), "soft small")
        )
    parts.append(element("p", escape(brief(story, where, finding)), "verdict"))
    parts.append(meter_of(story, finding))
    said = str(finding["sentence"]).lower()
    reasons = [str(r) for r in finding.get("reasons") or () if str(r).rstrip(" .").lower() not in said]
    items = [element("li", escape(typeset(r[:1].upper() + r[1:]))) for r in reasons]
    first, more = (element("ul", "".join(some), "reasons") if some else "" for some in (items[:FIRST], items[FIRST:]))
    folded = fold(say("check.page.reasons.other"), more) if more else ""
    folded += pairs(story, where, finding)
    return "".join(parts) + first + definitions(finding) + folded + onward(story, where)


def official_values(story: Story, area: str) -> dict[str, float]:
    """Official figures of an area by period, in the satellite's unit."""
    finding = story.finding(area)
    found = {str(p["time_period"]): p.get("official") for p in (finding or {}).get("pairs") or ()}
    return {label: float(v) for label, v in found.items() if isinstance(v, int | float)}


def answer(word: str, sentence: str) -> str:
    """Yes, no or cannot tell, and why."""
    title = known(f"change.{word}") or word
    inside = element("b", escape(title)) + element("p", escape(typeset(sentence)))
    return f'<div class="answer {MOOD.get(word, "calm")}" role="status">{inside}</div>'


def areas(story: Story, area: str, period: str) -> str:
    """All areas of one period, each with its interval, or with the reason why it has no value."""
    head = [(say("areas.area"), False), (say("areas.value"), True), ("", False)]
    head += [(say("areas.interval"), True), (say("areas.coverage"), True)]
    top = max((story.at(code, period).value for code in story.painted if story.at(code, period).published), default=0.0)
    return table(
        head,
        [line(story, code, area, period, top) for code in ordered(story)],
        scroll=say("areas.title", period=period),
    )


def ordered(story: Story) -> list[str]:
    """Areas with their parts below them."""
    children = {
        code: [c for c in story.areas.index if story.areas.at[c, "parent"] == code] for code in story.areas.index
    }
    found: list[str] = []
    waiting = [c for c in story.areas.index if story.areas.at[c, "parent"] not in story.areas.index][::-1]
    while waiting:
        found.append(waiting.pop())
        waiting += children[found[-1]][::-1]
    return found


def line(story: Story, code: str, area: str, period: str, top: float) -> tuple[str, list[str]]:
    """One row of the table of areas."""
    reading = story.at(code, period)
    group = "" if code in story.painted else " group"
    if reading.published:
        value = story.unit.write(reading.value)
        between = story.unit.named(reading.lower, reading.upper, reading.interval)
    else:
        value, between = say("figure.withheld"), reading.status or say("value.missing")
    bar = meter(reading.value / top if reading.published and code in story.painted and top > 0 else 0.0)
    words = [escape(c) for c in (story.called(code), value, between, percent(reading.coverage))]
    words[2] = words[2] if reading.published else element("span", words[2], "why")
    words[0] = element("span", words[0], f"area d{min(int(story.areas.at[code, 'depth']), 3)}")
    return f"{'here' if code == area else ''}{group}".strip(), [*words[:2], bar, *words[2:]]


def as_table(story: Story, area: str, official: Mapping[str, float]) -> str:
    """The chart of an area as a table, for those who cannot see it."""
    columns = [("pair.period", False), ("areas.value", True), ("series.lower", True), ("series.upper", True)]
    columns += [("figure.official", True), ("areas.coverage", True), ("series.status", False)]
    rows = []
    for label in story.periods:
        r = story.at(area, label)
        numbers = [story.unit.bare(v) for v in (r.value, r.lower, r.upper, official.get(label, math.nan))]
        rows.append(("", [escape(c) for c in (label, *numbers, percent(r.coverage, 1), r.status)]))
    caption = say("series.caption", what=story.title, area=story.called(area))
    return fold(
        say("series.table"),
        table([(say(k), n) for k, n in columns], rows, caption, scroll=caption if len(rows) > 14 else ""),
    )


def change(story: Story, area: str, start: str, end: str) -> str:
    """Is the change between two dates real? Answered from the stored intervals, never across a known break."""
    if len(story.periods) < 2:
        return element("p", say("change.one"), "soft")
    if start == end:
        return element("p", say("change.same"), "soft")
    rows = story.rows.reset_index()
    first, second = sorted((start, end), key=lambda label: Period.of(label).start)
    found = compare(rows[rows["ref_area"] == area], first, second, breaks=story.origins.breaks)
    return answer(found.answer, found.sentence)
