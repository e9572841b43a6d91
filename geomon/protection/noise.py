"""Counts with noise, and the year's budget of privacy in the same kind of books as the releases.

ledger/noise-<year>/0001.json, ...   what was spent on which table, and the seed of its noise

A table is the disjoint lowest areas of one output, period and breakdown: one person is in one of its cells, so it
spends epsilon once. The areas above are added up from the noisy ones, which costs nothing.
"""

import hashlib
import json
import math
import secrets
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from geomon.errors import InputError, StoreError
from geomon.indicator import Indicator
from geomon.official.units import factor
from geomon.places import Place, is_remote
from geomon.protection import Areas, parents
from geomon.protection.guards import Guard, guard
from geomon.protection.releases import append
from geomon.stats.disclosure import Budget, half_width, noisy
from geomon.texts import say

INTERVAL = "noise"
"""The interval of a noisy count: 95 % of the noise that was added; not of what the count itself may err."""


def with_noise(
    series: pd.DataFrame,
    indicator: Indicator | Guard,
    zones: Areas,
    ledger: Place,
    *,
    year: int,
    epsilon: float = 1.0,
    most: int = 1,
    limit: float = Budget.limit,
) -> pd.DataFrame:
    """Counts with two-sided geometric noise, whole and unclipped; the other outputs are left out.

    `year` is that of the publication, whose budget pays `epsilon` for every table: an output, period and breakdown.
    `most` is how many one person or household can add to a count. The same counts again get the same noise and
    spend nothing. InputError where the budget does not suffice, also between processes, or counts are not whole;
    then nothing is spent. Areas are summed from their parts, so a parent's noise is that of all of them.
    """
    care = indicator if isinstance(indicator, Guard) else guard(indicator)
    if care is None:
        raise InputError("Noise protects counts of people, households or plots; this indicator has none.")
    if not 0 < limit <= Budget.limit:
        raise InputError(
            f"A budget of {limit:g} for the year was asked for. Give {Budget.limit:g} or less: more hides nobody."
        )
    above = parents(zones)
    counts = series[series["unit_measure"].map(lambda u: factor(str(u), care.unit) == 1)]
    leaves = counts[~counts["ref_area"].isin(set(above.values())) & np.isfinite(counts["obs_value"])]
    tables = list(leaves.groupby(["series", "time_period", "breakdown"], sort=True))
    if not tables:
        raise InputError(f"There are no counts of {care.unit} to add noise to.")
    if not all(float(n).is_integer() for n in leaves["obs_value"]):
        raise InputError(
            "Noise is drawn for whole counts, and these have digits that would tell them. Round them first."
        )
    asked = {digest(name, own, epsilon, most): own for name, own in tables}
    seeds = spent(ledger / f"noise-{year}", list(asked), epsilon, limit)
    found: dict[tuple[str, str, str, str], tuple[float, int]] = {}
    for key, own in asked.items():
        drawn = noisy(
            own["obs_value"].to_numpy(float),
            key,
            Budget(limit=epsilon),
            epsilon=epsilon,
            most=most,
            generator=np.random.default_rng(seeds[key]),
        )
        for row, count in zip(own.to_dict("records"), drawn.tolist(), strict=True):
            code = str(row["ref_area"])
            while code:
                place = (str(row["series"]), code, str(row["time_period"]), str(row["breakdown"]))
                before = found.get(place, (0.0, 0))
                found[place] = before[0] + count, before[1] + 1
                code = above.get(code, "")
    return with_counts(counts, found, epsilon, most)


def digest(name: tuple[str, str, str], own: pd.DataFrame, epsilon: float, most: int) -> str:
    """The same for the same counts: only then may the noise be the same."""
    rows = sorted(zip(own["indicator"], own["ref_area"], own["obs_value"], strict=True))
    return hashlib.sha256(json.dumps([name, rows, epsilon, most]).encode()).hexdigest()[:24]


def spent(folder: Place, tables: Sequence[str], epsilon: float, limit: float) -> dict[str, int]:
    """The seed of each table, after what is new was paid for."""
    fresh = {table: secrets.randbits(128) for table in tables}

    def next_entry(before: Sequence[Mapping[str, Any]]) -> Mapping[str, Any] | None:
        if not all(e.get("epsilon", 0) > 0 and isinstance(e.get("seeds"), dict) for e in before):
            raise StoreError(f"{folder} has an entry that is not what was written. Restore it.")
        new = {t: str(seed) for t, seed in fresh.items() if not any(t in e["seeds"] for e in before)}
        left = limit - math.fsum(e["epsilon"] * len(e["seeds"]) for e in before)
        if not 0 < epsilon * max(len(new), 1) <= left + 1e-12 and new:
            raise InputError(say("noise.refused", tables=len(new), cost=epsilon * len(new), left=left, limit=limit))
        return {"epsilon": epsilon, "seeds": new} if new else None

    if not is_remote(folder):
        folder.mkdir(parents=True, exist_ok=True)
    written = append(folder, next_entry)
    return {t: int(seed) for e in written for t, seed in e["seeds"].items() if t in fresh}


def with_counts(
    counts: pd.DataFrame, found: Mapping[tuple[str, str, str, str], tuple[float, int]], epsilon: float, most: int
) -> pd.DataFrame:
    """The rows with noisy counts, each with the interval of its noise."""
    made = counts.copy()
    wide = half_width(epsilon, most)
    for n, row in zip(made.index, made.to_dict("records"), strict=True):
        place = (str(row["series"]), str(row["ref_area"]), str(row["time_period"]), str(row["breakdown"]))
        count, parts = found.get(place, (math.nan, 1))
        reach = math.ceil(wide * math.sqrt(parts))
        made.loc[n, ["obs_value", "lower", "upper", "n_obs"]] = [count, count - reach, count + reach, math.nan]
    made["interval"] = INTERVAL
    return made
