"""No network but loopback, from the moment of this import on.

The test session imports it; `sitecustomize` beside it does so in every Python process below: build tools,
Dask workers, servers. `tried` lists what was refused, so that a refusal which somebody caught is still found.
"""

import ipaddress
import os
import socket
from typing import Any

tried: list[str] = []


class NetworkBlocked(OSError):
    """Something other than loopback was called for."""


def is_loopback(host: object) -> bool:
    """Whether a host, as sockets take it, is this machine."""
    name = host.decode() if isinstance(host, bytes) else str(host or "")
    if name in ("", "localhost", "localhost.localdomain", socket.gethostname()):
        return True
    try:
        address = ipaddress.ip_address(name.split("%")[0])
    except ValueError:
        return False
    return address.is_loopback or address.is_unspecified


def refuse(host: object) -> None:
    """Put the attempt on record and end it."""
    tried.append(str(host))
    raise NetworkBlocked(f"The tests call no host but loopback; {host!r} was called. Use a recorded or local one.")


def address_is_checked(name: str, position: int) -> None:
    """Make a method of socket look at the address that stands at this position of its arguments."""
    original = getattr(socket.socket, name)

    def checked(self: socket.socket, *arguments: Any) -> Any:
        if self.family in (socket.AF_INET, socket.AF_INET6) and len(arguments) > position:
            address = arguments[position]
            if isinstance(address, tuple) and not is_loopback(address[0]):
                refuse(address[0])
        return original(self, *arguments)

    setattr(socket.socket, name, checked)


def names_are_checked() -> None:
    """Make the resolver answer for loopback only."""
    original = socket.getaddrinfo

    def checked(host: Any, *arguments: Any, **options: Any) -> Any:
        if not is_loopback(host):
            refuse(host)
        return original(host, *arguments, **options)

    socket.getaddrinfo = checked


address_is_checked("connect", 0)
address_is_checked("connect_ex", 0)
address_is_checked("sendto", -1)
address_is_checked("sendmsg", 3)
names_are_checked()

# GDAL, curl and other compiled clients know no Python socket: their way out is a port that is closed.
for scheme in ("http_proxy", "https_proxy", "ftp_proxy", "all_proxy"):
    os.environ[scheme] = os.environ[scheme.upper()] = "http://127.0.0.1:9"
os.environ["no_proxy"] = os.environ["NO_PROXY"] = "127.0.0.1,localhost,::1"
