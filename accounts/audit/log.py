"""Adding to the audit log, one row at a time. Nothing here changes or deletes."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime

from django.db import connection, transaction

from accounts.audit.chain import BEGINNING, Link
from accounts.audit.context import current
from accounts.audit.models import Action, Entry
from market import clock
from market.locks import AdvisoryLock


@transaction.atomic
def hold_the_end() -> None:
    """Wait for whoever is adding a row. To be called first in a transaction that locks other rows and adds one later.

    Then a decision about trades never holds a position while it waits here: capture is never kept waiting by the log.
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [AdvisoryLock.AUDIT_LOG])


@transaction.atomic
def record(
    *,
    action: Action,
    subject: str = "",
    details: Mapping[str, object] | None = None,
    actor: str | None = None,
    address: str | None = None,
    at: datetime | None = None,
) -> Entry:
    """Add a row, in the caller's transaction if there is one: what was done and its row exist together or not at all.

    Without `actor` and `address` those of whoever is at work hold (accounts/audit/context.py); without `at` it is now
    (UTC).
    """
    who, where = current() if actor is None or address is None else ("", "")
    hold_the_end()
    last = Entry.objects.order_by("-number").values_list("number", "digest").first() or (0, BEGINNING)
    link = Link(
        number=last[0] + 1,
        at=at or clock.now(),
        actor=clean(who if actor is None else actor, 150),
        action=action.value,
        subject=clean(subject, 300),
        details=json.dumps(details, sort_keys=True, default=str) if details else "",
        address=clean(where if address is None else address, 64),
        previous=last[1],
    )
    facts = {name: getattr(link, name) for name in Link.__dataclass_fields__ if name != "digest"}
    return Entry.objects.create(**facts, digest=link.expected_digest())


def clean(text: str, longest: int) -> str:
    """Text that fits a column: cut, and without the characters that PostgreSQL can't keep or that break lines."""
    cut = text if len(text) <= longest else text[: longest - 1] + "…"
    return "".join(c if c.isprintable() else "�" for c in cut)
