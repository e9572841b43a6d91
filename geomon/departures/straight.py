"""Stretches of one series that lie on straight lines as exactly as its rounding allows, gaps or not."""

from dataclasses import dataclass

import numpy as np
from scipy.special import ndtr

from geomon.departures.records import Floats
from geomon.departures.scale import Bools, spread

RARE = 0.01  # no value is taken to lie on a line by a rarer chance
FEW = 6  # bends of a series beside the rest that say how it moves
POINT, MISS = 2.0, 15.0  # log likelihood of a value on a shared line, and of an area that is not on it
TAKEN = np.sqrt(6.0)  # standard deviation of a bend, in those of independent values


@dataclass(frozen=True)
class Straight:
    """A chain of lines in one series."""

    gain: float
    """Log likelihood beside a series that moves as the rest does, less the choice of the knots."""
    first: int
    last: int
    """Columns of its ends."""
    columns: tuple[tuple[int, int], ...]
    """Ends of each line."""


def straight_pairs(off: Floats, step: Floats, years: Floats) -> Bools:
    """(areas, years, years) whether a line goes through all values between two columns, each within half a step.

    A line of slope b does if for any two of them b leaves neither: the bounds of pairs on b decide it.
    """
    length = off.shape[1]
    half = step * 0.5005 + 1e-9 * np.abs(np.where(np.isfinite(off), off, 0.0))
    apart = years[None, :] - years[:, None]
    apart = np.where(apart > 0, apart, np.inf)
    change, room = off[:, None, :] - off[:, :, None], half[:, None, :] + half[:, :, None]
    least, most = (change - room) / apart, (change + room) / apart
    least, most = np.where(np.isfinite(change), least, -np.inf), np.where(np.isfinite(change), most, np.inf)
    for width in range(2, length):
        i = np.arange(length - width)
        j = i + width
        least[:, i, j] = np.maximum(least[:, i, j], np.maximum(least[:, i + 1, j], least[:, i, j - 1]))
        most[:, i, j] = np.minimum(most[:, i, j], np.minimum(most[:, i + 1, j], most[:, i, j - 1]))
    return np.asarray(least <= most)


def chain(fits: Bools, good: Bools, chance: Floats) -> Straight | None:
    """The best chain of lines in one series, of those that fit; `chance` (years,) is that of one value to lie so."""
    at = np.flatnonzero(good)
    n = len(at)
    cost = float(np.log(max(n, 2)))
    worth = -np.log(chance[at])
    sums = np.concatenate([[0.0], np.cumsum(worth)])
    best = np.zeros(n)
    path: list[tuple[tuple[int, int], ...]] = [()] * n
    for j in range(1, n):
        best[j], path[j] = best[j - 1], path[j - 1]
        for i in range(j - 3, -1, -1):
            if not fits[at[i], at[j]]:
                break
            gain = best[i] + sums[j] - sums[i + 1] - cost - float(np.log(j - i + 1))
            if gain > best[j]:
                best[j], path[j] = gain, (*path[i], (int(at[i]), int(at[j])))
    if n < 2 or not path[-1]:
        return None
    lines = path[-1]
    return Straight(float(best[-1]), lines[0][0], lines[-1][1], lines)


def shared(fits: Bools, good: Bools) -> float:
    """The share of lines that fit, of those between the knots which most suit all areas of a place together; 0 if none.

    A country that was interpolated fits nearly all; steady values that are rounded coarsely fit most of them.
    """
    length = good.shape[1]
    counted = np.concatenate([np.zeros((len(good), 1)), np.cumsum(good, 1)], 1)
    values = counted[:, None, 1:] - counted[:, :-1, None]
    told = values > 2
    patterns = np.log(1 + np.maximum(values - 1, 0) ** 2 / 8)  # ways in which a line of known ends may be rounded
    worth = np.where(told, np.where(fits, POINT * (values - 2) - patterns, -MISS), 0.0).sum(0) - np.log(length)
    best = np.zeros(length)
    path: list[tuple[tuple[int, int], ...]] = [()] * length
    for j in range(1, length):
        ends = np.concatenate([best[: max(0, j - 2)] + worth[: max(0, j - 2), j], [best[j - 1]]])
        i = int(np.argmax(ends))
        best[j] = ends[i]
        path[j] = path[j - 1] if i == len(ends) - 1 else (*path[i], (i, j))
    lines = path[-1]
    of = sum(int(told[:, i, j].sum()) for i, j in lines)
    return sum(int((told & fits)[:, i, j].sum()) for i, j in lines) / of if of else 0.0


def chains(off: Floats, fits: Bools, step: Floats, bends: Floats, unit: Floats) -> list[Straight | None]:
    """The best chain of lines in each series; `bends` are second differences (areas, years - 2).

    How a series moves is read from its own bends beside the chain, and from those of all areas where it has few.
    """
    good, sized = np.isfinite(off), bends / unit[:, 1:-1]
    usual = _moves(sized, step / unit)
    out: list[Straight | None] = []
    for i in range(len(off)):
        found = chain(fits[i], good[i], _chance(usual, step[i], unit[i]))
        if found is not None:
            left = np.isfinite(sized[i])
            for first, last in found.columns:
                left[first : last - 1] = False
            if left.sum() >= FEW:
                own = _moves(sized[i][left], step[i] / unit[i])
                move = own if own < usual else float(np.sqrt(own * usual))
                found = chain(fits[i], good[i], _chance(move, step[i], unit[i]))
        out.append(found)
    return out


def _chance(move: float, step: Floats, unit: Floats) -> Floats:
    """(years,) how likely a value lies within its step of a line if it moves so much."""
    return np.asarray(np.clip(2 * ndtr(step / (2 * np.maximum(move * unit, 1e-300))) - 1, RARE, 1.0))


def _moves(sized: Floats, step: Floats) -> float:
    """Standard deviation of a value beside its neighbours' line, the rounding taken off."""
    good = step[np.isfinite(step)]
    rounding = float(np.median(good)) ** 2 / 12 if good.size else 0.0
    return float(np.sqrt(max(spread(sized) ** 2 / TAKEN**2 - rounding, 0.0)))
