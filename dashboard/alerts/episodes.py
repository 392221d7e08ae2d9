"""Episodes as they are written down: begun, counted, ended; told to pages, programs, mail and webhooks."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from datetime import datetime

from django.contrib.auth.models import User
from django.db import transaction

from dashboard.alerts.models import Alert, AlertDelivery, AlertRule
from dashboard.alerts.rules import Change, Episode, Finding, Level, changes
from dashboard.alerts.sentences import sentence
from dashboard.alerts.signals import announce
from dashboard.events.models import Event
from dashboard.events.wire import Kind as EventKind


def write(
    rule: AlertRule, user: User, found: Sequence[Finding], now: datetime, *, muted: Callable[[Finding], bool]
) -> int:
    """Bring one user's episodes of a rule up to what was found; how many are new and told."""
    rows = {row.subject: row for row in Alert.objects.filter(rule=rule, user=user, ended_at=None)}
    episodes = [Episode(row.subject, Level(row.level), row.clear_since) for row in rows.values()]
    return sum(_apply(change, rule, user, rows, now, muted) for change in changes(found, episodes, now))


def _apply(
    change: Change,
    rule: AlertRule,
    user: User,
    rows: dict[str, Alert],
    now: datetime,
    muted: Callable[[Finding], bool],
) -> int:
    finding = change.finding
    if change.what == "begins" and finding is not None:
        return _begin(rule, user, finding, now, muted=muted(finding))
    row = rows[change.subject]
    if change.what == "clears":
        row.clear_since = now
    elif change.what == "ends":
        row.ended_at = now
    elif finding is not None:
        row.count += max(1, finding.more)
        row.last_at, row.clear_since, row.facts, row.level = now, None, finding.facts, finding.level.value
        row.seen_at = None if change.what == "worse" else row.seen_at
    row.save()
    if change.what == "worse" and not row.muted:
        _tell(row, rule)
    return int(change.what == "worse" and not row.muted)


def _begin(rule: AlertRule, user: User, finding: Finding, now: datetime, *, muted: bool) -> int:
    row = Alert.objects.create(
        rule=rule,
        user=user,
        kind=rule.kind,
        subject=finding.subject,
        facts=finding.facts,
        level=finding.level.value,
        muted=muted,
        started_at=now,
        last_at=now,
        count=max(1, finding.more),
    )
    if not muted:
        _tell(row, rule)
    return int(not muted)


def _tell(alert: Alert, rule: AlertRule) -> None:
    """In this transaction what must not be lost, after it a word to open pages."""
    AlertDelivery.objects.bulk_create(
        AlertDelivery(alert=alert, channel=channel, next_at=alert.last_at)
        for channel, wanted in (("mail", rule.mail), ("webhook", rule.webhook))
        if wanted
    )
    data = {
        "id": alert.pk,
        "kind": alert.kind,
        "level": alert.level,
        "sentence": sentence(alert.kind, alert.level, alert.facts),
        "facts": alert.facts,
        "started_at": alert.started_at.isoformat().replace("+00:00", "Z"),
    }
    Event.objects.create(kind=EventKind.ALERT.value, user=alert.user_id, data=json.dumps(data, ensure_ascii=False))
    transaction.on_commit(lambda: announce(alert.user_id), robust=True)
