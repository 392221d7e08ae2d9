"""Boards for tests: built without a database, or stored in it."""

from __future__ import annotations

import itertools
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

from dashboard.figures.board import Board, build_board
from dashboard.figures.feed_status import FeedStates
from dashboard.figures.readings import Reading
from market.labels import parse_period
from market.models import Market
from market.totals import Total
from prices.feed import PriceFeedState
from prices.models import ReferencePrice, ReferencePriceHistory
from prices.queries import KnownPrice
from prices.signals import prices_changed
from tests.trades.frames import confirmation, germany, store
from trades.feed.status import ExchangeFeedState
from trades.models import Trader
from trades.queries import PositionRow

SKETCH_DAY = date(2023, 2, 6)
MORNING = datetime(2023, 2, 6, 9, 15, 45, tzinfo=UTC)
_trade_ids = itertools.count(1)

Traded = tuple[str, str, str, str]
"""(label, direction, MWh, average price)."""


def a_board(
    *traded: Traded,
    references: dict[str, str] | None = None,
    day: date = SKETCH_DAY,
    now: datetime = MORNING,
    trader: Trader | None = None,
    reading: Reading = Reading.PRODUCT,
) -> Board:
    """A board of what was traded, without a database."""
    market = Market(pk=1, code="DE", name="Germany")
    period = {label: parse_period(day, label, market.zone).period for label, *_ in traded}
    period |= {label: parse_period(day, label, market.zone).period for label in references or {}}
    return build_board(
        trader=trader or Trader(pk=1, trader_id="trader_1", name="Trader 1"),
        market=market,
        delivery_day=day,
        now=now,
        positions=[
            PositionRow(period[label], direction, Total(1, Decimal(mwh), Decimal(mwh) * Decimal(price)), 1)
            for label, direction, mwh, price in traded
        ],
        prices={period[label]: KnownPrice(Decimal(value), now, now, 1) for label, value in (references or {}).items()},
        reading=reading,
    )


def the_feeds(
    *, connected: bool = True, prices: str = "ok", now: datetime = MORNING, since: datetime | None = None
) -> FeedStates:
    """The two feeds; all is well unless said otherwise."""
    moment = since or now - timedelta(seconds=2)
    next_at = now + timedelta(minutes=4) if prices == "ok" else None
    exchange = ExchangeFeedState(connected, moment, moment)
    return FeedStates(exchange, PriceFeedState(prices, moment, moment, "", next_at), now)  # type: ignore[arg-type]


def sketch() -> tuple[list[Traded], dict[str, str]]:
    """The customer's own sketch, and the mixed row of DOMAIN.md beside it."""
    return (
        [
            ("12-13", "sell", "10", "10.2"),
            ("13-14", "sell", "10", "5.7"),
            ("15-16", "buy", "10", "20"),
            ("15-16", "sell", "10", "30"),
        ],
        {"12-13": "9.8", "13-14": "8.9", "15-16": "25"},
    )


# --- in the database --------------------------------------------------------------------------------------------------


def store_trade(
    label: str,
    direction: str,
    mw: str,
    price: str,
    *,
    day: date = SKETCH_DAY,
    trader: str = "trader_1",
    at: datetime | None = None,
) -> None:
    """One confirmation, as the listener stores it (and announces it)."""
    number = next(_trade_ids)
    frame = confirmation(
        f"board-{number}",
        delivery_day=day.isoformat(),
        delivery_hour=label,
        direction=direction,
        quantity=float(mw),
        price=float(price),
        trader_id=trader,
        **({"execution_time": at.isoformat()} if at else {}),
    )
    store(frame, journal=f"boards-{number}")


def store_price(label: str, value: str, *, day: date = SKETCH_DAY, at: datetime = MORNING) -> None:
    """A reference price with its history, and the news of it."""
    market = germany()
    parsed = parse_period(day, label, market.zone)
    identity = {
        "market": market,
        "delivery_day": day,
        "delivery_start": parsed.period.start,
        "delivery_end": parsed.period.end,
    }
    facts = {"delivery_hour": parsed.label, "value": Decimal(value), "arrived_at": at}
    ReferencePriceHistory.objects.get_or_create(**identity, last_update=at, defaults=facts)
    known, created = ReferencePrice.objects.get_or_create(**identity, defaults={**facts, "last_update": at})
    if not created:
        known.value, known.last_update, known.arrived_at = Decimal(value), at, at
        known.revision += 1
        known.save()
    prices_changed.send_robust(sender=ReferencePrice, changes=frozenset({(market.pk, day)}))


def store_sketch(day: date = SKETCH_DAY, trader: str = "trader_1") -> None:
    """The sketch's trades and prices."""
    traded, references = sketch()
    for label, direction, mw, price in traded:
        store_trade(label, direction, mw, price, day=day, trader=trader)
    for label, value in references.items():
        store_price(label, value, day=day)
