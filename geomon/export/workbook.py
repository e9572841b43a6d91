"""The series as an Excel workbook that can be read without another file."""

import io
import math
import re
import zipfile
from collections.abc import Iterable, Sequence
from typing import Any

from geomon.errors import InputError
from geomon.export.release import Release
from geomon.export.said import plain
from geomon.export.statuses import MISSING, SUPPRESSED, VALUE, meaning
from geomon.export.structure import STATUSES
from geomon.export.tidy import NUMBERS, parts, table
from geomon.texts import known, say

FORMATS = {"percent": "0.0", "km2": "#,##0.0", "ha": "#,##0", "people": "#,##0", "number": "#,##0", "1": "0.000"}
VALUES = ("obs_value", "lower", "upper")
FORMULA = ("=", "+", "-", "@", "\t", "\r")
MOST_ROWS = 2**20
WIDEST, NARROWEST = 60, 10
EPOCH = (1980, 1, 1, 0, 0, 0)  # the first moment that a zip file can name
INTERVALS = "Intervals"
SHEETS = ("Series", "Method and caveats", "Statuses", "Provenance")


def to_xlsx(release: Release) -> bytes:
    """Sheets of the series, the method, the statuses, the origin and, if known, of what the intervals are made of."""
    import openpyxl

    count = max(len(release.series), len(release.intervals))
    if count >= MOST_ROWS:
        raise InputError(f"{count} rows are more than a sheet of Excel holds. Export csv or parquet.")
    book = openpyxl.Workbook()
    book.remove(book.active)
    series(book.create_sheet(SHEETS[0]), release)
    for title, rows in zip(SHEETS[1:], (method(release), statuses(), origin(release)), strict=True):
        fill(book.create_sheet(title), rows)
    if len(release.intervals):
        pieces = parts(release)
        fill(book.create_sheet(INTERVALS), [list(pieces.columns), *pieces.itertuples(index=False, name=None)])
    told = io.BytesIO()
    book.save(told)
    return settled(told.getvalue(), release.created)


def series(sheet: Any, release: Release) -> None:
    """The rows, numbers with the digits that suit their unit; the full number is in the cell."""
    from openpyxl.utils import get_column_letter

    rows = table(release)
    rows.insert(list(rows.columns).index("ref_area") + 1, "area", rows["ref_area"].map(release.names).fillna(""))
    fill(sheet, [list(rows.columns), *rows.itertuples(index=False, name=None)])
    sheet.auto_filter.ref = sheet.dimensions
    at = {name: n for n, name in enumerate(rows.columns, 1)}
    for n, unit in enumerate(rows["unit_measure"], 2):
        for name in VALUES:
            sheet.cell(n, at[name]).number_format = FORMATS.get(unit, "General")
        sheet.cell(n, at["coverage"]).number_format = "0.0%"
    for name in NUMBERS:
        sheet.column_dimensions[get_column_letter(at[name])].width = 14


def fill(sheet: Any, rows: Iterable[Sequence[Any]]) -> None:
    """Rows under a header that stays, in columns wide enough; text stays text, whatever it begins with."""
    from openpyxl.styles import Alignment, Font
    from openpyxl.utils import get_column_letter

    widths: dict[int, int] = {}
    for n, row in enumerate(rows, 1):
        for m, content in enumerate(row, 1):
            put(sheet.cell(n, m), content)
            widths[m] = max(widths.get(m, NARROWEST), len(str(content)) + 2)
    for m, width in widths.items():
        sheet.column_dimensions[get_column_letter(m)].width = min(width, WIDEST)
        sheet.cell(1, m).font = Font(bold=True)
    if sheet.title not in (SHEETS[0], INTERVALS):
        for cell in (c for line in sheet.iter_rows() for c in line):
            cell.alignment = Alignment(wrap_text=True, vertical="top")
    sheet.freeze_panes = "A2"


def put(cell: Any, content: Any) -> None:
    """A number, or text that Excel does not take for a formula; an empty cell where there is no number."""
    if isinstance(content, float):
        if math.isfinite(content):
            cell.value = float(content)
            cell._value = repr(float(content))  # openpyxl writes 16 digits, and a number may need 17
        else:
            cell.value = None if math.isnan(content) else str(content)
        return
    text = plain(str(content))
    cell.value = text or None
    if text:
        cell.data_type = "s"  # openpyxl takes '=A1' for a formula and '#N/A' for an error
    if text.startswith(FORMULA):
        cell.quotePrefix = True


def method(release: Release) -> list[tuple[str, str]]:
    """What was measured, how it differs from the official, and what speaks against it."""
    rows = [("What", "Text"), ("Nature", say("export.estimate"))]
    if release.synthetic:
        rows.append(("Synthetic", say("export.synthetic")))
    kinds = "; ".join(f"{k}: {known(f'interval.{k}') or k}" for k in sorted(set(release.series["interval"]) - {""}))
    rows += [
        ("Interval", say("export.interval", kinds=kinds or say("export.unknown"))),
        ("Columns", say("export.bounds")),
        ("Columns", say("export.coverage")),
        ("Columns", say("export.vintage")),
    ]
    for code, about in release.about.items():
        rows += [(f"{code} title", about.title), (f"{code} method", about.note)]
        for name, told in about.outputs.items():
            beside = say("export.beside", official=told.official) if told.official else say("export.alone")
            rows.append((f"{code} {name}", f"{told.summary} {beside}"))
    return rows + [(f"{p.id} caveat", caveat) for p in release.products for caveat in p.caveats]


def statuses() -> list[tuple[str, str]]:
    """What the marks in the column flag mean, and the codes of SDMX for the same."""
    marks = [(f or "(empty)", say(f"export.flag.{f}")) for f in (VALUE, MISSING, SUPPRESSED)]
    return [("Mark", "Meaning"), *marks, *((f"SDMX {code}", meaning(code)) for code in STATUSES)]


def origin(release: Release) -> list[tuple[str, str]]:
    """Which runs, of which products, on which terms."""
    rows = [("What", "Text"), ("Made", release.created or say("export.unknown")), ("Synthetic", release.invented)]
    rows += [("Run", run) for run in release.runs]
    rows += [("Vintage", vintage) for vintage in release.vintages]
    for product in release.products:
        rows += [
            (f"{product.id} title", product.title),
            (f"{product.id} licence", product.licence),
            (f"{product.id} attribution", product.attribution),
        ]
    return rows


def settled(content: bytes, created: str) -> bytes:
    """A workbook that names the time of its run and not that of its writing, so that equal content has equal bytes."""
    told = io.BytesIO()
    when = (created or "1980-01-01T00:00:00Z").encode()
    with zipfile.ZipFile(io.BytesIO(content)) as old, zipfile.ZipFile(told, "w", zipfile.ZIP_DEFLATED) as new:
        for name in old.namelist():
            part = old.read(name)
            if name == "docProps/core.xml":
                part = re.sub(rb"(<dcterms:(?:created|modified)[^>]*>)[^<]*", rb"\g<1>" + when, part)
            info = zipfile.ZipInfo(name, EPOCH)
            info.compress_type = zipfile.ZIP_DEFLATED
            new.writestr(info, part)
    return told.getvalue()
