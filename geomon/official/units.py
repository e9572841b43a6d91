"""Units of official tables: many spellings, one name each, and what one is in terms of another."""

import re

import pandas as pd

from geomon.errors import InputError, listing

# Name here: (what it measures, how many of the base unit, spellings that published tables use).
KNOWN: dict[str, tuple[str, float, tuple[str, ...]]] = {
    "percent": ("share", 0.01, ("%", "pct", "per cent", "percentage", "percentage (%)", "pt", "annual %")),
    "1": ("share", 1.0, ("fraction", "proportion", "share", "ratio")),
    "per mille": ("share", 0.001, ("‰", "permille")),
    "m2": ("area", 1.0, ("sq. m", "sq m", "sqm", "square metres", "square meters")),
    "ha": ("area", 1e4, ("hectare", "hectares")),
    "1000 ha": ("area", 1e7, ("ha_th", "thousand ha", "000 ha", "kha", "thousand hectares", "000s hectares")),
    "Mha": ("area", 1e10, ("million ha", "million hectares")),
    "km2": ("area", 1e6, ("kmsq", "sq. km", "sq km", "sqkm", "square km", "square kilometres", "square kilometers")),
    "1000 km2": ("area", 1e9, ("thousand km2", "thousand sq. km")),
    "acre": ("area", 4046.8564224, ("acres", "ac")),
    "people": ("count", 1.0, ("persons", "person", "population", "inhabitants")),
    "number": ("count", 1.0, ("count", "counts")),
    "1000 people": ("count", 1e3, ("thousand people", "thousands of people", "thousand persons")),
    "million people": ("count", 1e6, ("millions of people", "million persons")),
    "m": ("length", 1.0, ("metre", "metres", "meter", "meters")),
    "km": ("length", 1e3, ("kilometre", "kilometres", "kilometer", "kilometers")),
    "ug m-3": ("concentration", 1.0, ("mgr_m_3", "micrograms per cubic meter", "micrograms per cubic metre")),
    "mg m-3": ("concentration", 1e3, ("milligrams per cubic metre", "milligrams per cubic meter")),
    "USD": ("money", 1.0, ("cu_usd", "current us$", "us$", "us dollars")),
}
MULTIPLIERS = {
    **{"": 0, "units": 0, "tens": 1, "hundreds": 2, "thousands": 3, "millions": 6, "billions": 9, "trillions": 12},
    **{"unit": 0, "thousand": 3, "million": 6, "billion": 9, "tens of thousands": 4, "hundreds of thousands": 5},
}
MULTIPLIED = {"1000 ha": 3, "Mha": 6, "1000 km2": 3, "1000 people": 3, "million people": 6}
"""Units that hold a multiplier, as a power of ten, which is then not applied again."""
SHARE_OF = re.compile(r"(?:%|percent|per cent) of .+")


def plain(text: str) -> str:
    """The text as it is looked up: lower case, one kind of spaces, km² as km2 and µ as u."""
    for old, new in (
        ("²", "2"),
        ("^2", "2"),
        ("³", "3"),
        ("^3", "3"),
        ("µ", "u"),
        ("μ", "u"),
        ("/m3", " m-3"),
    ):
        text = text.replace(old, new)
    return " ".join(text.lower().split())


SPELLED = {plain(s): name for name, (_, _, spellings) in KNOWN.items() for s in (name, *spellings)}


def unit_name(text: str) -> str:
    """Our name of a unit ('KMSQ' is 'km2', '% of land area' is 'percent'); an unknown one as it was."""
    word = plain(text)
    return "percent" if SHARE_OF.fullmatch(word) else SPELLED.get(word, text.strip())


def factor(given: str, wanted: str) -> float | None:
    """What a value in `given` is multiplied by to be in `wanted`; None if the two do not measure the same."""
    a, b = unit_name(given), unit_name(wanted)
    if plain(a) == plain(b):
        return 1.0 if a else None
    if a not in KNOWN or b not in KNOWN or KNOWN[a][0] != KNOWN[b][0]:
        return None
    return KNOWN[a][1] / KNOWN[b][1]


def power(text: pd.Series) -> pd.Series:
    """Unit multipliers as powers of ten; InputError for a word that is none."""
    words = text.str.lower().replace({word: str(n) for word, n in MULTIPLIERS.items()})
    wrong = words[~words.str.fullmatch(r"-?\d{1,2}(\.0+)?")]
    if len(wrong):
        raise InputError(
            f"unit_mult is {wrong.iloc[0]!r}: write a power of ten (3 for thousands) or one of {listing(MULTIPLIERS)}."
        )
    return words.astype(float).astype(int)
