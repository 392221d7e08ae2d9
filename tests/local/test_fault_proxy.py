"""The proxy of the drills: each way of failing, on open connections."""

from __future__ import annotations

import socket
import socketserver
import threading
import time
from collections.abc import Iterator

import pytest

from local.simulators.fault_proxy import Mode, Proxy
from tests.processes import free_port, wait_until


class _Echo(socketserver.BaseRequestHandler):
    def handle(self) -> None:
        try:
            while data := self.request.recv(65536):
                self.request.sendall(data)
        except ConnectionError:
            return


@pytest.fixture
def proxy() -> Iterator[Proxy]:
    """A proxy before a server that says everything again."""
    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), _Echo) as server:
        server.daemon_threads = True
        threading.Thread(target=server.serve_forever, daemon=True).start()
        with Proxy("127.0.0.1", server.server_address[1], delay=0.3) as opened:
            yield opened
        server.shutdown()


def connected(proxy: Proxy) -> socket.socket:
    client = socket.create_connection(("127.0.0.1", proxy.port), timeout=10)
    client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return client


def said(client: socket.socket, data: bytes) -> bytes:
    """Send, and read as much again."""
    client.sendall(data)
    heard = b""
    while len(heard) < len(data):
        more = client.recv(65536)
        assert more, f"ended after {len(heard)} bytes"
        heard += more
    return heard


def test_it_passes_everything_both_ways_and_the_end_too(proxy: Proxy) -> None:
    with connected(proxy) as client:
        data = bytes(range(256)) * 4000
        assert said(client, data) == data
        client.shutdown(socket.SHUT_WR)
        assert client.recv(10) == b""
    wait_until(lambda: proxy.connections == 0, "the end of the connection")


def test_a_black_hole_accepts_and_says_nothing_and_its_connections_stay_dead(proxy: Proxy) -> None:
    with connected(proxy) as client:
        assert said(client, b"before") == b"before"
        proxy.switch(Mode.BLACKHOLE)
        client.sendall(b"lost")
        client.settimeout(0.3)
        with pytest.raises(TimeoutError):
            client.recv(10)
        with connected(proxy) as late:
            late.settimeout(0.3)
            late.sendall(b"x")
            with pytest.raises(TimeoutError):
                late.recv(10)
        proxy.switch(Mode.PASS)
        client.sendall(b"after")
        with pytest.raises(TimeoutError):
            client.recv(10)
        with connected(proxy) as fresh:
            assert said(fresh, b"again") == b"again"


def test_what_was_frozen_comes_when_it_thaws(proxy: Proxy) -> None:
    with connected(proxy) as client:
        assert said(client, b"before") == b"before"
        proxy.switch(Mode.FREEZE)
        client.sendall(b"kept")
        client.settimeout(0.3)
        with pytest.raises(TimeoutError):
            client.recv(10)
        client.settimeout(10)
        proxy.switch(Mode.PASS)
        assert client.recv(10) == b"kept"


def test_reset_is_a_reset(proxy: Proxy) -> None:
    with connected(proxy) as client:
        assert said(client, b"1") == b"1"
        proxy.reset()
        with pytest.raises(ConnectionResetError):
            client.recv(10)
    with connected(proxy) as client:
        assert said(client, b"2") == b"2"


def test_refusing_keeps_open_connections_and_refuses_new_ones(proxy: Proxy) -> None:
    with connected(proxy) as client:
        assert said(client, b"1") == b"1"
        proxy.switch(Mode.REFUSE)
        with pytest.raises(ConnectionRefusedError):
            connected(proxy)
        assert said(client, b"2") == b"2"
    proxy.switch(Mode.PASS)
    with connected(proxy) as client:
        assert said(client, b"3") == b"3"


def test_delay_and_one_byte_at_a_time(proxy: Proxy) -> None:
    with connected(proxy) as client:
        assert said(client, b"now") == b"now"
        proxy.switch(Mode.DELAY)
        began = time.monotonic()
        assert said(client, b"late") == b"late"
        assert time.monotonic() - began >= 0.6
        proxy.switch(Mode.DRIP)
        assert said(client, b"drop by drop") == b"drop by drop"


def test_half_close_ends_one_direction_only(proxy: Proxy) -> None:
    with connected(proxy) as client:
        assert said(client, b"1") == b"1"
        proxy.half_close()
        assert client.recv(10) == b""
        for _ in range(3):  # what comes back is dropped and ends nothing
            client.sendall(b"still taken")
        assert proxy.connections == 1


def test_a_target_that_is_not_there_is_a_reset() -> None:
    with Proxy("127.0.0.1", free_port()) as proxy, pytest.raises(ConnectionResetError), connected(proxy) as client:
        client.recv(10)  # the reset may come as early as while connecting
