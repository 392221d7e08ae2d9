"""The desk's time beside clocks that are moved: this process's own, PostgreSQL's, both, with and without a provider."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest
from django.db import connection

from market import clock, clock_rules
from market.clock import DeskClock, process_name
from market.clock_state import MovedClock, state_of_clocks
from market.models import ClockReport
from market.models import DeskClock as Written
from prices import request_ledger
from prices.models import ProviderRequest
from prices.observations import PeriodKey
from tests.trades.frames import germany
from trades.feed.connections import CERTAIN_AFTER, close_connection, open_connection, record_gaps
from trades.feed.connections import ListenerHealth as Health
from trades.models import FeedConnection, FeedGap

pytestmark = [pytest.mark.integration, pytest.mark.django_db(transaction=True)]

HOUR = 3600.0


class Clocks:
    """This machine's clock and PostgreSQL's, to be moved; the timer goes on."""

    def __init__(self) -> None:
        self.own = 0.0

    def wall(self) -> float:
        return time.time() + self.own

    def process(self) -> DeskClock:
        return DeskClock(wall=self.wall)

    def move_postgres(self, seconds: float) -> None:
        with connection.cursor() as cursor:
            cursor.execute("UPDATE moved.clock SET by = %s * interval '1 second'", [seconds])

    def move_all(self, seconds: float) -> None:
        self.own = seconds
        self.move_postgres(seconds)


@pytest.fixture
def clocks() -> Iterator[Clocks]:
    with connection.cursor() as cursor:
        cursor.execute(
            """CREATE SCHEMA moved;
               CREATE TABLE moved.clock AS SELECT interval '0' AS by;
               CREATE FUNCTION moved.clock_timestamp() RETURNS timestamptz LANGUAGE sql AS
                   'SELECT pg_catalog.clock_timestamp() + by FROM moved.clock';
               SET search_path = moved, pg_catalog, public"""
        )
    yield Clocks()
    with connection.cursor() as cursor:
        cursor.execute("RESET search_path; DROP SCHEMA moved CASCADE")
    Written.objects.all().delete()


def is_now(desk: DeskClock, ahead: float = 0.0) -> bool:
    """Whether this process has the time that it really is, or is so much ahead of it."""
    return abs(desk.posix() - ahead - time.time()) < 1


def look(*processes: DeskClock) -> None:
    for desk in processes:
        desk.follow(every=0)


def state() -> list[tuple[str, int]]:
    return [(moved.whose, round(moved.ahead)) for moved in state_of_clocks(now=datetime.now(UTC)).moved]


@pytest.mark.parametrize("by", [-HOUR, -300, 300, HOUR])
def test_an_own_clock_that_is_moved_is_said_and_not_followed(clocks: Clocks, by: float) -> None:
    desk = clocks.process()
    look(desk, desk)
    clocks.own = by
    look(desk)
    assert is_now(desk)
    assert state() == [(process_name(), by)]
    clocks.own = 0
    look(desk)
    assert state() == []


@pytest.mark.parametrize("by", [-HOUR, -300, 300, HOUR])
def test_a_database_clock_that_is_moved_is_said_and_not_followed(clocks: Clocks, by: float) -> None:
    desk, other = clocks.process(), clocks.process()
    look(desk, other, desk, other)
    clocks.move_postgres(by)
    look(desk, other)
    begun_later = clocks.process()
    look(begun_later, desk, other, begun_later)
    assert is_now(desk)
    assert is_now(other)
    assert is_now(begun_later)
    assert state() == [("PostgreSQL", by)]
    clocks.move_postgres(0)
    look(desk, other, begun_later)
    assert is_now(desk)
    assert is_now(other)
    assert is_now(begun_later)
    assert state() == []


def test_a_process_whose_clock_is_wrong_begins_with_the_databases(clocks: Clocks) -> None:
    clocks.own = -HOUR
    desk = clocks.process()
    assert is_now(desk, ahead=-HOUR)
    look(desk)  # makes the row
    look(desk)
    assert is_now(desk)
    assert state() == [(process_name(), -HOUR)]


@pytest.mark.parametrize("by", [-HOUR, HOUR])
def test_all_clocks_moved_and_the_provider_knows_better(clocks: Clocks, by: float) -> None:
    worker, web = clocks.process(), clocks.process()
    look(worker, web, worker, web)
    worker.hear_outside(format_datetime(datetime.now(UTC), usegmt=True))
    clocks.move_all(by)
    look(web)
    look(worker)
    look(web)
    assert is_now(worker)
    assert is_now(web)
    assert {whose for whose, _ in state()} == {"PostgreSQL", process_name()}
    assert state_of_clocks(now=datetime.now(UTC)).stepped_by is None
    clocks.move_all(0)
    look(worker, web)
    assert is_now(worker)
    assert is_now(web)
    assert state() == []


@pytest.mark.parametrize("by", [-HOUR, HOUR])
def test_clocks_that_were_wrong_and_are_put_right_are_followed(
    clocks: Clocks, monkeypatch: pytest.MonkeyPatch, by: float
) -> None:
    """Nobody says otherwise for a while; and what counts for the limits counts as long as before."""
    market = germany()
    worker, web = clocks.process(), clocks.process()
    look(worker, web, worker, web)
    sent = datetime.now(UTC) - timedelta(seconds=20)
    row = ProviderRequest.objects.create(
        market=market, delivery_start=sent, delivery_end=sent, sent_at=sent, finished_at=sent, outcome="newer"
    )
    clocks.move_all(by)
    look(web)
    assert is_now(web)  # in doubt
    monkeypatch.setattr(clock_rules, "DECIDE_AFTER_SECONDS", 0.0)
    look(web, worker)
    assert is_now(web, ahead=by)
    assert is_now(worker, ahead=by)
    row.refresh_from_db()
    assert row.sent_at - sent == pytest.approx(timedelta(seconds=by), abs=timedelta(seconds=1))
    stepped = state_of_clocks(now=datetime.fromtimestamp(web.posix(), UTC))
    assert stepped.moved == ()
    assert stepped.stepped_by == pytest.approx(by, abs=1)
    assert request_ledger.use_at(now=datetime.fromtimestamp(web.posix(), UTC)).minute == 1


def test_the_provider_may_say_that_the_new_time_is_right(clocks: Clocks) -> None:
    worker = clocks.process()
    look(worker, worker)
    worker.hear_outside(format_datetime(datetime.now(UTC) + timedelta(seconds=HOUR), usegmt=True))
    clocks.move_all(HOUR)
    look(worker)
    assert is_now(worker, ahead=HOUR)


@pytest.mark.parametrize("said", [None, "", "tomorrow", "Sat, 28 Nov 2026 22:00:00", "Sat, 99 Nov 2026 22:00:00 GMT"])
def test_a_provider_that_says_no_time_is_not_believed(clocks: Clocks, said: str | None) -> None:
    desk = clocks.process()
    look(desk, desk)
    desk.hear_outside(said)
    clocks.move_all(HOUR)
    look(desk)
    assert is_now(desk)


def test_only_one_process_decides(clocks: Clocks) -> None:
    """Two that see the same at the same time: the second goes by what the first has written."""
    one, other = clocks.process(), clocks.process()
    look(one, other, one, other)
    clocks.move_postgres(HOUR)
    seen = other._look()
    assert seen is not None
    look(one)
    other._judge(seen)
    assert Written.objects.get().decisions == 1
    look(other)
    assert is_now(other)


def test_what_processes_that_are_gone_decided_is_forgotten(clocks: Clocks) -> None:
    decided = {"ahead": -HOUR, "decisions": 7, "kept_at": datetime.now(UTC) - timedelta(minutes=5)}
    Written.objects.update_or_create(
        id=1, defaults=decided
    )  # there already, where anybody has looked since the last test
    desk = clocks.process()
    look(desk)
    assert is_now(desk)
    assert Written.objects.get().ahead == 0
    Written.objects.update(ahead=-HOUR, kept_at=datetime.now(UTC))
    begun_now = clocks.process()
    look(begun_now)
    assert is_now(begun_now, ahead=-HOUR)


def test_a_report_of_a_process_that_is_gone_is_forgotten(clocks: Clocks) -> None:
    now = datetime.now(UTC)
    ClockReport.objects.create(process="listener a 1", ahead=300, seen_at=now - timedelta(seconds=61))
    ClockReport.objects.create(process="worker a 2", ahead=-300, seen_at=now - timedelta(seconds=59))
    assert state_of_clocks(now=now).moved == (MovedClock("worker a 2", -300),)


def test_it_looks_now_and_then(clocks: Clocks) -> None:
    desk = clocks.process()
    look(desk, desk)
    clocks.move_postgres(HOUR)
    desk.follow(every=60)
    assert state() == []
    desk.follow(every=0)
    assert state() == [("PostgreSQL", HOUR)]


# --- what is measured by stored moments moves along -----------------------------------------------------------------
@pytest.mark.parametrize("by", [-HOUR, -300, 300, HOUR])
def test_a_step_hides_no_gap_and_makes_none(clocks: Clocks, monkeypatch: pytest.MonkeyPatch, by: float) -> None:
    monkeypatch.setattr(clock_rules, "DECIDE_AFTER_SECONDS", 0.0)
    market, desk = germany(), clocks.process()
    look(desk, desk)

    def now() -> datetime:
        return datetime.fromtimestamp(desk.posix(), UTC)

    first = open_connection(market=market, listener="l1", at=now() - timedelta(minutes=10))
    close_connection(market=market, connection_pk=first, at=now(), health=Health(now()), reason="")
    second = open_connection(market=market, listener="l1", at=now() - timedelta(seconds=2))
    clocks.move_all(by)
    look(desk, desk)
    record_gaps(market_id=market.pk, now=now())
    assert not FeedGap.objects.exists()
    row = FeedConnection.objects.get(pk=second)
    assert timedelta(0) <= now() - row.alive_at < CERTAIN_AFTER
    close_connection(market=market, connection_pk=second, at=now(), health=Health(now()), reason="cut")
    lost_at = now()
    back_at = lost_at + timedelta(seconds=30)
    open_connection(market=market, listener="l1", at=back_at)
    record_gaps(market_id=market.pk, now=back_at)
    assert FeedGap.objects.filter(started_at__lte=lost_at, ended_at=back_at).count() == 1


# --- processes that begin in the middle of it -----------------------------------------------------------------------
def test_a_process_that_begins_while_a_clock_is_moved_decides_nothing(clocks: Clocks) -> None:
    """It can't know which is right; the others do, and it goes by them as soon as they have said so."""
    desk = clocks.process()
    look(desk, desk)
    clocks.move_postgres(HOUR)
    begun_now = clocks.process()
    look(begun_now)
    assert not begun_now.is_firm
    look(desk, begun_now)
    assert is_now(begun_now)
    clocks.move_postgres(0)
    look(begun_now, desk, begun_now)
    assert is_now(begun_now)
    assert Written.objects.get().stepped == 0


def test_a_clock_that_is_moved_before_the_last_decision_was_heard_of_is_not_followed(clocks: Clocks) -> None:
    """Between two looks another process decides, and then a clock is moved: both are seen at once."""
    desk, late = clocks.process(), clocks.process()
    look(desk, late, desk, late)
    clocks.move_postgres(-300)
    look(desk)
    clocks.move_postgres(HOUR)
    look(late, desk)
    assert is_now(late)
    assert is_now(desk)


def test_nothing_is_asked_of_the_provider_while_the_time_is_not_sure(
    clocks: Clocks, monkeypatch: pytest.MonkeyPatch
) -> None:
    market = germany()
    now = datetime.now(UTC)
    key = PeriodKey(market.pk, now.date(), now, now + timedelta(hours=1))
    desk, other = clocks.process(), clocks.process()
    look(desk, other, desk, other)
    monkeypatch.setattr(clock, "desk", desk)
    assert isinstance(request_ledger.reserve(key), request_ledger.Reservation)
    clocks.move_all(HOUR)
    monkeypatch.setattr(clock_rules, "DECIDE_AFTER_SECONDS", 0.0)
    look(other)
    monkeypatch.setattr(desk, "follow", lambda **_every: None)  # it has not looked since
    assert isinstance(request_ledger.reserve(key), request_ledger.NoRoom)
    monkeypatch.undo()
    clocks.move_all(0)
    begun_now = clocks.process()
    clocks.own = 300
    wrong = clocks.process()
    monkeypatch.setattr(clock, "desk", wrong)
    assert isinstance(request_ledger.reserve(key), request_ledger.NoRoom)
    assert not wrong.is_firm
    assert begun_now.is_firm


def test_before_an_updates_migration_a_process_goes_by_its_own_time(clocks: Clocks) -> None:
    """New code on the schema of before: listeners record their connections, boards and the status are there."""
    desk = clocks.process()
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE market_deskclock RENAME TO elsewhere")
    try:
        look(desk)
        assert is_now(desk)
        assert desk.is_firm
        assert not desk.has_stepped()
        assert state() == []
    finally:
        with connection.cursor() as cursor:
            cursor.execute("ALTER TABLE elsewhere RENAME TO market_deskclock")
    look(desk, desk)
    assert is_now(desk)
