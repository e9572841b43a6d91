"""What a data structure allows: its dimensions in order, its attributes, and the codes of each."""

import contextlib
import functools
import io
import logging
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pandas as pd
import pycountry

from geomon.errors import InputError, listing
from geomon.export.statuses import ESTIMATED
from geomon.texts import say

OBSERVATION, SERIES, DATASET = "observation", "series", "dataset"
TIME = "TIME_PERIOD"


@dataclass(frozen=True)
class Attribute:
    """Where an attribute stands, and whether it must be there."""

    level: str = OBSERVATION
    """'observation', 'series' or 'dataset'."""
    mandatory: bool = False


@dataclass(frozen=True, kw_only=True)
class Structure:
    """A data structure definition, as far as data must keep to it."""

    agency: str
    id: str
    version: str
    dimensions: tuple[str, ...]
    """In the order of a key; TIME_PERIOD is the last."""
    attributes: Mapping[str, Attribute]
    codes: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    """Code -> name for each component that has a list; any text is good for the others."""
    definition: Any = field(default=None, compare=False, repr=False)
    """The definition as sdmx1 holds it, to read data with; None if it did not come from a file."""

    @property
    def reference(self) -> str:
        """'IAEG-SDGs:SDG(1.8)'."""
        return f"{self.agency}:{self.id}({self.version})"

    @property
    def keeps_all(self) -> bool:
        """Whether it has a place for both bounds, and for what a row says beside them."""
        return {"LOWER_BOUND", "UPPER_BOUND", "COMMENT_OBS"} <= set(self.attributes)

    def level(self, name: str) -> str:
        """Where an attribute stands; '' for one that it does not have."""
        return self.attributes[name].level if name in self.attributes else ""


def read_structure(file: Path) -> Structure:
    """The data structure of an SDMX-ML file; InputError if there is none in it, or more than one."""
    message = parsed(file)
    found = list(getattr(message, "structure", {}).values())
    if len(found) != 1:
        raise InputError(
            f"{file} holds {len(found)} data structure definitions. Name an SDMX-ML structure message that holds one."
        )
    dsd = found[0]
    names = [d.id for d in dsd.dimensions if d.id != TIME]
    if len(names) == len(dsd.dimensions):
        raise InputError(f"{file} defines data without {TIME}, so a series has no place in it.")
    codes = {
        c.id: {code.id: str(code.name) for code in c.local_representation.enumerated.items.values()}
        for c in (*dsd.dimensions, *dsd.attributes)
        if c.local_representation and c.local_representation.enumerated is not None
    }
    return Structure(
        agency=dsd.maintainer.id,
        id=dsd.id,
        version=str(dsd.version),
        dimensions=(*names, TIME),
        attributes={a.id: attribute(a) for a in dsd.attributes},
        codes=codes,
        definition=dsd,
    )


def parsed(file: Path) -> Any:
    """A structure message as sdmx1 reads it."""
    import sdmx

    try:
        with silent():
            message = sdmx.read_sdmx(io.BytesIO(file.read_bytes()))
    except OSError as error:
        raise InputError(f"The structure {file} cannot be read: {error.strerror or error}.") from error
    except Exception as error:  # what a parser raises depends on where the file is broken
        raise InputError(f"{file} is no SDMX-ML structure message: {' '.join(str(error).split())[:200]}.") from error
    if not isinstance(message, sdmx.message.StructureMessage):
        raise InputError(f"{file} holds data, no structure. Name the SDMX-ML structure message that they keep to.")
    return message


@contextlib.contextmanager
def silent() -> Iterator[None]:
    """Without the state that sdmx1 prints, and the hints that it logs, where a file does not parse."""
    logger = logging.getLogger("sdmx")
    before = logger.level
    logger.setLevel(logging.ERROR)
    try:
        with contextlib.redirect_stdout(None):
            yield
    finally:
        logger.setLevel(before)


def attribute(given: Any) -> Attribute:
    """An attribute of a definition by its relation: to the measure, to dimensions, or to neither."""
    relation = type(given.related_to).__name__
    levels = {"DimensionRelationship": SERIES, "GroupRelationship": SERIES, "NoSpecifiedRelationship": DATASET}
    over_time = any(d.id == TIME for d in getattr(given.related_to, "dimensions", ()))
    level = OBSERVATION if over_time else levels.get(relation, OBSERVATION)
    return Attribute(level, getattr(given.usage_status, "name", "") == "mandatory")


# --- The global structure of the SDG indicators, whose names are public facts

TOTAL = "_T"
SDG_DIMENSIONS = (
    *("FREQ", "REPORTING_TYPE", "SERIES", "REF_AREA", "SEX", "AGE", "URBANISATION", "INCOME_WEALTH_QUANTILE"),
    *("EDUCATION_LEV", "OCCUPATION", "CUST_BREAKDOWN", "COMPOSITE_BREAKDOWN", "DISABILITY_STATUS", "ACTIVITY"),
    *("PRODUCT", TIME),
)
SDG_ATTRIBUTES = {
    "OBS_STATUS": Attribute(OBSERVATION, True),
    "UNIT_MULT": Attribute(OBSERVATION, True),
    "UNIT_MEASURE": Attribute(SERIES, True),
    **dict.fromkeys(("BASE_PER", "NATURE", "TIME_DETAIL", "COMMENT_OBS", "TIME_COVERAGE"), Attribute()),
    **dict.fromkeys(("UPPER_BOUND", "LOWER_BOUND", "SOURCE_DETAIL"), Attribute()),
    **dict.fromkeys(("COMMENT_TS", "GEO_INFO_URL", "GEO_INFO_TYPE", "CUST_BREAKDOWN_LB"), Attribute(SERIES)),
    "DATA_LAST_UPDATE": Attribute(SERIES),
}
CUSTOM = {f"C{n:02d}": f"Custom code {n:02d}" for n in range(1, 100)}
STATUSES = (ESTIMATED, "A", "D", "L", "M", "O", "Q")
FREQUENCIES = {"A": "Annual", "M": "Monthly", "D": "Daily"}
UNITS = {
    "PT": "Percent",
    "KM2": "Square kilometers",
    "HA": "Hectares",
    "NUMBER": "Number",
    "RO": "Ratio",
    "KM": "Kilometers",
    "GPERM3": "Micrograms per cubic meter",
    "USD": "USD",
}


@functools.cache
def global_structure() -> Structure:
    """IAEG-SDGs:SDG as far as it is known without its file: SERIES is any text, areas are M49 without leading zeros."""
    whole = {d: {TOTAL: "Total"} for d in SDG_DIMENSIONS if d not in ("FREQ", "REPORTING_TYPE", "SERIES", TIME)}
    return Structure(
        agency="IAEG-SDGs",
        id="SDG",
        version="1.8",
        dimensions=SDG_DIMENSIONS,
        attributes=SDG_ATTRIBUTES,
        codes={
            **whole,
            "FREQ": FREQUENCIES,
            "REPORTING_TYPE": {"G": "Global", "R": "Regional", "N": "National"},
            "REF_AREA": {str(int(c.numeric)): getattr(c, "common_name", c.name) for c in pycountry.countries},
            "CUST_BREAKDOWN": {TOTAL: "No breakdown", **CUSTOM},
            "OBS_STATUS": {code: say(f"export.status.{code}") for code in STATUSES},
            "UNIT_MULT": {str(n): f"10^{n}" for n in range(-15, 16)},
            "UNIT_MEASURE": UNITS,
            "NATURE": {"C": "Country", "CA": "Adjusted", "E": "Estimated", "G": "Global", "M": "Modelled", "N": "None"},
        },
    )


# --- Content constraints

ANY = "ALL"


@dataclass(frozen=True)
class Constraints:
    """Codes that a series may use: series -> component -> codes, None for any."""

    by_series: Mapping[str, Mapping[str, frozenset[str] | None]]

    def allowed(self, series: str, component: str) -> frozenset[str] | None:
        """Codes that a component of a series may have, or None if any."""
        return self.by_series[series].get(component)


def read_constraints(file: Path) -> Constraints:
    """Content constraints as a table: SERIES, and for each component 'ALL' or codes parted by ';'."""
    try:
        table = pd.read_csv(file, dtype=str, keep_default_na=False, encoding="utf-8-sig")
    except OSError as error:
        raise InputError(f"The constraints {file} cannot be read: {error.strerror or error}.") from error
    except (UnicodeDecodeError, pd.errors.ParserError, pd.errors.EmptyDataError) as error:
        raise InputError(f"{file} is no table of constraints: {error}.") from error
    if "SERIES" not in table:
        raise InputError(f"{file} has no column SERIES; it has {listing(map(str, table.columns))}.")
    parts = [c for c in table.columns if c not in ("SERIES", "Name")]
    return Constraints({row["SERIES"]: {c: codes_in(row[c]) for c in parts} for row in table.to_dict("records")})


def codes_in(cell: str) -> frozenset[str] | None:
    """The codes of a cell; None for 'ALL', and for an empty one, which says nothing."""
    codes = frozenset(c.strip() for c in cell.split(";")) - {""}
    return None if not codes or ANY in codes else codes
