"""Vintages: official tables pinned as they were on a day, with the bodies that they came from and their hashes.

A vintage is a folder <root>/<provider>/<id>/ of data.parquet, raw/ and vintage.json. It is written whole or
not at all and never changed; the same content again is the same vintage. The hashes guard against accidents
and careless hands, not against a forger who makes them anew: the recipe of a run keeps the hash of what it
was checked against.
"""

import hashlib
import json
import os
import re
import shutil
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pandas as pd

from geomon.errors import InputError, StoreError, did_you_mean, listing
from geomon.official.asking import Fetched, Told
from geomon.official.reading import read
from geomon.official.table import table_hash

VARIABLE = "GEOMON_OFFICIAL"
ROOT = "geomon-official"
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9-]*(@[\w.+:-]+)?")


@dataclass(frozen=True, kw_only=True)
class Vintage:
    """What is known of a pinned table."""

    folder: Path
    provider: str
    id: str
    release: str
    dsd: str
    retrieved: str
    """When, in UTC: '2026-11-23T05:00:00.123456Z'; so fine that one comes after another."""
    url: str
    query: Mapping[str, str]
    sha256: str
    """Of the table as CSV: what makes two vintages the same."""
    rows: int
    files: Mapping[str, str]
    """Each file with its SHA-256."""
    remarks: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """'un-sdg@2020.Q3.G.01-1f2e3d4c'."""
        return f"{self.provider}@{self.id}"

    @property
    def day(self) -> str:
        """When it was retrieved, as it is shown: '2026-11-23 05:00 UTC'."""
        return f"{self.retrieved[:10]} {self.retrieved[11:16]} UTC"

    def table(self) -> pd.DataFrame:
        """The table, which knows its vintage in `attrs`; StoreError if a file is not what was pinned."""
        for name, hash in self.files.items():
            try:
                same = hashlib.sha256((self.folder / name).read_bytes()).hexdigest() == hash
            except OSError as error:
                raise changed(self.folder, name, "cannot be read") from error
            if not same:
                raise changed(self.folder, name, "is not what was pinned")
        table = pd.read_parquet(self.folder / "data.parquet")
        table.attrs = {"vintage": self.facts()}
        return table

    def facts(self) -> dict[str, Any]:
        """What a run says of the statistics that it was checked against."""
        return {
            "name": self.name,
            "provider": self.provider,
            "release": self.release,
            "dsd": self.dsd,
            "retrieved": self.retrieved,
            "sha256": self.sha256,
        }


def root_of(root: str | Path | None = None) -> Path:
    """Where vintages are kept: said, or GEOMON_OFFICIAL, or ./geomon-official."""
    return Path(root or os.environ.get(VARIABLE) or ROOT)


def pin(
    fetched: Fetched,
    provider: str,
    query: Mapping[str, str],
    *,
    root: str | Path | None = None,
    now: datetime | None = None,
) -> tuple[Vintage, bool]:
    """The vintage of what was fetched, and whether it is new: the table of the last one again is that one.

    A table that was pinned earlier and replaced since is pinned anew, so that the newest is what is published now.
    """
    hash = table_hash(fetched.table)
    before = last(provider, query, root=root)
    if before and before.sha256 == hash:
        return before, False
    when = (now or datetime.now(UTC)).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    above = root_of(root) / safe(provider)
    id = f"{safe(fetched.release) or when[:10]}-{digest_of([hash, dict(query), before.id if before else ''])[:8]}"
    above.mkdir(parents=True, exist_ok=True)
    made = above / f".{id}.{uuid.uuid4().hex}"
    try:
        files = write(made, fetched)
        facts = {
            **{"provider": provider, "id": id, "release": fetched.release, "dsd": fetched.dsd, "retrieved": when},
            **{"url": fetched.url, "query": dict(query), "sha256": hash, "rows": len(fetched.table), "files": files},
            "remarks": list(fetched.remarks),
        }
        (made / "vintage.json").write_text(json.dumps({**facts, "seal": digest_of(facts)}, indent=1), encoding="utf-8")
        made.rename(above / id)
    except OSError as error:
        if (above / id).exists():  # another process was as quick
            return opened(above / id), False
        raise StoreError(
            f"The vintage {above / id} cannot be written: {error.strerror or error}. Make room there."
        ) from error
    finally:
        shutil.rmtree(made, ignore_errors=True)
    return opened(above / id), True


def write(folder: Path, fetched: Fetched) -> dict[str, str]:
    """The table and the bodies; each file with its SHA-256."""
    (folder / "raw").mkdir(parents=True)
    files = {}
    for n, body in enumerate(fetched.bodies):
        name = f"raw/{n:04d}{ending(body.content)}"
        (folder / name).write_bytes(body.content)
        files[name] = hashlib.sha256(body.content).hexdigest()
    table = fetched.table.copy()
    table.attrs = {}
    table.to_parquet(folder / "data.parquet", index=False)
    files["data.parquet"] = hashlib.sha256((folder / "data.parquet").read_bytes()).hexdigest()
    return files


def ending(content: bytes) -> str:
    """How a body's file is called."""
    start = content.lstrip(b"\xef\xbb\xbf \r\n\t")[:1]
    return {b"<": ".xml", b"{": ".json", b"[": ".json", b"P": ".xlsx" if content.startswith(b"PK\x03") else ".csv"}.get(
        start, ".csv"
    )


def opened(folder: Path) -> Vintage:
    """A vintage of a folder; StoreError if its record was changed."""
    try:
        facts = json.loads((folder / "vintage.json").read_text(encoding="utf-8"))
        seal = facts.pop("seal")
        if seal != digest_of(facts):
            raise changed(folder, "vintage.json", "is not what was pinned")
        return Vintage(folder=folder, **{**facts, "remarks": tuple(facts["remarks"])})
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise changed(folder, "vintage.json", "cannot be read") from error


def vintages(provider: str = "", *, root: str | Path | None = None) -> list[Vintage]:
    """All that are pinned and whole, of one provider or of all; the newest first."""
    return pinned(provider, root=root)[0]


def pinned(provider: str = "", *, root: str | Path | None = None) -> tuple[list[Vintage], dict[str, StoreError]]:
    """The vintages, newest first, and for each that cannot be trusted ('un-sdg@...') why not."""
    whole, broken = [], {}
    for folder in sorted(root_of(root).glob("[!.]*/[!.]*/")):
        if folder.is_dir() and (not provider or folder.parent.name == provider):
            try:
                whole.append(opened(folder))
            except StoreError as error:
                broken[f"{folder.parent.name}@{folder.name}"] = error
    return sorted(whole, key=lambda v: (v.retrieved, v.id), reverse=True), broken


def find(name: str, *, root: str | Path | None = None) -> Vintage:
    """The vintage of a name: 'un-sdg@2020.Q3', by the beginning of its id, or 'un-sdg', the newest.

    StoreError if there is none, if the provider was asked several things and the name does not say which, or if
    one that cannot be trusted may be meant.
    """
    provider, _, id = name.partition("@")
    provider = provider.lower()
    there, broken = pinned(provider, root=root) if provider else ([], {})
    exact = [v for v in there if v.id == id]
    for other, error in broken.items():
        if not exact and other.startswith(f"{provider}@{id}"):
            raise error
    if not there:
        known = {v.provider for v in vintages(root=root)}
        what = f"there are those of {listing(known)}" if known else "none is pinned"
        raise StoreError(
            f"No vintage of {provider!r} is pinned in {root_of(root)}; {what}.{did_you_mean(provider, known)} "
            "geomon official fetch pins one."
        )
    fitting = exact or [v for v in there if v.id.startswith(id)]
    if not fitting:
        raise StoreError(f"{provider} has no vintage {id!r}; it has {listing(v.name for v in there)}.")
    questions = {digest_of(dict(v.query)) for v in fitting}
    if len(questions) > 1:
        raise StoreError(
            f"{name} could be any of {listing(v.name for v in fitting)}, which answer different questions. Name one."
        )
    return fitting[0]


def last(provider: str, query: Mapping[str, str], *, root: str | Path | None = None) -> Vintage | None:
    """The newest vintage that answers the same question."""
    return next((v for v in vintages(provider, root=root) if dict(v.query) == dict(query)), None)


def newer(facts: Mapping[str, Any], *, root: str | Path | None = None) -> Vintage | None:
    """A newer vintage than the one of a run, answering the same question; none if either is not here to be read."""
    there = vintages(str(facts.get("provider", "")), root=root)
    own = next((v for v in there if v.name == facts.get("name")), None)
    first = last(own.provider, own.query, root=root) if own else None
    return first if own and first and first.name != own.name else None


def statistics(official: pd.DataFrame | str | Path | None) -> pd.DataFrame | None:
    """Official statistics as they may be handed in: a table, a file of any form, or the name of a vintage."""
    if official is None or isinstance(official, pd.DataFrame):
        return official
    name = str(official)
    if Path(official).is_file() or not NAME.fullmatch(name):
        return read(official, Told())
    return find(name).table()


def digest_of(content: Any) -> str:
    """SHA-256 of something as JSON."""
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


def safe(text: str) -> str:
    """A text as part of a path."""
    return re.sub(r"[^\w.+-]+", "-", text.strip()).strip("-.")[:60]


def changed(folder: Path, name: str, what: str) -> StoreError:
    """A file that cannot be trusted."""
    return StoreError(f"{folder / name} {what}. Remove that vintage and fetch it again, or restore it from a backup.")


def as_input(provider: str) -> str:
    """A publisher's name as the name of a provider; InputError if nothing of it is left."""
    name = re.sub(r"[^a-z0-9]+", "-", provider.lower()).strip("-")
    if not name:
        raise InputError(f"{provider!r} cannot name a provider. Use letters and figures.")
    return name
