"""The opened row's addresses: the board's page with it, the panel alone for a page that is open, the chart's data."""

from __future__ import annotations

from datetime import datetime

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from dashboard.access import board_trader
from dashboard.formatting import plain
from dashboard.opened import CHART, SECTIONS, Addresses, render_opened
from dashboard.pages import asked_market, board_address, no_board_sentence, refusal, sentence
from dashboard.period import ChartData, load_chart, load_opened
from dashboard.rendering import row_id
from dashboard.views import show_board
from market.models import Market
from market.periods import ParsedPeriod, PeriodError, parse_day, parse_period
from market.queries import MarketError
from trades.models import Trader
from trades.period_trades import PeriodKey, TradeState

PART = "X-Part"
"""Request header: with the value "opened" the answer is the panel alone."""


@require_safe
@never_cache
@login_required
def period(request: HttpRequest, trader_id: str, day: str, delivery_hour: str) -> HttpResponse:
    """One trader's board with one of its rows opened; 404 with a sentence for what doesn't exist or may not be seen."""
    trader = board_trader(request.user, trader_id)
    if trader is None:
        return refusal(request, no_board_sentence(trader_id))
    try:
        market, delivery_day = asked_market(request), parse_day(day)
        asked = parse_period(delivery_day, delivery_hour, market.zone)
    except (MarketError, PeriodError) as error:
        return refusal(request, sentence(error))
    show, page, now = request.GET.get("show", CHART), _page(request), timezone.now()
    if show not in SECTIONS or page is None:
        return refusal(request, _("An opened row has no such part."))
    opened = load_opened(
        trader=trader, market=market, delivery_day=delivery_day, period=asked.period, page=page, now=now
    )
    alone = request.headers.get(PART) == "opened"
    html = render_opened(opened, _addresses(request, trader, market, day, asked), show, whole=not alone)
    if alone:
        return HttpResponse(html, headers={"Vary": PART})
    return show_board(request, opened.board, now, opened={row_id(opened.row): html})


@require_safe
@never_cache
def chart(request: HttpRequest, trader_id: str, day: str, delivery_hour: str) -> JsonResponse:
    """GET /api/v1/trades/<trader_id>/<day>/<delivery_hour>[?have=]: what the chart of a period draws.

    Columns of trades that count, oldest first: time (ms since 1970), side ("buy", "sell"), MW and EUR/MWh as exact
    texts; the reference's path as [ms, value], up to `now`. `have` is an earlier answer's `state`: only newer trades
    come then, and `after` is not 0.
    """
    if not request.user.is_authenticated:
        return JsonResponse({"error": "Log in first: this address answers only with a session's cookie."}, status=401)
    trader = board_trader(request.user, trader_id)
    if trader is None:
        return JsonResponse({"error": no_board_sentence(trader_id)}, status=404)
    try:
        market, delivery_day = asked_market(request), parse_day(day)
        asked = parse_period(delivery_day, delivery_hour, market.zone)
    except (MarketError, PeriodError) as error:
        return JsonResponse({"error": sentence(error)}, status=404)
    key = PeriodKey(trader.pk, market.pk, delivery_day, asked.period)
    now = timezone.now()
    return JsonResponse(chart_json(load_chart(key=key, have=_state(request.GET.get("have", ""))), now))


def chart_json(data: ChartData, now: datetime) -> dict[str, object]:
    """The chart's data as its script takes it."""
    trades, state = data.trades, data.state
    return {
        "state": f"{state.trades}.{state.cancelled}.{state.newest}.{state.changes}",
        "after": data.after,
        "now": _ms(now),
        "time": [_ms(trade.execution_time) for trade in trades],
        "side": [trade.direction for trade in trades],
        "mw": [plain(trade.quantity) for trade in trades],
        "price": [plain(trade.price) for trade in trades],
        "path": [[_ms(point.arrived_at), plain(point.value)] for point in data.path],
    }


def _ms(moment: datetime) -> int:
    return int(moment.timestamp() * 1000)


def _state(text: str) -> TradeState | None:
    parts = text.split(".")
    if len(parts) != 4 or not all(part.isascii() and part.isdigit() and len(part) < 19 for part in parts):
        return None
    return TradeState(*map(int, parts))


def _page(request: HttpRequest) -> int | None:
    text = request.GET.get("page", "1")
    return int(text) if text.isascii() and text.isdigit() and 0 < len(text) < 7 and int(text) > 0 else None


def _addresses(request: HttpRequest, trader: Trader, market: Market, day: str, asked: ParsedPeriod) -> Addresses:
    named = market if request.GET.get("market") else None
    query = f"?market={market.code}" if named else ""
    arguments = [trader.trader_id, day, asked.label]
    return Addresses(
        row=reverse("period", args=arguments),
        board=board_address(trader.trader_id, parse_day(day), named),
        chart=reverse("api_period", args=arguments) + query,
        market=named.code if named else None,
    )
