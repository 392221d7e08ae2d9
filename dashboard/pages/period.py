"""The opened row's addresses: the board's page with it, the panel alone for a page that is open, the chart's data."""

from __future__ import annotations

from datetime import datetime

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse, HttpResponseBase, JsonResponse
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from dashboard.assumptions.queries import Standing, standings
from dashboard.assumptions.visibility import viewer_of, visible_to
from dashboard.figures.firmness.outlook import load_outlook
from dashboard.figures.past import Past
from dashboard.figures.period import ChartData, load_chart, load_opened
from dashboard.pages.api import answering
from dashboard.pages.boards import show_board
from dashboard.pages.opened.closing import asked_closing
from dashboard.pages.opened.fan import fan_json
from dashboard.pages.past.asked import asked_past
from dashboard.pages.requests import AskedPeriod, asked_period, refusal, refusing
from dashboard.render.addresses import at_moment, board_address, in_reading
from dashboard.render.assumptions.flags import flags_of, panel_lines
from dashboard.render.board import row_id
from dashboard.render.formatting import plain
from dashboard.render.period_panel import CHART, SECTIONS, Addresses, render_opened
from market import clock
from market.tables import unless_missing
from trades.queries import TradeState

PART = "X-Part"
"""Request header: with the value "opened" the answer is the panel alone."""


@require_safe
@never_cache
@login_required
@refusing
def period(request: HttpRequest, trader_id: str, day: str, delivery_hour: str) -> HttpResponseBase:
    """One trader's board with one of its rows opened; 404 with a sentence for what doesn't exist or may not be seen."""
    asked = asked_period(request, trader_id, day, delivery_hour)
    show, page, now = request.GET.get("show", CHART), _page(request), clock.now()
    if show not in SECTIONS or page is None:
        return refusal(request, _("An opened row has no such part."))
    past = asked_past(request, asked.market, now)
    opened = load_opened(key=asked.row(past), page=page, now=now)
    alone = request.headers.get(PART) == "opened"
    assumed = panel_lines(_assumed(request, asked, now, past), asked.parsed.period, asked.market.people_zone(asked.day))
    closing = asked_closing(request, opened.row.figures)
    addresses = _addresses(request, asked, past)
    firm = load_outlook(asked.market, opened.board.as_of).of(opened.row)
    html = render_opened(opened, addresses, show, whole=not alone, assumed=assumed, closing=closing, firm=firm)
    if alone:
        return HttpResponse(html, headers={"Vary": PART})
    here = _addresses(request, asked, None).of(show, page)
    return show_board(request, opened.board, now, opened={row_id(opened.row): html}, here=here)


@require_safe
@never_cache
@answering
def chart(request: HttpRequest, trader_id: str, day: str, delivery_hour: str) -> JsonResponse:
    """GET /api/v1/trades/<trader_id>/<day>/<delivery_hour>[?by=][&have=]: what the chart of a row draws.

    Columns of trades that count, oldest first: time (ms since 1970), side ("buy", "sell"), MW, MWh in the row and
    EUR/MWh as exact texts; the reference's path as [ms, value], up to `now`. `have` is an earlier answer's `state`:
    only newer trades come then, and `after` is not 0. With `as_of` all of it is as known then. `flags`: assumptions as
    [ms, value, arrow, verdict]. `fan`: where the reference will lie at closure in 8 (`wide`) and in 5 (`narrow`) of 10
    like cases, each from and to; null where too few are known, and for a final one.
    """
    asked = asked_period(request, trader_id, day, delivery_hour)
    now = clock.now()
    past = asked_past(request, asked.market, now)
    data = load_chart(key=asked.row().trades, have=_state(request.GET.get("have", "")), past=past)
    flags = flags_of(_assumed(request, asked, now, past), asked.parsed.period)
    shown_at = past.moment if past else now
    return JsonResponse({**chart_json(data, shown_at), "flags": flags, "fan": fan_json(asked, data, shown_at)})


def _assumed(request: HttpRequest, asked: AskedPeriod, now: datetime, past: Past | None) -> list[Standing]:
    """What of the trader's assumptions of the period the user may see, oldest first; none of a past moment.

    None where an update has not brought their tables yet: the panel is shown all the same.
    """
    viewer = viewer_of(request.user)
    if viewer is None or past is not None:
        return []
    period = asked.parsed.period
    rows = visible_to(viewer, now).filter(
        trader=asked.trader,
        market=asked.market,
        delivery_day=asked.day,
        periods__delivery_start=period.start,
        periods__delivery_end=period.end,
    )
    return unless_missing(lambda: standings(rows.order_by("id")), [])


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
        "mwh": [plain(trade.quantity * min(trade.period.hours, data.hours)) for trade in trades],
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


def _addresses(request: HttpRequest, asked: AskedPeriod, past: Past | None) -> Addresses:
    named = asked.market if request.GET.get("market") else None
    query = f"?market={named.code}" if named else ""
    arguments = [asked.trader.trader_id, asked.day.isoformat(), asked.parsed.label]
    board = in_reading(board_address(asked.trader.trader_id, asked.day, named), asked.reading)
    return Addresses(
        row=reverse("period", args=arguments),
        board=at_moment(board, past),
        live=board,
        chart=at_moment(in_reading(reverse("api_period", args=arguments) + query, asked.reading), past),
        market=named.code if named else None,
        reading=asked.reading,
        past=past,
    )
