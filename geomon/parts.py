"""Shares taken apart: which of numerator and denominator explains a difference, and whether a share is their ratio."""

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from geomon.between import Tables, countries, held, key_of
from geomon.finding import amount, digits
from geomon.official import same_series
from geomon.pairing import sides
from geomon.texts import say

if TYPE_CHECKING:
    from geomon.check import Comparison

LEADS = 4.0  # times as large as the other: the one that explains
SMALL = 0.002  # of the value: parts nearer than this are the same
CLOSES = 0.02  # tolerances between a share and its numerator over its denominator


def explained(beside: "Comparison") -> dict[tuple[str, str], list[str]]:
    """(area, publisher) -> what numerator and denominator say, where the official table has them."""
    declared = beside.official
    if not (declared.numerator and declared.denominator):
        return {}
    said: dict[tuple[str, str], list[str]] = {}
    both = [told(beside, series) for series in (declared.numerator, declared.denominator)]
    for key in both[0].keys() & both[1].keys():
        part, whole = (side[key] for side in both)
        said[key] = [which(part, whole, (declared.numerator, declared.denominator))]
    for key, words in unclosed(beside).items():
        said.setdefault(key, []).append(words)
    return said


def unclosed(beside: "Comparison") -> dict[tuple[str, str], str]:
    """(area, publisher) -> that the last official share is not its numerator over its denominator."""
    declared, said = beside.official, {}
    names = (declared.series, declared.numerator, declared.denominator)
    for publisher, rows in beside.table[of(beside, *names)].groupby("publisher"):
        tables = Tables(countries(rows), rows)
        given = tables.values("a", names[0], beside.output.unit).rename("given").reset_index()
        given = given.sort_values("time_period").drop_duplicates("key", keep="last").rename(columns={"key": "ref_area"})
        wanted = pd.MultiIndex.from_frame(given[["ref_area", "time_period"]])
        part = tables.values("a", names[1], "km2").reindex(wanted).to_numpy()
        made = 100 * part / held(tables.values("a", names[2], "km2"), given).to_numpy()
        apart = np.abs(made - given.given.to_numpy()) > CLOSES * declared.tolerance
        for n in np.flatnonzero(apart):
            row = given.iloc[n]
            said[row.ref_area, str(publisher)] = say(
                "check.parts.open",
                period=row.time_period,
                made=amount(float(made[n]), beside.output.unit),
                given=amount(float(row.given), beside.output.unit),
                publisher=publisher or say("check.official"),
            )
    here = {key_of(str(code)): str(code) for code in beside.ours.ref_area.unique()}
    return {(here[key], publisher): words for (key, publisher), words in said.items() if key in here}


def of(beside: "Comparison", *series: str) -> "pd.Series[bool]":
    """The official rows of series, under any publisher's code."""
    codes = [c for c in beside.table.series.unique() if any(same_series(str(c), s) for s in series)]
    return beside.table.series.isin(codes)


def told(beside: "Comparison", series: str) -> dict[tuple[str, str], float]:
    """(area, publisher) -> how much larger the satellite's part is than the official one, as a share of it."""
    own = [(n, o) for n, o in beside.indicator.outputs.items() if o.official and same_series(o.official.series, series)]
    if not own:
        return {}
    name, output = own[0]
    theirs = beside.table[of(beside, series)]
    return {
        (side.area, side.publisher): float((side.pairs.satellite.sum() / side.pairs.official.sum()) - 1)
        for side in sides(beside.totals[beside.totals.series == name], theirs, output.unit, ())
        if len(side.pairs) and side.pairs.official.sum() > 0
    }


def which(part: float, whole: float, series: tuple[str, str]) -> str:
    """Numerator, denominator or both, in words."""
    sizes = {
        "part": say("check.percent", value=digits(100 * part, 1)),
        "whole": say("check.percent", value=digits(100 * whole, 1)),
    }
    if abs(part) > max(LEADS * abs(whole), SMALL):
        return say("check.parts.numerator", series=series[0], **sizes)
    if abs(whole) > max(LEADS * abs(part), SMALL):
        return say("check.parts.denominator", series=series[1], **sizes)
    return say("check.parts.both", **sizes)
