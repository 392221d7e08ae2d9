"""What a board's page asks for apart from its rows: marks of its trader's assumptions, the form for an own one."""

from __future__ import annotations

from django.http import HttpRequest, JsonResponse
from django.middleware.csrf import get_token
from django.utils.translation import gettext
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from dashboard.assumptions.queries import standings
from dashboard.assumptions.visibility import named_trader
from dashboard.pages.api import answering
from dashboard.pages.assumptions.form import form_fields
from dashboard.pages.assumptions.selection import Selection, need_viewer
from dashboard.pages.requests import NotThereError, asked_market, asked_reading, no_board_sentence
from dashboard.render.assumptions.marks import form_html, marks_of
from market import clock
from market.periods import parse_day


@require_safe
@never_cache
@answering
def board(request: HttpRequest) -> JsonResponse:
    """GET /assumptions/board/?trader=&day=&market=&by=: {"marks": [{"rows", "html"}], "form": HTML or ""}.

    `form` only where the board is the user's own.
    """
    viewer, name = need_viewer(request), request.GET.get("trader", "")
    trader = named_trader(viewer, name)
    if trader is None:
        raise NotThereError(no_board_sentence(name))
    market, day, reading = asked_market(request), parse_day(request.GET.get("day", "")), asked_reading(request)
    asked = Selection(viewer, clock.now(), trader, market, day, day)
    form = ""
    if viewer.own == trader:
        form = form_html(form_fields(trader, market, day=day.isoformat(), by=reading.value), get_token(request))
    marks = marks_of(standings(asked.rows()), reading, viewer.own)
    return JsonResponse(
        {
            "marks": marks,
            "form": form,
            "words": {"minutes": gettext("{count} min left"), "hours": gettext("{count} h left")},
        }
    )
