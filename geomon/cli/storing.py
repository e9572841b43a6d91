"""`geomon check` and `geomon store`: what was stored."""

from pathlib import Path
from typing import Annotated, Any

import typer

from geomon.cli import tables
from geomon.cli.findings import verdicts
from geomon.cli.question import STORE, Json, StoreFolder, flag, option
from geomon.cli.speaking import Quiet, records, say, show, write_json
from geomon.cli.tree import app, examples
from geomon.errors import InputError, StoreError
from geomon.places import exists, is_remote

RunId = Annotated[
    str, typer.Argument(metavar="RUN", help="A run's id or its beginning, or an indicator: its newest run.")
]
Official = Annotated[
    Path | None,
    typer.Option(
        "--official", metavar="FILE.csv", help="Official statistics; without it, what the run was stored with."
    ),
]
EveryVerdict = Annotated[bool, flag("--all", "Every verdict, not only those that need a reader first.")]
NO_RUNS = "{} holds no runs yet. geomon demo makes some, geomon run makes yours."
OwnStore = Annotated[
    str | None, option("--store", metavar="FOLDER", help="Where results are kept, if not said before.")
]


@app.command(
    epilog=examples(
        "geomon check 15.1.1 --official national.csv",
        "geomon check 3f2a9c1b --official national.csv --json",
        more="Columns of the CSV: series, ref_area, time_period, obs_value, unit_measure;\n"
        "if there are: definition, publisher, nature, note.",
    )
)
def check(
    run: RunId,
    official: Official = None,
    store: StoreFolder = STORE,
    every: EveryVerdict = False,
    as_json: Json = False,
) -> None:
    """Hold a stored run against official statistics: a verdict and a sentence for each area."""
    from geomon.store import Store

    stored = stored_run(Store(store), run)
    findings = stored.check if official is None else compared(stored, official)
    if findings is None:
        raise InputError(f"Run {stored.id} was stored without official statistics. Name them with --official FILE.csv.")
    facts = tables.stored_facts(stored)
    if as_json:
        told = {name: facts[name] for name in ("run", "indicator", "nature", "synthetic")}
        return write_json({**told, "findings": findings})
    if facts["synthetic"]:
        show(tables.SYNTHETIC)
    for line in verdicts(findings, areas_in(stored), every):
        show(line)
    if not findings:
        show("No output of this indicator has an official series to stand beside.")


def compared(stored: Any, official: Path) -> list[dict[str, Any]]:
    """The findings of a stored run beside other statistics."""
    from geomon.check import check
    from geomon.official import read_csv
    from geomon.registry import indicator

    names = dict(zip(stored.zones["code"], stored.zones["name"], strict=True))
    breaks = [(str(date), str(why)) for date, why in stored.recipe["breaks"]]
    found = check(stored.series, read_csv(official), indicator(stored.indicator), breaks=breaks, names=names)
    return [f.as_dict() for f in found]


def stored_run(store: Any, wanted: str) -> Any:
    """A run by the beginning of its id, or the newest of an indicator; StoreError if there is none."""
    if not store.runs():
        raise StoreError(NO_RUNS.format(store.root))
    own = store.runs(wanted)
    return own[0] if own else store.run(wanted)


def areas_in(run: Any) -> dict[str, tables.Area]:
    """The areas of a stored run."""
    return tables.areas_of(list(run.zones.drop(columns="geometry").itertuples(index=False)))


results = typer.Typer(
    cls=Quiet,
    help="The stored runs: a STAC catalog in a folder.",
    invoke_without_command=True,
    no_args_is_help=False,
)
app.add_typer(
    results,
    name="store",
    epilog=examples("geomon store", "geomon store show 15.1.1 --rows --all", "geomon store path 15.1.1"),
)


@results.callback()
def listing_of_runs(ctx: typer.Context, store: StoreFolder = STORE, as_json: Json = False) -> None:
    """The stored runs, newest first."""
    from geomon.store import Store

    if not is_remote(store) and Path(store).exists() and not Path(store).is_dir():
        raise StoreError(f"The store {store} is a file, not a folder. Name the folder of the results with --store.")
    ctx.obj["store"] = Store(store)
    if not ctx.invoked_subcommand:
        list_runs(ctx.obj["store"], as_json)


@results.command("list", epilog=examples("geomon store list", "geomon store list --json"))
def list_again(ctx: typer.Context, store: OwnStore = None, as_json: Json = False) -> None:
    """The stored runs, newest first: the same as geomon store alone."""
    from geomon.store import Store

    list_runs(Store(store) if store else ctx.obj["store"], as_json or ctx.obj["json"])


def list_runs(store: Any, as_json: bool) -> None:
    """Show what a store holds, or say what fills it."""
    runs = store.runs()
    if as_json:
        return write_json([tables.stored_facts(run) for run in runs])
    if not runs:
        return say(NO_RUNS.format(store.root))
    show(tables.runs_table(runs))


@results.command("show", epilog=examples("geomon store show 15.1.1", "geomon store show 3f2a9c1b --rows --all"))
def show_run(
    ctx: typer.Context,
    run: RunId,
    store: OwnStore = None,
    rows: Annotated[bool, flag("--rows", "The series as well.")] = False,
    every: Annotated[bool, flag("--all", "Every row of it.")] = False,
    csv: Annotated[bool, flag("--csv", "The series as CSV on stdout, and nothing else.")] = False,
    as_json: Json = False,
) -> None:
    """A run: what was asked, of which products, how much was seen, where it lies."""
    from geomon.store import Store

    stored = stored_run(Store(store) if store else ctx.obj["store"], run)
    if csv:
        return typer.echo(stored.series.to_csv(index=False), nl=False)
    if as_json:
        facts = {**tables.stored_facts(stored), "recipe": stored.recipe, "check": stored.check}
        return write_json({**facts, "series": records(stored.series)})
    show(tables.about(stored))
    if rows or every:
        show()
        for part in tables.series_tables(stored.series, areas_in(stored), None, every):
            show(part)
    for line in (*verdicts(stored.check or [], areas_in(stored), every), *tables.failures(stored.reads)):
        show(line)


@results.command(epilog=examples("geomon store path", "geomon store path 15.1.1"))
def path(
    ctx: typer.Context,
    run: Annotated[str | None, typer.Argument(metavar="[RUN]", help="As for show.")] = None,
    store: OwnStore = None,
) -> None:
    """Print where the catalog lies, or the folder of a run."""
    from geomon.store import Store

    found = Store(store) if store else ctx.obj["store"]
    if run is None and not exists(found.catalog_path):
        raise StoreError(f"{found.root} holds no results yet. geomon run makes some.")
    typer.echo(found.catalog_path if run is None else stored_run(found, run).folder)
