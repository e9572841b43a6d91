"""The numbers of the check page: statistics with what each says, and the pairs that they are made of, as HTML."""

import math
from collections.abc import Mapping
from html import escape
from typing import Any

from geomon.finding import DEFECT
from geomon.panels.checking_findings import Record, Scale, finite, number
from geomon.panels.checking_words import end, signed
from geomon.panels.markup import element, fold, table
from geomon.panels.numbers import typeset
from geomon.panels.story import Story
from geomon.texts import say


def statistics(story: Story, finding: Record) -> str:
    """The numbers of the check, each with what it says."""
    title, evidence = element("h2", say("check.page.statistics")), finding.get("evidence") or {}
    rows = [("", [escape(typeset(cell)) for cell in row]) for row in lines(story, finding, evidence)]
    if len(rows) < 2:
        return title + element("p", say("check.page.statistics.none"), "soft")
    columns = [("measure", False), ("value", True), ("interval", True), ("means", False)]
    return title + table([(say(f"check.page.statistics.{k}"), n) for k, n in columns], rows)


def lines(story: Story, finding: Record, evidence: Mapping[str, Any]) -> list[list[str]]:
    """Rows of the table: measure, value, interval, what it says."""
    known_numbers = {k: number(v) for k, v in evidence.items()}

    def of(key: str) -> float:
        return known_numbers.get(key, math.nan)

    rows: list[tuple[str, str, str, str]] = []
    independent = means("n", n=f"{of('n_independent'):.0f}") if math.isfinite(of("n_independent")) else ""
    rows.append(("n", f"{finite(of('n')):.0f}", "", independent))
    scale = Scale.of(finding, story)
    if math.isfinite(of("bias")):
        both = [of("lower"), of("upper")]
        between = ends(*(end(story, scale, v) for v in both)) if all(map(math.isfinite, both)) else ""
        times = means("bias", times=f"{scale.share(of('bias')):.1f}")
        words = say("check.page.stat.bias.repaired") if finding["verdict"] == DEFECT else times
        rows.append(("bias", signed(story, finding, of("bias")), between, words))
    if math.isfinite(of("mae")):
        rows.append(("mae", story.unit.write(of("mae")), "", means("mae")))
    if math.isfinite(of("p_equal")):
        key = "check.page.stat.p_equal.yes" if of("p_equal") < 0.05 else "check.page.stat.p_equal.no"
        rows.append(("p_equal", p(of("p_equal")), "", say(key)))
    if math.isfinite(of("ccc")):
        rows.append(("ccc", f"{of('ccc'):.2f}", ends(f"{of('ccc_lower'):.2f}", f"{of('ccc_upper'):.2f}"), means("ccc")))
    for side in ("satellite", "official"):
        rows += slope(story, side, of)
    for test in ("pettitt", "sup_f"):
        for side in ("satellite", "official"):
            rows += turn(f"{test}_{side}", of)
    for key, digits in (("correlation_of_changes", 2), ("noise", 2)):
        if math.isfinite(of(key)):
            rows.append((key, f"{of(key):.{digits}f}", "", means(key)))
    return [[say(f"check.page.stat.{key}"), *cells] for key, *cells in rows]


def ends(lower: str, upper: str) -> str:
    """An interval in words."""
    return say("value.between", lower=lower, upper=upper)


def means(key: str, **words: str) -> str:
    """What a number says."""
    return say(f"check.page.stat.{key}.means", **words)


def slope(story: Story, side: str, of: Any) -> list[tuple[str, str, str, str]]:
    """The trend of one side."""
    key = f"slope_{side}"
    if not math.isfinite(of(key)):
        return []
    between = ends(*(story.unit.bare(of(f"{key}_{side}"), signed=True) for side in ("lower", "upper")))
    counted = side == "official" and math.isfinite(of("knots_official")) and of("knots_official") < of("n")
    words = say(
        "check.page.stat.slope.knots" if counted else "check.page.stat.slope.means",
        p=p(of(f"p_{key}")),
        knots=f"{finite(of('knots_official')):.0f}",
    )
    return [(key, story.unit.write(of(key), signed=True), between, words)]


def turn(key: str, of: Any) -> list[tuple[str, str, str, str]]:
    """The likeliest break of one side."""
    if not math.isfinite(of(key)) or not math.isfinite(of(f"p_{key}")):
        return []
    shown = of(f"p_{key}") < 0.05
    words = say(f"check.page.stat.break.{'yes' if shown else 'no'}", p=p(of(f"p_{key}")))
    return [(key, f"{of(key):.0f}" if shown else say("value.missing"), "", words)]


def p(value: float) -> str:
    """A p as it is read."""
    return "< 0.001" if value < 0.001 else f"{value:.3f}" if value < 0.1 else f"{value:.2f}"


def pairs(story: Story, finding: Record) -> str:
    """All pairs, as the charts show them."""
    scale, write = Scale.of(finding, story), story.unit.bare
    rows = []
    for pair in finding.get("pairs") or ():
        values = [number(pair.get(k)) for k in ("satellite", "lower", "upper", "official")]
        used = bool(pair.get("used", True))
        times = scale.times(pair.get("satellite"), pair.get("official"))
        cells = [
            str(pair["time_period"]),
            *(write(v) for v in values),
            write(values[0] - values[3], signed=True),
            f"{times:+.1f}" if math.isfinite(times) else say("value.missing"),
            str(pair.get("nature") or ""),
            say("check.page.yes" if used else "check.page.no"),
        ]
        rows.append(("" if used else "unused", [escape(typeset(c)) for c in cells]))
    if not rows:
        return ""
    columns = [("pair.period", False), ("pair.satellite", True), ("check.page.pair.lower", True)]
    columns += [("check.page.pair.upper", True), ("pair.official", True), ("pair.difference", True)]
    columns += [("check.page.pair.times", True), ("check.page.pair.nature", False), ("check.page.pair.used", False)]
    head = [(say(k), n) for k, n in columns]
    caption = ", ".join(filter(None, (story.called(str(finding["ref_area"])), story.unit.symbol)))
    return fold(say("check.page.pairs"), table(head, rows, caption, scroll=caption if len(rows) > 20 else ""))
