"""What one output of one run may tell: areas, periods and readings, after disclosure."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Protocol

import geopandas as gpd
import pandas as pd
import shapely
from shapely.geometry.base import BaseGeometry

from geomon.panels.numbers import Unit
from geomon.panels.origins import Definition, Origins, Published, definition, origins
from geomon.panels.people import hidden, reason, shown
from geomon.period import Period
from geomon.protection import Guard, guard_in


class StoredRun(Protocol):
    """The part of a stored run that a desk reads."""

    @property
    def id(self) -> str: ...
    @property
    def indicator(self) -> str: ...
    @property
    def created(self) -> str: ...
    @property
    def folder(self) -> Path: ...
    @property
    def item(self) -> dict[str, Any]: ...
    @property
    def recipe(self) -> dict[str, Any]: ...
    @property
    def check(self) -> list[dict[str, Any]] | None: ...
    @property
    def progress(self) -> list[dict[str, Any]]: ...
    @property
    def series(self) -> pd.DataFrame: ...
    @property
    def totals(self) -> pd.DataFrame | None: ...
    @property
    def ledger(self) -> pd.DataFrame: ...
    @property
    def reads(self) -> pd.DataFrame: ...
    @property
    def zones(self) -> gpd.GeoDataFrame: ...
    @property
    def maps(self) -> Mapping[str, Path]: ...


@dataclass(frozen=True)
class Reading:
    """A published value, or the reason why there is none."""

    value: float = math.nan
    lower: float = math.nan
    upper: float = math.nan
    interval: str = ""
    coverage: float = math.nan
    status: str = ""

    @property
    def published(self) -> bool:
        """False: `status` says why."""
        return math.isfinite(self.value)


@dataclass(frozen=True)
class Story:
    """One output of one run, as far as it may be shown."""

    run: StoredRun
    name: str
    """The key of the output."""

    @cached_property
    def recipe(self) -> dict[str, Any]:
        """What was asked, of which items, with which versions."""
        return self.run.recipe

    @cached_property
    def indicator(self) -> Definition:
        """The definition as it was when the run was made."""
        return definition(self.recipe)

    @cached_property
    def origins(self) -> Origins:
        """Breaks, caveats and sources."""
        return origins(self.recipe)

    @property
    def output(self) -> Published:
        """The record of the output."""
        return self.indicator.outputs[self.name]

    @property
    def title(self) -> str:
        """What is measured, in words."""
        return self.output.title

    @cached_property
    def check(self) -> list[dict[str, Any]]:
        """All findings of the run beside official statistics."""
        return self.run.check or []

    @cached_property
    def reads(self) -> pd.DataFrame:
        """Every asset that was asked for."""
        return self.run.reads

    @cached_property
    def ledger(self) -> pd.DataFrame:
        """What was counted, excluded and unseen in each area and period, in square metres."""
        return self.run.ledger

    @property
    def synthetic(self) -> bool:
        """The pixels are invented, and everything made from them says so."""
        properties = self.run.item.get("properties", {})
        return bool(self.recipe.get("synthetic") or properties.get("geomon:synthetic"))

    @cached_property
    def guard(self) -> Guard | None:
        """How the people are protected that the run counts; None if it counts none."""
        return guard_in(self.recipe)

    @cached_property
    def series(self) -> pd.DataFrame:
        """All that may be shown of the run's series."""
        return shown(self.run, self.guard)

    @cached_property
    def tellable(self) -> set[str]:
        """Areas without a hidden value: what else is said of the others might tell it."""
        gone = self.series[hidden(self.run, self.series)] if self.guard else self.series.iloc[:0]
        return set(self.areas.index) - set(gone[gone["series"] == self.name]["ref_area"])

    @cached_property
    def progress(self) -> list[dict[str, Any]]:
        """The grades of this output that may be shown."""
        return [g for g in self.run.progress if g["output"] == self.name and g["ref_area"] in self.tellable]

    @property
    def coarse(self) -> bool:
        """Whether this output is shown no finer than provinces."""
        return self.output.finest == "province"

    @property
    def pixels(self) -> bool:
        """Whether its pixels may be shown: never those of people, nor of what is shown by province only."""
        return not self.coarse and self.guard is None

    @cached_property
    def areas(self) -> gpd.GeoDataFrame:
        """Areas that may be shown, by code: name, parent, geometry (lon/lat), depth (0: no parent)."""
        zones = self.run.zones.fillna({"parent": ""}).set_index("code")
        zones["depth"] = [depth(code, zones["parent"]) for code in zones.index]
        zones["geometry"] = [whole(code, zones) for code in zones.index]
        if not self.coarse:
            return zones
        top = zones["depth"].max() if len(zones) else 0
        # zones that name no parent cannot be told from districts: then nothing is shown but a lone country
        return zones[zones["depth"] <= 1] if top > 0 or len(zones) == 1 else zones.iloc[:0]

    @cached_property
    def painted(self) -> list[str]:
        """Codes that the map colours: areas without a part that is shown."""
        return [code for code in self.areas.index if code not in set(self.areas["parent"])]

    @cached_property
    def rows(self) -> pd.DataFrame:
        """The series of this output by area and period, without its breakdowns."""
        rows = self.series
        wanted = (rows["series"] == self.name) & (rows["breakdown"] == "") & rows["ref_area"].isin(self.areas.index)
        return (
            rows[wanted]
            .drop_duplicates(["ref_area", "time_period"])
            .set_index(["ref_area", "time_period"])
            .sort_index()
        )

    @cached_property
    def periods(self) -> list[str]:
        """Labels of the periods, in order of time."""
        labels = set(self.rows.index.get_level_values("time_period"))
        return sorted(labels, key=lambda label: Period.of(label).start)

    @cached_property
    def unit(self) -> Unit:
        """The unit; what was measured may complete what the output declares."""
        units = self.rows["unit_measure"].unique()
        return Unit(str(units[0]) if len(units) else self.output.unit)

    @cached_property
    def country(self) -> str:
        """The area that holds the others; the first if there are several."""
        roots = [code for code in self.areas.index if self.areas.at[code, "parent"] not in self.areas.index]
        return roots[0] if roots else ""

    def called(self, area: str) -> str:
        """The name of an area."""
        return str(self.areas.at[area, "name"]) if area in self.areas.index else area

    @cached_property
    def readings(self) -> dict[tuple[str, str], Reading]:
        """All that is published, by area and period; no bounds without a value: they would publish it."""
        found = {}
        for row in self.rows.reset_index().to_dict("records"):
            value, coverage = float(row["obs_value"]), float(row["coverage"])
            status = reason(str(row["obs_status"]), self.guard)
            reading = Reading(coverage=coverage, status=status)
            if math.isfinite(value):
                bounds = float(row["lower"]), float(row["upper"])
                reading = Reading(value, *bounds, str(row["interval"]), coverage, status)
            found[str(row["ref_area"]), str(row["time_period"])] = reading
        return found

    def at(self, area: str, period: str) -> Reading:
        """What is known of an area in a period."""
        return self.readings.get((area, period), Reading())

    def parts(self, area: str) -> list[str]:
        """The painted areas inside an area, or the area itself."""
        return [code for code in self.painted if area in lineage(code, self.areas["parent"])]

    def finding(self, area: str) -> Mapping[str, Any] | None:
        """The official check of an area, if there is one that may be shown."""
        for finding in self.check:
            if finding.get("output") == self.name and finding.get("ref_area") == area and area in self.tellable:
                return finding
        return None

    def checked(self, area: str) -> tuple[str, Mapping[str, Any] | None]:
        """The nearest area, upwards, that has an official check, and that check."""
        for code in lineage(area, self.areas["parent"]):
            finding = self.finding(code)
            if finding is not None:
                return code, finding
        return area, None


STORIES: dict[tuple[str, str], Story] = {}


def stored(run: StoredRun, name: str) -> Story:
    """The story of a stored run, which never changes: read once for all visitors."""
    key = (run.id, name)
    if key not in STORIES:
        STORIES[key] = Story(run, name)
    return STORIES[key]


def lineage(code: str, parents: "pd.Series[str]") -> list[str]:
    """An area and those above it, from the inside out."""
    seen = [code]
    while seen[-1] in parents.index and parents[seen[-1]] in parents.index and parents[seen[-1]] not in seen:
        seen.append(parents[seen[-1]])
    return seen


def depth(code: str, parents: "pd.Series[str]") -> int:
    """How many areas stand above one."""
    return len(lineage(code, parents)) - 1


def whole(code: str, zones: gpd.GeoDataFrame) -> BaseGeometry:
    """The geometry of an area; one that has none of its own is the union of its leaves."""
    own: BaseGeometry | None = zones.at[code, "geometry"]
    if own is not None and not own.is_empty:
        return own
    leaves = [
        c
        for c in zones.index
        if c != code and code in lineage(c, zones["parent"]) and zones.at[c, "geometry"] is not None
    ]
    union: BaseGeometry = shapely.union_all(zones.loc[leaves, "geometry"].to_numpy(), grid_size=1e-6)
    return union
