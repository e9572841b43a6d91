"""Value, missing, suppressed: three things that stay apart in every format.

The codes are those of the cross-domain code lists CL_OBS_STATUS 2.1 and CL_CONF_STATUS 1.2 of SDMX.
"""

from collections.abc import Mapping
from typing import Any

import pandas as pd

from geomon.errors import InputError
from geomon.protection import SUPPRESSED as HIDDEN
from geomon.texts import say

VALUE, MISSING, SUPPRESSED = "", ":", "s"
"""In the status column of tables, as Eurostat writes them."""

ESTIMATED, DIFFERS = "E", "D"
IMPOSSIBLE, NOT_COLLECTED, NO_VALUE, KEPT_BACK = "M", "L", "O", "Q"
FREE, CONFIDENTIAL = "F", "C"
REASONS = {
    "status.undefined": IMPOSSIBLE,
    "status.outside": IMPOSSIBLE,
    "status.unfound": NOT_COLLECTED,
    "status.unseen": NOT_COLLECTED,
    "status.little": NOT_COLLECTED,
}
NATURE_CODE = "M"
"""Modelled: made from other variables than the one that is estimated. 'E' means estimated from national data such
as surveys or registers, and C, CA and G are official."""


def flag(row: Mapping[str, Any]) -> str:
    """What a row holds; InputError if it hides a value and shows it, or has none and no reason."""
    hidden = str(row["obs_status"]).startswith(HIDDEN)
    shown = [n for n in ("obs_value", "lower", "upper") if not pd.isna(row[n])]
    where = f"{row['indicator']} {row['series']} in {row['ref_area']} {row['time_period']}"
    if hidden and shown:
        raise InputError(f"{where} is suppressed but still holds {shown[0]}. Protect the series again before export.")
    if hidden:
        return SUPPRESSED
    if "obs_value" in shown and row["obs_status"]:
        raise InputError(f"{where} has a value and also a reason why it has none: {row['obs_status']!r}.")
    return VALUE if "obs_value" in shown else MISSING


def code_of(row: Mapping[str, Any], differs: str = "") -> str:
    """The OBS_STATUS of a row: E or D with a value, Q where it is hidden, M, L or O where there is none."""
    held = flag(row)
    if held == VALUE:
        return DIFFERS if differs else ESTIMATED
    return KEPT_BACK if held == SUPPRESSED else why(str(row["obs_status"]))


def why(sentence: str) -> str:
    """M where there can be no value, L where there is one that was not seen, O for any other reason."""
    for key, code in REASONS.items():
        if sentence.startswith(beginning(key)):
            return code
    return NO_VALUE


def beginning(key: str) -> str:
    """A text up to its first blank."""
    blanks = {"share": "\0", "needed": "\0"} if key == "status.little" else {}
    return say(key, **blanks).partition("\0")[0]


def meaning(code: str) -> str:
    """An OBS_STATUS in words."""
    return say(f"export.status.{code}")
