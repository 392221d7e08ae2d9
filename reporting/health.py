"""/healthz: this process is alive. /readyz: it can serve, because PostgreSQL and Redis answer."""

from __future__ import annotations

from collections.abc import Callable

import redis
from django.conf import settings
from django.db import connection
from django.http import HttpRequest, JsonResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

SECONDS = 2.0


@never_cache
@require_safe
def healthz(_request: HttpRequest) -> JsonResponse:
    """200 as long as the process answers at all; asks nobody else."""
    return JsonResponse({"status": "alive", "version": settings.VERSION})


@never_cache
@require_safe
def readyz(_request: HttpRequest) -> JsonResponse:
    """200 when everything that serving needs answers, else 503; each part says "ok" or what is wrong."""
    parts = {"database": _problem(_ask_database), "redis": _problem(_ask_redis)}
    ready = all(problem == "ok" for problem in parts.values())
    return JsonResponse({"status": "ready" if ready else "not ready", **parts}, status=200 if ready else 503)


def _problem(ask: Callable[[], None]) -> str:
    """ "ok", or the kind of error: details of addresses belong into the log, not on an open page."""
    try:
        ask()
    except Exception as error:  # any failure at all means the same here: not ready
        return f"away ({type(error).__name__})"
    return "ok"


def _ask_database() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1 FROM trades_trade LIMIT 1")


def _ask_redis() -> None:
    client = redis.Redis.from_url(settings.REDIS_URL, socket_timeout=SECONDS, socket_connect_timeout=SECONDS)
    try:
        client.ping()
    finally:
        client.close()
