"""The runs behind the specifications: each made once, kept, and read in as many ways as there are."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import pandas as pd

from geomon.errors import GeomonError, StoreError, WorkerError
from geomon.indicator import Indicator
from geomon.ledger import as_dataset, from_table
from geomon.pipeline import Plan, Run, next_attempt, plan
from geomon.protection import protected, published
from geomon.robustness.forks import YEARS, ZONES, Fork, Specification, product_of, read_only
from geomon.store import Store
from geomon.zones import Zones

FOLDER, RUNS = "robustness", "runs"
Progress = Callable[[int, int, str], None]


@dataclass(frozen=True)
class Answer:
    """A run, or its totals read in another way."""

    plan: Plan
    series: pd.DataFrame
    """As it may leave the house, where people are counted."""
    how: str


@dataclass(frozen=True)
class Asking:
    """The runs behind the specifications, each made once."""

    indicator: Indicator
    zones: Mapping[str, Zones]
    period: str | Sequence[str]
    forks: Sequence[Fork]
    more: Mapping[str, Any]
    workers: int | None

    def all(self, ways: Sequence[Specification], progress: Progress | None) -> dict[int, Answer | GeomonError]:
        """By the number of the specification: those that differ in their reading share a run."""
        late = read_only(self.indicator)
        groups: dict[str, list[Specification]] = {}
        for way in ways:
            early = {k: v for k, v in way.choices.items() if k != YEARS and k not in late}
            groups.setdefault(json.dumps(early), []).append(way)
        found: dict[int, Answer | GeomonError] = {}
        for n, own in enumerate(groups.values()):
            if progress:
                progress(n, len(groups), ", ".join(f"{k} {v}" for k, v in own[0].choices.items() if self.forked(k)))
            found |= self.together(own, late)
        return found

    def forked(self, name: str) -> bool:
        """Whether there is something to choose."""
        return any(f.name == name and len(f.options) > 1 for f in self.forks)

    def together(self, ways: Sequence[Specification], late: set[str]) -> dict[int, Answer | GeomonError]:
        """The answers to specifications of one run; what goes wrong with it goes wrong with all of them."""
        choices = ways[0].choices
        params = {n: choices[n] for n in self.indicator.params}
        late_default = {f.name: f.default for f in self.forks if f.name in late}
        swap = {f.name: choices[f.name] for f in self.forks if f.kind == "product" and self.swaps(f, choices[f.name])}
        try:
            made = plan(
                self.indicator,
                self.zones[choices[ZONES]],
                self.period,
                use=swap,
                params={**params, **late_default},
                **{**self.more, "accuracy": self.sampled(choices) or None},
            )
            own = not swap and choices[ZONES] == next(iter(self.zones)) and made.params == usual(self.indicator)
            done = (made if own or made.answered() else aside(made)).run(workers=self.workers)
        except (StoreError, WorkerError):
            raise
        except GeomonError as error:
            return dict.fromkeys((w.number for w in ways), error)
        return {w.number: self.read(done, {n: w.choices[n] for n in self.indicator.params}) for w in ways}

    def sampled(self, choices: Mapping[str, str]) -> dict[str, Any]:
        """The reference samples, each of the product it was drawn for and of no other that stands in its place."""
        others = {f.name for f in self.forks if f.kind == "product" and choices[f.name] != f.default}
        return {name: given for name, given in (self.more.get("accuracy") or {}).items() if name not in others}

    def swaps(self, fork: Fork, option: str) -> bool:
        """Whether an option is another product than the definition's own."""
        return option != product_of({**self.indicator.sources, **self.indicator.sums}[fork.name])

    def read(self, done: Run, params: Mapping[str, str]) -> Answer:
        """The series of a run, or its totals read with other choices."""
        assert done.stored is not None
        if params == done.plan.params:
            return Answer(done.plan, published(done.stored), "computed" if done.fresh else "stored")
        sums = from_table(done.stored.totals)
        other = replace(done.plan, params=dict(params))
        totals = as_dataset(sums, other.zones.codes, [p.label for p in other.periods])
        series, _ = other.read_off(totals, sums, done.stored.reads)
        areas, kept = other.zones, done.stored.totals
        return Answer(other, protected(series, self.indicator, areas, totals=kept), "totals")


def usual(indicator: Indicator) -> dict[str, str]:
    """The choices of the definition as it stands."""
    return {name: choice.options[0] for name, choice in indicator.params.items()}


def aside(made: Plan) -> Plan:
    """The same run in a store of its own inside the store: no desk shows it as what the indicator says."""
    assert made.store is not None
    beside = Store(made.store.root / FOLDER / RUNS)
    return replace(made, store=beside, recipe=next_attempt(made.recipe, beside))
