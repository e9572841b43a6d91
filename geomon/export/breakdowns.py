"""Custom codes of SDMX for breakdowns, which keep theirs when others come."""

import hashlib
import re
from collections.abc import Iterable

from geomon.export.structure import CUSTOM, Structure

CUSTOM_CODE = re.compile(r"C\d+")
ONE_NUMBER = re.compile(r"[^=,]+=(\d+)")


def custom_codes(breakdowns: Iterable[str], structure: Structure) -> dict[str, str]:
    """A custom code for each breakdown, from its own text, so that others that come later do not move it.

    'belt=3' is C03. A text that is no such number has the code that its digest falls on, or the next that no other
    has; the last one where all are taken, so that the rows are refused as one.
    """
    known = structure.codes.get("CUST_BREAKDOWN") or CUSTOM
    custom = [c for c in known if CUSTOM_CODE.fullmatch(c)] or list(CUSTOM)
    made: dict[str, str] = {}
    for text in sorted(breakdowns, key=lambda b: (number_of(b) not in custom, b)):
        code = number_of(text)
        if code not in custom:
            start = int(hashlib.sha256(text.encode()).hexdigest(), 16) % len(custom)
            free = (c for c in (*custom[start:], *custom[:start]) if c not in made.values())
            code = next(free, custom[-1])
        made[text] = code
    return made


def number_of(breakdown: str) -> str:
    """'C03' of 'belt=3', whatever the key; '' of what has more than one key or is no whole number."""
    found = ONE_NUMBER.fullmatch(breakdown)
    return f"C{int(found[1]):02d}" if found else ""
