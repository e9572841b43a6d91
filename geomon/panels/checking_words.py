"""The words of the check page: headline, reasons, numbers, pairs, limits and method, as HTML."""

import json
import math
from collections.abc import Sequence
from html import escape

from geomon.case import FEWEST
from geomon.causes import GAPS
from geomon.departures.compare import FEWEST as SHAPES
from geomon.departures.compare import ODD, SMALLEST, SURE
from geomon.departures.records import Allowance
from geomon.finding import plain, span
from geomon.judgement import CLEAR
from geomon.panels.checking_findings import Record, Scale, finite, number, official
from geomon.panels.comparison import marks, meter_of, sides
from geomon.panels.markup import element, table, told
from geomon.panels.numbers import FIXED, typeset
from geomon.panels.story import Story
from geomon.panels.titles import named
from geomon.panels.verdict import banner, brief
from geomon.texts import known, say

STEEP = ("trend",)
"""Causes whose size is a change in ten years."""
EXACT = ("unit", "copied", "interpolated")


def headline(story: Story, finding: Record) -> str:
    """The verdict in a sentence, then the sentence of the check."""
    area, verdict = str(finding["ref_area"]), str(finding["verdict"])
    publisher = str(finding.get("publisher") or "") or say("check.official")
    title = named(story.indicator.code, story.title)
    eyebrow = element("p", told("check.page.eyebrow", title=title, publisher=publisher), "eyebrow")
    key = f"check.page.head.{verdict}"
    words = told(key, area=story.called(area)) if known(key) else escape(f"{story.called(area)}: {verdict}")
    sentence = element("p", escape(brief(story, area, finding)), "lead")
    return f"{banner(story)}{eyebrow}<h1>{words}</h1>{sentence}{labels(finding)}"


def labels(finding: Record) -> str:
    """The verdict and the grade with its rule."""
    rule = element("span", escape(typeset(str(finding.get("grade_rule") or ""))), "soft small")
    return element("div", marks(finding) + rule, "labels")


def beside(story: Story, finding: Record) -> str:
    """The mean difference as a bar in tolerances, and what each side counts."""
    return meter_of(story, finding) + element("p", "<br>".join(sides(finding)), "soft small")


def reasons(story: Story, finding: Record) -> str:
    """The ranked explanations with their evidence, remarks on the official series, and what else should be known."""
    causes = list(finding.get("causes") or ())
    ranked = [c for c in causes if not c.get("remark")]
    told_words = [str(c.get("words") or "") for c in causes] + followers(ranked)
    title = element("h2", say("check.page.reasons"))
    if ranked:
        items = "".join(reason(story, finding, c, ranked) for c in ranked)
        title += f'<ol class="causes">{items}</ol>'
    else:
        title += element("p", say("check.page.reasons.none"), "soft")
    alone = [str(c["words"]) for c in causes if c.get("remark")]
    said = str(finding["sentence"]).lower()
    rest = [
        r
        for r in (str(r) for r in finding.get("reasons") or ())
        if r.rstrip(" .").lower() not in said and not any(w and w in r for w in told_words)
    ]
    if not alone or not any(c.get("name") == "interpolated" for c in causes):
        rest += knots(finding, rest)
    return title + listed("check.page.remarks", alone) + listed("check.page.reasons.other", rest)


def followers(ranked: Sequence[Record]) -> list[str]:
    """What the check says of the next best explanation, which the ranked list says already."""
    return [
        say("check.cause.next", other=words_of(str(c["name"])), gap=say(f"check.cause.gap.{gap}"))
        for c in ranked
        for gap in GAPS.values()
    ]


def knots(finding: Record, said: Sequence[str]) -> list[str]:
    """That the official values lie on straight lines, unless it is said already."""
    evidence = finding.get("evidence") or {}
    k, n = number(evidence.get("knots_official")), len(finding.get("pairs") or ())
    words = say("check.straight.knots", knots=f"{finite(k):.0f}", n=n)
    return [words] if math.isfinite(k) and k < n and words not in said else []


def listed(title: str, lines: Sequence[str]) -> str:
    """Sentences below a small title; nothing if there are none."""
    items = "".join(element("li", escape(typeset(line[:1].upper() + line[1:]))) for line in lines)
    return element("h3", say(title)) + element("ul", items, "reasons") if lines else ""


def reason(story: Story, finding: Record, cause: Record, ranked: Sequence[Record]) -> str:
    """One explanation: its name, its sentence, then size, place, time, twins and standing."""
    name = str(cause["name"])
    facts = [
        ("effect", effect(story, finding, cause)),
        ("where", places(story, cause.get("areas") or ())),
        ("when", when(cause)),
        ("twins", ", ".join(words_of(twin) for twin in cause.get("twins") or ())),
        ("behind", standing(cause, ranked)),
    ]
    rows = "".join(
        f"<div><dt>{say(f'check.page.reasons.{key}')}</dt><dd>{escape(typeset(words))}</dd></div>"
        for key, words in facts
        if words
    )
    title = words_of(name)
    head = element("b", escape(title[:1].upper() + title[1:]))
    words = str(cause.get("words") or "")
    sentence = element("p", escape(typeset(words[:1].upper() + words[1:])))
    return f'<li>{head}{sentence}<dl class="facts">{rows}</dl></li>'


def when(cause: Record) -> str:
    """The periods that a reason touches."""
    since, until = str(cause.get("since") or ""), str(cause.get("until") or "")
    if since and not until:
        return say("check.cause.since", first=since)
    return span(list(dict.fromkeys([since, until]))) if since else say("check.cause.all")


def words_of(name: str) -> str:
    """A departure in words."""
    return known(f"check.name.{name}") or name


def effect(story: Story, finding: Record, cause: Record) -> str:
    """The size of an effect with its interval; signed, satellite minus official."""
    value, lower, upper = (number(cause.get(k)) for k in ("effect", "lower", "upper"))
    if not math.isfinite(value):
        return ""
    size = signed(story, finding, value, lower, upper)
    return say("check.page.reasons.decade", size=size) if cause["name"] in STEEP else size


def signed(story: Story, finding: Record, value: float, lower: float = math.nan, upper: float = math.nan) -> str:
    """A difference with its sign and, where there is one, its interval."""
    scale = Scale.of(finding, story)
    words = ("-" if value < 0 else "+" if value > 0 else "") + scale.told(value, unit(story))
    if not math.isfinite(lower) or not math.isfinite(upper):
        return words
    return say("check.cause.size", size=words, lower=end(story, scale, lower), upper=end(story, scale, upper))


def end(story: Story, scale: Scale, value: float) -> str:
    """An end of an interval, without its unit."""
    return f"{100 * value:,.1f}" if scale.relative else story.unit.bare(value).replace("\u2212", "-")


def unit(story: Story) -> str:
    """The unit as the check names it."""
    return story.unit.name


def places(story: Story, codes: Sequence[str]) -> str:
    """The areas of a reason, a few of them by name."""
    names = [story.called(code) for code in codes]
    if len(names) > 3:
        return say("check.cause.where.many", first=", ".join(names[:2]), n=len(names) - 2)
    return ", ".join(names)


def standing(cause: Record, ranked: Sequence[Record]) -> str:
    """How a reason stands beside the first, in words."""
    first = ranked[0]
    if "beside" in (cause.get("evidence") or {}):
        return say("check.page.reasons.beside")
    score, best = number(cause.get("score")), number(first.get("score"))
    if cause is first:
        if cause["name"] in EXACT and not math.isfinite(score):
            return say("check.page.reasons.exact")
        return say("check.page.reasons.first" if len(ranked) > 1 else "check.page.reasons.alone")
    if not (math.isfinite(score) and math.isfinite(best)):
        return ""
    gap = next(word for limit, word in GAPS.items() if best - score < limit or limit == math.inf)
    return say("check.page.reasons.gap", gap=say(f"check.cause.gap.{gap}"))


def limits(finding: Record) -> str:
    """What no check says, and what the satellite does not see."""
    said = [say(f"check.page.limits.{key}") for key in ("right", "cause", "agree", "silence")]
    unseen = str(finding.get("not_seen") or "")
    seen = element("p", escape(unseen), "soft small") if unseen else ""
    return element("ul", "".join(element("li", words) for words in said), "reasons") + seen


def method(story: Story, finding: Record) -> str:
    """The order of the rules, and their thresholds."""
    steps = "".join(element("li", say(f"check.page.method.{n}")) for n in range(1, 6))
    said = official(story)
    allowed = {**{k: v for k, v in vars(Allowance()).items()}, **(said.get("allowance") or {})}
    scale = Scale.of(finding, story)
    rows = [(say("check.page.threshold.tolerance", what=str(said.get("series") or "")), scale.equal(unit(story)))]
    rows += [
        (say("check.page.threshold.allowance", name=name.replace("_", " ")), f"{size:g}")
        for name, size in allowed.items()
    ]
    numbers = {"years": SHAPES, "few": FEWEST, "sure": SURE, "smallest": SMALLEST, "odd": ODD, "jump": CLEAR}
    rows += [(say(f"check.page.threshold.{key}"), f"{value:g}") for key, value in numbers.items()]
    cells = [("", [escape(words), escape(value).replace(" ", FIXED)]) for words, value in rows]
    head = [(say("check.page.thresholds"), False), (say("check.page.statistics.value"), True)]
    return element("ol", steps, "steps") + table(head, cells)


def causes(finding: Record) -> str:
    """Reasons and evidence as they are stored."""
    told_of = {k: finding.get(k) for k in ("verdict", "grade", "causes", "evidence")}
    text = json.dumps(plain(told_of), indent=1, ensure_ascii=False)
    label = escape(say("check.page.causes"))
    return f'<pre class="tall" tabindex="0" role="region" aria-label="{label}">{escape(text)}</pre>'
