"""What the demo's traders traded on what they assumed, as confirmations."""

from __future__ import annotations

import io
import json
import random
import tempfile
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from pathlib import Path

from django.core.management import call_command

from market.models import Market

ACTS = {"wind update": 0.7, "trend": 0.6, "gut feeling": 0.4}
"""How often somebody who assumes something acts on it."""


@dataclass(frozen=True, slots=True)
class Deal:
    """A trade to be made up. `price` EUR/MWh, `mw` MW."""

    trader_id: str
    day: date
    label: str
    side: str
    price: Decimal
    mw: int
    at: datetime


def on_an_assumption(
    *, trader_id: str, day: date, label: str, claim: str, tag: str, frozen: Decimal, written: datetime, gate: datetime
) -> list[Deal]:
    """None, or a trade a few minutes later, near the price that its author saw. The same is the same again."""
    chance = random.Random(f"{trader_id} {written}")  # noqa: S311 - play, no secret
    at = written + timedelta(seconds=chance.randrange(30, 240))
    if chance.random() >= ACTS[tag] or at >= gate:
        return []
    price = frozen + Decimal(round(chance.gauss(0, 40))) / 100
    return [Deal(trader_id, day, label, "buy" if claim == "up" else "sell", price, chance.randrange(4, 16), at)]


def book(deals: Iterable[Deal], market: Market) -> None:
    """Store them as a listener's frames are."""
    lines = [_line(number, deal) for number, deal in enumerate(sorted(deals, key=lambda deal: deal.at), start=1)]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "demo-trades.jsonl"
        path.write_text("\n".join(lines))
        call_command("create_demo_trades", str(path), market=market.code, name="theories", stdout=io.StringIO())


def _line(number: int, deal: Deal) -> str:
    fields = {
        "id": f"theory-{number}",
        "price": float(deal.price),
        "quantity": deal.mw,
        "direction": deal.side,
        "delivery_day": deal.day.isoformat(),
        "delivery_hour": deal.label,
        "trader_id": deal.trader_id,
        "execution_time": deal.at.isoformat(),
    }
    return json.dumps({"trade_confirmation": fields})
