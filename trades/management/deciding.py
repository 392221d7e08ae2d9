"""What the commands that decide about a trade have in common: which trade, why, and in whose name."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.contrib.auth.models import User
from django.core.management.base import BaseCommand, CommandError
from django.db import transaction

from market.models import Market
from market.queries import MarketError, market_by_code
from trades.ledger.decisions import DecisionError
from trades.models import Trade

COMMAND_LINE = "command-line"
"""Who decided where nobody is named: a login that nobody can use."""
MAY_DECIDE = "trades.judge_trade"


class DecidingCommand(BaseCommand):
    """`manage.py NAME ID --reason TEXT [--by USERNAME] [--market M]`."""

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("id", help="the exchange's id of the trade")
        parser.add_argument("--reason", required=True, metavar="TEXT", help="why; kept with the decision")
        parser.add_argument("--by", metavar="USERNAME", help="who decided (default: the command line)")
        parser.add_argument("--market", metavar="M", help="code of the market, where there are several")

    def handle(self, *_args: Any, **options: Any) -> None:
        """Decide, and say what was done. CommandError says in one sentence why not; then nothing was."""
        try:
            with transaction.atomic():
                trade, user = _trade(options["id"], options["market"]), _user(options["by"])
                self.decide(trade, options, user)
        except (DecisionError, MarketError) as error:
            raise CommandError(str(error)) from None

    def decide(self, trade: Trade, options: dict[str, Any], user: User) -> None:
        raise NotImplementedError


def _trade(exchange_id: str, code: str | None) -> Trade:
    market = Market.objects.filter(code=code).first() or market_by_code(code)  # one that is not active has trades, too
    trade = None if "\0" in exchange_id else Trade.objects.filter(market=market, exchange_id=exchange_id).first()
    if trade is None:
        raise CommandError(f"no trade of {market.code} has the id “{exchange_id}”")
    return trade


def _user(name: str | None) -> User:
    if name is None:
        user, created = User.objects.get_or_create(username=COMMAND_LINE, defaults={"is_active": False})
        if created:
            user.set_unusable_password()
            user.save(update_fields=["password"])
        if user.is_active:
            raise CommandError(f"“{COMMAND_LINE}” is somebody's login here: say who decides with --by")
        return user
    named = User.objects.filter(username=name, is_active=True).first()
    if named is None:
        raise CommandError(f"nobody who can log in is called “{name}”")
    if not named.has_perm(MAY_DECIDE):
        raise CommandError(f"“{name}” has no right to cancel and correct trades")
    return named
