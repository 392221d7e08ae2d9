"""Mails and webhooks: sent one after the other by one worker's thread, tried again with growing pauses.

Each is claimed before it is sent and written down after it, so that no transaction waits for a receiver. A kill between
the two sends it once more: a receiver knows an alert by its number.
"""

from __future__ import annotations

import threading
from datetime import datetime, timedelta

import structlog
from django.conf import settings
from django.core.mail import send_mail
from django.db import transaction
from django.utils.translation import gettext, override

from dashboard.alerts.models import Alert, AlertDelivery, AlertTarget
from dashboard.alerts.rules import pause_after
from dashboard.alerts.sentences import sentence
from dashboard.alerts.webhooks import DeliveryError, post
from market import clock

log = structlog.get_logger("dashboard.alerts.delivering")

CLAIMED_FOR = timedelta(minutes=2)
"""Longer than any attempt takes: then another worker tries."""
AT_ONCE = 20
_alone = threading.Lock()


def deliver() -> int:
    """Send what is due; how much has arrived. Nothing while this process is at it already: a slow receiver must not
    take the worker's other threads."""
    if not _alone.acquire(blocking=False):
        return 0
    try:
        arrived = 0
        for _ in range(AT_ONCE):
            claimed = _claim(clock.now())
            if claimed is None:
                break
            arrived += _attempt(claimed)
        return arrived
    finally:
        _alone.release()


@transaction.atomic
def _claim(now: datetime) -> AlertDelivery | None:
    due = AlertDelivery.objects.filter(next_at__lte=now).order_by("next_at").select_for_update(skip_locked=True)
    row = due.first()
    if row is not None:
        row.attempts, row.next_at = row.attempts + 1, now + CLAIMED_FOR
        row.save(update_fields=["attempts", "next_at"])
    return row


def _attempt(delivery: AlertDelivery) -> bool:
    alert = Alert.objects.select_related("user").get(pk=delivery.alert_id)
    try:
        _mail(alert) if delivery.channel == "mail" else _webhook(alert)
    except Exception as error:  # whatever a mail server or a receiver does
        sentence_ = str(error).splitlines()[0][:200] if str(error) else type(error).__name__
        pause = None if isinstance(error, DeliveryError) and error.is_final else pause_after(delivery.attempts)
        delivery.error, delivery.next_at = sentence_, None if pause is None else clock.now() + pause
        delivery.save(update_fields=["error", "next_at"])
        log.warning("alert_not_delivered", alert=alert.pk, channel=delivery.channel, attempts=delivery.attempts)
        return False
    delivery.done_at, delivery.next_at, delivery.error = clock.now(), None, ""
    delivery.save(update_fields=["done_at", "next_at", "error"])
    return True


def language_of(alert: Alert) -> str:
    """The language of the user's own pages."""
    preference = getattr(alert.user, "preference", None)
    return preference.language if preference else settings.LANGUAGE_CODE


def _mail(alert: Alert) -> None:
    if not settings.EMAIL_HOST or not alert.user.email:
        raise DeliveryError("mail is not set up, or the user has no address", is_final=True)
    with override(language_of(alert)):
        said = sentence(alert.kind, alert.level, alert.facts)
        send_mail(gettext("Alert: %(sentence)s") % {"sentence": said[:120]}, said, None, [alert.user.email])


def _webhook(alert: Alert) -> None:
    target = AlertTarget.objects.filter(user=alert.user).first()
    if target is None:
        raise DeliveryError("the user has no webhook", is_final=True)
    with override(language_of(alert)):
        said = sentence(alert.kind, alert.level, alert.facts)
    body = {
        "id": alert.pk,
        "kind": alert.kind,
        "level": alert.level,
        "sentence": said,
        "facts": alert.facts,
        "started_at": alert.started_at.isoformat().replace("+00:00", "Z"),
    }
    post(url=target.url, secret=target.secret, body=body, now=clock.now(), private=settings.ALERT_PRIVATE_WEBHOOKS)
