"""Masked composites from dates that are still as they were stored, in the words of xarray.

A kernel marked `@packed` gets Images where another gets float arrays with a time axis. They know the part of
xarray's language that composites are made of, so that the same lines

    normalized_difference(nir, red).where(classes(scl, "clear")).median("time")

do either way, to the same numbers; packed, no cube of floats is made of them. What a quality band did not see on a
date is hidden on that date, also by `~`: only what is known to be clear counts.
"""

import functools
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, TypeVar

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from geomon.errors import DefinitionError
from geomon.grid import Floats, Window
from geomon.pixels import SEEN
from geomon.stats import composite
from geomon.stats.composite import Integers, Mask, Stack

CODES = 256  # different numbers that a quality band may hold
Kernel = TypeVar("Kernel", bound=Callable[..., Any])


def packed(kernel: Kernel) -> Kernel:
    """Marks the kernel of a Layer that takes the dates of its Sources packed, as Images."""
    kernel.packed = True  # type: ignore[attr-defined]
    return kernel


def is_packed(function: Callable[..., Any]) -> bool:
    """Whether a function is marked so."""
    return bool(getattr(function, "packed", False))


@dataclass(frozen=True, eq=False, kw_only=True)
class Images:
    """All dates of a band, or of the normalised difference of two, as they are stored; hidden where `where` says."""

    name: str
    """Of the argument."""
    window: Window
    """The pixels that are made."""
    stack: Stack = field(repr=False)
    """On the band's own pixels, which may be larger ones."""
    dates: tuple[str, ...] = ("",)
    """Day on which each date begins, ISO 8601."""
    attrs: Mapping[str, Any] = field(default_factory=dict)
    rows: Integers | None = None
    """Row of the stack for each row of the window; None: they are the same pixels."""
    columns: Integers | None = None
    share: Floats | None = None
    """Share of each pixel that was seen on any date, where a pixel may be seen in part."""
    minus: "Images | None" = None
    """The band b of (a - b) / (a + b)."""
    clear: "Clear | None" = None
    beside: "tuple[Images, ...]" = ()
    """Other bands of the same composite."""

    @classmethod
    def of(cls, name: str, window: Window, values: Floats, *, seen: Floats | None = None, **facts: Any) -> "Images":
        """From physical values on the window, and where each was seen, for what cannot stay packed."""
        stored, whole = values.reshape(-1, *window.shape), np.ones(window.shape)
        stack = Stack(stored, np.ones(len(stored)), np.zeros(len(stored)))
        share = (
            (seen.max(axis=0) if seen.ndim == 3 else seen)
            if seen is not None
            else np.isfinite(stored).any(axis=0) * whole
        )
        return cls(name=name, window=window, stack=stack, share=share, **facts)

    def normalized_difference(self, other: "Images") -> "Images":
        """(a - b) / (a + b) on each date; unseen where the sum is not positive."""
        return replace(self, minus=other, attrs={"unit": "1"})

    def where(self, clear: "Clear") -> "Images":
        """Hidden wherever it is not clear."""
        if not isinstance(clear, Clear):
            raise DefinitionError(f"{self.name} is packed: mask it with classes() or .isin() of a quality band.")
        return replace(self, clear=clear if self.clear is None else self.clear & clear)

    def isin(self, codes: Iterable[float]) -> "Clear":
        """Where and when a quality band has one of these codes."""
        _, numbers = self.coded
        return Clear(self, np.isin(numbers, list(codes)))

    def refused(self, *_: Any) -> "Images":
        """Arithmetic that would need a cube of floats."""
        raise DefinitionError(
            f"{self.name} is packed, and packed dates know no arithmetic but normalized_difference(). "
            "Do it after the composite, or leave out @packed."
        )

    __add__ = __radd__ = __sub__ = __rsub__ = __mul__ = __rmul__ = __truediv__ = __rtruediv__ = refused
    __lt__ = __le__ = __gt__ = __ge__ = __neg__ = __pow__ = refused

    def median(self, dim: str = "time") -> xr.DataArray:
        """Median over the dates; the mean of the two in the middle if their number is even."""
        return self.over(dim, composite.median)

    def mean(self, dim: str = "time") -> xr.DataArray:
        """Mean over the dates."""
        return self.over(dim, composite.mean)

    def count(self, dim: str = "time") -> xr.DataArray:
        """On how many dates a pixel was seen and not hidden; 0 where it was seen and always hidden."""
        return self.over(dim, composite.count, self.sight)

    def over(self, dim: str, kernel: Callable[..., Floats], sight: Floats | None = None) -> xr.DataArray:
        """What a kernel makes of all dates."""
        if dim != "time":
            raise DefinitionError(f"{self.name} is packed, and its one axis to go along is 'time', not {dim!r}.")
        return self.laid(kernel(*self.parts), sight)

    def laid(self, values: Floats, sight: Floats | None = None) -> xr.DataArray:
        """Values on the window, carrying where all that they are made from was seen: without `sight` where finite."""
        y, x = self.window.centres
        marks = {f"{SEEN}{self.name}": np.isfinite(values).astype(float) if sight is None else sight}
        for source in self.sources:
            if source.share is not None:
                marks[f"{SEEN}{source.name}"] = np.minimum(source.share, marks.get(f"{SEEN}{source.name}", 1.0))
        coords = {"y": y, "x": x, **{name: (("y", "x"), mark) for name, mark in marks.items()}}
        return xr.DataArray(values, dims=("y", "x"), coords=coords, attrs=dict(self.attrs))

    @property
    def parts(self) -> tuple[Stack, Stack | None, Mask | None]:
        """What the kernels take; DefinitionError for sources of different dates."""
        for other in self.sources[1:]:
            if other.dates != self.dates:
                raise DefinitionError(
                    f"{self.name} has {len(self.dates)} dates and {other.name} {len(other.dates)}, not the same ones. "
                    "Take bands of one product, whose items have all of them."
                )
        return self.fine, self.minus.fine if self.minus else None, self.clear.mask if self.clear else None

    @property
    def sources(self) -> "tuple[Images, ...]":
        """All that it is made from, itself first."""
        return (self, *filter(None, (self.minus, self.clear.of if self.clear else None)), *self.beside)

    @property
    def fine(self) -> Stack:
        """The stack on the pixels of the window."""
        if self.rows is None or self.columns is None:
            return self.stack
        return replace(self.stack, stored=self.stack.stored[:, self.rows[:, None], self.columns])

    @property
    def sight(self) -> Floats:
        """Where each source was seen on any date."""
        seen = np.ones(self.window.shape)
        for source in self.sources:
            ever = composite.dates_seen(source.stack) > 0
            if source.rows is not None and source.columns is not None:
                ever = ever[source.rows[:, None], source.columns]
            seen[~ever] = 0.0
        return seen

    @functools.cached_property
    def coded(self) -> tuple[NDArray[np.uint8], Floats]:
        """The stack in codes of a byte, and the number that each code means; NaN where it means nothing."""
        stored, missing = self.stack.stored, self.stack.missing
        if stored.dtype == np.uint8:
            codes, numbers = stored, np.arange(float(CODES))
        else:
            numbers, inverse = np.unique(stored, return_inverse=True)
            if len(numbers) > CODES:
                raise DefinitionError(
                    f"{self.name} holds {len(numbers)} different numbers, and a mask is made of at most {CODES} codes. "
                    "Mask with a quality band."
                )
            codes, numbers = inverse.astype(np.uint8).reshape(stored.shape), numbers.astype(float)
        numbers = np.concatenate([numbers, np.full(CODES - len(numbers), np.nan)])
        return codes, np.where(numbers == missing, np.nan, numbers)


@dataclass(frozen=True, eq=False)
class Clear:
    """Where and when a quality band has certain codes."""

    of: Images
    table: NDArray[np.bool_]
    """By code of `of.coded`."""

    def __invert__(self) -> "Clear":
        """Other codes; what was not seen is in neither."""
        return Clear(self.of, ~self.table & np.isfinite(self.of.coded[1]))

    def __and__(self, other: "Clear") -> "Clear":
        return Clear(self.same(other), self.table & other.table)

    def __or__(self, other: "Clear") -> "Clear":
        return Clear(self.same(other), self.table | other.table)

    def same(self, other: "Clear") -> Images:
        """The band that both are of."""
        if other.of.stack is not self.of.stack:
            raise DefinitionError(
                f"Masks of {self.of.name} and {other.of.name} do not join while they are packed. Mask with one of "
                "them, or leave out @packed."
            )
        return self.of

    def sum(self, dim: str = "time") -> xr.DataArray:
        """On how many dates."""
        return replace(self.of, clear=self).count(dim)

    @property
    def mask(self) -> Mask:
        """As the kernels take it."""
        height, width = self.of.window.shape
        rows, columns = self.of.rows, self.of.columns
        return Mask(
            self.of.coded[0],
            self.table & np.isfinite(self.of.coded[1]),
            np.arange(height) if rows is None else rows,
            np.arange(width) if columns is None else columns,
        )


def at_maximum(bands: Mapping[str, Images], x: Images) -> dict[str, xr.DataArray]:
    """The bands on the date of the largest x, the first of equals: of NDVI, a maximum value composite.

    Holben 1986, International Journal of Remote Sensing 7, 1417.
    """
    lead = replace(x, beside=tuple(bands.values()))
    return on_date(composite.greatest(*lead.parts), lead, bands)


def medoid(bands: Mapping[str, Images], clear: Clear | None = None) -> dict[str, xr.DataArray]:
    """The bands on the clear date that lies nearest to all others; see geomon.stats.composite.medoid."""
    lead = together(bands, clear)
    return on_date(composite.medoid([b.fine for b in bands.values()], lead.parts[2]), lead, bands)


def geometric_median(bands: Mapping[str, Images], clear: Clear | None = None) -> dict[str, xr.DataArray]:
    """The geometric median of the clear dates; see geomon.stats.composite.geometric_median."""
    lead = together(bands, clear)
    made = composite.geometric_median([b.fine for b in bands.values()], lead.parts[2])
    return {name: replace(lead, attrs=bands[name].attrs).laid(v) for name, v in zip(bands, made, strict=True)}


def first_date(x: Images) -> xr.DataArray:
    """The first date on which x was seen and not hidden, in days since 1970-01-01."""
    return day_of(composite.first(*x.parts), x)


def last_date(x: Images) -> xr.DataArray:
    """The last date on which x was seen and not hidden, in days since 1970-01-01."""
    return day_of(composite.last(*x.parts), x)


def together(bands: Mapping[str, Images], clear: Clear | None) -> Images:
    """Several bands as one; DefinitionError for none."""
    if not bands:
        raise DefinitionError("A composite of no bands was asked for. Give it some: {'red': red, 'nir': nir}.")
    first, *others = bands.values()
    return replace(first, clear=clear, beside=tuple(others))


def on_date(date: Integers, lead: Images, bands: Mapping[str, Images]) -> dict[str, xr.DataArray]:
    """The bands on one date for each pixel."""
    return {name: replace(lead, attrs=band.attrs).laid(composite.at(band.fine, date)) for name, band in bands.items()}


def day_of(date: Integers, x: Images) -> xr.DataArray:
    """The day of a date for each pixel."""
    days = np.array(x.dates, "datetime64[D]").astype(float)
    return replace(x, attrs={"unit": "days since 1970-01-01"}).laid(np.where(date < 0, np.nan, days[date]))
