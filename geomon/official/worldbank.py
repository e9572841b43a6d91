"""The World Bank's indicators: CSV in long and wide form, and the answers of its API, version 2.

The long CSV is the shared extract. The wide CSV and the API are read as documented; no recorded answer was
at hand.
"""

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from geomon.errors import InputError, listing
from geomon.official.asking import (
    ADDRESSES,
    Fetched,
    Question,
    iso3,
    need_series,
    nothing,
    objects,
    other,
    pages,
    parsed,
)
from geomon.official.codes import GROUP, country
from geomon.official.delimited import content, parse
from geomon.official.fetching import Body, Manner, ServiceError
from geomon.official.table import checked
from geomon.official.undata import text
from geomon.official.units import unit_name

PUBLISHER = "World Bank"
LONG = {"indicator", "iso3", "year", "value"}
WIDE = {"country code", "indicator name", "indicator code"}


def bank_form(raw: pd.DataFrame, names: Path | None) -> pd.DataFrame:
    """The long CSV; the unit is what the indicator's name has in brackets at its end."""
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
            "publisher": PUBLISHER,
            "note": "" if titles else "unit unknown: the list of indicator names was not at hand",
        }
    )


def without_preamble(text: str) -> str:
    """A wide CSV from its header on; the file begins with its source and date."""
    lines = text.splitlines(keepends=True)
    start = next((n for n, line in enumerate(lines[:8]) if line.lstrip('\ufeff"').startswith("Country Name")), 0)
    return "".join(lines[start:])


def wide_form(raw: pd.DataFrame) -> pd.DataFrame:
    """The CSV download, a column a year; empty cells, which the form needs, are no observations."""
    years = [name for name in raw if re.fullmatch(r"\d{4}", str(name))]
    if not years:
        raise InputError("A wide table of the World Bank has no columns of years. Export it with its years.")
    long = raw.melt(id_vars=sorted(WIDE), value_vars=years, var_name="year", value_name="value")
    long = long[long.value != ""].rename(columns={"country code": "iso3", "indicator code": "indicator"})
    made = bank_form(long, None)
    made["definition"] = long["indicator name"]
    made["unit_measure"] = made.definition.map({name: bank_unit(name) for name in made.definition.unique()})
    made["note"] = ""
    return made


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


def api_form(rows: Sequence[Mapping[str, Any]], label: str) -> pd.DataFrame:
    """Observations of the API's JSON; a group of countries has no ISO code and keeps its own."""
    if any("indicator" not in row or "date" not in row or "value" not in row for row in rows):
        raise InputError(f"{label} has observations without indicator, date or value. The service may have changed.")
    try:
        return pd.DataFrame([observation(row) for row in rows])
    except AttributeError as error:
        raise InputError(
            f"{label} has observations of another form ({error}). The service may have changed."
        ) from error


def observation(row: Mapping[str, Any]) -> dict[str, str]:
    """One observation as text columns."""
    title = text(row["indicator"].get("value"))
    three, own = text(row.get("countryiso3code")), text((row.get("country") or {}).get("id"))
    return {
        "series": text(row["indicator"].get("id")),
        "ref_area": country(three) if three else GROUP + own,
        "time_period": text(row["date"]),
        "obs_value": text(row["value"]),
        "unit_measure": text(row.get("unit")) or bank_unit(title),
        "definition": title,
        "publisher": PUBLISHER,
        "note": text(row.get("footnote")),
        "given_status": text(row.get("obs_status")),
    }


def worldbank_api(question: Question, manner: Manner) -> Fetched:
    """Indicators of the World Bank; the release is the day on which it says they were updated."""
    need_series(question, "AG.LND.FRST.ZS")
    base = (question.url or ADDRESSES["worldbank"]).rstrip("/")
    where = ";".join(iso3(a) for a in question.areas) or "all"
    bodies: list[Body] = []
    rows: list[Any] = []
    updated: set[str] = set()
    params = {"format": ["json"], "footnote": ["y"]}
    if question.span:
        params["date"] = [":".join(question.years)]
    for code in question.series:
        for body, page in pages(f"{base}/country/{where}/indicator/{code}", params, bank_page, manner, "per_page"):
            bodies.append(body)
            rows += page
            updated.add(str(parsed(body, list)[0].get("lastupdated") or ""))
    if not rows:
        raise nothing(question, base)
    table = checked(api_form(rows, base), base)
    return Fetched(table=table, bodies=tuple(bodies), release="+".join(sorted(updated - {""})), url=base)


def bank_page(body: Body, number: int) -> tuple[list[Any], int, int]:
    """Rows, pages and rows in all; an error that came as a success is one."""
    tree = parsed(body, list)
    meta = tree[0] if tree and isinstance(tree[0], dict) else {}
    if "message" in meta:
        said = "; ".join(str(m.get("value") or m.get("key")) for m in meta["message"])
        raise ServiceError(f"{body.url} refused the question: {said} Check the codes of series and areas.")
    try:
        rows = tree[1] if len(tree) > 1 else []
        return objects(rows), int(meta["pages"]), int(meta["total"])
    except (KeyError, TypeError, ValueError) as error:
        raise other(body, "[pages and total, rows]") from error
