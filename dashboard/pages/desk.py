"""The desk's page and its websocket: for those who may see all boards; for everybody else they do not exist."""

from __future__ import annotations

from datetime import datetime

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from dashboard.access.rights import AnyUser, may_see_against_itself, may_see_all
from dashboard.figures.desk import Desk, load_desk
from dashboard.figures.feed_status import load_feeds
from dashboard.figures.firmness.outlook import load_outlook
from dashboard.figures.markets import load_market_totals
from dashboard.figures.past import Past
from dashboard.pages.frame import BoardFrame, board_frame
from dashboard.pages.itself.page import against_address
from dashboard.pages.navigation import ExportLink, Here, exports, links, readings
from dashboard.pages.news import is_asked, news
from dashboard.pages.past.asked import asked_past
from dashboard.pages.past.page import asked_with, bar_of, way_back
from dashboard.pages.requests import NotThereError, asked_market, asked_reading, refusing
from dashboard.render.addresses import desk_address
from dashboard.render.board import page_version
from dashboard.render.client_messages import page_messages
from dashboard.render.desk import render_desk
from market import clock
from market.periods import parse_day

MANY_TRADERS = 8
"""More than these take smaller type on a sheet of paper."""


@require_safe
@never_cache
@login_required
@refusing
def desk(request: HttpRequest, day: str = "") -> HttpResponse:
    """GET /desk/ (it follows today) and /desk/<YYYY-MM-DD>/, `by` as a board; 404 without the right or for no day."""
    need_desk(request.user)
    chosen = day or request.GET.get("day", "")
    now, market = clock.now(), asked_market(request)
    past = asked_past(request, market, now)
    delivery_day = parse_day(chosen) if chosen else market.day_of(past.moment if past else now)
    if chosen and not day:
        return redirect(desk_address(delivery_day, market if request.GET.get("market") else None))
    reading = asked_reading(request)
    shown = load_desk(market=market, delivery_day=delivery_day, now=now, reading=reading, past=past)
    return _show(request, shown, now, follows_today=not day and past is None)


def need_desk(user: AnyUser) -> None:
    """NotThereError for everybody without the right, whatever was asked."""
    if not may_see_all(user):
        raise NotThereError(gettext("There is nothing at this address."))


def _exports(frame: BoardFrame, past: Past | None) -> list[ExportLink]:
    named = frame.market if frame.markets else None
    asked = {"by": frame.reading, **asked_with(past)}
    return exports("desk_export", asked=asked, market=named, day=frame.day.isoformat())


def _show(request: HttpRequest, shown: Desk, now: datetime, *, follows_today: bool) -> HttpResponse:
    frame = board_frame(shown.whole, user=request.user, now=now, follows_today=follows_today)
    named = frame.market if frame.markets else None
    totals = load_market_totals(frame.markets, frame.day, shown.whole.reading, shown.whole.past)
    feeds, outlook = load_feeds(market=frame.market, now=now), load_outlook(frame.market, shown.whole.as_of)
    parts = render_desk(shown, feeds, markets=totals, outlook=outlook)
    version = page_version(shown.whole, parts)
    if is_asked(request):
        return news(request, shown.whole, version=version, parts=parts, now=now)
    context = {
        "version": version,
        "frame": frame,
        "past": bar_of(shown.whole, frame, now),
        "way_back": way_back(shown.whole, frame),
        "many": len(shown.boards) > MANY_TRADERS,
        "feed_states": parts.pop("feed-states"),
        "summary": parts.pop("summary"),
        "markets": parts.pop("markets", ""),
        "traders": parts.pop("traders"),
        "heads": parts.pop("heads"),
        "total": parts.pop("total"),
        "periods": parts.values(),
        "words": page_messages(),
        "readings": readings(shown.whole.reading),
        "against_itself": against_address(frame.day, named, shown.whole.past)
        if may_see_against_itself(request.user)
        else "",
        "exports": _exports(frame, shown.whole.past),
        "nav": links(request.user, here=Here.DESK, market=named, day=None if follows_today else frame.day),
    }
    return render(request, "dashboard/desk.html", context)
