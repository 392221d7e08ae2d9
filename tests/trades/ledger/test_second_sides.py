"""Both sides of a trade of the desk with itself: each is corrected for itself, and booked or refused in words."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from django.contrib.auth.models import Permission, User
from django.test import Client

from tests.trades.frames import NOW, confirmation, germany, store
from trades.ledger import decisions
from trades.ledger.decisions import DecisionError, accept_as_correction, book_second_side, retry_frame
from trades.ledger.effective import position_differences
from trades.ledger.judging_again import judge_again
from trades.models import Position, QuarantinedMessage, Trade

pytestmark = [pytest.mark.integration, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def user() -> User:
    return User.objects.create_superuser("ops")


def side(direction: str, trade_id: str = "X1", **changes: Any) -> bytes:
    trader = "trader_1" if direction == "buy" else "trader_2"
    return confirmation(trade_id, **{"direction": direction, "trader_id": trader, **changes})


def aside() -> QuarantinedMessage:
    return QuarantinedMessage.objects.get(status="open")


def both_booked(user: User) -> None:
    store(side("buy"), side("sell"))
    book_second_side(message=aside(), note="", user=user, now=NOW)


def counted() -> set[tuple[str, str, Decimal, Decimal]]:
    """Trader, direction, MWh and EUR of each position."""
    return set(Position.objects.values_list("trader__trader_id", "direction", "energy", "turnover"))


@pytest.mark.parametrize(
    ("direction", "buy", "sell"), [("sell", "20.5", "21.5"), ("buy", "21.5", "20.5")], ids=["second", "first"]
)
def test_a_conflict_corrects_the_side_that_it_is_about(
    client: Client, user: User, direction: str, buy: str, sell: str
) -> None:
    both_booked(user)
    store(side(direction, price=21.5), journal="later")
    client.force_login(user)
    page = client.get(f"/admin/trades/quarantinedmessage/{aside().pk}/change/")
    its_name = {"buy": "X1", "sell": "X1 (sell)"}[direction]
    assert str(page.context["trade"]) == its_name
    assert [fact for fact, *_, differs in page.context["comparison"] if differs] == ["price (per MWh)"]
    change = accept_as_correction(message=aside(), reason="the exchange says so", user=user, now=NOW)
    assert change.trade == Trade.objects.get(exchange_id=its_name)
    assert counted() == {
        ("trader_1", "buy", Decimal(12), 12 * Decimal(buy)),
        ("trader_2", "sell", Decimal(12), 12 * Decimal(sell)),
    }
    assert position_differences() == []


# --- the second side's own id --------------------------------------------------------------------------------------
def test_a_second_side_is_booked_whatever_other_trades_are_called(user: User) -> None:
    store(side("buy"), confirmation("X1 (sell)", delivery_hour="13-14"), side("sell"))
    second = book_second_side(message=aside(), note="", user=user, now=NOW)
    assert (second.second_side_of, second.direction) == (Trade.objects.get(exchange_id="X1"), "sell")
    assert second.exchange_id.startswith("X1… ")
    assert Trade.objects.count() == 3
    assert store(side("sell"), journal="again").duplicates == 1
    assert position_differences() == []


def test_ids_that_begin_alike_have_a_second_side_each(user: User) -> None:
    ids = [f"{'i' * 254}{end}" for end in "ab"]
    store(*[side(direction, trade_id) for trade_id in ids for direction in ("buy", "sell")])
    for message in QuarantinedMessage.objects.order_by("id"):
        second = book_second_side(message=message, note="", user=user, now=NOW)
        assert second.exchange_id.endswith(" (sell)"), "an export is told by it"
    assert [trade.second_sides.count() for trade in Trade.objects.filter(exchange_id__in=ids)] == [1, 1]
    assert {energy for *_, energy, _ in counted()} == {Decimal(24)}
    assert position_differences() == []


def test_what_can_not_be_booked_is_refused_and_stays_open(user: User, monkeypatch: pytest.MonkeyPatch) -> None:
    store(side("buy"), confirmation("X1 (sell)"), side("sell"))
    monkeypatch.setattr(decisions, "_second_sides_id", lambda *_: "X1 (sell)")  # as if it were stored meanwhile
    with pytest.raises(DecisionError, match="was stored at this very moment"):
        book_second_side(message=aside(), note="", user=user, now=NOW)
    monkeypatch.undo()
    monkeypatch.setattr(decisions, "_DIGITS", 0)
    store(confirmation("X1…  (sell)"), journal="odd")
    with pytest.raises(DecisionError, match="no id is free"):
        book_second_side(message=aside(), note="", user=user, now=NOW)
    assert (aside().reason, Trade.objects.count()) == ("both_sides", 3)


def test_only_frames_that_say_the_same_are_handled_with_it(user: User) -> None:
    store(side("buy"), side("sell"), side("sell"), side("sell", trader_id="trader_3"))
    message = QuarantinedMessage.objects.order_by("id").first()
    assert message is not None
    book_second_side(message=message, note="", user=user, now=NOW)
    assert b"trader_3" in bytes(aside().raw)
    accept_as_correction(message=aside(), reason="it was hers", user=user, now=NOW)
    assert {(trader, energy) for trader, _, energy, _ in counted() if energy} == {("trader_1", 12), ("trader_3", 12)}
    assert not QuarantinedMessage.objects.filter(status="open").exists()


# --- kept aside unread, and readable by now --------------------------------------------------------------------------
def unread(raw: bytes) -> QuarantinedMessage:
    """A frame that an older rule could not read, not even its id."""
    return QuarantinedMessage.objects.create(
        market=germany(),
        kind="unusable",
        reason="not_json",
        detail="a sentence",
        raw=raw,
        listener="listener-2",
        received_at=NOW,
        source="older",
        source_position=QuarantinedMessage.objects.count(),
    )


@pytest.mark.parametrize(
    ("frame", "sentence", "offered"),
    [
        (side("sell"), "its other side; book the second side", "second-side"),
        (side("buy", price=21.5), "accept this frame as its correction", "accept"),
    ],
    ids=["other side", "conflict"],
)
def test_a_frame_is_offered_what_it_is_by_now(
    client: Client, user: User, frame: bytes, sentence: str, offered: str
) -> None:
    store(side("buy"))
    message = unread(frame)
    again = judge_again(reason="not_json", now=NOW)
    assert (again.other_sides, again.conflicts) == ((1, 0) if offered == "second-side" else (0, 1))
    assert ("1 the other side of a stored trade" in str(again)) == (offered == "second-side")
    with pytest.raises(DecisionError, match=sentence):
        retry_frame(message=message, note="", user=user, now=NOW)
    looker = User.objects.create_user("looker", is_staff=True)
    looker.user_permissions.set(Permission.objects.filter(codename__in=["judge_quarantine", "view_quarantinedmessage"]))
    address = f"/admin/trades/quarantinedmessage/{message.pk}"
    fields = {f"{offered}-{name}": "the exchange says so" for name in ("note", "reason")}
    client.force_login(looker)
    seen = client.get(f"{address}/change/")
    assert ("comparison" in seen.context, f"/decide/{offered}/" in seen.content.decode()) == (False, False)
    assert client.post(f"{address}/decide/{offered}/", fields).status_code == 404, "who decides sees the trade"
    client.force_login(user)
    seen = client.get(f"{address}/change/")
    assert str(seen.context["trade"]) == "X1"
    assert [f"/decide/{name}/" in seen.content.decode() for name in (offered, "dismiss", "retry")] == [
        True,
        True,
        False,
    ]
    assert client.post(f"{address}/decide/{offered}/", fields).status_code == 302
    message.refresh_from_db()
    assert message.status == "retried"
    assert position_differences() == []


def test_an_other_side_is_never_accepted_as_a_correction(user: User) -> None:
    store(side("buy"), side("sell"))
    with pytest.raises(DecisionError, match="book the second side"):
        accept_as_correction(message=aside(), reason="x", user=user, now=NOW)
    assert counted() == {("trader_1", "buy", Decimal(12), Decimal(246))}
