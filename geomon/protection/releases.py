"""The books of what was published: no release may let a small count be had by subtraction from those before it.

ledger/<indicator>/zones-<digest>.parquet    areas that something was published of
ledger/<indicator>/0001.json, 0002.json, ... releases, each written once: its cells with their exact counts

The books hold counts that are published rounded, so they stay beside the results and are published themselves never.
"""

import functools
import hashlib
import io
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import geopandas as gpd
import pandas as pd
import shapely

from geomon.errors import InputError, StoreError, listing
from geomon.indicator import Indicator
from geomon.places import Place, content, create, is_remote, once
from geomon.protection import Areas, hidden_keys, parents, shown
from geomon.protection.differences import differences
from geomon.protection.guards import Guard, guard
from geomon.protection.tables import Key, book_of
from geomon.texts import say

TRIES = 1000  # of writing the next entry, while others write theirs


@dataclass(frozen=True)
class Entry:
    """A release as the books have it."""

    name: str
    zones: str
    """Digest of the areas."""
    counts: Mapping[Key, float]
    """Exact counts of all its cells, hidden ones too."""
    seen: frozenset[Key]
    """The cells that were published."""

    @functools.cached_property
    def digest(self) -> str:
        """The same release again has the same."""
        return hashlib.sha256(repr((self.zones, self.rows)).encode()).hexdigest()[:16]

    @property
    def rows(self) -> list[list[Any]]:
        """Cell by cell: column, area, period, breakdown, count, and whether it was published."""
        return [[*key, self.counts[key], key in self.seen] for key in sorted(self.counts)]

    def as_dict(self) -> dict[str, Any]:
        """As it is written."""
        return {"name": self.name, "zones": self.zones, "digest": self.digest, "cells": self.rows}


def release(
    series: pd.DataFrame,
    indicator: Indicator | Guard,
    zones: Areas,
    ledger: Place,
    *,
    code: str = "",
    name: str = "",
    totals: pd.DataFrame | None = None,
    rounding: bool = True,
) -> pd.DataFrame:
    """The protected series, entered into the books of its indicator; unchanged and not entered if it counts nobody.

    InputError if, beside what was published before, it would give a small count away; then nothing is entered. The
    same release again is entered once. `code` names the indicator where a Guard is given; `ledger` is a folder,
    `releases` of the store say. For the other arguments see `protected`.
    """
    care = indicator if isinstance(indicator, Guard) else guard(indicator)
    if care is None or series.empty:
        return series.copy()
    frame = leaves_and_parents(zones)
    folder = ledger / folder_of(code or str(series["indicator"].iloc[0]))
    digest = digest_of(frame)
    name = name or str(series["run"].iloc[0]) or say("release.unnamed")
    alone = book_of(series, care, parents(zones), totals)
    own = alone.counts.keys() - alone.made
    made: list[pd.DataFrame] = []

    def next_entry(written: Sequence[Mapping[str, Any]]) -> Mapping[str, Any] | None:
        known = [read(e) for e in written]
        mine = [e for e in known if e.zones == digest]
        before = {k: n for e in mine for k, n in e.counts.items()}
        told = {k for e in mine for k in e.seen}
        book = book_of(series, care, parents(zones), totals, before)
        kept = {k for e in mine for k in e.counts if k not in e.seen}
        hidden, bare = hidden_keys(book, care, zones, kept=kept, told=told)
        if bare:
            raise InputError(given_away(name, [e.name for e in mine], bare, care))
        counts = {k: book.counts[k] for k in own}
        entry = Entry(name, digest, counts, frozenset(own - hidden - book.shut))
        others = [e for e in known if e.zones != digest]
        if others:
            frames = {e.zones: zones_of(folder, e.zones) for e in others} | {digest: frame}
            if found := differences(entry, known, frames, care.fewest):
                raise InputError(given_away(name, sorted({e.name for e in others}), found, care))
        made[:] = [shown(series, care, book, hidden, rounding, told=totals is not None)]
        return None if any(e.digest == entry.digest for e in known) else entry.as_dict()

    if not is_remote(folder):
        folder.mkdir(parents=True, exist_ok=True)
    with once(folder / f"zones-{digest}.parquet") as path:
        frame.to_parquet(path)
    append(folder, next_entry)
    return made[0]


def folder_of(code: str) -> str:
    """A code that can be a folder."""
    return "".join(c if c.isalnum() or c in ".-_" else "-" for c in code) or "indicator"


def leaves_and_parents(zones: Areas) -> gpd.GeoDataFrame:
    """Code, parent and geometry of all areas; the geometry of leaves only, in degrees."""
    frame = zones if isinstance(zones, gpd.GeoDataFrame) else zones.frame
    made = frame[["code", "parent", "geometry"]].copy()
    made["code"], made["parent"] = made["code"].astype(str), made["parent"].fillna("").astype(str)
    made.loc[made["code"].isin(set(made["parent"])), "geometry"] = None
    made = gpd.GeoDataFrame(made, geometry="geometry", crs=frame.crs)
    return made if made.crs is None else made.to_crs("EPSG:4326")


def digest_of(frame: gpd.GeoDataFrame) -> str:
    """SHA-256 of codes, parents and shapes."""
    rows = zip(frame["code"], frame["parent"], frame.geometry, strict=True)
    written = [(code, parent, "" if shape is None else shapely.to_wkb(shape).hex()) for code, parent, shape in rows]
    return hashlib.sha256(repr(sorted(written)).encode()).hexdigest()[:16]


def zones_of(folder: Place, digest: str) -> gpd.GeoDataFrame:
    """Areas that something was published of before."""
    path = folder / f"zones-{digest}.parquet"
    try:
        found = gpd.read_parquet(io.BytesIO(content(path)))
        whole = digest_of(found) == digest
    except (OSError, ValueError, KeyError) as error:  # pyarrow's errors are these too
        raise StoreError(f"The books need {path}, which cannot be read: {error}. Restore it.") from error
    if not whole:
        raise StoreError(f"{path} is not what was written: its areas have changed. Restore it.")
    return found


def given_away(name: str, before: Sequence[str], cells: Sequence[Key], care: Guard) -> str:
    """Why a release is refused."""
    where = listing({" ".join(p for p in (k.zone, k.period, k.breakdown) if p) for k in cells}, 5)
    return say(
        "release.refused",
        name=name,
        before=", ".join(dict.fromkeys(before)),
        count=len(cells),
        fewest=care.fewest,
        where=where,
    )


def append(
    folder: Place, decide: Callable[[Sequence[Mapping[str, Any]]], Mapping[str, Any] | None]
) -> Sequence[Mapping[str, Any]]:
    """Write what `decide` makes of the entries before as the next entry, or nothing for None; all entries then.

    Who comes second to a number reads what the first wrote and decides again, so two processes at one moment write
    one after the other. An entry appears whole and is never changed.
    """
    for _ in range(TRIES):
        before = entries(folder)
        made = decide(before)
        if made is None:
            return before
        written = json.dumps(made, ensure_ascii=False, indent=None, allow_nan=False).encode()
        if create(folder / f"{len(before) + 1:04}.json", written):
            return [*before, made]
    raise StoreError(f"{folder} is written by others all the time. Try again.")


def entries(folder: Place) -> list[Mapping[str, Any]]:
    """All entries, in the order in which they were written; StoreError if one is missing or cannot be read."""
    files = sorted(p for p in folder.glob("*.json") if p.stem.isdigit())
    if [int(p.stem) for p in files] != list(range(1, len(files) + 1)):
        raise StoreError(f"{folder} lacks entries between {listing(p.name for p in files)}. Restore them.")
    try:
        found = [json.loads(content(p)) for p in files]
    except ValueError as error:
        raise StoreError(f"{folder} has an entry that cannot be read: {error}. Restore it.") from error
    if not all(isinstance(e, dict) for e in found):
        raise StoreError(f"{folder} has an entry that is not what was written. Restore it.")
    return found


def read(entry: Mapping[str, Any]) -> Entry:
    """An entry from its file; StoreError for one that is not what was written."""
    try:
        rows = [(Key(str(c), str(z), str(p), str(b)), float(n), bool(seen)) for c, z, p, b, n, seen in entry["cells"]]
        seen = frozenset(k for k, _, seen in rows if seen)
        found = Entry(str(entry["name"]), str(entry["zones"]), {k: n for k, n, _ in rows}, seen)
        whole = found.digest == entry["digest"]
    except (KeyError, TypeError, ValueError) as error:
        raise StoreError(f"The books of releases have an entry of another form: {error}. Restore it.") from error
    if not whole:
        raise StoreError(f"The entry {found.name!r} of the books is not what was written: it has changed. Restore it.")
    return found
