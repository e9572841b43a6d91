"""`geomon list`, `where` and `zones`: what there is to ask with."""

import re
from pathlib import Path
from typing import Annotated, Any

import typer

from geomon.cli import tables
from geomon.cli.question import (
    CodeColumn,
    Crs,
    Dissolve,
    Json,
    Layer,
    NameColumn,
    ParentColumns,
    Workspaces,
    flag,
    search,
)
from geomon.cli.speaking import say, show, write_json
from geomon.cli.tree import app, examples
from geomon.errors import InputError, did_you_mean, listing

Collections = Annotated[bool, flag("--collections", "The satellite products instead.")]
Desks = Annotated[bool, flag("--desks", "The desks instead.")]
WORDY = ("title", "sources", "outputs", "bands", "licence", "for")  # columns that may wrap
NO_WORKSPACE: list[Path] = []
NO_PARENT: list[str] = []


@app.command(
    "list",
    epilog=examples("geomon list", "geomon list --collections", "geomon list --desks --json"),
)
def list_(
    collections: Collections = False,
    desks: Desks = False,
    workspace: Workspaces = NO_WORKSPACE,
    as_json: Json = False,
) -> None:
    """The indicators that there are, with their products; or the products, or the desks."""
    if collections and desks:
        raise typer.BadParameter("Give one of --collections and --desks.")
    search(workspace)
    rows = known_collections() if collections else known_desks() if desks else known_indicators()
    if as_json:
        return write_json(rows)
    made = tables.table(*(c.capitalize() for c in rows[0]) if rows else "", wrap=tuple(c.capitalize() for c in WORDY))
    for row in rows:
        made.add_row(*(", ".join(v) if isinstance(v, list) else str(v) for v in row.values()))
    show(made)
    if not collections and not desks:
        say("Next: geomon where CODE prints the file of one; geomon plan CODE ... shows what it would read.")


def known_indicators() -> list[dict[str, Any]]:
    """Indicators as rows."""
    from geomon.indicator import Source, below
    from geomon.registry import indicators

    every = {"A": "year", "M": "month", "D": "day", "": "span"}
    return [
        {
            "code": code,
            "title": one.title,
            "sources": sorted({n.collection for n in below(one) if isinstance(n, Source)}),
            "every": every[one.freq],
            "outputs": [f"{name} ({unit_words(o.unit)})" for name, o in one.outputs.items()],
        }
        for code, one in indicators().items()
    ]


def unit_words(unit: str) -> str:
    """'{radiance}' as 'unit of radiance': it is known when the product is."""
    return re.sub(r"\{(\w+)\}", r"unit of \1", unit)


def known_collections() -> list[dict[str, Any]]:
    """Collections as rows."""
    from geomon.sources.catalog import Catalog

    return [
        {
            "id": c.id,
            "title": c.title,
            "bands": [f"{name}*" if name == c.main and len(c.bands) > 1 else name for name in c.bands],
            "time": " to ".join(t[:4] or "today" for t in c.interval) if any(c.interval) else "",
            "licence": c.licence,
        }
        for c in Catalog.open().collections()
    ]


def known_desks() -> list[dict[str, Any]]:
    """Desks as rows."""
    from geomon.registry import dashboards

    return [
        {"slug": slug, "title": d.title, "for": d.desk, "indicators": list(d.indicators)}
        for slug, d in dashboards().items()
    ]


@app.command(epilog=examples("geomon where 15.1.1", "geomon where esa-worldcover", "geomon where development"))
def where(
    name: Annotated[str, typer.Argument(metavar="NAME", help="An indicator, a satellite product or a desk.")],
    workspace: Workspaces = NO_WORKSPACE,
) -> None:
    """Print the file that defines an indicator, a satellite product or a desk."""
    search(workspace)
    from geomon.registry import located
    from geomon.sources.catalog import Catalog

    files = {code: str(file) for code, (_, file) in located("indicators", "INDICATOR", "code").items()}
    files = {c.id: c.file for c in Catalog.open().collections()} | files
    if name not in files:
        files |= {slug: str(file) for slug, (_, file) in located("dashboards", "DASHBOARD", "slug").items()}
    if name not in files:
        raise InputError(f"Nothing is called {name!r}; there are {listing(files, 30)}.{did_you_mean(name, files)}")
    typer.echo(files[name])


@app.command(epilog=examples("geomon zones admin.geojson", "geomon zones admin.gpkg --layer adm2 --code ADM2_PCODE"))
def zones(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="GeoJSON, GeoPackage or GeoParquet.")],
    code: CodeColumn = None,
    name: NameColumn = None,
    parent: ParentColumns = NO_PARENT,
    layer: Layer = None,
    crs: Crs = None,
    dissolve: Dissolve = False,
    as_json: Json = False,
) -> None:
    """Read reporting areas as a run would: their codes, parents and areas, and what was guessed or repaired."""
    from geomon.grid import true_area
    from geomon.zones import Zones

    found = Zones.read(file, code=code, name=name, parent=parent or None, layer=layer, crs=crs, dissolve=dissolve)
    rows: list[dict[str, Any]] = [
        {
            "code": z.code,
            "name": z.name,
            "parent": z.parent,
            "km2": None if z.geometry is None else round(true_area(z.geometry, found.crs) / 1e6, 3),
        }
        for z in found.zones
    ]
    if as_json:
        return write_json({"crs": found.crs, "version": found.version, "remarks": list(found.remarks), "zones": rows})
    areas = tables.areas_of(found.zones)
    made = tables.table("Area", "Code", "Parent", "km2", right=("km2",))
    by_code = {r["code"]: r for r in rows}
    for known, area in areas.items():
        row = by_code[known]
        size = "the sum of its parts" if row["km2"] is None else f"{row['km2']:,.1f}"
        made.add_row("  " * area.depth + area.name, known, row["parent"], size)
    show(made)
    for remark in found.remarks:
        say(f"Note: {remark}", "yellow")
