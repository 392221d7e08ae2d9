"""Both sides of a trade of the desk with itself: each is corrected for itself, and booked or refused in words."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client

from tests.trades.frames import NOW, confirmation, store
from trades.ledger.decisions import accept_as_correction, book_second_side
from trades.ledger.effective import position_differences
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
