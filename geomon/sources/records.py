"""The records of a source: what a collection says, what was found in it, what was read from it.

All of them are plain frozen dataclasses that survive pickling, so that a block can be read in any process.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from geomon.errors import CatalogError, did_you_mean, listing
from geomon.period import Period

KINDS = ("class", "amount", "rate")
Bbox = tuple[float, float, float, float]
"""West, south, east, north in degrees."""


@dataclass(frozen=True)
class Legend:
    """What the codes of a band mean."""

    codes: Mapping[int, str]
    """Each code that may occur and its short name."""
    groups: Mapping[str, tuple[int, ...]]
    """Our words over the codes (forest, water, ...); the name of each class is a group of its own."""
    colours: Mapping[int, str]
    """Code to '#rrggbb'."""
    missing: tuple[int, ...] = ()
    """Codes that say that nothing was seen."""
    titles: Mapping[int, str] = field(default_factory=dict)
    """Code to the words a person reads."""

    def group(self, name: str, where: str = "this legend") -> tuple[int, ...]:
        """The codes of a group; CatalogError that lists the groups if there is none of that name."""
        if name not in self.groups:
            hint = did_you_mean(name, self.groups)
            raise CatalogError(f"{where} has no class group {name!r}; it has {listing(self.groups)}.{hint}")
        return self.groups[name]


@dataclass(frozen=True)
class Band:
    """One quantity of a collection: where it stands in an item and how its numbers are meant."""

    name: str
    kind: str
    """'class' (codes), 'amount' (a count in each pixel) or 'rate' (a value at each point)."""
    asset: str
    member: str = ""
    """The band's name inside an asset of several bands."""
    unit: str = "1"
    scale: float = 1.0
    offset: float = 0.0
    """physical = stored x scale + offset, unless an item states its own."""
    nodata: float | None = None
    nodata_means: str = "unseen"
    """'unseen', or 'zero' where the product leaves out what is empty (nobody lives there)."""
    legend: Legend | None = None
    when: str = "item"
    """'item': the item's own interval; 'year:2020': that year whatever the item says; 'static': any time."""
    title: str = ""
    correction: str = ""
    """'sentinel-2': the offset of an item depends on its provider and processing baseline."""
    stated: bool = False
    """Whether nodata was stated at all; a band with neither nodata nor a legend is refused."""


@dataclass(frozen=True)
class Break:
    """A change of algorithm or sensor: no line is drawn across it."""

    date: str
    """The first day of what comes after it."""
    why: str


@dataclass(frozen=True)
class Origin:
    """A place that items of a collection come from."""

    type: str
    """'stac-api', 'static' (a STAC catalog or collection to walk) or 'folder' (of GeoTIFFs)."""
    href: str
    collection: str = ""
    """The collection's id there."""
    sign: str = ""
    """'planetary-computer', or the address of a token endpoint that ends in /{collection}."""
    assets: Mapping[str, str] = field(default_factory=dict)
    """Our band to the asset's name there (in a folder: to a file pattern), where it is not the band's own."""
    bands: tuple[str, ...] = ()
    """The bands that it has; empty: all."""
    pattern: str = ""
    """Of file names in a folder: 'cover-{year}.tif', with {year} {month} {day} {date} {start} {end} and *."""


@dataclass(frozen=True, kw_only=True)
class ErrorMatrix:
    """Counts of a reference sample: map classes, which are its strata, by reference classes."""

    rows: tuple[str, ...]
    """Map classes: groups or classes of the legend, or codes; 'other' is all that no other row names."""
    columns: tuple[str, ...]
    """Reference classes, in the same words."""
    counts: tuple[tuple[int, ...], ...]
    ref_area: str = ""
    """Code of the zone that the sample was drawn in; empty: drawn over the product, which is more than one place."""
    period: str = ""
    """The period whose map was sampled; empty: not said."""
    mapped: tuple[float, ...] = ()
    """Mapped areas of the strata where the sample was drawn, in one unit; empty: not said."""
    source: str = ""
    """Who counted it and where it is published."""
    band: str = ""
    """The band that it is of; empty: the main band."""


@dataclass(frozen=True)
class Collection:
    """A product as we know it: its bands, its breaks, its licence, and where its items come from."""

    id: str
    title: str
    description: str
    bands: Mapping[str, Band]
    main: str
    origins: tuple[Origin, ...]
    breaks: tuple[Break, ...] = ()
    licence: str = ""
    attribution: str = ""
    caveats: tuple[str, ...] = ()
    update: str = ""
    sensor: str = ""
    kind: str = "raster"
    """'raster', or 'features' for a vector collection."""
    bbox: Bbox = (-180.0, -90.0, 180.0, 90.0)
    interval: tuple[str, str] = ("", "")
    """First and last day, '' where open."""
    file: str = ""
    """The collection.json it was read from."""
    accuracy: tuple[ErrorMatrix, ...] = ()
    """What reference samples say of its classes."""

    def band(self, name: str = "") -> Band:
        """The band of this name, or the main band; CatalogError that lists the bands if there is none."""
        wanted = name or self.main
        if wanted not in self.bands:
            hint = did_you_mean(wanted, self.bands)
            raise CatalogError(f"{self.id} has no band {wanted!r}; it has {listing(self.bands)}.{hint}")
        return self.bands[wanted]


@dataclass(frozen=True)
class Granule:
    """One asset of one item, as far as it must be known to read a band from it."""

    item: str
    collection: str
    asset: str
    href: str
    """Without any signature."""
    when: Period
    crs: str
    transform: tuple[float, ...]
    """Affine coefficients a, b, c, d, e, f."""
    shape: tuple[int, int]
    index: int = 1
    """The band in the file, from 1; 0: found in the file by its name `member`."""
    member: str = ""
    scale: float = 1.0
    offset: float = 0.0
    nodata: float | None = None
    """What the item says; the collection's and the file's own count as well."""
    missing: tuple[int, ...] = ()
    """Codes that the item itself names as no data."""
    sign: str = ""
    """The address that gives a token for the href; '' if it is open."""
    checksum: str = ""
    """The catalogue's own, a multihash in hex."""
    size: int = 0
    version: str = ""
    """What else tells one file from its successor: etag, or when it was updated."""
    pixels: NDArray[Any] | None = field(default=None, compare=False, repr=False)
    """An array in memory instead of a file."""
    fault: str = ""
    """Why it cannot be placed on a grid: it is found, and every read of it fails."""
    dtype: str = field(default="", compare=False)
    """The type of its stored numbers, where that is known without opening it; for the cost of a plan."""

    @property
    def key(self) -> str:
        """Its identity in a recipe: which item and which bytes, never a signature."""
        if self.pixels is not None:
            values = np.ascontiguousarray(self.pixels)
            form = f"{values.dtype.str}{values.shape}{self.transform}"
            content = hashlib.sha256(form.encode() + values.tobytes()).hexdigest()
        else:
            content = self.checksum or f"{self.href.partition('?')[0]} {self.size} {self.version}"
        meant = f"{self.scale!r} {self.offset!r} {self.nodata!r} {self.missing!r} {self.index}"
        return "|".join((self.collection, self.item, self.asset, self.member, meant, content))


@dataclass(frozen=True)
class Scene:
    """One date: all granules of one overpass, or all tiles of one year."""

    label: str
    when: Period
    granules: tuple[Granule, ...]
    remarks: tuple[str, ...] = ()
    """What was left out and why, such as older versions of a granule."""


@dataclass(frozen=True)
class Read:
    """What became of reading one granule for one block."""

    source: str
    collection: str
    item: str
    asset: str
    href: str
    status: str
    """'ok', 'retried' (ok, but not at once) or 'failed' (its pixels count as unseen)."""
    tries: int = 1
    why: str = ""
    bytes: int = 0
    """Decoded."""
    checksum: str = ""
    """The catalogue's; else 'sha256-tiles:' of the packed tiles of a plain GeoTIFF that hold the part that was
    wanted, each after its number, and of what the header says of them; else 'sha256:' of the decoded part."""
    seconds: float = 0.0


@dataclass(frozen=True)
class Packed:
    """Dates of one band on one window, in the numbers that the files hold: shape (time, rows, columns)."""

    band: Band
    stored: NDArray[Any]
    """u1, i1, u2, i2, u4 or i4 as in the files; else f4 or f8, which are physical values already."""
    missing: float
    """The one stored number that says unseen, an int where `stored` is of integers; NaN for f4 and f8."""
    scale: NDArray[np.float64]
    offset: NDArray[np.float64]
    """Of each date: physical = stored x scale + offset; 1 and 0 for f4, f8 and classes."""

    @property
    def unseen(self) -> NDArray[np.bool_]:
        """Where nothing was seen."""
        return unseen_in(self.stored, self.missing)

    def values(self) -> NDArray[np.float64]:
        """Physical values, NaN where unseen."""
        out = self.stored.astype(np.float64)
        for values, scale, offset in zip(out, self.scale, self.offset, strict=True):
            if (scale, offset) != (1.0, 0.0):
                values *= scale
                values += offset
        out[self.unseen] = np.nan
        return out


def unseen_in(stored: NDArray[Any], missing: float) -> NDArray[np.bool_]:
    """Where an array holds the number that says unseen, or NaN if that is NaN."""
    return np.asarray(np.isnan(stored) if missing != missing else stored == missing)
