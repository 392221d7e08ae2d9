"""The stream of events from a real web process: who gets what, how soon, where it goes on, and how it ends."""

from __future__ import annotations

import json
import re
import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

import psutil
import pytest
import requests
from django.contrib.auth.models import User
from django.db import connection

from accounts.models import ApiToken
from accounts.tokens import create_token, revoke_token
from dashboard.events.models import Event, EventCount
from dashboard.events.store import number_events
from market import clock
from tests.dashboard.boards import store_price
from tests.dashboard.people import a_head, a_trader
from tests.processes import wait_until
from tests.trades.frames import confirmation, germany, store
from tests.web.serving import web_process
from tests.web.streams import PATH, Follower

pytestmark = [pytest.mark.integration, pytest.mark.django_db(transaction=True), pytest.mark.timeout(180)]


@pytest.fixture(scope="module")
def web(django_db_setup: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """One web process for all tests of this file; its address."""
    with web_process(tmp_path_factory.mktemp("web") / "web.log", API_REQUESTS_PER_MINUTE="100000") as address:
        yield address


def a_token(user: User) -> str:
    germany()
    return create_token(user=user, name="follower", now=clock.now())


@contextmanager
def following(web: str, token: str, after: int | None = None) -> Iterator[Follower]:
    follower = Follower(lambda: web, token, after)
    try:
        wait_until(lambda: follower.statuses, "an answer")
        if follower.statuses[0] == 200:
            wait_until(lambda: follower.opened, "a stream")
        yield follower
    finally:
        follower.end()


def ask(web: str, token: str, **more: Any) -> requests.Response:
    headers = {"Authorization": f"Bearer {token}", **more.pop("headers", {})}
    return requests.get(web + PATH, headers=headers, stream=True, timeout=10, **more)


# --- what comes, and to whom ------------------------------------------------------------------------------------------
def test_everybody_gets_what_is_theirs_at_once(web: str) -> None:
    anna, head = a_token(a_trader()), a_token(a_head())
    with following(web, anna) as mine, following(web, head) as all_of_it:
        store(confirmation(1), confirmation(2, trader_id="trader_2"))
        began = time.monotonic()
        store_price("12-13", "20")
        wait_until(lambda: len(all_of_it.told) == 5 and len(mine.told) == 3, "the events")
        assert [e.data["exchange_id"] for e in mine.of("trade")] == ["1"]
        assert [e.data["exchange_id"] for e in all_of_it.of("trade")] == ["1", "2"]
        assert {e.data["trader_id"] for e in mine.of("board")} == {"trader_1"}
        assert mine.of("price")[0].data["value"] == "20"
        assert max(e.at for e in all_of_it.told) - began < 2


def test_it_goes_on_where_it_ended(web: str) -> None:
    token = a_token(a_head())
    store(*[confirmation(n) for n in range(30)])
    number_events()
    with following(web, token) as from_now, following(web, token, 0) as all_of_it:
        wait_until(lambda: len(all_of_it.of("trade")) == 30, "everything kept")
        assert from_now.told == []
        numbers = [event.number for event in all_of_it.told]
        assert numbers == sorted(set(numbers))
    middle = numbers[10]
    with ask(web, token, params={"after": middle}) as answer:
        assert answer.headers["Content-Type"] == "text/event-stream"
        assert answer.headers["Cache-Control"] == "no-store"
        first = next(line for line in answer.iter_lines() if line.startswith(b"id"))
        assert first == f"id: {numbers[11]}".encode()
    with ask(web, token, params={"after": 0}, headers={"Last-Event-ID": str(numbers[-2])}) as answer:
        first = next(line for line in answer.iter_lines() if line.startswith(b"id"))
        assert first == f"id: {numbers[-1]}".encode(), "the header is newer than the address"


def test_what_is_refused(web: str) -> None:
    token, nobody = a_token(a_trader()), a_token(User.objects.create_user("nobody"))
    assert ask(web, "wrong").status_code == 401
    assert requests.get(web + PATH, timeout=5).status_code == 401
    assert requests.post(web + PATH, headers={"Authorization": f"Bearer {token}"}, timeout=5).status_code == 403
    assert ask(web, nobody).status_code == 404
    for query in ({"after": "x"}, {"after": "-1"}, {"befor": "1"}):
        answer = ask(web, token, params=query)
        assert (answer.status_code, answer.json()["field"]) == (400, next(iter(query)))
    EventCount.objects.create(newest=9, forgotten=5)
    for gone in ("3", "10"):
        answer = ask(web, token, params={"after": gone})
        assert answer.status_code == 410
        assert "after=0" in answer.json()["error"]
        assert (answer.json()["oldest"], answer.json()["newest"]) == (6, 9)


# --- how it ends ------------------------------------------------------------------------------------------------------
def test_a_revoked_token_ends_its_stream_with_a_word(web: str) -> None:
    anna = a_trader()
    with following(web, a_token(anna)) as follower, following(web, a_token(a_head())) as other:
        store(confirmation(9, trader_id="trader_2"))
        wait_until(lambda: other.of("trade"), "a process that hears news")
        began = time.monotonic()
        revoke_token(user=anna, pk=ApiToken.objects.get(user=anna).pk, now=clock.now())
        wait_until(lambda: follower.of("end"), "the last word")
        assert time.monotonic() - began < 4.5, "by the news of it, not by the look every five seconds"
        assert "holds no longer" in follower.of("end")[0].data["error"]
        store(confirmation(1))
        wait_until(lambda: 401 in follower.statuses, "the refusal")
        assert follower.of("trade") == []


def test_a_role_that_is_lost_is_lost_at_once(web: str) -> None:
    head = a_head()
    with following(web, a_token(head)) as follower:
        head.groups.clear()
        wait_until(lambda: follower.of("end"), "the last word")


def test_who_takes_nothing_is_cut_with_a_word_and_the_others_go_on(web: str) -> None:
    token = a_token(a_head())
    host, port = re.fullmatch(r"http://(.+):(\d+)", web).groups()  # type: ignore[union-attr]
    with ExitStack() as stack:
        good = stack.enter_context(following(web, token))
        slow = stack.enter_context(socket.socket())
        slow.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        slow.connect((host, int(port)))
        slow.sendall(f"GET {PATH} HTTP/1.0\r\nHost: {host}\r\nAuthorization: Bearer {token}\r\n\r\n".encode())
        assert b"200 OK" in slow.recv(400)
        padding = "x" * 4000
        for round_ in range(40):
            Event.objects.bulk_create(
                Event(kind="price", data=json.dumps({"n": round_ * 50 + n, "x": padding})) for n in range(50)
            )
            wait_until(lambda count=(round_ + 1) * 50: len(good.told) == count, "the good reader")
        taken = _all_of(slow)
        assert b"event: end\ndata: " in taken
        word = json.loads(taken.rpartition(b"data: ")[2].partition(b"\n")[0])
        assert "too slowly" in word["error"]
        last = int(taken.rpartition(b"id: ")[2].partition(b"\n")[0])
        assert word["after"] == last < good.told[-1].number


def _all_of(slow: socket.socket) -> bytes:
    """Everything until the connection ends."""
    slow.settimeout(20)
    pieces = []
    while piece := slow.recv(65536):
        pieces.append(piece)
    return b"".join(pieces)


# --- what it costs ----------------------------------------------------------------------------------------------------
def test_idle_streams_hold_no_connection_of_the_pool(web: str) -> None:
    token = a_token(a_head())
    with ExitStack() as stack:
        followers = [stack.enter_context(following(web, token)) for _ in range(40)]
        store(confirmation(1))
        wait_until(lambda: all(len(f.told) == 2 for f in followers), "all of them")
        assert requests.get(f"{web}/readyz", timeout=5).ok


def test_a_hundred_cost_little_more_than_one(web: str) -> None:
    """Processor time of the web process and PostgreSQL; the bound leaves room for a busy machine."""
    token = a_token(a_head())
    costs = {count: _cost(web, token, count) for count in (1, 100)}
    print(f"Processor seconds of web process and PostgreSQL for 1,200 trades, by subscribers: {costs}")
    assert costs[100] < 2 * costs[1] + 0.2


def _cost(web: str, token: str, count: int) -> float:
    """Seconds while 1,200 trades are stored, ten at a time."""
    with ExitStack() as stack:
        followers = [stack.enter_context(following(web, token)) for _ in range(count)]
        processes = list(_processes(int(web.rpartition(":")[2])))
        before = _seconds(processes)
        for batch in range(120):
            numbers = range(batch * 10, batch * 10 + 10)
            store(*[confirmation(f"{count}-{n}") for n in numbers], journal=f"cost-{count}-{batch}")
        wait_until(lambda: all(len(f.of("trade")) == 1200 for f in followers), "all trades at all")
        return _seconds(processes) - before


def _processes(port: int) -> Iterator[psutil.Process]:
    database = str(connection.settings_dict["NAME"])
    for process in psutil.process_iter():
        try:
            words = " ".join(process.cmdline())
        except psutil.Error:
            continue
        if ("daphne" in words and f"-p {port}" in words) or (words.startswith("postgres:") and database in words):
            yield process


def _seconds(processes: list[psutil.Process]) -> float:
    return sum(
        times.user + times.system for times in (process.cpu_times() for process in processes if process.is_running())
    )
