"""The series as a table, with a status beside every value: CSV and Parquet."""

import io
import json
import re
from typing import Any

import pandas as pd

from geomon.errors import InputError
from geomon.export.release import Release
from geomon.export.statuses import MISSING, SUPPRESSED, VALUE, flag
from geomon.series import COLUMNS
from geomon.texts import say

NUMBERS = [name for name, kind in COLUMNS.items() if kind == "float64"]
SAID = ("flag", "synthetic", "attribution", "licence", "created")
"""Columns of a table after those of the series."""
FORMULA = re.compile(r"'*[=+\-@\t\r\n]")
NUMBER = re.compile(r"[+-]\d+(\.\d+)?")


def table(release: Release) -> pd.DataFrame:
    """The series, the status of each row, and what else must be said of it."""
    flags = [flag(r) for r in release.rows]
    return release.series[list(COLUMNS)].assign(
        flag=flags,
        synthetic=release.invented,
        attribution=release.attribution,
        licence=release.licences,
        created=release.created,
    )


def parts(release: Release) -> pd.DataFrame:
    """What the intervals are made of, with what must be said of it where it stands alone; empty if not known."""
    return release.intervals.reset_index(drop=True).assign(
        nature=say("export.estimate"), synthetic=release.invented, run=", ".join(release.runs)
    )


def to_csv(release: Release) -> bytes:
    """UTF-8 with a header. In `flag` s is suppressed and : missing, with the number left empty; inf is no limit."""
    return written(table(release))


def parts_to_csv(release: Release) -> bytes:
    """The parts of the intervals in the same form."""
    return written(parts(release))


def written(rows: pd.DataFrame) -> bytes:
    """A table as CSV; text that a spreadsheet would run as a formula has an apostrophe before it."""
    texts = {str(name): rows[name].map(guarded) for name in rows.select_dtypes(exclude="number")}
    told = io.StringIO(newline="")
    rows.assign(**texts).to_csv(told, index=False, lineterminator="\r\n")  # with others a lone \r goes unquoted
    return told.getvalue().encode()


def guarded(text: str) -> str:
    """Text that no spreadsheet runs as a formula; a number such as -1 is none."""
    return f"'{text}" if FORMULA.match(text) and not NUMBER.fullmatch(text) else text


def unguarded(text: str) -> str:
    """The text that was guarded."""
    return text[1:] if text.startswith("'") and FORMULA.match(text) else text


def from_csv(content: bytes) -> pd.DataFrame:
    """A table that to_csv made, every number and text as it was; InputError where a status contradicts its number."""
    texts = {name: str for name in (*COLUMNS, *SAID) if name not in NUMBERS}
    read = pd.read_csv(
        io.BytesIO(content),
        dtype=texts,
        keep_default_na=False,
        na_values={n: [""] for n in NUMBERS},
        float_precision="round_trip",  # the default is off by the last bit
    )
    read[NUMBERS] = read[NUMBERS].astype("float64")
    for name in texts:
        read[name] = read[name].map(unguarded)
    told = {VALUE, MISSING, SUPPRESSED}
    wrong = ~read["flag"].isin(told) | (read["flag"].eq(VALUE) != read["obs_value"].notna())
    if wrong.any():
        row = read[wrong].iloc[0]
        raise InputError(
            f"The row of {row.ref_area} {row.time_period} has the status {row.flag!r} and {row.obs_value}."
        )
    return read


def to_parquet(release: Release) -> bytes:
    """The same with its types; what holds for the whole is in the schema's metadata under 'geomon'."""
    return packed(table(release), release)


def parts_to_parquet(release: Release) -> bytes:
    """The parts of the intervals in the same form."""
    return packed(parts(release), release)


def packed(rows: pd.DataFrame, release: Release) -> bytes:
    """A table as Parquet."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    made = pa.Table.from_pandas(rows, preserve_index=False)
    made = made.replace_schema_metadata({**(made.schema.metadata or {}), b"geomon": json_of(release)})
    told = io.BytesIO()
    pq.write_table(made, told)
    return told.getvalue()


def facts(release: Release) -> dict[str, Any]:
    """What holds for all rows, for a reader and for a machine."""
    return {
        "nature": say("export.estimate"),
        "synthetic": release.invented,
        "runs": release.runs,
        "vintages": release.vintages,
        "created": release.created,
        "attribution": release.attribution,
        "licences": release.licences,
        "indicators": {
            code: {
                "title": about.title,
                "method": about.note,
                "outputs": {n: vars(o) for n, o in about.outputs.items()},
            }
            for code, about in release.about.items()
        },
        "products": [{**vars(p), "caveats": list(p.caveats)} for p in release.products],
        "status": {f: say(f"export.flag.{f}") for f in (VALUE, MISSING, SUPPRESSED)},
    }


def json_of(release: Release) -> bytes:
    """The facts as JSON, the same bytes for the same release."""
    return json.dumps(facts(release), sort_keys=True, ensure_ascii=False).encode()
