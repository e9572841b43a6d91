"""Land, sea and mountains of the sample country, and the rivers that run off them."""

from __future__ import annotations

import heapq
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage
from scipy.spatial import cKDTree

from geomon.sample.noise import Array, Noise

CENTRE = (82.0, -8.0)  # degrees; open ocean in every direction for more than a thousand kilometres
WIDTH, HEIGHT = 1.5, 1.25  # degrees
KM = (110.2415, 110.6101)  # kilometres to a degree of longitude and of latitude at the centre

# Smooth mounds that the country is raised from: x, y, length, breadth (km), turn (degrees), height
MOUNDS = (
    (-24, 8, 41, 33, 15, 1.00),
    (12, -10, 36, 27, -25, 0.88),
    (40, -24, 19, 12, -38, 0.60),
    (-54, 36, 15, 11, 30, 0.50),
    (-46, -28, 19, 13, -70, 0.60),
    (20, 22, 20, 13, 20, 0.40),
    (-2, -40, 12, 24, -12, -1.30),  # the bay
    (-66, 2, 15, 8, 10, -0.75),  # the western gulf
    (42, 8, 13, 7, 20, -0.55),
    (-10, 52, 8, 7, 10, -0.40),
    (61, 40, 17, 9.5, 42, 1.05),  # the great island
    (43, 29, 12, 5, -60, -0.60),  # the strait
    (70, 12, 6.5, 4.5, 70, 0.85),
    (43, 55, 6, 4, 20, 0.85),
    (27, 58, 3.8, 3, 20, 0.82),
    (66, -38, 6, 4, 45, 0.85),
    (72, -50, 4, 3, 15, 0.82),
    (-72, -30, 4, 6, 25, 0.85),
    (-66, -48, 3.4, 4, 25, 0.82),
)
# Crests of the mountains: x, y of each knee (km), height (m), breadth (km)
CRESTS = (
    (((-52, 30), (-38, 27), (-24, 24), (-10, 25), (4, 22), (18, 17)), 2250.0, 13.0),
    (((-46, -12), (-40, 2), (-38, 16)), 1250.0, 10.0),
    (((30, -13), (40, -22)), 520.0, 7.0),
    (((54, 33), (64, 43)), 1150.0, 5.5),
)
# The valley of the great river, from its gorge to the bay: x, y (km), height of its floor (m)
VALLEY = (
    (38, 12, 420),
    (27, 8, 240),
    (12, 7, 150),
    (-6, 6, 95),
    (-17, -3, 55),
    (-16, -14, 26),
    (-7, -22, 8),
    (-2, -29, -5),
)
CELL = 0.6  # km, the grid on which rivers are found


@dataclass(frozen=True)
class Terrain:
    """The shape of the ground as a function of position (km east and north of the centre)."""

    seed: int

    @cached_property
    def _noises(self) -> tuple[Noise, ...]:
        return (
            Noise((self.seed, 1), 34.0, 2),
            Noise((self.seed, 2), 34.0, 2),
            Noise((self.seed, 3), 22.0, 6, 0.52),
            Noise((self.seed, 4), 26.0, 4, 0.5),
            Noise((self.seed, 5), 15.0, 6, 0.5),
            Noise((self.seed, 6), 8.0, 5, 0.55),
            Noise((self.seed, 7), 16.0, 2),
        )

    def shelf(self, x: Array, y: Array) -> Array:
        """Above 0 on land, below 0 in the sea."""
        east, north, coast = (noise(x, y) for noise in self._noises[:3])
        u, v = x + 4.5 * east, y + 4.5 * north
        total = np.zeros_like(u)
        for cx, cy, length, breadth, turn, height in MOUNDS:
            c, s = np.cos(np.radians(turn)), np.sin(np.radians(turn))
            a, b = ((u - cx) * c + (v - cy) * s) / length, ((v - cy) * c - (u - cx) * s) / breadth
            total += height * np.exp(-(a * a + b * b))
        return total - 0.45 + 0.09 * coast + 0.05 * self._noises[5](x, y)

    def elevation(self, x: Array, y: Array) -> Array:
        """Metres above the sea, below 0 in it."""
        return self.height(self.shelf(x, y), x, y)

    def height(self, shelf: Array, x: Array, y: Array) -> Array:
        """Metres above the sea of ground whose `shelf` is known."""
        inland = np.clip(shelf, 0.0, None)
        hills = self._noises[3](x, y)
        crags = self._noises[4].ridges(x, y)
        crest = np.zeros_like(x)
        for knees, top, breadth in CRESTS:
            crest = np.maximum(crest, top * np.exp(-((along(x, y, knees)[0] / breadth) ** 2)))
        rise = 1.0 - np.exp(-inland / 0.10)
        plain = 190.0 * inland + 90.0 * rise * np.clip(hills + 0.4, 0.0, None) * inland
        ground = plain + rise * crest * (0.30 + 0.95 * crags)
        wind = 3.0 * self._noises[6](x, y)
        away, at = along(x + wind, y - wind, [(knee[0], knee[1]) for knee in VALLEY])
        floor = np.minimum(np.interp(at, range(len(VALLEY)), [knee[2] for knee in VALLEY]), ground)
        ground = floor + (ground - floor) * (0.06 + 0.94 * (1.0 - np.exp(-((away / 8.0) ** 2))))
        return np.where(shelf > 0, np.maximum(ground, 0.1), 900.0 * shelf)


def along(x: Array, y: Array, knees: Sequence[tuple[float, float]]) -> tuple[Array, Array]:
    """Kilometres to a line, and where on it the nearest point is (1.5: half way from the second knee to the third)."""
    nearest, place = np.full(np.shape(x), np.inf), np.zeros(np.shape(x))
    for k, ((ax, ay), (bx, by)) in enumerate(pairwise(knees)):
        dx, dy = bx - ax, by - ay
        part = np.clip(((x - ax) * dx + (y - ay) * dy) / (dx * dx + dy * dy), 0.0, 1.0)
        away = np.hypot(x - ax - part * dx, y - ay - part * dy)
        place = np.where(away < nearest, k + part, place)
        nearest = np.minimum(away, nearest)
    return nearest, place


def frame(step: float) -> tuple[Array, Array]:
    """Centres of the cells of a grid over the frame, x and y in km, first row in the north."""
    half_x, half_y = WIDTH * KM[0] / 2, HEIGHT * KM[1] / 2
    xs = np.arange(-half_x + step / 2, half_x, step)
    ys = np.arange(half_y - step / 2, -half_y, -step)
    x, y = np.meshgrid(xs, ys)
    return x, y


@dataclass(frozen=True)
class Rivers:
    """The river network as a dense row of stations, a tree to find the nearest, and where it all goes."""

    points: Array
    "(n, 2) km"
    basin: Array
    "km2 that drain through the station"
    along: Array
    "km to the mouth, along the river"
    mouth: NDArray[np.int64]
    "number of the river system, 0 is the greatest"
    cell: NDArray[np.int64]
    "the cell of the drainage grid that it runs through"
    receiver: NDArray[np.int64]
    "for each cell of the drainage grid the one that it drains to"

    def above(self, station: int) -> NDArray[np.bool_]:
        """Which stations drain through this one."""
        through = np.zeros(self.receiver.size, dtype=bool)
        through[self.cell[station]] = True
        for _ in range(600):  # cells, longer than any river
            wider = through | through[self.receiver] & (self.receiver >= 0)
            if (wider == through).all():
                break
            through = wider
        return through[self.cell]

    @cached_property
    def tree(self) -> cKDTree:
        return cKDTree(self.points)

    @classmethod
    def of(cls, terrain: Terrain, least: float = 40.0) -> Rivers:
        """The rivers that drain at least so many km2."""
        x, y = frame(CELL)
        ground = terrain.elevation(x, y)
        receiver, order = _drain(ground)
        basin = np.full(ground.size, CELL * CELL)
        for cell in order[::-1]:
            if receiver[cell] >= 0:
                basin[receiver[cell]] += basin[cell]
        return _trace(terrain, x.ravel(), y.ravel(), ground.ravel(), receiver, order, basin, least)


def _drain(ground: Array) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Where each cell drains to (-1: the sea), and the cells from the sea upwards (priority flood)."""
    height, width = ground.shape
    flat = ground.ravel().tolist()
    sea = (ground <= 0).ravel()
    receiver = np.full(ground.size, -1, dtype=np.int64)
    done = sea.tolist()
    coast = ndimage.binary_dilation(ground > 0, np.ones((3, 3))).ravel() & sea
    heap = [(flat[cell], int(cell)) for cell in np.flatnonzero(coast)]
    heapq.heapify(heap)
    steps = [(i, j) for i in (-1, 0, 1) for j in (-1, 0, 1) if i or j]
    order: list[int] = []
    while heap:
        level, cell = heapq.heappop(heap)
        if not sea[cell]:
            order.append(cell)
        row, column = divmod(cell, width)
        for i, j in steps:
            r, c = row + i, column + j
            if 0 <= r < height and 0 <= c < width and not done[r * width + c]:
                other = r * width + c
                done[other] = True
                receiver[other] = cell
                fall = 0.02 if i and j else 0.0  # straight on, if all else is equal
                heapq.heappush(heap, (max(level + 0.05 + fall, flat[other]), other))
    return receiver, np.array(order, dtype=np.int64)


def _trace(
    terrain: Terrain,
    x: Array,
    y: Array,
    ground: Array,
    receiver: NDArray[np.int64],
    order: NDArray[np.int64],
    basin: Array,
    least: float,
) -> Rivers:
    """Smooth winding lines along the cells that carry a river, greatest river first."""
    wet = [int(cell) for cell in order if basin[cell] >= least]
    main: dict[int, int] = {}  # the greatest river that comes into a cell
    for cell in wet:
        below = int(receiver[cell])
        if below not in main or basin[cell] > basin[main[below]]:
            main[below] = cell
    starts = [cell for cell in wet if ground[receiver[cell]] <= 0 or main[int(receiver[cell])] != cell]
    starts.sort(key=lambda cell: -basin[cell])
    bends = Noise((terrain.seed, 8), 4.5, 3), Noise((terrain.seed, 9), 4.5, 3)
    placed: dict[int, tuple[float, float, float, int]] = {}
    pieces: list[tuple[Array, Array, Array, NDArray[np.int64], NDArray[np.int64]]] = []
    systems = 0
    pending = starts
    while pending:
        later: list[int] = []
        for cell in pending:
            below = int(receiver[cell])
            if ground[below] > 0 and below not in placed:
                later.append(cell)
                continue
            path = [below, cell]
            while path[-1] in main:
                path.append(main[path[-1]])
            if below in placed:
                px, py, start, system = placed[below]
            else:
                px, py, start, system = x[below], y[below], 0.0, systems
                systems += 1
            line_x = _smooth(np.array([px, *x[path[1:]]]))
            line_y = _smooth(np.array([py, *y[path[1:]]]))
            stations = np.concatenate([[0.0], np.cumsum(np.hypot(np.diff(line_x), np.diff(line_y)))])
            for k, node in enumerate(path[1:], 1):
                placed[node] = (float(line_x[k]), float(line_y[k]), start + float(stations[k]), system)
            fine = np.arange(0.0, stations[-1], 0.05)
            flow = np.interp(fine, stations, np.array([basin[path[1]], *basin[path[1:]]]))
            points = np.stack([np.interp(fine, stations, line_x), np.interp(fine, stations, line_y)], axis=1)
            nodes = np.array(path)[np.searchsorted(stations, fine, side="right").clip(1, len(path) - 1)]
            pieces.append((points, flow, start + fine, np.full(fine.size, system), nodes))
        if len(later) == len(pending):
            break
        pending = later
    points = np.concatenate([piece[0] for piece in pieces])
    shift = np.stack([bend(points[:, 0], points[:, 1]) for bend in bends], axis=1)
    return Rivers(
        points=points + 0.75 * shift,
        basin=np.concatenate([piece[1] for piece in pieces]),
        along=np.concatenate([piece[2] for piece in pieces]),
        mouth=np.concatenate([piece[3] for piece in pieces]),
        cell=np.concatenate([piece[4] for piece in pieces]),
        receiver=receiver,
    )


def _smooth(line: Array) -> Array:
    """A line with its corners rounded and its ends kept."""
    if line.size < 4:
        return line
    head, tail = 2 * line[0] - line[1:9][::-1], 2 * line[-1] - line[-9:-1][::-1]
    padded = np.concatenate([head, line, tail])
    smooth: Array = ndimage.gaussian_filter1d(padded, 2.2)[head.size : head.size + line.size]
    smooth[0], smooth[-1] = line[0], line[-1]
    return smooth
