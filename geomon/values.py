"""Words for outputs: what totals mean, and how far the ground that was not seen could move them.

`totals` is a Dataset with a variable for each quantity (zone, period and its keys; attributes `kind` and
`unit`), and `seen` and `unseen` in square metres by quantity, zone and period.
"""

import math
from dataclasses import dataclass

import xarray as xr

from geomon.errors import DefinitionError, did_you_mean, listing


@dataclass(frozen=True, kw_only=True)
class Component:
    """One reason why a value is not certain, in the unit of its estimate and over its axes."""

    name: str
    """'unseen', 'confusion' (a sample of this place), 'model' (of the product), 'noise' or 'products'."""
    lower: xr.DataArray
    upper: xr.DataArray
    """NaN where nothing can be said."""
    basis: str
    """What it rests on, or why there is none, in a sentence."""
    here: xr.DataArray
    """Where it speaks at all."""
    level: float = math.nan
    """How often it holds: 0.95; NaN for what is no probability."""
    value: xr.DataArray | None = None
    """The estimate that it says to be better than counted pixels."""
    se: xr.DataArray | None = None
    """Standard error of that."""


@dataclass(frozen=True)
class Estimate:
    """A value with its bounds. No arithmetic on it, so no bound goes stale; take `.value` and state new ones."""

    value: xr.DataArray
    unit: str
    lower: xr.DataArray | None = None
    upper: xr.DataArray | None = None
    interval: str = ""
    """What the bounds are: 'bounds', 'one_sided', 'sampling', 'confusion', 'model', or none."""
    components: tuple[Component, ...] = ()
    """What lower and upper are made of; those among them that add to `interval` are 'confusion' and 'model'."""


def part(totals: xr.Dataset, name: str, keys: dict[str, object]) -> tuple[xr.DataArray, xr.DataArray, str]:
    """Total, unseen area and kind of a quantity, or of some of its keys."""
    found = totals[name]
    own = [str(d) for d in found.dims if d not in ("zone", "period")]
    for key, wanted in keys.items():
        if key not in own:
            if own or bool((totals["seen"].sel(quantity=name) > 0).any()):
                raise DefinitionError(
                    f"{name} is not kept apart by {key!r} but by {listing(own)}.{did_you_mean(key, own)}"
                )
            continue  # nothing was seen anywhere, so no class is known
        some = list(wanted) if isinstance(wanted, tuple) else [wanted]
        found = found.sel({key: [w for w in some if w in found[key].values]}).sum(key, min_count=0)
    found = found.where(totals[name].notnull().any([d for d in totals[name].dims if d not in ("zone", "period")]))
    return found, totals["unseen"].sel(quantity=name, drop=True), str(totals[name].attrs["kind"])


class total:
    """The total itself; for an area the unseen ground bounds it above, for an amount nothing does."""

    def __init__(self, name: str, **keys: object) -> None:
        self.name, self.keys, self.uses = name, keys, (name,)

    def __call__(self, totals: xr.Dataset) -> Estimate:
        value, unseen, kind = part(totals, self.name, self.keys)
        unit = totals[self.name].attrs["unit"]
        if kind == "area":
            return Estimate(value, unit, value, value + unseen, "bounds")
        return Estimate(value, unit, value, None, "one_sided") if kind == "amount" else Estimate(value, unit)


class share:
    """Percent of one total in another that contains it, or in the ground on which it was seen."""

    def __init__(self, name: str, of: str = "", **keys: object) -> None:
        self.name, self.of, self.keys, self.uses = name, of, keys, (name, of) if of else (name,)

    def __call__(self, totals: xr.Dataset) -> Estimate:
        top, unseen, kind = part(totals, self.name, self.keys)
        other = totals[self.of].attrs["kind"] if self.of else "area"
        if other != kind or kind == "rate":
            raise DefinitionError(
                f"A share of {self.name} ({kind}) in {self.of or 'the ground'} ({other}) has no meaning: "
                "both must be areas, or both amounts. Say of= which it is a share of."
            )
        bottom = totals[self.of] if self.of else totals["seen"].sel(quantity=self.name, drop=True)
        if self.of and bool((abs(totals["unseen"].sel(quantity=self.of, drop=True) - unseen) > 1e-3).any()):
            raise DefinitionError(
                f"{self.name} and {self.of} were not seen on the same ground: a share of them would hide it. "
                "Mark both from the same sources."
            )
        keep = ("zone", "period", *(() if self.name == self.of else top.dims))
        keys = [d for d in bottom.dims if d not in keep]
        bottom = bottom.sum(keys, min_count=1) if keys else bottom
        hidden = unseen if kind == "area" else xr.where(unseen > 0, float("nan"), 0.0)
        widest = (bottom + hidden).where(bottom + hidden > 0)
        return Estimate(
            100 * top / bottom.where(bottom > 0),
            "percent",
            100 * top / widest,
            100 * (top + hidden) / widest,
            "bounds",
        )


class mean:
    """Area-weighted mean of a rate over the ground that was seen; what was not seen may hold anything, so no bounds."""

    def __init__(self, name: str) -> None:
        self.name, self.uses = name, (name,)

    def __call__(self, totals: xr.Dataset) -> Estimate:
        seen = totals["seen"].sel(quantity=self.name, drop=True)
        keys = [str(d) for d in totals[self.name].dims if d not in ("zone", "period")]
        if keys or totals[self.name].attrs["kind"] != "rate":
            raise DefinitionError(
                f"A mean of {self.name} over ground needs a rate() that is not kept apart"
                f"{f' by {listing(keys)}' if keys else ''}. Mark the ground with area(), and take rates of that."
            )
        unit = str(totals[self.name].attrs["unit"]).removesuffix(" m2")
        return Estimate(totals[self.name] / seen.where(seen > 0), unit)


class percentile:
    """Percentile of a histogram kept by bin.

    Its bounds are the edges of the bin, further apart by what unseen ground could hold: all below it or all above.
    For a histogram that is not of area, nobody knows how much is hidden, and unseen ground leaves no bounds.
    """

    def __init__(self, name: str, q: float, *, bins: str, width: float, at_least: float = 0.0, unit: str = "") -> None:
        self.name, self.q, self.bins, self.width, self.at_least = name, q, bins, width, at_least
        self.unit, self.uses = unit, (name,)

    def __call__(self, totals: xr.Dataset) -> Estimate:
        if self.bins not in totals[self.name].dims:
            nowhere, _, _ = part(totals, self.name, {self.bins: ()})
            blank = nowhere * float("nan")
            return Estimate(blank, self.unit, blank, blank, "bounds")
        counts = totals[self.name].sortby(self.bins)
        unseen = totals["unseen"].sel(quantity=self.name, drop=True)
        n = counts.sum(self.bins)
        enough = (n >= self.at_least) & (n > 0)
        below = counts.cumsum(self.bins)
        if counts.attrs["kind"] == "area":
            hidden, known = unseen, enough
        else:
            hidden, known = xr.zeros_like(unseen), enough & ~(unseen > 0)
        low = self.edge(counts, below + hidden, self.q * (n + hidden)).where(known)
        high = self.edge(counts, below, self.q * (n + hidden)).where(known) + self.width
        middle = self.edge(counts, below, self.q * n).where(enough) + self.width / 2
        return Estimate(middle, self.unit, low, high, "bounds")

    def edge(self, counts: xr.DataArray, below: xr.DataArray, wanted: xr.DataArray) -> xr.DataArray:
        """The lower edge of the first bin by which so much is reached; missing if none does."""
        reached = below >= wanted * (1 - 1e-12)
        edge = counts[self.bins][reached.argmax(self.bins)] * self.width
        return edge.drop_vars(self.bins).where(reached.any(self.bins))
