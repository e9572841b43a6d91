"""The result table: SDMX names in lower case, one row an area, period, output and breakdown."""

from collections.abc import Mapping

import pandas as pd

from geomon.errors import StoreError

NATURE = "satellite estimate"

COLUMNS = {
    "indicator": "str",
    "series": "str",
    "ref_area": "str",
    "time_period": "str",
    "breakdown": "str",
    "obs_value": "float64",
    "lower": "float64",
    "upper": "float64",
    "interval": "str",
    "unit_measure": "str",
    "obs_status": "str",
    "nature": "str",
    "coverage": "float64",
    "n_obs": "float64",
    "params": "str",
    "vintage": "str",
    "run": "str",
}

INTERVALS = {
    "series": "str",
    "ref_area": "str",
    "time_period": "str",
    "breakdown": "str",
    "component": "str",
    "value": "float64",
    "se": "float64",
    "lower": "float64",
    "upper": "float64",
    "level": "float64",
    "unit_measure": "str",
    "basis": "str",
}
"""The components of each interval of a series: one row each, `basis` alone where one could not be had."""


def tidy(rows: list[dict[str, object]], columns: Mapping[str, str] = COLUMNS) -> pd.DataFrame:
    """Rows as a Series table: all columns, in order, typed; StoreError for a column that is none of it."""
    unknown = {name for row in rows for name in row} - set(columns)
    if unknown:
        raise StoreError(f"A series has no columns {sorted(unknown)}; it has {list(columns)}.")
    table = pd.DataFrame(rows, columns=list(columns))
    for name, kind in columns.items():
        table[name] = table[name].astype("float64") if kind == "float64" else table[name].fillna("").astype(str)
    return table
