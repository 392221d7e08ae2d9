"""The desk against itself: the page, for those who may see who of the desk traded against whom."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from urllib.parse import urlencode

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from dashboard.access.rights import AnyUser, may_see_against_itself
from dashboard.figures.itself.day import Against, load_against
from dashboard.figures.past import Past
from dashboard.pages.navigation import Here, links
from dashboard.pages.past.asked import asked_past
from dashboard.pages.past.page import asked_with
from dashboard.pages.requests import NotThereError, asked_market, refusing
from dashboard.render.addresses import at_moment, named_market
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
    past: Past | None = None

    def load(self) -> Against:
        """What is asked for."""
        period = self.parsed.period if self.parsed else None
        return load_against(market=self.market, day=self.day, now=self.now, period=period, past=self.past)


@require_safe
@never_cache
@login_required
@refusing
def page(request: HttpRequest, day: str = "") -> HttpResponse:
    """GET /desk/against-itself/<YYYY-MM-DD>/?market=&hour=&as_of=; without a day today's. 404 without the right."""
    need_right(request.user)
    chosen = day or request.GET.get("day", "")
    asked = asked_against(request, chosen)
    markets = active_markets()
    named = named_market(asked.market, markets)
    address = against_address(asked.day, named, asked.past)
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
        "of_period": f"{address}{'&' if '?' in address else '?'}hour=",
        "earlier": against_address(asked.day - timedelta(days=1), named, asked.past),
        "later": against_address(asked.day + timedelta(days=1), named, asked.past),
        "past": _past_words(asked),
        "asked": asked_with(asked.past),
        "of_now": against_address(asked.day, named),
        "nav": links(request.user, here=Here.DESK, market=named, day=asked.day),
    }
    return render(request, "dashboard/itself/page.html", context)


def _past_words(asked: Asked) -> str:
    """The moment in words; empty for now."""
    if asked.past is None:
        return ""
    local = asked.past.moment.astimezone(asked.market.people_zone(asked.day))
    moment = f"{day_title(local.date())} {local:%H:%M:%S}"
    words = _("As it was at %(moment)s") if asked.past.happened else _("As known at %(moment)s")
    return words % {"moment": moment}


def need_right(user: AnyUser) -> None:
    """NotThereError for everybody without the right, whatever was asked."""
    if not may_see_against_itself(user):
        raise NotThereError(_("There is nothing at this address."))


def asked_against(request: HttpRequest, day: str) -> Asked:
    """What a request asks for; MarketError or PeriodError says what is wrong."""
    market, now = asked_market(request), clock.now()
    past = asked_past(request, market, now)
    delivery_day = parse_day(day) if day else market.day_of(past.moment if past else now)
    hour = request.GET.get("hour", "")
    parsed = parse_period(delivery_day, hour, market.calendar) if hour else None
    return Asked(market, delivery_day, now, parsed, past)


def against_address(day: date, market: Market | None, past: Past | None = None) -> str:
    """Path of the page of one day, now or as of a moment; `market` only where there are several."""
    path = reverse("against_itself_day", args=[day.isoformat()])
    return at_moment(f"{path}?{urlencode({'market': market.code})}" if market else path, past)
