"""Every definition of the workspace keeps the contract, on input that is made from its sources alone."""

import functools

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from geomon import registry
from geomon.testing import CHECKS, Trial, invent, same_bits
from geomon.testing.checks import blocking, elsewhere, order

CODES = list(registry.indicators())
few = settings(max_examples=4, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@functools.cache
def trial(code: str) -> Trial:
    """A definition on invented input, made once."""
    return invent(registry.indicator(code))


def test_there_are_definitions() -> None:
    assert {"15.1.1", "6.6.1", "night-lights", "water-extent"} <= set(CODES)


@pytest.mark.parametrize("code", CODES)
def test_every_indicator_states_who_and_what_it_does_not_see(code: str) -> None:
    unseen = registry.indicator(code).unseen
    assert unseen.startswith("Not seen: ") and unseen.endswith(".")


@pytest.mark.parametrize("check", [name for name in CHECKS if name != "pickling"])
@pytest.mark.parametrize("code", CODES)
def test_contract(code: str, check: str) -> None:
    CHECKS[check](trial(code))


def test_another_process_gives_the_same_bits() -> None:
    there = elsewhere([trial(code) for code in CODES])
    assert [same_bits(trial(code).whole, run) for code, run in zip(CODES, there, strict=True)] == [True] * len(CODES)


@pytest.mark.parametrize("code", CODES)
@few
@given(block=st.integers(5, 64))
def test_any_blocking_gives_the_same(code: str, block: int) -> None:
    blocking(trial(code), block)


@pytest.mark.parametrize("code", CODES)
@few
@given(seed=st.integers(0, 10**6))
def test_any_order_gives_the_same_bits(code: str, seed: int) -> None:
    order(trial(code), seed)
