"""The slots of positions: they add up to the position whatever happens, and follow corrections and cancellations."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest
from django.contrib.auth.models import User
from django.core.management import call_command
from django.db.models import Sum

from market.labels import parse_period
from tests.trades.frames import confirmation, germany, store
from trades.ledger.confirmations import TradeConfirmation, parse_frame
from trades.ledger.decisions import cancel_trade, correct_trade
from trades.ledger.position_history import slot_differences
from trades.models import Position, PositionSlot, Trade, Trader
from trades.queries import SLOT_SECONDS, slot_of, slots_of_day

pytestmark = [pytest.mark.integration, pytest.mark.django_db]


def slots() -> dict[tuple[str, int], tuple[int, Decimal, Decimal]]:
    """(direction, minutes after the first slot) -> count, MWh, EUR."""
    rows = PositionSlot.objects.values_list("position__direction", "slot", "trade_count", "energy", "turnover")
    first = min(row[1] for row in rows)
    return {(side, (slot - first) * SLOT_SECONDS // 60): (n, mwh, eur) for side, slot, n, mwh, eur in rows}


def some() -> None:
    store(
        confirmation(1, execution_time="2026-11-23T08:00:00Z", price=10, quantity=2),
        confirmation(2, execution_time="2026-11-23T08:09:59.999Z", price=-4, quantity=1),
        confirmation(3, execution_time="2026-11-23T09:10:00+01:00", price=7, quantity=1),
        confirmation(4, execution_time="2026-11-23T08:01:00Z", direction="sell", price=7, quantity=1.5),
    )


def test_trades_fall_into_the_ten_minutes_of_their_execution() -> None:
    some()
    assert slots() == {
        ("buy", 0): (2, 3, 16),
        ("buy", 10): (1, 1, 7),
        ("sell", 0): (1, Decimal("1.5"), Decimal("10.5")),
    }
    store(confirmation(1, execution_time="2026-11-23T08:00:00Z", price=10, quantity=2), journal="another")
    assert slots()["buy", 0] == (2, 3, 16), "a duplicate changes nothing"
    assert slot_differences() == []


def test_a_quarter_hours_energy_and_an_odd_time() -> None:
    store(
        confirmation(1, delivery_hour="12:15-12:30", quantity=4, price=3),
        confirmation(2, execution_time="0001-01-01T00:00:00Z"),
        confirmation(3, execution_time="9999-12-31T23:59:59Z"),
    )
    assert PositionSlot.objects.get(position__delivery_hour="12:15-12:30").turnover == 3
    assert slot_differences() == []


def test_they_follow_judgements() -> None:
    some()
    user = User.objects.create_user("judge")
    cancel_trade(trade=Trade.objects.get(exchange_id="2"), reason="twice", user=user)
    facts = parse_frame(confirmation(3, price=8, quantity=1, direction="sell"), germany().zone)
    assert isinstance(facts, TradeConfirmation)
    correct_trade(trade=Trade.objects.get(exchange_id="3"), facts=facts, reason="wrong side", user=user)
    assert slots() == {
        ("buy", 0): (1, 2, 20),
        ("sell", 0): (1, Decimal("1.5"), Decimal("10.5")),
        ("sell", 10): (1, 1, 8),
    }
    sums = PositionSlot.objects.values("position").annotate(n=Sum("trade_count"), eur=Sum("turnover"))
    for row in sums:
        position = Position.objects.get(pk=row["position"])
        assert (position.trade_count, position.turnover) == (row["n"], row["eur"])
    assert slot_differences() == []


def test_reading_a_day() -> None:
    some()
    period = parse_period(date(2026, 11, 23), "12-13", germany().zone).period
    trader = Trader.objects.get()
    found = {s.direction: s for s in slots_of_day(trader_pk=trader.pk, market_id=germany().pk, day=date(2026, 11, 23))}
    first = slot_of(Trade.objects.get(exchange_id="1").execution_time)
    assert found["buy"].slots == (first, first + 1)
    assert found["buy"].energy == (3, 1)
    assert found["sell"].turnover == (Decimal("10.5"),)
    assert found["buy"].period == period


def test_check_positions_finds_and_mends_them(capsys: pytest.CaptureFixture[str]) -> None:
    some()
    PositionSlot.objects.filter(position__direction="sell").update(slot=5)
    with pytest.raises(SystemExit):
        call_command("check_positions")
    assert "1 more in their course over time alone" in capsys.readouterr().out
    call_command("check_positions", "--rebuild")
    call_command("check_positions")
    assert slots()["sell", 0] == (1, Decimal("1.5"), Decimal("10.5"))
