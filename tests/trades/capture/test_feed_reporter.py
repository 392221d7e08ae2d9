"""What a listener writes down of its connection while it holds, and when it looks for gaps."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import time_machine
from django.db import connection
from django.test.utils import CaptureQueriesContext

from tests.trades.frames import germany
from trades.capture import feed_reporter
from trades.capture.feed_reporter import GAPS_SETTLED_AFTER, LOOK_AT_GAPS_SECONDS, FeedReporter
from trades.capture.pipeline import Capture
from trades.models import FeedConnection, FeedGap

pytestmark = [pytest.mark.integration, pytest.mark.django_db]
NOON = datetime(2026, 11, 23, 10, 30, tzinfo=UTC)
SECOND = timedelta(seconds=1)


class Line:
    """A listener that is not connected yet, at a time that the test sets."""

    def __init__(self, traveller: time_machine.Traveller, monkeypatch: pytest.MonkeyPatch, folder: Path) -> None:
        market = germany()
        capture = Capture(directory=folder, market_code=market.code, listener="l1", market_of=lambda _code: market)
        self.reporter = FeedReporter(market.code, "l1", capture, lambda: 0.0)
        self._traveller, self._seconds = traveller, 0.0
        monkeypatch.setattr(feed_reporter.time, "monotonic", lambda: self._seconds)

    def looks_for_gaps(self, seconds: float) -> bool:
        """Whether the word that it gives so long after noon looks for gaps, too."""
        self._seconds = seconds
        self._traveller.move_to(NOON + seconds * SECOND, tick=False)
        with CaptureQueriesContext(connection) as said:
            self.reporter._write()
        return any("pg_try_advisory_xact_lock" in query["sql"] for query in said)


@pytest.fixture
def line(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Line]:
    with time_machine.travel(NOON, tick=False) as traveller:
        yield Line(traveller, monkeypatch, tmp_path)


def test_while_the_connection_holds_gaps_are_looked_for_now_and_then(line: Line) -> None:
    line.reporter.connected()
    settled = GAPS_SETTLED_AFTER.total_seconds()
    assert line.looks_for_gaps(0)
    assert line.looks_for_gaps(1.5)
    assert line.looks_for_gaps(settled)
    assert not line.looks_for_gaps(settled + 1.5)
    assert FeedConnection.objects.get().alive_at == NOON + GAPS_SETTLED_AFTER + 1.5 * SECOND
    assert line.looks_for_gaps(settled + LOOK_AT_GAPS_SECONDS)
    assert not line.looks_for_gaps(settled + LOOK_AT_GAPS_SECONDS + 1.5)


def test_a_connection_that_ends_is_looked_at_each_time_until_its_gap_is_written(line: Line) -> None:
    line.reporter.connected()
    assert line.looks_for_gaps(0)
    assert line.looks_for_gaps(100)
    line.reporter.disconnected("cut", 0.5)
    assert line.looks_for_gaps(101)
    assert line.looks_for_gaps(102)
    line.reporter.connected()
    assert line.looks_for_gaps(110)
    gap = FeedGap.objects.get()
    assert (gap.started_at, gap.ended_at) == (NOON + 99.5 * SECOND, NOON + 102 * SECOND)


def test_what_the_other_listener_did_not_cover_is_found_while_this_one_settles(line: Line) -> None:
    market = germany()
    before = NOON - 5 * SECOND
    FeedConnection.objects.create(market=market, listener="l0", connected_at=before - 60 * SECOND, alive_at=before)
    line.reporter.connected()
    line.looks_for_gaps(0)
    assert not FeedGap.objects.exists()  # the other one's next word may still come
    assert line.looks_for_gaps(9)
    gap = FeedGap.objects.get()
    assert (gap.started_at, gap.ended_at) == (before, NOON)
