"""After a rule has changed: all frames that it had kept aside are judged again, in the order of their arrival."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.contrib.auth.models import User
from django.db.models import Q, QuerySet

from trades.ledger.confirmations import Unusable
from trades.ledger.decisions import DecisionError, retry_frame
from trades.ledger.standing import Standing, judge
from trades.models import QuarantinedMessage


@dataclass(slots=True)
class JudgedAgain:
    """What became of the frames: booked, stored already with the same facts, in conflict with a stored trade or its
    other side (they stay aside), still unusable (they stay aside, `example` says why), handled by somebody else
    meanwhile."""

    frames: int = 0
    booked: int = 0
    known: int = 0
    conflicts: int = 0
    other_sides: int = 0
    unusable: int = 0
    handled: int = 0
    example: str = ""

    def __str__(self) -> str:
        counts = (
            f"{self.frames} frames judged again: {self.booked} booked, {self.known} stored already, "
            f"{self.conflicts} in conflict with a stored trade, {self.unusable} still unusable"
        )
        sides = f", {self.other_sides} the other side of a stored trade" if self.other_sides else ""
        handled = f", {self.handled} handled by somebody else meanwhile" if self.handled else ""
        return counts + sides + handled + (f" ({self.example})" if self.example else "")


def open_reasons() -> list[str]:
    """The reasons for which unusable frames wait."""
    return list(_waiting().order_by("reason").values_list("reason", flat=True).distinct())


def judge_again(
    *,
    reason: str,
    now: datetime,
    since: datetime | None = None,
    market_id: int | None = None,
    user: User | None = None,
    dry_run: bool = False,
) -> JudgedAgain:
    """Judge each open frame of the reason once, one transaction a frame: an end in between leaves none half done."""
    wanted = _waiting().filter(Q(received_at__gte=since) if since else Q(), reason=reason)
    if market_id is not None:
        wanted = wanted.filter(market_id=market_id)
    result = JudgedAgain()
    for pk in list(wanted.order_by("received_at", "id").values_list("pk", flat=True)):
        message = QuarantinedMessage.objects.select_related("market").get(pk=pk)
        result.frames += 1
        verdict = _verdict(message, result)
        if verdict in {"booked", "known"} and not dry_run:
            try:
                retry_frame(message=message, note=f"judged again: {reason}", user=user, now=now)
            except DecisionError:
                verdict = "handled"
        setattr(result, verdict, getattr(result, verdict) + 1)
    return result


def _waiting() -> QuerySet[QuarantinedMessage]:
    return QuarantinedMessage.objects.filter(
        kind=QuarantinedMessage.Kind.UNUSABLE, status=QuarantinedMessage.Status.OPEN
    )


_VERDICTS = {
    Standing.UNUSABLE: "unusable",
    Standing.NEW: "booked",
    Standing.KNOWN: "known",
    Standing.OTHER_SIDE: "other_sides",
    Standing.CONFLICT: "conflicts",
}


def _verdict(message: QuarantinedMessage, result: JudgedAgain) -> str:
    standing, parsed = judge(message)
    if isinstance(parsed, Unusable):
        result.example = result.example or f"for example no. {message.pk}: {parsed.detail}"
    return _VERDICTS[standing]
