"""`geomon plan` and `geomon run`."""

import contextlib
import os
import time
from typing import Annotated, Any

import typer

from geomon.cli import plans, tables
from geomon.cli.findings import verdicts
from geomon.cli.question import STORE, Json, Question, Scheduler, Threads, Workers, asks, flag
from geomon.cli.speaking import PARTIAL, Stopped, bar, records, say, show, waiting, write_json
from geomon.cli.storing import may_be_said
from geomon.cli.tree import app, examples

EveryRow = Annotated[bool, flag("--all", "Show every row, not only the first.")]

PLAN = examples(
    "geomon plan 15.1.1 --zones admin.geojson --period 2020/2021",
    "geomon plan 6.6.1 -z admin.gpkg --layer adm2 -p 2000/2020 --json",
    "geomon plan 15.1.1 -z admin.geojson -p 2020/2021 --block 512 --workers 8",
)
RUN = examples(
    "geomon run 15.1.1 --zones admin.geojson --period 2020/2021",
    "geomon run 15.1.1 -z admin.geojson -p 2015/2019 --use cover=cgls-lc100",
    "geomon run 15.1.1 -z admin.geojson -p 2020/2024 --official national.csv",
    'geomon run water-extent -z admin.geojson -p 2024-03-05 --param "threshold=-17 dB"',
    "geomon run 15.1.1 -z admin.geojson -p 2020/2021 --scheduler tcp://10.0.0.7:8786 --store s3://bucket/results",
    more="[bold]Exit code 3[/]: the run is stored, but not whole: values are withheld, or files could not be read "
    "or blocks computed; it says which.",
)


@app.command(epilog=PLAN)
@asks
def plan(question: Question, threads: Threads = None, workers: Workers = None, as_json: Json = False) -> None:
    """What a run will read and cost, and what was found for each period. Reads no pixel."""
    one_of(threads=threads, workers=workers)
    with waiting("Looking for images"):
        made = question.plan()
    cost = made.cost_on(threads=threads, workers=workers)
    if as_json:
        return write_json(plans.plan_facts(made, cost))
    for part in plans.plan_tables(made, cost):
        show(part)
    notes(made)
    say(next_step(made))


@app.command(epilog=RUN)
@asks
def run(
    question: Question,
    threads: Threads = None,
    workers: Workers = None,
    scheduler: Scheduler = "",
    every: EveryRow = False,
    as_json: Json = False,
) -> None:
    """Compute an indicator, store it as a STAC item, and show the numbers with their bounds.

    The same question again is answered from the store. A run that was stopped goes on where it was.
    """
    from geomon.protection import published

    one_of(threads=threads, workers=workers, scheduler=scheduler)
    begun = time.monotonic()
    with waiting("Looking for images"):
        made = question.plan()
    notes(made)
    done = execute(made, threads, workers or 0, scheduler)
    seconds = time.monotonic() - begun
    facts = run_facts(done, seconds)
    if as_json:
        write_json({**facts, "series": records(published(done.stored))})
    else:
        report(done, facts, every)
    if facts["status"] == "partial":
        raise typer.Exit(PARTIAL)


def one_of(**options: Any) -> None:
    """Wrong usage if several of these are given."""
    given = [f"--{name}" for name, value in options.items() if value]
    if len(given) > 1:
        raise typer.BadParameter(f"{' and '.join(given)} exclude each other: say where the blocks are computed once.")


def execute(plan: Any, threads: int | None = None, workers: int = 0, scheduler: str = "") -> Any:
    """Run a plan under a progress bar, on threads, worker processes or a cluster; Ctrl-C says what is kept."""
    from geomon.blocks import connected

    if plan.answered():
        return plan.run()
    try:
        with contextlib.ExitStack() as stack:
            with waiting("Reaching the workers") if workers or scheduler else contextlib.nullcontext():
                client = stack.enter_context(connected(scheduler, workers))
            progress = stack.enter_context(bar())
            job = progress.add_task(f"{plan.indicator.code} {span(plan)}", total=len(plan.tasks))
            return plan.run(
                lambda done, all_: progress.update(job, completed=done, total=all_), client=client, workers=threads
            )
    except KeyboardInterrupt as stop:
        raise Stopped(f"Stopped. {plan.kept} Nothing was published. The same command goes on from there.") from stop


def run_facts(done: Any, took: float) -> dict[str, Any]:
    """What is said of a run beside its series."""
    stored = done.stored
    return {
        **tables.stored_facts(stored),
        "question": done.plan.question,
        "fresh": done.fresh,
        "seconds": round(took, 2),
        "store": str(done.plan.store.root),
        "remarks": plans.remarks(done.plan),
        "check": may_be_said(stored),
    }


def report(done: Any, facts: dict[str, Any], every: bool) -> None:
    """The numbers, the verdicts, and where all of it lies."""
    from geomon.protection import published

    stored = done.stored
    areas = tables.areas_of(done.plan.zones.zones)
    for part in tables.series_tables(published(stored), areas, done.plan.indicator, every):
        show(part)
    if facts["synthetic"]:
        show(tables.SYNTHETIC)
    for line in verdicts(facts["check"] or [], areas, every):
        show(line)
    for failure in tables.failures(stored.reads):
        say(failure, "yellow")
    if not done.fresh:
        say(f"The store had the answer: run {done.id} of {stored.created}. Nothing was computed.")
    say(f"{'Found' if not done.fresh else 'Stored'} in {stored.folder} ({tables.seconds(facts['seconds'])}).")
    there = here(done.plan.store.root)
    say(f"Next: geomon store show {done.id[:8]}{there}, or geomon serve{there} to see it on the desks.")


def here(store: object) -> str:
    """What a command needs to find the same store."""
    return "" if str(store) == os.environ.get("GEOMON_STORE", STORE) else f" --store {store}"


def notes(plan: Any) -> None:
    """What should be known of a plan, a line each."""
    for remark in plans.remarks(plan):
        say(f"Note: {remark}", "yellow")


def next_step(plan: Any) -> str:
    """What to do with a plan."""
    if plan.store.published(plan.indicator.code, plan.id):
        return f"The store has the answer: run {plan.id}. geomon run with the same options shows it."
    return "Next: geomon run with the same options."


def span(plan: Any) -> str:
    """'2015 to 2021'."""
    first, last = plan.periods[0].label, plan.periods[-1].label
    return first if first == last else f"{first} to {last}"
