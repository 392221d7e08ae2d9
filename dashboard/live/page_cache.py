"""Boards that are asked for again and again, answered before Django while nothing that they show has changed.

A remembered answer goes only to a request that is the same to the last header that could matter, cookies included, so
to nobody else; and only after PostgreSQL has said, after the request came, that what the answer was made from still
stands: figures, session, password, roles, everything (fingerprint.py). Where only figures have changed, they are
exchanged for those that the hub has rendered for all. Else the request goes on to Django.
"""

from __future__ import annotations

import asyncio
import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Protocol
from weakref import WeakValueDictionary

from django.conf import settings
from django.http import HttpRequest, parse_cookie
from django.utils.translation import get_language

from accounts.sessions import key_digest
from dashboard.figures.board import Board
from dashboard.figures.board_key import BoardKey
from dashboard.live.boards import Rendered
from dashboard.live.fingerprint import Fingerprint, FingerprintReader, PageOf, Unknown
from dashboard.live.hub import hub
from market import clock

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
NOTE = "desk.page"
"""Where in a request's scope the view leaves a Note of the page that it has made."""

# Headers that no page depends on; one that is not named here is part of what must be the same.
_WITHOUT_MEANING = frozenset(
    {b"accept", b"cache-control", b"connection", b"dnt", b"if-modified-since", b"if-none-match", b"pragma", b"priority",
     b"referer", b"upgrade-insecure-requests", b"user-agent",
     b"x-amzn-trace-id", b"x-request-id"}  # another one each time: a load balancer's
)  # fmt: skip


_OF_ONE_ANSWER = frozenset({b"content-length", b"x-request-id"})


# --- for the view -------------------------------------------------------------------------------------------------
@dataclass(slots=True)
class Note:
    """What the view says of the page that it has made: the board, what of it can be exchanged, and until when."""

    board: BoardKey | None = None
    tokens: dict[str, bytes] = field(default_factory=dict)
    """What stands in the page in this way, once each: MOMENT, and with VERSION all parts by element id."""
    until: datetime | None = None

    def page(self, session: str) -> PageOf | None:
        """What the page depends on; None when the view said nothing."""
        key = self.board
        return None if key is None else PageOf(session, key.trader_pk, key.market_pk, key.day)


def note_page(request: HttpRequest, board: Board, version: str = "", parts: Mapping[str, str] | None = None) -> None:
    """Called by a view whose answer depends on nothing but the request, the user's rights and this board.

    With `version` and `parts` the page is all frame but for them; without, it shows more of the board (an open row).
    """
    note = getattr(request, "scope", {}).get(NOTE)
    if note is None:
        return
    language = get_language() or settings.LANGUAGE_CODE
    note.board = BoardKey(board.trader.pk, board.market.pk, board.delivery_day, language, board.reading)
    note.until = board.changes_at
    note.tokens = {MOMENT: _moment(board.as_of)}
    if parts:
        note.tokens |= {VERSION: _version(version), **{name: html.encode() for name, html in parts.items()}}


MOMENT, VERSION = " moment", " version"


def _moment(now: datetime) -> bytes:
    """Always of the same length, so that an answer's length stays what it was."""
    text = now.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")
    return f'data-now="{text}"'.encode()


def _version(version: str) -> bytes:
    return f'data-version="{version}"'.encode()


# --- remembered answers -------------------------------------------------------------------------------------------
@dataclass(slots=True)
class Remembered:
    """An answer cut where it can be exchanged, and what was known before it was made."""

    page: PageOf
    board: BoardKey
    snapshot: str
    fingerprint: Fingerprint
    status: int
    headers: list[tuple[bytes, bytes]]
    pieces: list[bytes | str]
    """The page's bytes, and the names of the tokens between them."""
    until: datetime
    made: float
    before: bytes = b""
    after: bytes = b""
    given: list[tuple[bytes, bytes]] = field(default_factory=list)
    """The headers with the length."""

    def fill(self, tokens: Mapping[str, bytes]) -> bool:
        """Put these between the pieces; only the moment stays open. False when they are not the same tokens."""
        names = [piece for piece in self.pieces if isinstance(piece, str) and piece != MOMENT]
        if set(names) != set(tokens) - {MOMENT}:
            return False
        at = self.pieces.index(MOMENT)
        filled = [piece if isinstance(piece, bytes) else tokens.get(piece, b"") for piece in self.pieces]
        self.before, self.after = b"".join(filled[:at]), b"".join(filled[at + 1 :])
        length = len(self.before) + len(self.after) + MOMENT_LENGTH
        self.given = [*self.headers, (b"Content-Length", str(length).encode())]
        return True

    @property
    def size(self) -> int:
        """Roughly, in bytes."""
        return 2 * (len(self.before) + len(self.after))


MOMENT_LENGTH = len(_moment(datetime.min.replace(tzinfo=UTC)))


class Boards(Protocol):
    """Who has boards rendered: the hub."""

    async def at_version(self, key: BoardKey, version: str) -> Rendered | None: ...


class PageCache:
    """The ASGI application in front of Django's. Tests give clocks, boards and a Freshness of their own."""

    def __init__(
        self,
        application: Application,
        freshness: FingerprintReader | None = None,
        boards: Boards = hub,
        monotonic: Callable[[], float] = time.monotonic,
        clock: Callable[[], datetime] = clock.now,
        mark: Callable[[Scope, int, float], tuple[bytes, bytes]] | None = None,
    ) -> None:
        """`mark` counts a remembered answer, and has the header that names its request."""
        self._application, self._boards = application, boards
        self._freshness = freshness or FingerprintReader()
        self._monotonic, self._clock, self._mark = monotonic, clock, mark
        self._pages: OrderedDict[Key, PageOf] = OrderedDict()
        self._answers: OrderedDict[Key, Remembered] = OrderedDict()
        self._bytes = 0
        self._making: WeakValueDictionary[Key, asyncio.Lock] = WeakValueDictionary()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        key = _key(scope)
        if key is None:
            await self._application(scope, receive, send)
        elif not await self._answer(key, scope, send):
            lock = self._making.setdefault(key, asyncio.Lock())
            async with lock:  # the same page is made once, however many wait for it
                if not await self._answer(key, scope, send):
                    await self._make(key, scope, receive, send)

    async def _answer(self, key: Key, scope: Scope, send: Send) -> bool:
        """Send the remembered answer, if it is known to be right now."""
        remembered, began = self._answers.get(key), self._monotonic()
        if remembered is None or not await self._stands(key, remembered):
            return False
        now, ready = self._clock(), self._monotonic()
        if now >= remembered.until or ready - remembered.made > OLDEST:
            self._forget(key)
            return False
        headers = remembered.given
        if self._mark is not None:
            headers = [*headers, self._mark(scope, remembered.status, ready - began)]
        await send({"type": "http.response.start", "status": remembered.status, "headers": headers})
        body = b"".join((remembered.before, _moment(now), remembered.after))
        await send({"type": "http.response.body", "body": body})
        return True

    async def _stands(self, key: Key, remembered: Remembered) -> bool:
        """Whether the answer is right now, after new figures have been put into it where only they changed."""
        try:
            snapshot = await self._freshness.snapshot()
            if snapshot == remembered.snapshot:
                return True
            fingerprint = await self._freshness.fingerprint(remembered.page)
        except Unknown:
            return False
        if fingerprint == remembered.fingerprint or await self._refill(remembered, fingerprint):
            remembered.snapshot = snapshot
            return True
        if self._answers.get(key) is remembered:
            self._forget(key)
        return False

    async def _refill(self, remembered: Remembered, fingerprint: Fingerprint) -> bool:
        if fingerprint.frame != remembered.fingerprint.frame or VERSION not in remembered.pieces:
            return False
        fresh = await self._boards.at_version(remembered.board, fingerprint.version)
        if fresh is None:
            return False
        parts = {name: html.encode() for name, html in fresh.parts.items()}
        if not remembered.fill({VERSION: _version(fresh.version), **parts}):
            return False
        remembered.fingerprint, remembered.until = fingerprint, min(remembered.until, fresh.board.changes_at)
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
        if shown is None or note.board is None or note.until is None:
            self._pages.pop(key, None)
            return
        _put(self._pages, key, shown, MOST_PAGES)
        headers, pieces = copy.headers(scope), cut(copy.body, note.tokens)
        if known and headers is not None and pieces and shown == page:
            made = self._monotonic()
            answer = Remembered(page, note.board, *known, copy.status, headers, pieces, note.until, made)
            if answer.fill(note.tokens):
                self._keep(key, answer)

    def _keep(self, key: Key, answer: Remembered) -> None:
        self._forget(key)
        self._answers[key] = answer
        self._bytes += answer.size
        while self._bytes > MOST_BYTES:
            self._forget(next(iter(self._answers)))

    def _forget(self, key: Key) -> None:
        gone = self._answers.pop(key, None)
        if gone is not None:
            self._bytes = sum(kept.size for kept in self._answers.values())


def cut(body: bytes, tokens: Mapping[str, bytes]) -> list[bytes | str]:
    """The body in pieces, with the tokens' names where they stand; empty unless each stands there exactly once."""
    if any(body.count(token) != 1 for token in tokens.values()):
        return []
    places = sorted((body.index(token), name) for name, token in tokens.items())
    pieces: list[bytes | str] = []
    end = 0
    for place, name in places:
        pieces += [body[end:place], name]
        end = place + len(tokens[name])
    return [*pieces, body[end:]]


class _Copy:
    """Passes an answer on to the server, and keeps it."""

    def __init__(self, send: Send) -> None:
        self._send = send
        self._headers: list[tuple[bytes, bytes]] = []
        self.status = 0
        self.body = b""

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status, self._headers = message["status"], list(message["headers"])
        elif message["type"] == "http.response.body":
            self.body += message.get("body", b"")
        await self._send(message)

    def headers(self, scope: Scope) -> list[tuple[bytes, bytes]] | None:
        """Those to be given again; None when the answer was for once: no page, or one that sets a cookie."""
        kept = [(name, value) for name, value in self._headers if not _is_same_cookie(name, value, scope)]
        names = {name.lower() for name, _ in kept}
        if self.status != 200 or names & {b"set-cookie", b"content-encoding"}:
            return None
        return [(name, value) for name, value in kept if name.lower() not in _OF_ONE_ANSWER]


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
    headers = tuple([p for p in scope["headers"] if p[0] not in _WITHOUT_MEANING and not p[0].startswith(b"sec-")])
    if b"cookie" not in [name for name, _ in headers]:
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
