"""A board's news as the answer to a plain request, for pages that have no websocket.

`X-Part: news` at a board's own address, by the same rights; `X-Have` says which version the page shows.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from django.conf import settings
from django.http import HttpRequest, JsonResponse

from dashboard.figures.board import Board
from dashboard.live.messages import message, news_since

PART, HAVE = "X-Part", "X-Have"


def is_asked(request: HttpRequest) -> bool:
    """Whether only the news are."""
    return request.headers.get(PART) == "news"


def news(request: HttpRequest, shown: Board, *, version: str, parts: Mapping[str, str], now: datetime) -> JsonResponse:
    """The same message as over the websocket. `now` (UTC) is when the board was read."""
    told = message(
        news_since(request.headers.get(HAVE, ""), version, parts),
        now=now,
        right=now,
        today=shown.market.day_of(now).isoformat(),
        app=settings.VERSION,
    )
    return JsonResponse(told, headers={"Vary": PART})
