"""Official statistics as one long table: its columns, and what is checked before a reader hands it on.

What is not a plain number becomes missing with its reason in `obs_status`; nothing becomes zero. Groups of
countries are kept under codes such as 'group:WLD', which are nobody's area code, so that they can never be
paired with a country or with a district numbered 1. Breakdowns stand behind the series code,
'SP_POP[SEX=F]', so that only totals pair.
"""

import hashlib
import json
from typing import Any

import numpy as np
import pandas as pd

from geomon.errors import InputError, listing
from geomon.official.codes import GROUP, STATUSES, status_code
from geomon.official.delimited import column, joined
from geomon.official.text import cells
from geomon.official.units import MULTIPLIED, power, unit_name

__all__ = ["AS_MEASURED", "COLUMNS", "FIRST", "GROUP", "checked", "fingerprint"]

FIRST = (
    "series",
    "ref_area",
    "time_period",
    "obs_value",
    "unit_measure",
    "nature",
    "definition",
    "publisher",
    "note",
    "obs_status",
)
"""Without these an official table is none."""
COLUMNS = (*FIRST, "lower", "upper")
"""`lower` and `upper` are bounds that the source itself gives: of an interval, a range ('10-20') or a limit ('<5')."""
AS_MEASURED = "as measured by the satellite series"
"""A `definition` that says: this official series counts the very thing that the satellite series measures."""
TEXT = ("series", "ref_area", "time_period", "unit_measure", "nature", "definition", "publisher", "note")
KEY = ["series", "ref_area", "time_period", "publisher", "definition"]


def checked(raw: pd.DataFrame, label: str, *, publisher: str = "", separator: str = ",") -> pd.DataFrame:
    """A reader's text columns as the table in COLUMNS; InputError for what cannot be meant.

    `raw` has the columns TEXT that it knows, obs_value, and if there are: given_status, unit_mult, lower, upper.
    Numbers are read, multipliers applied once, periods and units spelled one way, keys made unique.
    """
    raw = raw.reset_index(drop=True)
    raw.attrs = {}
    if raw.empty:
        raise InputError(f"{label} has a header and no rows. Export it again, with its observations.")
    table = pd.DataFrame({name: column(raw, name) for name in TEXT})
    table.loc[table.publisher == "", "publisher"] = publisher
    for name in ("series", "ref_area", "time_period"):
        empty = (table[name] == "") | ((table[name] == "-99") if name == "ref_area" else False)
        if empty.any():
            raise InputError(
                f"{label} has {int(empty.sum())} rows without {name}, the first in line "
                f"{int(empty.to_numpy().argmax()) + 2}. Fill them in, or remove the rows."
            )
    table["time_period"] = table.time_period.map({t: period(t) for t in table.time_period.unique()})
    table["unit_measure"] = table.unit_measure.map({u: unit_name(u) for u in table.unit_measure.unique()})
    values(table, raw, separator)
    if not table.obs_value.notna().any():
        raise InputError(
            f"{label} has no value that is a number; the first says: {table.obs_status.iloc[0]}. "
            "Write numbers with a point and without separators of thousands."
        )
    return unique(table[list(COLUMNS)], label)


def values(table: pd.DataFrame, raw: pd.DataFrame, separator: str) -> None:
    """Values, bounds, notes and statuses of a table, from the cells and what the source said of them."""
    read = cells(raw.obs_value, separator)
    given = column(raw, "given_status")
    codes = given.map({g: status_code(g) for g in given.unique()})
    void = codes.isin(STATUSES)
    said = (raw.obs_value != "") & ~codes.isin(["", "A"]) & ~void
    table["note"] = joined(table.note, ("observation status " + given).where(said, ""), read.note.where(~void, ""))
    why = read.status.where((raw.obs_value != "") | codes.isin(["", "A"]), given)
    if void.any():
        beside = (" (the cell says " + raw.obs_value + ")").where(raw.obs_value.ne(""), "")
        why = why.where(~void, codes.map(STATUSES) + beside)
    table["obs_status"] = why
    table["obs_value"] = read.value.where(~void)
    for side in ("lower", "upper"):
        own = cells(raw[side], separator).value if side in raw else read[side]
        table[side] = own.where(own.notna(), read[side]).where(~void)
    crossed = table.lower > table.upper
    if crossed.any():
        beside = "bounds " + column(raw, "lower") + " to " + column(raw, "upper") + " in the source are no interval"
        table.loc[crossed, "note"] = joined(table.note[crossed], beside[crossed])
        table.loc[crossed, ["lower", "upper"]] = np.nan
    multiplied(table, column(raw, "unit_mult"))


def multiplied(table: pd.DataFrame, text: pd.Series) -> None:
    """Apply the unit multiplier, once: a unit such as '1000 ha' holds its own; InputError if they contradict."""
    times = power(text)
    held = (times != 0) & table.unit_measure.isin(MULTIPLIED)
    wrong = held & (times != table.unit_measure.map(MULTIPLIED))
    if wrong.any():
        raise InputError(
            f"unit_mult is {text[wrong].iloc[0]!r} where the unit is {table.unit_measure[wrong].iloc[0]!r}, "
            "which holds another multiplier. Say it in one of the two."
        )
    if held.any():
        table.loc[held, "note"] = joined(table.note[held], "unit multiplier " + text[held] + " is in the unit")
    times = times.where(~held, 0)
    if (times != 0).any():
        for name in ("obs_value", "lower", "upper"):
            table[name] *= 10.0**times


def period(text: str) -> str:
    """Years as '2020', spans of years as '2016/2019', months as '2020-03'; anything else as it was."""
    whole, dot, zeros = text.partition(".")
    if dot and len(whole) == 4 and whole.isdigit() and set(zeros) == {"0"}:
        return whole
    parts = [p.strip() for p in text.replace("–", "-").replace("/", "-").split("-")]
    if len(parts) == 2 and all(p.isdigit() for p in parts) and len(parts[0]) == 4:
        if len(parts[1]) == 4:
            return "/".join(parts)
        if "/" in text and len(parts[1]) == 2:
            century = int(parts[0][:2]) + (parts[1] < parts[0][2:])
            return f"{parts[0]}/{century}{parts[1]}"
    if len(text) == 7 and text[:4].isdigit() and text[4] == "M" and text[5:].isdigit():
        return f"{text[:4]}-{text[5:]}"
    return text


def unique(table: pd.DataFrame, label: str) -> pd.DataFrame:
    """One row a key: repeated rows are kept once with a remark, contradictions are an InputError."""
    twice = table.duplicated(KEY, keep=False)
    if not twice.any():
        return table
    for key, rows in table[twice].groupby(KEY, sort=False):
        if rows.obs_value.nunique(dropna=False) > 1 or rows.unit_measure.nunique() > 1:
            raise InputError(
                f"{label} gives {key[0]} for {key[1]} in {key[2]} {len(rows)} times with different values: "
                f"{listing(rows.obs_value.astype(str) + ' ' + rows.unit_measure)}. "
                "Keep one, or name the series apart."
            )
    first = table.duplicated(KEY, keep="first")
    table.loc[twice, "note"] = joined(
        table.note[twice], pd.Series("given more than once in the source", index=table.index[twice])
    )
    return table[~first].reset_index(drop=True)


def table_hash(table: pd.DataFrame) -> str:
    """SHA-256 of the table as CSV, rows in the order of their keys."""
    ordered = table.sort_values(KEY, kind="stable")
    return hashlib.sha256(ordered.to_csv(index=False).encode()).hexdigest()


def vintage_of(table: pd.DataFrame | None) -> dict[str, Any] | None:
    """The facts of the pinned vintage that a table is; None for another, and for one that was changed since."""
    pinned: dict[str, Any] | None = table.attrs.get("vintage") if table is not None else None
    return pinned if table is not None and pinned and table_hash(table) == pinned["sha256"] else None


def fingerprint(table: pd.DataFrame | None) -> str:
    """What a recipe calls the statistics that a run was checked against; nothing for none.

    The name and hash of a pinned vintage, else a hash of the table. Bounds enter only where there are any.
    """
    if table is None:
        return ""
    if pinned := vintage_of(table):
        return f"{pinned['name']} sha256:{pinned['sha256'][:16]}"
    plain = np.isnan(table[["lower", "upper"]].to_numpy()).all() if {"lower", "upper"} <= set(table) else True
    kept = table[[c for c in table if c in FIRST]] if plain else table
    content = json.dumps(kept.to_dict("list"), sort_keys=True, ensure_ascii=False, default=str)
    return hashlib.sha256(content.encode()).hexdigest()[:16]
