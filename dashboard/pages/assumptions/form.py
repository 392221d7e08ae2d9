"""What stands in the form, as its author last filled it in, and what a form's words mean."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, QueryDict

from dashboard.assumptions.models import LONGEST_REASON, MOST_TAGS, Assumption
from dashboard.assumptions.rules import BROKEN_AT, LEAST_MOVE, SIDES, Claim
from dashboard.render.assumptions.words import ARROWS, claim_name
from dashboard.render.formatting import currency_sign, plain
from market.models import Market
from market.periods import parse_day
from market.statements.planning import planned_by_values
from trades.models import Trader

_NAMES = {"day": "delivery_day", "hours": "delivery_hours"}
FIELDS = ("market", "delivery_day", "claim", "threshold", "broken_at", "confidence", "quantity", "reason", "by")


def form_fields(
    trader: Trader, market: Market, *, day: str, by: str = "", refused: QueryDict | None = None
) -> dict[str, object]:
    """The context of dashboard/assumptions/fields.html; `refused` is a form handed back as it was sent. One query."""
    with planned_by_values():
        last = Assumption.objects.filter(trader=trader, market=market).order_by("-id").first()
    shown = {
        "day": day,
        "hours": "",
        "reason": "",
        "claim": last.claim if last else "",
        "threshold": plain(last.threshold) or "" if last else "",
        "broken_at": "" if last is None or last.broken_at == BROKEN_AT else plain(last.broken_at),
        "confidence": (last.confidence or "") if last else "",
        "quantity": plain(last.quantity) or "" if last else "",
        "tags": ", ".join(last.tags) if last else "",
    }
    if refused is not None:
        shown = {name: refused.get(_NAMES.get(name, name), "") for name in shown}
    return {
        "market": market.code,
        "by": by,
        "currency": currency_sign(market.rules_on(parse_day(day)).currency),
        "claims": [(claim.value, claim_name(claim), ARROWS[claim]) for claim in Claim],
        "shown": {**shown, "like": "up down" if shown["claim"] in SIDES else shown["claim"]},
        "least_move": plain(LEAST_MOVE),
        "broken_at": plain(BROKEN_AT),
        "longest_reason": LONGEST_REASON,
        "most_tags": MOST_TAGS,
    }


def words_of(form: QueryDict) -> dict[str, Any]:
    """A form's fields as the API's: several periods and tags are parted by commas, a number may have a comma."""
    words: dict[str, Any] = {name: form.get(name, "") for name in FIELDS}
    for number in ("threshold", "broken_at", "quantity", "confidence"):
        words[number] = words[number].strip().replace(",", ".", 1).replace("\u2212", "-")
    words["delivery_hours"] = [label.strip() for label in form.get("delivery_hours", "").split(",") if label.strip()]
    words["tags"] = form.get("tags", "")
    return words


def wants_json(request: HttpRequest) -> bool:
    """Whether the page's script asks, which shows the answer itself."""
    return request.headers.get("X-Part") == "assumption"
