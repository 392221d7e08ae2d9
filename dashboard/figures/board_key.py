"""Which board: the key that hints, pages and the hub share."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Final

from django.conf import settings

from dashboard.figures.readings import Reading

WHOLE_DESK: Final = None
"""In a trader's place, on boards and in the history alike: all of them."""


@dataclass(frozen=True, slots=True)
class BoardKey:
    """One board in one language and reading: trader (or WHOLE_DESK) and market by primary key, and the delivery day."""

    trader_pk: int | None
    market_pk: int
    day: date
    language: str = settings.LANGUAGE_CODE
    reading: Reading = Reading.PRODUCT
