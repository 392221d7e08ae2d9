"""Since when anything of a market is known, and that it is found whatever other markets had before it."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from dashboard.figures.past import first_record
from market.models import Market
from prices.models import ReferencePriceHistory
from tests.dashboard.boards import MORNING
from tests.trades.frames import NOW, confirmation, germany, store
from trades.frames import FrameSource, JournalFrame
from trades.ledger.store import store_frames

pytestmark = [pytest.mark.integration, pytest.mark.django_db(transaction=True)]
MANY, LATER = 9000, 3000


def a_price(market: Market, number: int, arrived_at: datetime) -> ReferencePriceHistory:
    return ReferencePriceHistory(
        market=market, delivery_day=MORNING.date(), delivery_hour="11-12", delivery_start=MORNING,
        delivery_end=MORNING + timedelta(hours=1), value=number, arrived_at=arrived_at,
        last_update=MORNING + timedelta(seconds=number),
    )  # fmt: skip


@pytest.fixture
def late() -> Market:
    """A market that began when another one had thousands of records, and has a good part of all by now."""
    store(*[confirmation(number) for number in range(MANY)])
    market = Market.objects.create(code="FI", name="Finland", time_zone="Europe/Helsinki")
    later = [JournalFrame(n, NOW + timedelta(days=1, seconds=n), confirmation(f"fi-{n}")) for n in range(1, LATER + 1)]
    store_frames(market=market, source=FrameSource("of-fi", "l"), frames=later)
    prices = [a_price(germany(), number, MORNING) for number in range(MANY)]
    prices += [a_price(market, number, NOW + timedelta(days=9)) for number in range(LATER)]
    ReferencePriceHistory.objects.bulk_create(prices)
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE trades_trade, prices_referencepricehistory")
    return market


def rows_read(plan: dict[str, Any]) -> float:
    """How many rows of tables a plan looked at, for nothing or not."""
    below = plan.get("Plans", [])
    own = plan["Actual Rows"] * plan["Actual Loops"] if not below else 0
    return own + plan.get("Rows Removed by Filter", 0) + sum(map(rows_read, below))


def test_it_is_found_without_reading_other_markets_records(late: Market) -> None:
    with CaptureQueriesContext(connection) as captured:
        assert first_record(late) == NOW + timedelta(days=1, seconds=1)
    assert len(captured) == 2
    for query in captured.captured_queries:
        with connection.cursor() as cursor:
            cursor.execute(f"EXPLAIN (ANALYZE, FORMAT JSON) {query['sql']}")
            (answer,) = cursor.fetchone()
        [explained] = json.loads(answer) if isinstance(answer, str) else answer
        assert rows_read(explained["Plan"]) <= 1000, query["sql"]


def test_nothing_is_known_of_a_market_without_records(late: Market) -> None:
    assert first_record(Market.objects.create(code="SE", name="Sweden")) is None
