"""Towns, and the roads between them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.sparse.csgraph import minimum_spanning_tree
from scipy.spatial import cKDTree
from scipy.spatial.distance import cdist

from geomon.sample.noise import Array, Noise
from geomon.sample.terrain import CELL, Rivers, Terrain, frame

TOWNS = 40
CAPITAL = 520_000  # people in 2020


@dataclass(frozen=True)
class Town:
    """A place where people live close together."""

    x: float
    y: float
    people: float
    "in 2020"
    growth: float
    "share a year"
    port: bool = False

    def people_in(self, time: float) -> float:
        """People at a time."""
        return float(self.people * np.exp(self.growth * (time - 2020.0)))

    def radius(self, time: float) -> float:
        """Kilometres that the houses reach from the centre."""
        return float(0.17 + 0.62 * np.sqrt(self.people_in(time) / 60_000.0))


def settle(terrain: Terrain, rivers: Rivers) -> tuple[Town, ...]:
    """Towns, greatest first: the capital at the mouth of the great river, the others where land is good."""
    x, y = frame(CELL * 2)
    height = terrain.elevation(x, y)
    navigable = rivers.basin > 140
    river = cKDTree(rivers.points[navigable]).query(np.stack([x, y], axis=-1))[0]
    sea = cKDTree(np.stack([x[height <= 0], y[height <= 0]], axis=-1)).query(np.stack([x, y], axis=-1))[0]
    good = (
        1.05 * np.exp(-river / 2.6)
        + 0.6 * np.exp(-((sea - 1.5) ** 2) / 4.0)
        + 0.25 * Noise((terrain.seed, 31), 12.0, 3)(x, y)
        - np.clip(height - 250.0, 0.0, None) / 600.0
    )
    good[(height <= 1) | (sea < 1.1)] = -np.inf
    start = rivers.points[np.argmin(np.where(rivers.mouth == 0, np.abs(rivers.along - 2.5), np.inf))]
    good[np.hypot(x - start[0] + 1.2, y - start[1]) < 1.5] += 5.0
    random = np.random.Generator(np.random.PCG64([terrain.seed, 32]))
    found: list[Town] = []
    for rank in range(TOWNS):
        best = int(np.argmax(good))
        tx, ty = float(x.ravel()[best]), float(y.ravel()[best])
        people = CAPITAL / (rank + 1) ** 0.95 * float(random.uniform(0.85, 1.15)) if rank else CAPITAL
        growth = float(random.uniform(0.004, 0.026)) if rank else 0.031
        good[np.hypot(x - tx, y - ty) < 4.0] = -np.inf
        found.append(Town(tx, ty, people, growth, bool(sea.ravel()[best] < 3)))
        room = 15.0 if rank == 0 else 9.0 if rank < 14 else 6.0
        good = good - 2.5 * np.exp(-((((x - tx) ** 2 + (y - ty) ** 2) / room**2) ** 2))
    return tuple(found)


def connect(terrain: Terrain, towns: Sequence[Town]) -> Array:
    """Points along the roads, (n, 2) km: the shortest net between the towns, and a few ways more."""
    places = np.array([(town.x, town.y) for town in towns])
    away = cdist(places, places)
    net = minimum_spanning_tree(away).toarray() > 0
    net |= (away < 17.0) & (away > 0) & (np.argsort(np.argsort(away, axis=1), axis=1) <= 2)
    bend = Noise((terrain.seed, 33), 6.0, 3), Noise((terrain.seed, 34), 6.0, 3)
    lines = []
    for i, j in zip(*np.nonzero(np.triu(net | net.T)), strict=True):
        part = np.linspace(0.0, 1.0, int(away[i, j] / 0.2) + 2)[:, None]
        line = places[i] + part * (places[j] - places[i])
        ease = 1.1 * np.sin(np.pi * part[:, 0])
        shift = np.stack([noise(line[:, 0], line[:, 1]) for noise in bend], axis=1)
        line = line + ease[:, None] * shift
        if (terrain.shelf(line[:, 0], line[:, 1]) > 0).mean() > 0.95:
            lines.append(line)
    return np.concatenate(lines)
