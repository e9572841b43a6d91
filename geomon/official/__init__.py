"""Official statistics: published tables in one long form, and in words what was missing or odd in them."""

from geomon.official.series import same_series
from geomon.official.table import AS_MEASURED, COLUMNS, GROUP, read_csv
from geomon.official.units import factor, unit_name

__all__ = ["AS_MEASURED", "COLUMNS", "GROUP", "factor", "read_csv", "same_series", "unit_name"]
