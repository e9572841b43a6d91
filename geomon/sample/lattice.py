"""Pixel lattices over the sample country, and how the world is painted onto them."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pyproj import Proj, Transformer

from geomon.sample.noise import Array
from geomon.sample.terrain import CENTRE, HEIGHT, KM, WIDTH
from geomon.sample.world import Ground, World

Pixels = NDArray[Any]
LONLAT = "EPSG:4326"
UTM = "EPSG:32744"
STRIP = 200_000  # points that are painted at a time

A, E2 = 6378137.0, 0.00669437999014  # WGS 84
B = A * (1.0 - E2) ** 0.5


@dataclass(frozen=True)
class Lattice:
    """Square pixels: the upper left corner, the step and the count, in the units of the CRS."""

    crs: str
    x0: float
    y0: float
    step: float
    width: int
    height: int

    @property
    def transform(self) -> tuple[float, ...]:
        """Affine coefficients a, b, c, d, e, f."""
        return (self.step, 0.0, self.x0, 0.0, -self.step, self.y0)

    @property
    def shape(self) -> tuple[int, int]:
        return self.height, self.width

    @property
    def bounds(self) -> tuple[float, float, float, float]:
        """West, south, east, north in the units of the CRS."""
        return (
            self.x0,
            self.y0 - self.step * self.height,
            self.x0 + self.step * self.width,
            self.y0,
        )

    @property
    def bounds_lonlat(self) -> tuple[float, float, float, float]:
        """West, south, east, north in degrees."""
        if self.crs == LONLAT:
            return self.bounds
        west, south, east, north = _transformer(self.crs, LONLAT).transform_bounds(*self.bounds)
        return float(west), float(south), float(east), float(north)

    def cut(self, top: int, bottom: int) -> Lattice:
        """Some rows of it."""
        return replace(self, y0=self.y0 - top * self.step, height=bottom - top)

    def centres(self, top: int = 0, bottom: int | None = None, shift: float = 0.5) -> tuple[Array, Array]:
        """Degrees of longitude and latitude of the centres of some rows of pixels."""
        rows = np.arange(top, self.height if bottom is None else bottom)
        x, y = np.meshgrid(self.x0 + (np.arange(self.width) + 0.5) * self.step, self.y0 - (rows + shift) * self.step)
        if self.crs == LONLAT:
            return x, y
        longitude, latitude = _transformer(self.crs, LONLAT).transform(x, y)
        return np.asarray(longitude), np.asarray(latitude)

    @property
    def areas(self) -> Array:
        """True area of each pixel on the ellipsoid, m2."""
        if self.crs != LONLAT:
            longitude, latitude = self.centres()
            scale = Proj(self.crs).get_factors(longitude, latitude).areal_scale
            return np.asarray(self.step**2 / scale)
        edges = np.sin(np.radians(self.y0 - np.arange(self.height + 1) * self.step))
        e = E2**0.5
        q = edges / (1.0 - E2 * edges**2) + np.arctanh(e * edges) / e
        rows = np.radians(self.step) * B**2 / 2.0 * -np.diff(q)
        return np.broadcast_to(rows[:, None], self.shape)


def lonlat(width: int) -> Lattice:
    """Latitude and longitude over the frame, so many pixels wide."""
    step = WIDTH / width
    return Lattice(LONLAT, CENTRE[0] - WIDTH / 2, CENTRE[1] + HEIGHT / 2, step, width, round(HEIGHT / step))


def utm(step: float, box: tuple[float, float, float, float]) -> Lattice:
    """UTM pixels over a box of kilometres (west, south, east, north of the centre), on multiples of 6 km."""
    west, south, east, north = box
    corners = [(CENTRE[0] + x / KM[0], CENTRE[1] + y / KM[1]) for x in (west, east) for y in (south, north)]
    xs, ys = zip(*(_transformer(LONLAT, UTM).transform(*corner) for corner in corners), strict=True)
    snap = 6000.0
    x0, x1 = np.floor(min(xs) / snap) * snap, np.ceil(max(xs) / snap) * snap
    y0, y1 = np.floor(min(ys) / snap) * snap, np.ceil(max(ys) / snap) * snap
    return Lattice(UTM, float(x0), float(y1), step, round((x1 - x0) / step), round((y1 - y0) / step))


def paint(world: World, lattice: Lattice, painter: Callable[[Ground], Mapping[Any, Pixels]]) -> dict[Any, Pixels]:
    """Whole arrays by name, painted strip by strip: the same whatever the strips and the number of threads."""
    rows = max(STRIP // lattice.width, 1)
    strips = [(top, min(top + rows, lattice.height)) for top in range(0, lattice.height, rows)]

    def one(strip: tuple[int, int]) -> Mapping[Any, Pixels]:
        return painter(world.ground(*kilometres(*lattice.centres(*strip))))

    with ThreadPoolExecutor(threads()) as pool:
        whole: dict[Any, Pixels] = {}
        for (top, bottom), pieces in zip(strips, pool.map(one, strips), strict=True):
            for name, piece in pieces.items():
                if name not in whole:
                    whole[name] = np.empty(lattice.shape, dtype=piece.dtype)
                whole[name][top:bottom] = piece
    return whole


def threads() -> int:
    """How many threads to build with."""
    return min(os.cpu_count() or 1, 8)


def kilometres(longitude: Array, latitude: Array) -> tuple[Array, Array]:
    """East and north of the centre."""
    return (longitude - CENTRE[0]) * KM[0], (latitude - CENTRE[1]) * KM[1]


def _transformer(source: str, target: str) -> Transformer:
    return Transformer.from_crs(source, target, always_xy=True)
