"""Decisions of authorised people: rows of their own, exact positions, no revival."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest
from django.contrib.auth.models import User

from tests.trades.frames import NOW, confirmation, germany, store
from trades.feed.connections import (
    ListenerHealth,
    close_connection,
    keep_connection_alive,
    open_connection,
    record_gaps,
)
from trades.feed.gap_coverage import OpenGap, covers
from trades.ledger.confirmations import TradeConfirmation, parse_frame
from trades.ledger.decisions import (
    DecisionError,
    accept_as_correction,
    cancel_trade,
    close_gap,
    correct_trade,
    dismiss_frame,
    note_covered_gaps,
    retry_frame,
)
from trades.ledger.effective import position_differences
from trades.models import FeedConnection, FeedGap, Position, QuarantinedMessage, Trade, TradeChange

pytestmark = [pytest.mark.integration, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def user() -> User:
    return User.objects.create_user("ops")


def facts(**changes: object) -> TradeConfirmation:
    parsed = parse_frame(confirmation(1, **changes), ZoneInfo("Europe/Berlin"))
    assert isinstance(parsed, TradeConfirmation)
    return parsed


def counted() -> list[tuple[str, int, Decimal, Decimal]]:
    rows = Position.objects.filter(trade_count__gt=0).order_by("delivery_start", "direction")
    return [(p.direction, p.trade_count, p.energy, p.turnover) for p in rows]


def test_a_cancelled_trade_counts_no_longer_and_a_late_duplicate_does_not_revive_it(user: User) -> None:
    store(confirmation(1), confirmation(2))
    cancel_trade(trade=Trade.objects.get(exchange_id="1"), reason="mistake", user=user)
    assert counted() == [("buy", 1, Decimal(12), Decimal(246))]
    assert store(confirmation(1), first=3).duplicates == 1
    assert counted() == [("buy", 1, Decimal(12), Decimal(246))]
    assert position_differences() == []
    change = TradeChange.objects.get()
    assert (change.kind, change.reason, change.made_by) == ("cancelled", "mistake", user)
    assert Trade.objects.count() == 2


def test_the_last_trade_of_a_position_can_be_cancelled(user: User) -> None:
    store(confirmation(1))
    cancel_trade(trade=Trade.objects.get(), reason="mistake", user=user)
    assert counted() == []
    assert position_differences() == []
    store(confirmation(2), first=2)
    assert counted() == [("buy", 1, Decimal(12), Decimal(246))]


def test_a_correction_counts_with_its_own_facts(user: User) -> None:
    store(confirmation(1), confirmation(2))
    trade = Trade.objects.get(exchange_id="1")
    correct_trade(trade=trade, facts=facts(price=10), reason="typo", user=user)
    assert counted() == [("buy", 2, Decimal(24), Decimal(366))]
    correct_trade(trade=trade, facts=facts(direction="sell", delivery_hour="13-14"), reason="side", user=user)
    assert counted() == [("buy", 1, Decimal(12), Decimal(246)), ("sell", 1, Decimal(12), Decimal(246))]
    assert position_differences() == []
    trade.refresh_from_db()
    assert (trade.price, trade.direction) == (Decimal("20.5"), "buy")
    cancel_trade(trade=trade, reason="after all", user=user)
    assert counted() == [("buy", 1, Decimal(12), Decimal(246))]
    assert position_differences() == []


def test_a_trade_is_cancelled_once_and_never_without_a_reason(user: User) -> None:
    store(confirmation(1))
    trade = Trade.objects.get()
    with pytest.raises(DecisionError, match="reason is empty"):
        cancel_trade(trade=trade, reason="  ", user=user)
    assert counted() == [("buy", 1, Decimal(12), Decimal(246))]
    cancel_trade(trade=trade, reason="mistake", user=user)
    for decide in (
        lambda: cancel_trade(trade=trade, reason="again", user=user),
        lambda: correct_trade(trade=trade, facts=facts(), reason="again", user=user),
    ):
        with pytest.raises(DecisionError, match="cancelled already"):
            decide()


def test_trades_that_arrive_while_a_position_is_rebuilt_are_counted(user: User) -> None:
    store(confirmation(1), confirmation(2))
    correct_trade(trade=Trade.objects.get(exchange_id="1"), facts=facts(price=1), reason="typo", user=user)
    store(confirmation(3), first=3)
    assert counted() == [("buy", 3, Decimal(36), Decimal(504))]
    assert position_differences() == []


def test_a_frame_that_can_be_booked_now_is_retried(user: User) -> None:
    store(confirmation(1))
    QuarantinedMessage.objects.create(
        market=germany(),
        kind="unusable",
        reason="refused_by_database",
        detail="x",
        raw=confirmation(7),
        listener="l",
        received_at=NOW,
        source="s",
        source_position=1,
    )
    message = QuarantinedMessage.objects.get()
    trade = retry_frame(message=message, note="mended", user=user, now=NOW)
    assert (trade.exchange_id, trade.source) == ("7", f"quarantine-{message.pk}")
    assert counted()[0][1] == 2
    message.refresh_from_db()
    assert (message.status, message.handled_by, message.note) == ("retried", user, "mended")
    with pytest.raises(DecisionError, match="already"):
        retry_frame(message=message, note="", user=user, now=NOW)


def test_a_frame_that_is_still_unusable_stays_open(user: User) -> None:
    store(b"garbage")
    message = QuarantinedMessage.objects.get()
    with pytest.raises(DecisionError, match="still can't be booked"):
        retry_frame(message=message, note="", user=user, now=NOW)
    with pytest.raises(DecisionError, match="reason is empty"):
        dismiss_frame(message=message, note="", user=user, now=NOW)
    message.refresh_from_db()
    assert message.status == "open"
    dismiss_frame(message=message, note="a heartbeat", user=user, now=NOW)
    message.refresh_from_db()
    assert (message.status, message.note) == ("dismissed", "a heartbeat")


def test_a_conflict_can_be_accepted_as_a_correction(user: User) -> None:
    store(confirmation(1), confirmation(1, price=10))
    message = QuarantinedMessage.objects.get()
    with pytest.raises(DecisionError, match="accept this frame as its correction"):
        retry_frame(message=message, note="", user=user, now=NOW)
    accept_as_correction(message=message, reason="the exchange says so", user=user, now=NOW)
    assert counted() == [("buy", 1, Decimal(12), Decimal(120))]
    assert position_differences() == []


def connect(listener: str, second: float) -> int:
    return open_connection(market=germany(), listener=listener, at=NOW + timedelta(seconds=second))


def alive(pk: int, second: float) -> None:
    keep_connection_alive(connection_pk=pk, health=ListenerHealth(at=NOW + timedelta(seconds=second)))


def gaps() -> list[tuple[float, float]]:
    rows = FeedGap.objects.order_by("started_at")
    return [((g.started_at - NOW).total_seconds(), (g.ended_at - NOW).total_seconds()) for g in rows]


def test_a_lone_listener_that_was_killed_leaves_a_gap_from_its_last_word(user: User) -> None:
    alive(connect("l1", 0), 20)
    connect("l1", 23)
    assert gaps() == [(20, 23)]
    assert FeedConnection.objects.filter(disconnected_at=None).count() == 1
    record_gaps(market_id=germany().pk, now=NOW + timedelta(seconds=60))
    assert gaps() == [(20, 23)]


def test_a_second_listener_that_stays_leaves_no_gap() -> None:
    other = connect("l2", 0)
    alive(connect("l1", 1), 20)
    alive(other, 22)
    connect("l1", 24)
    alive(other, 60)
    record_gaps(market_id=germany().pk, now=NOW + timedelta(seconds=60))
    assert gaps() == []


def test_two_that_died_one_after_the_other_leave_the_gap_between() -> None:
    alive(connect("l1", 0), 20)
    alive(connect("l2", 1), 25)
    connect("l1", 30)
    record_gaps(market_id=germany().pk, now=NOW + timedelta(seconds=60))
    assert gaps() == [(25, 30)]


def open_gaps() -> list[FeedGap]:
    return list(FeedGap.objects.filter(closed_at=None))


def test_a_gap_is_open_until_it_is_closed_with_a_note(user: User) -> None:
    pk = connect("l1", 0)
    end = NOW + timedelta(seconds=5)
    close_connection(market=germany(), connection_pk=pk, at=end, health=ListenerHealth(at=end), reason="cut")
    connect("l1", 6)
    (gap,) = open_gaps()
    with pytest.raises(DecisionError, match="reason is empty"):
        close_gap(gap=gap, note=" ", user=user, now=NOW)
    close_gap(gap=gap, note="compared with the exchange's file", user=user, now=NOW)
    assert open_gaps() == []
    with pytest.raises(DecisionError, match="closed already"):
        close_gap(gap=gap, note="again", user=user, now=NOW)


def test_an_import_closes_the_gaps_that_it_covers() -> None:
    alive(connect("l1", 0), 10)
    alive(connect("l1", 20), 30)
    connect("l1", 40)
    assert gaps() == [(10, 20), (30, 40)]
    waiting = [OpenGap(gap.pk, gap.started_at, gap.ended_at) for gap in open_gaps()]
    said = covers(waiting, (NOW, NOW + timedelta(seconds=25)), [])
    assert note_covered_gaps(market_id=germany().pk, covers=said, file="day.csv", now=NOW) == 1
    (still,) = open_gaps()
    assert (still.started_at - NOW).total_seconds() == 30


# --- what says the same as a decision -------------------------------------------------------------------------------
@pytest.mark.parametrize("by_hand", [False, True])
def test_a_frame_that_says_what_counts_now_is_handled_and_is_a_duplicate(user: User, by_hand: bool) -> None:
    for journal in ("one", "two"):
        store(confirmation(1), confirmation(1, price=10), confirmation(1, price=9), journal=journal)
    first = QuarantinedMessage.objects.order_by("id")[0]
    if by_hand:
        correct_trade(trade=Trade.objects.get(), facts=facts(price=10), reason="as said", user=user)
    else:
        accept_as_correction(message=first, reason="as said", user=user, now=NOW)
    states = QuarantinedMessage.objects.order_by("id").values_list("status", "note", "handled_by")
    assert list(states) == [("retried", "as said", user.pk), ("open", "", None)] * 2
    late = store(
        *(confirmation(1, price=10, execution_time=f"2026-11-23T{when}Z") for when in ("08:59:59", "09:30:00")),
        confirmation(1),
        confirmation(1, price=11),
        journal="late",
    )
    assert (late.duplicates, late.conflicts) == (3, 1)
    assert counted() == [("buy", 1, Decimal(12), Decimal(120))]


def test_the_other_side_of_a_corrected_trade_is_no_conflict(user: User) -> None:
    store(confirmation(1), confirmation(1, price=10))
    accept_as_correction(message=QuarantinedMessage.objects.get(), reason="as said", user=user, now=NOW)
    store(confirmation(1, price=10, direction="sell"), journal="late")
    assert QuarantinedMessage.objects.get(status="open").reason == "both_sides"
    cancel_trade(trade=Trade.objects.get(), reason="mistake", user=user)
    store(confirmation(1, price=10), journal="later")
    assert QuarantinedMessage.objects.filter(status="open", reason="conflict").count() == 1, "it counts no longer"
