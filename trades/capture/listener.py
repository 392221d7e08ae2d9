"""One listener: the exchange's socket in front, the capture behind, and the record of when it was connected."""

from __future__ import annotations

import asyncio
import gc
import json
import queue
import signal
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

import structlog
from django.conf import settings
from django.db import DatabaseError, InterfaceError, connection, reset_queries

from market.models import Market
from market.queries import MarketError, market_by_code
from trades.capture.connection_loop import listen
from trades.capture.exchange import SILENT_SECONDS, Exchange
from trades.capture.journal import claim_name
from trades.capture.pipeline import Capture, utc_now
from trades.feed.connections import (
    close_connection,
    keep_connection_alive,
    open_connection,
    record_gaps,
    record_silence,
)
from trades.feed.status import ALIVE_EVERY

log = structlog.get_logger("trades.capture.listener")

DRAIN_SECONDS = 7.5
"""From the signal to the last store; with the feed's record after it the process ends within ten seconds."""
UNDER_WAY = timedelta(seconds=0.5)
"""What the exchange had sent and the network not delivered when a connection fell silent is lost with it."""
LOOK_AT_SILENCE_SECONDS = 0.25
MARKET_KEPT_SECONDS = 60.0
ADDRESS_FILE = "markets.json"


class Markets:
    """Markets by code from PostgreSQL, remembered for a minute; one instance per thread that reads them."""

    def __init__(self) -> None:
        self._known: dict[str, tuple[float, Market]] = {}

    def __call__(self, code: str) -> Market:
        """Raises django.db.DatabaseError when PostgreSQL is away, MarketError for a market that isn't there."""
        kept = self._known.get(code)
        if kept is None or time.monotonic() - kept[0] > MARKET_KEPT_SECONDS:
            kept = (time.monotonic(), market_by_code(code))
            self._known[code] = kept
        return kept[1]


def market_and_address(directory: Path, wanted: str | None) -> tuple[str, str]:
    """The market's code and its exchange's address. With PostgreSQL away: as it was at the last start.

    Listening must begin even when the database can't be asked, because nothing pushed meanwhile ever comes again.
    At the very first start there is nothing to remember: then PostgreSQL is waited for.
    """
    remembered = directory / ADDRESS_FILE
    known: dict[str, str] = json.loads(remembered.read_text()) if remembered.exists() else {}
    tries = 0
    while True:
        try:
            market = market_by_code(wanted)
            break
        except (DatabaseError, InterfaceError) as error:
            connection.close()
            code = wanted or (next(iter(known)) if len(known) == 1 else None)
            if code in known:
                log.warning("listening_without_database", market=code)
                return code, known[code] or settings.EXCHANGE_WS_URL
            if tries % 30 == 0:
                log.warning("waiting_for_database", error=str(error).splitlines()[0])
            tries += 1
            time.sleep(1)
    known[market.code] = market.exchange_ws_url
    remembered.write_text(json.dumps(known))
    return market.code, market.exchange_ws_url or settings.EXCHANGE_WS_URL


@dataclass(slots=True)
class _FeedRecord:
    """What is to be written about one connection; written again until PostgreSQL has it."""

    connected_at: datetime
    pk: int | None = None
    silent_since: datetime | None = None
    disconnected_at: datetime | None = None
    reason: str = ""


@dataclass
class FeedReporter:
    """Writes when the listener was connected, from a thread of its own: the reader and the writer never wait for it."""

    market_code: str
    listener: str
    capture: Capture
    silence: Callable[[], float]
    """Seconds since the open connection was last heard from; may be asked from any thread."""
    _records: list[_FeedRecord] = field(default_factory=list)
    _wake: queue.SimpleQueue[bool] = field(default_factory=queue.SimpleQueue)
    _markets: Markets = field(default_factory=Markets)

    def __post_init__(self) -> None:
        self._thread = threading.Thread(target=self._run, name="feed-reporter", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def connected(self) -> None:
        self._records.append(_FeedRecord(utc_now()))
        self._wake.put(True)

    def disconnected(self, reason: str, silence: float) -> None:
        """The connection ended; `silence` seconds ago it was last known to live, and since then there is a gap."""
        if self._records and self._records[-1].disconnected_at is None:
            heard = utc_now() - timedelta(seconds=silence) - (UNDER_WAY if silence > 1 else timedelta(0))
            self._records[-1].disconnected_at = max(heard, self._records[-1].connected_at)
            self._records[-1].reason = reason
            self._wake.put(True)

    def stop(self, seconds: float) -> None:
        self._wake.put(False)
        self._thread.join(seconds)

    def _run(self) -> None:
        going_on = True
        while going_on:
            try:
                going_on = self._wake.get(timeout=self._pause())
            except queue.Empty:
                going_on = True
            try:
                self._write()
            except (DatabaseError, InterfaceError, MarketError):
                connection.close()  # said by the writer already; tried again within seconds
            except Exception:  # without this thread the feed would look disconnected for ever
                log.critical("feed_record_fails", exc_info=True)
                connection.close()
            reset_queries()
        connection.close()

    def _pause(self) -> float:
        """Seconds until the next word: at the moment at which the line would be silent, and often while it is."""
        usual = ALIVE_EVERY.total_seconds()
        if not self._records or self._records[-1].disconnected_at is not None:
            return usual
        return min(usual, max(SILENT_SECONDS - self.silence(), LOOK_AT_SILENCE_SECONDS))

    def _write(self) -> None:
        market, health = self._markets(self.market_code), self.capture.health()
        for record in list(self._records):
            if record.pk is None:
                record.pk = open_connection(market=market, listener=self.listener, at=record.connected_at)
            if record.disconnected_at is None:
                keep_connection_alive(connection_pk=record.pk, health=health)
                self._write_silence(market, record.pk, record, health.at)
                continue
            close_connection(
                market=market,
                connection_pk=record.pk,
                at=record.disconnected_at,
                health=health,
                reason=record.reason,
            )
            self._records.remove(record)
        record_gaps(market_id=market.pk, now=health.at)

    def _write_silence(self, market: Market, pk: int, record: _FeedRecord, now: datetime) -> None:
        """The line's falling silent and its being heard again; nothing in between."""
        silence = self.silence()
        since = now - timedelta(seconds=silence) if silence >= SILENT_SECONDS else None
        if (since is None) != (record.silent_since is None):
            record_silence(market=market, connection_pk=pk, since=since)
            record.silent_since = since
            if since:
                log.warning("exchange_unheard", market=self.market_code, listener=self.listener)
            else:
                log.warning("exchange_heard_again", market=self.market_code, listener=self.listener)


class ConnectionObserver:
    """Hears of the connection's life and passes it on to capture, record and log."""

    def __init__(self, capture: Capture, reporter: FeedReporter, exchange: Exchange) -> None:
        self._capture, self._reporter, self._exchange = capture, reporter, exchange
        self._refusals = self._connections = 0
        self._log = log.bind(market=reporter.market_code, listener=reporter.listener)
        self._drain_until: float | None = None

    def ending(self) -> None:
        """The process is to end: the time to drain runs from now, also while the exchange is told goodbye."""
        self._drain_until = time.monotonic() + DRAIN_SECONDS

    @property
    def drain_until(self) -> float:
        """When draining must have ended (monotonic)."""
        return time.monotonic() + DRAIN_SECONDS if self._drain_until is None else self._drain_until

    def connected(self) -> None:
        self._refusals = 0
        self._connections += 1
        self._log.info("exchange_connected", connection=self._connections, url=self._exchange.url)
        self._reporter.connected()

    def disconnected(self, reason: str) -> None:
        self._log.warning("exchange_disconnected", connection=self._connections, reason=reason)
        self._reporter.disconnected(reason, self._exchange.silence())

    def refused(self, reason: str, pause: float) -> None:
        self._refusals += 1
        if self._refusals in {1, 5} or self._refusals % 60 == 0:
            self._log.warning(
                "exchange_reconnecting", reason=reason, pause_seconds=round(pause, 2), tries=self._refusals
            )

    async def take(self, frame: bytes) -> None:
        await self._capture.take(frame)


def run_listener(*, market_code: str | None, name: str | None) -> bool:
    """Listen until SIGTERM or SIGINT, then drain. True when every received frame was stored before the end.

    Raises JournalError for a name that can't be had, MarketError for a market that isn't there.
    """
    directory: Path = settings.TRADE_JOURNAL_DIR
    held = claim_name(directory, name)
    code, url = market_and_address(directory, market_code)
    capture = Capture(directory=directory, market_code=code, listener=held.name, market_of=Markets())
    exchange = Exchange(url, settings.EXCHANGE_SILENCE_SECONDS)
    reporter = FeedReporter(code, held.name, capture, exchange.silence)
    log.info("listener_started", market=code, listener=held.name, url=url)
    gc.collect()
    gc.freeze()  # what is loaded by now stays: the collector need not stop frames to look at it again
    capture.start()
    reporter.start()
    observer = ConnectionObserver(capture, reporter, exchange)
    try:
        asyncio.run(_listen(exchange, observer))
    finally:  # whatever happened, what has been received is kept
        drained = capture.stop(observer.drain_until)
        reporter.stop(1.0)
        if capture.only_in_memory:
            log.critical("frames_lost", count=capture.only_in_memory, reason="neither journal nor PostgreSQL took them")
        log.info("listener_stopped", drained=drained, received=capture.counts.received)
        held.release()
    return drained


async def _listen(exchange: Exchange, observer: ConnectionObserver) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)

    async def wait(seconds: float) -> None:
        try:
            await asyncio.wait_for(stop.wait(), seconds)
        except TimeoutError:
            return

    listening = asyncio.create_task(
        listen(connect=exchange.connection, listener=observer, stopping=stop.is_set, wait=wait, clock=time.monotonic)
    )
    stopped = asyncio.create_task(stop.wait())
    living = asyncio.create_task(_give_signs_of_life())
    await asyncio.wait({listening, stopped}, return_when=asyncio.FIRST_COMPLETED)
    observer.ending()
    await exchange.close()  # what has arrived is still taken
    await asyncio.wait({listening}, timeout=3)
    listening.cancel()
    stopped.cancel()
    living.cancel()
    for task in await asyncio.gather(listening, stopped, return_exceptions=True):
        if isinstance(task, Exception):
            raise task


async def _give_signs_of_life() -> None:
    """Touch ALIVE_FILE from the reader's own loop: what hangs there lets it grow old (reporting/alive.py)."""
    while settings.ALIVE_FILE:
        with suppress(OSError):
            Path(settings.ALIVE_FILE).touch()  # noqa: ASYNC240 (in memory: a tmpfs, or a laptop's disk)
        await asyncio.sleep(5)
