"""What totals mean, and how far unseen ground could move them."""

import numpy as np
import pytest
import xarray as xr

from geomon.errors import DefinitionError
from geomon.values import Estimate, mean, percentile, share, total


def totals(
    seen: float = 8.0, unseen: float = 2.0, kind: str = "area", unit: str = "m2", **quantities: float
) -> xr.Dataset:
    """One zone and period; all quantities of one kind, seen on the same ground."""
    names = list(quantities)
    at = {"zone": ["B"], "period": ["2020"]}
    made = {
        n: xr.DataArray([[v]], dims=("zone", "period"), coords=at, attrs={"kind": kind, "unit": unit})
        for n, v in quantities.items()
    }
    for what, number in (("seen", seen), ("unseen", unseen)):
        made[what] = xr.DataArray(
            np.full((len(names), 1, 1), number), dims=("quantity", "zone", "period"), coords={"quantity": names, **at}
        )
    return xr.Dataset(made)


def kept_apart(values: dict[float, float], key: str = "status", kind: str = "area", **more: float) -> xr.Dataset:
    """A quantity by a key."""
    made = totals(kind=kind, land=0.0, **more)
    land = xr.DataArray([[list(values.values())]], dims=("zone", "period", key), coords={key: list(values)})
    return made.assign(land=land.assign_attrs(kind=kind, unit="m2"))


def numbers(got: Estimate) -> list[float]:
    """Value, lower and upper, NaN for none."""
    return [np.nan if x is None else float(x.squeeze()) for x in (got.value, got.lower, got.upper)]


def test_a_total_of_ground_may_hold_all_that_was_not_seen() -> None:
    got = total("forest")(totals(forest=3.0))
    assert numbers(got) == [3, 3, 5] and (got.unit, got.interval) == ("m2", "bounds")


def test_a_total_of_people_has_a_lower_bound_only() -> None:
    got = total("people")(totals(kind="amount", unit="people", people=3.0))
    np.testing.assert_equal(numbers(got), [3, 3, np.nan])
    assert got.interval == "one_sided"


def test_a_total_of_light_has_no_bounds() -> None:
    """Radiance can be negative."""
    got = total("light")(totals(kind="rate", unit="K m2", light=-3.0))
    np.testing.assert_equal(numbers(got), [-3, np.nan, np.nan])
    assert got.interval == ""


def test_a_share_of_another_total() -> None:
    """3 of 4 forest; of the 2 unseen all or nothing may be forest, and land."""
    assert numbers(share("forest", of="land")(totals(forest=3.0, land=4.0))) == [75, 50, 500 / 6]


def test_a_share_of_the_ground_on_which_it_was_seen() -> None:
    assert numbers(share("forest")(totals(forest=3.0))) == [37.5, 30, 50]


def test_a_share_of_nothing_is_missing() -> None:
    """A zone without land, all of it seen."""
    np.testing.assert_equal(numbers(share("forest", of="land")(totals(unseen=0.0, forest=0.0, land=0.0))), [np.nan] * 3)


def test_a_share_of_amounts_has_bounds_only_if_all_was_seen() -> None:
    made = totals(kind="amount", unseen=0.0, served=3.0, rural=4.0)
    assert numbers(share("served", of="rural")(made)) == [75, 75, 75]
    made = totals(kind="amount", unseen=0.1, served=3.0, rural=4.0)
    np.testing.assert_equal(numbers(share("served", of="rural")(made)), [75, np.nan, np.nan])


def test_a_share_of_what_was_seen_elsewhere_is_refused() -> None:
    made = totals(forest=3.0, land=4.0)
    made["unseen"].loc[{"quantity": "land"}] = 0.0
    with pytest.raises(DefinitionError, match="not seen on the same ground"):
        share("forest", of="land")(made)


def test_a_share_of_people_in_an_area_is_refused() -> None:
    made = totals(people=3.0, land=4.0)
    made["people"].attrs = {"kind": "amount", "unit": "people"}
    for of in ("land", ""):
        with pytest.raises(DefinitionError, match=r"A share of people \(amount\) in .* \(area\) has no meaning"):
            share("people", of=of)(made)


def test_shares_of_keys() -> None:
    made = kept_apart({-1.0: 1.0, 0.0: 2.0, 1.0: 5.0})
    assert numbers(share("land", of="land", status=-1)(made))[0] == 12.5
    assert numbers(share("land", of="land", status=(-1, 0))(made))[0] == 37.5
    assert numbers(share("land", of="land", status=7)(made))[0] == 0, "a class that was looked for and not found"
    every = share("land", of="land")(made).value
    np.testing.assert_allclose(every.squeeze(), [12.5, 25, 62.5])


def test_a_key_that_is_not_there_is_refused() -> None:
    with pytest.raises(DefinitionError, match=r"not kept apart by 'sttus' but by 'status'\. Did you mean 'status'"):
        total("land", sttus=1)(kept_apart({1.0: 1.0}))


def test_keys_of_ground_that_was_nowhere_seen_are_not_missed() -> None:
    made = totals(seen=0.0, unseen=5.0, land=0.0)
    assert numbers(total("land", status=1)(made)) == [0, 0, 5]
    np.testing.assert_equal(numbers(share("land", of="land", status=1)(made)), [np.nan, 0, 100])
    assert np.isnan(numbers(percentile("land", 0.5, bins="bin", width=1)(made))[0])


def test_a_mean_is_over_the_ground_that_was_seen() -> None:
    got = mean("light")(totals(kind="rate", unit="K m2", light=4.0))
    np.testing.assert_equal(numbers(got), [0.5, np.nan, np.nan])
    assert got.unit == "K"


@pytest.mark.parametrize("made", [totals(forest=3.0).rename(forest="land"), kept_apart({1.0: 1.0}, kind="rate")])
def test_a_mean_of_what_is_no_rate_or_is_kept_apart_is_refused(made: xr.Dataset) -> None:
    with pytest.raises(DefinitionError, match="needs a rate"):
        mean("land")(made.assign_coords(quantity=["land"]))


@pytest.mark.parametrize(("q", "low"), [(0.1, 0.0), (0.5, 2.0), (0.75, 2.0), (0.76, 4.0), (1.0, 4.0)])
def test_a_percentile_lies_in_its_bin(q: float, low: float) -> None:
    """Bins 0, 1, 2 of width 2 hold 1, 2 and 1; the third of four lies in the second."""
    made = kept_apart({2.0: 1.0, 0.0: 1.0, 1.0: 2.0}, key="bin", unseen=0.0)
    assert numbers(percentile("land", q, bins="bin", width=2.0, unit="1")(made)) == [low + 1, low, low + 2]


def test_unseen_ground_moves_a_percentile_to_other_bins() -> None:
    """Of 1, 2, 1 and 2 unseen the third of six lies in the first bin if the unseen is low, else in the second."""
    made = kept_apart({0.0: 1.0, 1.0: 2.0, 2.0: 1.0}, key="bin", unseen=2.0)
    assert numbers(percentile("land", 0.5, bins="bin", width=2.0, unit="1")(made)) == [3, 0, 4]
    assert np.isnan(numbers(percentile("land", 0.9, bins="bin", width=2.0, unit="1")(made))[2])


def test_unseen_ground_leaves_a_histogram_of_counts_without_bounds() -> None:
    made = kept_apart({0.0: 1.0, 1.0: 2.0}, key="bin", kind="amount", unseen=2.0)
    np.testing.assert_equal(
        numbers(percentile("land", 0.5, bins="bin", width=2.0, unit="1")(made)), [3, np.nan, np.nan]
    )


def test_a_percentile_of_too_few_is_missing() -> None:
    made = kept_apart({0.0: 1.0, 1.0: 2.0}, key="bin")
    assert np.isnan(numbers(percentile("land", 0.9, bins="bin", width=1.0, at_least=4)(made))[0])
    assert numbers(percentile("land", 0.9, bins="bin", width=1.0, at_least=3)(made))[0] == 1.5
