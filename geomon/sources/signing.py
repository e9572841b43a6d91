"""Signatures of addresses, fetched just before a read and kept in memory until shortly before they expire."""

import json
import threading
import urllib.error
import urllib.request
from dataclasses import dataclass
from datetime import UTC, datetime

from geomon.errors import ReadError

PLANETARY_COMPUTER = "https://planetarycomputer.microsoft.com/api/sas/v1/token/{collection}"
MARGIN = 60.0  # seconds before its end at which a token is no longer used


@dataclass(frozen=True)
class Token:
    """The query that opens a storage account for a while."""

    query: str
    ends: float
    """Seconds since 1970."""


TOKENS: dict[str, Token] = {}
LOCK = threading.Lock()


def endpoint(sign: str, collection: str) -> str:
    """The address that gives the tokens of a collection; '' if none are needed."""
    known = PLANETARY_COMPUTER if sign == "planetary-computer" else sign
    return known.replace("{collection}", collection)


def signed(href: str, sign: str, timeout: float = 30.0) -> str:
    """The address with a token of the endpoint `sign`; as it is without one. Must not be stored or shown."""
    if not sign or not href.startswith(("http://", "https://")):
        return href
    token = fresh(sign, timeout)
    return f"{href}{'&' if '?' in href else '?'}{token.query}"


def fresh(address: str, timeout: float) -> Token:
    """A token that is good for at least another minute; fetched once for all threads."""
    with LOCK:
        known = TOKENS.get(address)
        if known is None or known.ends - MARGIN < datetime.now(UTC).timestamp():
            TOKENS[address] = known = fetch(address, timeout)
        return known


def fetch(address: str, timeout: float) -> Token:
    """A token from its endpoint; ReadError that names the HTTP code, which tells whether to try again."""
    try:
        with urllib.request.urlopen(address, timeout=timeout) as answer:
            found = json.load(answer)
        ends = datetime.fromisoformat(str(found["msft:expiry"]).replace("Z", "+00:00")).timestamp()
        return Token(str(found["token"]), ends)
    except urllib.error.HTTPError as error:
        with error:
            raise ReadError(f"No token from {address}: HTTP response code: {error.code}.") from error
    except (OSError, ValueError, KeyError) as error:
        raise ReadError(f"No token from {address}: {error}.") from error
