"""A full board with ten open assumptions on each of its rows beside one without any: from a send to its cell.

Both are open in one Chromium, on one web process and one listener, with 14 more viewers, and trades to them take turns.
"""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

from bench.cases.full_board import EACH, PAUSE, labels_of, publish_all, two_boards
from bench.cases.screen import in_turn
from bench.desk import DAY, Login, log_in, percentile, wait_until
from bench.table import Row
from dashboard.render.assumptions.marks import SHOWN

ON_A_ROW = 10


def run(folder: Path) -> list[Row]:
    names = [f"{kind}-{time.time_ns()}" for kind in ("marked", "plain")]
    logins = [log_in(name) for name in names]  # first: beside Playwright's own loop Django refuses to work
    labels = labels_of(60) + labels_of(15)
    publish_all()
    _expect(logins[0], labels)
    with two_boards(folder, logins, (labels, labels)) as (_browser, _address, marked, plain):
        marks = "document.querySelectorAll('.theories a').length"
        wait_until(lambda: marked.page.evaluate(marks) == SHOWN * len(labels), 30, "marks on each row")
        assert plain.page.evaluate(marks) == 0
        late, floor = in_turn(marked, plain, EACH, PAUSE)
    what = f"a full board, {ON_A_ROW} open assumptions on each of {len(labels)} rows, send -> DOM; floor: without"
    tail = f"at most 1.1 x floor; p95 {percentile(late, 95):.1f}, floor {percentile(floor, 95):.1f}; of {EACH} each"
    return [Row(what, "ms", percentile(late, 50), percentile(floor, 50), tail)]


def _expect(login: Login, labels: list[str]) -> None:
    """Write down that each of these goes up or down, as often as it is to be marked."""
    from dashboard.assumptions.models import AssumedPeriod, Assumption, FrozenPrice
    from market.labels import parse_period
    from market.queries import market_by_code
    from trades.models import Trader

    market, trader, now = market_by_code("DE"), Trader.objects.get(trader_id=login.trader_id), datetime.now(UTC)
    facts = {"market": market, "trader": trader, "author_id": login.user_pk, "created_at": now, "delivery_day": DAY}
    rows = [label for label in labels for _ in range(ON_A_ROW)]
    claims = [{"claim": ("up", "down")[number % 2]} for number in range(len(rows))]
    written = Assumption.objects.bulk_create(
        Assumption(**facts, **claim, reading="product", late=False, tags=["wind"]) for claim in claims
    )
    periods = []
    for one, label in zip(written, rows, strict=True):
        span = parse_period(DAY, label, market.calendar).period
        reference = {"reference_start": span.start, "reference_end": span.end}
        spans = {"delivery_start": span.start, "delivery_end": span.end, **reference, "net_mwh": Decimal(0)}
        gate = span.start - timedelta(minutes=5)
        periods.append(AssumedPeriod(assumption=one, delivery_hour=label, gate_closes_at=gate, **spans))
    stored = AssumedPeriod.objects.bulk_create(periods)
    price = {"value": Decimal(21), "last_update": now, "last_change": Decimal(1), "frozen_at": now}
    FrozenPrice.objects.bulk_create(FrozenPrice(period=period, **price) for period in stored)
