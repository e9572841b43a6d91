"""Codes of countries and their parts, and which of them mean the same place."""

import pytest

from geomon.areas import match, same_area
from geomon.errors import ZoneError


@pytest.mark.parametrize("code", ["ST", "STP", "678", 678, "ST01", "STP01", "ST-P"])
def test_every_code_of_a_place_finds_its_country(code: str | int) -> None:
    area = match(code)
    assert (area.iso2, area.iso3, area.m49, area.name) == ("ST", "STP", "678", "Sao Tome and Principe")


def test_a_pcode_keeps_its_part() -> None:
    assert (match("ST01").part, match("ST").part) == ("01", "")


def test_namibia_is_the_text_na() -> None:
    assert match("NA").iso3 == "NAM"


def test_a_number_of_a_statistic_has_three_digits_as_text() -> None:
    assert match(8).iso3 == match("008").iso3 == "ALB"
    with pytest.raises(ZoneError, match="'8' is not a country"):
        match("8")


@pytest.mark.parametrize(
    ("code", "what"),
    [
        ("-99", "-99 is not a code.*iso_a3_eh or adm0_a3"),
        ("XKX", "'XKX' is not a country.*A zone may have any code of its own"),
        ("stp", "Did you mean 'STP'"),
        ("", "no code.*keep_default_na=False"),
        (float("nan"), "no code.*keep_default_na=False"),
    ],
)
def test_what_is_no_code_says_what_to_do(code: str, what: str) -> None:
    with pytest.raises(ZoneError, match=what):
        match(code)


@pytest.mark.parametrize(
    ("a", "b", "same"),
    [
        ("ST", "STP", True),
        ("STP", 678, True),
        ("ST01", "STP01", True),
        ("ST01", "ST", False),
        ("ST01", "ST02", False),
        ("ST01", "GA01", False),
        ("north", "north", True),
        ("north", "south", False),
        ("8", "ALB", False),
        ("-99", "-99", False),
    ],
)
def test_codes_of_one_place_are_paired(a: str | int, b: str | int, same: bool) -> None:
    assert same_area(a, b) is same
