"""Where a method could reasonably have gone another way, and the specifications that follow from it."""

import hashlib
import itertools
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from geomon.errors import GeomonError, InputError, did_you_mean, listing
from geomon.indicator import Given, Indicator, Layer, Source, Survey, arguments, below
from geomon.period import Period
from geomon.texts import say

FEWEST = 8  # periods of a trend
TRIMMED = 5  # a fifth of the periods is left out at either end
MOST = 64  # specifications
YEARS, ZONES = "years", "zones"


@dataclass(frozen=True, kw_only=True)
class Fork:
    """One choice with its reasonable options."""

    name: str
    kind: str
    """'choice' of the method, 'product' for a source, 'years' that trend and verdict rest on, or 'zones'."""
    options: tuple[str, ...]
    default: str
    why: str = ""


@dataclass(frozen=True, kw_only=True)
class Specification:
    """One way through all forks."""

    number: int
    """From 1; the default is the first."""
    choices: Mapping[str, str]
    default: bool = False


@dataclass(frozen=True)
class Choosing:
    """What the forks of a question are made from."""

    indicator: Indicator
    periods: Sequence[Period]
    zones: Sequence[str]
    """Names of the boundary sets, the default first."""
    vary: Mapping[str, Sequence[str]] = field(default_factory=dict)
    """Choice -> the options to try, in the place of all that are declared; 'years' -> spans."""
    use: Mapping[str, Sequence[str]] = field(default_factory=dict)
    """Source -> the products to try, in the place of its own and its declared alternatives."""

    def forks(self) -> tuple[Fork, ...]:
        """Every fork, also those with one option; InputError for what the definition does not have."""
        known = (*self.indicator.params, YEARS)
        for given, names, what in (
            (self.vary, known, "choice"),
            (self.use, {**self.indicator.sources, **self.indicator.sums}, "source"),
        ):
            for name, options in given.items():
                if name not in names:
                    raise InputError(
                        f"{self.indicator.code} has no {what} {name!r}; it has {listing(names)}."
                        f"{did_you_mean(name, names)}"
                    )
                if not options or len(set(options)) != len(options):
                    raise InputError(f"{name} is to be tried as {listing(options)}. Name each option once.")
        return (*self.methods(), *self.products(), *self.places(), self.spans())

    def methods(self) -> Iterator[Fork]:
        """Declared choices of the method."""
        for name, choice in self.indicator.params.items():
            wanted = tuple(self.vary.get(name) or choice.options)
            for option in wanted:
                if option not in choice.options:
                    raise InputError(
                        f"{name}={option!r} is none of {listing(choice.options)}, the reasonable choices that "
                        f"{self.indicator.code} declares.{did_you_mean(option, choice.options)}"
                    )
            yield fork(name, "choice", wanted, choice.options[0], choice.why)

    def products(self) -> Iterator[Fork]:
        """Products that could stand in the place of a source."""
        for name, node in {**self.indicator.sources, **self.indicator.sums}.items():
            own, other = product_of(node), self.indicator.alternatives.get(name, ())
            wanted = tuple(self.use.get(name) or (*filter(None, (own,)), *other))
            if name in self.use or other:
                yield fork(name, "product", wanted, own, say("robust.why.product"))

    def places(self) -> Iterator[Fork]:
        """Boundary sets."""
        yield fork(ZONES, "zones", tuple(self.zones), self.zones[0], say("robust.why.zones"))

    def spans(self) -> Fork:
        """Which periods trend and verdict rest on: all, without the first fifth, without the last, if enough remain."""
        labels = [p.label for p in self.periods]
        every = between(labels)
        if YEARS in self.vary:
            wanted = tuple(self.vary[YEARS])
            for option in wanted:
                if not any(Period.of(option).holds(p) for p in self.periods):
                    raise InputError(f"{YEARS}={option} holds none of the periods {every}. Name a span inside them.")
        else:
            cut = len(labels) // TRIMMED
            enough = cut and len(labels) - cut >= FEWEST
            wanted = (every, *((between(labels[cut:]), between(labels[:-cut])) if enough else ()))
        return fork(YEARS, "years", wanted, every, say("robust.why.years"))


def fork(name: str, kind: str, options: tuple[str, ...], default: str, why: str) -> Fork:
    """A fork whose default is the definition's, or the first option if that is not to be tried."""
    return Fork(name=name, kind=kind, options=options, default=default if default in options else options[0], why=why)


def product_of(node: Any) -> str:
    """The product behind a source as --use would name it; '' for what each run has to be given."""
    if isinstance(node, Given | Survey):
        return ""
    first = next((n for n in below(node) if isinstance(n, Source)), None)
    if first is None or (isinstance(node, Layer) and len(node.sources) > 1):
        return ""
    return f"{first.collection}:{first.band}" if first.band else first.collection


def between(labels: Sequence[str]) -> str:
    """The span of some periods."""
    return labels[0] if len(labels) == 1 else f"{labels[0]}/{labels[-1]}"


def within_reach(
    forks: Sequence[Fork], use: Mapping[str, Sequence[str]], catalog: Any
) -> tuple[tuple[Fork, ...], tuple[str, ...]]:
    """The forks without declared products that this machine was not told the place of, and a sentence on each.

    What was asked for by name in `use` stays, and fails.
    """
    from geomon.sources.catalog import Catalog

    known = catalog if catalog is not None else Catalog.open()
    kept, said = [], []
    for own in forks:
        asked = own.kind != "product" or own.name in use
        lost = {} if asked else {o: unset(known, o) for o in own.options if o != own.default}
        lost = {option: name for option, name in lost.items() if name}
        kept.append(replace(own, options=tuple(o for o in own.options if o not in lost)))
        for option, name in lost.items():
            said.append(say("robust.left", source=own.name, product=option, name=name, default=own.default))
    return tuple(kept), tuple(said)


def unset(catalog: Any, product: str) -> str:
    """The variable without which no item of a product is found; '' if there is a place to ask."""
    try:
        origins = catalog.collection(product.partition(":")[0]).origins
    except (GeomonError, AttributeError):  # tried, and told why not
        return ""
    names = [o.href.partition("${")[2].partition("}")[0] for o in origins]
    return names[0] if names and all(names) else ""


def specifications(forks: Sequence[Fork], most: int = MOST) -> tuple[tuple[Specification, ...], int]:
    """The full product of the forks, the default first, and how many there are.

    Beyond `most`: the default, every single departure from it, and of the rest those that come first in the order of
    a hash, which nobody can choose.
    """
    names = [f.name for f in forks]
    default = tuple(f.default for f in forks)
    possible = math.prod(len(f.options) for f in forks)
    if possible <= most:
        ways = sorted(itertools.product(*(f.options for f in forks)), key=lambda way: way != default)
    else:
        single = [
            (*default[:n], option, *default[n + 1 :])
            for n, f in enumerate(forks)
            for option in f.options
            if option != f.default
        ]
        ways = list(dict.fromkeys([default, *single]))[:most]
        if len(ways) < most:
            rest = set(itertools.islice(itertools.product(*(f.options for f in forks)), 100 * most)) - set(ways)
            ways += sorted(rest, key=lambda way: hashlib.sha256("|".join(way).encode()).digest())[: most - len(ways)]
    made = (
        Specification(number=n, choices=dict(zip(names, way, strict=True)), default=way == default)
        for n, way in enumerate(ways, 1)
    )
    return tuple(made), possible


def read_only(indicator: Indicator) -> set[str]:
    """Choices that only change how an output is read off the totals: no kernel that sees pixels names them."""
    inside = [getattr(n, name, None) for n in below(indicator) for name in ("measure", "kernel")]
    inside += [n.value for n in below(indicator) if isinstance(n, Survey)]
    named = {name for function in inside if function is not None for name in arguments(function)}
    return set(indicator.params) - named
