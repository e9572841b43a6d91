"""Results as a static STAC catalog: a run is one item, written last, if it does not exist yet.

store/catalog.json
store/<indicator>/collection.json
store/<indicator>/<run>/<run>.json        the item: without it the folder is not a run
store/<indicator>/<run>/series.parquet, totals.parquet, ledger.parquet, reads.parquet, zones.parquet,
                        recipe.json, check.json, map-<period>.tif
store/<indicator>/<run>/blocks/           finished blocks of a run that is not published yet
"""

import contextlib
import hashlib
import json
import os
import shutil
import uuid
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd

from geomon.errors import StoreError, did_you_mean, listing
from geomon.grid import Floats
from geomon.ledger import from_table, to_table
from geomon.sources.records import Read
from geomon.tabulate import Done

STAC = "1.1.0"
MEDIA = {
    ".parquet": "application/vnd.apache.parquet",
    ".json": "application/json",
    ".tif": "image/tiff; application=geotiff; profile=cloud-optimized",
}


@dataclass(frozen=True)
class StoredRun:
    """A published run, read from its item."""

    id: str
    indicator: str
    folder: Path
    item: dict[str, Any]

    @property
    def created(self) -> str:
        """When it was published, ISO 8601 in UTC."""
        return str(self.item["properties"]["created"])

    @property
    def series(self) -> pd.DataFrame:
        """The result table; see geomon.series.COLUMNS."""
        return pd.read_parquet(self.folder / "series.parquet")

    @property
    def totals(self) -> pd.DataFrame:
        """The exact sums that the series was read from."""
        return pd.read_parquet(self.folder / "totals.parquet")

    @property
    def ledger(self) -> pd.DataFrame:
        """What was counted, excluded and unseen in each zone, beside its polygon, in square metres."""
        return pd.read_parquet(self.folder / "ledger.parquet")

    @property
    def reads(self) -> pd.DataFrame:
        """Every asset that was read: ok, retried or failed, and why."""
        return pd.read_parquet(self.folder / "reads.parquet")

    @property
    def zones(self) -> gpd.GeoDataFrame:
        """Code, name, parent and geometry in degrees."""
        return gpd.read_parquet(self.folder / "zones.parquet")

    @property
    def recipe(self) -> dict[str, Any]:
        """What was asked, of which items, with which versions."""
        return dict(read_json(self.folder / "recipe.json"))

    @property
    def check(self) -> list[dict[str, Any]] | None:
        """The findings beside official statistics, or None if none were given."""
        path = self.folder / "check.json"
        return list(read_json(path)) if path.exists() else None

    @property
    def maps(self) -> dict[str, Path]:
        """COG of each period's map."""
        assets = self.item["assets"].values()
        found = {a["geomon:period"]: self.folder / a["href"] for a in assets if "geomon:period" in a}
        return dict(sorted(found.items()))


@dataclass(frozen=True)
class Store:
    """A folder of published runs."""

    root: Path

    def __init__(self, root: str | Path) -> None:
        object.__setattr__(self, "root", Path(root))

    @property
    def catalog_path(self) -> Path:
        """The STAC catalog that any browser opens."""
        return self.root / "catalog.json"

    def folder(self, indicator: str, run: str) -> Path:
        """Where a run lies, or will."""
        return self.root / safe(indicator) / run

    def runs(self, indicator: str = "") -> list[StoredRun]:
        """Published runs, newest first."""
        where = safe(indicator) if indicator else "*"
        items = [p for p in self.root.glob(f"{where}/*/*.json") if p.stem == p.parent.name]
        found = [
            StoredRun(p.stem, str(i["properties"]["geomon:indicator"]), p.parent, i)
            for p in items
            for i in [read_json(p)]
        ]
        return sorted(found, key=lambda r: (r.created, r.id), reverse=True)

    def run(self, id_: str) -> StoredRun:
        """A run by its id or the beginning of it; StoreError that lists what there is."""
        every = self.runs()
        found = [r for r in every if r.id.startswith(id_)]
        if len(found) != 1:
            known = [r.id for r in every]
            what = f"no run {id_!r}" if not found else f"{len(found)} runs that begin with {id_!r}"
            raise StoreError(f"{self.root} has {what}; it has {listing(known)}.{did_you_mean(id_, known)}")
        return found[0]

    def published(self, indicator: str, run: str) -> StoredRun | None:
        """The run if its item is there."""
        folder = self.folder(indicator, run)
        path = folder / f"{run}.json"
        return StoredRun(run, indicator, folder, read_json(path)) if path.exists() else None

    def newest(self, question: str) -> StoredRun | None:
        """The newest run that answers a question, found without any search of catalogs."""
        return next((r for r in self.runs() if r.item["properties"]["geomon:question"] == question), None)

    def open_for(self, indicator: str, run: str) -> Path:
        """The folder of a run that is about to be made; StoreError if it cannot be written."""
        folder = self.folder(indicator, run)
        try:
            (folder / "blocks").mkdir(parents=True, exist_ok=True)
            probe = folder / "blocks" / f".{uuid.uuid4().hex}"
            probe.write_bytes(b"")
            probe.unlink()
        except OSError as error:
            raise StoreError(
                f"The store {self.root} cannot be written: {error.strerror or error}. "
                "Name a folder that you may write with --store, or move what stands in its place."
            ) from error
        return folder

    def publish(self, folder: Path, item: Mapping[str, Any]) -> StoredRun:
        """Write the item if it is not there yet, then the indexes; what another writer published first stays."""
        path = folder / f"{item['id']}.json"
        create(path, json_bytes(item))
        clear(folder)
        self.index()
        return StoredRun(str(item["id"]), str(item["properties"]["geomon:indicator"]), folder, read_json(path))

    def index(self) -> None:
        """Write the catalog and the collections anew from the items that are there."""
        runs = self.runs()
        by_indicator: dict[str, list[StoredRun]] = {}
        for run in runs:
            by_indicator.setdefault(run.indicator, []).append(run)
        for indicator, own in by_indicator.items():
            replace(self.root / safe(indicator) / "collection.json", json_bytes(collection(indicator, own)))
        children = [{"rel": "child", "href": f"./{safe(i)}/collection.json", "title": i} for i in sorted(by_indicator)]
        links = [{"rel": "root", "href": "./catalog.json", "type": "application/json"}, *children]
        described = (
            "Indicator series made from satellite images by geomon; satellite estimates, not official statistics."
        )
        catalog = {
            "type": "Catalog",
            "stac_version": STAC,
            "id": "geomon-results",
            "title": "geomon results",
            "description": described,
            "links": links,
        }
        replace(self.catalog_path, json_bytes(catalog))


def collection(indicator: str, runs: Sequence[StoredRun]) -> dict[str, Any]:
    """The STAC collection of an indicator's runs."""
    boxes = np.array([r.item["bbox"] for r in runs])
    times = [(r.item["properties"]["start_datetime"], r.item["properties"]["end_datetime"]) for r in runs]
    first, last = min(t[0] for t in times), max(t[1] for t in times)
    newest = runs[0].item
    links = [{"rel": rel, "href": "../catalog.json", "type": "application/json"} for rel in ("root", "parent")]
    links += [{"rel": "item", "href": f"./{r.id}/{r.id}.json", "type": "application/geo+json"} for r in runs]
    return {
        "type": "Collection",
        "stac_version": STAC,
        "id": safe(indicator),
        "title": f"{indicator} {newest['properties']['title']}",
        "description": newest["properties"]["description"],
        "license": "other",
        "extent": {
            "spatial": {"bbox": [[*boxes[:, :2].min(axis=0).tolist(), *boxes[:, 2:].max(axis=0).tolist()]]},
            "temporal": {"interval": [[first, last]]},
        },
        "links": links,
    }


def asset(path: Path, title: str, roles: Sequence[str], **more: Any) -> dict[str, Any]:
    """A file of a run as a STAC asset, with its size and checksum (a SHA-256 multihash)."""
    with path.open("rb") as file:
        checksum = hashlib.file_digest(file, "sha256").hexdigest()
    return {
        "href": f"./{path.name}",
        "title": title,
        "type": MEDIA[path.suffix],
        "roles": list(roles),
        "file:size": path.stat().st_size,
        "file:checksum": "1220" + checksum,
        **more,
    }


# --- Blocks


def keep_block(folder: Path, done: Done, *, final: bool = True) -> None:
    """Store a finished block; the same block stored twice is the same.

    With a failed read, of its own or of what it rests on (not final), it is used in this run and not kept for another.
    """
    for part, table in (
        ("rows", to_table(done.rows)),
        ("reads", pd.DataFrame([asdict(r) for r in done.reads])),
    ):
        with atomic(folder / f"{done.key}.{part}.parquet") as path:
            table.to_parquet(path)
    with atomic(folder / f"{done.key}.npz") as path, path.open("wb") as file:
        np.savez_compressed(
            file, allow_pickle=False, shown=done.shown, **{f"at-{label_of(p)}": a for p, a in done.maps.items()}
        )
    if final and not any(r.status == "failed" for r in done.reads):
        create(folder / f"{done.key}.done", b"")


def clear(folder: Path) -> None:
    """Take away the blocks of a published run."""
    shutil.rmtree(folder / "blocks", ignore_errors=True)


def kept_blocks(folder: Path) -> set[str]:
    """Keys of the blocks that are finished."""
    return {p.stem for p in folder.glob("*.done")}


def read_block(folder: Path, key: str) -> Done:
    """A finished block without its map."""
    rows = from_table(pd.read_parquet(folder / f"{key}.rows.parquet"))
    table = pd.read_parquet(folder / f"{key}.reads.parquet")
    reads = [Read(**{str(k): v for k, v in r.items()}) for r in table.to_dict("records")]
    return Done(key, tuple(rows), tuple(reads), {})


def block_map(folder: Path, key: str, period: str) -> tuple[str, Floats] | None:
    """The map of a finished block for a period and what it shows, if it has one."""
    with np.load(folder / f"{key}.npz") as kept:
        name = f"at-{label_of(period)}"
        return (str(kept["shown"]), np.asarray(kept[name], dtype=float)) if name in kept else None


# --- Files


def safe(name: str) -> str:
    """A name that can be a folder."""
    return "".join(c if c.isalnum() or c in ".-_" else "-" for c in name)


def label_of(period: str) -> str:
    """A period's label that can be part of a file name."""
    return period.replace("/", "_")


def json_bytes(content: Any) -> bytes:
    """JSON as it is written everywhere in the store; NaN is not JSON and refused."""
    return (json.dumps(content, indent=1, ensure_ascii=False, allow_nan=False) + "\n").encode()


def read_json(path: Path) -> Any:
    """A JSON file; StoreError if it cannot be read."""
    try:
        return json.loads(path.read_bytes())
    except (OSError, ValueError) as error:
        raise StoreError(f"{path} cannot be read: {error}. Remove its folder and run again.") from error


@contextlib.contextmanager
def atomic(path: Path) -> Iterator[Path]:
    """A path to write to, which takes its place only when all of it is written."""
    temporary = path.with_name(f".{uuid.uuid4().hex}-{path.name}")
    try:
        yield temporary
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)


@contextlib.contextmanager
def once(path: Path) -> Iterator[Path]:
    """A path to write to, which becomes the file if there is none yet: of two equal runs, the first one's stays."""
    temporary = path.with_name(f".{uuid.uuid4().hex}-{path.name}")
    try:
        yield temporary
        linked(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)


def linked(temporary: Path, path: Path) -> bool:
    """Give a finished file its name; whether that was free."""
    try:
        os.link(temporary, path)
    except FileExistsError:
        return False
    return True


def replace(path: Path, content: bytes) -> None:
    """Write a whole file in the place of what was there."""
    with atomic(path) as temporary:
        temporary.write_bytes(content)


def create(path: Path, content: bytes) -> bool:
    """Write a whole file if it does not exist yet; whether it was this call that did."""
    temporary = path.with_name(f".{uuid.uuid4().hex}-{path.name}")
    try:
        temporary.write_bytes(content)
        return linked(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)
