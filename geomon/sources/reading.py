"""A block of some dates becomes an array: native pixels, what was not seen marked, and a row for every file.

Unseen is what any of them says: NaN, the nodata of the collection, of the item or of the file, a mask in the
file, a class that the legend names as no data, a code that a legend does not know. Where they disagree all of
them count, and the row says so: ground that is taken as unseen lowers the coverage, which can be seen; ground
that is taken as seen cannot.
"""

import functools
import hashlib
import threading
import time
from collections import deque
from collections.abc import Callable, Collection, Iterator, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import rasterio.windows
from numpy.typing import NDArray

from geomon.errors import ReadError, listing
from geomon.grid import Floats, Window
from geomon.sources.files import WIDE, Local, NoRanges, is_remote, not_plain, plain, readers
from geomon.sources.opening import Patience, Tried, has_mask, opened, tried, verified
from geomon.sources.records import Band, Granule, Packed, Read, Scene, unseen_in
from geomon.sources.tiles import Layout, Odd, decode

REST = 300.0  # seconds for which a server's file that failed is not asked for again
INTEGERS, FLOATS = ("u1", "i1", "u2", "i2", "u4", "i4"), ("f4", "f8")
"""Types that are handed on as they are stored."""

Bools = NDArray[np.bool_]
Room = Callable[[np.dtype[Any]], NDArray[Any]]
"""Gives the array, of this type, that the numbers of a file are to be put into."""

FAILED: dict[str, tuple[float, Tried]] = {}
LOCK = threading.Lock()


@dataclass(frozen=True)
class Part:
    """What a granule has of a window."""

    granule: Granule
    place: Window
    """Where the granule lies."""
    shared: Window
    """What it shares with the window."""
    alone: bool
    """Whether no other granule of its date has any of that."""
    needed: bool
    """Whether some of it is of no granule before it."""

    @property
    def rows(self) -> slice:
        """Of the granule."""
        return self.shared.inside(self.place)[0]

    @property
    def columns(self) -> slice:
        """Of the granule."""
        return self.shared.inside(self.place)[1]


@dataclass(frozen=True)
class Raw:
    """A part of a plain GeoTIFF before it is decoded."""

    layout: Layout
    band: int
    """From 1."""
    tile: Callable[[int], bytes]
    """Gives a packed tile by its number."""
    tally: Any
    """A hash that takes in what `tile` gives; None where the catalogue has a checksum."""


@dataclass(frozen=True)
class Pixels:
    """Stored numbers of one band of one file, before they mean anything."""

    stored: NDArray[Any]
    hidden: Bools | None
    """Where a mask in the file says unseen, if it has one."""
    nodata: float | None
    """What the file says."""
    checksum: str
    """The catalogue's, or one of what was read."""


@dataclass(frozen=True, eq=False)
class Piece:
    """What was read of a part: stored numbers, and which of them were not seen."""

    part: Part
    stored: NDArray[Any]
    numbers: frozenset[float]
    """Those that mean unseen."""
    hidden: Bools | None
    """Where a mask in the file, or a code that the legend does not know, says unseen."""
    empty: Bools | None = None
    """Where nodata means zero, if it does in this band."""

    @property
    def unseen(self) -> Bools:
        """Where nothing was seen."""
        out = missing_in(self.stored, self.numbers)
        return out if self.hidden is None else out | self.hidden

    @property
    def straight(self) -> tuple[float, float]:
        """Scale and offset."""
        return self.part.granule.scale, self.part.granule.offset


@dataclass
class Date:
    """What was read of a scene, and the ground on which a file could not be read."""

    pieces: list[Piece] = field(default_factory=list)
    lost: list[Window] = field(default_factory=list)


class Stack:
    """The array of all dates, made when the first file tells its type."""

    def __init__(self, dates: int, window: Window) -> None:
        self.shape, self.window = (dates, *window.shape), window
        self.stored: NDArray[Any] | None = None

    def room(self, n: int, part: Part) -> Room:
        """The part's own place in date n, or an array beside it for another type or ground that others claim."""

        def make(dtype: np.dtype[Any]) -> NDArray[Any]:
            if self.stored is None and dtype.str[1:] in (*INTEGERS, *FLOATS):
                self.stored = np.empty(self.shape, dtype)
            if self.stored is None or self.stored.dtype != dtype or not part.alone:
                return np.empty(part.shared.shape, dtype)
            return np.asarray(self.stored[(n, *part.shared.inside(self.window))])

        return make


def read(scene: Scene, band: Band, window: Window, *, patience: Patience | None = None) -> tuple[Floats, list[Read]]:
    """The band's physical values on the window, (rows, columns), NaN where unseen, and a row for each file.

    The window must be on the lattice of the granules: nothing is warped. Where granules overlap, the first
    one by item that has seen a pixel gives it. A file that cannot be read leaves its pixels unseen and a row
    'failed' with the reason.
    """
    packed, rows = read_packed((scene,), band, window, patience=patience)
    return packed.values()[0], rows


def read_packed(
    scenes: Sequence[Scene], band: Band, window: Window, *, patience: Patience | None = None
) -> tuple[Packed, list[Read]]:
    """The same of several dates in the numbers that their files hold, (dates, rows, columns).

    Integers stay as they are if one number of their type can say unseen on all dates, and if the granules of each
    date have one scale and offset; if not, and where files hold floats, values are physical and NaN is unseen.
    """
    patience = patience or Patience.usual()
    stack, dates, rows = Stack(len(scenes), window), [Date() for _ in scenes], list[Read]()
    wanted = [(n, part) for n, scene in enumerate(scenes) for part in parts(scene, window)]
    for n, part, begun in ahead(wanted, band, patience):
        date = dates[n]
        if isinstance(part, Granule):
            rows.append(row(part, band, Tried(1, part.fault)))
            date.lost.append(window)  # nobody knows where it lies
            continue
        if not part.needed and seen_whole(date.pieces, part.shared):
            continue
        start = time.monotonic()
        pixels, outcome = fetch(part, band, patience, stack.room(n, part), begun)
        if pixels is None:
            rows.append(row(part.granule, band, outcome, seconds=time.monotonic() - start))
            date.lost.append(part.shared)
            continue
        piece, remarks = judged(part, pixels, band)
        rows.append(row(part.granule, band, outcome, pixels, remarks, time.monotonic() - start))
        date.pieces.append(piece)
    return packed(stack, dates, band), rows


def ahead(
    wanted: Sequence[tuple[int, Part | Granule]], band: Band, patience: Patience
) -> Iterator[tuple[int, Part | Granule, Future[tuple[Raw | Pixels | None, Tried]] | None]]:
    """Each part in turn, with those asked for that come after it, as far as they are needed whatever it shows."""
    under_way: deque[Any] = deque()
    try:
        for n, part in wanted:
            begun = begin(part, band, patience) if isinstance(part, Part) and part.needed else None
            under_way.append((n, part, begun))
            if len(under_way) == WIDE:
                yield under_way.popleft()
        while under_way:
            yield under_way.popleft()
    finally:
        for _, _, begun in under_way:
            if begun:
                begun.cancel()


def parts(scene: Scene, window: Window) -> Iterator[Part | Granule]:
    """What each granule has of the window, by item; those that nobody can place as they are."""
    placed_ = []
    for granule in sorted(scene.granules, key=lambda g: g.item):
        place = None if granule.fault else placed(granule, window)
        shared = place.intersect(window) if place else None
        if granule.fault or shared:
            placed_.append((granule, place, shared))
    grounds = [shared for _, _, shared in placed_ if shared]
    before: list[Window] = []
    for granule, place, shared in placed_:
        if place is None or shared is None:
            yield granule
            continue
        alone = sum(shared.intersect(other) is not None for other in grounds) == 1
        yield Part(granule, place, shared, alone, alone or not covered(shared, before))
        before.append(shared)


def covered(window: Window, by: Sequence[Window]) -> bool:
    """Whether other windows together hold all of a window."""
    if not by:
        return False
    held = np.zeros(window.shape, bool)
    for other in by:
        if both := window.intersect(other):
            held[both.inside(window)] = True
    return bool(held.all())


def seen_whole(pieces: Sequence[Piece], window: Window) -> bool:
    """Whether what was read has seen every cell of a window."""
    seen = np.zeros(window.shape, bool)
    for piece in pieces:
        if both := piece.part.shared.intersect(window):
            seen[both.inside(window)] |= ~piece.unseen[both.inside(piece.part.shared)]
    return bool(seen.all())


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


def beside(part: Part) -> Room:
    """Room of its own for a part that is decoded where nobody knows the stack."""
    return functools.partial(np.empty, part.shared.shape)


def begin(part: Part, band: Band, patience: Patience) -> Future[tuple[Raw | Pixels | None, Tried]] | None:
    """Ask a server for a part, while others are decoded; None for what is at hand."""
    if part.granule.pixels is not None or not is_remote(part.granule.href):
        return None
    return readers().submit(ask, part, band, patience)


def ask(part: Part, band: Band, patience: Patience) -> tuple[Raw | Pixels | None, Tried]:
    """What a server gives of a part, or None and why it gave nothing; not at once again if it failed."""
    href = part.granule.href
    resting = FAILED.get(href)
    if resting and time.monotonic() - resting[0] < REST:
        return None, resting[1]
    found, outcome = tried(patience, lambda: bring(part, band, patience, beside(part)), href)
    if found is None and outcome.server:
        with LOCK:
            FAILED[href] = (time.monotonic(), outcome)
    return found, outcome


def fetch(
    part: Part,
    band: Band,
    patience: Patience,
    room: Room,
    begun: Future[tuple[Raw | Pixels | None, Tried]] | None = None,
) -> tuple[Pixels | None, Tried]:
    """The stored numbers of the part that is wanted, or None and why they could not be read."""
    granule = part.granule
    if granule.pixels is not None:
        values = np.asarray(granule.pixels)[part.rows, part.columns]
        stored = room(np.dtype("u1") if values.dtype == bool else values.dtype.newbyteorder("="))
        stored[...] = values
        return Pixels(stored, None, None, granule.checksum or digest(stored)), Tried(1)
    if not is_remote(granule.href):
        return tried(
            patience,
            lambda: settle(bring(part, band, patience, room), part, band, patience, room),
            granule.href,
        )
    found, outcome = begun.result() if begun else ask(part, band, patience)
    if found is None:
        return None, outcome
    pixels, last = tried(patience, lambda: settle(found, part, band, patience, room), granule.href)
    return pixels, outcome if pixels is not None else last


def bring(part: Part, band: Band, patience: Patience, room: Room) -> Raw | Pixels:
    """The packed tiles of a plain GeoTIFF (those on a disk when they are asked for), or what GDAL decodes."""
    granule = part.granule
    verified(granule)
    found = plain(granule, patience)
    if found is None:
        return by_gdal(part, band, patience, room)
    layout, source = found
    checked(part, layout.transform, layout.shape)
    index = number(layout.names, layout.count, granule, band)
    tally = None if granule.checksum else layout.tally()
    if isinstance(source, Local):

        def tile(n: int) -> bytes:
            return counted(tally, n, source.read([layout.span(n)], patience)[0])

        return Raw(layout, index, tile, tally)
    numbers = [n for n, _, _ in layout.tiles(index, part.rows, part.columns) if layout.sizes[n]]
    try:
        packed = source.read([layout.span(n) for n in numbers], patience)
    except NoRanges:
        not_plain(granule)
        return by_gdal(part, band, patience, room)
    tiles = {n: counted(tally, n, content) for n, content in zip(numbers, packed, strict=True)}
    return Raw(layout, index, tiles.__getitem__, tally)


def counted(tally: Any, number: int, content: bytes) -> bytes:
    """A packed tile, taken into a hash if there is one."""
    if tally is not None:
        tally.update(number.to_bytes(8, "little"))
        tally.update(content)
    return content


def settle(found: Raw | Pixels, part: Part, band: Band, patience: Patience, room: Room) -> Pixels:
    """The numbers of a part in the place made for them; GDAL has the last word on tiles that we cannot decode."""
    if isinstance(found, Raw):
        stored = room(found.layout.dtype)
        try:
            decode(found.layout, found.band, part.rows, part.columns, found.tile, stored)
            checksum = f"sha256-tiles:{found.tally.hexdigest()}" if found.tally else part.granule.checksum
            return Pixels(stored, None, found.layout.nodata, checksum)
        except Odd:
            return by_gdal(part, band, patience, room)
    into = room(found.stored.dtype)
    if not np.may_share_memory(into, found.stored):
        into[...] = found.stored
    return replace(found, stored=into)


def by_gdal(part: Part, band: Band, patience: Patience, room: Room) -> Pixels:
    """What GDAL reads."""
    granule = part.granule
    with opened(granule, patience) as file:
        checked(part, tuple(file.transform)[:6], file.shape)
        names = [name or "" for name in file.descriptions]
        colours = sum(colour.name != "alpha" for colour in file.colorinterp)
        index = number(names, colours, granule, band)
        window = rasterio.windows.Window.from_slices(part.rows, part.columns)
        stored = room(np.dtype(file.dtypes[index - 1]))
        file.read(index, window=window, out=stored)
        hidden = file.read_masks(index, window=window) == 0 if has_mask(file) else None
        return Pixels(stored, hidden, file.nodatavals[index - 1], granule.checksum or digest(stored))


def checked(part: Part, transform: tuple[float, ...], shape: tuple[int, int]) -> None:
    """That the file lies where its item says."""
    if part.place.grid.window(transform, shape) != part.place:
        raise ReadError(
            f"the file has {shape[0]} x {shape[1]} pixels from {transform[2:6:3]}, "
            "its item "
            f"says {part.granule.shape[0]} x {part.granule.shape[1]} from {part.granule.transform[2:6:3]}"
        )


def number(names: Sequence[str], colours: int, granule: Granule, band: Band) -> int:
    """The number of the band in the file, by its name where the item did not tell; never simply the first.

    `colours` is how many of the bands are not alpha.
    """
    count = len(names)
    if granule.index and (granule.member or count == 1):
        if granule.index <= count:
            return granule.index
        raise ReadError(f"the file has {count} bands, its item says that {band.name!r} is number {granule.index}")
    if granule.member in names:
        return list(names).index(granule.member) + 1
    if not granule.member and colours == 1:
        return 1
    wanted = repr(granule.member) if granule.member else "a band that is not named"
    raise ReadError(f"the file has {count} bands, {listing(filter(None, names))}, and {wanted} is asked for")


def judged(part: Part, pixels: Pixels, band: Band) -> tuple[Piece, list[str]]:
    """Which of the numbers were seen, and remarks for the row."""
    stored, granule, remarks = pixels.stored, part.granule, []
    nodata = {v for v in (pixels.nodata, granule.nodata, band.nodata) if v is not None and possible(stored, v)}
    if len(nodata) > 1:
        listed = " and ".join(f"{v:g}" for v in sorted(nodata))
        remarks.append(f"file and catalogue differ on nodata, {listed}: all of it is unseen")
    special = (*granule.missing, *(band.legend.missing if band.legend else ()))
    numbers = frozenset(nodata | {float(v) for v in special if possible(stored, v)})
    hidden, empty = pixels.hidden, None
    if band.nodata_means == "zero":
        empty = missing_in(stored, nodata)
        empty = empty if hidden is None else empty | hidden
    if band.kind == "class" and band.legend is not None:
        strange = strangers(stored, [*band.legend.codes, *numbers])
        if hidden is not None:
            strange &= ~hidden
        if strange.any():
            named = ", ".join(f"{v:g}" for v in np.unique(stored[strange])[:8])
            remarks.append(f"{int(strange.sum())} pixels hold codes that the legend does not know ({named}): unseen")
            hidden = strange if hidden is None else hidden | strange
    return Piece(part, stored, numbers, hidden, empty), remarks


def missing_in(stored: NDArray[Any], numbers: Collection[float]) -> Bools:
    """Where the stored numbers are NaN or any of these, compared in their own type."""
    out = np.isnan(stored) if stored.dtype.kind == "f" else np.zeros(stored.shape, bool)
    for value in numbers:
        out |= equal(stored, value)
    return out


def strangers(stored: NDArray[Any], known: Sequence[float]) -> Bools:
    """Where the stored numbers are neither NaN nor any that is known; each number of a small type is tested once."""
    if stored.dtype.kind == "u" and stored.dtype.itemsize <= 2 and stored.size >= 2 ** (8 * stored.dtype.itemsize):
        every = np.arange(2 ** (8 * stored.dtype.itemsize)).astype(stored.dtype)
        return np.asarray(~np.isin(every, known)[stored])
    strange = ~np.isin(stored, known)
    return strange & ~np.isnan(stored) if stored.dtype.kind == "f" else strange


def packed(stack: Stack, dates: Sequence[Date], band: Band) -> Packed:
    """The pieces of all dates in one array, with one number for what was not seen."""
    pieces = [piece for date in dates for piece in date.pieces]
    dtype = np.result_type(*(p.stored.dtype for p in pieces)) if pieces else np.dtype("u1")
    lines = straight_lines(dates, band)
    missing = None
    if dtype.str[1:] in FLOATS and lines == [(1.0, 0.0)] * len(dates):
        missing = np.nan
    elif dtype.str[1:] in INTEGERS and lines is not None:
        zero = band.nodata_means == "zero"
        if not zero or not any(offset for _, offset in lines):
            missing = free_number(pieces, dtype, 0 if zero else None)
    if missing is None or lines is None:
        missing, dtype, lines = np.nan, np.dtype("f8"), [(1.0, 0.0)] * len(dates)
        for date in dates:
            date.pieces = [physical(piece, band) for piece in date.pieces]
    out = stack.stored if stack.stored is not None and stack.stored.dtype == dtype else np.empty(stack.shape, dtype)
    for date, target in zip(dates, out, strict=True):
        compose(date, target, stack.window, missing)
    scale, offset = np.array(lines, float).reshape(-1, 2).T
    return Packed(band, out, missing, scale.copy(), offset.copy())


def straight_lines(dates: Sequence[Date], band: Band) -> list[tuple[float, float]] | None:
    """Scale and offset of each date; None if granules of one date differ. Codes of classes have none."""
    if band.kind == "class":
        return [(1.0, 0.0)] * len(dates)
    lines = []
    for date in dates:
        found = {piece.straight for piece in date.pieces}
        if len(found) > 1:
            return None
        lines.append(found.pop() if found else (band.scale, band.offset))
    return lines


def free_number(pieces: Sequence[Piece], dtype: np.dtype[Any], taken: int | None) -> int | None:
    """A number that means unseen in every piece or occurs in none, but not the one that is taken; None if all occur."""
    limits = np.iinfo(dtype)
    said = [piece.numbers for piece in pieces]
    ranked: list[float] = [limits.max, limits.min]
    if said:
        shared = frozenset.intersection(*said)
        ranked = [*sorted(shared), *ranked, *sorted(frozenset.union(*said) - shared)]
    for value in dict.fromkeys(int(v) for v in ranked):
        if value != taken and all(value in p.numbers or not occurs(p, value) for p in pieces):
            return value
    if dtype.itemsize > 2:
        return None
    there = np.zeros(limits.max - limits.min + 1, bool)
    for piece in pieces:
        there[piece.stored.astype(np.int64).ravel() - limits.min] = True
    if taken is not None:
        there[taken - limits.min] = True
    return None if there.all() else int(there.argmin()) + limits.min


def occurs(piece: Piece, value: int) -> bool:
    """Whether a number is among those stored."""
    return possible(piece.stored, value) and bool(equal(piece.stored, value).any())


def physical(piece: Piece, band: Band) -> Piece:
    """The same with physical values, NaN where unseen."""
    values, unseen = piece.stored.astype(np.float64), piece.unseen
    if band.kind != "class" and piece.straight != (1.0, 0.0):
        values = values * piece.straight[0] + piece.straight[1]
    values[unseen] = np.nan
    return replace(piece, stored=values, numbers=frozenset(), hidden=None)


def compose(date: Date, target: NDArray[Any], window: Window, missing: float) -> None:
    """The pieces of a date in its array, the first that has seen a cell gives it; zero where nodata means that."""
    at_home = [p for p in date.pieces if np.may_share_memory(p.stored, target)]
    if not any(p.part.shared == window for p in at_home):
        rest = np.ones(window.shape, bool)
        for piece in at_home:
            rest[piece.part.shared.inside(window)] = False
        target[rest] = missing
    for piece in date.pieces:
        into = target[piece.part.shared.inside(window)]
        if piece.hidden is not None or piece.numbers - {missing}:
            stored = piece.stored.astype(target.dtype, copy=False)
            np.copyto(stored, missing, where=piece.unseen, casting="unsafe")
        else:
            stored = piece.stored
        if piece not in at_home:
            np.copyto(into, stored, where=unseen_in(into, missing))
    if any(piece.empty is not None for piece in date.pieces):
        zero = np.zeros(window.shape, bool)
        for piece in date.pieces:  # only where no other granule has, or may have had, something: countries overlap
            zero[piece.part.shared.inside(window)] |= piece.empty
        for lost in date.lost:
            zero[lost.inside(window)] = False
        target[zero & unseen_in(target, missing)] = 0


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
        checksum="" if pixels is None else pixels.checksum,
        seconds=round(seconds, 4),
    )


def digest(stored: NDArray[Any]) -> str:
    """A hash of what was decoded, where the catalogue has no checksum and tiles are not ours to read."""
    return "sha256:" + hashlib.sha256(np.ascontiguousarray(stored).data).hexdigest()
