"""GET and POST /assumptions/, withdrawing, and the same selection as files."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

from django.contrib.auth.decorators import login_required
from django.db.models import Q
from django.http import HttpRequest, HttpResponse, HttpResponseBase, JsonResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

from dashboard.access.rights import visible_traders
from dashboard.assumptions.facts import Fact, cases_of, facts
from dashboard.assumptions.linking import theorised_of
from dashboard.assumptions.models import Assumption
from dashboard.assumptions.money import Theorised
from dashboard.assumptions.queries import Standing, standings
from dashboard.assumptions.store import TooLateError, withdraw
from dashboard.assumptions.visibility import Viewer
from dashboard.figures.history import DayRange
from dashboard.figures.markets import load_results
from dashboard.pages.assumptions.api import REFUSED, refused, written
from dashboard.pages.assumptions.form import form_fields, wants_json, words_of
from dashboard.pages.assumptions.selection import Selection, asked_selection, need_viewer, of_recent_days
from dashboard.pages.navigation import Here, exports, links
from dashboard.pages.requests import NotThereError, asked_market, refusal, refusing, sentence
from dashboard.render.assumptions.page import listed, money_body, one_currency, rates_body, tags_body
from dashboard.render.formatting import currency_sign
from market.models import Market
from market.queries import active_markets, currency_now
from trades.models import Trader

MOST_OPEN, A_PAGE = 300, 100


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
@login_required
@refusing
def page(request: HttpRequest) -> HttpResponseBase:
    """What the user may see of the last thirty days, or of what is asked for; POST writes one down, from a form."""
    if request.method == "POST":
        return _write(request)
    return _show(request, of_recent_days(asked_selection(request)))


def _write(request: HttpRequest) -> HttpResponseBase:
    """From the page's script the answer is JSON, else the page again; with the sentence when it can't be written."""
    try:
        assumption = written(request, words_of(request.POST))
    except REFUSED as error:
        answer = refused(error)
        if wants_json(request):
            return answer
        return _show(
            request, of_recent_days(asked_selection(request)), error=sentence(error), status=answer.status_code
        )
    said = gettext("Assumption %(number)s is written down.") % {"number": assumption.pk}
    if wants_json(request):
        return JsonResponse({"id": assumption.pk, "said": said}, status=201)
    return redirect("assumptions")


def _show(request: HttpRequest, selection: Selection, *, error: str = "", status: int = 200) -> HttpResponse:
    viewer, market = selection.viewer, selection.market or asked_market(request)
    rows, several = selection.rows(), viewer.sees_others and selection.trader is None
    read = facts(rows)
    judged_cases = cases_of(read)
    theories = theorised_of(read, judged_cases)
    context: dict[str, Any] = {
        **_head(request, selection, market),
        **_lists(request, selection, market, read, theories),
        **rates_body(judged_cases, traders=several),
        **money_body(theories, _totals(selection, read), traders=several),
        "error": error,
        "form": form_fields(viewer.own, market, day=_today(selection, market), refused=request.POST if error else None)
        if viewer.own
        else None,
    }
    if viewer.sees_others:
        context |= tags_body(judged_cases)
    return render(request, "dashboard/assumptions/page.html", context, status=status)


def _today(selection: Selection, market: Market) -> str:
    return market.day_of(selection.now).isoformat()


def _lists(
    request: HttpRequest, selection: Selection, market: Market, read: list[Fact], theories: list[Theorised]
) -> dict[str, Any]:
    """The open ones, and a page of the judged; `outcome` (and `currency`) of the money's table narrow the second."""
    viewer, outcome, cursor = selection.viewer, request.GET.get("outcome", ""), request.GET.get("cursor", "")
    currency = request.GET.get("currency", "")
    open_ones = {row.assumption for row in read if row.verdict is None}
    others = {row.assumption for row in read} - open_ones
    if outcome:
        others = {one.assumption for one in theories if one.outcome == outcome and currency in {"", one.currency}}
    if cursor.isascii() and cursor.isdigit() and len(cursor) < 19:
        others = {number for number in others if number < int(cursor)}
    shown = sorted(others, reverse=True)[:A_PAGE]
    markets = active_markets()
    open_now = listed(
        _standings(sorted(open_ones, reverse=True)[:MOST_OPEN]), viewer.own, selection.now, markets=markets
    )
    judged = listed(_standings(shown), viewer.own, selection.now, markets=markets)
    return {
        "open": open_now,
        "judged": judged,
        "currency": one_currency(open_now, judged, otherwise=currency_sign(currency_now(market))),
        "older": shown[-1] if len(others) > A_PAGE else None,
        "outcome": outcome,
        "narrowed": {name: value for name, value in (("outcome", outcome), ("currency", currency)) if value},
    }


def _standings(numbers: list[int]) -> list[Standing]:
    return standings(Assumption.objects.filter(pk__in=numbers).order_by("-id"))


def _totals(selection: Selection, read: list[Fact]) -> dict[str, Decimal | None]:
    """All that the trader's trades (or the desk's) came to on these days, by currency.

    In the market that is asked for, else in every one that trades or that these assumptions are of.
    """
    viewer = selection.viewer
    trader = selection.trader or (None if viewer.sees_others else viewer.own)
    first, last = selection.first, selection.last or selection.now.date() + timedelta(days=2)
    if not read or first is None or first > last or (trader is None and not viewer.sees_others):
        return {}
    of_any = Market.objects.filter(Q(is_active=True) | Q(pk__in={row.market_pk for row in read}))
    markets = [selection.market] if selection.market else list(of_any)
    return load_results(markets, days=DayRange(first, last), trader=trader)


def _head(request: HttpRequest, selection: Selection, market: Market) -> dict[str, Any]:
    viewer, markets = selection.viewer, active_markets()
    files = exports("assumptions_export", asked=selection.query())
    return {
        "selection": selection,
        "query": selection.query(),
        "market": market,
        "markets": markets if len(markets) > 1 else [],
        "traders": _choices(request, viewer),
        "is_asked": any(
            request.GET.get(name) for name in ("market", "trader_id", "from", "to", "tag", "q", "outcome", "cursor")
        ),
        "may_write": viewer.own is not None,
        "several": viewer.sees_others,
        "exports": files,
        "nav": links(request.user, here=Here.ASSUMPTIONS, market=selection.market if len(markets) > 1 else None),
    }


def _choices(request: HttpRequest, viewer: Viewer) -> list[Trader]:
    if not viewer.sees_others:
        return []
    if viewer.own is None:
        return visible_traders(request.user)
    return list(Trader.objects.filter(pk__in=Assumption.objects.order_by().values("trader")))


@require_POST
@login_required
@refusing
def take_back(request: HttpRequest, number: int) -> HttpResponseBase:
    """POST /assumptions/<id>/withdraw/: its author stands by it no more; 409 from its first gate closure on."""
    own = need_viewer(request).own
    assumption = Assumption.objects.filter(pk=number, trader=own).first() if own else None
    if assumption is None:
        raise NotThereError(gettext("There is no such assumption that you may see."))
    try:
        withdraw(assumption=assumption)
    except TooLateError as error:
        return refusal(request, sentence(error), status=409)
    return redirect("assumptions")
