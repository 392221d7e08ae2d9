"""`manage.py replay_journal`: store what journals hold and PostgreSQL doesn't."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from market.queries import MarketError
from trades.capture.markets import Markets
from trades.capture.replay import replay_directory


class Command(BaseCommand):
    help = "Stores every journalled frame that is not stored yet. Safe at any time; a second run changes nothing."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--archived", action="store_true", help="the archived segments too (see docs/journal.md)")

    def handle(self, *_args: Any, **options: Any) -> None:
        directory = settings.TRADE_JOURNAL_DIR
        try:
            result = replay_directory(directory=directory, market_of=Markets(), archived=options["archived"])
        except MarketError as error:
            raise CommandError(str(error)) from None
        self.stdout.write(
            f"{result.received} frames were not stored yet: {result.stored} trades, {result.duplicates} duplicates, "
            f"{result.conflicts} conflicts, {result.quarantined} kept aside"
        )
