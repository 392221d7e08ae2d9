"""A trade as it counts, now and at any moment before, against an oracle in Python that shares no line with it."""

from __future__ import annotations

import random
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection

from tests.trades.frames import NOW, confirmation, store
from trades.effective_trades import effective_trades
from trades.models import Trade, TradeChange

SEED = 1311

pytestmark = [pytest.mark.integration, pytest.mark.django_db(transaction=True)]
"""Records never change, but for who switches their triggers off: here the test, to give each row its moment."""


def a_world(chance: random.Random) -> list[datetime]:
    """Twelve trades and twenty decisions about them in any order; returns every moment at which something came."""
    store(*(confirmation(number) for number in range(1, 13)))
    user = User.objects.create_user("ops")
    moments = [NOW + timedelta(minutes=chance.randrange(200)) for _ in range(12)]
    trades = list(Trade.objects.order_by("id"))
    changes = sorted(NOW + timedelta(minutes=chance.randrange(200, 400)) for _ in range(20))
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE trades_trade DISABLE TRIGGER USER")
        for trade, moment in zip(trades, moments, strict=True):
            cursor.execute("UPDATE trades_trade SET received_at = %s WHERE id = %s", [moment, trade.pk])
        cursor.execute("ALTER TABLE trades_trade ENABLE TRIGGER USER")
    for moment in changes:
        a_change(chance, chance.choice(trades), user, moment)
    return [*moments, *changes]


def a_change(chance: random.Random, trade: Trade, user: User, moment: datetime) -> None:
    facts: dict[str, Any] = {}
    if chance.random() < 0.7:
        facts = {name: getattr(trade, name) for name in ("trader", "delivery_day", "delivery_start", "delivery_end")}
        facts |= {"price": Decimal(chance.randrange(-500, 500)), "quantity": Decimal(chance.randrange(1, 90))}
        facts |= {"direction": chance.choice(["buy", "sell"]), "delivery_hour": trade.delivery_hour}
    kind = TradeChange.Kind.CORRECTED if facts else TradeChange.Kind.CANCELLED
    TradeChange.objects.create(trade=trade, kind=kind, reason="why", made_by=user, made_at=moment, **facts)


def expected(moment: datetime, *, cancelled_too: bool) -> set[tuple[Any, ...]]:
    """exchange id, direction, price, quantity, kind of every trade that was known at the moment."""
    known = set()
    for trade in Trade.objects.filter(received_at__lte=moment):
        facts, kind = (trade.direction, trade.price, trade.quantity), ""
        for change in TradeChange.objects.filter(trade=trade, made_at__lte=moment).order_by("id"):
            kind = str(change.kind)
            if kind == "corrected":
                facts = (change.direction, change.price, change.quantity)
        if cancelled_too or kind != "cancelled":
            known.add((trade.exchange_id, *facts, kind))
    return known


@pytest.mark.parametrize("cancelled_too", [False, True])
@pytest.mark.parametrize("ids", ["", "SELECT id FROM trades_trade WHERE id > %s"])
def test_trades_as_they_counted_at_any_moment(ids: str, cancelled_too: bool) -> None:
    moments = a_world(random.Random(SEED))
    statement = effective_trades(ids=ids, moment="%s", cancelled_too=cancelled_too)
    for moment in [NOW - timedelta(days=1), *moments]:
        with connection.cursor() as cursor:
            cursor.execute(
                f"SELECT exchange_id, direction, price, quantity, kind FROM ({statement}) AS e",
                [0, moment, moment, moment] if ids else [moment, moment],
            )
            assert set(cursor.fetchall()) == expected(moment, cancelled_too=cancelled_too)


def test_without_a_moment_everything_counts_that_is_known() -> None:
    last = max(a_world(random.Random(SEED + 1)))
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT exchange_id, direction, price, quantity, kind FROM ({effective_trades()}) AS e")
        assert set(cursor.fetchall()) == expected(last, cancelled_too=False)
