"""Countries and their codes: ISO 3166, M49 and P-codes name the same places, and statistics mix them."""

import functools
import math
import re
from collections.abc import Sequence
from dataclasses import dataclass

import pycountry

from geomon.errors import ZoneError, did_you_mean

NO_CODES = ("-99", "-099", "-99.0")  # Natural Earth, where a country has no code of that kind
WITH_PART = re.compile(r"([A-Z]{2,3})(\d[0-9A-Z]*)|([A-Z]{2})(-[0-9A-Z]{1,3})")  # P-code, ISO 3166-2


@dataclass(frozen=True)
class Area:
    """A country, or a part of it that a P-code or ISO 3166-2 names."""

    iso2: str
    iso3: str
    m49: str
    """Three digits, as text."""
    name: str
    part: str = ""
    """What follows the country in the code: '01' in ST01, '-CA' in US-CA; empty for the country itself."""


def match(code: str | int) -> Area:
    """The country of an ISO2, ISO3, M49 or P-code: 'ST', 'STP', 678, '678' and 'ST01' all find STP.

    M49 as text has three digits, since '8' is more often the eighth zone than Albania. ZoneError if unknown.
    """
    found = find(code)
    if found:
        return found
    if _missing(code):
        raise ZoneError(
            "An area has no code. Namibia's ISO code is the text NA, which pandas takes for a missing value: "
            "read tables with keep_default_na=False."
        )
    if str(code) in NO_CODES:
        raise ZoneError(
            f"{code} is not a code: Natural Earth writes it where a country has none of that kind. "
            "Take the column iso_a3_eh or adm0_a3."
        )
    raise ZoneError(
        f"{code!r} is not a country in ISO 3166 or M49, nor a P-code that begins with one."
        f"{did_you_mean(str(code), _countries())} "
        "A zone may have any code of its own; it then has no official statistics to stand beside."
    )


def find(code: str | int) -> Area | None:
    """The same as match, but None if the code is unknown."""
    if isinstance(code, float) or _missing(code):
        return None
    text = f"{code:03d}" if isinstance(code, int) else code.strip()
    if text in _countries():
        return _countries()[text]
    parts = WITH_PART.fullmatch(text)
    if not parts:
        return None
    country, part = parts.group(1) or parts.group(3), parts.group(2) or parts.group(4)
    whole = _countries().get(country)
    return whole and Area(whole.iso2, whole.iso3, whole.m49, whole.name, part)


def same_area(a: str | int, b: str | int) -> bool:
    """Whether two codes name one place: 'ST', 'STP', 678 do, 'ST01' and 'STP01' do, 'ST01' and 'ST' not."""
    if any(_missing(code) or str(code) in NO_CODES for code in (a, b)):
        return False
    return _key(a) == _key(b)


def are_countries(codes: Sequence[str]) -> bool:
    """Whether codes without parents are those of countries: all of them, or at least half by an ISO3 code.

    Not all need one, since maps of the world hold places that ISO 3166 does not list.
    """
    areas = [find(code) for code in codes]
    iso3 = [code for code, area in zip(codes, areas, strict=True) if area and area.iso3 == code]
    return all(area and not area.part for area in areas) or len(iso3) * 2 >= len(codes)


def _key(code: str | int) -> tuple[str, str]:
    area = find(code)
    return (area.iso3, area.part) if area else (str(code).strip(), "its own")


def _missing(code: str | int | float | None) -> bool:
    return code is None or (isinstance(code, float) and math.isnan(code)) or not str(code).strip()


@functools.cache
def _countries() -> dict[str, Area]:
    """Every country under its ISO2, ISO3 and M49 code."""
    areas = [Area(c.alpha_2, c.alpha_3, c.numeric, getattr(c, "common_name", c.name)) for c in pycountry.countries]
    return {code: area for area in areas for code in (area.iso2, area.iso3, area.m49)}
