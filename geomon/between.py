"""Two official tables beside each other: where publishers of one figure differ, and what explains it.

Shares are taken apart into numerator and denominator first; growth of a total is turned into growth per person.
Nothing is called explained because it is likely: an explanation must bring the two figures together. Last years
that alone differ are listed apart, as a pattern that explains nothing.
"""

import functools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd

from geomon.errors import InputError, did_you_mean, listing
from geomon.official import GROUP, factor, same_series
from geomon.pairing import place
from geomon.texts import say

PARTS = {"AG_LND_FRST": ("AG_LND_FRSTN", "AG_LND_TOTL")}
"""Share -> its numerator and denominator."""
RELATED = {"NY_GDP_PCAP": "NY.GDP.MKTP.KD.ZG", "EN_ATM_PM25[location=allarea]": "EN.ATM.PM25.MC.M3"}
"""Series of one subject that two publishers define in their own ways."""
PER_PERSON = {"NY_GDP_PCAP": "SP.POP.TOTL"}
"""Growth per person -> the population by which the other's growth of the total is turned into it."""
FEWEST = 6  # years of an area, for what holds in all of its years
MOST = 0.75  # of an area's years that an explanation by area must bring together


@dataclass(frozen=True, kw_only=True)
class Beside:
    """One series of two publishers."""

    series: tuple[str, str]
    publishers: tuple[str, str]
    unit: str
    tolerance: float
    pairs: pd.DataFrame
    """ref_area, time_period, a, b, difference (a minus b), reason ('' where they are within the tolerance), left: what
    of the difference remains behind it (NaN if unexplained, all of it behind a pattern)."""

    @property
    def differing(self) -> pd.DataFrame:
        """The pairs that are further apart than the tolerance, the largest first."""
        out = self.pairs[self.pairs.reason != ""]
        return out.reindex(out.difference.abs().sort_values(ascending=False, kind="stable").index)

    @property
    def reasons(self) -> pd.DataFrame:
        """reason, pairs, areas, largest: the most frequent first; a pattern and what is unexplained at the end."""
        found = self.differing.groupby("reason", sort=False).agg(
            pairs=("difference", "size"),
            areas=("ref_area", "nunique"),
            largest=("difference", lambda d: d.abs().max()),
        )
        found = found.sort_values("pairs", ascending=False, kind="stable").reset_index()
        at_end = {PATTERN: 1, UNEXPLAINED: 2}
        order = found.reason.map(lambda reason: at_end.get(reason, 0))
        return found.loc[order.sort_values(kind="stable").index].reset_index(drop=True)

    def as_dict(self, examples: int = 5) -> dict[str, Any]:
        """Plain values for JSON, with the largest differences of each reason."""
        return {
            "series": list(self.series),
            "publishers": list(self.publishers),
            "unit": self.unit,
            "tolerance": self.tolerance,
            "pairs": len(self.pairs),
            "areas": int(self.pairs.ref_area.nunique()),
            "differing": len(self.differing),
            "reasons": [
                {
                    **{str(k): v for k, v in row.items()},
                    "words": say(f"compare.reason.{row['reason']}"),
                    "examples": self.differing[self.differing.reason == row["reason"]]
                    .head(examples)[["ref_area", "time_period", "a", "b", "difference"]]
                    .to_dict("records"),
                }
                for row in self.reasons.to_dict("records")
            ],
        }


UNEXPLAINED = "unexplained"
PATTERN = "last years"
Explain = Callable[["Tables", pd.DataFrame, float], None]


@dataclass(frozen=True)
class Tables:
    """Both official tables, of countries and areas only, with one key for all codes of an area."""

    a: pd.DataFrame
    b: pd.DataFrame
    codes: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    def values(self, side: str, series: str, unit: str = "") -> pd.Series:
        """Values by area and period, in `unit` if it is given; the first of equal ones, nothing where they conflict."""
        table: pd.DataFrame = getattr(self, side)
        codes = [c for c in table.series.unique() if same_series(str(c), series)]
        rows = table[table.series.isin(codes) & table.obs_value.notna()]
        times = {str(u): factor(str(u), unit) if unit else 1.0 for u in rows.unit_measure.unique()}
        rows = rows.assign(value=rows.obs_value * rows.unit_measure.map(times).astype("float64"))
        rows = rows.drop_duplicates(["key", "time_period", "value"])
        rows = rows[~rows.duplicated(["key", "time_period"], keep=False)]
        return rows.set_index(["key", "time_period"]).value.dropna()


def between(
    a: pd.DataFrame,
    b: pd.DataFrame,
    series: Sequence[str] = (),
    *,
    tolerance: float = 0.01,
) -> list[Beside]:
    """Each series that both tables have, pair by pair, with what explains the differences beyond the tolerance.

    `series` are codes of either table, all shared ones if empty; `tolerance` is in the unit of `a`. InputError for a
    series that the two do not share.
    """
    shared = matches(a, b)
    wanted = [pair for pair in shared if not series or set(pair) & set(series)]
    strange = [s for s in series if not any(s in pair for pair in shared)]
    if strange:
        known = sorted({code for pair in shared for code in pair})
        raise InputError(
            f"The two tables do not share the series {listing(strange)}.{did_you_mean(strange[0], known)} "
            f"They share {listing(known) if known else 'none'}."
        )
    tables = Tables(countries(a), countries(b))
    return [beside(tables, pair, tolerance) for pair in wanted]


def matches(a: pd.DataFrame, b: pd.DataFrame) -> list[tuple[str, str]]:
    """Codes of the same or a related series in both tables."""
    theirs = [str(code) for code in b.series.unique()]
    related = {*RELATED.items(), *((y, x) for x, y in RELATED.items())}
    return [
        (str(code), other)
        for code in a.series.unique()
        for other in theirs
        if same_series(str(code), other) or (str(code), other) in related
    ]


def countries(table: pd.DataFrame) -> pd.DataFrame:
    """Rows of areas, no groups, with one key for all codes of an area."""
    rows = table[~table.ref_area.str.startswith(GROUP)]
    return rows.assign(key=rows.ref_area.map({code: key_of(str(code)) for code in rows.ref_area.unique()}))


def key_of(code: str) -> str:
    """One key for all codes of an area."""
    return "".join(place(code)).removesuffix("its own")


def beside(tables: Tables, series: tuple[str, str], tolerance: float) -> Beside:
    """One series of both, paired and explained."""
    own = tables.a[tables.a.series == series[0]]
    other = tables.b[tables.b.series == series[1]]
    unit = str(own.unit_measure.iloc[0]) if len(own) else ""
    left = tables.values("a", series[0], unit)
    right = tables.values("b", series[1], unit)
    both = pd.concat([left.rename("a"), right.rename("b")], axis=1).dropna().sort_index().reset_index()
    both = both.rename(columns={"key": "ref_area"})
    both["difference"] = both.a - both.b
    both["reason"] = np.where(both.difference.abs() > tolerance, UNEXPLAINED, "")
    both["left"] = np.nan
    rules: list[Explain] = []
    if share := next((s for s in series if s in PARTS), ""):
        rules.append(functools.partial(by_parts, PARTS[share]))
    if series[0] != series[1] and any(s in PER_PERSON for s in series):
        rules.append(per_person)
    for rule in (*rules, by_rounding, by_factor, by_last_years):
        rule(tables, both, tolerance)
    return Beside(
        series=series,
        publishers=(who(own), who(other)),
        unit=unit,
        tolerance=tolerance,
        pairs=both,
    )


def who(rows: pd.DataFrame) -> str:
    """The publisher of rows."""
    return str(rows.publisher.iloc[0]) if len(rows) else ""


def settle(both: pd.DataFrame, where: pd.Series, reason: str, left: pd.Series) -> None:
    """Give a reason to pairs that have none yet."""
    rows = where & (both.reason == UNEXPLAINED)
    both.loc[rows, "reason"] = reason
    both.loc[rows, "left"] = left[rows]


def by_parts(series: tuple[str, str], tables: Tables, both: pd.DataFrame, tolerance: float) -> None:
    """What numerator and denominator make of the difference of a share: a minus b is the sum of both effects.

    A whole that one publisher gives for a single base year holds for all of its years.
    """
    part, whole = series
    wanted = pd.MultiIndex.from_frame(both[["ref_area", "time_period"]])
    parts = {side: tables.values(side, part, "km2").reindex(wanted).to_numpy() for side in "ab"}
    wholes = {side: tables.values(side, whole, "km2") for side in "ab"}
    based = {side: held(wholes[side], both) for side in "ab"}
    with np.errstate(divide="ignore", invalid="ignore"):
        first = both.b * np.where(parts["a"] == parts["b"], 0.0, parts["a"] / parts["b"] - 1)
    second = both.b * (based["b"] / based["a"] - 1)
    moved = both.b * (based["b"] / held(wholes["b"], both, base_year(wholes["a"])) - 1)
    moved = moved.where(moved.abs() > 0, both.b * (held(wholes["a"], both, base_year(wholes["b"])) / based["a"] - 1))
    left = both.difference - first - second
    closes = left.abs() <= np.maximum(tolerance, 0.1 * both.difference.abs())
    by_first, by_second = (effect.abs() > 0.1 * both.difference.abs() for effect in (first, second))
    based_apart = moved.abs() > 0.5 * second.abs()
    settle(both, closes & by_first & ~by_second, "numerator", left)
    settle(both, closes & by_second & ~by_first & based_apart, "base year", left)
    settle(both, closes & by_second & ~by_first & ~based_apart, "denominator", left)
    settle(both, closes & by_first & by_second, "both parts", left)


def base_year(whole: pd.Series) -> str:
    """The one year for which a publisher gives the whole; '' if it gives several."""
    years = whole.index.get_level_values("time_period").unique()
    return str(years[0]) if len(years) == 1 else ""


def held(whole: pd.Series, both: pd.DataFrame, year: str = "") -> pd.Series:
    """The whole of each pair: of its year, or of the base year."""
    year = year or base_year(whole)
    if year:
        rows = whole[whole.index.get_level_values("time_period") == year]
        return both.ref_area.map(rows.droplevel("time_period"))
    wanted = pd.MultiIndex.from_frame(both[["ref_area", "time_period"]])
    return pd.Series(whole.reindex(wanted).to_numpy(), index=both.index)


def per_person(tables: Tables, both: pd.DataFrame, tolerance: float) -> None:
    """Growth per person beside growth of the total: the definition, then years that run otherwise, then population.

    Percent a year. What holds for most years of an area is tried by area: growth of the year after or before, or
    half of each (fiscal years), and a constant gap in the growth of population.
    """
    series = next(iter(PER_PERSON.values()))
    side = "b" if (tables.b.series == series).any() else "a"
    sign = 1.0 if side == "b" else -1.0
    people = tables.values(side, series)
    grown = tables.values(side, RELATED["NY_GDP_PCAP"])
    told = both.a if side == "b" else both.b
    year = both.time_period.astype(int)
    now = pd.Series(growth(people, both.ref_area, year), index=both.index)
    rates = {lag: pd.Series(at(grown, both.ref_area, year + lag), index=both.index) for lag in (-1, 0, 1)}

    def apart(rate: pd.Series) -> pd.Series:
        return told - 100 * ((1 + rate / 100) / (1 + now) - 1)

    plain = apart(rates[0])
    settle(both, plain.abs() <= tolerance, "per person", sign * plain)
    for name, rate in (
        ("year after", rates[1]),
        ("year before", rates[-1]),
        ("half a year after", (rates[0] + rates[1]) / 2),
        ("half a year before", (rates[0] + rates[-1]) / 2),
    ):
        other = apart(rate)
        settle(both, mostly(both, other, plain, tolerance) & (other.abs() <= tolerance), name, sign * other)
    usual = plain.groupby(both.ref_area).transform("median")
    rest = plain - usual
    settle(both, mostly(both, rest, plain, tolerance) & (rest.abs() <= tolerance), "population", sign * rest)


def mostly(both: pd.DataFrame, other: pd.Series, plain: pd.Series, tolerance: float) -> pd.Series:
    """Areas in most of whose years an explanation brings the figures together, and halves what is between them."""
    near = (other.abs() <= tolerance).groupby(both.ref_area).transform("mean") >= MOST
    better = (
        other.abs().groupby(both.ref_area).transform("median")
        <= plain.abs().groupby(both.ref_area).transform("median") / 2
    )
    return near & better & (both.groupby("ref_area").a.transform("size") >= FEWEST)


def at(values: pd.Series, area: pd.Series, year: pd.Series) -> np.ndarray:
    """Values of areas in years; NaN where there is none."""
    return np.asarray(values.reindex(pd.MultiIndex.from_arrays([area, year.astype(str)])).to_numpy(), dtype="float64")


def growth(people: pd.Series, area: pd.Series, year: pd.Series) -> np.ndarray:
    """Growth of a count from the year before, as a share."""
    return np.asarray(at(people, area, year) / at(people, area, year - 1) - 1)


def by_rounding(tables: Tables, both: pd.DataFrame, tolerance: float) -> None:
    """One figure is the other rounded, to at least four digits."""
    for coarse in (both.a, both.b):
        for power in range(-4, 7):
            step = 10.0**power
            whole = (coarse / step - (coarse / step).round()).abs() < 1e-6
            near = (both.difference.abs() <= 0.5000001 * step) & (step <= 2e-4 * coarse.abs())
            settle(both, whole & near, "rounding", 0.0 * both.difference)


def by_factor(tables: Tables, both: pd.DataFrame, tolerance: float) -> None:
    """A power of ten, the same in all years of an area."""
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = pd.Series(np.log10(both.a / both.b), index=both.index)
    power = ratio.round()
    off = (ratio - power).abs().groupby(both.ref_area).transform("max")
    settle(both, (power != 0) & np.isfinite(ratio) & (off < 0.02), "unit", both.a / 10**power - both.b)


def by_last_years(tables: Tables, both: pd.DataFrame, tolerance: float) -> None:
    """The years before agree, and from one year on they do not: a pattern, which leaves the whole difference."""
    open_ = both.reason == UNEXPLAINED
    agreed = (both.reason == "").groupby(both.ref_area).transform("sum")
    year = both.time_period.str[:4].astype(float)
    first = year.where(open_).groupby(both.ref_area).transform("min")
    last = year.where(both.reason == "").groupby(both.ref_area).transform("max")
    settle(both, (first > last) & (agreed >= FEWEST), PATTERN, both.difference)
