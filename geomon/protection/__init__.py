"""What leaves the house about people: counts that give nobody away, and the books of what was published before.

Small counts are hidden, and with them as many others as keep them from being worked out by subtraction: across
areas and their parents, classes, periods and outputs. Shares of a hidden count, its bounds and what was seen of it
are hidden with it. docs/decisions/0012-people.md says what an attacker is taken to know, and what is left open.
"""

from collections.abc import Iterable, Mapping
from typing import Any, Protocol, TypeAlias

import geopandas as gpd
import numpy as np
import pandas as pd
import pyproj
from numpy.typing import NDArray

from geomon.indicator import Indicator
from geomon.protection.guards import SMALLEST, Guard, guard, guard_in
from geomon.protection.hiding import hide
from geomon.protection.tables import Book, Key, book_of
from geomon.stats.disclosure import exposure
from geomon.zones import Zones

__all__ = [
    "SUPPRESSED",
    "Guard",
    "Key",
    "guard",
    "guard_in",
    "hidden_keys",
    "protected",
    "published",
    "suppressed",
    "with_hidden",
]

SUPPRESSED = "suppressed"
"""The obs_status of what is hidden to protect somebody: neither missing nor zero, and the same for every reason."""

Areas: TypeAlias = Zones | gpd.GeoDataFrame
Floats: TypeAlias = NDArray[np.float64]


class Counted(Protocol):
    """The part of a stored run that is looked at."""

    @property
    def recipe(self) -> Mapping[str, Any]: ...
    @property
    def series(self) -> pd.DataFrame: ...
    @property
    def totals(self) -> pd.DataFrame | None: ...
    @property
    def zones(self) -> gpd.GeoDataFrame: ...


def protected(
    series: pd.DataFrame,
    indicator: Indicator | Guard,
    zones: Areas,
    *,
    totals: pd.DataFrame | None = None,
    rounding: bool = True,
) -> pd.DataFrame:
    """The series as it may be published; unchanged if it counts nobody.

    `series` is a Series table of one run, `zones` its areas with their parents, `totals` the stored totals of the
    run: without them shares of counts that no output gives are hidden altogether. `rounding` leaves counts of
    100 and more to tens and of 1,000 and more to hundreds, smaller ones to fives, so sums may not add up.
    """
    care = indicator if isinstance(indicator, Guard) else guard(indicator)
    if care is None or series.empty:
        return series.copy()
    book = book_of(series, care, parents(zones), totals)
    hidden, _ = hidden_keys(book, care, zones)
    return shown(series, care, book, hidden, rounding, told=totals is not None)


def published(run: "Counted") -> pd.DataFrame:
    """The series of a stored run as it may leave the house; unchanged if it counts nobody."""
    care = guard_in(run.recipe)
    return run.series if care is None else protected(run.series, care, run.zones, totals=run.totals)


def suppressed(series: pd.DataFrame) -> "pd.Series[bool]":
    """Which rows of a protected series are hidden."""
    return series["obs_status"] == SUPPRESSED


def with_hidden(series: pd.DataFrame) -> set[tuple[str, str]]:
    """Outputs and areas of a protected series of which any value is hidden: what is said of them might tell it."""
    hidden = series[suppressed(series)]
    return set(zip(hidden["series"].astype(str), hidden["ref_area"].astype(str), strict=True))


def hidden_keys(
    book: Book, care: Guard, zones: Areas, *, kept: Iterable[Key] = (), told: Iterable[Key] = ()
) -> tuple[set[Key], list[Key]]:
    """The cells of a table that stay hidden, and the small ones that what was `told` before gives away.

    All of an area is hidden that is too small to publish anything of, and what was `kept` hidden before.
    """
    fine = too_small(zones, SMALLEST[care.theme])
    book.shut |= {key for key in book.counts if key.zone in fine}
    cells, keys = book.cells()
    number = {key: n for n, key in enumerate(keys)}
    known, before = ({number[k] for k in some if k in number} for some in (told, kept))
    hidden, bare = hide(cells, care.fewest, kept=before, told=known)
    return {keys[n] for n in hidden}, [keys[n] for n in bare]


def shown(series: pd.DataFrame, care: Guard, book: Book, hidden: set[Key], rounding: bool, told: bool) -> pd.DataFrame:
    """The rows with what is hidden taken out of them; `told` if the counts behind shares are known."""
    made = series.copy()
    places = series[["series", "ref_area", "time_period", "breakdown"]].astype(str)
    keys = [Key(*row) for row in places.itertuples(index=False, name=None)]
    counts = series["unit_measure"].map(lambda unit: care.times(str(unit)) is not None).to_numpy(bool)
    columns = {key.column for key in book.counts.keys() - book.made}
    given = care.columns({k.column for k, own in zip(keys, counts, strict=True) if own})
    behind = Behind(care, columns, given, hidden - book.made, told)
    gone = np.array([k in hidden if own else behind.gone(k) for k, own in zip(keys, counts, strict=True)], bool)
    blank = gone | ~np.isfinite(made["obs_value"].to_numpy(float))
    if rounding:
        made[["obs_value", "lower", "upper"]] = rounded(made, counts, care)
    made.loc[blank, ["obs_value", "lower", "upper"]] = np.nan
    made.loc[gone, "n_obs"] = np.nan
    made.loc[gone & np.isfinite(series["obs_value"].to_numpy(float)), "obs_status"] = SUPPRESSED
    return made


class Behind:
    """What a share or a density is made of, and whether that is hidden."""

    def __init__(self, care: Guard, columns: set[str], given: Mapping[str, str], hidden: set[Key], told: bool) -> None:
        self.care, self.columns, self.given, self.told = care, columns, given, told
        self.places: dict[tuple[str, str, str], set[str]] = {}
        for key in hidden:
            self.places.setdefault((key.column, key.zone, key.period), set()).add(key.breakdown)

    def gone(self, key: Key) -> bool:
        """Whether any count behind a row is hidden, or nobody can tell."""
        uses = self.care.uses.get(key.column)
        behind = self.columns if uses is None else {self.given.get(q, f"total {q}") for q in uses}
        if not self.told and (uses is None or not behind <= self.columns):
            return True
        every = uses is None or key.column in self.care.parts
        for column in behind:
            classes = self.places.get((column, key.zone, key.period), set())
            if classes if every else classes & {key.breakdown, ""}:
                return True
        return False


def rounded(rows: pd.DataFrame, counts: "np.ndarray[Any, np.dtype[np.bool_]]", care: Guard) -> pd.DataFrame:
    """Counts as exposure is rounded, percent to tenths, anything else to three digits; bounds outwards."""
    made = rows[["obs_value", "lower", "upper"]].copy()
    for unit in rows["unit_measure"].unique():
        own = (rows["unit_measure"] == unit).to_numpy(bool)
        values = made[own].to_numpy(float)
        times = care.times(str(unit))
        if times is not None:
            found = exposed(values * times) / times
        elif unit == "percent":
            found = outwards(values, np.round(values, 1), 0.1)
        else:
            with np.errstate(divide="ignore", invalid="ignore"):
                step = 10.0 ** (np.floor(np.log10(np.abs(values))) - 2)
            known = np.isfinite(step) & (step > 0)
            found = np.where(known, outwards(values, np.round(values / step) * step, step), values)
        made.loc[own] = found
    return made


def exposed(counts: Floats) -> Floats:
    """Counts as exposure is rounded, each in (n, 3): value, lower, upper."""
    step = np.where(counts >= 1000, 100.0, np.where(counts >= 100, 10.0, 5.0))
    return outwards(counts, exposure(counts), step)


def outwards(values: Floats, nearest: Floats, step: "float | Floats") -> Floats:
    """Rounded values with bounds that hold what those before held: a bound that would move inwards moves a step out."""
    made = np.array(nearest)
    wide = np.broadcast_to(step, made.shape)
    close = 1e-9 * wide
    made[:, 1] -= np.where(made[:, 1] > values[:, 1] + close[:, 1], wide[:, 1], 0.0)
    made[:, 2] += np.where(made[:, 2] < values[:, 2] - close[:, 2], wide[:, 2], 0.0)
    return made


# --- Areas


def parents(zones: Areas) -> dict[str, str]:
    """Code -> code of the parent, as far as both are among the areas."""
    if isinstance(zones, Zones):
        return zones.above
    found = dict(zip(zones["code"].astype(str), zones["parent"].fillna("").astype(str), strict=True))
    return {code: parent for code, parent in found.items() if parent in found}


def too_small(zones: Areas, least: float) -> set[str]:
    """Codes of areas below so many square kilometres."""
    frame = (zones.frame if isinstance(zones, Zones) else zones).dropna(subset="geometry")
    if frame.empty or frame.crs is None:
        return set()
    degrees = frame.to_crs("EPSG:4326")
    west, south, east, north = degrees.bounds.to_numpy().T
    box = (east - west) * np.cos(np.radians((south + north) / 2)) * (north - south) * 111.32**2
    geod = pyproj.Geod(ellps="WGS84")
    near = degrees[box < 100 * least]
    return {
        str(code)
        for code, shape in zip(near["code"], near.geometry, strict=True)
        if not shape.is_empty and abs(geod.geometry_area_perimeter(shape)[0]) < least * 1e6
    }
