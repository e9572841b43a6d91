"""Differences between tables of different areas: an old district less a new one is the village that moved.

All areas that anything was published of are cut into the pieces that their lines make of them. Nobody counted
those; what the published numbers leave of each is found, and a small count that is left no range is given away.
"""

import itertools
import math
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

import geopandas as gpd
import numpy as np
import shapely
from numpy.typing import NDArray
from scipy.optimize import linprog
from scipy.sparse import csr_array
from shapely.geometry.base import BaseGeometry

from geomon.errors import InputError
from geomon.period import Period
from geomon.protection.hiding import CLOSE, Cells, Sum, Table
from geomon.protection.tables import MOMENT, Key, named
from geomon.texts import say

if TYPE_CHECKING:
    from geomon.protection.releases import Entry

SLIVER = 1e-6
"""Of an area: less than this is one line drawn twice."""
ZERO = 1e-6  # a count that is none
BETWEEN = 4  # pieces between two areas, one inside the other, that are looked at together
MOST = 150
"""Pieces that hang together; of more nobody proves in a minute that none gives a small count away."""


class Area(NamedTuple):
    """An area of one set of areas: its digest and its code."""

    zones: str
    code: str


def differences(
    new: "Entry", before: Sequence["Entry"], frames: Mapping[str, gpd.GeoDataFrame], fewest: float
) -> list[Key]:
    """What a release beside those before it gives away and they did not: pieces and areas, named by an area.

    Only tables of the same column, period and breakdown are held beside each other, those among them that a release
    leaves to be added up: all classes, and a year by its months.
    """
    pieces, size = cut(frames)
    labels = {k.period for e in (new, *before) for k in e.counts}
    new, *before = (completed(e, labels) for e in (new, *before))
    found: list[Key] = []
    for table in sorted({k._replace(zone="") for k in new.counts}):
        old = [(e, {k.zone: n for k, n in e.counts.items() if k._replace(zone="") == table}) for e in (*before, new)]
        known = [(e, own) for e, own in old if own]
        if len({e.zones for e, _ in known}) > 1:
            told = {Area(e.zones, z): n for e, own in known for z, n in own.items() if table._replace(zone=z) in e.seen}
            mine = {Area(new.zones, k.zone) for k in new.seen if k._replace(zone="") == table}
            earlier = {Area(e.zones, k.zone) for e in before for k in e.seen if k._replace(zone="") == table}
            every = {Area(e.zones, z): n for e, own in known for z, n in own.items()}
            known_before = exposed({a: told[a] for a in earlier}, every, pieces, size, fewest, new.zones)
            together = exposed({a: told[a] for a in earlier | mine}, every, pieces, size, fewest, new.zones)
            found += [table._replace(zone=a.code) for a in together - known_before]
    return found


def completed(entry: "Entry", labels: Collection[str]) -> "Entry":
    """With what its cells add up to: fewer classes, and the periods of others that its own fill."""
    counts, seen = dict(entry.counts), set(entry.seen)
    parts: dict[tuple[Key, tuple[str, ...]], list[Key]] = {}
    for key in counts:
        own = named(key.breakdown)
        for kept in (some for n in range(len(own)) for some in itertools.combinations(sorted(own), n)):
            total = key._replace(breakdown=",".join(own[k] for k in kept))
            parts.setdefault((total, tuple(sorted(own))), []).append(key)
    for (total, _), found in parts.items():
        add(counts, seen, total, found)
    known = {label: Period.of(label) for label in labels if label}
    for label, whole in known.items():
        finer: dict[int, list[Period]] = {}
        for period in known.values():
            if whole.holds(period) and not period.holds(whole):
                finer.setdefault(len(period.label), []).append(period)
        for inside in (sorted(some, key=lambda p: p.start) for some in finer.values()):
            if fills(whole, inside):
                for key in [k for k in counts if k.period == inside[0].label]:
                    found = [key._replace(period=p.label) for p in inside]
                    if all(k in counts for k in found):
                        add(counts, seen, key._replace(period=label), found)
    return replace(entry, counts=counts, seen=frozenset(seen))


def add(counts: dict[Key, float], seen: set[Key], total: Key, parts: Collection[Key]) -> None:
    """A cell that its parts add up to, seen where all of them are."""
    if total not in counts:
        counts[total] = math.fsum(counts[p] for p in parts)
        if seen.issuperset(parts):
            seen.add(total)


def fills(whole: Period, inside: Sequence[Period]) -> bool:
    """Whether periods in order of time leave nothing of a longer one, and share nothing."""
    ends = [whole.start, *(p.end + MOMENT for p in inside)]
    return ends == [*(p.start for p in inside), whole.end + MOMENT]


def exposed(
    told: Mapping[Area, float],
    every: Mapping[Area, float],
    pieces: Mapping[Area, tuple[int, ...]],
    size: Sequence[float],
    fewest: float,
    newest: str,
) -> set[Area]:
    """Areas of which a small count follows: of themselves, of their pieces, of what is left of one inside another."""
    last = sorted(told, key=lambda a: a.zones == newest)  # of equal areas the newest counts
    told_sets = {pieces[a]: told[a] for a in last if not follows(a, told, every, pieces)}
    hidden = {pieces[a] for a in every if a not in told}
    left = {tuple(sorted(set(large) - set(small))) for large, small in nested(list(told_sets))}
    sets = dict.fromkeys([*((n,) for n in range(len(size))), *sorted(told_sets), *sorted(hidden | left)])
    of = {own: n for n, own in enumerate(sets)}
    sums = [Sum(n, tuple(of[m,] for m in own)) for own, n in of.items() if len(own) > 1]
    guess = counts_of(told_sets, every, pieces, size, newest)
    counts = [float(sum(guess[m] for m in own)) for own in of]
    table = Table(Cells(counts, sums), set(of.values()) - {of[s] for s in told_sets})
    names = smallest(pieces, every)
    found = set()
    for own, n in of.items():
        if own[0] in names and n in table.hidden:
            cells, rows = table.reach(n)
            if len(cells) > MOST:
                raise InputError(say("release.tangled", pieces=len(cells), area=names[own[0]].code))
            if table.width(n, fewest) < fewest - CLOSE:
                low, high = table.range(n, cells, rows)
                if high > ZERO and low < fewest - CLOSE:
                    found.add(names[own[0]])
    return found


def follows(
    area: Area, told: Mapping[Area, float], every: Mapping[Area, float], pieces: Mapping[Area, tuple[int, ...]]
) -> bool:
    """Whether an area is the sum of smaller ones of its own set that were all published."""
    own = set(pieces[area])
    parts = [a for a in every if a.zones == area.zones and len(pieces[a]) < len(own) and own.issuperset(pieces[a])]
    return bool(parts) and all(a in told for a in parts) and own == set().union(*(pieces[a] for a in parts))


def counts_of(
    told: Mapping[tuple[int, ...], float],
    every: Mapping[Area, float],
    pieces: Mapping[Area, tuple[int, ...]],
    size: Sequence[float],
    newest: str,
) -> NDArray[np.float64]:
    """Counts of the pieces that fit all published numbers; spread by area if there are none (of other products)."""
    rows = [(r, m) for r, own in enumerate(told) for m in own]
    ones = csr_array((np.ones(len(rows)), tuple(zip(*rows, strict=True))), shape=(len(told), len(size)))
    found = linprog(np.zeros(len(size)), A_eq=ones, b_eq=list(told.values()), method="highs")
    if found.status == 0:
        return np.asarray(np.maximum(found.x, 0.0))
    spread = np.zeros(len(size))
    leaves = {own for own in (pieces[a] for a in every if a.zones == newest)}
    for area, count in every.items():
        own = pieces.get(area, ())
        if area.zones == newest and not any(set(o) < set(own) for o in leaves if len(o) < len(own)):
            whole = sum(size[m] for m in own)
            for m in own:
                spread[m] = count * size[m] / whole
    return np.asarray(spread)


def smallest(pieces: Mapping[Area, tuple[int, ...]], every: Mapping[Area, float]) -> dict[int, Area]:
    """The smallest area that each piece is in."""
    found: dict[int, Area] = {}
    for area in sorted((a for a in pieces if a in every), key=lambda a: (-len(pieces[a]), a)):
        found |= dict.fromkeys(pieces[area], area)
    return found


def nested(sets: Sequence[tuple[int, ...]]) -> Iterator[tuple[tuple[int, ...], tuple[int, ...]]]:
    """Published areas one inside the other with few pieces between them."""
    by: dict[int, list[frozenset[int]]] = {}
    unique = [frozenset(s) for s in sets]
    for own in unique:
        for m in own:
            by.setdefault(m, []).append(own)
    for small in unique:
        for large in by[min(small)]:
            if small < large and len(large) - len(small) <= BETWEEN:
                yield tuple(sorted(large)), tuple(sorted(small))


# --- Pieces


def cut(frames: Mapping[str, gpd.GeoDataFrame]) -> tuple[dict[Area, tuple[int, ...]], list[float]]:
    """The pieces of each area of several sets, and the size of each piece in square degrees.

    Areas without a shape are the same in two sets if their codes are.
    """
    leaves = {zones: shapes(frame) for zones, frame in frames.items()}
    owners: dict[bytes, dict[str, str]] = {}
    for zones, own in leaves.items():
        for code, shape in own.items():
            owners.setdefault(mark(code, shape), {})[zones] = code
    pieces: dict[Area, list[int]] = {}
    size: list[float] = []
    rest: dict[str, dict[str, BaseGeometry]] = {zones: {} for zones in leaves}
    for where in owners.values():
        first = next(iter(where.items()))
        shape = leaves[first[0]][first[1]]
        if len(where) == len(leaves) or shape is None:
            for zones, code in where.items():
                pieces[Area(zones, code)] = [len(size)]
            size.append(1.0 if shape is None else float(shape.area))
        else:
            for zones, code in where.items():
                rest[zones][code] = shape
    for shape, inside in overlaid(rest):
        for area in inside:
            pieces.setdefault(area, []).append(len(size))
        size.append(float(shape.area))
    for zones, frame in frames.items():
        above = dict(zip(frame["code"], frame["parent"], strict=True))
        for code in leaves[zones]:
            parts, at = pieces.get(Area(zones, code), []), above.get(code, "")
            while at in above:
                pieces.setdefault(Area(zones, at), []).extend(parts)
                at = above[at]
    return {a: tuple(sorted(own)) for a, own in pieces.items()}, size


def shapes(frame: gpd.GeoDataFrame) -> dict[str, BaseGeometry | None]:
    """Geometry of the areas without parts, by code."""
    inner = set(frame["parent"])
    rows = zip(frame["code"], frame.geometry, strict=True)
    return {str(code): shape for code, shape in rows if code not in inner}


def mark(code: str, shape: BaseGeometry | None) -> bytes:
    """The same for the same shape, wherever its ring begins."""
    return code.encode() if shape is None else bytes(shapely.to_wkb(shapely.normalize(shape)))


def overlaid(sets: Mapping[str, Mapping[str, BaseGeometry]]) -> list[tuple[BaseGeometry, list[Area]]]:
    """The pieces that several sets of shapes cut each other into, with the areas that hold each."""
    found: list[tuple[BaseGeometry, list[Area]]] = []
    for zones, own in sets.items():
        codes, new = list(own), list(own.values())
        old = [shape for shape, _ in found]
        tree = shapely.STRtree(old)
        left, cuts = dict(enumerate(old)), []
        for code, shape in zip(codes, new, strict=True):
            over = []
            for n in tree.query(shape, predicate="intersects").tolist():
                common = polygons(shapely.intersection(old[n], shape))
                if common.area > SLIVER * min(old[n].area, shape.area):
                    cuts.append((common, [*found[n][1], Area(zones, code)]))
                    left[n] = polygons(shapely.difference(left[n], shape))
                    over.append(old[n])
            alone = polygons(shapely.difference(shape, shapely.union_all(over))) if over else shape
            if alone.area > SLIVER * shape.area:
                cuts.append((alone, [Area(zones, code)]))
        found = [(s, found[n][1]) for n, s in left.items() if s.area > SLIVER * old[n].area] + cuts
    return found


def polygons(shape: BaseGeometry) -> BaseGeometry:
    """The parts of a shape that have an area."""
    parts = [p for p in shapely.get_parts(shape) if p.area > 0]
    return shapely.MultiPolygon([q for p in parts for q in shapely.get_parts(p) if q.geom_type == "Polygon"])
