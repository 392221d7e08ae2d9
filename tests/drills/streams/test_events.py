"""Programs follow the events while everything breaks: nothing is missed, and nothing comes twice.

Writers commit in another order than they begin in, some take back what they wrote; programs lose their connection, one
for a long while; web processes, the listener, the worker, Redis and PostgreSQL are killed and come back.
"""

from __future__ import annotations

import random
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, suppress
from functools import partial
from pathlib import Path

import psycopg
import pytest

from accounts.tokens import create_token
from market import clock
from tests.dashboard.people import a_head, a_trader
from tests.drills.rig.desk import Desk, using
from tests.drills.rig.parts import Part, part_of
from tests.processes import wait_until
from tests.web.streams import Follower
from trades.models import Market, Trade, Trader

pytestmark = [pytest.mark.integration, pytest.mark.drill, pytest.mark.timeout(1500)]

TRADE = """INSERT INTO trades_trade (market_id, source, exchange_id, trader_id, direction, price, quantity,
        delivery_day, delivery_hour, delivery_start, delivery_end, execution_time, received_at, source_position, flags,
        stored_at)
    SELECT %s, 'drill', 'w-' || n, %s, 'buy', 20.5, 10, '2026-11-23', '12-13', '2026-11-23 11:00Z',
        '2026-11-23 12:00Z', now(), now(), n, '{}', now() FROM generate_series(%s::bigint, %s::bigint) AS n"""


class Writers:
    """Threads that store trades in transactions of their own: begun in order, committed in none."""

    def __init__(self, desk: Desk, wanted: int, seed: str) -> None:
        self._desk, self._wanted, self._seed = desk, wanted, seed
        self._next = 1
        self._lock = threading.Lock()
        with using(desk.url):
            self._market = Market.objects.get(code="DE").pk
            self._traders = list(Trader.objects.values_list("pk", flat=True))
        self._threads = [threading.Thread(target=self._write, args=(number,), daemon=True) for number in range(6)]
        for thread in self._threads:
            thread.start()

    def _take(self, count: int) -> tuple[int, int] | None:
        with self._lock:
            if self._next > self._wanted:
                return None
            first, self._next = self._next, self._next + count
            return first, min(self._next - 1, self._wanted)

    def _write(self, number: int) -> None:
        dice = random.Random(f"{self._seed} {number}")
        while (numbers := self._take(dice.randint(1, 25))) is not None:
            while not self._stored(numbers, dice):
                time.sleep(0.05)

    def _stored(self, numbers: tuple[int, int], dice: random.Random) -> bool:
        """Whether it is committed; one in twenty is taken back and tried again, and so is what a kill has ended."""
        trader = self._traders[numbers[0] % len(self._traders)]
        with suppress(psycopg.Error), psycopg.connect(self._desk.url, connect_timeout=5) as own:
            there = own.execute("SELECT 1 FROM trades_trade WHERE exchange_id = %s", [f"w-{numbers[0]}"]).fetchone()
            if there is None:
                own.execute(TRADE, [self._market, trader, *numbers])
                time.sleep(dice.choice((0, 0, 0.005, 0.05, 0.2)))
                if dice.random() < 0.05:
                    own.rollback()
                    return False
            return True  # and commits
        return False

    @property
    def running(self) -> bool:
        return any(thread.is_alive() for thread in self._threads)


def harms(desk: Desk, webs: list[Part], restart: Callable[[str], None]) -> Iterator[str]:
    """One process after the other is killed and started again a moment later, for ever."""
    while True:
        for web in webs:
            web.end()
            time.sleep(0.2)
            web.start()
            yield "web"
        desk.redis.kill()
        time.sleep(0.2)
        desk.redis.start()
        yield "Redis"
        restart("worker")
        yield "worker"
        restart("listener")
        yield "listener"
        desk.postgres.kill()
        time.sleep(0.2)
        desk.postgres.start()
        yield "PostgreSQL"


SMALL = pytest.param(1_500, 12, 3, id="small")
LARGE = pytest.param(50_000, 200, 60, id="large", marks=pytest.mark.long)


@pytest.mark.parametrize(("trades", "breaks", "longest"), [SMALL, LARGE])
def test_nothing_is_missed_and_nothing_comes_twice(
    desk: Desk, dice: random.Random, tmp_path: Path, trades: int, breaks: int, longest: int
) -> None:
    desk.row.done = f"{trades} trades, {breaks} broken streams, one for {longest} s, every process killed"
    with using(desk.url):
        anna, head = a_trader("trader_1", "anna"), a_head()
        a_trader("trader_2", "ben")
        tokens = [create_token(user=user, name="drill", now=clock.now()) for user in (head, head, head, anna)]
        own = Trader.objects.get(trader_id="trader_1").pk
    with ExitStack() as stack:
        webs = [part_of(desk, tmp_path / f"web-{number}.log", "web") for number in range(2)]
        for web in webs:
            stack.callback(web.end)
            web.start()
        worker = part_of(desk, tmp_path / "worker.log", "worker")
        stack.callback(worker.end)
        worker.start()
        listener = desk.listener()
        followers = [Follower(lambda: dice.choice(webs).address, token, 0) for token in tokens]
        for follower in followers:
            stack.callback(follower.end)
        wait_until(lambda: all(follower.opened for follower in followers), "the streams")

        def restart(what: str) -> None:
            again = partial(listener.start, connected=False)
            kill, start = (worker.end, worker.start) if what == "worker" else (listener.kill, again)
            kill()
            start()

        desk.feed.push(trades // 10)
        writers = Writers(desk, trades - trades // 10, str(dice.random()))
        _break(followers, writers, harms(desk, webs, restart), breaks=breaks, longest=longest, dice=dice)
        desk.feed.wait()
        wait_until(lambda: not writers.running, "the writers", 600)
        with using(desk.url):
            wait_until(lambda: desk.counts()["received"] >= len(desk.journalled()), "what is on disk", 120)
            stored = dict(Trade.objects.values_list("exchange_id", "trader_id"))
        _check(followers, stored, own)
        desk.row.sent, desk.row.stored = trades, len(stored)
        desk.row.done += f"; streams opened {sum(f.opened for f in followers)} times"


def _break(
    followers: list[Follower],
    writers: Writers,
    harm: Iterator[str],
    *,
    breaks: int,
    longest: float,
    dice: random.Random,
) -> None:
    """Break streams and processes, each process about the same number of times; the first stream for long."""
    every = max(1, breaks // 36)
    followers[0].rest(longest)
    for number in range(1, breaks):
        time.sleep(dice.uniform(0.05, 0.5))
        followers[number % len(followers)].rest(dice.choice((0, 0, 0.2, 1)))
        if number % every == 0:
            next(harm)


def _check(followers: list[Follower], stored: dict[str, int], own: int) -> None:
    """Everybody was told of every trade that is theirs, once, in the order of the numbers."""
    mine = {name for name, trader in stored.items() if trader == own}
    for follower, wanted in zip(followers, [set(stored)] * 3 + [mine], strict=True):
        wait_until(
            lambda f=follower, w=wanted: {e.data["exchange_id"] for e in f.of("trade")} >= w,  # type: ignore[misc]
            "every trade",
            120,
            lambda f=follower, w=wanted: f": {len(f.of('trade'))} of {len(w)}, {f.statuses[-5:]}",  # type: ignore[misc]
        )
        numbers = [event.number for event in follower.told if event.number]
        assert numbers == sorted(set(numbers)), "in order, none twice"
        told = Counter(event.data["exchange_id"] for event in follower.of("trade"))
        assert set(told) == wanted
        assert set(told.values()) == {1}
