"""The journal: frames durable on the listener's own disk before anything else happens to them.

One append-only file (a segment) per start of a listener and per day. A record is a fixed header (mark, length,
number, time, checksum) and the frame as it came. The checksum is salted with the segment's own random identity, so
that neither a torn write nor bytes inside a frame can pass for a record; after a damaged stretch the next good record
is found by its mark. Why not a database file: docs/decisions/0003-journal.md.

What of it is stored is known in PostgreSQL (trades.models.JournalProgress), in the transaction that stored it.
Segments that trades/capture/journal_archive.py has packed into the folder's archive are read like the others.
"""

from __future__ import annotations

import fcntl
import gzip
import json
import os
import re
import struct
import uuid
import zlib
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import IO

from trades.frames import JournalFrame

_MARK = b"\xf5FR\xfa"
_HEADER = struct.Struct("<4sIQqI")  # mark, length, number, microseconds since 1970, checksum
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MAGIC = b"desk journal 1 "
SUFFIX = ".journal"
ARCHIVE = "archive"
ARCHIVED_SUFFIX = SUFFIX + ".gz"
RECORD_OVERHEAD = _HEADER.size
"""Bytes that a record takes beside its frame."""

LARGEST_SEGMENT = 64 * 1024 * 1024
_DAMAGED_ARCHIVE = (gzip.BadGzipFile, EOFError, zlib.error)
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,59}", re.ASCII)


class JournalError(Exception):
    """A journal that can't be used as asked; the message is one sentence for people."""


@dataclass(frozen=True, slots=True)
class SegmentHeader:
    """What a segment says of itself."""

    journal: str
    market: str
    listener: str
    created_at: datetime


class Journal:
    """The segment that one listener writes, locked while it does. Not thread-safe: one thread appends."""

    def __init__(self, directory: Path, *, market: str, listener: str, now: datetime) -> None:
        """Create a new segment, durable in its folder. OSError when the disk won't."""
        directory.mkdir(parents=True, exist_ok=True)
        self.header = SegmentHeader(uuid.uuid4().hex, market, listener, now)
        self.path = directory / f"{listener}-{now:%Y%m%dT%H%M%S}-{self.header.journal[:8]}{SUFFIX}"
        self._salt = _salt(self.header.journal)
        self._number = 0
        self._file = os.open(self.path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND, 0o640)
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)  # before its first line makes it a segment
            self._size = _write_all(self._file, _header_line(self.header))
            os.fsync(self._file)
            sync_directory(directory)
        except OSError:
            os.close(self._file)
            with suppress(OSError):
                self.path.unlink()  # a full disk is tried again every few seconds: no litter
            raise

    def append(self, frames: Sequence[tuple[datetime, bytes]]) -> list[JournalFrame]:
        """Make the frames durable, all with one sync, and number them.

        OSError when the disk failed: the segment must then be left alone for good, because after a failed sync
        nobody knows what of it is on the disk.
        """
        numbered = [JournalFrame(self._number + i, at, frame) for i, (at, frame) in enumerate(frames, start=1)]
        self._size += _write_all(self._file, b"".join(_record(f, self._salt) for f in numbered))
        os.fdatasync(self._file)
        self._number += len(numbered)
        return numbered

    def is_finished(self, now: datetime) -> bool:
        """Whether the next frame belongs into a new segment: another day (UTC), or this one is large."""
        return now.date() != self.header.created_at.date() or self._size >= LARGEST_SEGMENT

    def close(self) -> None:
        os.close(self._file)


class ListenerName:
    """A listener's name, held by a lock on a file for as long as the process lives (kill -9 frees it too)."""

    def __init__(self, name: str, lock: IO[bytes]) -> None:
        self.name, self._lock = name, lock

    def release(self) -> None:
        self._lock.close()


def claim_name(directory: Path, wanted: str | None) -> ListenerName:
    """The wanted name, or the first free of listener-1, listener-2, … JournalError when it is taken or not a name."""
    directory.mkdir(parents=True, exist_ok=True)
    if wanted is not None:
        if not _NAME.fullmatch(wanted):
            raise JournalError(f"“{wanted}” is no listener's name: letters, digits, “.”, “-” and “_”, at most 60")
        held = _try_lock(directory, wanted)
        if held is None:
            raise JournalError(f"another listener called “{wanted}” runs with the journal folder {directory}")
        return held
    for number in range(1, 100):
        held = _try_lock(directory, f"listener-{number}")
        if held is not None:
            return held
    raise JournalError(f"99 listeners run with the journal folder {directory}")


def _try_lock(directory: Path, name: str) -> ListenerName | None:
    lock = (directory / f"{name}.lock").open("wb")
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        lock.close()
        return None
    return ListenerName(name, lock)


def segments(directory: Path) -> list[Path]:
    """All segments of all listeners, oldest first; not the archived ones."""
    return _oldest_first(directory, SUFFIX)


def archived_segments(directory: Path) -> list[Path]:
    """The packed segments in the journal folder's archive, oldest first."""
    return _oldest_first(directory / ARCHIVE, ARCHIVED_SUFFIX)


def _oldest_first(directory: Path, suffix: str) -> list[Path]:
    segments_by_age: list[tuple[int, str, Path]] = []
    for path in directory.glob(f"*{suffix}") if directory.is_dir() else ():
        with suppress(FileNotFoundError):  # archived, or removed from there, at this moment
            segments_by_age.append((path.stat().st_mtime_ns, path.name, path))
    return [path for _, _, path in sorted(segments_by_age)]


def is_written(path: Path) -> bool:
    """Whether a listener still writes the segment: its lock ends with it, also by kill -9 (and whatever clocks say)."""
    with path.open("rb") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
    return False


def read_header(path: Path) -> SegmentHeader:
    """What the segment says of itself; JournalError if its first line can't be read."""
    try:
        with gzip.open(path) if path.suffix == ".gz" else path.open("rb") as file:
            line = file.readline(4096)
    except _DAMAGED_ARCHIVE as error:
        raise _damaged(path, error) from None
    try:
        if not line.startswith(_MAGIC):
            raise ValueError("no journal")
        fields = json.loads(line[len(_MAGIC) :])
        return SegmentHeader(
            fields["journal"], fields["market"], fields["listener"], datetime.fromisoformat(fields["created_at"])
        )
    except (ValueError, KeyError, TypeError):
        raise JournalError(f"{path.name} does not begin like a journal; its frames can't be told from noise") from None


def read_frames(path: Path, *, after: int = 0) -> Iterator[JournalFrame]:
    """The good records of a segment with a number above `after`, in order; damaged stretches are skipped."""
    salt = _salt(read_header(path).journal)
    data = content(path)
    at, last = data.find(b"\n") + 1, after
    while (at := data.find(_MARK, at)) != -1:
        frame, end = _frame_at(data, at, salt)
        if frame is None:
            at += 1
            continue
        if frame.number > last:
            last = frame.number
            yield frame
        at = end


def content(path: Path) -> bytes:
    """The segment's bytes as the listener wrote them; JournalError for an archive that can't be unpacked."""
    if path.suffix != ".gz":
        return path.read_bytes()
    try:
        return gzip.decompress(path.read_bytes())
    except _DAMAGED_ARCHIVE as error:
        raise _damaged(path, error) from None


def _damaged(path: Path, error: Exception) -> JournalError:
    return JournalError(f"{path.name} can't be unpacked: {error}")


def _frame_at(data: bytes, at: int, salt: int) -> tuple[JournalFrame | None, int]:
    body = at + _HEADER.size
    if body > len(data):
        return None, at
    _, length, number, micros, checksum = _HEADER.unpack_from(data, at)
    frame = data[body : body + length]
    if len(frame) < length or _checksum(length, number, micros, frame, salt) != checksum:
        return None, at
    return JournalFrame(number, _EPOCH + timedelta(microseconds=micros), frame), body + length


def _record(frame: JournalFrame, salt: int) -> bytes:
    micros = (frame.received_at - _EPOCH) // timedelta(microseconds=1)
    length = len(frame.frame)
    checksum = _checksum(length, frame.number, micros, frame.frame, salt)
    return _HEADER.pack(_MARK, length, frame.number, micros, checksum) + frame.frame


def _checksum(length: int, number: int, micros: int, frame: bytes, salt: int) -> int:
    return zlib.crc32(frame, zlib.crc32(struct.pack("<IQq", length, number, micros), salt))


def _salt(journal: str) -> int:
    return zlib.crc32(journal.encode())


def _header_line(header: SegmentHeader) -> bytes:
    fields = {
        "journal": header.journal,
        "market": header.market,
        "listener": header.listener,
        "created_at": header.created_at.isoformat(),
    }
    return _MAGIC + json.dumps(fields).encode() + b"\n"


def _write_all(file: int, data: bytes) -> int:
    """Write everything: the system may take less than it was given (a full disk, a signal)."""
    view = memoryview(data)
    while view:
        view = view[os.write(file, view) :]
    return len(data)


def sync_directory(directory: Path) -> None:
    """Make the folder's list of names durable: what was created, renamed or removed in it."""
    handle = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
