"""The five dimensions: what can be measured of a stored series, and what cannot."""

import itertools
import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from geomon.finding import AGREES, NOT_COMPARABLE, NOT_ENOUGH, NOT_SETTLED, apart, digits, span
from geomon.grid import is_geographic
from geomon.period import Period, naive
from geomon.protection import published
from geomon.quality.records import CARE, GOOD, LIMITS, POOR, UNKNOWN, Measured, measured, unknown
from geomon.quality.subject import One
from geomon.texts import say

METRES = 111_320.0  # of a degree of latitude


def complete(one: One) -> Iterator[Measured]:
    """How much there is of what was asked for."""
    subject, asked, have = one.subject, len(one.rows), len(one.told)
    if not asked:
        yield unknown("periods", "rows", POOR)
        return
    silent = one.rows[~one.rows.index.isin(one.told.index)]
    reasons = "; ".join(f"{span(list(r.time_period))}: {why}" for why, r in silent.groupby("obs_status", sort=False))
    key = "quality.periods.gaps" if reasons else "quality.periods"
    yield measured("periods", 100 * have / asked, say(key, have=have, asked=asked, why=reasons), limits="periods")
    seen = 100 * one.rows.coverage.dropna()
    if len(seen):
        words = say("quality.coverage", least=floored(seen.min()), median=floored(seen.median()))
        yield measured("coverage", float(seen.min()), words, limits="coverage")
    else:
        yield unknown("coverage", "outside")
    if leaves := subject.leaves(one.area):
        last = str(one.rows.time_period.iloc[-1])
        rows = subject.series[(subject.series.series == one.output) & (subject.series.time_period == last)]
        there = int(rows[rows.ref_area.isin(leaves)].obs_value.notna().sum())
        words = say("quality.parts", have=there, all=len(leaves), period=last)
        yield measured("parts", 100 * there / len(leaves), words, limits="parts")
    reads = subject.reads
    if len(reads):
        lost = int((reads.status == "failed").sum())
        words = say("quality.reads", failed=lost, all=len(reads))
        yield measured("reads", 100 * lost / len(reads), words, limits="reads")
    else:
        yield unknown("reads", "reads")


def timely(one: One) -> Iterator[Measured]:
    """How old the newest value and the newest files are on the day."""
    subject = one.subject
    limits = f"age.{subject.recipe.get('freq')}" if subject.recipe.get("freq") in ("M", "D") else "age"
    if one.told.empty:
        yield unknown("age", "none", POOR)
    else:
        last = str(one.told.time_period.iloc[-1])
        years = subject.years_since(Period.of(last).end)
        words = say("quality.age", period=last, years=digits(years, 1), day=subject.day.strftime("%Y-%m-%d"))
        yield measured("age", years, words, limits=limits)
    for collection in subject.recipe.get("collections") or []:
        yield source_age(one, collection, limits)
    newest = [str(p["time_period"]) for f in one.findings for p in f["pairs"]]
    if newest:
        last = max(newest, key=lambda p: Period.of(p).start)
        years = subject.years_since(Period.of(last).end)
        late = say("quality.late") if LIMITS[limits].light(years) == POOR else ""
        words = say("quality.lag", period=last, years=digits(years, 1), late=late)
        yield measured("lag", years, words, unit="years")
    else:
        yield unknown("lag", "official", "")


def source_age(one: One, collection: Mapping[str, Any], limits: str) -> Measured:
    """How old the newest file of a product is, and what its publisher says of its upkeep."""
    subject, name = one.subject, str(collection["id"])
    last = (subject.recipe.get("newest") or {}).get(name)
    upkeep = say("quality.source.upkeep", words=collection["update"]) if collection.get("update") else ""
    if not last:
        words = say("quality.source.unknown", source=name, upkeep=upkeep)
        return measured("source", math.nan, words.strip(), light=UNKNOWN)
    years = subject.years_since(Period.of(last).end)
    late = say("quality.late") if LIMITS[limits].light(years) == POOR else ""
    words = say("quality.source", source=name, day=last, years=digits(years, 1), late=late, upkeep=upkeep)
    return measured("source", years, words.strip(), limits=limits)


def accurate(one: One) -> Iterator[Measured]:
    """How wide the interval is, what is known of the map's errors, and what the check says."""
    ends = one.told[["lower", "upper"]].replace([np.inf, -np.inf], np.nan).dropna()
    kinds = {part for text in one.told.interval for part in str(text).split("+") if part}
    if len(ends):
        half = float((ends.upper - ends.lower).median() / 2)
        wide = one.tolerances(half, list(one.told.obs_value))
        of = ", ".join(sorted(kinds))
        if math.isnan(wide):
            words = say("quality.width.alone", half=apart(half, one.unit, False), of=of)
        else:
            words = say("quality.width", half=apart(half, one.unit, False), share=digits(wide), of=of)
        yield measured("width", wide, words, limits="width")
    else:
        yield unknown("width", "interval")
    if "confusion" in kinds:
        yield measured("classes", math.nan, say("quality.classes.here"), light=GOOD)
    elif "model" in kinds:
        yield measured("classes", math.nan, say("quality.classes.product"), light=CARE)
    else:
        yield unknown("classes", "classes")
    if not one.findings:
        yield unknown("agreement", "check")
    for found in one.findings:
        verdict, who = str(found["verdict"]), str(found.get("publisher") or say("check.official"))
        silent = verdict in (NOT_COMPARABLE, NOT_ENOUGH, NOT_SETTLED)
        light = GOOD if verdict == AGREES else UNKNOWN if silent else CARE
        evidence = found.get("evidence") or {}
        bias, unit = evidence.get("bias"), say("quality.unit.share") if evidence.get("relative") else one.unit
        words = say("quality.agreement", publisher=who, verdict=verdict)
        yield measured("agreement", math.nan if bias is None else float(bias), words, light=light, unit=unit)


def consistent(one: One) -> Iterator[Measured]:
    """Whether the series, its books and its earlier versions fit together."""
    breaks = breaks_inside(one)
    words = say("quality.breaks", breaks="; ".join(f"{day}: {why}" for day, why in breaks))
    yield measured("breaks", float(len(breaks)), words if breaks else say("quality.breaks.none"), limits="breaks")
    if breaks:
        yield jump(one, [naive(pd.Timestamp(day)) for day, _ in breaks])
    yield from revisions(one)
    yield gap(one)


def breaks_inside(one: One) -> list[tuple[str, str]]:
    """Known breaks between the first and the last value."""
    if one.told.empty:
        return []
    first, last = (Period.of(str(one.told.time_period.iloc[n])) for n in (0, -1))
    known = sorted({(str(day), str(why)) for day, why in one.subject.recipe.get("breaks") or []})
    return [(day, why) for day, why in known if first.start < naive(pd.Timestamp(day)) <= last.end]


def jump(one: One, days: Sequence[pd.Timestamp]) -> Measured:
    """The largest step across a break beside the usual step."""
    starts, values = list(one.told.start), one.told.obs_value.to_numpy(float)
    steps = np.abs(np.diff(values))
    across = np.array([any(a < day <= b for day in days) for a, b in itertools.pairwise(starts)], bool)
    usual = float(np.median(steps[~across])) if (~across).sum() >= 3 else math.nan
    if not across.any() or not usual > 0:
        return unknown("jump", "steps")
    most = float(steps[across].max())
    words = say("quality.jump", size=apart(most, one.unit, False), times=digits(most / usual, 1))
    return measured("jump", most / usual, words, limits="jump")


METHOD = ("definition", "code", "engine", "params", "use", "inputs", "facts", "accuracy", "vintage")
"""What may differ between two runs of a question, as recipes name it."""


def revisions(one: One) -> Iterator[Measured]:
    """What other runs of the same store say of the same periods."""
    kin = one.subject.kin
    if not kin:
        yield unknown("runs", "runs", "")
        return
    mine = one.subject.recipe
    changed = [name for name in METHOD if any(r.recipe.get(name) != mine.get(name) for r in kin)]
    named = ", ".join(say(f"quality.method.{name}") for name in changed)
    words = say("quality.runs", count=len(kin), changed=named) if changed else say("quality.runs.same", count=len(kin))
    yield measured("runs", float(len(kin)), words, unit="runs")
    same = ("params", "use")
    before = next((r for r in kin if all(r.recipe.get(n) == mine.get(n) for n in same)), None)
    if before is None:
        yield unknown("revision", "revision", "")
        return
    rows = published(before)
    rows = rows[(rows.series == one.output) & (rows.ref_area == one.area) & (rows.breakdown == "")]
    both = one.told.merge(rows[["time_period", "obs_value"]].dropna(), on="time_period", suffixes=("", "_before"))
    if both.empty:
        yield unknown("revision", "revision", "")
        return
    moved = (both.obs_value - both.obs_value_before).abs()
    most, count = float(moved.max()), int((moved > 1e-9 * both.obs_value.abs().clip(lower=1e-12)).sum())
    size = one.tolerances(most, list(both.obs_value)) if most else 0.0
    key = "quality.revision" if count else "quality.revision.none"
    words = say(key, run=before.id[:8], count=count, all=len(both), size=apart(most, one.unit, False))
    yield measured("revision", size, words, limits="revision")


def gap(one: One) -> Measured:
    """How far an area is from the sum of its parts, or a part from its own polygon, in its books."""
    ledger = one.subject.ledger
    parts = [c for c, parent in one.subject.parents.items() if parent == one.area]
    own = ledger[ledger.zone == one.area] if len(ledger) else ledger
    if own.empty:
        return unknown("gap", "ledger")
    keys, sums = ["quantity", "period"], ["counted", "excluded", "unseen"]
    whole = own.set_index(keys)[sums]
    if parts:
        inside = ledger[ledger.zone.isin(parts)].groupby(keys)[sums].sum()
        far = float(((whole - inside).abs().sum(axis=1) / whole.sum(axis=1).clip(lower=1e-9)).max())
        return measured("gap", far, say("quality.gap.parts", parts=len(parts), gap=small(far)), limits="gap")
    ground = own.set_index(keys).polygon
    if not (ground > 0).any():
        return unknown("gap", "ledger")
    far = float(((whole.sum(axis=1) - ground).abs() / ground).max())
    return measured("gap", far, say("quality.gap.polygon", gap=small(far)), limits="gap")


def relevant(one: One) -> Iterator[Measured]:
    """How near the series is to what the official one counts, and whether its pixels suit the area."""
    known = one.official
    if known:
        distance = 2.0 if known.get("proxy") else 1.0 if known.get("differs") else 0.0
        key = ("same", "differs", "proxy")[int(distance)]
        words = say(f"quality.definition.{key}", series=known["series"], differs=known.get("differs") or "")
        yield measured("definition", distance, words.strip(), limits="definition")
        yield measured("unit", math.nan, say("quality.unit", unit=one.unit or say("quality.unit.none")))
    else:
        yield unknown("definition", "definition")
    count = pixels(one)
    if math.isnan(count):
        yield unknown("pixels", "pixels")
    else:
        yield measured("pixels", count, say("quality.pixels", count=f"{count:,.0f}"), limits="pixels")


def pixels(one: One) -> float:
    """About how many pixels of the run's map an area has; NaN if it has no map."""
    maps = [a for a in one.subject.run.item["assets"].values() if "proj:transform" in a]
    ledger = one.subject.ledger
    own = ledger[ledger.zone == one.area] if len(ledger) else ledger
    if not maps or own.empty:
        return math.nan
    a, _, _, _, e, *_ = (float(x) for x in maps[0]["proj:transform"])
    size = abs(a * e)
    if is_geographic(maps[0].get("proj:code") or maps[0].get("proj:wkt2")):
        _, south, _, north = one.subject.run.item["bbox"]
        size *= METRES**2 * math.cos(math.radians((south + north) / 2))
    return float(own[["counted", "excluded", "unseen"]].sum(axis=1).max()) / size


def floored(share: float) -> str:
    """Percent with one digit, not rounded up."""
    return f"{math.floor(share * 10 + 1e-6) / 10:g}"


def small(share: float) -> str:
    """A tiny share."""
    return "0" if share == 0 else f"{share:.1g}"
