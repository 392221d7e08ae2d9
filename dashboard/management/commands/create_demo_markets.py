"""`manage.py create_demo_markets`: what `make run` calls for the markets that it plays beside the first one."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.db import transaction

from market.areas.adding import AreaError, add_market
from market.models import Market

PLAYED = "ws://127.0.0.1:"


class Command(BaseCommand):
    help = (
        "Adds the areas that are played here, each as FI=ws://127.0.0.1:1,http://127.0.0.1:2, and stops listening to "
        "those that are played no more. Only with DEBUG on."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("markets", nargs="*", metavar="CODE=EXCHANGE,PROVIDER")

    @transaction.atomic
    def handle(self, *_args: Any, **options: Any) -> None:
        if not settings.DEBUG:
            raise CommandError("demo markets are for a laptop: they are only created with DEBUG on")
        Market.objects.filter(exchange_ws_url__startswith=PLAYED).update(is_active=False)
        for text in options["markets"]:
            code, _, addresses = text.partition("=")
            exchange, _, provider = addresses.partition(",")
            if not exchange.startswith(PLAYED) or not provider:
                raise CommandError(f"“{text}” is not of the form FI=ws://127.0.0.1:1,http://127.0.0.1:2")
            _play(code, exchange, provider)


def _play(code: str, exchange: str, provider: str) -> None:
    """The market with these addresses, whether it is new or one of an earlier run."""
    known = Market.objects.filter(code=code)
    if known.update(exchange_ws_url=exchange, market_data_url=provider, is_active=True):
        return
    try:
        add_market(code, exchange_ws_url=exchange, market_data_url=provider)
    except AreaError as error:
        raise CommandError(str(error)) from None
