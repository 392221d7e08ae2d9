"""Trades follow the newest open assumption of their side; linked and unlinked ones are all of a trader's result."""

from __future__ import annotations

import json
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
import time_machine
from django.test import Client

from dashboard.assumptions.linking import theorised
from dashboard.assumptions.models import Assumption
from dashboard.assumptions.money import Linked, Outcome, ledger
from dashboard.assumptions.store import withdraw
from dashboard.figures.history import DayRange, load_history
from tests.dashboard.assumptions.written import DAY, GATE, MINUTE, NOW, publish, written
from tests.dashboard.boards import store_trade
from tests.dashboard.people import a_trader
from tests.trades.frames import germany
from trades.ledger.confirmations import TradeConfirmation, parse_frame
from trades.ledger.decisions import cancel_trade, correct_trade
from trades.models import Trade

pytestmark = [pytest.mark.integration, pytest.mark.django_db(transaction=True)]
D = Decimal


def trade(side: str, mw: str, price: str, minutes: float, label: str = "12-13") -> None:
    store_trade(label, side, mw, price, day=DAY, at=NOW + minutes * MINUTE)


def world() -> dict[str, Any]:
    user = a_trader()
    publish("50", NOW - 10 * MINUTE)
    trade("buy", "7", "49", -1)  # before any
    up = written(user, quantity="4")
    trade("buy", "10", "51", 1)
    trade("sell", "2", "52", 2)  # the other side
    newer = written(user, at=NOW + 5 * MINUTE)
    trade("buy", "3", "52.5", 6)
    down = written(user, at=NOW + 7 * MINUTE, claim="down")
    with time_machine.travel(NOW + 8 * MINUTE, tick=False):
        withdraw(assumption=newer)
    trade("buy", "1", "53", 9)  # the newer one is withdrawn
    trade("sell", "6", "54", 10)
    trade("buy", "5", "53", 11, "13-14")  # another period
    trade("buy", "9", "55", 12)
    cancel_trade(trade=Trade.objects.latest("id"), reason="typo", user=user)
    publish("55", GATE + MINUTE)
    return {"up": up.pk, "newer": newer.pk, "down": down.pk}


def test_linked_and_unlinked_are_the_traders_total() -> None:
    numbers = world()
    of = {one.assumption: one for one in theorised(Assumption.objects.all())}
    linked = {name: (of[pk].linked.trades, of[pk].linked.mwh, of[pk].linked.result) for name, pk in numbers.items()}
    assert linked == {
        "up": (2, D(11), (55 - 51) * D(10) + (55 - 53) * D(1)),
        "newer": (1, D(3), D("2.5") * 3),
        "down": (1, D(6), D(-6)),
    }
    book = ledger(of.values())
    assert book.of(Outcome.RIGHT_ACTED).count == 2
    assert book.of(Outcome.WRONG_ACTED).result == -6
    total = load_history(market=germany(), trader=Assumption.objects.all()[0].trader, days=DayRange(DAY, DAY)).total
    by_hand = (55 - 49) * D(7) + (52 - 55) * D(2)  # unlinked: before any, and of the other side
    assert total.figures.performance_eur == book.linked + by_hand
    only_up = theorised(Assumption.objects.filter(pk=numbers["up"]))
    assert [one.linked.trades for one in only_up] == [2], "a filter moves no trade to another"


def test_a_corrected_trade_follows_what_it_says_now() -> None:
    user = a_trader()
    publish("50", NOW - 10 * MINUTE)
    up, later = written(user), written(user, delivery_hours=["13-14"])
    trade("buy", "10", "51", 1)
    trade("buy", "7", "51", 2, "13-14")
    trade("sell", "1", "52", 3)
    moved, out, turned = Trade.objects.order_by("id")
    correct_trade(trade=moved, facts=_facts(moved, price=D(49)), reason="price", user=user)
    correct_trade(trade=turned, facts=_facts(turned, direction="buy"), reason="side", user=user)
    correct_trade(trade=out, facts=_facts(out, like=moved), reason="period", user=user)
    publish("55", GATE + MINUTE)
    of = {one.assumption: one.linked for one in theorised(Assumption.objects.all())}
    assert of[up.pk] == Linked(3, D(18), (55 - 49) * D(10) + (55 - 51) * D(7) + (55 - 52) * D(1))
    assert of[later.pk] == Linked(), "it was corrected out of this period"


def _facts(trade: Trade, like: Trade | None = None, **changes: Any) -> TradeConfirmation:
    """What the trade is corrected to, in the period of another one if that is given."""
    wire = {
        "id": trade.exchange_id,
        "price": trade.price,
        "quantity": trade.quantity,
        "direction": trade.direction,
        "delivery_day": DAY.isoformat(),
        "delivery_hour": (like or trade).delivery_hour,
        "trader_id": trade.trader.trader_id,
        "execution_time": trade.execution_time.isoformat(),
        **changes,
    }
    frame = json.dumps({"trade_confirmation": wire}, default=float).encode()
    parsed = parse_frame(frame, germany().zone)
    assert isinstance(parsed, TradeConfirmation)
    return parsed


def test_the_page_and_its_files_say_the_same(client: Client) -> None:
    world()
    client.force_login(Assumption.objects.all()[0].author)
    with time_machine.travel(GATE + timedelta(hours=1), tick=False):
        page = client.get("/assumptions/")
        text = page.content.decode()
        assert page.status_code == 200
        assert 'data-field="linked" data-value="43.5"' in text
        assert 'data-field="total" data-value="79.5"' in text
        assert 'data-field="unlinked" data-value="36"' in text
        rates = client.get("/api/v1/assumptions").json()["rates"]
        told = client.get("/assumptions/assumptions.json").json()
        assert told["rates"] == rates
        answer = client.get("/assumptions/assumptions.csv")
        lines = b"".join(answer).decode().splitlines()  # type: ignore[call-overload]
        assert [line.split(",")[0] for line in lines] == ["row", "period", "period", "period", "total"]
        assert f",{rates['judged']},{rates['right']}," in lines[-1]
        assert client.get("/assumptions/assumptions.xlsx").status_code == 200
        assert "right-acted" in client.get("/assumptions/?outcome=right-acted").content.decode()
        for hostile in ("?q=%00", "?tag=%27%3B--", "?cursor=x", "?q=<script>alert(1)</script>"):
            answered = client.get(f"/assumptions/{hostile}")
            assert answered.status_code == 200
            assert b"<script>alert" not in answered.content
        assert client.get("/assumptions/?from=x").status_code == 400


def test_an_opened_period_has_a_flag_for_each(client: Client) -> None:
    world()
    client.force_login(Assumption.objects.all()[0].author)
    data = client.get(f"/api/v1/trades/trader_1/{DAY}/12-13").json()
    assert [(flag[1], flag[2], flag[3]) for flag in data["flags"]] == [
        ("50", "▲", "right"),
        ("50", "▲", "right"),
        ("50", "▼", "wrong"),
    ]
    panel = client.get(f"/boards/trader_1/{DAY}/12-13/", headers={"X-Part": "opened"}).content.decode()
    assert panel.count("⚑") == 3
    assert "right, moved +5.00" in panel
