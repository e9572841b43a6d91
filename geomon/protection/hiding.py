"""Which cells of a table stay hidden, so that no small count can be had by subtraction: one range at a time.

The rule is that of stats.disclosure (a small count keeps a range at least as wide as the threshold, for an attacker
who knows every published cell and every sum); here the ranges are found within the few hidden cells that hang
together, so that tables of thousands of cells take seconds.
"""

import math
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linprog
from scipy.sparse import csr_array

from geomon.stats.disclosure import UNBOUNDED

CLOSE = 1e-6
"""How far a range may fall short of the threshold by rounding in the solver."""


@dataclass(frozen=True)
class Sum:
    """`times` the total is what the parts add up to."""

    total: int
    parts: tuple[int, ...]
    times: float = 1.0

    @property
    def members(self) -> tuple[int, ...]:
        """The total and its parts."""
        return (self.total, *self.parts)


@dataclass(frozen=True)
class Cells:
    """Counts by number of their cell, and the sums between them, which hold for these counts."""

    counts: Sequence[float]
    sums: Sequence[Sum]
    shut: frozenset[int] = frozenset()
    """Cells that nobody publishes: remainders, and what is withheld for another reason."""


class Table:
    """Cells with those that are hidden; what is hidden only grows."""

    def __init__(self, cells: Cells, hidden: Iterable[int] = (), told: frozenset[int] = frozenset()) -> None:
        self.told = told
        self.counts, self.sums, self.shut = cells.counts, cells.sums, cells.shut
        self.hidden = set(hidden) | (cells.shut - told)
        self.reached: dict[int, tuple[float, float]] = {}
        """Least and most of hidden cells in tables that fit what is published; hiding more leaves them fitting."""
        self.of: list[list[int]] = [[] for _ in cells.counts]
        for row, line in enumerate(cells.sums):
            for cell in line.members:
                self.of[cell].append(row)

    def reach(self, cell: int) -> tuple[list[int], list[int]]:
        """The hidden cells that hang together with one, itself first, and the sums that they are in."""
        found, rows, waiting = {cell: None}, dict[int, None](), [cell]
        while waiting:
            for row in self.of[waiting.pop()]:
                if row not in rows:
                    rows[row] = None
                    more = [c for c in self.sums[row].members if c in self.hidden and c not in found]
                    found |= dict.fromkeys(more)
                    waiting += more
        return list(found), list(rows)

    def width(self, cell: int, enough: float = math.inf) -> float:
        """How wide a range the published cells leave for a hidden one; exact below `enough`, else at least that."""
        cells, rows = self.reach(cell)
        if not rows:
            return math.inf
        if len(rows) == 1:
            return self.alone(cell, self.sums[rows[0]], cells)
        low, high = self.reached.get(cell, (0.0, 0.0))
        easy = max((self.exchanged(cell, row) for row in self.of[cell]), default=0.0)
        if max(easy, high - low) >= enough:
            return max(easy, high - low)
        low, high = self.range(cell, cells, rows)
        return high - low

    def alone(self, cell: int, line: Sum, cells: Sequence[int]) -> float:
        """The width where one sum says all: the hidden parts share what is left of a published total."""
        if line.total in cells:
            return math.inf if len(cells) > 1 else 0.0
        return math.fsum(self.counts[c] for c in cells) if len(cells) > 1 else 0.0

    def exchanged(self, cell: int, row: int) -> float:
        """A width that is there at least: what a part can swap with the other hidden parts of one of its sums."""
        line = self.sums[row]
        if cell == line.total:
            return 0.0
        taken: set[int] = {row}
        own, *others = [self.play(c, row, taken) for c in (cell, *(p for p in line.parts if p in self.hidden - {cell}))]
        return min(own[0], math.fsum(o[1] for o in others)) + min(own[1], math.fsum(o[0] for o in others))

    def play(self, cell: int, row: int, taken: set[int]) -> tuple[float, float]:
        """How far a cell can go up and down if only cells that are in no other sum make up for it in its other sums."""
        up, down = math.inf, self.counts[cell]
        for other in self.of[cell]:
            line = self.sums[other]
            if other == row:
                continue
            free = [c for c in line.parts if c != cell and c in self.hidden and len(self.of[c]) == 1]
            if other in taken or not free:
                return 0.0, 0.0
            taken.add(other)
            room = math.fsum(self.counts[c] for c in free)
            up, down = (up, min(down, room / line.times)) if cell == line.total else (min(up, room), down)
        return up, down

    def range(self, cell: int, cells: Sequence[int], rows: Sequence[int]) -> tuple[float, float]:
        """The least and most that a cell can be, by linear programming over what hangs together with it."""
        column = {c: i for i, c in enumerate(cells)}
        terms = [
            (row, column[c], sign)
            for row, line in enumerate(self.sums[r] for r in rows)
            for c, sign in ((line.total, -line.times), *((p, 1.0) for p in line.parts))
            if c in column
        ]
        at_row, at_column, signs = zip(*terms, strict=True)
        left = csr_array((signs, (at_row, at_column)), shape=(len(rows), len(cells)))
        truth = np.array([self.counts[c] for c in cells])
        scale = max(1.0, float(np.median(truth)))
        ends = []
        for side in (1.0, -1.0):
            end, table = solved(side, column[cell], left, left @ (truth / scale))
            ends.append(end * scale)
            for c, count in zip(cells, (table * scale).tolist(), strict=False):
                low, high = self.reached.get(c, (count, count))
                self.reached[c] = (min(low, count), max(high, count))
        known = not any(map(math.isnan, ends))  # what cannot be told counts as given away
        return (ends[0], -ends[1]) if known else (self.counts[cell], self.counts[cell])

    def helper(self, cell: int) -> int | None:
        """The smallest cell above zero still seen beside this one, else beside what hangs together with it."""
        _, rows = self.reach(cell)
        near = [r for r in rows if r in self.of[cell]]
        for some in (near, rows):
            for totals in (False, True):  # a total takes more away from the reader than a part
                seen = [
                    c
                    for r in some
                    for c in ((self.sums[r].total,) if totals else self.sums[r].parts)
                    if c not in self.hidden and c not in self.told and self.counts[c] > 0
                ]
                if seen:
                    return min(seen, key=lambda c: (self.counts[c], c))
        return None


def solved(side: float, cell: int, left: csr_array, right: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
    """The least of a cell, or minus its most, and a table that has it.

    Minus infinity if nothing holds it, NaN if the solver cannot tell; then without a table.
    """
    aim = np.zeros(left.shape[1])
    aim[cell] = side
    found = linprog(aim, A_eq=left, b_eq=right, method="highs")
    if found.status == 0:
        return float(found.fun), np.asarray(found.x, float)
    return (-math.inf if found.status == UNBOUNDED else math.nan), np.empty(0)


def hide(
    cells: Cells, fewest: float, *, kept: Iterable[int] = (), told: Collection[int] = ()
) -> tuple[set[int], list[int]]:
    """The cells that stay hidden, and the small ones that are given away all the same.

    Hidden are the small ones, those that are `kept` hidden from before, and as many others as keep the small ones
    from being worked out. What was `told` before is known, hidden or not, and helps nobody.
    """
    small = [c for c, n in enumerate(cells.counts) if 0 < n < fewest and c not in told]
    table = Table(cells, {*small, *kept} - set(told), frozenset(told))
    bare = []
    for cell in small:
        while table.width(cell, fewest) < fewest - CLOSE:
            helper = table.helper(cell)
            if helper is None:  # all that touches it is hidden, or told
                bare.append(cell)
                break
            table.hidden.add(helper)
    return table.hidden | {c for c in told if 0 < cells.counts[c] < fewest}, bare
