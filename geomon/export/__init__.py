"""Series on their way out: SDMX, Open SDG, CSV, Parquet and Excel, each with what must be said of every value."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import pandas as pd

from geomon.errors import InputError, did_you_mean, listing
from geomon.export.coding import Target, coded
from geomon.export.message import Message, read_message, to_csv, to_ml
from geomon.export.open_sdg import to_open_sdg
from geomon.export.own import own_message, structure_message
from geomon.export.release import Release, release_of
from geomon.export.structure import global_structure, read_constraints, read_structure
from geomon.export.tidy import parts_to_csv, parts_to_parquet, to_parquet
from geomon.export.tidy import to_csv as to_tidy_csv
from geomon.export.workbook import to_xlsx
from geomon.export.writing import ready, write
from geomon.places import Place, place
from geomon.store import StoredRun

__all__ = ["FORMATS", "OWN", "Written", "export", "read_message", "read_structure"]

OWN = "geomon"
"""The name of geomon's own structure."""

TABLES: Mapping[str, Callable[[Release], bytes]] = {"csv": to_tidy_csv, "parquet": to_parquet, "xlsx": to_xlsx}
PARTS: Mapping[str, Callable[[Release], bytes]] = {"csv": parts_to_csv, "parquet": parts_to_parquet}
FORMATS = ("sdmx", "sdmx-csv", "sdmx-ml", "open-sdg", *TABLES)
FOLDERS = ("sdmx", "open-sdg")


@dataclass(frozen=True, kw_only=True)
class Written:
    """What an export wrote."""

    files: tuple[Place, ...]
    rows: int
    left_out: int
    """Rows of breakdowns and of outputs that were not asked for."""
    structure: str = ""
    """'IAEG-SDGs:SDG(1.8)', for SDMX."""
    remarks: tuple[str, ...] = ()
    """What could not be checked, and what was added."""


def export(
    given: StoredRun | pd.DataFrame,
    *,
    to: str,
    out: str | Place,
    structure: str | Path | None = None,
    constraints: Path | None = None,
    areas: Mapping[str, str] | None = None,
    outputs: Sequence[str] = (),
    breakdowns: bool = False,
    force: bool = False,
) -> Written:
    """Write a stored run, or a series of indicators of the workspace, in a format; what does not fit is not written.

    `structure` is the SDMX-ML file of a national data structure, or 'geomon'; without it the global structure of
    the SDG indicators. `areas` gives its codes for areas that have others here. `outputs` leaves out the others.
    """
    if to not in FORMATS:
        raise InputError(f"There is no format {to!r}; there are {listing(FORMATS)}.{did_you_mean(to, FORMATS)}")
    if not to.startswith("sdmx") and (structure or constraints or areas):
        raise InputError(f"A structure, constraints and codes of areas are for SDMX; {to} has none.")
    name = place(out).name

    def made(release: Release) -> tuple[dict[str, bytes], str, tuple[str, ...]]:
        if to == "open-sdg":
            return to_open_sdg(release), "", ()
        if to in TABLES:
            beside = {parts_name(name): PARTS[to](release)} if to in PARTS and len(release.intervals) else {}
            return {**beside, name: TABLES[to](release)}, "", ()
        return sdmx_files(release, to, name, structure, constraints, areas or {})

    release, left_out = chosen(release_of(given), outputs, breakdowns)
    files, kept, remarks = made(release)
    if any(about.people for about in release.about.values()):  # entered only when all else is known to fit
        ready(files, out, folder=to in FOLDERS, force=force, others=others(to, name, files))
        release, left_out = chosen(release_of(given, entered=True), outputs, breakdowns)
        files, kept, remarks = made(release)
    written = write(files, out, folder=to in FOLDERS, force=force, others=others(to, name, files))
    return Written(files=tuple(written), rows=len(release.series), left_out=left_out, structure=kept, remarks=remarks)


def parts_name(name: str) -> str:
    """The file of what the intervals are made of, beside that of the series."""
    return f"{Path(name).stem}-intervals{Path(name).suffix}"


def others(to: str, name: str, files: Mapping[str, bytes]) -> list[str]:
    """Files that this format may write and this time does not: beside it they would belong to another export."""
    stem = "data" if to == "sdmx" else Path(name).stem
    beside = {
        "sdmx": (f"{stem}-structure.xml", f"{stem}-{OWN}.xml"),
        "csv": (parts_name(name),),
        "parquet": (parts_name(name),),
    }
    return [n for n in beside.get(to, ()) if n not in files]


def chosen(release: Release, outputs: Sequence[str], breakdowns: bool) -> tuple[Release, int]:
    """The rows that were asked for, and how many were not."""
    rows = release.series
    known = sorted(set(rows["series"]))
    if unknown := sorted(set(outputs) - set(known)):
        near = did_you_mean(unknown[0], known)
        raise InputError(f"The run has no series {listing(unknown)}; it has {listing(known)}.{near}")
    wanted = rows["series"].isin(outputs or known) & (rows["breakdown"].eq("") | breakdowns)
    if not wanted.any():
        raise InputError("All rows are breakdowns. Export them with --breakdowns.")
    kept = rows[wanted].reset_index(drop=True)
    parts = release.intervals
    own = parts["series"].isin(set(kept["series"])) & parts["breakdown"].isin(set(kept["breakdown"]))
    return replace(release, series=kept, intervals=parts[own]), int((~wanted).sum())


def sdmx_files(
    release: Release,
    to: str,
    name: str,
    structure: str | Path | None,
    constraints: Path | None,
    areas: Mapping[str, str],
) -> tuple[dict[str, bytes], str, tuple[str, ...]]:
    """The files of an SDMX export, the structure that they keep to, and what is to be said of that.

    geomon's own structure goes beside the data that keep to it; so do such data where the structure that was asked
    for has no place for intervals or comments.
    """
    remarks: list[str] = []
    stem = "data" if to == "sdmx" else Path(name).stem
    if structure == OWN:
        message = own_message(release)
        if constraints or areas:
            raise InputError(
                "geomon's own structure is made from the run, so constraints and other codes do not go with it."
            )
    else:
        kept = read_structure(Path(structure)) if structure else global_structure()
        limits = read_constraints(constraints) if constraints else None
        message = coded(
            release,
            Target(structure=kept, constraints=limits, areas=areas, national=kept.agency != global_structure().agency),
        )
        if not structure and not constraints:
            remarks.append(
                "SERIES and UNIT_MEASURE were not checked against the published lists: "
                "give --structure or --constraints."
            )
    files: dict[str, bytes] = {}
    own = message if structure == OWN else None
    if own is None and not message.structure.keeps_all:
        own = own_message(release)
        remarks.append(
            f"{message.structure.reference} has no place for all that a row says of itself, its interval first; "
            f"that is in the data of {own.structure.reference} beside it."
        )
        files[f"{stem}-{OWN}.xml"] = to_ml(own)
    if own is not None:
        files[f"{stem}-structure.xml"] = structure_message(own.structure, own.prepared)
    return {**files, **data_files(message, to, name)}, message.structure.reference, tuple(remarks)


def data_files(message: Message, to: str, name: str) -> dict[str, bytes]:
    """The data in one format of SDMX, or in both."""
    if to == "sdmx":
        return {"data.csv": to_csv(message), "data.xml": to_ml(message)}
    return {name: to_csv(message) if to == "sdmx-csv" else to_ml(message)}
