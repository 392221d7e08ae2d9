"""The admin of trades: decisions by those who may take them, facts that nobody can change, hostile frames as text."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.contrib.auth.models import Permission, User
from django.test import Client
from pytest_django import Settings

from tests.emptying import emptied
from tests.trades.frames import NOW, confirmation, germany, store
from trades.ledger.decisions import cancel_trade
from trades.ledger.effective import position_differences
from trades.models import (
    FeedConnection,
    FeedGap,
    JournalProgress,
    Position,
    QuarantinedMessage,
    Trade,
    TradeChange,
)

pytestmark = [pytest.mark.integration, pytest.mark.django_db]

VIEW = ("view_trade", "view_quarantinedmessage", "view_feedgap")
CORRECTION = {
    "price": "10",
    "quantity": "12",
    "direction": "buy",
    "delivery_day": "2026-11-23",
    "delivery_hour": "12-13",
    "trader_id": "trader_1",
    "reason": "typo",
}
Row = Trade | QuarantinedMessage | FeedGap


def logged_in(*permissions: str) -> Client:
    user = User.objects.create_user(f"staff-{len(permissions)}-{'-'.join(permissions)}"[:100], is_staff=True)
    user.user_permissions.set(Permission.objects.filter(codename__in=permissions))
    client = Client(enforce_csrf_checks=False)
    client.force_login(user)
    return client


@pytest.fixture(autouse=True)
def _no_collected_files(settings: Settings) -> None:
    """What an earlier run has collected into var/static may lack the newest file."""
    plain = {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}
    settings.STORAGES = {**settings.STORAGES, "staticfiles": plain}


@pytest.fixture
def root() -> Client:
    client = Client()
    client.force_login(User.objects.create_superuser("root"))
    return client


def kept_aside(raw: bytes, reason: str = "refused_by_database") -> QuarantinedMessage:
    return QuarantinedMessage.objects.create(
        market=germany(),
        kind="unusable",
        reason=reason,
        detail="a sentence",
        raw=raw,
        listener="listener-1",
        received_at=NOW,
        source=f"s{QuarantinedMessage.objects.count()}",
        source_position=1,
    )


def a_trade() -> Trade:
    store(confirmation(1))
    return Trade.objects.get()


def a_conflict() -> QuarantinedMessage:
    store(confirmation(1), confirmation(1, price=10))
    return QuarantinedMessage.objects.get()


def a_gap(minute: int = 0) -> FeedGap:
    start = NOW + timedelta(minutes=minute)
    return FeedGap.objects.create(market=germany(), started_at=start, ended_at=start + timedelta(seconds=5))


def page_of(row: Row) -> str:
    return f"/admin/trades/{row._meta.model_name}/{row.pk}/change/"


def decide(client: Client, row: Row, decision: str, **fields: str) -> Any:
    address = page_of(row).replace("/change/", f"/decide/{decision}/")
    return client.post(address, {f"{decision}-{name}": value for name, value in fields.items()})


def said(client: Client, row: Row) -> list[str]:
    """The messages on the row's page after a decision."""
    return [str(message) for message in client.get(page_of(row)).context["messages"]]


def a_second_side() -> QuarantinedMessage:
    store(confirmation(77, direction="sell"), confirmation(77), journal="both")
    return QuarantinedMessage.objects.get(reason="both_sides")


def state() -> tuple[object, ...]:
    """All that a decision could change."""
    return (
        list(QuarantinedMessage.objects.order_by("pk").values_list("status", "note", "handled_by")),
        TradeChange.objects.count(),
        Trade.objects.count(),
        list(FeedGap.objects.values_list("closed_at", "note")),
        list(Position.objects.order_by("pk").values_list("trade_count", "turnover")),
    )


DECISIONS: list[tuple[Callable[[], Row], str, str, dict[str, str]]] = [
    (lambda: kept_aside(confirmation(7)), "judge_quarantine", "retry", {}),
    (lambda: kept_aside(b"garbage"), "judge_quarantine", "dismiss", {"note": "a heartbeat"}),
    (a_conflict, "judge_quarantine", "accept", {"reason": "the exchange says so"}),
    (a_second_side, "judge_quarantine", "second-side", {}),
    (a_trade, "judge_trade", "cancel", {"reason": "mistake"}),
    (a_trade, "judge_trade", "correct", CORRECTION),
    (a_gap, "close_gap", "close", {"note": "compared with the file"}),
]
ALSO_NEEDED = {"accept": ("view_trade",), "second-side": ("view_trade",)}
"""Who accepts a conflict must see both sides of it."""
each_decision = pytest.mark.parametrize(
    ("make", "permission", "decision", "fields"), DECISIONS, ids=[decision for _, _, decision, _ in DECISIONS]
)


@each_decision
def test_an_authorised_person_decides(
    make: Callable[[], Row], permission: str, decision: str, fields: dict[str, str]
) -> None:
    row, before = make(), state()
    client = logged_in(permission, *ALSO_NEEDED.get(decision, ()))
    assert f"/decide/{decision}/" in client.get(page_of(row)).content.decode()
    answer = decide(client, row, decision, **fields)
    assert (answer.status_code, answer["Location"]) == (302, page_of(row))
    assert len(said(client, row)) == 1
    assert state() != before
    assert position_differences() == []
    again = decide(client, row, decision, **fields)
    assert again.status_code == 422, "the same decision can't be taken twice"


@each_decision
def test_nobody_else_does(make: Callable[[], Row], permission: str, decision: str, fields: dict[str, str]) -> None:
    row, before = make(), state()
    others = {"judge_quarantine", "judge_trade", "close_gap"} - {permission}
    looking = logged_in(*VIEW, *others)
    assert "/decide/" not in looking.get(page_of(row)).content.decode()
    assert decide(looking, row, decision, **fields).status_code == 403
    assert decide(logged_in(), row, decision, **fields).status_code == 403
    stranger = decide(Client(), row, decision, **fields)
    assert (stranger.status_code, stranger["Location"].split("?")[0]) == (302, "/accounts/login/")
    assert state() == before


@each_decision
def test_looking_at_the_address_or_a_forged_form_decides_nothing(
    make: Callable[[], Row], permission: str, decision: str, fields: dict[str, str]
) -> None:
    row, before = make(), state()
    client = logged_in(permission, *ALSO_NEEDED.get(decision, ()))
    address = page_of(row).replace("/change/", f"/decide/{decision}/")
    assert client.get(address)["Location"] == page_of(row)
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(User.objects.get())
    assert decide(strict, row, decision, **fields).status_code == 403
    assert state() == before


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"price": "100000"}, "is not within ±99999"),
        ({"price": "0.00001"}, "has more than 4 decimals"),
        ({"price": "NaN"}, "Enter a number"),
        ({"price": "2_0.5"}, "Enter a number"),
        ({"quantity": "١٢"}, "Enter a number"),
        ({"price": "1e400"}, "is not within ±99999"),
        ({"quantity": "0"}, "is not above 0"),
        ({"quantity": "-1"}, "is not above 0"),
        ({"direction": "hold"}, "Select a valid choice"),
        ({"delivery_day": "tomorrow"}, "is not a delivery day of the form YYYY-MM-DD"),
        ({"delivery_hour": "25-26"}, "25-26"),
        ({"trader_id": ""}, "This field is required"),
        ({"trader_id": "x" * 256}, "has 256 characters"),
        ({"trader_id": "a\nb"}, "has control characters"),
        ({"reason": ""}, "This field is required"),
        ({"reason": "   "}, "This field is required"),
        ({"reason": "x" * 501}, "at most 500 characters"),
        ({"price": "20.5"}, "Nothing would change"),
    ],
)
def test_a_wrong_correction_changes_nothing_and_keeps_what_was_typed(changes: dict[str, str], sentence: str) -> None:
    trade, before = a_trade(), state()
    answer = decide(logged_in("judge_trade"), trade, "correct", **{**CORRECTION, "price": "11", **changes})
    text = answer.content.decode()
    assert answer.status_code == 422
    assert sentence in text
    assert 'value="12-13"' in text or "delivery_hour" in changes
    assert state() == before


def test_the_correction_starts_from_the_facts_that_count_now() -> None:
    trade = a_trade()
    client = logged_in("judge_trade")
    decide(client, trade, "correct", **{**CORRECTION, "delivery_hour": "14:00-15:00", "trader_id": " <b>new</b> "})
    text = client.get(page_of(trade)).content.decode()
    assert 'value="14-15"' in text
    assert 'value="10"' in text
    assert 'value=" &lt;b&gt;new&lt;/b&gt; "' in text
    assert "buy 12 MW at 10 EUR/MWh, 2026-11-23 14-15,  &lt;b&gt;new&lt;/b&gt; " in text
    change = TradeChange.objects.get()
    assert (change.price, change.delivery_hour, change.made_by.is_staff) == (Decimal(10), "14-15", True)


def test_a_frame_that_is_stored_already_is_not_said_to_be_booked(root: Client) -> None:
    a_trade()
    message = kept_aside(confirmation(1))
    decide(root, message, "retry")
    assert said(root, message) == ["Trade 1 is stored already, and says the same: the frame is handled."]
    assert Trade.objects.count() == 1


def test_a_cancelled_trade_offers_no_decision_and_says_why(root: Client) -> None:
    trade = a_trade()
    decide(root, trade, "cancel", reason="<i>mistake</i>")
    text = root.get(page_of(trade)).content.decode()
    assert "/decide/" not in text
    assert "&lt;i&gt;mistake&lt;/i&gt;" in text
    assert "it counts nowhere" in text
    late = decide(root, trade, "correct", **CORRECTION)
    assert "Trade 1 is cancelled already." in late.content.decode()


def test_a_trade_shows_its_facts_flags_and_source(root: Client) -> None:
    store(confirmation(1, execution_time="2026-11-20T08:00:00Z", trader_id="nobody"), journal="ab12")
    text = root.get(page_of(Trade.objects.get())).content.decode()
    assert "unknown trader, odd execution time" in text
    assert "frame 1 of journal ab12" in text
    assert "Nothing: it counts as it was confirmed." in text


def test_a_conflict_stands_beside_the_stored_trade(root: Client) -> None:
    message = a_conflict()
    text = root.get(page_of(message)).content.decode()
    assert "differs" in text
    row = text.split("price (per MWh)</th>")[1].split("</tr>")[0]
    assert ["20.5" in row, ">10 " in row] == [True, True]
    assert f'href="/admin/trades/trade/{Trade.objects.get().pk}/change/"' in text
    assert "/decide/retry/" not in text


def test_a_conflicting_line_of_a_csv_file_can_only_be_dismissed_here(root: Client) -> None:
    a_trade()
    message = kept_aside(b"1,10,12,buy,2026-11-23,12,trader_1,2026-11-23T08:59:59Z", "conflict")
    message.kind, message.exchange_id = "conflict", "1"
    emptied(QuarantinedMessage)
    message.save(force_insert=True)
    text = root.get(page_of(message)).content.decode()
    assert "correct the trade there" in text
    assert "/decide/accept/" not in text
    assert "corrects no stored trade" in decide(root, message, "accept", reason="x").content.decode()


def test_a_frame_that_is_still_unusable_is_refused_in_one_sentence(root: Client) -> None:
    message = kept_aside(b"garbage")
    answer = decide(root, message, "retry")
    assert "The frame still can&#x27;t be booked: not JSON" in answer.content.decode()
    message.refresh_from_db()
    assert message.status == "open"


@pytest.mark.parametrize(
    ("raw", "shown"),
    [
        (b"<script>alert(1)</script>", "&lt;script&gt;alert(1)&lt;/script&gt;"),
        (b"\x00\x1b[31m\xff", "\\x00\\x1b[31m\\xff"),
        ("\u202eevil".encode(), "\\u202eevil"),
        (b"", "0 bytes"),
        (b"x" * 5000, f"{'x' * 4000} … (5000 bytes in all)"),
    ],
)
def test_a_frame_is_shown_as_text_whatever_it_holds(root: Client, raw: bytes, shown: str) -> None:
    message = kept_aside(raw)
    text = root.get(page_of(message)).content.decode()
    assert shown in text
    assert f"{len(raw)} bytes" in text
    assert "x" * 4001 not in text
    assert "alert(1)</script>" not in text.replace("&lt;/script", "")


def test_no_page_needs_inline_script_or_style(root: Client) -> None:
    rows = [kept_aside(b"x"), a_gap(), a_trade()]
    pages = [root.get(page_of(row)).content.decode() for row in rows]
    pages.append(decide(root, rows[2], "cancel", reason="").content.decode())
    for text in pages:
        assert "<style" not in text
        assert " style=" not in text
        assert " onclick=" not in text
        assert "/static/css/decisions.css" in text


def test_open_ones_come_first_and_can_be_filtered(root: Client) -> None:
    done, waiting = kept_aside(b"1"), kept_aside(b"2")
    newest = kept_aside(b"3")
    decide(root, newest, "dismiss", note="seen")
    listed = root.get("/admin/trades/quarantinedmessage/").context["cl"].result_list
    assert [row.pk for row in listed] == [waiting.pk, done.pk, newest.pk]
    only = root.get("/admin/trades/quarantinedmessage/?status__exact=dismissed").context["cl"].result_list
    assert [row.pk for row in only] == [newest.pk]
    closed, still = a_gap(10), a_gap(5)
    decide(root, closed, "close", note="compared with the file")
    listed = root.get("/admin/trades/feedgap/").context["cl"].result_list
    assert [row.pk for row in listed] == [still.pk, closed.pk]
    assert [row.pk for row in root.get("/admin/trades/feedgap/?closed_at__isempty=1").context["cl"].result_list] == [
        still.pk
    ]


def test_decisions_are_in_the_admins_history(root: Client) -> None:
    trade = a_trade()
    decide(root, trade, "cancel", reason="mistake")
    assert "Trade 1 is cancelled." in root.get(page_of(trade).replace("/change/", "/history/")).content.decode()


@pytest.mark.parametrize(("row", "decision"), [("0", "cancel"), ("abc", "cancel"), ("1", "explode")])
def test_what_is_not_there_is_not_found(root: Client, row: str, decision: str) -> None:
    assert root.post(f"/admin/trades/trade/{row}/decide/{decision}/").status_code == 404


@pytest.mark.parametrize("make", [a_trade, a_conflict, a_gap])
def test_facts_can_only_be_read(root: Client, make: Callable[[], Row]) -> None:
    row = make()
    address = f"/admin/trades/{row._meta.model_name}"
    assert root.get(f"{address}/add/").status_code == 403
    assert root.post(page_of(row), {"price": "1", "note": "x"}).status_code == 403
    assert root.post(f"{address}/{row.pk}/delete/", {"post": "yes"}).status_code == 403
    assert type(row).objects.filter(pk=row.pk).exists()  # type: ignore[attr-defined]


def test_listeners_show_how_they_are_doing(root: Client) -> None:
    FeedConnection.objects.create(
        market=germany(), listener="l1", connected_at=NOW, alive_at=NOW, journal_failed=True, waiting=123, overflows=45
    )
    text = root.get("/admin/trades/feedconnection/").content.decode()
    assert ["field-journal_failed" in text, ">123<" in text, ">45<" in text] == [True] * 3
    JournalProgress.objects.create(market=germany(), journal="j", listener="l1", complete=True)
    assert "field-complete" in root.get("/admin/trades/journalprogress/").content.decode()


def test_lists_cost_the_same_however_many_rows(root: Client, django_assert_max_num_queries: Any) -> None:
    user = User.objects.get()
    store(*(confirmation(n, trader_id=f"trader_{n % 7}") for n in range(150)))
    store(*(confirmation(n, price=1) for n in range(60)), journal="second")
    for trade in Trade.objects.all()[:20]:
        cancel_trade(trade=trade, reason="x", user=user)
    for minute in range(0, 60, 2):
        a_gap(minute)
    for model in ("trade", "quarantinedmessage", "feedgap", "position", "feedconnection", "journalprogress"):
        with django_assert_max_num_queries(9):
            assert root.get(f"/admin/trades/{model}/").status_code == 200
    text = root.get("/admin/trades/trade/").content.decode()
    assert text.count(">cancelled<") == 20


def test_an_accepted_conflict_is_on_record_with_who_and_why(root: Client) -> None:
    message = a_conflict()
    decide(root, message, "accept", reason="the exchange says so")
    message.refresh_from_db()
    assert (message.status, message.note, str(message.handled_by)) == ("retried", "the exchange says so", "root")
    assert Position.objects.get().turnover == Decimal(120)


def test_two_corrections_hold_in_order(root: Client) -> None:
    trade = a_trade()
    decide(root, trade, "correct", **CORRECTION)
    decide(root, trade, "correct", **{**CORRECTION, "price": "100", "reason": "again"})
    assert Position.objects.get().turnover == Decimal(1200)
    assert root.get(page_of(trade)).content.decode().count("2026-11-23 12-13, trader_1") == 2
