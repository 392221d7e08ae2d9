"""The audit log: a chain that shows every flipped byte, lost row and rewritten end, and that only ever grows."""

from __future__ import annotations

import io
import threading
from datetime import UTC, datetime
from typing import Any

import pytest
from django.contrib.auth.models import Group, User
from django.core.management import CommandError, call_command
from django.db import IntegrityError, connection, transaction
from django.test import Client
from hypothesis import given
from hypothesis import strategies as st

from accounts.audit import view_log
from accounts.audit.chain import BEGINNING, BrokenChainError, Head, Link, verify
from accounts.audit.log import hold_the_end, record
from accounts.audit.models import Action, Entry
from accounts.audit.queries import head, verified_head
from accounts.audit.view_log import ViewLog
from tests.dashboard.boards import store_trade
from tests.dashboard.people import PASSWORD, a_head, a_superuser, a_trader
from tests.trades.frames import confirmation, germany, store
from trades.models import Trade

pytestmark = [pytest.mark.integration]

NOON = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
FIELDS = ("number", "at", "actor", "action", "subject", "details", "address", "previous", "digest")
TEXTS = ("actor", "action", "subject", "details", "address")


def chain(length: int) -> list[Link]:
    links: list[Link] = []
    previous = BEGINNING
    for number in range(1, length + 1):
        unsigned = Link(number, NOON, "anna", "viewed", f"board {number}", "", "10.0.0.1", previous)
        facts = {name: getattr(unsigned, name) for name in FIELDS}
        links.append(Link(**{**facts, "digest": unsigned.expected_digest()}))
        previous = links[-1].digest
    return links


def changed(link: Link, **changes: Any) -> Link:
    return Link(**{**{name: getattr(link, name) for name in FIELDS}, **changes})


@given(st.integers(1, 6), st.data())
def test_any_change_of_any_row_names_it(length: int, data: st.DataObject) -> None:
    links = chain(length)
    assert verify(links) == Head(length, links[-1].digest)
    index = data.draw(st.integers(0, length - 1))
    name = data.draw(st.sampled_from(TEXTS))
    other = data.draw(st.text(max_size=5).filter(lambda text: text != getattr(links[index], name)))
    links[index] = changed(links[index], **{name: other})
    with pytest.raises(BrokenChainError, match=f"row {index + 1} was changed"):
        verify(links)


def test_a_row_written_anew_with_its_digest_shows_at_the_next_one() -> None:
    links = chain(3)
    forged = changed(links[1], subject="nothing")
    links[1] = changed(forged, digest=forged.expected_digest())
    with pytest.raises(BrokenChainError, match="row 3 does not follow row 2"):
        verify(links)


def test_lost_rows_show() -> None:
    links = chain(4)
    with pytest.raises(BrokenChainError, match="row 2 is missing"):
        verify([links[0], *links[2:]])
    with pytest.raises(BrokenChainError, match="row 4 is missing: the log ends with row 3"):
        verify(links[:3], anchors=[Head(4, links[3].digest)])
    assert verify(links[2:], after=Head(2, links[1].digest)).number == 4


def test_a_log_written_anew_from_the_start_shows_against_a_noted_head() -> None:
    noted = Head(2, chain(2)[1].digest)
    forged = Link(1, NOON, "nobody", "viewed", "", "", "", BEGINNING)
    forged = changed(forged, digest=forged.expected_digest())
    second = Link(2, NOON, "nobody", "viewed", "", "", "", forged.digest)
    anew = [forged, changed(second, digest=second.expected_digest())]
    assert verify(anew).number == 2
    with pytest.raises(BrokenChainError, match="row 2 is not the row that was noted"):
        verify(anew, anchors=[noted])


# --- in PostgreSQL ------------------------------------------------------------------------------------------------
def verified() -> str:
    out = io.StringIO()
    call_command("verify_audit", stdout=out)
    return out.getvalue()


def tamper(sql: str) -> None:
    """What somebody with the owner's rights and patience could do: the triggers off, a statement, the triggers on."""
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL session_replication_role = replica")
        cursor.execute(sql)
        cursor.execute("SET LOCAL session_replication_role = origin")


@pytest.mark.django_db
def test_one_flipped_byte_names_the_row() -> None:
    assert "0 rows" in verified()
    for number in range(5):
        record(action=Action.VIEWED, actor="anna", subject=f"board {number}", details={"why": "ü\0\u2028"}, at=NOON)
    assert "5 rows" in verified()
    noted = f"{head().number}:{head().digest}"
    call_command("verify_audit", "--noted", noted, stdout=io.StringIO())
    with transaction.atomic():
        tamper("UPDATE audit_entry SET subject = overlay(subject placing 'B' from 1 for 1) WHERE number = 3")
        with pytest.raises(CommandError, match="row 3 was changed"):
            verified()
        transaction.set_rollback(True)
    with transaction.atomic():
        tamper("DELETE FROM audit_entry WHERE number = 5")
        with pytest.raises(CommandError, match="row 5 is missing"):
            call_command("verify_audit", "--noted", noted, stdout=io.StringIO())
        transaction.set_rollback(True)
    assert "5 rows" in verified()


@pytest.mark.django_db
@pytest.mark.parametrize("sql", ["UPDATE audit_entry SET actor = 'x'", "DELETE FROM audit_entry"])
def test_postgres_refuses_to_change_the_log(sql: str) -> None:
    record(action=Action.VIEWED, actor="anna")
    with pytest.raises(IntegrityError, match="kept as they are"), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(sql)


@pytest.mark.django_db
def test_hostile_text_is_kept_harmless_and_short() -> None:
    entry = record(action=Action.VIEWED, actor="a\r\nb\x1b[31m\0\ud800" + "x" * 10_000, subject="\u2028", at=NOON)
    entry.refresh_from_db()
    assert entry.actor.startswith("a��b�[31m��xxx")
    assert len(entry.actor) == 150
    assert entry.subject == "�"
    assert verified_head().number == 1


@pytest.mark.django_db(transaction=True)
def test_rows_added_at_once_make_one_chain() -> None:
    """Some of the writers take their row back: no number is lost with it."""

    def write(name: str) -> None:
        for number in range(10):
            with transaction.atomic():
                record(action=Action.VIEWED, actor=name, subject=str(number))
                transaction.set_rollback(number % 3 == 0)
        connection.close()

    threads = [threading.Thread(target=write, args=(f"t{n}",)) for n in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert verified_head().number == 6 * 6


@pytest.mark.django_db(transaction=True)
def test_capture_does_not_wait_for_the_log() -> None:
    """Somebody holds the log's end and never lets go: trades are stored all the same."""
    germany()  # made now: a new market is on record itself
    holding, done = threading.Event(), threading.Event()

    def hold() -> None:
        with transaction.atomic():
            hold_the_end()
            holding.set()
            done.wait(30)
        connection.close()

    thread = threading.Thread(target=hold)
    thread.start()
    holding.wait(10)
    try:
        assert store(confirmation(1)).stored == 1
    finally:
        done.set()
        thread.join(10)


# --- what is written ------------------------------------------------------------------------------------------------
def said() -> list[tuple[str, str, str]]:
    return [(e.actor, e.action, e.subject) for e in Entry.objects.order_by("number")]


@pytest.mark.django_db
def test_log_ins_and_failures_are_on_record(client: Client) -> None:
    germany()
    anna = a_trader()
    before = head().number
    for username, password in (("anna", "wrong"), ("my secret password", "x"), ("anna", PASSWORD)):
        client.post("/accounts/login/", {"username": username, "password": password}, REMOTE_ADDR="10.1.2.3")
    client.post("/accounts/logout/")
    rows = list(Entry.objects.filter(number__gt=before).order_by("number").values_list("actor", "action", "address"))
    assert rows == [
        ("anna", "log_in_failed", "10.1.2.3"),
        ("(unknown name)", "log_in_failed", "10.1.2.3"),
        (anna.username, "logged_in", "10.1.2.3"),
        ("anna", "logged_out", "127.0.0.1"),
    ]
    assert "my secret" not in str(list(Entry.objects.values()))


@pytest.mark.django_db
def test_changes_of_users_are_on_record_without_their_passwords(client: Client) -> None:
    client.force_login(a_superuser())
    anna = a_trader()
    anna.set_password("a very secret new password")
    anna.is_active = False
    anna.save()
    anna.groups.add(Group.objects.get_or_create(name="auditor")[0])
    anna.groups.clear()
    address = f"/admin/auth/user/{anna.pk}/change/"
    client.post(address, {"username": "anna", "is_active": "on", "is_superuser": "on"}, REMOTE_ADDR="10.1.2.3")
    rows = list(Entry.objects.filter(subject="user anna").order_by("number"))
    assert [row.action for row in rows] == ["user_added", *["user_changed"] * 4]
    assert rows[1].details == '{"is_active": [true, false], "password": "(secret)"}'
    assert (rows[2].details, rows[3].details) == ('{"add": ["auditor"]}', '{"clear": ["auditor"]}')
    assert '"is_superuser": [false, true]' in rows[4].details
    assert (rows[4].actor, rows[4].address) == ("root", "10.1.2.3")
    assert "pbkdf2" not in str(list(Entry.objects.values()))
    assert anna.password not in str(list(Entry.objects.values()))


@pytest.mark.django_db
def test_decisions_are_on_record_with_them_or_not_at_all(client: Client) -> None:
    germany()
    client.force_login(a_superuser())
    store_trade("12-13", "buy", "1", "1")
    trade = Trade.objects.get()
    client.post(f"/admin/trades/trade/{trade.pk}/decide/cancel/", {"cancel-reason": "typo"})
    entry = Entry.objects.get(action=Action.CANCELLED)
    assert (entry.actor, entry.subject) == ("root", f"trade {trade.exchange_id}")
    assert '"reason": "typo"' in entry.details
    client.post(f"/admin/trades/trade/{trade.pk}/decide/cancel/", {"cancel-reason": "again"})
    assert Entry.objects.filter(action=Action.CANCELLED).count() == 1
    assert verified_head() == head()


# --- views ----------------------------------------------------------------------------------------------------------
@pytest.fixture
def views(monkeypatch: pytest.MonkeyPatch) -> ViewLog:
    fresh = ViewLog()
    monkeypatch.setattr("dashboard.access.view_recording.view_log", fresh)
    return fresh


@pytest.mark.django_db(transaction=True)
def test_views_are_on_record_once_an_hour_whatever_is_refreshed(client: Client, views: ViewLog) -> None:
    germany()
    a_trader()
    client.force_login(a_head())
    for _ in range(3):
        client.get("/boards/trader_1/2026-11-23/")
        client.get("/api/v1/boards/trader_1/2026-11-23")
        client.get("/boards/nobody/2026-11-23/")
        client.get("/status/")
    assert views.flush(10)
    assert [row for row in said() if row[1] == "viewed"] == [
        ("head", "viewed", "/boards/trader_1/2026-11-23/"),
        ("head", "viewed", "/api/v1/boards/trader_1/2026-11-23"),
        ("head", "viewed", "/status/"),
    ]
    assert verified_head() == head()


@pytest.mark.django_db(transaction=True)
def test_views_of_the_next_hour_and_of_others_are_rows_of_their_own(views: ViewLog) -> None:
    for hour in (12, 12, 13):
        for actor in ("anna", "berta"):
            views.note(actor=actor, subject="board", at=NOON.replace(hour=hour, minute=hour))
    assert views.flush(10)
    assert Entry.objects.count() == 4


@pytest.mark.django_db(transaction=True)
def test_views_wait_for_a_database_that_is_away(views: ViewLog, monkeypatch: pytest.MonkeyPatch) -> None:
    failures = iter([IntegrityError("away")])
    real = view_log.write

    def write(view: view_log.View) -> None:
        for error in failures:
            raise error
        real(view)

    monkeypatch.setattr(view_log, "write", write)
    views.note(actor="anna", subject="board", at=NOON)
    assert views.flush(10)
    assert Entry.objects.count() == 1


@pytest.mark.django_db
def test_an_auditor_reads_the_log_and_others_do_not(client: Client) -> None:
    record(action=Action.VIEWED, actor="anna", subject="<script>alert(1)</script>")
    auditor = User.objects.create_user("auditor")
    auditor.groups.add(Group.objects.get_or_create(name="auditor")[0])
    client.force_login(auditor)
    text = client.get("/admin/audit/entry/").content.decode()
    assert "&lt;script&gt;" in text
    assert "<script>alert" not in text
