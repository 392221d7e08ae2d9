"""The desk's trades against the exchange's own file: what is new, known, different, extra, doubtful, and which gaps it
covers. Compared first (`compare` writes nothing), carried out afterwards (`carry_out`)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from itertools import islice
from typing import TypeVar

from market.models import Market
from trades.feed.gap_coverage import Cover
from trades.frames import FrameSource
from trades.imports.booking import add_from_file, flag_as_not_in_file, keep_file_conflicts, unflag_found_in_file
from trades.imports.exported import DECIDED, SECOND_SIDE
from trades.imports.files import FileLine
from trades.imports.lines import ROUNDED_ID
from trades.imports.scope import Scope, covered_gaps
from trades.ledger.confirmations import TradeConfirmation, Unusable
from trades.ledger.decisions import note_covered_gaps
from trades.ledger.effective import (
    StoredFacts,
    effective_facts_of,
    facts_of,
    judged_facts,
    stored_facts,
    trades_in_scope,
)
from trades.ledger.store import both_sides_reason, conflict_reason

CHUNK = 1000

_Item = TypeVar("_Item")


@dataclass(frozen=True, slots=True)
class Doubt:
    """A line that nobody should book without a look: `why` is a sentence."""

    line: FileLine
    why: str


@dataclass(slots=True)
class Report:
    """What a comparison found: lines of the file, and `extra` as exchange ids.

    `missing` are new here, `known` are stored with the same facts, `different` with others; `both_sides` are the
    other sides of stored or new trades; `contradictory` are lines of one id that say different things; `repeated` say
    the same again; `bad` could not be read. `doubts` stop a booking until somebody goes on despite them.
    """

    lines: int = 0
    missing: list[FileLine] = field(default_factory=list)
    known: int = 0
    different: list[tuple[FileLine, list[str]]] = field(default_factory=list)
    both_sides: list[FileLine] = field(default_factory=list)
    contradictory: list[FileLine] = field(default_factory=list)
    repeated: list[FileLine] = field(default_factory=list)
    bad: list[FileLine] = field(default_factory=list)
    doubts: list[Doubt] = field(default_factory=list)
    extra: list[str] = field(default_factory=list)
    covers: list[Cover] = field(default_factory=list)
    in_file: set[tuple[str, str]] = field(default_factory=set)
    """Ids and directions of what the exchange's own file has."""
    added: int = 0
    found_again: int = 0
    closed_gaps: int = 0
    extra_within: tuple[datetime, datetime] | None = None
    """Start and end (UTC) of the executions among which `extra` was looked for."""

    @property
    def not_stored(self) -> int:
        """How many lines are not stored once the missing trades have been added: unreadable, or left to a person."""
        return len(self.different) + len(self.both_sides) + len(self.contradictory) + len(self.bad)

    @property
    def is_stored(self) -> bool:
        """Whether all of the file is stored once the missing trades have been added."""
        return not self.not_stored


def compare(
    *, market: Market, lines: Iterable[FileLine], progress: Callable[[int], None] = lambda _line: None
) -> Report:
    """The whole file against what is stored; nothing is written."""
    report, scope, exported = Report(), Scope(), False
    groups: dict[str, list[FileLine]] = {}
    decided: list[FileLine] = []
    for line in lines:
        report.lines += 1
        exported = exported or line.exported
        if isinstance(line.parsed, Unusable):
            report.bad.append(line)
        elif line.decision:
            decided.append(line)
        else:
            scope.add(line.parsed)
            groups.setdefault(line.parsed.exchange_id, []).append(line)
    _judge_decided(market, decided, report)
    done = report.lines - sum(map(len, groups.values()))
    for ids in _chunks(groups):
        stored = judged_facts(market_id=market.pk, exchange_ids=ids)
        for exchange_id in ids:
            _judge(groups[exchange_id], stored.get(exchange_id), report)
            done += len(groups[exchange_id])
        progress(done)
    report.in_file = set() if exported else scope.sides
    report.missing.sort(key=lambda line: line.number)
    if groups and scope.first is not None:
        report.extra_within = scope.surely(market)
        report.extra = _extra(market, scope, *report.extra_within)
    report.doubts = [*_rounded(report), *_doubled(market, report)]
    if exported:  # one period's trades, and not the exchange's word: it lacks nothing, and covers nothing
        report.extra = []
    else:
        report.covers = covered_gaps(market, scope, unread=report.not_stored)
    return report


def carry_out(*, market: Market, source: FrameSource, report: Report, now: datetime) -> None:
    """Add what is missing, keep aside what differs, flag what is extra, note what gaps are covered. Safe to repeat."""
    for missing in _chunks(report.missing):
        report.added += add_from_file(market=market, source=source, lines=missing, now=now)
    aside = [(line, conflict_reason(line.parsed.exchange_id, names)) for line, names in report.different]
    aside += [(line, both_sides_reason(_read(line))) for line in report.both_sides]
    keep_file_conflicts(market=market, source=source, aside=aside, now=now)
    flag_as_not_in_file(market=market, exchange_ids=report.extra)
    report.found_again = unflag_found_in_file(market=market, sides=sorted(report.in_file))
    report.closed_gaps = note_covered_gaps(market_id=market.pk, covers=report.covers, file=source.journal[:30], now=now)


def _chunks(items: Iterable[_Item]) -> Iterator[list[_Item]]:
    iterator = iter(items)
    while chunk := list(islice(iterator, CHUNK)):
        yield chunk


def _judge_decided(market: Market, lines: Sequence[FileLine], report: Report) -> None:
    """Exported trades that a person has decided about: known where the same decision is, else named, never booked."""
    for chunk in _chunks(lines):
        here = effective_facts_of(market_id=market.pk, exchange_ids=[_read(line).exchange_id for line in chunk])
        for line in chunk:
            c = _read(line)
            kind, facts = here.get(c.exchange_id, ("", None))
            decided_alike = kind == ("" if line.decision == SECOND_SIDE else line.decision)
            if facts is not None and decided_alike and not _really(facts.differences(c), facts, line):
                report.known += 1
                continue
            detail = f"{line.decision} by a person at the desk that exported it, and not so here: decide about it here"
            report.bad.append(replace(line, parsed=Unusable(DECIDED, detail, c.exchange_id)))


def _really(differing: list[str], facts: StoredFacts, line: FileLine) -> list[str]:
    """The differences, but for less than a millisecond of an export's execution time: a workbook has no more."""
    if not line.exported or abs(facts.execution_time - _read(line).execution_time) >= timedelta(milliseconds=1):
        return differing
    return [name for name in differing if name != "execution_time"]


def _read(line: FileLine) -> TradeConfirmation:
    assert isinstance(line.parsed, TradeConfirmation)
    return line.parsed


def _judge(group: Sequence[FileLine], stored: StoredFacts | None, report: Report) -> None:
    """The lines of one id, against what is stored with it or else against each other."""
    facts = stored or facts_of(_read(group[0]))
    if stored is None and _contradict(facts, group):
        report.contradictory += group
        return
    seen: set[StoredFacts] = set()
    for line in group:
        c = _read(line)
        differing = _really(facts.differences(c), facts, line)
        if facts_of(c) in seen:
            report.repeated.append(line)
        elif differing and facts.has_other_side(c):
            report.both_sides.append(line)
        elif differing:
            report.different.append((line, differing))
        elif stored is None:
            report.missing.append(line)
        else:
            report.known += 1
        seen.add(facts_of(c))


def _contradict(first: StoredFacts, group: Sequence[FileLine]) -> bool:
    """Whether lines of one id say something else than the first, other than being its other side."""
    return any(first.differences(_read(line)) and not first.has_other_side(_read(line)) for line in group)


def _extra(market: Market, scope: Scope, start: datetime, end: datetime) -> list[str]:
    """Stored trades of the file's traders and delivery days, executed from start to end, that the file doesn't have."""
    stored = trades_in_scope(
        market_id=market.pk,
        trader_ids=scope.traders,
        delivery_days=scope.delivery_days,
        executed_from=start,
        executed_before=end,
    )
    ids = {exchange_id for exchange_id, _ in scope.sides}
    return sorted(
        own
        for own, (in_file, direction) in stored.items()
        if (own == in_file and own not in ids)
        or (own != in_file and not {(in_file, direction), (own, direction)} & scope.sides)
    )


def _rounded(report: Report) -> Iterator[Doubt]:
    for line in report.bad:
        if isinstance(line.parsed, Unusable) and line.parsed.reason == ROUNDED_ID:
            yield Doubt(line, line.parsed.detail)


def _doubled(market: Market, report: Report) -> Iterator[Doubt]:
    """New lines alike in all but the id with stored trades that the file lacks: the same trades, spelt differently.

    Twins alone are no proof: a real day has dozens of groups that are alike in everything but their ids.
    """
    twins: dict[StoredFacts, list[str]] = {}
    for ids in _chunks(report.extra if report.missing else []):
        for exchange_id, facts in stored_facts(market_id=market.pk, exchange_ids=ids).items():
            twins.setdefault(replace(facts, second=None), []).append(exchange_id)
    for line in report.missing:
        if alike := twins.get(facts_of(_read(line))):
            why = f"trade {alike.pop(0)[:60]}, which the file lacks, is stored with the same facts under another id"
            if not alike:
                del twins[facts_of(_read(line))]
            yield Doubt(line, why)
