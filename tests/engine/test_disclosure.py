"""Nobody is given away: not by a small count, not by subtraction, not by two releases together."""

import json
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from geomon.errors import InputError
from geomon.stats.disclosure import (
    MISSING,
    SUPPRESSED,
    Budget,
    Release,
    bounds,
    exposed,
    exposure,
    half_width,
    noisy,
    randomly_rounded,
    refuse_difference,
    rounded,
    suppress,
)

Cell = tuple[str, str, str]


@pytest.fixture(scope="module")
def vectors(shared_data: Path) -> dict[str, Any]:
    found = json.loads((shared_data.parent / "methods" / "test_vectors.json").read_text())["vectors"]
    return {v["name"]: v for v in found}


def test_a_second_cell_hides_the_first(vectors: dict[str, Any]) -> None:
    case, wanted = (vectors["sdc.min_count_complementary"][k] for k in ("inputs", "expected"))
    counts = {str(i): n for i, n in enumerate(case["counts"])}
    found = suppress({**counts, "all": wanted["total"]}, {"all": list(counts)}, fewest=case["threshold"])
    told = ["suppressed" if found.text(c) == SUPPRESSED else found.text(c) for c in counts]
    assert told == wanted["published"] and found.values["all"] == wanted["total"]
    assert (found.primary, found.secondary) == ({"1"}, {"2"})


def test_zero_missing_and_suppressed_are_three_things() -> None:
    found = suppress({"a": 0.0, "b": math.nan, "c": 4.0, "d": 50.0})
    assert [found.text(c) for c in "abcd"] == ["0", MISSING, SUPPRESSED, "50"]


def table(numbers: Sequence[int]) -> tuple[dict[Cell, float], dict[Cell, list[Cell]]]:
    """Four villages in two districts of one province, women and men, two months and both."""
    tree = {"P": ["D", "E"], "D": ["d1", "d2"], "E": ["e1", "e2"]}
    leaves, sexes, months = ["d1", "d2", "e1", "e2"], ["f", "m"], ["1", "2"]
    counts: dict[Cell, float] = {}
    drawn = iter(numbers)
    for z in leaves:
        for s in sexes:
            for m in months:
                counts[z, s, m] = float(next(drawn))
    sums: dict[Cell, list[Cell]] = {}
    for z in ["D", "E", "P"]:
        for s in sexes:
            for m in months:
                sums[z, s, m] = [(c, s, m) for c in tree[z]]
                counts[z, s, m] = sum(counts[c] for c in sums[z, s, m])
    for z in [*leaves, *tree]:
        for m in months:
            sums[z, "all", m] = [(z, s, m) for s in sexes]
            counts[z, "all", m] = sum(counts[c] for c in sums[z, "all", m])
        for s in [*sexes, "all"]:
            sums[z, s, "both"] = [(z, s, m) for m in months]
            counts[z, s, "both"] = sum(counts[c] for c in sums[z, s, "both"])
    return counts, sums


@settings(max_examples=25, deadline=None)
@given(st.lists(st.one_of(st.integers(0, 15), st.integers(10, 400)), min_size=16, max_size=16))
def test_no_small_count_survives_an_attack_by_subtraction(numbers: list[int]) -> None:
    """Across parents, classes and months: with all that is published, no small count can be worked out."""
    counts, sums = table(numbers)
    found = suppress(counts, sums, fewest=10)
    assert all(found.values[c] == n for c, n in counts.items() if c not in found.hidden)
    assert {c for c, n in counts.items() if 0 < n < 10} == found.primary
    for cell in found.primary:
        assert solvable(cell, found.values, sums) is None


def solvable(cell: Cell, published: Mapping[Any, float], sums: Mapping[Cell, Sequence[Cell]]) -> float | None:
    """The attacker: the value of a cell if the published numbers and sums determine it, by linear algebra alone."""
    free = sorted({c for t, parts in sums.items() for c in (t, *parts) if c not in published})
    left = np.zeros((len(sums), len(free)))
    right = np.zeros(len(sums))
    for row, (total, parts) in enumerate(sums.items()):
        for c, sign in [(total, -1.0), *((p, 1.0) for p in parts)]:
            if c in published:
                right[row] -= sign * published[c]
            else:
                left[row, free.index(c)] += sign
    aim = np.array([float(c == cell) for c in free])
    weights, *_ = np.linalg.lstsq(left.T, aim, rcond=None)
    return float(weights @ right) if np.allclose(left.T @ weights, aim, atol=1e-9) else None


def test_the_attack_succeeds_where_only_small_counts_are_hidden() -> None:
    counts, sums = table([3, *[50] * 15])
    naive = {c: n for c, n in counts.items() if not 0 < n < 10}
    assert solvable(("d1", "f", "1"), naive, sums) == pytest.approx(3)
    assert bounds(("d1", "f", "1"), naive, sums) == pytest.approx((3, 3))
    low, high = bounds(("d1", "f", "1"), suppress(counts, sums).values, sums)
    assert high - low >= 10


def test_a_range_that_is_too_narrow_is_widened() -> None:
    """Both small cells are hidden, and 57 - 50 still says that each is at most 7."""
    counts, sums = {"a": 3.0, "b": 4.0, "c": 50.0, "all": 57.0}, {"all": ["a", "b", "c"]}
    found = suppress(counts, sums, fewest=10)
    assert (found.primary, found.secondary) == ({"a", "b"}, {"c"})


def test_numbers_that_contradict_each_other_are_not_safe() -> None:
    """Half a count less than its parts: no table has these sums, so none can be said to hide anything."""
    table = {"R": 100.4, "C": 60.0, "a": 3.0, "b": 97.0, "c": 57.0}
    sums = {"R": ["a", "b"], "C": ["a", "c"]}
    with pytest.raises(InputError, match=r"'R' is 100.4, and its parts add up to 100"):
        suppress(table, sums)
    with pytest.raises(InputError, match="contradict"):
        bounds("a", {c: n for c, n in table.items() if c != "a"}, sums)
    whole = {"t": 6.0, "D": 405.0, "v": 6.0}
    releases = [Release("r1", {"D": 405.0}, {"D": frozenset("uv")}), Release("r2", {"U": 410.0}, {"U": frozenset("u")})]
    with pytest.raises(InputError, match="before rounding and noise"):
        refuse_difference(releases[1], releases[:1], {"u": 400.0, **whole})


def test_what_nothing_holds_has_no_end() -> None:
    assert bounds("a", {"c": 5.0}, {"all": ["a", "c"]}) == (0.0, math.inf)
    assert bounds("a", {}, {}) == (0.0, math.inf)


def test_what_is_no_table_of_counts_is_refused() -> None:
    with pytest.raises(InputError, match="'a' is -1"):
        suppress({"a": -1.0})
    with pytest.raises(InputError, match="is 5, and its parts add up to 7"):
        suppress({"all": 5.0, "a": 3.0, "b": 4.0}, {"all": ["a", "b"]})
    with pytest.raises(InputError, match="'b', which is not in the table"):
        suppress({"all": 5.0, "a": 5.0}, {"all": ["a", "b"]})


def test_rounding(vectors: dict[str, Any]) -> None:
    case, wanted = (vectors["sdc.round_base5"][k] for k in ("inputs", "expected"))
    counts = np.array(case["counts"], float)
    assert rounded(counts).tolist() == wanted["deterministic"]
    generator = np.random.default_rng(1)
    drawn = np.array([randomly_rounded(counts, generator=generator) for _ in range(4000)])
    assert set(np.unique(drawn % 5)) == {0.0}
    np.testing.assert_allclose(drawn.mean(axis=0), wanted["expected_value_random"], atol=0.15)
    np.testing.assert_array_equal(exposure(np.array([3.0, 123.0, 12_345.0, np.nan])), [5, 120, 12_300, np.nan])


def test_noise_is_geometric_and_spends_a_budget() -> None:
    generator, budget = np.random.default_rng(2), Budget(limit=2.0)
    drawn = noisy(np.zeros(200_000), "2024", budget, epsilon=1.0, generator=generator)
    a = math.exp(-1.0)
    assert np.mean(drawn == 0) == pytest.approx((1 - a) / (1 + a), abs=0.004)
    assert np.mean(drawn == 2) == pytest.approx((1 - a) / (1 + a) * a**2, abs=0.003)
    k = half_width(1.0)
    assert np.mean(np.abs(drawn) <= k) >= 0.95 > np.mean(np.abs(drawn) <= k - 1)
    with pytest.raises(InputError, match="average the noise out"):
        noisy(np.zeros(3), "2024", budget, generator=generator)
    with pytest.raises(InputError, match=r"would spend 1.5 of the 1 that are left of 2"):
        noisy(np.zeros(3), "2025", budget, epsilon=1.5, generator=generator)
    assert budget.left == 1.0


@pytest.mark.parametrize(("counts", "most"), [([3.0, 2.5], 1), ([math.inf], 1), ([3.0], 0), ([3.0], -1)])
def test_noise_that_would_hide_nothing_spends_nothing(counts: list[float], most: int) -> None:
    budget = Budget()
    with pytest.raises(InputError, match=r"Round first|Give 1 or more"):
        noisy(np.array(counts), "2024", budget, most=most, generator=np.random.default_rng(1))
    assert budget.spent == {}


def test_what_is_missing_stays_so_under_noise() -> None:
    found = noisy(np.array([math.nan, 3.0]), "2024", Budget(), generator=np.random.default_rng(1))
    assert np.isnan(found).tolist() == [True, False]


def test_the_width_of_noise() -> None:
    assert (half_width(1000.0), half_width(1e-3) > 2900) == (0, True)
    for epsilon, most, level in ((1.0, 1, 95.0), (1.0, 1, 1.0), (0.0, 1, 0.95), (1.0, 0, 0.95)):
        with pytest.raises(InputError, match="0 < level < 1"):
            half_width(epsilon, most, level)


def test_a_narrow_range_is_given_away_too() -> None:
    """9 people in two villages: nobody has an exact count, and everybody knows that both are small."""
    pair = Release("pair", {"D": 9.0}, {"D": frozenset("vw")})
    with pytest.raises(InputError, match="give away 2 counts below 10"):
        refuse_difference(pair, [], {"v": 4.0, "w": 5.0})


def test_a_small_district_is_named_beside_its_villages() -> None:
    first = Release("first", {"D": 408.0}, {"D": frozenset("uvw")})
    second = Release("second", {"D": 400.0}, {"D": frozenset("u")})
    found = exposed([first, second], {"u": 400.0, "v": 4.0, "w": 4.0}, 10)
    assert found == {frozenset("v"), frozenset("w"), frozenset("vw")}


def test_two_releases_that_differ_by_a_village_are_refused() -> None:
    """District D is published with village v in one release and without it in the next."""
    truth = {"u": 400.0, "v": 6.0, "w": 90.0}
    first = Release("2023", {"D": 406.0, "E": 90.0}, {"D": frozenset("uv"), "E": frozenset("w")})
    second = Release("new boundaries", {"D": 400.0}, {"D": frozenset("u")})
    with pytest.raises(InputError, match=r"new boundaries beside 2023 would give away 1 counts below 10"):
        refuse_difference(second, [first], truth)
    refuse_difference(second, [], truth)
    refuse_difference(Release("again", dict(first.counts), dict(first.atoms)), [first], truth)


def test_what_was_given_away_before_is_not_blamed_on_the_next() -> None:
    truth = {"u": 400.0, "v": 6.0}
    careless = Release("old", {"v": 6.0}, {"v": frozenset("v")})
    refuse_difference(Release("new", {"u": 400.0}, {"u": frozenset("u")}), [careless], truth)
