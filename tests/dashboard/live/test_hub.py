"""The hub: a changed board is rendered once however many watch it, bursts are sent together, lost hints are made up."""

from __future__ import annotations

import asyncio
import itertools
import json
import time
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest

from dashboard.figures.board_key import BoardKey
from dashboard.live import announcer as announcer_module
from dashboard.live import boards
from dashboard.live import hub as hub_module
from dashboard.live.announcer import Announcer
from dashboard.live.boards import Rendered
from dashboard.live.hub import Hub
from tests.processes import until, wait_until

KEY = BoardKey(1, 1, date(2026, 11, 23))
OTHER = BoardKey(2, 1, date(2026, 11, 23))


@dataclass(eq=False)
class Page:
    """A browser that writes down what it is told."""

    told: list[dict[str, Any]] = field(default_factory=list)
    broken: bool = False
    slow: bool = False

    async def send(self, text_data: str) -> None:
        if self.broken:
            raise ConnectionError
        message = json.loads(text_data)
        for _ in range(5 if self.slow and message["parts"] else 0):
            await asyncio.sleep(0)
        self.told.append(message)

    def parts(self) -> dict[str, str]:
        result: dict[str, str] = {}
        for message in self.told:
            result |= message["parts"]
        return result


class World:
    """What would be in the database: one number a board, and how often it was rendered."""

    def __init__(self) -> None:
        self.numbers: dict[BoardKey, int] = {}
        self.renders = 0
        self.taken_over: list[bool] = []  # whether prices were, at each rendering
        self.trouble: Exception | None = None

    def render(self, key: BoardKey, now: datetime, before: Rendered | None) -> Rendered:
        if self.trouble:
            raise self.trouble
        self.renders += 1
        self.taken_over.append(before is not None and not before.prices_moved)
        number = self.numbers.get(key, 0)
        board: Any = SimpleNamespace(
            version=f"{number}.0",
            changes_at=now + timedelta(days=1),
            market=SimpleNamespace(zone=None),
        )
        parts = {"feed-states": "<i>ok</i>", "row": f"<b>{number}</b>", "still": "<b>same</b>"}
        return Rendered(board, some_feeds(), parts, f"{number}.0-x")


def some_feeds(*unanswered: int) -> Any:
    return SimpleNamespace(same_as=lambda _other: True, unanswered_products=unanswered)


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> World:
    made = World()
    monkeypatch.setattr(boards, "read_versions", lambda keys: {k: f"{made.numbers.get(k, 0)}.0" for k in keys})
    monkeypatch.setattr(boards, "read_assumptions", lambda _: {})
    monkeypatch.setattr(boards, "read_feeds", lambda keys: dict.fromkeys((k.market_pk for k in keys), some_feeds()))
    monkeypatch.setattr(boards.Rendered, "today", "2026-11-23")
    return made


@pytest.fixture
def hub(world: World) -> Hub:
    quiet = Hub(world.render)
    idle: Any = SimpleNamespace(done=lambda: False)
    quiet._running = [idle]  # neither hints nor sweeps by themselves
    return quiet


async def test_a_page_gets_what_it_misses_and_nothing_it_has(hub: Hub) -> None:
    page = Page()
    hub.join(KEY, page)
    await hub.catch_up(KEY, page, "old")
    await hub.catch_up(KEY, page, "0.0-x")
    assert list(page.told[0]["parts"]) == ["feed-states", "row", "still"]
    assert list(page.told[1]["parts"]) == ["feed-states"]
    assert page.told[1]["version"] == "0.0-x"


async def test_a_change_is_rendered_once_and_only_changed_parts_are_sent(hub: Hub, world: World) -> None:
    pages = [Page() for _ in range(15)]
    for page in pages:
        hub.join(KEY, page)
    await hub.catch_up(KEY, pages[0], "0.0-x")
    before = world.renders
    world.numbers[KEY] = 7
    hub.hear([("board", 1, 1, "2026-11-23")])
    await until(lambda: all(page.told and page.told[-1]["version"] == "7.0-x" for page in pages))
    assert world.renders == before + 1
    assert pages[3].told[-1]["parts"] == {"row": "<b>7</b>"}


async def test_a_burst_is_sent_together_the_first_at_once(hub: Hub, world: World) -> None:
    page = Page()
    hub.join(KEY, page)
    await hub.catch_up(KEY, page, "0.0-x")
    idle_at = time.monotonic() + boards.LONGEST_INTERVAL * 1.5
    await until(lambda: time.monotonic() >= idle_at)
    before, started = world.renders, time.monotonic()
    for number in range(1, 101):
        world.numbers[KEY] = number
        hub.hear([("board", 1, 1, "2026-11-23")])
        await asyncio.sleep(0)
    await until(lambda: page.told[-1]["version"] == "100.0-x")
    assert world.renders - before <= boards.AT_ONCE + (time.monotonic() - started) / boards.SHORTEST_INTERVAL


def test_updates_are_25_a_second_on_average_and_one_question_makes_the_next_trade_not_wait() -> None:
    watched, shortest = boards.Watched(), boards.SHORTEST_INTERVAL
    assert [watched.pause(0.0, 0.0) for _ in range(3)] == pytest.approx([0, 0, shortest])
    assert watched.pause(shortest, shortest) == pytest.approx(shortest)
    assert watched.pause(10.0, 10.0) == 0, "what was not used is not saved up"
    assert watched.pause(10.0, 10.0) == 0
    assert watched.pause(10.0, 10.0) > 0


def test_updates_that_take_long_are_fewer_down_to_ten_a_second() -> None:
    def in_the_long_run(took: float) -> float:
        watched, now, count = boards.Watched(), 0.0, 200
        for _ in range(count):
            now += took + watched.pause(now, now + took)
        return now / count

    assert in_the_long_run(0.001) == pytest.approx(boards.SHORTEST_INTERVAL, rel=0.05)
    assert in_the_long_run(0.02) == pytest.approx(0.02 * boards.SHARE, rel=0.05)
    assert in_the_long_run(0.05) == pytest.approx(boards.LONGEST_INTERVAL, rel=0.05)
    assert in_the_long_run(0.3) == pytest.approx(0.3, rel=0.05)


async def test_prices_are_read_again_unless_a_trade_alone_is_announced(hub: Hub, world: World) -> None:
    page = Page()
    hub.join(KEY, page)
    await hub.catch_up(KEY, page, "0.0-x")
    trade, price = ("board", 1, 1, "2026-11-23"), ("prices", 0, 1, "2026-11-23")

    async def heard(number: int, *hints: tuple[str, int, int, str]) -> bool:
        world.numbers[KEY] = number
        hub.hear(hints)
        await until(lambda: page.told[-1]["version"] == f"{number}.0-x")
        return world.taken_over[-1]

    assert await heard(1, trade)
    assert not await heard(2, price)
    assert not await heard(3, trade, price)
    assert await heard(4, trade)
    world.numbers[KEY] = 5
    await hub._sweep()  # it only knows that the version is another one
    await until(lambda: page.told[-1]["version"] == "5.0-x")
    assert not world.taken_over[-1]
    assert (await hub.at_version(KEY, "5.1")) is None
    assert not world.taken_over[-1], "asked for a version that isn't here: whatever is new is read"


async def test_pages_hear_one_news_after_the_other(hub: Hub, world: World) -> None:
    """A heartbeat in the middle of news names no version that a page was not given yet."""
    pages = [Page(slow=True) for _ in range(15)]
    for page in pages:
        hub.join(KEY, page)
        await hub.catch_up(KEY, page, "")
    for number in range(1, 6):
        world.numbers[KEY] = number
        hub.hear([("board", 1, 1, "2026-11-23")])
        while not all(page.told and page.told[-1]["version"] == f"{number}.0-x" for page in pages):
            await hub._beat()
            await asyncio.sleep(0)
    for page in pages:
        new = [m for before, m in itertools.pairwise(page.told) if m["version"] != before["version"]]
        assert all(message["parts"] for message in new)


async def test_hints_are_for_the_boards_they_name(hub: Hub, world: World) -> None:
    mine, theirs = Page(), Page()
    hub.join(KEY, mine)
    hub.join(OTHER, theirs)
    for key, page in ((KEY, mine), (OTHER, theirs)):
        await hub.catch_up(key, page, "0.0-x")
    world.numbers = {KEY: 1, OTHER: 1}
    hub.hear([("board", 2, 1, "2026-11-23"), ("board", 1, 1, "2026-11-24"), ("prices", 0, 2, "2026-11-23")])
    await until(lambda: theirs.told[-1]["version"] == "1.0-x")
    assert mine.told[-1]["version"] == "0.0-x"
    hub.hear([("prices", 0, 1, "2026-11-23")])
    await until(lambda: mine.told[-1]["version"] == "1.0-x")


async def test_a_lost_hint_is_made_up_by_the_sweep(hub: Hub, world: World) -> None:
    page = Page()
    hub.join(KEY, page)
    await hub.catch_up(KEY, page, "0.0-x")
    world.numbers[KEY] = 5
    await hub._sweep()
    await until(lambda: page.told[-1]["version"] == "5.0-x")


async def test_a_board_that_is_left_in_the_middle_of_a_sweep_is_no_trouble(
    hub: Hub, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """While one board's pages are told of their feeds, the last page of another one is closed."""
    monkeypatch.setattr(hub_module, "render_feed_states", lambda _feeds: "<i>silent</i>")
    pages = {KEY: Page(), OTHER: Page()}
    left = []
    for (key, page), other in zip(pages.items(), (OTHER, KEY), strict=True):
        hub.join(key, page)
        await hub.catch_up(key, page, "0.0-x")
        shown = hub._boards[key].rendered
        assert shown is not None
        shown.feeds.same_as = lambda _other: False  # type: ignore[method-assign]

        async def send(text_data: str, key: BoardKey = key, other: BoardKey = other) -> None:
            left.append(key)
            hub.leave(other, pages[other])

        monkeypatch.setattr(page, "send", send)
    await hub._sweep()
    assert len(left) == 1
    assert hub.open_pages == 1


async def test_rows_hear_that_the_provider_has_none_of_their_product(
    hub: Hub, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The feeds' own line says the same as before; the rows don't, and a trade's rendering takes the feeds over."""
    hub.join(KEY, Page())
    await hub.catch_up(KEY, Page(), "0.0-x")
    before = world.renders
    monkeypatch.setattr(boards, "read_feeds", lambda keys: {KEY.market_pk: some_feeds(15)})
    await hub._sweep()
    await until(lambda: world.renders == before + 1)
    assert world.taken_over[-1] is False


async def test_it_looks_more_often_while_hints_are_lost_or_a_look_has_failed(
    hub: Hub, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is lost between two looks is made up by the next."""
    layer = SimpleNamespace(is_heard=False)
    monkeypatch.setattr(announcer_module, "hints_layer", lambda: layer)
    assert hub._look_every() == hub_module.UNHEARD_SECONDS
    layer.is_heard = True
    assert hub._look_every() == hub_module.SWEEP_SECONDS
    hub._trouble = "database"
    assert hub._look_every() == hub_module.UNHEARD_SECONDS


async def test_a_board_follows_the_clock_without_a_look_at_the_database(hub: Hub, world: World) -> None:
    hub.join(KEY, Page())
    hub.join(OTHER, Page())
    await hub.catch_up(KEY, Page(), "0.0-x")
    await hub.catch_up(OTHER, Page(), "0.0-x")
    before, shown = world.renders, hub._boards[KEY].rendered
    assert shown is not None
    hub._follow_the_clock()
    shown.board.changes_at = hub_module.clock.now()  # type: ignore[misc]
    hub._follow_the_clock()
    await until(lambda: world.renders == before + 1)
    assert world.taken_over[-1] is False, "all of it is read anew"
    hub._follow_the_clock()
    await until(lambda: all(watched.task is None or watched.task.done() for watched in hub._boards.values()))
    assert world.renders == before + 1


async def test_a_board_that_is_being_made_or_can_not_be_is_left_to_the_next_time(hub: Hub, world: World) -> None:
    hub.join(KEY, Page())
    await hub.catch_up(KEY, Page(), "0.0-x")
    watched = hub._boards[KEY]
    assert watched.rendered is not None
    await until(lambda: watched.task is None or watched.task.done())
    watched.rendered.board.changes_at = hub_module.clock.now()  # type: ignore[misc]
    before, hub._trouble = world.renders, "database"
    hub._follow_the_clock()
    assert not watched.dirty
    hub._trouble = ""
    hub._follow_the_clock()
    hub._follow_the_clock()
    assert watched.dirty
    await until(lambda: watched.task is not None and watched.task.done())
    assert world.renders == before + 1


async def test_a_look_that_hangs_is_said_at_once(hub: Hub, world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Within a beat's quarter of the longest look: pages promise it within five seconds."""
    page = Page()
    hub.join(KEY, page)
    await hub.catch_up(KEY, page, "0.0-x")
    await hub._sweep()
    beating = asyncio.create_task(hub._beat_for_ever())
    await until(lambda: page.told and page.told[-1]["parts"] == {})
    told = len(page.told)
    hub._boards[KEY].told_at = float("inf")  # for a long time no beat is due
    hub._looked_at -= hub_module.LONGEST_LOOK
    await until(lambda: len(page.told) > told)
    beating.cancel()
    assert page.told[told]["trouble"] == "database"
    assert hub_module.LONGEST_LOOK + hub_module.BEAT_SECONDS / 4 < 5


async def test_pages_hear_of_trouble_and_of_its_end(hub: Hub, world: World) -> None:
    page = Page()
    hub.join(KEY, page)
    await hub.catch_up(KEY, page, "0.0-x")
    world.trouble = RuntimeError("away")
    hub.hear([("board", 1, 1, "2026-11-23")])
    await until(lambda: hub._trouble)
    await hub._beat()
    assert page.told[-1]["trouble"] == "error"
    world.trouble = None
    await hub._sweep()
    await hub._beat()
    assert page.told[-1]["trouble"] == ""


async def test_who_has_just_heard_something_needs_no_beat(
    hub: Hub, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Between two words are less than two and a half seconds: a page waits for four."""
    page, now, words = Page(), time.monotonic(), []
    hub.join(KEY, page)
    await hub.catch_up(KEY, page, "0.0-x")
    monkeypatch.setattr(hub_module.time, "monotonic", lambda: now)
    for step in range(20):
        if step == 9:
            world.numbers[KEY] = 1
            await hub._publish(hub._boards[KEY], world.render(KEY, hub_module.clock.now(), None))
        before = len(page.told)
        await hub._beat(silent_for=0.95 * hub_module.BEAT_SECONDS)
        words += [step] if len(page.told) > before else []
        now += hub_module.BEAT_SECONDS / 4
    assert words == [0, 4, 8, 13, 17]


async def test_a_broken_page_does_not_keep_news_from_the_others(hub: Hub, world: World) -> None:
    broken, well = Page(broken=True), Page()
    hub.join(KEY, well)
    await hub.catch_up(KEY, well, "0.0-x")
    hub.join(KEY, broken)
    world.numbers[KEY] = 1
    hub.hear([("board", 1, 1, "2026-11-23")])
    await until(lambda: well.told[-1]["version"] == "1.0-x")
    assert hub.open_pages == 1


async def test_a_board_that_nobody_watches_is_forgotten(hub: Hub, world: World) -> None:
    page = Page()
    hub.join(KEY, page)
    hub.leave(KEY, page)
    assert hub.open_pages == 0
    hub.hear([("board", 1, 1, "2026-11-23")])
    await hub.catch_up(KEY, page, "0.0-x")
    assert world.renders == 0


def test_announcing_to_a_dead_redis_neither_blocks_nor_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    class Hanging:
        asked = 0

        async def group_send(self, *_arguments: Any) -> None:
            Hanging.asked += 1
            await asyncio.Event().wait()

    monkeypatch.setattr(announcer_module, "hints_layer", Hanging)
    announcer = Announcer()
    started = time.monotonic()
    for number in range(1000):
        announcer.add([("board", number, 1, "2026-11-23")])
    assert time.monotonic() - started < announcer_module.ANNOUNCE_SECONDS

    def has_failed_again() -> bool:
        announcer.add([("board", 1, 1, "2026-11-23")])
        return announcer._failures >= 2

    wait_until(has_failed_again, "two failures", 10)
