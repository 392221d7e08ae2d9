"""How a market's price feed is doing: current, late, down, or without a price, and why.

Keyword-only arguments, no writes. Moments are aware UTC datetimes.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Literal

from django.db.models import Max, QuerySet

from market.models import Market
from prices.models import ProviderRequest, ReferencePrice
from prices.observations import FAILURES, FROM_THE_FUTURE, Outcome
from prices.publications import PublicationClock
from prices.queries import LOOK_BACK, budget_use

DOWN_AFTER_FAILURES = 3
_ANSWERS = (Outcome.NEWER, Outcome.UNCHANGED, Outcome.UNDEFINED)


class StandstillReason(StrEnum):
    """Why prices stand still."""

    UNKNOWN = ""
    UNUSABLE = "the provider's answers can't be used"
    FUTURE = "the provider's times are in the future"
    REFUSED = "the provider refuses requests (429)"
    SILENT = "the provider does not answer"
    UNASKED = "nobody asks the provider"
    USED_UP = "the limits of requests are used up"


@dataclass(frozen=True, slots=True)
class PriceFeedState:
    """How the price feed of a market is doing.

    ok: current, or not yet late. late: the publication is overdue by more than the usual 30 s since `since`.
    down: no usable answer came since `since`. none: nothing was ever asked, or it answers (`last_success_at`) and has a
    price for no open period. `why` says why prices stand still, where that is known.
    `next_publication_at` lies in the past while a publication is awaited; None when no open period has a price.
    """

    state: Literal["ok", "late", "down", "none"]
    since: datetime | None
    last_success_at: datetime | None
    last_error: str
    next_publication_at: datetime | None
    why: StandstillReason = StandstillReason.UNKNOWN

    @property
    def answers_without_a_price(self) -> bool:
        """Whether the provider answers (404, null, 400 and the like) and no open period has a price."""
        if self.next_publication_at is not None:
            return False
        return self.why is StandstillReason.UNUSABLE or (self.state == "none" and self.last_success_at is not None)


def feed_state(*, market: Market, now: datetime, interval: float) -> PriceFeedState:
    """The state of the market's price feed at `now`; publications come every `interval` seconds. Four small queries."""
    rhythm = PublicationClock(interval)
    still_open = now + market.longest_lead(market.day_of(now))
    success = _last_success(market.pk, now)
    errors = _errors_since(market.pk, max(success or now - LOOK_BACK, now - LOOK_BACK))
    newest = _newest_open(market.pk, still_open)
    due = _moment(rhythm.next_publication(newest.timestamp(), now.timestamp()), now) if newest else None
    missed = _moment(rhythm.due_after(newest.timestamp()), now) if newest else None
    late_from = missed + timedelta(seconds=rhythm.late_window) if missed else None
    state: Literal["ok", "late", "down", "none"] = "ok"
    since = newest
    if success is None:
        state, since = ("down", None) if len(errors) >= DOWN_AFTER_FAILURES else ("none", None)
    elif len(errors) >= DOWN_AFTER_FAILURES or now - success > timedelta(seconds=2 * interval + rhythm.late_window):
        state, since = "down", success
    elif late_from and now > late_from:
        state, since = "late", late_from
    elif newest is None and _has_no_price(market.pk, now, still_open):
        state, since = "none", success
    return PriceFeedState(state, since, success, errors[0][0] if errors else "", due, _why(state, errors, now))


def _why(state: str, errors: list[tuple[str, str]], now: datetime) -> StandstillReason:
    """Why prices stand still, by the last requests that brought nothing (sentence, outcome)."""
    if state == "late":
        use = budget_use(now=now)
        full = use.minute_used >= use.minute_limit or use.hour_used >= use.hour_limit
        return StandstillReason.USED_UP if full else StandstillReason.UNKNOWN
    if state != "down":
        return StandstillReason.UNKNOWN
    if not errors:
        return StandstillReason.UNASKED
    if all(sentence.endswith(FROM_THE_FUTURE) for sentence, _ in errors):
        return StandstillReason.FUTURE
    outcomes = {outcome for _, outcome in errors}
    if outcomes == {Outcome.BAD_ANSWER}:
        return StandstillReason.UNUSABLE
    return StandstillReason.REFUSED if outcomes == {Outcome.REFUSED} else StandstillReason.SILENT


def _moment(posix: float, like: datetime) -> datetime:
    return datetime.fromtimestamp(posix, tz=like.tzinfo)


def _answered(market_id: int, now: datetime) -> QuerySet[ProviderRequest]:
    return ProviderRequest.objects.filter(
        market_id=market_id, outcome__in=_ANSWERS, sent_at__gt=now - LOOK_BACK, finished_at__isnull=False
    )


def _has_no_price(market_id: int, now: datetime, still_open: datetime) -> bool:
    """Whether the provider said of an open period that it has no price of it, whatever it knows of closed ones."""
    open_ones = _answered(market_id, now).filter(delivery_start__gt=still_open)
    return open_ones.filter(outcome=Outcome.UNDEFINED).exists()


def _last_success(market_id: int, now: datetime) -> datetime | None:
    """When the provider last gave a usable answer for this market, that there is no price included."""
    newest = _answered(market_id, now).order_by("-sent_at")
    finished: datetime | None = newest.values_list("finished_at", flat=True).first()
    if finished is not None:
        return finished
    recent = ReferencePrice.objects.filter(market_id=market_id, delivery_day__gte=now.date() - timedelta(days=2))
    latest: datetime | None = recent.aggregate(latest=Max("arrived_at"))["latest"]
    return latest


def _errors_since(market_id: int, moment: datetime) -> list[tuple[str, str]]:
    """What went wrong since then (sentence, outcome), newest first; a few: more make no difference."""
    failed = ProviderRequest.objects.filter(market_id=market_id, outcome__in=FAILURES, sent_at__gt=moment)
    return list(failed.order_by("-sent_at").values_list("detail", "outcome")[:DOWN_AFTER_FAILURES])


def _newest_open(market_id: int, still_open: datetime) -> datetime | None:
    """The newest last_update among the priced periods that are delivered from `still_open` on: their gates are open."""
    of_open = ReferencePrice.objects.filter(
        market_id=market_id,
        delivery_day__gte=still_open.date() - timedelta(days=2),
        delivery_start__gt=still_open,
    )
    newest: datetime | None = of_open.aggregate(newest=Max("last_update"))["newest"]
    return newest
