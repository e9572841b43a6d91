"""Each kernel beside a yardstick in numpy, by turns: has it become slower than it was, whatever the machine?

`make guard` runs it. A ratio below two thirds of the one that is written down is a failure; `make guard KEEP=1` writes
the ratios of this run down. No part of the tests: on a busy machine even ratios move.
"""

import json
import os
import statistics
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from benchmarks.pairs import once
from geomon.grid import Grid, Window
from geomon.stats.composite import Mask, Stack, median
from geomon.stats.coverage import cover
from geomon.stats.drought import fit_gamma, months, spi
from geomon.stats.smoothing import whittaker
from geomon.stats.terrain import elevation_range, slope
from geomon.stats.trend import trends
from geomon.stats.zonal import class_areas, sums

KNOWN = Path(__file__).with_name("ratios.json")
SIDE = 1000
LEAST = 2 / 3

rng = np.random.default_rng(7)
FIELD = rng.random((2, SIDE, SIDE), dtype=np.float32)
SERIES = rng.random((22, 60_000), dtype=np.float32)
MONTHS = rng.gamma(2.0, 30.0, (360, 2_000))
TIMES = np.arange("1990-01", "2020-01", dtype="datetime64[M]").astype("datetime64[ns]")
WINDOW = Window(Grid("EPSG:32633", 500_000.0, 5_000_000.0, 30.0, 30.0), 0, SIDE, 0, SIDE)


def zones() -> list[Any]:
    """Sixty overlapping discs with wavy borders."""
    import shapely

    west, south, east, north = WINDOW.bounds
    angle = np.linspace(0, 2 * np.pi, 400, endpoint=False)
    found = []
    for x, y in rng.uniform((west, south), (east, north), (60, 2)):
        radius = 3_000 * (1 + 0.1 * np.sin(9 * angle))
        found.append(shapely.Polygon(np.column_stack([x + radius * np.cos(angle), y + radius * np.sin(angle)])))
    return found


ZONES = zones()
COVERAGE = cover(ZONES, WINDOW)
CLASSES = (FIELD * 7).astype(np.uint8)
IMAGES = Stack((rng.random((12, 512, 512)) * 9_000 + 1).astype(np.uint16), np.ones(12), np.zeros(12), 0)
OTHERS = Stack((rng.random((12, 512, 512)) * 9_000 + 1).astype(np.uint16), np.ones(12), np.zeros(12), 0)
CLEAR = Mask(
    (rng.random((12, 256, 256)) * 12).astype(np.uint8), np.arange(256) % 3 > 0, np.arange(512) // 2, np.arange(512) // 2
)
SEASON = months(TIMES)
GAMMA = fit_gamma(MONTHS, SEASON)

KERNELS: dict[str, Callable[[], Any]] = {
    "coverage": lambda: cover(ZONES, WINDOW),
    "zone sums": lambda: sums(FIELD, COVERAGE),
    "class areas": lambda: class_areas(CLASSES, COVERAGE, range(7)),
    "trends": lambda: trends(SERIES),
    "whittaker": lambda: whittaker(SERIES, 10.0),
    "spi": lambda: spi(MONTHS, SEASON, GAMMA),
    "median of packed dates": lambda: median(IMAGES, OTHERS, CLEAR),
    "slope": lambda: slope(FIELD[0], WINDOW),
    "elevation range": lambda: elevation_range(FIELD[0, :400, :400], Window(WINDOW.grid, 0, 400, 0, 400), 3_000.0),
}


def yardstick() -> float:
    """Sorting in numpy: as much arithmetic and memory as most of these, and nobody's to change here."""
    return float(np.sort(FIELD, axis=1).sum())


@pytest.mark.parametrize("name", KERNELS)
def test_is_as_fast_as_it_was(name: str, benchmark: Any) -> None:
    kernel = KERNELS[name]
    kernel()  # compiled
    benchmark.pedantic(kernel, rounds=5, warmup_rounds=1)
    found = [once(yardstick).seconds / max(once(kernel).seconds, 1e-9) for _ in range(9)]
    ratio = statistics.median(found)
    benchmark.extra_info["ratio"] = ratio
    known = json.loads(KNOWN.read_text()) if KNOWN.exists() else {}
    if os.environ.get("KEEP"):
        KNOWN.write_text(json.dumps({**known, name: float(f"{ratio:.3g}")}, indent=1, sort_keys=True) + "\n")
    elif name not in known:
        pytest.fail(f"No ratio is written down for {name}: make guard KEEP=1")
    else:
        assert ratio > LEAST * known[name], f"{name} took {known[name] / ratio:.2g} times as long as it did"
