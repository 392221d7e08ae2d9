"""`make bench-growth`: the same board, storm and ingest with ten thousand, one million and ten million stored trades.

Takes its time (the largest step alone makes nine million trades); each step goes on from the one before.
"""

from __future__ import annotations

import statistics
import time
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path
from urllib.request import Request, urlopen

from django.core.management import call_command
from django.db import connection

from bench.desk import DAY, Login, log_in, web
from bench.ingest import store_some
from bench.storm import storm
from bench.table import Row, timed
from trades.generated import SOURCE

STEPS = (
    ("10 thousand trades, 1 day, 5 traders, 1 market", 1, 5, 10_000, ("DE",)),
    ("1 million, 400 days, 5 traders, 1 market", 400, 5, 2_475, ("DE",)),
    ("10 million, 400 days, 100 traders, 4 markets", 401, 100, 5_610, ("DE", "FR", "NL", "AT")),
)
"""What, days, traders, trades a day and market, markets. The board looked at is always the same trader's."""
SECONDS = 4.0


def run(_folder: Path) -> list[Row]:
    from market.models import Market

    rows: list[Row] = []
    first: dict[str, float] = {}
    for name, days, traders, count, markets in STEPS:
        for code in markets:
            Market.objects.get_or_create(code=code, defaults={"name": code})
            _fill(code, days, traders, count)
        found = _measured()
        first = first or found
        rows += [
            Row(f"{what}: {name}", unit, found[what], first[what], f"{_trades():,} trades")
            for what, unit in (
                ("a board read and rendered", "ms"),
                ("a board's page by Django", "ms"),
                ("storm against a constant answer", "ratio"),
                ("storing one trade", "ms"),
                ("storing 500 trades", "ms"),
            )
        ]
    return rows


def _fill(code: str, days: int, traders: int, count: int) -> None:
    name = str(connection.settings_dict["NAME"])
    wanted = {"days": days, "until": DAY.isoformat(), "traders": traders, "trades_a_day": count}
    call_command("generate_history", into=name, market=code, **wanted)


def _trades() -> int:
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM trades_trade")
        return int(cursor.fetchone()[0])


def _measured() -> dict[str, float]:
    from dashboard.live import BoardKey, render
    from market.queries import market_by_code
    from trades.models import Trader

    market, trader = market_by_code("DE"), Trader.objects.get(trader_id="generated_1")
    key, now = BoardKey(trader.pk, market.pk, DAY), datetime.now(UTC)
    boards = [timed(lambda: render(key, now, None)) for _ in range(60)]
    ones = [store_some(1, SOURCE) for _ in range(60)]
    many = [store_some(500, SOURCE) for _ in range(10)]
    page, ratio = _web(trader.trader_id)
    return {
        "a board read and rendered": statistics.median(boards) * 1000,
        "a board's page by Django": page,
        "storm against a constant answer": ratio,
        "storing one trade": statistics.median(ones) * 1000,
        "storing 500 trades": statistics.median(many) * 1000,
    }


def _web(trader_id: str) -> tuple[float, float]:
    """Milliseconds of a page that Django makes, and the storm's answers a second as a share of the constant's."""
    login = log_in(trader_id)
    with ExitStack() as stack:
        address, _ = stack.enter_context(web())
        page = statistics.median(_page(address, login, number) for number in range(20)) * 1000
        size = storm(address, [login], 1.0).size
        floor, _ = stack.enter_context(web("bench.constant:application", SIZE=str(size)))
        pairs = [(storm(address, [login], SECONDS), storm(floor, [login], SECONDS)) for _ in range(3)]
    return page, statistics.median(len(ours.times) / len(bare.times) for ours, bare in pairs)


def _page(address: str, login: Login, number: int) -> float:
    """A request unlike the ones before it, so that nothing remembered answers it."""
    request = Request(f"{address}{login.board}", headers={"Cookie": login.cookie, "X-Number": str(number)})
    began = time.perf_counter()
    with urlopen(request) as answer:
        answer.read()
    return time.perf_counter() - began
