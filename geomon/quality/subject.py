"""A stored run whose quality is asked for, and one series of it."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Protocol

import numpy as np
import pandas as pd

from geomon.errors import InputError
from geomon.period import Period, naive
from geomon.protection import published, with_hidden

YEAR = 365.25  # days


class Stored(Protocol):
    """The part of a stored run that is looked at."""

    @property
    def id(self) -> str: ...
    @property
    def indicator(self) -> str: ...
    @property
    def created(self) -> str: ...
    @property
    def item(self) -> dict[str, Any]: ...
    @property
    def recipe(self) -> dict[str, Any]: ...
    @property
    def check(self) -> list[dict[str, Any]] | None: ...
    @property
    def series(self) -> pd.DataFrame: ...
    @property
    def totals(self) -> pd.DataFrame | None: ...
    @property
    def ledger(self) -> pd.DataFrame: ...
    @property
    def reads(self) -> pd.DataFrame: ...
    @property
    def zones(self) -> Any: ...


@dataclass(frozen=True)
class Subject:
    """A stored run whose quality is asked for, read once for all its cards."""

    run: Stored
    on: str = ""
    """A day as YYYY-MM-DD; empty: the day on which the run was made."""
    others: Sequence[Stored] = field(default=(), repr=False)
    """Runs of the same store, for what was revised."""

    @cached_property
    def day(self) -> pd.Timestamp:
        """The day that ages are counted to; InputError for what is none."""
        try:
            return naive(pd.Timestamp(self.on or self.run.created)).normalize()
        except ValueError as error:
            raise InputError(f"{self.on!r} is not a day. Write it as 2026-11-23.") from error

    @cached_property
    def recipe(self) -> dict[str, Any]:
        """What was asked and what it was answered with."""
        return self.run.recipe

    @cached_property
    def series(self) -> pd.DataFrame:
        """The result table without breakdowns, in order of time; of people as it may leave the house."""
        rows = published(self.run)
        rows = rows[rows.breakdown == ""].assign(start=lambda r: [Period.of(p).start for p in r.time_period])
        return rows.sort_values("start", kind="stable")

    @cached_property
    def hidden(self) -> set[tuple[str, str]]:
        """Outputs and areas of which nothing is said: a number of theirs is hidden to protect people."""
        return with_hidden(self.series)

    @cached_property
    def parents(self) -> dict[str, str]:
        """Code of each area -> code of the one above, or ''."""
        zones = self.run.zones.fillna({"parent": ""})
        return dict(zip(zones["code"], zones["parent"], strict=True))

    @cached_property
    def names(self) -> dict[str, str]:
        """Code of each area -> its name."""
        zones = self.run.zones
        return dict(zip(zones["code"], zones["name"], strict=True))

    @cached_property
    def reads(self) -> pd.DataFrame:
        """Every file that was read."""
        return self.run.reads

    @cached_property
    def ledger(self) -> pd.DataFrame:
        """What was counted, excluded and unseen."""
        return self.run.ledger

    @cached_property
    def findings(self) -> list[dict[str, Any]]:
        """What the check said."""
        return self.run.check or []

    @cached_property
    def kin(self) -> list[Stored]:
        """Other runs of the same indicator over the same zones, the newest first."""
        own = [r for r in self.others if r.indicator == self.run.indicator and r.id != self.run.id]
        place = zones_in(self.recipe)
        same = [r for r in own if place and zones_in(r.recipe) == place]
        return sorted(same, key=lambda r: (r.created, r.id), reverse=True)

    def leaves(self, area: str) -> list[str]:
        """Areas without parts that lie in an area, without itself."""
        whole = set(self.parents.values())
        return [c for c in self.parents if c not in whole and c != area and area in self.above(c)]

    def above(self, area: str) -> list[str]:
        """The areas that hold one."""
        found: list[str] = []
        while (area := self.parents.get(area, "")) and area not in found:
            found.append(area)
        return found

    def years_since(self, moment: pd.Timestamp) -> float:
        """Years from a moment to the day; not below 0."""
        return max(0.0, (self.day - moment).total_seconds() / 86_400 / YEAR)


def zones_in(recipe: Mapping[str, Any]) -> str:
    """The digest of the zones of a run; '' where it was not recorded."""
    return str((recipe.get("zones") or {}).get("digest") or "")


@dataclass(frozen=True)
class One:
    """One output in one area."""

    subject: Subject
    output: str
    area: str

    @cached_property
    def rows(self) -> pd.DataFrame:
        """Its rows in order of time."""
        series = self.subject.series
        return series[(series.series == self.output) & (series.ref_area == self.area)]

    @cached_property
    def told(self) -> pd.DataFrame:
        """Those with a value."""
        return self.rows[self.rows.obs_value.notna() & (self.rows.obs_status == "")]

    @property
    def official(self) -> dict[str, Any]:
        """What the definition declares of the official series; empty if there is none."""
        return self.subject.recipe["outputs"][self.output].get("official") or {}

    @property
    def unit(self) -> str:
        """The unit of the values."""
        return str(self.rows.unit_measure.iloc[0]) if len(self.rows) else ""

    @property
    def findings(self) -> list[dict[str, Any]]:
        """What the check says of it, one a publisher."""
        every = self.subject.findings
        return [f for f in every if f.get("output") == self.output and f.get("ref_area") == self.area]

    def tolerances(self, size: float, values: Sequence[float]) -> float:
        """A size as a multiple of the tolerance; NaN without one."""
        wide = float(self.official.get("tolerance") or math.nan)
        if self.official.get("relative"):
            wide *= float(np.median(np.abs(values))) if len(values) else math.nan
        return size / wide if wide > 0 else math.nan
