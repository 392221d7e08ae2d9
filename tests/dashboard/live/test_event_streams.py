"""Streams of events without a web process: catching up, heartbeats, trouble, rights and slow readers."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from datetime import timedelta

import pytest

from dashboard.access.rights import Role
from dashboard.access.standings import Standing
from dashboard.events.store import Page
from dashboard.events.wire import NumberedEvent
from dashboard.live import event_streams, subscribers
from dashboard.live.event_streams import EventReader, stream
from dashboard.live.open_sockets import NOT_LOGGED_IN, NOT_YOURS, guard
from dashboard.live.subscribers import Subscriber, audience_of
from market import clock
from tests.processes import until


class Log:
    """A database of events that can go away."""

    def __init__(self) -> None:
        self.events: list[NumberedEvent] = []
        self.away = False
        self.asked = 0

    def add(self, count: int = 1) -> None:
        first = len(self.events) + 1
        self.events += [NumberedEvent(n, "trade", 1, None, "{}") for n in range(first, first + count)]

    def read(self, place: int) -> tuple[Page, bool, bool]:
        self.asked += 1
        if self.away:
            raise ConnectionError("away")
        found = tuple(self.events[place : place + 3])
        return Page(found, found[-1].number if found else max(place, len(self.events))), False, False


@pytest.fixture
async def log(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Log]:
    monkeypatch.setattr(event_streams, "LOOK_SECONDS", 0.02)
    monkeypatch.setattr(event_streams, "SHORTEST_INTERVAL", 0.0)
    monkeypatch.setattr(event_streams, "HEARTBEAT_SECONDS", 0.05)
    monkeypatch.setattr(subscribers, "HEARTBEAT_SECONDS", 0.05)
    monkeypatch.setattr(event_streams.hub, "hear_hints", lambda: None)
    monkeypatch.setattr(event_streams.connections, "close_all", lambda: None)
    monkeypatch.setattr(guard, "admit", lambda _subscriber: True)
    log = Log()
    yield log
    event_streams.hub.on_hints.clear()


def head(*roles: Role, trader: int | None = None) -> Standing:
    return Standing("token:x", 7, "head", frozenset(roles), trader, clock.now() + timedelta(days=1))


class Reading:
    """A program that keeps what it is sent."""

    def __init__(self, subscriber: Subscriber, reader: EventReader) -> None:
        self.text = ""
        self.task = asyncio.create_task(self._read(subscriber, reader))

    async def _read(self, subscriber: Subscriber, reader: EventReader) -> None:
        async for chunk in stream(subscriber, reader):
            self.text += chunk.decode()

    def numbers(self) -> list[int]:
        return [int(line[4:]) for line in self.text.splitlines() if line.startswith("id: ")]

    async def close(self) -> None:
        self.task.cancel()
        await asyncio.gather(self.task, return_exceptions=True)


async def test_nothing_is_missed_between_catching_up_and_live(log: Log) -> None:
    log.add(10)
    reader = EventReader(log.read)
    first = Reading(Subscriber(head(Role.DESK_HEAD), after=0), reader)
    await until(lambda: first.numbers() == list(range(1, 11)))
    second = Reading(Subscriber(head(Role.DESK_HEAD), after=4), reader)
    for _ in range(20):
        log.add()
        await asyncio.sleep(0)
    await until(lambda: first.numbers() == list(range(1, 31)) and second.numbers() == list(range(5, 31)))
    await first.close()
    await second.close()
    assert reader.subscribers == set()


async def test_a_heartbeat_when_nothing_happens_and_the_reader_outlives_the_database(log: Log) -> None:
    reader = EventReader(log.read)
    reading = Reading(Subscriber(head(Role.DESK_HEAD), after=0), reader)
    await until(lambda: reading.text.count(": heartbeat") >= 2)
    log.away = True
    asked = log.asked
    await until(lambda: log.asked > asked + 2)
    log.add()
    log.away = False
    await until(lambda: reading.numbers() == [1])
    await reading.close()


async def test_one_question_for_all_who_follow(log: Log) -> None:
    reader = EventReader(log.read)
    readings = [Reading(Subscriber(head(Role.DESK_HEAD), after=0), reader) for _ in range(50)]
    await until(lambda: len(reader.subscribers) == 50)
    before = log.asked
    log.add()
    await until(lambda: all(reading.numbers() == [1] for reading in readings))
    assert log.asked - before <= 10
    for reading in readings:
        await reading.close()


@pytest.mark.parametrize(("code", "word"), [(NOT_LOGGED_IN, "holds no longer"), (NOT_YOURS, "nothing here")])
async def test_the_last_word(log: Log, code: int, word: str) -> None:
    subscriber = Subscriber(head(Role.DESK_HEAD), after=0)
    reading = Reading(subscriber, EventReader(log.read))
    await until(lambda: "retry" in reading.text)
    await subscriber.end(code)
    log.add()
    await asyncio.wait_for(reading.task, 5)
    said = json.loads(reading.text.rpartition("event: end\ndata: ")[2])
    assert word in said["error"]
    assert reading.numbers() == []


async def test_who_takes_nothing_is_cut(log: Log, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(subscribers, "MOST_BYTES", 200)
    behind = False
    subscriber = Subscriber(head(Role.DESK_HEAD), after=0, is_behind=lambda: behind)
    reader = EventReader(log.read)
    reading = Reading(subscriber, reader)
    log.add(2)
    await until(lambda: reading.numbers() == [1, 2] and subscriber in reader.subscribers)
    behind = True
    log.add(30)
    await asyncio.wait_for(reading.task, 5)
    assert reading.numbers() == [1, 2]
    assert json.loads(reading.text.rpartition("data: ")[2])["after"] == 2


async def test_who_stands_still_for_long_is_cut(log: Log, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(event_streams, "LONGEST_STANDSTILL", 0.1)
    log.add(5)
    subscriber = Subscriber(head(Role.DESK_HEAD), after=0, is_behind=lambda: True)
    reading = Reading(subscriber, EventReader(log.read))
    await asyncio.wait_for(reading.task, 5)
    assert reading.numbers() == []
    assert json.loads(reading.text.rpartition("data: ")[2])["after"] == 0


def test_rights_decide_what_is_sent_from_the_next_event_on() -> None:
    subscriber = Subscriber(head(Role.DESK_HEAD, trader=1), after=0)
    assert subscriber.may_stay(head(trader=1))
    assert not audience_of(subscriber.standing, shared=False, blind=False).sees_all
    assert subscriber.may_stay(head(Role.OPERATIONS))
    assert not subscriber.may_stay(head())


@pytest.mark.parametrize(
    ("standing", "shared", "blind", "sees"),
    [
        (head(Role.DESK_HEAD), False, False, True),
        (head(Role.DESK_HEAD), False, True, False),
        (head(trader=1), True, False, True),
        (head(trader=1), False, False, False),
        (head(Role.WALL_SCREEN), False, False, False),
        (head(Role.OPERATIONS), True, False, False),
    ],
)
def test_who_hears_of_others_assumptions(standing: Standing, shared: bool, blind: bool, sees: bool) -> None:
    assert audience_of(standing, shared=shared, blind=blind).sees_assumptions is sees
