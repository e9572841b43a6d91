"""What a value is uncertain by: ground that nobody saw, and classes that the map confuses.

Errors of classification follow Olofsson et al. 2014 (Remote Sensing of Environment 148, 42-57), shares as a combined
ratio of two such estimates. A sample of the place gives a confidence interval and a better value than counted pixels;
a sample of the product at large gives a plausible range, which is none.
"""

import functools
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from geomon.period import Period
from geomon.stats.accuracy import FEWEST, score
from geomon.texts import say
from geomon.values import Component, Estimate, share, total

Floats = NDArray[np.float64]
LEVEL = 0.95
BOUNDED = ("bounds", "one_sided")


@dataclass(frozen=True, kw_only=True)
class Sample:
    """Counts of a reference sample in the codes of a legend: map classes, its strata, by reference classes."""

    rows: tuple[tuple[int, ...], ...]
    columns: tuple[tuple[int, ...], ...]
    counts: tuple[tuple[int, ...], ...]
    ref_area: str = ""
    """Zone that it was drawn in; empty: the product at large."""
    period: str = ""
    mapped: tuple[float, ...] = ()
    """Areas of the strata where it was drawn; empty: taken from the zone that it is applied to."""
    source: str = ""


@dataclass(frozen=True)
class Mark:
    """The share of a pixel that a quantity takes in each class of a source, by code, and the keys it has there."""

    share: Mapping[int, float]
    keys: Mapping[int, Mapping[str, float]]

    def taken(self, code: int, keys: Mapping[str, object]) -> float:
        """Its share of a pixel of this class, 0 where its keys are not these."""
        own = self.keys[code]
        fits = all(own.get(k) in (v if isinstance(v, tuple) else (v,)) for k, v in keys.items())
        return self.share[code] if fits else 0.0


@dataclass(frozen=True, kw_only=True)
class Errors:
    """What is known of the mistakes of one source, and which quantities are made of its classes alone."""

    source: str
    product: str
    samples: tuple[Sample, ...]
    marks: Mapping[str, Mark]
    why: Mapping[str, str]
    """Why nothing can be said of the other quantities; under '' of all of them."""

    @property
    def quantity(self) -> str:
        """The name under which totals hold the ground of each class of the source."""
        return classes_of(self.source)

    @property
    def key(self) -> str:
        """The axis of its codes."""
        return code_of(self.source)


def classes_of(source: str) -> str:
    """The quantity that holds the ground of each class of a source."""
    return f"classes of {source}"


def code_of(source: str) -> str:
    """Its key."""
    return f"code of {source}"


@dataclass(frozen=True)
class Ratio:
    """Part of a whole in several places (n,), each between 0 and 1."""

    value: Floats
    se: Floats
    """By the delta method; Olofsson's equation 10 where the whole is all ground."""
    lower: Floats
    upper: Floats


def ratio(counts: Floats, areas: Floats, part: Floats, whole: Floats, level: float = LEVEL) -> Ratio:
    """Error-adjusted share of what is `part` of a reference class in what is `whole` of it.

    `counts` (strata, classes) of a sample, `areas` (strata, n) as mapped in each place, `part` and `whole` (classes,)
    shares of a pixel, part never more than whole. Reference classes that both treat alike are one. The interval is
    Wilson's with the effective number of samples, as in `geomon.stats.accuracy`.
    """
    kinds, which = np.unique(np.stack([part, whole]), axis=1, return_inverse=True)
    y, x = kinds
    n = np.zeros((len(counts), len(y)))
    np.add.at(n.T, which.ravel(), counts.T)
    drawn = np.maximum(n.sum(axis=1), 1.0)[:, None]
    free = np.maximum(drawn - 1, 1)
    weight = areas / np.maximum(areas.sum(axis=0), 1e-300)

    def spread(cell: Floats) -> tuple[Floats, Floats]:
        """The ratio, and its variance stratum by stratum."""
        tops, bottoms = cell @ y, cell @ x
        held = (weight * bottoms[:, None]).sum(axis=0)
        with np.errstate(invalid="ignore", divide="ignore"):
            found = np.where(held > 0, (weight * tops[:, None]).sum(axis=0) / held, np.nan)
            apart = y[None, :, None] - found * x[None, :, None]
            squares = (cell[:, :, None] * apart**2).sum(axis=1)
            mean = tops[:, None] - found * bottoms[:, None]
            return found, (weight / held) ** 2 * np.maximum(squares - mean**2, 0.0) / free

    value, own = spread(n / drawn)
    likely, parts = spread((n + 1 / len(y)) / (drawn + 1))
    got = score(value, np.sqrt(own.sum(axis=0)), likely, parts, free, level)
    return Ratio(got.value, got.se, got.lower, got.upper)


def with_errors(
    word: object,
    got: Estimate,
    totals: xr.Dataset,
    classes: Mapping[str, xr.DataArray],
    errors: Sequence[Errors],
    above: Mapping[str, str],
) -> Estimate:
    """The estimate with what the map confuses, and with what that makes of its value and bounds.

    `classes` holds the ground of each code by zone and period under the name of its source, `above` the parent of each
    zone. Where a sample was drawn in the zone and period, its estimate is the value. Around the interval of the sample
    stand the bounds of unseen ground: no end is nearer than that of any component.
    """
    estimate = replace(got, components=(*unseen(got), *got.components))
    if not errors:
        return estimate
    why, known = made_of(word, got, errors)
    if known is None or not isinstance(word, share | total):
        return silent(estimate, why)
    value = got.value.transpose(*axes(got))
    places = [(str(z), str(p)) for z in value["zone"].values for p in value["period"].values]
    chosen = [choose(known.samples, *place, above, len(value["period"]) == 1) for place in places]
    for n, name in sorted(set(filter(None, chosen))):
        mask = np.array([c == (n, name) for c in chosen])
        estimate = adjusted(word, estimate, totals, classes[known.source], known, (known.samples[n], name), mask)
    nowhere = np.array([c is None for c in chosen])
    return silent(estimate, say("errors.nowhere", product=known.product), nowhere) if nowhere.any() else estimate


def axes(got: Estimate) -> list[str]:
    """The axes of an estimate, zone and period first."""
    return ["zone", "period", *(str(d) for d in got.value.dims if d not in ("zone", "period"))]


def unseen(got: Estimate) -> tuple[Component, ...]:
    """What ground that was not seen could hold."""
    if got.interval not in BOUNDED or got.lower is None:
        return ()
    upper = xr.full_like(got.value, math.nan) if got.upper is None else got.upper
    here = xr.ones_like(got.value, bool)
    basis = say(f"basis.unseen.{got.interval}")
    return (Component(name="unseen", lower=got.lower, upper=upper, basis=basis, here=here),)


def made_of(word: object, got: Estimate, errors: Sequence[Errors]) -> tuple[str, Errors | None]:
    """The one source that all its quantities are made of; or why there is none that anything is known of."""
    if not isinstance(word, share | total) or not {"zone", "period"} <= set(got.value.dims):
        return say("errors.word"), None
    known = next((e for e in errors if set(word.uses) <= set(e.marks)), None)
    if known:
        return "", known
    lost = [e.why.get(name, e.why.get("", "")) for e in errors for name in word.uses if name not in e.marks]
    return next(filter(None, lost), say("errors.other")), None


def silent(got: Estimate, why: str, mask: NDArray[np.bool_] | None = None) -> Estimate:
    """The estimate with the reason why nothing is said of the map's errors, everywhere or where the mask holds."""
    nothing = xr.full_like(got.value, math.nan, float)
    here = xr.ones_like(got.value, bool)
    if mask is not None:
        like = got.value.transpose(*axes(got))
        wide = mask.reshape(*like.shape[:2], *(1 for _ in like.shape[2:]))
        here = like.copy(data=np.broadcast_to(wide, like.shape))
    none = Component(name="confusion", lower=nothing, upper=nothing, basis=why, here=here)
    return replace(got, components=(*got.components, none))


def choose(
    samples: Sequence[Sample], zone: str, period: str, above: Mapping[str, str], alone: bool
) -> tuple[int, str] | None:
    """Which sample speaks of a zone and period, and as what: 'confusion' if it was drawn there, else 'model'."""
    found: list[tuple[int, int, str]] = []
    line = [zone]
    while above.get(line[-1]):
        line.append(above[line[-1]])
    asked = span(period)
    for n, sample in enumerate(samples):
        spoken = span(sample.period) if sample.period else asked
        if not spoken.holds(asked):
            continue
        if sample.ref_area == zone and (asked.holds(spoken) if sample.period else alone):
            found.append((-1, n, "confusion"))
        elif sample.ref_area in line:
            found.append((line.index(sample.ref_area), n, "model"))
        elif not sample.ref_area:
            found.append((len(line), n, "model"))
    return min(found)[1:] if found else None


@functools.cache
def span(label: str) -> Period:
    """The period of a label: asked for once a sample, zone, period and output."""
    return Period.of(label)


@dataclass(frozen=True)
class Drawn:
    """A sample beside the ground that it speaks of, in n places."""

    sample: Sample
    name: str
    """'confusion' where it was drawn, 'model' elsewhere."""
    counts: Floats
    """(strata, classes)"""
    areas: Floats
    """(strata, n)"""
    hidden: Floats
    """(n,) ground that was not seen."""
    told: NDArray[np.bool_]
    """(n,) where all mapped ground is in some stratum with enough samples."""


@dataclass(frozen=True)
class Around:
    """What a sample makes of an output in n places, and what unseen ground adds to that."""

    value: Floats
    se: Floats
    lower: Floats
    upper: Floats
    least: Floats
    """What unseen ground alone could make of the published value: this much,"""
    most: Floats
    """to this."""
    lowest: Floats
    """Both together: the outer bounds."""
    highest: Floats


def adjusted(
    word: share | total,
    got: Estimate,
    totals: xr.Dataset,
    classes: xr.DataArray,
    known: Errors,
    of: tuple[Sample, str],
    mask: NDArray[np.bool_],
) -> Estimate:
    """The estimate with one sample's component, and composed with it, where the mask holds (zone x period)."""
    order = axes(got)
    value = got.value.transpose(*order)
    hidden, seen = (
        totals[n].sel(quantity=word.name, drop=True).transpose("zone", "period").values.ravel()
        for n in ("unseen", "seen")
    )
    drawn = beside(classes, known.key, of, mask, hidden)
    made = {f.name: np.full(value.shape, np.nan) for f in fields(Around)}
    for place in np.ndindex(*value.shape[2:]):
        keys = {d: float(value[d].values[i]) for d, i in zip(order[2:], place, strict=True)}
        part, whole = weights(word, known, drawn.sample.columns, keys, totals)
        if part is None or whole is None:
            return silent(got, say("errors.mixed", product=known.product), mask)
        at = (slice(None), slice(None), *place)
        on = weights(word, known, drawn.sample.rows, keys, totals)[0]
        around = surround(isinstance(word, total), drawn, part, whole, on, value.values[at].ravel())
        for name, numbers in made.items():
            numbers[at] = np.where(drawn.told, getattr(around, name), np.nan).reshape(value.shape[:2])
    for key, there in (("errors.unseen", ~(seen > 0)), ("errors.strata", seen > 0)):
        if (mask & there & ~drawn.told).any():
            got = silent(got, say(key, product=known.product), mask & there & ~drawn.told)
    arrays = {name: value.copy(data=numbers) for name, numbers in made.items()}
    own = Component(
        name=drawn.name,
        **{name: arrays[name] for name in ("value", "se", "lower", "upper")},
        basis=basis(known, drawn),
        here=arrays["lower"].notnull(),
        level=LEVEL if drawn.name == "confusion" else math.nan,
    )
    return composed(got, own, arrays)


def beside(classes: xr.DataArray, key: str, of: tuple[Sample, str], mask: NDArray[np.bool_], hidden: Floats) -> Drawn:
    """A sample with the ground of its strata in each zone and period that it speaks of."""
    sample, name = of
    codes = [int(c) for c in classes[key].values]
    ground = np.nan_to_num(classes.transpose(key, "zone", "period").values).reshape(len(codes), -1)
    ground = np.where(mask, ground, 0.0)
    areas = np.array([ground[[c in row for c in codes]].sum(axis=0) for row in sample.rows])
    counts = np.array(sample.counts, float)
    few = ((areas > 0) & (counts.sum(axis=1) < FEWEST)[:, None]).any(axis=0)
    stray = ground[[not any(c in row for row in sample.rows) for c in codes]].sum(axis=0) > 0
    return Drawn(sample, name, counts, areas, hidden, mask & ~few & ~stray & (areas.sum(axis=0) > 0))


def composed(got: Estimate, own: Component, around: Mapping[str, xr.DataArray]) -> Estimate:
    """The estimate with a component added: its value if it was drawn here, and bounds within which all others lie."""
    first, *others = got.components
    if own.name == "confusion":
        got = replace(got, value=xr.where(own.here, around["value"], got.value))
        low, high = (xr.where(own.here, around[n], x) for n, x in (("least", first.lower), ("most", first.upper)))
        first = replace(first, lower=low, upper=high)
    low = xr.where(own.here, np.fmin(first.lower, around["lowest"]), got.lower)
    high = xr.where(own.here, np.fmax(first.upper, around["highest"]), got.upper)
    return replace(got, lower=low, upper=high, components=(first, *others, own))


def weights(
    word: share | total,
    known: Errors,
    columns: Sequence[tuple[int, ...]],
    keys: Mapping[str, float],
    totals: xr.Dataset,
) -> tuple[Floats | None, Floats | None]:
    """Shares of a pixel of each class that are part, and whole; None where the codes of a class are not alike."""
    part = alike(known.marks[word.name], columns, {**word.keys, **keys})
    if isinstance(word, total) or not word.of:
        return part, np.ones(len(columns))
    own = {k: v for k, v in keys.items() if word.of != word.name and k in totals[word.of].dims}
    return part, alike(known.marks[word.of], columns, own)


def alike(mark: Mark, columns: Sequence[tuple[int, ...]], keys: Mapping[str, object]) -> Floats | None:
    """What a quantity takes of each class, or None if that differs between codes of one class."""
    taken = [{mark.taken(code, keys) for code in codes} for codes in columns]
    return np.array([t.pop() for t in taken]) if all(len(t) == 1 for t in taken) else None


def surround(summed: bool, drawn: Drawn, part: Floats, whole: Floats, on: Floats | None, counted: Floats) -> Around:
    """What a sample says of one output, in its unit: an area if it is `summed`, else a percentage of the whole.

    A plausible range reaches from the adjusted interval to the `counted` pixels, and to what those would be with the
    product's errors of commission alone, or of omission; `on` is what is part of a map class.
    """
    ground = drawn.areas.sum(axis=0)
    got = ratio(drawn.counts, drawn.areas, part, whole)
    base = ratio(drawn.counts, drawn.areas, whole, np.ones_like(whole))
    value, low, high = got.value, got.lower, got.upper
    scale = ground if summed else np.full_like(ground, 100.0)
    with np.errstate(invalid="ignore", divide="ignore"):
        if drawn.name == "model":
            value = counted / scale
            ends = [value, *(() if on is None else reach(drawn, part, on, value))]
            low = np.fmin(low, np.fmin.reduce(ends))
            high = np.minimum(np.fmax(high, np.fmax.reduce(ends)), 1.0)
        if summed:
            ends = [value * scale, value * scale + drawn.hidden, low * scale, high * scale + drawn.hidden]
        else:
            held = [ground * base.value, ground * base.lower]
            seen, surely = (np.where(drawn.hidden > 0, h / (h + drawn.hidden), 1.0) for h in held)
            ends = [value * seen, 1 - (1 - value) * seen, low * surely, 1 - (1 - high) * surely]
            ends = [scale * end for end in ends]
        return Around(got.value * scale, got.se * scale, low * scale, high * scale, *ends)


def reach(drawn: Drawn, part: Floats, on: Floats, value: Floats) -> tuple[Floats, Floats]:
    """What was counted, if the map has only the product's errors of commission, and if only those of omission."""
    share_of = (drawn.counts / np.maximum(drawn.counts.sum(axis=1, keepdims=True), 1.0)) @ part
    mapped = drawn.sample.mapped
    strata = np.broadcast_to(np.array(mapped)[:, None], drawn.areas.shape) if mapped else drawn.areas
    truly = strata * share_of[:, None]
    right = (truly * on[:, None]).sum(axis=0)
    return value * right / (strata * on[:, None]).sum(axis=0), value * truly.sum(axis=0) / right


def basis(known: Errors, drawn: Drawn) -> str:
    """What a sample's component rests on."""
    sample = drawn.sample
    key = "basis.confusion" if drawn.name == "confusion" else "basis.model.part" if sample.ref_area else "basis.model"
    source = say("basis.source", source=sample.source) if sample.source else ""
    count = f"{drawn.counts.sum():,.0f}"
    return say(key, count=count, product=known.product, area=sample.ref_area, source=source)
