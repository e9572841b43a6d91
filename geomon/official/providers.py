"""The providers of official statistics by name, and the files that need none."""

import re
from collections.abc import Callable
from pathlib import Path

from geomon.errors import InputError, did_you_mean, listing
from geomon.official.asking import Fetched, Question
from geomon.official.fetching import MANNER, Body, Manner, get
from geomon.official.reading import body_table, read
from geomon.official.sdmx import structure_in
from geomon.official.service import sdmx_service
from geomon.official.undata import un_sdg
from geomon.official.worldbank import worldbank_api


def fetch(question: Question, manner: Manner | None = None) -> Fetched:
    """Ask a provider; ServiceError if it is away or refuses, InputError for what cannot be asked or read."""
    if question.provider not in PROVIDERS:
        raise InputError(
            f"There is no provider {question.provider!r}; there are {listing(PROVIDERS)}."
            f"{did_you_mean(question.provider, PROVIDERS)}"
        )
    return PROVIDERS[question.provider](question, manner or MANNER)


def of_file(question: Question, manner: Manner) -> Fetched:
    """Any file that can be read, or the address of one."""
    if not question.file:
        raise InputError(
            f"{question.provider} needs a file or an address: geomon official fetch {question.provider} FILE."
        )
    if question.span:
        raise InputError(f"{question.provider} is pinned whole: leave --period {question.span} away.")
    if re.match(r"https?://", question.file):
        body = get(question.file, manner=manner)
        table = body_table(body, question.told)
    else:
        path = Path(question.file)
        table = read(path, question.told)
        body = Body(path.name, path.read_bytes())
    dsd = structure_in(body.content, body.url) if body.content.lstrip(b"\xef\xbb\xbf \r\n").startswith(b"<") else ""
    return Fetched(table=table, bodies=(body,), url=body.url, release=question.release, dsd=dsd)


PROVIDERS: dict[str, Callable[[Question, Manner], Fetched]] = {
    "un-sdg": un_sdg,
    "worldbank": worldbank_api,
    "sdmx": sdmx_service,
    "open-sdg": of_file,
    "file": of_file,
}
