"""What pictures of a desk show beside its ordinary day: a day on which all is traded, and gaps of the feed."""

from __future__ import annotations

import random
from collections.abc import Sequence
from datetime import date, datetime, timedelta

from django.db import connection

from market.labels import label_of
from market.periods import day_periods
from tests.dashboard.boards import store_price, store_trade
from tests.trades.frames import germany
from trades.models import FeedGap


def store_full_day(day: date, references: Sequence[float], *, at: datetime) -> None:
    """24 hours and 96 quarters, each with a trade and a reference around its hour (EUR/MWh); now and then a quarter is
    bought back."""
    chance, zone = random.Random(3), germany().zone
    for minutes in (60, 15):
        for number, period in enumerate(day_periods(day, zone, minutes)):
            reference, label = references[number * minutes // 60] + chance.gauss(0, 8), label_of(period, zone)
            direction, mw = ("buy", 9) if minutes == 15 and chance.random() < 0.3 else ("sell", 4)
            price = round(reference + chance.gauss(0, 2), 2)
            store_trade(label, direction, str(round(mw * chance.random() + 0.5, 1)), str(price), day=day, at=at)
            store_price(label, str(round(reference, 2)), day=day, at=at)


def store_gaps(midnight: datetime) -> None:
    """Two open gaps of the exchange's feed on the morning of that midnight; in a thread of its own, whose connection is
    closed afterwards."""
    for hour, minutes in ((6, 3), (8, 1)):
        start = midnight + timedelta(hours=hour, minutes=12, seconds=7)
        FeedGap.objects.get_or_create(
            market=germany(), started_at=start, defaults={"ended_at": start + timedelta(minutes=minutes)}
        )
    connection.close()
