"""What becomes of journals: looked into, packed into the archive once all of it is stored, removed in the end.

Nothing leaves the disk before its packed copy has been read back, and no segment is packed that holds a frame which
PostgreSQL doesn't have, or that a listener still writes. Rules and sizes: docs/journal.md.
"""

from __future__ import annotations

import gzip
import os
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path

from trades.capture.journal import (
    ARCHIVE,
    RECORD_OVERHEAD,
    JournalError,
    SegmentHeader,
    archived_segments,
    content,
    is_written,
    read_frames,
    read_header,
    segments,
    sync_directory,
)
from trades.queries import StoredJournal, stored_journals

_NOT_STORED = StoredJournal(0, False)


@dataclass(frozen=True, slots=True)
class SegmentFacts:
    """One segment as its file has it. `size` is bytes on disk, `damaged` bytes in no good record; times UTC."""

    path: Path
    header: SegmentHeader
    size: int
    frames: int
    last_number: int
    first_at: datetime | None
    last_at: datetime | None
    damaged: int
    stored: StoredJournal


@dataclass(frozen=True, slots=True)
class Outcome:
    """What was done with a segment, or why it was left as it is."""

    path: Path
    done: bool
    words: str


def survey(directory: Path, *, archived: bool = False) -> Iterator[SegmentFacts | Outcome]:
    """Every segment, oldest first; an Outcome for one that can't be read. Reads all of their bytes.

    With `archived` the packed ones too, before the others.
    """
    headers: dict[Path, SegmentHeader | str] = {}
    for path in (*(archived_segments(directory) if archived else ()), *segments(directory)):
        try:
            headers[path] = read_header(path)
        except (JournalError, OSError) as error:
            headers[path] = str(error)
    known = stored_journals(journals=[h.journal for h in headers.values() if isinstance(h, SegmentHeader)])
    for path, header in headers.items():
        if isinstance(header, str):
            yield Outcome(path, False, header)
        else:
            yield _facts_or_why_not(path, header, known.get(header.journal, _NOT_STORED))


def _facts_or_why_not(path: Path, header: SegmentHeader, stored: StoredJournal) -> SegmentFacts | Outcome:
    try:
        return _facts(path, header, stored)
    except (JournalError, OSError) as error:
        return Outcome(path, False, str(error))


def _facts(path: Path, header: SegmentHeader, stored: StoredJournal) -> SegmentFacts:
    data = content(path)
    count, good, last_number = 0, data.find(b"\n") + 1, 0
    first_at = last_at = None
    for frame in read_frames(path):
        count, last_number, last_at = count + 1, frame.number, frame.received_at
        first_at = first_at or frame.received_at
        good += RECORD_OVERHEAD + len(frame.frame)
    return SegmentFacts(
        path=path,
        header=header,
        size=path.stat().st_size,
        frames=count,
        last_number=last_number,
        first_at=first_at,
        last_at=last_at,
        damaged=len(data) - good,
        stored=stored,
    )


def archive(*, directory: Path, before: date) -> Iterator[Outcome]:
    """Pack every segment begun before the day (UTC) into the archive, or say why it has to stay."""
    for facts in survey(directory):
        if isinstance(facts, Outcome):
            yield facts
        elif facts.header.created_at.date() < before:
            why_not = _why_not(facts)
            yield Outcome(facts.path, False, why_not) if why_not else _pack(facts.path, directory / ARCHIVE)


def _why_not(facts: SegmentFacts) -> str:
    """Why a segment must stay as it is; nothing when it may be packed."""
    if is_written(facts.path):
        return "a listener still writes it"
    if facts.last_number > facts.stored.position:
        return f"its frames {facts.stored.position + 1} to {facts.last_number} are not stored yet"
    if not facts.stored.complete:
        return "it is not known to be complete; replay_journal finds out"
    return ""


def _pack(path: Path, archive_directory: Path) -> Outcome:
    """Pack, make durable, read back, and only then remove the original. Repeating after a crash is safe."""
    archive_directory.mkdir(exist_ok=True)
    packed = archive_directory / f"{path.name}.gz"
    original, when = path.read_bytes(), path.stat()
    part = packed.with_suffix(".part")
    with part.open("wb") as file:
        file.write(gzip.compress(original, compresslevel=6, mtime=0))
        file.flush()
        os.fsync(file.fileno())
    os.utime(part, ns=(when.st_atime_ns, when.st_mtime_ns))  # segments are read in the order of their times
    if gzip.decompress(part.read_bytes()) != original:
        part.unlink()
        return Outcome(path, False, "its packed copy could not be read back and was thrown away")
    part.rename(packed)
    sync_directory(archive_directory)
    path.unlink()
    sync_directory(path.parent)
    return Outcome(packed, True, f"{len(original)} bytes packed into {packed.stat().st_size}")


def prune(*, directory: Path, now: datetime, older_than: timedelta) -> Iterator[Outcome]:
    """Remove the archived segments that were begun longer ago than `older_than`; others are never touched."""
    for path in archived_segments(directory):
        try:
            begun = read_header(path).created_at
        except (JournalError, OSError) as error:
            yield Outcome(path, False, str(error))
            continue
        if now - begun > older_than:
            path.unlink()
            yield Outcome(path, True, f"begun {begun:%Y-%m-%d}, removed")


def find_segment(directory: Path, journal: str) -> Path | None:
    """The file of the journal with this identity, live or archived; None when it is not on this disk."""
    for path in (*segments(directory), *archived_segments(directory)):
        if journal[:8] not in path.name:
            continue
        try:
            if read_header(path).journal == journal:
                return path
        except (JournalError, OSError):
            continue
    return None
