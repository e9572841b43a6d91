"""What can go wrong, named by cause; each message says what was asked, what was there and what to do."""

import difflib
from collections.abc import Iterable


class GeomonError(Exception):
    """Anything that geomon refuses or cannot do, in a sentence for the person who asked."""


class DefinitionError(GeomonError):
    """A definition contradicts itself, or what it gave for a block cannot be summed."""


class InputError(GeomonError):
    """What was handed in for this run does not fit the definition or the command."""


class CatalogError(GeomonError):
    """A collection, item, band or class that was asked for is not there, or says too little."""


class ReadError(GeomonError):
    """Pixels could not be read."""


class ZoneError(GeomonError):
    """Reporting areas that cannot be used as they are."""


class StoreError(GeomonError):
    """Results that cannot be written or read."""


class WorkerError(GeomonError):
    """Workers that cannot be reached or do not fit, or too many blocks that none of them could compute."""


class LedgerError(GeomonError):
    """Areas do not add up: what was counted, excluded and unseen is not the zone."""


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """' Did you mean 'forest'?' if a known word is close, else nothing."""
    names = {k.lower(): k for k in known}
    close = difflib.get_close_matches(word.lower(), names, n=1, cutoff=0.6)
    return f" Did you mean {names[close[0]]!r}?" if close else ""


def listing(names: Iterable[str], most: int = 12) -> str:
    """Names in quotes, shortened where there are many: 'a', 'b', ... (40 in all)."""
    known = sorted(names)
    shown = ", ".join(repr(n) for n in known[:most])
    return f"{shown}, ... ({len(known)} in all)" if len(known) > most else shown or "none"
