"""What capture, ledger and journals pass to each other: a frame as it was received, and where it came from."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class FrameSource:
    """Where frames come from: a journal's identity and the listener that wrote it."""

    journal: str
    listener: str


@dataclass(frozen=True, slots=True)
class JournalFrame:
    """One received frame: its number in the journal (from 1), when it came (UTC), and its bytes."""

    number: int
    received_at: datetime
    frame: bytes
