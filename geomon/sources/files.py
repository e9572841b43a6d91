"""Files that a process reads from stay open: each is opened once, and its header is read once.

GDAL's datasets are lent to one thread at a time. Of plain GeoTIFFs only the layout of the tiles is kept, and a
descriptor or the address they are asked for at. A local file that changed is another file; one that changed on its
server is an error from then on, for blocks of two versions make no number. Nothing is carried over a fork.
"""

import os
import re
import threading
import time
import urllib.request
from collections import OrderedDict
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Protocol
from urllib.parse import urlsplit

import rasterio
import urllib3

from geomon.errors import ReadError
from geomon.sources.records import Granule
from geomon.sources.signing import signed
from geomon.sources.tiles import HEAD, Layout, Span, layout

WIDE = 16  # requests under way at once in a process: an answer takes longer to come than to decode
OPEN, IDLE = 256, 64  # plain files and idle datasets that are kept
GAP = 2**16  # bytes between two tiles that are fetched rather than asked around
CHUNK = 2**18
TIFF = re.compile(r"\.tiff?$", re.IGNORECASE)
RANGE = re.compile(r"bytes (\d+)-(\d+)/(\d+)")


class Times(Protocol):
    """How long a request may take, in seconds."""

    @property
    def timeout(self) -> float:
        """In all."""

    @property
    def connect(self) -> float:
        """Until there is a connection."""


class Local:
    """A file on disk, closed when nobody holds it."""

    def __init__(self, path: str) -> None:
        self.descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)

    def read(self, spans: Sequence[Span], times: Times) -> list[bytes]:
        """The bytes of each span, fewer at the end of the file."""
        return [os.pread(self.descriptor, size, offset) for offset, size in spans]

    def __del__(self, close: Callable[[int], None] = os.close) -> None:
        if descriptor := getattr(self, "descriptor", None):
            close(descriptor)


class Remote:
    """A file on a server that answers ranges; the address is signed anew for every request."""

    def __init__(self, href: str, sign: str) -> None:
        self.href, self.sign = href, sign
        self.mark: tuple[int, str] | None = None
        """Its size, and what its server says to tell it from its successor."""
        self.head = b""
        """Its first bytes; all of a small file."""

    def read(self, spans: Sequence[Span], times: Times) -> list[bytes]:
        """The bytes of each span, near ones in one request."""
        found = {(o, n): self.head[o : o + n] for o, n in spans if o + n <= len(self.head)}
        for run in runs([span for span in spans if span not in found]):
            start, stop = run[0][0], max(offset + size for offset, size in run)
            content = memoryview(self.ask(start, stop - start, times))
            found |= {(o, n): bytes(content[o - start : o - start + n]) for o, n in run}
        return [found[span] for span in spans]

    def ask(self, first: int, size: int, times: Times) -> bytes:
        """The answer to one request; ReadError that holds the HTTP code, or says what broke."""
        address = signed(self.href, self.sign, times.timeout)
        ends = time.monotonic() + times.timeout
        try:
            answer = pool().request(
                "GET",
                address,
                headers={"Range": f"bytes={first}-{first + size - 1}", "User-Agent": "geomon"},
                timeout=urllib3.Timeout(connect=times.connect, read=times.timeout),
                retries=urllib3.Retry(5, connect=0, read=0, status=0, other=0, redirect=5, raise_on_status=False),
                preload_content=False,
            )
            try:
                mark = self.check(answer, first)
                parts = []
                while part := answer.read1(CHUNK):
                    parts.append(part)
                    if time.monotonic() > ends:
                        raise ReadError("the answer timed out")
            except BaseException:
                answer.close()
                raise
            answer.release_conn()
        except urllib3.exceptions.HTTPError as error:
            raise ReadError(str(error)) from error
        self.mark = SHELF.marks.setdefault(self.href, mark)
        return b"".join(parts)

    def check(self, answer: urllib3.BaseHTTPResponse, first: int) -> tuple[int, str]:
        """The mark of the file, if the server gives the range that was asked for, of the file that it gave before."""
        if answer.status >= 400:
            raise ReadError(f"HTTP response code: {answer.status}")
        told = RANGE.match(answer.headers.get("Content-Range", ""))
        if answer.status != 206 or not told:
            raise NoRanges(self.href)
        mark = int(told[3]), answer.headers.get("ETag") or answer.headers.get("Last-Modified") or ""
        if SHELF.marks.get(self.href, mark) != mark:
            raise ReadError("it has changed on its server since its header was read")
        if int(told[1]) != first:
            raise ReadError(f"its server was asked for the bytes from {first} on and gave those from {told[1]} on")
        return mark


class NoRanges(Exception):
    """The server answers with more than it was asked for."""


def runs(spans: Sequence[Span]) -> Iterator[list[Span]]:
    """Spans in the order of the file, those in one list that are fetched together."""
    run: list[Span] = []
    for offset, size in sorted(set(spans)):
        if run and offset - sum(run[-1]) > GAP:
            yield run
            run = []
        run.append((offset, size))
    if run:
        yield run


@dataclass
class Plain:
    """A file that may be a plain GeoTIFF."""

    layout: Layout | None = None
    """None if it is not."""
    source: Local | Remote | None = None
    known: bool = False
    lock: threading.Lock = field(default_factory=threading.Lock)


class Shelf:
    """What a process has open."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.plain: OrderedDict[tuple[Any, ...], Plain] = OrderedDict()
        self.marks: dict[str, tuple[int, str]] = {}
        """By address, what each server said of its file at first: outlives the file that was closed."""
        self.idle: OrderedDict[tuple[Any, ...], list[Any]] = OrderedDict()
        self.pool: urllib3.PoolManager | None = None
        self.readers: ThreadPoolExecutor | None = None
        self.turns = [threading.Lock() for _ in range(64)]


SHELF = Shelf()
LEFT: list[Shelf] = []
"""Shelves of the process that this one was forked from: not to be used, and not to be closed by us."""


def forked() -> None:
    """Begin anew: locks, threads and positions in files belong to the process that made them."""
    global SHELF
    LEFT.append(SHELF)
    SHELF = Shelf()


os.register_at_fork(after_in_child=forked)


def is_remote(href: str) -> bool:
    """Whether a file is read over a network, or by one of GDAL's own ways."""
    return href.startswith(("http://", "https://", "s3://", "/vsi"))


def state(href: str) -> tuple[int, ...]:
    """What tells a local file from what it is after a change; nothing of others."""
    if is_remote(href):
        return ()
    try:
        found = os.stat(href)
    except OSError:
        return ()
    return found.st_ino, found.st_size, found.st_mtime_ns


def plain(granule: Granule, times: Times) -> tuple[Layout, Local | Remote] | None:
    """The layout of a plain GeoTIFF and where its bytes are; None for a file that is GDAL's to read."""
    now = state(granule.href)
    if not now and not ours(granule.href):
        return None
    shelf = SHELF
    with shelf.lock:
        one = shelf.plain.setdefault((granule.href, now), Plain())
        shelf.plain.move_to_end((granule.href, now))
        if len(shelf.plain) > OPEN:
            shelf.plain.popitem(last=False)
    with one.lock:
        if not one.known:
            try:
                source = Local(granule.href) if now else Remote(granule.href, granule.sign)
                one.layout = looked_at(source, now[1] if now else None, times)
                one.source = source if one.layout else None
            except NoRanges:
                pass
            one.known = True
    return (one.layout, one.source) if one.layout and one.source else None


def not_plain(granule: Granule) -> None:
    """Leave a file to GDAL from now on."""
    with SHELF.lock:
        SHELF.plain[granule.href, state(granule.href)] = Plain(known=True)


def looked_at(source: Local | Remote, size: int | None, times: Times) -> Layout | None:
    """The layout of an open file; of a remote one its size comes with the first answer."""
    if isinstance(source, Remote):
        source.head = source.ask(0, HEAD, times)
        size = source.mark[0] if source.mark else 0
    return layout(lambda offset, count: source.read([(offset, count)], times)[0], size or 0)


def ours(href: str) -> bool:
    """Whether we may ask a server ourselves: for a GeoTIFF, unless GDAL was told more about servers than we know."""
    parts = urlsplit(href)
    if parts.scheme not in ("http", "https") or not TIFF.search(parts.path):
        return False
    if any(name.startswith("GDAL_HTTP_") for name in os.environ):
        return False
    return parts.scheme not in urllib.request.getproxies() or bool(urllib.request.proxy_bypass(parts.netloc))


@contextmanager
def lent(granule: Granule, address: str, options: Mapping[str, str | int]) -> Iterator[Any]:
    """The open dataset of a granule, ours alone; after a fault it is closed, else kept for the next one."""
    shelf, key = SHELF, (address, state(granule.href))
    with rasterio.Env(**options):
        with shelf.lock:
            waiting = shelf.idle.pop(key, [])
            file = waiting.pop() if waiting else None
            if waiting:
                shelf.idle[key] = waiting
        if file is None:
            file = rasterio.open(address)
        try:
            yield file
        except BaseException:
            file.close()
            raise
        surplus = []
        with shelf.lock:
            shelf.idle.setdefault(key, []).append(file)
            shelf.idle.move_to_end(key)
            while sum(map(len, shelf.idle.values())) > IDLE:
                first = next(iter(shelf.idle))
                surplus.append(shelf.idle[first].pop(0))
                if not shelf.idle[first]:
                    del shelf.idle[first]
        for other in surplus:
            other.close()


def forget(href: str = "") -> None:
    """Close a file, or all of them."""
    with SHELF.lock:
        for key in [k for k in SHELF.plain if not href or k[0] == href]:
            del SHELF.plain[key]
        for known in [k for k in SHELF.marks if not href or k == href]:
            del SHELF.marks[known]
        gone = [k for k in SHELF.idle if not href or k[0].partition("?")[0] == href.partition("?")[0]]
        files = [file for key in gone for file in SHELF.idle.pop(key)]
    for file in files:
        file.close()


def alone(path: str) -> threading.Lock:
    """Held by the one thread that looks at a whole file, while others wait for what it finds."""
    return SHELF.turns[hash(path) % len(SHELF.turns)]


def pool() -> urllib3.PoolManager:
    """The connections of this process."""
    with SHELF.lock:
        if SHELF.pool is None:
            SHELF.pool = urllib3.PoolManager(maxsize=WIDE, ca_certs=os.environ.get("CURL_CA_BUNDLE"))
        return SHELF.pool


def readers() -> ThreadPoolExecutor:
    """The threads that wait for servers."""
    with SHELF.lock:
        if SHELF.readers is None:
            SHELF.readers = ThreadPoolExecutor(WIDE, "geomon-read")
        return SHELF.readers
