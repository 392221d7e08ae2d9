"""How a market's price feed is doing: current, late, down, or without a price, and why.

Keyword-only arguments, no writes. Moments are aware UTC datetimes.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, Literal

from django.db import connection

from market.models import Market
from prices.models import ProviderRequest
from prices.observations import FAILURES, FROM_THE_FUTURE, Outcome
from prices.publications import PublicationClock
from prices.queries import LOOK_BACK, budget_use

DOWN_AFTER_FAILURES = 3
_ANSWERS = (Outcome.NEWER, Outcome.UNCHANGED, Outcome.UNDEFINED)

# When the provider last gave a usable answer, that there is no price included; the newest update among the priced
# periods whose gates are open; and what went wrong since the first: a few, more make no difference. Every web process
# asks every other second, so it is one statement.
_STATE = """WITH answered AS MATERIALIZED (SELECT coalesce(
        (SELECT finished_at FROM prices_providerrequest WHERE market_id = %(market)s
            AND outcome = ANY(%(answers)s::text[]) AND sent_at > %(since)s AND finished_at IS NOT NULL
            ORDER BY sent_at DESC LIMIT 1),
        (SELECT max(arrived_at) FROM prices_referenceprice
            WHERE market_id = %(market)s AND delivery_day >= %(recent)s)) AS at),
    failed AS (SELECT detail, outcome, sent_at FROM prices_providerrequest WHERE market_id = %(market)s
        AND outcome = ANY(%(failures)s::text[])
        AND sent_at > greatest((SELECT at FROM answered), %(since)s::timestamptz)
        ORDER BY sent_at DESC LIMIT %(most)s)
    SELECT (SELECT at FROM answered),
        (SELECT max(last_update) FROM prices_referenceprice WHERE market_id = %(market)s
            AND delivery_day >= %(open_days)s AND delivery_start > %(open)s),
        array_agg(detail ORDER BY sent_at DESC), array_agg(outcome ORDER BY sent_at DESC) FROM failed"""


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
    """The state of the market's price feed at `now`; publications come every `interval` seconds. One query, mostly."""
    rhythm = PublicationClock(interval)
    still_open = now + market.longest_lead(market.day_of(now))
    success, newest, errors = _read(market.pk, now, still_open)
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


def _read(
    market_id: int, now: datetime, still_open: datetime
) -> tuple[datetime | None, datetime | None, list[tuple[str, str]]]:
    """The last success, the newest update of an open period, and the failures since that success, newest first."""
    asked: dict[str, Any] = {
        "market": market_id,
        "answers": list(_ANSWERS),
        "failures": list(FAILURES),
        "since": now - LOOK_BACK,
        "recent": now.date() - timedelta(days=2),
        "open": still_open,
        "open_days": still_open.date() - timedelta(days=2),
        "most": DOWN_AFTER_FAILURES,
    }
    with connection.cursor() as cursor:
        cursor.execute(_STATE, asked)
        success, newest, sentences, outcomes = cursor.fetchone()
    return success, newest, list(zip(sentences or (), outcomes or (), strict=True))


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


def _has_no_price(market_id: int, now: datetime, still_open: datetime) -> bool:
    """Whether the provider said of an open period that it has no price of it, whatever it knows of closed ones."""
    return ProviderRequest.objects.filter(
        market_id=market_id,
        outcome=Outcome.UNDEFINED,
        sent_at__gt=now - LOOK_BACK,
        finished_at__isnull=False,
        delivery_start__gt=still_open,
    ).exists()
