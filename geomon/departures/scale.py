"""One scale for every indicator, on which 1 is one tolerance, and robust sizes on it."""

import warnings
from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from geomon.departures.records import Floats, Panel
from geomon.errors import InputError

Bools = NDArray[np.bool_]


def scaled(values: Floats, panel: Panel) -> Floats:
    """Values in tolerances: of their size where it is absolute, of their logarithm where it is relative (NaN at 0)."""
    if not panel.relative:
        return np.asarray(np.where(np.isfinite(values), values, np.nan) / panel.tolerance)
    good = np.isfinite(values) & (values > 0)
    return np.asarray(np.where(good, np.log(np.where(good, values, 1.0)), np.nan) / np.log1p(panel.tolerance))


def spread(values: Floats) -> float:
    """Standard deviation by the median absolute deviation; 0 where there is nothing."""
    values = values[np.isfinite(values)]
    return float(1.4826 * np.median(np.abs(values - np.median(values)))) if values.size else 0.0


def middle(values: Floats, axis: int | None = None) -> Floats:
    """Median without NaN; NaN where there is nothing."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)
        return np.asarray(np.nanmedian(values, axis))


def provinces(panel: Panel) -> dict[str, tuple[int, ...]]:
    """Positions of the areas of each province that is neither one area nor the whole country."""
    named = {p: tuple(i for i, q in enumerate(panel.parents) if q == p) for p in dict.fromkeys(panel.parents) if p}
    return {p: ids for p, ids in named.items() if 1 < len(ids) < len(panel.areas)}


def known(panel: Panel) -> None:
    """Refuses a panel whose parts do not fit each other."""
    shape = (len(panel.areas), len(panel.years))
    parts = {"satellite": panel.satellite, "official": panel.official, "lower": panel.lower, "upper": panel.upper}
    parts |= {"unseen": panel.unseen} | {f"version {v.name!r}": v.satellite for v in panel.versions}
    odd = [f"{name} {np.shape(part)}" for name, part in parts.items() if part is not None and np.shape(part) != shape]
    if len(panel.parents) != shape[0]:
        odd.append(f"{len(panel.parents)} parents")
    if panel.weights is not None and np.shape(panel.weights) != shape[:1]:
        odd.append(f"weights {np.shape(panel.weights)}")
    if odd:
        raise InputError(
            f"A panel of {shape[0]} areas and {shape[1]} years came with {', '.join(odd)}. Give each part that shape."
        )
    if not panel.tolerance > 0:
        raise InputError(f"A panel came with tolerance {panel.tolerance}. Give the difference that counts as equal.")
    if np.any(np.diff(panel.years) <= 0):
        raise InputError("The years of a panel do not ascend. Sort its columns by year.")


def year_at(years: Floats, position: int) -> float:
    """The year of a column; NaN for the first column, from which 'since' says nothing."""
    return float(years[position]) if position > 0 else np.nan


def columns(ids: Iterable[int]) -> tuple[int, ...]:
    """Positions as plain integers."""
    return tuple(int(i) for i in ids)
