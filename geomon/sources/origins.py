"""Items are found here: in a STAC API, by walking a static catalogue, or in a folder of GeoTIFFs."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pandas as pd
import pystac
import pystac_client
import requests
from pystac.stac_io import DefaultStacIO
from pystac_client.exceptions import APIError
from pystac_client.stac_api_io import StacApiIO
from requests.adapters import HTTPAdapter
from urllib3.util.retry import Retry

from geomon.errors import CatalogError, did_you_mean, listing
from geomon.grid import both_sides
from geomon.period import Period
from geomon.places import content, faults, place
from geomon.sources.opening import Patience
from geomon.sources.records import Band, Bbox, Collection, Origin

PAGE = 250  # items asked for at a time
WHOLE = "data"  # the asset of an item made from one file
FIELDS = {
    "year": r"\d{4}",
    "month": r"\d{2}",
    "day": r"\d{2}",
    "date": r"\d{4}-?\d{2}-?\d{2}",
    "start": r"\d{4}-?\d{2}-?\d{2}",
    "end": r"\d{4}-?\d{2}-?\d{2}",
}


class Unreachable(CatalogError):
    """An origin that cannot be asked now; another one of the collection may do."""


@dataclass(frozen=True)
class Search:
    """What is looked for."""

    collection: Collection
    band: Band
    period: Period | None
    """None: any time."""
    bbox: Bbox | None
    patience: Patience

    @property
    def span(self) -> Period | None:
        """When items may be dated; None: their dates do not matter, for the band says what it describes."""
        return self.period if self.band.when == "item" else None


def items(origin: Origin, search: Search) -> list[pystac.Item]:
    """Items that may matter: those that touch the box and overlap the period."""
    if "${" in origin.href:
        name = origin.href.partition("${")[2].partition("}")[0]
        raise Unreachable(
            f"{search.collection.id} takes its items from {origin.href}, and {name} is not set. "
            f"Set it to the folder of the data, or give the collection another origin."
        )
    found = {"stac-api": from_api, "static": from_static, "folder": from_folder}[origin.type](origin, search)
    return [item for item in found if touches(item.bbox, search.bbox) and reaches(item, search.span)]


def from_api(origin: Origin, search: Search) -> list[pystac.Item]:
    """By the search of a STAC API, page after page; a vanished collection is an error that lists the rest."""
    limits = search.patience.connect, search.patience.timeout
    io = StacApiIO(max_retries=retry(search.patience))
    try:
        client = pystac_client.Client.open(origin.href, stac_io=io, timeout=limits)
        if client.get_collection(origin.collection) is None:
            raise vanished(origin, search, [c.id for c in client.get_collections()])
        found: dict[str, pystac.Item] = {}
        for box in both_sides(search.bbox) if search.bbox else [None]:  # few servers take one across the antimeridian
            asked = client.search(
                collections=[origin.collection],
                bbox=list(box) if box else None,
                datetime=moments(search.span) if search.span else None,
                limit=PAGE,
            )
            found |= {item.id: item for item in asked.items()}
        return list(found.values())
    except (APIError, requests.RequestException) as error:
        raise Unreachable(
            f"{search.collection.id}: the search at {origin.href} failed: "
            f"{str(error) or type(error).__name__}. "
            "Try again later, or give the collection another origin."
        ) from error
    finally:
        io.session.close()


def retry(patience: Patience) -> Retry:
    """Again after passing faults, ever more slowly."""
    return Retry(
        total=patience.tries - 1,
        backoff_factor=patience.pause,
        status_forcelist=(429, 500, 502, 503, 504),
        allowed_methods=None,
        raise_on_status=False,
    )


class Documents(DefaultStacIO):
    """Reads the documents of a static catalogue, those at an address with time limits and retries."""

    def __init__(self, patience: Patience) -> None:
        super().__init__()
        self.patience = patience
        self.session = requests.Session()
        for scheme in ("http://", "https://"):
            self.session.mount(scheme, HTTPAdapter(max_retries=retry(patience)))

    def read_text_from_href(self, href: str) -> str:
        """The text of a document."""
        if not href.startswith(("http://", "https://")):
            return content(place(href)).decode("utf-8")
        with self.session.get(href, timeout=(self.patience.connect, self.patience.timeout)) as answer:
            answer.raise_for_status()
            return answer.content.decode("utf-8")


def moments(period: Period) -> str:
    """The period as an API wants it."""
    return "/".join(
        t.tz_localize(UTC).isoformat(timespec="seconds").replace("+00:00", "Z") for t in (period.start, period.end)
    )


def vanished(origin: Origin, search: Search, offered: list[str]) -> CatalogError:
    """The collection is not there (any more): what is."""
    return CatalogError(
        f"{search.collection.id} asks {origin.href} for the collection {origin.collection!r}, which is "
        "not there; "
        f"it offers {listing(offered, 200)}.{did_you_mean(origin.collection, offered)} "
        f"Correct 'geomon:origins' in {search.collection.file or search.collection.id}."
    )


def from_static(origin: Origin, search: Search) -> list[pystac.Item]:
    """By walking a catalogue of files; a collection whose extent cannot match is not entered."""
    io = Documents(search.patience)
    try:
        top = pystac.read_file(origin.href, stac_io=io)
        if isinstance(top, pystac.Item):
            return [top]
        if not isinstance(top, pystac.Catalog):
            raise CatalogError(f"{origin.href} is neither a STAC catalogue, a collection nor an item.")
        if isinstance(top, pystac.Collection) and top.id == origin.collection:
            return list(walk(top, search))
        names: list[str] = []
        for collection in collections_below(top):
            names.append(collection.id)
            if collection.id == origin.collection:
                return list(walk(collection, search))
    except faults(ValueError, pystac.STACError, pystac.STACTypeError) as error:
        raise Unreachable(
            f"{search.collection.id}: the catalogue {origin.href} cannot be read: {error}. "
            "Correct 'geomon:origins', or put the catalogue there."
        ) from error
    finally:
        io.session.close()
    raise vanished(origin, search, names)


def collections_below(catalog: pystac.Catalog) -> Iterator[pystac.Collection]:
    """All collections below a catalogue."""
    for child in catalog.get_children():
        if isinstance(child, pystac.Collection):
            yield child
        yield from collections_below(child)


def walk(catalog: pystac.Catalog, search: Search) -> Iterator[pystac.Item]:
    """Items of a catalogue and of those below it that may hold what is looked for."""
    yield from catalog.get_items()
    for child in catalog.get_children():
        if not isinstance(child, pystac.Collection) or may_hold(child, search):
            yield from walk(child, search)


def may_hold(collection: pystac.Collection, search: Search) -> bool:
    """Whether any extent of a collection touches what is looked for."""
    boxes = collection.extent.spatial.bboxes
    spans = collection.extent.temporal.intervals
    if not any(touches(box, search.bbox) for box in boxes):
        return False
    span = search.span
    return span is None or any(
        (start is None or stamp(start) <= span.end) and (end is None or stamp(end) >= span.start)
        for start, end in spans
    )


def from_folder(origin: Origin, search: Search) -> list[pystac.Item]:
    """Items made on the fly from the names of files (or one file); their headers are read later."""
    folder = Path(origin.href)
    if not folder.exists():
        raise Unreachable(
            f"{search.collection.id} takes its items from {folder}, which does not exist. "
            "Put the files there, or correct 'geomon:origins'."
        )
    pattern = origin.assets.get(search.band.name, origin.pattern)
    wanted = expression(pattern or "*.tif")
    found = []
    for file in [folder] if folder.is_file() else sorted(f for f in folder.rglob("*") if f.is_file()):
        match = wanted.fullmatch(file.relative_to(folder).as_posix()) or wanted.fullmatch(file.name)
        if match:
            found.append(item_of(file, interval_of(match, pattern, search)))
    return found


def expression(pattern: str) -> re.Pattern[str]:
    """A pattern of file names with {fields} and * as a regular expression."""
    parts = re.split(r"\{(\w+)\}", pattern)
    out = ""
    for i, part in enumerate(parts):
        if i % 2 == 0:
            out += "".join(".*" if c == "*" else "." if c == "?" else re.escape(c) for c in part)
        elif part not in FIELDS:
            raise CatalogError(f"The file pattern {pattern!r} has the field {{{part}}}; known are {listing(FIELDS)}.")
        else:
            out += f"(?P={part})" if f"(?P<{part}>" in out else f"(?P<{part}>{FIELDS[part]})"
    return re.compile(out)


def interval_of(match: re.Match[str], pattern: str, search: Search) -> Period | None:
    """What a file's name says about its time; None for a band that is always valid."""
    said = match.groupdict()
    if "start" in said:
        return Period.of(f"{dashed(said['start'])}/{dashed(said.get('end', said['start']))}")
    if "date" in said:
        return Period.of(dashed(said["date"]))
    if "year" in said:
        return Period.of("-".join(said[k] for k in ("year", "month", "day") if k in said))
    if search.band.when == "item":
        raise CatalogError(
            f"The files of {search.collection.id} match {pattern!r}, which does not say their time. Add "
            f"{{year}} "
            "or {date} to the pattern, or say in the band `when` it holds: 'static' or 'year:2020'."
        )
    return None


def dashed(date: str) -> str:
    """20200305 as 2020-03-05."""
    return date if "-" in date else f"{date[:4]}-{date[4:6]}-{date[6:]}"


def item_of(file: Path, period: Period | None) -> pystac.Item:
    """One file as an item with one asset, placed nowhere yet."""
    always = period is None
    stat = file.stat()
    start, end = (None, None) if period is None else (period.start, period.end)
    item = pystac.Item(
        id=file.stem,
        geometry=None,
        bbox=None,
        datetime=datetime(1970, 1, 1, tzinfo=UTC) if always else None,
        start_datetime=None if start is None else start.tz_localize(UTC).to_pydatetime(),
        end_datetime=None if end is None else end.floor("us").tz_localize(UTC).to_pydatetime(),
        properties={},
    )
    extra: dict[str, Any] = {"file:size": stat.st_size, "updated": str(stat.st_mtime_ns)}
    item.add_asset(WHOLE, pystac.Asset(str(file.absolute()), extra_fields=extra))
    return item


def touches(box: list[float] | None, wanted: Bbox | None) -> bool:
    """Whether two boxes share a point; a box whose west is east of its east crosses the antimeridian."""
    if wanted is None or box is None:
        return True
    west, south, east, north = (*box[:2], *box[3:5]) if len(box) == 6 else box
    if south > wanted[3] or north < wanted[1]:
        return False
    return any(a[0] <= b[1] and b[0] <= a[1] for a in spans(west, east) for b in spans(wanted[0], wanted[2]))


def spans(west: float, east: float) -> list[tuple[float, float]]:
    """Longitudes as one or, across the antimeridian, two spans."""
    return [(west, east)] if west <= east else [(west, 180.0), (-180.0, east)]


def reaches(item: pystac.Item, period: Period | None) -> bool:
    """Whether an item overlaps the period."""
    if period is None:
        return True
    start, end = item.common_metadata.start_datetime, item.common_metadata.end_datetime
    first, last = start or item.datetime, end or item.datetime
    return first is None or last is None or (stamp(first) <= period.end and stamp(last) >= period.start)


def stamp(moment: datetime) -> pd.Timestamp:
    """Naive UTC."""
    made = pd.Timestamp(moment)
    return made.tz_convert(UTC).tz_localize(None) if made.tzinfo else made
