"""GET and POST /api/v1/assumptions, GET /api/v1/assumptions/<id>: session cookie, and its CSRF token to write."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

from django.http import HttpRequest, HttpResponseNotAllowed, JsonResponse
from django.http.response import HttpResponseBase
from django.utils.translation import gettext
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt, csrf_protect

from dashboard.assumptions.facts import cases
from dashboard.assumptions.models import Assumption
from dashboard.assumptions.queries import standings
from dashboard.assumptions.rates import rate_of
from dashboard.assumptions.store import TooLateError, write_down
from dashboard.assumptions.visibility import visible_to
from dashboard.assumptions.wishes import AssumptionError, understood
from dashboard.figures.readings import Reading, known_reading
from dashboard.pages.api import answering
from dashboard.pages.assumptions.selection import asked_selection, need_viewer
from dashboard.pages.requests import NotThereError, sentence
from dashboard.render.assumptions.as_json import assumption_json, rates_json
from market import clock
from market.periods import PeriodError
from market.queries import MarketError

PAGE = 100
_SAFE = ("GET", "HEAD")
Refused = AssumptionError | PeriodError | MarketError
REFUSED = (AssumptionError, PeriodError, MarketError)


@csrf_exempt  # what writes is protected below; nobody is told to bring a token for what is not there
@never_cache
def many(request: HttpRequest) -> HttpResponseBase:
    """GET lists what the user may see (`trader_id`, `from`, `to`, `tag`, `market`, `q`, `cursor`); POST writes one."""
    if request.method == "POST":
        return _writing(request)
    return _listing(request) if request.method in _SAFE else HttpResponseNotAllowed([*_SAFE, "POST"])


@csrf_exempt
@never_cache
def one(request: HttpRequest, number: int) -> HttpResponseBase:
    """GET one; 404 for one that does not exist or is not the user's to see, alike."""
    return _showing(request, number) if request.method in _SAFE else HttpResponseNotAllowed(_SAFE)


@answering
def _showing(request: HttpRequest, number: int) -> JsonResponse:
    (standing,) = standings(visible_to(need_viewer(request), clock.now()).filter(pk=number)) or (None,)
    if standing is None:
        raise NotThereError(gettext("There is no such assumption that you may see."))
    return JsonResponse(assumption_json(standing))


@answering
def _listing(request: HttpRequest) -> JsonResponse:
    selection = asked_selection(request)
    cursor = request.GET.get("cursor", "")
    if cursor and not (cursor.isascii() and cursor.isdigit() and len(cursor) < 19):
        return JsonResponse({"error": gettext("This cursor is none of ours.")}, status=400)
    rows = selection.rows()
    page = standings((rows.filter(pk__lt=int(cursor)) if cursor else rows)[: PAGE + 1])
    return JsonResponse(
        {
            "assumptions": [assumption_json(standing) for standing in page[:PAGE]],
            "rates": rates_json(rate_of(cases(rows))),
            "cursor": str(page[PAGE - 1].assumption.pk) if len(page) > PAGE else None,
        }
    )


@answering
def _writing(request: HttpRequest) -> JsonResponse:
    return _write(request)  # after the log-in was asked for: without one it is 401, whatever the token


@csrf_protect
def _write(request: HttpRequest) -> JsonResponse:
    """201, or nothing stored and one sentence: 400 unusable, 409 too late, 404 for who is no trader."""
    try:
        return JsonResponse(assumption_json(standings(_of(written(request, _words(request))))[0]), status=201)
    except REFUSED as error:
        return refused(error)


def written(request: HttpRequest, words: dict[str, Any]) -> Assumption:
    """Write down what these words say, for the request's user. Raises one of REFUSED, or NotThereError."""
    own = need_viewer(request).own
    if own is None:
        raise NotThereError(gettext("Your login does not belong to a trader."))
    reading = known_reading(words["by"]) if isinstance(words.get("by"), str) else Reading.PRODUCT
    return write_down(trader=own, author=request.user, wish=understood(words), reading=reading)  # type: ignore[arg-type]


def refused(error: Refused) -> JsonResponse:
    """One sentence; 409 when it is too late."""
    return JsonResponse({"error": sentence(error)}, status=409 if isinstance(error, TooLateError) else 400)


def _of(assumption: Assumption) -> Any:
    return Assumption.objects.filter(pk=assumption.pk)


def _words(request: HttpRequest) -> dict[str, Any]:
    try:
        words = json.loads(request.body, parse_float=Decimal, parse_constant=_no_number)
    except (ValueError, RecursionError):
        words = None
    if not isinstance(words, dict):
        raise AssumptionError("send one object of JSON")
    return words


def _no_number(text: str) -> None:
    raise ValueError(text)
