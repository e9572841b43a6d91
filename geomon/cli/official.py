"""`geomon official fetch | list | show | diff`: official statistics, pinned as they were on a day."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from geomon.cli import tables
from geomon.cli.question import Json, flag, option
from geomon.cli.speaking import PARTIAL, Quiet, records, say, show, waiting, write_json
from geomon.cli.tree import app, examples
from geomon.errors import InputError, StoreError

if TYPE_CHECKING:
    from geomon.official.vintages import Vintage

ADDRESS = "GEOMON_OFFICIAL_URL"
FEW = 20
NOTHING: list[str] = []
WORDS = {
    **{"unit": "unit", "nature": "nature", "definition": "definition", "note": "note", "publisher": "publisher"},
    "obs_status": "instead of a value",
}
"""What may have changed besides a value, and how `diff` calls it."""

official = typer.Typer(
    cls=Quiet,
    help="Official statistics, pinned as vintages: what a provider published, when, with its hash.",
    no_args_is_help=True,
)
app.add_typer(
    official,
    name="official",
    epilog=examples(
        "geomon official fetch un-sdg --series AG_LND_FRST --area STP",
        "geomon check 15.1.1 --official un-sdg",
        "geomon official diff un-sdg",
        more="Vintages are kept in ./geomon-official, or in the folder that GEOMON_OFFICIAL names.",
    ),
)

Root = Annotated[
    Path | None,
    option("--root", metavar="FOLDER", help="Where vintages are kept, instead of ./geomon-official."),
]
Name = Annotated[
    str, typer.Argument(metavar="VINTAGE", help="un-sdg, its newest, or un-sdg@ and the beginning of an id.")
]


@official.command(
    epilog=examples(
        "geomon official fetch un-sdg --series AG_LND_FRST --area STP",
        "geomon official fetch worldbank --series AG.LND.FRST.ZS --area STP --area BDI",
        "geomon official fetch sdmx --flow IAEG-SDGs/DF_SDG_GLH --series AG_LND_FRST --area STP",
        "geomon official fetch open-sdg indicator_15-1-1.csv --area GBR",
        "geomon official fetch file national.xlsx --mapping columns.json --publisher NISR",
        more='A mapping: {"series": "=AG_LND_FRST", "ref_area": "Code", "time_period": "Year",\n'
        '"obs_value": "Share", "unit_measure": "=percent"}; "time_period": "columns" for a column a year.',
    )
)
def fetch(
    provider: Annotated[str, typer.Argument(metavar="PROVIDER", help="un-sdg, worldbank, sdmx, open-sdg or file.")],
    file: Annotated[str, typer.Argument(metavar="[FILE]", help="For open-sdg and file: a file or its address.")] = "",
    series: Annotated[list[str], option("--series", metavar="CODE", help="May be given several times.")] = NOTHING,
    area: Annotated[
        list[str],
        option("--area", metavar="CODE", help="ISO3 or M49; all if not said. The country of an open-sdg file."),
    ] = NOTHING,
    period: Annotated[str, option("--period", metavar="SPAN", help="2000/2020; all years if not said.")] = "",
    url: Annotated[
        str, option("--url", metavar="ADDRESS", envvar=ADDRESS, help="The service, in the place of the provider's own.")
    ] = "",
    flow: Annotated[
        str, option("--flow", metavar="AGENCY/FLOW", help="Of sdmx; /VERSION for one that is not the newest.")
    ] = "",
    key: Annotated[str, option("--key", metavar="KEY", help="Of sdmx, in the place of --series and --area.")] = "",
    mapping: Annotated[
        Path | None, option("--mapping", metavar="FILE.json", help="Which column of a table is what.")
    ] = None,
    structure: Annotated[
        Path | None, option("--structure", metavar="DSD.xml", help="The DSD of an SDMX-ML file.")
    ] = None,
    publisher: Annotated[str, option("--publisher", metavar="NAME", help="Who published a file.")] = "",
    name: Annotated[
        str, option("--name", metavar="NAME", help="What to keep it under, if not the provider or publisher.")
    ] = "",
    release: Annotated[str, option("--release", metavar="NAME", help="What its publisher calls a file's state.")] = "",
    root: Root = None,
    as_json: Json = False,
) -> None:
    """Ask a provider, or read a file, and pin what came; if the service is away, the last vintage serves."""
    from geomon.official.asking import Question, Told
    from geomon.official.fetching import ServiceError
    from geomon.official.providers import fetch
    from geomon.official.vintages import as_input, last, pin, pinned

    known = provider in ("open-sdg", "file")
    told = Told(
        publisher=publisher,
        area=area[0] if area else "",
        series=series[0] if series and known else "",
        mapping=mapping,
        structure=structure_of(structure) if structure else None,
    )
    asked = Question(
        provider=provider,
        series=tuple(series),
        areas=tuple(area),
        span=period,
        url=url,
        flow=flow,
        key=key,
        file=file,
        release=release,
        told=told,
    )
    keep = as_input(name or (publisher if known and publisher else provider))
    before = last(keep, asked.query, root=root)
    broken = [str(error) for error in pinned(keep, root=root)[1].values()]
    try:
        with waiting(f"Asking {url or provider}"):
            fetched = fetch(asked)
    except ServiceError as error:
        if not error.away or before is None:
            raise
        return served(before, [str(error), *broken], as_json)
    vintage, fresh = pin(fetched, keep, asked.query, root=root)
    remarks = [*fetched.remarks, *differences(before, vintage, fetched.release, fetched.dsd), *broken]
    if as_json:
        return write_json({**told_of(vintage), "new": fresh, "served": "the provider", "remarks": remarks})
    show(f"{'Pinned' if fresh else 'Nothing new: it is'} {vintage.name}, {vintage.rows} rows")
    show(about(vintage))
    for remark in remarks:
        say(f"Note: {remark}", "yellow")


def structure_of(file: Path) -> bytes:
    """The DSD in a file; InputError if it cannot be read."""
    try:
        return file.read_bytes()
    except OSError as error:
        raise InputError(f"The structure {file} cannot be read: {error.strerror}. Check --structure.") from error


def served(vintage: "Vintage", why: list[str], as_json: bool) -> None:
    """Say that a pinned vintage stands in for the service, and leave with the exit code of what is not whole."""
    vintage.table()
    if as_json:
        write_json({**told_of(vintage), "new": False, "served": "the last pinned vintage", "remarks": why})
    else:
        show(f"The last pinned vintage serves: {vintage.name}, retrieved {vintage.day}")
    say(f"The service is away: {' '.join(why)}", "yellow")
    raise typer.Exit(PARTIAL)


def differences(before: "Vintage | None", now: "Vintage", release: str, dsd: str) -> list[str]:
    """What a reader of the former vintage must know of this one."""
    if before is None:
        return []
    said = []
    if before.dsd != dsd and before.dsd and dsd:
        said.append(f"The data structure changed from {before.dsd} to {dsd}. Codes may mean something else now.")
    if before.release != release and before.name == now.name:
        said.append(f"Release {release} holds the same values as {before.name}.")
    if before.name != now.name:
        said.append(f"It differs from the last one: geomon official diff {before.name} {now.name}")
    return said


@official.command("list", epilog=examples("geomon official list", "geomon official list un-sdg --json"))
def list_(
    provider: Annotated[str, typer.Argument(metavar="[PROVIDER]", help="Only the vintages of this one.")] = "",
    root: Root = None,
    as_json: Json = False,
) -> None:
    """The pinned vintages, newest first."""
    from geomon.official.vintages import pinned, root_of

    there, broken = pinned(provider, root=root)
    for error in broken.values():
        say(str(error), "yellow")
    if as_json:
        write_json([told_of(v) for v in there])
    elif there:
        show(listed(there))
    elif not broken:
        say(
            f"{root_of(root)} holds no vintages{f' of {provider}' if provider else ''} yet. "
            "geomon official fetch pins one."
        )
    if broken:
        raise typer.Exit(PARTIAL)


def listed(there: "list[Vintage]") -> Any:
    """Vintages as a table."""
    made = tables.table("Vintage", "Release", "Retrieved", "Rows", "Asked for", right=("Rows",), wrap=("Asked for",))
    for v in there:
        made.add_row(v.name, v.release, v.day, f"{v.rows:,}", asked_words(v.query))
    return made


@official.command("show", epilog=examples("geomon official show un-sdg", "geomon official show un-sdg --csv > un.csv"))
def show_vintage(
    name: Name,
    root: Root = None,
    every: Annotated[bool, flag("--all", "Every row.")] = False,
    csv: Annotated[bool, flag("--csv", "The table as CSV on stdout, and nothing else.")] = False,
    as_json: Json = False,
) -> None:
    """A vintage: where it came from, what is in it, what is missing and why."""
    from geomon.official.vintages import find

    vintage = find(name, root=root)
    table = vintage.table()
    if csv:
        return typer.echo(table.to_csv(index=False), nl=False)
    if as_json:
        rows = {"rows_of_it": records(table)} if every else {}
        return write_json({**told_of(vintage), **contents(table), **rows})
    show(about(vintage))
    for title, counts in contents(table).items():
        shown = ", ".join(f"{what} ({n:,})" for what, n in list(counts.items())[:FEW])
        show(f"{title.capitalize()}: {shown or 'none'}")
    show(rows_of(table if every else table.head(FEW)))
    if not every and len(table) > FEW:
        say(f"{len(table) - FEW:,} further rows: --all, or --csv.")


def contents(table: Any) -> dict[str, dict[str, int]]:
    """How many rows of each series, unit and nature there are, and why values are missing."""
    from geomon.official import nature_name

    missing = table.obs_status[table.obs_value.isna()]
    counted = {
        "series": table.series,
        "units": table.unit_measure.replace("", "not stated"),
        "nature": table.nature.map({n: nature_name(n) for n in table.nature.unique()}),
        "missing": missing,
    }
    return {name: {str(k): int(n) for k, n in column.value_counts().items()} for name, column in counted.items()}


def rows_of(table: Any) -> Any:
    """Rows as a table."""
    made = tables.table(
        "Series", "Area", "Period", "Value", "Unit", "Nature", "Note", right=("Value",), wrap=("Series", "Note")
    )
    for row in table.itertuples(index=False):
        value = row.obs_status if row.obs_value != row.obs_value else f"{row.obs_value:g}"
        made.add_row(row.series, row.ref_area, row.time_period, value, row.unit_measure, row.nature, row.note)
    return made


@official.command(
    epilog=examples("geomon official diff un-sdg", "geomon official diff un-sdg@2020.Q3 un-sdg@2021.Q1 --json")
)
def diff(
    old: Annotated[str, typer.Argument(metavar="VINTAGE", help="The older one; alone: the last two of this name.")],
    new: Annotated[str, typer.Argument(metavar="[VINTAGE]", help="The newer one.")] = "",
    root: Root = None,
    every: Annotated[bool, flag("--all", "Every change, not only the largest.")] = False,
    as_json: Json = False,
) -> None:
    """What a provider revised between two vintages: values, units, nature; what is new and what was dropped."""
    from geomon.official.revisions import CHANGES, revisions
    from geomon.official.vintages import find

    first, second = (find(old, root=root), find(new, root=root)) if new else last_two(old, root)
    found = revisions(first.table(), second.table())
    counts = {kind: int((found.change == kind).sum()) for kind in CHANGES}
    if as_json:
        ends = {"old": first.facts(), "new": second.facts()}
        return write_json({**ends, "counts": counts, "changes": records(found)})
    show(f"{first.name} ({first.day}) to {second.name} ({second.day})")
    if first.dsd != second.dsd:
        say(f"Note: the data structure changed from {first.dsd or 'none'} to {second.dsd or 'none'}.", "yellow")
    show(", ".join(f"{n:,} {kind}" for kind, n in counts.items() if n) or "Nothing changed.")
    if len(found):
        show(changes_table(found if every else found.head(FEW)))
    if not every and len(found) > FEW:
        say(f"{len(found) - FEW:,} further changes: --all, or --json.")


def last_two(name: str, root: Path | None) -> tuple["Vintage", "Vintage"]:
    """The last two vintages that answer one question."""
    from geomon.official.vintages import find, vintages

    newest = find(name, root=root)
    same = [v for v in vintages(newest.provider, root=root) if dict(v.query) == dict(newest.query)]
    later = same[same.index(newest) + 1 :]
    if not later:
        raise StoreError(f"{newest.name} is the only vintage of its kind, so there is nothing to set beside it.")
    return later[0], newest


def changes_table(found: Any) -> Any:
    """Changes as a table; a unit or nature that changed stands with the values."""
    made = tables.table(
        *("Change", "Series", "Area", "Period", "Old", "New", "Difference", "Of the old", "Besides"),
        right=("Old", "New", "Difference", "Of the old"),
        wrap=("Series", "Besides"),
    )
    for row in found.to_dict("records"):
        old, new, difference = (number(row[name]) for name in ("old", "new", "difference"))
        share = row["relative"]
        share = "" if share != share or abs(share) == float("inf") else f"{share:+.2%}"
        besides = "; ".join(
            f"{word} {row[f'{what}_old'] or 'none'} to {row[f'{what}_new'] or 'none'}"
            for what, word in WORDS.items()
            if row["change"] not in ("new", "dropped") and row[f"{what}_old"] != row[f"{what}_new"]
        )
        besides = "; ".join(filter(None, (besides, bounds_words(row))))
        keys = (str(row[name]) for name in ("change", "series", "ref_area", "time_period"))
        made.add_row(*keys, old, new, difference, share, besides)
    return made


def bounds_words(row: Mapping[str, Any]) -> str:
    """Bounds that changed where that is all: 'upper 5 to 6'."""
    ends = [(side, number(row[f"{side}_old"]), number(row[f"{side}_new"])) for side in ("lower", "upper")]
    changed = [f"{side} {old or 'none'} to {new or 'none'}" for side, old, new in ends if old != new]
    return "; ".join(changed) if row["change"] in ("revised", "bounds") else ""


def number(value: float) -> str:
    """A value as it is shown; nothing for none."""
    return "" if value != value else f"{value:,.6g}"


def told_of(vintage: "Vintage") -> dict[str, Any]:
    """All that is known of a vintage, for JSON."""
    more = {"url": vintage.url, "query": dict(vintage.query), "rows": vintage.rows, "folder": str(vintage.folder)}
    return {**vintage.facts(), **more, "files": dict(vintage.files), "notes": list(vintage.remarks)}


def about(vintage: "Vintage") -> Any:
    """All that is known of a vintage, for the screen."""
    lines: Mapping[str, str] = {
        "Vintage": vintage.name,
        "Release": vintage.release,
        "Structure": vintage.dsd,
        "Retrieved": vintage.day,
        "From": vintage.url,
        "Asked for": asked_words(vintage.query),
        "SHA-256": vintage.sha256,
        "Notes": "\n".join(vintage.remarks),
        "Folder": str(vintage.folder),
    }
    return tables.listed(lines)


def asked_words(query: Mapping[str, str]) -> str:
    """'series AG_LND_FRST, area STP'."""
    return ", ".join(f"{name} {text}" for name, text in query.items())
