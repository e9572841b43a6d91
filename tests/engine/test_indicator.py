"""The records: what they refuse is tested with the contract; here what they know."""

import pytest

from geomon import Choice, Indicator, Layer, Output, Source, Survey, total
from geomon.errors import DefinitionError
from geomon.indicator import address, arguments, below, code_of, kernels, optional
from tests.contract.definitions import degraded_land, flood, forest_share


def test_a_source_is_optional_if_its_argument_has_a_default() -> None:
    assert [optional(flood.measure, n) for n in arguments(flood.measure)] == [False, True, True]


def test_the_note_is_the_docstring_of_the_module() -> None:
    assert forest_share.INDICATOR.note.startswith("SDG 15.1.1: forest area")


def test_all_that_a_definition_is_made_of_is_found() -> None:
    found = list(below(degraded_land.INDICATOR))
    assert {n.collection for n in found if isinstance(n, Source)} == {"ndvi", "landcover", "soil", "carbon", "people"}
    assert sum(isinstance(n, Survey) for n in found) == 2, "in the baseline and in the period"
    assert degraded_land.assess in set(kernels(degraded_land.INDICATOR))


def test_the_same_question_has_the_same_address() -> None:
    assert address(Source("a", "b")) == address(Source("a", "b")) != address(Source("a", "c"))
    layer = Layer(degraded_land.annual_mean, {"ndvi": Source("ndvi")})
    assert "annual_mean" in address(layer) and "0x" not in address(degraded_land.INDICATOR)
    assert address({"b": 1, "a": (Choice(("x",)),)}) == address({"a": (Choice(("x",)),), "b": 1})


def test_the_code_is_that_of_the_whole_module() -> None:
    assert code_of(flood.measure) != code_of(forest_share.measure)
    assert code_of(degraded_land.slopes) == code_of(degraded_land.measure)
    assert code_of(total("a")) == code_of(total("b"))


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"freq": "W"}, "freq='W' must be"),
        ({"outputs": {}}, "has no outputs"),
        ({"minimum_coverage": 80}, "is not between 0 and 1"),
    ],
)
def test_records_contradict_nothing(changes: dict, words: str) -> None:
    def measure(cover: object) -> dict:
        return {}

    fields = {
        "code": "x",
        "title": "x",
        "sources": {"cover": Source("cover")},
        "grid": "cover",
        "measure": measure,
        "outputs": {"x": Output(total("x"), "km2")},
    }
    with pytest.raises(DefinitionError, match=words):
        Indicator(**{**fields, **changes})


def test_a_direction_is_up_or_down() -> None:
    with pytest.raises(DefinitionError, match="'sideways'"):
        Output(total("x"), "km2", desired="sideways")
