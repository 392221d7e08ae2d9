"""A form whose token is another browser tab's by now: somebody has logged in again there.

Nothing has been done. The log-in form leads on to where it was to lead; what any other form had in it is shown to be
sent again, by whoever is logged in now. Forged forms, which come from elsewhere or have no token, stay refused.
"""

from __future__ import annotations

from urllib.parse import urlsplit

from django.contrib.auth.views import LoginView
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.middleware.csrf import REASON_CSRF_TOKEN_MISSING, get_token
from django.shortcuts import render
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme

TOKEN = "csrfmiddlewaretoken"  # noqa: S105 - a field's name
_SECRET = ("password", "code")
"""Fields whose names have this in them are never given back."""


def csrf_refused(request: HttpRequest, reason: str = "") -> HttpResponse:
    """Django's CSRF_FAILURE_VIEW: 303, 409 with the form to be sent again, or 403."""
    if not _is_own_and_old(request, reason):
        return render(request, "403_csrf.html", {"back": _page_before(request)}, status=403)
    if request.path == reverse("login"):
        return _where_the_log_in_leads(request)
    if any(word in name for name in request.POST for word in _SECRET) or not request.user.is_authenticated:
        return _see_other(_page_before(request))
    get_token(request)
    fields = [(name, value) for name, values in request.POST.lists() if name != TOKEN for value in values]
    context = {"fields": fields, "address": request.get_full_path(), "back": _page_before(request)}
    return render(request, "send_again.html", context, status=409)


def _is_own_and_old(request: HttpRequest, reason: str) -> bool:
    """Whether it is a form of one of our own pages, with a token of before. The browser says where it comes from."""
    own = f"{request.scheme}://{request.get_host()}"
    return request.headers.get("Origin") == own and reason != REASON_CSRF_TOKEN_MISSING and TOKEN in request.POST


def _where_the_log_in_leads(request: HttpRequest) -> HttpResponse:
    """On, if the other tab has logged in; else the form anew, with a token that is right."""
    if not request.user.is_authenticated:
        return _see_other(_page_before(request))
    view = LoginView()
    view.setup(request)
    return _see_other(view.get_success_url())


def _page_before(request: HttpRequest) -> str:
    """The page that the form was on, if it says so and is ours; else the log-in or the board."""
    before = urlsplit(request.headers.get("Referer", ""))
    address = before.path + (f"?{before.query}" if before.query else "")
    if before.netloc == request.get_host() and url_has_allowed_host_and_scheme(address, allowed_hosts=None):
        return address
    return reverse("login") if request.path == reverse("login") else "/"


def _see_other(address: str) -> HttpResponse:
    response = HttpResponseRedirect(address)
    response.status_code = 303
    return response
