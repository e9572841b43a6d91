"""What is asked of a provider of official statistics, what came of it, and the pages in between."""

import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pandas as pd

from geomon import areas as places
from geomon.errors import InputError
from geomon.official.fetching import Body, Manner, NotWholeError, ServiceError, get

ADDRESSES = {
    "un-sdg": "https://unstats.un.org/sdgs/UNSDGAPIV5",
    "worldbank": "https://api.worldbank.org/v2",
    "sdmx": "https://data.un.org/ws/rest",
}
"""Where the providers say that their services are; GEOMON_OFFICIAL_URL or --url name another."""
PAGE = 1000  # rows of a page


@dataclass(frozen=True, kw_only=True)
class Told:
    """What a table does not say itself, and its reader was told."""

    publisher: str = ""
    """Fills rows that name none."""
    area: str = ""
    """The country of an Open SDG table's rows without a GeoCode."""
    series: str = ""
    """The series code of an Open SDG table; by default the indicator in the name of its file."""
    mapping: Mapping[str, Any] | str | Path | None = None
    """For a plain CSV or Excel table of other columns; see `workbook.mapped`."""
    structure: bytes | None = None
    """The DSD of an SDMX-ML message."""
    names: Path | None = None
    """The World Bank's list of indicator names, which hold the units of a long CSV."""


@dataclass(frozen=True, kw_only=True)
class Question:
    """What is asked of a provider."""

    provider: str
    series: tuple[str, ...] = ()
    areas: tuple[str, ...] = ()
    """ISO3 or M49 codes; none asks for all."""
    span: str = ""
    """'2000/2020'; none asks for all years."""
    url: str = ""
    flow: str = ""
    """Of SDMX: 'IAEG-SDGs/DF_SDG_GLH', with '/1.9' for a version that is not the newest."""
    key: str = ""
    """Of SDMX: the whole key, in the place of series and areas."""
    file: str = ""
    """A file, or the address of one."""
    release: str = ""
    """What the publisher calls this state of a file."""
    told: Told = field(default_factory=Told)

    @property
    def query(self) -> dict[str, str]:
        """What tells one question to a provider from another; not where it was asked."""
        said = {
            "series": "+".join(sorted(set(self.series)) if self.provider in ADDRESSES else self.series),
            "area": "+".join(sorted(set(map(iso3, self.areas))) if self.provider in ADDRESSES else self.areas),
            "period": self.span,
            "flow": self.flow,
            "key": self.key,
            "file": self.file.replace("\\", "/").rpartition("/")[2],
            "publisher": self.told.publisher,
            "as": self.told.series,
            "mapping": Path(self.told.mapping).name if isinstance(self.told.mapping, str | Path) else "",
        }
        return {name: text for name, text in said.items() if text}

    @property
    def years(self) -> tuple[str, str]:
        """The first and the last year, or nothing; InputError for what is neither."""
        if self.span and not re.fullmatch(r"\d{4}(/\d{4})?", self.span):
            raise InputError(f"The period is {self.span!r}; write a year or 2000/2020.")
        first, _, last = self.span.partition("/")
        return first, last or first


@dataclass(frozen=True, kw_only=True)
class Fetched:
    """A table with all that it came from."""

    table: pd.DataFrame
    bodies: tuple[Body, ...]
    release: str = ""
    """What the provider calls this state of its data."""
    dsd: str = ""
    """The data structure and its version: 'IAEG-SDGs:SDG(1.20)'."""
    url: str = ""
    remarks: tuple[str, ...] = ()


def pages(
    url: str,
    params: Mapping[str, Sequence[str]],
    read: Callable[[Body, int], tuple[list[Any], int, int]],
    manner: Manner,
    size: str = "pageSize",
) -> Iterator[tuple[Body, list[Any]]]:
    """Every page to the last; ServiceError if they do not add up to what the first one promised."""
    number, got, promised, before = 1, 0, 0, set[str]()
    while True:
        body = get(url, {**flat(params), size: str(PAGE), "page": str(number)}, manner=manner)
        rows, last, total = read(body, number)
        if number > 1 and total != promised:
            raise ServiceError(
                f"{url} was updated while it was read: {promised} rows, then {total}. Fetch it again.", away=True
            )
        own = {json.dumps(row, sort_keys=True) for row in rows}
        if own & before or (not rows and number < last):
            what = "the same rows on two pages" if rows else f"nothing on page {number} of {last}"
            raise ServiceError(f"{url} gave {what}. Its answer is not whole; try again.", away=True)
        promised, got, before = total, got + len(rows), before | own
        yield body, rows
        if number >= last:
            break
        number += 1
    if got != promised:
        raise ServiceError(
            f"{url} promised {promised} rows and gave {got}. Its answer is not whole; try again.", away=True
        )


def flat(params: Mapping[str, Sequence[str]]) -> dict[str, Any]:
    """Parameters as requests takes them: several values of one name stay several."""
    return {name: list(values) if len(values) > 1 else values[0] for name, values in params.items()}


def json_of(data: bytes, label: str) -> Any:
    """JSON with its numbers as the text that stood there; InputError if it is not whole."""
    try:
        return json.loads(data, parse_float=str, parse_int=str)
    except ValueError as error:
        raise NotWholeError(f"{label} is not whole JSON: {error}. It may have been cut off; fetch it again.") from error


def parsed(body: Body, kind: type) -> Any:
    """JSON of the documented kind; a body that is cut off or something else is a ServiceError."""
    try:
        tree = json_of(body.content, body.url)
    except NotWholeError as error:
        raise ServiceError(str(error), away=True) from error
    if not isinstance(tree, kind):
        raise other(body, "the documented JSON")
    return tree


def objects(rows: Any) -> list[Any]:
    """Rows of JSON; TypeError if they are none."""
    if rows and not all(isinstance(row, dict) for row in rows):
        raise TypeError("rows are no objects")
    return list(rows or [])


def other(body: Body, wanted: str) -> ServiceError:
    """An answer that is none."""
    start = body.content[:80].decode("utf-8", "replace").strip()
    return ServiceError(f"{body.url} did not answer with {wanted} but with {start!r}. The service may have changed.")


def nothing(question: Question, base: str) -> InputError:
    """No observation."""
    asked = ", ".join(f"{name} {text}" for name, text in question.query.items())
    return InputError(f"{base} has no observations of {asked}. Ask for other series, areas or years.")


def need_series(question: Question, such: str) -> None:
    """InputError if no series is named."""
    if not question.series:
        raise InputError(f"{question.provider} needs a series: --series {such}.")


def m49(code: str) -> str:
    """678 for STP; another number (a region's) as it is."""
    found = places.find(code.zfill(3) if code.isdigit() else code)
    if found is None and not code.isdigit():
        raise InputError(f"{code!r} is no ISO 3166 or M49 code of an area.")
    return str(int(found.m49)) if found else code


def iso3(code: str) -> str:
    """STP for 678; another code (a group's) as it is."""
    found = places.find(code.zfill(3) if code.isdigit() else code)
    return found.iso3 if found else code
