"""The check of 200 countries in twenty series over twenty years, beside itself for two of the series."""

import resource
import time
from collections.abc import Iterator
from io import StringIO
from typing import Any

import numpy as np
import pandas as pd

from benchmarks.pairs import rounded
from geomon.areas import find
from geomon.check import check
from geomon.indicator import Indicator, Official, Output, Source
from geomon.official import read_csv
from geomon.series import tidy

COUNTRIES, SERIES, FEW, YEARS = 200, 20, 2, range(2001, 2021)
TIMES = 3


def measure(cover: Any) -> dict[str, Any]:
    """Nothing is measured here."""
    return {}


def asked(series: int) -> tuple[pd.DataFrame, pd.DataFrame, Indicator]:
    """A satellite series, official statistics of which a quarter are five points off, and their indicator."""
    codes = [str(n).zfill(3) for n in range(1000) if find(str(n).zfill(3)) is not None][:COUNTRIES]
    rows = pd.MultiIndex.from_product([range(series), codes, map(str, YEARS)], names=["n", "ref_area", "time_period"])
    table, random = rows.to_frame(index=False), np.random.default_rng(0)
    shape = (series, len(codes), len(YEARS))
    ours = random.uniform(20, 60, (*shape[:2], 1)) + random.normal(0, 1, shape)
    theirs = ours + random.normal(0, 0.5, shape) + random.choice([0, 0, 0, 5], (*shape[:2], 1))
    number, unit = table.pop("n").astype(str), {"unit_measure": "percent"}
    bounds: dict[str, Any] = {"interval": "bounds", "lower": ours.ravel() - 0.5, "upper": ours.ravel() + 0.5}
    told = table.assign(series="o" + number, obs_value=ours.ravel(), **unit, **bounds).to_dict("records")
    text = table.assign(series="S" + number, obs_value=theirs.ravel(), **unit).to_csv(index=False)
    outputs = {f"o{n}": Output(lambda totals: None, "percent", official=Official(f"S{n}", 2.0)) for n in range(series)}
    made = Indicator(
        code="0.0.0", title="Cover", sources={"cover": Source("any")}, grid="cover", measure=measure, outputs=outputs
    )
    return tidy([{str(k): v for k, v in row.items()} for row in told]), read_csv(StringIO(text), publisher="P"), made


def once(series: int) -> tuple[float, float]:
    """Seconds and seconds of the processor of one check."""
    made = asked(series)
    wall, cpu = time.perf_counter(), time.process_time()
    check(*made)
    return time.perf_counter() - wall, time.process_time() - cpu


def best(series: int) -> tuple[float, float]:
    """The check that took the processor least: a machine that others use only ever takes longer."""
    return min((once(series) for _ in range(TIMES)), key=lambda taken: taken[1])


def pairs() -> Iterator[dict[str, Any]]:
    """Ten times the series; `ratio` is how many times as long that took the processor."""
    few, all_ = best(FEW), best(SERIES)
    peak = round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, 1)
    yield {
        "name": f"check: {COUNTRIES} countries x {SERIES} series x {len(YEARS)} years",
        "peer": f"itself for {FEW} of the series",
        "ours_s": rounded(all_[0]),
        "peer_s": rounded(few[0]),
        "ours_cpu_s": rounded(all_[1]),
        "ratio": rounded(all_[1] / few[1]),
        "max_abs_diff": 0.0,
        "ours_peak_mib": peak,
        "peer_peak_mib": peak,
    }
