"""What a person says a trade should have been, as a confirmation by the wire's rules. No writes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from trades.ledger.confirmations import TradeConfirmation, Unusable, confirmation_of
from trades.ledger.decisions import DecisionError
from trades.ledger.effective import facts_now
from trades.models import Trade, TradeChange

FACTS = ("price", "quantity", "direction", "delivery_day", "delivery_hour", "trader_id")
"""What can be corrected: EUR/MWh (the market's currency), MW, and words as on the wire."""


def facts_of(facts: Trade | TradeChange) -> dict[str, Any]:
    """Those of a trade or of its correction, as the wire has them; numbers as Decimals without zeros at the end."""
    assert facts.price is not None
    assert facts.quantity is not None
    assert facts.trader is not None
    return {
        "price": facts.price.normalize(),
        "quantity": facts.quantity.normalize(),
        "direction": facts.direction,
        "delivery_day": str(facts.delivery_day),
        "delivery_hour": facts.delivery_hour,
        "trader_id": facts.trader.trader_id,
    }


def corrected(trade: Trade, changes: Mapping[str, Any]) -> TradeConfirmation:
    """The trade with some of FACTS changed. DecisionError says in one sentence what can't be, or that nothing would."""
    now = facts_now(trade)
    if now is None:
        raise DecisionError(f"trade {trade.exchange_id} is cancelled already")
    wire = {**facts_of(now), **changes, "id": trade.exchange_id, "execution_time": trade.execution_time.isoformat()}
    if str(wire["delivery_hour"]).strip().isdigit():
        raise DecisionError(f"“{wire['delivery_hour']}” may begin or end the period: write it like 14-15")
    parsed = confirmation_of(wire, trade.market.calendar)
    if isinstance(parsed, Unusable):
        raise DecisionError(parsed.detail)
    if parsed.ambiguous_hour:
        raise DecisionError(f"“{wire['delivery_hour']}” exists twice on that day: {parsed.delivery_hour} is the first")
    if _same(now, parsed):
        raise DecisionError("nothing would change: these are the facts that count now")
    return parsed


def _same(facts: Trade | TradeChange, c: TradeConfirmation) -> bool:
    assert facts.trader is not None
    ours = (facts.trader.trader_id, facts.direction, facts.price, facts.quantity)
    period = (facts.delivery_start, facts.delivery_end)
    return (*ours, *period) == (c.trader_id, c.direction, c.price, c.quantity, c.period.start, c.period.end)
