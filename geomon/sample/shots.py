"""A shot is one raster of one product; the grids are those that products come on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from geomon.sample.lattice import Lattice, Pixels, lonlat, utm

UNSEEN = -32768.0
RADAR_BOX = (-82.0, -58.0, 82.0, 66.0)  # km
OPTICAL_BOX = (-30.0, -30.0, 8.0, 4.0)


@dataclass(frozen=True)
class Shot:
    """One asset of one item: its pixels and what they mean."""

    collection: str
    item: str
    asset: str
    lattice: Lattice
    pixels: Pixels
    start: str
    end: str
    nodata: float | None = None
    unit: str = ""
    categories: bool = False
    facts: Mapping[str, Any] = field(default_factory=dict)
    "properties of the item"
    asset_facts: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Grids:
    """The lattices of one size."""

    land: Lattice
    lights: Lattice
    coarse: Lattice
    radar: Lattice
    optical: Lattice

    @classmethod
    def of(cls, size: int) -> Grids:
        """`size` pixels of land cover from west to east."""
        step = 120_000.0 / size
        return cls(
            land=lonlat(size),
            lights=lonlat(size * 2 // 5),
            coarse=lonlat(size * 3 // 10),
            radar=utm(step, RADAR_BOX),
            optical=utm(step / 2, OPTICAL_BOX),
        )


def short(values: Pixels, bits: int) -> Pixels:
    """Numbers rounded to so many bits, which makes the files small."""
    whole, power = np.frexp(values)
    return np.asarray(np.ldexp(np.rint(whole * 2.0**bits) / 2.0**bits, power), dtype=np.float32)


def whole_year(year: int) -> tuple[str, str]:
    """First and last second of a year."""
    return f"{year}-01-01T00:00:00Z", f"{year}-12-31T23:59:59Z"


def footprint(lattice: Lattice) -> list[list[float]]:
    """The outline of a lattice in degrees, counterclockwise."""
    west, south, east, north = lattice.bounds_lonlat
    return [[west, south], [east, south], [east, north], [west, north], [west, south]]
