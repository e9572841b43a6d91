"""What is asked of a run: the options that `run` and `plan` share, and the plan they make."""

import inspect
import os
from collections.abc import Callable, Sequence
from dataclasses import MISSING, dataclass, field, fields
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from geomon.pipeline import Plan

STORE = "geomon-store"
MINE, METHOD, PLACES, MACHINES = "Your data", "Method", "Zones", "Machines"


def option(*names: str, help: str, metavar: str, panel: str | None = None, **more: Any) -> Any:
    """A typer option in a panel of the help."""
    return typer.Option(*names, help=help, metavar=metavar, rich_help_panel=panel, **more)


def flag(name: str, help: str) -> Any:
    """A typer option that is there or not."""
    return typer.Option(name, help=help, metavar="")


Code = Annotated[str, typer.Argument(help="The indicator, such as 15.1.1; geomon list has them all.", metavar="CODE")]
ZonesFile = Annotated[
    Path,
    option("--zones", "-z", metavar="FILE", help="Reporting areas: GeoJSON, GeoPackage or GeoParquet."),
]
Periods = Annotated[
    list[str],
    option(
        "--period",
        "-p",
        metavar="SPAN",
        help="2020, 2020-03, 2020-03-05, or a span such as 2015/2020. Given several times: these periods.",
    ),
]
StoreFolder = Annotated[
    str,
    option(
        "--store", metavar="FOLDER", envvar="GEOMON_STORE", help="Where results are kept: a folder, or s3://bucket/..."
    ),
]
Use = Annotated[
    list[str],
    option(
        "--use",
        metavar="SOURCE=PRODUCT",
        panel=METHOD,
        help="Another product in the place of a source: cover=cgls-lc100, or cover=my-map:band.",
    ),
]
Param = Annotated[
    list[str],
    option("--param", metavar="NAME=CHOICE", panel=METHOD, help="A declared alternative of the method."),
]
Statistics = Annotated[
    str | None,
    option(
        "--official",
        metavar="FILE|VINTAGE",
        panel=MINE,
        help="Official statistics to check against: a file, or a pinned vintage such as un-sdg.",
    ),
]
Accuracies = Annotated[
    list[str],
    option(
        "--accuracy",
        metavar="SOURCE=FILE.csv",
        panel=MINE,
        help="A reference sample of a source: rows are map classes, columns reference classes, numbers are counts.",
    ),
]
Catalogs = Annotated[
    list[str],
    option(
        "--catalog",
        metavar="FOLDER",
        panel=MINE,
        help="Further collections: a folder, here or s3://bucket/..., of <id>/collection.json.",
    ),
]
Workspaces = Annotated[
    list[Path],
    option(
        "--workspace",
        metavar="FOLDER",
        panel=MINE,
        help="A folder of your own indicators, dashboards and catalogs, searched first.",
    ),
]
Select = Annotated[
    list[str],
    option(
        "--select", metavar="CODE", panel=PLACES, help="Only this zone and all below it; may be given several times."
    ),
]
CodeColumn = Annotated[str | None, option("--code", metavar="COLUMN", panel=PLACES, help="Column of the codes.")]
NameColumn = Annotated[str | None, option("--name", metavar="COLUMN", panel=PLACES, help="Column of the names.")]
ParentColumns = Annotated[
    list[str],
    option("--parent", metavar="COLUMN", panel=PLACES, help="Column of the parents; several: the nearest first."),
]
Layer = Annotated[str | None, option("--layer", metavar="NAME", panel=PLACES, help="Layer of a GeoPackage.")]
Crs = Annotated[
    str | None, option("--crs", metavar="CRS", panel=PLACES, help="CRS of a file that states none: EPSG:4326.")
]
Dissolve = Annotated[
    bool, option("--dissolve", metavar="", panel=PLACES, help="Unite the shapes of rows that have one code.")
]
Block = Annotated[
    int, option("--block", metavar="N", min=16, panel=METHOD, help="Cells along the side of a block; sets the memory.")
]
Threads = Annotated[
    int | None,
    option(
        "--threads",
        metavar="N",
        min=1,
        panel=MACHINES,
        help="Blocks side by side in this process; as many as there are cores if not said.",
    ),
]
Workers = Annotated[
    int | None,
    option("--workers", metavar="N", min=1, panel=MACHINES, help="Processes of this machine in the place of threads."),
]
Scheduler = Annotated[
    str,
    option("--scheduler", metavar="ADDRESS", panel=MACHINES, help="A running dask scheduler, such as tcp://host:8786."),
]
Json = Annotated[bool, flag("--json", "JSON on stdout; all else goes to stderr.")]


@dataclass(frozen=True, kw_only=True)
class Question:
    """An indicator, where, when, with which products; every field is an option."""

    code: Code
    zones: ZonesFile
    period: Periods
    store: StoreFolder = STORE
    use: Use = field(default_factory=list)
    param: Param = field(default_factory=list)
    block: Block = 1024
    official: Statistics = None
    accuracy: Accuracies = field(default_factory=list)
    catalog: Catalogs = field(default_factory=list)
    workspace: Workspaces = field(default_factory=list)
    select: Select = field(default_factory=list)
    code_column: CodeColumn = None
    name_column: NameColumn = None
    parent_column: ParentColumns = field(default_factory=list)
    layer: Layer = None
    crs: Crs = None
    dissolve: Dissolve = False

    def plan(self) -> "Plan":
        """The plan; reads no pixel."""
        use, params = pairs("--use", self.use), pairs("--param", self.param)
        accuracy = pairs("--accuracy", self.accuracy)
        search(self.workspace)
        from geomon import workspace
        from geomon.pipeline import plan
        from geomon.sources.catalog import Catalog

        return plan(
            self.code,
            self.areas(),
            self.period[0] if len(self.period) == 1 else self.period,
            catalog=Catalog.open(*self.catalog, *workspace.catalogs()) if self.catalog else None,
            use=use,
            params=params,
            store=self.store,
            official=self.official,
            accuracy=accuracy,
            block=self.block,
        )

    def areas(self) -> Any:
        """The zones as they were asked for."""
        from geomon.zones import Zones

        zones = Zones.read(
            self.zones,
            code=self.code_column,
            name=self.name_column,
            parent=self.parent_column or None,
            layer=self.layer,
            crs=self.crs,
            dissolve=self.dissolve,
        )
        return zones.select(self.select) if self.select else zones


def asks(command: Callable[..., None]) -> Callable[..., None]:
    """A command with the fields of a Question as its options, before its own; its first argument is the Question."""

    def asked(**given: Any) -> None:
        question = Question(**{f.name: given.pop(f.name) for f in fields(Question)})
        command(question, **given)

    own = [p.replace(kind=p.KEYWORD_ONLY) for p in list(inspect.signature(command).parameters.values())[1:]]
    asked.__name__, asked.__doc__ = command.__name__, command.__doc__
    asked.__signature__ = inspect.Signature([*map(parameter, fields(Question)), *own])  # type: ignore[attr-defined]
    asked.__annotations__ = {}
    return asked


def parameter(of: Any) -> inspect.Parameter:
    """A field as a parameter of a command."""
    default = of.default_factory() if of.default_factory is not MISSING else of.default
    default = inspect.Parameter.empty if default is MISSING else default
    return inspect.Parameter(of.name, inspect.Parameter.KEYWORD_ONLY, default=default, annotation=of.type)


def pairs(option: str, given: Sequence[str]) -> dict[str, str]:
    """NAME=VALUE as a mapping; wrong usage if one is not of that form."""
    for text in given:
        if not all(text.partition("=")):
            raise typer.BadParameter(f"{text!r} is not NAME=VALUE.", param_hint=option)
    return {name: value for name, _, value in (text.partition("=") for text in given)}


def search(folders: Sequence[Path]) -> None:
    """Search these workspace folders before those of the environment."""
    from geomon import workspace

    if folders:
        before = [part for part in os.environ.get(workspace.VARIABLE, "").split(os.pathsep) if part]
        workspace.use(*folders, *before)
