"""The desk's pages and their websocket: for those who may see all boards; for everybody else they do not exist."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from urllib.parse import parse_qs, urlencode

from channels.db import database_sync_to_async
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import get_language, gettext
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from dashboard import formatting as fmt
from dashboard.access import AnyUser, may_see_all
from dashboard.consumers import BoardSocket
from dashboard.desk import Desk, load_desk
from dashboard.desk_rendering import render_desk
from dashboard.feeds import load_feeds
from dashboard.languages import known_language
from dashboard.live import WHOLE_DESK, BoardKey
from dashboard.navigation import Here, exports, links
from dashboard.pages import NEAR_TITLES, asked_market, named_market, near_day, refusal, sentence
from dashboard.rendering import page_version
from dashboard.words import page_words
from market.models import Market
from market.periods import PeriodError, day_of, parse_day
from market.queries import MarketError, active_markets, market_by_code

MANY_TRADERS = 8
_ONE_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class DeskFrame:
    """Everything on the desk's page that is not one of its parts. Addresses are paths on this origin."""

    market: Market
    markets: list[Market]
    """To choose from; empty when there is nothing to choose."""
    day: date
    day_title: str
    near: str
    near_title: str
    earlier: str
    later: str
    today: str
    """Address of the desk today; empty when this is it."""
    today_iso: str
    socket: str
    as_of: str
    follows_today: bool
    currency: str
    is_wide: bool
    """More traders than a sheet of paper takes at its usual size."""


def desk_address(day: date, market: Market | None = None) -> str:
    """Path of the desk's view of one day; `market` only where there are several."""
    path = reverse("desk_day", args=[day.isoformat()])
    return f"{path}?{urlencode({'market': market.code})}" if market else path


@require_safe
@never_cache
@login_required
def desk(request: HttpRequest, day: str = "") -> HttpResponse:
    """GET /desk/ (it follows today) and /desk/<YYYY-MM-DD>/: 404 without the right, and for a day that is none."""
    if not may_see_all(request.user):
        return no_desk(request)
    chosen = day or request.GET.get("day", "")
    now = timezone.now()
    try:
        market = asked_market(request)
        delivery_day = parse_day(chosen) if chosen else day_of(now, market.zone)
    except (MarketError, PeriodError) as error:
        return refusal(request, sentence(error))
    if chosen and not day:
        return redirect(desk_address(delivery_day, market if request.GET.get("market") else None))
    shown = load_desk(market=market, delivery_day=delivery_day, now=now)
    return _show(request, shown, now, follows_today=not day)


def no_desk(request: HttpRequest) -> HttpResponse:
    """The same for everybody without the right, whatever was asked."""
    return refusal(request, gettext("There is nothing at this address."))


def _show(request: HttpRequest, shown: Desk, now: datetime, *, follows_today: bool) -> HttpResponse:
    markets = active_markets()
    named = named_market(shown.whole.market, markets)
    parts = render_desk(shown, load_feeds(market=shown.whole.market, now=now), named=named is not None)
    context = {
        "version": page_version(shown.whole, parts),
        "frame": _frame(shown, markets, follows_today=follows_today),
        "feed_states": parts.pop("feed-states"),
        "summary": parts.pop("summary"),
        "traders": parts.pop("traders"),
        "heads": parts.pop("heads"),
        "total": parts.pop("total"),
        "periods": parts.values(),
        "words": page_words(),
        "exports": exports("desk_export", asked={}, market=named, day=shown.whole.delivery_day.isoformat()),
        "nav": links(
            request.user, here=Here.DESK, market=named, day=None if follows_today else shown.whole.delivery_day
        ),
    }
    return render(request, "dashboard/desk.html", context)


def _frame(shown: Desk, markets: list[Market], *, follows_today: bool) -> DeskFrame:
    market, day, now = shown.whole.market, shown.whole.delivery_day, shown.whole.as_of
    named = named_market(market, markets)
    today = day_of(now, market.zone)
    near = near_day(day, today)
    return DeskFrame(
        market=market,
        markets=markets if named else [],
        day=day,
        day_title=fmt.day_title(day),
        near=near,
        near_title=str(NEAR_TITLES.get(near, "")),
        earlier=desk_address(day - _ONE_DAY, named),
        later=desk_address(day + _ONE_DAY, named),
        today="" if day == today else desk_address(today, named),
        today_iso=today.isoformat(),
        socket=f"/ws/desk/{day}/?{urlencode({'market': market.code, 'language': get_language() or ''})}",
        as_of=fmt.utc(now),
        follows_today=follows_today,
        currency=fmt.currency_sign(market.currency),
        is_wide=len(shown.boards) > MANY_TRADERS,
    )


class DeskSocket(BoardSocket):
    """An open page of the desk's view: a board of all traders, to the hub."""

    @database_sync_to_async
    def _board_key(self, user: AnyUser) -> BoardKey | None:
        asked = parse_qs(self.scope["query_string"].decode("latin1"))
        try:
            day = parse_day(self.scope["url_route"]["kwargs"]["day"])
            market = market_by_code(asked.get("market", [None])[0])
        except (PeriodError, MarketError):
            return None
        if not may_see_all(user):
            return None
        return BoardKey(WHOLE_DESK, market.pk, day, known_language(asked.get("language", [""])[0]))
