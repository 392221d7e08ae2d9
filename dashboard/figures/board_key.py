"""Which board: the key that hints, pages and the hub share."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from django.conf import settings

WHOLE_DESK = 0
"""In a trader's place: all of them, the desk's view."""


@dataclass(frozen=True, slots=True)
class BoardKey:
    """One board in one language: trader (or WHOLE_DESK) and market by primary key, and the delivery day."""

    trader_pk: int
    market_pk: int
    day: date
    language: str = settings.LANGUAGE_CODE
