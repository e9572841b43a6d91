"""The server of the desks: on this machine only, until sign-in exists."""

import logging
import socket
from collections.abc import Callable
from ipaddress import ip_address
from typing import Any

import panel as pn
from tornado.web import RequestHandler

from geomon.errors import GeomonError, InputError
from geomon.panels import checking, pages
from geomon.panels.dashboard import Dashboard
from geomon.panels.map import library
from geomon.texts import say

log = logging.getLogger(__name__)


def serve(store: Any, host: str = "127.0.0.1", port: int = 5006, open_browser: bool = False) -> None:
    """Serve all desks of the workspace until interrupted; InputError for an address that others can reach."""
    server = start(store, host, port, open_browser)
    try:
        server.io_loop.start()
    finally:
        server.stop()


def start(store: Any, host: str = "127.0.0.1", port: int = 5006, open_browser: bool = False) -> Any:
    """The server, listening; port 0 takes any free one, `server.port` tells which."""
    address = loopback(host)
    from geomon.registry import dashboards  # the registry imports the desks, which import this package

    desks = list(dashboards().values())
    port = port or free_port(address)
    pn.extension()
    try:
        server = pn.io.server.get_server(
            {f"/{d.slug}": opener(d, store) for d in [*desks, checking.about(store)]},
            port=port,
            address=address,
            websocket_origin=[f"{name}:{port}" for name in {address, "127.0.0.1", "localhost"}],
            static_dirs={"ml": library()},
            extra_patterns=[(r"/", Index, {"desks": desks, "store": store})],
            show=open_browser,
            start=False,
            verbose=False,
        )
    except OSError as error:
        raise InputError(
            f"Port {port} of {host} cannot be used: {error.strerror or error}. Choose another with --port."
        ) from error
    return server


def loopback(host: str) -> str:
    """The address if only this machine can reach it."""
    name = host.strip("[]")
    if name in ("localhost", "::1"):
        return "127.0.0.1"
    try:
        if ip_address(name).is_loopback:
            return name
    except ValueError:
        pass  # a name, of which nobody knows who reaches it: refused below
    raise InputError(
        f"The desks cannot be served at {host!r}: others could read them, and there is no sign-in yet. Serve at "
        "127.0.0.1 and, to look from another machine, forward the port: ssh -L 5006:127.0.0.1:5006 <this machine>."
    )


def free_port(address: str) -> int:
    """A port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind((address, 0))
        return int(probe.getsockname()[1])


def opener(desk: Dashboard, store: Any) -> Callable[[], Any]:
    """What Panel calls for each visitor: the page of a desk, or one that says why there is none."""

    def opened() -> Any:
        try:
            return desk.page(store)
        except GeomonError as error:
            log.exception("The desk %s could not be opened", desk.slug)
            return pages.failed(desk, str(error))
        except Exception:  # a visitor gets a page of ours, the log gets what happened
            log.exception("The desk %s could not be opened", desk.slug)
            return pages.failed(desk, say("error.unknown"))

    return opened


class Index(RequestHandler):
    """The first page."""

    def initialize(self, desks: list[Dashboard], store: Any) -> None:
        """What the page lists."""
        self.desks, self.store = desks, store

    def get(self) -> None:
        """All desks."""
        self.set_header("Cache-Control", "no-store")
        self.finish(pages.index(self.desks, self.store))
