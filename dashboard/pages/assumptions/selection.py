"""Which assumptions a request asks for, of those that its user may see: page, API and exports ask alike."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta

from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext

from dashboard.assumptions.models import Assumption
from dashboard.assumptions.visibility import Viewer, named_trader, viewer_of, visible_to
from dashboard.pages.requests import NotThereError, QueryError, no_board_sentence, sentence
from market import clock
from market.models import Market
from market.periods import PeriodError, day_of, parse_day
from market.queries import active_markets, market_by_code
from trades.models import Trader

DAYS = 30


@dataclass(frozen=True, slots=True)
class Selection:
    """What is asked for; days are delivery days, both included, None without a bound."""

    viewer: Viewer
    now: datetime
    trader: Trader | None = None
    market: Market | None = None
    first: date | None = None
    last: date | None = None
    tag: str = ""
    text: str = ""
    """To be found in reasons and tags."""

    def rows(self) -> QuerySet[Assumption]:
        """All of them, newest first."""
        rows = visible_to(self.viewer, self.now)
        if self.trader is not None:
            rows = rows.filter(trader=self.trader)
        if self.market is not None:
            rows = rows.filter(market=self.market)
        if self.first is not None:
            rows = rows.filter(delivery_day__gte=self.first)
        if self.last is not None:
            rows = rows.filter(delivery_day__lte=self.last)
        if self.tag:
            rows = rows.filter(tags__contains=[self.tag])
        if self.text:
            rows = rows.filter(reason__icontains=self.text)
        return rows.order_by("-id")

    def query(self) -> dict[str, str]:
        """What an address of the same asks with."""
        asked = {
            "trader_id": self.trader.trader_id if self.trader else "",
            "market": self.market.code if self.market else "",
            "from": self.first.isoformat() if self.first else "",
            "to": self.last.isoformat() if self.last else "",
            "tag": self.tag,
            "q": self.text,
        }
        return {name: value for name, value in asked.items() if value}


def need_viewer(request: HttpRequest) -> Viewer:
    """The request's user; NotThereError for somebody who may see no assumption at all."""
    viewer = viewer_of(request.user)
    if viewer is None:
        raise NotThereError(gettext("There are no assumptions that you may see."))
    return viewer


def asked_selection(request: HttpRequest) -> Selection:
    """What the request's query asks for; NotThereError, MarketError or QueryError says what is wrong."""
    viewer, get = need_viewer(request), request.GET
    trader = None
    if get.get("trader_id"):
        trader = named_trader(viewer, get["trader_id"])
        if trader is None:
            raise NotThereError(no_board_sentence(get["trader_id"]))
    return Selection(
        viewer=viewer,
        now=clock.now(),
        trader=trader,
        market=market_by_code(get["market"]) if get.get("market") else None,
        first=_day(get.get("from", "")),
        last=_day(get.get("to", "")),
        tag=_clean(get.get("tag", "")),
        text=_clean(get.get("q", "")),
    )


def _day(text: str) -> date | None:
    try:
        return parse_day(text) if text else None
    except PeriodError as error:
        raise QueryError(sentence(error)) from None


def of_recent_days(asked: Selection) -> Selection:
    """The same, of the last thirty days and those to come where no days are asked for."""
    if asked.first is not None or asked.last is not None:
        return asked
    markets = active_markets()
    zone = (asked.market or markets[0]).zone if asked.market or markets else None
    today = day_of(asked.now, zone) if zone else asked.now.date()
    return replace(asked, first=today - timedelta(days=DAYS - 1))


def _clean(text: str) -> str:
    """PostgreSQL can't be asked for a NUL."""
    return text.replace("\0", "\ufffd").strip()
