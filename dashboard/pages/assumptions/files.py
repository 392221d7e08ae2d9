"""A selection of assumptions as a file, asked for as the page is: CSV and XLSX by the table, JSON as the API has it."""

from __future__ import annotations

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponseBase, JsonResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from dashboard.assumptions.facts import cases
from dashboard.assumptions.queries import standings
from dashboard.assumptions.rates import rate_of
from dashboard.pages.assumptions.selection import Selection, asked_selection, of_recent_days
from dashboard.pages.exports import table_file
from dashboard.pages.requests import asked_market, refusing
from dashboard.render.assumptions.as_json import assumption_json, rates_json
from dashboard.render.assumptions.table import assumptions_table
from dashboard.render.files import file_name


@require_safe
@never_cache
@login_required
@refusing
def as_table(request: HttpRequest, form: str) -> HttpResponseBase:
    """GET /assumptions/assumptions.csv (or .xlsx, or .sheet.csv)."""
    asked = of_recent_days(asked_selection(request))
    rows, zone = asked.rows(), (asked.market or asked_market(request)).zone
    return table_file(request, assumptions_table(standings(rows), cases(rows), zone), _name(asked, form), form)


@require_safe
@never_cache
@login_required
@refusing
def as_json(request: HttpRequest) -> HttpResponseBase:
    """GET /assumptions/assumptions.json: the same, as the API has it, all on one page."""
    asked = of_recent_days(asked_selection(request))
    rows = asked.rows()
    told = {"assumptions": [assumption_json(one) for one in standings(rows)], "rates": rates_json(rate_of(cases(rows)))}
    headers = {"Content-Disposition": f'attachment; filename="{_name(asked, "json")}"'}
    return JsonResponse(told, headers=headers)


def _name(asked: Selection, form: str) -> str:
    whose = asked.trader or (None if asked.viewer.sees_others else asked.viewer.own)
    days = [day.isoformat() for day in (asked.first, asked.last) if day]
    return file_name("assumptions", whose.trader_id if whose else "desk", *days, form=form)
