"""SDMX-JSON data messages, versions 1 and 2, which sdmx1 does not read beyond a draft of the first.

Read as the field guide and the samples of the SDMX technical working group have it; no recorded answer was at hand.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from geomon.errors import InputError
from geomon.official.sdmx import SERIES, Message
from geomon.official.undata import text


def read_json(tree: Mapping[str, Any], label: str) -> Message:
    """An SDMX-JSON data message: version 1 (`structure`) or 2 (`structures`), by series or flat."""
    inner = tree.get("data") or tree
    structures = inner.get("structures") or [inner.get("structure") or tree.get("structure")]
    errors = [text(e.get("title") or e.get("message") or e.get("detail")) for e in tree.get("errors") or []]
    if not structures[0] or "dataSets" not in inner:
        said = f" It says: {'; '.join(errors)}." if any(errors) else ""
        raise InputError(f"{label} is no SDMX-JSON data message.{said} Ask for data, not for structures.")
    rows: list[dict[str, str]] = []
    dimensions: set[str] = set()
    for dataset in inner["dataSets"]:
        structure = structures[int(dataset.get("structure") or 0)]
        dimensions |= {c["id"] for level in structure["dimensions"].values() for c in level or []}
        rows += dataset_rows(dataset, structure)
    return Message(rows, frozenset(dimensions), structure_of(structures[0]), names_in(structures[0]))


def dataset_rows(dataset: Mapping[str, Any], structure: Mapping[str, Any]) -> Iterator[dict[str, str]]:
    """The observations of one data set."""
    dims, attrs = structure["dimensions"], structure.get("attributes") or {}
    whole = {c["id"]: code_at(c, 0) for c in dims.get("dataSet") or [] if c.get("values")}
    whole |= at(attrs.get("dataSet") or attrs.get("dataset") or [], dataset.get("attributes") or [])
    measures = [c["id"] for c in (structure.get("measures") or {}).get("observation") or []] or ["OBS_VALUE"]
    groups = dataset.get("series")
    for key, group in groups.items() if groups is not None else [("", dataset)]:
        series = keyed(dims.get("series") or [], key) if groups is not None else {}
        series |= at(attrs.get("series") or [], group.get("attributes") or []) if groups is not None else {}
        for place, told in (group.get("observations") or {}).items():
            values = {name: text(v) for name, v in zip(measures, told, strict=False)}
            rest = at(attrs.get("observation") or [], told[len(measures) :])
            first_measure = {"OBS_VALUE": values[measures[0]]} if told else {}
            yield {**whole, **series, **keyed(dims.get("observation") or [], place), **rest, **values, **first_measure}


def keyed(components: list[Any], key: str) -> dict[str, str]:
    """'0:3:1' as codes of the components."""
    return {c["id"]: code_at(c, int(n)) for c, n in zip(components, key.split(":"), strict=True)} if components else {}


def at(components: list[Any], places: list[Any]) -> dict[str, str]:
    """Attributes by their places in the lists of values; a text is the value itself, null is none."""
    said = {}
    for component, place in zip(components, places, strict=False):
        if isinstance(place, str) and not component.get("values"):
            said[component["id"]] = place
        elif place is not None:
            said[component["id"]] = code_at(component, int(place)) if component.get("values") else text(place)
    return said


def code_at(component: Mapping[str, Any], place: int) -> str:
    """The id of a value, or the value where it has none."""
    value = component["values"][place]
    if not isinstance(value, Mapping):
        return text(value)
    return text(value.get("id") if value.get("id") is not None else value.get("value", value.get("name")))


def structure_of(structure: Mapping[str, Any]) -> str:
    """'ECB:EXR(1.0)' from the links of a structure: its DSD, else its data flow."""
    urns = {str(link.get("rel", "")).lower(): str(link.get("urn") or "") for link in structure.get("links") or []}
    urn = urns.get("datastructure") or urns.get("dataflow") or next(iter(urns.values()), "")
    return urn.rpartition("=")[2]


def names_in(structure: Mapping[str, Any]) -> dict[str, str]:
    """Names of the series dimension's codes."""
    every = [c for level in structure["dimensions"].values() for c in level or []]
    found: Mapping[str, Any] = next((c for name in SERIES for c in every if c["id"] == name), {})
    return {text(v.get("id")): text(v.get("name")) for v in found.get("values") or [] if isinstance(v, Mapping)}
