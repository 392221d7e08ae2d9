"""Who viewed what and took what away, for the audit log: every page, API answer and export that a user gets.

One middleware, so that no new address can be forgotten. Whoever answers in front of Django's middleware calls
`note_view` as well; open sockets are noted by the guard for as long as they are open.
"""

from __future__ import annotations

from collections.abc import Callable

from django.contrib.auth.models import User
from django.http import HttpRequest, HttpResponse

from accounts.audit.log import record
from accounts.audit.models import Action
from accounts.audit.view_log import view_log
from accounts.client_address import address_of
from market import clock

SHOW_NOTHING = (
    "/accounts/",
    "/alerts/line/",
    "/api/v1/openapi.json",
    "/admin/jsi18n/",
    "/language/",
    "/static/",
    "/healthz",
    "/readyz",
    "/metrics",
)


class ViewRecording:
    """Middleware: what was answered to whom."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        user = getattr(request, "_cached_user", None)  # only if the request has looked at it: nothing is asked for this
        if isinstance(user, User) and request.method == "GET" and response.status_code in {200, 304}:
            _note(request, user, response)
        return response


def _note(request: HttpRequest, user: User, response: HttpResponse) -> None:
    if response.headers.get("Content-Disposition", "").startswith("attachment"):
        subject = request.get_full_path()
        record(action=Action.EXPORTED, subject=subject, actor=user.get_username(), address=address_of(request))
    elif not request.path.startswith(SHOW_NOTHING):
        note_view(user.get_username(), request.path, address=address_of(request))


def note_view(username: str, path: str, *, address: str = "") -> None:
    """The user looks at the page of this path now. Costs a look into a set; never fails."""
    view_log.note(actor=username, subject=path, address=address, at=clock.now())
