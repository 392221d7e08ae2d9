"""Remembered answers: given again only to the same request, and only while nothing that they show has changed."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from dashboard.figures.board_key import BoardKey
from dashboard.live.fingerprint import CROWD, Fingerprint, FingerprintReader, PageOf, Unknown
from dashboard.live.page_cache import MOMENT, MOST_BYTES, NOTE, OLDEST, VERSION, PageCache, cut
from dashboard.render.formatting import utc
from tests.processes import until

DAY = date(2026, 11, 23)
NOON = datetime(2026, 11, 23, 11, 0, 0, 123456, tzinfo=UTC)
COOKIES = "sessionid=abc; csrftoken=xyz"


@dataclass
class Truth(FingerprintReader):
    """What PostgreSQL would say."""

    commits: int = 0
    content: int = 0
    figures: int = 0
    away: bool = False
    asked: list[PageOf] = field(default_factory=list)

    async def snapshot(self) -> str:
        if self.away:
            raise Unknown("away")
        return f"snapshot {self.commits}"

    async def fingerprint(self, page: PageOf) -> Fingerprint:
        self.asked.append(page)
        return Fingerprint(f"frame {self.content}", f"{self.figures}.0")


@dataclass
class Shown:
    """What the hub has rendered, as far as the front looks at it."""

    parts: dict[str, str]
    version: str
    changes_at: datetime

    @property
    def board(self) -> Shown:
        return self


@dataclass
class World:
    """A Django that makes pages and counts them, with the front before it and clocks that stand still."""

    truth: Truth = field(default_factory=Truth)
    now: datetime = NOON
    seconds: float = 0.0
    made: int = 0
    until: datetime = NOON + timedelta(hours=1)
    status: int = 200
    headers: list[tuple[bytes, bytes]] = field(default_factory=list)
    padding: int = 0
    notes: bool = True
    parts: tuple[str, ...] = ("summary", "row")
    rendered: int = 0
    readable: bool = True
    starts: list[dict[str, Any]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.front = PageCache(self.django, self.truth, self, monotonic=lambda: self.seconds, clock=lambda: self.now)  # type: ignore[arg-type]

    async def at_version(self, key: BoardKey, version: str) -> Shown | None:
        """The hub."""
        self.rendered += 1
        shown = Shown({name: f"<{name} {version}>" for name in self.parts}, f"{version}-hub", self.until)
        return shown if self.readable else None

    async def django(self, scope: Any, receive: Any, send: Any) -> None:
        self.made += 1
        if self.notes and NOTE in scope:
            note = scope[NOTE]
            note.board, note.until = BoardKey(1, 1, DAY, "en"), self.until
            note.tokens = {MOMENT: f'data-now="{utc(self.now)}"'.encode(), VERSION: b'data-version="0"'}
            note.tokens |= {"summary": b"<summary 0>", "row": b"<row 0>"}
        main = f'<main data-version="0" data-now="{utc(self.now)}"><summary 0><row 0>'
        body = f"{main}{self.made}{'x' * self.padding}".encode()
        headers = [(b"Content-Length", str(len(body)).encode()), *self.headers]
        await send({"type": "http.response.start", "status": self.status, "headers": headers})
        await send({"type": "http.response.body", "body": body})

    async def ask(self, path: str = "/", cookies: str = COOKIES, method: str = "GET", **headers: str) -> bytes:
        """The answer's body, checked against its length."""
        given = {"cookie": cookies, **{name.replace("_", "-"): value for name, value in headers.items()}}
        scope = {
            "type": "http", "method": method, "path": path, "query_string": b"", "scheme": "http",
            "client": ("127.0.0.1", 1), "headers": [(n.encode(), v.encode()) for n, v in given.items() if v],
        }  # fmt: skip
        sent: list[Any] = []

        async def send(message: Any) -> None:
            sent.append(message)

        await self.front(scope, None, send)  # type: ignore[arg-type]
        start, body = sent
        self.starts.append(start)
        assert int(dict(start["headers"])[b"Content-Length"]) == len(body["body"])
        return bytes(body["body"])

    async def remember(self, **asked: str) -> None:
        """The first time tells which board it is, the second is remembered."""
        await self.ask(**asked)
        await self.ask(**asked)


@pytest.fixture
def world() -> Iterator[World]:
    yield World()


async def test_the_third_request_is_answered_without_django_and_with_the_present_moment(world: World) -> None:
    await world.remember()
    world.now += timedelta(seconds=3)
    body = await world.ask(user_agent="another", referer="elsewhere")
    assert world.made == 2
    assert body == f'<main data-version="0" data-now="{utc(world.now)}"><summary 0><row 0>2'.encode()


async def test_each_answer_bears_its_own_requests_id_and_is_counted(world: World) -> None:
    counted = []

    def mark(scope: Any, status: int, seconds: float) -> tuple[bytes, bytes]:
        counted.append((status, seconds))
        return b"x-request-id", dict(scope["headers"])[b"x-request-id"]

    world.headers = [(b"x-request-id", b"of the request that Django answered")]
    world.front = PageCache(world.django, world.truth, world, lambda: world.seconds, lambda: world.now, mark)  # type: ignore[arg-type]
    for number in range(4):
        await world.ask(x_request_id=f"request {number}")
    assert world.made == 2
    ids = [[value for name, value in start["headers"] if name == b"x-request-id"] for start in world.starts[2:]]
    assert ids == [[b"request 2"], [b"request 3"]]
    assert counted == [(200, 0.0)] * 2


class Slow(FingerprintReader):
    """PostgreSQL answers when it is told to; asked so often."""

    def __init__(self) -> None:
        super().__init__()
        self.asked, self.go = 0, asyncio.Event()

    async def _ask(self, question: str, parameters: dict[str, Any] | None = None) -> tuple[Any, ...]:
        self.asked += 1
        asked = self.asked
        await self.go.wait()
        return (asked,)


async def test_a_question_under_way_is_too_old_and_who_goes_away_takes_nobody_along() -> None:
    reader = Slow()
    first = asyncio.ensure_future(reader.snapshot())
    await until(lambda: reader.asked == 1)
    crowd = [asyncio.ensure_future(reader.snapshot()) for _ in range(CROWD + 1)]
    await asyncio.sleep(0)
    crowd[0].cancel()
    reader.go.set()
    assert await first == "1"
    assert await asyncio.gather(*crowd[1:]) == ["2"] * CROWD
    assert await reader.snapshot() == "3"
    assert crowd[0].cancelled()


async def test_a_whole_second_has_as_many_digits(world: World) -> None:
    await world.remember()
    world.now = NOON.replace(microsecond=0)
    assert b'data-now="2026-11-23T11:00:00.000000Z"' in await world.ask()


@pytest.mark.parametrize(
    "other",
    [
        {"cookies": "sessionid=abd; csrftoken=xyz"},
        {"cookies": "sessionid=abc; csrftoken=xyz; language=de"},
        {"cookies": ""},
        {"path": "/boards/trader_1/2026-11-23/"},
        {"method": "HEAD"},
        {"method": "POST"},
        {"accept_language": "de"},
        {"host": "other"},
        {"x_forwarded_for": "10.0.0.1"},
        {"anything_new": "1"},
    ],
)
async def test_another_request_is_djangos(world: World, other: dict[str, str]) -> None:
    await world.remember()
    await world.ask(**other)
    assert world.made == 3


async def test_a_commit_elsewhere_costs_a_question_and_a_change_here_a_new_page(world: World) -> None:
    await world.remember()
    world.truth.commits += 1
    world.truth.asked.clear()
    await world.ask()
    await world.ask()
    assert (world.made, len(world.truth.asked)) == (2, 1)
    world.truth.commits, world.truth.content = 9, 1
    assert (await world.ask()).endswith(b"3")
    assert (await world.ask()).endswith(b"3")


async def test_new_figures_are_put_into_the_page_without_django(world: World) -> None:
    await world.remember()
    world.truth.commits, world.truth.figures = 1, 7
    body = await world.ask()
    assert body == f'<main data-version="7.0-hub" data-now="{utc(world.now)}"><summary 7.0><row 7.0>2'.encode()
    assert await world.ask() == body
    assert (world.made, world.rendered) == (2, 1)


@pytest.mark.parametrize(
    "change", [{"readable": False}, {"parts": ("summary",)}, {"parts": ("summary", "row", "another row")}]
)
async def test_figures_that_do_not_fit_are_djangos(world: World, change: dict[str, Any]) -> None:
    """The hub can't read them, or a row has come or gone."""
    await world.remember()
    world.truth.commits, world.truth.figures = 1, 7
    for name, value in change.items():
        setattr(world, name, value)
    assert (await world.ask()).endswith(b"3")


def test_a_page_is_cut_only_where_it_is_clear() -> None:
    assert cut(b"a<x>b<y>c", {"one": b"<y>", "two": b"<x>"}) == [b"a", "two", b"b", "one", b"c"]
    assert cut(b"a<x>b<x>c", {"one": b"<x>"}) == []
    assert cut(b"abc", {"one": b"<x>"}) == []


async def test_what_changes_while_django_works_is_not_missed(world: World) -> None:
    """The page may be older than the change: what was known before it was made no longer holds."""
    await world.ask()
    makes = world.django

    async def slow(scope: Any, receive: Any, send: Any) -> None:
        world.truth.commits, world.truth.content = world.truth.commits + 1, world.truth.content + 1
        await makes(scope, receive, send)

    world.front._application = slow
    await world.ask()
    world.front._application = makes
    await world.ask()
    assert world.made == 3


async def test_nothing_is_remembered_beyond_its_end(world: World) -> None:
    world.until = NOON + timedelta(seconds=2)
    await world.remember()
    world.now = world.until
    await world.ask()
    assert world.made == 3


async def test_nothing_grows_old(world: World) -> None:
    await world.remember()
    world.seconds = OLDEST + 0.1
    await world.ask()
    assert world.made == 3


@pytest.mark.parametrize(
    ("header", "made"),
    [
        ((b"Set-Cookie", b"sessionid=new; Path=/"), 3),
        ((b"Set-Cookie", b"csrftoken=other; Path=/"), 3),
        ((b"Set-Cookie", b"csrftoken=xyz; Path=/"), 2),  # what the browser has anyway
    ],
)
async def test_an_answer_that_sets_a_cookie_is_for_once(world: World, header: tuple[bytes, bytes], made: int) -> None:
    world.headers = [header]
    await world.remember()
    await world.ask()
    assert world.made == made


@pytest.mark.parametrize("change", [{"status": 404}, {"status": 302}, {"notes": False}])
async def test_only_whole_boards_are_remembered(change: dict[str, Any]) -> None:
    world = World(**change)
    await world.remember()
    await world.ask()
    assert world.made == 3


async def test_without_postgresql_django_answers(world: World) -> None:
    await world.remember()
    world.truth.away = True
    await world.ask()
    assert world.made == 3


async def test_many_at_once_make_one_page(world: World) -> None:
    await world.remember()
    world.truth.commits, world.truth.content = 1, 1
    bodies = await asyncio.gather(*(world.ask() for _ in range(20)))
    assert world.made == 3
    assert len(set(bodies)) == 1


async def test_memory_is_bounded(world: World) -> None:
    world.padding = MOST_BYTES // 16
    for number in range(12):
        await world.remember(cookies=f"sessionid={number}")
    assert world.front._bytes <= MOST_BYTES
    assert len(world.front._answers) == 7
