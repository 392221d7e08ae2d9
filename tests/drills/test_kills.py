"""Listeners killed, ended, frozen and made to fail at every named point of a frame's way."""

from __future__ import annotations

import random
import time

import pytest

from local.checks.testbed import ROOT
from local.simulators.fault_proxy import Mode, Proxy
from tests.drills.faults.failpoints import NAMES
from tests.drills.rig.desk import Desk
from tests.drills.rig.feed import trade
from tests.drills.rig.listeners import FAULTS
from tests.processes import wait_until

pytestmark = [pytest.mark.integration, pytest.mark.drill, pytest.mark.timeout(240)]


@pytest.mark.parametrize(("kills", "trades"), [(3, 250), pytest.param(20, 2000, marks=pytest.mark.long)])
def test_kill_9_of_one_of_two(desk: Desk, dice: random.Random, kills: int, trades: int) -> None:
    """The other one hears what the killed one misses: nothing is lost."""
    desk.row.done = f"kill -9 of one of two listeners {kills} times"
    pair = [desk.listener("l1"), desk.listener("l2")]
    ready = []
    desk.feed.push(trades)
    for number in range(kills):
        wait_until(lambda due=(number + 1) * trades // (kills + 1): len(desk.feed.sent) >= due, "the next kill")
        time.sleep(dice.random() / 20)  # anywhere in a frame's way
        victim = pair[number % 2]
        victim.kill()
        began = time.monotonic()
        victim.start()
        ready.append(time.monotonic() - began)
    desk.feed.wait()
    desk.wait_stored(desk.feed.ids())
    desk.row.note(worst=max(ready), of="until connected again")
    desk.verify()
    assert desk.row.lost == 0


@pytest.mark.parametrize(("kills", "trades"), [(3, 250), pytest.param(20, 2000, marks=pytest.mark.long)])
def test_kill_9_of_the_only_one(desk: Desk, dice: random.Random, kills: int, trades: int) -> None:
    """What is pushed while nobody listens is lost, no more; a gap tells of every lost trade."""
    desk.row.done = f"kill -9 of a lone listener {kills} times"
    listener = desk.listener()
    ready = []
    desk.feed.push(trades)
    for number in range(kills):
        wait_until(lambda due=(number + 1) * trades // (kills + 1): len(desk.feed.sent) >= due, "the next kill")
        time.sleep(dice.random() / 20)
        listener.kill()
        began = time.monotonic()
        listener.start()
        ready.append(time.monotonic() - began)
    desk.feed.wait()
    desk.feed.push(20)
    desk.feed.wait()
    desk.wait_stored({desk.feed.sent[-1].exchange_id})
    desk.row.note(worst=max(ready), of="until connected again")
    desk.verify(nothing_lost=False)
    unheard = len(desk.feed.sent) - len(desk.feed.ids(heard=True))
    assert desk.row.lost <= unheard + kills * 10, "more than what was on its way at each kill"
    assert len(desk.gaps()) >= 1


_ACTIONS = ("kill", "term", "raise", "full")
_BY_FRAME = ("after_receive", "before_journal", "after_journal")
_FAST = ("after_journal-kill", "before_commit-kill", "before_insert-raise", "before_journal-raise")
_POINTS = [
    pytest.param(name, action, marks=() if f"{name}-{action}" in _FAST else (pytest.mark.long,), id=f"{name}-{action}")
    for name in NAMES
    for action in _ACTIONS
]


@pytest.mark.parametrize(("name", "action"), _POINTS)
def test_failing_at_a_named_point(desk: Desk, name: str, action: str) -> None:
    """All that was journalled is stored, nothing twice; who fails goes on or ends, and never only looks alive."""
    desk.row.done = f"a lone listener fails at {name} ({action}); the exchange goes on"
    reached = 20 if name in _BY_FRAME else 5  # a busy machine stores many frames at once
    listener = desk.listener(PYTHONPATH=f"{FAULTS}:{ROOT}", DESK_FAILPOINT=f"{name}:{action}:{reached}")
    desk.feed.push(150, rate=100)
    ends = action in {"kill", "term"} or (name == "after_receive" and action in {"raise", "full"})
    if ends:
        code = listener.wait_end()
        assert (code == 0) == (action == "term"), listener.output()
        listener.start()
    desk.feed.wait()
    resumed = len(desk.feed.sent)
    desk.feed.push(30, rate=100)
    desk.feed.wait()
    desk.wait_stored({s.exchange_id for s in desk.feed.sent[resumed:]})
    desk.verify(nothing_lost=not ends)
    if not ends:
        assert desk.row.lost == 0


def test_a_rolling_restart_of_two(desk: Desk) -> None:
    """SIGTERM one, start it again, then the other: each ends with 0 within ten seconds, nothing is lost."""
    desk.row.done = "SIGTERM and start again, one after the other"
    pair = [desk.listener("l1"), desk.listener("l2")]
    desk.feed.push(3000)  # all the while: a silent line is known to live only up to its last ping's answer
    ends = []
    for listener in pair:
        sent = len(desk.feed.sent)
        wait_until(lambda sent=sent: len(desk.feed.sent) > sent + 5, "trades that both hear")  # type: ignore[misc]
        began = time.monotonic()
        assert listener.terminate(10) == 0
        ends.append(time.monotonic() - began)
        listener.start()
    desk.feed.stop()
    desk.wait_stored(desk.feed.ids())
    desk.row.note(worst=max(ends), of="to end")
    desk.verify()
    assert desk.row.lost == 0
    assert desk.gaps() == []


@pytest.mark.parametrize("seconds", [3, pytest.param(20, marks=pytest.mark.long)])
def test_a_frozen_listener_thaws_after_its_peer_took_over(desk: Desk, seconds: int) -> None:
    """Nothing is doubled when it goes on where it stopped."""
    desk.row.done = f"SIGSTOP of one of two for {seconds} s"
    first = desk.listener("l1")
    desk.listener("l2")
    desk.feed.push(50 * (seconds + 2))
    wait_until(lambda: len(desk.feed.sent) > 50, "the first trades")
    first.freeze()
    desk.wait_stored({s.exchange_id for s in desk.feed.sent})
    time.sleep(seconds)
    first.thaw()
    desk.feed.wait()
    desk.wait_stored(desk.feed.ids())
    desk.verify()
    assert desk.row.lost == 0


def test_a_listener_frozen_in_its_transaction_holds_nobody_up(desk: Desk) -> None:
    """Its rows are not committed and the other one's are the same: PostgreSQL ends the frozen one's transaction."""
    desk.row.done = "SIGSTOP of one of two between INSERT and COMMIT"
    first = desk.listener("l1", PYTHONPATH=f"{FAULTS}:{ROOT}", DESK_FAILPOINT="after_insert:stop")
    desk.feed.push(1)
    wait_until(lambda: first.frozen, "the first to be frozen")
    desk.listener("l2")
    desk.exchange.send(trade(0))
    desk.feed.push(49)
    desk.feed.wait()
    desk.wait_stored(desk.feed.ids())
    desk.row.note(worst=desk.worst_seconds(), of="until stored by the other one")
    first.thaw()
    desk.wait_stored(desk.feed.ids())
    desk.verify()
    assert desk.row.lost == 0


@pytest.mark.long
def test_sigterm_ends_in_ten_seconds_whatever_hangs(desk: Desk) -> None:
    """PostgreSQL away and an exchange that doesn't answer the goodbye: ended in time, kept in the journal."""
    desk.row.done = "SIGTERM with PostgreSQL away and a half-open socket"
    with Proxy("127.0.0.1", desk.exchange.port) as proxy:
        listener = desk.listener(url=proxy.url)
        desk.feed.push(50)
        desk.feed.wait()
        desk.wait_stored(desk.feed.ids())
        desk.postgres.stop()
        desk.feed.push(50)
        desk.feed.wait()
        wait_until(lambda: len(desk.journalled()) == 100, "the journal")
        proxy.switch(Mode.BLACKHOLE)
        began = time.monotonic()
        assert listener.terminate(10) == 0
        desk.row.note(worst=time.monotonic() - began, of="to end")
        desk.postgres.start()
    desk.verify()
