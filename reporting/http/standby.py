"""Long reads go to the standby, where there is one: the history, files, past moments, and the API's lists."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.db import Error
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase

from market import clock
from market.statements.standby import NotNowError, standby

ANSWERED_BY = "X-Read-From"
LONG_READS = frozenset(
    {
        *("history", "history_export", "earnings", "earnings_trades", "api_history"),
        *("board_export", "trades_export", "desk_export", "assumptions_json", "assumptions_export"),
        *("api_gaps", "api_alerts", "api_assumptions"),
    }
)
PAST_READS = frozenset(
    {
        *("home", "board", "period", "desk", "desk_day"),
        *("api_board", "api_period", "api_price_path", "api_desk", "api_opened"),
    }
)
"""Addresses by name: read from the standby always, and with `as_of` alone."""


class LongReadsFromStandby:
    """Runs a view on the standby; whatever goes wrong there, Django runs it again on the primary.

    What is committed is on the standby before the view begins, and the desk's time stands still from the moment of
    which that is known: a page shows all up to the moment that it says.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_view(
        self, request: HttpRequest, view: Callable[..., HttpResponseBase], args: Any, arguments: Any
    ) -> HttpResponseBase | None:
        if not (standby.is_there and is_long_read(request)):
            return None
        try:
            with clock.standing_still(), standby.reading():
                response = view(request, *args, **arguments)
        except NotNowError:
            return None
        except Error as error:
            standby.rest(f"{type(error).__name__}: {error}".splitlines()[0])
            return None
        except Exception:
            return None
        response[ANSWERED_BY] = "standby"
        return response


def is_long_read(request: HttpRequest) -> bool:
    """Whether a request only reads, and takes long or asks for a past moment."""
    name = request.resolver_match.url_name if request.resolver_match else None
    is_past = name in PAST_READS and "as_of" in request.GET
    return request.method in {"GET", "HEAD"} and (name in LONG_READS or is_past)
