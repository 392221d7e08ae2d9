"""The board's pages. A view reads the clock, makes the domain calls and shows the result."""

from __future__ import annotations

from datetime import date, datetime

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import NoReverseMatch
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from dashboard.access.rights import home_trader, may_see_all, may_see_status
from dashboard.figures.board import Board, load_board
from dashboard.figures.feed_status import load_feeds
from dashboard.figures.firmness.outlook import load_outlook
from dashboard.figures.past import Past
from dashboard.figures.timeline import load_timeline
from dashboard.live.page_cache import note_page
from dashboard.pages.frame import board_frame
from dashboard.pages.navigation import ExportLink, Here, exports, links, readings
from dashboard.pages.news import is_asked, news
from dashboard.pages.past.asked import asked_past
from dashboard.pages.past.page import asked_with, bar_of, way_back
from dashboard.pages.requests import asked_market, asked_reading, asked_trader, no_board_sentence, refusal, refusing
from dashboard.pages.visit.page import may_begin
from dashboard.render.addresses import at_moment, board_address
from dashboard.render.board import page_version, render_parts
from dashboard.render.client_messages import page_messages
from market import clock
from market.models import Market
from market.periods import parse_day
from market.queries import active_markets
from trades.models import Trader


@require_safe
@never_cache
@login_required
@refusing
def home(request: HttpRequest) -> HttpResponse:
    """The user's own board of today, or the first that the user may see."""
    now = clock.now()
    if not active_markets():
        return render(request, "dashboard/no_market.html")
    trader = home_trader(request.user)
    if trader is None and may_see_status(request.user) and not may_see_all(request.user):
        return redirect("status")
    if trader is None:
        return render(request, "dashboard/no_trader.html")
    market = asked_market(request)
    past = asked_past(request, market, now)
    today = market.day_of(past.moment if past else now)
    return _show(request, trader, market, today, now, past=past, follows_today=past is None)


@require_safe
@never_cache
@login_required
@refusing
def choose(request: HttpRequest) -> HttpResponse:
    """Where the page's switches lead: `?trader=&day=&market=` to the address of that board; what is left out stays."""
    trader_id, day = request.GET.get("trader"), request.GET.get("day")
    market = asked_market(request)
    chosen = parse_day(day) if day else market.day_of(clock.now())
    if not trader_id:
        return redirect("home")
    try:
        address = board_address(trader_id, chosen, market if request.GET.get("market") else None)
    except NoReverseMatch:  # line breaks: no address has them, and no trader is called so
        return refusal(request, no_board_sentence(trader_id))
    return redirect(address)


@require_safe
@never_cache
@login_required
@refusing
def board(request: HttpRequest, trader_id: str, day: str) -> HttpResponse:
    """One trader's board of one delivery day; 404 without the right to it, as for one that doesn't exist."""
    trader, market, now = asked_trader(request.user, trader_id), asked_market(request), clock.now()
    return _show(request, trader, market, parse_day(day), now, past=asked_past(request, market, now))


def _show(
    request: HttpRequest,
    trader: Trader,
    market: Market,
    day: date,
    now: datetime,
    *,
    past: Past | None,
    follows_today: bool = False,
) -> HttpResponse:
    reading = asked_reading(request)
    shown = load_board(trader=trader, market=market, delivery_day=day, now=now, reading=reading, past=past)
    return show_board(request, shown, now, follows_today=follows_today)


def _exports(shown: Board, named: Market | None) -> list[ExportLink]:
    whose, day = shown.trader.trader_id, shown.delivery_day.isoformat()
    asked = {"by": shown.reading.value, **asked_with(shown.past)}
    return exports("board_export", asked=asked, market=named, trader_id=whose, day=day)


def show_board(
    request: HttpRequest,
    shown: Board,
    now: datetime,
    *,
    follows_today: bool = False,
    opened: dict[str, str] | None = None,
    here: str = "",
) -> HttpResponse:
    """A board's page; `opened` has the open row's panel (HTML) by element id, `here` its address without a moment."""
    frame = board_frame(shown, user=request.user, now=now, follows_today=follows_today)
    parts = render_parts(
        shown,
        load_feeds(market=shown.market, now=now),
        at_moment(frame.address, shown.past),
        load_timeline(shown),
        load_outlook(shown.market, shown.as_of),
    )
    named, day = frame.market if frame.markets else None, None if follows_today else shown.delivery_day
    version = page_version(shown, parts)
    if is_asked(request):
        return news(request, shown, version=version, parts=parts, now=now)
    if shown.past is None:
        note_page(request, shown, *(() if opened else (version, dict(parts))))
    context = {
        "version": version,
        "frame": frame,
        "past": bar_of(shown, frame, now, here),
        "way_back": way_back(shown, frame),
        "feed_states": parts.pop("feed-states"),
        "summary": parts.pop("summary"),
        "total": parts.pop("total"),
        "periods": [part for name, html in parts.items() for part in (html, (opened or {}).get(name, ""))],
        "words": page_messages(),
        "readings": readings(shown.reading),
        "exports": _exports(shown, named),
        "first_visit": follows_today and may_begin(request, shown),
        "nav": links(request.user, here=Here.BOARD, market=named, day=day, trader=shown.trader),
    }
    return render(request, "dashboard/board.html", context)
