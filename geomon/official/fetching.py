"""Bodies from statistical services: whole or not at all, with patience for what passes."""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from geomon.errors import GeomonError, InputError

CHUNK = 1 << 16


class NotWholeError(InputError):
    """A body or file that was cut off, or is something else than its beginning promises."""


class ServiceError(GeomonError):
    """A statistical service that is away, refuses, or answers with something else than what it documents."""

    def __init__(self, message: str, *, away: bool = False) -> None:
        """`away` if the same question may well be answered later: then a pinned vintage may serve."""
        super().__init__(message)
        self.away = away


@dataclass(frozen=True, kw_only=True)
class Manner:
    """How long to wait, how often to ask again, how much to take."""

    timeout: float = 60.0
    """Seconds without a byte."""
    longest: float = 900.0
    """Seconds for one body."""
    tries: int = 4
    pause: float = 2.0
    """Seconds before the second try; twice as long before each further one."""
    most: int = 500_000_000
    """Bytes of one body."""
    sleep: Callable[[float], None] = time.sleep


MANNER = Manner()


@dataclass(frozen=True)
class Body:
    """One answer, as it came."""

    url: str
    content: bytes
    type: str = ""


def get(url: str, params: Mapping[str, str] | None = None, *, accept: str = "*/*", manner: Manner = MANNER) -> Body:
    """The body at an address. ServiceError: `away` after timeouts, broken answers and 5xx or 429 to the last try."""
    why = ""
    for attempt in range(manner.tries):
        if attempt:
            manner.sleep(manner.pause * 2 ** (attempt - 1))
        try:
            return once(url, params or {}, accept, manner)
        except ServiceError as error:
            if not error.away:
                raise
            why = str(error)
    times = f"{manner.tries} times" if manner.tries > 1 else "once"
    raise ServiceError(f"{why} It was asked {times}; try again later.", away=True)


def once(url: str, params: Mapping[str, str], accept: str, manner: Manner) -> Body:
    """One try."""
    import requests

    headers = {"Accept": accept, "User-Agent": "geomon"}
    try:
        with requests.get(url, params=dict(params), headers=headers, timeout=manner.timeout, stream=True) as answer:
            refuse(answer.status_code, str(answer.url), answer)
            return Body(str(answer.url), whole(answer, manner), str(answer.headers.get("Content-Type") or ""))
    except requests.Timeout as error:
        raise ServiceError(f"{url} did not answer within {manner.timeout:g} s.", away=True) from error
    except (requests.exceptions.ChunkedEncodingError, requests.exceptions.ContentDecodingError) as error:
        raise ServiceError(f"The answer of {url} broke off before its end.", away=True) from error
    except requests.ConnectionError as error:
        slow = "timed out" in str(error).lower()
        what = f"did not answer within {manner.timeout:g} s" if slow else "cannot be reached, or broke off its answer"
        raise ServiceError(f"{url} {what}.", away=True) from error
    except requests.RequestException as error:
        raise ServiceError(f"{url} cannot be asked: {error}. Check the address.") from error


def refuse(status: int, url: str, answer: object) -> None:
    """ServiceError for a status that is no success."""
    if status == 200:
        return
    if status >= 500 or status == 429:
        raise ServiceError(f"{url} answered with an error of its own ({status}).", away=True)
    if status == 404:
        raise ServiceError(
            f"{url} holds nothing (404). Check the codes of series and areas, the years and the address."
        )
    if status in (401, 403):
        raise ServiceError(f"{url} does not let us in ({status}). It may need an account, or refuse this network.")
    said = str(getattr(answer, "text", ""))[:200].strip()
    raise ServiceError(f"{url} refused the question ({status}){': ' + said if said else ''}.")


def whole(answer: object, manner: Manner) -> bytes:
    """All bytes; ServiceError if there are too many, too few, or they come too slowly."""
    began, parts, size = time.monotonic(), [], 0
    for chunk in answer.iter_content(CHUNK):  # type: ignore[attr-defined]
        parts.append(chunk)
        size += len(chunk)
        if size > manner.most:
            raise ServiceError(
                f"{answer.url} sends more than {manner.most / 1e6:g} MB. "  # type: ignore[attr-defined]
                "Ask for fewer series, areas or years."
            )
        if time.monotonic() - began > manner.longest:
            raise ServiceError(f"{answer.url} takes longer than {manner.longest:g} s.", away=True)  # type: ignore[attr-defined]
    return b"".join(parts)
