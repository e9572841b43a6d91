"""Exact sums of rows and the books that prove them, with numbers to check by hand."""

import itertools
import math
import random

import numpy as np
import pandas as pd
import pytest
import shapely

from geomon.errors import LedgerError
from geomon.ledger import Row, as_dataset, books, from_table, median_dates, prove, sum_rows, to_table
from geomon.zones import Zone

ABOVE = {"A1": "A", "A2": "A", "A": "X"}


def row(what: str, zone: str, number: float, keys: tuple = (), quantity: str = "forest", period: str = "2020") -> Row:
    """A row of square metres."""
    return Row(what, quantity, "area", "m2", zone, period, keys, number)


def test_a_parent_is_the_sum_of_its_children() -> None:
    sums = sum_rows([row("total", "A1", 1.0), row("total", "A2", 2.0), row("total", "A1", 4.0)], ABOVE)
    assert {r.zone: r.number for r in sums} == {"A1": 5.0, "A2": 2.0, "A": 7.0, "X": 7.0}


def test_sums_are_exact_in_any_order() -> None:
    """1 + 1e100 - 1e100 is 1, whichever comes first; 0.1 ten times is 1."""
    numbers = [1.0, 1e100, -1e100, *[0.1] * 10]
    for order in itertools.islice(itertools.permutations(numbers), 0, 5000, 97):
        assert sum_rows([row("total", "B", n) for n in order], {})[0].number == 2.0
    rows = [row("total", "B", n) for n in np.random.default_rng(1).random(999)]
    assert sum_rows(rows, {}) == sum_rows(random.Random(2).sample(rows, len(rows)), {})


def test_rows_survive_being_stored_to_the_bit() -> None:
    rows = [row("total", "A1", 0.1 + 0.2, (("city", -5005249597250.0), ("bin", 1 / 3))), row("seen", "A1", math.pi)]
    assert from_table(to_table(rows)) == rows


def test_a_key_that_a_zone_does_not_have_is_zero_there() -> None:
    sums = [row("total", "A1", 3.0, (("status", -1.0),)), row("total", "A2", 4.0, (("status", 1.0),))]
    sums += [row(what, zone, 9.0) for what in ("seen", "unseen") for zone in ("A1", "A2")]
    totals = as_dataset(sums, ["A1", "A2"], ["2020"])
    assert totals.forest.dims == ("zone", "period", "status")
    np.testing.assert_array_equal(totals.forest.squeeze(), [[3, 0], [0, 4]])
    assert totals.forest.attrs == {"kind": "area", "unit": "m2"}


def test_what_was_made_in_one_period_only_is_missing_in_the_others() -> None:
    """Also for keys that only another quantity has: missing, and not zero."""
    sums = [
        row("total", "B", 5.0, (("status", 0.0),)),
        row("total", "B", 5.0, (("status", 0.0),), period="2021"),
        row("total", "B", 1.0, (("status", 1.0),), quantity="people", period="2021"),
    ]
    for quantity, period in (("forest", "2020"), ("forest", "2021"), ("people", "2021")):
        sums += [row(what, "B", 1.0, quantity=quantity, period=period) for what in ("seen", "unseen")]
    totals = as_dataset(sums, ["B"], ["2020", "2021"])
    np.testing.assert_array_equal(totals.people.squeeze(), [[np.nan, np.nan], [0, 1]])
    np.testing.assert_array_equal(totals.forest.squeeze(), [[5, 0], [5, 0]])
    assert np.isnan(totals.seen.sel(quantity="people", period="2020").item())


@pytest.mark.parametrize(
    ("ground", "median"),
    [
        ({3.0: 10.0}, 3.0),
        ({0.0: 4.0, 2.0: 5.0}, 2.0),
        ({0.0: 5.0, 2.0: 4.0}, 0.0),
        ({1.0: 1.0, 5.0: 1.0, 9.0: 1.0}, 5.0),
        ({0.0: 0.0}, 0.0),
    ],
)
def test_n_obs_is_the_median_over_the_ground(ground: dict[float, float], median: float) -> None:
    """The number of distinct dates that half of the ground has at most."""
    rows = [row("dates", "B", area, (("n", n),), quantity="") for n, area in ground.items()]
    assert median_dates(rows) == {("B", "2020"): median}


# The books


def book(seen: float, unseen: float, counted: float, polygon: float, parent: bool = False) -> pd.DataFrame:
    """The books of one zone."""
    zones = [Zone("B", "", "", shapely.box(0, 0, 1, 1))] + ([Zone("B1", "", "B", None)] if parent else [])
    rows = [row("total", "B", counted), row("seen", "B", seen), row("unseen", "B", unseen)]
    return books(rows, zones, {"B": polygon}, {})


def test_counted_excluded_and_unseen_are_the_zone() -> None:
    """Ten were seen, of which seven are forest; five were not; together the fifteen of the polygon."""
    (found,) = book(10.0, 5.0, 7.0, 15.0).to_dict("records")
    assert (found["counted"], found["excluded"], found["unseen"], found["polygon"]) == (7.0, 3.0, 5.0, 15.0)
    prove(book(10.0, 5.0, 7.0, 15.0))


def test_more_counted_than_seen_is_refused() -> None:
    with pytest.raises(LedgerError, match="A pixel must not be in two keys"):
        prove(book(10.0, 5.0, 10.1, 15.0))


def test_cells_that_are_not_the_polygon_are_refused() -> None:
    with pytest.raises(LedgerError, match=r"the cells of forest hold 15 m2 and the polygon 15\.1 m2"):
        prove(book(10.0, 5.0, 7.0, 15.1))


def test_a_parent_may_have_gaps_which_are_published() -> None:
    ledger = book(10.0, 5.0, 7.0, 22.0, parent=True)
    prove(ledger)
    parent = ledger[ledger.is_parent].iloc[0]
    assert parent.polygon - parent.counted - parent.excluded - parent.unseen == 7.0


def test_a_zone_that_left_no_rows_is_noticed() -> None:
    sums = [Row(what, "forest", "area", "m2", "A", "2020", (), 5.0) for what in ("total", "seen", "unseen")]
    ledger = books(sums, [Zone("A"), Zone("B")], {"A": 10.0, "B": 10.0}, {})
    with pytest.raises(LedgerError, match="B, 2020: the cells of forest hold 0 m2"):
        prove(ledger)


def test_no_rows_prove_nothing() -> None:
    prove(pd.DataFrame())
