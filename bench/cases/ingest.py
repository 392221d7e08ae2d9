"""Storing frames with their positions, beside a bare batch insert of the same rows."""

from __future__ import annotations

import itertools
import json
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

from django.db import connection

from bench.table import Row, alternate, timed
from market.queries import market_by_code
from trades.frames import FrameSource, JournalFrame
from trades.ledger.store import store_frames

NOW = datetime(2026, 11, 23, 9, tzinfo=UTC)
RUN = f"bench-{datetime.now(UTC):%s%f}"
_ids = itertools.count(1)


def run(_folder: Path) -> list[Row]:
    rows = []
    for name, batch in (("steady, one by one", 1), ("a backlog in batches of 100", 100), ("the same of 500", 500)):
        ours, floor = alternate(partial(store_some, batch), partial(bare_insert, batch), 40)
        rows.append(Row(f"ingest, {name}", "trades/s", batch / ours, batch / floor))
    return rows


def frame(prefix: str, number: int) -> bytes:
    """A confirmation, unlike the others of its prefix."""
    return json.dumps(
        {
            "trade_confirmation": {
                "id": f"{prefix}-{number}",
                "price": number % 100 - 20.5,
                "quantity": 1 + number % 50,
                "direction": "sell" if number % 4 else "buy",
                "delivery_day": "2026-11-23",
                "delivery_hour": f"{number % 23:02d}-{number % 23 + 1:02d}",
                "trader_id": f"trader_{number % 5 + 1}",
                "execution_time": "2026-11-23T08:59:59.123Z",
            }
        }
    ).encode()


def _floor_table() -> None:
    with connection.cursor() as cursor:
        cursor.execute("CREATE TABLE IF NOT EXISTS bench_floor (id text PRIMARY KEY, price numeric, body text)")


_journal = itertools.count(1)


def store_some(batch: int, journal: str = "bench") -> float:
    """Seconds that storing so many new trades with their positions takes; `journal` begins its journal's name."""
    market = market_by_code("DE")
    numbers = [next(_ids) for _ in range(batch)]
    frames = [JournalFrame(i, NOW, frame(RUN, n)) for i, n in enumerate(numbers, start=1)]
    source = FrameSource(f"{journal}-{NOW:%s}-{next(_journal)}-{datetime.now(UTC):%f%s}", "bench")
    return timed(lambda: store_frames(market=market, source=source, frames=frames))


def bare_insert(batch: int) -> float:
    """Seconds that a plain insert of so many rows takes."""
    _floor_table()
    numbers = [next(_ids) for _ in range(batch)]
    values = [(f"{datetime.now(UTC):%s%f}-{n}", n % 100 - 20, frame(RUN, n).decode()) for n in numbers]

    def insert() -> None:
        with connection.cursor() as cursor:
            cursor.execute(
                "INSERT INTO bench_floor SELECT * FROM unnest(%s::text[], %s::numeric[], %s::text[])",
                [list(column) for column in zip(*values, strict=True)],
            )

    return timed(insert)
