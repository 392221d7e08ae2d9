"""GET /api/: the API for people. Every address with what it is for and an example that runs as it stands."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from dashboard.access.rights import home_trader, is_wall_screen
from dashboard.pages.programs.api import document
from dashboard.pages.requests import refusal
from market import clock
from market.queries import active_markets


@dataclass(frozen=True, slots=True)
class Example:
    """One address: how it is asked, what it is for, its query, and a line for a terminal."""

    method: str
    path: str
    about: str
    query: str
    address: str
    command: str


@require_safe
@never_cache
@login_required
def page(request: HttpRequest) -> HttpResponse:
    """For everybody who may have a token."""
    if is_wall_screen(request.user):
        return refusal(request, gettext("There is nothing at this address."))
    trader, markets = home_trader(request.user), active_markets()
    market = markets[0] if markets else None
    values = {
        "trader_id": trader.trader_id if trader else "trader_1",
        "day": market.day_of(clock.now()).isoformat() if market else "2026-11-23",
        "delivery_hour": "12-13",
        "market": market.code if market else "DE",
        "number": "1",
    }
    host = f"{request.scheme}://{request.get_host()}"
    return render(request, "dashboard/api.html", {"host": host, "examples": list(examples(document(), values, host))})


def examples(described: Mapping[str, Any], values: Mapping[str, str], host: str) -> Iterator[Example]:
    """From the document that programs get, so that both can't differ. Pure."""
    for path, operations in described["paths"].items():
        for method, operation in operations.items():
            address = path
            for name, value in values.items():
                address = address.replace(f"{{{name}}}", value)
            query = ", ".join(p["name"] for p in operation.get("parameters", ()) if p["in"] == "query")
            about = operation.get("description") or operation["summary"]
            about = about.replace("`", "")
            yield Example(method.upper(), path, about, query, address, _command(method, host + address))


def _command(method: str, url: str) -> str:
    ask = 'curl -H "Authorization: Bearer $TOKEN"'
    if method == "get":
        return f"{ask}{' -N' if url.endswith('/events') else ''} {url}"
    body = '{"delivery_day": "2026-11-23", "delivery_hours": ["17-18"], "claim": "up"}'
    return f"{ask} -H 'Content-Type: application/json' -d '{body}' {url}"
