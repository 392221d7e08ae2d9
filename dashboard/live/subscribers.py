"""One program's open stream of events: who it is, what waits for it, and why it ends."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable

from django.utils.translation import gettext_noop

from dashboard.access.rights import SEE_ALL_BOARDS, SEE_STATUS
from dashboard.access.standings import Standing
from dashboard.assumptions.visibility import SEE_ALL_ASSUMPTIONS
from dashboard.events.wire import Audience
from dashboard.live.open_sockets import NOT_LOGGED_IN
from market import clock

HEARTBEAT_SECONDS = 10.0
MOST_BYTES = 1_000_000
"""What waits for a reader that takes nothing, beside the 64 KB or so of its connection."""
MOST_STREAMS = 200
"""Of one user in one web process."""

TOO_MANY_STREAMS = gettext_noop("You have too many streams open: close one first.")
TOO_SLOW = gettext_noop("You read too slowly: begin again with this number as “after”.")
ENDED = gettext_noop("Your log-in or your token holds no longer.")
NO_RIGHT = gettext_noop("There is nothing here that you may see any more.")


def audience_of(standing: Standing, *, shared: bool, blind: bool) -> Audience:
    """Who sees which events. Others' assumptions stay away as long as the desk writes them blindly."""
    sees_all = bool(standing.roles & SEE_ALL_BOARDS)
    a_board = sees_all or standing.trader_pk is not None
    others = bool(standing.roles & SEE_ALL_ASSUMPTIONS) or (shared and a_board)
    sees_status = bool(standing.roles & SEE_STATUS)
    return Audience(standing.user_pk, standing.trader_pk, sees_all, sees_status, others and not blind)


class Subscriber:
    """One open stream. The guard watches it like a socket."""

    page = "/api/v1/events"
    most = MOST_STREAMS

    def __init__(self, standing: Standing, *, after: int, is_behind: Callable[[], bool] = lambda: False) -> None:
        self.standing = standing
        self.session, self.user_pk = standing.session, standing.user_pk
        self.place = self.sent = after
        """Up to which event all that is its own waits here, and up to which it was sent."""
        self.is_behind = is_behind
        self.news = asyncio.Event()
        self.heard_at = time.monotonic()
        """When it was last sent anything (monotonic seconds)."""
        self.waiting: list[bytes] = []
        self.bytes_waiting = 0
        self.sentence = ""
        """Why it ends."""

    def may_stay(self, standing: Standing) -> bool:
        """From now on it is this standing that decides what is sent."""
        self.standing = standing
        return standing.trader_pk is not None or bool(standing.roles & (SEE_ALL_BOARDS | SEE_STATUS))

    async def end(self, code: int) -> None:
        """Say why, and nothing after."""
        self.finish(ENDED if code == NOT_LOGGED_IN else NO_RIGHT)

    def finish(self, sentence: str) -> None:
        self.sentence = self.sentence or sentence
        self.waiting, self.bytes_waiting = [], 0
        self.news.set()

    def put(self, chunk: bytes, upto: int) -> None:
        """What is new for it, up to a number; too much of it ends the stream."""
        if self.sentence:
            return
        if chunk and self.bytes_waiting + len(chunk) > MOST_BYTES:
            self.finish(TOO_SLOW)
            return
        if chunk:
            self.waiting.append(chunk)
            self.bytes_waiting += len(chunk)
            self.news.set()
        self.place = upto

    def beat(self, now: float) -> None:
        """A sign of life for one that has heard nothing for long, unless it takes nothing."""
        if now - self.heard_at >= HEARTBEAT_SECONDS and not self.waiting and not self.is_behind():
            self.put(f": heartbeat {clock.now():%Y-%m-%dT%H:%M:%SZ}\n\n".encode(), self.place)

    def take(self) -> bytes:
        """All that waits, to be sent now."""
        chunks, self.waiting, self.bytes_waiting = self.waiting, [], 0
        self.sent, self.heard_at = self.place, time.monotonic()
        self.news.clear()
        return b"".join(chunks)
