"""The journal against SQLite (WAL, synchronous FULL): cost of one durable frame, and what a flipped bit costs."""

from __future__ import annotations

import os
import random
import shutil
import sqlite3
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from bench.table import Row, alternate, timed
from trades.capture.journal import Journal, read_frames

NOW = datetime.now(UTC)
FRAMES = [os.urandom(300) for _ in range(200)]
TRIALS = 100


def run(folder: Path) -> list[Row]:
    home = folder / "journal"
    shutil.rmtree(home, ignore_errors=True)
    home.mkdir(parents=True)
    rows = [_durable(home, batch) for batch in (1, 50)]
    for name, trial in (
        ("journal file", lambda dice: _flip_in_journal(home, dice)),
        ("SQLite, in its write-ahead log", lambda dice: _flip_in_sqlite(home, dice, wal=True)),
        ("SQLite, in its main file", lambda dice: _flip_in_sqlite(home, dice, wal=False)),
    ):
        rows += _corruption(name, trial)
    return rows


def _durable(home: Path, batch: int) -> Row:
    journal = Journal(home, market="DE", listener="bench", now=NOW)
    database = _sqlite(home / f"floor-{batch}.db")
    batch_of = [(NOW, FRAMES[0])] * batch

    def sqlite() -> None:
        database.execute("BEGIN")
        database.executemany("INSERT INTO f (frame) VALUES (?)", [(FRAMES[0],)] * batch)
        database.execute("COMMIT")

    ours, floor = alternate(lambda: timed(lambda: journal.append(batch_of)), lambda: timed(sqlite), 600)
    journal.close()
    database.close()
    return Row(f"{batch} frame(s) durable, beside SQLite", "ms", ours * 1000, floor * 1000)


def _corruption(name: str, trial: Callable[[random.Random], list[bytes]]) -> list[Row]:
    dice, good = random.Random(1), set(FRAMES)
    read = [trial(dice) for _ in range(TRIALS)]
    lost = sum(len(FRAMES) - sum(f in good for f in frames) for frames in read) / TRIALS
    wrong = sum(any(f not in good for f in frames) for frames in read)
    note = f"wrong frames handed out in {wrong} of {TRIALS} trials"
    return [Row(f"one flipped bit, {name}: frames lost of 200", "frames", lost, None, note)]


def _flip(path: Path, dice: random.Random, first: int) -> None:
    data = bytearray(path.read_bytes())
    data[dice.randrange(first, len(data))] ^= 1 << dice.randrange(8)
    path.write_bytes(data)


def _flip_in_journal(home: Path, dice: random.Random) -> list[bytes]:
    journal = Journal(home, market="DE", listener="flip", now=NOW)
    journal.append([(NOW, frame) for frame in FRAMES])
    journal.close()
    _flip(journal.path, dice, journal.path.read_bytes().index(b"\n") + 1)
    read = [f.frame for f in read_frames(journal.path)]
    journal.path.unlink()
    return read


def _flip_in_sqlite(home: Path, dice: random.Random, *, wal: bool) -> list[bytes]:
    for path in home.glob("flip*.db*"):
        path.unlink()
    database = _sqlite(home / "flip.db")
    database.executemany("INSERT INTO f (frame) VALUES (?)", [(frame,) for frame in FRAMES])
    if not wal:
        database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    shutil.copy(home / "flip.db", home / "flipped.db")
    if wal:
        shutil.copy(home / "flip.db-wal", home / "flipped.db-wal")
    database.close()
    _flip(home / ("flipped.db-wal" if wal else "flipped.db"), dice, 100)
    return _read_sqlite(home / "flipped.db")


def _read_sqlite(path: Path) -> list[bytes]:
    read: list[bytes] = []
    database = sqlite3.connect(path)
    try:
        read.extend(frame for (frame,) in database.execute("SELECT frame FROM f ORDER BY n"))
    except sqlite3.Error:
        return read
    finally:
        database.close()
    return read


def _sqlite(path: Path) -> sqlite3.Connection:
    database = sqlite3.connect(path, isolation_level=None)
    database.execute("PRAGMA journal_mode=WAL")
    database.execute("PRAGMA synchronous=FULL")
    database.execute("CREATE TABLE IF NOT EXISTS f (n INTEGER PRIMARY KEY, frame BLOB)")
    return database
