"""Connected patches of cells, numbered by their place on the lattice and joined across blocks.

A patch is named by its first cell: the one with the least row and, in that row, the least column. So it has the
same number in every run and, once its parts are joined, for every cutting into blocks. Each block numbers the
patches of its own cells; what meets along the borders is joined afterwards from the labelled border cells alone,
and sums of the parts are added up. Numbers are 64-bit integers of less than 53 bits, exact as floating point too.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numba
import numpy as np
import shapely
from numpy.typing import NDArray
from scipy import sparse

from geomon.errors import InputError
from geomon.grid import Floats, Window
from geomon.stats.coverage import Integers

Mask = NDArray[np.bool_]

ROW = 1 << 27  # from the number of a cell to that of the one below
COLUMN = ROW >> 1  # of column 0
MOST = 1 << 25  # rows to each side of row 0


def place(i: Integers, j: Integers) -> Integers:
    """The numbers of cells by their rows and columns on the lattice."""
    return i * ROW + j + COLUMN


def row_column(number: Integers) -> tuple[Integers, Integers]:
    """Rows and columns on the lattice of the cells with these numbers: the first cells of patches."""
    return number // ROW, number % ROW - COLUMN


def patches(mask: Mask, window: Window, connectivity: int = 8) -> Integers:
    """The number of the patch that each cell of a block belongs to, shape (rows, columns); 0 outside the mask.

    Cells are neighbours across their sides (connectivity 4) or across corners too (8). What is unseen is to be
    False. InputError for a mask that is not of the window's shape, another connectivity, or a window too far from
    the origin of its lattice to be numbered (2^25 rows, 2^26 columns).
    """
    if mask.shape != window.shape or mask.dtype != np.bool_:
        raise InputError(f"The mask is {mask.dtype} {mask.shape}. Give booleans of the window's shape, {window.shape}.")
    if max(-window.i0, window.i1) >= MOST or max(-window.j0, window.j1) >= COLUMN:
        raise InputError(f"{window} is beyond row {MOST} or column {COLUMN}. Use a grid whose origin is nearer.")
    return np.asarray(numbered(np.ascontiguousarray(mask), window.i0, window.j0, beyond(connectivity)))


def beyond(connectivity: int) -> int:
    """How many cells beyond its ends a run of cells touches its neighbours in the next row."""
    if connectivity not in (4, 8):
        raise InputError(f"Connectivity {connectivity} was asked for. There are 4 (sides) and 8 (sides and corners).")
    return int(connectivity == 8)


@numba.njit(nogil=True, cache=True, error_model="numpy")
def root(parent: Integers, k: int) -> int:
    """The first run that run k is known to be connected with; the way there is halved."""
    while parent[k] != k:
        parent[k] = parent[parent[k]]
        k = parent[k]
    return k


@numba.njit(nogil=True, cache=True, error_model="numpy")
def begun(row: Integers | Mask) -> int:
    """How many runs of equal cells other than 0 begin in a row."""
    count = 0 if len(row) == 0 else int(row[0] != 0)
    for j in range(1, len(row)):
        count += (row[j] != row[j - 1]) & (row[j] != 0)
    return count


@numba.njit(nogil=True, cache=True, error_model="numpy")
def numbered(mask: Mask, i0: int, j0: int, reach: int) -> Integers:
    """Runs of cells joined with those they touch in the row above; the first run of a patch gives its number."""
    height, width = mask.shape
    first = np.zeros(height + 1, np.int64)
    for i in range(height):
        first[i + 1] = first[i] + begun(mask[i])
    start, stop = np.empty(first[height], np.int64), np.empty(first[height], np.int64)
    parent, number = np.empty(first[height], np.int64), np.empty(first[height], np.int64)
    k = 0
    for i in range(height):
        above = first[i - 1] if i else 0
        j = 0
        while j < width:
            if not mask[i, j]:
                j += 1
                continue
            start[k], parent[k] = j, k
            while j < width and mask[i, j]:
                j += 1
            stop[k] = j
            while above < first[i] and stop[above] + reach <= start[k]:
                above += 1
            other = above
            while other < first[i] and start[other] < stop[k] + reach:
                a, b = root(parent, k), root(parent, other)
                parent[max(a, b)] = min(a, b)
                other += 1
            k += 1
    labels = np.zeros(mask.shape, np.int64)
    for i in range(height):
        for k in range(first[i], first[i + 1]):
            r = root(parent, k)
            number[k] = number[r] if r < k else (i0 + i) * ROW + j0 + start[k] + COLUMN
            labels[i, start[k] : stop[k]] = number[k]
    return labels


@dataclass(frozen=True)
class Border:
    """The labelled cells along the four edges of a block: all that joining it to its neighbours needs."""

    cells: Integers
    """Their numbers on the lattice."""
    labels: Integers
    """The patches of the block that they belong to."""
    window: Window
    """Of the block."""


def border(labels: Integers, window: Window) -> Border:
    """The border of a block from its labels."""
    edge = np.ones(window.shape, bool)
    edge[1:-1, 1:-1] = False
    i, j = np.nonzero(edge & (labels != 0))
    return Border(place(i + window.i0, j + window.j0), labels[i, j], window)


@dataclass(frozen=True)
class Joined:
    """What the parts of patches that cross the borders of blocks are called once they are whole."""

    parts: Integers
    """Numbers of parts in rising order; of those alone whose patch has an earlier first cell in another block."""
    whole: Integers
    """The number of the patch of each."""

    def relabel(self, labels: Integers) -> Integers:
        """The labels of any block, with the numbers of whole patches."""
        if not len(self.parts):
            return labels
        at = np.minimum(np.searchsorted(self.parts, labels), len(self.parts) - 1)
        return np.where(self.parts[at] == labels, self.whole[at], labels)


def join(borders: Sequence[Border], connectivity: int = 8) -> Joined:
    """Patches that meet along the borders of blocks, of any sizes and in any order, as one.

    The result is that of labelling the whole at once. InputError if blocks overlap.
    """
    steps = (1, ROW, ROW + 1, ROW - 1) if beyond(connectivity) else (1, ROW)
    refuse_overlaps([b.window for b in borders])
    none = [np.empty(0, np.int64)]
    cells = np.concatenate([*none, *(b.cells for b in borders)])
    if not len(cells):
        return Joined(cells, cells)
    order = np.argsort(cells)
    cells, labels = cells[order], np.concatenate([*none, *(b.labels for b in borders)])[order]
    names, node = np.unique(labels, return_inverse=True)
    pairs = []
    for step in steps:
        at = np.minimum(np.searchsorted(cells, cells + step), len(cells) - 1)
        met = np.nonzero(cells[at] == cells + step)[0]
        pairs.append(np.stack([node[met], node[at[met]]]))
    a, b = np.concatenate(pairs, axis=1)
    graph = sparse.coo_array((np.ones(len(a), np.int8), (a, b)), (len(names), len(names)))
    _, group = sparse.csgraph.connected_components(graph, directed=False)
    _, first = np.unique(group, return_index=True)  # names rise, so the first of a group is its least
    whole = names[first[group]]
    moved = whole != names
    return Joined(names[moved], whole[moved])


def refuse_overlaps(windows: Sequence[Window]) -> None:
    """InputError if two windows share a cell."""
    held = np.array([(w.j0, w.i0, w.j1, w.i1) for w in windows if w.shape[0] and w.shape[1]], np.float64).reshape(-1, 4)
    boxes = shapely.box(*(held + np.array([0.25, 0.25, -0.25, -0.25])).T)
    if shapely.STRtree(boxes).query(boxes, "intersects").shape[1] > len(boxes):  # each meets itself
        raise InputError("Blocks that overlap were to be joined. Label each block without its margin.")


@dataclass(frozen=True, kw_only=True)
class Totals:
    """What patches hold, one entry each in the order of their numbers; parts of patches add up."""

    patch: Integers
    cells: Integers
    square_metres: Floats
    amount: Floats
    """Of what was counted, without its unseen cells."""
    unseen: Integers
    """Cells in which the amount is NaN."""
    box: Integers
    """Rows i0:i1 and columns j0:j1 on the lattice that hold the patch, shape (patches, 4)."""


def totals(labels: Integers, window: Window, amount: Floats | None = None) -> Totals:
    """Cells, true area, amount (people; 0 without one) and bounding boxes of the patches of a block."""
    values = np.zeros((1, 1)) if amount is None else amount
    values = np.broadcast_to(np.asarray(values, np.float64), window.shape)
    at, patch, sums = runs(labels, window.areas, values)
    i, j, length, unseen = at.T
    every = Totals(
        patch=patch,
        cells=length,
        square_metres=sums[:, 0],
        amount=sums[:, 1],
        unseen=unseen,
        box=np.stack([window.i0 + i, window.i0 + i + 1, window.j0 + j, window.j0 + j + length], axis=1),
    )
    return grouped(every)


@numba.njit(nogil=True, cache=True, error_model="numpy")
def runs(labels: Integers, areas: Floats, amount: Floats) -> tuple[Integers, Integers, Floats]:
    """Row, column, length and unseen cells, patch, and area and amount of each run of cells of one patch."""
    height, width = labels.shape
    count = 0
    for i in range(height):
        count += begun(labels[i])
    at, patch, sums = np.zeros((count, 4), np.int64), np.empty(count, np.int64), np.zeros((count, 2))
    k = -1
    for i in range(height):
        for j in range(width):
            if labels[i, j] == 0:
                continue
            if j == 0 or labels[i, j] != labels[i, j - 1]:
                k += 1
                patch[k], at[k, 0], at[k, 1] = labels[i, j], i, j
            at[k, 2] += 1
            sums[k, 0] += areas[i, j]
            if np.isnan(amount[i, j]):
                at[k, 3] += 1
            else:
                sums[k, 1] += amount[i, j]
    return at, patch, sums


def add(parts: Sequence[Totals], joined: Joined) -> Totals:
    """The totals of whole patches from those of blocks.

    To the same bits for any order of the blocks; areas and amounts to 1e-12 of them for another cutting into blocks.
    """
    every = {name: np.concatenate([getattr(p, name) for p in parts]) for name in Totals.__dataclass_fields__}
    return grouped(Totals(**every | {"patch": joined.relabel(every["patch"])}))


def grouped(parts: Totals) -> Totals:
    """Parts of one patch summed, in rising order of what they hold: their own order plays no role."""
    patch, k = np.unique(parts.patch, return_inverse=True)
    first = np.cumsum(np.bincount(k, minlength=len(patch))) - np.bincount(k, minlength=len(patch))

    def summed(values: Floats) -> Floats:
        order = np.lexsort((values, k))
        return np.bincount(k[order], values[order], len(patch)).astype(np.float64)

    def counted(values: Integers) -> Integers:
        return np.bincount(k, values, len(patch)).astype(np.int64)

    box = parts.box[np.argsort(k, kind="stable")]
    ends = (np.minimum, np.maximum, np.minimum, np.maximum)
    return Totals(
        patch=patch,
        cells=counted(parts.cells),
        square_metres=summed(parts.square_metres),
        amount=summed(parts.amount),
        unseen=counted(parts.unseen),
        box=np.stack([e.reduceat(box[:, n], first) if len(first) else box[:, n] for n, e in enumerate(ends)], axis=1),
    )


def sieve(mask: Mask, least: int, connectivity: int = 8) -> Mask:
    """The mask without its patches of fewer than `least` cells: a minimum mapping unit; on `~mask` it fills holes.

    A patch is cut where the array ends: with a margin of `least` cells the rest is as in the whole.
    """
    labels = numbered(np.ascontiguousarray(mask), 0, 0, beyond(connectivity))
    none = np.broadcast_to(0.0, mask.shape)
    at, patch, _ = runs(labels, none, none)
    _, k = np.unique(patch, return_inverse=True)
    large = np.bincount(k, at[:, 2])[k] >= least
    return np.asarray(drawn(at[large], mask.shape))


@numba.njit(nogil=True, cache=True, error_model="numpy")
def drawn(at: Integers, shape: tuple[int, int]) -> Mask:
    """Runs of cells as a mask."""
    mask = np.zeros(shape, np.bool_)
    for k in range(len(at)):
        mask[at[k, 0], at[k, 1] : at[k, 1] + at[k, 2]] = True
    return mask
