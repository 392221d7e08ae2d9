"""Confirmations for tests, as the wire has them."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

from market.models import Market
from trades.frames import FrameSource, JournalFrame
from trades.ledger.store import StoreResult, store_frames

NOW = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
FACTS: dict[str, Any] = {
    "price": 20.5,
    "quantity": 12.0,
    "direction": "buy",
    "delivery_day": "2026-11-23",
    "delivery_hour": "12-13",
    "trader_id": "trader_1",
    "execution_time": "2026-11-23T08:59:59Z",
}


def confirmation(trade_id: object, **changes: Any) -> bytes:
    return json.dumps({"trade_confirmation": {"id": str(trade_id), **FACTS, **changes}}).encode()


def numbered(*frames: bytes, first: int = 1) -> list[JournalFrame]:
    return [JournalFrame(number, NOW, frame) for number, frame in enumerate(frames, start=first)]


def germany() -> Market:
    """The market; tests that empty the tables take the migrations' row away."""
    return Market.objects.get_or_create(code="DE", defaults={"name": "Germany"})[0]


def store(*frames: bytes, journal: str = "test-journal", first: int = 1) -> StoreResult:
    source = FrameSource(journal, "listener-1")
    return store_frames(market=germany(), source=source, frames=numbered(*frames, first=first))
