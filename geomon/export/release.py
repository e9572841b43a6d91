"""What leaves geomon: rows that may be shown, and what must be said of them wherever they go."""

import functools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import pandas as pd

from geomon.areas import are_countries
from geomon.errors import InputError, listing
from geomon.protection import guard, guard_in, protected
from geomon.registry import indicator
from geomon.series import COLUMNS, INTERVALS, NATURE, tidy
from geomon.store import StoredRun
from geomon.texts import say

INVENTED = f"{NATURE}, synthetic"
PLACE = ["series", "ref_area", "time_period", "breakdown"]
BOOKS = "releases"
"""The folder in a store that says what was published of people."""


@dataclass(frozen=True, kw_only=True)
class Told:
    """What a definition says of one output."""

    title: str
    official: str = ""
    """Code of the official series that it stands beside."""
    definition: str = ""
    """What that series counts."""
    differs: str = ""
    """How ours differs from that."""

    @property
    def difference(self) -> str:
        """The same as a sentence; '' if both count the same."""
        key = "export.differs.from" if self.definition else "export.differs"
        told = say(key, official=self.official, definition=self.definition, differs=self.differs.rstrip("."))
        return told if self.differs else ""

    @property
    def summary(self) -> str:
        """What it is, that it is an estimate, and how it differs."""
        return " ".join(filter(None, (f"{self.title}.", say("export.estimate"), self.difference)))


@dataclass(frozen=True, kw_only=True)
class About:
    """What a definition says of an indicator."""

    title: str
    note: str
    people: bool
    outputs: Mapping[str, Told]


@dataclass(frozen=True, kw_only=True)
class Product:
    """Images that a run read, and on which terms."""

    id: str
    title: str
    licence: str
    attribution: str
    caveats: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Release:
    """A series as it may be shown, with its definitions and its origin."""

    series: pd.DataFrame
    about: Mapping[str, About]
    """By code of the indicator."""
    names: Mapping[str, str]
    """Of areas, by code; empty where none are known."""
    tops: tuple[str, ...] = ()
    """Areas that no other area of the run holds."""
    countries: frozenset[str] = frozenset()
    """Those of them that are countries."""
    products: tuple[Product, ...] = ()
    intervals: pd.DataFrame = field(default_factory=lambda: tidy([], INTERVALS))
    """What the intervals are made of; none of what counts people."""
    synthetic: bool
    """Whether the images, or what they show, are invented."""
    created: str = ""
    """When the run was published, not when it was exported; ISO 8601 in UTC."""

    @property
    def rows(self) -> list[dict[str, Any]]:
        """The rows, each by the names of its columns."""
        return [{str(name): value for name, value in row.items()} for row in self.series.to_dict("records")]

    @property
    def runs(self) -> list[str]:
        """Ids of the runs that the rows come from."""
        return sorted(set(self.series["run"]))

    @property
    def vintages(self) -> list[str]:
        """Vintages of official statistics that the runs were checked against."""
        return sorted(set(self.series["vintage"]) - {""})

    @property
    def attribution(self) -> str:
        """Who is to be named, in one line."""
        return "; ".join(sorted({p.attribution for p in self.products if p.attribution}))

    @property
    def licences(self) -> str:
        """The products' licences, in one line."""
        return "; ".join(sorted({f"{p.id}: {p.licence}" for p in self.products if p.licence}))

    @property
    def invented(self) -> str:
        """'yes' or 'no': whether the images were."""
        return say(f"export.{'yes' if self.synthetic else 'no'}")

    @functools.cached_property
    def pieces(self) -> Mapping[tuple[str, ...], str]:
        """Names of the components that are known, 'unseen+noise', by output, area, period and breakdown."""
        known = self.intervals[self.intervals[["lower", "upper", "se"]].notna().any(axis=1)]
        found = {}
        for place, rows in known.groupby(PLACE, sort=False):
            found[tuple(map(str, place))] = "+".join(dict.fromkeys(rows["component"]))
        return found

    def components(self, row: Mapping[str, Any]) -> str:
        """What is known of a row's uncertainty, by name; '' if nothing."""
        return self.pieces.get(tuple(row[n] for n in PLACE), "")

    def told(self, row: Mapping[str, Any]) -> Told:
        """What the definition says of a row's output."""
        return self.about[row["indicator"]].outputs[row["series"]]


def release_of(given: StoredRun | pd.DataFrame, *, entered: bool = False) -> Release:
    """What may leave of a stored run, or of a series whose definitions are in the workspace; see released."""
    return of_series(given) if isinstance(given, pd.DataFrame) else of_run(given, entered)


def of_run(run: StoredRun, entered: bool) -> Release:
    """What may leave of a run: its own recipe says what it is, whatever the definition has become since."""
    recipe, zones = run.recipe, run.zones
    about = About(
        title=recipe["title"],
        note=recipe["note"],
        people=guard_in(recipe) is not None,
        outputs={n: told(o["title"], o["official"]) for n, o in recipe["outputs"].items()},
    )
    products = [
        Product(**{n: c[n] or "" for n in ("id", "title", "licence", "attribution")}, caveats=tuple(c["caveats"]))
        for c in recipe["collections"]
    ]
    codes = set(zones["code"])
    tops = [str(c) for c, p in zip(zones["code"], zones["parent"], strict=True) if p not in codes]
    return Release(
        series=released(run, entered),
        about={run.indicator: about},
        names=dict(zip(zones["code"], zones["name"], strict=True)),
        tops=tuple(tops),
        countries=countries(tops),
        products=tuple(products),
        intervals=tidy([], INTERVALS) if about.people else run.intervals,
        synthetic=bool(recipe["synthetic"]),
        created=run.created,
    )


def of_series(series: pd.DataFrame) -> Release:
    """What may leave of a series without its run: its products and when it was made are not known."""
    series = sound(series)
    made = {code: indicator(code) for code in sorted(set(series["indicator"]))}
    if people := sorted(code for code, known in made.items() if guard(known) is not None):
        raise InputError(
            f"{listing(people)} counts people, and a series alone has no areas to protect them by. "
            "Store the run, and export that."
        )
    about = {
        code: About(
            title=known.title,
            note=known.note,
            people=False,
            outputs={n: told(o.title or n, vars(o.official) if o.official else None) for n, o in known.outputs.items()},
        )
        for code, known in made.items()
    }
    codes = sorted(set(series["ref_area"]))
    return Release(
        series=series,
        about=about,
        names=dict.fromkeys(codes, ""),
        countries=countries(codes),
        synthetic=INVENTED in set(series["nature"]),
    )


def countries(codes: Sequence[str]) -> frozenset[str]:
    """The codes, if they are countries: all of them, or half at least by ISO3; states with codes such as CA are not."""
    return frozenset(codes) if are_countries(codes) else frozenset()


def told(title: str, official: Mapping[str, Any] | None) -> Told:
    """What is said of an output, from its record or from a recipe."""
    known = official or {}
    return Told(
        title=title,
        official=known.get("series", ""),
        definition=known.get("definition", ""),
        differs=known.get("differs", ""),
    )


def sound(series: pd.DataFrame) -> pd.DataFrame:
    """A series that can leave; InputError for one that is empty, not whole, or calls itself something else."""
    if missing := [name for name in COLUMNS if name not in series]:
        raise InputError(f"A series to export needs the columns {listing(COLUMNS)}; it has no {listing(missing)}.")
    if not len(series):
        raise InputError("The series has no rows, so there is nothing to export.")
    if other := sorted(set(series["nature"]) - {NATURE, INVENTED}):
        raise InputError(f"Rows to export are {listing(other)}; geomon exports its own, which are {NATURE!r}.")
    series = series.reset_index(drop=True)
    endless = series["obs_value"].isin([float("inf"), float("-inf")])
    if endless.any():
        row = series[endless].iloc[0]
        raise InputError(
            f"{row.indicator} {row.series} is infinite in {row.ref_area} {row.time_period}, which no format can hold. "
            "Let its output give no value there."
        )
    return series


def released(run: StoredRun, entered: bool) -> pd.DataFrame:
    """The rows of a run that may leave: what could tell of single people is suppressed, if it counts any.

    `entered` writes the release into the books beside the results, which refuse one that would give a small count
    away beside those before it.
    """
    care = guard_in(run.recipe)
    series = sound(run.series)
    if care is None:
        return series
    if not entered:
        return protected(series, care, run.zones, totals=run.totals)
    from geomon.protection.releases import release

    books = run.folder.parent.parent / BOOKS
    return release(series, care, run.zones, books, code=run.indicator, name=run.id, totals=run.totals)
