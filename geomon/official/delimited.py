"""Delimited text as a table of text cells, whatever separates its columns."""

import csv
from io import StringIO
from pathlib import Path
from typing import IO

import pandas as pd

from geomon.errors import InputError, listing
from geomon.official.fetching import NotWholeError

NEEDED = ("series", "ref_area", "time_period", "obs_value")


def content(source: str | Path | IO[str] | IO[bytes], label: str) -> str:
    """The text of a file or buffer."""
    try:
        data = Path(source).read_bytes() if isinstance(source, str | Path) else source.read()
    except OSError as error:
        raise InputError(
            f"Official statistics were asked from {label}, which cannot be read: {error.strerror}. Check the path."
        ) from error
    return data.removeprefix("\ufeff") if isinstance(data, str) else text_of(data, label)


def text_of(data: bytes, label: str) -> str:
    """Bytes as text; InputError if they are not UTF-8."""
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise InputError(f"{label} is not text in UTF-8 (byte {error.start}). Save it as 'CSV UTF-8'.") from error


def parse(text: str, label: str) -> pd.DataFrame:
    """All cells as text, the header in lower case without brackets.

    `attrs` keep the separator, the header as it stood (`spelled`), and the columns that had brackets (`bracketed`,
    the dimensions and attributes of the UN SDG database). InputError for a table that ends within a row.
    """
    head = text.lstrip().partition("\n")[0]
    if not head.strip():
        raise InputError(f"{label} is empty. Hand in a CSV table with the columns {listing(NEEDED)}.")
    separator = max(",;\t", key=head.count)
    try:
        cells = pd.read_csv(StringIO(text), sep=separator, header=None, dtype=str, keep_default_na=False)
    except (pd.errors.ParserError, pd.errors.EmptyDataError) as error:
        if "EOF inside string" in str(error):
            raise NotWholeError(f"{label} ends within quotes: it was cut off. Fetch or export it again.") from error
        raise InputError(f"{label} is not a regular table: {str(error).strip()}. Repair or export it again.") from error
    if cut_off(text, separator, len(cells.columns)):
        raise NotWholeError(
            f"{label} ends in the middle of line {len(cells)}: it was cut off. Fetch or export it again."
        )
    table = cells[1:].reset_index(drop=True)
    spelled = [str(c).strip() for c in cells.iloc[0]]
    names = [name.strip("[]").strip().lower() for name in spelled]
    table.columns = pd.Index(names)
    twice = table.columns[table.columns.duplicated()]
    if len(twice):
        raise InputError(f"{label} has the column {twice[0]!r} twice. Remove one.")
    table = pd.DataFrame({name: table[name].fillna("").str.strip() for name in table})
    table.attrs = {
        "separator": separator,
        "spelled": dict(zip(names, (name.strip("[]").strip() for name in spelled), strict=True)),
        "bracketed": [n for n, s in zip(names, spelled, strict=True) if s.startswith("[")],
    }
    return table


def cut_off(text: str, separator: str, width: int) -> bool:
    """Whether the last row alone has fewer fields than the header."""
    lines = text.rstrip("\r\n").splitlines()
    if len(lines) < 3 or text.endswith("\n"):
        return False
    first, last = (len(next(csv.reader([line], delimiter=separator))) for line in (lines[1], lines[-1]))
    return last < width and first >= width


def column(raw: pd.DataFrame, name: str, default: str = "") -> pd.Series:
    """A column, or the default in every row."""
    return raw[name] if name in raw else pd.Series(default, index=raw.index, dtype=object)


def joined(*columns: pd.Series) -> pd.Series:
    """Remarks side by side, '; ' between those that are there."""
    whole = columns[0]
    for more in columns[1:]:
        whole = (whole + "; " + more).str.strip("; ") if (more != "").any() else whole.str.strip("; ")
    return whole
