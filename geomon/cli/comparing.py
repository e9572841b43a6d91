"""`geomon compare`: two official tables beside each other."""

from typing import Annotated, Any

import typer

from geomon.cli import tables
from geomon.cli.question import Json, option
from geomon.cli.speaking import show, write_json
from geomon.cli.tree import app, examples
from geomon.errors import InputError

EXAMPLES = 3  # of each reason
Table = Annotated[str, typer.Argument(metavar="TABLE", help="A file of official statistics, or a pinned vintage.")]
Wanted = Annotated[
    list[str] | None,
    option("--series", metavar="CODE", help="Only this series, by either publisher's code; may be said again."),
]
Near = Annotated[
    float,
    option(
        "--tolerance", metavar="NUMBER", help="Differences up to this count as none, in the unit of the first table."
    ),
]


@app.command(
    epilog=examples(
        "geomon compare unsd.csv wdi.csv",
        "geomon compare unsd.csv wdi.csv --series AG_LND_FRST --tolerance 0.01 --json",
        more="A share is taken apart into numerator and denominator where both tables have them.\n"
        "What no rule brings together is listed as unexplained.",
    )
)
def compare(first: Table, second: Table, series: Wanted = None, tolerance: Near = 0.01, as_json: Json = False) -> None:
    """Hold two official tables against each other: which figures differ, and what explains it."""
    from geomon.between import between
    from geomon.official import statistics

    if not tolerance >= 0:
        raise InputError(f"--tolerance {tolerance:g}: give a number that is not below 0.")
    a, b = statistics(first), statistics(second)
    assert a is not None and b is not None
    found = between(a, b, series or (), tolerance=tolerance)
    if as_json:
        return write_json({"compared": [one.as_dict(EXAMPLES) for one in found]})
    for one in found:
        told(one)
    if not found:
        show("The two tables share no series that geomon knows to be one.")


def told(one: Any) -> None:
    """One series: how many pairs differ, by reason, with examples."""
    facts = one.as_dict(EXAMPLES)
    codes, names = " | ".join(dict.fromkeys(one.series)), " | ".join(one.publishers)
    show(f"{codes} ({names}, {one.unit or 'no unit'}):")
    show(
        f"  {facts['differing']} of {facts['pairs']} pairs in {facts['areas']} areas differ by more than "
        f"{one.tolerance:g}."
    )
    columns = ("Reason", "Pairs", "Areas", "Largest", "For example")
    made = tables.table(*columns, right=columns[1:4], wrap=(columns[0], columns[4]))
    for row in facts["reasons"]:
        cases = "; ".join(f"{e['ref_area']} {e['time_period']}: {e['a']:,.6g} | {e['b']:,.6g}" for e in row["examples"])
        made.add_row(row["words"], str(row["pairs"]), str(row["areas"]), f"{row['largest']:,.4g}", cases)
    if facts["reasons"]:
        show(made)
    show()
