"""What the hub's sweep compares open boards with."""

from __future__ import annotations

from datetime import timedelta
from itertools import product
from typing import Any

import pytest
from django.db.models import Sum

from dashboard.figures.board_key import WHOLE_DESK, BoardKey
from dashboard.live.boards import read_versions
from prices.models import ReferencePrice
from tests.dashboard.boards import SKETCH_DAY, store_price, store_trade
from tests.trades.frames import germany
from trades.models import Position, Trader

pytestmark = [pytest.mark.integration, pytest.mark.django_db]

NEXT, NEVER = SKETCH_DAY + timedelta(days=1), SKETCH_DAY + timedelta(days=2)


def expected(key: BoardKey) -> str:
    """The changes of the board's positions and of its day's prices, counted row by row."""
    of_day: dict[str, Any] = {"market_id": key.market_pk, "delivery_day": key.day}
    own = of_day if key.trader_pk is WHOLE_DESK else {**of_day, "trader_id": key.trader_pk}
    positions = Position.objects.filter(**own).aggregate(sum=Sum("revision"))["sum"]
    prices = ReferencePrice.objects.filter(**of_day).aggregate(sum=Sum("revision"))["sum"]
    return f"{positions or 0}.{prices or 0}"


def test_each_board_has_its_version_in_one_query(django_assert_num_queries: Any) -> None:
    store_trade("12-13", "sell", "10", "20")
    store_trade("12-13", "sell", "10", "20")
    store_trade("13-14", "buy", "10", "20")
    store_trade("12-13", "sell", "10", "20", trader="trader_2")
    store_price("12-13", "18")
    store_price("12-13", "19")
    store_price("14-15", "19")
    traders = [WHOLE_DESK, *Trader.objects.values_list("pk", flat=True)]
    markets = [germany().pk, germany().pk + 1]
    keys = {BoardKey(*one) for one in product(traders, markets, [SKETCH_DAY, NEXT, NEVER], ["en", "de"])}
    with django_assert_num_queries(1):
        versions = read_versions(keys)
    assert versions == {key: expected(key) for key in keys}
    assert len(set(versions.values())) > 3
    assert read_versions(set()) == {}
