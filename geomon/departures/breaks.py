"""Which side jumped: what each series shows by itself, and what is known of sensors and methods."""

from collections.abc import Sequence

import numpy as np

from geomon.departures.records import Floats

WINDOW = 8  # years on either side
UNDECLARED, SENSOR, METHOD = 1.0, -1.2, 1.5
"""Log odds that the official side jumped: no sensor change on file, one in that year, a declared change of method."""


def own_step(values: Floats, years: Floats, k: int) -> tuple[float, float]:
    """The jump of one series at column k beside a local line, and its standard error; (0, 1) where too few years."""
    part = slice(max(0, k - WINDOW), k + WINDOW)
    v, x = values[part], years[part] - years[k]
    good = np.isfinite(v)
    if good.sum() < 7 or (good & (x < 0)).sum() < 3 or (good & (x >= 0)).sum() < 3:
        return 0.0, 1.0
    design = np.column_stack([np.ones(len(x)), x, x >= 0]).astype(float)[good]
    fit, *_ = np.linalg.lstsq(design, v[good], rcond=None)
    rest = v[good] - design @ fit
    power = max(float(rest @ rest) / (good.sum() - 3), 0.02**2)
    return float(fit[2]), float(np.sqrt(np.linalg.inv(design.T @ design)[2, 2] * power))


def official_jumped(
    ours: Floats, theirs: Floats, years: Floats, k: int, sensors: Sequence[float], methods: Sequence[float]
) -> tuple[float, dict[str, float | str]]:
    """Log odds that the official side jumped at column k, not the satellite's, and the two jumps.

    `ours` and `theirs` are (years,) the national satellite and official series in tolerances.
    """
    sat, error_sat = own_step(ours, years, k)
    off, error_off = own_step(theirs, years, k)
    size = max(min(error_sat, error_off), 0.1)
    odds = float(np.clip((off**2 - sat**2) / (2 * size**2), -8, 8))
    near_sensor = any(abs(years[k] - y) <= 1 for y in sensors)
    near_method = any(abs(years[k] - y) <= 1 for y in methods)
    odds += SENSOR if near_sensor else UNDECLARED
    odds += METHOD if near_method else 0.0
    return odds, {
        "jump satellite": sat,
        "jump official": off,
        "movement": size,
        "declared": "both"
        if near_sensor and near_method
        else "satellite"
        if near_sensor
        else "official"
        if near_method
        else "",
    }
