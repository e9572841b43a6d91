"""The specification curve of one output in one area: what each specification says, and how many say the same."""

import math
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from geomon.finding import amount
from geomon.pairing import stretch, year
from geomon.robustness.forks import FEWEST
from geomon.stats.agreement import trend
from geomon.texts import say

NEARLY = 0.9  # of the specifications: from here on a claim hardly depends on the method
MONTH = re.compile(r"\d{4}-\d{2}")
SIGNS = {1: "up", 0: "flat", -1: "down"}


@dataclass(frozen=True, kw_only=True)
class Point:
    """What one specification says."""

    number: int
    """Of the specification."""
    value: float = math.nan
    """In the last period that was asked for."""
    lower: float = math.nan
    upper: float = math.nan
    why: str = ""
    """Why there is no value: it is withheld, or the specification failed."""
    slope: float = math.nan
    """Theil-Sen, in the unit of the output a year, with its 95 % interval and Mann-Kendall's p."""
    slope_lower: float = math.nan
    slope_upper: float = math.nan
    p: float = math.nan
    years: int = 0
    """Periods with a value that the trend rests on."""
    sign: str = ""
    """Of the slope: 'up', 'down' or 'flat'; empty without a trend."""
    direction: str = ""
    """The same where the trend is shown at 5 %, else 'flat'."""
    verdict: str = ""
    """Of the check; of several publishers each with its name."""


@dataclass(frozen=True)
class Tally:
    """How many specifications say what, and what the default says."""

    counts: Mapping[str, int]
    """'' counts those that say nothing."""
    default: str

    @property
    def of(self) -> int:
        """All specifications, also those that say nothing."""
        return sum(self.counts.values())

    @property
    def holds(self) -> int:
        """Those that say what the default says; none if that says nothing."""
        return self.counts.get(self.default, 0) if self.default else 0

    @property
    def share(self) -> float:
        """Of all; NaN if the default says nothing."""
        return self.holds / self.of if self.default else math.nan

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        return {"default": self.default, "holds": self.holds, "of": self.of, "counts": dict(self.counts)}


@dataclass(frozen=True, kw_only=True)
class Curve:
    """All specifications of one output in one area."""

    output: str
    title: str
    unit: str
    ref_area: str
    name: str
    last: str
    """The period of the values."""
    points: tuple[Point, ...]
    """In the order of the specifications, the default first."""

    @property
    def default(self) -> Point:
        """What the definition says as it stands."""
        return self.points[0]

    def tally(self, name: str) -> Tally:
        """Of 'sign', 'direction' or 'verdict'."""
        said = [str(getattr(p, name)) for p in self.points]
        return Tally(dict(Counter(said).most_common()), said[0])

    @property
    def values(self) -> list[float]:
        """Of those that give one."""
        return [p.value for p in self.points if math.isfinite(p.value)]

    @property
    def sentences(self) -> list[str]:
        """The trend, the verdict, the values, and what gave no answer, a sentence each."""
        told = [self.of_trend()]
        verdict = self.tally("verdict")
        if verdict.default:
            told.append(say("robust.verdict", verdict=verdict.default, so=so(verdict), **counted(verdict)))
        if self.values:
            middle, low, high = (amount(float(f(self.values)), self.unit) for f in (np.median, min, max))
            key = "robust.value.same" if low == high else "robust.values"
            told.append(say(key, last=self.last, median=middle, low=low, high=high, n=len(self.values)))
        silent = Counter(p.why for p in self.points if p.why)
        told += [say("robust.silent", n=n, of=len(self.points), why=why.rstrip(".")) for why, n in silent.most_common()]
        return told

    def of_trend(self) -> str:
        """How far the trend of the default holds."""
        shown, sign = self.tally("direction"), self.tally("sign")
        title = self.title[:1].lower() + self.title[1:] if self.title[1:2].islower() else self.title
        words = {"what": title, "area": self.name, **counted(shown)}
        if not shown.default:
            return say("robust.trend.none", **words)
        if shown.default == "flat":
            others = {name: str(shown.counts.get(name, 0)) for name in ("up", "down")}
            return say("robust.trend.flat", **words, **others)
        return say(f"robust.trend.{shown.default}", **words, so=so(shown), same=str(sign.holds))

    def as_dict(self) -> dict[str, Any]:
        """For JSON, points apart."""
        values = self.values
        return {
            "output": self.output,
            "title": self.title,
            "unit": self.unit,
            "ref_area": self.ref_area,
            "name": self.name,
            "last": self.last,
            "sentences": self.sentences,
            "holds": {name: self.tally(name).as_dict() for name in ("sign", "direction", "verdict")},
            "values": {
                "n": len(values),
                "median": float(np.median(values)) if values else None,
                "lowest": min(values, default=None),
                "highest": max(values, default=None),
            },
        }


def counted(tally: Tally) -> dict[str, str]:
    """Counts and percent for a sentence."""
    share = "" if math.isnan(tally.share) else f"{math.floor(100 * tally.share + 1e-9):g}"
    return {"n": str(tally.holds), "of": str(tally.of), "percent": share}


def so(tally: Tally) -> str:
    """What follows from a tally, in words."""
    return say(f"robust.so.{conclusion(tally)}", silent=tally.counts.get("", 0))


def conclusion(tally: Tally) -> str:
    """What a tally means for a claim; where some gave no answer and none another one, that is not known."""
    if tally.holds + tally.counts.get("", 0) == tally.of:
        return "unknown" if tally.counts.get("") else "all"
    return "nearly" if tally.share >= NEARLY else "depends" if tally.share >= 0.5 else "few"


def point(
    number: int, rows: pd.DataFrame, inside: Sequence[str], breaks: Sequence[tuple[str, str]], last: str
) -> Point:
    """What a series of one output and area says: its last value, and the trend over the periods `inside`.

    No pair of years across a known break counts for the trend, nor one of different months; a period that holds a
    break is left out. Fewer than eight such pairs give no trend.
    """
    now = rows[rows.time_period == last]
    told = rows[rows.obs_value.notna() & (rows.obs_status == "") & rows.time_period.isin(inside)]
    told = told.assign(year=[year(str(p)) for p in told.time_period]).sort_values("year")
    parts = np.array([stretch(str(p), breaks) for p in told.time_period], int)
    told, parts = told[parts >= 0], parts[parts >= 0]
    parts = parts * 12 + [int(p[5:]) - 1 if MONTH.fullmatch(p) else 0 for p in map(str, told.time_period)]
    pairs = int(sum(n * (n - 1) // 2 for n in Counter(parts.tolist()).values()))
    known: dict[str, Any] = {"years": len(told)}
    if len(now) and pd.notna(now.obs_value.iloc[0]):
        known |= {name: float(now[column].iloc[0]) for name, column in VALUES.items()}
    else:
        known["why"] = str(now.obs_status.iloc[0]) if len(now) else say("robust.absent", last=last)
    if len(told) >= FEWEST and pairs >= FEWEST:
        found = trend(told.obs_value.to_numpy(float), told.year.to_numpy(float), parts.astype(float))
        known |= {"slope": found.slope, "slope_lower": found.lower, "slope_upper": found.upper, "p": found.p}
        known |= {"sign": SIGNS[int(np.sign(found.slope))], "direction": SIGNS[found.direction]}
    return Point(number=number, **known)


VALUES = {"value": "obs_value", "lower": "lower", "upper": "upper"}
