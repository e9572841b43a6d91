"""Whittaker smoothing of pixel series, and gaps filled so that filled stays apart from observed.

Series stand time first, (time, ...), in equal steps; NaN and infinity are missing. The smooth curve z minimizes
sum w (y - z)^2 + lambda sum (second differences of z)^2 (Whittaker 1923; Eilers 2003, doi 10.1021/ac034173t): one
system of five diagonals for each pixel, solved for many pixels in lockstep. Arithmetic is float64; what comes out has
the type of what went in.
"""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

from geomon.errors import InputError
from geomon.stats.threads import do_parts

Series = NDArray[np.floating[Any]]
LANES = 32  # pixels in lockstep: their rows fill vector registers, and their columns stay in the second cache
PIECE = 128 * LANES  # pixels that a thread takes at a time
# A block of pixels is one flat array of steps, a step some rows of lanes. With unsigned places at constant distances a
# compiler knows what does not overlap, and makes vectors of what takes 3 times as long otherwise.
LANE, TWO = np.uint64(LANES), np.uint64(2)
Y, SEEN, W, Q, G, Z = (np.uint64(k * LANES) for k in range(6))
STEP = np.uint64(6 * LANES)
ROUNDS = 25  # of asymmetric weights; nearly all series settle within 10
STIFFEST = 1e9  # lambda over weight: up to there a curve is good to 1e-6 of the values
LAMBDAS = tuple(10 ** (k / 5) for k in range(-5, 21))  # 0.1 to 10,000


@dataclass(frozen=True)
class Filled:
    """Series whose short gaps were closed, and where."""

    values: Series
    filled: NDArray[np.bool_]
    """Not observed, but filled; where neither, `values` is still NaN."""


def whittaker(
    series: Series,
    lambda_: float | Series,
    *,
    weights: Series | None = None,
    p: float | None = None,
    minimum: int = 3,
    threads: int = 1,
) -> Series:
    """The smooth curve through each series (time, ...), also where it was not observed.

    `lambda_` is one number or one for each pixel, at most 1e9 times its largest weight; NaN gives no curve. `weights`
    (time, ...), not negative, say how far a value is trusted; without them it is 1. With `p` the curve is an expectile,
    for clouds push vegetation indices down (p = 0.9 follows the upper envelope): weights are p above the curve and
    1 - p below it, found anew until none changes, at most 25 times (Eilers, Pesendorfer and Bonifacio 2017, doi
    10.1109/Multi-Temp.2017.8076705); so p = 0.5 is the symmetric curve of twice the lambda. Series with fewer than
    `minimum` observations are NaN throughout. Beyond the first and last observation the curve is a straight line:
    `fill` does not use it there.
    """
    return curves(series, np.asarray(lambda_, float), np.empty(0), weights, p, minimum, threads)[0]


def v_curve(
    series: Series,
    *,
    lambdas: tuple[float, ...] = LAMBDAS,
    weights: Series | None = None,
    p: float | None = None,
    minimum: int = 3,
    threads: int = 1,
) -> tuple[Series, Series]:
    """The smooth curve of each series (time, ...) and its lambda (...), chosen where the V-curve is lowest.

    That is where log misfit and log roughness change least from one of the rising `lambdas` to the next, per step of
    log lambda; the lambda is the geometric middle of the two (Frasso and Eilers 2015, doi
    10.1177/1471082X14549288). Weights, `p` and `minimum` are those of `whittaker`.
    """
    grid = np.asarray(lambdas, float)
    if len(grid) < 2 or not (np.diff(grid) > 0).all():
        raise InputError(f"A V-curve needs two or more rising lambdas, and was given {lambdas}.")
    return curves(series, grid, grid, weights, p, minimum, threads)


def curves(
    series: Series,
    lambda_: Series,
    grid: Series,
    weights: Series | None,
    p: float | None,
    minimum: int,
    threads: int,
) -> tuple[Series, Series]:
    """Curves and the lambda of each pixel; an empty grid: that which was given."""
    values = table(series)
    if len(values) < 3:
        raise InputError(f"A smooth curve needs three steps of time or more, and the series has {len(values)}.")
    if not grid.size and lambda_.shape not in ((), series.shape[1:]):
        raise InputError(f"Lambda is one number or one for each pixel {series.shape[1:]}, not {lambda_.shape}.")
    if (lambda_ <= 0).any():
        raise InputError(f"Lambda must be above 0, and {np.nanmin(lambda_)} was asked for.")
    if p is not None and not 0 < p < 1:
        raise InputError(f"p lies between 0 and 1, and {p} was asked for.")
    if minimum < 2:
        raise InputError(f"Two observations or more make a curve, and a minimum of {minimum} was asked for.")
    trust = np.empty((0, 0), values.dtype) if weights is None else table(weights).astype(values.dtype, copy=False)
    largest = np.ones(1) if weights is None else np.fmax.reduce(trust, axis=0).astype(float)
    if weights is not None and (trust.shape != values.shape or (trust < 0).any() or np.isinf(largest).any()):
        raise InputError("Weights are not negative, not infinite, and have the shape of the series.")
    shape = series.shape[1:]
    found = np.array(np.broadcast_to(np.nan if grid.size else lambda_, shape), float).reshape(-1)
    stiff = (grid[-1] if grid.size else found) / np.where(largest > 0, largest, 1.0)
    if (stiff > STIFFEST).any():
        raise InputError(
            f"Lambda is at most {STIFFEST:.0e} times the largest weight of a pixel, and is {np.nanmax(stiff):.0e} "
            "times that. Fit a straight line instead."
        )
    out = np.empty_like(values)
    work = (values, trust, found, grid, 0.0 if p is None else float(p), minimum, out)
    do_parts(lambda a, b: smooth(*work, a, b), 0, values.shape[1], PIECE, threads)
    return out.reshape(series.shape), found.reshape(shape)


def fill(series: Series, longest: int, *, curve: Series | None = None, threads: int = 1) -> Filled:
    """Gaps of at most `longest` steps closed by a straight line, or by the values of a `curve`; the rest as it was.

    A gap has an observation on either side: what is missing before the first and after the last stays missing, as NaN.
    """
    values = table(series)
    if longest < 1:
        raise InputError(f"The longest gap to fill is 1 step or more, and {longest} was asked for.")
    if curve is not None and np.shape(curve) != series.shape:
        raise InputError(f"The curve {np.shape(curve)} does not have the shape of the series {series.shape}.")
    by = np.empty((0, 0), values.dtype) if curve is None else table(curve).astype(values.dtype, copy=False)
    out, filled = values.copy(), np.zeros(values.shape, np.bool_)
    do_parts(lambda a, b: close(values, by, longest, out, filled, a, b), 0, values.shape[1], PIECE, threads)
    return Filled(out.reshape(series.shape), filled.reshape(series.shape))


def table(series: Series) -> Series:
    """Any (time, ...) as contiguous (time, pixels)."""
    if not isinstance(series, np.ndarray) or series.dtype not in (np.float32, np.float64) or series.ndim < 1:
        kind = f"{series.dtype}" if isinstance(series, np.ndarray) else type(series).__name__
        raise InputError(f"A series is an array (time, ...) of float32 or float64 with NaN for missing, not {kind}.")
    return np.ascontiguousarray(series).reshape(len(series), -1)


@njit(nogil=True, cache=True, error_model="numpy")
def smooth(values, trust, found, grid, p, minimum, out, start, stop):  # type: ignore[no-untyped-def]
    """Curves of the pixels from start to stop into `out`; with a grid, their lambdas into `found`."""
    a = np.zeros((len(values) + 4) * int(STEP))  # two empty steps before and after
    lambda_, count = np.ones(LANES), np.zeros(LANES)
    fits, roughs = np.zeros((len(grid), LANES)), np.zeros((len(grid), LANES))
    for first in range(start, stop, LANES):
        lanes = min(LANES, stop - first)
        load(values, trust, first, lanes, a, count)
        for j in range(len(grid)):
            lambda_[:] = grid[j]
            settle(a, lambda_, p)
            measure(a, fits[j], roughs[j])
        if len(grid):
            lowest(grid, fits, roughs, lambda_)
            found[first : first + lanes] = np.where(count >= minimum, lambda_, np.nan)[:lanes]
        else:
            for k in range(lanes):
                known = found[first + k]
                lambda_[k] = known if known > 0 else 1.0
                count[k] = count[k] if known > 0 else 0.0
        settle(a, lambda_, p)
        unload(a, np.where(count >= minimum, 0.0, np.nan), out, first, lanes)


@njit(nogil=True, cache=True, error_model="numpy")
def load(values, trust, first, lanes, a, count):  # type: ignore[no-untyped-def]
    """Values and how far each is trusted, both 0 where missing; the number of observations; a curve below all."""
    count[:] = 0
    for i in range(np.uint64(len(values))):
        at, row = (i + TWO) * STEP, values[i, first : first + lanes]
        for k in range(np.uint64(lanes)):
            there = np.isfinite(row[k])
            a[at + Y + k] = row[k] if there else 0.0
            a[at + SEEN + k] = 1.0 if there else 0.0
            a[at + Z + k] = -np.inf
    for i in range(np.uint64(len(trust))):
        at, row = (i + TWO) * STEP, trust[i, first : first + lanes]
        for k in range(np.uint64(lanes)):
            a[at + SEEN + k] *= row[k] if np.isfinite(row[k]) else 0.0
    for i in range(np.uint64(len(values))):
        at = (i + TWO) * STEP + SEEN
        for k in range(LANE):
            count[k] += 1.0 if a[at + k] > 0 else 0.0


@njit(nogil=True, cache=True, error_model="numpy")
def unload(a, missing, out, first, lanes):  # type: ignore[no-untyped-def]
    """The curves into their columns of `out`, with 0 or NaN added."""
    for i in range(np.uint64(len(out))):
        at, row = (i + TWO) * STEP + Z, out[i, first : first + lanes]
        for k in range(np.uint64(lanes)):
            row[k] = a[at + k] + missing[k]


@njit(nogil=True, cache=True, error_model="numpy")
def settle(a, lambda_, p):  # type: ignore[no-untyped-def]
    """The curves; with p above 0, from those that were there, until weights agree with them."""
    ease = 1 / lambda_
    weigh(a, ease, p)
    solve(a)
    if p > 0:
        for _ in range(ROUNDS):
            if not weigh(a, ease, p):
                return
            solve(a)


@njit(nogil=True, cache=True, error_model="numpy")
def weigh(a, ease, p):  # type: ignore[no-untyped-def]
    """Weights over lambda; how many differ from those that were there."""
    changed = 0
    above, below = (p, 1 - p) if p > 0 else (1.0, 1.0)
    for i in range(TWO, np.uint64(len(a)) // STEP - TWO):
        at = i * STEP
        for k in range(LANE):
            weight = a[at + SEEN + k] * (above if a[at + Y + k] > a[at + Z + k] else below) * ease[k]
            changed += weight != a[at + W + k]
            a[at + W + k] = weight
    return changed


@njit(nogil=True, cache=True, error_model="numpy")
def solve(a):  # type: ignore[no-untyped-def]
    """(W + D'D) z = W y by L M L' without pivoting: Q holds 1 / M, and G the first diagonal of L M."""
    n = len(a) // int(STEP) - 4
    for i in range(n):
        a0 = float((i < n - 2) + 4 * (0 < i < n - 1) + (i > 1))
        a1 = -2.0 * ((i < n - 2) + (0 < i < n - 1))
        at = np.uint64(i + 2) * STEP
        at1, at2 = at - STEP, at - TWO * STEP
        for k in range(LANE):
            w, g, q = a[at + W + k], a[at1 + G + k], a[at1 + Q + k]
            pivot = 1 / (w + a0 - g * g * q - a[at2 + Q + k])
            a[at + Q + k] = pivot
            a[at + G + k] = a1 - g * q
            a[at + Z + k] = (w * a[at + Y + k] - g * a[at1 + Z + k] - a[at2 + Z + k]) * pivot
    for i in range(n - 2, -1, -1):
        at = np.uint64(i + 2) * STEP
        at1, at2 = at + STEP, at + TWO * STEP
        for k in range(LANE):
            a[at + Z + k] -= a[at + Q + k] * (a[at + G + k] * a[at1 + Z + k] + a[at2 + Z + k])


@njit(nogil=True, cache=True, error_model="numpy")
def measure(a, fit, rough):  # type: ignore[no-untyped-def]
    """Log misfit and log roughness of the curves."""
    fit[:], rough[:] = 0.0, 0.0
    for i in range(TWO, np.uint64(len(a)) // STEP - TWO):
        at = i * STEP
        for k in range(LANE):
            fit[k] += a[at + SEEN + k] * (a[at + Y + k] - a[at + Z + k]) ** 2
    for i in range(TWO, np.uint64(len(a)) // STEP - TWO - TWO):
        at = i * STEP + Z
        at1, at2 = at + STEP, at + TWO * STEP
        for k in range(LANE):
            rough[k] += (a[at + k] - 2 * a[at1 + k] + a[at2 + k]) ** 2
    for k in range(LANES):
        fit[k], rough[k] = math.log(max(fit[k], 1e-300)), math.log(max(rough[k], 1e-300))


@njit(nogil=True, cache=True, error_model="numpy")
def lowest(grid, fits, roughs, lambda_):  # type: ignore[no-untyped-def]
    """The lambda where the V-curve of each lane is lowest."""
    for k in range(LANES):
        least = np.inf
        for j in range(len(grid) - 1):
            step = math.log(grid[j + 1] / grid[j])
            v = math.hypot(fits[j + 1, k] - fits[j, k], roughs[j + 1, k] - roughs[j, k]) / step
            if v < least:
                least = v
                lambda_[k] = math.sqrt(grid[j] * grid[j + 1])


@njit(nogil=True, cache=True, error_model="numpy")
def close(values, by, longest, out, filled, start, stop):  # type: ignore[no-untyped-def]
    """Close the short gaps of the pixels from start to stop."""
    last = np.full(stop - start, -1)
    for i in range(len(values)):
        for k in range(start, stop):
            if not np.isfinite(values[i, k]):
                out[i, k] = np.nan
                continue
            a = last[k - start]
            last[k - start] = i
            if a < 0 or not 1 < i - a <= longest + 1:
                continue
            for j in range(a + 1, i):
                if len(by):
                    out[j, k] = by[j, k] if np.isfinite(by[j, k]) else np.nan
                else:
                    out[j, k] = values[a, k] + (values[i, k] - values[a, k]) * (j - a) / (i - a)
                filled[j, k] = not np.isnan(out[j, k])
