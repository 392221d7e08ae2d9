"""The exchange's socket dropped, half-open, refused and mistreated on its way."""

from __future__ import annotations

import socketserver
import statistics
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest

from local.simulators.exchange import ScriptedExchange
from local.simulators.fault_proxy import Mode, Proxy
from tests.drills.rig.desk import Desk, using
from tests.drills.rig.feed import trade
from tests.processes import free_port, wait_until
from trades.models import FeedConnection

pytestmark = [pytest.mark.integration, pytest.mark.drill, pytest.mark.timeout(240)]


@pytest.mark.parametrize("seconds", [4, pytest.param(120, marks=pytest.mark.long)])
def test_dropped_every_second(desk: Desk, seconds: int) -> None:
    """Median reconnect under half a second; what was pushed meanwhile is lost and covered by gaps."""
    desk.row.done = f"the socket dropped every second for {seconds} s"
    listener = desk.listener()
    desk.feed.push(50 * seconds)
    for _ in range(seconds):
        time.sleep(1)
        desk.exchange.drop()
    desk.feed.wait()
    desk.exchange.wait_for_connections(1)
    desk.feed.push(20)
    desk.feed.wait()
    took = _reconnects(desk.exchange)
    assert len(took) == seconds
    assert statistics.median(took) < 0.5, took
    desk.wait_stored({desk.feed.sent[-1].exchange_id})
    assert listener.running
    desk.row.note(worst=statistics.median(took), of="median reconnect")
    desk.verify(nothing_lost=False)
    assert len(desk.gaps()) == seconds


def _reconnects(exchange: ScriptedExchange) -> list[float]:
    """Seconds from each loss to the next connection, by the exchange's log."""
    events = [e for e in exchange.log if e.kind != "sent"]
    return [b.at - a.at for a, b in pairwise(events) if (a.kind, b.kind) == ("disconnected", "connected")]


@pytest.mark.parametrize(
    "after", [0.0, pytest.param(1.0, marks=pytest.mark.long), pytest.param(4.1, marks=pytest.mark.long)]
)
def test_half_open(desk: Desk, after: float) -> None:
    """A connection that only looks alive is noticed within 11 s; the gap begins when it was last heard from."""
    desk.row.done = f"half-open socket {after:g} s after it was opened" if after else "half-open socket"
    with Proxy("127.0.0.1", desk.exchange.port) as proxy:
        listener = desk.listener(url=proxy.url)
        desk.exchange.send(trade(10_000))
        time.sleep(after)
        began, fell_silent = time.monotonic(), datetime.now(UTC)
        proxy.switch(Mode.BLACKHOLE)
        desk.feed.push(100, rate=20)
        listener.wait_said("exchange_disconnected", seconds=15)
        noticed = time.monotonic() - began
        desk.feed.wait()
        proxy.switch(Mode.PASS)
        listener.wait_said("exchange_connected", 2)
        desk.row.note(worst=noticed, of="until noticed")
        assert noticed < 11
        desk.feed.push(20)
        desk.feed.wait()
        desk.wait_stored({desk.feed.sent[-1].exchange_id})
        wait_until(desk.gaps, "the gap")
        [(start, end)] = desk.gaps()
        assert fell_silent - timedelta(seconds=after + 1) <= start <= fell_silent + timedelta(seconds=0.5)
        assert end > fell_silent
        desk.verify(nothing_lost=False)
    assert desk.row.lost == 100


def test_frozen_for_a_while(desk: Desk) -> None:
    """Nothing comes and no ping is answered: boards say so within 5 s. The line is kept, and nothing is lost."""
    desk.row.done = "the line frozen, bytes kept, until boards say so"
    with Proxy("127.0.0.1", desk.exchange.port) as proxy:
        listener = desk.listener(url=proxy.url)
        desk.exchange.send(trade(10_000))
        desk.wait_stored({"10000"})
        assert desk.feed_state().connected
        began = time.monotonic()
        proxy.switch(Mode.FREEZE)
        desk.feed.push(20, rate=20)
        wait_until(lambda: desk.feed_state().silent, "the boards' word", 20, listener.output)
        said = time.monotonic() - began
        proxy.switch(Mode.PASS)
        desk.row.note(worst=said, of="until boards say so")
        assert said < 5
        wait_until(lambda: desk.feed_state().connected, "the line", 20, listener.output)
        desk.feed.wait()
        desk.wait_stored(desk.feed.ids())
        assert (listener.said("exchange_connected"), listener.said("exchange_disconnected")) == (1, 0)
        desk.verify()
    assert desk.row.lost == 0
    assert desk.gaps() == []


def test_connected_but_silent(desk: Desk) -> None:
    """Pings are answered and nothing is sent: a second connection is opened before the first is closed."""
    desk.row.done = "connected but silent for longer than EXCHANGE_SILENCE_SECONDS (2 s here)"
    listener = desk.listener(EXCHANGE_SILENCE_SECONDS="2")
    desk.exchange.send(trade(10_000))
    desk.exchange.wait_until(lambda: [e.kind for e in desk.exchange.log][-1] == "disconnected", 10)
    desk.feed.push(50)
    desk.feed.wait()
    assert [e.kind for e in desk.exchange.log if e.kind != "sent"][:3] == ["connected", "connected", "disconnected"]
    desk.wait_stored(desk.feed.ids())
    assert listener.said("exchange_silent") >= 1
    assert listener.said("exchange_disconnected") == 0
    desk.verify()
    assert desk.row.lost == 0
    assert desk.gaps() == []


@contextmanager
def _refusing(port: int, statuses: list[int]) -> Iterator[list[float]]:
    """A server that answers each handshake with the next of these statuses; when each came."""
    times: list[float] = []

    class Refusal(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            times.append(time.monotonic())
            self.request.recv(4096)
            status = statuses[len(times) % len(statuses)]
            self.request.sendall(f"HTTP/1.1 {status} No\r\nContent-Length: 0\r\nConnection: close\r\n\r\n".encode())

    class Server(socketserver.ThreadingTCPServer):
        allow_reuse_address = True
        daemon_threads = True

    with Server(("127.0.0.1", port), Refusal) as server:
        threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
        yield times
        server.shutdown()


@pytest.mark.parametrize("tries", [4, pytest.param(9, marks=pytest.mark.long)])
def test_refused_at_the_handshake(desk: Desk, tries: int) -> None:
    """Pauses grow to five seconds and no further; it never gives up and never hammers."""
    desk.row.done = f"handshake refused with 401, 429, 503 in turn, {tries} times"
    port = free_port()
    with _refusing(port, [401, 429, 503]) as times:
        listener = desk.listener(url=f"ws://127.0.0.1:{port}", connected=False)
        wait_until(lambda: len(times) >= tries, "the tries", 60, listener.output)
    pauses = [b - a for a, b in pairwise(times)]
    assert all(0.25 / 2 <= pause <= 5 + 2 for pause in pauses), pauses
    assert all(later > earlier for earlier, later in zip(pauses, pauses[2:5], strict=False)), pauses
    if tries >= 8:
        assert min(pauses[5:]) >= 2.5, pauses
    began = time.monotonic()
    with ScriptedExchange(port) as exchange:
        listener.wait_said("exchange_connected", seconds=20)
        desk.row.note(worst=time.monotonic() - began, of="until connected")
        exchange.send(trade(0))
        desk.wait_stored({"0"})
        desk.verify()


@pytest.mark.long
def test_accepted_and_closed_at_once(desk: Desk) -> None:
    """A server that takes the connection and drops it is not hammered."""
    desk.row.done = "every connection dropped at once for 8 s"
    listener = desk.listener()
    end = time.monotonic() + 8
    while time.monotonic() < end:
        if desk.exchange.connections:
            desk.exchange.drop()
        time.sleep(0.005)
    connected = sum(event.kind == "connected" for event in desk.exchange.log)
    assert 4 <= connected <= 12, connected
    desk.exchange.wait_for_connections(1, 20)
    desk.feed.push(20)
    desk.feed.wait()
    desk.wait_stored(desk.feed.ids(heard=True))
    assert listener.running
    desk.verify()


@pytest.mark.parametrize("mode", [Mode.DRIP, pytest.param(Mode.DELAY, marks=pytest.mark.long)], ids=lambda m: m.value)
def test_a_poor_line(desk: Desk, mode: Mode) -> None:
    """Frames that come byte by byte, or late, are frames."""
    desk.row.done = f"the line to the exchange: {mode.value}"
    with Proxy("127.0.0.1", desk.exchange.port, delay=0.1) as proxy:
        proxy.switch(mode)
        desk.listener(url=proxy.url)
        desk.feed.push(100)
        desk.feed.wait()
        desk.wait_stored(desk.feed.ids())
        desk.verify()
    assert desk.row.lost == 0


@pytest.mark.parametrize("harm", ["reset", pytest.param("half_close", marks=pytest.mark.long)])
def test_cut_by_the_network(desk: Desk, harm: str) -> None:
    """A reset or an end without a goodbye: connected again at once."""
    desk.row.done = f"the line to the exchange: {harm.replace('_', ' ')}, 5 times"
    with Proxy("127.0.0.1", desk.exchange.port) as proxy:
        listener = desk.listener(url=proxy.url)
        for number in range(5):
            desk.feed.push(5)
            desk.feed.wait()
            desk.wait_stored(desk.feed.ids(heard=True))
            getattr(proxy, harm)()
            listener.wait_said("exchange_connected", number + 2)
            desk.exchange.wait_until(lambda: desk.exchange.connections >= 1)
        with using(desk.url):
            wait_until(lambda: FeedConnection.objects.count() == 6, "each connection's record")
        desk.verify()
    assert desk.row.lost == 0


@pytest.mark.long
def test_no_exchange_at_all_at_the_start(desk: Desk) -> None:
    desk.row.done = "the exchange refuses connections for 8 s at the start"
    with Proxy("127.0.0.1", desk.exchange.port) as proxy:
        proxy.switch(Mode.REFUSE)
        listener = desk.listener(url=proxy.url, connected=False)
        listener.wait_said("exchange_reconnecting")
        time.sleep(8)
        proxy.switch(Mode.PASS)
        listener.wait_said("exchange_connected", seconds=15)
        desk.feed.push(20)
        desk.feed.wait()
        desk.wait_stored(desk.feed.ids())
        desk.verify()
