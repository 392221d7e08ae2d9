"""`manage.py create_demo_prices FILE`: how the prices of the demo's past days came, as if somebody had asked."""

from __future__ import annotations

import json
from argparse import ArgumentParser
from collections.abc import Iterator
from datetime import date, datetime
from decimal import Decimal
from itertools import groupby
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.db import transaction

from market.labels import parse_period
from market.models import Market
from market.periods import parse_day
from market.queries import market_by_code
from prices.bulk import Accepted, store_day
from prices.models import ReferencePrice


class Command(BaseCommand):
    help = (
        "Stores a file of made-up prices, a period a line, the days in order: delivery_day, delivery_hour and points, "
        "each a value, its last update and its arrival. Only with DEBUG on, and only where a market has no price yet."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", type=Path, metavar="FILE")
        parser.add_argument("--market")

    def handle(self, *_args: Any, **options: Any) -> None:
        if not settings.DEBUG:
            raise CommandError("demo prices are for a laptop: they are only made up with DEBUG on")
        market = market_by_code(options["market"])
        if ReferencePrice.objects.filter(market=market).exists():
            raise CommandError("this market has prices: made-up ones are not put beside them")
        with options["file"].open() as lines, transaction.atomic():
            days = groupby(map(json.loads, lines), key=lambda line: line["delivery_day"])
            stored = sum(_store(market, parse_day(text), of_day) for text, of_day in days)
        self.stdout.write(f"{stored} prices are made up.")


def _store(market: Market, day: date, periods: Iterator[dict[str, Any]]) -> int:
    return store_day(market=market, day=day, prices=[price for one in periods for price in _prices(market, day, one)])


def _prices(market: Market, day: date, line: dict[str, Any]) -> Iterator[Accepted]:
    period = parse_period(day, line["delivery_hour"], market.calendar).period
    label = market.label_of(period)
    for value, updated, arrived in line["points"]:
        yield Accepted(period, label, Decimal(value), datetime.fromisoformat(updated), datetime.fromisoformat(arrived))
