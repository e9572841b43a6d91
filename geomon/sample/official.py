"""Official statistics of the sample country: made from the truth, with departures planted that a check should find."""

from __future__ import annotations

from dataclasses import asdict, dataclass

import numpy as np
import pandas as pd

from geomon.official import AS_MEASURED
from geomon.official import COLUMNS as PUBLISHED
from geomon.sample.borders import COUNTRY

PUBLISHER = f"National Statistical Office of {COUNTRY} (fictional)"
SERIES = {
    "forest share": ("AG_LND_FRST", "percent", 2),
    "permanent water": ("EN_LKRV_PWAN", "km2", 3),
    "seasonal water": ("EN_LKRV_SWAN", "km2", 3),
}
NOTE = "Synthetic sample, no real place."
CADASTRE = "forest land by law, in the land register, with or without trees"
NOISE = {"forest share": 0.25, "permanent water": 0.006, "seasonal water": 0.015}  # points; shares
COLUMNS = tuple(name for name in PUBLISHED if name not in ("obs_status", "lower", "upper"))  # which reading adds


@dataclass(frozen=True)
class Planted:
    """One departure of the official statistics from the truth."""

    kind: str
    "level, break, unit, gap, direction, definition or few"
    series: str
    areas: tuple[str, ...]
    since: str
    "first year that is touched"
    size: float
    "points, factor or years"
    says: str
    "what was done, in a sentence"


PLANTED = (
    Planted("level", "AG_LND_FRST", ("XS0305",), "2010", 9.0, "Nine points more forest in every year."),
    Planted(
        "break",
        "AG_LND_FRST",
        ("XS01", "XS0101", "XS0102", "XS0103", "XS0104", "XS0105", "XS0106"),
        "2016",
        -8.5,
        "From 2016 on 8.5 points less forest in the whole province (not in the country), after a new inventory.",
    ),
    Planted(
        "direction",
        "AG_LND_FRST",
        ("XS0303",),
        "2010",
        0.6,
        "Reported from a plan: 0.6 points more forest every year, while the forest is being cleared.",
    ),
    Planted(
        "definition",
        "AG_LND_FRST",
        ("XS0204",),
        "2010",
        14.0,
        "Counts forest by law, trees or not: another definition, and fourteen points more.",
    ),
    Planted("few", "AG_LND_FRST", ("XS0403",), "2010", 2.0, "Only 2023 and 2024 were reported."),
    Planted("unit", "EN_LKRV_PWAN", ("XS0203",), "2010", 100.0, "Hectares in a column of square kilometres."),
    Planted("gap", "AG_LND_FRST", ("XS0402",), "2018", 1.0, "The year 2018 was not reported."),
    Planted("gap", "EN_LKRV_PWAN", ("all",), "2013", 1.0, "Nobody reported 2013."),
)


def table(truth: pd.DataFrame, seed: int) -> pd.DataFrame:
    """The official table in geomon's long form."""
    rows = truth[truth.quantity.isin(SERIES)].sort_values(["quantity", "ref_area", "time_period"])
    random = np.random.Generator(np.random.PCG64([seed, 101]))
    noise = random.standard_normal(len(rows))
    names = rows.quantity.map(lambda q: SERIES[q][0])
    spread = rows.quantity.map(NOISE).to_numpy()
    world = rows.world.to_numpy()
    value = np.where(names == "AG_LND_FRST", world + spread * noise, world * (1.0 + spread * noise))
    made = pd.DataFrame(
        {
            "series": names,
            "ref_area": rows.ref_area,
            "time_period": rows.time_period,
            "obs_value": value,
            "unit_measure": rows.quantity.map(lambda q: SERIES[q][1]),
            "nature": "Country data",
            "definition": AS_MEASURED,
            "publisher": PUBLISHER,
            "note": NOTE,
        }
    )
    for planted in PLANTED:
        made = _plant(made, planted)
    digits = {series: places for series, _, places in SERIES.values()}
    limits = np.where(made.unit_measure == "percent", 100.0, np.inf)
    made["obs_value"] = [
        round(float(np.clip(value, 0.0, limit)), digits[series])
        for value, limit, series in zip(made.obs_value, limits, made.series, strict=True)
    ]
    return made[list(COLUMNS)].reset_index(drop=True)


def planted() -> list[dict[str, object]]:
    """The departures, for planted.json."""
    return [asdict(p) for p in PLANTED]


def _plant(table: pd.DataFrame, planted: Planted) -> pd.DataFrame:
    """The table with one departure."""
    table = table.copy()
    mine = (table.series == planted.series) & (table.ref_area.isin(planted.areas) | (planted.areas == ("all",)))
    years = table.time_period.astype(int)
    later = mine & (years >= int(planted.since))
    if planted.kind in ("level", "break"):
        table.loc[later, "obs_value"] += planted.size
    elif planted.kind == "direction":
        start = table.loc[mine & (table.time_period == planted.since), "obs_value"].iloc[0]
        table.loc[later, "obs_value"] = start + planted.size * (years[later] - int(planted.since))
    elif planted.kind == "definition":
        table.loc[later, "obs_value"] += planted.size
        table.loc[mine, "definition"] = CADASTRE
    elif planted.kind == "few":
        table = table[~mine | (years >= 2023)]
    elif planted.kind == "unit":
        table.loc[later, "obs_value"] *= planted.size
    elif planted.kind == "gap":
        table = table[~(mine & (table.time_period == planted.since))]
    return table
