"""A block of a scene becomes an array: native pixels, NaN where nothing was seen, and a row for every file.

Unseen is what any of them says: NaN, the nodata of the collection, of the item or of the file, a mask in the
file, a class that the legend names as no data, a code that a legend does not know. Where they disagree all of
them count, and the row says so: ground that is taken as unseen lowers the coverage, which can be seen; ground
that is taken as seen cannot.
"""

import hashlib
import threading
import time
from dataclasses import dataclass
from typing import Any

import numpy as np
import rasterio.windows
from numpy.typing import NDArray

from geomon.errors import ReadError, listing
from geomon.grid import Floats, Window
from geomon.sources.opening import Patience, Tried, has_mask, opened, tried, verified
from geomon.sources.records import Band, Granule, Read, Scene

REST = 300.0  # seconds for which a server's file that failed is not asked for again


@dataclass(frozen=True)
class Pixels:
    """Stored numbers of one band of one file, before they mean anything."""

    stored: NDArray[Any]
    unseen: NDArray[np.bool_]
    nodata: float | None
    """What the file says."""


FAILED: dict[str, tuple[float, Tried]] = {}
LOCK = threading.Lock()


def read(scene: Scene, band: Band, window: Window, *, patience: Patience | None = None) -> tuple[Floats, list[Read]]:
    """The band's physical values on the window, (rows, columns), NaN where unseen, and a row for each file.

    The window must be on the lattice of the granules: nothing is warped. Where granules overlap, the first
    one by item that has seen a pixel gives it. A file that cannot be read leaves its pixels unseen and a row
    'failed' with the reason.
    """
    patience = patience or Patience.usual()
    out = np.full(window.shape, np.nan)
    empty_there, lost = np.zeros(window.shape, bool), np.zeros(window.shape, bool)
    rows: list[Read] = []
    for granule in sorted(scene.granules, key=lambda g: g.item):
        if granule.fault:
            rows.append(row(granule, band, Tried(1, granule.fault)))
            lost[:] = True  # nobody knows where it lies
            continue
        place = placed(granule, window)
        shared = place.intersect(window)
        if shared is None:
            continue
        into = out[shared.inside(window)]
        empty = np.isnan(into)
        if not empty.any():
            continue
        start = time.monotonic()
        pixels, outcome = fetch(granule, band, place, shared, patience)
        if pixels is None:
            rows.append(row(granule, band, outcome, seconds=time.monotonic() - start))
            lost[shared.inside(window)] = True
            continue
        values, left_out, remarks = meaning(pixels, granule, band)
        np.copyto(into, values, where=empty)
        empty_there[shared.inside(window)] |= left_out
        rows.append(row(granule, band, outcome, pixels, remarks, time.monotonic() - start))
    if band.nodata_means == "zero":  # only where no other granule has, or may have had, something: countries overlap
        out[empty_there & ~lost & np.isnan(out)] = 0.0
    return out, rows


def placed(granule: Granule, window: Window) -> Window:
    """Where the granule lies on the window's grid; ReadError if it is not on that lattice."""
    place = window.grid.window(granule.transform, granule.shape)
    if place is None or granule.crs != window.grid.crs:
        raise ReadError(
            f"{granule.item} of {granule.collection} does not lie on the grid that it is read on "
            f"({window.grid.crs[:40]}, {window.grid.dx:g} x {window.grid.dy:g}), and geomon never warps. "
            "Take its own grid, or let the source stand as a product that is brought to another grid."
        )
    return place


def fetch(
    granule: Granule, band: Band, place: Window, shared: Window, patience: Patience
) -> tuple[Pixels | None, Tried]:
    """The stored numbers of the part that is wanted, or None and why they could not be read."""
    rows, columns = shared.inside(place)
    if granule.pixels is not None:
        stored = np.asarray(granule.pixels)[rows, columns]
        return Pixels(stored, np.zeros(stored.shape, bool), None), Tried(1)
    remote = granule.href.startswith(("http://", "https://", "s3://", "/vsi"))
    resting = FAILED.get(granule.href) if remote else None
    if resting and time.monotonic() - resting[0] < REST:
        return None, resting[1]

    def load() -> Pixels:
        verified(granule)
        with opened(granule, patience) as file:
            checked(file, granule, place)
            index = number(file, granule, band)
            part = rasterio.windows.Window.from_slices(rows, columns)
            stored = file.read(index, window=part)
            masked = has_mask(file)
            unseen = file.read_masks(index, window=part) == 0 if masked else np.zeros(stored.shape, bool)
            return Pixels(stored, unseen, file.nodatavals[index - 1])

    pixels, outcome = tried(patience, load, granule.href)
    if pixels is None and remote and outcome.server:
        with LOCK:
            FAILED[granule.href] = (time.monotonic(), outcome)
    return pixels, outcome


def checked(file: Any, granule: Granule, place: Window) -> None:
    """That the file lies where its item says."""
    if place.grid.window(tuple(file.transform)[:6], file.shape) != place:
        raise ReadError(
            f"the file has {file.shape[0]} x {file.shape[1]} pixels from {tuple(file.transform)[2:6:3]}, "
            "its item "
            f"says {granule.shape[0]} x {granule.shape[1]} from {granule.transform[2:6:3]}"
        )


def number(file: Any, granule: Granule, band: Band) -> int:
    """The number of the band in the file, by its name where the item did not tell; never simply the first."""
    names = [name or "" for name in file.descriptions]
    if granule.index and (granule.member or file.count == 1):
        if granule.index <= file.count:
            return granule.index
        raise ReadError(f"the file has {file.count} bands, its item says that {band.name!r} is number {granule.index}")
    if granule.member in names:
        return names.index(granule.member) + 1
    colours = [c for c in file.colorinterp if c.name != "alpha"]
    if not granule.member and len(colours) == 1:
        return 1
    wanted = repr(granule.member) if granule.member else "a band that is not named"
    raise ReadError(f"the file has {file.count} bands, {listing(filter(None, names))}, and {wanted} is asked for")


def meaning(pixels: Pixels, granule: Granule, band: Band) -> tuple[Floats, NDArray[np.bool_], list[str]]:
    """Physical values from stored numbers, NaN where unseen; where the file says nodata; and remarks for the row."""
    stored, remarks = pixels.stored, []
    said = {v for v in (pixels.nodata, granule.nodata, band.nodata) if v is not None and possible(stored, v)}
    if len(said) > 1:
        listed = " and ".join(f"{v:g}" for v in sorted(said))
        remarks.append(f"file and catalogue differ on nodata, {listed}: all of it is unseen")
    every = all_numbers(stored)
    if every is None:
        values, empty, strange = decoded(stored, said, granule, band)
    else:
        values, empty, strange = (table[stored] for table in decoded(every, said, granule, band))
    strange &= ~pixels.unseen
    if strange.any():
        named = ", ".join(f"{v:g}" for v in np.unique(stored[strange])[:8])
        remarks.append(f"{int(strange.sum())} pixels hold codes that the legend does not know ({named}): unseen")
    values[pixels.unseen] = np.nan
    return values, empty | pixels.unseen, remarks


def all_numbers(stored: NDArray[Any]) -> NDArray[Any] | None:
    """Every number of an unsigned type in order, to decode each of them once; None if that would not pay."""
    if stored.dtype.kind != "u" or stored.dtype.itemsize > 2 or stored.size < 2 ** (8 * stored.dtype.itemsize):
        return None
    return np.arange(2 ** (8 * stored.dtype.itemsize)).astype(stored.dtype)


def decoded(
    stored: NDArray[Any], nodata: set[float], granule: Granule, band: Band
) -> tuple[Floats, NDArray[np.bool_], NDArray[np.bool_]]:
    """Physical values of stored numbers, NaN where unseen; which are nodata; which codes a legend does not know."""
    values = stored.astype(np.float64)
    if band.kind != "class" and (granule.scale, granule.offset) != (1.0, 0.0):
        values = values * granule.scale + granule.offset
    empty = np.isnan(values)
    for value in nodata:
        empty |= equal(stored, value)
    values[empty] = np.nan
    missing = (*granule.missing, *(band.legend.missing if band.legend else ()))
    if missing:
        values[np.isin(stored, missing)] = np.nan
    strange = np.zeros(stored.shape, bool)
    if band.kind == "class" and band.legend is not None:
        strange = ~np.isnan(values) & ~np.isin(stored, list(band.legend.codes))
        values[strange] = np.nan
    return values, empty, strange


def possible(stored: NDArray[Any], value: float) -> bool:
    """Whether the type of the stored numbers can hold the value; NaN is always unseen and needs no word."""
    if stored.dtype.kind == "f" or value != value:
        return value == value
    kind = np.iinfo(stored.dtype)
    return value == int(value) and kind.min <= value <= kind.max


def equal(stored: NDArray[Any], value: float) -> NDArray[np.bool_]:
    """Where the stored numbers are this value, compared in their own type."""
    with np.errstate(over="ignore"):
        return np.asarray(stored == np.asarray(value).astype(stored.dtype))


def row(
    granule: Granule,
    band: Band,
    outcome: Tried,
    pixels: Pixels | None = None,
    remarks: list[str] | None = None,
    seconds: float = 0.0,
) -> Read:
    """What became of one file."""
    failed = pixels is None
    return Read(
        source=band.name,
        collection=granule.collection,
        item=granule.item,
        asset=granule.asset,
        href=granule.href.partition("?")[0],
        status="failed" if failed else "retried" if outcome.tries > 1 else "ok",
        tries=outcome.tries,
        why="; ".join([*([outcome.why] if outcome.why else []), *(remarks or [])]),
        bytes=0 if pixels is None else pixels.stored.nbytes,
        checksum="" if pixels is None else granule.checksum or digest(pixels.stored),
        seconds=round(seconds, 4),
    )


def digest(stored: NDArray[Any]) -> str:
    """A hash of what was decoded, where the catalogue has no checksum."""
    return "sha256:" + hashlib.sha256(np.ascontiguousarray(stored).tobytes()).hexdigest()
