"""Mann-Kendall and Theil-Sen of 22 years x 2 million pixels, with gaps and with ties, on two threads."""

import importlib.util
import sys
from collections.abc import Callable, Iterable
from typing import Any

import numpy as np

from benchmarks.pairs import Pair
from geomon.stats.trend import Trends, trends

YEARS, PIXELS, THREADS = 22, 2_000_000, 2
EACH, BLOCKS, SOME = 300, 30_000, 250_000
"""Pixels that a peer gets: one by one, in numpy blocks, and compiled."""
Array = np.ndarray[Any, Any]


def gaps() -> Array:
    """NDVI-like float32 (year, pixel) with slopes of either sign; one value in ten is missing."""
    rng = np.random.default_rng(0)
    values = rng.standard_normal((YEARS, PIXELS), dtype=np.float32) * np.float32(0.05) + np.float32(0.4)
    values += rng.standard_normal(PIXELS, dtype=np.float32) * np.float32(0.004) * np.arange(YEARS, dtype="f4")[:, None]
    values[rng.random((YEARS, PIXELS), dtype=np.float32) < 0.1] = np.nan
    return values


def ties() -> Array:
    """The same without gaps, in whole hundredths: most pixels have equal values."""
    rng = np.random.default_rng(1)
    values = rng.standard_normal((YEARS, PIXELS), dtype=np.float32) * 5 + 40
    values += rng.standard_normal(PIXELS, dtype=np.float32) * np.float32(0.4) * np.arange(YEARS, dtype="f4")[:, None]
    return np.round(values)


def pairs() -> Iterable[Pair]:
    """Beside hdc-algo on two threads of dask, pymannkendall, scipy, and numpy in blocks."""
    both = {"gaps": gaps(), "ties": ties()}
    for kind, values in both.items():

        def ours(values: Array = values) -> Trends:
            return trends(values, threads=THREADS)

        if importlib.util.find_spec("hdc"):
            # It counts missing years as years that neither rise nor fall, so with gaps its p and tau are others.
            names = ("slope",) if kind == "gaps" else ("slope", "p")
            yield pair(kind, "hdc-algo mktrend, dask, 2 threads", ours, lambda v=values: hdc(v), names, SOME)
        else:
            print(
                "hdc-algo is not installed and is left out. Its documentation names the channels that carry it; "
                "PYTHONPATH may also name a checkout of it.",
                file=sys.stderr,
            )
        names = ("score", "z", "p", "slope")
        yield pair(kind, "pymannkendall original_test", ours, lambda v=values: pymannkendall(v), names, EACH)
        if kind == "gaps":
            yield pair(kind, "scipy theilslopes, kendalltau", ours, lambda v=values: scipy(v), ("tau", "slope"), EACH)
            yield pair(kind, "numpy, differences of blocks", ours, lambda v=values: numpy(v), ("z", "slope"), BLOCKS)


def pair(
    kind: str, peer: str, ours: Callable[[], Trends], theirs: Callable[[], Any], names: tuple[str, ...], pixels: int
) -> Pair:
    """A comparison of these fields; float32 holds 7 digits."""

    def apart(mine: Trends, other: dict[str, Array]) -> float:
        return max(float(np.abs(getattr(mine, name)[:pixels] - other[name]).max()) for name in names)

    name = f"trend: Mann-Kendall, Theil-Sen, {YEARS} years x {PIXELS / 1e6:g} M pixels, {kind}"
    return Pair(name=name, peer=peer, ours=ours, theirs=theirs, apart=apart, allowed=5e-6, share=pixels / PIXELS)


def hdc(values: Array) -> dict[str, Array]:
    """Its accessor on chunks of 100 rows, with all years in each."""
    import dask
    import hdc.algo  # type: ignore[import-not-found]  # noqa: F401
    import xarray as xr

    cube = xr.DataArray(values[:, :SOME].reshape(YEARS, -1, 1000), dims=("time", "y", "x"), attrs={"nodata": -9999.0})
    with dask.config.set(scheduler="threads", num_workers=THREADS):
        found = cube.chunk(time=-1, y=100).hdc.algo.mktrend().compute()
    return {"slope": found.slope.values.ravel(), "p": found.pvalue.values.ravel()}


def pymannkendall(values: Array) -> dict[str, Array]:
    """Pixel by pixel."""
    from pymannkendall import original_test

    found = [original_test(values[:, k].astype(float)) for k in range(EACH)]
    return {"score": field(found, "s"), "z": field(found, "z"), "p": field(found, "p"), "slope": field(found, "slope")}


def scipy(values: Array) -> dict[str, Array]:
    """Pixel by pixel."""
    from scipy.stats import kendalltau, theilslopes

    years, out = np.arange(YEARS, dtype=float), np.empty((2, EACH))
    for k in range(EACH):
        seen = ~np.isnan(values[:, k])
        out[0, k] = theilslopes(values[seen, k].astype(float), years[seen]).slope
        out[1, k] = kendalltau(years[seen], values[seen, k]).statistic
    return {"slope": out[0], "tau": out[1]}


def numpy(values: Array, block: int = 10_000) -> dict[str, Array]:
    """All differences of a block at once, and a sort to find what is equal."""
    i, j = np.triu_indices(YEARS, 1)
    apart = (j - i).astype(np.float32)[:, None]
    score, variance, slope = np.empty((3, BLOCKS))
    for start in range(0, BLOCKS, block):
        here = slice(start, start + block)
        x = values[:, here]
        rises = x[j] - x[i]
        score[here] = np.nansum(np.sign(rises), axis=0)
        slope[here] = np.nanmedian(rises / apart, axis=0)
        n, ordered, run = (~np.isnan(x)).sum(0), np.sort(x, axis=0), np.ones(x.shape[1])
        total = n * (n - 1.0) * (2 * n + 5)
        for k in range(1, YEARS):
            run = np.where(ordered[k] == ordered[k - 1], run + 1, 1)
            total -= 6 * (run**2 - 1)
        variance[here] = total / 18
    return {"z": (score - np.sign(score)) / np.sqrt(variance), "slope": slope}


def field(found: list[Any], name: str) -> Array:
    """A field of named tuples."""
    return np.array([getattr(one, name) for one in found])
