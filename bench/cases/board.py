"""A board read and rendered, beside a query that only asks whether the database is there."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

from django.db import connection

from bench.cases.ingest import store_some
from bench.table import Row, alternate, timed
from dashboard.figures.board_key import BoardKey
from dashboard.live.boards import render
from market.queries import market_by_code
from trades.models import Trader

NOW = datetime(2026, 11, 23, 9, tzinfo=UTC)


def run(_folder: Path) -> list[Row]:
    for _ in range(10):
        store_some(500)
    key = BoardKey(Trader.objects.get(trader_id="trader_1").pk, market_by_code("DE").pk, NOW.date())
    ours, floor = alternate(lambda: timed(lambda: render(key, NOW, None)), _ask, 200)
    return [Row("a board of 24 periods, read and rendered; floor: SELECT 1", "ms", ours * 1000, floor * 1000)]


def _ask() -> float:
    def ask() -> None:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")

    return timed(ask)
