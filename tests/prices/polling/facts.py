"""What the policy's tests are about: periods around one publication time, and requests for them."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

from prices.observations import Ask, Facts, Outcome, PeriodKey

SLOT = datetime(2026, 3, 2, 10, tzinfo=UTC).timestamp()
TODAY = date(2026, 3, 2)
OLD = SLOT - 595


def period(hours_ahead: int, last_update: float | None = OLD, *asks: Ask, market: int = 1, day: date = TODAY) -> Facts:
    """A period whose gate closes `hours_ahead` hours and 55 minutes after SLOT (day counts from TODAY)."""
    start = datetime.fromtimestamp(SLOT, tz=UTC) + timedelta(hours=hours_ahead + 1)
    return Facts(PeriodKey(market, day, start, start + timedelta(hours=1)), start.timestamp() - 300, last_update, asks)


def seen(at: float, outcome: Outcome) -> Ask:
    return Ask(at, outcome, at + 0.1)
