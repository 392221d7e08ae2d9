"""From a received frame to a stored trade: reader -> journal thread -> writer thread. The heart of `listen_trades`.

The reader only hands frames over. The journal thread makes whatever has queued up durable with one sync. The writer
stores batches in PostgreSQL and tries again until it succeeds; what it can't hold in memory it reads back from the
journal. If the journal's disk fails, frames go to the database one by one and the alarm is raised; nothing is dropped.
"""

from __future__ import annotations

import asyncio
import threading
import time
import uuid
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

import structlog
from django.db import DatabaseError, InterfaceError, connection, reset_queries

from market import clock
from trades.capture.journal import Journal
from trades.capture.replay import MarketOf, replay_directory
from trades.feed.connections import ListenerHealth
from trades.frames import FrameSource, JournalFrame
from trades.ledger.store import StoreResult, store_frames

log = structlog.get_logger("trades.capture.pipeline")

LONGEST_QUEUE = 10_000
ROOM_AGAIN = 9_000
"""Once the memory was full the socket waits until it is down to this: one alarm an overflow, not one a frame."""
BATCH = 500
JOURNAL_RETRY_SECONDS = 5.0
DATABASE_RETRY_SECONDS = (0.1, 0.25, 0.5, 1.0, 2.0)


@dataclass(slots=True)
class Counts:
    """What this process has seen since it started; one writer each, read by anybody."""

    received: int = 0
    journalled: int = 0
    unjournalled: int = 0
    overflows: int = 0
    result: StoreResult = field(default_factory=StoreResult)
    last_frame_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class _Batch:
    source: FrameSource
    frames: list[JournalFrame]


class Capture:
    """The way of a frame. `take` is called by the reader; `start` and `stop` run the two threads behind it."""

    def __init__(
        self,
        *,
        directory: Path,
        market_code: str,
        listener: str,
        market_of: MarketOf,
        clock: Callable[[], datetime] = clock.now,
    ) -> None:
        self.counts = Counts()
        self.journal_failed = False
        self._directory, self._market_code, self._listener = directory, market_code, listener
        self._market_of, self._clock = market_of, clock
        self._log = log.bind(listener=listener, market=market_code)
        self._received: deque[tuple[datetime, bytes]] = deque()
        self._arrived = threading.Condition()
        self._journalled: deque[_Batch] = deque()
        self._durable = threading.Condition()
        self._queued_frames = 0  # in `_journalled`
        self._in_hand: _Batch | None = None  # what the writer is storing
        self._behind = False  # the writer's memory overflowed: it must read on from the journal
        self._stopping = False
        self._journal_done = False
        self._journal: Journal | None = None
        self._retry_journal_at = 0.0
        self._unjournalled = FrameSource(f"direct-{uuid.uuid4().hex}", listener)
        self._threads = [
            threading.Thread(target=self._run_journal, name="journal", daemon=True),
            threading.Thread(target=self._run_writer, name="writer", daemon=True),
        ]

    def start(self) -> None:
        for thread in self._threads:
            thread.start()

    async def take(self, frame: bytes) -> None:
        """Hand over one frame. With 10,000 waiting the socket itself is made to wait: nothing is dropped.

        If that lasts until the exchange's answers to pings can't be read, the connection ends, and a gap is recorded.
        """
        if self.waiting >= LONGEST_QUEUE:
            self.counts.overflows += 1
            self._log.critical("memory_full", waiting=self.waiting, consequence="the exchange's socket has to wait")
            while self.waiting > ROOM_AGAIN:  # noqa: ASYNC110 - another thread makes room
                await asyncio.sleep(0.05)
        now = self._clock()
        with self._arrived:
            self._received.append((now, frame))
            self._arrived.notify()
        self.counts.received += 1
        self.counts.last_frame_at = now

    @property
    def waiting(self) -> int:
        """Frames that are not on disk yet, and those that only memory holds because the journal failed."""
        return len(self._received) + (self._queued() if self.journal_failed else 0)

    @property
    def only_in_memory(self) -> int:
        """Frames that neither a journal nor PostgreSQL has: they would be lost if the process ended now."""
        batches = [*self._journalled, *filter(None, [self._in_hand])]
        return len(self._received) + sum(len(b.frames) for b in batches if b.source is self._unjournalled)

    def health(self) -> ListenerHealth:
        """How capture is doing now."""
        return ListenerHealth(
            at=self._clock(),
            last_frame_at=self.counts.last_frame_at,
            journal_failed=self.journal_failed,
            waiting=len(self._received) + self._queued(),
            overflows=self.counts.overflows,
        )

    def stop(self, deadline: float) -> bool:
        """Drain: journal everything, then store what fits before `deadline` (monotonic). True when all is stored."""
        with self._arrived:
            self._stopping = True
            self._arrived.notify()
        with self._durable:
            self._durable.notify()
        for thread in self._threads:
            thread.join(max(0.1, deadline - time.monotonic()))
        return not any(thread.is_alive() for thread in self._threads)

    # --- the journal thread --------------------------------------------------------------------------------------
    def _run_journal(self) -> None:
        while True:
            with self._arrived:
                while not self._received and not self._stopping:
                    self._arrived.wait()
                frames = list(self._received)
                if not frames:
                    break
                # Cleared only once they are safe, so that `waiting` counts them meanwhile.
            self._make_durable(frames)
            with self._arrived:
                for _ in frames:
                    self._received.popleft()
        if self._journal is not None:
            with suppress(OSError):
                self._journal.close()
        with self._durable:
            self._journal_done = True
            self._durable.notify()

    def _make_durable(self, frames: list[tuple[datetime, bytes]]) -> None:
        journal = self._usable_journal()
        if journal is not None:
            try:
                numbered = journal.append(frames)
            except Exception as error:  # a bug counts as a failed disk: the frames must go on
                self._lose_journal(error)
            else:
                self.counts.journalled += len(numbered)
                self._hand_on(_Batch(FrameSource(journal.header.journal, self._listener), numbered))
                return
        first = self.counts.unjournalled + 1
        self.counts.unjournalled += len(frames)
        for number, (at, frame) in enumerate(frames, start=first):
            self._hand_on(_Batch(self._unjournalled, [JournalFrame(number, at, frame)]))

    def _usable_journal(self) -> Journal | None:
        """The open segment, or a new one when it is finished or a failed disk is to be tried again."""
        now = self._clock()
        if self._journal is not None and not self._journal.is_finished(now):
            return self._journal
        if self._journal is None and time.monotonic() < self._retry_journal_at:
            return None
        finished = self._journal
        try:
            self._journal = Journal(self._directory, market=self._market_code, listener=self._listener, now=now)
        except Exception as error:  # as in _make_durable
            self._lose_journal(error)
            return None
        if finished is not None:
            with suppress(OSError):
                finished.close()
        if self.journal_failed:
            self.journal_failed = False
            self._log.warning("journal_usable_again", path=str(self._journal.path))
        return self._journal

    def _lose_journal(self, error: Exception) -> None:
        """Never trust that segment again: after a failed write or sync nobody knows what of it is on the disk."""
        lost, self._journal = self._journal, None
        if lost is not None:
            with suppress(OSError):
                lost.close()
        self._retry_journal_at = time.monotonic() + JOURNAL_RETRY_SECONDS
        if not self.journal_failed:
            self.journal_failed = True
            self._log.critical(
                "journal_failed",
                error=str(error) or type(error).__name__,
                consequence="frames go to the database one by one",
                exc_info=None if isinstance(error, OSError) else error,
            )

    def _hand_on(self, batch: _Batch) -> None:
        with self._durable:
            journalled = batch.source is not self._unjournalled
            if journalled and (self._behind or self._queued() + len(batch.frames) > LONGEST_QUEUE):
                self._behind = True  # they are in the journal: the writer will read them there
            else:
                self._journalled.append(batch)
                self._queued_frames += len(batch.frames)
            self._durable.notify()

    def _queued(self) -> int:
        return self._queued_frames

    # --- the writer thread ---------------------------------------------------------------------------------------
    def _run_writer(self) -> None:
        self._until_done(self._replay)  # what an earlier process left behind
        while True:
            with self._durable:
                while not self._journalled and not self._behind and not self._journal_done:
                    self._durable.wait()
                batch = self._next_batch()
                catch_up = batch is None and self._behind
                if catch_up:
                    self._behind = False
                elif batch is None and self._journal_done:
                    break
            if catch_up:
                self._until_done(self._replay)
            elif batch is not None:
                self._in_hand = batch
                self._until_done(lambda written=batch: self._store(written))  # type: ignore[misc]
                self._in_hand = None
        connection.close()

    def _next_batch(self) -> _Batch | None:
        """The oldest batch, together with what follows it from the same source, up to BATCH frames."""
        if not self._journalled:
            return None
        first = self._journalled.popleft()
        frames = list(first.frames)
        while self._journalled and self._journalled[0].source == first.source and len(frames) < BATCH:
            frames += self._journalled.popleft().frames
        self._queued_frames -= len(frames)
        return _Batch(first.source, frames)

    def _store(self, batch: _Batch) -> None:
        market = self._market_of(self._market_code)
        self.counts.result.add(store_frames(market=market, source=batch.source, frames=batch.frames))

    def _replay(self) -> None:
        self.counts.result.add(replay_directory(directory=self._directory, market_of=self._market_of))

    def _until_done(self, work: Callable[[], None]) -> None:
        """Repeat until PostgreSQL has taken it. Repeating is safe: what is stored is never looked at again.

        A bug is tried again too, loudly: without this thread frames would be journalled and never stored.
        """
        tries = 0
        while True:
            try:
                work()
                reset_queries()  # with DEBUG on, Django remembers statements until a request ends; here none does
                return
            except Exception as error:
                connection.close()
                if tries in {0, 4} or tries % 30 == 0:
                    self._say_that_storing_waits(error, tries + 1)
                pause = DATABASE_RETRY_SECONDS[min(tries, len(DATABASE_RETRY_SECONDS) - 1)]
                tries += 1
                time.sleep(pause)

    def _say_that_storing_waits(self, error: Exception, tries: int) -> None:
        reason = (str(error) or type(error).__name__).splitlines()[0]
        if isinstance(error, DatabaseError | InterfaceError):
            self._log.error("storing_waits", error=reason, tries=tries, queued=self._queued(), **self._in_hand_at())
        else:
            self._log.critical("storing_fails", error=reason, tries=tries, exc_info=error, **self._in_hand_at())

    def _in_hand_at(self) -> dict[str, Any]:
        """Where in the journal the waiting frames are; nothing while a journal is read again."""
        batch = self._in_hand
        return {"journal": batch.source.journal, "position": batch.frames[0].number} if batch else {}
