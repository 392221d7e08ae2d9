"""The addresses that are older than the API's library: described here, answered where they always were.

What a description says of an answer is checked against every answer of the tests (tests/api_answers.py).
"""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest
from ninja import Query, Router

from dashboard.pages.programs import schemas
from dashboard.pages.programs.refusals import READS, WRITES

router = Router(tags=["reading"])
HEADERS = [{"name": "Last-Event-ID", "in": "header", "required": False, "schema": {"type": "string"}}]
STREAM = {
    "parameters": HEADERS,
    "responses": {
        200: {
            "description": "Server-Sent Events, without an end: `id`, `event` (trade, price, board, gap, assumption, "
            "alert; at the end `end`) and `data`, JSON on one line. A comment every ten seconds when nothing happens.",
            "content": {"text/event-stream": {"schema": {"type": "string"}}},
        }
    },
}


def _elsewhere() -> Any:
    raise NotImplementedError("answered by the address in dashboard/pages/urls.py")


@router.get("boards/{path:trader_id}/{str:day}", response={200: schemas.Board, **READS}, by_alias=True)
def board(request: HttpRequest, trader_id: str, day: str, by: schemas.By = "product", market: str = "") -> Any:
    """One trader's board of a delivery day, in a reading."""
    return _elsewhere()


@router.get("trades/{path:trader_id}/{str:day}/{str:delivery_hour}", response={200: schemas.Chart, **READS})
def chart(  # noqa: PLR0917 - the address
    request: HttpRequest, trader_id: str, day: str, delivery_hour: str, by: str = "", market: str = "", have: str = ""
) -> Any:
    """What the chart of an opened row draws; `have`: the `state` of what is drawn already."""
    return _elsewhere()


@router.get("prices/{str:market}/{str:day}/{str:delivery_hour}", response={200: schemas.PricePath, **READS})
def price_path(request: HttpRequest, market: str, day: str, delivery_hour: str) -> Any:
    """Every accepted value of a period's reference price."""
    return _elsewhere()


@router.get("events", response=READS, openapi_extra=STREAM)
def events(request: HttpRequest, after: int | None = None) -> Any:
    """What happens, as it happens; goes on after `Last-Event-ID` or `after`, begins without both with what comes."""
    return _elsewhere()


@router.get("assumptions", response={200: schemas.Assumptions, **READS}, tags=["assumptions"])
def assumptions(  # noqa: PLR0917 - the address
    request: HttpRequest,
    trader_id: str = "",
    market: str = "",
    first: str = Query("", alias="from"),  # type: ignore[type-arg]
    last: str = Query("", alias="to"),  # type: ignore[type-arg]
    tag: str = "",
    q: str = "",
    cursor: str = "",
) -> Any:
    """Assumptions that one may see, the newest first, and the rates of all of them."""
    return _elsewhere()


@router.post("assumptions", response={201: schemas.Assumption, **WRITES}, tags=["assumptions"])
def write_assumption(request: HttpRequest, wish: schemas.NewAssumption) -> Any:
    """Write one down. It can't be edited or deleted; after the gate none is taken (409)."""
    return _elsewhere()


@router.get("assumptions/{int:number}", response={200: schemas.Assumption, **READS}, tags=["assumptions"])
def assumption(request: HttpRequest, number: int) -> Any:
    """One assumption and how each of its periods stands."""
    return _elsewhere()
