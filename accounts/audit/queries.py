"""Reading the audit log."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from accounts.audit.chain import Head, Link, verify
from accounts.audit.models import Entry

_FIELDS = ("number", "at", "actor", "action", "subject", "details", "address", "previous", "digest")


def links() -> Iterator[Link]:
    """All rows, oldest first, a thousand at a time."""
    for values in Entry.objects.order_by("number").values_list(*_FIELDS).iterator(chunk_size=1000):
        yield Link(*values)


def verified_head(*, after: Head | None = None, anchors: Iterable[Head] = ()) -> Head:
    """The head of the log, if the whole chain holds. Raises accounts.audit.chain.BrokenChainError."""
    return verify(links(), after=after, anchors=anchors)


def head() -> Head:
    """The last row, unverified."""
    last = Entry.objects.order_by("-number").values_list("number", "digest").first()
    return Head(*last) if last else Head()
