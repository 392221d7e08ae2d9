"""Storing what journals hold and PostgreSQL doesn't: at a listener's start, when it fell behind, and by command."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import islice
from pathlib import Path

import structlog

from market.models import Market
from trades.capture.journal import (
    JournalError,
    SegmentHeader,
    archived_segments,
    is_written,
    read_frames,
    read_header,
    segments,
)
from trades.frames import FrameSource, JournalFrame
from trades.ledger.store import StoreResult, complete_journal, store_frames
from trades.queries import StoredJournal, stored_journals

log = structlog.get_logger("trades.capture.replay")

MarketOf = Callable[[str], Market]
BATCH = 500


def replay_directory(*, directory: Path, market_of: MarketOf, archived: bool = False) -> StoreResult:
    """Store every journalled frame under `directory` that is not stored yet; a second time changes nothing.

    With `archived` the packed segments too: into an empty database they bring back what it had.

    Raises django.db.DatabaseError when PostgreSQL can't take it; a segment that can't be read is logged and left.
    """
    result = StoreResult()
    paths = [*(archived_segments(directory) if archived else ()), *segments(directory)]
    headers = dict(_readable(paths))
    known = stored_journals(journals=[header.journal for header in headers.values()])
    for path, header in headers.items():
        stored = known.get(header.journal, StoredJournal(0, False))
        if stored.complete:
            continue
        try:
            finished = not is_written(path)  # asked first: what is appended after this is never overlooked
            result.add(_replay_segment(path, header, stored.position, market_of, finished))
        except (JournalError, OSError) as error:
            _say_unreadable(path, error)
    return result


def _readable(paths: list[Path]) -> Iterator[tuple[Path, SegmentHeader]]:
    for path in paths:
        try:
            yield path, read_header(path)
        except (JournalError, OSError) as error:
            _say_unreadable(path, error)


def _say_unreadable(path: Path, error: Exception) -> None:
    if not isinstance(error, FileNotFoundError):  # gone since it was listed: archived, so all of it is stored
        log.error("journal_unreadable", path=str(path), error=str(error))


def _replay_segment(
    path: Path, header: SegmentHeader, position: int, market_of: MarketOf, finished: bool
) -> StoreResult:
    source, result = FrameSource(header.journal, header.listener), StoreResult()
    market = market_of(header.market)
    for frames in _batches(read_frames(path, after=position)):
        result.add(store_frames(market=market, source=source, frames=frames))
    if finished:
        complete_journal(market=market, source=source)
    if result.received:
        log.info("journal_replayed", path=path.name, received=result.received, stored=result.stored)
    return result


def _batches(frames: Iterator[JournalFrame]) -> Iterator[list[JournalFrame]]:
    while batch := list(islice(frames, BATCH)):
        yield batch
