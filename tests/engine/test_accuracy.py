"""A reference sample gives areas and accuracies with intervals that hold as often as they say."""

import numpy as np
import pytest

from geomon.errors import InputError
from geomon.stats.accuracy import Accuracy, stratified

MATRIX = np.array([[66, 0, 5, 4], [0, 55, 8, 12], [1, 0, 153, 11], [2, 1, 9, 313]])
AREAS = np.array([200_000, 150_000, 3_200_000, 6_450_000]) * 0.09  # ha


@pytest.fixture(scope="module")
def example() -> Accuracy:
    return stratified(MATRIX, AREAS)


def test_the_worked_example_comes_out(example: Accuracy) -> None:
    """Olofsson et al. 2014, section 5.2."""
    area, se, _, _ = example.area
    np.testing.assert_allclose(area, [21_158, 11_686, 285_770, 581_386], atol=1)
    np.testing.assert_allclose(se, [3_141.65, 1_916.24, 7_913.18, 8_306.97], atol=0.01)
    np.testing.assert_allclose(example.users.value, [0.880, 0.733, 0.927, 0.963], atol=5e-4)
    np.testing.assert_allclose(1.96 * example.users.se, [0.074, 0.101, 0.040, 0.021], atol=5e-4)
    np.testing.assert_allclose(example.producers.value, [0.749, 0.847, 0.935, 0.962], atol=5e-4)
    np.testing.assert_allclose(1.96 * example.producers.se, [0.213, 0.254, 0.034, 0.018], atol=5e-4)
    np.testing.assert_allclose([example.overall.value[0], 1.96 * example.overall.se[0]], [0.947, 0.018], atol=5e-4)


def test_shares_of_all_classes_are_the_whole_map(example: Accuracy) -> None:
    assert example.share.value.sum() == pytest.approx(1, abs=1e-12)
    assert (example.share.lower < example.share.value).all() and (example.share.value < example.share.upper).all()


def test_a_class_without_an_error_still_has_an_interval() -> None:
    found = stratified(np.array([[50, 0], [0, 50]]), np.array([10.0, 90.0]))
    assert found.users.value.tolist() == [1, 1] and (found.users.se == 0).all()
    assert (found.users.upper == 1).all() and (found.users.lower > 0.85).all() and (found.users.lower < 0.98).all()
    assert found.share.lower[0] < 0.1 < found.share.upper[0]


def test_intervals_hold_as_often_as_they_say() -> None:
    """1,200 random maps with samples drawn from them: the truth lies in 93 to 97 % of the intervals."""
    rng = np.random.default_rng(20261123)
    inside: dict[str, list[bool]] = {"share": [], "users": [], "overall": [], "producers": []}
    for _ in range(1_200):
        k = int(rng.integers(2, 6))
        weight = np.maximum(rng.dirichlet(np.ones(k)), 0.01)
        weight /= weight.sum()
        right = rng.uniform(0.75, 0.98, k)
        truth = np.zeros((k, k))
        for i in range(k):
            truth[i] = np.insert((1 - right[i]) * rng.dirichlet(np.ones(k - 1)), i, right[i])
        drawn = np.array([rng.multinomial(rng.integers(50, 300), p) for p in truth])
        found = stratified(drawn, weight)
        held = (weight[:, None] * truth).sum(axis=0)
        for name, true in (
            ("share", held),
            ("users", right),
            ("overall", np.array([(weight * right).sum()])),
            ("producers", weight * right / held),
        ):
            p = getattr(found, name)
            inside[name] += ((p.lower <= true) & (true <= p.upper)).tolist()
    rates = {name: float(np.mean(hits)) for name, hits in inside.items()}
    assert {n: r for n, r in rates.items() if not 0.93 <= r <= 0.97} == {}


@pytest.mark.parametrize(
    ("matrix", "areas", "said"),
    [
        ([[1, 2, 3], [4, 5, 6]], [1.0, 1.0], "2 x 3 with 2 areas"),
        ([[5, 0], [0, 1]], [1.0, 1.0], "rows 2 have fewer than 2"),
        ([[0.5, 0.5], [0.2, 0.8]], [1.0, 1.0], "Give counts, not shares"),
        ([[5, 0], [0, 5]], [0.0, 0.0], "add up to nothing"),
    ],
)
def test_what_is_no_sample_is_refused(matrix: list[list[float]], areas: list[float], said: str) -> None:
    with pytest.raises(InputError, match=said):
        stratified(np.array(matrix), np.array(areas))


def test_a_class_that_nobody_mapped_may_be_found() -> None:
    found = stratified(np.array([[45, 5], [0, 0]]), np.array([100.0, 0.0]))
    np.testing.assert_allclose(found.share.value, [0.9, 0.1])
    assert found.producers.value[1] == 0
    for users in (found.users.value, found.users.se, found.users.lower, found.users.upper):
        assert np.isfinite(users[0]) and np.isnan(users[1])  # of nothing, no share is right
    assert found.overall.value[0] == pytest.approx(0.9) and np.isfinite(found.overall.lower[0])


@pytest.mark.parametrize("level", [95.0, 1.0, 0.0, np.nan])
def test_a_level_is_between_0_and_1(level: float) -> None:
    with pytest.raises(InputError, match="Give one between 0 and 1"):
        stratified(MATRIX, AREAS, level)
