"""`geomon robustness`: an indicator over all its reasonable choices."""

import inspect
import math
from collections.abc import Mapping, Sequence
from dataclasses import fields, replace
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.text import Text

from geomon.cli import tables
from geomon.cli.question import METHOD, PLACES, Json, Question, Threads, flag, option, pairs, parameter, search
from geomon.cli.speaking import PARTIAL, Stopped, say, screen, show, waiting, write_json
from geomon.cli.tree import app, examples
from geomon.errors import InputError, did_you_mean, listing
from geomon.texts import say as words

MOST = 64  # specifications
WIDE = 28  # columns of the curve of text
FEW = 24  # specifications that are shown without --all
NONE: list[str] = []
Vary = Annotated[
    list[str],
    option(
        "--vary",
        metavar="NAME=A,B",
        panel=METHOD,
        help="Only these options of a choice; years=2010/2024,2012/2024 for what trend and verdict rest on.",
    ),
]
Products = Annotated[
    list[str],
    option(
        "--use",
        metavar="SOURCE=A|B",
        panel=METHOD,
        help="These products for a source, in the place of its own and its declared alternatives.",
    ),
]
Boundaries = Annotated[
    list[Path],
    option("--zones", "-z", metavar="FILE", help="Reporting areas; given several times: boundary sets to choose from."),
]
Fixed = Annotated[
    list[str], option("--param", metavar="NAME=CHOICE", panel=METHOD, help="A choice of the method that is not varied.")
]
Most = Annotated[
    int, option("--most", metavar="N", min=1, panel=METHOD, help="Specifications at most; says if there are more.")
]
Output = Annotated[str, option("--output", metavar="NAME", help="The output that is shown; else the first.")]
Area = Annotated[str, option("--area", metavar="CODE", panel=PLACES, help="The area that is shown; else the topmost.")]
Every = Annotated[bool, flag("--all", "Every specification, not only the first.")]

EPILOG = examples(
    "geomon robustness 15.1.1 --zones admin.geojson --period 2010/2024 --official national.csv",
    'geomon robustness water-extent -z admin.geojson -p 2024-03-05 --vary "threshold=-15 dB,-16 dB"',
    'geomon robustness 15.1.1 -z admin.geojson -p 2015/2019 --use "cover=esa-worldcover|cgls-lc100"',
    "geomon robustness 6.6.1 -z gaul.geojson -z national.geojson -p 2000/2020 --vary years=2000/2020,2005/2020",
    more="Every specification is a run of its own in the store: the same command goes on where it was stopped.\n"
    "[bold]Exit code 3[/]: done, but some specifications failed; they are counted and named.",
)


def robustness(
    question: Question,
    boundaries: Sequence[Path],
    vary: Sequence[str],
    most: int,
    output: str,
    area: str,
    threads: int | None,
    every: bool,
    as_json: bool,
) -> None:
    """Run an indicator over its declared reasonable choices, and say in how many of them a claim holds.

    Choices of the method, products for its sources, boundary sets, and the years that a trend rests on.
    """
    search(question.workspace)
    asked = {**split("--vary", vary, ","), **{n: (v,) for n, v in pairs("--param", question.param).items()}}
    use = split("--use", question.use, "|")
    accuracy = pairs("--accuracy", question.accuracy)
    with waiting("Reading the zones"):
        zones = named(question, boundaries)
        from geomon import robustness as engine
        from geomon import workspace
        from geomon.sources.catalog import Catalog
        from geomon.store import Store

    with screen(stdout=False).status("Looking for images") as status:
        try:
            found = engine.robustness(
                question.code,
                zones,
                question.period[0] if len(question.period) == 1 else question.period,
                store=question.store,
                vary=asked,
                use=use,
                most=most,
                workers=threads,
                progress=lambda n, of, now: status.update(f"Run {n + 1} of {of}: {now}"),
                catalog=Catalog.open(*question.catalog, *workspace.catalogs()) if question.catalog else None,
                official=question.official,
                accuracy=accuracy,
                block=question.block,
            )
        except KeyboardInterrupt as stop:
            kept = f"Stopped. The runs that were made are kept in {question.store}. "
            raise Stopped(f"{kept}The same command goes on from there.") from stop
    told = found.as_dict()
    if as_json:
        write_json(told)
    else:
        report(told, chosen(told, output, area), every)
        where = engine.folder(Store(question.store), question.code) / f"{found.id}.json"
        say(f"Stored in {where}. Next: geomon serve shows the curve at expert depth.")
    if not found.whole:
        raise typer.Exit(PARTIAL)


def command(**given: Any) -> None:
    """The command as typer calls it."""
    own = {name: given.pop(name) for name in OWN}
    zones = own.pop("zones")
    robustness(Question(**given, zones=zones[0]), zones, **own)


OWN: dict[str, tuple[Any, Any]] = {
    "zones": (Boundaries, inspect.Parameter.empty),
    "vary": (Vary, NONE),
    "most": (Most, MOST),
    "output": (Output, ""),
    "area": (Area, ""),
    "threads": (Threads, None),
    "every": (Every, False),
    "as_json": (Json, False),
}
"""Options of this command, in the place of those of a Question or after them."""
TAKEN: dict[str, Any] = {"use": Products, "param": Fixed}


def signature() -> inspect.Signature:
    """The options of a Question, some with another meaning, then the command's own."""
    asked = [parameter(f) for f in fields(Question) if f.name not in OWN]
    asked = [p.replace(annotation=TAKEN.get(p.name, p.annotation)) for p in asked]
    own = [inspect.Parameter(n, inspect.Parameter.KEYWORD_ONLY, default=d, annotation=a) for n, (a, d) in OWN.items()]
    return inspect.Signature([asked[0], own[0], *asked[1:], *own[1:]])


command.__name__, command.__doc__ = "robustness", robustness.__doc__
command.__signature__ = signature()  # type: ignore[attr-defined]
command.__annotations__ = {}
app.command("robustness", epilog=EPILOG)(command)


def split(option: str, given: Sequence[str], by: str) -> dict[str, tuple[str, ...]]:
    """NAME=A,B as a mapping to options."""
    return {
        name: tuple(filter(None, (v.strip() for v in text.split(by)))) for name, text in pairs(option, given).items()
    }


def named(question: Question, files: Sequence[Path]) -> dict[str, Any]:
    """Boundary sets by the names of their files, made distinct."""
    found: dict[str, Any] = {}
    for file in files:
        name = file.stem if file.stem not in found else str(file)
        if name in found:
            raise InputError(f"The zones {file} were given twice. Name each file once.")
        found[name] = replace(question, zones=file).areas()
    return found


def chosen(told: Mapping[str, Any], output: str, area: str) -> dict[str, Any]:
    """The curve that is shown; InputError for an output or area that is none."""
    curves = told["curves"]
    if not curves:
        raise InputError("No curve can be shown: each area has a number that is hidden to protect people.")
    for wanted, key in ((output, "output"), (area, "ref_area")):
        known = list(dict.fromkeys(c[key] for c in curves))
        if wanted and wanted not in known:
            raise InputError(
                f"There is no {key.removeprefix('ref_')} {wanted!r}; there are {listing(known)}."
                f"{did_you_mean(wanted, known)}"
            )
    fits = [c for c in curves if (not output or c["output"] == output) and (not area or c["ref_area"] == area)]
    found: dict[str, Any] = fits[0]
    return found


def report(told: Mapping[str, Any], curve: Mapping[str, Any], every: bool) -> None:
    """What was tried, the sentences, and the curve."""
    if told["synthetic"]:
        show(tables.SYNTHETIC)
    tried, possible = len(told["specifications"]), told["possible"]
    key = "robust.tried" if tried == possible else "robust.tried.some"
    show(words(key, tried=tried, possible=possible, percent=f"{100 * tried / possible:.0f}"))
    for sentence in told["left_out"]:
        show(Text(sentence, style="yellow"))
    forks = [f for f in told["forks"] if len(f["options"]) > 1]
    made = tables.table("Choice", "Options, the default first", "Why", wrap=("Options, the default first", "Why"))
    for fork in forks:
        options = sorted(fork["options"], key=lambda o: o != fork["default"])
        made.add_row(fork["name"], ", ".join(options), fork["why"])
    show(made) if forks else show("There is nothing to choose: give --vary, --use or a second --zones.")
    show()
    show(
        Text(f"{told['indicator']} {curve['output']}: {curve['title']}, {curve['name']}, {curve['unit']}", style="bold")
    )
    show(curve_table(told, curve, every))
    if not every and tried > FEW:
        show(Text(f"{tried - FEW} further specifications: --all.", style="dim"))
    show()
    for sentence in curve["sentences"]:
        show(sentence)


def curve_table(told: Mapping[str, Any], curve: Mapping[str, Any], every: bool) -> Any:
    """Specifications in order of their value: the value on a line, the trend, the verdict, and what was chosen."""
    verdicts = any(p["verdict"] for p in curve["points"])
    beside = ["Verdict"] if verdicts else []
    columns = ["Value", curve["last"], "A year", "95 %", *beside, "What was chosen"]
    made = tables.table(*columns, right=("Value", "A year"), wrap=("What was chosen",))
    ways = {s["number"]: s["choices"] for s in told["specifications"]}
    ends = limits(curve["points"])
    order = sorted(curve["points"], key=lambda p: (p["value"] is None, p["value"] or 0.0, p["number"]))
    for point in order if every else kept(order):
        row = {k: math.nan if point[k] is None else point[k] for k in ("value", "lower", "upper")}
        digits = tables.places({"unit_measure": curve["unit"], "obs_value": row["value"], **row})
        style = "bold" if point["number"] == 1 else ""
        made.add_row(
            Text(tables.number(row["value"], digits) if math.isfinite(row["value"]) else "-", style),
            Text(line(point, ends) if point["value"] is not None else words("robust.no"), style),
            *slope(point),
            *([point["verdict"] or "-"] if verdicts else []),
            Text(departures(told["forks"], ways[point["number"]]), style),
        )
    return made


def departures(forks: Sequence[Mapping[str, Any]], choices: Mapping[str, str]) -> str:
    """In what a specification is not the default."""
    other = [f"{f['name']} {choices[f['name']]}" for f in forks if choices[f["name"]] != f["default"]]
    return ", ".join(other) or words("robust.default")


def kept(order: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """Some of many, spread over the curve, the default among them."""
    if len(order) <= FEW:
        return list(order)
    step = len(order) / FEW
    wanted = {int(n * step) for n in range(FEW)}
    return [p for n, p in enumerate(order) if n in wanted or p["number"] == 1]


def limits(points: Sequence[Mapping[str, Any]]) -> tuple[float, float]:
    """The ends of the line of text: all values and bounds."""
    drawn = [p[k] for p in points for k in ("value", "lower", "upper") if p[k] is not None]
    return (min(drawn), max(drawn)) if drawn else (0.0, 1.0)


def line(point: Mapping[str, Any], ends: tuple[float, float]) -> str:
    """'   --o----  ': the value and its interval."""
    low, high = ends
    at = {
        k: round((WIDE - 1) * (point[k] - low) / ((high - low) or 1.0))
        for k in ("lower", "value", "upper")
        if point[k] is not None
    }
    first, last = at.get("lower", at["value"]), at.get("upper", WIDE - 1 if "lower" in at else at["value"])
    cells = ["-" if first <= n <= last else " " for n in range(WIDE)]
    cells[at["value"]] = "o"
    return "".join(cells)


def slope(point: Mapping[str, Any]) -> list[Text]:
    """The trend and its interval; dim where it is not shown at 5 %."""
    if point["slope"] is None:
        return [Text("-"), Text("")]
    style = "dim" if point["direction"] == "flat" else ""
    return [
        Text(f"{point['slope']:+.3g}", style),
        Text(f"{point['slope_lower']:.3g} to {point['slope_upper']:.3g}", style),
    ]
