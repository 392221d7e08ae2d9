"""When a rule finds something, and what an episode is. Pure: facts and the moment are arguments.

A condition that is there opens one episode, however long it lasts. It is over once it has been away for QUIET; one that
comes back before counts as the same, and is counted.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from enum import StrEnum

QUIET = timedelta(minutes=5)
WARNING_SHARE = Decimal("0.8")
"""Of a soft limit: from there on it is a warning."""


class Kind(StrEnum):
    """What a rule looks for."""

    OPEN_MWH = "open_mwh"
    RESULT_BELOW = "result_below"
    RESULT_SWING = "result_swing"
    LOSS_LIMIT = "loss_limit"
    FEED_LATE = "feed_late"
    PRICE_LATE = "price_late"
    ASSUMPTION_BROKE = "assumption_broke"
    GAP = "gap"
    FRAMES_ASIDE = "frames_aside"


class Level(StrEnum):
    WARNING = "warning"
    ALERT = "alert"


NEEDS_THRESHOLD = frozenset({Kind.OPEN_MWH, Kind.RESULT_BELOW, Kind.RESULT_SWING, Kind.LOSS_LIMIT})
NEEDS_MINUTES = frozenset({Kind.OPEN_MWH, Kind.RESULT_SWING})
OF_BOARDS = NEEDS_THRESHOLD
POSITIVE = frozenset({Kind.OPEN_MWH, Kind.RESULT_SWING, Kind.LOSS_LIMIT})


@dataclass(frozen=True, slots=True)
class Condition:
    """What a rule was set to: `threshold` MWh or the market's currency."""

    kind: Kind
    threshold: Decimal = Decimal(0)
    minutes: int = 0


@dataclass(frozen=True, slots=True)
class RowFacts:
    """A product's net position in MWh, and the next of its gates (phase, when) that is still to close."""

    label: str
    net_mwh: Decimal
    gates: tuple[tuple[str, datetime], ...]


@dataclass(frozen=True, slots=True)
class BoardFacts:
    """A board as rules look at it. `samples`: its results of the last minutes, oldest first."""

    trader: str
    market: str
    day: str
    currency: str
    rows: tuple[RowFacts, ...] = ()
    result: Decimal | None = None
    samples: tuple[tuple[datetime, Decimal], ...] = ()


@dataclass(frozen=True, slots=True)
class Finding:
    """Something is the case. `subject` is what it is about: one episode each. `more`: how often it happened anew."""

    subject: str
    facts: dict[str, str] = field(default_factory=dict)
    level: Level = Level.ALERT
    more: int = 0


def of_board(condition: Condition, board: BoardFacts, now: datetime) -> list[Finding]:
    """What the condition finds on a board."""
    about = {"trader": board.trader, "market": board.market, "day": board.day, "currency": board.currency}
    name = f"{board.trader} {board.market} {board.day}"
    if condition.kind is Kind.OPEN_MWH:
        return [
            Finding(f"{name} {facts['period']} {facts['phase']}", {**about, **facts})
            for facts in _open_rows(condition, board.rows, now)
        ]
    if board.result is None:
        return []
    facts = {**about, "result": plain(board.result), "threshold": plain(condition.threshold)}
    if condition.kind is Kind.RESULT_BELOW:
        return [Finding(name, facts)] if board.result < condition.threshold else []
    if condition.kind is Kind.LOSS_LIMIT:
        return _limit(condition.threshold, board.result, name, facts)
    swing = _swing(board, now - timedelta(minutes=condition.minutes))
    found = condition.kind is Kind.RESULT_SWING and abs(swing) >= condition.threshold
    return [Finding(name, {**facts, "swing": plain(swing), "minutes": str(condition.minutes)})] if found else []


def _open_rows(condition: Condition, rows: Iterable[RowFacts], now: datetime) -> Iterator[dict[str, str]]:
    soon = now + timedelta(minutes=condition.minutes)
    for row in rows:
        phase, closes_at = next(((p, at) for p, at in row.gates if at > now), ("", now))
        if now < closes_at <= soon and row.net_mwh and abs(row.net_mwh) >= condition.threshold:
            yield {"period": row.label, "phase": phase, "net": plain(row.net_mwh), "closes_at": closes_at.isoformat()}


def _limit(limit: Decimal, result: Decimal, name: str, facts: dict[str, str]) -> list[Finding]:
    """A soft limit of losses: nothing is forbidden, people are told."""
    if -result >= limit:
        return [Finding(name, facts)]
    return [Finding(name, facts, Level.WARNING)] if -result >= limit * WARNING_SHARE else []


def _swing(board: BoardFacts, since: datetime) -> Decimal:
    """By how much the result is another one than at the moment since then that it differs most from."""
    assert board.result is not None
    before = [value for at, value in board.samples if at < since][-1:]
    values = before + [value for at, value in board.samples if at >= since]
    return max((board.result - value for value in values), key=abs, default=Decimal(0))


def plain(value: Decimal) -> str:
    """Without needless zeros and exponents."""
    return f"{value.normalize():f}"


# --- episodes ---------------------------------------------------------------------------------------------------------
@dataclass(frozen=True, slots=True)
class Episode:
    """An open episode, as it is kept."""

    subject: str
    level: Level
    clear_since: datetime | None = None


@dataclass(frozen=True, slots=True)
class Change:
    """What a look changes: `begins`, `again` (counted), `clears` (its condition is away), `ends`, or `goes_on`."""

    what: str
    subject: str
    finding: Finding | None = None


def changes(found: Sequence[Finding], episodes: Sequence[Episode], now: datetime) -> list[Change]:
    """From what is open and what is found now to what has to be written down."""
    still, there = {finding.subject: finding for finding in found}, {episode.subject: episode for episode in episodes}
    new = [Change("begins", name, finding) for name, finding in still.items() if name not in there]
    return new + [change for episode in episodes if (change := _of_episode(episode, still.get(episode.subject), now))]


def _of_episode(episode: Episode, finding: Finding | None, now: datetime) -> Change | None:
    if finding is None:
        if episode.clear_since is None:
            return Change("clears", episode.subject)
        return Change("ends", episode.subject) if now - episode.clear_since >= QUIET else None
    worse = episode.level is Level.WARNING and finding.level is Level.ALERT
    if worse or finding.more or episode.clear_since is not None:
        return Change("worse" if worse else "again", episode.subject, finding)
    return None


# --- deliveries -------------------------------------------------------------------------------------------------------
MOST_ATTEMPTS = 12
_FIRST_PAUSE, _LONGEST_PAUSE = timedelta(seconds=10), timedelta(hours=1)


def pause_after(attempts: int) -> timedelta | None:
    """How long to wait after so many attempts that failed; None: it is given up."""
    if attempts >= MOST_ATTEMPTS:
        return None
    return min(_FIRST_PAUSE * int(2 ** (attempts - 1)), _LONGEST_PAUSE)
