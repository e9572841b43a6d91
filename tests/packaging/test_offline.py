"""The tests call no host but loopback: not here, not in a process below, not by a caught refusal."""

import os
import socket
import subprocess
import sys
import urllib.request
from collections.abc import Iterator

import pytest

from tests.offline import blocked

pytest_plugins = ["pytester"]

ELSEWHERE = ("192.0.2.1", 80)  # reserved for documentation: nobody's address


@pytest.fixture
def refused() -> Iterator[list[str]]:
    """The record of refusals, which this module may fill without failing for it."""
    yield blocked.tried
    blocked.tried.clear()


def test_another_host_is_refused(refused: list[str]) -> None:
    with socket.socket() as tcp, pytest.raises(blocked.NetworkBlocked, match="no host but loopback"):
        tcp.connect(ELSEWHERE)
    with socket.socket(type=socket.SOCK_DGRAM) as udp, pytest.raises(blocked.NetworkBlocked):
        udp.sendto(b"", ELSEWHERE)
    with pytest.raises(blocked.NetworkBlocked):
        socket.create_connection(("example.org", 443))
    assert refused == ["192.0.2.1", "192.0.2.1", "example.org"]


def test_loopback_is_not() -> None:
    with (
        socket.create_server(("127.0.0.1", 0)) as server,
        socket.create_connection(("localhost", server.getsockname()[1]), timeout=5) as client,
        server.accept()[0] as there,
    ):
        client.sendall(b"hello")
        assert there.recv(5) == b"hello"


def test_a_process_below_is_offline_too() -> None:
    code = f"import socket; socket.create_connection({ELSEWHERE})"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "NetworkBlocked" in done.stderr


def test_compiled_clients_are_sent_to_a_closed_port() -> None:
    assert urllib.request.getproxies()["https"] == os.environ["HTTPS_PROXY"] == "http://127.0.0.1:9"
    assert urllib.request.proxy_bypass("127.0.0.1")


def test_a_caught_refusal_fails_the_test(pytester: pytest.Pytester, root: os.PathLike[str]) -> None:
    pytester.makeconftest((root / "tests" / "conftest.py").read_text())
    pytester.makepyfile(
        """
        import socket

        def test_hides_it():
            try:
                socket.socket().connect_ex(("192.0.2.1", 80))
            except OSError:
                pass
        """
    )
    result = pytester.runpytest_subprocess("-o", f"pythonpath={root}", "-p", "no:cacheprovider")
    result.stdout.fnmatch_lines(["*called for the network: 192.0.2.1*"])
    result.assert_outcomes(passed=1, errors=1)
