"""Codes of published tables: areas, what counts as a total, the nature and the status of an observation."""

from collections.abc import Mapping

import pandas as pd

from geomon import areas

GROUP = "group:"
NO_ISO = {"412": "XKX", "530": "ANT", "830": "CHI"}  # areas that are no groups and have no ISO code
NO_GROUP = set(NO_ISO.values())
TOTALS = frozenset(
    {"", "_T", "_Z", "_X", "_N", "TOTAL", "ALL", "BOTHSEX", "BOTH SEXES", "ALLAGE", "ALLAREA", "NOBREAK"}
    | {"NA", "N/A", "NONE"}
)
"""Codes of a dimension that part nothing off: a total, or a breakdown that does not apply."""

BREAKDOWNS = (
    *("SEX", "AGE", "URBANISATION", "INCOME_WEALTH_QUANTILE", "EDUCATION_LEV", "OCCUPATION", "CUST_BREAKDOWN"),
    *("COMPOSITE_BREAKDOWN", "DISABILITY_STATUS", "ACTIVITY", "PRODUCT"),
)
"""Dimensions of the global SDG structure that part a series off, under whatever header they stand."""

NATURES = {
    "C": "country data",
    "CA": "country data, adjusted",
    "E": "estimated",
    "G": "global monitoring data",
    "M": "modelled",
    "N": "non-relevant",
    "NA": "nature not available",
    "_X": "nature not available",
    "NOTSPEC": "nature not specified",
}
"""Code list CL_NATURE of the global SDG structure, with NA and NOTSPEC of the UN SDG database."""

STATUSES = {
    "H": "missing in the source: holiday or weekend",
    "L": "missing in the source: data exist but were not collected",
    "M": "missing in the source: data cannot exist",
    "O": "missing in the source",
    "Q": "suppressed in the source",
}
"""Codes of CL_OBS_STATUS under which no value stands, whatever is in its place."""
STATUS_WORDS = {
    "missing value; holiday or weekend": "H",
    "missing value; data exist but were not collected": "L",
    "missing value; data cannot exist": "M",
    "missing value": "O",
    "missing value; suppressed": "Q",
    "normal value": "A",
}


def nature_name(code: str) -> str:
    """What a nature code says; an unknown one as it was, none as 'nature not stated'."""
    return NATURES.get(code.strip().upper(), code.strip()) or "nature not stated"


def status_code(word: str) -> str:
    """The code of an observation status that may be spelled out: 'Normal value' is 'A'."""
    return STATUS_WORDS.get(word.strip().lower(), word.strip())


def country(code: str) -> str:
    """ISO3 (or the code in use) of a country or territory; of anything else a code that is no area's."""
    found = areas.find(code)
    if found is not None and not found.part:
        return found.iso3
    code = NO_ISO.get(code, code)
    return code if code in NO_GROUP else GROUP + code.lstrip("0")


def m49_area(iso3: pd.Series, m49: pd.Series) -> pd.Series:
    """ISO3 codes where there are any, else the country or group behind the number."""
    known = {code: country(code.zfill(3)) for code in m49[iso3 == ""].unique()}
    return iso3.where(iso3 != "", m49.map(known))


def part(dimensions: Mapping[str, str]) -> str:
    """What stands behind a series code so that only totals pair: '[SEX=F,AGE=Y0T14]', '' for a total."""
    kept = [f"{name}={code}" for name, code in dimensions.items() if not total(name, code.strip().upper())]
    return f"[{','.join(kept)}]" if kept else ""


def total(name: str, code: str) -> bool:
    """Whether a code parts nothing off; T is a total of the sexes, but a section of the economy elsewhere."""
    return code in TOTALS or (code == "T" and name.upper() == "SEX")


def parts(dimensions: pd.DataFrame) -> pd.Series:
    """`part` for every row of a table of dimensions."""
    if dimensions.columns.empty:
        return pd.Series("", index=dimensions.index, dtype=object)
    rows = list(dimensions.itertuples(index=False, name=None))
    names = [str(name) for name in dimensions.columns]
    known = {row: part(dict(zip(names, map(str, row), strict=True))) for row in set(rows)}
    return pd.Series([known[row] for row in rows], index=dimensions.index, dtype=object)


def apart(series: pd.Series, by: pd.Series, name: str, within: pd.Series | None = None) -> pd.Series:
    """Series codes with '[name=...]' where one code stands for several, told apart by another column.

    `within` looks at each of its values (an area, say) alone.
    """
    keys = [series] if within is None else [series, within]
    several = by.groupby(keys).transform("nunique") > 1
    return series.where(~several, series + f"[{name}=" + by + "]")
