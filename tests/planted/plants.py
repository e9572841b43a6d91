"""What is planted into an honest country, each plant at a place and time that are possible for it.

Series are in the unit as published, before rounding and gaps. Every plant is drawn from a stream of its own, so that
a seed is the same country whatever is planted.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from tests.planted.country import AREAS, Country, neighbours
from tests.planted.truth import Floats

ACRES = 247.105  # in a square kilometre


@dataclass(frozen=True, kw_only=True)
class Planted:
    """The two series after planting, and where and how much."""

    satellite: Floats
    official: Floats
    scope: str = ""
    areas: tuple[int, ...] = ()
    since: float = np.nan
    until: float = np.nan
    effect: float = np.nan
    follows: Floats | None = None
    """The satellite on the boundaries that the office really follows."""
    factor: float = 1.0
    """Of a slip of units; it keeps the digits that the office would have published."""


def place(rng: np.random.Generator, chances: tuple[float, float, float] = (0.4, 0.3, 0.3)) -> tuple[str, list[int]]:
    """The nation, a province or a district, by these chances."""
    scope = str(rng.choice(("nation", "province", "area"), p=chances))
    if scope == "nation":
        return scope, list(range(AREAS))
    if scope == "province":
        first = 6 * int(rng.integers(0, 4))
        return scope, list(range(first, first + 6))
    return scope, [int(rng.integers(0, AREAS))]


def turning(country: Country, rng: np.random.Generator) -> int:
    """Position of a year with at least five published years before it and four after."""
    told = np.flatnonzero(country.common)
    return int(rng.choice(told[5:-4]))


def _nothing(country: Country, rng: np.random.Generator, size: float) -> Planted:
    return Planted(satellite=country.value(country.satellite), official=country.value(country.official))


def _moved(country: Country, areas: list[int], shift: Floats | float, *, satellite: bool = False) -> Planted:
    """The difference satellite minus official becomes larger by `shift` tolerances, by the fault of one side."""
    measured, counted = country.satellite.copy(), country.official.copy()
    if satellite:
        measured[areas] += shift
    else:
        counted[areas] -= shift
    return Planted(satellite=country.value(measured), official=country.value(counted), areas=tuple(areas))


def _sign(rng: np.random.Generator) -> float:
    return float(rng.choice((-1.0, 1.0)))


def _level(country: Country, rng: np.random.Generator, size: float) -> Planted:
    """A constant bias. Of a whole proxy, the fitted line takes it up."""
    scope, areas = place(rng)
    size *= _sign(rng)
    planted = replace(_moved(country, areas, size), scope=scope, effect=size)
    if country.proxy and scope == "nation":
        return replace(planted, satellite=country.value(country.satellite - size))
    return planted


def _trend(country: Country, rng: np.random.Generator, size: float) -> Planted:
    """A drift from `size` over the published record to `size` a decade."""
    scope, areas = place(rng)
    told = country.years[country.common]
    decades = float(told[-1] - told[0]) / 10
    slope = _sign(rng) * size / rng.uniform(1, max(decades, 1.0))
    since_middle = (country.years - (told[0] + told[-1]) / 2) / 10
    return replace(_moved(country, areas, slope * since_middle), scope=scope, effect=slope)


def _break(country: Country, rng: np.random.Generator, size: float) -> Planted:
    """A step of the official series, for good."""
    scope, areas = place(rng)
    turn = turning(country, rng)
    size *= _sign(rng)
    step = np.where(np.arange(country.years.size) >= turn, size, 0.0)
    return replace(_moved(country, areas, step), scope=scope, effect=size, since=float(country.years[turn]))


def _sensor(country: Country, rng: np.random.Generator, size: float) -> Planted:
    """A step of the satellite, for good, everywhere: a sensor sees the whole country."""
    turn = turning(country, rng)
    size *= _sign(rng)
    step = np.where(np.arange(country.years.size) >= turn, size, 0.0)
    planted = _moved(country, list(range(AREAS)), step, satellite=True)
    return replace(planted, scope="nation", effect=size, since=float(country.years[turn]))


def _optimistic(country: Country, rng: np.random.Generator, size: float) -> Planted:
    """The last two to five published years grow better than they were, the last by `size`."""
    scope, areas = place(rng)
    told = np.flatnonzero(country.common)
    length = int(rng.integers(2, 6))
    first, last = int(told[-length]), int(told[-1])
    ramp = np.clip((np.arange(country.years.size) - first + 1) / (last - first + 1), 0, 1)
    size *= -country.better
    planted = _moved(country, areas, size * ramp)
    return replace(planted, scope=scope, effect=size, since=float(country.years[first]))


def _gap(country: Country, rng: np.random.Generator, size: float) -> Planted:
    """The satellite is off in proportion to what it did not see, by `size` on average."""
    scope, areas = place(rng, (0.6, 0.4, 0))
    size *= _sign(rng)
    unseen = country.unseen[areas] / country.unseen[areas][country.satellite_there[areas]].mean()
    return replace(_moved(country, areas, size * unseen, satellite=True), scope=scope)


def _definition(country: Country, rng: np.random.Generator, size: float) -> Planted:
    """The office counts something in proportion to ours, off by `size` on average over the country."""
    planted = _nothing(country, rng, size)
    size *= _sign(rng)
    if country.relative:
        share = float(np.exp(-size * np.log1p(country.tolerance)))
    else:
        share = 1 - size * country.tolerance / float(country.value(country.real).mean())
    satellite = planted.satellite * share if country.proxy else planted.satellite
    return replace(
        planted,
        satellite=satellite,
        official=planted.official * share,
        scope="nation",
        areas=tuple(range(AREAS)),
        effect=size if country.relative else np.nan,
    )


def _unit(country: Country, rng: np.random.Generator, size: float) -> Planted:
    """Values in another unit: always, or from a year on."""
    planted = _nothing(country, rng, size)
    scope, areas = place(rng)
    if country.fraction:
        factor = 0.01
    elif country.kind == "surface":
        factor = float(rng.choice((100.0, ACRES, 1000.0)))
    else:
        factor = float(rng.choice((1000.0, 0.001)))
    turn = turning(country, rng) if rng.random() < 0.5 else 0
    official = planted.official.copy()
    official[areas, turn:] *= factor
    always = country.proxy and scope == "nation" and not turn
    return replace(
        planted,
        satellite=planted.satellite * factor if always else planted.satellite,
        official=official,
        scope=scope,
        areas=tuple(areas),
        since=float(country.years[turn]) if turn else np.nan,
        factor=factor,
    )


def _swap(country: Country, rng: np.random.Generator, size: float) -> Planted:
    """Two districts under each other's name, of one province as often as not: always, or from a year on."""
    planted = _nothing(country, rng, size)
    one = int(rng.integers(0, AREAS))
    near = [k for k in range(AREAS) if k != one and (k // 6 == one // 6)]
    other = int(rng.choice(near if rng.random() < 0.5 else [k for k in range(AREAS) if k != one]))
    turn = turning(country, rng) if rng.random() < 0.5 else 0
    official = planted.official.copy()
    official[[one, other], turn:] = official[[other, one], turn:]
    since = float(country.years[turn]) if turn else np.nan
    return replace(planted, official=official, scope="pair", areas=(min(one, other), max(one, other)), since=since)


def _copied(country: Country, rng: np.random.Generator, size: float) -> Planted:
    """A year that repeats the year before, in the nation or a province."""
    planted = _nothing(country, rng, size)
    scope, areas = place(rng, (0.5, 0.5, 0))
    told = np.flatnonzero(country.common)
    year = int(rng.choice([k for k in told if k - 1 in told]))
    official = planted.official.copy()
    official[areas, year] = official[areas, year - 1]
    when = float(country.years[year])
    return replace(planted, official=official, scope=scope, areas=tuple(areas), since=when, until=when)


def _interpolated(country: Country, rng: np.random.Generator, size: float) -> Planted:
    """Only every fifth year was counted and lines are drawn between: over 10 or 15 years, or from end to end."""
    planted = _nothing(country, rng, size)
    scope, areas = place(rng)
    told = np.flatnonzero(country.common)
    first, last = int(told[0]), int(told[-1])
    whole = rng.random() < 0.4
    if not whole:
        length = int(rng.choice([n for n in (10, 15) if n <= last - first]))
        first = int(rng.integers(first, last - length + 1))
        last = first + length
    knots = sorted({*range(first, last + 1, 5), last})
    official = planted.official.copy()
    for k in areas:
        official[k, first : last + 1] = np.interp(np.arange(first, last + 1), knots, official[k, knots])
    since, until = float(country.years[first]), float(country.years[last])
    return replace(planted, official=official, scope=scope, areas=tuple(areas), since=since, until=until)


def _boundary(country: Country, rng: np.random.Generator, size: float) -> Planted:
    """A piece of one district counts with its neighbour from a year on, which changes the first by `size` at once."""
    planted = _nothing(country, rng, size)
    pair = border(country, rng)
    turn = turning(country, rng)
    share = float(rng.uniform(0.25, 0.4))
    official = planted.official.copy()
    official[:, turn:] = redrawn(country, planted.official, pair, share, size)[:, turn:]
    return replace(
        planted,
        official=official,
        scope="pair",
        areas=(min(pair), max(pair)),
        since=float(country.years[turn]),
        follows=redrawn(country, planted.satellite, pair, share, size),
    )


def border(country: Country, rng: np.random.Generator) -> tuple[int, int]:
    """Two neighbours, the one that loses a piece first: of shares one that lies well inside 0 to 100."""
    pairs = [pair[::step] for pair in neighbours() for step in (1, -1)]
    if country.fraction:
        mean = country.value(country.real).mean(1)
        pairs = [pair for pair in pairs if 25 < mean[pair[0]] < 75] or pairs
    first, second = pairs[int(rng.integers(0, len(pairs)))]
    return first, second


def redrawn(country: Country, values: Floats, pair: tuple[int, int], share: float, size: float) -> Floats:
    """`values` after a piece of the first district became the second's. What adds up takes its value along; of a share
    or a level the piece has `share` of the district's weight, and differs from the rest of it by so much that the
    district changes by `size` tolerances."""
    loser, winner = pair
    whole = values[loser]
    changed = values.copy()
    upwards = country.fraction and float(country.value(country.real[loser]).mean()) > 50  # away from 0 and 100
    rest = country.value(country.steps(whole) + (size if upwards else -size))
    changed[loser] = rest
    if country.extensive:
        changed[winner] = values[winner] + whole - rest
        return changed
    weights = np.ones(AREAS) if country.weights is None else country.weights
    piece, weight = (whole - (1 - share) * rest) / share, share * weights[loser]
    changed[winner] = (weights[winner] * values[winner] + weight * piece) / (weights[winner] + weight)
    return changed


SOW: dict[str, Callable[[Country, np.random.Generator, float], Planted]] = {
    "none": _nothing,
    "level": _level,
    "trend": _trend,
    "break": _break,
    "unit": _unit,
    "swap": _swap,
    "interpolated": _interpolated,
    "boundary": _boundary,
    "copied": _copied,
    "optimistic": _optimistic,
    "definition": _definition,
    "sensor": _sensor,
    "gap": _gap,
}
