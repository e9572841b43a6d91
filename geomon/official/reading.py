"""Any published form as the long table: told apart by its content, never by the name of its file."""

import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import IO, Any

import pandas as pd

from geomon.errors import InputError, did_you_mean, listing
from geomon.official import opensdg, sdmx, sdmxjson, undata, workbook, worldbank
from geomon.official.asking import Told, json_of
from geomon.official.codes import BREAKDOWNS, parts
from geomon.official.delimited import NEEDED, column, content, joined, parse, text_of
from geomon.official.fetching import Body, NotWholeError, ServiceError
from geomon.official.table import COLUMNS, checked
from geomon.series import NATURE

NOTHING = Told()


def read_csv(
    source: str | Path | IO[str] | IO[bytes], *, publisher: str = "", names: Path | None = None
) -> pd.DataFrame:
    """The official table in a CSV file or open buffer, in columns COLUMNS; all text but `obs_value`, `lower` and
    `upper` (NaN = missing).

    `publisher` fills rows that name none. `names` is the World Bank's list of indicator names, which hold
    the units; by default wdi_indicators.csv beside the file. InputError for a file that is of no form known
    here, has no rows, or gives one key twice with different values.
    """
    label = str(source) if isinstance(source, str | Path) else "the buffer"
    return read_text(content(source, label), label, Told(publisher=publisher, names=names or beside(source)))


def read(source: str | Path, told: Told = NOTHING) -> pd.DataFrame:
    """The official table in a file of any form: CSV, Excel, SDMX-ML, SDMX-JSON, SDMX-CSV, JSON of the UN's or the
    World Bank's API."""
    try:
        data = Path(source).read_bytes()
    except OSError as error:
        raise InputError(
            f"Official statistics were asked from {source}, which cannot be read: {error.strerror}. Check the path."
        ) from error
    names = told.names or beside(source)
    return read_bytes(data, str(source), replace(told, names=names))


def beside(source: object) -> Path | None:
    """The list of indicator names that lies beside a file."""
    return Path(source).with_name("wdi_indicators.csv") if isinstance(source, str | Path) else None


def read_bytes(data: bytes, label: str, told: Told = NOTHING) -> pd.DataFrame:
    """The same from the content of a file or the body of an answer."""
    start = data.lstrip(b"\xef\xbb\xbf \t\r\n")[:1]
    if data.startswith(b"PK\x03\x04"):
        return read_sheet(data, label, told)
    if start == b"<":
        return of_message(sdmx.read_ml(data, label, told.structure), label, told)
    if start in (b"{", b"["):
        return read_tree(json_of(data, label), label, told)
    return read_text(text_of(data, label), label, told)


def body_table(body: Body, told: Told) -> pd.DataFrame:
    """The table in the answer of a service; ServiceError if it is not whole."""
    try:
        return read_bytes(body.content, body.url.partition("?")[0], told)
    except NotWholeError as error:
        raise ServiceError(str(error), away=True) from error


def read_tree(tree: Any, label: str, told: Told) -> pd.DataFrame:
    """A JSON answer: of the World Bank ([meta, rows]), of the UN SDG database, or SDMX-JSON."""
    if isinstance(tree, list):
        rows = tree[1] if len(tree) > 1 else None
        if not rows or not isinstance(rows, list):
            raise InputError(f"{label} holds no observations: {json.dumps(tree)[:200]}.")
        return checked(worldbank.api_form(rows, label), label, publisher=told.publisher)
    if isinstance(tree.get("data"), list):
        if not tree["data"]:
            raise InputError(f"{label} holds no observations. Ask for other series, areas or years.")
        return checked(undata.api_form(tree["data"], label), label, publisher=told.publisher)
    try:
        message = sdmxjson.read_json(tree, label)
    except (KeyError, IndexError, TypeError, AttributeError, ValueError) as error:
        raise InputError(
            f"{label} is no SDMX-JSON data message that can be read: {type(error).__name__} {error}."
        ) from error
    return of_message(message, label, told)


def of_message(message: sdmx.Message, label: str, told: Told) -> pd.DataFrame:
    """The table of an SDMX message; who was named as publisher stands before the agency of the structure."""
    raw = sdmx.table_of(message, label)
    if told.publisher:
        raw["publisher"] = told.publisher
    return checked(raw, label)


def read_sheet(data: bytes, label: str, told: Told) -> pd.DataFrame:
    """An Excel table, with a mapping or under our own names."""
    mapping = workbook.mapping_of(told.mapping)
    raw = workbook.sheet(data, mapping, label)
    return read_cells(raw, label, told, mapping)


def read_text(text: str, label: str, told: Told = NOTHING) -> pd.DataFrame:
    """A delimited table of any form."""
    raw = parse(worldbank.without_preamble(text), label)
    if raw.empty:
        raise InputError(f"{label} has a header and no rows. Export it again, with its observations.")
    return read_cells(raw, label, told, workbook.mapping_of(told.mapping))


def read_cells(raw: pd.DataFrame, label: str, told: Told, mapping: Mapping[str, Any]) -> pd.DataFrame:
    """A table of text cells, by its columns or by the mapping."""
    separator = str(raw.attrs.get("separator", ","))
    if mapping:
        form: pd.DataFrame = plain_form(workbook.mapped(raw, mapping, label))
    elif sdmx.is_csv(map(str, raw)):
        return of_message(sdmx.read_csv(raw), label, told)
    else:
        form = form_of(raw, label, told)
    return checked(form, label, publisher=told.publisher, separator=separator)


def form_of(raw: pd.DataFrame, label: str, told: Told) -> pd.DataFrame:
    """The text columns of a table that is told by its own columns."""
    series = told.series or opensdg.code_in(label)
    forms: list[tuple[set[str], Callable[[], pd.DataFrame]]] = [
        (set(NEEDED), lambda: plain_form(raw)),
        (undata.NEEDED, lambda: undata.un_form(raw)),
        (worldbank.LONG, lambda: worldbank.bank_form(raw, told.names)),
        (worldbank.WIDE, lambda: worldbank.wide_form(raw)),
    ]
    if series:
        site = lambda: opensdg.site_form(raw, series, told.area, told.publisher, label)  # noqa: E731
        forms.append((opensdg.NEEDED, site))
    for needed, made in forms:
        if needed <= set(raw.columns):
            return made()
    raise InputError(unknown_form(raw, label))


def unknown_form(raw: pd.DataFrame, label: str) -> str:
    """What the columns were, and what each form needs."""
    missing = sorted(set(NEEDED) - set(raw.columns))
    hint = did_you_mean(missing[0], raw.columns) if len(missing) < len(NEEDED) else ""
    return (
        f"{label} has the columns {listing(raw.columns)}, which is no form of official table known here. "
        f"A plain table lacks {listing(missing)}.{hint} Name its columns series, ref_area, time_period, "
        "obs_value (and unit_measure, without which nothing can be compared), give a mapping, or hand in an export "
        "of the UN SDG database, the World Bank or an Open SDG site, or an SDMX message."
    )


def plain_form(raw: pd.DataFrame) -> pd.DataFrame:
    """A table under our own names; UNIT_MULT is a power of ten, or 'thousands'.

    A column named as a breakdown of the global SDG structure (sex, age, ...) parts series off.
    """
    if column(raw, "nature").str.lower().str.startswith(NATURE).any():
        raise InputError(
            f"The table holds rows of nature {NATURE!r}: a satellite estimate is not official. Remove those rows."
        )
    table = pd.DataFrame({name: column(raw, name) for name in COLUMNS if name != "obs_status"})
    table["given_status"] = column(raw, "obs_status")
    table["unit_mult"] = column(raw, "unit_mult")
    own = [name for name in BREAKDOWNS if name.lower() in raw]
    table["series"] += parts(raw[[name.lower() for name in own]].set_axis(own, axis=1))
    table["note"] = joined(table.note)
    return table
