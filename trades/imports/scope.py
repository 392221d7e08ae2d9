"""What a file is about: the traders, days and executions of its trades, and which gaps of the feed it covers."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from market.models import Market
from market.periods import Days, day_bounds, day_of
from market.rules import product_of_length
from trades.feed.gap_coverage import Cover, OpenGap, covers, objections_to
from trades.ledger.confirmations import TradeConfirmation
from trades.ledger.effective import lengths_between, traders_between
from trades.models import FeedGap

_UTC = ZoneInfo("UTC")
_FIRST, _LAST = datetime(2000, 1, 1, tzinfo=UTC), datetime(2199, 12, 31, tzinfo=UTC)
DESK_TRADES_LATELY = timedelta(days=7)
"""Before a file's first day: who has traded since then, and which products, may have traded in a gap of it unseen."""


@dataclass(slots=True)
class Scope:
    """What the file is about: everything stored within it must be in the file too."""

    sides: set[tuple[str, str]] = field(default_factory=set)
    traders: set[str] = field(default_factory=set)
    delivery_days: set[date] = field(default_factory=set)
    lengths: set[timedelta] = field(default_factory=set)
    first: datetime | None = None
    last: datetime | None = None

    def add(self, c: TradeConfirmation) -> None:
        self.sides.add((c.exchange_id, c.direction))
        self.traders.add(c.trader_id)
        self.delivery_days.add(c.delivery_day)
        self.lengths.add(c.period.duration)
        if _FIRST < c.execution_time < _LAST:  # an odd time says nothing of the days that the file is about
            self.first = min(self.first or c.execution_time, c.execution_time)
            self.last = max(self.last or c.execution_time, c.execution_time)

    def days(self, market: Market) -> tuple[datetime, datetime]:
        """Start and end (UTC) of the local days on which the file's trades were executed."""
        assert self.first is not None
        assert self.last is not None
        start = market.day_bounds(market.day_of(self.first))[0]
        return start, market.day_bounds(market.day_of(self.last))[1]

    def surely(self, market: Market) -> tuple[datetime, datetime]:
        """Start and end (UTC) of the days that the file is about, whichever days are meant: the market's, those of its
        people's clocks or its product zone's, or UTC's. What lies outside of one of them may be in another file."""
        assert self.first is not None
        assert self.last is not None
        rules = market.rules_on(market.day_of(self.first))
        meant: tuple[Days, ...] = (market.calendar, rules.zone, rules.people_zone, _UTC)
        start = max(day_bounds(day_of(self.first, days), days)[0] for days in meant)
        return start, min(day_bounds(day_of(self.last, days), days)[1] for days in meant)


def covered_gaps(market: Market, scope: Scope, *, unread: int) -> list[Cover]:
    """What the file says of the open gaps of its local days; `unread` of its lines could not be booked.

    A file of some traders or products says nothing of the others.
    """
    if scope.first is None or scope.last is None:
        return []
    start, end = scope.days(market)
    lately = start - DESK_TRADES_LATELY
    traded = lengths_between(market_id=market.pk, start=lately, end=end)
    is_of_one = len(scope.traders) == 1  # a file of several is of everybody: who is not in it has not traded
    others = traders_between(market_id=market.pk, start=lately if is_of_one else start, end=end) - scope.traders
    held = {product_of_length(length) for length in scope.lengths}
    objections = objections_to(
        unread=unread,
        traders=others,
        lengths={length for length in traded if product_of_length(length) not in held},
    )
    return covers(_open_gaps(market, start, end), (scope.first, scope.last), objections)


def _open_gaps(market: Market, start: datetime, end: datetime) -> list[OpenGap]:
    gaps = FeedGap.objects.filter(market=market, closed_at=None, started_at__lt=end, ended_at__gt=start)
    return [
        OpenGap(g.pk, g.started_at, g.ended_at, tuple((_moment(a), _moment(b)) for a, b, _ in g.covered))
        for g in gaps.order_by("started_at")
    ]


def _moment(text: str) -> datetime:
    return datetime.fromisoformat(text)
