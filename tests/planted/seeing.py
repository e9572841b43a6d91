"""What could be seen in a planted world, and what could not be told from it, from how the world was made.

The judge here is no check: it is the best test there can be (Neyman and Pearson 1933), which knows the honest
departures' covariance, and the plant's name, time and size, and has only to look where it is. Where it would find the
plant in less than half of such worlds, no method can see it. Two explanations of which the best guess is wrong in more
than one case of four are twins.
"""

import numpy as np
from scipy.stats import norm

from geomon.departures.records import Allowance
from tests.planted.country import AREAS, Country, neighbours
from tests.planted.plants import Planted
from tests.planted.truth import Floats

ALIKE = 2 * 0.674  # standard deviations between two hypotheses at which the best guess is wrong in one case of four
PLACES = {"nation": 1, "province": 4, "area": AREAS}
SHIFTS = ("level", "trend", "break", "optimistic", "definition", "sensor", "gap")
"""Plants that only move a series, so that noise can hide them and one may look like another."""


def sight(plant: str, country: Country, planted: Planted, shift: Floats) -> tuple[str, float]:
    """Why no method can see the plant ('' if one can), and the chance that the best test finds it.

    `shift` is (areas, years): what the plant added to satellite minus official, in tolerances.
    """
    if country.proxy and _taken_up(plant, planted):
        return "proxy", 0.05
    if plant == "interpolated":
        return ("rounding" if _as_straight(country, planted) else ""), np.nan
    if plant == "copied":
        return ("rounding" if _as_still(country, planted) else ""), np.nan
    if plant == "unit":
        return "", np.nan
    if plant == "swap" and abs(float(shift[planted.areas[0], country.common].sum())) < _touched(country, planted):
        return "alike", np.nan
    known = country.common
    distance = float(np.linalg.norm(whitened(country, shift[:, known])))
    places = PLACES.get(planted.scope, AREAS * (AREAS - 1) // 2 if plant == "swap" else len(neighbours()))
    chance = float(norm.cdf(distance - norm.ppf(1 - 0.025 / places)))
    if chance >= 0.5:
        return "", chance
    return ("proxy" if country.proxy and plant == "swap" else "noise"), chance


def twins(
    plant: str, country: Country, planted: Planted, shift: Floats, *, metadata: bool, declared: bool
) -> list[str]:
    """Names that no method could tell from the plant here; `declared` if the metadata name this very plant.

    A name stands for all its sizes and times, at the place of the plant. A step of the satellite has the shape of one
    of the office; which of them stepped shows as long as the country itself does not move as much in a year.
    """
    same: list[str] = []
    if plant in SHIFTS and not declared:
        whole = planted.scope == "nation"
        itself = {plant, "break"} if plant == "sensor" else {plant}
        itself |= set() if whole else {"gap"}
        same += [name for name in _likenesses(country, planted, shift) if name not in itself]
        if country.relative and plant in ("level", "definition"):
            same.append("definition" if plant == "level" else "level")
    if plant in ("break", "sensor") and not metadata and planted.scope == "nation" and _hidden_side(country, shift):
        same.append("sensor" if plant == "break" else "break")
    return sorted(set(same))


def whitened(country: Country, fields: Floats) -> Floats:
    """Fields (..., areas, common years) so that honest differences have the identity for covariance, (..., n).

    Districts are alike and the nation is added to all, so the mean of the areas and what is left of it are
    independent, and two matrices of years by years are all that is needed.
    """
    said, years = Allowance(), country.years[country.common]
    decades = (years - country.years.mean()) / 10
    ones, drift = np.ones((years.size, years.size)), np.outer(decades, decades)
    noise = country.scatter**2 * country.memory ** np.abs(np.subtract.outer(years, years))
    typical = float(np.median(country.value(country.real)))
    rounding = country.quantum / (typical * np.log1p(country.tolerance) if country.relative else country.tolerance)
    nowhere = 1e3 if country.proxy else 0.0  # constants of a proxy say nothing
    wide = country.honesty**2
    area = (wide * said.area**2 + nowhere) * ones + wide * said.drift_area**2 * drift + noise
    area += rounding**2 / 12 * np.eye(years.size)
    nation = (wide * said.nation**2 + nowhere) * ones + wide * said.drift_nation**2 * drift + noise / 9
    mean = fields.sum(axis=-2, keepdims=True) / np.sqrt(AREAS)
    rest = fields - fields.mean(axis=-2, keepdims=True)
    parts = [_solved(area, rest), _solved(area + AREAS * nation, mean)]
    return np.concatenate([part.reshape(*fields.shape[:-2], -1) for part in parts], axis=-1)


def _taken_up(plant: str, planted: Planted) -> bool:
    """Whether a line fitted between proxy and official leaves nothing of it to see."""
    return plant in ("level", "definition") or (
        plant == "unit" and planted.scope == "nation" and bool(np.isnan(planted.since))
    )


def _touched(country: Country, planted: Planted) -> int:
    """How many common years the plant touches; a swap of districts nearer than a tolerance sums to less."""
    since = -np.inf if np.isnan(planted.since) else planted.since
    return int((country.common & (country.years >= since)).sum())


def _as_straight(country: Country, planted: Planted) -> bool:
    """Whether rounding makes honest series as straight: bends of more than one step of rounding are so rare here that
    by chance none would lie between the knots of the stretch, somewhere in the country, in over 5 % of worlds."""
    inside = int(((country.years >= planted.since) & (country.years <= planted.until)).sum())
    between = inside - 2 - (inside - 2) // 5  # years that have a bend and are no knot
    values = np.round(country.value(country.official)[list(planted.areas)], country.decimals)
    bent = float((np.abs(np.diff(values, n=2, axis=1)) > 1.5 * country.quantum).mean())
    return PLACES[planted.scope] * (1 - bent) ** (between * len(planted.areas)) > 0.05


def _as_still(country: Country, planted: Planted) -> bool:
    """Whether rounding makes honest years repeat: all areas of such a place would do so by chance, in some year, in
    over 5 % of worlds."""
    values = np.round(country.value(country.official)[list(planted.areas)], country.decimals)
    repeats = float((np.diff(values, axis=1) == 0).mean())
    return PLACES[planted.scope] * (country.years.size - 1) * repeats ** len(planted.areas) > 0.05


def _hidden_side(country: Country, shift: Floats) -> bool:
    """Whether the country itself moves so much from year to year that nobody can say which series stepped."""
    step = float(np.abs(np.diff(shift.mean(axis=0))).max())
    movement = float(np.diff(country.official.mean(axis=0)).std())
    return step < ALIKE * movement


def _likenesses(country: Country, planted: Planted, shift: Floats) -> list[str]:
    """Names whose nearest shape at this place is within ALIKE of the plant's."""
    known = country.common
    target = whitened(country, shift[:, known][None])[0]
    near = []
    for name, shapes in _shapes(country).items():
        fields = np.zeros((len(shapes), AREAS, int(known.sum())))
        areas = list(planted.areas)
        fields[:, areas] = shapes[:, areas][..., known]
        white = whitened(country, fields)
        length = np.maximum((white**2).sum(axis=1), 1e-12)
        left = (target**2).sum() - np.einsum("ij,j->i", white, target) ** 2 / length
        if left.min() < ALIKE**2:
            near.append(name)
    return near


def _shapes(country: Country) -> dict[str, Floats]:
    """Of each name the shapes that it can have, (shapes, areas, years), sizes left open."""
    years, told = np.arange(country.years.size), np.flatnonzero(country.common)
    breaks = [(years >= k).astype(float) for k in told[2:-1]]
    ramps = [np.clip((years - told[-n] + 1) / (told[-1] - told[-n] + 1), 0, 1) for n in range(2, 6)]
    drift = country.years - country.years[told].mean()
    alone = [(years == k).astype(float) for k in told]
    lines = {"level": [np.ones(years.size)], "trend": [drift], "break": breaks, "optimistic": ramps, "odd year": alone}
    shapes = {name: np.repeat(np.array(rows, dtype=float)[:, None, :], AREAS, axis=1) for name, rows in lines.items()}
    if not country.relative:
        shapes["definition"] = country.real[None]
    shapes["gap"] = country.unseen[None]
    return shapes


def _solved(covariance: Floats, fields: Floats) -> Floats:
    """Fields along the last axis, over the root of their covariance."""
    root = np.linalg.inv(np.linalg.cholesky(covariance))
    return np.asarray(np.einsum("ij,...j->...i", root, fields))
