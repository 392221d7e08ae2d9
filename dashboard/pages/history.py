"""The history's page: performance over a range of days, as charts and as the tables beside them.

A trader sees the own history; who may see all boards sees every trader's and the whole desk's.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import Any

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext, ngettext
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from dashboard.access.rights import AnyUser, home_trader, may_see_all, visible_traders
from dashboard.figures.board_key import WHOLE_DESK
from dashboard.figures.history import DayRange, History, day_range, last_days, load_history
from dashboard.pages.navigation import Here, exports, links, readings
from dashboard.pages.requests import NotThereError, asked_market, asked_reading, asked_trader, refusing, sentence
from dashboard.render.addresses import named_market
from dashboard.render.client_messages import page_messages
from dashboard.render.earnings.selection import Selection
from dashboard.render.earnings.skill import history_skill
from dashboard.render.history import Asked, history_body
from market import clock
from market.periods import PeriodError, day_of
from market.queries import active_markets
from trades.models import Trader

PRESETS = (7, 30, 90)
DEFAULT_DAYS = 30


def asked_history(request: HttpRequest, *, days: DayRange | None = None) -> Asked:
    """What a request asks for (or the same over `days`); MarketError, PeriodError, NotThereError: what is wrong."""
    market = asked_market(request)
    return Asked(
        market=market,
        named=named_market(market, active_markets()),
        trader=_asked_trader(request.user, request.GET.get("trader", "")),
        days=days or _asked_days(request, market.day_of(clock.now())),
        reading=asked_reading(request),
        by=request.GET.get("by", ""),
    )


def _asked_trader(user: AnyUser, trader_id: str) -> Trader | None:
    if trader_id:
        return asked_trader(user, trader_id)
    if may_see_all(user):
        return WHOLE_DESK
    own = home_trader(user)
    if own is None:
        raise NotThereError(gettext("Your login does not belong to a trader."))
    return own


def _asked_days(request: HttpRequest, today: date) -> DayRange:
    first, last, days = (request.GET.get(name, "") for name in ("from", "to", "days"))
    if first or last:
        return day_range(first=first or last, last=last or first)
    return last_days(int(days) if days in {str(preset) for preset in PRESETS} else DEFAULT_DAYS, today)


@require_safe
@never_cache
@login_required
@refusing
def history(request: HttpRequest) -> HttpResponse:
    """GET /history/?trader=&market=&from=&to=&by= (or days=7, 30, 90): 400 for no range, 404 without a right."""
    try:
        asked = asked_history(request)
    except PeriodError as error:
        return _no_range(request, sentence(error))
    loaded = load_history(market=asked.market, trader=asked.trader, days=asked.days, reading=asked.reading)
    return render(request, "dashboard/history.html", _shown(request, asked, loaded))


def _shown(request: HttpRequest, asked: Asked, loaded: History) -> dict[str, Any]:
    earnings = Selection(asked).address()
    body = {**history_body(asked, loaded), "skill": history_skill(loaded), "earnings": earnings}
    return {**_head(request, asked), **body}


def _no_range(request: HttpRequest, error: str) -> HttpResponse:
    """400: what is wrong, with the form as it was filled in."""
    today = day_of(clock.now(), asked_market(request).calendar)
    asked = asked_history(request, days=last_days(DEFAULT_DAYS, today))
    head = _head(request, asked)
    presets = [(name, address, False) for name, address, _ in head["presets"]]
    typed = {"first": request.GET.get("from", ""), "last": request.GET.get("to", "")}
    context = {**head, **typed, "presets": presets, "error": error, "exports": []}
    return render(request, "dashboard/history.html", context, status=400)


def _head(request: HttpRequest, asked: Asked) -> dict[str, Any]:
    """The page's head: whose history, of which days."""
    today = asked.market.day_of(clock.now())
    traders = visible_traders(request.user) if may_see_all(request.user) else []
    presets = [(days, last_days(days, today)) for days in PRESETS]
    return {
        "asked": asked,
        "title": str(asked.trader) if asked.trader else gettext("Whole desk"),
        "first": asked.days.first.isoformat(),
        "last": asked.days.last.isoformat(),
        "traders": traders,
        "markets": active_markets() if asked.named else [],
        "presets": [
            (
                ngettext("%(count)s day", "%(count)s days", n) % {"count": n},
                asked.address(r),
                r == asked.days,
            )
            for n, r in presets
        ],
        "words": page_messages(),
        "readings": readings(asked.reading),
        "back": replace(asked, by="").address(),
        "exports": exports("history_export", asked=asked.query() | {"by": asked.reading.value}, market=asked.named),
        "nav": links(request.user, here=Here.HISTORY, market=asked.named, trader=asked.trader),
    }
