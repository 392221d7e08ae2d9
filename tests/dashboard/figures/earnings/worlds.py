"""Random worlds for the earnings' clock: days of trades with corrections and cancellations, all stored in one go."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from decimal import Decimal

from django.contrib.auth.models import User
from django.db import connection

from dashboard.figures.history import DayRange
from market.labels import label_of
from market.models import GateClosure, Market
from market.periods import HOUR, DeliveryPeriod
from prices.models import ReferencePrice
from tests.dashboard.copied import copied
from trades.effective_trades import IDENTITY, effective_trades
from trades.ledger.effective import SUMS
from trades.models import Trade, TradeChange, Trader

FIRST = date(2024, 3, 30)
DAYS = 2
"""A world's; the first one has the day with 23 hours."""

_POSITIONS = f"""INSERT INTO trades_position
        ({IDENTITY}, delivery_hour, trade_count, quantity, energy, turnover, revision)
    SELECT {IDENTITY}, hour, n, mw, mwh, eur, 1
    FROM (SELECT {IDENTITY}, {SUMS} FROM ({effective_trades()}) AS e GROUP BY {IDENTITY}) AS s"""


@dataclass(frozen=True, slots=True)
class Fact:
    """A trade as it counts."""

    trader: Trader
    direction: str
    price: Decimal
    quantity: Decimal
    day: date
    period: DeliveryPeriod
    executed_at: datetime


def world(number: int) -> DayRange:
    first = FIRST + timedelta(days=DAYS * number)
    return DayRange(first, first + timedelta(days=DAYS - 1))


class Worlds:
    """So many worlds in the database, and the trades that count in each."""

    def __init__(self, count: int, chance: random.Random) -> None:
        self._chance = chance
        self.market = Market.objects.create(code="XX", name="Somewhere")
        self.traders = [Trader.objects.create(trader_id=f"t{n}", is_bot=n == 2) for n in range(3)]
        self._gates()
        facts = [self._fact(world(number)) for number in range(count) for _ in range(chance.randint(1, 14))]
        self.counted = list(self._store(facts))
        self._prices(facts)
        with connection.cursor() as cursor:
            cursor.execute(_POSITIONS)
            cursor.execute("ANALYZE")

    def of(self, days: DayRange) -> list[Fact]:
        return [fact for fact in self.counted if days.first <= fact.day <= days.last]

    def _gates(self) -> None:
        for offset, product, phase, lead, counts in (
            (5, None, "areas", 30, "own"),
            (9, 15, "area", 10, "hour"),
            (12, 0, "area", 60, "own"),
            (20, None, "area", 1, "own"),
        ):
            day = FIRST + timedelta(days=offset)
            facts = {"product": product, "phase": phase, "lead_minutes": lead, "counts_from": counts}
            GateClosure.objects.create(market=self.market, valid_from=day, **facts)

    def _fact(self, days: DayRange) -> Fact:
        chance = self._chance
        day = days.first + timedelta(days=chance.randrange(DAYS))
        begins, ends = self.market.day_bounds(day)
        minutes = chance.choice([15, 15, 30, 60, 60, 180])
        steps = int((ends - begins).total_seconds()) // 60 // min(minutes, 60) - max(minutes // 60 - 1, 0)
        start = begins + chance.randrange(steps) * timedelta(minutes=min(minutes, 60))
        period = DeliveryPeriod(start, start + timedelta(minutes=minutes))
        ahead = timedelta(
            minutes=chance.choice([0, 1, 5, 15, 30, 60, 120, 240, 720]), seconds=chance.randint(-90, 4000)
        )
        price, quantity = Decimal(chance.randint(-90000, 2000000)).scaleb(-4), Decimal(chance.randint(1, 500000))
        facts = chance.choice(self.traders), chance.choice(["buy", "sell"]), price, quantity.scaleb(-4)
        return Fact(*facts, day, period, self.market.gate_closure(day, period) - ahead)

    def _store(self, facts: list[Fact]) -> Iterator[Fact]:
        user = User.objects.create_user("judge")
        trades = [Trade(**self._row(fact), **self._origin(number, fact)) for number, fact in enumerate(facts)]
        Trade.objects.bulk_create(trades, batch_size=1000)
        changes = []
        for trade, original in zip(trades, facts, strict=True):
            fact: Fact | None = original
            for _ in range(self._chance.choice([0, 0, 0, 1, 2])):
                if fact is not None:
                    fact = self._changed(fact)
                    changes.append(self._change(trade, fact, user))
            if fact is not None:
                yield fact
        copied(changes)

    def _changed(self, fact: Fact) -> Fact | None:
        """Cancelled, or corrected: another price, or all of another trade but the moment of its execution."""
        if self._chance.random() < 0.3:
            return None
        if self._chance.random() < 0.5:
            return replace(fact, price=fact.price + 1)
        return replace(self._fact(DayRange(fact.day, fact.day + timedelta(days=1))), executed_at=fact.executed_at)

    def _change(self, trade: Trade, fact: Fact | None, user: User) -> TradeChange:
        who = {"trade": trade, "reason": "random", "made_by": user}
        if fact is None:
            return TradeChange(kind="cancelled", **who)
        row = self._row(fact)
        del row["market"]
        return TradeChange(kind="corrected", **who, **row)

    def _row(self, fact: Fact) -> dict[str, object]:
        return {
            "market": self.market,
            "trader": fact.trader,
            "direction": fact.direction,
            "price": fact.price,
            "quantity": fact.quantity,
            "delivery_day": fact.day,
            "delivery_hour": label_of(fact.period, self.market.calendar),
            "delivery_start": fact.period.start,
            "delivery_end": fact.period.end,
        }

    def _origin(self, number: int, fact: Fact) -> dict[str, object]:
        times = {"execution_time": fact.executed_at, "received_at": fact.executed_at}
        return {"exchange_id": str(number), "source": "worlds", "source_position": number, **times}

    def _prices(self, facts: list[Fact]) -> None:
        """Of most periods that were traded, and of most hours and quarters within them."""
        wanted = {(fact.day, fact.period) for fact in {*facts, *self.counted}}
        for day, period in list(wanted):
            for length in (HOUR, HOUR / 4):
                start = period.hour_start
                while start < period.end:
                    wanted.add((day, DeliveryPeriod(start, start + length)))
                    start += length
        some = [one for one in sorted(wanted, key=str) if self._chance.random() < 0.9]
        copied(self._price(day, period) for day, period in some)

    def _price(self, day: date, period: DeliveryPeriod) -> ReferencePrice:
        return ReferencePrice(
            market=self.market,
            delivery_day=day,
            delivery_hour=label_of(period, self.market.calendar),
            delivery_start=period.start,
            delivery_end=period.end,
            value=Decimal(self._chance.randint(-90000, 2000000)).scaleb(-4),
            last_update=period.start,
            arrived_at=period.start,
        )
