"""SDMX data messages: SDMX-ML 2.1 (through sdmx1), SDMX-JSON 1 and 2, SDMX-CSV 1 and 2.

sdmx1 reads no SDMX-JSON but a draft of it, and SDMX-CSV only with its structure; both are read here. SDMX-ML
is tried on real files (Rwanda, samples with the global structure), SDMX-JSON and SDMX-CSV on messages made
after the specifications of the SDMX technical working group.
"""

import contextlib
import logging
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from io import BytesIO
from typing import Any
from xml.etree import ElementTree

import pandas as pd

from geomon import areas
from geomon.errors import InputError, listing
from geomon.official.codes import GROUP, apart, country, parts
from geomon.official.delimited import joined
from geomon.official.fetching import NotWholeError
from geomon.official.undata import text

SERIES = ("SERIES", "INDICATOR", "INDICATOR_CODE", "MEASURE", "SUBJECT")
AREA = ("REF_AREA", "GEO_AREA", "GEO", "COUNTRY", "LOCATION", "AREA")
TIME = ("TIME_PERIOD", "TIME", "YEAR")
VALUE = ("OBS_VALUE", "VALUE")
UNIT = ("UNIT_MEASURE", "UNIT", "UNITS")
MULTIPLIER = ("UNIT_MULT", "UNIT_MULTIPLIER", "POWERCODE")
NOTES = ("COMMENT_OBS", "COMMENT_TS", "SOURCE_DETAIL", "TIME_DETAIL", "BASE_PER")
ATTRIBUTES = {
    *(*VALUE, *UNIT, *MULTIPLIER, *NOTES, "OBS_STATUS", "NATURE", "UPPER_BOUND", "LOWER_BOUND", "CONF_STATUS"),
    *("TIME_COVERAGE", "GEO_INFO_URL", "GEO_INFO_TYPE", "CUST_BREAKDOWN_LB", "DATA_LAST_UPDATE", "DECIMALS"),
    *("TIME_FORMAT", "COLLECTION", "TITLE", "OBS_CONF", "PRE_BREAK_VALUE", "COVERAGE", "METHODOLOGY"),
    *("DATAFLOW", "STRUCTURE", "STRUCTURE_ID", "STRUCTURE_NAME", "ACTION", "LAST_UPDATE", "OBS_FLAG"),
}
"""Components that part no series off, where no structure says which are dimensions."""
GLOBAL = ("IAEG-SDGs", "UNSD", "UNSDG")
"""Agencies whose areas are numbered by M49; elsewhere '1' may be a province."""
REPORTED = "REPORTING_TYPE"
"""Parts series off only where a message holds several: nationally reported and globally harmonised figures."""


@dataclass(frozen=True)
class Message:
    """The observations of a message, each a mapping of component to code, and the structure it names."""

    rows: list[dict[str, str]]
    dimensions: frozenset[str] = frozenset()
    """Ids of the dimensions; empty where the message does not say."""
    structure: str = ""
    """'IAEG-SDGs:SDG(1.8)'."""
    names: Mapping[str, str] | None = None
    """Names of the codes of the series dimension, where the message gives them."""

    @property
    def agency(self) -> str:
        """Who maintains the structure."""
        return self.structure.partition(":")[0]


def table_of(message: Message, label: str) -> pd.DataFrame:
    """The observations as text columns for `table.checked`.

    A series key that comes in several units is kept apart by its unit, as a code and its total could not be told
    from each other otherwise: 'SP_LGL_LNDDOC[UNIT_MEASURE=PT]'.
    """
    if not message.rows:
        raise InputError(f"{label} holds no observations. Ask for other series, areas or years.")
    raw = pd.DataFrame(message.rows).fillna("")
    found = {what: first(raw, ids) for what, ids in (("series", SERIES), ("area", AREA), ("time", TIME))}
    value = first(raw, VALUE)
    needed = {SERIES: found["series"], AREA: found["area"], TIME: found["time"], VALUE: value}
    lacking = [ids[0] for ids, name in needed.items() if not name]
    if lacking:
        raise InputError(
            f"{label} has the components {listing(raw.columns)}; it lacks {listing(lacking)}. "
            "Convert it to a plain table, or give a --mapping for a CSV of it."
        )
    unit, status, nature = first(raw, UNIT), first(raw, ("OBS_STATUS", "OBS_FLAG")), first(raw, ("NATURE",))
    own = [name for name in map(str, raw) if name not in found.values() and parts_off(name, raw[name], message, unit)]
    series = raw[found["series"]] + parts(raw[sorted(own)])
    given = raw[unit] if unit else pd.Series("", index=raw.index)
    area = area_codes(raw[found["area"]], message.agency)
    several = apart(series, given, unit or UNIT[0], within=area)
    remark = pd.Series("", index=raw.index).where(several == series, "one code in several units: kept apart")
    notes = [raw[name] for name in NOTES if name in raw and name != "TIME_DETAIL"]
    return pd.DataFrame(
        {
            "series": several,
            "ref_area": area,
            "time_period": raw[found["time"]],
            "obs_value": raw[value].where(~raw[value].isin(["nan", "NaN", "None"]), ""),
            "unit_measure": given,
            "unit_mult": raw[first(raw, MULTIPLIER)] if first(raw, MULTIPLIER) else "",
            "nature": raw[nature] if nature else "",
            "definition": raw[found["series"]].map(message.names or {}).fillna(""),
            "publisher": message.agency,
            "note": joined(*notes, remark),
            "given_status": raw[status] if status else "",
            "lower": raw.get("LOWER_BOUND", ""),
            "upper": raw.get("UPPER_BOUND", ""),
        }
    )


def first(raw: pd.DataFrame, ids: Iterable[str]) -> str:
    """The first of some components that is there, else nothing."""
    return next((name for name in ids if name in raw), "")


def parts_off(name: str, codes: pd.Series, message: Message, unit: str) -> bool:
    """Whether a component is a dimension that tells series apart; a frequency does not, as periods show it."""
    if name in (unit, "FREQ", *VALUE) or (name not in message.dimensions if message.dimensions else name in ATTRIBUTES):
        return False
    return name != REPORTED or codes.nunique() > 1


def area_codes(codes: pd.Series, agency: str) -> pd.Series:
    """ISO3 codes of countries; a number is M49 only in the structures of the UN's agencies, else it stays."""
    known = {}
    for code in map(str, codes.unique()):
        found = areas.find(code)
        if code.isdigit():
            known[code] = country(code.zfill(3)) if agency in GLOBAL else code
        else:
            known[code] = found.iso3 if found and not found.part else code
        if code in ("_T", "W0", "WLD", "1W"):
            known[code] = GROUP + code
    return codes.map(known)


def read_ml(data: bytes, label: str, structure: bytes | None = None) -> Message:
    """An SDMX-ML 2.1 data message, generic or structure specific; its DSD tells dimensions from attributes."""
    import sdmx

    ref = structure_in(data, label)
    logger = logging.getLogger("sdmx")
    before = logger.level
    logger.setLevel(logging.ERROR)  # without a DSD it says so for every message, which `dimensions` says here
    try:
        with contextlib.redirect_stdout(None):  # sdmx1 prints its stacks where it fails
            structures: Any = sdmx.read_sdmx(BytesIO(structure)) if structure else None
            dsd = next(iter(structures.structure.values()), None) if structures is not None else None
            message: Any = sdmx.read_sdmx(BytesIO(data), **({"structure": dsd} if dsd is not None else {}))
    except Exception as error:  # sdmx1 raises whatever its parser meets
        raise InputError(
            f"{label} is not an SDMX-ML 2.1 data message that can be read: {type(error).__name__}. "
            "Export it as structure-specific SDMX-ML 2.1, SDMX-CSV or SDMX-JSON."
        ) from error
    finally:
        logger.setLevel(before)
    if not hasattr(message, "data"):
        raise InputError(
            f"{label} holds no data but {type(message).__name__}. Hand in the data message, and its structure with it."
        )
    rows = [row_of(obs) for part in message.data for obs in part.obs]
    if dsd is not None:
        dimensions = frozenset(str(d.id) for d in dsd.dimensions)
    else:
        generic = any(part.obs and part.obs[0].series_key and part.obs[0].series_key.attrib for part in message.data)
        dimensions = frozenset(map(str, message.data[0].obs[0].key.values)) if generic else frozenset()
    return Message(rows, dimensions, ref, series_names(dsd))


def row_of(obs: Any) -> dict[str, str]:
    """One observation of sdmx1 as component to code."""
    key = {name: str(value.value) for name, value in obs.key.values.items()}
    attributes = {name: str(value.value) for name, value in obs.attrib.items()}
    series = {name: str(v.value) for name, v in obs.series_key.attrib.items()} if obs.series_key else {}
    return {**series, **attributes, **key, "OBS_VALUE": text(obs.value)}


def series_names(dsd: Any) -> dict[str, str]:
    """Names of the series in the code list of a DSD."""
    for name in SERIES:
        try:
            listed = dsd.dimensions.get(name).local_representation.enumerated
            return {str(code.id): str(code.name) for code in listed}
        except (AttributeError, KeyError, TypeError):
            continue
    return {}


def structure_in(data: bytes, label: str) -> str:
    """'NISR-SDGs:SDG(1.3)' from the header of an SDMX-ML message; InputError if the message is not whole."""
    named = ""
    try:
        for _, element in ElementTree.iterparse(BytesIO(data), events=("start",)):
            if not named and element.tag.rpartition("}")[2] == "Ref":
                agency, id = element.get("agencyID"), element.get("id")
                named = f"{agency}:{id}({element.get('version') or '1.0'})" if agency and id else ""
            element.clear()
    except ElementTree.ParseError as error:
        raise NotWholeError(f"{label} is not whole XML: {error}. It may have been cut off; fetch it again.") from error
    return named


def read_csv(raw: pd.DataFrame) -> Message:
    """SDMX-CSV 1 (column DATAFLOW) or 2 (STRUCTURE, STRUCTURE_ID, ACTION); deleted rows are left out.

    A column may be 'SEX: Sex' and a cell 'F: Female' where labels were asked for: the code counts.
    """
    names = [str(name) for name in raw]
    upper = raw.rename(columns={name: name.partition(":")[0].strip().partition("[")[0].upper() for name in names})
    labelled = [name for name in names if ":" in name]
    for name in labelled:
        code = name.partition(":")[0].strip().upper()
        upper[code] = upper[code].str.partition(":")[0].str.strip()
    if "ACTION" in upper:
        upper = upper[~upper.ACTION.isin(["D", "Delete"])]
    flow = first(upper, ("STRUCTURE_ID", "DATAFLOW"))
    named = upper[flow].iloc[0].partition(": ")[0] if flow and len(upper) else ""
    return Message([{str(k): str(v) for k, v in row.items()} for row in upper.to_dict("records")], frozenset(), named)


def is_csv(columns: Iterable[str]) -> bool:
    """Whether a header (in lower case) is that of SDMX-CSV."""
    names = {name.partition(":")[0].strip() for name in columns}
    return bool({"dataflow", "structure_id"} & names)
