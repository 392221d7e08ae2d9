"""The desk's trades against the exchange's own file: what is missing here, what differs, what the file doesn't have."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import date, datetime
from itertools import islice

from market.models import Market
from market.periods import day_bounds, day_of
from trades.actions import FrameSource, add_from_file, flag_as_not_in_file, keep_file_conflicts
from trades.confirmations import TradeConfirmation, Unusable
from trades.files import FileLine
from trades.queries import stored_facts, trades_in_scope

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
    first_execution: date | None = None
    last_execution: date | None = None

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
    executed: set[date] = field(default_factory=set)

    def add(self, c: TradeConfirmation, market: Market) -> None:
        self.ids.add(c.exchange_id)
        self.traders.add(c.trader_id)
        self.delivery_days.add(c.delivery_day)
        self.executed.add(day_of(c.execution_time, market.zone))


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
    if scope.executed:
        report.first_execution, report.last_execution = min(scope.executed), max(scope.executed)
        report.extra = _extra(market, scope)
    if not dry_run:
        for missing in _chunks(iter(report.missing)):
            report.added += add_from_file(market=market, source=source, lines=missing, now=now)
        keep_file_conflicts(market=market, source=source, different=report.different, now=now)
        flag_as_not_in_file(market=market, exchange_ids=report.extra)
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
        scope.add(parsed, market)
        facts = stored.get(parsed.exchange_id)
        if facts is not None:
            differing = facts.differences(parsed)
            if differing:
                report.different.append((line, differing))
        elif not repeated:
            report.missing.append(line)


def _extra(market: Market, scope: _Scope) -> list[str]:
    """Stored trades of the file's traders, delivery days and execution dates that the file doesn't have."""
    start = day_bounds(min(scope.executed), market.zone)[0]
    end = day_bounds(max(scope.executed), market.zone)[1]
    stored = trades_in_scope(
        market_id=market.pk,
        trader_ids=scope.traders,
        delivery_days=scope.delivery_days,
        executed_from=start,
        executed_before=end,
    )
    return sorted(stored - scope.ids)
