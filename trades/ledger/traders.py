"""Traders as the exchange names them."""

from __future__ import annotations

from trades.ledger.confirmations import identifier_problem
from trades.models import Trader


def ensure_trader(*, trader_id: str) -> Trader:
    """The trader with this id, added or confirmed as known."""
    trader, _ = Trader.objects.get_or_create(trader_id=trader_id)
    if not trader.is_known:
        trader.is_known = True
        trader.save(update_fields=["is_known"])
    return trader


def trader_id_problem(trader_id: str) -> str:
    """Why the exchange can't call a trader so; empty when it can."""
    return identifier_problem(trader_id)
