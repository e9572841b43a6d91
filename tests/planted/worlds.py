"""Random worlds with one thing planted in them, or nothing, and the truth about each.

Choices, and why. Scopes: nation in 4 of 10 worlds, a province or a district in 3 each; a sensor and a definition are
national, a copied year national or provincial, a gap bias never of one district (its clouds could not be told from a
level). Times: five common years before a turn and four after. A `trend` is of `effect` tolerances over the record at
least and a decade at most. Half of the official breaks are declared, all sensor breaks and definitions are. Breaks,
definitions and boundaries that mean nothing are declared in other worlds, breaks never within two years of a true
turn, so that metadata help and do not give the answer away. A definition without meaning never stands beside a level
(that would be a false statement of the publisher, which no check can see). A `unit` slip keeps the digits that the
value would have had. A plant that a proxy's fitted line takes up leaves no trace, because the line was fitted to it.
"""

from dataclasses import dataclass

import numpy as np

from geomon.departures.records import Panel, Version
from tests.planted.country import Country, honest, names, neighbours
from tests.planted.plants import SOW, Planted, border, redrawn
from tests.planted.seeing import sight, twins
from tests.planted.truth import Floats, Truth, World

TOLD = "the office counts by another definition"


@dataclass(frozen=True, kw_only=True)
class Beside:
    """What is on file beside the series, whether it matters or not."""

    satellite_breaks: tuple[float, ...]
    official_breaks: tuple[float, ...]
    definition: str
    versions: tuple[Version, ...]


def make(
    seed: int,
    plant: str,
    *,
    noise: str,
    effect: float = 2.0,
    metadata: bool = True,
    geometry: bool = True,
    years: int | None = None,
    honesty: float = 1.0,
) -> World:
    """The world of a seed: the same country whatever is planted, with `effect` tolerances of `plant` in it.

    `noise` is one of NOISES. `metadata` and `geometry` say what the check is given beside the series. `honesty` is how
    many times larger honest departures are than the allowance that the panel declares. `years` (20 to 25 if None) is
    at least 20.
    """
    if years is not None and years < 20:
        raise ValueError(f"A planted world has at least 20 years; {years} were asked for.")
    country = honest(np.random.default_rng((seed, 0)), noise=noise, years=years, honesty=honesty)
    planted = SOW[plant](country, np.random.default_rng((seed, 1)), effect)
    beside = _beside(country, planted, plant, np.random.default_rng((seed, 2)), effect)
    truth = _truth(plant, country, planted, beside, metadata=metadata, geometry=geometry)
    return World(
        seed=seed,
        noise=noise,
        kind=country.kind,
        panel=_panel(country, planted, beside, metadata=metadata, geometry=geometry),
        truth=truth,
    )


def _beside(country: Country, planted: Planted, plant: str, rng: np.random.Generator, effect: float) -> Beside:
    """Breaks, definition and boundary versions, those that matter and those that do not."""
    far = [float(y) for y in country.years[3:-3] if np.isnan(planted.since) or abs(y - planted.since) > 2]
    sensor = (float(rng.choice(far)),) if rng.random() < 0.3 else ()
    office = (float(rng.choice(far)),) if rng.random() < 0.15 else ()
    declared, idle_definition = rng.random() < 0.5, rng.random() < 0.1
    if plant == "sensor":
        sensor = (planted.since,)
    if plant == "break":
        office = (planted.since,) if declared else ()
    return Beside(
        satellite_breaks=sensor,
        official_breaks=office,
        definition=TOLD if plant == "definition" or (idle_definition and plant != "level") else "",
        versions=_versions(country, planted, rng, effect, far),
    )


def _versions(
    country: Country, planted: Planted, rng: np.random.Generator, effect: float, far: list[float]
) -> tuple[Version, ...]:
    """The boundaries that the office follows, and in some worlds others that nobody follows."""
    found = [] if planted.follows is None else [(planted.since, planted.follows)]
    if rng.random() < (0.4 if found else 0.25):
        pair = border(country, rng)
        while found and set(pair) & set(planted.areas):
            pair = border(country, rng)
        size = float(rng.uniform(0.25, 0.4))
        found.append((float(rng.choice(far)), redrawn(country, planted.satellite, pair, size, effect)))
    return tuple(
        Version(name=f"boundaries {n}", since=found[k][0], satellite=_published(country, found[k][1]))
        for n, k in enumerate(rng.permutation(len(found)), start=1)
    )


def _published(country: Country, satellite: Floats) -> Floats:
    """Satellite values with their gaps, shares within 0 to 100."""
    whole = np.clip(satellite, 0, 100) if country.fraction else satellite
    return np.where(country.satellite_there, whole, np.nan)


def _panel(country: Country, planted: Planted, beside: Beside, *, metadata: bool, geometry: bool) -> Panel:
    """What the check sees: rounded, with gaps, with the bounds of what was not observed."""
    satellite = _published(country, planted.satellite)
    seen = 1 - np.where(country.satellite_there, country.unseen, np.nan)
    areas, parents = names()
    return Panel(
        areas=areas,
        parents=parents,
        years=country.years,
        satellite=satellite,
        official=_rounded(country, planted),
        tolerance=country.tolerance,
        relative=country.relative,
        fraction=country.fraction,
        lower=satellite * seen,
        upper=satellite * seen + (100 * (1 - seen) if country.fraction else np.where(np.isnan(seen), np.nan, np.inf)),
        unseen=1 - seen,
        weights=country.weights,
        satellite_breaks=beside.satellite_breaks if metadata else (),
        official_breaks=beside.official_breaks if metadata else (),
        definition=beside.definition if metadata else "",
        versions=beside.versions if geometry else (),
        neighbours=neighbours() if geometry else None,
        proxy=country.proxy,
    )


def _rounded(country: Country, planted: Planted) -> Floats:
    """Official values with the office's gaps and decimals; where a slip made them small, with as many more decimals."""
    values = np.round(planted.official, country.decimals)
    if country.fraction:
        values = np.clip(values, 0, 100)
    if planted.factor < 1:
        finer = np.round(planted.official, country.decimals - round(np.log10(planted.factor)))
        slipped = country.years >= np.nan_to_num(planted.since, nan=-np.inf)
        rows = np.isin(np.arange(len(values)), planted.areas)
        values = np.where(rows[:, None] & slipped, finer, values)
    return np.where(country.official_there, values, np.nan)


def _truth(plant: str, country: Country, planted: Planted, beside: Beside, *, metadata: bool, geometry: bool) -> Truth:
    """The true differences, and what can be seen and told of the plant."""
    satellite, official = country.steps(planted.satellite), country.steps(planted.official)
    shift = (satellite - country.satellite) - (official - country.official)
    total = country.departure + shift
    weights = np.ones(len(total)) if country.weights is None else country.weights
    known = country.common
    nation = np.average(total, axis=0, weights=weights)[known].mean()
    true = country.value(country.real + total), country.value(country.real)
    both = [country.steps(np.average(side, axis=0, weights=weights)) for side in true]
    declared = {"sensor": metadata, "definition": metadata, "break": metadata and bool(beside.official_breaks)}
    because, chance = sight(plant, country, planted, shift) if plant != "none" else ("", np.nan)
    same: list[str] = []
    if plant != "none" and not because:
        named = declared.get(plant, False)
        same = twins(plant, country, planted, shift, metadata=metadata, declared=named)
        if plant == "boundary" and not geometry:
            same = ["break"]
    return Truth(
        plant=plant,
        scope=planted.scope,
        areas=planted.areas,
        since=planted.since,
        until=planted.until,
        effect=planted.effect,
        with_honest=planted.effect + _honest_part(plant, country, list(planted.areas), weights),
        twins=tuple(same),
        visible=not because,
        because=because,
        best=chance,
        nation=float(nation),
        nation_value=float((both[0] - both[1])[known].mean()),
        districts=tuple(total[:, known].mean(axis=1).tolist()),
    )


def _honest_part(plant: str, country: Country, areas: list[int], weights: Floats) -> float:
    """The honest departure of a place that looks like the plant: its mean beside a level, its drift beside a trend."""
    if plant not in ("level", "trend"):
        return 0.0
    there = np.average(country.departure[areas], axis=0, weights=weights[areas])[country.common]
    if plant == "level":
        return float(there.mean())
    return float(np.polyfit(country.years[country.common] / 10, there, 1)[0])
