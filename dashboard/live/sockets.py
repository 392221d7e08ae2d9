"""Websockets: check rights, then only pass on what the hub (dashboard/live/hub.py) has ready."""

from __future__ import annotations

import json
import time
from typing import Any
from urllib.parse import parse_qs

from channels.db import database_sync_to_async
from channels.generic.websocket import AsyncWebsocketConsumer

from accounts.sessions import key_digest
from dashboard.access.preferences import known_language
from dashboard.access.rights import AnyUser, board_trader, may_see_all
from dashboard.access.standings import Standing
from dashboard.alerts.queries import has_unseen
from dashboard.assumptions.visibility import viewer_of
from dashboard.figures.board_key import WHOLE_DESK, BoardKey
from dashboard.figures.readings import known_reading
from dashboard.live import open_sockets
from dashboard.live.hub import ALERTS, hub
from dashboard.live.open_sockets import NOT_LOGGED_IN, NOT_YOURS, TOO_MANY, guard
from market.periods import PeriodError, parse_day
from market.queries import MarketError, market_by_code

LONGEST_MESSAGE = 200
BURST, A_SECOND = 20, 2.0
"""A page speaks when it opens, wakes up or has missed something: so many messages at once, then so many a second."""
_NONSENSE = 1008


class WatchedSocket(AsyncWebsocketConsumer):
    """A socket of somebody who is logged in, for as long as that holds: subclasses say what for, the guard watches.

    Subclasses give `enter` (is there something here for this user?), `may_stay`, `hear` and `leave`.
    """

    session = ""
    user_pk = 0
    page = ""
    _is_in = _has_ended = False
    _allowance = float(BURST)
    _counted_at = 0.0

    @property
    def most(self) -> int:
        """Open websockets that one user may have in one web process."""
        return open_sockets.MOST_SOCKETS

    async def enter(self, user: AnyUser) -> bool:
        """Begin to send; False when there is nothing here that the user may see."""
        raise NotImplementedError

    def may_stay(self, standing: Standing) -> bool:
        """Whether a user of this standing may see what is sent here. Asks no database."""
        raise NotImplementedError

    async def hear(self, text: str | None) -> bool:
        """Take a message; False for one that makes no sense."""
        raise NotImplementedError

    def leave(self) -> None:
        """Stop sending."""
        raise NotImplementedError

    async def connect(self) -> None:
        await self.accept()
        user: AnyUser = self.scope["user"]  # type: ignore[assignment]  # AuthMiddlewareStack puts one there
        if not user.is_authenticated:
            await self.close(NOT_LOGGED_IN)
            return
        self.session, self.user_pk = key_digest(self.scope["session"].session_key or ""), user.pk
        self.page = str(self.scope["path"]).removeprefix("/ws")
        if not await self.enter(user):
            await self.close(NOT_YOURS)
            return
        self._is_in = True
        if not guard.admit(self):
            await self.end(TOO_MANY)

    async def receive(self, text_data: str | None = None, bytes_data: bytes | None = None) -> None:
        """Anything that is too much or makes no sense ends the connection."""
        if not self._is_in or self._has_ended:
            return
        if not self._may_speak(time.monotonic()) or not await self.hear(text_data):
            await self.end(_NONSENSE)

    def _may_speak(self, now: float) -> bool:
        self._allowance = min(BURST, self._allowance + (now - self._counted_at) * A_SECOND) - 1
        self._counted_at = now
        return self._allowance >= 0

    async def send(  # type: ignore[override]  # as Channels' own consumer does
        self, text_data: str | None = None, bytes_data: bytes | None = None, close: bool = False
    ) -> None:
        if not self._has_ended:
            await super().send(text_data, bytes_data, close)

    async def end(self, code: int) -> None:
        """Close; nothing is sent after."""
        if not self._has_ended:
            self._out()
            await self.close(code)

    async def disconnect(self, code: int) -> None:
        self._out()

    def _out(self) -> None:
        self._has_ended = True
        guard.release(self)
        if self._is_in:
            self._is_in = False
            self.leave()


class BoardSocket(WatchedSocket):
    """One open page. The page says which version it has; everything else flows to the page."""

    key: BoardKey | None = None

    async def enter(self, user: AnyUser) -> bool:
        self.key = await self._board_key(user)
        if self.key is None:
            return False
        hub.join(self.key, self)
        hub.of_users.add((self.user_pk, self))
        if await database_sync_to_async(has_unseen)(self.user_pk):
            await self.send(ALERTS)
        return True

    def may_stay(self, standing: Standing) -> bool:
        return self.key is None or standing.may_see_board(self.key.trader_pk)

    def leave(self) -> None:
        hub.of_users.discard((self.user_pk, self))
        if self.key is not None:
            hub.leave(self.key, self)

    @database_sync_to_async
    def _board_key(self, user: AnyUser) -> BoardKey | None:
        """The board of this address, if there is one and the user may see it."""
        arguments = self.scope["url_route"]["kwargs"]
        asked = parse_qs(self.scope["query_string"].decode("latin1"))
        try:
            day = parse_day(arguments["day"])
            market = market_by_code(asked.get("market", [None])[0])
        except (PeriodError, MarketError):
            return None
        trader = board_trader(user, arguments["trader_id"])
        if trader is None:
            return None
        language, reading = (asked.get(name, [""])[0] for name in ("language", "by"))
        return BoardKey(trader.pk, market.pk, day, known_language(language), known_reading(reading))

    async def hear(self, text: str | None) -> bool:
        """The page's only word: {"have": version}."""
        have = _version_in(text)
        if have is None or self.key is None:
            return False
        await hub.catch_up(self.key, self, have)
        return True


def _version_in(text: str | None) -> str | None:
    if text is None or len(text) > LONGEST_MESSAGE:
        return None
    try:
        message: Any = json.loads(text)
    except ValueError:
        return None
    have = message.get("have") if isinstance(message, dict) else None
    return have if isinstance(have, str) else None


class DeskSocket(BoardSocket):
    """An open page of the desk's view: a board of all traders, to the hub."""

    @database_sync_to_async
    def _board_key(self, user: AnyUser) -> BoardKey | None:
        asked = parse_qs(self.scope["query_string"].decode("latin1"))
        try:
            day = parse_day(self.scope["url_route"]["kwargs"]["day"])
            market = market_by_code(asked.get("market", [None])[0])
        except (PeriodError, MarketError):
            return None
        if not may_see_all(user):
            return None
        language, reading = (asked.get(name, [""])[0] for name in ("language", "by"))
        return BoardKey(WHOLE_DESK, market.pk, day, known_language(language), known_reading(reading))


class AssumptionsSocket(WatchedSocket):
    """An open page of assumptions: hears that something may be new, and asks for what its user may see of it."""

    async def enter(self, user: AnyUser) -> bool:
        viewer = await database_sync_to_async(viewer_of)(user)
        if viewer is None:
            return False
        hub.listen(self)
        await self.send('{"assumptions": "here"}')
        return True

    def may_stay(self, standing: Standing) -> bool:
        """What is sent says nothing; the page itself is asked with its user's rights each time."""
        return True

    async def hear(self, text: str | None) -> bool:
        return _version_in(text) is not None

    def leave(self) -> None:
        hub.listeners.pages.discard(self)
