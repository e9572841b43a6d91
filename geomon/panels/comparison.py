"""Pieces of the comparison with the official figure: chips, a bar in tolerances, what each side counts, the pairs."""

import math
from collections.abc import Mapping
from html import escape
from typing import Any
from urllib.parse import urlencode

from geomon.panels.checking_findings import Scale, mood
from geomon.panels.markup import element, fold, table, told
from geomon.panels.numbers import typeset
from geomon.panels.story import Story
from geomon.texts import known, say

MOST = 3.0  # tolerances at the ends of the scale of differences


def chip(verdict: str) -> str:
    """The verdict as it is written on its card."""
    return escape(known(f"verdict.{verdict}") or verdict)


def marks(finding: Mapping[str, Any]) -> str:
    """The verdict, and the grade with its rule for those who point at it."""
    verdict, grade, rule = (str(finding.get(k) or "") for k in ("verdict", "grade", "grade_rule"))
    words = say("check.page.grade", grade=grade) if grade else say("check.page.grade.none")
    graded = f'<span class="grade" title="{escape(rule)}">{escape(words)}</span>'
    return element("span", chip(verdict), f"chip {mood(verdict)}") + graded


def meter_of(story: Story, finding: Mapping[str, Any]) -> str:
    """The mean difference with its interval on a scale of tolerances; what counts as equal is the pale field."""
    scale = Scale.of(finding, story)
    value, lower, upper = scale.mean(finding)
    if not math.isfinite(value):
        return ""
    bias = scale.back(value)
    size = ("-" if bias < 0 else "+" if bias > 0 else "") + scale.told(bias, story.unit.name)
    equal = scale.equal(story.unit.name)
    label = typeset(say("check.page.meter", size=size, times=f"{value:.1f}", tolerance=equal))
    left, right = (at(end) for end in ((lower, upper) if math.isfinite(lower + upper) else (value, value)))
    over = " over" if value > MOST else " under" if value < -MOST else ""
    drawn = (
        f'<i class="equal" style="left:{at(-1):.1f}%;width:{at(1) - at(-1):.1f}%"></i><i class="none"></i>'
        f'<i class="reach" style="left:{left:.1f}%;width:{right - left:.1f}%"></i>'
        f'<i class="mean{over}" style="left:{at(value):.1f}%"></i>'
    )
    words = element("span", escape(label), "soft small")
    return f'<div class="gauge"><div aria-hidden="true">{drawn}</div>{words}</div>'


def at(times: float) -> float:
    """Where so many tolerances lie on the scale, in percent of its width; what is beyond it stands at its end."""
    return 50 + 50 * min(max(times / MOST, -1.0), 1.0)


def onward(story: Story, where: str) -> str:
    """The way to the check page with the same output and area."""
    query = urlencode({"output": f"{story.indicator.code}/{story.name}", "area": where})
    return element("p", f'<a href="/check?{escape(query)}">{say("check.page.open")}</a>', "onward")


def definitions(finding: Mapping[str, Any]) -> str:
    """What each side counts, the rule of the grade, and what is not seen."""
    lines = sides(finding)
    graded = str(finding.get("grade_rule") or "") if finding.get("grade") else ""
    lines += [escape(typeset(words)) for words in (graded, str(finding.get("not_seen") or "")) if words]
    return element("p", "<br>".join(lines), "soft small") if lines else ""


def sides(finding: Mapping[str, Any]) -> list[str]:
    """What each side counts, and who publishes, as lines of HTML."""
    ours, theirs = finding.get("definition_satellite"), finding.get("definition_official")
    rows = [("check.publisher", "publisher", finding.get("publisher"))]
    if ours != theirs:
        rows = [("check.ours", "definition", ours), ("check.theirs", "definition", theirs), *rows]
    return [told(key, **{gap: words}) for key, gap, words in rows if words]


def pairs(story: Story, where: str, finding: Mapping[str, Any]) -> str:
    """The two series side by side."""
    rows = [
        (
            "" if p.get("used", True) else "unused",
            [
                escape(str(p["time_period"])),
                *(number(story, p.get(k)) for k in ("satellite", "official")),
                gap(story, p),
            ],
        )
        for p in finding.get("pairs") or ()
    ]
    if not rows:
        return ""
    head = [(say(f"pair.{name}"), name != "period") for name in ("period", "satellite", "official", "difference")]
    caption = f"{story.called(where)}, {story.unit.symbol}" if story.unit.symbol else story.called(where)
    if any(kind for kind, _ in rows):
        caption = f"{caption}. {say('check.unused')}"
    return fold(
        say("check.pairs"),
        table(head, rows, caption, scroll=say("check.pairs") if len(rows) > 12 else ""),
        is_open=len(rows) <= 4,
    )


def number(story: Story, value: object) -> str:
    """A number of a pair, without its unit."""
    return escape(story.unit.bare(float(value))) if isinstance(value, int | float) else say("value.missing")


def gap(story: Story, pair: Mapping[str, Any]) -> str:
    """Satellite minus official."""
    satellite, official = pair.get("satellite"), pair.get("official")
    if not isinstance(satellite, int | float) or not isinstance(official, int | float):
        return say("value.missing")
    return escape(story.unit.bare(satellite - official, signed=True))
