"""Whittaker smoothing of ten years of dekads, on two threads: one lambda, the V-curve, symmetric and asymmetric."""

import importlib.util
import sys
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np

from benchmarks.pairs import Pair
from geomon.stats.smoothing import v_curve, whittaker

DEKADS, PIXELS, THREADS = 360, 20_000, 2
EACH, SOME = 300, 2_000
"""Pixels that are solved one by one, and those of the V-curve with asymmetric weights."""
LAMBDA, P, LOGS = 10.0, 0.9, np.arange(-1, 4.01, 0.2)
MISSING = -9999.0
Array = np.ndarray[Any, Any]


def ndvi() -> Array:
    """Seasons of NDVI times 10,000, with noise and clouds; float32 (time, pixel)."""
    rng = np.random.default_rng(0)
    phase = rng.uniform(0, 6, PIXELS)
    values = 5000 + 3000 * np.sin(np.arange(DEKADS)[:, None] / 5.73 + phase)
    values += rng.normal(0, 400, values.shape) - 2000 * (rng.random(values.shape) < 0.1)
    values[rng.random(values.shape) < 0.15] = np.nan
    return values.astype(np.float32)


def pairs() -> Iterable[Pair]:
    """Beside hdc-algo, whose time stands last and whose curves are whole numbers, and LAPACK pixel by pixel."""
    values = ndvi()
    lambdas = tuple(10**LOGS)
    work: dict[str, tuple[str, Callable[[Array], Array], tuple[Any, ...], int]] = {
        "lambda 10": ("ws2dgu", lambda v: whittaker(v, LAMBDA, threads=THREADS), (LAMBDA, MISSING), PIXELS),
        "lambda 10, p 0.9": (
            "ws2dpgu",
            lambda v: whittaker(v, LAMBDA, p=P, threads=THREADS),
            (LAMBDA, MISSING, P),
            PIXELS,
        ),
        "V-curve": (
            "ws2doptv",
            lambda v: v_curve(v, lambdas=lambdas, threads=THREADS)[0],
            (MISSING, LOGS),
            PIXELS // 4,
        ),
        "V-curve, p 0.9": (
            "ws2doptvp",
            lambda v: v_curve(v, lambdas=lambdas, p=P, threads=THREADS)[0],
            (MISSING, P, LOGS),
            SOME,
        ),
    }
    known = importlib.util.find_spec("hdc") is not None
    if not known:
        print("hdc-algo is not installed and is left out; PYTHONPATH may name a checkout of it.", file=sys.stderr)
    for what, (function, ours, arguments, pixels) in work.items():
        some = np.ascontiguousarray(values[:, :pixels])
        name = f"smooth: Whittaker, {what}, {DEKADS} dekads x {pixels} pixels"
        if known:
            last = np.ascontiguousarray(np.nan_to_num(some.T.astype(float), nan=MISSING))
            yield Pair(
                name=name,
                peer=f"hdc-algo {function}, 2 threads",
                ours=lambda ours=ours, some=some: ours(some),
                theirs=lambda f=function, last=last, a=arguments: hdc(f, last, a),
                apart=lambda mine, other: float(np.abs(mine - other.T).max()),
                allowed=0.501,  # they round
            )
        if what == "lambda 10":
            yield Pair(
                name=name,
                peer="scipy solveh_banded, pixel by pixel",
                ours=lambda ours=ours, some=some: ours(some),
                theirs=lambda some=some: banded(some[:, :EACH].astype(float)),
                apart=lambda mine, other: float(np.abs(mine[:, :EACH] - other).max()),
                allowed=0.001,  # float32 of thousands
                share=EACH / pixels,
            )


def hdc(function: str, values: Array, arguments: tuple[Any, ...]) -> Array:
    """Its compiled function on two halves at once."""
    from hdc.algo import ops  # type: ignore[import-not-found]

    def smooth(part: Array) -> Array:
        found = getattr(ops, function)(part, *arguments)
        return found[0] if isinstance(found, tuple) else found  # type: ignore[no-any-return]

    with ThreadPoolExecutor(THREADS) as pool:
        return np.concatenate(list(pool.map(smooth, np.array_split(values, THREADS))))


def banded(values: Array) -> Array:
    """LAPACK's Cholesky of five diagonals."""
    from scipy.linalg import solveh_banded

    n = len(values)
    d = np.diff(np.eye(n), 2, axis=0)
    penalty = LAMBDA * d.T @ d
    bands = np.array([np.pad(np.diag(penalty, k), (k, 0)) for k in (2, 1, 0)])
    out = np.empty_like(values)
    for k in range(values.shape[1]):
        seen = np.isfinite(values[:, k])
        own = bands.copy()
        own[2] += seen
        out[:, k] = solveh_banded(own, np.where(seen, values[:, k], 0.0))
    return out
