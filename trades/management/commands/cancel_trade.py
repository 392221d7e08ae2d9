"""`manage.py cancel_trade ID --reason TEXT`: a trade counts no longer, as by the admin's button."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.models import User

from trades.ledger.decisions import cancel_trade
from trades.management.deciding import DecidingCommand
from trades.models import Trade


class Command(DecidingCommand):
    help = "Cancels a trade: it counts no longer; its row stays, with who, when and why."

    def decide(self, trade: Trade, options: dict[str, Any], user: User) -> None:
        cancel_trade(trade=trade, reason=options["reason"], user=user)
        self.stdout.write(f"Trade {trade.exchange_id} is cancelled.")
