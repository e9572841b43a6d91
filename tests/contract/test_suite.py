"""The contract suite itself: careful definitions pass, careless ones are caught by the check that is made for them."""

import functools

import pytest

from geomon.errors import GeomonError
from geomon.indicator import Indicator
from geomon.testing import CHECKS, Broken, Contract, Trial, invent
from tests.contract.cases import CASES, DAY, WORLD, ZONES
from tests.contract.definitions import flood, forest_share, road_access
from tests.contract.definitions.careless import CARELESS

PERIODS = {"toy-flood": (DAY,), "toy-15.1.1": ("2020",), "toy-lights": ("2020",)}


def trial_of(indicator: Indicator) -> Trial:
    """A definition on the small country."""
    return Trial(indicator=indicator, catalog=WORLD, zones=ZONES, periods=PERIODS[indicator.code])


@functools.cache
def careful(name: str) -> Trial:
    """A case as a trial."""
    case = CASES[name]
    return Trial(indicator=case.indicator, catalog=case.catalog, zones=case.zones, periods=case.periods)


@pytest.mark.parametrize("what", CARELESS)
def test_careless_code_is_caught(what: str) -> None:
    indicator, check = CARELESS[what]
    with pytest.raises((Broken, GeomonError)):
        CHECKS[check](trial_of(indicator))


@pytest.mark.parametrize("check", [name for name in CHECKS if name != "pickling"])  # that is done for all cases
@pytest.mark.parametrize("name", ["15.1.1", "flood, reference too", "9.1.1", "people in a flood"])
def test_careful_code_passes(name: str, check: str) -> None:
    CHECKS[check](careful(name))


def test_input_is_invented_for_lines_polygons_layers_and_sums() -> None:
    made = invent(road_access.INDICATOR)
    assert {r.collection for r in made.catalog.rasters} == {"people"}
    assert set(made.catalog.vectors) == {"roads"}
    assert set(made.catalog.vectors["roads"].highway) == {"primary"}


def test_each_window_finds_its_dates() -> None:
    made = invent(flood.INDICATOR)
    assert made.periods == ("2020-03-05", "2020-03-17")
    radar = next(r for r in made.catalog.rasters if r.collection == "radar")
    assert {"2020-03-05", "2020-03-17"} <= set(radar.dates)
    assert len([d for d in radar.dates if d < "2020-03-05"]) >= 3


class TestInherited(Contract):
    """What an author writes for a definition of his own."""

    indicator = forest_share.INDICATOR

    @classmethod
    @functools.cache
    def trial(cls) -> Trial:
        return trial_of(cls.indicator)
