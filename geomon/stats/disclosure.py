"""Counts of people, households or plots without giving anybody away: suppression, rounding, noise.

A table is a mapping of cells to counts and of totals to the cells that add up to them: areas under their parents,
classes under all classes, months under their year, all of them at once. What is hidden is tried against an
attacker who knows every published number and every sum, and takes differences (linear programming).

Hundepool et al. 2012, Statistical Disclosure Control (thresholds, complementary suppression, rounding); Ghosh,
Roughgarden and Sundararajan 2009 (the geometric mechanism), without the floating-point leak of Laplace noise that
Mironov 2012 found.
"""

import math
from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linprog

from geomon.errors import InputError

Cell = Hashable
Counts = Mapping[Cell, float]
Sums = Mapping[Cell, Sequence[Cell]]
"""Total -> the cells that add up to it."""

SUPPRESSED = "s"
MISSING = ":"
UNBOUNDED = 3  # a status of linprog
PEOPLE, HOUSEHOLDS, PLOTS, SENSITIVE = 10, 5, 3, 100
"""Fewest that are published of a theme."""


@dataclass(frozen=True)
class Protected:
    """A table as it may be published."""

    values: Mapping[Cell, float]
    """Only the cells that may be seen; a true zero may."""
    primary: frozenset[Cell]
    """Hidden because they are small."""
    secondary: frozenset[Cell]
    """Hidden so that no small one can be had by subtraction."""

    @property
    def hidden(self) -> frozenset[Cell]:
        """All hidden cells."""
        return self.primary | self.secondary

    def text(self, cell: Cell) -> str:
        """The cell as it is exported: a number, suppressed, or missing; never zero for either."""
        if cell in self.hidden:
            return SUPPRESSED
        return f"{self.values[cell]:.15g}" if cell in self.values else MISSING


def suppress(counts: Counts, sums: Sums | None = None, *, fewest: float = PEOPLE) -> Protected:
    """Hide counts above zero and below `fewest`, and as many others as keep those from being worked out.

    A small cell is safe when the published numbers leave it a range at least `fewest` wide. InputError for negative
    counts or sums that do not add up. Cells whose count is NaN are missing, which is not hidden.
    """
    sums = sums or {}
    refuse(counts, sums)
    known = {c: float(n) for c, n in counts.items() if not math.isnan(n)}
    primary = {c for c, n in known.items() if 0 < n < fewest}
    hidden = set(primary)
    for cell in sorted(primary, key=repr):  # hiding more only widens the ranges of those before
        while width(cell, known, hidden, sums) < fewest:
            helper = partner(cell, known, hidden, sums)
            if helper is None:
                break  # all that touches it is hidden: what is left of the range is the attacker's own guess
            hidden.add(helper)
    return Protected(
        {c: n for c, n in known.items() if c not in hidden}, frozenset(primary), frozenset(hidden - primary)
    )


def refuse(counts: Counts, sums: Sums) -> None:
    """InputError for a table that cannot be one of counts."""
    negative = [c for c, n in counts.items() if n < 0]
    if negative:
        raise InputError(f"Counts are not negative; {negative[0]!r} is {counts[negative[0]]:g}.")
    for total, cells in sums.items():
        unknown = [c for c in (total, *cells) if c not in counts]
        if unknown:
            raise InputError(
                f"{total!r} is a sum with {unknown[0]!r}, which is not in the table. Add it, or NaN for it."
            )
        parts = [counts[c] for c in cells]
        if not any(map(math.isnan, [counts[total], *parts])) and not math.isclose(
            counts[total], math.fsum(parts), rel_tol=1e-9, abs_tol=1e-6
        ):
            raise InputError(f"{total!r} is {counts[total]:g}, and its parts add up to {math.fsum(parts):g}.")


def partner(cell: Cell, known: Counts, hidden: set[Cell], sums: Sums) -> Cell | None:
    """The smallest cell above zero still seen in a sum with hidden ones that reach this one; totals only at need."""
    reached, grown = {cell}, True
    rows = [(total, list(parts)) for total, parts in sums.items()]
    while grown:
        grown = False
        for total, parts in rows:
            members = {total, *parts}
            if members & reached and (more := (members & hidden) - reached):
                reached |= more
                grown = True
    found: list[tuple[bool, float, str, Cell]] = []
    for total, parts in rows:
        if {total, *parts} & reached:
            seen = [c for c in (total, *parts) if c in known and c not in hidden and known[c] > 0]
            found += [(c == total, known[c], repr(c), c) for c in seen]
    return min(found)[3] if found else None


def width(cell: Cell, known: Counts, hidden: Iterable[Cell], sums: Sums) -> float:
    """How wide a range is left for a hidden cell by all that is published."""
    unseen = set(hidden)
    low, high = bounds(cell, {c: n for c, n in known.items() if c not in unseen}, sums)
    return high - low


def bounds(cell: Cell, published: Counts, sums: Sums) -> tuple[float, float]:
    """The least and most that a cell can be, for somebody who knows the published cells and all sums.

    InputError for numbers that contradict each other: no counts, none of them negative, have those sums.
    """
    if cell in published:
        return published[cell], published[cell]
    names = sorted({c for total, parts in sums.items() for c in (total, *parts)} | {cell}, key=repr)
    free = [c for c in names if c not in published]
    column = {c: i for i, c in enumerate(free)}
    left, right = np.zeros((len(sums), len(free))), np.zeros(len(sums))
    for row, (total, parts) in enumerate(sums.items()):
        for c, sign in [(total, -1.0), *((p, 1.0) for p in parts)]:
            if c in published:
                right[row] -= sign * published[c]
            else:
                left[row, column[c]] += sign
    aim = np.zeros(len(free))
    aim[column[cell]] = 1.0
    ends = [solved(side * aim, left, right) for side in (1.0, -1.0)]
    return ends[0], -ends[1]


def solved(aim: NDArray[np.float64], left: NDArray[np.float64], right: NDArray[np.float64]) -> float:
    """The least of a sum of unknown counts, minus infinity if nothing holds it; InputError if there are none."""
    known = {"A_eq": left, "b_eq": right} if len(left) else {}
    found = linprog(aim, **known, method="highs")
    if found.status == 0:
        return float(found.fun)
    if found.status != UNBOUNDED and linprog(np.zeros(len(aim)), **known, method="highs").status != 0:
        raise InputError(
            "The published numbers contradict their sums, so nobody can say what they give away. "
            "Give counts that add up: as they were counted, before rounding and noise."
        )
    return -math.inf


# --- Rounding


def rounded(counts: NDArray[np.float64], base: int = 5) -> NDArray[np.float64]:
    """Counts to the nearest multiple of a base, halves up; NaN stays."""
    return np.asarray(np.floor(np.asarray(counts, float) / base + 0.5) * base)


def randomly_rounded(
    counts: NDArray[np.float64], base: int = 5, *, generator: np.random.Generator
) -> NDArray[np.float64]:
    """Counts up or down to a multiple of a base, such that the expected value is the count; totals on their own."""
    low = np.floor(np.asarray(counts, float) / base) * base
    up = generator.random(np.shape(counts)) < (counts - low) / base
    return np.asarray(low + base * up)


def exposure(counts: NDArray[np.float64]) -> NDArray[np.float64]:
    """Estimates of people reached by something: tens from 100 on, hundreds from 1,000 on; no false precision."""
    n = np.asarray(counts, float)
    return np.asarray(np.where(n >= 1000, rounded(n, 100), np.where(n >= 100, rounded(n, 10), rounded(n, 5))))


# --- Noise


@dataclass
class Budget:
    """What has been spent of the privacy of one population: every release of it adds up."""

    limit: float = 4.0
    """Of a year."""
    spent: dict[str, float] = field(default_factory=dict)
    """By release."""

    @property
    def left(self) -> float:
        """What may still be spent."""
        return self.limit - math.fsum(self.spent.values())

    def spend(self, release: str, epsilon: float) -> None:
        """Enter a release; InputError if it was made before or more would be spent than there is."""
        if release in self.spent:
            raise InputError(
                f"{release} was published with noise before; another draw of it would average the noise out."
            )
        if not 0 < epsilon <= self.left + 1e-12:
            raise InputError(
                f"{release} would spend {epsilon:g} of the {self.left:g} that are left of {self.limit:g} for the year. "
                "Publish fewer tables, or coarser ones."
            )
        self.spent[release] = epsilon


def noisy(
    counts: NDArray[np.float64],
    release: str,
    budget: Budget,
    *,
    epsilon: float = 1.0,
    most: int = 1,
    generator: np.random.Generator,
) -> NDArray[np.float64]:
    """Counts of disjoint cells with two-sided geometric noise.

    P(k) = (1 - a) / (1 + a) a^|k| with a = exp(-epsilon / most), where `most` is how many one person, or household,
    can add to a count. Nothing is clipped at zero: that would lift small areas. Enters the release into the budget.
    InputError for counts that are not whole (NaN stays), or a `most` below 1; then nothing is spent.
    """
    n = np.asarray(counts, float)
    whole = np.isnan(n) | (np.isfinite(n) & (n == np.round(n)))
    if not whole.all():
        raise InputError(
            f"Noise is drawn for whole counts; there is {n[~whole][0]:g}, whose digits would tell it. Round first."
        )
    if not most >= 1:
        raise InputError(f"One person was said to add at most {most:g} to a count. Give 1 or more.")
    budget.spend(release, epsilon)
    p = -math.expm1(-epsilon / most)
    shape = np.shape(n)
    return np.asarray(n + generator.geometric(p, shape) - generator.geometric(p, shape))


def half_width(epsilon: float, most: int = 1, level: float = 0.95) -> int:
    """The least k such that the noise stays within k of zero with this probability, which is below 1."""
    if not (0 < level < 1 and epsilon > 0 and most >= 1):
        raise InputError(
            f"The noise of {epsilon:g} for at most {most:g} at a level of {level:g} was asked for: "
            "give epsilon > 0, most >= 1, 0 < level < 1."
        )
    rate = epsilon / most
    return max(0, math.ceil(-math.log((1 - level) * (1 + math.exp(-rate)) / 2) / rate - 1))


# --- Releases


@dataclass(frozen=True)
class Release:
    """What was published before: counts of sets of the smallest units (atoms) that any release tells apart."""

    name: str
    counts: Mapping[str, float]
    """Cell -> published count."""
    atoms: Mapping[str, frozenset[str]]
    """Cell -> the units that it holds."""


def refuse_difference(new: Release, before: Sequence[Release], truth: Counts, *, fewest: float = PEOPLE) -> None:
    """InputError if a release, beside those before it, lets a small count be had by subtraction.

    `truth` counts the units, which stay here. Two tables that are safe each may not be safe together: districts of
    the old and the new boundary differ by a village.
    """
    alone = exposed([*before], truth, fewest)
    together = exposed([*before, new], truth, fewest) - alone
    if together:
        raise InputError(
            f"{new.name} beside {', '.join(r.name for r in before) or 'what it says itself'} would give away "
            f"{len(together)} counts below {fewest:g} by subtraction. Publish it on the areas of before."
        )


def exposed(releases: Sequence[Release], truth: Counts, fewest: float) -> set[frozenset[str]]:
    """Differences of published cells, one inside the other, and units, whose small count is known from them."""
    units = sorted({a for r in releases for atoms in r.atoms.values() for a in atoms})
    told = [(r, cell, atoms) for r in releases for cell, atoms in r.atoms.items() if cell in r.counts]
    sums: dict[Cell, Sequence[Cell]] = {(r.name, cell): tuple(atoms) for r, cell, atoms in told}
    published: dict[Cell, float] = {(r.name, cell): r.counts[cell] for r, cell, _ in told}
    sets = {frozenset({u}) for u in units}
    cells = {atoms for _, _, atoms in told}
    sets |= {a - b for a in cells for b in cells if b < a}
    found = set()
    for parts in sets:
        count = math.fsum(float(truth[a]) for a in parts)
        if 0 < count < fewest:
            low, high = bounds("asked", published, {**sums, "asked": tuple(parts)})
            if high - low < fewest:
                found.add(parts)
    return found
