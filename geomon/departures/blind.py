"""Departures that could not be seen in a panel even if they were there, with the cause in one word."""

import numpy as np

from geomon.departures.breaks import own_step
from geomon.departures.levels import yearly
from geomon.departures.noise import Noise
from geomon.departures.records import Floats, Panel
from geomon.departures.scale import middle, scaled

SHAPES = ("swap", "boundary", "level", "definition", "trend", "break", "sensor", "optimistic", "gap", "odd year")
TWO = 2.0  # tolerances: a departure of that size should be told


def cannot_tell(panel: Panel, model: Noise | None, could: dict[str, bool]) -> dict[str, str]:
    """Name -> 'years', 'proxy', 'single area', 'rounding', 'alike' or 'movement'.

    `could` says of the screens of the official series alone whether they could have found anything.
    """
    out: dict[str, str] = {}
    n, length = panel.official.shape
    if not could["interpolated"]:
        out["interpolated"] = "years" if length < 5 else "rounding"
    if not could["copied"]:
        out["copied"] = "years" if length < 4 else "rounding"
    if model is None:
        out |= dict.fromkeys(SHAPES, "years")
    elif n > 1 and _alike(panel):
        out["swap"] = "alike"
    if model is not None and not panel.satellite_breaks and _moves(panel, model):
        out["sensor"] = "movement"
    if n == 1:
        out |= dict.fromkeys(("swap", "boundary", "copied"), "single area")
    if panel.proxy:
        out |= dict.fromkeys(("level", "definition", "unit", "swap"), "proxy")
    return out


def _alike(panel: Panel) -> bool:
    """Whether all areas lie so near each other that exchanged names would change less than a tolerance."""
    height = middle(scaled(panel.satellite, panel), 1)
    height = height[np.isfinite(height)]
    return bool(height.size < 2 or np.ptp(height) < 1)


def _moves(panel: Panel, model: Noise) -> bool:
    """Whether the indicator itself moves so much from year to year that a jump of one side does not stand out."""
    kept = np.isin(panel.years, model.years)
    sides: list[Floats] = [scaled(z[:, kept], panel) for z in (panel.satellite, panel.official)]
    half = len(model.years) // 2
    errors = [own_step(yearly(z, model.seen), model.years, half)[1] for z in sides]
    return bool(TWO**2 / (2 * min(errors) ** 2) < 1)
