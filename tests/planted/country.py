"""A country whose two series are honest: levels, movement, noise, gaps, small lasting differences, and nothing planted.

Drawn as SDG series are: districts differ in level, both sides see the same droughts and slow changes, and the office
rounds and reports late. Everything is made in tolerances ("steps"), where a difference of one is one tolerance.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from geomon.departures.records import Allowance
from tests.planted.truth import NOISES, Floats

AREAS = 24
PROVINCES = 4
ROWS, COLUMNS = 4, 6  # districts lie on a board; provinces are its four quarters of 2 x 3
KINDS = ("forest", "surface", "light", "people", "access", "proxy")
ONLY_RELATIVE = ("light", "people")
PROXY_SPREAD = 1.5  # tolerances: what one line for all districts leaves between them
DARK = 0.5  # a satellite value with more than this unseen is not published


@dataclass(frozen=True, kw_only=True)
class Country:
    """An honest world before rounding and gaps; arrays are (areas, years)."""

    kind: str
    years: Floats
    tolerance: float
    relative: bool
    fraction: bool
    proxy: bool
    extensive: bool
    """Values of parts add up (km2, people), so that a piece that moves takes its value along."""
    decimals: int
    weights: Floats | None
    real: Floats
    """What is there, in tolerances."""
    departure: Floats
    """Honest difference of the satellite, constant and drifting, in tolerances."""
    noise_satellite: Floats
    noise_official: Floats
    scatter: float
    """Standard deviation of one district's yearly difference, in tolerances."""
    memory: float
    """Its correlation with the year before."""
    unseen: Floats
    satellite_there: NDArray[np.bool_]
    official_there: NDArray[np.bool_]
    common: NDArray[np.bool_]
    """(years,) both sides publish."""
    better: int
    """1 if more is better, -1 if less is."""
    honesty: float

    def value(self, steps: Floats) -> Floats:
        """Values in the unit as published, from tolerances."""
        return np.exp(steps * np.log1p(self.tolerance)) if self.relative else steps * self.tolerance

    def steps(self, value: Floats) -> Floats:
        """Tolerances, from values in the unit."""
        return np.log(value) / np.log1p(self.tolerance) if self.relative else value / self.tolerance

    @property
    def satellite(self) -> Floats:
        """What the satellite measures, in tolerances."""
        return self.real + self.departure + self.noise_satellite

    @property
    def official(self) -> Floats:
        """What the office counts, in tolerances, before it rounds."""
        return self.real + self.noise_official

    @property
    def quantum(self) -> float:
        """The step of the office's rounding, in the unit."""
        return float(10.0**-self.decimals)


def names() -> tuple[tuple[str, ...], tuple[str, ...]]:
    """District codes and the province of each, province by province."""
    areas = tuple(f"P{k // 6 + 1}D{k % 6 + 1}" for k in range(AREAS))
    return areas, tuple(name[:2] for name in areas)


def neighbours() -> tuple[tuple[int, int], ...]:
    """Pairs of districts that share a border on the board."""
    at = {}
    for k in range(AREAS):
        province, inside = divmod(k, 6)
        at[(province // 2) * 2 + inside // 3, (province % 2) * 3 + inside % 3] = k
    beside = [(at[r, c], at[r + dr, c + dc]) for r, c in at for dr, dc in ((0, 1), (1, 0)) if (r + dr, c + dc) in at]
    return tuple(sorted((min(a, b), max(a, b)) for a, b in beside))


def honest(rng: np.random.Generator, *, noise: str, years: int | None = None, honesty: float = 1.0) -> Country:
    """Draw a country with 20 to 25 years (or `years`), of one kind of indicator, all else at random."""
    count = int(rng.integers(20, 26)) if years is None else years
    time = np.arange(count, dtype=np.float64) + rng.integers(1998, 2004)
    kind = str(rng.choice(KINDS, p=(0.24, 0.14, 0.2, 0.14, 0.16, 0.12)))
    relative = kind in ONLY_RELATIVE or (kind == "surface" and rng.random() < 0.6)
    fraction = kind in ("forest", "access", "proxy")
    tolerance, value = _levels(rng, kind, relative)
    scale = np.log1p(tolerance) if relative else tolerance
    start = np.log(value) / scale if relative else value / scale
    real = start[:, None] + _movement(rng, kind, start, count, ceiling=92 / tolerance if fraction else np.inf)
    if fraction:
        real = np.clip(real, 6 / tolerance, 94 / tolerance)
    elif not relative:
        real = np.maximum(real, 0.25 * start[:, None])
    low, high = NOISES[noise]
    scatter, memory = float(rng.uniform(low, high)), float(rng.uniform(0, 0.5))
    each = scatter * _remembering(rng, memory, (2, AREAS, count))
    together = scatter / 3 * _remembering(rng, memory, (2, 1, count))
    part = rng.uniform(0.3, 0.8)  # of the variance, the satellite's
    unseen = _unseen(rng, count)
    official_there, satellite_there = _there(rng, count)
    common = np.asarray(official_there.any(0) & satellite_there.any(0))
    heavy = rng.lognormal(0, 0.5, AREAS)
    return Country(
        kind=kind,
        years=time,
        tolerance=tolerance,
        relative=relative,
        fraction=fraction,
        proxy=kind == "proxy",
        extensive=kind in ("surface", "people"),
        decimals=_decimals(rng, tolerance * (float(np.quantile(value, 0.1)) if relative else 1.0)),
        weights=None if kind in ("surface", "people") else heavy,
        real=real,
        departure=_departure(rng, time, honesty, proxy=kind == "proxy"),
        noise_satellite=np.sqrt(part) * (each[0] + together[0]),
        noise_official=np.sqrt(1 - part) * (each[1] + together[1]),
        scatter=scatter,
        memory=memory,
        unseen=unseen,
        satellite_there=satellite_there & (unseen <= DARK),
        official_there=official_there,
        common=common,
        better=-1 if kind == "light" and rng.random() < 0.5 else 1,  # lights, or fine dust
        honesty=honesty,
    )


def _levels(rng: np.random.Generator, kind: str, relative: bool) -> tuple[float, Floats]:
    """The tolerance, and where each district starts, in the unit."""
    if kind == "forest":
        return float(rng.uniform(1, 2.5)), rng.uniform(20, 80, AREAS)
    if kind in ("access", "proxy"):
        return float(rng.uniform(1.5, 2.5)), rng.uniform(12, 55, AREAS)
    if kind == "light":
        return float(rng.uniform(0.08, 0.15)), rng.uniform(6, 20) * rng.lognormal(0, 0.5, AREAS)
    if kind == "people":  # thousands
        return float(rng.uniform(0.03, 0.05)), 150 * rng.lognormal(0, 0.7, AREAS)
    typical = rng.uniform(80, 800)  # km2
    value = typical * rng.lognormal(0, 0.5, AREAS)
    return float(rng.uniform(0.05, 0.1)) * (1.0 if relative else float(value.min())), value


def _movement(rng: np.random.Generator, kind: str, start: Floats, count: int, *, ceiling: float) -> Floats:
    """What really happens after the first year, in tolerances: slow change, saturation, shocks, droughts."""
    t = np.arange(count) / (count - 1)
    own = rng.uniform(0.5, 1.5, AREAS)[:, None]
    if kind in ("access", "proxy"):
        room = (ceiling - start)[:, None] * rng.uniform(0.5, 0.9, AREAS)[:, None]
        slow = room * (1 - np.exp(-rng.uniform(0.5, 2.5) * own * t))
    elif kind == "people":
        slow = rng.uniform(4, 10) * own * t
    else:
        bend = rng.uniform(0, 2)
        shape = (1 - np.exp(-bend * t)) / (1 - np.exp(-bend)) if bend > 0.1 else t
        slow = rng.uniform(-5, 4 if kind != "forest" else 1) * own * shape
    size = np.exp(rng.uniform(np.log(0.3 if kind == "light" else 0.08), np.log(1.5 if kind == "light" else 1.0)))
    memory = rng.uniform(0, 0.5)
    shocks = 0.6 * _remembering(rng, memory, (1, count)) + 0.8 * _remembering(rng, memory, (AREAS, count))
    drought = np.zeros(count)
    if rng.random() < 0.3 and kind != "people":
        drought[rng.integers(1, count)] = -rng.uniform(1, 3)
    return np.asarray(slow + size * shocks + drought * rng.uniform(0.5, 1.5, AREAS)[:, None])


def _departure(rng: np.random.Generator, time: Floats, honesty: float, *, proxy: bool) -> Floats:
    """How honest sides differ: a constant and a drift about the middle of the record, of nation and districts."""
    said = Allowance()
    decades = (time - time.mean()) / 10
    nation, drift = rng.normal(0, honesty, 2) * (said.nation, said.drift_nation)
    constants = rng.normal(0, said.area * honesty, AREAS)
    drifts = rng.normal(0, said.drift_area * honesty, AREAS)
    spread = rng.normal(0, PROXY_SPREAD, AREAS)
    if proxy:  # one line for the whole country leaves no national constant, and what it likes between districts
        nation, constants = 0.0, spread
    return np.asarray((nation + constants)[:, None] + (drift + drifts)[:, None] * decades)


def _remembering(rng: np.random.Generator, memory: float, shape: tuple[int, ...]) -> Floats:
    """Noise with variance one and AR(1) along the last axis."""
    noise = rng.normal(size=shape)
    for k in range(1, shape[-1]):
        noise[..., k] = memory * noise[..., k - 1] + np.sqrt(1 - memory**2) * noise[..., k]
    return noise


def _unseen(rng: np.random.Generator, count: int) -> Floats:
    """Share that was not observed: cloudy places, cloudy years, and bad luck."""
    place = rng.beta(1.5, 12, AREAS)[:, None]
    return np.clip(place * rng.lognormal(0, 0.6, count) * rng.lognormal(0, 0.5, (AREAS, count)), 0, 0.9)


def _there(rng: np.random.Generator, count: int) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Where the office and the satellite publish: it reports late, skips a year now and then, and loses a form."""
    office = rng.random((AREAS, count)) >= rng.uniform(0, 0.06)
    satellite = rng.random((AREAS, count)) >= rng.uniform(0, 0.04)
    late, skipped, skips = rng.integers(0, 3), rng.integers(2, count - 4), rng.random() < 0.15
    office[:, count - late :] = False
    office[:, skipped] &= not skips
    return office, satellite


def _decimals(rng: np.random.Generator, tolerance: float) -> int:
    """Decimals of the published values, 0 to 3: no step is coarser than the tolerance."""
    needed = max(0, int(np.ceil(-np.log10(tolerance))))
    return min(3, max(int(rng.integers(0, 4)), needed))
