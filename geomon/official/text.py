"""Cells of published tables as numbers: what a cell says, what it leaves open, and what stood in it."""

import re
from dataclasses import dataclass

import numpy as np
import pandas as pd

NUMBER = r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?"
PLAIN = re.compile(NUMBER)
THOUSANDS = re.compile(r"[+-]?[1-9]\d{0,2}(?:,\d{3})+(?:\.\d*)?")
SPACED = re.compile(r"([+-]?[1-9]\d{0,2})((?:[ ']\d{3})+)([.,]\d+)?")
DECIMAL = re.compile(r"[+-]?\d+,\d+")
DOTTED = re.compile(r"[+-]?[1-9]\d{0,2}(?:\.\d{3})+(?:,\d+)?")
LIMIT = re.compile(r"(<=?|>=?|≤|≥)\s*(.+)")
ABOUT = re.compile(r"[~≈]\s*(.+)")
SPAN = re.compile(r"(.*?\d)\s*(?:-|to|–)\s*([+-]?[\d.].*)")
BRACKETS = re.compile(r"(.*\d)\s*[\[(]\s*([+-]?[\d.,]+)\s*(?:-|to|–|,|;)\s*([+-]?[\d.,]+)\s*[\])]")
MARK = r"(?:\[\w{1,3}\]|\(\w\)|[*†‡§¹²³#]|(?<![a-z])[a-jln-su-z](?![a-z]))"
MARKED = re.compile(rf"(.*?\d)\s*({MARK}(?:[\s,]*{MARK})*)")
MISSING = ("", "..", "-", "–", "—", ":", "...", "…", "NA", "N/A", "n/a", "n.a.", "NaN", "nan")
SUPPRESSED = ("c", "(c)", ":c", ": c", "[c]", "x", "(x)", "s", "suppressed", "confidential")
DECIMALS = ("decimal", "dotted")
SPELLED = str.maketrans({"\xa0": " ", "\u2009": " ", "\u202f": " ", "\u2212": "-", "’": "'", "＜": "<", "＞": ">"})


@dataclass(frozen=True)
class Cell:
    """What one cell says."""

    value: float = np.nan
    lower: float = np.nan
    upper: float = np.nan
    note: str = ""
    """A remark on a value that is there."""
    status: str = ""
    """Why there is no value."""


def comma_of(cells: pd.Series, separator: str = ",") -> str:
    """What a comma means in a column's numbers: 'thousands', 'decimal', or 'unclear' where both could be meant.

    '12,5' can only be a decimal and '1,234.5' only thousands. '1,234' alone is read as thousands, unless the
    columns are separated by semicolons, as they are where commas are decimal. 'dotted' is decimal with points
    between thousands: '1.234,5' and '1.234.567' can be nothing else.
    """
    found = [plain_spelling(text) for text in cells.unique() if "," in text or "." in text]
    decimal = any(
        (DECIMAL.fullmatch(t) and not THOUSANDS.fullmatch(t)) or (SPACED.fullmatch(t) and "," in t) for t in found
    )
    thousands = any(THOUSANDS.fullmatch(t) and ("." in t or t.count(",") > 1) for t in found)
    dotted = any(DOTTED.fullmatch(t) and ("," in t or t.count(".") > 1) for t in found)
    if decimal or thousands or dotted:
        return "unclear" if thousands and (decimal or dotted) else "thousands" if thousands else DECIMALS[dotted]
    return "unclear" if separator == ";" and any("," in t for t in found) else "thousands"


def plain_spelling(text: str) -> str:
    """One kind of spaces, minus signs and apostrophes."""
    return " ".join(text.translate(SPELLED).split())


def cell(text: str, comma: str = "thousands") -> Cell:
    """A cell's value, bounds, note and status.

    A limit ('<5') and a span ('10-20') bound the value and give none; a mark of a footnote ('12.3*', '12.3 [1]',
    '12.3 a') stays as a note. A letter that may be a unit (k, m, t) is no mark. Nothing becomes zero.
    """
    word = plain_spelling(text)
    value = number(word, comma)
    if value is not None:
        return Cell(value)
    if word in MISSING:
        return Cell(status="missing in the source" + (f" ({word})" if word else ""))
    if word.lower() in SUPPRESSED:
        return Cell(status=f"suppressed in the source ({word})")
    unclear = any(form.fullmatch(word) for form in (THOUSANDS, DECIMAL, DOTTED))
    what = "a number of unclear thousands or decimals" if unclear else "text instead of a number"
    return bounded(word, comma) or marked(word, comma) or Cell(status=f"{what} in the source: {word!r}")


def number(word: str, comma: str) -> float | None:
    """A number without marks, in the spelling of its table."""
    if comma != "thousands" and DOTTED.fullmatch(word):
        return float(word.replace(".", "").replace(",", ".")) if comma == "dotted" else None
    if PLAIN.fullmatch(word):
        return float(word) if np.isfinite(float(word)) else None
    if spaced := SPACED.fullmatch(word):
        whole, groups, rest = spaced.groups()
        return float(whole + re.sub(r"[ ']", "", groups) + (rest or "").replace(",", "."))
    if comma == "thousands" and THOUSANDS.fullmatch(word):
        return float(word.replace(",", ""))
    if comma in DECIMALS and DECIMAL.fullmatch(word):
        return float(word.replace(",", "."))
    return None


def bounded(word: str, comma: str) -> Cell | None:
    """A limit, a span, or a value with its interval."""
    if limit := LIMIT.fullmatch(word):
        inner = cell(limit.group(2), comma)
        if np.isnan(inner.value):
            return None
        status = f"only a limit in the source: {word!r}"
        below = limit.group(1)[0] in "<≤"
        return Cell(upper=inner.value, status=status) if below else Cell(lower=inner.value, status=status)
    if inside := BRACKETS.fullmatch(word):
        value, low, high = (number(part, comma) for part in inside.groups())
        if value is not None and low is not None and high is not None and low <= value <= high:
            return Cell(value, low, high, note=f"interval in the source: {word!r}")
    if span := SPAN.fullmatch(word):
        low, high = (number(part, comma) for part in span.groups())
        if low is not None and high is not None and low <= high:
            return Cell(lower=low, upper=high, status=f"only a range in the source: {word!r}")
    return None


def marked(word: str, comma: str) -> Cell | None:
    """A number with the mark of a footnote, or said to be about right."""
    about = ABOUT.fullmatch(word)
    value = number(about.group(1), comma) if about else None
    if value is not None:
        return Cell(value, note=f"about, in the source: {word!r}")
    found = MARKED.fullmatch(word)
    value = number(found.group(1), comma) if found else None
    if found is None or value is None:
        return None
    return Cell(value, note=f"marked {found.group(2)!r} in the source")


def cells(text: pd.Series, separator: str = ",") -> pd.DataFrame:
    """Columns value, lower, upper, note, status for a column of cells; plain numbers are read at once.

    '1.234' is no plain number in a column whose commas are decimal, unless another there ('12.5') shows that its
    points are decimal as well: it is thousands where others can only be that, else it is left out.
    """
    read = pd.DataFrame(index=text.index)
    values = pd.to_numeric(text.where(text.str.fullmatch(NUMBER)), errors="coerce").astype("float64")
    plain = np.isfinite(values)
    comma = comma_of(text[~plain], separator)
    if comma != "thousands":
        grouped = plain & text.str.fullmatch(DOTTED)
        pointed = bool((plain & ~grouped & text.str.contains(".", regex=False)).any())
        plain &= ~grouped | (pointed and comma != "dotted")
        comma = "unclear" if pointed and comma == "dotted" else comma
    read["value"] = values.where(plain)
    rest = text[~plain]
    known = {word: cell(word, comma) for word in rest.unique()}
    for name, empty in (("lower", np.nan), ("upper", np.nan), ("note", ""), ("status", "")):
        read[name] = empty
        if known:
            read.loc[rest.index, name] = rest.map({word: getattr(c, name) for word, c in known.items()})
    if known:
        read.loc[rest.index, "value"] = rest.map({word: c.value for word, c in known.items()})
    return read
