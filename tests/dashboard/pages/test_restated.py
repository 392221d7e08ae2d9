"""A final price that changed afterwards is marked wherever its figures stand: board, period, API, files, days."""

from __future__ import annotations

import csv
import io
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from django.test import Client

from market.models import ReferenceRule
from market.periods import DeliveryPeriod
from prices.models import ReferencePrice
from prices.observations import CheckReason, PeriodKey, Published
from prices.store import Arrival, store_answer
from tests.dashboard.boards import SKETCH_DAY, store_sketch, store_trade
from tests.dashboard.people import a_trader
from tests.prices.conftest import reserved
from tests.trades.frames import germany
from trades.models import Position

pytestmark = [pytest.mark.integration, pytest.mark.django_db]

TITLE = "restated: final price 9.80 → 9.95 on 2023-02-07 07:00"
BOARD = "boards/trader_1/2023-02-06"


@pytest.fixture
def corrected(client: Client) -> Client:
    """The sketch, whose 12-13 is final at 9.80 and comes out at 9.95 the next morning."""
    market = germany()
    client.force_login(a_trader())
    store_sketch()
    row = ReferencePrice.objects.get(delivery_day=SKETCH_DAY, delivery_hour="12-13")
    key = PeriodKey(market.pk, SKETCH_DAY, row.delivery_start, row.delivery_end)
    gate = DeliveryPeriod(key.start, key.end).gate_closure(timedelta(minutes=market.gate_closure_minutes))
    morning = datetime(2023, 2, 7, 6, 0, tzinfo=UTC)
    for value, updated, arrived in (("9.8", gate, gate), ("9.95", morning - timedelta(seconds=3), morning)):
        price = Published(Decimal(value), updated)
        why = CheckReason.NEXT_MORNING
        store_answer(Arrival(reserved(key), key, "12-13", price, arrived, gate, why))
    return client


def test_the_boards_row_and_the_opened_period_say_what_it_was_and_when(corrected: Client) -> None:
    board = corrected.get(f"/{BOARD}/").content.decode()
    assert board.count("data-restated") == 1
    assert TITLE in board
    assert corrected.get(f"/{BOARD}/12-13/").content.decode().count(TITLE) == 2
    assert corrected.get(f"/{BOARD}/13-14/").content.decode().count(TITLE) == 1


def test_the_api_has_the_old_price_beside_the_new_one(corrected: Client) -> None:
    periods = {p["delivery_hour"]: p for p in corrected.get(f"/api/v1/{BOARD}").json()["periods"]}
    assert periods["12-13"]["reference_price"] == "9.95"
    assert periods["12-13"]["reference_restated"] == {"from": "9.8", "at": "2023-02-07T06:00:00Z"}
    assert periods["13-14"]["reference_restated"] is None


def test_a_file_has_it_in_columns_of_its_own(corrected: Client) -> None:
    answer = corrected.get(f"/{BOARD}/board.csv")
    text = b"".join(answer) if answer.streaming else answer.content  # type: ignore[arg-type]
    rows = {
        row["delivery_start_utc"][11:13]: row
        for row in csv.DictReader(io.StringIO(text.decode("utf-8-sig"), newline=""))
    }
    noon = rows["11"]
    assert noon["reference_restated_from"] == "9.8000"
    assert noon["reference_restated_at_utc"] == "2023-02-07T06:00:00Z"
    assert rows["12"]["reference_restated_from"] == ""


def test_the_histories_day_is_marked(corrected: Client) -> None:
    page = corrected.get("/history/?from=2023-02-01&to=2023-02-28").content.decode()
    assert "restated: 1 final price changed, the last one on 2023-02-07 07:00" in page
    assert page.count("data-restated") == 1
    answer = corrected.get("/history/history.csv?from=2023-02-01&to=2023-02-28")
    text = b"".join(answer) if answer.streaming else answer.content  # type: ignore[arg-type]
    rows = list(csv.DictReader(io.StringIO(text.decode("utf-8-sig"), newline="")))
    assert [row["restated_periods"] for row in rows if row["row"] == "day"] == ["1"]
    assert {row["restated_periods"] for row in rows if row["row"] != "day"} == {""}


def restated_periods(client: Client, by: str) -> list[str]:
    answer = client.get(f"/history/history.csv?from=2023-02-01&to=2023-02-28&by={by}")
    text = b"".join(answer) if answer.streaming else answer.content  # type: ignore[arg-type]
    rows = csv.DictReader(io.StringIO(text.decode("utf-8-sig"), newline=""))
    return [row["restated_periods"] for row in rows if row["row"] == "day"]


def test_a_day_is_marked_for_whatever_goes_by_the_price(corrected: Client) -> None:
    """The trades of 12-13 are not the only ones that are read against its price."""
    Position.objects.filter(delivery_hour="12-13").update(trade_count=0)
    assert [restated_periods(corrected, by) for by in ("product", "hour", "quarter")] == [["0"], ["0"], ["0"]]
    store_trade("12:15-12:30", "sell", "4", "20")
    assert [restated_periods(corrected, by) for by in ("product", "hour", "quarter")] == [["0"], ["1"], ["0"]]
    ReferenceRule.objects.create(market=germany(), minutes=15, source="hour", valid_from=SKETCH_DAY)
    assert [restated_periods(corrected, by) for by in ("product", "hour", "quarter")] == [["1"], ["1"], ["1"]]
