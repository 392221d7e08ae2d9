"""What a listener writes down of its connections, from a thread of its own."""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import structlog
from django.db import DatabaseError, InterfaceError, connection, reset_queries

from market import clock
from market.models import Market
from market.queries import MarketError
from trades.capture.exchange import SILENT_SECONDS
from trades.capture.markets import Markets
from trades.capture.pipeline import Capture
from trades.feed.connections import (
    CERTAIN_AFTER,
    close_connection,
    keep_connection_alive,
    open_connection,
    record_gaps,
    record_silence,
)
from trades.feed.status import ALIVE_EVERY

log = structlog.get_logger("trades.capture.feed_reporter")

LOOK_AT_SILENCE_SECONDS = 0.25
LOOK_AT_GAPS_SECONDS = 15.0
"""How often gaps are looked for while the connection holds: what it covers itself can't become one."""
GAPS_SETTLED_AFTER = 2 * CERTAIN_AFTER
"""By then whatever was not covered before this connection began has been written down."""


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
    _look_at_gaps: float = float("-inf")
    """The moment from which gaps are looked for again, whatever there is (monotonic seconds)."""

    def __post_init__(self) -> None:
        self._thread = threading.Thread(target=self._run, name="feed-reporter", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def connected(self) -> None:
        self._records.append(_FeedRecord(clock.now()))
        self._wake.put(True)

    def disconnected(self, reason: str, unheard: float) -> None:
        """The connection ended; up to `unheard` seconds ago all had come, and since then there is a gap."""
        if self._records and self._records[-1].disconnected_at is None:
            heard = clock.now() - timedelta(seconds=unheard)
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
        clock.desk.follow()
        market, health = self._markets(self.market_code), self.capture.health()
        holds = self._holds(health.at)
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
        if not holds or time.monotonic() >= self._look_at_gaps:
            record_gaps(market_id=market.pk, now=health.at)
            self._look_at_gaps = time.monotonic() + LOOK_AT_GAPS_SECONDS

    def _holds(self, now: datetime) -> bool:
        """Whether there is one connection, open for so long that no gap can be new."""
        is_one = len(self._records) == 1 and self._records[0].disconnected_at is None
        return is_one and now - self._records[0].connected_at > GAPS_SETTLED_AFTER

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
