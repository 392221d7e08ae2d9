"""Storing frames in PostgreSQL: once each, positions exact, everything counted."""

from __future__ import annotations

import random
import threading
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from market.totals import Total
from tests.emptying import emptied
from tests.trades.frames import confirmation, germany, numbered, store
from trades.frames import FrameSource
from trades.ledger.confirmations import Unusable, parse_frame
from trades.ledger.effective import position_differences
from trades.ledger.position_history import slot_differences
from trades.ledger.rebuild import rebuild_positions
from trades.ledger.store import store_frames
from trades.models import JournalProgress, Position, QuarantinedMessage, Trade, Trader
from trades.queries import frame_counts
from trades.signals import positions_changed

pytestmark = [pytest.mark.integration, pytest.mark.django_db(transaction=True)]


def add_up() -> bool:
    counts = frame_counts(market_id=germany().pk)
    return counts["received"] == sum(counts.values()) - counts["received"]


def test_a_trade_is_one_row_with_its_facts_and_its_position() -> None:
    result = store(confirmation(1, price=-1.25, delivery_hour="12:15-12:30", direction="sell"))
    assert (result.received, result.stored) == (1, 1)
    trade = Trade.objects.get()
    assert (trade.exchange_id, trade.price, trade.quantity, trade.direction) == (
        "1",
        Decimal("-1.25"),
        Decimal(12),
        "sell",
    )
    assert (trade.delivery_day, trade.delivery_hour) == (date(2026, 11, 23), "12:15-12:30")
    assert trade.delivery_start.isoformat() == "2026-11-23T11:15:00+00:00"
    assert (trade.source, trade.source_position) == ("test-journal", 1)
    position = Position.objects.get()
    assert (position.trade_count, position.energy, position.turnover) == (1, Decimal(3), Decimal("-3.75"))


def test_a_duplicate_is_counted_and_not_stored() -> None:
    assert store(confirmation(1), confirmation(1)).duplicates == 1
    assert store(confirmation(1), first=3).duplicates == 1
    assert (Trade.objects.count(), Position.objects.get().trade_count) == (1, 1)
    assert add_up()


def test_a_conflict_keeps_the_first_and_the_second_aside() -> None:
    result = store(confirmation(1), confirmation(1, price=21), confirmation(1, trader_id="trader_2"))
    assert (result.stored, result.conflicts, result.duplicates) == (1, 2, 0)
    assert Trade.objects.get().price == Decimal("20.5")
    first, second = QuarantinedMessage.objects.order_by("source_position")
    assert (first.kind, first.exchange_id, bytes(first.raw)) == ("conflict", "1", confirmation(1, price=21))
    assert "another price" in first.detail
    assert "another trader_id" in second.detail
    assert add_up()


def test_the_same_facts_written_otherwise_are_a_duplicate() -> None:
    store(confirmation(1, price=20.5, delivery_hour="23-24", execution_time="2026-11-23T08:59:59Z"))
    again = confirmation(
        1, price=20.50, delivery_hour="23-00", execution_time="2026-11-23T09:59:59.000+01:00", extra="ignored"
    )
    assert store(again, first=2).duplicates == 1


def test_unusable_frames_are_kept_aside_between_good_ones() -> None:
    bad = [b"", b"\xff", b'{"heartbeat": 1}', confirmation("x", quantity=0), b"\x00", b"[" * 100_000]
    frames = [f for pair in zip([confirmation(i) for i in range(len(bad))], bad, strict=True) for f in pair]
    result = store(*frames)
    assert (result.stored, result.quarantined) == (len(bad), len(bad))
    kept = {bytes(m.raw): m.reason for m in QuarantinedMessage.objects.all()}
    assert kept == dict(
        zip(bad, ["empty", "not_utf8", "other_message", "bad_quantity", "not_json", "too_deep"], strict=True)
    )
    assert add_up()


def test_a_frame_is_looked_at_once_however_often_it_is_replayed() -> None:
    frames = [confirmation(1), b"garbage", confirmation(1), confirmation(1, price=3)]
    store(*frames)
    before = frame_counts(market_id=germany().pk)
    assert store(*frames).received == 0
    assert frame_counts(market_id=germany().pk) == before
    assert QuarantinedMessage.objects.count() == 2


def test_two_journals_of_one_feed_are_one_set_of_trades() -> None:
    frames = [confirmation(i) for i in range(10)]
    assert store(*frames, journal="one").stored == 10
    assert store(*frames, journal="two").duplicates == 10
    assert (Trade.objects.count(), Position.objects.get().trade_count) == (10, 10)


def test_an_unknown_trader_is_booked_flagged_and_appears() -> None:
    store(confirmation(1, trader_id="🌞/<b>"))
    trader = Trader.objects.get()
    assert (trader.trader_id, trader.is_known) == ("🌞/<b>", False)
    assert "unknown_trader" in Trade.objects.get().flags
    Trader.objects.update(is_known=True)
    store(confirmation(2, trader_id="🌞/<b>"), first=2)
    assert Trade.objects.get(exchange_id="2").flags == []


def test_a_frame_that_the_database_refuses_is_kept_aside_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE trades_trade ADD CONSTRAINT t CHECK (exchange_id <> 'cursed')")
    try:
        result = store(confirmation(1), confirmation("cursed"), confirmation(2))
    finally:
        with connection.cursor() as cursor:
            cursor.execute("ALTER TABLE trades_trade DROP CONSTRAINT t")
    assert (result.stored, result.quarantined) == (2, 1)
    assert QuarantinedMessage.objects.get().reason == "refused_by_database"
    assert add_up()


def test_news_is_sent_after_the_commit_and_a_failing_receiver_harms_nobody() -> None:
    heard: list[Any] = []

    def receiver(changes: Any, **_: Any) -> None:
        heard.append((changes, Trade.objects.count()))
        raise RuntimeError("receiver failed")

    positions_changed.connect(receiver)
    try:
        store(confirmation(1), confirmation(2))
        store(confirmation(1), first=3)
    finally:
        positions_changed.disconnect(receiver)
    trader = Trader.objects.get()
    assert heard == [(frozenset({(trader.pk, germany().pk, date(2026, 11, 23))}), 2)]


def test_eight_threads_with_the_same_frames_make_one_row_each() -> None:
    market = germany()
    frames = [
        confirmation(i, trader_id=f"trader_{i % 3}", delivery_hour=f"{i % 20:02d}-{i % 20 + 1:02d}") for i in range(60)
    ]
    failures: list[BaseException] = []

    def work(number: int) -> None:
        try:
            mine = frames[:]
            random.Random(number).shuffle(mine)
            for start in range(0, 60, 15):
                source = FrameSource(f"journal-{number}", f"listener-{number}")
                batch = numbered(*mine[start : start + 15], first=start + 1)
                store_frames(market=market, source=source, frames=batch)
        except BaseException as error:
            failures.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=work, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert failures == []
    assert Trade.objects.count() == 60
    assert position_differences() == []
    counts = frame_counts(market_id=market.pk)
    assert (counts["received"], counts["stored"], counts["duplicates"]) == (480, 60, 420)


trades = st.lists(
    st.tuples(
        st.integers(0, 30),
        st.decimals(-500, 500, places=4),
        st.decimals("0.0001", 500, places=4),
        st.sampled_from(["buy", "sell"]),
        st.sampled_from(["12-13", "12:15-12:30", "12:30-13:00", "13-14"]),
        st.sampled_from(["a", "b"]),
    ),
    max_size=30,
)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(trades=trades, cut=st.integers(0, 30))
def test_positions_always_equal_their_trades(trades: list[Any], cut: int) -> None:
    emptied(Trade, Position, QuarantinedMessage, JournalProgress)
    frames = [
        confirmation(i, price="@p", quantity="@q", direction=side, delivery_hour=hour, trader_id=trader)
        .replace(b'"@p"', str(price).encode())
        .replace(b'"@q"', str(quantity).encode())
        for i, price, quantity, side, hour, trader in trades
    ]
    store(*frames[:cut])
    store(*frames[cut:], first=cut + 1)
    assert position_differences() == []
    assert slot_differences() == []
    assert add_up()
    assert Trade.objects.count() == len({t[0] for t in trades})
    assert by_position() == added_up(frames)


def by_position() -> dict[tuple[str, ...], Total]:
    rows = Position.objects.values_list(
        *("trader__trader_id", "delivery_hour", "direction", "trade_count", "energy", "turnover", "quantity")
    )
    return {row[:3]: Total(*row[3:]) for row in rows}


def added_up(frames: list[bytes]) -> dict[tuple[str, ...], Total]:
    """The same by Python's arithmetic: positions and their check are both PostgreSQL's."""
    parsed = [c for c in (parse_frame(frame, germany().calendar) for frame in frames) if not isinstance(c, Unusable)]
    first = {c.exchange_id: c for c in reversed(parsed)}
    sums: dict[tuple[str, ...], Total] = {}
    for c in first.values():
        key = (c.trader_id, c.delivery_hour, c.direction)
        sums[key] = sums.get(key, Total()) + Total.of(c)
    return sums


def test_a_journal_goes_on_where_it_is_whatever_is_missing_or_comes_again() -> None:
    """A damaged stretch has no frames; what another process has stored meanwhile is not looked at again."""
    market, source = germany(), FrameSource("holes", "listener-1")
    frames = numbered(*[confirmation(n, trader_id=f"trader_{n // 4}") for n in range(1, 13)])
    results = [
        store_frames(market=market, source=source, frames=some)
        for some in (frames[:3], frames[5:7], frames[4:9], frames[:9], [], frames[8:])
    ]
    assert [(r.received, r.stored) for r in results] == [(3, 3), (2, 2), (2, 2), (0, 0), (0, 0), (3, 3)]
    assert JournalProgress.objects.get().position == 12
    assert (Trade.objects.count(), position_differences(), add_up()) == (10, [], True)


def test_a_wrong_position_is_found_and_mended() -> None:
    store(confirmation(1), confirmation(2, direction="sell"))
    Position.objects.filter(direction="buy").update(turnover=1)
    Position.objects.filter(direction="sell").delete()
    differences = position_differences()
    assert [d.key[2] for d in differences] == ["buy", "sell"]
    assert "1 instead of 246 EUR" in str(differences[0])
    assert rebuild_positions(keys=[d.key for d in differences]) == 2
    assert position_differences() == []


def test_the_database_itself_refuses_what_must_not_be() -> None:
    store(confirmation(1))
    for change in ({"quantity": 0}, {"direction": "hold"}, {"price": Decimal("99999.5")}, {"exchange_id": "a\nb"}):
        with pytest.raises(IntegrityError), transaction.atomic():
            Trade.objects.update(**change)
