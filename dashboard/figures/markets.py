"""A desk over several markets: what each made of a delivery day, and one total for each currency. No HTML.

Currencies are never added. Result in the market's currency, energy in MWh.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal, localcontext

from dashboard.figures.desk import load_desk
from dashboard.figures.history import DayRange, load_total, of_one_currency
from dashboard.figures.past import Past
from dashboard.figures.performance import Figures
from dashboard.figures.readings import Reading
from market.models import Market
from market.totals import EXACT, ZERO
from trades.models import Trader


@dataclass(frozen=True, slots=True)
class MarketTotal:
    """One market's delivery day, all traders together."""

    market: Market
    currency: str
    figures: Figures
    unpriced: Decimal
    """MWh that were traded and have no reference price."""


@dataclass(frozen=True, slots=True)
class CurrencyTotal:
    """The result of all markets of a currency, None while no period of them has one; MWh without a reference."""

    currency: str
    result: Decimal | None
    unpriced: Decimal


def load_market_totals(
    markets: Iterable[Market], day: date, reading: Reading, past: Past | None = None
) -> list[MarketTotal]:
    """The delivery day in each market, now or as it stood in the past. One query a market, beside its rules; three of
    the past."""
    return [_past_total(one, day, reading, past) if past else _total(one, day, reading) for one in markets]


def _total(market: Market, day: date, reading: Reading) -> MarketTotal:
    whole = load_total(market=market, days=DayRange(day, day), reading=reading)
    return MarketTotal(market, market.rules_on(day).currency, whole.figures, whole.unpriced)


def _past_total(market: Market, day: date, reading: Reading, past: Past) -> MarketTotal:
    whole = load_desk(market=market, delivery_day=day, now=past.moment, reading=reading, past=past).whole
    with localcontext(EXACT):
        traded = whole.total.sold.energy + whole.total.bought.energy
        return MarketTotal(market, whole.currency, whole.total, traded - whole.total.priced_mwh)


def load_results(
    markets: Iterable[Market], *, days: DayRange, trader: Trader | None = None
) -> dict[str, Decimal | None]:
    """What all trades of these days came to, a trader's or the desk's, by currency; None without any result.

    One query for each market and currency of it, beside its rules.
    """
    results: dict[str, Decimal | None] = {}
    for market in markets:
        for currency, part in of_one_currency(market, days):
            before = results.setdefault(currency, None)
            result = load_total(market=market, days=part, trader=trader).figures.performance_eur
            if result is not None:
                results[currency] = result if before is None else EXACT.add(before, result)
    return results


def currency_totals(totals: Sequence[MarketTotal]) -> list[CurrencyTotal]:
    """One total for each currency, in their order."""
    return [_of_currency(currency, totals) for currency in sorted({one.currency for one in totals})]


def _of_currency(currency: str, totals: Sequence[MarketTotal]) -> CurrencyTotal:
    parts = [one for one in totals if one.currency == currency]
    known = [part.figures.performance_eur for part in parts if part.figures.performance_eur is not None]
    with localcontext(EXACT):
        result: Decimal | None = sum(known, ZERO) if known else None
        return CurrencyTotal(currency, result, sum((part.unpriced for part in parts), ZERO))
