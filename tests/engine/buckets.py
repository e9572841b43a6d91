"""An S3 of one's own on loopback, which can fail for a while."""

import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import boto3
import pytest
from moto.server import DomainDispatcherApplication, create_backend_app
from werkzeug.serving import make_server

BUCKET = "geomon"


@dataclass
class S3:
    """What the server is asked, and what it refuses."""

    url: str = ""
    asked: list[tuple[str, str]] = field(default_factory=list)
    """Method and path of each request."""
    faults: int = 0
    """So many requests from now on get a 503."""
    every: int = 0
    """Each so many-th request gets a 503; 0 for none."""
    client: Any = None

    @property
    def address(self) -> str:
        """Of the bucket."""
        return f"s3://{BUCKET}"

    def upload(self, folder: Path, prefix: str) -> None:
        """All files of a folder."""
        for file in sorted(f for f in folder.rglob("*") if f.is_file()):
            self.client.upload_file(str(file), BUCKET, f"{prefix}/{file.relative_to(folder).as_posix()}")

    def names(self, prefix: str = "") -> list[str]:
        """What is in the bucket."""
        found = self.client.list_objects_v2(Bucket=BUCKET, Prefix=prefix).get("Contents", [])
        return [o["Key"] for o in found]

    def served(self, app: Callable[..., Iterable[bytes]]) -> Callable[..., Iterable[bytes]]:
        """The application behind our faults."""
        lock = threading.Lock()

        def answer(environ: Mapping[str, Any], start: Callable[..., Any]) -> Iterable[bytes]:
            with lock:
                self.asked.append((environ["REQUEST_METHOD"], environ["PATH_INFO"]))
                refused = self.faults > 0 or (self.every > 0 and len(self.asked) % self.every == 0)
                self.faults = max(self.faults - 1, 0)
            if not refused:
                return app(environ, start)
            environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
            start("503 Slow Down", [("Content-Type", "application/xml"), ("Content-Length", "0")])
            return [b""]

        return answer


@contextmanager
def s3(monkeypatch: pytest.MonkeyPatch) -> Iterator[S3]:
    """A server with one empty bucket, and an environment that names it."""
    made = S3()
    app = DomainDispatcherApplication(create_backend_app)
    server = make_server("127.0.0.1", 0, made.served(app), threaded=True)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    made.url = f"http://127.0.0.1:{server.server_port}"
    for name, value in {
        "AWS_ACCESS_KEY_ID": "testing",
        "AWS_SECRET_ACCESS_KEY": "testing",
        "AWS_REGION": "us-east-1",
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_ENDPOINT_URL": made.url,
    }.items():
        monkeypatch.setenv(name, value)
    made.client = boto3.client("s3", endpoint_url=made.url)
    made.client.create_bucket(Bucket=BUCKET)
    try:
        yield made
    finally:
        for key in made.names():
            made.client.delete_object(Bucket=BUCKET, Key=key)
        made.client.delete_bucket(Bucket=BUCKET)
        made.client.close()
        server.shutdown()
        thread.join()
        server.server_close()
