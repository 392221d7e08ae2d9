"""The desk against itself: the page, for those who may see who of the desk traded against whom."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from urllib.parse import urlencode

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from dashboard.access.rights import AnyUser, may_see_against_itself
from dashboard.figures.itself.day import Against, load_against
from dashboard.pages.navigation import Here, links
from dashboard.pages.requests import NotThereError, asked_market, refusing
from dashboard.render.addresses import named_market
from dashboard.render.formatting import day_title, period_title
from dashboard.render.itself.page import against_body
from market import clock
from market.labels import ParsedPeriod, parse_period
from market.models import Market
from market.periods import parse_day
from market.queries import active_markets
from trades.queries import all_traders


@dataclass(frozen=True, slots=True)
class Asked:
    """Which market's delivery day is looked at, at which moment, and which of its periods: None for all."""

    market: Market
    day: date
    now: datetime
    parsed: ParsedPeriod | None

    def load(self) -> Against:
        """What is asked for."""
        period = self.parsed.period if self.parsed else None
        return load_against(market=self.market, day=self.day, now=self.now, period=period)


@require_safe
@never_cache
@login_required
@refusing
def page(request: HttpRequest, day: str = "") -> HttpResponse:
    """GET /desk/against-itself/<YYYY-MM-DD>/?market=&hour=; without a day today's. 404 without the right."""
    need_right(request.user)
    chosen = day or request.GET.get("day", "")
    asked = asked_against(request, chosen)
    markets = active_markets()
    named = named_market(asked.market, markets)
    address = against_address(asked.day, named)
    if chosen and not day:
        return redirect(address)
    body = against_body(
        asked.load(), traders={one.trader_id: one for one in all_traders()}, is_whole=asked.parsed is None
    )
    context = {
        **body,
        "day": asked.day,
        "day_title": day_title(asked.day),
        "hour": period_title(asked.parsed.label) if asked.parsed else "",
        "market": asked.market,
        "zone": asked.market.people_zone(asked.day).key,
        "markets": markets if named else [],
        "address": address,
        "of_period": f"{address}{'&' if named else '?'}hour=",
        "earlier": against_address(asked.day - timedelta(days=1), named),
        "later": against_address(asked.day + timedelta(days=1), named),
        "nav": links(request.user, here=Here.DESK, market=named, day=asked.day),
    }
    return render(request, "dashboard/itself/page.html", context)


def need_right(user: AnyUser) -> None:
    """NotThereError for everybody without the right, whatever was asked."""
    if not may_see_against_itself(user):
        raise NotThereError(gettext("There is nothing at this address."))


def asked_against(request: HttpRequest, day: str) -> Asked:
    """What a request asks for; MarketError or PeriodError says what is wrong."""
    market, now = asked_market(request), clock.now()
    delivery_day = parse_day(day) if day else market.day_of(now)
    hour = request.GET.get("hour", "")
    return Asked(market, delivery_day, now, parse_period(delivery_day, hour, market.calendar) if hour else None)


def against_address(day: date, market: Market | None) -> str:
    """Path of the page of one day; `market` only where there are several."""
    path = reverse("against_itself_day", args=[day.isoformat()])
    return f"{path}?{urlencode({'market': market.code})}" if market else path
