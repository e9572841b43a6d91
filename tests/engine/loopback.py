"""A small HTTP server on loopback: files with byte ranges, recorded STAC exchanges, tokens, and faults on demand."""

import json
import socket
import struct
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit


@dataclass
class Fault:
    """What goes wrong with a path, and how often before it goes well."""

    kind: str
    """'503' or any other status, 'stall' (no answer), 'reset' (the connection breaks), 'short' (it ends in the middle
    of the answer), 'drip' (the answer never ends) or 'whole' (ranges are not understood)."""
    times: int = 10**9


@dataclass(frozen=True)
class Asked:
    """One request."""

    method: str
    path: str
    query: Mapping[str, list[str]]
    body: Any = None
    range: str = ""


@dataclass
class Loopback:
    """What the server knows, and what it was asked."""

    url: str = ""
    folder: Path | None = None
    faults: dict[str, Fault] = field(default_factory=dict)
    documents: dict[str, Any] = field(default_factory=dict)
    """Path to a JSON document, or to a function of the request that gives one."""
    recorded: list[Mapping[str, Any]] = field(default_factory=list)
    locked: str = ""
    """A path below which every request needs the current token."""
    lifetime: float = 3600.0
    """Seconds for which a token says that it is good."""
    tokens: int = 0
    """How many were given."""
    sent: int = 0
    """Bytes of all answers."""
    delay: float = 0.0
    """Seconds before each answer."""
    under_way: int = 0
    widest: int = 0
    """How many requests waited for their answer, at most."""
    lock: threading.Lock = field(default_factory=threading.Lock)
    asked: list[Asked] = field(default_factory=list)
    over: threading.Event = field(default_factory=threading.Event)

    def count(self, path: str) -> int:
        """How often a path was asked for."""
        return sum(one.path == path for one in self.asked)

    def replay(self, *files: Path) -> None:
        """Answer as a server did that was recorded; its address in the answers becomes ours."""
        for file in files:
            for exchange in json.loads(file.read_text(encoding="utf-8"))["exchanges"]:
                host = "{0.scheme}://{0.netloc}".format(urlsplit(exchange["request"]["uri"]))
                self.recorded.append(json.loads(json.dumps(exchange).replace(host, self.url)))

    def answer(self, asked: Asked) -> tuple[int, Any] | None:
        """The recorded answer to a request; the longest recorded body that is part of what was sent wins."""
        fits = [e for e in self.recorded if fitting(e["request"], asked, self.url)]
        if not fits:
            return None
        best = max(fits, key=lambda e: len(e["request"].get("body") or {}))
        response = best["response"]
        return int(response["status"]["code"]), self.without_loose_ends(response["body"])

    def without_loose_ends(self, body: Any) -> Any:
        """The body without a link to a next page that was not recorded."""
        if not isinstance(body, dict) or "features" not in body:
            return body
        tokens = [(e["request"].get("body") or {}).get("token") for e in self.recorded]
        links = [
            link
            for link in body.get("links", [])
            if link.get("rel") != "next" or (link.get("body") or {}).get("token") in tokens
        ]
        return {**body, "links": links}


def fitting(recorded: Mapping[str, Any], asked: Asked, url: str) -> bool:
    """Whether a recorded request is part of what was asked; how many on a page does not matter."""
    parts = urlsplit(recorded["uri"])
    if recorded["method"] != asked.method or parts.path.rstrip("/") != asked.path.rstrip("/"):
        return False
    said = {k: v for k, v in (recorded.get("body") or {}).items() if k != "limit"}
    sent = asked.body or {}
    return all(sent.get(k) == v for k, v in said.items()) and ("token" in said) == ("token" in sent)


class Handler(BaseHTTPRequestHandler):
    """Answers for the Loopback that the server holds."""

    protocol_version = "HTTP/1.1"
    server: "Server"

    def do_GET(self) -> None:
        """A document, a recorded answer, a token, or a part of a file."""
        self.handle_one("GET")

    def do_HEAD(self) -> None:
        """The same without a body."""
        self.handle_one("HEAD")

    def do_POST(self) -> None:
        """A search."""
        self.handle_one("POST")

    def handle_one(self, method: str) -> None:
        """Note the request, go wrong if that was asked for, else answer."""
        loopback, parts = self.server.loopback, urlsplit(self.path)
        length = int(self.headers.get("Content-Length") or 0)
        body = json.loads(self.rfile.read(length)) if length else None
        asked = Asked(method, unquote(parts.path), parse_qs(parts.query), body, self.headers.get("Range") or "")
        loopback.asked.append(asked)
        if loopback.delay:
            self.wait(loopback)
        fault = loopback.faults.get(asked.path)
        if fault and fault.times > 0:
            fault.times -= 1
            return self.go_wrong(fault, asked)
        secured = bool(loopback.locked) and asked.path.startswith(loopback.locked)
        if secured and asked.query.get("sig") != [f"secret-{loopback.tokens}"]:
            return self.send(403, b"no token")
        if asked.path.startswith("/token/"):
            return self.give_token()
        document = loopback.documents.get(asked.path)
        if document is not None:
            made = document(asked) if callable(document) else document
            return self.send_json(200, made)
        recorded = loopback.answer(asked)
        if recorded:
            return self.send_json(*recorded)
        self.send_file(asked.path)

    def wait(self, loopback: Loopback) -> None:
        """Be late, and note how many others are."""
        with loopback.lock:
            loopback.under_way += 1
            loopback.widest = max(loopback.widest, loopback.under_way)
        loopback.over.wait(loopback.delay)
        with loopback.lock:
            loopback.under_way -= 1

    def go_wrong(self, fault: Fault, asked: Asked) -> None:
        """As the fault says."""
        if fault.kind == "stall":
            self.server.loopback.over.wait(30)
            self.close_connection = True
        elif fault.kind == "reset":
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            self.close_connection = True
            self.connection.close()
        elif fault.kind in ("short", "drip"):
            self.send_response(206)
            for name, value in {"Content-Length": "100000", "Content-Range": "bytes 0-99999/200000"}.items():
                self.send_header(name, value)
            self.end_headers()
            self.close_connection = True
            while fault.kind == "drip" and not self.server.loopback.over.wait(0.05):
                self.wfile.write(b"II")
                self.wfile.flush()
        elif fault.kind == "whole":
            del self.headers["Range"]
            self.send_file(asked.path)
        else:
            self.send(int(fault.kind), b"no")

    def give_token(self) -> None:
        """A token as the Planetary Computer gives it; each one makes the former void."""
        loopback = self.server.loopback
        loopback.tokens += 1
        ends = datetime.now(UTC) + timedelta(seconds=loopback.lifetime)
        token = {"msft:expiry": ends.strftime("%Y-%m-%dT%H:%M:%SZ"), "token": f"sig=secret-{loopback.tokens}"}
        self.send_json(200, token)

    def send_json(self, code: int, document: Any) -> None:
        """A JSON document."""
        self.send(code, json.dumps(document).encode(), "application/json")

    def send_file(self, path: str) -> None:
        """A file or the part of it that a range asks for."""
        folder = self.server.loopback.folder
        file = folder / path.lstrip("/") if folder else None
        if file is None or not file.is_file():
            return self.send(404, b"not found")
        content = file.read_bytes()
        wanted = self.headers.get("Range")
        if not wanted:
            return self.send(200, content, "image/tiff")
        first, _, last = wanted.removeprefix("bytes=").partition("-")
        a, b = (int(first), int(last or len(content) - 1)) if first else (len(content) - int(last), len(content) - 1)
        b = min(b, len(content) - 1)
        self.send(206, content[a : b + 1], "image/tiff", {"Content-Range": f"bytes {a}-{b}/{len(content)}"})

    def send(self, code: int, body: bytes, kind: str = "text/plain", more: Mapping[str, str] | None = None) -> None:
        """One answer."""
        self.send_response(code)
        for name, value in {"Content-Type": kind, "Content-Length": str(len(body)), **(more or {})}.items():
            self.send_header(name, value)
        self.send_header("Accept-Ranges", "bytes")
        self.end_headers()
        if self.command != "HEAD":
            self.server.loopback.sent += len(body)
            self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing."""


class Server(ThreadingHTTPServer):
    """A server on a free port of 127.0.0.1."""

    daemon_threads = True
    block_on_close = False

    def __init__(self, loopback: Loopback) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.loopback = loopback
        loopback.url = f"http://127.0.0.1:{self.server_address[1]}"

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that gave up is no fault of the server."""


@contextmanager
def serving(folder: Path | None = None) -> Iterator[Loopback]:
    """A server for the time of a test."""
    loopback = Loopback(folder=folder)
    server = Server(loopback)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield loopback
    finally:
        loopback.over.set()
        server.shutdown()
        server.server_close()
        thread.join(5)


def api(loopback: Loopback, collections: Mapping[str, Sequence[Mapping[str, Any]]]) -> str:
    """A STAC API over items held in memory, with pages of ten; gives its address."""
    base = f"{loopback.url}/stac"
    conforms = ["core", "collections", "item-search", "ogcapi-features"]
    links = [
        {"rel": rel, "href": base + path, "type": "application/json", **more}
        for rel, path, more in (
            ("self", "", {}),
            ("root", "", {}),
            ("data", "/collections", {}),
            ("search", "/search", {"method": "GET"}),
            ("search", "/search", {"method": "POST"}),
        )
    ]
    loopback.documents["/stac"] = loopback.documents["/stac/"] = {
        "type": "Catalog",
        "id": "loopback",
        "stac_version": "1.0.0",
        "description": "A STAC API for tests",
        "conformsTo": [f"https://api.stacspec.org/v1.0.0/{c}" for c in conforms],
        "links": links,
    }
    known = {id: collection(id, base) for id in collections}
    loopback.documents["/stac/collections"] = {"collections": list(known.values()), "links": []}
    for id, document in known.items():
        loopback.documents[f"/stac/collections/{id}"] = document

    def search(asked: Asked) -> dict[str, Any]:
        body = asked.body or {}
        found = [i for id in body["collections"] for i in collections.get(id, []) if wanted(i, body)]
        start = int(body.get("token", 0))
        more = {
            "rel": "next",
            "href": f"{base}/search",
            "method": "POST",
            "body": {**body, "token": start + 10},
        }
        page = found[start : start + 10]
        return {
            "type": "FeatureCollection",
            "features": page,
            "links": [more] if start + 10 < len(found) else [],
        }

    loopback.documents["/stac/search"] = search
    return base


def collection(id: str, base: str) -> dict[str, Any]:
    """A collection of the API."""
    return {
        "type": "Collection",
        "id": id,
        "stac_version": "1.0.0",
        "description": id,
        "license": "other",
        "extent": {"spatial": {"bbox": [[-180, -90, 180, 90]]}, "temporal": {"interval": [[None, None]]}},
        "links": [{"rel": "self", "href": f"{base}/collections/{id}", "type": "application/json"}],
    }


def wanted(item: Mapping[str, Any], body: Mapping[str, Any]) -> bool:
    """Whether an item touches the box and the time of a search."""
    if body.get("bbox"):
        a, b = item["bbox"], body["bbox"]
        if a[0] > b[2] or a[2] < b[0] or a[1] > b[3] or a[3] < b[1]:
            return False
    if body.get("datetime"):
        first, last = body["datetime"].split("/")
        said = item["properties"]
        start = said.get("start_datetime") or said["datetime"]
        end = said.get("end_datetime") or said["datetime"]
        return bool(start <= last and end >= first)
    return True
