"""The UN SDG database: its CSV exports and the answers of its JSON API.

The shared extract is real. The full CSV export (columns in brackets) and the JSON API (Series/List, Series/Data) are
read as their documentation and public clients describe them; no recorded answer was at hand.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from geomon.errors import InputError, did_you_mean
from geomon.official.asking import (
    ADDRESSES,
    Fetched,
    Question,
    m49,
    need_series,
    nothing,
    objects,
    other,
    pages,
    parsed,
)
from geomon.official.codes import apart, m49_area, part, parts
from geomon.official.delimited import column, joined
from geomon.official.fetching import Body, Manner, get
from geomon.official.table import checked

PUBLISHER = "UN Statistics Division"
NEEDED = {"seriescode", "geoareacode", "timeperiod", "value"}
ASIDE = {"nature", "units", "reporting type", "observation status", "unitmultiplier", "unit multiplier"}
"""Columns in brackets that part no series off."""
REPORTED = "Reporting Type"
"""Nationally reported (N) and globally harmonised (G) figures are told apart where an area has both."""


def un_form(raw: pd.DataFrame) -> pd.DataFrame:
    """A CSV export: further dimensions become part of the series code, 'IS_RDP_PFVOL[mode=air]'."""
    said = column(raw, "dimensions")
    known = {text: split(text) for text in said.unique()}
    own = [name for name in raw.attrs.get("bracketed", []) if name not in ASIDE | NEEDED]
    spelled = raw.attrs.get("spelled", {})
    described = column(raw, "seriesdescription")
    series = raw.seriescode + said.map({t: k for t, (k, _) in known.items()}) + parts(raw[own].rename(columns=spelled))
    area = m49_area(column(raw, "iso3"), raw.geoareacode)
    return pd.DataFrame(
        {
            "series": apart(series, column(raw, REPORTED.lower()), REPORTED, within=area),
            "ref_area": area,
            "time_period": raw.timeperiod,
            "obs_value": raw.value,
            "unit_measure": column(raw, "units"),
            "nature": column(raw, "nature"),
            "definition": described.where(described != raw.seriescode, ""),
            "publisher": PUBLISHER,
            "note": joined(said.map({t: r for t, (_, r) in known.items()}), column(raw, "footnote")),
            "given_status": column(raw, "observation status"),
            "lower": column(raw, "lowerbound"),
            "upper": column(raw, "upperbound"),
            "unit_mult": column(raw, "unitmultiplier"),
        }
    )


def split(dimensions: str) -> tuple[str, str]:
    """Dimensions as a part of the series code, and remarks on the observation."""
    said = [d.strip() for d in dimensions.replace("|", ";").split(";") if d.strip()]
    remarks = [d for d in said if d.startswith("observation_status=")]
    kept = [d for d in said if d not in remarks]
    return f"[{','.join(kept)}]" if kept else "", "; ".join(remarks)


def api_form(rows: Sequence[Mapping[str, Any]], label: str) -> pd.DataFrame:
    """Observations of the JSON API (`data` of Series/Data), numbers as the text that stood there."""
    wanted = ("series", "geoAreaCode", "timePeriodStart", "value")
    lacking = [name for name in wanted if any(name not in row for row in rows)]
    if lacking:
        raise InputError(
            f"{label} has observations without {', '.join(lacking)}. The service may have changed its form."
        )
    try:
        made = pd.DataFrame([observation(row) for row in rows])
    except AttributeError as error:
        raise InputError(
            f"{label} has observations of another form ({error}). The service may have changed."
        ) from error
    made["series"] = apart(made.series, made.reported, REPORTED, within=made.ref_area)
    return made


def observation(row: Mapping[str, Any]) -> dict[str, str]:
    """One observation as text columns."""
    dimensions = {str(k): text(v) for k, v in (row.get("dimensions") or {}).items()}
    attributes = {str(k).lower(): text(v) for k, v in (row.get("attributes") or {}).items()}
    kept = {name: code for name, code in sorted(dimensions.items()) if name.lower() not in ASIDE}
    code = text(row["geoAreaCode"])
    notes = [text(n) for n in row.get("footnotes") or [] if text(n)]
    return {
        "series": text(row["series"]) + part(kept),
        "ref_area": str(m49_area(pd.Series([""]), pd.Series([code])).iloc[0]) if code else "",
        "time_period": text(row["timePeriodStart"]),
        "obs_value": text(row["value"]),
        "unit_measure": attributes.get("units", ""),
        "nature": attributes.get("nature", ""),
        "definition": text(row.get("seriesDescription")),
        "publisher": PUBLISHER,
        "note": "; ".join(notes),
        "given_status": attributes.get("observation status", ""),
        "unit_mult": attributes.get("unitmultiplier", ""),
        "lower": text(row.get("lowerBound")),
        "upper": text(row.get("upperBound")),
        "reported": dimensions.get(REPORTED, ""),
    }


def text(content: Any) -> str:
    """A JSON value as the text of a cell; null is empty."""
    return "" if content is None else str(content).strip()


def un_sdg(question: Question, manner: Manner) -> Fetched:
    """Series of the UN SDG database, with the release that its list of series names."""
    need_series(question, "AG_LND_FRST")
    base = f"{(question.url or ADDRESSES['un-sdg']).rstrip('/')}/v1/sdg"
    listed = get(f"{base}/Series/List", {"allreleases": "false"}, manner=manner)
    rows = parsed(listed, list)
    known = {str(row.get("code")): str(row.get("release") or "") for row in rows if isinstance(row, dict)}
    for code in question.series:
        if code not in known:
            raise InputError(
                f"The UN SDG database has no series {code!r} among its {len(known)}.{did_you_mean(code, known)}"
            )
    bodies, rows = [listed], []
    params = {"areaCode": [m49(a) for a in question.areas]} if question.areas else {}
    if question.span:
        params |= {"timePeriodStart": [question.years[0]], "timePeriodEnd": [question.years[1]]}
    for code in question.series:
        for body, page in pages(f"{base}/Series/Data", {"seriesCode": [code], **params}, un_page, manner):
            bodies.append(body)
            rows += page
    if not rows:
        raise nothing(question, base)
    table = checked(api_form(rows, base), base)
    releases = sorted({known[code] for code in question.series} - {""})
    return Fetched(table=table, bodies=tuple(bodies), release="+".join(releases), url=base)


def un_page(body: Body, number: int) -> tuple[list[Any], int, int]:
    """Rows, how many pages there are, and how many rows in all."""
    tree = parsed(body, dict)
    try:
        return objects(tree["data"]), int(tree["totalPages"]), int(tree["totalElements"])
    except (KeyError, TypeError, ValueError) as error:
        raise other(body, "data, totalPages and totalElements") from error
