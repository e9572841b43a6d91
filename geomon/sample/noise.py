"""Smooth noise: a function of position alone, so that every grid sees the same world."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

Array = NDArray[np.float64]

LATTICE = 64  # knots to a side; the noise repeats after that many scales
FINE = 8  # steps of the table between two knots
TURN = 0.6435  # radians between octaves, so that their lattices never line up


@dataclass(frozen=True)
class Noise:
    """Sum of octaves of cubic spline noise over the plane, mean 0 and standard deviation near 1."""

    seed: tuple[int, ...]
    scale: float
    "size of the largest features, in the unit of x and y (km here)"
    octaves: int = 5
    gain: float = 0.5
    "amplitude of each octave relative to the one before"

    @cached_property
    def _tables(self) -> list[Array]:
        random = np.random.Generator(np.random.PCG64(list(self.seed)))
        knots = [random.standard_normal((LATTICE, LATTICE)) for _ in range(self.octaves)]
        return [_refine(_refine(one).T).T for one in knots]

    @cached_property
    def _norm(self) -> float:
        cubic = 0.479  # standard deviation of a cubic B-spline surface over unit random knots, on average
        return 1.0 / (cubic * float(np.sqrt(sum(self.gain ** (2 * k) for k in range(self.octaves)))))

    def octave(self, k: int, x: Array, y: Array) -> Array:
        """One octave, not scaled."""
        step, turn = self.scale / 2.0**k / FINE, TURN * (k + 1)
        u = (x * np.cos(turn) + y * np.sin(turn)) / step
        v = (y * np.cos(turn) - x * np.sin(turn)) / step
        return np.asarray(ndimage.map_coordinates(self._tables[k], [u, v], order=1, mode="grid-wrap"))

    def __call__(self, x: Array, y: Array) -> Array:
        """The noise at the points."""
        total = np.zeros(np.broadcast(x, y).shape)
        for k in range(self.octaves):
            total += self.gain**k * self.octave(k, x, y)
        return total * self._norm

    def ridges(self, x: Array, y: Array) -> Array:
        """Ridged noise in 0..1: sharp crests and wide valleys."""
        total = np.zeros(np.broadcast(x, y).shape)
        weight = np.ones_like(total)
        for k in range(self.octaves):
            crest = (1.0 - np.minimum(np.abs(self.octave(k, x, y)) * 1.4, 1.0)) ** 2
            total += self.gain**k * crest * weight
            weight = np.clip(crest * 1.6, 0.0, 1.0)
        return total / sum(self.gain**k for k in range(self.octaves))


def _refine(knots: Array) -> Array:
    """The periodic cubic B-spline through rows of knots, at FINE steps from each row to the next."""
    t = np.arange(FINE)[None, :, None] / FINE
    weights = (1 - t) ** 3 / 6, 2 / 3 - t**2 + t**3 / 2, 2 / 3 - (1 - t) ** 2 + (1 - t) ** 3 / 2, t**3 / 6
    rows = (np.roll(knots, 1 - k, axis=0)[:, None, :] for k in range(4))
    fine = sum((weight * row for weight, row in zip(weights, rows, strict=True)), start=np.zeros(1))
    return fine.reshape(-1, knots.shape[1])
