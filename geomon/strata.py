"""Reference samples of a run's sources: read, put into the codes of their legends, and what they can speak of.

Which classes a quantity counts is found by running the measure on a few pixels that hold every class of the source
beside every other, all other sources held fixed.
"""

import functools
import itertools
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
import pandas as pd
import xarray as xr

from geomon.errors import CatalogError, InputError, did_you_mean, listing
from geomon.identity import digest
from geomon.indicator import Indicator, Shapes, Source, address, optional
from geomon.period import Period
from geomon.pixels import SEEN, Quantity, area
from geomon.resolve import Found
from geomon.sources.records import ErrorMatrix, Legend
from geomon.supply import ONE_DATE, Setting, Supply, ask, marks, with_sight
from geomon.tabulate import Ready, prepare
from geomon.texts import say
from geomon.uncertainty import Errors, Mark, Sample, classes_of, code_of

Edges: TypeAlias = tuple[pd.Timestamp, pd.Timestamp]
REST = "other"
FACTS = ("map_class", "ref_area", "time_period", "mapped_area", "source")
"""Columns of a file of counts that are no reference class."""


def errors_of(
    indicator: Indicator,
    found: Found,
    setting: Setting,
    periods: Sequence[Period],
    given: Mapping[str, Any],
    zones: Sequence[str],
) -> tuple[Errors, ...]:
    """What is known of the errors of each source, from the run's own samples and after them from its collection.

    `given` holds an ErrorMatrix, several, or a file of counts by the name of a source; InputError for one that fits
    neither the definition, nor the legend, nor the zones (their codes).
    """
    for name in given:
        if name not in indicator.sources:
            raise InputError(
                f"{indicator.code} has no source {name!r} that a reference sample could be of; it has "
                f"{listing(indicator.sources)}.{did_you_mean(name, indicator.sources)}"
            )
    made = []
    for name, node in indicator.sources.items():
        matrices = samples_in(given[name]) if name in given else []
        if strange := {m.ref_area for m in matrices if m.ref_area} - set(zones):
            raise InputError(
                f"The reference sample of {name} was drawn in {listing(strange)}, and the zones of this run are "
                f"{listing(zones)}. Write their codes into ref_area, or leave it empty for a sample of the product."
            )
        if isinstance(node, Source) and node.collection in found.collections:
            collection = found.collections[node.collection]
            band = node.band or collection.main
            matrices += [m for m in collection.accuracy if (m.band or collection.main) == band]
        if matrices:
            made.append(known_errors(indicator, name, setting, periods, matrices))
    return tuple(made)


def samples_in(given: Any) -> list[ErrorMatrix]:
    """Error matrices as they were handed in, or from a file."""
    if isinstance(given, ErrorMatrix):
        return [given]
    if isinstance(given, str | Path):
        return read_samples(given)
    if not isinstance(given, list | tuple) or not all(isinstance(m, ErrorMatrix) for m in given):
        raise InputError(f"A reference sample is a file of counts or an ErrorMatrix, not a {type(given).__name__}.")
    return list(given)


def read_samples(file: str | Path) -> list[ErrorMatrix]:
    """Error matrices from a CSV file: a row for each map class, a column of counts for each reference class.

    `map_class` names the row; `ref_area` and `time_period`, where they are given, the zone and period that the sample
    was drawn in, with a matrix for each; `mapped_area` the area of the class there; `source` who counted.
    """
    try:
        table = pd.read_csv(file, dtype=str, keep_default_na=False)
    except (OSError, ValueError) as error:
        raise InputError(f"{file} cannot be read as a table of counts: {error}. Give a CSV file.") from error
    reference = [c for c in table.columns if c not in FACTS]
    if "map_class" not in table or not reference or table.empty:
        raise InputError(
            f"{file} has the columns {listing(table.columns)} and {len(table)} rows. A reference sample needs "
            "'map_class', a column of counts for each reference class, and a row for each map class."
        )
    counts = table[reference].apply(pd.to_numeric, errors="coerce")
    if wrong := list(counts.columns[(counts.isna() | (counts < 0) | (counts % 1 != 0)).any()]):
        raise InputError(
            f"{file} holds what is no count of samples in {listing(wrong)}. Give whole numbers, 0 where there is none; "
            f"a column of anything but counts is one of {listing(FACTS)}."
        )
    facts = table.reindex(columns=list(FACTS), fill_value="")
    places = list(zip(facts.ref_area, facts.time_period, strict=True))
    rows = {place: [p == place for p in places] for place in places}
    return [one_matrix(Path(file), facts[own], counts[own], place) for place, own in rows.items()]


def one_matrix(file: Path, facts: pd.DataFrame, counts: pd.DataFrame, place: tuple[str, str]) -> ErrorMatrix:
    """The matrix of one area and period; InputError for a class twice or areas of some classes only."""
    twice = facts.map_class[facts.map_class.duplicated()]
    mapped = pd.to_numeric(facts.mapped_area, errors="coerce")
    if len(twice) or (mapped.isna().any() and (facts.mapped_area != "").any()):
        what = f"{twice.iloc[0]!r} twice" if len(twice) else "mapped areas of some classes only, as numbers,"
        raise InputError(f"{file} has {what} for {place[0] or 'the product'}. Give each map class one row, filled in.")
    return ErrorMatrix(
        rows=tuple(facts.map_class),
        columns=tuple(str(c) for c in counts.columns),
        counts=tuple(tuple(int(n) for n in line) for line in counts.to_numpy()),
        ref_area=str(place[0]),
        period=Period.of(place[1]).label if place[1] else "",
        mapped=() if mapped.isna().any() else tuple(mapped),
        source=", ".join(dict.fromkeys(s for s in facts.source if s)) or file.name,
    )


def known_errors(
    indicator: Indicator, name: str, setting: Setting, periods: Sequence[Period], matrices: Sequence[ErrorMatrix]
) -> Errors:
    """What samples of one source say, and of which quantities."""
    node = indicator.sources[name]
    known = setting.known.get(address(node)) if isinstance(node, Source) else None
    if known is None or node.window not in ONE_DATE or known.band.legend is None:
        why = {"": say("errors.layer", source=name)}
        return Errors(source=name, product=name, samples=(), marks={}, why=why)
    where = f"The reference sample of {name}"
    samples = tuple(coded(m, known.band.legend, f"{where} ({known.collection})") for m in matrices)
    counted, why = probe(indicator, name, setting, periods, known.band.legend)
    return Errors(source=name, product=known.collection, samples=samples, marks=counted, why=why)


def coded(matrix: ErrorMatrix, legend: Legend, where: str) -> Sample:
    """A matrix in the codes of the legend; InputError for one that is none, or whose classes are not those."""
    refuse(matrix, where)
    rows, columns = (codes(names, legend, where) for names in (matrix.rows, matrix.columns))
    if lost := {c for own in rows for c in own} - {c for own in columns for c in own}:
        raise InputError(
            f"{where} has the codes {sorted(lost)} among its map classes and not among its reference classes, so what "
            f"was found to be of these is not counted. Add a column for them, or {REST!r} for all the others."
        )
    return Sample(
        rows=rows,
        columns=columns,
        counts=matrix.counts,
        ref_area=matrix.ref_area,
        period=Period.of(matrix.period).label if matrix.period else "",
        mapped=matrix.mapped,
        source=matrix.source,
    )


def refuse(matrix: ErrorMatrix, where: str) -> None:
    """InputError for what is no table of counts, or areas that are none."""
    shape = (len(matrix.rows), len(matrix.columns))
    if len(matrix.counts) != shape[0] or any(len(line) != shape[1] for line in matrix.counts):
        raise InputError(f"{where} has {shape[0]} map and {shape[1]} reference classes. Give a count for each pair.")
    if any(n < 0 or n % 1 != 0 for line in matrix.counts for n in line):
        raise InputError(f"{where} holds what is no count of samples. Give whole numbers, 0 where there is none.")
    mapped = np.array(matrix.mapped, float)
    if mapped.size and (mapped.size != shape[0] or not (mapped >= 0).all() or not 0 < mapped.sum() < np.inf):
        raise InputError(
            f"{where} has the mapped areas {', '.join(f'{a:g}' for a in mapped)} for {shape[0]} map classes. Give the "
            "area of each, in any one unit, or none at all."
        )


def codes(names: Sequence[str], legend: Legend, where: str) -> tuple[tuple[int, ...], ...]:
    """The codes of each class; a number is a code, 'other' all that no other class has."""
    numbers = {str(c): (c,) for c in legend.codes}
    try:
        made = {n: numbers.get(n) or (() if rest(n, legend) else legend.group(n, where)) for n in names}
    except CatalogError as error:
        raise InputError(f"{error} A class is a group, a name or a code, and {REST!r} is all the others.") from error
    named = [code for own in made.values() for code in own]
    if len(set(named)) < len(named) or len(made) < len(names):
        double = sorted({c for c in named if named.count(c) > 1})
        raise InputError(f"{where} has the codes {double or list(names)} in two classes. Give each code one class.")
    others = tuple(sorted(set(legend.codes) - set(legend.missing) - set(named)))
    return tuple(made[n] or others for n in names)


def rest(name: str, legend: Legend) -> bool:
    """Whether a name means all that no other class has."""
    return name == REST and REST not in legend.groups


def probe(
    indicator: Indicator, name: str, setting: Setting, periods: Sequence[Period], legend: Legend
) -> tuple[dict[str, Mark], dict[str, str]]:
    """Which classes of a source each quantity counts, and why that cannot be told of the others ('': of all)."""
    given = on_strip(indicator, name, setting, periods, neighbours(sorted(set(legend.codes) - set(legend.missing))))
    if isinstance(given, str):
        return {}, {"": given}
    shape = given[name].shape
    try:
        made = ask(indicator.measure, given, setting.params)
        ready = {q: prepare(q, x, given, shape, made) for q, x in made.items()}
    except Exception as error:  # the author's code met what no map shows it
        return {}, {"": say("errors.probe", source=name, error=f"{type(error).__name__}: {error}")}
    found: dict[str, Mark] = {}
    why: dict[str, str] = {}
    for quantity, own in ready.items():
        mark = marked(own, given[name].values)
        if own.kind != "area":
            why[quantity] = say("errors.kind", quantity=quantity, kind=own.kind)
        elif not (own.seen == 1).all() or origins(made[quantity], given) != {name}:
            why[quantity] = say("errors.several", quantity=quantity, source=name)
        elif mark is None:
            why[quantity] = say("errors.pixelwise", quantity=quantity, source=name)
        else:
            found[quantity] = mark
    return found, why


def neighbours(codes: Sequence[int]) -> Any:
    """Pixels in which each code stands beside each, itself too; a measure that looks around betrays itself there."""
    first, second = np.meshgrid(codes, codes, indexing="ij")
    return np.stack([first, second], axis=-1).reshape(len(codes), -1).astype(float)


def on_strip(
    indicator: Indicator, name: str, setting: Setting, periods: Sequence[Period], codes: Any
) -> dict[str, Any] | str:
    """The arguments of the measure with these classes in one and all others held fixed; or why that cannot be."""
    supply = Supply(setting)
    given: dict[str, Any] = {}
    for argument, node in indicator.sources.items():
        known = setting.known.get(address(node)) if isinstance(node, Source) else None
        if argument == name and known:
            given[argument] = strip(codes, argument, known.attrs)
        elif all(supply.absent(node, p) for p in periods) and optional(indicator.measure, argument):
            given[argument] = None
        elif known and isinstance(node, Source):
            first = min(known.band.legend.codes) if known.band.legend else 0
            shape = codes.shape if node.window in ONE_DATE else (1, *codes.shape)
            given[argument] = strip(np.full(shape, float(first)), argument, known.attrs)
        elif isinstance(node, Shapes):
            given[argument] = strip(np.zeros(codes.shape), argument, {})
        else:
            return say("errors.needs", other=argument)
    return given


def marked(own: Ready, codes: Any) -> Mark | None:
    """What a quantity takes of each code, or None if that is not the same wherever the code stands."""
    shares: dict[int, float] = {}
    keys: dict[int, dict[str, float]] = {}
    for code in np.unique(codes):
        here = codes == code
        taken = {n: np.unique(x[here]) for n, x in {"": own.value, **own.keys}.items()}
        if any(len(v) > 1 for v in taken.values()):
            return None
        shares[int(code)] = float(taken.pop("")[0])
        keys[int(code)] = {n: float(v[0]) for n, v in taken.items()}
    return Mark(shares, keys)


def origins(quantity: Any, given: Mapping[str, Any]) -> set[str]:
    """The arguments that a quantity was made from; all of them, if it no longer says."""
    arrays = [quantity.value, *quantity.keys.values()] if isinstance(quantity, Quantity) else [quantity]
    found = {n.removeprefix(SEEN) for a in arrays for n in marks(a)}
    return found or {n for n, x in given.items() if x is not None}


def strip(values: Any, name: str, attrs: Mapping[str, Any]) -> xr.DataArray:
    """Pixels side by side, all of them seen."""
    shape = values.shape[-2:]
    at = {"y": np.arange(float(shape[0])), "x": np.arange(float(shape[1]))}
    x = xr.DataArray(values, dims=("time", "y", "x")[-values.ndim :], coords=at, attrs=dict(attrs))
    return with_sight(x, np.ones(shape), name)


class WithClasses:
    """A measure that also keeps the ground of each class of some sources apart, for those are the strata of samples."""

    def __init__(self, measure: Callable[..., Any], sources: Sequence[str]) -> None:
        functools.update_wrapper(self, measure)
        self.measure, self.sources = measure, tuple(sources)

    def __call__(self, **given: Any) -> Any:
        made = self.measure(**given)
        if not isinstance(made, dict):
            return made
        own = {n: given[n] for n in self.sources if given[n] is not None}
        return {**made, **{classes_of(n): area(x.notnull()).by(**{code_of(n): x}) for n, x in own.items()}}


def with_classes(indicator: Indicator, errors: Sequence[Errors]) -> Indicator:
    """The definition as its blocks are measured for these samples."""
    sources = [e.source for e in errors if e.marks]
    return replace(indicator, measure=WithClasses(indicator.measure, sources)) if sources else indicator


def with_accuracy(
    recipe: Mapping[str, Any], errors: Sequence[Errors], given: Mapping[str, Any], periods: Sequence[Period]
) -> Mapping[str, Any]:
    """The recipe with the samples that it used; what was handed in is a part of the question.

    Where the values of an area are adjusted in one period and counted in the next, its series has a break.
    """
    if not errors:
        return recipe
    samples = [{"source": e.source, "product": e.product, "samples": [asdict(s) for s in e.samples]} for e in errors]
    key = digest(samples)[:16]
    question = digest([recipe["question"], key])[:16] if given else recipe["question"]
    return {
        **recipe,
        "question": question,
        "accuracy": {"digest": key, "samples": samples},
        "breaks": [*recipe["breaks"], *turns(errors, periods)],
        "run": digest([recipe["run"], key])[:16],
    }


def turns(errors: Sequence[Errors], periods: Sequence[Period]) -> list[list[str]]:
    """Where areas go from adjusted values to counted ones or back, as breaks: date and why."""
    found: dict[str, str] = {}
    for place, sampled in sorted(sampled_periods(errors).items()):
        for early, late in itertools.pairwise(periods):
            if (edges(early) in sampled) != (edges(late) in sampled):
                one, other = (early, late) if edges(early) in sampled else (late, early)
                why = say("break.sample", area=place, sampled=one.label, counted=other.label)
                found.setdefault(late.start.strftime("%Y-%m-%d"), why)
    return [[date, why] for date, why in sorted(found.items())]


def sampled_periods(errors: Sequence[Errors]) -> dict[str, set[Edges]]:
    """First and last moments of the periods of each area that have a reference sample of their own."""
    found: dict[str, set[Edges]] = defaultdict(set)
    for sample in (s for e in errors if e.marks for s in e.samples if s.ref_area and s.period):
        found[sample.ref_area].add(edges(Period.of(sample.period)))
    return found


def edges(period: Period) -> Edges:
    """Its first and last moment, however it is written."""
    return period.start, period.end
