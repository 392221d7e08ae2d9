"""The vocabulary of asking for prices: periods, requests and what came of them, answers, budgets. Pure.

Every moment is a POSIX time in seconds (UTC, float), every length is in seconds; values are in the market's currency
per MWh.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from enum import IntEnum, StrEnum
from typing import NamedTuple

REQUEST_LIFE = 6.0
"""A request without an outcome after this time (its deadline and a little) died with its process."""

ASKS_REMEMBERED = 8
"""So many of a period's last requests are read before a chase and kept during it."""

MINUTE, HOUR = 60.0, 3600.0

USUAL_INTERVAL = 600.0
"""Between two publications of a market, unless its facts say otherwise."""

WHICH_OF_TWO = "exists twice on that day, and the answer does not say which it is for"
FROM_THE_FUTURE = "is in the future"
"""How the sentences end that say why such an answer is not used: what the feed's state is told by."""


class Outcome(StrEnum):
    """What became of a request; the values are those of the ledger (prices.models.ProviderRequest.Outcome)."""

    PENDING = "pending"
    NEWER = "newer"
    UNCHANGED = "unchanged"
    UNDEFINED = "undefined"
    REFUSED = "refused"
    BAD_ANSWER = "bad_answer"
    FAILED = "failed"


FAILURES = frozenset({Outcome.REFUSED, Outcome.BAD_ANSWER, Outcome.FAILED})


class CheckReason(StrEnum):
    """Why a final price was asked for again; the values are those of prices.models.PriceCorrection.Why."""

    AFTER_DELIVERY = "after_delivery"
    NEXT_MORNING = "next_morning"
    BY_HAND = "by_hand"
    CHASE = "chase"


class PeriodKey(NamedTuple):
    """One delivery period of one market; `start` and `end` are aware UTC datetimes."""

    market_id: int
    day: date
    start: datetime
    end: datetime


@dataclass(frozen=True, slots=True)
class Ask:
    """One request for a period: when it was counted, when it ended (None: not yet) and what came of it."""

    sent_at: float
    outcome: Outcome
    answered_at: float | None = None


class Priority(IntEnum):
    """Why a period's price matters to somebody now, the strongest reason first."""

    POSITION = 0
    VIEWED = 1
    NONE = 2


@dataclass(frozen=True, slots=True)
class Facts:
    """All that is known of a period: its gate, the latest known publication and the last few requests, newest first."""

    key: PeriodKey
    gate_closure: float
    last_update: float | None = None
    asks: tuple[Ask, ...] = ()
    priority: Priority = Priority.NONE
    interval: float = USUAL_INTERVAL
    """Seconds between two publications of its market."""
    wanted_at: float | None = None
    """When somebody wanted its final price asked for again."""

    @property
    def asked_at(self) -> float:
        """When it was last asked for; minus infinity if never."""
        return self.asks[0].sent_at if self.asks else -math.inf

    def in_flight(self, now: float) -> bool:
        """Whether a request for it is still under way."""
        return bool(self.asks) and self.asks[0].outcome is Outcome.PENDING and now - self.asked_at < REQUEST_LIFE

    @property
    def failures(self) -> int:
        """How many of the last requests in a row brought nothing usable."""
        count = 0
        for ask in self.asks:
            if ask.outcome not in FAILURES and ask.outcome is not Outcome.PENDING:
                break
            count += 1
        return count


@dataclass(frozen=True, slots=True)
class Budget:
    """What the ledger still allows, all markets together.

    `spent_in_slot` counts the requests since the last publication time; `free_at` is when a used-up window frees its
    next request; before `paused_until` the provider wants to hear nothing (429).
    """

    minute_limit: int
    minute_free: int
    hour_limit: int
    hour_free: int
    spent_in_slot: int = 0
    free_at: float = -math.inf
    paused_until: float = -math.inf

    @classmethod
    def untouched(cls, minute_limit: int, hour_limit: int) -> Budget:
        """The budget of a provider that was not asked for an hour."""
        return cls(minute_limit, minute_limit, hour_limit, hour_limit)

    def allowance(self, interval: float) -> int:
        """How many requests may go out in what is left of this slot.

        The last quarter of the hour's budget is dealt out by the slot, so that no publication finds it all spent.
        """
        slots_an_hour = max(1.0, HOUR / interval)
        dealt = int((self.hour_free + self.spent_in_slot) / slots_an_hour) - self.spent_in_slot
        return max(0, min(self.minute_free, self.hour_free, max(self.hour_free - self.hour_limit // 4, dealt)))

    def probing_allowance(self, interval: float) -> int:
        """The same for probes: with several slots a minute each slot keeps to its share of the minute.

        With fewer, what was spent a minute ago is nobody's loss: another market's publication, for example.
        """
        if interval >= MINUTE:
            return self.allowance(interval)
        return min(self.allowance(interval), int(self.minute_limit * interval / MINUTE) - self.spent_in_slot)


@dataclass(frozen=True, slots=True)
class Plan:
    """`asks` can go out now, the most valuable first; nothing else is due before `look_again`."""

    asks: tuple[PeriodKey, ...]
    look_again: float


@dataclass(frozen=True, slots=True)
class Published:
    """A usable price: EUR/MWh, at most 10 decimals, and when the provider updated it (UTC)."""

    value: Decimal
    last_update: datetime


@dataclass(frozen=True, slots=True)
class Undefined:
    """The provider has no price for this period yet."""

    reason: str


@dataclass(frozen=True, slots=True)
class Refusal:
    """Nothing usable: REFUSED (429), BAD_ANSWER or FAILED, and why. `retry_after` in seconds goes with REFUSED."""

    outcome: Outcome
    reason: str
    retry_after: float | None = None


Answer = Published | Undefined | Refusal
