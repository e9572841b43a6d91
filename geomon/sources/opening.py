"""Rasters are opened here and nowhere else: time limits, retries, passing faults told from lasting ones."""

import functools
import hashlib
import logging
import os
import re
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any, TypeVar

import pyproj
import rasterio
from rasterio.enums import MaskFlags

from geomon.errors import GeomonError, ReadError
from geomon.places import for_gdal, gdal_settings
from geomon.sources.files import alone, lent
from geomon.sources.records import Granule
from geomon.sources.signing import signed

T = TypeVar("T")

CACHED = 2**26  # bytes that GDAL may keep of what it decoded; blocks ask for most of it only once
SHA256 = "1220"  # how a multihash of SHA-256 begins

PASSING = re.compile(
    r"HTTP (?:response|error) code\s*:? (?:408|425|429|5\d\d)|timed? ?out|too slow"
    r"|connection (?:reset|refused|died)|empty reply|couldn't connect|could not connect|recv failure"
    r"|send failure|transferred a partial file|temporary failure|broken pipe"
    r"|remote end closed|transfer closed|connection (?:aborted|broken)",
    re.IGNORECASE,
)
QUERY = re.compile(r"\?[^\s'\"]*")
CODE = re.compile(r"HTTP (?:response|error) code\s*:? (\d{3})", re.IGNORECASE)
DEFAULT_NODATA = (MaskFlags.nodata, MaskFlags.all_valid)
TROUBLED: set[str] = set()
"""Files that could not be had once: GDAL remembers that, and would not ask the server again."""


LOGGERS_OF_URLLIB3 = ("urllib3.connectionpool", "urllib3.poolmanager", "urllib3.util.retry", "urllib3.response")


class Unsigned(logging.Filter):
    """Takes queries, which may hold a signature, out of what rasterio and urllib3 log."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Keeps every record."""
        record.msg, record.args = QUERY.sub("", record.getMessage()), ()
        return True


for logger in (*(f"rasterio.{name}" for name in ("_base", "_env", "_err", "_io", "env")), *LOGGERS_OF_URLLIB3):
    logging.getLogger(logger).addFilter(Unsigned())


@dataclass(frozen=True)
class Patience:
    """How long a read may take and how often it is tried."""

    tries: int = 4
    pause: float = 0.5
    """Seconds before the second try; each further pause is twice as long."""
    timeout: float = 30.0
    """Seconds that one request may take."""
    connect: float = 10.0

    @classmethod
    def usual(cls) -> "Patience":
        """As the environment says: GEOMON_READ_TRIES, _PAUSE, _TIMEOUT and _CONNECT."""
        return cls(
            int(os.environ.get("GEOMON_READ_TRIES", cls.tries)),
            float(os.environ.get("GEOMON_READ_PAUSE", cls.pause)),
            float(os.environ.get("GEOMON_READ_TIMEOUT", cls.timeout)),
            float(os.environ.get("GEOMON_READ_CONNECT", cls.connect)),
        )


@dataclass(frozen=True)
class Header:
    """What a file says about itself without a pixel being read."""

    crs: str
    """'' if it has none."""
    transform: tuple[float, ...]
    shape: tuple[int, int]
    dtype: str
    nodata: tuple[float | None, ...]
    names: tuple[str, ...]
    """Of the bands, '' where a band has none."""
    scales: tuple[float, ...]
    offsets: tuple[float, ...]
    masked: bool
    """Whether it has a mask of its own beside a nodata value."""

    @property
    def count(self) -> int:
        """Bands."""
        return len(self.nodata)


@dataclass(frozen=True)
class Tried:
    """What a number of tries came to."""

    tries: int
    why: str = ""
    """The last fault; empty if there was none."""
    server: bool = False
    """Whether a server was at fault, and not what it sent."""


def opened(granule: Granule, patience: Patience) -> AbstractContextManager[Any]:
    """The open file of a granule, its address signed just now, under our time limits; ours alone while it is lent."""
    address = signed(granule.href, granule.sign, patience.timeout)
    return lent(granule, for_gdal(address), options(granule.href, patience))


def options(href: str, patience: Patience) -> dict[str, str | int]:
    """GDAL's settings: our time limits, no listing of folders, no retries of its own, few large requests."""
    limits: dict[str, str | int] = {
        "GDAL_CACHEMAX": CACHED,
        "GDAL_DISABLE_READDIR_ON_OPEN": "EMPTY_DIR",
        "GDAL_HTTP_TIMEOUT": str(patience.timeout),
        "GDAL_HTTP_CONNECTTIMEOUT": str(patience.connect),
        "GDAL_HTTP_MAX_RETRY": "0",
        "GDAL_HTTP_MULTIRANGE": "YES",
        "GDAL_HTTP_MERGE_CONSECUTIVE_RANGES": "YES",
        "GDAL_INGESTED_BYTES_AT_OPEN": "32768",
        "CPL_VSIL_CURL_CHUNK_SIZE": "524288",
        **gdal_settings(href),
    }
    if href in TROUBLED:
        limits["CPL_VSIL_CURL_NON_CACHED"] = "/vsicurl/"
    return limits


def tried(patience: Patience, action: Callable[[], T], href: str) -> tuple[T | None, Tried]:
    """What an action gives, tried again after passing faults, ever more slowly; None and why if it fails."""
    for attempt in range(1, patience.tries + 1):
        try:
            return action(), Tried(attempt)
        except (rasterio.errors.RasterioError, rasterio.errors.RasterioIOError, OSError, ReadError) as error:
            why = story(error)
            TROUBLED.add(href)
            passing = PASSING.search(why) is not None
            if attempt == patience.tries or not passing:
                return None, Tried(attempt, reason(why, href), passing or CODE.search(why) is not None)
            time.sleep(patience.pause * 2 ** (attempt - 1))
    raise GeomonError("A read needs at least one try. Set GEOMON_READ_TRIES to 1 or more.")


def story(error: BaseException) -> str:
    """The messages of an error and of all that caused it, without queries, which may hold a signature."""
    told: list[str] = []
    seen: BaseException | None = error
    while seen is not None:
        if str(seen) and str(seen) not in told:
            told.append(str(seen))
        seen = seen.__cause__ or seen.__context__
    return QUERY.sub("", "; ".join(told))


def reason(why: str, href: str) -> str:
    """A short sentence from GDAL's story."""
    code = CODE.search(why)
    if code:
        named = {"404": "not found", "403": "not allowed", "429": "too many requests"}.get(code[1], "refused")
        return f"the server answered {code[1]} ({named})"
    if re.search(r"timed? ?out|too slow", why, re.IGNORECASE):
        return "the server did not answer in time"
    if re.search(r"reset|broken|aborted|recv failure|send failure|empty reply|closed|died", why, re.IGNORECASE):
        return "the connection broke"
    if re.search(r"connection refused|connect to|(?:could not|failed to) resolve|name resolution", why, re.IGNORECASE):
        return "the server cannot be reached"
    if "No such file" in why or "does not exist in the file system" in why:
        return "there is no such file"
    if re.search(r"not recognized as (?:being in )?a supported|TIFFReadDirectory|Not a TIFF", why):
        return "it is not a raster that can be opened"
    if "Read failed" in why or "TIFFReadEncoded" in why or "IReadBlock" in why:
        return "its pixels cannot be decoded"
    return why.replace(href, "the file")


def hash_once(path: str, size: int, changed: int) -> str:
    """The same where threads ask for one file at a time: one of them computes it, the others wait."""
    with alone(path):
        return hashed(path, size, changed)


@functools.lru_cache(maxsize=4096)
def hashed(path: str, size: int, changed: int) -> str:
    """The SHA-256 of a local file as a multihash; computed once in a process for each state of the file."""
    with open(path, "rb") as file:
        return SHA256 + hashlib.file_digest(file, "sha256").hexdigest()


def verified(granule: Granule) -> None:
    """That a local file has the bytes of its catalogue's checksum: damage inside a tile may decode without a word."""
    if not granule.checksum.lower().startswith(SHA256) or "://" in granule.href or granule.href.startswith("/vsi"):
        return
    state = os.stat(granule.href)
    if hash_once(granule.href, state.st_size, state.st_mtime_ns) != granule.checksum.lower():
        raise ReadError("its bytes are not those of the catalogue's checksum")


def header(granule: Granule, patience: Patience) -> tuple[Header | None, Tried]:
    """What the file says about itself, or None and why it cannot be opened."""

    def look() -> Header:
        with opened(granule, patience) as file:
            return described(file)

    return tried(patience, look, granule.href)


def described(file: Any) -> Header:
    """The header of an open file."""
    return Header(
        crs=crs_name(file.crs.to_wkt(), file.crs.to_epsg()) if file.crs else "",
        transform=tuple(file.transform)[:6],
        shape=file.shape,
        dtype=file.dtypes[0],
        nodata=tuple(file.nodatavals),
        names=tuple(name or "" for name in file.descriptions),
        scales=tuple(file.scales),
        offsets=tuple(file.offsets),
        masked=has_mask(file),
    )


def has_mask(file: Any) -> bool:
    """Whether the file has a mask or an alpha band, and not only a nodata value."""
    return any(flag not in DEFAULT_NODATA for flag in file.mask_flag_enums[0])


@functools.lru_cache(maxsize=256)
def crs_name(text: str, epsg: int | None = None) -> str:
    """'EPSG:4326' where there is a code, else WKT: one spelling for one CRS."""
    if epsg:
        return f"EPSG:{epsg}"
    found = pyproj.CRS.from_user_input(text)
    authority = found.to_authority(min_confidence=90)
    return ":".join(authority) if authority else str(found.to_wkt())
