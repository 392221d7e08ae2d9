"""The figures of a board as JSON. Decimals are exact, as strings; undefined is null; times are UTC."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.http import HttpRequest, JsonResponse
from django.utils.translation import gettext
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from dashboard.access.rights import home_trader, may_see_all
from dashboard.figures.board import load_board
from dashboard.figures.firmness.outlook import load_outlook
from dashboard.figures.past import Past
from dashboard.pages.past.asked import asked_past
from dashboard.pages.requests import (
    REFUSED,
    NotThereError,
    QueryError,
    asked_market,
    asked_reading,
    asked_trader,
    why_not,
)
from dashboard.render.board_json import board_json, point_json
from dashboard.render.formatting import utc
from market import clock
from market.labels import parse_period
from market.periods import parse_day
from market.queries import market_by_code


def answering(view: Callable[..., JsonResponse]) -> Callable[..., JsonResponse]:
    """The view, for those with a session; 401 without one, and what it raises about its address as 404, as JSON."""

    @wraps(view)
    def answer(request: HttpRequest, *args: Any, **arguments: Any) -> JsonResponse:
        if not request.user.is_authenticated:
            return _refusal(401, gettext("Log in first: this address answers only with a session's cookie or a token."))
        try:
            return view(request, *args, **arguments)
        except REFUSED as error:
            return _refusal(404, why_not(error))
        except QueryError as error:
            return _refusal(400, str(error))

    return answer


@require_safe
@never_cache
@answering
def board(request: HttpRequest, trader_id: str, day: str) -> JsonResponse:
    """GET /api/v1/boards/<trader_id>/<YYYY-MM-DD>?by=product, hour or quarter&as_of=, answered as JSON.

    401 without a login, 404 without a right, 400 for another reading or no usable moment, each with a sentence.
    """
    trader, market, delivery_day = asked_trader(request.user, trader_id), asked_market(request), parse_day(day)
    reading, now = asked_reading(request), clock.now()
    past = asked_past(request, market, now)
    shown = load_board(trader=trader, market=market, delivery_day=delivery_day, now=now, reading=reading, past=past)
    return JsonResponse(board_json(shown, load_outlook(market, shown.as_of)))


@require_safe
@never_cache
@answering
def price_path(request: HttpRequest, market: str, day: str, delivery_hour: str) -> JsonResponse:
    """GET /api/v1/prices/<market>/<YYYY-MM-DD>/<delivery_hour>: every accepted value of a period, oldest first.

    For everybody who may see a board; 401 without a login, 404 without a board or for a period that doesn't exist.
    """
    if home_trader(request.user) is None and not may_see_all(request.user):
        raise NotThereError(gettext("Your login does not belong to a trader."))
    known, delivery_day = market_by_code(market), parse_day(day)
    parsed = parse_period(delivery_day, delivery_hour, known.calendar)
    past = asked_past(request, known, clock.now()) or Past(clock.now())
    path = past.price_paths(known, [parsed.period])[0]
    return JsonResponse(
        {
            "market": known.code,
            "delivery_day": delivery_day.isoformat(),
            "delivery_hour": parsed.label,
            "delivery_start": utc(parsed.period.start),
            "delivery_end": utc(parsed.period.end),
            "unit": f"{known.rules_on(delivery_day).currency}/MWh",
            "path": [point_json(point) for point in path],
        }
    )


def _refusal(status: int, sentence: str) -> JsonResponse:
    return JsonResponse({"error": sentence}, status=status)
