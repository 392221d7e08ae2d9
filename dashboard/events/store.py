"""Numbering, reading and forgetting events.

Transactions commit in another order than they begin in, so no number that they take can be a reader's place. Hence two
steps: a trigger adds the event without one, in the transaction of what it tells of. Later a single statement gives
numbers to all that is committed by then, under the lock of one row that it holds until its own commit. A number is
therefore never visible before a smaller one, and a reader who asks for what is above its place misses nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import connection, transaction

from dashboard.events.models import Event, EventCount
from dashboard.events.wire import NumberedEvent

KEPT_FOR = timedelta(days=7)
A_PAGE = 500
FORGOTTEN_AT_ONCE = 20_000
MANY = 100
"""After so many there may be more: the database's function takes up to 10,000, in which boards are named once."""


@dataclass(frozen=True, slots=True)
class Bounds:
    """The newest number, and the newest that is forgotten."""

    newest: int
    forgotten: int

    def start(self, after: int | None) -> int | None:
        """Where a stream begins that asks for what comes `after`; None when that can't be told any more, or not yet."""
        if after is None:
            return self.newest
        if after == 0:
            return self.forgotten
        return after if self.forgotten <= after <= self.newest else None


@dataclass(frozen=True, slots=True)
class Page:
    """Events in the order of their numbers: all that there are after the place that was asked for, up to `upto`."""

    events: tuple[NumberedEvent, ...]
    upto: int


def number_events() -> int:
    """Give numbers to all events that are committed, some thousands at once; how many got one."""
    numbered = 0
    with connection.cursor() as cursor:
        while True:
            cursor.execute("SELECT dashboard_number_events()")
            some = int(cursor.fetchone()[0])
            numbered += some
            if some < MANY:
                return numbered


def bounds() -> Bounds:
    """With all that has happened until now."""
    number_events()
    row = EventCount.objects.values_list("newest", "forgotten").first()
    return Bounds(*row) if row else Bounds(0, 0)


def read_page(*, after: int, most: int = A_PAGE) -> Page:
    """The next events after a number. Two queries, by index."""
    newest = EventCount.objects.values_list("newest", flat=True).first() or 0
    rows = Event.objects.filter(number__gt=after, number__lte=newest).order_by("number")
    found = rows.values_list("number", "kind", "trader", "user", "data")[:most]
    events = tuple(NumberedEvent(number or 0, kind, trader, user, data) for number, kind, trader, user, data in found)
    return Page(events, events[-1].number if len(events) == most else max(newest, after))


def forget_old(*, now: datetime) -> int:
    """Forget what is older than it is kept; how many events went."""
    number_events()
    gone = 0
    while True:
        count = _forget_some(now - KEPT_FOR)
        gone += count
        if count < FORGOTTEN_AT_ONCE:
            return gone


@transaction.atomic
def _forget_some(before: datetime) -> int:
    count = EventCount.objects.select_for_update().first()
    if count is None:
        return 0
    numbered = Event.objects.filter(number__isnull=False)
    kept = numbered.filter(at__gte=before).order_by("number").values_list("number", flat=True).first()
    last = count.newest if kept is None else kept - 1
    last = min(last, count.forgotten + FORGOTTEN_AT_ONCE)
    count.forgotten = max(count.forgotten, last)
    count.save(update_fields=["forgotten"])
    return Event.objects.filter(number__lte=last).delete()[0]
