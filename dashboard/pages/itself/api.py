"""The desk against itself for programs."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest
from ninja import Router

from dashboard.pages.itself import schemas
from dashboard.pages.itself.page import asked_against, need_right
from dashboard.pages.programs.answers import need_known
from dashboard.pages.programs.refusals import READS
from dashboard.render.itself.as_json import against_json

router = Router(tags=["reading"])


@router.get("desk/{str:day}/against-itself", response={200: schemas.Against, **READS})
def api_against_itself(
    request: HttpRequest, day: str, market: str = "", hour: str = "", as_of: str = "", basis: str = "known"
) -> Any:
    """The desk against itself on a delivery day, or in one product of it, now or as of a moment, for heads and
    compliance."""
    need_right(request.user)
    need_known(request, "market", "hour", "as_of", "basis")
    return against_json(asked_against(request, day).load())
