"""Plain CSV and Excel tables under any column names, with a mapping that says which column is what."""

import json
import re
from collections.abc import Mapping
from datetime import date, datetime
from io import BytesIO
from pathlib import Path
from typing import Any

import pandas as pd

from geomon.errors import InputError, did_you_mean, listing
from geomon.official.delimited import column

FIELDS = (
    *("series", "ref_area", "time_period", "obs_value", "unit_measure", "unit_mult", "nature", "definition"),
    *("publisher", "note", "obs_status", "lower", "upper"),
)
OPTIONS = ("sheet", "header")
WIDE = "columns"
"""As the `time_period` of a mapping: every column named as a year or month is a period, and its cells are values."""
PERIOD = re.compile(r"(?:1[5-9]|20)\d\d(?:[-/]\d{2,4}|M\d\d|\.0)?")


def mapping_of(given: Mapping[str, Any] | str | Path | None) -> dict[str, Any]:
    """A mapping, from a file if it is a path; InputError for what is no mapping."""
    if given is None:
        return {}
    if isinstance(given, str | Path):
        try:
            read = json.loads(Path(given).read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            raise InputError(f"The mapping {given} cannot be read as JSON: {error}.") from error
    else:
        read = dict(given)
    wrong = sorted(set(read) - {*FIELDS, *OPTIONS}) if isinstance(read, dict) else ["..."]
    if wrong:
        hint = did_you_mean(wrong[0], FIELDS)
        raise InputError(f"A mapping has no {wrong[0]!r}; it has {listing([*FIELDS, *OPTIONS], 20)}.{hint}")
    return dict(read)


def mapped(raw: pd.DataFrame, mapping: Mapping[str, Any], label: str) -> pd.DataFrame:
    """A table's columns under our names: {'series': '=AG_LND_FRST', 'ref_area': 'Code', 'obs_value': 'Value'}.

    '=text' is the same in every row. With 'time_period': 'columns' the table is wide.
    """
    columns = {str(name).lower(): str(name) for name in raw}
    if mapping.get("time_period") == WIDE:
        raw = long_of(raw, label)
        columns = {str(name).lower(): str(name) for name in raw}
        mapping = {**mapping, "time_period": "time_period", "obs_value": "obs_value"}
    made = pd.DataFrame(index=raw.index)
    for name in FIELDS:
        said = str(mapping.get(name, ""))
        if said.startswith("="):
            made[name] = said[1:]
        elif said:
            if said.lower() not in columns:
                there = [raw.attrs.get("spelled", {}).get(column, column) for column in columns.values()]
                raise InputError(
                    f"The mapping takes {name} from the column {said!r}; {label} has {listing(there)}."
                    f"{did_you_mean(said, there)} Write '={said}' if it is a constant."
                )
            made[name] = raw[columns[said.lower()]]
        else:
            made[name] = column(raw, name)
    lacking = [n for n in ("series", "ref_area", "time_period", "obs_value") if n not in mapping and n not in raw]
    if lacking:
        raise InputError(
            f"The mapping does not say what {listing(lacking)} is in {label}; it has {listing(raw.columns)}."
        )
    made.attrs = dict(raw.attrs)
    return made


def long_of(raw: pd.DataFrame, label: str) -> pd.DataFrame:
    """A wide table with a row for each cell under a period; cells that are empty stay, as missing."""
    periods = [name for name in raw if PERIOD.fullmatch(str(name))]
    if not periods:
        raise InputError(f"The mapping says that periods are columns; {label} has {listing(raw.columns)}.")
    rest = [name for name in raw if name not in periods]
    long = raw.melt(id_vars=rest, value_vars=periods, var_name="time_period", value_name="obs_value")
    long.attrs = dict(raw.attrs)
    return long


def sheet(data: bytes, mapping: Mapping[str, Any], label: str) -> pd.DataFrame:
    """A sheet of an Excel workbook as text cells, as a reader of the sheet sees them.

    The first sheet and row unless the mapping says `sheet` and `header` (rows count from 1). A share that is
    shown as percent is read as percent. InputError for formulas that were never computed.
    """
    from openpyxl import load_workbook

    try:
        book = load_workbook(BytesIO(data), data_only=True)
        formulas = load_workbook(BytesIO(data))
    except Exception as error:  # openpyxl raises whatever zipfile and its parser meet
        raise InputError(f"{label} is no Excel workbook that can be read: {error}. Save it as .xlsx again.") from error
    name = str(mapping.get("sheet") or book.sheetnames[0])
    if name not in book.sheetnames:
        raise InputError(f"{label} has no sheet {name!r}; it has {listing(book.sheetnames)}.")
    top = int(mapping.get("header") or 1)
    rows, written = list(book[name].iter_rows(min_row=top)), list(formulas[name].iter_rows(min_row=top))
    for shown, stored in zip(rows, written, strict=True):
        for cell, formula in zip(shown, stored, strict=True):
            if formula.data_type == "f" and cell.value is None:
                raise InputError(
                    f"{label}: cell {formula.coordinate} of {name!r} is a formula without its result. "
                    "Open the workbook in a spreadsheet program and save it again."
                )
    head = [cell_text(cell) for cell in rows[0]] if rows else []
    kept = [n for n, title in enumerate(head) if title]
    names = [head[n].lower() for n in kept]
    twice = sorted({n for n in names if names.count(n) > 1})
    if not kept or twice:
        what = f"the column {twice[0]!r} twice" if twice else f"no header in row {top}"
        raise InputError(f'{label} has {what} in sheet {name!r}. Say the row of the header in the mapping: "header".')
    body = [[cell_text(row[n]) for n in kept] for row in rows[1:]]
    table = pd.DataFrame([row for row in body if any(row)], columns=names, dtype=object)
    table.attrs = {"separator": ",", "spelled": dict(zip(names, (head[n] for n in kept), strict=True))}
    return table


def cell_text(cell: Any) -> str:
    """A cell as it is read on the screen, with all its digits."""
    value = cell.value
    if value is None:
        return ""
    if isinstance(value, datetime | date):
        return value.isoformat()[:10]
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, int | float):
        if "%" in str(cell.number_format or ""):
            value = round(float(value) * 100, 12)
        return repr(int(value)) if float(value).is_integer() and abs(value) < 1e15 else repr(float(value))
    return str(value).strip()
