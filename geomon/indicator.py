"""The records that a definition is made of."""

import functools
import hashlib
import inspect
import math
import string
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, fields, is_dataclass
from pathlib import Path
from types import CodeType, FunctionType
from typing import Any

from geomon.errors import DefinitionError, did_you_mean, listing
from geomon.period import Period

PLAIN = (bool, int, float, complex, str, bytes, tuple, list, dict, type(None))
WINDOWS = ("first", "last", "closest", "period", "span")
ALLOWED = ("nation", "area", "drift_nation", "drift_area")
THEMES = ("people", "households", "plots", "sensitive")


@dataclass(frozen=True)
class Source:
    """Pixels that an indicator reads: one band of one STAC collection, ours or a run's ('runs/15.1.1')."""

    collection: str
    band: str = ""
    """Empty: the collection's main band."""
    window: str | None = None
    """None: the one date of the period. 'first', 'last': that date of it; 'closest': the date nearest to it.
    These give no time axis. 'period', 'span', '16Y' (ending with the period) and '-60D' (ending where it
    starts) give one, for kernels that expect NaN."""
    period: str | None = None
    """Pins the period, whatever the run asks for."""

    def __post_init__(self) -> None:
        check_window(self.collection, self.window)
        if self.period:
            Period.of(self.period)


@dataclass(frozen=True)
class Shapes:
    """Vector features as pixels: the share of each pixel covered, a code at its centre, or metres of line by zone."""

    collection: str
    as_: str = "cover"
    """'cover', 'code' (of `field`, at the centre of the pixel) or 'length' (only in `sums`)."""
    where: tuple[tuple[str, tuple[Any, ...]], ...] = ()
    """Fields and the values wanted."""
    within: float = 0.0
    """Metres around the features; overlaps count once."""
    field: str = ""
    extent: str = ""
    """Collection of polygons that were looked at: outside them is unseen. Without it, no feature means none there."""

    def __post_init__(self) -> None:
        if self.as_ not in ("cover", "code", "length"):
            raise DefinitionError(f"Shapes of {self.collection} as {self.as_!r}: say 'cover', 'code' or 'length'.")
        if self.as_ == "code" and not self.field:
            raise DefinitionError(f"Shapes of {self.collection} as codes need field=, the field that holds them.")


@dataclass(frozen=True)
class Given:
    """A place that each run fills with a Source or Shapes."""

    what: str
    """What to hand in, for the person who must."""


@dataclass(frozen=True)
class Layer:
    """Pixels made from other sources, wherever a source may stand; unseen where its kernel gives NaN."""

    kernel: Callable[..., Any]
    sources: Mapping[str, Any]
    grid: str = ""
    """The source whose pixels it is made on; the first if empty."""
    kind: str = "class"
    margin: str = "0 px"
    """Pixels ('1 px') or metres ('7000 m') that the kernel needs around a block; cut off after it."""
    over: str = "block"
    """'country': one array over the whole country, made before the blocks."""
    period: str | None = None

    def __post_init__(self) -> None:
        check_kind(self.kernel.__name__, self.kind)
        check_arguments(self.kernel.__name__, self.kernel, self.sources)
        check_sources(self.kernel.__name__, self.sources, self.grid)
        if self.over not in ("block", "country"):
            raise DefinitionError(f"{self.kernel.__name__} is made over {self.over!r}: say 'block' or 'country'.")
        number, _, unit = self.margin.partition(" ")
        if unit not in ("px", "m") or not number.replace(".", "", 1).isdigit():
            raise DefinitionError(f"{self.kernel.__name__} has the margin {self.margin!r}: write '1 px' or '7000 m'.")


@dataclass(frozen=True)
class Survey:
    """A table that kernels look up, made from totals over the whole country before the blocks."""

    measure: Callable[..., Any]
    value: Callable[..., Any]
    sources: Mapping[str, Any]
    grid: str = ""

    def __post_init__(self) -> None:
        check_measure(self.measure.__name__, self.measure)
        check_arguments(self.measure.__name__, self.measure, self.sources)
        check_sources(self.measure.__name__, self.sources, self.grid)


@dataclass(frozen=True)
class Official:
    """The official series beside an output, and how near is near enough."""

    series: str
    tolerance: float
    """Difference that counts as equal, in the output's unit, or as a share of the official value if `relative`."""
    relative: bool = False
    definition: str = ""
    """What the official series counts, in a phrase."""
    differs: str = ""
    """How ours differs from that, in a sentence; empty if both count the same."""
    numerator: str = ""
    """Official series that the share is made of, where they are published: part and whole."""
    denominator: str = ""
    fraction: bool = False
    """The values are parts of a whole, and cannot be larger than it."""
    proxy: bool = False
    """The satellite measures something else in another unit, set to one scale by a fitted line."""
    allowance: Mapping[str, float] = field(default_factory=dict)
    """How far honest sides differ, in tolerances, where that is known better than usual: `nation` and `area` (what is
    constant), `drift_nation` and `drift_area` (a decade)."""

    def __post_init__(self) -> None:
        unknown = set(self.allowance) - set(ALLOWED)
        if unknown or any(not size >= 0 for size in self.allowance.values()):
            raise DefinitionError(
                f"{self.series}: the allowance {dict(self.allowance)} must name some of {listing(ALLOWED)}, each in "
                "tolerances and not below 0."
            )


@dataclass(frozen=True)
class Output:
    """One published series: what the totals mean, and in which unit."""

    value: Callable[..., Any]
    unit: str
    """'percent', 'km2', ...; '{radiance} km2' takes the unit of the source `radiance`."""
    title: str = ""
    official: Official | None = None
    desired: str = ""
    """'up' or 'down': the direction that is progress."""
    target: float | None = None
    """What is to be reached, in the unit of the output; None: any movement in the desired direction is progress."""
    target_year: int = 2030
    target_source: str = ""
    """Who set the target, and where it is written."""

    def __post_init__(self) -> None:
        if not hasattr(self.value, "uses") and "totals" not in arguments(self.value):
            raise DefinitionError(
                f"{getattr(self.value, '__name__', self.value)} reads an output and takes "
                f"{listing(arguments(self.value))}: name its first argument 'totals'."
            )
        if self.desired not in ("", "up", "down"):
            raise DefinitionError(f"desired={self.desired!r} of an output must be 'up', 'down' or empty.")
        if self.target is not None and not (math.isfinite(self.target) and self.desired and self.target_source):
            raise DefinitionError(
                f"The target {self.target:g} of an output needs to be a number, desired='up' or 'down', and a "
                "target_source that says who set it."
            )


@dataclass(frozen=True)
class Choice:
    """A named alternative of the method; the first is the default."""

    options: tuple[str, ...]
    why: str = ""


@dataclass(frozen=True, kw_only=True)
class Indicator:
    """Quantities that pixels contribute, and the series their totals mean."""

    code: str
    title: str
    freq: str = "A"
    """'A' years, 'M' months, 'D' days; '' takes the span of the run as its one period."""
    sources: Mapping[str, Any]
    grid: str = ""
    """The source whose native pixels are the grid; it is never warped."""
    measure: Callable[..., Any]
    sums: Mapping[str, Any] = field(default_factory=dict)
    """Sources that are only added up, each on its own grid."""
    outputs: Mapping[str, Output]
    params: Mapping[str, Choice] = field(default_factory=dict)
    alternatives: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Source -> other products ('cgls-lc100', 'jrc-gsw:yearly') that could reasonably stand in its place."""
    map: str = ""
    """The quantity whose pixels are published as a map."""
    minimum_coverage: float = 0.8
    """Share of a zone that must have been seen for a value to be published."""
    objections: Mapping[str, str] = field(default_factory=dict)
    """What a doubting reader will ask, and the answer."""
    unseen: str = ""
    """Who and what the satellite does not see, in a sentence or two."""
    people: bool = False
    """It counts people: small counts are hidden wherever it is shown or exported. The same as protect='people'."""
    protect: str = ""
    """'people', 'households', 'plots', or 'sensitive' (displacement, ethnicity): whose small counts are hidden."""
    replaces: str = ""
    """Code of the definition of an earlier folder that this one takes the place of."""

    def __post_init__(self) -> None:
        check_measure(self.code, self.measure)
        check_arguments(self.code, self.measure, self.sources, self.params)
        if self.grid not in self.sources:
            raise DefinitionError(
                f"{self.code}: grid={self.grid!r} is none of its sources {listing(self.sources)}."
                f"{did_you_mean(self.grid, self.sources)}"
            )
        check_sources(self.code, self.sources, self.grid)
        if isinstance(self.sources[self.grid], Shapes | Survey):
            raise DefinitionError(
                f"{self.code}: the grid {self.grid!r} has no pixels of its own. Name a Source or Layer."
            )
        for name, node in self.sums.items():
            if not isinstance(node, Source) and not (isinstance(node, Shapes) and node.as_ == "length"):
                raise DefinitionError(
                    f"{self.code}: {name!r} in sums is added up as it is, which a Source and Shapes(as_='length') "
                    "can be. Measure anything else."
                )
        check_alternatives(self.code, self.alternatives, {**self.sources, **self.sums})
        if self.freq not in ("A", "M", "D", ""):
            raise DefinitionError(f"{self.code}: freq={self.freq!r} must be 'A', 'M', 'D' or ''.")
        if not self.outputs:
            raise DefinitionError(f"{self.code} has no outputs: add at least one Output.")
        for name, output in self.outputs.items():
            for _, place, _, _ in string.Formatter().parse(output.unit):
                if place is not None and place not in self.sources:
                    raise DefinitionError(
                        f"{self.code} {name}: its unit {output.unit!r} asks for the unit of {place!r}, which is "
                        f"none of its sources {listing(self.sources)}.{did_you_mean(place, self.sources)}"
                    )
        if not 0 <= self.minimum_coverage <= 1:
            raise DefinitionError(f"{self.code}: minimum_coverage={self.minimum_coverage} is not between 0 and 1.")
        if self.protect not in ("", *THEMES):
            raise DefinitionError(f"{self.code}: protect={self.protect!r} is none of {listing(THEMES)}, or empty.")

    @property
    def theme(self) -> str:
        """Who is protected; empty if it counts nobody. An output in people counts them, whatever the record says."""
        counts = self.people or any(output.unit == "people" for output in self.outputs.values())
        return self.protect or ("people" if counts else "")

    @property
    def note(self) -> str:
        """The method note: the docstring of the module that defines the measure."""
        return inspect.cleandoc(sys.modules[self.measure.__module__].__doc__ or self.measure.__doc__ or "")


def check_window(collection: str, window: str | None) -> None:
    """DefinitionError for a window that is none."""
    if window is None or window in WINDOWS:
        return
    number, unit = window[:-1], window[-1:]
    if unit in ("Y", "D") and number.lstrip("-").isdigit() and int(number) != 0:
        return
    raise DefinitionError(
        f"{collection} has the window {window!r}. Use one of {listing(WINDOWS)}, years or days such as '16Y', "
        "or what lies before the period such as '-60D'."
    )


def check_sources(name: str, sources: Mapping[str, Any], grid: str) -> None:
    """DefinitionError for lines among sources, which have no pixels, and for a grid that is none of them."""
    for argument, node in sources.items():
        if isinstance(node, Shapes) and node.as_ == "length":
            raise DefinitionError(f"{name}: lengths of {node.collection} belong into sums, not to {argument!r}.")
    if grid and grid not in sources:
        raise DefinitionError(
            f"{name}: grid={grid!r} is none of its sources {listing(sources)}.{did_you_mean(grid, sources)}"
        )


def check_alternatives(name: str, alternatives: Mapping[str, Any], sources: Mapping[str, Any]) -> None:
    """DefinitionError for alternatives of what is no source, and for such that are no tuple of products."""
    for source, products in alternatives.items():
        if source not in sources:
            raise DefinitionError(
                f"{name}: alternatives for {source!r}, which is none of its sources {listing(sources)}."
                f"{did_you_mean(source, sources)}"
            )
        if not isinstance(products, tuple) or not products or not all(isinstance(p, str) and p for p in products):
            raise DefinitionError(
                f"{name}: the alternatives of {source!r} are {products!r}. Write a tuple of products: ('cgls-lc100',)."
            )


def check_kind(name: str, kind: str) -> None:
    """DefinitionError for what is no kind of pixel."""
    if kind not in ("class", "amount", "rate"):
        raise DefinitionError(f"{name} gives pixels of kind {kind!r}. Say 'class', 'amount' or 'rate'.")


def check_measure(name: str, measure: Callable[..., Any]) -> None:
    """DefinitionError for a measure that takes packed dates, which only the kernel of a Layer can."""
    if getattr(measure, "packed", False):
        raise DefinitionError(f"{name}: a measure cannot be @packed. Make a Layer of its composite and measure that.")


def arguments(function: Callable[..., Any]) -> Mapping[str, inspect.Parameter]:
    """Parameters of a function by name."""
    return inspect.signature(function).parameters


def check_arguments(
    name: str,
    function: Callable[..., Any],
    sources: Mapping[str, Any],
    params: Mapping[str, Any] | None = None,
) -> None:
    """Positional arguments must be the sources, keyword-only ones must be params (unchecked where params is None)."""
    found = arguments(function)
    positional = {n for n, p in found.items() if p.kind is p.POSITIONAL_OR_KEYWORD}
    keyword = {n for n, p in found.items() if p.kind is p.KEYWORD_ONLY}
    where = getattr(function, "__name__", str(function))
    file = Path(getattr(sys.modules.get(function.__module__), "__file__", "") or "its module").name
    for given, what, wanted in (
        (positional, "sources", set(sources)),
        (keyword, "params", set(params or ())),
    ):
        if what == "params" and params is None:
            continue
        extra, missing = sorted(given - wanted), sorted(wanted - given) if what == "sources" else []
        if extra or missing:
            raise DefinitionError(
                f"{name}: {where} takes {listing(given)} but the record names the {what} {listing(wanted)}. "
                f"Add {listing([*extra, *missing])} where it is missing, in {file}."
            )


def optional(function: Callable[..., Any], name: str) -> bool:
    """A source is optional if its argument has a default."""
    return arguments(function)[name].default is not inspect.Parameter.empty


def below(node: Any) -> Iterator[Any]:
    """The node and all that it is made from, parents first."""
    yield node
    for source in (*getattr(node, "sources", {}).values(), *getattr(node, "sums", {}).values()):
        yield from below(source)


def kernels(node: Any) -> Iterator[Callable[..., Any]]:
    """Every function that a definition runs."""
    for part in below(node):
        for name in ("measure", "kernel", "value"):
            function = getattr(part, name, None)
            if function is not None:
                yield function
    for output in getattr(node, "outputs", {}).values():
        yield output.value


def address(node: Any) -> str:
    """The same text for the same question in every process."""
    if inspect.isfunction(node):
        held = [c.cell_contents for c in node.__closure__ or ()]
        return f"{node.__module__}.{node.__qualname__}" + (f"[{','.join(map(address, held))}]" if held else "")
    if isinstance(node, functools.partial):
        return f"partial{address((node.func, node.args, node.keywords))}"
    if isinstance(node, Mapping):
        return "{" + ",".join(f"{k}={address(v)}" for k, v in sorted(node.items())) + "}"
    if isinstance(node, tuple | list):
        return "(" + ",".join(map(address, node)) + ")"
    if is_dataclass(node):
        return type(node).__name__ + address({f.name: getattr(node, f.name) for f in fields(node)})
    return type(node).__qualname__ + address(vars(node)) if callable(node) else repr(node)


def code_of(function: Callable[..., Any]) -> str:
    """SHA-256 of what a function comes from: its whole module, so that a changed constant counts.

    Of a function without a file (a notebook): its code, and the plain values that it reads from around it.
    """
    if isinstance(function, functools.partial):
        return code_of(function.func)
    if not inspect.isfunction(function):
        return code_of(type(function).__call__)
    file = getattr(sys.modules.get(function.__module__), "__file__", None)
    if file and Path(file).is_file():
        return hashlib.sha256(Path(file).read_bytes()).hexdigest()
    return hashlib.sha256(repr(around(function)).encode()).hexdigest()


def around(function: FunctionType, met: tuple[Any, ...] = ()) -> tuple[Any, ...]:
    """The code of a function without a file, the plain values that it reads, and the functions that it calls."""
    code, known = function.__code__, inspect.getclosurevars(function).nonlocals
    read = {n: function.__globals__[n] for n in names_in(code) if n in function.__globals__} | dict(known)
    plain = {n: v for n, v in sorted(read.items()) if isinstance(v, PLAIN)}
    met = (*met, function)
    called = [v for _, v in sorted(read.items()) if inspect.isfunction(v) and v not in met]
    return spelled(code), plain, [around(f, met) if f.__module__ == function.__module__ else code_of(f) for f in called]


def names_in(code: CodeType) -> set[str]:
    """The names that compiled code reads, nested functions too."""
    return set(code.co_names).union(*(names_in(c) for c in code.co_consts if isinstance(c, CodeType)))


def spelled(code: CodeType) -> tuple[Any, ...]:
    """Compiled code without addresses of memory and the order of sets, nested functions too."""
    constants = tuple(
        spelled(c) if isinstance(c, CodeType) else repr(sorted(map(repr, c)) if isinstance(c, frozenset) else c)
        for c in code.co_consts
    )
    return code.co_code.hex(), code.co_names, constants
