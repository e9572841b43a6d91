"""What was planted in a sample country, beside what the check said of it."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import Any

from geomon.errors import GeomonError
from geomon.official import fingerprint, same_series, statistics
from geomon.panels.checking_findings import Record, official, shown
from geomon.panels.markup import element, table, told
from geomon.panels.numbers import typeset
from geomon.panels.story import Story
from geomon.texts import known, say

SHOWN = 5  # areas by name
FILE, OFFICIAL = "planted.json", "official.csv"
NAMED = {"level": ("level", "definition"), "break": ("break", "sensor"), "unit": ("unit",)}
"""What was planted -> names of reasons, of which the first must be one."""
VERDICT = {
    "direction": "differs in direction",
    "definition": "differs by definition",
    "few": "not enough data",
}
SEEN = ("differs in level", "differs in direction", "differs by definition", "defect in the data")
KNOWN: dict[tuple[str, str], list[dict[str, Any]]] = {}


@dataclass(frozen=True)
class Outcome:
    """One thing that was planted: in how many of its areas it was found, and what was said of the first."""

    planted: Mapping[str, Any]
    story: Story | None
    """The output that it is in; None if no run has it."""
    found: int
    checked: int
    said: str


def planted_for(story: Story) -> list[dict[str, Any]]:
    """What was planted in the official table that a run was checked against; nothing if that is not known.

    The record lies beside the table, and the table is the one of the run if it has the fingerprint that the run keeps.
    """
    if not story.synthetic:
        return []
    vintage, store = str(story.recipe.get("vintage") or ""), story.run.folder.parent.parent
    key = (str(store), vintage)
    if vintage and key not in KNOWN:
        KNOWN[key] = beside(Path(str(store)), vintage)
    return KNOWN.get(key, [])


def beside(store: Path, vintage: str) -> list[dict[str, Any]]:
    """The record that lies near a store on disk, next to the very table of a vintage."""
    for file in sorted([*store.parent.glob(FILE), *store.parent.glob(f"*/{FILE}")]):
        try:
            if fingerprint(statistics(file.with_name(OFFICIAL))) == vintage:
                return list(json.loads(file.read_text(encoding="utf-8")))
        except (GeomonError, OSError, ValueError):
            continue  # not a record of ours, or one that cannot be read: nothing is known then
    return []


def outcomes(planted: Sequence[Mapping[str, Any]], stories: Sequence[Story]) -> list[Outcome]:
    """What became of each, in the outputs of the same official table."""
    return [outcome(one, stories) for one in planted]


def outcome(planted: Mapping[str, Any], stories: Sequence[Story]) -> Outcome:
    """What became of one."""
    story = next(
        (s for s in stories if same_series(str(planted["series"]), str(official(s).get("series") or ""))), None
    )
    findings = touched(planted, shown(story)) if story is not None else []
    if story is None or not findings:
        return Outcome(planted, story, 0, 0, "")
    hits = [f for f in findings if hit(planted, f)]
    told_of = (hits or findings)[0]
    return Outcome(planted, story, len(hits), len(findings), said(planted, told_of))


def touched(planted: Mapping[str, Any], findings: Sequence[Record]) -> list[Record]:
    """The findings of the areas that it lies in."""
    areas = planted["areas"]
    return [f for f in findings if list(areas) == ["all"] or f["ref_area"] in areas]


def hit(planted: Mapping[str, Any], finding: Record) -> bool:
    """Whether a finding says what was planted."""
    kind, since = str(planted["kind"]), str(planted["since"])
    if kind in VERDICT:
        return bool(finding["verdict"] == VERDICT[kind])
    if kind == "gap":  # a year that nobody reported: it must not be made up
        return since not in {str(p["time_period"]) for p in finding.get("pairs") or ()}
    first = next((c for c in finding.get("causes") or () if not c.get("remark")), None)
    if first is None or not {str(first["name"]), *first.get("twins", ())} & set(NAMED.get(kind, (kind,))):
        return False
    return kind != "break" or str(first.get("since")) == since


def said(planted: Mapping[str, Any], finding: Record) -> str:
    """What a finding says, in short."""
    if planted["kind"] == "gap" and hit(planted, finding):
        return say("check.page.planted.absent")
    verdict = say(f"check.verdict.{finding['verdict']}") if known(f"check.verdict.{finding['verdict']}") else ""
    first = next((c for c in finding.get("causes") or () if not c.get("remark")), None)
    return f"{verdict or finding['verdict']}: {first['words']}" if first else verdict or str(finding["verdict"])


def besides(planted: Sequence[Mapping[str, Any]], stories: Sequence[Story]) -> list[str]:
    """Areas in which nothing was planted and the check sees a difference all the same, by name and output."""
    names = []
    for story in stories:
        series = str(official(story).get("series") or "")
        mine = [p for p in planted if same_series(str(p["series"]), series)]
        areas = {code for p in mine if p["kind"] != "gap" for code in p["areas"]}
        for finding in shown(story):
            if finding["verdict"] in SEEN and finding["ref_area"] not in areas:
                names.append(f"{story.called(str(finding['ref_area']))} ({story.title})")
    return names


def page(planted: Sequence[Mapping[str, Any]], stories: Sequence[Story]) -> str:
    """The table, hit or missed, and where more was seen than was planted."""
    done = outcomes(planted, stories)
    whole = sum(o.checked > 0 and o.found == o.checked for o in done)
    lead = told("check.page.planted.lead", found=whole, n=len(done))
    columns = ("what", "where", "said", "outcome")
    head = [(say(f"check.page.planted.{key}"), False) for key in columns]
    rows = [("", row(o)) for o in done]
    more = besides(planted, stories)
    some = ", ".join(more[:SHOWN])
    if len(more) > SHOWN:
        some = say("check.page.planted.many", first=some, n=len(more) - SHOWN)
    words = told("check.page.planted.besides", n=len(more), areas=some) if more else say("check.page.planted.clean")
    title = element("h2", say("check.page.planted"))
    return title + element("p", lead, "soft note") + table(head, rows) + element("p", words, "soft note")


def row(one: Outcome) -> list[str]:
    """One line of the table."""
    areas = [str(code) for code in one.planted["areas"]]
    names = [one.story.called(code) for code in areas] if one.story is not None else areas
    where = say("check.page.planted.many", first=names[0], n=len(names) - 1) if len(names) > 1 else names[0]
    where = say("check.page.planted.all") if areas == ["all"] else where
    title = one.story.title if one.story is not None else str(one.planted["series"])
    return [
        element("b", escape(str(one.planted["says"]))) + element("div", escape(title), "soft"),
        escape(where),
        escape(typeset(one.said)),
        grade(one),
    ]


def grade(one: Outcome) -> str:
    """Found, in part, missed: the word first, the colour repeats it."""
    if not one.checked:
        return element("span", say("check.page.planted.unchecked"), "chip calm")
    if one.found == one.checked and one.planted["kind"] == "gap":
        return element("span", say("check.page.planted.kept"), "chip good")
    if one.found == one.checked:
        return element("span", say("check.page.planted.hit"), "chip good")
    if one.found:
        return element("span", say("check.page.planted.part", n=one.found, all=one.checked), "chip warn")
    return element("span", say("check.page.planted.missed"), "chip fault")
