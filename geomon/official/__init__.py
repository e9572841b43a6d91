"""Official statistics: published tables in one long form, pinned as vintages; what was missing or odd is in words."""

from geomon.official.asking import Told
from geomon.official.codes import GROUP, NATURES, nature_name
from geomon.official.reading import read, read_csv
from geomon.official.series import same_series
from geomon.official.table import AS_MEASURED, COLUMNS, FIRST, fingerprint, vintage_of
from geomon.official.units import factor, unit_name
from geomon.official.vintages import statistics

__all__ = [
    "AS_MEASURED",
    "COLUMNS",
    "FIRST",
    "GROUP",
    "NATURES",
    "Told",
    "factor",
    "fingerprint",
    "nature_name",
    "read",
    "read_csv",
    "same_series",
    "statistics",
    "unit_name",
    "vintage_of",
]
