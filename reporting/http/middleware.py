"""What every request passes first: a database that is away is a 503 that says so, a senseless question a 400."""

from __future__ import annotations

import sys
from collections.abc import Callable

import structlog
from django.db import DataError, InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.template.loader import render_to_string
from django.utils.translation import gettext, gettext_noop
from psycopg_pool import PoolTimeout

from market import clock
from reporting import health, metrics

log = structlog.get_logger("reporting.web")

SENTENCE = gettext_noop("The database can't be reached. Nothing is lost, and this page comes back by itself.")
INSIDE = {"/healthz": health.healthz, "/readyz": health.readyz, "/metrics": metrics.metrics}
AWAY = (OperationalError, InterfaceError, PoolTimeout)


class AskedFromInside:
    """Answers /healthz, /readyz and /metrics before anything looks at the host's name.

    A load balancer, a container's own check and Prometheus ask by address, which is none of ALLOWED_HOSTS. The answers
    make no use of the name.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        answer = INSIDE.get(request.path)
        return answer(request) if answer else self.get_response(request)


class DatabaseAway:
    """Answers 503 where PostgreSQL is away, in a view and in the middleware below this one (sessions, users)."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_exception(self, request: HttpRequest, error: Exception) -> HttpResponse | None:
        if isinstance(error, DataError):
            return senseless(request, error)
        return unavailable(request, error) if isinstance(error, AWAY) else None


class DesksTime:
    """Keeps the desk's time in a process whose boards nobody has open, after an answer: it need not wait for that."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        if response.status_code < 500:
            clock.follow_if_possible()
        return response


def unavailable(request: HttpRequest, error: Exception) -> HttpResponse:
    """The 503 answer: JSON for the API, a page that tries again by itself for people."""
    first_line = (str(error).strip() or type(error).__name__).splitlines()[0]
    log.error("database_away", path=request.path, error=first_line)
    response: HttpResponse
    if request.path.startswith("/api/"):
        response = JsonResponse({"error": gettext(SENTENCE)}, status=503)
    else:
        response = HttpResponse(render_to_string("503.html"), status=503)
    response["Retry-After"] = "5"
    response["Cache-Control"] = "no-store"
    return response


def senseless(request: HttpRequest, error: Exception) -> HttpResponse:
    """The 400 answer to what PostgreSQL can't even be asked: a NUL in a text, a number beyond all numbers."""
    log.info("senseless_request", path=request.path[:200], error=(str(error).strip() or "DataError").splitlines()[0])
    sentence = gettext("The server could not make sense of this request.")
    if request.path.startswith("/api/"):
        return JsonResponse({"error": sentence}, status=400)
    return HttpResponse(render_to_string("400.html"), status=400)


def server_error(request: HttpRequest) -> HttpResponse:
    """Django's handler500: a database that went away outside of a view is a 503 as well."""
    error = sys.exc_info()[1]
    if isinstance(error, AWAY):
        return unavailable(request, error)
    if request.path.startswith("/api/"):
        return JsonResponse({"error": gettext("Something went wrong here; it has been recorded.")}, status=500)
    return HttpResponse(render_to_string("500.html"), status=500)
