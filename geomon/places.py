"""A folder that may be a bucket: `s3://bucket/results` and what else obstore knows, beside paths of this machine.

What is written here appears whole or not at all. On a disk a finished file is given its name; in a bucket an
object is put, which is whole by nature, and put-if-absent stands for the name that may be taken only once.

Credentials and the endpoint come from the environment as they do everywhere: AWS_ACCESS_KEY_ID,
AWS_SECRET_ACCESS_KEY, AWS_REGION, AWS_ENDPOINT_URL.
"""

import contextlib
import functools
import hashlib
import io
import os
import shutil
import tempfile
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast
from urllib.parse import urlsplit

if TYPE_CHECKING:
    import pandas as pd

Place = Path
"""A Path here, or what behaves like one there (a UPath)."""

ENDPOINT = "AWS_ENDPOINT_URL"


def is_remote(where: Any) -> bool:
    """Whether an address names something that is not a file of this machine."""
    return "://" in str(where)


def place(where: str | Place) -> Place:
    """The folder or file at a path or an address."""
    if not is_remote(where):
        return Path(where)
    if not isinstance(where, str):
        return where
    from upath import UPath

    protocol = where.partition("://")[0]
    register(protocol)
    return cast(Place, UPath(where, **options(protocol)))


@functools.cache
def register(protocol: str) -> None:
    """Let obstore serve a protocol."""
    from obstore import fsspec

    fsspec.register(protocol)


def options(protocol: str) -> dict[str, Any]:
    """The endpoint of the environment; without TLS it has to be allowed."""
    endpoint = os.environ.get(ENDPOINT, "") if protocol == "s3" else ""
    plain = {"client_options": {"allow_http": True}} if endpoint.startswith("http://") else {}
    return {"endpoint": endpoint, **plain} if endpoint else {}


def bucket(address: str) -> Any:
    """The obstore store of the bucket of an address; one for each bucket and endpoint in a process."""
    protocol, _, rest = address.partition("://")
    name = rest.partition("/")[0]
    return opened(protocol, name, os.environ.get(ENDPOINT, ""))


@functools.lru_cache(maxsize=64)
def opened(protocol: str, name: str, endpoint: str) -> Any:
    """The same, made once."""
    from obstore.store import from_url

    return from_url(f"{protocol}://{name}", **options(protocol))


def key(address: str) -> str:
    """The path of an object in its bucket; `#` and `?` are characters of it like others."""
    return address.partition("://")[2].partition("/")[2].lstrip("/")


def faults(*more: type[Exception]) -> tuple[type[Exception], ...]:
    """What a disk or a bucket that cannot be used raises, and more."""
    from obstore.exceptions import BaseError

    return OSError, BaseError, *more


def for_gdal(href: str) -> str:
    """An address as GDAL reads it, with its own client: no boto3 is needed."""
    return "/vsis3/" + href.removeprefix("s3://") if href.startswith("s3://") else href


def gdal_settings(href: str) -> dict[str, str]:
    """GDAL's words for the endpoint of the environment."""
    endpoint = urlsplit(os.environ.get(ENDPOINT, ""))
    if not endpoint.netloc or not href.startswith(("s3://", "/vsis3/")):
        return {}
    return {
        "AWS_S3_ENDPOINT": endpoint.netloc,
        "AWS_HTTPS": "NO" if endpoint.scheme == "http" else "YES",
        "AWS_VIRTUAL_HOSTING": "FALSE",
    }


# --- Reading


def content(file: Place) -> bytes:
    """All of a file; FileNotFoundError if there is none."""
    if not is_remote(file):
        return file.read_bytes()
    import obstore

    found: bytes = obstore.get(bucket(str(file)), key(str(file))).bytes().to_bytes()
    return found


def exists(file: Place) -> bool:
    """Whether there is such a file."""
    if not is_remote(file):
        return file.exists()
    import obstore

    try:
        obstore.head(bucket(str(file)), key(str(file)))
    except FileNotFoundError:
        return False
    return True


def checksum(file: Place) -> tuple[int, str]:
    """Size and SHA-256 of a file."""
    if is_remote(file):
        found = content(file)
        return len(found), hashlib.sha256(found).hexdigest()
    with file.open("rb") as opened:
        return file.stat().st_size, hashlib.file_digest(opened, "sha256").hexdigest()


def table(file: Place) -> "pd.DataFrame":
    """A Parquet table."""
    import pandas as pd

    return pd.read_parquet(io.BytesIO(content(file)))


# --- Writing


def create(file: Place, content: bytes) -> bool:
    """Write a whole file if it does not exist yet; whether it holds this content now, by this call or an equal one.

    Which of two equal calls wrote it cannot be told: a bucket may store it, fail to say so and refuse the repetition.
    """
    if is_remote(file):
        written = put(file, content)
    else:
        with beside(file) as temporary:
            temporary.write_bytes(content)
            written = linked(temporary, file)
    return written or file.read_bytes() == content


def replace(file: Place, content: bytes) -> None:
    """Write a whole file in the place of what was there."""
    with atomic(file) as temporary:
        temporary.write_bytes(content)


@contextlib.contextmanager
def atomic(file: Place) -> Iterator[Path]:
    """A local path to write to; the file takes its place when all of it is written."""
    with beside(file) as temporary:
        yield temporary
        if is_remote(file):
            upload(temporary, file)
        else:
            os.replace(temporary, file)


@contextlib.contextmanager
def once(file: Place) -> Iterator[Path]:
    """The same if there is no such file yet: of two equal runs, the first one's stays."""
    with beside(file) as temporary:
        yield temporary
        if not is_remote(file):
            linked(temporary, file)
        elif not exists(file):  # equal runs write equal bytes: the later of two at one moment does no harm
            upload(temporary, file)


@contextlib.contextmanager
def beside(file: Place) -> Iterator[Path]:
    """A local path that is gone afterwards: on the disk of the file, or in the folder for temporary files."""
    folder = tempfile.gettempdir() if is_remote(file) else file.parent
    temporary = Path(folder) / f".{uuid.uuid4().hex}-{file.name}"
    try:
        yield temporary
    finally:
        temporary.unlink(missing_ok=True)


def linked(temporary: Path, file: Path) -> bool:
    """Give a finished file its name; whether that was free."""
    try:
        os.link(temporary, file)
    except FileExistsError:
        return False
    return True


def put(file: Place, content: bytes) -> bool:
    """Put an object that must not be there yet; whether it was not."""
    import obstore
    from obstore.exceptions import AlreadyExistsError

    try:
        obstore.put(bucket(str(file)), key(str(file)), content, mode="create")
    except AlreadyExistsError:
        return False
    return True


def upload(local: Path, file: Place) -> None:
    """Put a file, in parts if it is large."""
    import obstore

    obstore.put(bucket(str(file)), key(str(file)), local)


def clear(folder: Place) -> None:
    """Take away a folder and all in it, if it is there."""
    if not is_remote(folder):
        shutil.rmtree(folder, ignore_errors=True)
        return
    import obstore

    for objects in obstore.list(bucket(str(folder)), prefix=key(str(folder))):
        obstore.delete(bucket(str(folder)), [o["path"] for o in objects])
