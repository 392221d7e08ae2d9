"""Rules of somebody who looks after the desk, and what they found in a morning; for pictures."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.contrib.auth.models import User

from dashboard.alerts.models import Alert, AlertRule


def store_alerts(user: User, moment: datetime) -> None:
    """Three rules, one of them silent for an hour, and an alert of each: new, a warning, and one that was seen."""

    def rule(kind: str, threshold: int | None, minutes: int | None, **more: object) -> AlertRule:
        return AlertRule.objects.create(
            user=user, kind=kind, threshold=threshold, minutes=minutes, created_at=moment, **more
        )

    rules = (rule("open_mwh", 5, 15, sound=True, browser=True, desk_wide=True), rule("loss_limit", 1000, None))
    rules += (rule("gap", None, None, snoozed_until=moment + timedelta(hours=1)),)
    about = {"trader": "trader_1", "market": "DE", "day": moment.date().isoformat(), "currency": "EUR"}
    facts = (
        {**about, "period": "11-12", "net": "-8", "phase": "area"},
        {**about, "result": "-812.5", "threshold": "1000"},
        {**about, "until": "06:02:11 UTC"},
    )
    for number, (one, fact) in enumerate(zip(rules, facts, strict=True)):
        at = moment - timedelta(minutes=7 + 95 * number)
        level, seen = ("warning" if number == 1 else "alert"), (at if number == 2 else None)
        more = {"level": level, "seen_at": seen, "started_at": at, "last_at": at, "count": 1 + number}
        Alert.objects.create(rule=one, user=user, kind=one.kind, subject=str(number), facts=fact, **more)
