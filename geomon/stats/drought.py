"""Accumulated precipitation as SPI, and values beside the climate of their month or dekad.

Arrays stand time first, (time, ...), NaN is missing; `season` gives each time its number in the year (`months`,
`dekads`), and what is known of a pixel's climate is (season, ...). Arithmetic is float64; what comes out has the type
of what went in.
"""

import math
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numba import njit
from numpy.typing import NDArray

from geomon.errors import InputError
from geomon.stats.smoothing import PIECE, Series, table
from geomon.stats.threads import do_parts

Seasons = NDArray[np.integer[Any]]
DRIEST = 0.9  # the share of zeros beyond which no distribution is fitted
CONSTANT = 1e-6  # log of the mean less mean of the logs: below this (a variation of 0.14 %) amounts do not vary
FARTHEST = 8.21  # |SPI| beyond which float64 holds no probability
# AS 241: numerator and denominator in the middle, beyond |p - 0.5| = 0.425, and beyond p = exp(-25)
CENTRAL, MIDDLE, OUTER = (
    tuple(tuple(float(term) for term in row.split()) for row in rows.split(","))
    for rows in (
        "2509.0809287301226727 33430.575583588128105 67265.770927008700853 45921.953931549871457 "
        "13731.693765509461125 1971.5909503065514427 133.14166789178437745 3.387132872796366608,"
        "5226.495278852854561 28729.085735721942674 39307.89580009271061 21213.794301586595867 "
        "5394.1960214247511077 687.1870074920579083 42.313330701600911252 1",
        "7.7454501427834140764e-4 0.0227238449892691845833 0.24178072517745061177 1.27045825245236838258 "
        "3.64784832476320460504 5.7694972214606914055 4.6303378461565452959 1.42343711074968357734,"
        "1.05075007164441684324e-9 5.475938084995344946e-4 0.0151986665636164571966 0.14810397642748007459 "
        "0.68976733498510000455 1.6763848301838038494 2.05319162663775882187 1",
        "2.01033439929228813265e-7 2.71155556874348757815e-5 0.0012426609473880784386 0.026532189526576123093 "
        "0.29656057182850489123 1.7848265399172913358 5.4637849111641143699 6.6579046435011037772,"
        "2.04426310338993978564e-15 1.4215117583164458887e-7 1.8463183175100546818e-5 7.868691311456132591e-4 "
        "0.0148753612908506148525 0.13692988092273580531 0.59983220655588793769 1",
    )
)


@dataclass(frozen=True, kw_only=True)
class Gamma:
    """Gamma distributions of the amounts above zero, and how often there was none: (season, ...)."""

    shape: Series
    """NaN where none was fitted: `n` 0 was not seen, `zeros` equal to `n` always dry."""
    scale: Series
    """In the unit of the amounts."""
    zeros: Series
    """How many of the amounts were zero."""
    n: Series
    """How many were seen."""


@dataclass(frozen=True, kw_only=True)
class Climate:
    """What is usual in each season of the year: (season, ...), NaN where too few values were seen."""

    mean: Series
    deviation: Series
    """Standard deviation of a sample."""
    lowest: Series
    highest: Series
    n: Series
    """How many values were seen."""


def months(times: NDArray[np.datetime64]) -> Seasons:
    """0 for January to 11 for December."""
    if np.isnat(times).any():
        raise InputError(f"A season needs a date, and {np.isnat(times).sum()} of {times.size} times are not one (NaT).")
    month: Seasons = times.astype("datetime64[M]").astype(np.int64) % 12
    return month


def dekads(times: NDArray[np.datetime64]) -> Seasons:
    """0 to 35: days 1 to 10, 11 to 20 and the rest of each month."""
    day = (times.astype("datetime64[D]") - times.astype("datetime64[M]")).astype(np.int64)
    dekad: Seasons = months(times) * 3 + np.minimum(day // 10, 2)
    return dekad


def accumulate(amounts: Series, steps: int) -> Series:
    """The sum of each time (time, ...) and the `steps` - 1 before it; NaN if one of them is missing or not there."""
    values = amounts_of(amounts)
    if steps < 1:
        raise InputError(f"Amounts are accumulated over 1 step or more, and {steps} was asked for.")
    out = np.full_like(values, np.nan)
    for t in range(steps - 1, len(values)):
        out[t] = np.add.reduce(values[t - steps + 1 : t + 1], axis=0, dtype=float)  # anew, or 0 would not stay 0
    return out.reshape(amounts.shape)


def fit_gamma(
    amounts: Series,
    season: Seasons,
    *,
    calibration: NDArray[np.bool_] | None = None,
    estimator: Literal["ml", "thom"] = "ml",
    years: int = 30,
    wet: int = 20,
    threads: int = 1,
) -> Gamma:
    """The distribution of amounts (time, ...) in each season, at each pixel, in the times that `calibration` marks.

    By maximum likelihood (Minka 2002, Estimating a gamma distribution) or Thom's approximation (1958); the share of
    zeros is that of the same times. The reference needs `years` times in each season, 30 as WMO has it. None is fitted
    where fewer than `wet` amounts are above zero, more than 90 % are zero, or they do not vary.
    """
    values = amounts_of(amounts)
    season, marked = checked(season, calibration, len(values))
    counts = np.bincount(season[marked], minlength=season.max() + 1)
    if (short := int(counts[np.unique(season)].min())) < years:
        raise InputError(
            f"The calibration has {short} times of one season, and {years} were asked for. "
            "Give a longer period, or fewer `years`, and say so beside the result."
        )
    if wet < 2 or estimator not in ("ml", "thom"):
        raise InputError(f"A fit is 'ml' or 'thom' of two amounts or more, not {estimator!r} of {wet}.")
    times = np.flatnonzero(marked)
    order, starts = times[np.argsort(season[times], kind="stable")], np.concatenate([[0], np.cumsum(counts)])
    found = np.full((4, len(counts), values.shape[1]), np.nan)
    work = (values, order, starts, estimator == "thom", wet, found)
    do_parts(lambda a, b: fit(*work, a, b), 0, values.shape[1], PIECE, threads)
    shape, scale, zeros, n = found.reshape(4, len(counts), *amounts.shape[1:])
    return Gamma(shape=shape, scale=scale, zeros=zeros, n=n)


def spi(
    amounts: Series,
    season: Seasons,
    gamma: Gamma,
    *,
    zero: Literal["centre", "upper"] = "centre",
    limit: float = FARTHEST,
    threads: int = 1,
) -> Series:
    """Standardized precipitation index of amounts (time, ...), by distributions fitted before (McKee 1993).

    An amount of zero has the probability in the middle of the zeros, (m + 1) / (2 (n + 1)) (Stagge 2015, doi
    10.1002/joc.4267), or with "upper" their whole share m / n; where the reference was never dry it is at the limit
    either way, below any drizzle. Beyond `limit` the index is the limit. NaN where the amount is missing or no
    distribution was fitted.
    """
    values = amounts_of(amounts)
    season, _ = checked(season, None, len(values))
    if gamma.shape.shape[1:] != amounts.shape[1:] or season.max() >= len(gamma.shape):
        raise InputError(f"Distributions {gamma.shape.shape} do not fit amounts {amounts.shape} and their seasons.")
    if zero not in ("centre", "upper"):
        raise InputError(f"Zeros stand at the 'centre' or the 'upper' end of their share, not {zero!r}.")
    counts = np.bincount(season, minlength=len(gamma.shape))
    order, starts = np.argsort(season, kind="stable"), np.concatenate([[0], np.cumsum(counts)])
    fitted = np.stack([table(v) for v in (gamma.shape, gamma.scale, gamma.zeros, gamma.n)])
    out = np.full_like(values, np.nan)
    work = (values, order, starts, fitted, zero == "centre", limit, out)
    do_parts(lambda a, b: standardize(*work, a, b), 0, values.shape[1], PIECE, threads)
    return out.reshape(amounts.shape)


def unccd_class(index: Series) -> Series:
    """UNCCD class of an SPI: 0 none, 1 mild (0 and below), 2 moderate (-1), 3 severe (-1.5), 4 extreme (-2); or NaN."""
    code = sum((index <= edge).astype(index.dtype) for edge in (0.0, -1.0, -1.5, -2.0))
    return np.where(np.isnan(index), index.dtype.type(np.nan), code)


def climatology(
    values: Series, season: Seasons, *, calibration: NDArray[np.bool_] | None = None, minimum: int = 10
) -> Climate:
    """Mean, deviation, lowest and highest value (time, ...) of each season, in the times that `calibration` marks.

    NaN where fewer than `minimum` values were seen.
    """
    rows = table(values)
    season, marked = checked(season, calibration, len(rows))
    n, mean, squares = np.zeros((3, season.max() + 1, rows.shape[1]))
    lowest, highest = np.full((2, *n.shape), np.nan)
    times = np.flatnonzero(marked)
    for t in times:
        s, seen = season[t], np.isfinite(rows[t])
        n[s] += seen
        mean[s] += np.where(seen, rows[t], 0.0)
        known = np.where(seen, rows[t], np.nan)
        lowest[s], highest[s] = np.fmin(lowest[s], known), np.fmax(highest[s], known)
    enough = n >= max(minimum, 1)
    mean = np.divide(mean, n, out=np.full_like(mean, np.nan), where=enough)
    for t in times:
        s = season[t]
        squares[s] += np.where(np.isfinite(rows[t]), rows[t] - mean[s], 0.0) ** 2
    deviation = np.sqrt(np.divide(squares, n - 1, out=np.full_like(mean, np.nan), where=enough & (n > 1)))
    lowest, highest = np.where(enough, lowest, np.nan), np.where(enough, highest, np.nan)
    shaped = [a.reshape(-1, *values.shape[1:]) for a in (mean, deviation, lowest, highest, n)]
    return Climate(mean=shaped[0], deviation=shaped[1], lowest=shaped[2], highest=shaped[3], n=shaped[4])


def anomaly(
    values: Series,
    season: Seasons,
    climate: Climate,
    kind: Literal["absolute", "relative", "of normal", "standardized"] = "absolute",
) -> Series:
    """Values (time, ...) less the mean of their season; or that in percent of the mean, or in deviations.

    "of normal" is the value itself in percent of the mean. Where the mean is not above 0, or values do not vary, there
    is no such percentage or number of deviations, but NaN.
    """
    mean, deviation = climate.mean, climate.deviation
    share = 100 / np.where(mean > 0, mean, np.nan)
    if kind == "absolute":
        return rescale(values, season, mean, np.ones_like(mean))
    if kind == "relative":
        return rescale(values, season, mean, share)
    if kind == "of normal":
        return rescale(values, season, np.zeros_like(mean), share)
    if kind == "standardized":
        varies = deviation > 1e-9 * np.abs(mean)
        return rescale(values, season, mean, 1 / np.where(varies, deviation, np.nan))
    raise InputError(f"An anomaly is 'absolute', 'relative', 'of normal' or 'standardized', not {kind!r}.")


def condition(
    values: Series, season: Seasons, climate: Climate, *, inverted: bool = False, narrowest: float = 0.05
) -> Series:
    """Where values (time, ...) lie between the lowest, 0, and highest, 100, of their season: VCI (Kogan 1995).

    Inverted, 100 is the lowest: TCI. NaN where the two are closer than `narrowest`; values outside them give less than
    0 or more than 100.
    """
    width = climate.highest - climate.lowest
    share = 100 / np.where(width >= narrowest, width, np.nan)
    if inverted:
        return rescale(values, season, climate.highest, -share)
    return rescale(values, season, climate.lowest, share)


def rescale(values: Series, season: Seasons, origin: Series, factor: Series) -> Series:
    """Values less the origin of their season, times its factor."""
    table(values)
    season, _ = checked(season, None, len(values))
    if origin.shape[1:] != values.shape[1:] or season.max() >= len(origin):
        raise InputError(f"A climate {origin.shape} does not fit values {values.shape} and their seasons.")
    out = np.empty_like(values)
    for t, s in enumerate(season):
        out[t] = (values[t] - origin[s]) * factor[s]
    return out


def amounts_of(series: Series) -> Series:
    """(time, pixels), none of them negative."""
    values = table(series)
    if (values < 0).any():
        raise InputError(f"Amounts are not negative, and there is {np.nanmin(values)}: is it a code for missing?")
    return values


def checked(season: Seasons, calibration: NDArray[np.bool_] | None, times: int) -> tuple[Seasons, NDArray[np.bool_]]:
    """Seasons and marks, one for each time; all are marked if none was said."""
    season = np.asarray(season)
    if season.shape != (times,) or season.dtype.kind not in "iu" or not times or season.min() < 0:
        raise InputError(f"Seasons are whole numbers from 0 on, one for each of {times} times, not {season!r:.80}.")
    marked = np.ones(times, np.bool_) if calibration is None else np.asarray(calibration)
    if marked.shape != (times,) or marked.dtype != np.bool_ or not marked.any():
        raise InputError(f"A calibration marks some of {times} times by True, and was {marked!r:.80}.")
    return season.astype(np.int64), marked


@njit(nogil=True, cache=True, error_model="numpy")
def fit(values, order, starts, thom, wet, found, start, stop):  # type: ignore[no-untyped-def]
    """Shape, scale, zeros and number seen of each season, at the pixels from start to stop."""
    amounts = np.empty(len(order))
    for s in range(len(starts) - 1):
        rows = order[starts[s] : starts[s + 1]]
        for k in range(start, stop):
            n, m = 0, 0
            for t in rows:
                x = values[t, k]
                if x > 0 and x < np.inf:
                    amounts[m] = x
                    m += 1
                n += np.isfinite(x)
            found[2, s, k], found[3, s, k] = n - m, n
            if m >= wet and n - m <= DRIEST * n:
                mean = 0.0
                for j in range(m):
                    mean += amounts[j]
                mean /= m
                spread = 0.0
                for j in range(m):
                    spread -= math.log(amounts[j] / mean)
                spread /= m
                if spread > CONSTANT:
                    shape = (1 + math.sqrt(1 + 4 * spread / 3)) / (4 * spread) if thom else likeliest(spread)
                    found[0, s, k], found[1, s, k] = shape, mean / shape


@njit(nogil=True, cache=True, error_model="numpy")
def likeliest(spread):  # type: ignore[no-untyped-def]
    """The shape k of which log k - digamma(k) is the spread, by Newton's method in 1 / k (Minka 2002)."""
    k = (3 - spread + math.sqrt((spread - 3) ** 2 + 24 * spread)) / (12 * spread)
    for _ in range(20):
        lag, slope = lags(k)
        new = 1 / (1 / k + (lag - spread) / (k * k * slope))
        if abs(new - k) <= 1e-15 * k:
            return new
        k = new
    return k


@njit(nogil=True, cache=True, error_model="numpy")
def lags(k):  # type: ignore[no-untyped-def]
    """log k - digamma(k) and its derivative: by recurrence to k >= 10, and from there asymptotic (DLMF 5.11.2)."""
    lag, slope, low = 0.0, 0.0, k
    while k < 10:
        lag += 1 / k
        slope -= 1 / (k * k)
        k += 1
    if k > low:
        lag += math.log(low / k)
        slope += 1 / low - 1 / k
    r = 1 / (k * k)
    tail = r * (1 / 12 - r * (1 / 120 - r * (1 / 252 - r * (1 / 240 - r * (1 / 132 - r * 691 / 32760)))))
    bend = r * (1 / 6 - r * (1 / 30 - r * (1 / 42 - r * (1 / 30 - r * 5 / 66))))
    return lag + 0.5 / k + tail, slope - 0.5 * r - bend / k


@njit(nogil=True, cache=True, error_model="numpy")
def standardize(values, order, starts, gamma, centre, limit, out, start, stop):  # type: ignore[no-untyped-def]
    """The index of each value, at the pixels from start to stop: loops over the years of a season make vectors."""
    longest = (np.diff(starts).max() + 7) // 8 * 8  # whole vectors; rows of one array would not be seen as apart
    x, near, sums, terms = np.zeros(longest), np.zeros(longest), np.zeros(longest), np.zeros(longest)
    below, above, z, places = np.zeros(longest), np.zeros(longest), np.zeros(longest), np.zeros(longest, np.int64)
    for s in range(len(starts) - 1):
        rows = order[starts[s] : starts[s + 1]]
        near[:] = 0.0
        for k in range(start, stop):
            shape, scale, zeros, n = gamma[0, s, k], gamma[1, s, k], gamma[2, s, k], gamma[3, s, k]
            if np.isnan(shape):
                continue
            none = zeros / n
            dry = (zeros + 1) / (2 * (n + 1)) if centre and zeros > 0 else none
            far = shape + 10 * math.sqrt(shape) + 50
            for j in range(len(rows)):
                x[j] = values[rows[j], k] / scale
                near[j] = x[j] if 0 < x[j] <= far else 0.0
            series(shape, near, sums, terms)
            densities(shape, x, terms)
            for j in range(len(rows)):
                below[j], above[j] = dry, 1 - dry
                if 0 < x[j] < np.inf:
                    p, q = tails(shape, x[j], terms[j], sums[j], far)
                    below[j], above[j] = none + (1 - none) * p, (1 - none) * q
            normal_quantiles(below, above, places, z)
            for j in range(len(rows)):
                if np.isfinite(x[j]):
                    out[rows[j], k] = min(max(z[j], -limit), limit)


@njit(nogil=True, cache=True, error_model="numpy")
def densities(a, x, out):  # type: ignore[no-untyped-def]
    """x^a e^-x / gamma(a + 1), without the cancelling of large logs."""
    lead = leading(a)
    if a > 50:
        for j in range(len(x)):
            r = (x[j] - a) / a
            out[j] = lead * math.exp(a * (math.log1p(r) - r) if r > -0.5 else a * math.log(x[j] / a) + (a - x[j]))
    else:
        for j in range(len(x)):
            out[j] = lead * math.exp(a * math.log(x[j] / a) + (a - x[j]))


@njit(nogil=True, cache=True, error_model="numpy")
def series(a, x, sums, terms):  # type: ignore[no-untyped-def]
    """1 + x / (a + 1) + x^2 / ((a + 1)(a + 2)) + ..., for many x at once, until nothing changes (DLMF 8.11.4)."""
    sums[:], terms[:] = 1.0, 1.0
    going = True
    while going:
        for _ in range(2):
            s1, s2, s3, s4 = 1 / (a + 1), 1 / (a + 2), 1 / (a + 3), 1 / (a + 4)
            a += 4
            for j in range(len(x)):
                t1 = terms[j] * (x[j] * s1)
                t2 = t1 * (x[j] * s2)
                t3 = t2 * (x[j] * s3)
                t4 = t3 * (x[j] * s4)
                sums[j] += (t1 + t2) + (t3 + t4)
                terms[j] = t4
        going = False
        for j in range(len(x)):
            going |= terms[j] > 1e-17 * sums[j]


@njit(nogil=True, cache=True, error_model="numpy")
def leading(a):  # type: ignore[no-untyped-def]
    """a^a e^-a / gamma(a + 1), by Stirling's series where logs would cancel (DLMF 5.11.1)."""
    if a < 20:
        return math.exp(a * math.log(a) - a - math.lgamma(a + 1))
    r = 1 / (a * a)
    rest = (1 / 12 - r * (1 / 360 - r * (1 / 1260 - r * (1 / 1680 - r / 1188)))) / a
    return math.exp(-rest) / math.sqrt(2 * math.pi * a)


@njit(nogil=True, cache=True, error_model="numpy")
def tails(a, x, density, total, far):  # type: ignore[no-untyped-def]
    """Regularized incomplete gamma functions P and Q, from `densities` of x, and `series` of x up to `far`.

    Far above the mean Q is small and comes from its own continued fraction (DLMF 8.9.2, Lentz's method).
    """
    below = density * total
    if x <= a + 1 or (x <= far and below < 0.999):
        return min(below, 1.0), max(1 - below, 0.0)
    b = x + 1 - a
    c, d = 1e300, 1 / b
    fraction = d
    for i in range(1, 10_000):
        step = -i * (i - a)
        b += 2
        d = 1 / (step * d + b)
        c = b + step / c
        fraction *= d * c
        if abs(d * c - 1) < 1e-15:
            break
    above = density * a * fraction
    return 1 - above, above


@njit(nogil=True, cache=True, error_model="numpy")
def normal_quantiles(below, above, places, out):  # type: ignore[no-untyped-def]
    """Where the standard normal distribution reaches a probability: Wichura 1988, AS 241 (PPND16), to 1e-15 of it.

    `above` is 1 less `below`, and exact where it is small.
    """
    outside = 0
    for j in range(len(out)):
        q = below[j] - 0.5
        out[j] = q * ratio(0.180625 - q * q, *CENTRAL)
    for j in range(len(out)):
        places[outside] = j
        outside += abs(below[j] - 0.5) > 0.425
    for j in places[:outside]:
        r = math.sqrt(-math.log(max(min(below[j], above[j]), 1e-300)))
        z = ratio(r - 1.6, *MIDDLE) if r <= 5 else ratio(r - 5, *OUTER)
        out[j] = -z if below[j] < 0.5 else z


@njit(nogil=True, cache=True, error_model="numpy")
def ratio(r, n, d):  # type: ignore[no-untyped-def]
    """A quotient of two polynomials of 8 terms, the highest first; a loop over them would not become vectors."""
    above = ((((((n[0] * r + n[1]) * r + n[2]) * r + n[3]) * r + n[4]) * r + n[5]) * r + n[6]) * r + n[7]
    below = ((((((d[0] * r + d[1]) * r + d[2]) * r + d[3]) * r + d[4]) * r + d[5]) * r + d[6]) * r + d[7]
    return above / below
