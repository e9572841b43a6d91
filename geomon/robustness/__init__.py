"""Against cherry-picking: an indicator over all its reasonable choices, as a specification curve.

A claim that holds in half of the specifications says so. Specifications are no sample of anything, so a share of
them is no probability (Simonsohn, Simmons and Nelson 2020, Nature Human Behaviour 4, 1208-1214).
"""

import json
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from geomon.check import check
from geomon.errors import GeomonError, InputError
from geomon.finding import plain
from geomon.identity import digest
from geomon.indicator import Indicator
from geomon.period import Period
from geomon.pipeline import Plan, periods_of
from geomon.places import content, is_remote, place
from geomon.places import replace as write
from geomon.protection import with_hidden
from geomon.robustness.asking import FOLDER, Answer, Asking, Progress
from geomon.robustness.curve import Curve, Point, Tally, point
from geomon.robustness.forks import MOST, YEARS, ZONES, Choosing, Fork, Specification, specifications, within_reach
from geomon.store import Store, json_bytes, safe
from geomon.texts import say
from geomon.zones import Zones

__all__ = ["MOST", "Curve", "Fork", "Point", "Robustness", "Specification", "Tally", "robustness", "stored"]


@dataclass(frozen=True, kw_only=True)
class Tried:
    """What became of one specification."""

    specification: Specification
    run: str = ""
    """The run that its numbers come from."""
    how: str = "failed"
    """'stored' (the store had it), 'computed', 'totals' (read off the totals of another run) or 'failed'."""
    why: str = ""
    """Why it failed."""


@dataclass(frozen=True, kw_only=True)
class Robustness:
    """An indicator over its choices."""

    indicator: str
    title: str
    periods: tuple[str, ...]
    forks: tuple[Fork, ...]
    tried: tuple[Tried, ...]
    possible: int
    """How many specifications the forks allow; more than were tried if there are too many."""
    curves: tuple[Curve, ...]
    """By output and area of the default's zones."""
    left_out: tuple[str, ...]
    """What is declared and was not tried, as nobody said where its data lie; a sentence each."""
    synthetic: bool
    nature: str = "satellite estimate"
    created: str = ""

    @property
    def id(self) -> str:
        """The hash of what was tried and of the runs that answered."""
        told = [(t.specification.choices, t.run, t.why) for t in self.tried]
        return digest([self.indicator, self.periods, told, [asdict(c) for c in self.curves]])[:16]

    @property
    def whole(self) -> bool:
        """Whether no specification failed."""
        return all(t.how != "failed" for t in self.tried)

    def curve(self, output: str, area: str) -> Curve | None:
        """The curve of an output in an area, if there is one."""
        return next((c for c in self.curves if (c.output, c.ref_area) == (output, area)), None)

    def as_dict(self) -> dict[str, Any]:
        """Plain values for JSON; what is missing or without limit is None."""
        found: dict[str, Any] = plain(
            {
                "id": self.id,
                "indicator": self.indicator,
                "title": self.title,
                "nature": self.nature,
                "synthetic": self.synthetic,
                "created": self.created,
                "periods": self.periods,
                "forks": [asdict(f) for f in self.forks],
                "possible": self.possible,
                "left_out": self.left_out,
                "specifications": [
                    {**asdict(t.specification), "run": t.run, "how": t.how, "why": t.why} for t in self.tried
                ],
                "curves": [{**c.as_dict(), "points": [asdict(p) for p in c.points]} for c in self.curves],
            }
        )
        return found


def robustness(
    indicator: Indicator | str,
    zones: Zones | str | Path | Mapping[str, Zones | str | Path],
    period: str | Sequence[str],
    *,
    store: Store | str | Path,
    vary: Mapping[str, Sequence[str]] | None = None,
    use: Mapping[str, Sequence[str]] | None = None,
    most: int = MOST,
    progress: Progress | None = None,
    workers: int | None = None,
    **more: Any,
) -> Robustness:
    """Run an indicator over its choices and keep the result in the store; a stopped one goes on where it was.

    Several boundary sets are given by name, the default first. `vary` and `use` take the place of what is declared,
    `more` goes to `plan`. A specification that fails is counted and named; the error is raised only if all fail.
    """
    if isinstance(indicator, str):
        from geomon.registry import indicator as find

        indicator = find(indicator)
    if most < 1:
        raise InputError(f"At most {most} specifications leave none to run. Say 1 or more.")
    named = dict(zones) if isinstance(zones, Mapping) else {ZONES: zones}
    areas = {name: z if isinstance(z, Zones) else Zones.read(z) for name, z in named.items()}
    periods = periods_of(indicator, period)
    forks = Choosing(indicator, periods, tuple(areas), vary or {}, use or {}).forks()
    forks, left_out = within_reach(forks, use or {}, more.get("catalog"))
    ways, possible = specifications(forks, most)
    keep = store if isinstance(store, Store) else Store(store)
    asking = Asking(indicator, areas, period, forks, {**more, "store": keep}, workers)
    answers = asking.all(ways, progress)
    if all(isinstance(a, GeomonError) for a in answers.values()):
        raise next(a for a in answers.values() if isinstance(a, GeomonError))
    first = next(a for a in answers.values() if isinstance(a, Answer))
    found = Robustness(
        indicator=indicator.code,
        title=indicator.title,
        periods=tuple(p.label for p in periods),
        forks=forks,
        tried=tuple(tried(w, answers[w.number]) for w in ways),
        possible=possible,
        curves=tuple(curves(first.plan, areas[next(iter(areas))], periods, ways, answers)),
        left_out=left_out,
        synthetic=any(bool(a.plan.recipe["synthetic"]) for a in answers.values() if isinstance(a, Answer)),
        created=time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
    )
    where = folder(keep, indicator.code)
    if not is_remote(where):
        where.mkdir(parents=True, exist_ok=True)
    write(where / f"{found.id}.json", json_bytes(found.as_dict()))
    return found


def tried(way: Specification, answer: Answer | GeomonError) -> Tried:
    """The record of a specification."""
    if isinstance(answer, GeomonError):
        return Tried(specification=way, why=str(answer))
    return Tried(specification=way, run=answer.plan.id, how=answer.how)


def curves(
    made: Plan,
    zones: Zones,
    periods: Sequence[Period],
    ways: Sequence[Specification],
    answers: Mapping[int, Answer | GeomonError],
) -> list[Curve]:
    """One for each output and area of the default's zones, those that hold others first.

    None where any specification hides a number to protect people: another one could tell it.
    """
    last = periods[-1].label
    order = sorted(zones.codes, key=lambda code: depth(code, zones.above))
    hidden = {key for a in answers.values() if isinstance(a, Answer) for key in with_hidden(a.series)}
    keys = [(o, code) for o in made.indicator.outputs for code in order]
    points: dict[tuple[str, str], list[Point]] = {key: [] for key in keys if key not in hidden}
    for way in ways:
        answer = answers[way.number]
        if isinstance(answer, GeomonError):
            for own in points.values():
                own.append(Point(number=way.number, why=str(answer)))
            continue
        inside = [p.label for p in periods if Period.of(way.choices[YEARS]).holds(p)]
        breaks = [(str(day), str(why)) for day, why in answer.plan.recipe["breaks"]]
        rows = {
            (str(output), str(area)): own
            for (output, area), own in answer.series[answer.series.breakdown == ""].groupby(["series", "ref_area"])
        }
        verdicts = verdicts_of(answer, inside, breaks)
        for key, own in points.items():
            if key in rows:
                own.append(replace(point(way.number, rows[key], inside, breaks, last), verdict=verdicts.get(key, "")))
            else:
                own.append(Point(number=way.number, why=say("robust.absent", last=last)))
    names, outputs = {z.code: z.name or z.code for z in zones.zones}, made.indicator.outputs
    return [
        Curve(
            output=output,
            title=outputs[output].title or made.indicator.title,
            unit=outputs[output].unit,
            ref_area=area,
            name=names[area],
            last=last,
            points=tuple(own),
        )
        for (output, area), own in points.items()
    ]


def depth(code: str, above: Mapping[str, str]) -> int:
    """How many areas hold one."""
    held = 0
    while code := above.get(code, ""):
        held += 1
    return held


def verdicts_of(answer: Answer, inside: Sequence[str], breaks: Sequence[tuple[str, str]]) -> dict[tuple[str, str], str]:
    """What the check says of each output and area over some of the periods; nothing without official statistics."""
    made = answer.plan
    if made.official is None:
        return {}
    rows = answer.series[answer.series.time_period.isin(inside)]
    names = {z.code: z.name for z in made.zones.zones}
    said: dict[tuple[str, str], list[tuple[str, str]]] = {}
    for found in check(rows, made.official, made.indicator, breaks=breaks, names=names):
        said.setdefault((found.output, found.ref_area), []).append((found.publisher, found.verdict))
    return {
        key: own[0][1] if len(own) == 1 else "; ".join(f"{who}: {verdict}" for who, verdict in own)
        for key, own in said.items()
    }


def folder(store: Store, indicator: str) -> Path:
    """Where the results of an indicator lie."""
    return place(store.root) / FOLDER / safe(indicator)


def stored(store: Store, indicator: str) -> list[dict[str, Any]]:
    """The results that a store holds, as they were written, newest first."""
    found = [json.loads(content(file)) for file in folder(store, indicator).glob("*.json")]
    return sorted(found, key=lambda r: (str(r["created"]), str(r["id"])), reverse=True)
