"""Our units as codes of SDMX, with the power of ten between the two; values are moved by digits and stay exact."""

from collections.abc import Iterable
from decimal import Decimal

from geomon.official.units import unit_name

CODES: dict[str, tuple[tuple[str, int], ...]] = {
    "percent": (("PT", 0),),
    "1": (("RO", 0), ("PT", 2)),
    "km2": (("KM2", 0), ("HA", 2)),
    "1000 km2": (("KM2", 3), ("HA", 5)),
    "ha": (("HA", 0), ("KM2", -2)),
    "1000 ha": (("HA", 3), ("KM2", 1)),
    "m2": (("M2", 0), ("HA", -4), ("KM2", -6)),
    "people": (("NUMBER", 0),),
    "number": (("NUMBER", 0),),
    "1000 people": (("NUMBER", 3),),
    "million people": (("NUMBER", 6),),
    "km": (("KM", 0),),
    "m": (("KM", -3),),
    "ug m-3": (("GPERM3", 0),),
    "USD": (("USD", 0),),
}
"""Our unit -> codes that can say it, the nearest first, and by which power of ten a value is multiplied for each."""


def choices(unit: str, codes: Iterable[str]) -> list[tuple[str, int]]:
    """The codes of a list that can say a unit, and the power of ten for each."""
    known = set(codes)
    return [(code, power) for code, power in CODES.get(unit_name(unit), ()) if code in known]


def moved(value: float, power: int) -> str:
    """A value times a power of ten, as text that loses no digit."""
    text = repr(float(value))
    return text if not power else format(Decimal(text).scaleb(power), "f")
