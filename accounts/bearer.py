"""Requests with `Authorization: Bearer <token>`: they are their user's, at the addresses that are made for programs.

Programs have the API and the files. Pages, log-ins, accounts and the admin are for people with a session: there a
token is nothing, so that one that was lost can't make itself more.
"""

from __future__ import annotations

from collections.abc import Callable

from django.conf import settings
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils.translation import gettext

from accounts.client_address import address_of
from accounts.models import ApiToken
from accounts.tokens import TooManyError, UnknownTokenError, Used, use_token
from market import clock
from market.tables import unless_missing

API = "/api/v"
FILES = (".csv", ".xlsx", ".json")
STATUS = "/status/"
PEOPLE_ONLY = ("/accounts/", "/admin/")
SAFE = frozenset({"GET", "HEAD", "OPTIONS"})


class BearerTokens:
    """Middleware, below sessions: a token's user takes the place of a cookie's, and no CSRF token is asked for."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        token = bearer_of(request)
        if token is None or not is_for_programs(request):
            return self.get_response(request)
        try:
            used = _use(token, request)
        except UnknownTokenError:
            return unauthorized(gettext("This token is unknown, has expired or was revoked."))
        except TooManyError as error:
            return JsonResponse({"error": str(error)}, status=429, headers={"Retry-After": str(error.seconds)})
        if request.method not in SAFE and used.token.scope != ApiToken.Scope.WRITE:
            return JsonResponse({"error": gettext("This token may only read.")}, status=403)
        request.user = used.user
        request._cached_user = used.user  # type: ignore[attr-defined]  # where the log of views looks
        request.api_token = used.token  # type: ignore[attr-defined]
        request._dont_enforce_csrf_checks = True  # type: ignore[attr-defined]  # no browser sends a token by itself
        return self.get_response(request)


def bearer_of(request: HttpRequest) -> str | None:
    """The token of a request; None without one."""
    kind, _, token = request.headers.get("Authorization", "").strip().partition(" ")
    return token.strip() if kind.lower() == "bearer" else None


def is_for_programs(request: HttpRequest) -> bool:
    """Whether this address takes tokens."""
    path = request.path
    if path.startswith(API) or (path == STATUS and request.GET.get("format") == "json"):
        return True
    return path.endswith(FILES) and not path.startswith(PEOPLE_ONLY)


def token_of(request: HttpRequest) -> ApiToken | None:
    """The token that this request came with, if it did."""
    token: ApiToken | None = getattr(request, "api_token", None)
    return token


def unauthorized(sentence: str) -> JsonResponse:
    """401 as the standard wants it."""
    return JsonResponse({"error": sentence}, status=401, headers={"WWW-Authenticate": "Bearer"})


def _use(token: str, request: HttpRequest) -> Used:
    """Without the table, which an update has not brought yet, no token is known."""

    def use() -> Used | None:
        return use_token(
            token=token, address=address_of(request), most=settings.API_REQUESTS_PER_MINUTE, now=clock.now()
        )

    used = unless_missing(use, None)
    if used is None:
        raise UnknownTokenError
    return used
