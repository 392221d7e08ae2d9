"""A month of trading before a given day, for pictures of the history: a desk a little better than the market."""

from __future__ import annotations

import random
from collections.abc import Iterator
from datetime import date, datetime, timedelta

from tests.dashboard.boards import store_price
from tests.trades.frames import confirmation, store

DAYS = 29
HOURS = range(5, 23)


def store_earlier_days(before: date, moment: datetime, traders: list[str]) -> None:
    """Sundays rest; one period of one day never got a reference price."""
    chance = random.Random(3)
    for back in range(1, DAYS + 1):
        day = before - timedelta(days=back)
        references = {hour: round(42 + 18 * chance.random() - 12 * (11 <= hour <= 15), 2) for hour in range(24)}
        if day.weekday() != 6:
            store(*_trades(chance, day, references, traders), journal=f"earlier-{back}")
        for hour, value in references.items():
            if (back, hour) != (5, 9):
                label = f"{hour:02d}-{hour + 1:02d}"
                store_price(label, str(value), day=day, at=moment - timedelta(days=back))


def _trades(chance: random.Random, day: date, references: dict[int, float], traders: list[str]) -> Iterator[bytes]:
    for trader in traders:
        for hour in HOURS:
            for direction in ["sell", *(["buy"] if chance.random() < 0.3 else [])]:
                edge = chance.gauss(0.5 - 1.2 * (17 <= hour <= 19), 2.5) * (1 if direction == "sell" else -1)
                yield confirmation(
                    f"{day}-{trader}-{hour}-{direction}",
                    trader_id=trader,
                    direction=direction,
                    delivery_day=day.isoformat(),
                    delivery_hour=f"{hour:02d}-{hour + 1:02d}",
                    price=round(references[hour] + edge, 2),
                    quantity=round(chance.uniform(8, 45), 1),
                    execution_time=f"{day}T00:00:01Z",
                )
