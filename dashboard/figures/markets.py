"""A desk over several markets: what each made of a delivery day, and one total for each currency. No HTML.

Currencies are never added. Result in the market's currency, energy in MWh.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal, localcontext

from dashboard.figures.history import DayRange, Slice, load_total
from dashboard.figures.readings import Reading
from market.models import Market
from market.totals import EXACT, ZERO


@dataclass(frozen=True, slots=True)
class MarketTotal:
    """One market's delivery day, all traders together."""

    market: Market
    currency: str
    whole: Slice


@dataclass(frozen=True, slots=True)
class CurrencyTotal:
    """The result of all markets of a currency, None while no period of them has one; MWh without a reference."""

    currency: str
    result: Decimal | None
    unpriced: Decimal


def load_market_totals(markets: Iterable[Market], day: date, reading: Reading) -> list[MarketTotal]:
    """The delivery day in each market. One query a market, beside its rules."""
    days = DayRange(day, day)
    return [
        MarketTotal(one, one.rules_on(day).currency, load_total(market=one, days=days, reading=reading))
        for one in markets
    ]


def currency_totals(totals: Sequence[MarketTotal]) -> list[CurrencyTotal]:
    """One total for each currency, in their order."""
    return [_of_currency(currency, totals) for currency in sorted({one.currency for one in totals})]


def _of_currency(currency: str, totals: Sequence[MarketTotal]) -> CurrencyTotal:
    parts = [one.whole for one in totals if one.currency == currency]
    known = [part.figures.performance_eur for part in parts if part.figures.performance_eur is not None]
    with localcontext(EXACT):
        result: Decimal | None = sum(known, ZERO) if known else None
        return CurrencyTotal(currency, result, sum((part.unpriced for part in parts), ZERO))
