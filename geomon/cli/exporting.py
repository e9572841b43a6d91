"""`geomon export`: a stored run in the forms that statistical offices, sites and spreadsheets read."""

from pathlib import Path
from typing import Annotated

from geomon.cli.question import STORE, Json, StoreFolder, flag, option, pairs
from geomon.cli.speaking import say, show, write_json
from geomon.cli.storing import RunId, stored_run
from geomon.cli.tree import app, examples

SDMX = "SDMX"
NO_TEXTS: list[str] = []
To = Annotated[
    str,
    option(
        "--to", metavar="FORMAT", help="sdmx (a folder of both), sdmx-csv, sdmx-ml, open-sdg, csv, parquet or xlsx."
    ),
]
Out = Annotated[str, option("--out", "-o", metavar="PATH", help="The file; for sdmx and open-sdg the folder.")]
Definition = Annotated[
    str | None,
    option(
        "--structure",
        metavar="DSD.xml",
        panel=SDMX,
        help="A national data structure, or 'geomon' for geomon's own; else the global one of the SDG indicators.",
    ),
]
Limits = Annotated[
    Path | None,
    option(
        "--constraints",
        metavar="FILE.csv",
        panel=SDMX,
        help="Codes that each series may use: SERIES, then one column each.",
    ),
]
AreaCodes = Annotated[
    list[str],
    option("--area", metavar="ZONE=CODE", panel=SDMX, help="The structure's code of an area that has another here."),
]
Outputs = Annotated[
    list[str], option("--series", metavar="NAME", help="This series of the run; given several times: these.")
]


@app.command(
    epilog=examples(
        "geomon export 15.1.1 --to xlsx --out forest.xlsx",
        "geomon export 15.1.1 --to sdmx-csv --out forest.csv --structure national_dsd.xml --area RW11=11",
        "geomon export 3f2a9c1b --to sdmx --out forest --structure geomon",
        more="Every value says that it is a satellite estimate. Missing is not zero, suppressed is neither.",
    )
)
def export(
    run: RunId,
    to: To,
    out: Out,
    store: StoreFolder = STORE,
    outputs: Outputs = NO_TEXTS,
    breakdowns: Annotated[bool, flag("--breakdowns", "The rows of breakdowns as well.")] = False,
    structure: Definition = None,
    constraints: Limits = None,
    area: AreaCodes = NO_TEXTS,
    force: Annotated[bool, flag("--force", "Write over a file that is there.")] = False,
    as_json: Json = False,
) -> None:
    """Write a run for the statistical world: SDMX, Open SDG, CSV, Parquet or Excel."""
    areas = pairs("--area", area)
    from geomon import export as exporting
    from geomon.store import Store

    stored = stored_run(Store(store), run)
    written = exporting.export(
        stored,
        to=to,
        out=out,
        structure=structure,
        constraints=constraints,
        areas=areas,
        outputs=outputs,
        breakdowns=breakdowns,
        force=force,
    )
    files = [str(file) for file in written.files]
    if as_json:
        facts = {n: getattr(written, n) for n in ("rows", "left_out", "structure", "remarks")}
        return write_json({"run": stored.id, "to": to, "files": files, **facts})
    for file in files:
        show(file)
    kept = f" in {written.structure}" if written.structure else ""
    say(f"{written.rows} rows of run {stored.id}{kept}.")
    if written.left_out:
        say(f"{written.left_out} rows were left out: breakdowns (--breakdowns) or other series.")
    for remark in written.remarks:
        say(remark)
