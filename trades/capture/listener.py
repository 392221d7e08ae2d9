"""One listener: the exchange's socket in front, the capture behind, and the record of when it was connected."""

from __future__ import annotations

import asyncio
import gc
import signal
import time
from pathlib import Path

import structlog
from django.conf import settings

from market.sign_of_life import give_sign
from trades.capture.connection_loop import listen
from trades.capture.exchange import Exchange
from trades.capture.feed_reporter import FeedReporter
from trades.capture.journal import claim_name
from trades.capture.markets import Markets, market_and_address
from trades.capture.pipeline import Capture

log = structlog.get_logger("trades.capture.listener")

DRAIN_SECONDS = 7.5
"""From the signal to the last store; with the feed's record after it the process ends within ten seconds."""


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
        self._reporter.disconnected(reason, self._exchange.unheard())

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
    """From the reader's own loop: what hangs there lets the file grow old (reporting/alive.py)."""
    while settings.ALIVE_FILE:
        give_sign(settings.ALIVE_FILE)  # in memory: a tmpfs, or a laptop's disk
        await asyncio.sleep(5)
