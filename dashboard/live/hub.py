"""What changed -> who is told. Hints travel between processes; every web process renders a changed board once.

Sending side (any process): after a commit the announcer passes on which boards moved, from a thread of its own, capped
in time; a dead Redis costs the sender nothing. Receiving side (web): the hub, one per process, holds the open pages,
renders a board whose figures moved, and sends the changed parts as ready HTML. A hint may be lost: every few seconds
the hub compares the versions of all open boards with the database.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Callable, Coroutine, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial
from typing import Any

import structlog
from django.conf import settings
from django.db import Error as DatabaseProblem
from django.utils.translation import override

from dashboard.figures.board_key import WHOLE_DESK, BoardKey
from dashboard.figures.feed_status import FeedStates
from dashboard.live import metrics
from dashboard.live.announcer import ACCESS, GROUP, hints_are_heard, hints_layer
from dashboard.live.boards import Rendered, Watched, is_at_least, look, render, with_connection
from dashboard.live.listeners import Listeners, Page, tell
from dashboard.live.messages import News, message, news_between, news_since
from dashboard.render.feed_status import FEED_STATES, render_feed_states
from market import clock

log = structlog.get_logger("dashboard.live.hub")

ALERTS = '{"alerts": "news"}'
MOST_ASKED_FOR = 100
"""Boards that no open page shows and a process remembers."""
SWEEP_SECONDS, UNHEARD_SECONDS = 2.0, 1.0
"""How often open boards are compared with the database: a hint may be lost. The second: while Redis does not answer, or
the last look failed."""
BEAT_SECONDS = 2.0
"""How often every page hears that it is connected, unless it has just heard something else; after twice that in silence
it says that it is not."""
LONGEST_LOOK = 3.5
"""After so many seconds without a look at the database, pages are told that it can't be reached, whatever it does."""


class Hub:
    """All open pages of this process. Everything here runs on the event loop; only rendering leaves it."""

    def __init__(self, render: Callable[[BoardKey, datetime, Rendered | None], Rendered] = render) -> None:
        self._render = render
        self._boards: dict[BoardKey, Watched] = {}
        self._executor = ThreadPoolExecutor(max_workers=1, thread_name_prefix="render")
        self._running: list[asyncio.Task[None]] = []
        self._asked_for: dict[BoardKey, asyncio.Task[Rendered]] = {}
        self._trouble = ""
        self._looked_at = time.monotonic()
        self._said = ""
        self.listeners = Listeners()
        self._telling: set[asyncio.Task[None]] = set()
        self.on_access: Callable[[], None] = lambda: None
        """Called when rights changed (dashboard/live/open_sockets.py)."""
        self.of_users: set[tuple[int, Page]] = set()
        """Open pages that hear of their user's alerts."""
        self._newest_alert: int | None = None
        self.on_hints: set[Callable[[], None]] = set()
        """Called when anything happened (dashboard/live/event_streams.py)."""

    @property
    def open_pages(self) -> int:
        return sum(len(watched.pages) for watched in self._boards.values())

    def join(self, key: BoardKey, page: Page) -> None:
        self._boards.setdefault(key, Watched()).pages.add(page)
        self._work()

    def listen(self, page: Page) -> None:
        """Tell a page whenever any assumption or price may be another; what, it asks for itself."""
        self.listeners.pages.add(page)
        self._work()

    def hear_hints(self) -> None:
        """Listen to hints from now on, without an open page."""
        self._work()

    def _work(self) -> None:
        if not self._running or any(task.done() for task in self._running):
            loop = asyncio.get_running_loop()
            for task in self._running:
                task.cancel()
            self._looked_at = time.monotonic()
            forever = (self._hear_for_ever(), self._sweep_for_ever(), self._beat_for_ever())
            self._running = [loop.create_task(work) for work in forever]

    def leave(self, key: BoardKey, page: Page) -> None:
        watched = self._boards.get(key)
        if watched is None:
            return
        watched.pages.discard(page)
        if not watched.pages and not watched.waiting:
            del self._boards[key]

    async def catch_up(self, key: BoardKey, page: Page, have: str) -> None:
        """Answer a page that says which version it has: with all that is new, from the database as it is now."""
        watched = self._boards.get(key)
        if watched is None:
            return
        done = asyncio.get_running_loop().create_future()
        watched.waiting.append(done)
        self._touch(key, anew=True)
        await done
        if watched.rendered is not None and page in watched.pages:
            shown = watched.rendered
            await page.send(self._message(shown, news_since(have, shown.version, shown.parts), watched))

    async def at_version(self, key: BoardKey, version: str) -> Rendered | None:
        """The board at this version of its figures or a later one, rendered once for all; None if it can't be read."""
        watched = self._boards.get(key)
        if watched is None:
            return await self._at_version_for_nobody(key, version)
        if watched.rendered is None or not is_at_least(watched.rendered.board.version, version):
            done = asyncio.get_running_loop().create_future()
            watched.waiting.append(done)
            self._touch(key)
            await done
        shown = watched.rendered
        return shown if shown is not None and is_at_least(shown.board.version, version) else None

    async def _at_version_for_nobody(self, key: BoardKey, version: str) -> Rendered | None:
        """The same for a board that no open page shows: kept for whoever asks for the same version."""
        kept = self._asked_for.get(key)
        if kept is not None and kept.done() and not is_at_least(kept.result().board.version, version):
            kept = None
        if kept is None:
            self._asked_for = {k: v for k, v in list(self._asked_for.items())[-MOST_ASKED_FOR:] if k != key}
            work = self._in_thread(partial(self._render, key, clock.now(), None))
            kept = self._asked_for[key] = asyncio.get_running_loop().create_task(work)
        try:
            shown = await asyncio.shield(kept)
        except Exception as error:
            self._asked_for.pop(key, None)
            self._say_trouble(error)
            return None
        return shown if is_at_least(shown.board.version, version) else None

    def hear(self, hints: Iterable[Iterable[Any]]) -> None:
        """Mark the open boards that the hints are about."""
        for called in self.on_hints:
            called()
        for kind, trader, market, day in hints:
            self._pass_on(kind, trader)
            for key in list(self._boards):
                self._mark(key, kind, trader, market, day)

    def _mark(self, key: BoardKey, kind: str, trader: int | None, market: int, day: str) -> None:
        """One open board, of what one hint says."""
        is_of_day = key.day.isoformat() == day
        about = {
            "board": key.trader_pk in {trader, WHOLE_DESK} and key.market_pk == market and is_of_day,
            "prices": key.market_pk == market and is_of_day,
            "feeds": key.market_pk == market,
        }
        if kind == "assumptions" and about["board"]:
            self._boards[key].assumptions[1] += 1
            self._later(self._tell_where_it_stands(self._boards[key]))
        elif about.get(kind):
            self._touch(key, anew=kind == "feeds", prices_too=kind != "board")
        elif kind in {"board", "prices"} and key.trader_pk is WHOLE_DESK and is_of_day:
            self._touch(key, prices_too=False)  # another market's total of the day stands on the desk's page

    def _pass_on(self, kind: str, whose: int) -> None:
        """What is about no board."""
        if kind == ACCESS[0]:
            self.on_access()
        if kind == "alerts":
            self._later(tell({page for user, page in self.of_users if user == whose}, ALERTS))
        if kind in {"assumptions", "prices"}:
            self._later(self.listeners.tell())

    def _later(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._telling.add(task)
        task.add_done_callback(self._telling.discard)

    def _touch(self, key: BoardKey, *, anew: bool = False, prices_too: bool = True) -> None:
        watched = self._boards[key]
        if not watched.dirty:
            watched.dirty_since = time.monotonic()
        watched.dirty = True
        watched.anew = watched.anew or anew
        watched.prices_too = watched.prices_too or prices_too
        if watched.task is None or watched.task.done():
            watched.task = asyncio.get_running_loop().create_task(self._refresh(key, watched))

    async def _refresh(self, key: BoardKey, watched: Watched) -> None:
        """Render and send while there is news, ten to 25 times a second on average."""
        while watched.dirty:
            began = time.monotonic()
            before, heard = watched.known(), watched.dirty_since
            watched.dirty = watched.anew = watched.prices_too = False
            waiting, watched.waiting = watched.waiting, []
            try:
                fresh = await self._in_thread(partial(self._render, key, clock.now(), before))
            except Exception as error:
                self._say_trouble(error)
            else:
                self._all_is_well()
                await self._publish(watched, fresh)
                metrics.BOARDS_RENDERED.inc()
                metrics.PUSH_SECONDS.observe(time.monotonic() - heard)
            for done in waiting:
                if not done.done():
                    done.set_result(None)
            await asyncio.sleep(watched.pause(began, time.monotonic()))

    async def _publish(self, watched: Watched, fresh: Rendered) -> None:
        async with watched.telling:
            await self._publish_in_turn(watched, fresh)

    async def _publish_in_turn(self, watched: Watched, fresh: Rendered) -> None:
        before, watched.rendered = watched.rendered, fresh
        if before is None:
            return
        news = news_between(before.version, before.parts, fresh.version, fresh.parts)
        if news is not None:
            await self._tell(watched, fresh, news)

    async def _tell(self, watched: Watched, rendered: Rendered, news: News) -> None:
        watched.told_at = time.monotonic()
        await tell(watched.pages, self._message(rendered, news, watched))

    def _message(self, rendered: Rendered, news: News, watched: Watched | None = None) -> str:
        now, since = clock.now(), time.monotonic() - self._looked_at
        prices = rendered.board.version.partition(".")[2]  # how an open assumption stands goes by them, too
        told = message(
            news,
            now=now,
            right=now - timedelta(seconds=since),
            today=rendered.today,
            app=settings.VERSION,
            trouble=self._trouble_now(),
            assumptions=".".join(map(str, [*watched.assumptions, prices])) if watched else "",
        )
        return json.dumps(told)

    def _trouble_now(self) -> str:
        return self._trouble or ("database" if time.monotonic() - self._looked_at > LONGEST_LOOK else "")

    # --- hints and lost hints ------------------------------------------------------------------------------------
    async def _hear_for_ever(self) -> None:
        while True:
            try:
                layer = hints_layer()
                channel = await layer.new_channel()
                await layer.group_add(GROUP, channel)
                while True:
                    message = await layer.receive(channel)
                    self.hear(message["hints"])
            except Exception as error:
                log.warning("hints_interrupted", error=str(error) or type(error).__name__)
                await asyncio.sleep(1)

    async def _sweep_for_ever(self) -> None:
        while True:
            started = time.monotonic()
            try:
                await self._sweep()
            except Exception as error:
                self._say_trouble(error)
            await asyncio.sleep(max(0.2, self._look_every() - (time.monotonic() - started)))

    def _look_every(self) -> float:
        return SWEEP_SECONDS if hints_are_heard() and not self._trouble else UNHEARD_SECONDS

    async def _beat_for_ever(self) -> None:
        while True:
            try:
                self._follow_the_clock()
            except Exception as error:
                self._say_trouble(error)
            before, self._said = self._said, self._trouble_now()
            await self._beat(silent_for=0.95 * BEAT_SECONDS if self._said == before else float("-inf"))
            await asyncio.sleep(BEAT_SECONDS / 4)

    def _follow_the_clock(self) -> None:
        """Refresh the boards that are others by the clock alone, unless they are being made, or can't be."""
        now = clock.now()
        for key, watched in self._boards.items():
            shown, is_under_way = watched.rendered, watched.task is not None and not watched.task.done()
            if shown is not None and now >= shown.board.changes_at and not is_under_way and not self._trouble:
                self._touch(key, anew=True)

    async def _sweep(self) -> None:
        """Find open boards that moved without a hint, and refresh the feeds' states."""
        if not (self._boards or self.of_users or self.listeners.pages):
            self._all_is_well()
            return
        work = partial(look, set(self._boards), alerts=bool(self.of_users), assumed=bool(self.listeners.pages))
        found = await self._in_thread(work)
        self._all_is_well()
        if found.newest_assumed is not None:
            await self.listeners.compare(found.newest_assumed)
        if found.newest_alert is not None:
            await self._compare_alerts(found.newest_alert)
        for key in found.versions.keys() & set(self._boards):
            watched = self._boards.get(key)
            if watched is not None:  # not left while another one's pages were told
                watched.assumptions[0] = found.assumptions.get((key.market_pk, key.day), 0)
                await self._compare(key, watched, found.versions[key], found.feeds.get(key.market_pk))

    async def _compare(self, key: BoardKey, watched: Watched, version: str, feeds: FeedStates | None) -> None:
        """Refresh a board that is another by now, or the feeds' states on it."""
        shown = watched.rendered
        if shown is None:
            self._touch(key, anew=True)
        elif feeds is not None and shown.feeds.unanswered_products != feeds.unanswered_products:
            self._touch(key, anew=True)  # stands in the rows, not in the feeds' line
        elif version != shown.board.version:
            self._touch(key)
        elif feeds is not None and not shown.feeds.same_as(feeds):
            await self._publish_feeds(key, watched, feeds)

    async def _compare_alerts(self, newest: int) -> None:
        """A hint of an alert may be lost, too: then all open pages ask for their own."""
        before, self._newest_alert = self._newest_alert, newest
        if before is not None and newest > before:
            await tell({page for _, page in self.of_users}, ALERTS)

    def _all_is_well(self) -> None:
        self._trouble, self._looked_at = "", time.monotonic()

    async def _publish_feeds(self, key: BoardKey, watched: Watched, feeds: FeedStates) -> None:
        with override(key.language):
            states = render_feed_states(feeds)
        async with watched.telling:
            if watched.rendered is not None:
                parts = {**watched.rendered.parts, FEED_STATES: states}
                await self._publish_in_turn(watched, replace(watched.rendered, feeds=feeds, parts=parts))

    async def _beat(self, silent_for: float = 0.0) -> None:
        """A word to every page that has heard none for so long (seconds), so that it knows that it is connected."""
        for watched in list(self._boards.values()):
            if time.monotonic() - watched.told_at >= silent_for:
                await self._tell_where_it_stands(watched)

    async def _tell_where_it_stands(self, watched: Watched) -> None:
        async with watched.telling:
            if watched.rendered is not None:
                await self._tell(watched, watched.rendered, News(watched.rendered.version, {}))

    async def _in_thread(self, work: Callable[[], Any]) -> Any:
        return await asyncio.get_running_loop().run_in_executor(self._executor, with_connection, work)

    def _say_trouble(self, error: Exception) -> None:
        if not self._trouble:
            log.error("board_not_refreshed", error=str(error).splitlines()[0] if str(error) else type(error).__name__)
        self._trouble = "database" if isinstance(error, DatabaseProblem) else "error"


hub = Hub()
