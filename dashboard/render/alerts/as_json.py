"""Alerts and rules as JSON; sentences in the reader's language."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from dashboard.alerts.models import Alert, AlertRule
from dashboard.alerts.sentences import sentence
from dashboard.render.formatting import plain, utc


def alert_json(alert: Alert) -> dict[str, Any]:
    """One episode."""
    return {
        "id": alert.pk,
        "rule": alert.rule_id,
        "kind": alert.kind,
        "level": alert.level,
        "sentence": sentence(alert.kind, alert.level, alert.facts),
        "facts": alert.facts,
        "started_at": utc(alert.started_at),
        "last_at": utc(alert.last_at),
        "ended_at": _utc(alert.ended_at),
        "acknowledged_at": _utc(alert.seen_at),
        "count": alert.count,
    }


def rule_json(rule: AlertRule) -> dict[str, Any]:
    """One rule."""
    return {
        "id": rule.pk,
        "kind": rule.kind,
        "threshold": plain(rule.threshold),
        "minutes": rule.minutes,
        "trader_id": rule.trader.trader_id if rule.trader else None,
        "market": rule.market.code if rule.market else None,
        "desk_wide": rule.desk_wide,
        "snoozed_until": _utc(rule.snoozed_until),
    }


def _utc(moment: datetime | None) -> str | None:
    return utc(moment) if moment else None
