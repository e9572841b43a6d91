"""The results of an exam as tables to read and as one line for machines."""

import json
from collections import Counter
from collections.abc import Iterable, Sequence
from math import isnan

from tests.planted.exam import CONDITIONS, Marked
from tests.planted.score import Scored, rate, wilson
from tests.planted.truth import PLANTS

TARGETS = {"quiet": (0.99, 0.97, 0.92, 0.04), "noisy": (0.93, 0.91, 0.86, 0.06), "mixed": (0.96, 0.94, 0.90, 0.05)}
"""Found, among the first two, first (rates), and false alarms (upper bound)."""
COVERED = (0.93, 0.97)
SIZED = ("level", "trend", "break", "sensor", "definition")
SCOPES = ("nation", "province", "area", "pair")


def report(marked: Sequence[Marked]) -> str:
    """All tables. Rates stand with their Wilson 95 % intervals, in percent."""
    by = {c.name: [m.check for m in marked if m.condition == c.name] for c in CONDITIONS}
    plain = {c.name: [m.textbook for m in marked if m.condition == c.name] for c in CONDITIONS}
    every = [m.check for m in marked]
    straight = [m.check for m in marked if m.condition != "honesty 1.5"]
    return "\n\n".join(
        [
            _table("By condition (worlds that can be seen; 'best' is the best test there can be)", _conditions(by)),
            _table("The same over all worlds, also those that no method can see", _conditions(by, everything=True)),
            _table("Mixed worlds, by plant", _plants(by["mixed"])),
            _table("Mixed worlds, by scope", _scopes(by["mixed"])),
            _table("Mixed worlds that can be seen: what was said first", _confusion(by["mixed"])),
            _table("Intervals of effects hold the truth (right name and areas)", _effects(straight)),
            _table("Means of the country and of districts", _means(straight)),
            _table("Says that it cannot tell", _cannot(every)),
            _table("Textbook tests alone", _conditions(plain)),
            _table("Targets", _targets(by)),
        ]
    )


def line(marked: Sequence[Marked], intervals: dict[str, list[float]] | None) -> str:
    """One JSON object: each rate as [rate, low, high], null where nothing was measured."""
    found: dict[str, object] = {}
    for name, end in (("mixed", ""), ("quiet", "_quiet"), ("noisy", "_noisy")):
        rows = [m.check for m in marked if m.condition == name]
        for key, share in zip(("found", "named_in_two", "named_first"), _three(_visible(rows)), strict=True):
            found[key + end] = _plain(share)
        found["false_alarms" + end] = _plain(rate(r.false_alarm for r in rows))
    for key in ("interval_coverage", "bounds_hold"):
        found[key] = _plain(intervals[key]) if intervals else None
    return json.dumps(found)


def _visible(rows: Iterable[Scored]) -> list[Scored]:
    return [r for r in rows if r.plant != "none" and r.visible]


def _three(rows: Sequence[Scored]) -> list[list[float]]:
    return [rate(r.found for r in rows), rate(r.in_two for r in rows), rate(r.first for r in rows)]


def _conditions(by: dict[str, list[Scored]], *, everything: bool = False) -> list[list[str]]:
    rows = [["", "worlds", "best", "found", "in two", "first", "honest", "false alarms", "lines seen wrongly"]]
    for name, scored in by.items():
        planted = [r for r in scored if r.plant != "none"] if everything else _visible(scored)
        honest = [r for r in scored if r.plant == "none"]
        alarms = _said(rate(r.false_alarm for r in honest))
        lines = _said(rate(r.false_remark for r in honest))
        shares = [_said(share) for share in _three(planted)]
        rows.append([name, str(len(planted)), _best(planted), *shares, str(len(honest)), alarms, lines])
    return rows


def _plants(scored: list[Scored]) -> list[list[str]]:
    rows = [["", "can be seen", "twins", "best", "found", "in two", "first", "found of all", "hidden by"]]
    for plant in PLANTS:
        mine = [r for r in scored if r.plant == plant]
        seen = _visible(mine)
        hidden = Counter(r.because for r in mine if not r.visible)
        shares = [_said(share) for share in (*_three(seen), rate(r.found for r in mine))]
        why = ", ".join(f"{because} {count}" for because, count in hidden.most_common())
        twins = str(sum(r.twins > 0 for r in seen))
        rows.append([plant, f"{len(seen)} of {len(mine)}", twins, _best(seen), *shares, why])
    return rows


def _scopes(scored: list[Scored]) -> list[list[str]]:
    rows = [["", "worlds", "best", "found", "in two", "first"]]
    for scope in SCOPES:
        mine = [r for r in _visible(scored) if r.scope == scope]
        rows.append([scope, str(len(mine)), _best(mine), *(_said(share) for share in _three(mine))])
    return rows


def _confusion(scored: list[Scored]) -> list[list[str]]:
    rows = [r for r in scored if r.visible]
    names = sorted({r.first_name for r in rows}, key=lambda name: ((*PLANTS, name).index(name), name))
    table = [["planted", *names]]
    for plant in (*PLANTS, "none"):
        said = Counter(r.first_name for r in rows if r.plant == plant)
        table.append([plant, *(str(said[name] or ".") for name in names)])
    return table


def _effects(scored: list[Scored]) -> list[list[str]]:
    """By scope only what has one size that all would name the same: shifts, steps and drifts."""
    rows = [["", "intervals", "hold what was planted", "", "hold it with the honest departure", ""]]
    seen = [r for r in _visible(scored) if r.effect_held is not None]
    groups = [(scope, [r for r in seen if r.scope == scope and r.plant in SIZED]) for scope in SCOPES]
    groups += [(plant, [r for r in seen if r.plant == plant]) for plant in PLANTS]
    for name, mine in groups:
        if mine:
            held, whole = rate(r.effect_held for r in mine), rate(r.effect_held_with_honest for r in mine)
            rows.append([name, str(len(mine)), _said(held), _covers(held), _said(whole), _covers(whole)])
    return rows


def _means(scored: list[Scored]) -> list[list[str]]:
    honest = [r for r in scored if r.plant == "none"]
    planted = [r for r in scored if r.plant != "none"]
    rows = [["", "", "cases"]]
    for name, marks in (
        ("interval of an honest country's mean holds it (as a mean of its areas)", [r.nation_held for r in honest]),
        ("the same, as a difference of its two values", [r.nation_value_held for r in honest]),
        ("worlds where lines are seen that are none, another plant in them", [r.false_remark for r in planted]),
        ("visible plants with a reason somewhere else besides", [r.stray for r in _visible(scored)]),
        ("countries called equal, of honest ones", [r.nation_equal for r in honest]),
        ("countries called equal that differ by a tolerance", [r.nation_equal_wrongly for r in scored]),
    ):
        known = [mark for mark in marks if mark is not None]
        rows.append([name, _said(rate(known)), str(len(known))])
    different = sum(r.districts_different for r in scored)
    wrong = wilson(sum(r.districts_equal_wrongly for r in scored), different)
    rows.append(["districts that differ by a tolerance and are called equal", _said(wrong), str(different)])
    return rows


def _cannot(scored: list[Scored]) -> list[list[str]]:
    planted = [r for r in scored if r.plant != "none"]
    rows = [["plant cannot be seen because of", "worlds", "says so"]]
    for because in ("proxy", "rounding", "alike", "noise"):
        mine = [r for r in planted if r.because == because]
        rows.append([because, str(len(mine)), _said(rate(r.cannot_tell for r in mine))])
    seen = _visible(planted)
    rows.append(["(it can be seen: said wrongly)", str(len(seen)), _said(rate(r.cannot_tell for r in seen))])
    names = sum(r.cannot_tells for r in scored) / max(len(scored), 1)
    rows.append(["(names said so of, a world)", str(len(scored)), f"{names:.2f}"])
    return rows


def _targets(by: dict[str, list[Scored]]) -> list[list[str]]:
    rows = [["", "", "target", "reached", "", "best"]]
    for name, (*wanted, limit) in TARGETS.items():
        seen = _visible(by[name])
        for what, target, share in zip(("found", "in two", "first"), wanted, _three(seen), strict=True):
            verdict = "met" if share[0] >= target else "missed"
            rows.append(
                [name, what, f"{100 * target:.0f}", _said(share), verdict, _best(seen) if what == "found" else ""]
            )
        alarms = rate(r.false_alarm for r in by[name])
        verdict = "met" if alarms[2] <= limit else "missed"
        rows.append([name, "false alarms, upper bound", f"{100 * limit:.0f}", _said(alarms), verdict, ""])
    return rows


def _best(rows: Sequence[Scored]) -> str:
    """Mean chance of the best possible test; what exact values show counts as one."""
    chances = [1.0 if isnan(r.best) else r.best for r in rows]
    return f"{100 * sum(chances) / len(chances):.1f}" if chances else "-"


def _covers(share: list[float]) -> str:
    low, high = COVERED
    if low <= share[0] <= high:
        return "93 to 97"
    return "not settled" if share[1] <= high and share[2] >= low else "outside 93 to 97"


def _said(share: list[float]) -> str:
    return "-" if isnan(share[0]) else f"{100 * share[0]:5.1f} ({100 * share[1]:.1f} to {100 * share[2]:.1f})"


def _plain(share: list[float]) -> list[float] | None:
    return None if any(isnan(x) for x in share) else [round(x, 4) for x in share]


def _table(title: str, rows: list[list[str]]) -> str:
    widths = [max(len(row[k]) for row in rows) for k in range(len(rows[0]))]
    lines = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]
    return "\n".join([title, *("  " + text for text in lines)])
