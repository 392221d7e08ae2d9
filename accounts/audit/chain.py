"""The hash chain, pure: what a row's digest covers, and the first place where a log is not what was written."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime

BEGINNING = "0" * 64
"""What the first row follows."""


@dataclass(frozen=True, slots=True)
class Link:
    """A row as the chain sees it. `at` in UTC, `details` as JSON text."""

    number: int
    at: datetime
    actor: str
    action: str
    subject: str
    details: str
    address: str
    previous: str
    digest: str = ""

    def expected_digest(self) -> str:
        """SHA-256 over everything but the digest itself, in one unambiguous spelling."""
        at = self.at.astimezone(UTC).isoformat(timespec="microseconds")
        content = [self.number, at, self.actor, self.action, self.subject, self.details, self.address, self.previous]
        return hashlib.sha256(json.dumps(content, ensure_ascii=True, separators=(",", ":")).encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class Head:
    """The last row of a chain that holds: whoever keeps it elsewhere can prove later that nothing before it changed."""

    number: int = 0
    digest: str = BEGINNING


class BrokenChainError(Exception):
    """The log is not what was written; the message names the row and says how it shows."""

    def __init__(self, number: int, how: str) -> None:
        super().__init__(f"row {number} {how}")
        self.number = number


def verify(links: Iterable[Link], *, after: Head | None = None, anchors: Iterable[Head] = ()) -> Head:
    """Follow the chain in the order of its numbers and give its head. Raises BrokenChainError at the first break.

    `after`: the row before the first one, where older rows are archived elsewhere. `anchors`: heads noted earlier.
    """
    head = after or Head()
    noted = {anchor.number: anchor.digest for anchor in anchors}
    for link in links:
        if link.number != head.number + 1:
            raise BrokenChainError(head.number + 1, f"is missing: row {link.number} comes instead")
        if link.digest != link.expected_digest():
            raise BrokenChainError(link.number, "was changed: its digest is another one")
        if link.previous != head.digest:
            raise BrokenChainError(link.number, f"does not follow row {head.number}, which was replaced")
        head = Head(link.number, link.digest)
        if noted.pop(head.number, head.digest) != head.digest:
            raise BrokenChainError(head.number, "is not the row that was noted: the log was written anew")
    for number in sorted(noted):
        if number > head.number:
            raise BrokenChainError(number, f"is missing: the log ends with row {head.number}")
    return head
