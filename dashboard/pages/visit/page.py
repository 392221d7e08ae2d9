"""The guided first visit: six steps on rows that the user has traded, shown once."""

from __future__ import annotations

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_POST

from dashboard.access.first_visit import begin, carry, is_first
from dashboard.figures.board import Board


def may_begin(request: HttpRequest, shown: Board) -> bool:
    """Whether the page of this board offers the visit: it needs rows to show, and a user who has not had it."""
    return any(row.figures.trade_count for row in shown.rows) and is_first(request)


@require_POST
@login_required
def first_visit(request: HttpRequest) -> HttpResponse:
    """POST /first-visit/: 201 for who begins it, 204 for who has begun it before, in whichever tab or browser."""
    response = HttpResponse(status=201 if begin(request.user) else 204)
    carry(response, request.user)
    return response
