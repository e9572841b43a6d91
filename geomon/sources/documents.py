"""collection.json files become Collection records; our own facts stand in them under the prefix `geomon:`."""

import json
import os
import re
from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import urljoin

from geomon.errors import CatalogError, did_you_mean, listing
from geomon.places import content, faults, is_remote, place
from geomon.sources.records import KINDS, Band, Bbox, Break, Collection, ErrorMatrix, Legend, Origin

Document = Mapping[str, Any]

TYPES = ("stac-api", "static", "folder")
VARIABLE = re.compile(r"\$\{(\w+)(?::-([^}]*))?\}")


def collections(paths: Iterable[str | Path]) -> dict[str, Collection]:
    """All collections in these catalogue folders (or single collection.json files), by id.

    A collection that says `geomon:extends` inherits everything that it does not state, and may so take the
    place of ours of the same id. Two collections of one id that do not say so are a CatalogError.
    """
    found: dict[str, list[tuple[Document, Path]]] = {}
    for file in dict.fromkeys(file for path in paths for file in files(place(path))):
        document = read(file)
        found.setdefault(str(document.get("id") or document.get("geomon:extends")), []).append((document, file))
    return {id: resolve(id, found, ()) for id in found}


def files(path: Path) -> list[Path]:
    """The collection.json files of a catalogue folder."""
    if path.is_file() and path.name != "catalog.json":
        return [path]
    folder = path.parent if path.is_file() else path
    if not folder.is_dir():
        raise CatalogError(f"There is no catalogue at {path}. Give a folder that holds <id>/collection.json.")
    return sorted(folder.glob("*/collection.json")) or sorted(folder.glob("collection.json"))


def read(file: Path) -> Document:
    """One JSON document."""
    try:
        document = json.loads(content(file).decode("utf-8"))
    except faults(ValueError) as error:
        raise CatalogError(f"{file} cannot be read as a collection: {error}.") from error
    if not isinstance(document, dict) or not (document.get("id") or document.get("geomon:extends")):
        raise CatalogError(f"{file} is not a collection: it has no 'id' (or 'geomon:extends').")
    return document


def resolve(id: str, found: Mapping[str, list[tuple[Document, Path]]], seen: tuple[Path, ...]) -> Collection:
    """The collection of this id with what it inherits; one that extends its own id is taken first."""
    candidates = [c for c in found.get(id, []) if c[1] not in seen]
    candidates.sort(key=lambda c: not c[0].get("geomon:extends"))
    if not candidates:
        raise CatalogError(
            f"{seen[-1]} extends {id!r}, which is not in the catalogues; they have {listing(found)}."
            f"{did_you_mean(id, found)}"
        )
    document, file = candidates[0]
    base = document.get("geomon:extends")
    plain = [f for d, f in candidates if not d.get("geomon:extends")]
    if len(plain) > 1 or (len(candidates) > 1 and base is None):
        raise CatalogError(
            f"{id!r} is defined by {' and '.join(str(f) for _, f in candidates)}. Rename one, or let it say "
            f'"geomon:extends": "{id}" to take the place of the other.'
        )
    return record(document, file, resolve(base, found, (*seen, file)) if base else None)


def record(document: Document, file: Path, base: Collection | None = None) -> Collection:
    """A Collection from its document, over the one that it extends."""
    start = base or Collection("", "", "", {}, "", ())
    id = str(document.get("id") or start.id)
    stated: dict[str, Any] = {"id": id, "file": str(file)}
    for ours, theirs in {
        "title": "title",
        "description": "description",
        "licence": "license",
        "attribution": "geomon:attribution",
        "update": "geomon:update",
        "sensor": "geomon:sensor",
        "kind": "geomon:kind",
        "main": "geomon:main",
    }.items():
        if theirs in document:
            stated[ours] = str(document[theirs])
    if "geomon:caveats" in document:
        stated["caveats"] = tuple(document["geomon:caveats"])
    if "geomon:breaks" in document:
        stated["breaks"] = tuple(Break(str(b["date"]), str(b["why"])) for b in document["geomon:breaks"])
    if "geomon:accuracy" in document:
        stated["accuracy"] = tuple(error_matrix(a, f"{id} in {file}") for a in document["geomon:accuracy"])
    if "geomon:origins" in document:
        stated["origins"] = tuple(origin(o, id, file) for o in document["geomon:origins"])
    if "extent" in document:
        stated["bbox"], stated["interval"] = extent(document["extent"])
    stated["bands"] = bands(document, start, id, file)
    made = replace(start, **stated)
    if not made.main and len(made.bands) == 1:
        made = replace(made, main=next(iter(made.bands)))
    if made.kind == "raster" and not made.bands:
        raise CatalogError(f"{id} in {file} names no bands. Add them under 'geomon:bands'.")
    if made.kind == "raster" and made.main not in made.bands:
        raise CatalogError(f"The main band {made.main!r} of {id} is none of its bands {listing(made.bands)}: {file}.")
    return made


def bands(document: Document, start: Collection, id: str, file: Path) -> dict[str, Band]:
    """The bands of the collection that is extended, changed and added to by those of the document."""
    assets = document.get("item_assets", {})
    made = dict(start.bands)
    for name, facts in document.get("geomon:bands", {}).items():
        if facts is None:
            made.pop(name, None)
            continue
        classes = facts.get("classes") or assets.get(facts.get("asset", name), {}).get("classification:classes")
        made[name] = band(name, facts, classes, start.bands.get(name), f"band {name!r} of {id} in {file}")
    return made


def band(name: str, facts: Document, classes: Any, base: Band | None, where: str) -> Band:
    """One band from its facts; CatalogError that says which fact is wrong."""
    fields: dict[str, Any] = {
        key: str(facts[key])
        for key in ("kind", "asset", "member", "unit", "nodata_means", "when", "title", "correction")
        if facts.get(key) is not None
    }
    fields |= {key: float(facts[key]) for key in ("scale", "offset") if facts.get(key) is not None}
    if "nodata" in facts:
        fields |= {"nodata": number(facts["nodata"]), "stated": facts["nodata"] is not None}
    if classes:
        fields["legend"] = legend(classes)
    if base is None and "kind" not in fields:
        raise CatalogError(f"The {where} does not say its kind: {listing(KINDS)}.")
    made = replace(base or Band(name, fields["kind"], name), **fields)
    if made.kind not in KINDS:
        raise CatalogError(f"The {where} has the kind {made.kind!r}; it must be one of {listing(KINDS)}.")
    if made.kind == "class" and made.legend is None:
        raise CatalogError(f"The {where} is of kind 'class' and has no classes. Add 'classes' with value and name.")
    if made.nodata_means not in ("unseen", "zero"):
        raise CatalogError(f"The {where} says nodata means {made.nodata_means!r}; say 'unseen' or 'zero'.")
    if not re.fullmatch(r"item|static|year:\d{4}", made.when):
        raise CatalogError(f"The {where} says when={made.when!r}; say 'item', 'static' or 'year:2020'.")
    if made.correction not in ("", "sentinel-2"):
        raise CatalogError(f"The {where} has the correction {made.correction!r}; known is 'sentinel-2'.")
    return made


def legend(classes: Iterable[Document]) -> Legend:
    """Classes as the STAC classification extension has them, with `groups`; `to` names a range of codes."""
    codes: dict[int, str] = {}
    titles: dict[int, str] = {}
    colours: dict[int, str] = {}
    missing: list[int] = []
    groups: dict[str, list[int]] = {}
    names: dict[str, list[int]] = {}
    for entry in classes:
        first, last = int(entry["value"]), int(entry.get("to", entry["value"]))
        span = list(range(first, last + 1))
        name = str(entry.get("name") or entry.get("title") or first)
        codes |= dict.fromkeys(span, name)
        titles |= dict.fromkeys(span, str(entry.get("title") or entry.get("description") or name))
        if entry.get("color_hint"):
            colours |= dict.fromkeys(span, "#" + str(entry["color_hint"]).lstrip("#").lower())
        if entry.get("nodata"):
            missing += span
            continue
        names.setdefault(name, []).extend(span)
        for group in entry.get("groups") or entry.get("geomon:groups") or ():
            groups.setdefault(str(group), []).extend(span)
    words = {**names, **groups}
    return Legend(codes, {k: tuple(v) for k, v in words.items()}, colours, tuple(missing), titles)


def error_matrix(facts: Document, where: str) -> ErrorMatrix:
    """Counts of a reference sample by map class and reference class; CatalogError if the counts do not fit."""
    rows = tuple(str(c) for c in facts.get("classes", ()))
    columns = tuple(str(c) for c in facts.get("reference", rows))
    counts = tuple(tuple(line) for line in facts.get("counts", ()))
    mapped = tuple(float(a) for a in facts.get("mapped", ()))
    if not rows or len(counts) != len(rows) or any(len(line) != len(columns) for line in counts):
        raise CatalogError(
            f"An error matrix of {where} has {len(counts)} rows of counts for {len(rows)} map classes and "
            f"{len(columns)} reference classes. Give a row for each of 'classes', a count for each of 'reference'."
        )
    if any(isinstance(n, bool) or not isinstance(n, int) or n < 0 for line in counts for n in line):
        raise CatalogError(f"An error matrix of {where} holds what is no count. Give whole numbers of samples.")
    if mapped and len(mapped) != len(rows):
        raise CatalogError(f"An error matrix of {where} has {len(mapped)} mapped areas for {len(rows)} map classes.")
    words = {"ref_area": "zone", "period": "period", "source": "source", "band": "band"}
    said = {ours: str(facts[theirs]) for ours, theirs in words.items() if theirs in facts}
    return ErrorMatrix(rows=rows, columns=columns, counts=counts, mapped=mapped, **said)


def origin(facts: Document, id: str, file: Path) -> Origin:
    """Where items come from; relative addresses are relative to the collection's file."""
    if facts.get("type") not in TYPES:
        raise CatalogError(f"An origin of {id} in {file} is of type {facts.get('type')!r}; known are {listing(TYPES)}.")
    return Origin(
        type=str(facts["type"]),
        href=located(str(facts["href"]), file),
        collection=str(facts.get("collection", id)),
        sign=str(facts.get("sign") or ""),
        assets=dict(facts.get("assets", {})),
        bands=tuple(facts.get("bands", ())),
        pattern=str(facts.get("pattern", "")),
    )


def located(href: str, file: Path) -> str:
    """An address with ${NAME} and ${NAME:-default} filled in from the environment, made absolute.

    A name that is not set and has no default stays as it is, and is an error when items are asked for.
    """
    filled = VARIABLE.sub(lambda m: os.environ.get(m[1]) or (m[0] if m[2] is None else m[2]), href)
    if "://" in filled or "${" in filled:
        return filled
    if is_remote(file):
        scheme, rest = str(file).split("://", 1)  # urljoin knows no buckets
        return f"{scheme}://{urljoin('//' + rest, filled).removeprefix('//')}"
    return os.path.normpath(os.path.join(file.parent.absolute(), os.path.expanduser(filled)))


def extent(facts: Document) -> tuple[Bbox, tuple[str, str]]:
    """The outer box and the days between which a collection has items."""
    box = facts["spatial"]["bbox"][0]
    west, south, east, north = (*box[:2], *box[3:5]) if len(box) == 6 else box
    start, end = facts["temporal"]["interval"][0]
    return (float(west), float(south), float(east), float(north)), ((start or "")[:10], (end or "")[:10])


def number(value: Any) -> float | None:
    """A nodata value, which JSON must write as "nan" when it is not a number."""
    return None if value is None else float(value)
