"""`manage.py listen_trades`: hold the exchange's websocket."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from market import clock
from market.queries import MarketError
from trades.capture.journal import JournalError
from trades.capture.listener import run_listener


class Command(BaseCommand):
    help = (
        "Holds the exchange's websocket and stores every trade confirmation. Several may run side by side, each with "
        "its own journal. SIGTERM ends it cleanly."
    )
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--market", help="code of the market (needed with several active ones)")
        parser.add_argument("--name", help="the listener's name, for its journal; default: the first free listener-N")

    def handle(self, *_args: Any, **options: Any) -> None:
        clock.follow_if_possible()
        try:
            run_listener(market_code=options["market"], name=options["name"])
        except (JournalError, MarketError) as error:
            raise CommandError(str(error)) from None
        except OSError as error:
            raise CommandError(f"the journal folder can't be used: {error}") from None
