"""The desk's trades against the exchange's own file: what is missing here, what differs, what the file doesn't have."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import date, datetime
from itertools import islice

from market.models import Market
from market.periods import day_bounds, day_of
from trades.frames import FrameSource
from trades.imports.booking import add_from_file, flag_as_not_in_file, keep_file_conflicts
from trades.imports.files import FileLine
from trades.ledger.confirmations import TradeConfirmation, Unusable
from trades.ledger.decisions import close_gaps_covered_by_import
from trades.ledger.effective import stored_facts, traders_between, trades_in_scope

CHUNK = 1000


@dataclass(slots=True)
class Report:
    """What a comparison found. `missing`, `different` and `bad` are lines of the file; `extra` are exchange ids."""

    lines: int = 0
    missing: list[FileLine] = field(default_factory=list)
    different: list[tuple[FileLine, list[str]]] = field(default_factory=list)
    bad: list[FileLine] = field(default_factory=list)
    extra: list[str] = field(default_factory=list)
    added: int = 0
    first_execution: datetime | None = None
    last_execution: datetime | None = None
    closed_gaps: int = 0

    @property
    def is_clean(self) -> bool:
        """Whether file and desk agree and every line could be read."""
        return not (self.missing or self.different or self.bad or self.extra)


@dataclass(slots=True)
class _Scope:
    """What the file is about: everything stored within it must be in the file too."""

    ids: set[str] = field(default_factory=set)
    traders: set[str] = field(default_factory=set)
    delivery_days: set[date] = field(default_factory=set)
    first: datetime | None = None
    last: datetime | None = None

    def add(self, c: TradeConfirmation) -> None:
        self.ids.add(c.exchange_id)
        self.traders.add(c.trader_id)
        self.delivery_days.add(c.delivery_day)
        self.first = min(self.first or c.execution_time, c.execution_time)
        self.last = max(self.last or c.execution_time, c.execution_time)

    def days(self, market: Market) -> tuple[datetime, datetime]:
        """Start and end (UTC) of the local days on which the file's trades were executed."""
        assert self.first is not None
        assert self.last is not None
        start = day_bounds(day_of(self.first, market.zone), market.zone)[0]
        return start, day_bounds(day_of(self.last, market.zone), market.zone)[1]


def reconcile(
    *,
    market: Market,
    source: FrameSource,
    lines: Iterable[FileLine],
    now: datetime,
    dry_run: bool,
    progress: Callable[[int], None] = lambda _line: None,
) -> Report:
    """Compare, and unless `dry_run` add the missing trades and flag the rest. A second time changes nothing."""
    report, scope = Report(), _Scope()
    for chunk in _chunks(lines):
        _compare(market, chunk, report, scope)
        progress(chunk[-1].number)
    report.first_execution, report.last_execution = scope.first, scope.last
    if scope.ids:
        report.extra = _extra(market, scope)
    if not dry_run:
        for missing in _chunks(iter(report.missing)):
            report.added += add_from_file(market=market, source=source, lines=missing, now=now)
        keep_file_conflicts(market=market, source=source, different=report.different, now=now)
        flag_as_not_in_file(market=market, exchange_ids=report.extra)
        report.closed_gaps = _close_gaps(market, scope, source, now)
    return report


def _chunks(lines: Iterable[FileLine]) -> Iterator[list[FileLine]]:
    iterator = iter(lines)
    while chunk := list(islice(iterator, CHUNK)):
        yield chunk


def _compare(market: Market, chunk: list[FileLine], report: Report, scope: _Scope) -> None:
    wanted = [line.parsed.exchange_id for line in chunk if isinstance(line.parsed, TradeConfirmation)]
    stored = stored_facts(market_id=market.pk, exchange_ids=wanted)
    for line in chunk:
        report.lines += 1
        parsed = line.parsed
        if isinstance(parsed, Unusable):
            report.bad.append(line)
            continue
        repeated = parsed.exchange_id in scope.ids
        scope.add(parsed)
        facts = stored.get(parsed.exchange_id)
        if facts is not None:
            differing = facts.differences(parsed)
            if differing:
                report.different.append((line, differing))
        elif not repeated:
            report.missing.append(line)


def _extra(market: Market, scope: _Scope) -> list[str]:
    """Stored trades of the file's traders, delivery days and execution dates that the file doesn't have."""
    start, end = scope.days(market)
    stored = trades_in_scope(
        market_id=market.pk,
        trader_ids=scope.traders,
        delivery_days=scope.delivery_days,
        executed_from=start,
        executed_before=end,
    )
    return sorted(stored - scope.ids)


def _close_gaps(market: Market, scope: _Scope, source: FrameSource, now: datetime) -> int:
    """Close the gaps between the file's first and last execution, if it has everybody's trades: what was missed in
    them is in the file, and has just been added. A file of some traders says nothing of the others."""
    if scope.first is None or scope.last is None:
        return 0
    start, end = scope.days(market)
    if not traders_between(market_id=market.pk, start=start, end=end) <= scope.traders:
        return 0
    closed = close_gaps_covered_by_import(
        market_id=market.pk, first=scope.first, last=scope.last, file=source.journal[:30], now=now
    )
    return len(closed)
