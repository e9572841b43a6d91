"""Small servers on loopback that answer as statistical services are documented to, and go wrong when told to.

The rows are real: of the shared extracts of the UN SDG database and the World Bank, and of Rwanda's SDMX files.
The forms of the UN's JSON API, the World Bank's API and SDMX REST are known from documentation only.
"""

import csv
import functools
import json
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

XML = "application/vnd.sdmx.structurespecificdata+xml;version=2.1"


@dataclass
class Service:
    """A service, what it was asked, and what goes wrong next."""

    answer: Callable[[str, Mapping[str, str]], Any]
    """Path and query to a document: bytes, something for JSON, or None for 404."""
    url: str = ""
    asked: list[tuple[str, Mapping[str, str]]] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)
    """One for each request, in order: a status, 'stall', 'cut' (it ends before its length), 'short' (half of it, well
    sent), 'garbage', or '' for a good one. When they are used up all is well; a last '*' repeats the one before it."""
    over: threading.Event = field(default_factory=threading.Event)

    def next_fault(self) -> str:
        """What goes wrong with this request."""
        if len(self.faults) == 2 and self.faults[1] == "*":
            return self.faults[0]
        return self.faults.pop(0) if self.faults else ""


class Handler(BaseHTTPRequestHandler):
    """Answers for the Service that the server holds."""

    protocol_version = "HTTP/1.1"
    server: "Server"

    def do_GET(self) -> None:
        """Note the request, go wrong if that is due, else answer."""
        service, parts = self.server.service, urlsplit(self.path)
        query = {name: "+".join(values) for name, values in parse_qs(parts.query).items()}
        service.asked.append((unquote(parts.path), query))
        fault = service.next_fault()
        if fault == "stall":
            service.over.wait(30)
            self.close_connection = True
            return
        found = service.answer(unquote(parts.path), query)
        body = found if isinstance(found, bytes) else json.dumps(found).encode()
        if fault.isdigit() or found is None:
            return self.send(int(fault or 404), b"no", 2)
        if fault == "garbage":
            body = b"<!DOCTYPE html><p>Welcome to the hotel's network"
        if fault == "short":
            body = body[: len(body) // 2]
        self.send(200, body[: len(body) // 2] if fault == "cut" else body, len(body))

    def send(self, status: int, body: bytes, length: int) -> None:
        """A body under a length that may be another."""
        self.send_response(status)
        self.send_header("Content-Length", str(length))
        self.end_headers()
        self.wfile.write(body)
        self.close_connection = True

    def log_message(self, *_: Any) -> None:
        """Say nothing."""


class Server(ThreadingHTTPServer):
    """A server on a free port of 127.0.0.1."""

    daemon_threads = True
    block_on_close = False

    def __init__(self, service: Service) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.service = service
        service.url = f"http://127.0.0.1:{self.server_address[1]}"

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that gave up is no fault of the server."""


@contextmanager
def serving(answer: Callable[[str, Mapping[str, str]], Any]) -> Iterator[Service]:
    """A service for the time of a test."""
    service = Service(answer)
    server = Server(service)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield service
    finally:
        service.over.set()
        server.shutdown()
        server.server_close()
        thread.join(5)


def rows_of(file: Path, **wanted: str) -> list[dict[str, str]]:
    """Rows of a CSV file with these values."""
    return [row for row in all_rows(file) if all(row[name] == text for name, text in wanted.items())]


@functools.cache
def all_rows(file: Path) -> list[dict[str, str]]:
    """Every row of a CSV file, read once."""
    with file.open(encoding="utf-8") as lines:
        return list(csv.DictReader(lines))


@dataclass
class Un:
    """The UN SDG database's JSON API over rows of its CSV extract; GET {base}/v1/sdg/Series/List and /Data."""

    rows: Sequence[Mapping[str, str]]
    release: str = "2020.Q3.G.01"
    page: int = 0
    """Rows of a page, whatever was asked for."""

    def __call__(self, path: str, query: Mapping[str, str]) -> Any:
        """The answer to a request."""
        if path == "/v1/sdg/Series/List":
            return [{"code": code, "release": self.release} for code in sorted({r["SeriesCode"] for r in self.rows})]
        if path != "/v1/sdg/Series/Data":
            return None
        areas = query.get("areaCode", "").split("+") if query.get("areaCode") else []
        kept = [
            r for r in self.rows if r["SeriesCode"] == query["seriesCode"] and (not areas or r["GeoAreaCode"] in areas)
        ]
        size, number = self.page or int(query["pageSize"]), int(query["page"])
        return {
            "size": size,
            "totalElements": len(kept),
            "totalPages": -(-len(kept) // size),
            "pageNumber": number,
            "attributes": [],
            "dimensions": [],
            "data": [self.observation(r) for r in kept[(number - 1) * size : number * size]],
        }

    def observation(self, row: Mapping[str, str]) -> dict[str, Any]:
        """A row as the API writes it."""
        return {
            "goal": ["15"],
            "indicator": [row["Indicator"]],
            "series": row["SeriesCode"],
            "seriesDescription": row["SeriesDescription"],
            "geoAreaCode": row["GeoAreaCode"],
            "geoAreaName": row["GeoAreaName"],
            "timePeriodStart": float(row["TimePeriod"]),
            "value": row["Value"],
            "valueType": "Float",
            "source": "FAO",
            "footnotes": [""],
            "attributes": {"Nature": row["Nature"], "Units": row["Units"]},
            "dimensions": {"Reporting Type": "G"},
        }


@dataclass
class Bank:
    """The World Bank's API, version 2, over rows of the CSV extract."""

    rows: Sequence[Mapping[str, str]]
    names: Mapping[str, str]
    updated: str = "2026-01-28"
    page: int = 0
    groups: Sequence[str] = ("WLD",)

    def __call__(self, path: str, query: Mapping[str, str]) -> Any:
        """The answer to a request."""
        parts = path.strip("/").split("/")
        if len(parts) != 4 or parts[0] != "country" or parts[2] != "indicator":
            return None
        if parts[3] not in self.names:
            wrong = "The indicator was not found. It may have been deleted or archived."
            return [{"message": [{"id": "175", "key": "Invalid format", "value": wrong}]}]
        kept = [
            r
            for r in self.rows
            if r["indicator"] == parts[3] and (parts[1] == "all" or r["iso3"] in parts[1].split(";"))
        ]
        size, number = self.page or int(query["per_page"]), int(query["page"])
        meta = {"page": number, "pages": -(-len(kept) // size), "per_page": size, "total": len(kept)}
        shown = kept[(number - 1) * size : number * size]
        return [
            {**meta, "sourceid": "2", "lastupdated": self.updated},
            [self.observation(r) for r in shown] if kept else None,
        ]

    def observation(self, row: Mapping[str, str]) -> dict[str, Any]:
        """A row as the API writes it."""
        group = row["iso3"] in self.groups
        return {
            "indicator": {"id": row["indicator"], "value": self.names[row["indicator"]]},
            "country": {"id": "1W" if group else row["iso3"][:2], "value": row["country_name"]},
            "countryiso3code": "" if group else row["iso3"],
            "date": row["year"],
            "value": float(row["value"]) if row["value"] else None,
            "unit": "",
            "obs_status": "",
            "decimal": 1,
        }


FLOWS = """<?xml version="1.0"?>
<mes:Structure xmlns:mes="http://www.sdmx.org/resources/sdmxml/schemas/v2_1/message"
 xmlns:str="http://www.sdmx.org/resources/sdmxml/schemas/v2_1/structure"
 xmlns:com="http://www.sdmx.org/resources/sdmxml/schemas/v2_1/common">
<mes:Structures><str:Dataflows>{flows}</str:Dataflows></mes:Structures></mes:Structure>"""
FLOW = (
    '<str:Dataflow id="DF_SDG" agencyID="NISR-SDGs" version="{version}"><com:Name>SDG</com:Name>'
    '<str:Structure><Ref id="SDG" version="{dsd}" agencyID="NISR-SDGs" class="DataStructure"/></str:Structure>'
    "</str:Dataflow>"
)


@dataclass
class Sdmx:
    """An SDMX REST service with one flow in several versions, over a DSD and a data message."""

    dsd: bytes
    data: bytes
    versions: dict[str, str] = field(default_factory=lambda: {"1.9": "1.2", "1.10": "1.3"})
    """Versions of the flow, each with that of its structure."""

    def __call__(self, path: str, query: Mapping[str, str]) -> Any:
        """The answer to a request."""
        if path == "/dataflow/NISR-SDGs/DF_SDG/all":
            return FLOWS.format(flows="".join(FLOW.format(version=v, dsd=d) for v, d in self.versions.items())).encode()
        if path.startswith("/datastructure/NISR-SDGs/SDG/"):
            return self.dsd
        return self.data if path.startswith("/data/NISR-SDGs,DF_SDG,") else None
