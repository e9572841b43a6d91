"""Files that appear whole or not at all, and never in the place of others unless that was asked for."""

import shutil
import uuid
from collections.abc import Mapping, Sequence
from pathlib import Path

from geomon.errors import StoreError
from geomon.places import Place, content, create, exists, faults, is_remote, place, replace


def write(
    files: Mapping[str, bytes], out: str | Place, *, folder: bool, force: bool = False, others: Sequence[str] = ()
) -> list[Place]:
    """Write one file at `out`, with others beside it, or a folder of files; what is there already stays.

    A folder that is new appears at once with all its files. Equal files that are there already are no obstacle.
    `others` are names that would be taken for a part of it, so nothing is written beside them, forced or not.
    """
    where = place(out)
    try:
        ready(files, where, folder=folder, force=force, others=others)
        places = {home(where, folder) / name: told for name, told in files.items()}
        if not is_remote(where):
            if folder and not where.exists():
                return whole(files, where)
            for file in places:
                file.parent.mkdir(parents=True, exist_ok=True)
        for file, told in places.items():
            if force:
                replace(file, told)
            elif not create(file, told):
                raise StoreError(f"{file} was written by another meanwhile. Take another --out, or add --force.")
    except faults() as error:
        told_by = getattr(error, "strerror", None) or str(error).partition("\n")[0]
        raise StoreError(
            f"{where} cannot be written: {told_by}. Name a place that you may write with --out."
        ) from error
    return list(places)


def home(where: Place, folder: bool) -> Place:
    """The folder that files are written into."""
    return where if folder else where.parent


def ready(
    files: Mapping[str, bytes], out: str | Place, *, folder: bool, force: bool = False, others: Sequence[str] = ()
) -> None:
    """StoreError if other files stand where these shall be."""
    where = place(out)
    check(where, folder)
    taken = [
        file
        for file, told in ((home(where, folder) / name, told) for name, told in files.items())
        if not force and exists(file) and content(file) != told
    ]
    if taken:
        raise StoreError(f"{taken[0]} is there already, with other content. Take another --out, or add --force.")
    strange = [file for file in (home(where, folder) / name for name in others) if exists(file)]
    if strange:
        raise StoreError(
            f"{strange[0]} is there and would be taken for a part of this export. Take another --out, or move it away."
        )


def check(where: Place, folder: bool) -> None:
    """StoreError if a folder stands where a file shall be, or a file where a folder shall."""
    if is_remote(where):
        return
    if folder and where.exists() and not where.is_dir():
        raise StoreError(f"{where} is a file; this format is a folder of files. Name a folder with --out.")
    if not folder and where.is_dir():
        raise StoreError(f"{where} is a folder; this format is one file. Name the file with --out.")


def whole(files: Mapping[str, bytes], where: Path) -> list[Place]:
    """A folder that gets its name when all its files are in it."""
    where.parent.mkdir(parents=True, exist_ok=True)
    temporary = where.parent / f".{uuid.uuid4().hex}-{where.name}"
    try:
        for name, told in files.items():
            (temporary / name).parent.mkdir(parents=True, exist_ok=True)
            (temporary / name).write_bytes(told)
        temporary.rename(where)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)
    return [where / name for name in files]
