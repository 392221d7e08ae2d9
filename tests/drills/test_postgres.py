"""PostgreSQL stopped, killed, frozen, locked and full of connections: frames wait in the journal, none is lost."""

from __future__ import annotations

import random
import time
from contextlib import ExitStack
from functools import partial

import psycopg
import pytest

from tests.drills.rig.desk import Desk
from tests.drills.rig.servers import frozen
from tests.processes import wait_until

_long = partial(pytest.param, marks=pytest.mark.long)
pytestmark = [pytest.mark.integration, pytest.mark.drill, pytest.mark.timeout(300)]


@pytest.mark.parametrize("seconds", [3, _long(20), _long(60)])
def test_stopped(desk: Desk, seconds: int) -> None:
    desk.row.done = f"PostgreSQL stopped for {seconds} s"
    desk.listener()
    desk.feed.push(50 * (seconds + 1))
    wait_until(lambda: len(desk.feed.sent) > 20, "the first trades")
    desk.postgres.stop()
    time.sleep(seconds)
    desk.postgres.start()
    _caught_up(desk)


def _caught_up(desk: Desk) -> None:
    """Everything is pushed and stored; how long that took after the last frame."""
    desk.feed.wait()
    began = time.monotonic()
    desk.wait_stored(desk.feed.ids())
    desk.row.note(worst=time.monotonic() - began, of="to catch up")
    desk.verify()
    assert desk.row.lost == 0


@pytest.mark.parametrize("kills", [1, _long(5)])
def test_killed_in_mid_commit(desk: Desk, dice: random.Random, kills: int) -> None:
    """A commit whose end nobody heard of is tried again, and counted once."""
    desk.row.done = f"PostgreSQL's main process killed {kills} times while it commits, 200 trades/s"
    desk.listener()
    desk.feed.push(kills * 600, rate=200)
    for number in range(kills):
        wait_until(lambda due=100 + number * 600: len(desk.feed.sent) > due, "the next kill")
        time.sleep(dice.random() / 10)
        desk.postgres.kill()
        acknowledged = len(desk.journalled())
        desk.postgres.start()
        assert acknowledged > 0
    _caught_up(desk)


@pytest.mark.parametrize("seconds", [3, _long(15), _long(30)])
def test_frozen(desk: Desk, seconds: int) -> None:
    """The reader goes on draining the socket into the journal."""
    desk.row.done = f"PostgreSQL frozen (SIGSTOP) for {seconds} s"
    desk.listener()
    desk.feed.push(50 * (seconds + 1))
    wait_until(lambda: len(desk.feed.sent) > 20, "the first trades")
    with frozen(desk.postgres):
        time.sleep(seconds)
        sent = len(desk.feed.sent)
        wait_until(lambda: len(desk.journalled()) >= sent, "the journal to have what was sent", 5)
    _caught_up(desk)


def test_connections_exhausted(desk: Desk) -> None:
    desk.row.done = "all of PostgreSQL's connections taken for 3 s, the listener's own cut"
    listener = desk.listener()
    desk.feed.push(250)
    wait_until(lambda: len(desk.feed.sent) > 20, "the first trades")
    with ExitStack() as stack:
        mine = [stack.enter_context(psycopg.connect(desk.url, autocommit=True))]
        wait_until(lambda: _take_another(desk, stack, mine) and _cut_others(mine) == 0, "the last connection")
        listener.wait_said("storing_waits")
        time.sleep(3)
    _caught_up(desk)


def _take_another(desk: Desk, stack: ExitStack, mine: list[psycopg.Connection[tuple[object, ...]]]) -> bool:
    """Take connections until there is none left."""
    while True:
        try:
            mine.append(stack.enter_context(psycopg.connect(desk.url, autocommit=True)))
        except psycopg.OperationalError:
            return True


def _cut_others(mine: list[psycopg.Connection[tuple[object, ...]]]) -> int:
    own = [c.info.backend_pid for c in mine]
    others = "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE backend_type = 'client backend'"
    found = mine[0].execute(f"{others} AND NOT pid = ANY(%s)", [own]).fetchone()
    assert found is not None
    return int(str(found[0]))


@pytest.mark.parametrize("seconds", [3, _long(10), _long(30)])
def test_table_locked(desk: Desk, seconds: int) -> None:
    desk.row.done = f"trades_trade locked (ACCESS EXCLUSIVE) for {seconds} s"
    desk.listener()
    desk.feed.push(50 * (seconds + 1))
    wait_until(lambda: len(desk.feed.sent) > 20, "the first trades")
    with psycopg.connect(desk.url) as other, other.transaction():
        other.execute("LOCK TABLE trades_trade IN ACCESS EXCLUSIVE MODE")
        time.sleep(seconds)
    _caught_up(desk)


@pytest.mark.long
def test_backends_cut_again_and_again(desk: Desk) -> None:
    """Every connection ended by the server each 200 ms, wherever its transaction is."""
    desk.row.done = "the listeners' database connections cut 40 times"
    desk.listener("l1")
    desk.listener("l2")
    desk.feed.push(600, rate=60)
    with psycopg.connect(desk.servers.url("postgres"), autocommit=True) as admin:
        for _ in range(40):
            time.sleep(0.2)
            _cut_others([admin])
    _caught_up(desk)
