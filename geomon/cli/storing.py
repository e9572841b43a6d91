"""`geomon check` and `geomon store`: what was stored."""

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from geomon.cli import tables
from geomon.cli.findings import verdicts
from geomon.cli.question import STORE, Json, StoreFolder, flag, option
from geomon.cli.speaking import Quiet, records, say, show, write_json
from geomon.cli.tree import app, examples
from geomon.errors import InputError, StoreError, listing
from geomon.places import exists, is_remote

RunId = Annotated[
    str, typer.Argument(metavar="RUN", help="A run's id or its beginning, or an indicator: its newest run.")
]
Official = Annotated[
    str | None,
    typer.Option(
        "--official",
        metavar="FILE|VINTAGE",
        help="Official statistics, a file or a pinned vintage; without it, what the run was stored with.",
    ),
]
OfficialBreaks = Annotated[
    list[str] | None,
    option(
        "--official-break",
        metavar="DATE:WHY",
        help="A change of method that the publisher declared, such as 2015:'new inventory'; may be said again.",
    ),
]
Boundaries = Annotated[
    list[str] | None,
    option(
        "--boundaries",
        metavar="RUN@DATE",
        help="A stored run of the same indicator and areas on other boundaries, law from that date; may be said again.",
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
        "geomon check 3f2a9c1b --official un-sdg --json",
        "geomon check 15.1.1 --official national.csv --official-break 2015:'new inventory'",
        more="Columns of the CSV: series, ref_area, time_period, obs_value, unit_measure;\n"
        "if there are: definition, publisher, nature, note.",
    )
)
def check(
    run: RunId,
    official: Official = None,
    official_break: OfficialBreaks = None,
    boundaries: Boundaries = None,
    store: StoreFolder = STORE,
    every: EveryVerdict = False,
    as_json: Json = False,
) -> None:
    """Hold a stored run against official statistics: a verdict and a sentence for each area."""
    from geomon.official import statistics
    from geomon.official.vintages import newer
    from geomon.store import Store

    stored = stored_run(Store(store), run)
    if official is None and (official_break or boundaries):
        raise InputError(
            "--official-break and --boundaries ask for a new comparison. Name the statistics too, with --official."
        )
    changes = [change(text) for text in official_break or ()]
    versions = [version(Store(store), text, stored) for text in boundaries or ()]
    published = statistics(official)
    findings = may_be_said(stored) if published is None else compared(stored, published, changes, versions)
    if findings is None:
        raise InputError(f"Run {stored.id} was stored without official statistics. Name them with --official FILE.csv.")
    vintage = stored.recipe.get("official") if published is None else published.attrs.get("vintage")
    if vintage and (later := newer(vintage)):
        say(f"A newer vintage is pinned. Its revisions: geomon official diff {vintage['name']} {later.name}", "yellow")
    facts = tables.stored_facts(stored)
    if as_json:
        told = {name: facts[name] for name in ("run", "indicator", "nature", "synthetic")}
        return write_json({**told, **({"official": vintage} if vintage else {}), "findings": findings})
    if facts["synthetic"]:
        show(tables.SYNTHETIC)
    for line in verdicts(findings, areas_in(stored), every):
        show(line)
    if vintage:
        show(f"Official: {vintage['name']}, retrieved {vintage['retrieved'][:10]}.")
    if not findings:
        show("No output of this indicator has an official series to stand beside.")


def compared(
    stored: Any,
    official: Any,
    changes: Sequence[tuple[str, str]] = (),
    versions: Sequence[tuple[str, str, Any]] = (),
) -> list[dict[str, Any]]:
    """The findings of a stored run beside other statistics."""
    from geomon.check import check
    from geomon.protection import published
    from geomon.registry import indicator

    breaks = [(str(date), str(why)) for date, why in stored.recipe["breaks"]]
    found = check(
        published(stored),
        official,
        indicator(stored.indicator),
        breaks=breaks,
        official_breaks=changes,
        zones=stored.zones,
        versions=versions,
    )
    return [f.as_dict() for f in found]


def change(text: str) -> tuple[str, str]:
    """'2015:new inventory' as (ISO date, why)."""
    date, _, why = text.partition(":")
    if not why.strip():
        raise InputError(f"--official-break {text}: say when and why, such as 2015:'new inventory'.")
    return day(date, f"--official-break {text}"), why.strip()


def version(store: Any, text: str, stored: Any) -> tuple[str, str, Any]:
    """'3f2a9c1b@2015' as (name, ISO date, satellite series on those boundaries)."""
    from geomon.protection import published

    wanted, sign, date = text.rpartition("@")
    if not (wanted and sign):
        raise InputError(f"--boundaries {text}: name a run and the date of its boundaries, such as 3f2a9c1b@2015.")
    other, since = stored_run(store, wanted), day(date, f"--boundaries {text}")
    if other.id == stored.id or other.indicator != stored.indicator:
        what = "the run itself" if other.id == stored.id else f"a run of {other.indicator}"
        raise InputError(f"--boundaries {text}: that is {what}. Name another run of {stored.indicator}.")
    for what in ("params", "use"):
        if other.recipe.get(what) != stored.recipe.get(what):
            raise InputError(
                f"--boundaries {text}: it was run with {what} {other.recipe.get(what)}, run {stored.id} with "
                f"{stored.recipe.get(what)}. Between them only the boundaries may differ."
            )
    if not set(other.zones.code) & set(stored.zones.code):
        raise InputError(
            f"--boundaries {text}: its areas ({listing(other.zones.code)}) have no code in common with those of "
            f"run {stored.id} ({listing(stored.zones.code)})."
        )
    return other.id, since, published(other)


def day(date: str, where: str) -> str:
    """A year, month or day as the ISO date on which it begins."""
    from geomon.period import Period

    try:
        return Period.of(date.strip()).start.date().isoformat()
    except (InputError, ValueError) as error:
        raise InputError(f"{where}: {date!r} is no year or date. Write it as 2015 or 2015-07-01.") from error


def may_be_said(stored: Any) -> list[dict[str, Any]] | None:
    """The findings of a run, without those of areas with counts that are hidden to protect people."""
    from geomon.protection import guard_in, published, with_hidden

    if not stored.check or guard_in(stored.recipe) is None:
        return stored.check  # type: ignore[no-any-return]
    hidden = with_hidden(published(stored))
    return [f for f in stored.check if (f["output"], f["ref_area"]) not in hidden]


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
    from geomon.protection import published
    from geomon.store import Store

    stored = stored_run(Store(store) if store else ctx.obj["store"], run)
    series = published(stored)
    if csv:
        return typer.echo(series.to_csv(index=False), nl=False)
    if as_json:
        facts = {**tables.stored_facts(stored), "recipe": stored.recipe, "check": may_be_said(stored)}
        return write_json({**facts, "series": records(series)})
    show(tables.about(stored))
    if rows or every:
        show()
        for part in tables.series_tables(series, areas_in(stored), None, every):
            show(part)
    from geomon.cli.progress import grades, may_be_told

    graded = grades(may_be_told(stored), areas_in(stored), every)
    found = verdicts(may_be_said(stored) or [], areas_in(stored), every)
    for line in (*found, *graded, *tables.failures(stored.reads)):
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
