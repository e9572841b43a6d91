"""A pixel's years against each other: least squares, percentiles, and the last years against those before.

Series lie time first, (time, y, x) or (time, pixels); NaN and infinity are missing.
"""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import stdtr

from geomon.errors import InputError
from geomon.stats.sorting import exchanges
from geomon.stats.threads import do_parts
from geomon.stats.trend import LANES, PIECE, Array, _count, _load, _sort, checked, compiled

FLAT = 1e-12  # of the largest value: spread below it is rounding
DECILES = tuple(range(10, 100, 10))


@dataclass(frozen=True, kw_only=True)
class Line:
    """Least squares lines of pixels, as arrays of their shape; NaN where too few dates hold a value."""

    n: Array
    slope: Array
    """Per unit of time."""
    intercept: Array
    """At time 0."""
    error: Array
    """Standard error of the slope."""
    p: Array
    """Two-sided, of Student's t with n - 2 degrees of freedom; NaN for two dates."""
    r2: Array
    """Share of the variance that the line explains; NaN where all values are equal."""


def line(values: Array, times: ArrayLike | None = None, *, least: int = 3, threads: int = 1) -> Line:
    """The ordinary least squares line of each pixel of (time, ...) values, in float64.

    A pixel needs `least` dates with a value, 2 at the least. A line without residuals has p 0, or 1 if it is flat.
    """
    series, moments = checked(values, times)
    out = np.empty((5, series.shape[1]))
    do_parts(lambda a, b: _line(series, moments, max(least, 2), a, b, out), 0, series.shape[1], PIECE, threads)
    n, slope, intercept, error, r2 = (row.reshape(np.shape(values)[1:]) for row in out)
    with np.errstate(divide="ignore", invalid="ignore"):
        t = np.where(error > 0, slope / error, np.where(slope == 0, 0.0, np.inf))
        p = np.where((n > 2) & ~np.isnan(slope), 2 * stdtr(n - 2, -np.abs(t)), np.nan)
    return Line(n=n, slope=slope, intercept=intercept, error=error, p=p, r2=r2)


def percentiles(values: Array, percents: ArrayLike, *, least: int = 1, threads: int = 1) -> Array:
    """Percentiles over time of each pixel, (percent, ...): between two values in proportion, as numpy's 'linear'."""
    wanted = np.atleast_1d(np.asarray(percents, float))
    if not ((wanted >= 0) & (wanted <= 100)).all():
        raise InputError(f"Percentiles lie between 0 and 100; asked were {wanted.tolist()}.")
    if np.shape(values)[0] == 1:
        values = np.concatenate([values, values])  # of which every percentile is the one value
        least *= 2
    series, _ = checked(values, None)
    out, network = np.empty((len(wanted), series.shape[1]), series.dtype), exchanges(len(series))
    do_parts(
        lambda a, b: _percentiles(series, network, wanted, max(least, 1), a, b, out), 0, series.shape[1], PIECE, threads
    )
    return out.reshape(len(wanted), *np.shape(values)[1:])


def recent_z(
    history: Array, recent: Array, *, least_history: int = 2, least_recent: int = 1, threads: int = 1
) -> Array:
    """How many standard errors the mean of recent years lies above that of the history before them.

    (mean of recent - mean of history) / (spread of history / sqrt(recent years)), with the spread divided by the
    number of years (GPG v2 of 15.3.1, state). 0 where history is constant and the recent years equal it; NaN where
    they differ from a constant, or too few years hold a value.
    """
    series, before = joined(history, recent)
    out = np.empty(series.shape[1])
    do_parts(
        lambda a, b: _recent_z(series, before, max(least_history, 1), max(least_recent, 1), a, b, out),
        0,
        len(out),
        PIECE,
        threads,
    )
    return out.reshape(np.shape(history)[1:])


def decile_change(
    history: Array, recent: Array, *, alike: float = 0.0, least_history: int = 2, least_recent: int = 1
) -> Array:
    """By how many tenths of the history the mean of recent years stands above or below the history's own mean.

    History is stretched by 5 % of its range on both sides before it is cut into tenths. 0 where the means differ
    by no more than `alike`, or by rounding. A constant history lies in its lowest tenth, so that a rise from it is 9
    tenths and a fall none. A state has changed at 2 tenths or more (GPG v1 of 15.3.1, with alike 100 for NDVI times
    10 000).
    """
    series, before = joined(history, recent)
    enough = np.isfinite(series[:before]).sum(0) >= max(least_history, 1)
    enough &= np.isfinite(series[before:]).sum(0) >= max(least_recent, 1)
    past, now = (np.where(np.isfinite(part), part, np.nan)[:, enough] for part in (series[:before], series[before:]))
    low, high = np.nanmin(past, 0), np.nanmax(past, 0)
    margin = 0.05 * (high - low)
    rounding = FLAT * np.maximum(np.maximum(-low, high), np.nanmax(np.abs(now), 0))
    cuts = percentiles(np.concatenate([past, [low - margin], [high + margin]]), DECILES) + rounding
    means = np.nanmean(past, 0), np.nanmean(now, 0)
    change = (means[1] > cuts).sum(0) - (means[0] > cuts).sum(0)
    out = np.full(series.shape[1], np.nan)
    out[enough] = np.where(np.abs(means[1] - means[0]) <= alike, 0, change)
    return out.reshape(np.shape(history)[1:])


def joined(history: Array, recent: Array) -> tuple[Array, int]:
    """Both as float64 (time, pixels), and how many dates are history."""
    history, recent = np.asarray(history), np.asarray(recent)
    if history.shape[1:] != recent.shape[1:] or 0 in (history.shape[:1] + recent.shape[:1]):
        raise InputError(
            f"History of shape {history.shape} and recent years of shape {recent.shape} are not of the same pixels, "
            "time first, with a date in each."
        )
    both = np.concatenate([history, recent]).astype(float)
    return both.reshape(len(both), -1), len(history)


@compiled
def _line(series, moments, needed, first, last, out):  # type: ignore[no-untyped-def]
    dates = len(moments)
    x, n = np.empty((dates, LANES)), np.empty(LANES, np.int32)
    time, value, tt, tx, xx = np.empty(LANES), np.empty(LANES), np.empty(LANES), np.empty(LANES), np.empty(LANES)
    left = np.empty(LANES)
    for start in range(first, last, LANES):
        width = min(LANES, last - start)
        for k in range(dates):
            _load(series[k, start : start + width], 0.0, x[k])
        _count(x, n)
        _means(x, moments, n, time, value)
        _squares(x, moments, time, value, tt, tx, xx)
        slope = tx / tt
        _rest(x, moments, time, value, slope, left)
        for lane in range(width):
            at, m = start + lane, n[lane]
            out[0, at] = m
            if m < needed:
                out[1:, at] = np.nan
                continue
            flat = xx[lane] <= m * (FLAT * value[lane]) ** 2
            exact = left[lane] <= 1e-24 * xx[lane] or flat
            out[1, at] = 0.0 if flat else slope[lane]
            out[2, at] = value[lane] - out[1, at] * time[lane]
            out[3, at] = np.nan if m == 2 else 0.0 if exact else math.sqrt(left[lane] / (m - 2) / tt[lane])
            out[4, at] = np.nan if flat else max(0.0, 1 - left[lane] / xx[lane])


@compiled
def _means(x, moments, n, time, value):  # type: ignore[no-untyped-def]
    time[:] = 0
    value[:] = 0
    for k in range(len(x)):
        for lane in range(LANES):
            valid = x[k, lane] == x[k, lane]
            time[lane] += moments[k] if valid else 0.0
            value[lane] += x[k, lane] if valid else 0.0
    for lane in range(LANES):
        time[lane] /= max(n[lane], 1)
        value[lane] /= max(n[lane], 1)


@compiled
def _squares(x, moments, time, value, tt, tx, xx):  # type: ignore[no-untyped-def]
    tt[:] = 0
    tx[:] = 0
    xx[:] = 0
    for k in range(len(x)):
        for lane in range(LANES):
            valid = x[k, lane] == x[k, lane]
            t = moments[k] - time[lane] if valid else 0.0
            v = x[k, lane] - value[lane] if valid else 0.0
            tt[lane] += t * t
            tx[lane] += t * v
            xx[lane] += v * v


@compiled
def _rest(x, moments, time, value, slope, left):  # type: ignore[no-untyped-def]
    """Squares of the residuals, summed: the difference of the other sums would lose what is small beside them."""
    left[:] = 0
    for k in range(len(x)):
        for lane in range(LANES):
            residual = x[k, lane] - value[lane] - slope[lane] * (moments[k] - time[lane])
            left[lane] += residual * residual if x[k, lane] == x[k, lane] else 0.0


@compiled
def _percentiles(series, network, wanted, needed, first, last, out):  # type: ignore[no-untyped-def]
    dates = len(series)
    x, ordered = np.empty((dates, LANES), series.dtype), np.empty((dates, LANES), series.dtype)
    n = np.empty(LANES, np.int32)
    for start in range(first, last, LANES):
        width = min(LANES, last - start)
        for k in range(dates):
            _load(series[k, start : start + width], 0.0, x[k])
        _count(x, n)
        _sort(x, network, ordered)
        for q in range(len(wanted)):
            for lane in range(width):
                m = n[lane]
                if m < needed:
                    out[q, start + lane] = np.nan
                    continue
                place = wanted[q] / 100 * (m - 1)
                low = int(place)
                a, b = ordered[low, lane], ordered[min(low + 1, m - 1), lane]
                out[q, start + lane] = a + (place - low) * (b - a)


@compiled
def _recent_z(series, before, least_history, least_recent, first, last, out):  # type: ignore[no-untyped-def]
    for pixel in range(first, last):
        n, m, past, now, largest = 0, 0, 0.0, 0.0, 0.0
        for k in range(len(series)):
            value = series[k, pixel]
            if abs(value) < np.inf:
                largest = max(largest, abs(value))
                if k < before:
                    n += 1
                    past += value
                else:
                    m += 1
                    now += value
        out[pixel] = np.nan
        if n < least_history or m < least_recent:
            continue
        past /= n
        now /= m
        squares = 0.0
        for k in range(before):
            value = series[k, pixel]
            if abs(value) < np.inf:
                squares += (value - past) ** 2
        spread = math.sqrt(squares / n)
        if spread > FLAT * largest:
            out[pixel] = (now - past) * math.sqrt(m) / spread
        elif abs(now - past) <= FLAT * largest:
            out[pixel] = 0.0
