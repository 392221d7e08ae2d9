"""Episodes as they are written down: begun, counted, ended; told to pages, programs, mail and webhooks."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from enum import StrEnum

from django.contrib.auth.models import User
from django.db import transaction

from dashboard.alerts.models import Alert, AlertDelivery, AlertRule
from dashboard.alerts.rules import Change, Episode, Finding, Kind, Level, changes
from dashboard.alerts.sentences import sentence
from dashboard.alerts.signals import announce
from dashboard.events.models import Event
from dashboard.events.wire import Kind as EventKind


class Cause(StrEnum):
    """What has changed a board since the last look."""

    QUIET = "quiet"
    """Only trades that were replayed, imported or late: what they bring about is told to nobody."""
    LIVE = "live"
    """A trade that had just come: what it finds is told, also where an import had brought it about."""
    OTHER = "other"
    """No trade: prices, or time."""


OpenEpisodes = dict[tuple[int, int], dict[str, Alert]]
"""By rule and user (primary keys): what each is about, and its row."""


def open_episodes(rules: Iterable[AlertRule]) -> OpenEpisodes:
    """Those of these rules. One query."""
    rows: OpenEpisodes = defaultdict(dict)
    for row in Alert.objects.filter(rule__in=[rule.pk for rule in rules], ended_at=None):
        rows[row.rule_id or 0, row.user_id][row.subject] = row
    return rows


def write(
    rule: AlertRule,
    user: User,
    found: Sequence[Finding],
    now: datetime,
    *,
    episodes: dict[str, Alert],
    cause: Callable[[Kind, Finding], Cause],
) -> int:
    """Bring one user's open episodes of a rule up to what was found; how many are new and told."""
    rows, told = episodes, 0
    known = [Episode(row.subject, Level(row.level), row.clear_since) for row in rows.values()]
    for change in changes(found, known, now):
        finding = change.finding
        if change.what == "begins" and finding is not None:
            told += _begin(rule, user, finding, now, muted=cause(Kind(rule.kind), finding) is Cause.QUIET)
        else:
            _apply(change, rows[change.subject], now)
            told += _tell_if_worse(change, rows[change.subject], rule, cause)
    silent = [(rows[one.subject], one) for one in found if one.subject in rows and rows[one.subject].muted]
    for row, finding in silent:
        if cause(Kind(rule.kind), finding) is Cause.LIVE:
            row.facts, row.level = finding.facts, finding.level.value
            told += _speak_up(row, rule, now)
    return told


def _apply(change: Change, row: Alert, now: datetime) -> None:
    finding = change.finding
    if change.what == "clears":
        row.clear_since = now
    elif change.what == "ends":
        row.ended_at = now
    elif finding is not None:
        row.count += max(1, finding.more)
        row.last_at, row.clear_since, row.facts, row.level = now, None, finding.facts, finding.level.value
        row.seen_at = None if change.what == "worse" else row.seen_at
    row.save()


def _tell_if_worse(change: Change, row: Alert, rule: AlertRule, cause: Callable[[Kind, Finding], Cause]) -> int:
    """A warning that has become an alert is told once more; not by what is told to nobody."""
    finding = change.finding
    if change.what != "worse" or finding is None or cause(Kind(rule.kind), finding) is Cause.QUIET:
        return 0
    return _speak_up(row, rule, row.last_at)


def _speak_up(row: Alert, rule: AlertRule, now: datetime) -> int:
    row.muted, row.last_at = False, now
    row.save()
    _tell(row, rule)
    return 1


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
