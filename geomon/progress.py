"""Is an indicator on its way? The UN's grades of progress for every area of a run, with how sure they are.

Grades and cut points are those of stats.progress. Nothing is graded across a known break of the satellite series:
only the years since the last one count.
"""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any

import numpy as np
import pandas as pd

from geomon.indicator import Indicator, Output
from geomon.period import Period
from geomon.stats import progress as graded
from geomon.stats.progress import CLASSES, UNKNOWN, assess
from geomon.texts import say

LEVEL = 1.959963984540054
"""Standard errors from a value to the end of its interval at 95 %."""
POSSIBLE = ("bounds", "bounds+model")
"""Intervals with two ends that claim no probability; the later hold more."""
NO_ODDS = ("", "one_sided", "noise", "model", *POSSIBLE)
"""Intervals that are no 95 % of what the value may be; the first is none at all."""


@dataclass(frozen=True, kw_only=True)
class Progress:
    """The grade of one output in one area."""

    output: str
    ref_area: str
    grade: str
    """By the UN Statistics Division's rules: one of stats.progress.CLASSES, or UNKNOWN."""
    open_sdg: str
    """By those of Open SDG sites."""
    desired: str
    target: float | None = None
    target_year: int | None = None
    target_source: str = ""
    start: tuple[int, float] | None = None
    """Year and value from which it is graded."""
    latest: tuple[int, float] | None = None
    rate: float = math.nan
    """Change a year, as a share of the value; positive is growth, desired or not."""
    required: float = math.nan
    """The same, if the target is to be reached in its year."""
    ratio: float = math.nan
    """Actual to required change."""
    probability: Mapping[str, float] = field(default_factory=dict)
    """Of each grade, with both values drawn within their 95 % intervals; empty where they have none."""
    open_sdg_probability: Mapping[str, float] = field(default_factory=dict)
    possible: tuple[str, ...] = ()
    """Grades from the best to the worst that the bounds of both values allow; empty where they have none."""
    possible_by: str = ""
    """Which bounds those are: one of POSSIBLE."""
    why: str = ""
    """What is missing, if it is not known."""
    sentence: str = ""

    def as_dict(self) -> dict[str, Any]:
        """As JSON has it: what is not known is null."""
        found = asdict(self)
        return {k: None if isinstance(v, float) and not math.isfinite(v) else v for k, v in found.items()}


def progress(
    series: pd.DataFrame,
    indicator: Indicator,
    *,
    breaks: Sequence[tuple[str, str]] = (),
    names: Mapping[str, str] | None = None,
) -> list[Progress]:
    """A grade for each output that has a desired direction, and each area, from its yearly values.

    `series` is the Series of one run, `breaks` the known breaks of its collections as (ISO date, why), `names` the
    names of areas for the sentences. Breakdowns are not graded, nor series of months or days.
    """
    return [
        one(output, name, str(area), rows, breaks, (names or {}).get(str(area), str(area)))
        for name, output in indicator.outputs.items()
        if output.desired
        for area, rows in yearly(series, name)
    ]


def yearly(series: pd.DataFrame, name: str) -> Iterator[tuple[str, pd.DataFrame]]:
    """The yearly rows of an output by area, in order of time."""
    years = series["time_period"].str.fullmatch(r"\d{4}")
    own = series[(series["series"] == name) & (series["breakdown"] == "") & years]
    for area, rows in own.groupby("ref_area", sort=False):
        yield str(area), rows.assign(year=rows["time_period"].astype(int)).sort_values("year")


def one(
    output: Output, name: str, area: str, rows: pd.DataFrame, breaks: Sequence[tuple[str, str]], called: str
) -> Progress:
    """The grade of one area."""
    blank = Progress(
        output=name,
        ref_area=area,
        grade=UNKNOWN,
        open_sdg=UNKNOWN,
        desired=output.desired,
        target=output.target,
        target_year=None if output.target is None else output.target_year,
        target_source=output.target_source,
    )
    kept, broken = since(rows, breaks)
    found = {rules: by(kept, output, rules) for rules in ("unsd", "open-sdg")}
    un, other = found["unsd"], found["open-sdg"]
    if un.grade == UNKNOWN:
        why = say("progress.broken", why=un.why, breaks=broken) if broken else un.why
        return worded(replace(blank, why=why), output, called)
    made = replace(
        blank,
        grade=un.grade,
        open_sdg=other.grade,
        start=un.start,
        latest=un.latest,
        rate=un.rate if output.target is not None or output.desired == "up" else -un.rate,
        required=un.required,
        ratio=un.ratio,
        probability=un.probability,
        open_sdg_probability=other.probability,
    )
    reach, kind = possible(kept, output, un)
    return worded(replace(made, possible=reach, possible_by=kind), output, called)


def since(rows: pd.DataFrame, breaks: Sequence[tuple[str, str]]) -> tuple[pd.DataFrame, str]:
    """The rows since the last known break before the latest value, and that break in words."""
    known = rows[np.isfinite(rows["obs_value"])]
    if known.empty:
        return rows, ""
    last = Period.of(str(known["time_period"].iloc[-1])).end
    past = sorted((date, why) for date, why in breaks if pd.Timestamp(date) <= last)
    if not past or Period.of(str(known["time_period"].iloc[0])).start >= pd.Timestamp(past[-1][0]):
        return rows, ""
    date, why = past[-1]
    after = [Period.of(str(label)).start >= pd.Timestamp(date) for label in rows["time_period"]]
    return rows[after], say("check.break", why=why, date=date)


def by(rows: pd.DataFrame, output: Output, rules: str) -> graded.Progress:
    """The grade by one set of rules, with probabilities where the rows have intervals of 95 %."""
    odds = bool(len(rows)) and not rows["interval"].isin(NO_ODDS).any()
    spread = ((rows["upper"] - rows["lower"]) / (2 * LEVEL)).to_numpy(float) if odds else None
    return assess(
        rows["year"].to_numpy(float),
        rows["obs_value"].to_numpy(float),
        desired=output.desired,
        target=output.target,
        target_year=output.target_year,
        se=spread,
        rules=rules,
    )


def possible(rows: pd.DataFrame, output: Output, found: graded.Progress) -> tuple[tuple[str, ...], str]:
    """The grades within the bounds of the first and the latest value, best first, and what bounds those are."""
    ends = rows[rows["year"].isin([found.start[0], found.latest[0]])]
    if len(ends) != 2 or not ends["interval"].isin(POSSIBLE).all():
        return (), ""
    if not np.isfinite(ends[["lower", "upper"]].to_numpy(float)).all():
        return (), ""
    first, last = ends.iloc[0], ends.iloc[1]
    corners = [(first["lower"], last["upper"]), (first["upper"], last["lower"])]
    grades = {found.grade}
    for x0, x in corners:
        grades.add(
            assess(
                [found.start[0], found.latest[0]],
                [x0, x],
                desired=output.desired,
                target=output.target,
                target_year=output.target_year,
            ).grade
        )
    reach = [CLASSES.index(g) for g in grades - {UNKNOWN}]
    return CLASSES[min(reach) : max(reach) + 1], max(ends["interval"], key=POSSIBLE.index)


# --- Words


def worded(made: Progress, output: Output, called: str) -> Progress:
    """With its sentence."""
    what = output.title or made.output
    if made.grade == UNKNOWN:
        text = say("progress.unknown", what=what, area=called, grade=made.grade, why=made.why)
        return replace(made, sentence=text)
    assert made.start and made.latest
    text = say(
        "progress.sentence" if math.isfinite(made.rate) else "progress.sentence.zero",
        what=what,
        area=called,
        grade=made.grade,
        rate=percent(made.rate),
        first=made.start[0],
        last=made.latest[0],
        desired=say(f"progress.desired.{made.desired}"),
    )
    return replace(made, sentence=" ".join([text, *further(made, output)]))


def further(made: Progress, output: Output) -> Iterator[str]:
    """What the target asks for, and how sure the grade is."""
    if made.target is not None and math.isfinite(made.required):
        goal = say(
            "check.percent" if output.unit == "percent" else "check.amount", value=f"{made.target:g}", unit=output.unit
        )
        yield say("progress.needed", target=goal, year=made.target_year, required=percent(made.required))
    if made.probability:
        yield say("progress.odds", share=f"{100 * made.probability[made.grade]:.0f}")
    elif len(made.possible) > 1:
        yield say(f"progress.possible.{made.possible_by}", best=made.possible[0], worst=made.possible[-1])
    elif made.possible:
        yield say(f"progress.settled.{made.possible_by}")
    if made.open_sdg != made.grade:
        yield say("progress.open_sdg", grade=made.open_sdg)


def percent(share: float) -> str:
    """'+1.2', '-0.3' or '0.0', in percent."""
    text = f"{100 * share:+.1f}"
    return text[1:] if float(text) == 0 else text
