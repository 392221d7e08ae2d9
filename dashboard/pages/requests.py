"""What a page shows around a board or the desk: its address, the days beside it, the switches; pages that say no."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from functools import wraps
from typing import Any, Protocol

from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import render
from django.utils.translation import gettext

from dashboard.access.preferences import READING_COOKIE, note_look
from dashboard.access.rights import AnyUser, board_trader
from dashboard.figures.past import Past
from dashboard.figures.period import RowKey
from dashboard.figures.readings import Reading, fitting, known_reading
from market.labels import ParsedPeriod, parse_period
from market.models import Market
from market.periods import PeriodError, parse_day
from market.queries import MarketError, active_markets, market_by_code
from trades.models import Trader


def choose_market(code: str | None, markets: list[Market]) -> Market:
    """The market asked for, else the first of the active ones; MarketError says what is wrong."""
    if code is None and markets:
        return markets[0]
    return next((market for market in markets if market.code == code), None) or market_by_code(code)


def asked_market(request: HttpRequest) -> Market:
    """The market of this request (`?market=CODE`), or the first; MarketError says what is wrong."""
    return choose_market(request.GET.get("market") or None, active_markets())


def refusal(request: HttpRequest, sentence: str, *, status: int = 404) -> HttpResponse:
    """404 (or 400, 409) with one sentence, also with DEBUG on: nobody needs a stack trace for a wrong address."""
    return render(request, f"{status}.html", {"exception": sentence}, status=status)


class QueryError(ValueError):
    """What a query asks with can't be used; the message is one sentence for people, in their language."""


class NotThereError(LookupError):
    """Nothing there, or nothing for this user, alike; the message is one sentence for people, in their language."""


REFUSED = (NotThereError, MarketError, PeriodError)
"""What the `asked_…` functions raise; `why_not` makes a sentence of it."""

_View = Callable[..., HttpResponseBase]


def refusing(view: _View) -> _View:
    """The view, with what it raises about its address said on a page of its own: 404 and one sentence."""

    @wraps(view)
    def answer(request: HttpRequest, *args: Any, **arguments: Any) -> HttpResponseBase:
        try:
            return view(request, *args, **arguments)
        except REFUSED as error:
            return refusal(request, why_not(error))
        except QueryError as error:
            return refusal(request, str(error), status=400)

    return answer


def asked_trader(user: AnyUser, trader_id: str) -> Trader:
    """The trader of an address, for a user who may see the boards; NotThereError else."""
    trader = board_trader(user, trader_id)
    if trader is None:
        raise NotThereError(no_board_sentence(trader_id))
    return trader


@dataclass(frozen=True, slots=True)
class AskedPeriod:
    """What a row's address names, all of it there and the user's to see. `day`: the delivery day."""

    trader: Trader
    market: Market
    day: date
    parsed: ParsedPeriod
    reading: Reading

    def row(self, past: Past | None = None) -> RowKey:
        """The row's key, now or at an earlier moment."""
        return RowKey(self.trader, self.market, self.day, self.parsed.period, self.reading, past)


def asked_period(request: HttpRequest, trader_id: str, day: str, delivery_hour: str) -> AskedPeriod:
    """What `/<trader_id>/<day>/<delivery_hour>?by=` names; raises one of REFUSED, or QueryError.

    A label is a product's, unless `by` says that it is a row of another reading; of one that has no such row it is
    a product's again.
    """
    trader, market, delivery_day = asked_trader(request.user, trader_id), asked_market(request), parse_day(day)
    parsed = parse_period(delivery_day, delivery_hour, market.calendar)
    reading = named_reading(request.GET.get("by", Reading.PRODUCT))
    return AskedPeriod(trader, market, delivery_day, parsed, fitting(reading, parsed.period))


def why_not(error: Exception) -> str:
    """One of REFUSED as a sentence in the active language."""
    return sentence(error) if isinstance(error, MarketError | PeriodError) else str(error)


def no_board_sentence(trader_id: str) -> str:
    """For a trader that nobody has heard of and for one without the right to it, alike."""
    return gettext("There is no trader “%(trader)s” whose board you may see.") % {"trader": trader_id[:80]}


class Explained(Protocol):
    """An error that says what is wrong as a pattern and its values: each reader in the own language."""

    pattern: str
    values: dict[str, object]


def sentence(error: Explained) -> str:
    """What is wrong with an address, as a sentence of its own in the active language."""
    text = gettext(error.pattern) % error.values
    return f"{text[:1].upper()}{text[1:]}."


def asked_reading(request: HttpRequest) -> Reading:
    """`?by=` of the request, else what the browser carries of the user's choice; QueryError for another word.

    A page that is open asks for its parts by what it shows, whatever another tab has chosen meanwhile.
    """
    asked = request.GET.get("by", Reading.PRODUCT if request.headers.get("X-Part") else None)
    reading = known_reading(request.COOKIES.get(READING_COOKIE, "")) if asked is None else named_reading(asked)
    note_look(reading)
    return reading


def named_reading(word: str) -> Reading:
    """The reading of that word; QueryError where there is none."""
    if word not in tuple(Reading):
        raise QueryError(gettext("A board can be read by product, hour or quarter."))
    return Reading(word)
