"""SDMX REST services, version 2.1 of the interface: the newest version of a data flow is found, never assumed.

Asked as the specification has it: /dataflow, /datastructure, /data; no recorded answer was at hand.
"""

import re
from dataclasses import replace
from xml.etree import ElementTree

from geomon.errors import InputError, listing
from geomon.official import sdmx
from geomon.official.asking import ADDRESSES, Fetched, Question, m49, other
from geomon.official.fetching import Body, Manner, ServiceError, get
from geomon.official.reading import body_table

STRUCTURE = "application/vnd.sdmx.structure+xml;version=2.1"
DATA = (
    "application/vnd.sdmx.structurespecificdata+xml;version=2.1, "
    "application/vnd.sdmx.genericdata+xml;version=2.1;q=0.9, "
    "application/vnd.sdmx.data+csv;q=0.7, application/vnd.sdmx.data+json;q=0.6"
)


def sdmx_service(question: Question, manner: Manner) -> Fetched:
    """A data flow of an SDMX REST 2.1 service, in its newest version unless one is named."""
    base = (question.url or ADDRESSES["sdmx"]).rstrip("/")
    parts = [p for p in re.split(r"[/,:]", question.flow) if p]
    if len(parts) not in (2, 3):
        raise InputError(f"The flow is {question.flow!r}; write AGENCY/FLOW or AGENCY/FLOW/VERSION (--flow).")
    agency, flow = parts[:2]
    listed = get(f"{base}/dataflow/{agency}/{flow}/all", accept=STRUCTURE, manner=manner)
    versions = flows_in(listed, flow)
    newest = max(versions, key=version_order)
    version = parts[2] if len(parts) == 3 else newest
    if version not in versions:
        raise InputError(f"{agency}:{flow} has no version {version}; it has {listing(versions)}.")
    remarks = [] if version == newest else [f"Version {version} of {flow} was asked for; the newest is {newest}."]
    bodies, structure = [listed], versions[version]
    dsd = get(
        f"{base}/datastructure/{'/'.join(structure)}", {"references": "children"}, accept=STRUCTURE, manner=manner
    )
    whole_xml(dsd)
    key = question.key or key_of(question, dsd, structure[0])
    params = {"startPeriod": question.years[0], "endPeriod": question.years[1]} if question.span else {}
    data = get(f"{base}/data/{agency},{flow},{version}/{key}", params, accept=DATA, manner=manner)
    told = replace(question.told, structure=dsd.content)
    table = body_table(data, told)
    named = f"{structure[0]}:{structure[1]}({structure[2]})"
    return Fetched(
        table=table,
        bodies=(*bodies, dsd, data),
        release=f"{flow} {version}",
        dsd=named,
        url=base,
        remarks=tuple(remarks),
    )


def whole_xml(body: Body) -> ElementTree.Element:
    """The root of an XML body; ServiceError if it is cut off or something else."""
    try:
        return ElementTree.fromstring(body.content)
    except ElementTree.ParseError as error:
        raise ServiceError(f"{body.url} did not answer with whole XML: {error}.", away=True) from error


def flows_in(body: Body, flow: str) -> dict[str, tuple[str, str, str]]:
    """Each version of a data flow with the structure that it follows: agency, id, version."""
    tree = whole_xml(body)
    found = {}
    for one in tree.findall(".//{*}Dataflow"):
        ref = one.find(".//{*}Ref")
        if one.get("id") == flow and ref is not None:
            named = (ref.get("agencyID", ""), ref.get("id", ""), ref.get("version", "latest"))
            found[one.get("version") or "1.0"] = named
    if not found:
        raise other(body, f"a data flow {flow}")
    return found


def version_order(version: str) -> list[int]:
    """1.10 after 1.9."""
    return [int(n) for n in re.findall(r"\d+", version)]


def key_of(question: Question, dsd: Body, agency: str) -> str:
    """'..AG_LND_FRST.678....' for the dimensions of a structure; 'all' if nothing was chosen."""
    if not question.series and not question.areas:
        return "all"
    tree = whole_xml(dsd)
    listed = tree.find(".//{*}DimensionList")
    ids = [str(d.get("id")) for d in listed.findall("{*}Dimension")] if listed is not None else []
    codes = [str(int(m49(a))) if agency in sdmx.GLOBAL else a for a in question.areas]
    chosen = {sdmx.SERIES: question.series, sdmx.AREA: codes}
    places_of = {next((d for d in names if d in ids), ""): "+".join(codes) for names, codes in chosen.items() if codes}
    if "" in places_of:
        raise InputError(
            f"The structure has the dimensions {listing(ids, 20)}, none of which is known to hold series or areas. "
            f"Say what is wanted with --key: {max(len(ids) - 1, 0)} points, and codes between them."
        )
    return ".".join(places_of.get(d, "") for d in ids)
