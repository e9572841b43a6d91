"""Data of an Open SDG site: indicator_*.csv with Year, Value, disaggregation columns, GeoCode and Units."""

import re
from pathlib import PurePath

import pandas as pd

from geomon.errors import InputError
from geomon.official.codes import apart, parts
from geomon.official.delimited import column, joined

NEEDED = {"year", "value"}
ASIDE = {"year", "value", "geocode", "units", "unit measure", "unit multiplier", "observation status"}
PLACES = re.compile(
    r"country|region|authorit|council|district|county|province|state|municipalit|ward|parish|constituency|nation"
)
"""Names of columns that may only say again where a GeoCode is."""


def code_in(name: str) -> str:
    """The indicator in a file's name: '15.1.1' in 'uk_ons_indicator_15-1-1.csv', else nothing."""
    found = re.search(r"(?:^|_)(?:indicator_)?(\d+-[0-9a-z]+-[0-9a-z]+)(?=[_.]|$)", PurePath(name).name)
    return found.group(1).replace("-", ".") if found else ""


def site_form(raw: pd.DataFrame, series: str, area: str, publisher: str, label: str) -> pd.DataFrame:
    """The rows as text columns; what a disaggregation column holds stands behind the series code.

    A row without a GeoCode is the whole country, `area`, unless a column of places names a part of it. A column
    that only names the place of a GeoCode parts nothing off. The unit is 'Unit measure' with its multiplier, or
    else 'Units': both say the same, so the multiplier is applied once. Where one series comes in several units
    (an area and its growth), 'Units' is behind its code as well.
    """
    codes = column(raw, "geocode")
    if not area and (codes == "").any():
        raise InputError(
            f"{label} has {int((codes == '').sum())} rows without a GeoCode, which are about the whole country. "
            "Say which with --area, such as GBR."
        )
    spelled = raw.attrs.get("spelled", {})
    own = [name for name in map(str, raw) if name not in ASIDE]
    places = [name for name in own if PLACES.search(name) and follows(raw[name], codes)]
    dimensions = raw[own].copy()
    dimensions[places] = dimensions[places].where(codes == "", "", axis=0)
    measured, units = column(raw, "unit measure"), column(raw, "units")
    return pd.DataFrame(
        {
            "series": apart(series + parts(dimensions.rename(columns=spelled)), units, "Units"),
            "ref_area": codes.where(codes != "", area),
            "time_period": raw.year,
            "obs_value": raw.value,
            "unit_measure": measured.where(measured != "", units),
            "unit_mult": column(raw, "unit multiplier"),
            "publisher": publisher,
            "note": joined(("units: " + units).where((units != "") & (measured != "") & (units != measured), "")),
            "given_status": column(raw, "observation status"),
        }
    )


def follows(column: pd.Series, codes: pd.Series) -> bool:
    """Whether a column says nothing beyond the GeoCode: one text for each."""
    said = pd.DataFrame({"text": column, "code": codes})
    return bool((said[said.code != ""].groupby("code").text.nunique() <= 1).all())
