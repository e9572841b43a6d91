"""Tiles of plain GeoTIFFs, decoded without GDAL straight into the array they are wanted in.

Plain is: little-endian, tiled, north-up, of whole bytes, packed by deflate, zstd, LZW or not at all, without a mask
or alpha band. `layout` gives None for anything else, and `decode` raises Odd at tiles that are not what the header
promised: both are GDAL's to read. A header is nobody's word: every number of it is bounded before it is used.
"""

import hashlib
import re
import struct
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any
from xml.sax.saxutils import unescape

import imagecodecs
import numpy as np
from numba import njit
from numpy.typing import NDArray

HEAD = 2**15  # bytes of a file's beginning that hold the header of nearly every cloud-optimised GeoTIFF
MOST_TAGS, MOST_IMAGES, MOST_TILES = 256, 32, 2**22
LARGEST = 2**26  # bytes of a tile

Span = tuple[int, int]
"""Where some bytes begin in a file, and how many they are."""
Bytes = Callable[[int, int], bytes]
"""Gives the bytes of a span, fewer at the end of the file."""

FORMS = {1: "B", 2: "s", 3: "H", 4: "I", 5: "II", 11: "f", 12: "d", 13: "I", 16: "Q", 18: "Q"}
KINDS = {1: "u", 2: "i", 3: "f"}
CODECS: dict[int, Any] = {
    5: imagecodecs.lzw_decode,
    8: imagecodecs.deflate_decode,
    32946: imagecodecs.deflate_decode,
    50000: imagecodecs.zstd_decode,
}
NAMED = re.compile(r'<Item name="DESCRIPTION" sample="(\d+)" role="description"(?: domain="")?>([^<]*)</Item>')
SCRATCH = threading.local()


class Odd(ValueError):
    """The file is not plain."""


@dataclass(frozen=True, eq=False)
class Layout:
    """What the header of a plain GeoTIFF says."""

    shape: tuple[int, int]
    tile: tuple[int, int]
    dtype: np.dtype[Any]
    count: int
    """Bands."""
    mixed: bool
    """Whether a tile holds all bands, pixel by pixel."""
    codec: int
    predictor: int
    offsets: NDArray[np.int64]
    sizes: NDArray[np.int64]
    """Of the packed tiles; 0 for one that was not written."""
    nodata: float | None
    transform: tuple[float, ...]
    names: tuple[str, ...]
    """Of the bands, '' where a band has none."""

    def tiles(self, band: int, rows: slice, columns: slice) -> Iterator[tuple[int, int, int]]:
        """Number, first row and first column of each tile that a part of a band (from 1) needs."""
        height, width = self.tile
        down, across = (-(-n // size) for n, size in zip(self.shape, self.tile, strict=True))
        first = 0 if self.mixed else (band - 1) * down * across
        for i in range(rows.start // height, -(-rows.stop // height)):
            for j in range(columns.start // width, -(-columns.stop // width)):
                yield first + i * across + j, i * height, j * width

    def tally(self) -> Any:
        """A hash that has taken in all that the header says of packed tiles, and is to take in the tiles."""
        said = self.shape, self.tile, self.dtype.str, self.count, self.mixed, self.codec, self.predictor, self.nodata
        return hashlib.sha256(repr((*said, self.transform)).encode())

    def span(self, number: int) -> Span:
        """Where a tile lies in the file."""
        return int(self.offsets[number]), int(self.sizes[number])


def layout(read: Bytes, size: int) -> Layout | None:
    """What the header of a file of this size says; None if the file is not plain."""
    try:
        return Header(read, size).layout()
    except (Odd, struct.error, OverflowError, UnicodeDecodeError):
        return None


class Header:
    """The first image of a TIFF, its tags read as they are asked for."""

    def __init__(self, read: Bytes, size: int) -> None:
        self.read, self.size = read, size
        self.head = read(0, min(HEAD, size))
        mark = self.head[:4]
        self.big = mark == b"II\x2b\x00"
        if not self.big and mark != b"II\x2a\x00":
            raise Odd("not a little-endian TIFF")
        if self.big and self.head[4:8] != b"\x08\x00\x00\x00":
            raise Odd("a BigTIFF with other offsets")
        (first,) = struct.unpack_from("<Q" if self.big else "<I", self.head, 8 if self.big else 4)
        self.tags, after = self.directory(first)
        seen = {first}
        while after:
            if after in seen or len(seen) == MOST_IMAGES:
                raise Odd("too many images")
            seen.add(after)
            other, after = self.directory(after)
            if self.one(254, 0, other) & 4:
                raise Odd("a mask of its own")

    def part(self, offset: int, count: int) -> bytes:
        """Bytes of the file, from its beginning if that holds them."""
        if count < 0 or count > LARGEST or offset + count > self.size:
            raise Odd("beyond the file")
        if offset + count <= len(self.head):
            return self.head[offset : offset + count]
        found = self.read(offset, count)
        if len(found) != count:
            raise Odd("beyond the file")
        return found

    def directory(self, offset: int) -> tuple[dict[int, tuple[int, int, bytes]], int]:
        """The tags of an image, each with type, count and its value or where that lies; and the next image."""
        form, entry, link = ("<Q", "<HHQ8s", "<Q") if self.big else ("<H", "<HHI4s", "<I")
        start = struct.calcsize(form)
        (number,) = struct.unpack(form, self.part(offset, start))
        if not 0 < number <= MOST_TAGS:
            raise Odd("too many tags")
        step = struct.calcsize(entry)
        body = self.part(offset + start, number * step + struct.calcsize(link))
        tags = {tag: (kind, *rest) for tag, kind, *rest in struct.iter_unpack(entry, body[: number * step])}
        return tags, struct.unpack(link, body[number * step :])[0]

    def values(self, tag: int, tags: dict[int, tuple[int, int, bytes]] | None = None) -> tuple[Any, ...] | bytes:
        """All numbers of a tag, or its text; empty if it is not there."""
        kind, count, value = (self.tags if tags is None else tags).get(tag, (3, 0, b""))
        if kind not in FORMS or count > MOST_TILES * 8:
            raise Odd(f"tag {tag}")
        length = count * struct.calcsize("<" + FORMS[kind])
        if length > len(value):
            value = self.part(struct.unpack("<Q" if self.big else "<I", value)[0], length)
        if kind == 2:
            return value[:length].rstrip(b"\0")
        return struct.unpack(f"<{count * len(FORMS[kind])}{FORMS[kind][0]}", value[:length])

    def one(self, tag: int, usual: int, tags: dict[int, tuple[int, int, bytes]] | None = None) -> int:
        """The number of a tag, all of them if they are the same; the usual one if it is not there."""
        found = set(self.values(tag, tags)) or {usual}
        if len(found) != 1 or not isinstance(only := found.pop(), int):
            raise Odd(f"tag {tag}")
        return only

    def layout(self) -> Layout:
        """The layout of the image; Odd if it is not plain."""
        count, codec = self.one(277, 1), self.one(259, 1)
        predictor = 1 if codec == 1 else self.one(317, 1)  # of tiles that are not packed there is none, as in libtiff
        bits, kind = self.one(258, 1), self.one(339, 1)
        height, width, rows, columns = (self.one(tag, 0) for tag in (257, 256, 323, 322))
        plain = (
            codec in (1, *CODECS)
            and (kind, bits) in [(1, 8), (2, 8), (1, 16), (2, 16), (1, 32), (2, 32), (3, 32)]
            and predictor in ((1, 2, 3) if kind == 3 else (1, 2))
            and self.one(262, -1) in (1, 2, 3)
            and not set(self.values(338)) - {0}
            and self.one(254, 0) == 0
            and self.one(266, 1) == 1
            and self.one(274, 1) == 1
            and 330 not in self.tags
        )
        if not plain or not 0 < count <= MOST_TAGS or min(height, width) < 1 or max(height, width) >= 2**31:
            raise Odd("not plain")
        if rows < 16 or columns < 16 or rows % 16 or columns % 16:
            raise Odd("not tiled")
        mixed = count > 1 and self.one(284, 1) == 1
        dtype = np.dtype(f"{KINDS[kind]}{bits // 8}")
        whole = rows * columns * dtype.itemsize * (count if mixed else 1)
        tiles = -(-height // rows) * -(-width // columns) * (1 if mixed else count)
        if whole > LARGEST or tiles > MOST_TILES:
            raise Odd("too large")
        offsets, sizes = (np.array(self.values(tag), np.uint64) for tag in (324, 325))
        if offsets.shape != (tiles,) or sizes.shape != (tiles,) or (offsets > self.size).any():
            raise Odd("tiles")
        if (sizes > min(2 * whole + 1024, self.size)).any() or (offsets + sizes > self.size).any():
            raise Odd("tiles")
        sizes[offsets == 0] = 0
        names, nodata = self.described(count)
        return Layout(
            (height, width),
            (rows, columns),
            dtype,
            count,
            mixed,
            codec,
            predictor,
            offsets.astype(np.int64),
            sizes.astype(np.int64),
            nodata,
            self.transform(),
            names,
        )

    def transform(self) -> tuple[float, ...]:
        """Affine coefficients, from the size of a pixel and one corner."""
        scale, tie, keys = (self.values(tag) for tag in (33550, 33922, 34735))
        if len(scale) < 2 or len(tie) != 6 or 34264 in self.tags or min(scale[:2]) <= 0:
            raise Odd("not placed by a corner and a scale")
        found = dict(zip(keys[4::4], zip(keys[5::4], keys[7::4], strict=False), strict=False))
        if found.get(1025, (0, 1)) != (0, 1):
            raise Odd("placed by the middle of a pixel")
        a, e = float(scale[0]), -float(scale[1])
        return a, 0.0, float(tie[3]) - float(tie[0]) * a, 0.0, e, float(tie[4]) - float(tie[1]) * e

    def described(self, count: int) -> tuple[tuple[str, ...], float | None]:
        """Names of the bands and nodata, as GDAL writes them."""
        told, said = (self.values(tag) for tag in (42112, 42113))
        if not isinstance(told or b"", bytes) or not isinstance(said or b"", bytes):
            raise Odd("GDAL's tags")
        text = bytes(told).decode()
        if any(word in text for word in ("PIXELTYPE", "NODATA_VALUES", "NBITS", "<!")):
            raise Odd("a meaning of its own")
        named = {int(n): plainly(plainly(name)) for n, name in NAMED.findall(text)}
        if text.count('role="description"') != len(named):
            raise Odd("names that cannot be read")
        try:
            nodata = float(bytes(said)) if said else None
        except ValueError as error:
            raise Odd("nodata") from error
        return tuple(named.get(n, "") for n in range(count)), nodata


def plainly(text: str) -> str:
    """Text without the escapes of XML; GDAL escapes the names of bands twice."""
    return unescape(text, {"&quot;": '"'})


def decode(
    layout: Layout, band: int, rows: slice, columns: slice, packed: Callable[[int], bytes], out: NDArray[Any]
) -> None:
    """Fill `out` with the part (rows, columns) of a band (from 1); `packed` gives a tile's bytes by its number."""
    for number, top, left in layout.tiles(band, rows, columns):
        i0, i1 = max(rows.start, top), min(rows.stop, top + layout.tile[0])
        j0, j1 = max(columns.start, left), min(columns.stop, left + layout.tile[1])
        into = out[i0 - rows.start : i1 - rows.start, j0 - columns.start : j1 - columns.start]
        if layout.sizes[number]:
            unpack(layout, packed(number), band - 1 if layout.mixed else 0, i0 - top, j0 - left, into)
        else:
            into[...] = unwritten(layout)


def unwritten(layout: Layout) -> Any:
    """What stands for the pixels of a tile that was not written."""
    value = np.array(layout.nodata or 0.0)
    with np.errstate(invalid="ignore", over="ignore"):
        stored = value.astype(layout.dtype)
    if layout.dtype.kind != "f" and stored != value:
        raise Odd("nodata that its type cannot hold")
    return stored


def unpack(layout: Layout, packed: bytes, band: int, top: int, left: int, out: NDArray[Any]) -> None:
    """Fill `out` from a tile, beginning at this row and column of it."""
    height, width, bands = *layout.tile, layout.count if layout.mixed else 1
    whole = height * width * bands * layout.dtype.itemsize
    flat = packed if layout.codec == 1 else unpacked(layout.codec, packed, whole)
    if len(flat) != whole:
        raise Odd("a tile of another size")
    if layout.predictor == 3:
        planes = np.frombuffer(flat, np.uint8).reshape(height, -1)
        from_planes(planes[top:], bands, band, left, out.view(np.uint32))
        return
    kind = f"u{layout.dtype.itemsize}"
    tile = np.frombuffer(flat, kind).reshape(height, width * bands)[top:, band::bands]
    if layout.predictor == 2:
        add_up(tile, left, out.view(kind))
    else:
        out.view(kind)[...] = tile[: out.shape[0], left : left + out.shape[1]]


def unpacked(codec: int, packed: bytes, size: int) -> NDArray[np.uint8]:
    """The bytes of a tile, in memory of this thread that the next tile overwrites."""
    if getattr(SCRATCH, "size", 0) < size:
        SCRATCH.room, SCRATCH.size = np.empty(size, np.uint8), size
    try:
        made = CODECS[codec](packed, out=SCRATCH.room[:size])
    except (RuntimeError, ValueError) as error:
        raise Odd(str(error)) from error
    return np.frombuffer(made, np.uint8)


@njit(nogil=True, cache=True, error_model="numpy")
def add_up(tile: Any, left: int, out: Any) -> None:
    """Numbers (rows, columns) from their differences along each row, all unsigned, into `out` from column `left` on."""
    for i in range(out.shape[0]):
        line, row, total = tile[i], out[i], np.uint32(0)
        for j in range(left):
            total += line[j]
        line = line[left:]
        for j in range(row.size):
            total += line[j]
            row[j] = total


@njit(nogil=True, cache=True, error_model="numpy")
def from_planes(tile: Any, bands: int, band: int, left: int, out: Any) -> None:
    """The bits of 4-byte floats from differences of their bytes, the highest bytes of a row first, into `out`."""
    planes = np.empty(tile.shape[1], np.uint8)
    step = tile.shape[1] // 4
    for i in range(out.shape[0]):
        line, row = tile[i], out[i]
        planes[:bands] = line[:bands]
        for j in range(bands, line.size):
            planes[j] = planes[j - bands] + line[j]
        first = planes[left * bands + band : step : bands]
        second = planes[step + left * bands + band : 2 * step : bands]
        third = planes[2 * step + left * bands + band : 3 * step : bands]
        fourth = planes[3 * step + left * bands + band :: bands]
        for j in range(row.size):
            high = np.uint32(first[j]) << 24 | np.uint32(second[j]) << 16
            row[j] = high | np.uint32(third[j]) << 8 | np.uint32(fourth[j])
