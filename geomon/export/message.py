"""Observations of a data structure, and SDMX messages of them read back through sdmx1."""

import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from geomon.errors import InputError, listing
from geomon.export.markup import add, document, english, root
from geomon.export.structure import DATASET, SERIES, TIME, Structure, silent

Pairs = tuple[tuple[str, str], ...]
NO_NUMBER = ("", "NaN", "nan")


@dataclass(frozen=True)
class Observation:
    """One value, or none, with its key and all that is said of it; every part as text, as it is exchanged."""

    key: tuple[str, ...]
    """A code for each dimension of the structure, the time last."""
    value: str
    """'' where there is none."""
    series: Pairs = ()
    """Attributes of its series, sorted. Two series may have one key and differ here."""
    own: Pairs = ()
    """Its own attributes, sorted."""

    @property
    def line(self) -> tuple[tuple[str, ...], Pairs]:
        """What it shares with the other times of its series."""
        return self.key[:-1], self.series


@dataclass(frozen=True, kw_only=True)
class Message:
    """What is sent: observations of one structure, by whom and when."""

    structure: Structure
    observations: tuple[Observation, ...]
    id: str
    prepared: str
    """ISO 8601."""
    sender: str = "GEOMON"
    test: bool = False
    """True for data that describe no real place."""
    source: str = ""
    """What it is and whom it comes from, in a sentence."""


def read_message(file: Path, structure: Structure) -> Message:
    """The message of an SDMX-ML 2.1 file, by sdmx1, or of one in SDMX-CSV 2.0; the structure must come from a file.

    Nothing is merged: two series of one key that differ in an attribute stay two.
    """
    import sdmx

    if file.suffix.lower() == ".csv":
        return from_csv(file, structure)
    if structure.definition is None:
        raise InputError(f"Reading {file} needs {structure.reference} from its file. Name it with read_structure.")
    try:
        with silent():
            got: Any = sdmx.read_sdmx(io.BytesIO(file.read_bytes()), structure=structure.definition)
    except OSError as error:
        raise InputError(f"{file} cannot be read: {error.strerror or error}.") from error
    except Exception as error:  # what a parser raises depends on where the file is broken
        raise InputError(
            f"{file} is no SDMX data of {structure.reference}: {' '.join(str(error).split())[:200]}."
        ) from error
    if not isinstance(got, sdmx.message.DataMessage):
        raise InputError(f"{file} holds no data; it is a {type(got).__name__} of SDMX. Name the file of the data.")
    head = got.header
    return Message(
        structure=structure,
        observations=tuple(observation(o, structure) for part in got.data for o in part.obs),
        id=head.id or "",
        prepared=head.prepared.isoformat() if head.prepared else "",
        sender=str(head.sender.id) if head.sender else "",
        test=bool(head.test),
    )


def observation(given: Any, structure: Structure) -> Observation:
    """An observation of sdmx1 as text."""
    key = given.key.values
    said = {name: str(a.value) for name, a in given.attrib.items() if a.value not in (None, "")}
    upper = {n for n in said if structure.level(n) in (SERIES, DATASET)}
    value = given.value
    return Observation(
        key=tuple(str(key[d].value) for d in structure.dimensions),
        value="" if value is None or str(value) in NO_NUMBER else str(value),
        series=tuple(sorted((n, v) for n, v in said.items() if n in upper)),
        own=tuple(sorted((n, v) for n, v in said.items() if n not in upper)),
    )


# --- SDMX-CSV 2.0

FIXED = ("STRUCTURE", "STRUCTURE_ID", "STRUCTURE_NAME", "ACTION", "SERIES_KEY", "OBS_KEY")


def from_csv(file: Path, structure: Structure) -> Message:
    """The message of an SDMX-CSV 2.0 file. sdmx1 reads it too, but takes line breaks out of quoted text."""
    import csv

    try:
        lines = csv.DictReader(io.StringIO(file.read_bytes().decode("utf-8-sig"), newline=""))
        rows = list(lines)
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise InputError(f"{file} cannot be read as SDMX-CSV: {error}.") from error
    needed = {"STRUCTURE_ID", *structure.dimensions, "OBS_VALUE"}
    if missing := sorted(needed - set(lines.fieldnames or ())):
        raise InputError(f"{file} has no columns {listing(missing)}, which data of {structure.reference} need.")
    others = sorted({row["STRUCTURE_ID"] for row in rows} - {structure.reference})
    if others:
        raise InputError(f"{file} holds data of {listing(others)}, not of {structure.reference}.")
    upper = {n for n in structure.attributes if structure.level(n) in (SERIES, DATASET)}
    observations = []
    for number, row in enumerate(rows, 1):
        if None in row or None in row.values():
            raise InputError(f"{file} is broken: row {number} has other columns than its header. Export it again.")
        said = {n: v for n, v in row.items() if v and n not in (*FIXED, *structure.dimensions, "OBS_VALUE")}
        observations.append(
            Observation(
                key=tuple(row[d] for d in structure.dimensions),
                value=row["OBS_VALUE"] if row["OBS_VALUE"] not in NO_NUMBER else "",
                series=tuple(sorted((n, v) for n, v in said.items() if n in upper)),
                own=tuple(sorted((n, v) for n, v in said.items() if n not in upper)),
            )
        )
    return Message(structure=structure, observations=tuple(observations), id="", prepared="")


def to_csv(message: Message) -> bytes:
    """The message as SDMX-CSV 2.0: one line an observation, the attributes of its series on each."""
    import csv

    structure = message.structure
    said = {n for o in message.observations for n, _ in (*o.series, *o.own)}
    columns = [n for n in structure.attributes if n in said]
    told = io.StringIO(newline="")
    lines = csv.writer(told)  # RFC 4180: quotes where needed, CRLF
    lines.writerow(["STRUCTURE", "STRUCTURE_ID", "ACTION", *structure.dimensions, "OBS_VALUE", *columns])
    head = ["datastructure", structure.reference, "I"]
    for o in message.observations:
        own = dict((*o.series, *o.own))
        lines.writerow([*head, *o.key, o.value, *(own.get(n, "") for n in columns)])
    return told.getvalue().encode()


# --- SDMX-ML 2.1

SCHEMAS = "http://www.sdmx.org/resources/sdmxml/schemas/v2_1"
MESSAGE, COMMON = f"{SCHEMAS}/message", f"{SCHEMAS}/common"
SPECIFIC, GENERIC = f"{SCHEMAS}/data/structurespecific", f"{SCHEMAS}/data/generic"
XSI = "http://www.w3.org/2001/XMLSchema-instance"


def structure_urn(structure: Structure) -> str:
    """The namespace of data that keep to a structure."""
    base = "urn:sdmx:org.sdmx.infomodel.datastructure.DataStructure"
    return f"{base}={structure.reference}:ObsLevelDim:{TIME}"


def structure_id(structure: Structure) -> str:
    """What a message calls its structure inside itself."""
    return "_".join((structure.agency, structure.id, structure.version)).replace(".", "_")


def to_ml(message: Message, *, generic: bool = False) -> bytes:
    """The message as SDMX-ML 2.1, structure-specific or generic; series in the order of their first observation."""
    structure, urn, ref = message.structure, structure_urn(message.structure), structure_id(message.structure)
    names = {"message": MESSAGE, "common": COMMON, "xsi": XSI}
    names |= {"generic": GENERIC} if generic else {"ss": SPECIFIC, "ns1": urn}
    first = root(MESSAGE, "GenericData" if generic else "StructureSpecificData", names)
    header(first, message, {} if generic else {"namespace": urn})
    about = {"structureRef": ref, "action": "Information"}
    if not generic:
        about = {f"{{{SPECIFIC}}}{n}": v for n, v in {"dataScope": "DataStructure", **about}.items()}
        about[f"{{{XSI}}}type"] = "ns1:DataSetType"
    part = add(first, MESSAGE, "DataSet", **about)
    write = write_generic if generic else write_specific
    lines: dict[tuple[tuple[str, ...], Pairs], list[Observation]] = {}
    for o in message.observations:
        lines.setdefault(o.line, []).append(o)
    for (key, attributes), own in lines.items():
        write(part, dict(zip(structure.dimensions, key, strict=False)), attributes, own)
    return document(first)


def header(first: Any, message: Message, more: Mapping[str, str]) -> None:
    """Who sends what, and by which structure."""
    structure, ref = message.structure, structure_id(message.structure)
    head = add(first, MESSAGE, "Header")
    add(head, MESSAGE, "ID", message.id)
    add(head, MESSAGE, "Test", "true" if message.test else "false")
    add(head, MESSAGE, "Prepared", message.prepared)
    add(head, MESSAGE, "Sender", id=message.sender)
    at = add(head, MESSAGE, "Structure", structureID=ref, **more, dimensionAtObservation=TIME)
    within = add(at, COMMON, "Structure")
    add(within, "", "Ref", agencyID=structure.agency, id=structure.id, version=structure.version)
    add(head, MESSAGE, "DataSetAction", "Information")
    if message.source:
        english(add(head, MESSAGE, "Source", message.source))


def write_specific(part: Any, key: Mapping[str, str], attributes: Pairs, own: Sequence[Observation]) -> None:
    """A series whose codes are XML attributes."""
    line = add(part, "", "Series", **key, **dict(attributes))
    for o in own:
        value = {"OBS_VALUE": o.value} if o.value else {}
        add(line, "", "Obs", **{TIME: o.key[-1], **value, **dict(o.own)})


def write_generic(part: Any, key: Mapping[str, str], attributes: Pairs, own: Sequence[Observation]) -> None:
    """A series whose codes are elements."""

    def values(parent: Any, name: str, pairs: Pairs) -> None:
        if pairs:
            inside = add(parent, GENERIC, name)
            for id_, value in pairs:
                add(inside, GENERIC, "Value", id=id_, value=value)

    line = add(part, GENERIC, "Series")
    values(line, "SeriesKey", tuple(key.items()))
    values(line, "Attributes", attributes)
    for o in own:
        one = add(line, GENERIC, "Obs")
        add(one, GENERIC, "ObsDimension", value=o.key[-1])
        if o.value:
            add(one, GENERIC, "ObsValue", value=o.value)
        values(one, "Attributes", o.own)
