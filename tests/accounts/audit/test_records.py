"""Trades, frames, decisions and published prices stay as they are: PostgreSQL refuses, and so do the role's rights."""

from __future__ import annotations

import io
from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
import pytest
from django.core.management import CommandError, call_command
from django.db import IntegrityError, connection, transaction
from django.test import Client

from accounts.audit.database_role import kept_tables, what_could_change
from accounts.audit.log import record
from accounts.audit.models import Action
from tests.dashboard.assumptions.written import a_judged_and_withdrawn_assumption
from tests.dashboard.people import PASSWORD, a_superuser, a_trader
from tests.trades.frames import confirmation, germany, store
from trades.imports.booking import flag_as_not_in_file
from trades.ledger.decisions import cancel_trade, dismiss_frame
from trades.models import QuarantinedMessage, Trade

pytestmark = [pytest.mark.integration, pytest.mark.django_db(transaction=True)]

ROLE = "desk_application_of_a_test"
CHANGES = {
    "trades_trade": ["price = 0", "delivery_day = '2020-01-01'", "exchange_id = 'x'", "source = 'x'"],
    "trades_tradechange": ["reason = 'x'"],
    "trades_quarantinedmessage": ["raw = 'x'", "reason = 'x'", "received_at = now()"],
    "trades_feedgap": ["started_at = now() - interval '1 year'"],
    "prices_referencepricehistory": ["value = 0"],
    "audit_entry": ["actor = 'x'"],
    "dashboard_assumption": ["reason = 'x'", "claim = 'down'", "created_at = now()", "late = NOT late"],
    "dashboard_assumedperiod": ["delivery_hour = 'x'", "net_mwh = 1"],
    "dashboard_frozenprice": ["value = 0"],
    "dashboard_verdictrecord": ["verdict = 'right'"],
    "dashboard_withdrawal": ["made_at = now() - interval '1 h'"],
}
DELETED = [table for table in CHANGES if table != "trades_feedgap"]


def records() -> None:
    """At least one row in each of the tables."""
    market = germany()
    store(confirmation(1), b"garbage")
    user = a_superuser()
    cancel_trade(trade=Trade.objects.get(), reason="typo", user=user)
    with connection.cursor() as cursor:
        cursor.execute(
            """INSERT INTO trades_feedgap (market_id, started_at, ended_at, note)
               VALUES (%s, now(), now() + interval '1 s', '')""",
            [market.pk],
        )
        cursor.execute(
            """INSERT INTO prices_referencepricehistory (market_id, delivery_day, delivery_hour, delivery_start,
                   delivery_end, value, last_update, arrived_at)
               VALUES (%s, '2026-11-23', '12-13', now(), now() + interval '1 h', 1, now(), now())""",
            [market.pk],
        )
    record(action=Action.VIEWED, actor="anna")
    a_judged_and_withdrawn_assumption()


def test_not_even_the_owner_changes_or_deletes_a_record() -> None:
    records()
    statements = [f"UPDATE {table} SET {change}" for table, changes in CHANGES.items() for change in changes]
    for sql in [*statements, *(f"DELETE FROM {table}" for table in DELETED)]:
        with (
            pytest.raises(IntegrityError, match="kept as they are"),
            transaction.atomic(),
            connection.cursor() as cursor,
        ):
            cursor.execute(sql)


def test_what_people_decide_later_stays_free() -> None:
    records()
    flag_as_not_in_file(market=germany(), exchange_ids=["1"])
    assert Trade.objects.get().flags[-1] == "not_in_file"
    frame = QuarantinedMessage.objects.get()
    dismiss_frame(message=frame, note="noise", user=a_trader(), now=frame.received_at)


# --- the application's own role -------------------------------------------------------------------------------------
@pytest.fixture
def role() -> Iterator[str]:
    """The role as an operator makes it; gone afterwards."""
    call_command("grant_role", ROLE, "--create", stdout=io.StringIO())
    yield ROLE
    with connection.cursor() as cursor:
        cursor.execute(f"DROP OWNED BY {ROLE}")
        cursor.execute(f"DROP ROLE {ROLE}")


@contextmanager
def as_application() -> Iterator[None]:
    """Django's connection with the rights of the application's role."""
    with connection.cursor() as cursor:
        cursor.execute(f"SET ROLE {ROLE}")
    try:
        yield
    finally:
        with connection.cursor() as cursor:
            cursor.execute("RESET ROLE")


FORBIDDEN = [
    *(f"UPDATE {table} SET {change}" for table, changes in CHANGES.items() for change in changes),
    *(f"DELETE FROM {table}" for table in kept_tables()),
    *(f"TRUNCATE {table} CASCADE" for table in (*kept_tables(), "trades_position", "auth_user")),
    *(f"ALTER TABLE {table} DISABLE TRIGGER ALL" for table in kept_tables()),
    *(f"DROP TABLE {table} CASCADE" for table in kept_tables()),
    "DROP TRIGGER audit_entry_is_kept ON audit_entry",
    "CREATE OR REPLACE FUNCTION desk_refuse() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END'",
    "SET session_replication_role = replica",
    "CREATE TABLE mine (a int)",
    "UPDATE django_migrations SET name = 'x'",
    f"ALTER ROLE {ROLE} SUPERUSER",
    "COPY trades_trade TO PROGRAM 'cat'",
]


def test_the_applications_role_can_change_no_record_however_it_asks(role: str) -> None:
    """By a connection of its own, as the processes have one."""
    records()
    settings = connection.get_connection_params()
    address = {name: settings[name] for name in ("host", "port", "dbname") if settings.get(name)}
    with psycopg.connect(**address, user=role, autocommit=True) as own:
        for sql in FORBIDDEN:
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                own.execute(sql)
        assert own.execute("SELECT count(*) FROM trades_trade").fetchone() == (1,)


def test_the_product_works_with_the_applications_role(role: str, client: Client) -> None:
    market = germany()
    root = a_superuser()
    a_trader()
    with as_application():
        assert what_could_change() == []
        assert store(confirmation(1), confirmation(1, price=1), b"garbage").stored == 1
        client.post("/accounts/login/", {"username": "root", "password": PASSWORD})
        for address in ("/boards/trader_1/2026-11-23/", "/status/", "/admin/trades/trade/", "/readyz"):
            assert client.get(address).status_code == 200, address
        trade, frame = Trade.objects.get(), QuarantinedMessage.objects.get(kind="unusable")
        cancel = client.post(f"/admin/trades/trade/{trade.pk}/decide/cancel/", {"cancel-reason": "typo"})
        dismiss = client.post(f"/admin/trades/quarantinedmessage/{frame.pk}/decide/dismiss/", {"dismiss-note": "x"})
        assert (cancel.status_code, dismiss.status_code) == (302, 302)
        flag_as_not_in_file(market=market, exchange_ids=["1"])
        client.post("/accounts/logout/")
        out = io.StringIO()
        call_command("grant_role", "--check", stdout=out)
        assert "can't change or delete" in out.getvalue()
    root.refresh_from_db()
    assert root.last_login


def test_the_role_gets_its_password_from_the_environment(monkeypatch: pytest.MonkeyPatch, role: str) -> None:
    with connection.cursor() as cursor:
        stored = "SELECT rolpassword FROM pg_authid WHERE rolname = %s"
        cursor.execute(stored, [role])
        assert cursor.fetchone() == (None,)
        with pytest.raises(CommandError, match="DESK_PASSWORD is not set"):
            call_command("grant_role", role, "--password-from", "DESK_PASSWORD")
        monkeypatch.setenv("DESK_PASSWORD", "it's; odd\"")
        call_command("grant_role", role, "--password-from", "DESK_PASSWORD", stdout=io.StringIO())
        cursor.execute(stored, [role])
        assert cursor.fetchone()[0].startswith("SCRAM-SHA-256$")


def test_the_check_names_a_role_that_could_change_records() -> None:
    with pytest.raises(
        CommandError, match=r"it is a superuser; it may alter, delete from, update, truncate audit_entry"
    ):
        call_command("grant_role", "--check")


def test_a_role_that_is_not_there_is_one_sentence() -> None:
    with pytest.raises(CommandError, match='role "nobody_at_all" does not exist'):
        call_command("grant_role", "nobody_at_all")
