"""How firm a board's rows are at a moment: each row's like cases, found and judged once."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from functools import lru_cache
from zoneinfo import ZoneInfo

from dashboard.figures.board import BoardRow
from dashboard.figures.firmness.rules import (
    FEWEST,
    NARROW,
    SLOT,
    WIDE,
    Band,
    Firmness,
    Kind,
    band_of,
    firmness_of,
    left_of,
    part_of_day,
    sure_share,
)
from dashboard.figures.firmness.store import NONE, LikeCases, like_cases
from market.models import Market
from market.periods import DeliveryPeriod
from market.rules import ReferenceSource, minutes_of
from market.totals import ZERO

_HOUR = 60


@dataclass(frozen=True, slots=True)
class Outlook:
    """What was known of like cases, and the ten minutes (their beginning, UTC) that time left is counted from."""

    cases: LikeCases
    begun: datetime
    zone: str

    def at(self, now: datetime) -> Outlook:
        """The same cases, at a later moment; the same object within its ten minutes."""
        begun = _begun(now)
        return self if begun == self.begun else Outlook(self.cases, begun, self.zone)

    def of(self, row: BoardRow) -> Firmness | None:
        """How firm the row's result is; None for one without."""
        return _firmness(self, row)

    def moves(self, period: DeliveryPeriod, gate: datetime, source: ReferenceSource) -> tuple[Decimal, ...]:
        """What references of like cases still moved (EUR/MWh, ascending); a stand-in moves as what it stands for."""
        left = left_of(gate, self.begun)
        if left is None or self is NO_OUTLOOK:
            return ()
        hour, minutes = period.start.astimezone(ZoneInfo(self.zone)).hour, minutes_of(period)
        is_hours = source is ReferenceSource.HOUR and minutes < _HOUR
        return self.cases.moves(Kind(_HOUR if is_hours else minutes, left, part_of_day(hour)))

    def reference_bands(
        self, period: DeliveryPeriod, gate: datetime, source: ReferenceSource, value: Decimal
    ) -> tuple[Band, Band] | None:
        """Where a reference that is `value` now will lie at closure in 8 and in 5 of 10 like cases; None: too few."""
        moves = self.moves(period, gate, source)
        if len(moves) < FEWEST:
            return None
        bands = (band_of(moves, share) for share in (WIDE, NARROW))
        wide, narrow = (Band(value + band.low, value + band.high) for band in bands)
        return wide, narrow

    def sure_share(self, rows: Iterable[BoardRow]) -> Decimal | None:
        """The share of the rows' EUR that is firm, locked in or final; None without any result."""
        said = [(found.word, row.figures.performance_eur or ZERO) for row in rows if (found := self.of(row))]
        return sure_share(said)


def load_outlook(market: Market, now: datetime) -> Outlook:
    """What is known at a moment (UTC); one small query, and one more the first time."""
    return Outlook(like_cases(market, now), _begun(now), market.time_zone)


def _begun(now: datetime) -> datetime:
    seconds = int(now.timestamp())
    return datetime.fromtimestamp(seconds - seconds % int(SLOT.total_seconds()), UTC)


NO_OUTLOOK = Outlook(NONE, datetime(1970, 1, 1, tzinfo=UTC), "")
"""Nothing is said."""


@lru_cache(maxsize=8192)
def _firmness(outlook: Outlook, row: BoardRow) -> Firmness | None:
    """Remembered: a push finds nearly all rows as they were."""
    figures = row.figures
    if outlook is NO_OUTLOOK or figures.performance_eur is None or figures.reference_price is None:
        return None
    return firmness_of(
        outlook.moves(row.period, row.gate_closes_at, row.source),
        result=figures.performance_eur,
        net=figures.net_mwh,
        reference=figures.reference_price,
        is_final=row.is_final,
    )
