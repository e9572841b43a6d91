"""Published CSV files as one long table.

Three forms are read, told apart by their columns: a plain table under our own column names (SDMX names in
either case), the UN SDG database and the World Development Indicators. What is not a plain number becomes
missing with its reason in `obs_status`; nothing becomes zero. Groups of countries are kept under codes such
as 'group:WLD', which are nobody's area code, so that they can never be paired with a country or with a
district numbered 1.
"""

import re
from collections.abc import Callable
from io import StringIO
from pathlib import Path
from typing import IO

import pandas as pd

from geomon import areas
from geomon.errors import InputError, did_you_mean, listing
from geomon.official.units import unit_name
from geomon.series import NATURE

COLUMNS = (
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
AS_MEASURED = "as measured by the satellite series"
"""A `definition` that says: this official series counts the very thing that the satellite series measures."""
GROUP = "group:"

NEEDED = {
    "plain": {"series", "ref_area", "time_period", "obs_value"},
    "UN SDG database": {"seriescode", "geoareacode", "timeperiod", "value"},
    "World Bank": {"indicator", "iso3", "year", "value"},
}
NO_ISO = {"412": "XKX", "530": "ANT", "830": "CHI"}  # areas that are no groups and have no ISO code
NO_GROUP = set(NO_ISO.values())
MULTIPLIERS = {"": 0, "units": 0, "tens": 1, "hundreds": 2, "thousands": 3, "millions": 6, "billions": 9}
NUMBER = r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?"
KEY = ["series", "ref_area", "time_period", "publisher", "definition"]


def read_csv(
    source: str | Path | IO[str] | IO[bytes], *, publisher: str = "", names: Path | None = None
) -> pd.DataFrame:
    """The official table in a CSV file or open buffer, in columns COLUMNS; all text but `obs_value` (NaN =
    missing).

    `publisher` fills rows that name none. `names` is the World Bank's list of indicator names, which hold
    the units; by default wdi_indicators.csv beside the file. InputError for a file that is none of the
    three forms, has no rows, or gives one key twice with different values.
    """
    label = str(source) if isinstance(source, str | Path) else "the buffer"
    raw = parse(content(source, label), label)
    form = next((f for f, needed in NEEDED.items() if needed <= set(raw.columns)), "")
    if not form:
        raise InputError(unknown_form(raw, label))
    if raw.empty:
        raise InputError(f"{label} has a header and no rows. Export it again, with its observations.")
    if form == "World Bank" and names is None and isinstance(source, str | Path):
        names = Path(source).with_name("wdi_indicators.csv")
    table = FORMS[form](raw, names)
    table.loc[table.publisher == "", "publisher"] = publisher
    return checked(table, label)


def content(source: str | Path | IO[str] | IO[bytes], label: str) -> str:
    """The text of a file or buffer."""
    try:
        data = Path(source).read_bytes() if isinstance(source, str | Path) else source.read()
    except OSError as error:
        raise InputError(
            f"Official statistics were asked from {label}, which cannot be read: {error.strerror}. Check the path."
        ) from error
    try:
        return data.removeprefix("\ufeff") if isinstance(data, str) else data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise InputError(f"{label} is not text in UTF-8 (byte {error.start}). Save it as 'CSV UTF-8'.") from error


def parse(text: str, label: str) -> pd.DataFrame:
    """All cells as text, the header in lower case without brackets."""
    head = text.lstrip().partition("\n")[0]
    if not head.strip():
        raise InputError(f"{label} is empty. Hand in a CSV table with the columns {listing(NEEDED['plain'])}.")
    separator = max(",;\t", key=head.count)
    try:
        cells = pd.read_csv(StringIO(text), sep=separator, header=None, dtype=str, keep_default_na=False)
    except (pd.errors.ParserError, pd.errors.EmptyDataError) as error:
        raise InputError(f"{label} is not a regular table: {str(error).strip()}. Repair or export it again.") from error
    table = cells[1:].reset_index(drop=True)
    table.columns = pd.Index([str(c).strip().strip("[]").strip().lower() for c in cells.iloc[0]])
    twice = table.columns[table.columns.duplicated()]
    if len(twice):
        raise InputError(f"{label} has the column {twice[0]!r} twice. Remove one.")
    return pd.DataFrame({name: table[name].fillna("").str.strip() for name in table})


def unknown_form(raw: pd.DataFrame, label: str) -> str:
    """What the columns were, and what each form needs."""
    missing = sorted(NEEDED["plain"] - set(raw.columns))
    hint = did_you_mean(missing[0], raw.columns) if len(missing) < len(NEEDED["plain"]) else ""
    return (
        f"{label} has the columns {listing(raw.columns)}, which is no form of official table known here. "
        f"A plain table lacks {listing(missing)}.{hint} Name its columns series, ref_area, time_period, "
        "obs_value (and unit_measure, without which nothing can be compared), or hand in an export of the "
        "UN SDG database or the World Bank."
    )


def column(raw: pd.DataFrame, name: str, default: str = "") -> pd.Series:
    """A column, or the default in every row."""
    return raw[name] if name in raw else pd.Series(default, index=raw.index, dtype=object)


def plain_form(raw: pd.DataFrame, names: Path | None) -> pd.DataFrame:
    """A table under our own names; UNIT_MULT (a power of ten, or 'thousands') is applied."""
    if column(raw, "nature").str.lower().str.startswith(NATURE).any():
        raise InputError(
            f"The table holds rows of nature {NATURE!r}: a satellite estimate is not official. Remove those rows."
        )
    table = pd.DataFrame({name: column(raw, name) for name in COLUMNS if name != "obs_status"})
    table["given_status"] = column(raw, "obs_status")
    marked = (raw.obs_value != "") & ~table.given_status.isin(["", "A"])  # A: a normal value in SDMX
    table["note"] = (table.note + ("; observation status " + table.given_status).where(marked, "")).str.strip("; ")
    table["power"] = power(column(raw, "unit_mult"))
    return table


def power(text: pd.Series) -> pd.Series:
    """Unit multipliers as powers of ten."""
    words = text.str.lower().replace({word: str(n) for word, n in MULTIPLIERS.items()})
    wrong = words[~words.str.fullmatch(r"-?\d{1,2}")]
    if len(wrong):
        raise InputError(
            f"unit_mult is {wrong.iloc[0]!r}: write a power of ten (3 for thousands) or one of {listing(MULTIPLIERS)}."
        )
    return words.astype(int)


def un_form(raw: pd.DataFrame, names: Path | None) -> pd.DataFrame:
    """The UN SDG database: further dimensions become part of the series code, 'IS_RDP_PFVOL[mode=air]'."""
    parts = pd.DataFrame([split(d) for d in column(raw, "dimensions")], columns=["key", "remark"], index=raw.index)
    described = column(raw, "seriesdescription")
    return pd.DataFrame(
        {
            "series": raw.seriescode + parts.key,
            "ref_area": un_area(column(raw, "iso3"), raw.geoareacode),
            "time_period": raw.timeperiod,
            "obs_value": raw.value,
            "unit_measure": column(raw, "units"),
            "nature": column(raw, "nature"),
            "definition": described.where(described != raw.seriescode, ""),
            "publisher": "UN Statistics Division",
            "note": (parts.remark + "; " + column(raw, "footnote")).str.strip("; "),
        }
    )


def split(dimensions: str) -> tuple[str, str]:
    """Dimensions as a part of the series code, and remarks on the observation."""
    said = [d.strip() for d in re.split("[;|]", dimensions) if d.strip()]
    remarks = [d for d in said if d.startswith("observation_status=")]
    kept = [d for d in said if d not in remarks]
    return f"[{','.join(kept)}]" if kept else "", "; ".join(remarks)


def un_area(iso3: pd.Series, m49: pd.Series) -> pd.Series:
    """ISO3 codes where there are any, else the group's number behind 'group:'."""
    known = {code: country(code.zfill(3)) for code in m49[iso3 == ""].unique()}
    return iso3.where(iso3 != "", m49.map(known))


def country(code: str) -> str:
    """ISO3 (or the code in use) of a country or territory; of anything else a code that is no area's."""
    found = areas.find(code)
    if found is not None and not found.part:
        return found.iso3
    code = NO_ISO.get(code, code)
    return code if code in NO_GROUP else GROUP + code.lstrip("0")


def bank_form(raw: pd.DataFrame, names: Path | None) -> pd.DataFrame:
    """The World Development Indicators; the unit is what the indicator's name has in brackets at its end."""
    titles = indicator_names(names)
    area = {code: country(code) for code in raw.iso3.unique()}
    title = raw.indicator.map(titles).fillna("")
    units = {name: bank_unit(name) for name in title.unique()}
    return pd.DataFrame(
        {
            "series": raw.indicator,
            "ref_area": raw.iso3.map(area),
            "time_period": raw.year,
            "obs_value": raw.value,
            "unit_measure": title.map(units),
            "nature": "",
            "definition": title,
            "publisher": "World Bank",
            "note": "" if titles else "unit unknown: the list of indicator names was not at hand",
        }
    )


def indicator_names(path: Path | None) -> dict[str, str]:
    """Names by indicator code; none without a file."""
    if path is None or not path.is_file():
        return {}
    listed = parse(content(path, str(path)), str(path))
    if not {"indicator", "indicator_name"} <= set(listed.columns):
        raise InputError(
            f"{path} has the columns {listing(listed.columns)}. It needs 'indicator' and 'indicator_name'."
        )
    return dict(zip(listed.indicator, listed.indicator_name, strict=True))


def bank_unit(name: str) -> str:
    """'km2' from 'Forest area (sq. km)'; people where a population has no unit."""
    found = re.search(r"\(([^()]*)\)$", name)
    if found:
        return unit_name(found.group(1).removesuffix(", mean annual exposure"))
    return "people" if "population" in name.lower() else ""


FORMS: dict[str, Callable[[pd.DataFrame, Path | None], pd.DataFrame]] = {
    "plain": plain_form,
    "UN SDG database": un_form,
    "World Bank": bank_form,
}


def checked(table: pd.DataFrame, label: str) -> pd.DataFrame:
    """Numbers read, periods and units in one spelling, keys unique; InputError for what cannot be meant."""
    for name in ("series", "ref_area", "time_period"):
        empty = (table[name] == "") | ((table[name] == "-99") if name == "ref_area" else False)
        if empty.any():
            raise InputError(
                f"{label} has {int(empty.sum())} rows without {name}, the first in line "
                f"{int(empty.to_numpy().argmax()) + 2}. Fill them in, or remove the rows."
            )
    table["time_period"] = period(table.time_period)
    table["unit_measure"] = table.unit_measure.map({u: unit_name(u) for u in table.unit_measure.unique()})
    table["obs_value"], table["obs_status"] = numbers(table.obs_value, column(table, "given_status"))
    if "power" in table:
        table["obs_value"] *= 10.0**table.power
    if not table.obs_value.notna().any():
        raise InputError(
            f"{label} has no value that is a number; the first says: {table.obs_status.iloc[0]}. "
            "Write numbers with a point and without separators of thousands."
        )
    return unique(table[list(COLUMNS)].reset_index(drop=True), label)


def period(text: pd.Series) -> pd.Series:
    """Years as '2020', spans of years as '2016/2019'; anything else as it was."""
    years = text.str.replace(r"^(\d{4})\.0+$", r"\1", regex=True)
    spans = years.str.replace(r"^(\d{4})\s*[-–/]\s*(\d{4})$", r"\1/\2", regex=True)
    return spans.str.replace(r"^(\d\d)(\d\d)/(\d\d)$", r"\1\2/\1\3", regex=True)


def numbers(text: pd.Series, given: pd.Series) -> tuple[pd.Series, pd.Series]:
    """Values, and why one is missing: the source's own reason for an empty cell, or what stood in it."""
    number = text.str.fullmatch(NUMBER)
    values = pd.to_numeric(text.where(number), errors="coerce").astype("float64")
    why = {word: reason(word) for word in text[~number].unique()}
    return values, text.map(why).fillna("").where((text != "") | (given == ""), given)


def reason(word: str) -> str:
    """Why a cell that is not a plain number counts as missing."""
    if word in ("", "..", "-", ":", "...", "NA", "N/A", "NaN"):
        return "missing in the source" + (f" ({word})" if word else "")
    if re.fullmatch(rf"[<>≤≥~]=?\s*{NUMBER}.*", word):
        return f"only a limit in the source: {word!r}"
    if re.fullmatch(rf"{NUMBER}\s*\D+", word):
        return f"a number with a mark in the source: {word!r}"
    return f"text instead of a number in the source: {word!r}"


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
    table.loc[twice, "note"] = (table.note[twice] + "; given more than once in the source").str.strip("; ")
    return table[~first].reset_index(drop=True)
