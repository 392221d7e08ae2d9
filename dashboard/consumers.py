"""A board's websocket: checks rights, then only passes on what the hub (dashboard/live.py) has ready."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import parse_qs

from channels.db import database_sync_to_async
from channels.generic.websocket import AsyncWebsocketConsumer

from dashboard.access import AnyUser, board_trader
from dashboard.languages import known_language
from dashboard.live import BoardKey, hub
from market.periods import PeriodError, parse_day
from market.queries import MarketError, market_by_code

NOT_LOGGED_IN, NO_SUCH_BOARD = 4401, 4404
LONGEST_MESSAGE = 200


class BoardSocket(AsyncWebsocketConsumer):
    """One open page. The page says which version it has; everything else flows to the page."""

    key: BoardKey | None = None

    async def connect(self) -> None:
        await self.accept()
        user: AnyUser = self.scope["user"]  # type: ignore[assignment]  # AuthMiddlewareStack puts one there
        if not user.is_authenticated:
            await self.close(NOT_LOGGED_IN)
            return
        key = await self._board_key(user)
        if key is None:
            await self.close(NO_SUCH_BOARD)
            return
        self.key = key
        hub.join(key, self)

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
        return BoardKey(trader.pk, market.pk, day, known_language(asked.get("language", [""])[0])) if trader else None

    async def receive(self, text_data: str | None = None, bytes_data: bytes | None = None) -> None:
        """The page's only word: {"have": version}. Anything else ends the connection."""
        if self.key is None:
            return
        have = _version_in(text_data)
        if have is None:
            await self.close(1008)
            return
        await hub.catch_up(self.key, self, have)

    async def disconnect(self, code: int) -> None:
        if self.key is not None:
            hub.leave(self.key, self)


def _version_in(text: str | None) -> str | None:
    if text is None or len(text) > LONGEST_MESSAGE:
        return None
    try:
        message: Any = json.loads(text)
    except ValueError:
        return None
    have = message.get("have") if isinstance(message, dict) else None
    return have if isinstance(have, str) else None
