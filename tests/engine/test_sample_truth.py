"""What comes out of the sample country equals what was put in, within the stated bounds."""

import functools
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from geomon import sample
from geomon.pipeline import run

QUESTIONS = {
    "15.1.1": "2010/2024",
    "6.6.1": "2010/2024",
    "water-extent": "2023-08-14",
    "night-lights": "2014/2024",
}
TRUE = {
    ("15.1.1", "share"): "forest share",
    ("6.6.1", "permanent"): "permanent water",
    ("6.6.1", "seasonal"): "seasonal water",
    ("water-extent", "water"): "water extent",
    ("water-extent", "flood"): "flood",
    ("night-lights", "sum"): "sum of lights",
    ("night-lights", "mean"): "mean radiance",
}


@functools.cache
def series(code: str, zones: Path) -> pd.DataFrame:
    return run(code, zones, QUESTIONS[code]).series


@pytest.mark.parametrize(("code", "output"), TRUE)
def test_the_truth_lies_in_the_bounds(
    country: sample.Sample, use_workspace: Callable[..., None], code: str, output: str
) -> None:
    use_workspace(country.workspace)
    made = series(code, country.zones)
    made = made[made.series == output]
    truth = pd.read_parquet(country.truth)
    truth = truth[truth.quantity == TRUE[code, output]]
    both = made.merge(truth, on=["ref_area", "time_period"])
    assert len(both) == len(made) == len(truth) > 20
    assert (both.unit_measure_x == both.unit_measure_y).all()
    if output == "flood":  # also needs the reference water, which has holes of its own
        assert (both.coverage <= both.seen + 1e-6).all()
    else:
        np.testing.assert_allclose(both.coverage, both.seen, atol=1e-6)
    rounding = 1e-6 * both.value.abs() + 1e-9
    bounded = both.interval == "bounds"
    low = np.where(bounded, both.lower, np.where(both.seen > 1 - 1e-9, both.obs_value, -np.inf))
    high = np.where(bounded, both.upper, np.where(both.seen > 1 - 1e-9, both.obs_value, np.inf))
    assert (low <= both.value + both.slack + rounding).all()
    assert (both.value - both.slack - rounding <= high).all()


def test_where_all_was_seen_the_value_is_the_truth(country: sample.Sample, use_workspace: Callable[..., None]) -> None:
    use_workspace(country.workspace)
    truth = pd.read_parquet(country.truth)
    both = series("15.1.1", country.zones).merge(
        truth[truth.quantity == "forest share"], on=["ref_area", "time_period"]
    )
    whole = both[both.seen == 1]
    assert len(whole) > 20
    np.testing.assert_allclose(whole.obs_value, whole.value, rtol=1e-6)


def test_a_district_that_was_hardly_seen_has_a_reason_and_no_value(
    country: sample.Sample, use_workspace: Callable[..., None]
) -> None:
    use_workspace(country.workspace)
    made = series("15.1.1", country.zones)
    hidden = made[(made.ref_area == "XS0205") & (made.time_period == "2019")].iloc[0]
    assert np.isnan(hidden.obs_value)
    assert hidden.obs_status.startswith("too little was seen: ")
    assert hidden.lower < hidden.upper
