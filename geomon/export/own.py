"""geomon's own data structure, GEOMON:SATELLITE: a place for everything that a series says, its codes made from it."""

import re
from collections.abc import Iterable, Mapping
from typing import Any

import pandas as pd

from geomon.errors import InputError
from geomon.export.coding import message, repeated
from geomon.export.markup import add, document, english, root
from geomon.export.message import COMMON, MESSAGE, SCHEMAS, Message, Observation
from geomon.export.release import Release
from geomon.export.said import bound, plain, time_of
from geomon.export.statuses import CONFIDENTIAL, FREE, NATURE_CODE, SUPPRESSED, code_of, flag
from geomon.export.structure import FREQUENCIES, SERIES, STATUSES, TIME, TOTAL, Attribute, Structure
from geomon.period import Period
from geomon.texts import say

AGENCY, ID, VERSION = "GEOMON", "SATELLITE", "1.0"
STRUCTURE = f"{SCHEMAS}/structure"
BARRED = re.compile(r"[^A-Za-z0-9_@$-]")
DIMENSIONS = ("FREQ", "SERIES", "REF_AREA", "BREAKDOWN", TIME)
ATTRIBUTES = {
    "UNIT_MEASURE": Attribute(SERIES, True),
    "INDICATOR": Attribute(SERIES, True),
    "OFFICIAL_SERIES": Attribute(SERIES),
    "COMMENT_TS": Attribute(SERIES),
    "AREA_CODE": Attribute(SERIES),
    "OUTPUT": Attribute(SERIES, True),
    "SYNTHETIC": Attribute(SERIES, True),
    "SOURCE_DETAIL": Attribute(SERIES),
    "DATA_LAST_UPDATE": Attribute(SERIES),
    "OBS_STATUS": Attribute(mandatory=True),
    "CONF_STATUS": Attribute(mandatory=True),
    "NATURE": Attribute(mandatory=True),
    "UNIT_MULT": Attribute(mandatory=True),
    **dict.fromkeys(("LOWER_BOUND", "UPPER_BOUND", "INTERVAL", "COMPONENTS"), Attribute()),
    **dict.fromkeys(("COVERAGE", "N_OBS", "TIME_DETAIL", "PARAMS", "VINTAGE", "RUN", "COMMENT_OBS"), Attribute()),
}


def own_structure(release: Release) -> Structure:
    """The structure with the areas, outputs, units and breakdowns of a release as its code lists."""
    rows = release.series
    series = {(r["indicator"], r["series"]): release.told(r) for r in release.rows}
    return Structure(
        agency=AGENCY,
        id=ID,
        version=VERSION,
        dimensions=DIMENSIONS,
        attributes=ATTRIBUTES,
        codes={
            "FREQ": FREQUENCIES,
            "SERIES": codes({f"{i}_{s}": f"{i} {s}: {told.title}" for (i, s), told in series.items()}, "output"),
            "REF_AREA": codes({a: release.names.get(a) or a for a in unique(rows["ref_area"])}, "area"),
            "BREAKDOWN": {
                TOTAL: "Total",
                **codes({b: b for b in unique(rows["breakdown"]) if b}, "breakdown"),
            },
            "UNIT_MEASURE": codes({u: u for u in unique(rows["unit_measure"])}, "unit"),
            "OBS_STATUS": {code: say(f"export.status.{code}") for code in STATUSES},
            "CONF_STATUS": {FREE: "Free", CONFIDENTIAL: "Confidential statistical information"},
            "NATURE": {NATURE_CODE: "Modelled"},
            "UNIT_MULT": {"0": "Units"},
        },
    )


def unique(values: Iterable[str]) -> list[str]:
    """Different texts, sorted."""
    return sorted(set(values))


def ident(text: str) -> str:
    """A text as an identifier of SDMX, which has letters, digits and - _ @ $."""
    return BARRED.sub("-", text)


def codes(names: Mapping[str, str], what: str) -> dict[str, str]:
    """Identifier -> name; InputError where two texts give one identifier."""
    made: dict[str, str] = {}
    for text, name in names.items():
        if ident(text) in made:
            raise InputError(f"Two codes of {what}s become {ident(text)!r} in SDMX, one of them {text!r}. Rename one.")
        made[ident(text)] = name
    return made


def own_message(release: Release) -> Message:
    """A series in geomon's own structure; nothing of a row is lost, but for line breaks, which become blanks."""
    structure = own_structure(release)
    observations = [observation(release, r) for r in release.rows]
    if twice := repeated(observations):
        raise InputError(
            f"{len(twice)} keys stand for several rows, the first {'.'.join(twice[0])}. Export one run at a time."
        )
    return message(release, structure, observations)


def observation(release: Release, row: Mapping[str, Any]) -> Observation:
    """A row in codes that the structure has by its making."""
    told = release.told(row)
    freq, time = span(row["time_period"])
    upper = {
        "UNIT_MEASURE": ident(row["unit_measure"]),
        "INDICATOR": row["indicator"],
        "OFFICIAL_SERIES": told.official,
        "COMMENT_TS": told.summary,
        "AREA_CODE": row["ref_area"] if ident(row["ref_area"]) != row["ref_area"] else "",
        "OUTPUT": row["series"],
        "SYNTHETIC": release.invented,
        "SOURCE_DETAIL": " ".join(filter(None, (release.attribution, release.licences))),
        "DATA_LAST_UPDATE": release.created,
    }
    own = {
        "OBS_STATUS": code_of(row, told.differs),
        "CONF_STATUS": CONFIDENTIAL if flag(row) == SUPPRESSED else FREE,
        "NATURE": NATURE_CODE,
        "UNIT_MULT": "0",
        "LOWER_BOUND": endless(row["lower"]),
        "UPPER_BOUND": endless(row["upper"]),
        "INTERVAL": row["interval"],
        "COMPONENTS": release.components(row),
        "COVERAGE": bound(row["coverage"], 0),
        "N_OBS": bound(row["n_obs"], 0),
        "TIME_DETAIL": row["time_period"],
        "PARAMS": row["params"],
        "VINTAGE": row["vintage"],
        "RUN": row["run"],
        "COMMENT_OBS": row["obs_status"],
    }
    return Observation(
        key=(
            freq,
            ident(f"{row['indicator']}_{row['series']}"),
            ident(row["ref_area"]),
            ident(row["breakdown"]) if row["breakdown"] else TOTAL,
            time,
        ),
        value=bound(row["obs_value"], 0),
        series=tuple(sorted((n, plain(t)) for n, t in upper.items() if t)),
        own=tuple(sorted((n, plain(t)) for n, t in own.items() if t)),
    )


def span(label: str) -> tuple[str, str]:
    """FREQ and TIME_PERIOD of a period; a span as its first day and how long it lasts: 2015/2020 is 2015-01-01/P6Y."""
    freq, last = time_of(label)
    if "/" not in label:
        return freq, last
    period, unit = Period.of(label), {"A": "Y", "M": "M", "D": "D"}[freq]
    units = pd.period_range(period.start, period.end, freq=unit)
    return freq, f"{period.start:%Y-%m-%d}/P{len(units)}{unit}"


def endless(value: float) -> str:
    """A bound in full; INF where nothing limits it, as XML writes it."""
    return {float("inf"): "INF", float("-inf"): "-INF"}.get(value, bound(value, 0))


# --- The structure as a message of its own


def structure_message(structure: Structure, prepared: str) -> bytes:
    """A structure as SDMX-ML 2.1: code lists, concepts, definition."""
    names = {"message": MESSAGE, "structure": STRUCTURE, "common": COMMON}
    first = root(MESSAGE, "Structure", names)
    head = add(first, MESSAGE, "Header")
    add(head, MESSAGE, "ID", text=f"{structure.agency}_{structure.id}")
    add(head, MESSAGE, "Test", text="false")
    add(head, MESSAGE, "Prepared", text=prepared)
    add(head, MESSAGE, "Sender", id=structure.agency)
    parts = add(first, MESSAGE, "Structures")
    mine = {"agencyID": structure.agency, "version": structure.version}
    lists = add(parts, STRUCTURE, "Codelists")
    for component, known in structure.codes.items():
        one = named(add(lists, STRUCTURE, "Codelist", id=f"CL_{component}", **mine), component)
        for code, name in known.items():
            named(add(one, STRUCTURE, "Code", id=code), name or code)
    concepts = add(parts, STRUCTURE, "Concepts")
    scheme = named(add(concepts, STRUCTURE, "ConceptScheme", id="CS_GEOMON", **mine), "Concepts of geomon")
    for component in (*structure.dimensions, "OBS_VALUE", *structure.attributes):
        named(add(scheme, STRUCTURE, "Concept", id=component), component.replace("_", " ").capitalize())
    definitions = add(parts, STRUCTURE, "DataStructures")
    one = named(add(definitions, STRUCTURE, "DataStructure", id=structure.id, **mine), "Satellite estimates of geomon")
    components(add(one, STRUCTURE, "DataStructureComponents"), structure)
    return document(first)


def components(inside: Any, structure: Structure) -> None:
    """Dimensions, attributes, measure."""
    dimensions = add(inside, STRUCTURE, "DimensionList", id="DimensionDescriptor")
    for n, name in enumerate(structure.dimensions, 1):
        kind = "TimeDimension" if name == TIME else "Dimension"
        represented(add(dimensions, STRUCTURE, kind, id=name, position=str(n)), name, structure)
    attributes = add(inside, STRUCTURE, "AttributeList", id="AttributeDescriptor")
    for name, attribute in structure.attributes.items():
        status = "Mandatory" if attribute.mandatory else "Conditional"
        one = represented(add(attributes, STRUCTURE, "Attribute", id=name, assignmentStatus=status), name, structure)
        relation = add(one, STRUCTURE, "AttributeRelationship")
        if attribute.level == SERIES:
            for dimension in structure.dimensions[:-1]:
                add(add(relation, STRUCTURE, "Dimension"), "", "Ref", id=dimension)
        else:
            add(add(relation, STRUCTURE, "PrimaryMeasure"), "", "Ref", id="OBS_VALUE")
    measures = add(inside, STRUCTURE, "MeasureList", id="MeasureDescriptor")
    represented(add(measures, STRUCTURE, "PrimaryMeasure", id="OBS_VALUE"), "OBS_VALUE", structure)


def represented(one: Any, name: str, structure: Structure) -> Any:
    """A component with its concept, and its code list or kind of text."""
    mine = {"agencyID": structure.agency}
    concept = {"maintainableParentID": "CS_GEOMON", "maintainableParentVersion": structure.version, **mine}
    add(
        add(one, STRUCTURE, "ConceptIdentity"),
        "",
        "Ref",
        id=name,
        **concept,
        package="conceptscheme",
        **{"class": "Concept"},
    )
    inside = add(one, STRUCTURE, "LocalRepresentation")
    if name in structure.codes:
        of = {"id": f"CL_{name}", "version": structure.version, **mine, "package": "codelist", "class": "Codelist"}
        add(add(inside, STRUCTURE, "Enumeration"), "", "Ref", **of)
    else:
        numbers = ("OBS_VALUE", "LOWER_BOUND", "UPPER_BOUND", "COVERAGE", "N_OBS")
        text = {TIME: "ObservationalTimePeriod"}.get(name, "Double" if name in numbers else "String")
        add(inside, STRUCTURE, "TextFormat", textType=text)
    return one


def named(element: Any, name: str) -> Any:
    """An element with its English name."""
    english(add(element, COMMON, "Name", text=plain(name)))
    return element
