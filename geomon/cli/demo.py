"""`geomon demo` and `geomon serve`: the sample country, and the desks."""

import contextlib
import socket
import time
from pathlib import Path
from typing import Annotated, Any

import typer

from geomon.cli import tables
from geomon.cli.findings import depth, tally, verdicts
from geomon.cli.question import STORE, StoreFolder, Workspaces, search
from geomon.cli.running import execute
from geomon.cli.speaking import say, show, waiting
from geomon.cli.tree import app, examples
from geomon.errors import InputError

PORT = 5006
SHOWN = ("15.1.1", "6.6.1", "water-extent", "night-lights")
NO_WORKSPACE: list[Path] = []
Port = Annotated[
    int | None, typer.Option("--port", min=0, max=65535, metavar="N", help=f"{PORT}, or another if that is taken.")
]
DEMO = examples("geomon demo", "geomon demo --no-serve", "geomon demo --size 1200 --folder /tmp/large")
SERVE = examples(
    "geomon serve",
    "geomon serve --store results --port 5010 --open",
    more="The desks are served to this machine only, until there is a sign-in.\n"
    "To look from another machine: ssh -L 5006:127.0.0.1:5006 HOST",
)


@app.command(epilog=DEMO)
def demo(
    serve: Annotated[bool, typer.Option("--serve/--no-serve", metavar="", help="Open the desks at the end.")] = True,
    size: Annotated[
        int | None,
        typer.Option("--size", metavar="N", help="Cells from west to east, a multiple of 60; 600 if not said."),
    ] = None,
    folder: Annotated[Path, typer.Option("--folder", metavar="FOLDER", help="Where it is made.")] = Path("geomon-demo"),
    port: Port = None,
) -> None:
    """Build a fictional country, run its indicators, check them against its statistics, open the desks.

    Everything in it is synthetic: land, images, districts and official figures. A second time the store answers.
    """
    begun = time.monotonic()
    if folder.exists() and not folder.is_dir():
        raise InputError(f"The demo cannot be made in {folder}, which is a file. Name a folder with --folder.")
    with waiting("Building the sample country"):
        from geomon.sample import SIZE, build

        sample = build(folder / "country", size=size or SIZE)
    search([sample.workspace])
    store = folder / "store"
    show(f"{sample.name}, a fictional country. Everything from here is synthetic: no real place, no real figures.")
    show()
    made = tables.table("Indicator", "Periods", "Values", "Withheld", "Beside its official figures", "Took",
                        right=("Values", "Withheld", "Took"), wrap=("Beside its official figures",))  # fmt: skip
    said: list[Any] = []
    for code in SHOWN:
        done, took = answered(code, sample, store)
        made.add_row(*summary(done, took))
        said += headlines(done)
    show(made)
    show()
    for line in said:
        show(line)
    show()
    show(f"Results: {store}, a STAC catalog ({tables.seconds(time.monotonic() - begun)} in all)")
    if serve:
        open_desks(store, "127.0.0.1", port, False)
    else:
        show(f"Next: geomon serve --store {store}")


def period_of(indicator: Any) -> str:
    """All years of which the country has images, or for what is asked of single days the last one: the flood."""
    from geomon.resolve import sources_of
    from geomon.sources.catalog import Catalog

    source, _ = next(sources_of(indicator))
    dates = [scene.label for scene in Catalog.open().find(source.collection, source.band)]
    return dates[-1] if indicator.freq == "D" else f"{dates[0][:4]}/{dates[-1][:4]}"


def answered(code: str, sample: Any, store: Path) -> tuple[Any, float]:
    """A run of the demo, and how long it took."""
    from geomon.pipeline import plan
    from geomon.registry import indicator

    begun = time.monotonic()
    with waiting(f"{code}: looking for images"):
        period = period_of(indicator(code))
        made = plan(code, sample.zones, period, store=store, official=sample.official)
    return execute(made), time.monotonic() - begun


def summary(done: Any, took: float) -> list[str]:
    """A line on a run: how many values, and how they stand beside the official ones."""
    facts = tables.stored_facts(done.stored)
    compared = [f for f in done.stored.check or [] if f["pairs"]]
    values = str(facts["values"]), str(facts["withheld"])
    beside = tally(compared) or "there are none"
    when = tables.seconds(took) if done.fresh else "stored before"
    return [done.plan.indicator.code, tables.spanned(facts["periods"]), *values, beside, when]


def headlines(done: Any) -> list[Any]:
    """One finding of each verdict, the whole country's where it has one."""
    areas = tables.areas_of(done.plan.zones.zones)
    found = [f for f in done.stored.check or [] if f["pairs"]]
    by_verdict = {f["verdict"]: f for f in sorted(found, key=lambda f: -depth(f, areas))}
    return list(verdicts(list(by_verdict.values()), areas, every=True))[1:]


@app.command("serve", epilog=SERVE)
def serve_command(
    store: StoreFolder = STORE,
    port: Port = None,
    host: Annotated[str, typer.Option("--host", help="An address of this machine.")] = "127.0.0.1",
    browser: Annotated[bool, typer.Option("--open/--no-open", metavar="", help="Open a browser as well.")] = False,
    workspace: Workspaces = NO_WORKSPACE,
) -> None:
    """Serve the desks over the stored runs, at an address that only this machine reaches."""
    search(workspace)
    open_desks(store, host, port, browser)


def open_desks(store: str | Path, host: str, port: int | None, browser: bool) -> None:
    """Serve until Ctrl-C; the address is printed when somebody answers there."""
    with waiting("Opening the desks"):
        from geomon.panels.serve import start
        from geomon.store import Store

        server = start(Store(store), host, usual_port() if port is None else port, browser)
    show(f"The desks are open at http://{server.address or host}:{server.port}/  (Ctrl-C closes them)")
    with contextlib.suppress(KeyboardInterrupt):  # this is how it is meant to end
        server.io_loop.start()
    server.stop()
    say(f"The desks are closed. The results stay in {store}.")


def usual_port() -> int:
    """The usual port of this machine, or 0, any, if somebody else listens there."""
    with socket.socket() as probe:
        return 0 if probe.connect_ex(("127.0.0.1", PORT)) == 0 else PORT
