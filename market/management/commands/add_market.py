"""`manage.py add_market`: a market begun with what is known of its area."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError

from market.areas.adding import AreaError, add_market, known_areas, unconfirmed


class Command(BaseCommand):
    help = "Adds a market with the rules of its area, for example FI. Says what is to be checked."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("area", metavar="AREA", nargs="?", help="code of the area, for example FI")
        parser.add_argument("--list", action="store_true", help="say which areas are known")
        parser.add_argument("--exchange-ws-url", default="", help="websocket of its exchange, else EXCHANGE_WS_URL")
        parser.add_argument("--market-data-url", default="", help="base URL of its provider, else MARKET_DATA_URL")
        parser.add_argument("--inactive", action="store_true", help="neither listened to nor priced yet")

    def handle(self, *_args: Any, **options: Any) -> None:
        if options["list"]:
            for preset in known_areas():
                self.stdout.write(f"{preset.code}  {preset.name}")
            return
        if not options["area"]:
            raise CommandError("name an area, or say --list")
        try:
            market = add_market(
                options["area"].upper(),
                exchange_ws_url=options["exchange_ws_url"],
                market_data_url=options["market_data_url"],
                is_active=not options["inactive"],
            )
        except AreaError as error:
            raise CommandError(str(error)) from None
        except ValidationError as error:
            raise CommandError(" ".join(error.messages)) from None
        self.stdout.write(f"{market.code} ({market.name}) is a market of the desk")
        for value in unconfirmed(market):
            self.stdout.write(f"to be checked: {value.name}: {value.value}")
