"""Like cases for tests of boards and pages, without sixty days of prices."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from decimal import Decimal

from dashboard.figures.firmness.rules import LEFT, PARTS
from dashboard.models import LikeMoves
from market.models import Market
from tests.dashboard.copied import copied

FIVE = ("-4", "-1", "0", "1", "4")
"""Moves of a day, for each step of LEFT as much wider."""


def store_alike(
    market: Market, before: date, *, days: int = 60, moves: Sequence[str] = FIVE, minutes: Sequence[int] = (60, 15)
) -> None:
    """The same moves for each of so many days before one, for every time left and part of the day."""
    copied(
        LikeMoves(
            market=market,
            delivery_day=before - timedelta(days=number),
            minutes=length,
            time_left=left,
            part=part,
            moves=[Decimal(move) * left for move in moves],
        )
        for number in range(1, days + 1)
        for length in minutes
        for left in range(len(LEFT))
        for part in range(len(PARTS))
    )
