"""`manage.py create_demo`: all that `make run` puts into a new desk: markets, logins, and days that have happened."""

from __future__ import annotations

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError

from dashboard.events.models import Event
from market.models import Market
from market.queries import active_markets
from market.statements.planning import count_tables
from prices.models import ReferencePrice
from trades.models import Trade


class Command(BaseCommand):
    help = (
        "Adds the markets that are played and the demo's logins, and fills each market that has no trade and no price "
        "from MARKET-trades.jsonl and MARKET-prices.jsonl of a folder, if they are there. Only with DEBUG on."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("markets", nargs="*", metavar="CODE=EXCHANGE,PROVIDER")
        parser.add_argument("--password", required=True)
        parser.add_argument("--past", type=Path, metavar="FOLDER")

    def handle(self, *_args: Any, **options: Any) -> None:
        if not settings.DEBUG:
            raise CommandError("a demo is for a laptop: it is only made up with DEBUG on")
        call_command("create_demo_markets", *options["markets"])
        call_command("create_demo_logins", password=options["password"])
        folder: Path | None = options["past"]
        filled = [self._fill(market, folder) for market in active_markets()] if folder else []
        if any(filled):
            count_tables()
            call_command("rebuild_firmness", missing=True, stdout=self.stdout)
            Event.objects.filter(number=None).delete()  # what programs are told begins with the desk

    def _fill(self, market: Market, folder: Path) -> bool:
        """Whether there was something to fill it with, and nothing in it."""
        prices, trades = folder / f"{market.code}-prices.jsonl", folder / f"{market.code}-trades.jsonl"
        if not (prices.exists() and trades.exists()):
            return False
        if any(model.objects.filter(market=market).exists() for model in (ReferencePrice, Trade)):
            return False
        call_command("create_demo_prices", prices, market=market.code, stdout=self.stdout)
        call_command("create_demo_trades", trades, market=market.code, stdout=self.stdout)
        return True
