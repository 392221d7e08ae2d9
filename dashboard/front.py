"""Boards that are asked for again and again, answered before Django while nothing that they show has changed.

A remembered answer goes only to a request that is the same to the last header that could matter, cookies included, so
to nobody else; and only after PostgreSQL has said, after the request came, that what the answer was made from still
stands: figures, session, password, roles, everything (dashboard/freshness.py). Else the request goes on to Django.
"""

from __future__ import annotations

import asyncio
import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable, MutableMapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any
from weakref import WeakValueDictionary

from django.conf import settings
from django.http import HttpRequest, parse_cookie

from accounts.sessions import key_digest
from dashboard.board import Board
from dashboard.formatting import utc
from dashboard.freshness import Freshness, PageOf, Unknown

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Application = Callable[[Any, Any, Any], Awaitable[None]]
Key = tuple[Any, ...]

OLDEST = 10.0
"""Seconds after which an answer is made anew whatever is known: what changes with the clock alone, and what is written
down about a session's use, stays current."""
MOST_BYTES = 64 * 1024 * 1024
MOST_PAGES = 5_000
MOMENT_LENGTH = len("2026-11-25T09:46:48.123456Z")
NOTE = "desk.page"
"""Where in a request's scope the view leaves a Note of the page that it has made."""

# Headers that no page depends on; one that is not named here is part of what must be the same.
_WITHOUT_MEANING = frozenset(
    {b"accept", b"cache-control", b"connection", b"dnt", b"if-modified-since", b"if-none-match", b"pragma", b"priority",
     b"referer", b"upgrade-insecure-requests", b"user-agent"}
)  # fmt: skip


# --- for the view -------------------------------------------------------------------------------------------------
@dataclass(slots=True)
class Note:
    """What the view says of the page that it has made: the board, its moment as written in the page, its end."""

    trader: int = 0
    market: int = 0
    day: date | None = None
    moment: str = ""
    until: datetime | None = None

    def page(self, session: str) -> PageOf | None:
        """What the page depends on; None when the view said nothing."""
        return None if self.day is None else PageOf(session, self.trader, self.market, self.day)


def note_page(request: HttpRequest, board: Board) -> None:
    """Called by a view whose answer depends on nothing but the request, the user's rights and this board."""
    note = getattr(request, "scope", {}).get(NOTE)
    if note is not None:
        note.trader, note.market, note.day = board.trader.pk, board.market.pk, board.delivery_day
        note.moment, note.until = utc(board.as_of), board.changes_at


# --- remembered answers -------------------------------------------------------------------------------------------
@dataclass(slots=True)
class Remembered:
    """An answer, cut where its moment stands, and what was known before it was made."""

    page: PageOf
    snapshot: str
    fingerprint: str
    start: Message
    before: bytes
    after: bytes
    until: datetime
    made: float

    @property
    def size(self) -> int:
        return len(self.before) + len(self.after)


class Front:
    """The ASGI application in front of Django's. Tests give clocks and a Freshness of their own."""

    def __init__(
        self,
        application: Application,
        freshness: Freshness | None = None,
        monotonic: Callable[[], float] = time.monotonic,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._application = application
        self._freshness = freshness or Freshness()
        self._monotonic, self._clock = monotonic, clock
        self._pages: OrderedDict[Key, PageOf] = OrderedDict()
        self._answers: OrderedDict[Key, Remembered] = OrderedDict()
        self._bytes = 0
        self._making: WeakValueDictionary[Key, asyncio.Lock] = WeakValueDictionary()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        key = _key(scope)
        if key is None:
            await self._application(scope, receive, send)
        elif not await self._answer(key, send):
            lock = self._making.setdefault(key, asyncio.Lock())
            async with lock:  # the same page is made once, however many wait for it
                if not await self._answer(key, send):
                    await self._make(key, scope, receive, send)

    async def _answer(self, key: Key, send: Send) -> bool:
        """Send the remembered answer, if it is known to be right now."""
        if key not in self._answers or not await self._still_stands(key):
            return False
        found, now = self._answers.get(key), self._clock()
        if found is None or now >= found.until or self._monotonic() - found.made > OLDEST:
            self._forget(key)
            return False
        self._answers.move_to_end(key)
        await send(found.start)
        await send({"type": "http.response.body", "body": b"".join((found.before, _moment(now), found.after))})
        return True

    async def _still_stands(self, key: Key) -> bool:
        try:
            snapshot = await self._freshness.snapshot()
            found = self._answers.get(key)
            if found is None:
                return False
            if snapshot != found.snapshot:
                if await self._freshness.fingerprint(found.page) != found.fingerprint:
                    self._forget(key)
                    return False
                found.snapshot = snapshot
        except Unknown:
            return False
        return True

    async def _make(self, key: Key, scope: Scope, receive: Receive, send: Send) -> None:
        """Let Django answer, and remember the answer with what was known before it was made.

        Which board an address shows is known only afterwards: the first time it is noted, from the second on the
        answer is remembered.
        """
        page, note, copy = self._pages.get(key), Note(), _Copy(send)
        try:
            known = (await self._freshness.snapshot(), await self._freshness.fingerprint(page)) if page else None
        except Unknown:
            known = None
        await self._application({**scope, NOTE: note}, receive, copy.send)
        shown = note.page(_session_digest(scope))
        if shown is None:
            self._pages.pop(key, None)
            return
        _put(self._pages, key, shown, MOST_PAGES)
        parts = copy.parts(scope, note.moment)
        if known and parts and shown == page and note.until:
            start, before, after = parts
            self._keep(key, Remembered(page, *known, start, before, after, note.until, self._monotonic()))

    def _keep(self, key: Key, answer: Remembered) -> None:
        self._forget(key)
        self._answers[key] = answer
        self._bytes += answer.size
        while self._bytes > MOST_BYTES:
            self._forget(next(iter(self._answers)))

    def _forget(self, key: Key) -> None:
        gone = self._answers.pop(key, None)
        if gone is not None:
            self._bytes -= gone.size


class _Copy:
    """Passes an answer on to the server, and keeps it if it is one whole page."""

    def __init__(self, send: Send) -> None:
        self._send = send
        self._start: Message | None = None
        self._body: bytes | None = None

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self._start = message
        elif message["type"] == "http.response.body":
            whole = self._body is None and not message.get("more_body")
            self._body = message.get("body", b"") if whole else b""
        await self._send(message)

    def parts(self, scope: Scope, moment: str) -> tuple[Message, bytes, bytes] | None:
        """How the answer begins, and its body before and after the moment; None when it can't be given again."""
        if self._start is None or self._start["status"] != 200:
            return None
        headers = [(name, value) for name, value in self._start["headers"] if not _is_same_cookie(name, value, scope)]
        before, mark, after = (self._body or b"").partition(b'data-now="' + moment.encode() + b'"')
        if not mark or len(moment) != MOMENT_LENGTH or any(name.lower() == b"set-cookie" for name, _ in headers):
            return None
        return {**self._start, "headers": headers}, before + b'data-now="', b'"' + after


def _moment(now: datetime) -> bytes:
    """As dashboard.formatting.utc, and always of the same length: the answer's length stands in its headers."""
    return now.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z").encode()


def _put(into: OrderedDict[Key, Any], key: Key, value: Any, most: int) -> None:
    into[key] = value
    into.move_to_end(key)
    while len(into) > most:
        into.popitem(last=False)


# --- requests -----------------------------------------------------------------------------------------------------
def _key(scope: Scope) -> Key | None:
    """Everything of a request that its answer could depend on; None for one that is none of ours."""
    path = scope["path"]
    if scope["method"] != "GET" or not (path == "/" or path.startswith("/boards/")):
        return None
    headers = tuple(pair for pair in scope["headers"] if pair[0] not in _WITHOUT_MEANING and pair[0][:4] != b"sec-")
    if not any(name == b"cookie" for name, _ in headers):
        return None
    client = scope.get("client") or ("",)
    return scope["scheme"], path, scope["query_string"], client[0], headers


def _cookies(scope: Scope) -> dict[str, str]:
    lines = [value.decode("latin1") for name, value in scope["headers"] if name == b"cookie"]
    return parse_cookie("; ".join(lines))


def _session_digest(scope: Scope) -> str:
    return key_digest(_cookies(scope).get(settings.SESSION_COOKIE_NAME, ""))


def _is_same_cookie(name: bytes, value: bytes, scope: Scope) -> bool:
    """Whether a header only gives the CSRF cookie again that the browser has: with every page, for its age."""
    if name.lower() != b"set-cookie":
        return False
    given, _, content = value.decode("latin1").partition(";")[0].partition("=")
    return given == settings.CSRF_COOKIE_NAME and content == _cookies(scope).get(given)
