"""Streams of events: one reader a process asks the database, everybody who follows gets what is theirs of it.

A subscriber first reads what was missed, page by page, at its own pace. Once it has caught up with the reader it gets
every batch from there: made ready once for all who see the same, so that a hundred cost hardly more than one.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial

import structlog
from asgiref.sync import sync_to_async
from django.db import connections
from django.utils.translation import gettext

from dashboard.assumptions.visibility import current_policy
from dashboard.events.store import Page, number_events, read_page
from dashboard.events.wire import Audience, chunk_for, last_word
from dashboard.live.boards import with_connection
from dashboard.live.hub import hub
from dashboard.live.open_sockets import guard
from dashboard.live.subscribers import HEARTBEAT_SECONDS, TOO_MANY_STREAMS, TOO_SLOW, Subscriber, audience_of

log = structlog.get_logger("dashboard.live.event_streams")

LOOK_SECONDS = 0.5
"""How often the reader looks without a hint."""
SHORTEST_INTERVAL = 0.1
"""Seconds between two looks, whatever the hints: what comes meanwhile travels together."""
LONGEST_STANDSTILL = 60.0


class EventReader:
    """The one who asks the database for new events in this process. Everything but that runs on the event loop."""

    def __init__(self, read: Callable[..., tuple[Page, bool, bool]] | None = None) -> None:
        self._read = read or _read
        self.subscribers: set[Subscriber] = set()
        self.place = 0
        self._executor = ThreadPoolExecutor(max_workers=1, thread_name_prefix="events")
        self._running: list[asyncio.Task[None]] = []
        self._hint = asyncio.Event()
        self._failing = False

    def hint(self) -> None:
        """Something may have happened."""
        self._hint.set()

    async def page_after(self, place: int) -> tuple[Page, bool, bool]:
        """The next page, with the desk's policy of assumptions (shared, blind). Raises django.db errors."""
        work = partial(with_connection, partial(self._read, place))
        return await asyncio.get_running_loop().run_in_executor(self._executor, work)

    def join(self, subscriber: Subscriber) -> bool:
        """Give it every batch from now on; False while it has not caught up with what others have got already."""
        if not self._running or any(task.done() for task in self._running):
            self._hint = asyncio.Event()
            self.place = subscriber.place
            hub.on_hints.add(self.hint)
            hub.hear_hints()
            loop = asyncio.get_running_loop()
            self._running = [loop.create_task(work) for work in (self._read_for_ever(), self._beat_for_ever())]
        if subscriber.place < self.place:
            return False
        self.subscribers.add(subscriber)
        return True

    def leave(self, subscriber: Subscriber) -> None:
        self.subscribers.discard(subscriber)
        if not self.subscribers:
            for task in self._running:
                task.cancel()
            self._running = []

    async def _read_for_ever(self) -> None:
        while True:
            self._hint.clear()
            try:
                await self._look()
                self._failing = False
            except Exception as error:  # PostgreSQL is away: nothing is lost, and the next look is soon
                if not self._failing:
                    log.warning("events_not_read", error=str(error).splitlines()[0] if str(error) else repr(error))
                self._failing = True
            await asyncio.sleep(SHORTEST_INTERVAL)
            try:
                await asyncio.wait_for(self._hint.wait(), LOOK_SECONDS)
            except TimeoutError:
                continue

    async def _beat_for_ever(self) -> None:
        """One clock for all: a timer for each would cost more than what it is for."""
        while True:
            await asyncio.sleep(HEARTBEAT_SECONDS / 10)
            for subscriber in list(self.subscribers):
                subscriber.beat(time.monotonic())

    async def _look(self) -> None:
        page, shared, blind = await self.page_after(self.place)
        self.place = max(self.place, page.upto)
        if page.events:
            self._hint.set()  # there may be more
        chunks: dict[tuple[Audience, int], bytes] = {}
        for subscriber in list(self.subscribers):
            key = (audience_of(subscriber.standing, shared=shared, blind=blind), subscriber.place)
            if key not in chunks:
                chunks[key] = chunk_for(key[0], page.events, after=key[1])
            subscriber.put(chunks[key], max(subscriber.place, page.upto))


def _read(place: int) -> tuple[Page, bool, bool]:
    number_events()
    page = read_page(after=place)
    policy = current_policy()
    return page, policy.shared, policy.blind


reader = EventReader()


async def stream(subscriber: Subscriber, events: EventReader = reader) -> AsyncIterator[bytes]:
    """What the subscriber is sent, until it goes or has to go."""
    await sync_to_async(connections.close_all)()  # the request's own would be held as long as the stream
    if not guard.admit(subscriber):
        subscriber.finish(TOO_MANY_STREAMS)
    try:
        yield b": events; see docs/api.md\nretry: 2000\n\n"
        async for chunk in _missed(subscriber, events):
            yield chunk
        async for chunk in _live(subscriber):
            yield chunk
        yield last_word(_why(subscriber))
    finally:
        events.leave(subscriber)
        guard.release(subscriber)


async def _missed(subscriber: Subscriber, events: EventReader) -> AsyncIterator[bytes]:
    """Page by page what happened since its place, until the reader has nothing that it doesn't have."""
    while not subscriber.sentence:
        try:
            page, shared, blind = await events.page_after(subscriber.place)
        except Exception as error:
            log.warning("events_not_read", error=str(error).splitlines()[0] if str(error) else repr(error))
            await asyncio.sleep(1)
            yield b": the database can't be reached\n\n"
            continue
        chunk = chunk_for(audience_of(subscriber.standing, shared=shared, blind=blind), page.events)
        if not await _has_room(subscriber):
            return
        if chunk:
            yield chunk
        subscriber.place = subscriber.sent = page.upto
        if not page.events and events.join(subscriber):
            return


async def _live(subscriber: Subscriber) -> AsyncIterator[bytes]:
    while not subscriber.sentence:
        await subscriber.news.wait()
        if await _has_room(subscriber) and (chunk := subscriber.take()):
            yield chunk


async def _has_room(subscriber: Subscriber) -> bool:
    """Wait until its connection takes more; False when it has to go meanwhile."""
    began = time.monotonic()
    while subscriber.is_behind() and not subscriber.sentence:
        if time.monotonic() - began > LONGEST_STANDSTILL:
            subscriber.finish(TOO_SLOW)
        await asyncio.sleep(0.05)
    return not subscriber.sentence


def _why(subscriber: Subscriber) -> str:
    return json.dumps({"error": gettext(subscriber.sentence), "after": subscriber.sent}, ensure_ascii=False)
