"""The sample country: a small world whose truth is known, and all that a ministry has of it.

`build` makes a folder with satellite products in a STAC catalog, a workspace that binds our collections to them,
zones, official statistics with planted departures, and the truth to compare results with. Everything in it is
synthetic and says so. The same seed gives the same pixels; the size sets how many.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from geomon.errors import InputError
from geomon.sample import borders, land, lights, official, optical, radar, stac, truth
from geomon.sample.shots import Grids, Shot
from geomon.sample.world import world

SEED = 5
SIZE = 600
MARKER = "sample.json"
WHOLE = 60  # sizes are multiples of it, so that all grids fit the frame


@dataclass(frozen=True)
class Sample:
    """A sample country on disk."""

    folder: Path
    workspace: Path
    """For GEOMON_WORKSPACE."""
    zones: Path
    """GeoJSON of country, provinces, districts: code, name, parent, level."""
    official: Path
    """CSV of official statistics."""
    truth: Path
    """Parquet of true values: quantity, ref_area, time_period, value, world, seen, slack, unit_measure."""
    planted: Path
    """JSON list of the departures that stand in the official statistics."""
    name: str
    years: tuple[int, int]
    """First and last year of the land cover."""


def build(folder: str | Path, *, size: int = SIZE, seed: int = SEED) -> Sample:
    """Make the sample country in a folder, or use the one that is there if size, seed and version are the same.

    `size` is the number of land cover pixels from west to east, a multiple of 60 (600: the demo). InputError if the
    folder holds something else.
    """
    folder = Path(folder).absolute()
    if size < WHOLE or size % WHOLE:
        raise InputError(f"The sample country was asked for in size {size!r}: give a multiple of {WHOLE}, such as 600.")
    recipe = {"size": size, "seed": seed, "version": _version()}
    if _made(folder) == recipe:
        return _sample(folder)
    if folder.exists() and not folder.is_dir():
        raise InputError(f"The sample country was asked for in {folder}, which is a file. Name a folder.")
    if folder.exists() and any(folder.iterdir()) and _made(folder) is None:
        raise InputError(
            f"The sample country was asked for in {folder}, which holds other things. "
            "Name an empty folder or a new one."
        )
    folder.parent.mkdir(parents=True, exist_ok=True)
    _sweep(folder)
    draft = Path(tempfile.mkdtemp(prefix=f".{folder.name}.{os.getpid()}-", dir=folder.parent))
    try:
        _make(draft, size, seed)
        (draft / MARKER).write_text(json.dumps(recipe, indent=1), encoding="utf-8")
        draft.chmod(0o755)
        _put(draft, folder, recipe)
    finally:
        shutil.rmtree(draft, ignore_errors=True)
    return _sample(folder)


def _make(folder: Path, size: int, seed: int) -> None:
    """All files but the marker."""
    country = world(seed)
    areas = borders.areas(country)
    grids = Grids.of(size)
    hidden = next(area for area in areas if area.code == land.HIDDEN[1])
    ground = land.render(country, grids.land, hidden)
    flood = radar.render(country, grids.radar)
    people = list(lights.people_shots(country, grids.coarse))
    light = truth.Lights(areas, grids.lights)

    def shots() -> Iterator[Shot]:
        yield from land.cover_shots(ground)
        yield from land.water_shots(ground)
        yield from radar.shots(country, flood)
        yield from optical.shots(country, grids.optical)
        yield from people
        for shot in lights.light_shots(country, grids.lights, grids.coarse):
            if shot.collection == "viirs-night-lights":
                light.add(shot)
            yield shot

    stac.write(shots(), folder / "stac", folder / "workspace")
    borders.write(areas, folder / "zones.geojson", stac.STATEMENT)
    known = truth.table(areas, ground, flood, light, people)
    known.to_parquet(folder / "truth.parquet", index=False)
    official.table(known, seed).to_csv(folder / "official.csv", index=False)
    (folder / "planted.json").write_text(json.dumps(official.planted(), indent=1), encoding="utf-8")
    (folder / "README.txt").write_text(stac.STATEMENT + "\n", encoding="utf-8")


def _put(draft: Path, folder: Path, recipe: dict[str, Any]) -> None:
    """Move the finished draft into place; another process may have been faster with the same."""
    aside = None
    if folder.exists() and any(folder.iterdir()):
        if _made(folder) == recipe:
            return
        aside = Path(tempfile.mkdtemp(prefix=f".{folder.name}.{os.getpid()}-", dir=folder.parent))
        folder.rename(aside / "old")
    try:
        draft.rename(folder)
    except OSError:
        if _made(folder) != recipe:
            raise
    finally:
        if aside:
            shutil.rmtree(aside, ignore_errors=True)


def _sweep(folder: Path) -> None:
    """Remove what builds that were killed have left beside the folder."""
    for left in folder.parent.glob(f".{folder.name}.*-*"):
        owner = left.name.removeprefix(f".{folder.name}.").partition("-")[0]
        if owner.isdigit() and not _alive(int(owner)):
            shutil.rmtree(left, ignore_errors=True)


def _alive(process: int) -> bool:
    """Whether a process of this machine still runs."""
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def _made(folder: Path) -> dict[str, Any] | None:
    """The recipe of a finished sample; None if there is none."""
    try:
        found = json.loads((folder / MARKER).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return found if isinstance(found, dict) else None


def _version() -> str:
    """Changes with the code of this package."""
    digest = hashlib.sha256()
    for file in sorted(Path(__file__).parent.glob("*.py")):
        digest.update(file.read_bytes())
    return digest.hexdigest()[:16]


def _sample(folder: Path) -> Sample:
    years = land.COVER_YEARS
    return Sample(
        folder=folder,
        workspace=folder / "workspace",
        zones=folder / "zones.geojson",
        official=folder / "official.csv",
        truth=folder / "truth.parquet",
        planted=folder / "planted.json",
        name=borders.COUNTRY,
        years=(years[0], years[-1]),
    )


__all__ = ["Sample", "build"]
