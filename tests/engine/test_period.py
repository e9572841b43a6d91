"""Periods of whole days."""

import pandas as pd
import pytest

from geomon.errors import InputError
from geomon.period import Period


@pytest.mark.parametrize(
    ("label", "start", "end"),
    [
        ("2020", "2020-01-01", "2020-12-31"),
        ("2020-02", "2020-02-01", "2020-02-29"),
        ("2020-03-05", "2020-03-05", "2020-03-05"),
        ("2016/2019", "2016-01-01", "2019-12-31"),
        ("2016-05/2016-07-03", "2016-05-01", "2016-07-03"),
        (" 2020 ", "2020-01-01", "2020-12-31"),
    ],
)
def test_a_label_means_whole_days(label: str, start: str, end: str) -> None:
    period = Period.of(label)
    assert period.start == pd.Timestamp(start)
    assert period.end == pd.Timestamp(end) + pd.Timedelta(1, "D") - pd.Timedelta(1, "ns")
    assert period.label == label.strip()


@pytest.mark.parametrize("label", ["", "20", "2020-13", "2020-02-30", "yesterday", "/2020", "2020/2019", "2020-1-5"])
def test_what_is_no_period_is_refused(label: str) -> None:
    with pytest.raises(InputError, match=r"period|ends before it starts"):
        Period.of(label)


def test_a_period_holds_what_lies_inside() -> None:
    year = Period.of("2020")
    assert year.holds(Period.of("2020-12-31")) and year.holds(year)
    assert not year.holds(Period.of("2020-12-31/2021-01-01"))
    assert not year.holds(Period.of("1984/2020")), "an aggregate of many years is not of its last"


def test_periods_that_share_a_day_overlap() -> None:
    assert Period.of("2020").overlaps(Period.of("2019-06/2020-01-01"))
    assert not Period.of("2020").overlaps(Period.of("2021"))


@pytest.mark.parametrize(
    ("label", "freq", "parts"),
    [
        ("2019/2021", "A", ["2019", "2020", "2021"]),
        ("2019-06/2021-06", "A", ["2020"]),
        ("2020-01/2020-03", "M", ["2020-01", "2020-02", "2020-03"]),
        ("2020-02-28/2020-03-01", "D", ["2020-02-28", "2020-02-29", "2020-03-01"]),
        ("2016/2019", "", ["2016/2019"]),
        ("2020-03", "A", ["2020-03"]),
    ],
)
def test_a_span_splits_into_whole_units(label: str, freq: str, parts: list[str]) -> None:
    """Only whole ones; a span that holds none is its own."""
    assert [p.label for p in Period.of(label).split(freq)] == parts


def test_a_frequency_that_is_none_is_refused() -> None:
    with pytest.raises(InputError, match="'Q' is not a frequency"):
        Period.of("2020").split("Q")


@pytest.mark.parametrize(
    ("start", "end", "label"),
    [
        ("2020-01-01", "2020-12-31T23:59:59.999999999", "2020"),
        ("2020-03-01", "2020-03-31T23:59:59", "2020-03"),
        ("2020-03-05T10:00", "2020-03-05T10:10", "2020-03-05"),
        ("2020-03-05T23:00", "2020-03-06T01:00", "2020-03-05/2020-03-06"),
    ],
)
def test_moments_have_the_shortest_label(start: str, end: str, label: str) -> None:
    assert Period.between(pd.Timestamp(start), pd.Timestamp(end)).label == label


def test_moments_with_a_zone_are_made_utc() -> None:
    period = Period.between(pd.Timestamp("2020-01-01T01:00+02:00"), pd.Timestamp("2020-01-01T02:00+02:00"))
    assert period.start == pd.Timestamp("2019-12-31T23:00") and period.label == "2019-12-31/2020-01-01"
