"""A series as a table of counts: its cells, and every sum that a reader of it could take a difference in.

Areas add up to their parents, classes to all classes, months to their year, outputs to other outputs. Only the
first is known beforehand; the others are taken from the numbers: what adds up is a sum to an attacker too.
"""

import functools
import itertools
import json
import math
from collections import defaultdict
from collections.abc import Callable, Collection, Hashable, Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd

from geomon.period import Period
from geomon.protection.guards import Guard
from geomon.protection.hiding import Cells, Sum

MOMENT = pd.Timedelta(1, "ns")
SAME = 1e-6
"""Numbers that differ by less than this share of themselves are the same."""
REST = "rest "
"""How the names of what is left between a total and its parts begin: of a column, an area, a period or a class."""
COLUMNS = 6
"""Of counts, up to which all sums between them are looked for; above it, which holds which."""
PASSES = 6
"""In which what is left in one direction is followed through the others; three directions lead to a fourth."""


class Key(NamedTuple):
    """A cell: a column of counts (an output, or a quantity of the totals), where, when, of whom."""

    column: str
    zone: str
    period: str
    breakdown: str


class Line(NamedTuple):
    """`times` a total is its parts and what is `left`, which is a cell of its own that nobody publishes."""

    total: Key
    parts: tuple[Key, ...]
    left: Key
    times: float = 1.0


class Book:
    """Counts by key, and the sums between them, while they are gathered."""

    def __init__(self) -> None:
        self.counts: dict[Key, float] = {}
        self.shut: set[Key] = set()
        """Never published as they are: withheld for another reason, or made."""
        self.made: set[Key] = set()
        """In no table: margins, and what is left between a total and its parts."""
        self.sums: list[tuple[Key, tuple[Key, ...], float]] = []
        self.names: dict[Hashable, str] = {}

    def name(self, what: Hashable) -> str:
        """A name for what is left; the same wherever the same parts are taken from the same total."""
        return self.names.setdefault(what, f"{REST}{len(self.names)}")

    def make(self, key: Key, count: float) -> None:
        """A cell that no table has."""
        self.counts[key] = count
        self.shut.add(key)
        self.made.add(key)

    def leave(self, line: Line) -> None:
        """Make the cell that is left; where the parts are more than the total, the total is what they are."""
        if line.left in self.counts:
            return
        rest = line.times * self.counts[line.total] - math.fsum(self.counts[p] for p in line.parts)
        size = max(line.times * self.counts[line.total], 1.0)
        if rest > SAME * size:
            self.make(line.left, rest)
        elif rest < -SAME * size:
            self.counts[line.total] -= rest / line.times

    def add(self, line: Line) -> None:
        """A sum."""
        left = () if line.left in line.parts or line.left not in self.counts else (line.left,)
        self.sums.append((line.total, (*line.parts, *left), line.times))

    def cells(self) -> tuple[Cells, list[Key]]:
        """The table by number, and the key of each number."""
        keys = list(self.counts)
        number = {key: n for n, key in enumerate(keys)}
        sums = [Sum(number[t], tuple(number[p] for p in parts), times) for t, parts, times in self.sums]
        return Cells([self.counts[k] for k in keys], sums, frozenset(number[k] for k in self.shut)), keys


def book_of(
    series: pd.DataFrame,
    guard: Guard,
    above: Mapping[str, str],
    totals: pd.DataFrame | None,
    before: Mapping[Key, float] | None = None,
) -> Book:
    """All counts of a series that its guard protects, with all sums between them and the counts of `before`."""
    book = Book()
    for row in series.to_dict("records"):
        times = guard.times(str(row["unit_measure"]))
        if times is not None:
            key = Key(str(row["series"]), *(str(row[n]) for n in ("ref_area", "time_period", "breakdown")))
            enter(book, key, times * float(row["obs_value"]), times * float(row["lower"]))
    counts = {k.column for k in book.counts}
    wanted = behind_others(series, guard, counts)
    add_margins(book, {o for q, o in guard.columns(counts).items() if q in wanted})
    if totals is not None:
        for key, count in gathered(totals, guard, wanted - set(guard.columns(counts))):
            enter(book, key, count, count)
    for key, count in (before or {}).items():
        enter(book, key, count, count)
    make_margins(book)
    lines = functools.partial(areas, above=above), classes, periods, columns
    for _ in range(PASSES):
        size = len(book.counts)
        for found in lines:
            for line in list(found(book)):
                book.leave(line)
        if len(book.counts) == size:
            break
    for found in lines:
        for line in found(book):
            book.add(line)
    return book


def enter(book: Book, key: Key, count: float, seen: float) -> None:
    """A cell; of one that is withheld what was seen of it counts all the same: its parent holds it.

    Less than nobody is a difference between counts, which tells one of them: it is not shown.
    """
    if key not in book.counts:
        book.counts[key] = max(0.0, count if math.isfinite(count) else seen if math.isfinite(seen) else 0.0)
        if count < 0 or (not math.isfinite(count) and book.counts[key] > 0):
            book.shut.add(key)


def behind_others(series: pd.DataFrame, guard: Guard, counts: set[str]) -> set[str]:
    """The quantities behind outputs that are no counts themselves; '' where one does not say what it is made of."""
    others = {str(n) for n in series["series"].unique()} - counts
    return {q for n in others for q in guard.uses.get(n, ("",))}


def add_margins(book: Book, columns: set[str]) -> None:
    """All classes together, of counts that shares are taken of: a share and a count tell it."""
    sums: dict[Key, float] = defaultdict(float)
    for key, count in book.counts.items():
        if key.column in columns and key.breakdown:
            sums[key._replace(breakdown="")] += count
    for key, count in sums.items():
        enter(book, key, count, count)


def make_margins(book: Book) -> None:
    """All classes together, and by some of their keys, wherever a table has the finer classes only."""
    finest: dict[str, set[frozenset[str]]] = defaultdict(set)
    for key in book.counts:
        finest[key.column].add(frozenset(named(key.breakdown)))
    for column, shapes in finest.items():
        for shape in sorted(shapes, key=len, reverse=True):
            sums: dict[Key, list[float]] = defaultdict(list)
            for key, count in book.counts.items():
                pairs = named(key.breakdown)
                if key.column == column and pairs and pairs.keys() == shape:
                    for n in range(len(pairs)):
                        for kept in itertools.combinations(sorted(pairs.values()), n):
                            if not any(k in book.counts for k in orders(key, kept)):
                                sums[key._replace(breakdown=",".join(kept))].append(count)
            for key, counts in sums.items():
                book.make(key, math.fsum(counts))


def gathered(totals: pd.DataFrame, guard: Guard, wanted: set[str]) -> Iterator[tuple[Key, float]]:
    """Counts that shares are made of and that no output gives as they are; '' wants all there are."""
    rows = totals[(totals["what"] == "total") & (totals["kind"] == "amount")]
    rows = rows if "" in wanted else rows[rows["quantity"].isin(wanted)]
    sums: dict[Key, float] = defaultdict(float)
    for quantity, unit, zone, period, keys, number in rows[
        ["quantity", "unit", "zone", "period", "keys", "number"]
    ].itertuples(index=False, name=None):
        times = guard.times(str(unit))
        if times is None:
            continue
        pairs = json.loads(keys) if isinstance(keys, str) else keys
        written = ",".join(f"{k}={np.format_float_positional(float(v), trim='-')}" for k, v in pairs)
        for breakdown in {written, ""}:
            sums[Key(f"total {quantity}", str(zone), str(period), breakdown)] += times * float(number)
    yield from sums.items()


# --- Sums


def areas(book: Book, above: Mapping[str, str]) -> Iterator[Line]:
    """Areas under their parents, the lowest first."""
    parts: dict[Key, list[Key]] = defaultdict(list)
    for key in book.counts:
        at = above.get(key.zone, "")
        while at and key._replace(zone=at) not in book.counts:
            at = above.get(at, "")
        if at:
            parts[key._replace(zone=at)].append(key)
    for total in sorted(parts, key=lambda k: -depth(k.zone, above)):
        own = tuple(parts[total])
        yield Line(total, own, total._replace(zone=book.name((total.zone, frozenset(k.zone for k in own)))))


def depth(zone: str, above: Mapping[str, str]) -> int:
    """How many areas stand above one."""
    return 0 if zone not in above else 1 + depth(above[zone], above)


def named(breakdown: str) -> dict[str, str]:
    """Name of each class -> name and value."""
    return {p.partition("=")[0]: p for p in breakdown.split(",") if p}


def classes(book: Book) -> Iterator[Line]:
    """Classes under what is less broken down."""
    parts: dict[tuple[Key, tuple[str, ...]], list[Key]] = defaultdict(list)
    for key in book.counts:
        own = named(key.breakdown)
        for n in range(len(own)):
            for kept in itertools.combinations(sorted(own), n):
                total = next((t for t in orders(key, [own[k] for k in kept]) if t in book.counts), None)
                if total is not None:
                    parts[total, tuple(sorted(own.keys() - set(kept)))].append(key)
    for (total, names), found in parts.items():
        if below(book, total, found):
            rest = book.name((names, frozenset(named(k.breakdown)[n] for k in found for n in names)))
            pair = f"{names[0]}={rest}" if len(names) == 1 else f"{rest}={rest}"
            yield Line(total, tuple(found), total._replace(breakdown=f"{total.breakdown},{pair}".strip(",")))


def orders(key: Key, kept: Sequence[str]) -> Iterator[Key]:
    """The key of a margin, in whichever order its classes are written."""
    return (key._replace(breakdown=",".join(some)) for some in itertools.permutations(kept))


def below(book: Book, total: Key, parts: Iterable[Key]) -> bool:
    """Whether parts do not exceed a total."""
    return math.fsum(book.counts[p] for p in parts) <= book.counts[total] * (1 + SAME) + SAME


def periods(book: Book) -> Iterator[Line]:
    """Months under their year, years under their span, wherever they add up to it or it is their mean."""
    labels = sorted({k.period for k in book.counts if k.period and not k.period.startswith(REST)})
    known = {label: Period.of(label) for label in labels}
    rows: dict[str, list[Key]] = defaultdict(list)
    for key in book.counts:
        rows[key.period].append(key)
    for label, whole in known.items():
        finer: dict[int, list[Period]] = defaultdict(list)
        for other, period in known.items():
            if whole.holds(period) and not period.holds(whole):
                finer[len(other)].append(period)
        for some in finer.values():
            inside = sorted(some, key=lambda p: p.start)
            apart = not any(a.overlaps(b) for a, b in itertools.pairwise(inside))
            for own in [inside] if apart else [[p] for p in inside]:
                for total in rows[label]:
                    yield from within(book, total, whole, own, known.values())


def within(
    book: Book, total: Key, whole: Period, inside: Sequence[Period], known: Collection[Period]
) -> Iterator[Line]:
    """One period and those of one kind inside it."""
    own = [p for p in inside if total._replace(period=p.label) in book.counts]
    parts = tuple(total._replace(period=p.label) for p in own)
    if not parts:
        return
    count = book.counts[total]
    if below(book, total, parts):
        yield Line(total, parts, total._replace(period=beside(whole, own, known) or book.name((whole.label, *own))))
    elif len(parts) > 1:
        found = math.fsum(book.counts[p] for p in parts) / len(parts)
        if math.isclose(count, found, rel_tol=SAME, abs_tol=SAME):
            yield Line(total, parts, total._replace(period=book.name((whole.label, *own))), float(len(parts)))


def beside(whole: Period, inside: Sequence[Period], known: Iterable[Period]) -> str:
    """The label of what is left of a period, if that is one stretch of time; else empty."""
    ends = [whole.start - MOMENT, *(end for p in inside for end in (p.start, p.end)), whole.end + MOMENT]
    gaps = [(a + MOMENT, b - MOMENT) for a, b in zip(ends[::2], ends[1::2], strict=True) if b - a > MOMENT]
    if len(gaps) != 1:
        return ""
    return next((p.label for p in known if (p.start, p.end) == gaps[0]), Period.between(*gaps[0]).label)


def columns(book: Book) -> Iterator[Line]:
    """Outputs that are others added up, or that hold another."""
    by: dict[str, dict[tuple[str, str, str], float]] = defaultdict(dict)
    for key, count in book.counts.items():
        if not key.column.startswith(REST):
            by[key.column][key[1:]] = count
    names = sorted(by)
    joined: set[frozenset[str]] = set()
    for name in names:
        for parts in mixtures([n for n in names if n != name]):
            pair = frozenset((name, *parts))
            if not any(j <= pair for j in joined) and same(
                by, name, parts, lambda t, s: abs(t - s) <= SAME * max(t, 1)
            ):
                joined.add(pair)
                yield from linked(book, by, name, parts)
    for name, other in itertools.permutations(names, 2):
        if not any({name, other} <= j for j in joined) and same(by, name, (other,), lambda t, s: s <= t * (1 + SAME)):
            yield from linked(book, by, name, (other,))


def mixtures(names: Sequence[str]) -> Iterator[tuple[str, ...]]:
    """Every choice of columns; one at a time where there are many."""
    most = len(names) if len(names) < COLUMNS else 1
    return itertools.chain.from_iterable(itertools.combinations(names, n) for n in range(1, most + 1))


def same(
    by: Mapping[str, Mapping[tuple[str, str, str], float]],
    name: str,
    parts: Sequence[str],
    close: Callable[[float, float], bool],
) -> bool:
    """Whether a column and the sum of others stand so to each other in every cell that all have."""
    common = [k for k in by[name] if all(k in by[p] for p in parts)]
    return bool(common) and all(close(by[name][k], math.fsum(by[p][k] for p in parts)) for k in common)


def linked(
    book: Book, by: Mapping[str, Mapping[tuple[str, str, str], float]], name: str, parts: Sequence[str]
) -> Iterator[Line]:
    """One sum between columns for each cell that all have."""
    rest = book.name((name, *parts))
    for k in by[name]:
        if all(k in by[p] for p in parts):
            yield Line(Key(name, *k), tuple(Key(p, *k) for p in parts), Key(rest, *k))
