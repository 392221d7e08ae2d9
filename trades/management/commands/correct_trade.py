"""`manage.py correct_trade ID --reason TEXT --price 20.5`: it counts with other facts, as by the admin's button."""

from __future__ import annotations

import re
from argparse import ArgumentParser, ArgumentTypeError
from decimal import Decimal
from typing import Any

from django.contrib.auth.models import User

from accounts.audit.log import hold_the_end
from trades.ledger.corrections import FACTS, corrected
from trades.ledger.decisions import DecisionError, correct_trade
from trades.management.deciding import DecidingCommand
from trades.models import Direction, Trade


def number(text: str) -> Decimal:
    """A plain decimal number, as on the wire."""
    if not re.fullmatch(r"-?\d+(\.\d+)?", text, re.ASCII):
        raise ArgumentTypeError(f"“{text}” is not a number like 20.5")
    return Decimal(text)


class Command(DecidingCommand):
    help = "Corrects a trade: it counts with these facts from now on; those that were confirmed stay on record."

    def add_arguments(self, parser: ArgumentParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("--price", type=number, help="per MWh, in the market's currency")
        parser.add_argument("--quantity", type=number, help="MW")
        parser.add_argument("--direction", choices=Direction.values)
        parser.add_argument("--delivery-day", metavar="YYYY-MM-DD")
        parser.add_argument("--delivery-hour", metavar="HH-HH", help="for example 08-09 or 08:15-08:30")
        parser.add_argument("--trader-id", metavar="T")

    def decide(self, trade: Trade, options: dict[str, Any], user: User) -> None:
        changes = {name: options[name] for name in FACTS if options[name] is not None}
        if not changes:
            raise DecisionError("say what to correct: --price, --quantity, --direction, --delivery-hour and so on")
        hold_the_end()
        trade = Trade.objects.select_for_update().get(pk=trade.pk)  # what is not said stays as it is at this moment
        facts = corrected(trade, changes)
        correct_trade(trade=trade, facts=facts, reason=options["reason"], user=user)
        price, quantity = facts.price.normalize(), facts.quantity.normalize()
        self.stdout.write(
            f"Trade {trade.exchange_id} is corrected: {facts.direction} {quantity:f} MW at {price:f}, "
            f"{facts.delivery_day} {facts.delivery_hour}, {facts.trader_id}."
        )
