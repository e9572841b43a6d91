"""SPI of forty years of months, fitted in each calendar month by maximum likelihood, on two threads."""

import importlib.util
import sys
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np

from benchmarks.pairs import Pair
from geomon.stats.drought import fit_gamma, spi

YEARS, PIXELS, THREADS = 40, 20_000, 2
EACH = 50
"""Pixels that a peer gets that fits them one by one."""
Array = np.ndarray[Any, Any]


def rain(dry: float) -> Array:
    """Monthly amounts in mm of many climates; a share of them zero."""
    rng = np.random.default_rng(0)
    shape, scale = rng.uniform(0.6, 6, (12, PIXELS)), rng.uniform(5, 60, (12, PIXELS))
    amounts = np.concatenate([rng.gamma(shape, scale) for _ in range(YEARS)]).astype(np.float32)
    amounts[rng.random(amounts.shape, dtype=np.float32) < dry] = 0
    return amounts


def pairs() -> Iterable[Pair]:
    """Beside hdc-algo, which gives whole thousandths, and xclim by maximum likelihood and by its approximation."""
    month = np.arange(YEARS * 12) % 12
    amounts = rain(0.08)

    def ours(values: Array = amounts) -> Array:
        gamma = fit_gamma(values, month, wet=10, threads=THREADS)
        return spi(values, month, gamma, zero="upper", threads=THREADS)

    name = f"spi: gamma, maximum likelihood, {YEARS} years of months x {PIXELS} pixels"
    if importlib.util.find_spec("hdc"):
        last = np.ascontiguousarray(amounts.T)
        yield Pair(
            name=name,
            peer="hdc-algo gammastd_grp, 2 threads",
            ours=ours,
            theirs=lambda: hdc(last, month),
            apart=lambda mine, other: float(np.abs(mine - other.T / 1000).max()),
            allowed=0.000501,  # they round
        )
    else:
        print("hdc-algo is not installed and is left out; PYTHONPATH may name a checkout of it.", file=sys.stderr)
    yield Pair(
        name=name,
        peer="xclim standardized_precipitation_index, ML",
        ours=ours,
        theirs=lambda: xclim(amounts[:, :EACH], "ML"),
        apart=lambda mine, other: float(np.nanmax(np.abs(mine[:, :EACH] - other))),
        allowed=1e-5,  # its search for the shape ends early
        share=EACH / PIXELS,
    )


def hdc(values: Array, month: Array) -> Array:
    """Its compiled function on two halves at once."""
    from hdc.algo.ops.stats import gammastd_grp  # type: ignore[import-not-found]

    def index(part: Array) -> Array:
        return gammastd_grp(part, month.astype(np.int16), 12, 0.0, float(YEARS))  # type: ignore[no-any-return]

    with ThreadPoolExecutor(THREADS) as pool:
        return np.concatenate(list(pool.map(index, np.array_split(values, THREADS))))


def xclim(values: Array, method: str) -> Array:
    """Its index of the same months, with zeros at the upper end of their share."""
    import pandas as pd
    import xarray as xr
    from xclim.indices import standardized_precipitation_index

    time = pd.date_range("1981-01-01", periods=len(values), freq="MS")
    cube = xr.DataArray(values.astype(float), dims=("time", "pixel"), coords={"time": time}, attrs={"units": "mm/d"})
    found = standardized_precipitation_index(
        cube, freq=None, window=1, dist="gamma", method=method, fitkwargs={"floc": 0}
    )
    return np.asarray(found.transpose("time", "pixel"))
