"""Results as a static STAC catalog, in a folder or a bucket: a run is one item, written last, if there is none yet.

store/catalog.json
store/<indicator>/collection.json
store/<indicator>/<run>/<run>.json        the item: without it the folder is not a run
store/<indicator>/<run>/series.parquet, intervals.parquet, totals.parquet, ledger.parquet, reads.parquet, zones.parquet,
                        recipe.json, check.json, progress.json, map-<period>.tif
store/<indicator>/<run>/blocks/           finished blocks of a run that is not published yet
"""

import contextlib
import io
import json
import re
import uuid
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd

from geomon.errors import StoreError, did_you_mean, listing
from geomon.grid import Floats, both_sides, strip
from geomon.ledger import from_table, to_table
from geomon.places import Place, atomic, checksum, content, create, exists, faults, is_remote, place, replace, table
from geomon.places import clear as clear_place
from geomon.series import INTERVALS, tidy
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
    folder: Place
    item: dict[str, Any]

    @property
    def created(self) -> str:
        """When it was published, ISO 8601 in UTC."""
        return str(self.item["properties"]["created"])

    @property
    def series(self) -> pd.DataFrame:
        """The result table; see geomon.series.COLUMNS."""
        return table(self.folder / "series.parquet")

    @property
    def intervals(self) -> pd.DataFrame:
        """What each interval of the series is made of; see geomon.series.INTERVALS. Empty in runs of before."""
        path = self.folder / "intervals.parquet"
        return table(path) if exists(path) else tidy([], INTERVALS)

    @property
    def totals(self) -> pd.DataFrame:
        """The exact sums that the series was read from."""
        return table(self.folder / "totals.parquet")

    @property
    def ledger(self) -> pd.DataFrame:
        """What was counted, excluded and unseen in each zone, beside its polygon, in square metres."""
        return table(self.folder / "ledger.parquet")

    @property
    def reads(self) -> pd.DataFrame:
        """Every asset that was read: ok, retried or failed, and why."""
        return table(self.folder / "reads.parquet")

    @property
    def zones(self) -> gpd.GeoDataFrame:
        """Code, name, parent and geometry in degrees."""
        return gpd.read_parquet(io.BytesIO(content(self.folder / "zones.parquet")))

    @property
    def recipe(self) -> dict[str, Any]:
        """What was asked, of which items, with which versions."""
        return dict(read_json(self.folder / "recipe.json"))

    @property
    def check(self) -> list[dict[str, Any]] | None:
        """The findings beside official statistics, or None if none were given."""
        path = self.folder / "check.json"
        return list(read_json(path)) if exists(path) else None

    @property
    def progress(self) -> list[dict[str, Any]]:
        """The grades of progress; none in runs of before, and where no output has a desired direction."""
        path = self.folder / "progress.json"
        return list(read_json(path)) if exists(path) else []

    @property
    def maps(self) -> dict[str, Place]:
        """COG of each period's map, '2020', or of each grid's part of it where there are several, '2020 32633'."""
        assets = [a for a in self.item["assets"].values() if "geomon:period" in a]
        found = {f"{a['geomon:period']} {a.get('geomon:grid', '')}".strip(): self.folder / a["href"] for a in assets}
        return dict(sorted(found.items()))


@dataclass(frozen=True)
class Store:
    """A folder, or a bucket's ('s3://bucket/results'), of published runs."""

    root: Place

    def __init__(self, root: str | Place) -> None:
        object.__setattr__(self, "root", place(root))

    @property
    def catalog_path(self) -> Place:
        """The STAC catalog that any browser opens."""
        return self.root / "catalog.json"

    def folder(self, indicator: str, run: str) -> Place:
        """Where a run lies, or will."""
        return self.root / safe(indicator) / run

    def runs(self, indicator: str = "") -> list[StoredRun]:
        """Published runs, newest first."""
        where = safe(indicator) if indicator else "*"
        with self.readable():
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
        with self.readable():
            there = exists(path)
        return StoredRun(run, indicator, folder, read_json(path)) if there else None

    @contextlib.contextmanager
    def readable(self) -> Iterator[None]:
        """StoreError for a bucket that is not there or not ours to read."""
        try:
            yield
        except faults() as error:
            raise StoreError(
                f"The store {self.root} cannot be read: {first_line(error)}. "
                "See that the bucket exists, and that AWS_ENDPOINT_URL and the credentials are those it needs."
            ) from error

    def newest(self, question: str) -> StoredRun | None:
        """The newest run that answers a question, found without any search of catalogs."""
        return next((r for r in self.runs() if r.item["properties"]["geomon:question"] == question), None)

    def open_for(self, indicator: str, run: str) -> Place:
        """The folder of a run that is about to be made; StoreError if it cannot be written."""
        folder = self.folder(indicator, run)
        try:
            if not is_remote(folder):
                (folder / "blocks").mkdir(parents=True, exist_ok=True)
            probe = folder / "blocks" / f".{uuid.uuid4().hex}"
            create(probe, b"")
            probe.unlink()
        except faults() as error:
            raise StoreError(
                f"The store {self.root} cannot be written: {getattr(error, 'strerror', None) or first_line(error)}. "
                "Name a folder or a bucket that you may write with --store, or move what stands in its place."
            ) from error
        return folder

    def publish(self, folder: Place, item: Mapping[str, Any], *, whole: bool = True) -> StoredRun:
        """Write the item if it is not there yet, then the indexes; what another writer published first stays.

        The finished blocks of a run that is not whole wait for the next attempt.
        """
        path = folder / f"{item['id']}.json"
        create(path, json_bytes(item))
        if whole or not kept_blocks(folder / "blocks"):
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
    boxes = np.array([box for r in runs for box in both_sides(r.item["bbox"])])
    west, east = strip(boxes[:, 0], boxes[:, 2])
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
            "spatial": {"bbox": [[west, float(boxes[:, 1].min()), east, float(boxes[:, 3].max())]]},
            "temporal": {"interval": [[first, last]]},
        },
        "links": links,
    }


def asset(path: Place, title: str, roles: Sequence[str], **more: Any) -> dict[str, Any]:
    """A file of a run as a STAC asset, with its size and checksum (a SHA-256 multihash)."""
    size, digest = checksum(path)
    return {
        "href": f"./{path.name}",
        "title": title,
        "type": MEDIA[path.suffix],
        "roles": list(roles),
        "file:size": size,
        "file:checksum": "1220" + digest,
        **more,
    }


# --- Blocks

PARTS = ("rows.parquet", "reads.parquet", "npz")


def keep_block(folder: Place, done: Done, *, final: bool = True) -> None:
    """Store a finished block; the same block stored twice is the same.

    With a failed read, of its own or of what it rests on (not final), it is used in this run and not kept for another.
    """
    for part, frame in (
        ("rows", to_table(done.rows)),
        ("reads", pd.DataFrame([asdict(r) for r in done.reads])),
    ):
        with atomic(folder / f"{done.key}.{part}.parquet") as path:
            frame.to_parquet(path)
    with atomic(folder / f"{done.key}.npz") as path, path.open("wb") as file:
        np.savez_compressed(
            file, allow_pickle=False, shown=done.shown, **{f"at-{label_of(p)}": a for p, a in done.maps.items()}
        )
    if final and not any(r.status == "failed" for r in done.reads):
        create(folder / f"{done.key}.done", b"")


def take_over(folder: Place, before: Place) -> None:
    """Bring the finished blocks of an attempt that was not whole to the next one's folder."""
    for key in kept_blocks(before / "blocks") - kept_blocks(folder / "blocks"):
        with contextlib.suppress(FileNotFoundError):  # an equal run has taken it over, or published and cleared all
            for name in [f"{key}.{part}" for part in (*PARTS, "done")]:
                replace(folder / "blocks" / name, content(before / "blocks" / name))
    clear(before)


def clear(folder: Place) -> None:
    """Take away the blocks of a published run."""
    clear_place(folder / "blocks")


def kept_blocks(folder: Place) -> set[str]:
    """Keys of the blocks that are finished."""
    return {p.stem for p in folder.glob("*.done")}


def read_block(folder: Place, key: str) -> Done:
    """A finished block without its map."""
    rows = from_table(table(folder / f"{key}.rows.parquet"))
    read = table(folder / f"{key}.reads.parquet").to_dict("records")
    reads = [Read(**{str(k): v for k, v in r.items()}) for r in read]
    return Done(key, tuple(rows), tuple(reads), {})


def block_map(folder: Place, key: str, period: str) -> tuple[str, Floats] | None:
    """The map of a finished block for a period and what it shows, if it has one."""
    with np.load(io.BytesIO(content(folder / f"{key}.npz"))) as kept:
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


def read_json(path: Place) -> Any:
    """A JSON file; StoreError if it cannot be read."""
    try:
        return json.loads(content(path))
    except faults(ValueError) as error:
        raise StoreError(f"{path} cannot be read: {error}. Remove its folder and run again.") from error


def first_line(error: Exception) -> str:
    """What an error says first, or the code that a bucket gave; the rest is about its client."""
    told = re.search(r"<Code>(\w+)</Code>", str(error))
    return told[1] if told else str(error).strip().partition("\n")[0][:200]
