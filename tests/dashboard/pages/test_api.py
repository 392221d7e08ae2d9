"""The figures as JSON: the same as the page's, exact, and refused in one sentence."""

from __future__ import annotations

import random
from datetime import UTC, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.test import Client

from dashboard.render.addresses import board_address
from tests.dashboard.boards import SKETCH_DAY, store_price, store_sketch, store_trade
from tests.dashboard.people import a_head, a_trader
from tests.trades.frames import germany
from trades.ledger.traders import ensure_trader
from trades.models import Trade

pytestmark = [pytest.mark.integration, pytest.mark.django_db]

ADDRESS = "/api/v1/boards/trader_1/2023-02-06"
FIGURES = {
    "trade_count", "average_price", "sold_mwh", "bought_mwh", "average_sell_price", "average_buy_price", "net_mwh",
    "reference_price", "performance", "performance_eur",
}  # fmt: skip


def answer(client: Client, address: str = ADDRESS, status: int = 200) -> dict[str, Any]:
    response = client.get(address)
    assert response.status_code == status
    assert response["Content-Type"] == "application/json"
    assert "no-store" in response["Cache-Control"]
    found: dict[str, Any] = response.json()
    return found


@pytest.fixture
def anna(client: Client) -> None:
    germany()
    client.force_login(a_trader())


def period(board: dict[str, Any], label: str) -> dict[str, Any]:
    (found,) = (p for p in board["periods"] if p["delivery_hour"] == label)
    return dict(found)


@pytest.mark.usefixtures("anna")
def test_the_sketch(client: Client) -> None:
    store_sketch()
    board = answer(client)
    assert set(board) == {"trader_id", "delivery_day", "as_of", "by", "periods", "total"}
    assert (board["trader_id"], board["delivery_day"], len(board["periods"])) == ("trader_1", "2023-02-06", 24)
    assert board["as_of"].endswith("Z")
    assert period(board, "12-13") == {
        "delivery_hour": "12-13",
        "delivery_start": "2023-02-06T11:00:00Z",
        "delivery_end": "2023-02-06T12:00:00Z",
        "minutes": 60,
        "reference_source": "own",
        "state": "closed",
        "gate_closures": [],
        "trade_count": 1,
        "average_price": "10.2",
        "sold_mwh": "10",
        "bought_mwh": "0",
        "average_sell_price": "10.2",
        "average_buy_price": None,
        "net_mwh": "-10",
        "reference_price": "9.8",
        "break_even": "10.2",
        "reference_updated_at": "2023-02-06T09:15:45Z",
        "reference_restated": None,
        "performance": "0.4",
        "performance_eur": "4",
        "firmness": {
            "word": "too few",
            "cases": 0,
            "turned": None,
            **dict.fromkeys(f"{what}_{share}" for what in ("performance_eur", "reference_price") for share in (80, 50)),
        },
    }
    assert period(board, "13-14")["performance"] == "-3.2"
    assert period(board, "15-16")["performance"] == "5"
    assert period(board, "15-16")["performance_eur"] == "100"


@pytest.mark.usefixtures("anna")
def test_the_total_is_the_exact_sum(client: Client) -> None:
    store_sketch()
    board = answer(client)
    total = board["total"]
    assert set(total) == FIGURES
    assert total["reference_price"] is None
    for name in ("sold_mwh", "bought_mwh", "net_mwh", "performance_eur"):
        assert Decimal(total[name]) == sum(Decimal(p[name] or 0) for p in board["periods"])
    assert total["trade_count"] == 4


@pytest.mark.usefixtures("anna")
def test_undefined_is_null(client: Client) -> None:
    store_trade("12-13", "sell", "10", "10.2")
    board = answer(client)
    priced, untouched = period(board, "12-13"), period(board, "13-14")
    assert (priced["reference_price"], priced["reference_updated_at"], priced["performance"]) == (None, None, None)
    assert (untouched["trade_count"], untouched["average_price"], untouched["sold_mwh"]) == (0, None, "0")
    assert (board["total"]["performance"], board["total"]["performance_eur"]) == (None, None)


@pytest.mark.usefixtures("anna")
def test_decimals_are_exact(client: Client) -> None:
    store_trade("12:15-12:30", "buy", "0.3", "-12.3456")
    store_price("12:15-12:30", "-12.0000001")
    found = period(answer(client), "12:15-12:30")
    assert (found["bought_mwh"], found["average_price"]) == ("0.075", "-12.3456")
    assert found["performance_eur"] == "0.0259199925"


@pytest.mark.usefixtures("anna")
def test_the_long_day(client: Client) -> None:
    labels = [p["delivery_hour"] for p in answer(client, "/api/v1/boards/trader_1/2026-10-25")["periods"]]
    assert len(labels) == 25
    assert labels[2:4] == ["02-03A", "02-03B"]


def test_without_a_login(client: Client) -> None:
    assert "Log in first" in answer(client, status=401)["error"]


@pytest.mark.usefixtures("anna")
def test_without_a_right(client: Client) -> None:
    ensure_trader(trader_id="trader_2")
    forbidden = answer(client, "/api/v1/boards/trader_2/2023-02-06", 404)["error"]
    unknown = answer(client, "/api/v1/boards/nobody/2023-02-06", 404)["error"]
    assert forbidden == "There is no trader “trader_2” whose board you may see."
    assert forbidden.replace("trader_2", "nobody") == unknown


def test_a_head_sees_all(client: Client) -> None:
    germany()
    ensure_trader(trader_id="trader/2 🚀")
    client.force_login(a_head())
    address = "/api/v1" + board_address("trader/2 🚀", SKETCH_DAY).rstrip("/")
    assert answer(client, address)["trader_id"] == "trader/2 🚀"


@pytest.mark.usefixtures("anna")
@pytest.mark.parametrize("day", ["2023-02-30", "20230206", "today", "2023-02-06T00:00"])
def test_a_day_that_is_none(client: Client, day: str) -> None:
    assert day in answer(client, f"/api/v1/boards/trader_1/{day}", 404)["error"]


@pytest.mark.usefixtures("anna")
def test_an_unknown_market(client: Client) -> None:
    assert "“XX”" in answer(client, f"{ADDRESS}?market=XX", 404)["error"]


# --- readings -------------------------------------------------------------------------------------------------------
def naive(reading_minutes: int) -> dict[str, tuple[Decimal, Decimal, int]]:
    """Row's start -> net MWh, cash and trades that touch it, minute by minute from the trades themselves."""
    rows: dict[str, tuple[Decimal, Decimal, int]] = {}
    for trade in Trade.objects.all():
        sign = 1 if trade.direction == "buy" else -1
        touched = set()
        minute = trade.delivery_start
        while minute < trade.delivery_end:
            row = minute.replace(
                minute=minute.minute // reading_minutes * reading_minutes if reading_minutes < 60 else 0
            )
            name = row.astimezone(UTC).isoformat().replace("+00:00", "Z")
            net, cash, count = rows.get(name, (Decimal(0), Decimal(0), 0))
            mwh = sign * trade.quantity / 60
            rows[name] = (net + mwh, cash - mwh * trade.price, count + (name not in touched))
            touched.add(name)
            minute += timedelta(minutes=1)
    return rows


@pytest.mark.usefixtures("anna")
@pytest.mark.parametrize(("by", "minutes"), [("hour", 60), ("quarter", 15)])
def test_a_reading_is_what_is_delivered_in_each_of_its_rows(client: Client, by: str, minutes: int) -> None:
    chance = random.Random(1602)
    labels = ["12-13", "12:00-12:30", "12:15-12:30", "12:45-13:00", "13-14", "13:30-14:00"]
    for label in labels * 3:
        store_trade(
            label, chance.choice(["buy", "sell"]), str(chance.randrange(1, 400)), str(chance.randrange(-90, 90))
        )
    store_price("12-13", "25")
    store_price("12:15-12:30", "41")
    board = answer(client, f"/api/v1/boards/trader_1/2023-02-06?by={by}")
    assert board["by"] == by
    rows = {row["delivery_start"]: row for row in board["periods"]}
    assert len(rows) == 24 * 60 // minutes
    assert {row["minutes"] for row in rows.values()} == {minutes}
    expected = naive(minutes)
    for start, (net, cash, count) in expected.items():
        row = rows[start]
        assert abs(Decimal(row["net_mwh"]) - net) < Decimal("1e-9")
        assert row["trade_count"] == count
        reference = {"2023-02-06T11:00:00Z": "25"} if minutes == 60 else {"2023-02-06T11:15:00Z": "41"}
        if start in reference:
            assert abs(Decimal(row["performance_eur"]) - (cash + net * Decimal(reference[start]))) < Decimal("1e-6")
        else:
            assert row["performance_eur"] is None
    assert board["total"]["trade_count"] == len(labels) * 3, "each trade once"
    by_product = answer(client)["total"]
    for name in ("sold_mwh", "bought_mwh", "net_mwh", "average_price", "trade_count"):
        assert board["total"][name] == by_product[name], name


@pytest.mark.usefixtures("anna")
def test_another_reading_is_refused_in_a_sentence(client: Client) -> None:
    response = client.get("/api/v1/boards/trader_1/2023-02-06?by=minute")
    assert response.status_code == 400
    assert response.json() == {"error": "A board can be read by product, hour or quarter."}
