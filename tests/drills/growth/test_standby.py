"""Long reads from a hot standby: never older than they say, whatever becomes of it."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import datetime
from types import SimpleNamespace
from typing import Any

import psycopg
import pytest
from django.db import InternalError, connection, connections
from django.http import HttpResponse
from django.test import Client, RequestFactory
from django.urls import get_resolver, resolve

from dashboard.figures import desk_status
from market import clock
from market.statements import standby as standby_module
from market.statements.standby import ALIAS, LATELY_SECONDS, REST_SECONDS, NotNowError, Standby, StandbyState, Trouble
from reporting import metrics
from reporting.database import Speaker, database
from reporting.database import standby as settings_of
from reporting.http import standby as middleware
from reporting.http.standby import LONG_READS, PAST_READS, LongReadsFromStandby
from tests.dashboard.people import a_trader
from tests.drills.rig.desk import Desk, using
from tests.drills.rig.servers import frozen
from tests.drills.rig.standby import HotStandby
from tests.processes import wait_until

pytestmark = [pytest.mark.integration, pytest.mark.drill, pytest.mark.timeout(240)]


WORKS = (
    "PREPARE one AS SELECT 1",
    "DISCARD ALL",
    "UNLISTEN *",
    "SET work_mem = '1MB'",
    "BEGIN; DECLARE one CURSOR WITH HOLD FOR SELECT 1; COMMIT",
    "BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT pg_export_snapshot()",
    "BEGIN; LOCK TABLE pg_database IN ROW EXCLUSIVE MODE",
    "SELECT pg_current_snapshot()",
    "SELECT pg_advisory_lock(1)",
    "SELECT set_config('synchronous_commit', 'off', true)",
    "SELECT system_identifier, pg_last_wal_replay_lsn() FROM pg_control_system()",
    "EXPLAIN ANALYZE SELECT 1",
)
REFUSED = (
    "LISTEN news",
    "NOTIFY news",
    "SELECT pg_notify('news', '')",
    *(f"SELECT 1 FROM pg_database FOR {strength}" for strength in ("UPDATE", "SHARE", "KEY SHARE")),
    "CREATE TEMPORARY TABLE one (n int)",
    "CREATE UNLOGGED TABLE one (n int)",
    "BEGIN ISOLATION LEVEL SERIALIZABLE",
    "BEGIN; LOCK TABLE pg_database IN SHARE MODE",
    "SELECT pg_current_xact_id()",
    "SELECT txid_current()",
    "SELECT pg_current_wal_flush_lsn()",
    "SELECT pg_walfile_name('0/3000000')",
    "SELECT lo_create(0)",
    "VACUUM",
    "ANALYZE",
)
"""docs/growth.md."""


@pytest.fixture
def router(desk: Desk, follower: HotStandby, monkeypatch: pytest.MonkeyPatch) -> Iterator[Standby]:
    """This process's, with the desk's database and its standby; nothing rests."""
    settings = {**connections["default"].settings_dict, **database(follower.url(desk.database), Speaker("", 1))}
    monkeypatch.setitem(connections.settings, ALIAS, settings_of(settings))
    follower.wait_for_all()
    made = Standby()
    monkeypatch.setattr(middleware, "standby", made)
    with using(desk.url):
        yield made
    connections[ALIAS].close()
    del connections[ALIAS]


def _in_recovery() -> bool:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_is_in_recovery()")
        return bool(cursor.fetchone()[0])


# --- one process -----------------------------------------------------------------------------------------------------
def test_within_all_goes_to_the_standby_and_nothing_is_written(router: Standby) -> None:
    assert router.is_there
    with router.reading():
        assert _in_recovery()
        with pytest.raises(InternalError, match="read-only transaction"):
            a_trader()
    assert not _in_recovery()
    a_trader()


def test_what_is_committed_is_there(router: Standby) -> None:
    """Fifty times in turn: written on the primary, read from the standby."""
    for number in range(50):
        a_trader(f"trader_{number}", f"user_{number}")
        with router.reading(), connection.cursor() as cursor:
            cursor.execute("SELECT count(*) FROM trades_trader WHERE trader_id LIKE 'trader_%'")
            assert cursor.fetchone()[0] >= number + 1


def test_a_quiet_primary_with_a_new_wal_file_is_reached(router: Standby, desk: Desk, follower: HotStandby) -> None:
    """Its insert position is none that a standby ever reaches (findings/)."""
    with psycopg.connect(desk.servers.url("postgres"), autocommit=True) as admin:
        admin.execute("SELECT pg_switch_wal()")
    follower.wait_for_all()
    with router.reading():
        assert _in_recovery()


def test_one_that_lags_is_left_alone(router: Standby, follower: HotStandby) -> None:
    moments = iter((0.0, 0.0, 0.1, 0.2, 0.3, *[0.3] * 9, 0.3 + REST_SECONDS, 6, 6, 6, 6))
    router._monotonic = lambda: next(moments, 6.0)
    with follower.paused():
        a_trader()
        with pytest.raises(NotNowError), router.reading():
            pytest.fail("it was read")
        assert not _in_recovery()
        assert not router.is_there
    follower.wait_for_all()
    wait_until(lambda: router.is_there, "the end of its rest")
    with router.reading():
        assert _in_recovery()


def test_a_server_that_is_no_standby_is_not_read(router: Standby, desk: Desk) -> None:
    """The primary itself, or one that was promoted."""
    connections[ALIAS].close()
    connections[ALIAS].settings_dict["HOST"] = connections["default"].settings_dict["HOST"]
    with pytest.raises(NotNowError, match="no standby"), router.reading():
        pytest.fail("it was read")


# --- how it is -------------------------------------------------------------------------------------------------------
@pytest.fixture
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """A standby on a busy machine may take longer for what was just written."""
    monkeypatch.setattr(standby_module, "WAIT_SECONDS", 20.0)


@pytest.mark.usefixtures("patient")
def test_one_that_holds_all_is_read(router: Standby) -> None:
    assert router.state() == StandbyState(None, 0)


@pytest.mark.usefixtures("patient")
def test_one_that_was_given_up_is_told_for_a_minute(router: Standby) -> None:
    router.rest("a statement was ended")
    assert router.state() == StandbyState(Trouble.FAILED, 0, "a statement was ended")
    later = time.monotonic() + LATELY_SECONDS
    router._monotonic = lambda: later
    assert router.state() == StandbyState(None, 0)


def test_a_primary_that_is_a_standby_itself_is_told(router: Standby) -> None:
    """In the middle of a failover, say: the page is shown all the same."""
    primary = connections["default"]
    connections["default"] = type(primary)(connections[ALIAS].settings_dict, "default")
    try:
        state = router.state()
    finally:
        connections["default"].close()
        connections["default"] = primary
    assert state is not None
    assert state.trouble is Trouble.UNKNOWN
    assert "recovery is in progress" in state.error


def test_one_that_is_behind_says_by_how_much(router: Standby, follower: HotStandby) -> None:
    with follower.paused():
        a_trader()
        state = router.state()
    assert state is not None
    assert state.trouble is Trouble.LATE
    assert state.behind is not None
    assert 0 < state.behind < 16 * 2**20
    assert router.is_there, "a look leaves it as it was"


def test_one_of_another_primary_is_told(router: Standby) -> None:
    connections[ALIAS].close()
    connections[ALIAS].settings_dict["HOST"] = connections["default"].settings_dict["HOST"]
    assert router.state() == StandbyState(Trouble.FOREIGN)


def test_one_that_is_frozen_is_away(router: Standby, follower: HotStandby) -> None:
    with frozen(follower.server):
        state = router.state()
    assert state is not None
    assert (state.trouble, bool(state.error)) == (Trouble.AWAY, True)
    wait_until(lambda: router.state() == StandbyState(None, 0), "the standby's answer")


def test_one_that_freezes_while_it_is_waited_for_is_away(
    router: Standby, follower: HotStandby, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither a look nor a read hangs."""
    with follower.paused(), ExitStack() as freezing:
        a_trader()
        freeze = SimpleNamespace(sleep=lambda _seconds: freezing.enter_context(frozen(follower.server)))
        monkeypatch.setattr(standby_module, "time", freeze)
        state = router.state()
        assert state is not None
        assert state.trouble is Trouble.AWAY
        freezing.close()
        with pytest.raises(NotNowError), router.reading():
            pytest.fail("it was read")
        freezing.close()


@pytest.mark.usefixtures("patient")
def test_the_status_page_says_so(
    router: Standby, follower: HotStandby, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(desk_status, "standby", router)
    monkeypatch.setattr(metrics, "standby", router)
    user = a_trader()
    user.is_superuser = user.is_staff = True
    user.save()
    follower.wait_for_all()
    client.force_login(user)
    told = client.get("/status/?format=json").json()
    assert told["standby"] == {"used": True, "trouble": None, "last_error": "", "behind_bytes": 0}
    assert "Long reads are answered by</dt><dd>the standby" in client.get("/status/").content.decode()
    assert "desk_standby_used 1.0" in client.get("/metrics").content.decode()
    monkeypatch.setattr(standby_module, "WAIT_SECONDS", 0.25)
    with follower.paused():
        a_trader("trader_2", "user_2")
        told = client.get("/status/?format=json").json()
        assert told["standby"]["trouble"] == "late"
        assert told["standby"]["behind_bytes"] > 0
        assert [one["runbook"] for one in told["incidents"] if "standby" in one["sentence"]] == ["standby-not-used"]
        assert "answered by</dt><dd>the primary" in client.get("/status/").content.decode()
        assert "desk_standby_used 0.0" in client.get("/metrics").content.decode()


@pytest.mark.parametrize("statement", WORKS)
def test_what_a_standby_does(follower: HotStandby, statement: str) -> None:
    follower.say(statement)


@pytest.mark.parametrize("statement", REFUSED)
def test_what_a_standby_refuses(follower: HotStandby, statement: str) -> None:
    with pytest.raises(psycopg.Error, match=r"recovery|read-only|hot standby"):
        follower.say(statement)


def test_a_lock_on_the_standby_is_none_on_the_primary(desk: Desk, follower: HotStandby) -> None:
    """An advisory lock is one server's: the other grants it at the same time."""
    urls = (desk.servers.url("postgres"), follower.url("postgres"))
    with psycopg.connect(urls[0]) as primary, psycopg.connect(urls[1]) as standby:
        assert [c.execute("SELECT pg_try_advisory_xact_lock(1)").fetchone() for c in (primary, standby)] == [
            (True,)
        ] * 2


@contextmanager
def _view(*steps: Any) -> Iterator[Any]:
    """A view that does these things, and says which server it reads from."""

    def view(_request: Any) -> HttpResponse:
        for step in steps:
            step()
        return HttpResponse("standby" if _in_recovery() else "primary")

    yield view


def _request(address: str, method: str = "get") -> Any:
    request = getattr(RequestFactory(), method)(address)
    request.resolver_match = resolve(request.path)
    return request


def _answer(view: Any, address: str = "/history/", method: str = "get") -> tuple[bool, str]:
    """Whether the middleware answered by itself, and from which server the answer is."""
    request = _request(address, method)
    first = LongReadsFromStandby(lambda _request: HttpResponse()).process_view(request, view, (), {})
    return (first is not None, (first or view(request)).content.decode())


def test_a_request_whose_standby_dies_is_answered_by_the_primary(router: Standby, follower: HotStandby) -> None:
    with _view(follower.server.kill) as view:
        assert _answer(view) == (False, "primary")
    assert not router.is_there
    follower.server.start()


def test_a_request_whose_standby_freezes_is_answered_by_the_primary(
    router: Standby, follower: HotStandby, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither end of the connection is closed, and no statement's limit counts on a server that is stopped."""
    monkeypatch.setattr(standby_module, "LONGEST_SECONDS", 1.0)
    with ExitStack() as thawed, _view(lambda: thawed.enter_context(frozen(follower.server))) as view:
        request, began = _request("/history/"), time.monotonic()
        assert LongReadsFromStandby(lambda _request: HttpResponse()).process_view(request, view, (), {}) is None
        assert 1.0 <= time.monotonic() - began < 3.0
        assert not router.is_there
        router._rests_until = 0.0
        with pytest.raises(NotNowError), router.reading():
            pytest.fail("it was read")
        assert not _in_recovery()


def test_what_recovery_ends_is_asked_of_the_primary(router: Standby, follower: HotStandby) -> None:
    """As a conflict with what is replayed does: the connection is gone, the standby is not."""
    ends = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s AND backend_type = %s"

    def end() -> None:
        with psycopg.connect(follower.url("postgres"), autocommit=True) as own:
            own.execute(ends, [connection.settings_dict["NAME"], "client backend"])

    with _view(end) as view:
        assert _answer(view) == (False, "primary")


@pytest.mark.parametrize(
    ("address", "method", "reads"),
    [
        ("/history/?days=7", "get", True),
        ("/history/history.csv", "head", True),
        ("/api/v1/gaps", "get", True),
        ("/api/v1/assumptions", "post", False),
        ("/boards/trader_1/2026-11-23/", "get", False),
        ("/boards/trader_1/2026-11-23/?as_of=2026-11-23T10:00:00Z", "get", True),
        ("/api/v1/events?as_of=2026-11-23T10:00:00Z", "get", False),
        ("/status/", "get", False),
    ],
)
def test_which_requests_go_there(router: Standby, address: str, method: str, reads: bool) -> None:
    assert middleware.is_long_read(_request(address, method)) is reads


def test_the_desks_time_stands_still_meanwhile(router: Standby) -> None:
    seen: list[datetime] = []
    with _view(lambda: seen.append(clock.now()), lambda: time.sleep(0.05), lambda: seen.append(clock.now())) as view:
        began = clock.now()
        assert _answer(view) == (True, "standby")
    assert seen[0] == seen[1]
    assert began <= seen[0] < clock.now()


def test_the_names_are_addresses() -> None:
    """Each is one, and reads: what it writes the standby would refuse."""
    known = {name for name in get_resolver().reverse_dict if isinstance(name, str)}
    assert known >= LONG_READS | PAST_READS
    assert not LONG_READS & PAST_READS
