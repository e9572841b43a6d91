"""Shapes that a departure gives a difference in time, and how well each explains each nation, province and area."""

from dataclasses import dataclass, replace

import numpy as np
from scipy.special import ndtri

from geomon.departures.effects import blended, selected
from geomon.departures.evidence import Weighed, doubt, judged, weighed
from geomon.departures.noise import Noise
from geomon.departures.records import Floats, Reason
from geomon.departures.scale import year_at


@dataclass(frozen=True)
class Bank:
    """All shapes: (shapes, years), with the name of each and the first column that it touches."""

    shapes: Floats
    names: tuple[str, ...]
    starts: tuple[int, ...]

    def of(self, name: str) -> list[int]:
        """Rows of one name."""
        return [row for row, n in enumerate(self.names) if n == name]


def bank(years: Floats) -> Bank:
    """Shapes of size 1 tolerance (of a drift: a decade) in satellite minus official or its reverse."""
    n = len(years)
    t = np.arange(n)
    rows: list[tuple[Floats, str, int]] = [(np.ones(n), "level", 0)]
    rows += [((years - anchor) / 10, "trend", 0) for anchor in (years[0], years[-1], years.mean())]
    for k in range(3, n - 2):
        after = (t >= k).astype(float)
        rows += [(after, "break", k), (after - 1, "break", k)]
    for m in range(2, 6):
        ramp = np.clip((t - (n - 1 - m)) / m, 0, 1)
        rows.append((ramp, "optimistic", n - m))
    rows += [((t >= n - m).astype(float), "optimistic", n - m) for m in (2, 3)]
    rows += [((t == k).astype(float), "odd year", k) for k in range(n)]
    return Bank(np.array([r[0] for r in rows]), tuple(r[1] for r in rows), tuple(r[2] for r in rows))


@dataclass(frozen=True)
class Group:
    """A part of the country that may share a departure."""

    scope: str
    areas: tuple[int, ...]
    alike: int
    """How many groups of this scope are tried."""


@dataclass(frozen=True)
class Fits:
    """Effects of every shape on every group: (shapes, groups)."""

    effect: Floats
    error: Floats
    z: Floats
    nation: Weighed
    freedom: Floats
    """Degrees of freedom of z (Satterthwaite 1946): few where the noise of the country makes the error."""


def groups(n: int, provinces: dict[str, tuple[int, ...]]) -> list[Group]:
    """The nation, its provinces and its areas; one area alone is the nation."""
    found = [Group("nation", tuple(range(n)), 1)]
    found += [Group("province", ids, len(provinces)) for ids in provinces.values()]
    return found + [Group("area", (i,), n) for i in range(n) if n > 1]


def fits(model: Noise, shapes: Bank, tried: list[Group], e: Floats) -> Fits:
    """Generalised least squares of each shape on each group, the national part left free in all of them."""
    x = shapes.shapes
    local, total = model.solve(e)
    member = np.zeros((len(tried), len(e)))
    for g, group in enumerate(tried):
        member[g, list(group.areas)] = 1.0
    weighted = np.einsum("st,itu->isu", x, model.precision)
    n, s, length = weighted.shape
    by = (member @ weighted.reshape(n, s * length)).reshape(len(tried), s, length)
    pooled = by @ model.pooled
    top = (member @ local) @ x.T - pooled @ total
    bottom = (by * x).sum(2) - (pooled * by).sum(2)
    good = bottom > 1e-6
    error = np.where(good, 1 / np.sqrt(np.where(good, bottom, 1.0)), np.inf)
    effect = np.where(good, top / np.where(good, bottom, 1.0), 0.0)
    freedom = np.full(bottom.shape, np.inf if n >= 6 else max(3.0, 0.5 * n * model.freedom))
    for g, group in enumerate(tried):
        if group.scope == "nation":
            more = (by[g] * x).sum(1) - ((by[g] @ model.doubtful) * by[g]).sum(1)
            freedom[g] = doubt(model, bottom[g], more)
    nation = weighed(model, total, x @ total, by[0], (by[0] * x).sum(1))
    return Fits(effect.T, error.T, np.where(good, effect / error, 0.0).T, nation, freedom.T)


def reasons(
    model: Noise,
    shapes: Bank,
    tried: list[Group],
    found: Fits,
    *,
    proxy: bool,
    declared: tuple[float, ...],
    sure: float,
) -> list[Reason]:
    """The best shape of each name on each group, with its score, if its p is not above `sure`.

    The score is that of all shapes of the name together, as neighbouring years explain a break nearly as well; p is
    corrected as if they had nothing in common. A break of the nation lies as likely in one of the declared years as
    in all the others.
    """
    out = []
    years = model.years
    for name in dict.fromkeys(shapes.names):
        if proxy and name == "level":
            continue
        rows = shapes.of(name)
        tries = np.full((len(rows), 2), float(len(rows)))
        known = np.array([name == "break" and years[shapes.starts[r]] in declared for r in rows])
        if known.any():
            tries[:, 1] = np.where(known, 2.0 * known.sum(), 2.0 * len(rows))
        z = found.z[rows]
        nation = np.array([group.scope == "nation" for group in tried]).astype(int)
        worth = z**2 / 2
        worth[:, nation == 1] = found.nation.gain[rows][:, None]
        worth = worth - np.log(tries)[:, nation]
        best = np.argmax(worth, axis=0)
        together = np.log(np.exp(worth - worth.max(0)).sum(0))
        for g, group in enumerate(tried):
            row = rows[best[g]]
            size = abs(float(found.z[row, g]))
            count = float(tries[best[g], nation[g]]) * group.alike
            p = judged(size, count, float(found.freedom[row, g]))
            if p > sure:
                continue
            score = float(worth[best[g], g] + together[g] - np.log(group.alike))
            effect, lower, upper = sized(found, rows, g, nation=group.scope == "nation")
            start = shapes.starts[row]
            evidence = {"z": float(found.z[row, g]), "row": float(row), "least": float(-ndtri(sure / count / 2))}
            if name == "trend":
                evidence["reach"] = max(1.0, float(np.ptp(years)) / 10)
            until = float(years[start]) if name == "odd year" else np.nan
            out.append(
                Reason(
                    name=name,
                    scope=group.scope,
                    areas=group.areas,
                    since=float(years[start]) if name == "odd year" else year_at(years, start),
                    until=until,
                    effect=effect,
                    lower=lower,
                    upper=upper,
                    score=score,
                    p=p,
                    evidence=evidence,
                )
            )
    return out


def sized(found: Fits, rows: list[int], group: int, *, nation: bool) -> tuple[float, float, float]:
    """Effect and interval of a group over shapes of one name."""
    if nation:
        return blended(found.nation.effect[rows], found.nation.error[rows], found.nation.share[rows])
    return blended(found.effect[rows, group], found.error[rows, group], found.z[rows, group] ** 2 / 2)


def refitted(model: Noise, shapes: Bank, reason: Reason, e: Floats) -> Reason:
    """The reason with its effect measured under other noise: that of the panel without it."""
    name = "break" if reason.name == "sensor" else reason.name
    if name not in shapes.names:
        return reason
    found = fits(model, shapes, [Group(reason.scope, reason.areas, 1)], e)
    effect, lower, upper = sized(found, shapes.of(name), 0, nation=reason.scope == "nation")
    if reason.scope != "nation":
        lower, upper = selected(effect, lower, upper, float(reason.evidence["least"]))
    return replace(reason, effect=effect, lower=lower, upper=upper)
