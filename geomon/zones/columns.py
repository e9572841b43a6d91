"""Which columns of a boundary file hold the codes, names and parents of its zones."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from geomon.areas import NO_CODES, find
from geomon.errors import ZoneError, did_you_mean, listing

# The usual names, in lower case, best first. OCHA, Natural Earth, geoBoundaries, GADM, M49.
LEVELS = (5, 4, 3, 2, 1, 0)
LEVEL = ("adm{}_pcode", "admin{}pcode", "adm{}pcode", "adm{}_code", "gid_{}")
COUNTRY = (
    "adm0_pcode", "iso_a3_eh", "adm0_a3", "adm0_iso3", "iso3", "iso_3", "iso3_code", "iso_a3", "gid_0",
    "shapegroup", "m49", "un_a3", "iso_a2_eh", "iso_a2", "iso2", "country_code",
)  # fmt: skip
SHAPE = ("shapeiso", "shapeid")
OWN = ("pcode", "p_code", "zone_code", "zone_id", "zone", "code", "ref_area", "geocode")
NUMBER = ("id", "fid")
PARENT = ("parent", "parent_code", "parent_pcode", "parent_id")
LEVEL_NAME = ("adm{}_{}", "admin{}{}", "adm{}{}", "admin{}name_{}")
LANGUAGES = ("name", "en", "fr", "pt", "es", "ar")
NAME = ("name", "name_en", "shapename", "zone_name", "name_long", "admin", "country", "label")
VERSION = ("version", "validon", "valid_on")
THREE_DIGITS = ("m49", "un_a3", "iso_n3", "iso_n3_eh")  # also where a table made 004 a 4


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """What to take from a boundary file; None is guessed from the usual column names, "" is none."""

    code: str | None = None
    name: str | None = None
    parent: str | Sequence[str] | None = None
    """One column, or several from the nearest parent up: ("ADM1_PCODE", "ADM0_PCODE")."""
    version: str | None = None
    """The version itself, not a column."""
    dissolve: bool = False
    """Unite the shapes of rows that share a code, instead of refusing them."""


@dataclass(frozen=True)
class Named:
    """The zones of a file without their shapes, row by row."""

    codes: list[str]
    names: list[str]
    above: list[list[str]]
    """Codes of the parents, the nearest first."""
    called: dict[str, str]
    """Names of parents by code, as far as the file tells."""
    version: str
    remarks: list[str]


def named(table: pd.DataFrame, wanted: Wanted, where: str) -> Named:
    """Codes, names, parents and version as text; ZoneError says which column is missing or cannot be used."""
    sheet = _Sheet(table, where, {str(c).lower(): str(c) for c in table.columns})
    remarks: list[str] = []
    code = sheet.given(wanted.code, "code") or _guess_code(sheet, remarks)
    name = _name(sheet, wanted.name, code)
    _refuse_gaps(sheet, code, name)
    parents = _given_parents(sheet, wanted.parent) if wanted.parent is not None else _guess_parents(sheet, code)
    guesses = (
        ("codes", wanted.code, [code]),
        ("names", wanted.name, [name]),
        ("parents", wanted.parent, parents),
    )
    guessed = [f"{what} from {', '.join(map(repr, c))}" for what, asked, c in guesses if asked is None and any(c)]
    if guessed:
        remarks.insert(0, f"{where}: {'; '.join(guessed)} (guessed from the names of the columns).")
    codes = sheet.texts(code)
    above = _above(sheet, parents)
    if wanted.parent is None:
        above = [[p for p in row if p != own] for own, row in zip(codes, above, strict=True)]
        above = above if parents else _from_pcodes(codes, where, remarks)
    names = sheet.texts(name) if name else codes
    return Named(
        codes,
        [called or own for own, called in zip(codes, names, strict=True)],
        above,
        _names_of_parents(sheet, parents),
        _version(sheet) if wanted.version is None else wanted.version,
        remarks,
    )


@dataclass(frozen=True)
class _Sheet:
    table: pd.DataFrame
    where: str
    known: dict[str, str]
    """Column names by their lower case."""

    def texts(self, column: str) -> list[str]:
        texts = [text_of(value) for value in self.table[column]]
        return [t.zfill(3) if t.isdigit() else t for t in texts] if column.lower() in THREE_DIGITS else texts

    def present(self, names: Sequence[str]) -> list[str]:
        return [self.known[n] for n in names if n in self.known]

    def fault(self, column: str) -> str:
        """Why a column cannot hold the codes, or nothing."""
        texts = self.texts(column)
        if any(text in NO_CODES for text in texts):
            return "holds -99, which is not a code"
        return "has empty fields" if "" in texts else ""

    def given(self, column: str | None, what: str) -> str:
        """A column that was asked for; "" if none was."""
        if column and column not in self.table:
            names = list(self.known.values())
            raise ZoneError(
                f"{self.where} has no column {column!r} for the {what}; it has {listing(names)}."
                f"{did_you_mean(column, names)}"
            )
        return column or ""


def text_of(value: Any) -> str:
    """A value of a table as the text of a code or name: 678.0 is '678', what is missing is ''."""
    if value is None or (pd.api.types.is_scalar(value) and pd.isna(value)):
        return ""
    if isinstance(value, float | np.floating) and float(value).is_integer():
        return str(int(value))
    return str(value).strip()


def _of_level(level: int) -> tuple[str, ...]:
    return COUNTRY if level == 0 else tuple(name.format(level) for name in LEVEL)


def _level(column: str) -> int | None:
    """The administrative level whose codes a column holds, 0 for countries, if its name tells."""
    return next((level for level in LEVELS if column.lower() in _of_level(level)), None)


def _names_of(column: str) -> list[str]:
    """Usual columns for the names that go with a column of codes."""
    level = _level(column)
    if level is None:
        return []
    return [*(form.format(level, word) for form in LEVEL_NAME for word in LANGUAGES), f"name_{level}"]


def _guess_code(sheet: _Sheet, remarks: list[str]) -> str:
    groups = (*map(_of_level, LEVELS[:-1]), SHAPE, OWN, COUNTRY, NUMBER)
    present = next((found for group in groups if (found := sheet.present(group))), [])
    if not present:
        raise ZoneError(
            f"{sheet.where} has no column that looks like codes; it has {listing(sheet.known.values())}. "
            "Say which: code='...'."
        )
    code = next((column for column in present if not sheet.fault(column)), present[0])
    remarks += [
        f"{sheet.where}: column {c!r} was passed over for the codes, it {sheet.fault(c)}."
        for c in present[: present.index(code)]
    ]
    return code


def _name(sheet: _Sheet, asked: str | None, code: str) -> str:
    if asked is not None:
        return sheet.given(asked, "name")
    return next(iter(sheet.present([*_names_of(code), *NAME])), "")


def _refuse_gaps(sheet: _Sheet, code: str, name: str) -> None:
    fault, texts = sheet.fault(code), sheet.texts(code)
    if not fault:
        return
    rows = [i for i, text in enumerate(texts) if text in ("", *NO_CODES)]
    called = listing(sheet.texts(name)[i] if name else f"row {i + 1}" for i in rows)
    better = [c for c in sheet.present([*_of_level(_level(code) or 0), *OWN]) if not sheet.fault(c)]
    todo = f"Take code={better[0]!r}." if better else "Give each a code, or say another column: code='...'."
    if "" in texts and {len(text) for text in texts} <= {0, 2}:
        todo += " (Namibia's ISO code is the text NA: read tables with keep_default_na=False.)"
    raise ZoneError(f"{sheet.where}: the code column {code!r} {fault} ({called}). {todo}")


def _given_parents(sheet: _Sheet, asked: str | Sequence[str]) -> list[str]:
    columns = [asked] if isinstance(asked, str) else asked
    chosen = [column for column in columns if sheet.given(column, "parent")]
    for column in chosen:
        if any(text in NO_CODES for text in sheet.texts(column)):
            raise ZoneError(
                f"{sheet.where}: the parent column {column!r} holds -99, which is not a code. Take another."
            )
    return chosen


def _guess_parents(sheet: _Sheet, code: str) -> list[str]:
    explicit = [column for column in sheet.present(PARENT) if column != code]
    if explicit:
        return explicit[:1]
    level = _level(code)
    higher = [sheet.present(_of_level(n)) for n in LEVELS if level is None or n < level]
    usable = [[c for c in group if c != code and not set(sheet.texts(c)) & set(NO_CODES)] for group in higher]
    chosen = [group[0] for group in usable if group]
    if level is None and chosen and len(set(sheet.texts(chosen[0]))) == len(sheet.table):
        return []  # a parent for each zone is another code of the same zone
    return chosen


def _above(sheet: _Sheet, parents: Sequence[str]) -> list[list[str]]:
    columns = [sheet.texts(column) for column in parents]
    return [[column[i] for column in columns if column[i]] for i in range(len(sheet.table))]


def _from_pcodes(codes: Sequence[str], where: str, remarks: list[str]) -> list[list[str]]:
    """Countries as parents, if every code is a P-code."""
    areas = [find(code) for code in codes]
    above = [code.removesuffix(area.part) for code, area in zip(codes, areas, strict=True) if area and area.part]
    if len(above) < len(codes):
        return [[] for _ in codes]
    remarks.append(f"{where}: no column of parents; countries taken from the P-codes, {listing(set(above))}.")
    return [[country] for country in above]


def _names_of_parents(sheet: _Sheet, parents: Sequence[str]) -> dict[str, str]:
    called: dict[str, str] = {}
    for column in parents:
        for name in sheet.present(_names_of(column))[:1]:
            called |= dict(zip(sheet.texts(column), sheet.texts(name), strict=True))
    return called


def _version(sheet: _Sheet) -> str:
    """The one value of a version column, if there is one."""
    values = {text for column in sheet.present(VERSION)[:1] for text in sheet.texts(column)}
    return re.sub(r" 00:00:00(\+00:00)?$", "", values.pop()) if len(values) == 1 else ""
