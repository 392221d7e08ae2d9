"""The journal's disk fails: frames go to the database one by one, the alarm is raised, and journalling begins again."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from tests.drills.rig.desk import Desk
from tests.drills.rig.listeners import FAULTS, Listener
from tests.processes import wait_until
from trades.capture.journal import segments

pytestmark = [pytest.mark.integration, pytest.mark.drill, pytest.mark.timeout(240)]


def _push(desk: Desk, count: int, rate: float = 50) -> None:
    desk.feed.push(count, rate=rate)
    desk.feed.wait()


def _ends_well(desk: Desk) -> None:
    desk.wait_stored(desk.feed.ids())
    desk.verify()
    assert desk.row.lost == 0


@pytest.mark.long
def test_full(desk: Desk) -> None:
    """Not a byte can be written for a while, and the retries leave no litter."""
    desk.row.done = "the journal's disk is full (RLIMIT_FSIZE 0), then has room again"
    listener = desk.listener()
    _push(desk, 50)
    wait_until(lambda: len(desk.journalled()) == 50, "the journal")
    listener.limit_files(0)
    _push(desk, 350)  # 7 s: one retry in vain
    listener.wait_said("journal_failed", seconds=5)
    desk.wait_stored(desk.feed.ids())
    assert len(segments(listener.journal)) == 1
    listener.limit_files(None)
    _journals_again(desk, listener, listener.said("journal_usable_again"))
    _ends_well(desk)


def _journals_again(desk: Desk, listener: Listener, before: int = 0) -> None:
    """Frames come until one is journalled again."""
    deadline = time.monotonic() + 20
    while listener.said("journal_usable_again") == before:
        assert time.monotonic() < deadline, listener.output()
        _push(desk, 10)
    _push(desk, 10)


def test_short_write(desk: Desk) -> None:
    """The last record is torn in its middle, as when the last block is taken."""
    desk.row.done = "a record is torn in its middle (RLIMIT_FSIZE), journalling goes on in a new segment"
    listener = desk.listener()
    _push(desk, 50)
    wait_until(lambda: len(desk.journalled()) == 50, "the journal")
    segment = segments(listener.journal)[0]
    listener.limit_files(segment.stat().st_size + 100)
    _push(desk, 20)
    listener.wait_said("journal_failed", seconds=5)
    assert len(desk.journalled()) == 50
    listener.limit_files(None)
    _journals_again(desk, listener)
    _ends_well(desk)


@pytest.mark.parametrize("failing", ["once", pytest.param("for a while", marks=pytest.mark.long)])
def test_sync_error(desk: Desk, tmp_path: Path, failing: str) -> None:
    """After a failed sync that segment is never written again."""
    desk.row.done = f"fdatasync fails (EIO) {failing}"
    flag = tmp_path / "fail"
    listener = desk.listener(PYTHONPATH=f"{FAULTS}:{os.environ.get('PYTHONPATH', '')}", DRILL_SYNC_FAILS=str(flag))
    _push(desk, 50)
    wait_until(lambda: len(desk.journalled()) == 50, "the journal")
    segment = segments(listener.journal)[0]
    flag.touch()
    _push(desk, 1)
    listener.wait_said("journal_failed", seconds=5)
    size = segment.stat().st_size
    if failing == "for a while":
        _push(desk, 400)
    flag.unlink()
    _journals_again(desk, listener)
    assert segment.stat().st_size == size
    _ends_well(desk)


@pytest.mark.long
def test_slow_sync(desk: Desk) -> None:
    """A sync of 200 ms at 100 trades a minute: stored within a second."""
    desk.row.done = "every fdatasync takes 200 ms, 100 trades a minute"
    desk.listener(PYTHONPATH=f"{FAULTS}:{os.environ.get('PYTHONPATH', '')}", DRILL_SYNC_SECONDS="0.2")
    _push(desk, 25, rate=100 / 60)
    _ends_well(desk)
    assert desk.row.worst < 1


@pytest.mark.long
def test_journal_and_database_both_away(desk: Desk) -> None:
    """Frames wait in memory, and are stored when PostgreSQL is back."""
    desk.row.done = "disk full and PostgreSQL stopped for 3 s"
    listener = desk.listener()
    _push(desk, 50)
    wait_until(lambda: len(desk.journalled()) == 50, "the journal")
    desk.wait_stored(desk.feed.ids())
    listener.limit_files(0)
    desk.postgres.stop()
    _push(desk, 150)
    listener.wait_said("journal_failed", seconds=5)
    listener.wait_said("storing_waits", seconds=5)
    desk.postgres.start()
    desk.wait_stored(desk.feed.ids())
    listener.limit_files(None)
    _journals_again(desk, listener)
    _ends_well(desk)


@pytest.mark.long
def test_more_than_the_memory_holds(desk: Desk) -> None:
    """With 10,000 frames in memory the socket itself has to wait; it is counted and said, and nothing is dropped."""
    desk.row.done = "disk full, PostgreSQL stopped, 12,000 trades at 3,000/s: more than the memory holds"
    listener = desk.listener()
    _push(desk, 50)
    desk.wait_stored(desk.feed.ids())
    listener.limit_files(0)
    desk.postgres.stop()
    _push(desk, 12_000, rate=3000)
    listener.wait_said("memory_full")
    desk.postgres.start()
    desk.wait_stored(desk.feed.ids(), 180)
    desk.verify()
    assert desk.row.lost == 0


@pytest.mark.long
def test_sigterm_with_frames_only_in_memory(desk: Desk) -> None:
    """Both away at the end too: what only memory held is lost, and the last log line says so."""
    desk.row.done = "disk full, PostgreSQL stopped, SIGTERM"
    listener = desk.listener()
    _push(desk, 50)
    desk.wait_stored(desk.feed.ids())
    listener.limit_files(0)
    desk.postgres.stop()
    _push(desk, 20)
    listener.wait_said("journal_failed", seconds=5)
    listener.terminate(10)
    assert listener.events("frames_lost")[-1]["count"] == 20
    assert listener.events("listener_stopped")[-1]["drained"] is False
    desk.postgres.start()
    stored = desk.stored_ids()
    assert len(stored) == 50
    desk.row.sent, desk.row.stored, desk.row.lost = len(desk.feed.sent), len(stored), len(desk.feed.sent) - len(stored)
