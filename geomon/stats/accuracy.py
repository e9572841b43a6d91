"""Areas and accuracies of a map from a reference sample: the stratified estimator, with intervals that hold.

Olofsson et al. 2014, "Good practices for estimating area and assessing accuracy of land change", Remote Sensing of
Environment 148, 42-57. Rows of a matrix are map classes, which are the strata; columns are reference classes.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.stats import norm, t

from geomon.errors import InputError

Floats = NDArray[np.float64]
FEWEST = 2  # samples of a stratum from which a variance can be had


@dataclass(frozen=True)
class Proportion:
    """Estimates between 0 and 1, one a class, with standard errors and intervals."""

    value: Floats
    se: Floats
    """By the paper's formulas."""
    lower: Floats
    upper: Floats


@dataclass(frozen=True)
class Accuracy:
    """What a reference sample says of a map of k classes."""

    overall: Proportion
    """(1,)"""
    users: Proportion
    """(k,) share of each map class that is right."""
    producers: Proportion
    """(k,) share of each reference class that the map found."""
    share: Proportion
    """(k,) share of each reference class in all of the map: the error-adjusted one."""
    total: float
    """Area of the map, in the unit of `areas`."""

    @property
    def area(self) -> tuple[Floats, Floats, Floats, Floats]:
        """Error-adjusted area of each class, its standard error, lower and upper end."""
        s = self.share
        return s.value * self.total, s.se * self.total, s.lower * self.total, s.upper * self.total


def stratified(matrix: NDArray[np.integer], areas: Floats, level: float = 0.95) -> Accuracy:
    """Accuracies and error-adjusted shares of the classes of a map from a sample drawn in each of its classes.

    `matrix` (k, k) counts samples by map class (row) and reference class (column), `areas` (k,) are mapped areas in
    any unit. InputError for a mapped class with fewer than two samples: nothing can be said of it. The user's accuracy
    of a class without samples, which nobody mapped, is NaN.

    Standard errors are the paper's (equations 5 to 11). Its interval, 1.96 of them to either side, held the truth
    in 93.4 % of 1,500 random maps: a class without a single error gets a variance of zero, and a rare one an interval
    below zero. Ours is Wilson's score interval on the effective number of samples, the cells shrunk by one sample
    spread over the classes (Perks), with Satterthwaite's degrees of freedom: 94.9 % there, as wide.
    """
    n = np.asarray(matrix, float)
    mapped = np.asarray(areas, float)
    refuse(n, mapped)
    if not 0 < level < 1:
        raise InputError(f"Intervals at a level of {level:g} were asked for. Give one between 0 and 1, such as 0.95.")
    drawn = np.maximum(n.sum(axis=1), 1.0)
    weight = mapped / mapped.sum()
    cell = n / drawn[:, None]
    k = len(n)
    shrunk = (n + 1 / k) / (drawn[:, None] + 1)

    def mixed(part: Floats, smooth: Floats) -> Proportion:
        """A weighted mean over strata of a proportion in each."""
        value = (weight[:, None] * part).sum(axis=0)
        free = np.maximum(drawn - 1, 1)[:, None]
        variance = (weight[:, None] ** 2 * part * (1 - part) / free).sum(axis=0)
        parts = weight[:, None] ** 2 * smooth * (1 - smooth) / free
        return score(value, np.sqrt(variance), (weight[:, None] * smooth).sum(axis=0), parts, free, level)

    right, surely, free = np.diag(cell), np.diag(shrunk), np.maximum(drawn - 1, 1)
    parts = (surely * (1 - surely) / free)[None, :]
    users = np.where(n.sum(axis=1) > 0, right, np.nan)
    alone = score(users, np.sqrt(users * (1 - users) / free), surely, parts, free[None, :], level)
    return Accuracy(
        overall=mixed(right[:, None], surely[:, None]),
        users=alone,
        producers=found(n, mapped, drawn, cell, shrunk, level),
        share=mixed(cell, shrunk),
        total=float(mapped.sum()),
    )


def refuse(n: Floats, areas: Floats) -> None:
    """InputError for what is no error matrix, or too little of one."""
    if n.ndim != 2 or n.shape[0] != n.shape[1] or len(areas) != len(n):
        raise InputError(
            f"An error matrix is square, map classes by reference classes, with one area a map class; there is one of "
            f"{' x '.join(map(str, n.shape))} with {len(areas)} areas. Add a row of zeros for a class nobody mapped."
        )
    if (n < 0).any() or (n != np.round(n)).any() or not np.isfinite(areas).all() or (areas < 0).any():
        raise InputError(
            "An error matrix holds counts of samples, and areas are not negative. Give counts, not shares."
        )
    if areas.sum() <= 0:
        raise InputError("The mapped areas add up to nothing. Give the area of each map class.")
    few = [i for i in range(len(n)) if areas[i] > 0 and n[i].sum() < FEWEST]
    if few:
        raise InputError(
            f"The map classes in the rows {', '.join(str(i + 1) for i in few)} have fewer than {FEWEST} reference "
            "samples, so nothing can be said of their ground. Sample them, or merge them with another class."
        )


def found(n: Floats, areas: Floats, drawn: Floats, cell: Floats, shrunk: Floats, level: float) -> Proportion:
    """Producer's accuracies: how much of each reference class the map has, a ratio of two estimates."""
    free = np.maximum(drawn - 1, 1)

    def variance(of: Floats, value: Floats, held: Floats) -> Floats:
        """Of the ratio, part by part of the strata (k strata, k classes): equation 7."""
        spread = areas[:, None] ** 2 * of * (1 - of) / free[:, None]
        own = np.eye(len(of), dtype=bool)
        weighed: Floats = np.where(own, (1 - value) ** 2, value**2) * spread / np.maximum(held, 1e-300) ** 2
        return weighed

    held = (areas[:, None] * cell).sum(axis=0)
    with np.errstate(invalid="ignore", divide="ignore"):
        value = np.where(held > 0, areas * np.diag(cell) / held, np.nan)
    smooth = (areas[:, None] * shrunk).sum(axis=0)
    likely = areas * np.diag(shrunk) / smooth
    parts = variance(shrunk, likely, smooth)
    return score(value, np.sqrt(variance(cell, value, held).sum(axis=0)), likely, parts, free[:, None], level)


def score(value: Floats, se: Floats, likely: Floats, parts: Floats, free: Floats, level: float) -> Proportion:
    """Wilson's interval with as many samples as give the variance of the likely value, `parts` added up."""
    variance = parts.sum(axis=0)
    tail = 0.5 + level / 2
    with np.errstate(invalid="ignore", divide="ignore"):
        degrees = variance**2 / (parts**2 / free).sum(axis=0)
        wide = np.where(np.isfinite(degrees), t.ppf(tail, np.maximum(degrees, 1.0)), norm.ppf(tail))
        many = np.where(variance > 0, likely * (1 - likely) / variance, np.inf)
        shift = wide**2 / many
        middle = (value + shift / 2) / (1 + shift)
        half = wide * np.sqrt(value * (1 - value) / many + wide**2 / (4 * many**2)) / (1 + shift)
    return Proportion(value, se, np.clip(middle - half, 0.0, 1.0), np.clip(middle + half, 0.0, 1.0))
