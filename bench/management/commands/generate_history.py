"""`manage.py generate_history`: years of made-up trades and prices, to see how the desk does with them."""

from __future__ import annotations

import sys
from argparse import ArgumentParser
from datetime import UTC, date, datetime, timedelta
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import connection

from bench.history_data import generate_day, generate_prices, generated_traders, is_empty_but_for_generated
from market.periods import PeriodError, parse_day
from market.queries import MarketError, market_by_code

_BAR = 40


class Command(BaseCommand):
    help = (
        "Fills a database of its own with made-up trades, positions and prices: by default a year of 100 trades a "
        "minute. Begun again it goes on where it ended. It refuses a database that has a real trade."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--into", required=True, metavar="DATABASE", help="the database's name, to be sure")
        parser.add_argument("--days", type=int, default=365, help="delivery days, up to --until")
        parser.add_argument("--until", metavar="YYYY-MM-DD", help="the last delivery day (today)")
        parser.add_argument("--trades-a-day", type=int, default=144_000)
        parser.add_argument("--traders", type=int, default=15)
        parser.add_argument("--market", help="code of the market (needed with several active ones)")

    def handle(self, *_args: Any, **options: Any) -> None:
        days, count, traders = options["days"], options["trades_a_day"], options["traders"]
        if min(days, count, traders) < 1:
            raise CommandError("--days, --trades-a-day and --traders must be above 0.")
        if options["into"] != connection.settings_dict["NAME"]:
            raise CommandError(f"This process works on the database {connection.settings_dict['NAME']}, not on that.")
        if not is_empty_but_for_generated():
            raise CommandError("This database has real trades; made-up ones are not put beside them.")
        try:
            market = market_by_code(options["market"])
            until = parse_day(options["until"]) if options["until"] else market.day_of(datetime.now(UTC))
        except (MarketError, PeriodError) as error:
            raise CommandError(f"{error}.") from None
        people = generated_traders(count=traders)
        for number in range(days):
            day = until - timedelta(days=days - 1 - number)
            generate_day(market=market, day=day, traders=people, count=count, seed=_seed(day))
            generate_prices(market=market, day=day, seed=_seed(day))
            self._progress(number + 1, days, day)
        with connection.cursor() as cursor:
            cursor.execute("ANALYZE")
        self.stdout.write(f"{days} days of {count} trades are there.")

    def _progress(self, done: int, total: int, day: date) -> None:
        """A bar on a terminal, a line every tenth elsewhere."""
        filled = _BAR * done // total
        if sys.stderr.isatty():
            end = "\n" if done == total else ""
            self.stderr.write(f"\r[{'#' * filled}{'.' * (_BAR - filled)}] {done}/{total} {day}", ending=end)
        elif done * 10 // total > (done - 1) * 10 // total:
            self.stderr.write(f"{done} of {total} days ({day})")


def _seed(day: date) -> float:
    """The same day is the same day again: between -1 and 1, as PostgreSQL wants it."""
    return (day.toordinal() % 1000) / 1000
