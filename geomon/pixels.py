"""Words for measures: what a pixel holds, and where it was seen.

Every array that a measure is given carries where it was seen, as coordinates named `seen_<argument>`: the
share of each pixel, 0 to 1. xarray hands them on to all that is made from the array, so that a comparison,
which turns NaN into False, cannot turn what was not seen into a value.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import xarray as xr

from geomon.errors import CatalogError, DefinitionError, did_you_mean, listing

SEEN = "seen_"


@dataclass(frozen=True)
class Quantity:
    """Pixel values with a unit and the way they are weighed: 'area', 'amount' or 'rate'."""

    value: Any
    unit: str
    kind: str
    keys: Mapping[str, Any] = field(default_factory=dict)

    def by(self, **keys: xr.DataArray) -> "Quantity":
        """The same, kept apart by class, city, bin ...; the keys need not be known before."""
        return replace(self, keys={**self.keys, **keys})


def area(ground: xr.DataArray | bool = True) -> Quantity:
    """Square metres of the pixels that are marked, or of the marked share (0 to 1) of each."""
    return Quantity(ground, "m2", "area")


def amount(x: xr.DataArray | float, unit: str) -> Quantity:
    """A count in each pixel, never negative: split by cover, not by area."""
    return Quantity(x, unit, "amount")


def rate(x: xr.DataArray, unit: str) -> Quantity:
    """A value at each point of the ground, added up over area: its total has the unit times m2."""
    return Quantity(x, f"{unit} m2", "rate")


def classes(legend: xr.DataArray, *groups: str) -> xr.DataArray:
    """Pixels in any of these groups of the collection's legend."""
    known: Mapping[str, tuple[int, ...]] = legend.attrs.get("groups", {})
    for group in groups:
        if group not in known:
            raise CatalogError(
                f"{legend.attrs.get('collection', 'This source')} has no class group {group!r}; it has "
                f"{listing(known)}.{did_you_mean(group, known)}"
            )
    return legend.isin([code for group in groups for code in known[group]])


def look_up(table: Mapping[Any, float] | xr.DataArray, *keys: xr.DataArray) -> xr.DataArray:
    """The table's entry for the keys at each pixel; unseen where there is none.

    A table of several keys has tuples of them, or (as a Survey gives it) an axis for each, in the order given here.
    """
    if isinstance(table, xr.DataArray):
        table = table.rename("entry").to_series().to_dict() if table.ndim else {}
    wanted = [key if isinstance(key, tuple) else (key,) for key in table]
    if any(len(key) != len(keys) for key in wanted):
        raise DefinitionError(f"A table of {len(wanted[0])} keys was looked up with {len(keys)}. Give it one for each.")
    axes = [np.unique([key[n] for key in wanted]) for n in range(len(keys))]
    entries = np.full([len(axis) + 1 for axis in axes], np.nan)
    for key, entry in zip(wanted, table.values(), strict=True):
        entries[tuple(np.searchsorted(axis, part) for axis, part in zip(axes, key, strict=True))] = entry
    like = sum(keys[1:], keys[0]) * 1.0
    places = []
    for axis, part in zip(axes, keys, strict=True):
        values = part.broadcast_like(like).transpose(*like.dims).values
        near = np.searchsorted(axis, values)
        known = near < len(axis)
        known[known] = axis[near[known]] == values[known]
        places.append(np.where(known, near, len(axis)))
    found = like.copy(data=entries[tuple(places)])
    return unseen_where(found, found.isnull())


def decibels(power: xr.DataArray) -> xr.DataArray:
    """Backscatter in dB from linear power; as it is if the source gives dB; unseen where power is not positive."""
    if power.attrs.get("unit") == "dB":
        return power
    if power.attrs.get("unit", "1") not in ("1", ""):
        raise DefinitionError(f"Decibels are made from linear power, not from {power.attrs['unit']!r}.")
    positive = power > 0
    made: xr.DataArray = xr.apply_ufunc(np.log10, power.where(positive), keep_attrs=True) * 10
    return unseen_where(made, ~positive).assign_attrs(unit="dB")


def normalized_difference(a: xr.DataArray, b: xr.DataArray) -> xr.DataArray:
    """(a - b) / (a + b), such as NDVI from near infrared and red; unseen where the sum is not positive."""
    if packed := getattr(a, "normalized_difference", None):
        return packed(b)  # type: ignore[no-any-return]
    whole = a + b
    return unseen_where((a - b) / whole.where(whole > 0), ~(whole > 0)).assign_attrs(unit="1")


def unseen_where(x: xr.DataArray, mask: xr.DataArray) -> xr.DataArray:
    """The array, no longer seen where the mask holds (all dates of it, if there is a time axis)."""
    lost = mask.all("time") if "time" in mask.dims else mask
    marks = {
        n: xr.where(lost, 0.0, c).drop_vars(list(c.coords)) for n, c in x.coords.items() if str(n).startswith(SEEN)
    }
    return x.assign_coords({n: (("y", "x"), c.transpose("y", "x").values) for n, c in marks.items()})
