"""Exact sums of the rows that blocks leave, and the books that prove them."""

import itertools
import json
import math
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd
import xarray as xr

from geomon.errors import LedgerError
from geomon.zones import Zone

CLOSES = 1e-6  # of a zone's area
BALANCE = 1e-9  # of a zone's area: bookkeeping within the totals

Keys = tuple[tuple[str, float], ...]


class Row(NamedTuple):
    """One number that a block leaves: a total, the area on which it was seen or not, or area by number of dates."""

    what: str
    """'total', 'seen', 'unseen' or 'dates'."""
    quantity: str
    kind: str
    unit: str
    zone: str
    period: str
    keys: Keys
    number: float


def to_table(rows: Iterable[Row]) -> pd.DataFrame:
    """Rows as they are stored: keys as JSON, numbers to the bit."""
    table = pd.DataFrame(list(rows), columns=list(Row._fields))
    table["keys"] = [json.dumps(k) for k in table["keys"]]
    return table.astype({"number": "float64"})


def from_table(table: pd.DataFrame) -> list[Row]:
    """The rows of a stored table."""
    known: dict[str, Keys] = {}
    for text in table["keys"].unique():
        known[text] = tuple((str(n), float(v)) for n, v in json.loads(text))
    return [
        Row(what, quantity, kind, unit, zone, period, known[keys], number)
        for what, quantity, kind, unit, zone, period, keys, number in table.itertuples(index=False, name=None)
    ]


def sum_rows(rows: Iterable[Row], above: Mapping[str, str]) -> list[Row]:
    """One row for each key: the exact sum (math.fsum), so order means nothing; a parent is the sum of its children."""
    numbers: dict[tuple[str, str, str, str, str, str, Keys], list[float]] = defaultdict(list)
    for what, quantity, kind, unit, zone, period, keys, number in rows:
        while zone:
            numbers[what, quantity, kind, unit, zone, period, keys].append(number)
            zone = above.get(zone, "")
    return [Row(*key, math.fsum(found)) for key, found in sorted(numbers.items())]


def as_dataset(sums: Sequence[Row], zones: Sequence[str], periods: Sequence[str]) -> xr.Dataset:
    """The sums as words for outputs read them: a variable a quantity, `seen`, `unseen`, and `dates` by count.

    What was made in some periods only (an optional source) is missing, not zero, in the others.
    """
    totals = [r for r in sums if r.what == "total"]
    quantities = sorted({(r.quantity, r.kind, r.unit) for r in sums if r.what != "dates"})
    made = {(r.quantity, r.period) for r in sums if r.what != "dates"}
    arrays, attrs = {}, {}
    for name, kind, unit in quantities:
        own = [r for r in totals if r.quantity == name]
        arrays[name] = filled(own, zones, periods, [p for p in periods if (name, p) not in made])
        attrs[name] = {"kind": kind, "unit": unit}
    for what in ("seen", "unseen"):
        found = {(r.quantity, r.zone, r.period): r.number for r in sums if r.what == what}
        blank = {(q, p): 0.0 if (q, p) in made else np.nan for q, _, _ in quantities for p in periods}
        table = [[[found.get((q, z, p), blank[q, p]) for p in periods] for z in zones] for q, _, _ in quantities]
        arrays[what] = xr.DataArray(
            np.array(table, float).reshape(len(quantities), len(zones), len(periods)),
            dims=("quantity", "zone", "period"),
            coords={"quantity": [q for q, _, _ in quantities], "zone": list(zones), "period": list(periods)},
        )
    dataset = xr.merge([a.rename(n) for n, a in arrays.items()], join="outer", fill_value=0.0, compat="no_conflicts")
    for name, known in attrs.items():
        there = [(name, p) in made for p in periods]
        if not all(there):  # keys that only others have were filled with zeros
            dataset[name] = dataset[name].where(xr.DataArray(there, dims="period", coords={"period": list(periods)}))
        dataset[name].attrs = known
    return dataset


def filled(rows: Sequence[Row], zones: Sequence[str], periods: Sequence[str], missing: Sequence[str]) -> xr.DataArray:
    """Totals of one quantity over zone, period and keys: zero where nothing was counted."""
    names = [n for n, _ in rows[0].keys] if rows else []
    index = [sorted({dict(r.keys)[n] for r in rows}) for n in names]
    place = [{v: k for k, v in enumerate(axis)} for axis in (zones, periods, *index)]
    values = np.zeros([len(axis) for axis in place])
    for r in rows:
        values[tuple(p[v] for p, v in zip(place, (r.zone, r.period, *(v for _, v in r.keys)), strict=True))] = r.number
    values[:, [place[1][p] for p in missing]] = np.nan
    coords = {"zone": list(zones), "period": list(periods), **dict(zip(names, index, strict=True))}
    return xr.DataArray(values, dims=("zone", "period", *names), coords=coords)


def median_dates(sums: Sequence[Row]) -> dict[tuple[str, str], float]:
    """n_obs by zone and period: distinct dates that saw a pixel, their area-weighted median over the zone."""
    found: dict[tuple[str, str], list[tuple[float, float]]] = defaultdict(list)
    for r in sums:
        if r.what == "dates":
            found[r.zone, r.period].append((r.keys[0][1], r.number))
    medians = {}
    for key, pairs in found.items():
        counts, ground = (np.array(v) for v in zip(*sorted(pairs), strict=True))
        half = np.cumsum(ground) >= ground.sum() / 2
        medians[key] = float(counts[half.argmax()]) if ground.sum() > 0 else 0.0
    return medians


def books(
    sums: Sequence[Row],
    zones: Sequence[Zone],
    polygons: Mapping[str, float],
    gaps: Mapping[tuple[str, str], float],
) -> pd.DataFrame:
    """The ledger: for each quantity, zone and period what was counted, excluded and unseen, beside the polygon.

    `polygons` holds true areas (m2) by zone; `gaps` how far coverage may lie from them, by quantity and zone.
    """
    parents = {z.parent for z in zones}
    counted: dict[tuple[str, str, str], float] = defaultdict(float)
    ground: dict[tuple[str, str, str, str], float] = {}
    kinds = {r.quantity: r.kind for r in sums if r.what == "seen"}
    parts: dict[tuple[str, str, str], list[float]] = defaultdict(list)
    for r in sums:
        if r.what == "total" and r.kind == "area":
            parts[r.quantity, r.zone, r.period].append(r.number)
        elif r.what in ("seen", "unseen"):
            ground[r.what, r.quantity, r.zone, r.period] = r.number
    counted.update({k: math.fsum(v) for k, v in parts.items()})
    rows = []
    made = sorted({(name, period) for _, name, _, period in ground})
    for (name, period), zone in itertools.product(made, [z.code for z in zones]):
        seen, unseen = (ground.get((what, name, zone, period), 0.0) for what in ("seen", "unseen"))
        inside = counted[name, zone, period] if kinds[name] == "area" else seen
        rows.append(
            {
                "quantity": name,
                "zone": zone,
                "period": period,
                "counted": inside,
                "excluded": seen - inside,
                "unseen": unseen,
                "polygon": polygons.get(zone, np.nan),
                "allowed": gaps.get((name, zone), CLOSES),
                "is_parent": zone in parents,
            }
        )
    return pd.DataFrame(rows)


def prove(ledger: pd.DataFrame) -> None:
    """LedgerError if a leaf zone is not what was counted, excluded and unseen in it, or more was counted than seen."""
    if ledger.empty:
        return
    whole = ledger.counted + ledger.excluded + ledger.unseen
    if (ledger.excluded < -BALANCE * (whole + 1)).any():
        worst = ledger.iloc[int(ledger.excluded.argmin())]
        raise LedgerError(
            f"{worst.quantity} in {worst.zone}, {worst.period}: {worst.counted:.6g} m2 were counted on "
            f"{worst.counted + worst.excluded:.6g} m2 that were seen. A pixel must not be in two keys of one quantity."
        )
    leaf = ledger[~ledger.is_parent & ledger.polygon.gt(0)]
    apart = ((whole[leaf.index] - leaf.polygon).abs() / leaf.polygon) / leaf.allowed
    if (apart > 1).any():
        worst = leaf.iloc[int(apart.argmax())]
        raise LedgerError(
            f"{worst.zone}, {worst.period}: the cells of {worst.quantity} hold "
            f"{worst.counted + worst.excluded + worst.unseen:.9g} m2 and the "
            f"polygon {worst.polygon:.9g} m2, further apart than {worst.allowed:.1g}. This is a defect: please report "
            "it with the zone."
        )
