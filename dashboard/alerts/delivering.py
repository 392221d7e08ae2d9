"""Mails and webhooks: a lane for each user and channel, tried again with growing pauses.

What a receiver does that fails, hangs or drips costs its own lane alone. Each delivery is claimed before it is sent and
written down after it, so that no transaction waits for a receiver. A kill between the two sends it once more: a
receiver knows an alert by its number.
"""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from typing import NamedTuple

import structlog
from django.conf import settings
from django.core.mail import send_mail
from django.db import DatabaseError, InterfaceError, connection, transaction
from django.utils.translation import gettext, override

from dashboard.access.rights import SEE_STATUS, board_trader, group_roles, home_trader
from dashboard.alerts.models import Alert, AlertDelivery, AlertTarget
from dashboard.alerts.rules import Kind, pause_after
from dashboard.alerts.sentences import sentence
from dashboard.alerts.webhooks import DeliveryError, post
from dashboard.assumptions.visibility import visible_of
from market import clock

log = structlog.get_logger("dashboard.alerts.delivering")

CLAIMED_FOR = timedelta(minutes=2)
"""Longer than any attempt takes: then another worker tries."""
LANES_AT_ONCE = 16
"""Threads, made when there is something to send: more than a desk has users who are told."""


class Lane(NamedTuple):
    """Whose deliveries by which channel."""

    user_pk: int
    channel: str


def due_lanes(now: datetime) -> list[Lane]:
    """Those that have something to send. One query, by index."""
    rows = AlertDelivery.objects.filter(next_at__lte=now).order_by("alert__user_id", "channel")
    return [Lane(user, channel) for user, channel in rows.values_list("alert__user_id", "channel").distinct()]


def serve(lane: Lane) -> int:
    """Send what is due in a lane, the oldest first; how much has arrived."""
    arrived = 0
    while (claimed := _claim(lane, clock.now())) is not None:
        arrived += _attempt(claimed)
    return arrived


@transaction.atomic
def _claim(lane: Lane, now: datetime) -> AlertDelivery | None:
    of_lane = AlertDelivery.objects.filter(alert__user_id=lane.user_pk, channel=lane.channel, next_at__lte=now)
    row = of_lane.order_by("next_at", "pk").select_for_update(skip_locked=True, of=("self",)).first()
    if row is not None:
        row.attempts, row.next_at = row.attempts + 1, now + CLAIMED_FOR
        row.save(update_fields=["attempts", "next_at"])
    return row


class Lanes:
    """The lanes that this process serves, each by a thread while there is something in it."""

    def __init__(self) -> None:
        self._threads = ThreadPoolExecutor(LANES_AT_ONCE, thread_name_prefix="deliver")
        self._lock = threading.Lock()
        self._busy: dict[Lane, bool] = {}
        """Lane -> whether something came while it was served."""

    @property
    def busy(self) -> bool:
        """Whether anything is under way."""
        return bool(self._busy)

    def begin(self) -> None:
        """Serve what is due; returns at once."""
        for lane in due_lanes(clock.now()):
            with self._lock:
                is_busy = lane in self._busy
                self._busy[lane] = is_busy
            if not is_busy:
                self._threads.submit(self._serve, lane)

    def close(self) -> None:
        """Begin nothing more; what is under way and doesn't end is sent again by another worker."""
        self._threads.shutdown(wait=False, cancel_futures=True)

    def _serve(self, lane: Lane) -> None:
        try:
            more = True
            while more:
                serve(lane)
                with self._lock:
                    more = self._busy[lane]
                    self._busy[lane] = False
        except (DatabaseError, InterfaceError):
            log.warning("lane_without_database", channel=lane.channel)
        except Exception:  # a bug; what is due stays due
            log.error("lane_failed", channel=lane.channel, exc_info=True)
        finally:
            connection.close()
            with self._lock:
                del self._busy[lane]


def _attempt(delivery: AlertDelivery) -> bool:
    alert = Alert.objects.select_related("user").get(pk=delivery.alert_id)
    try:
        _check_rights(alert)
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


def _check_rights(alert: Alert) -> None:
    """What waits may have been found long ago: it goes to nobody who may not know it any more."""
    user, kind = alert.user, Kind(alert.kind)
    if not user.is_active:
        raise DeliveryError("the user is deactivated", is_final=True)
    trader_id, roles = alert.facts.get("trader"), group_roles(user)
    may_know = board_trader(user, trader_id) is not None if trader_id else bool(roles) or home_trader(user) is not None
    if kind is Kind.FRAMES_ASIDE:
        may_know = may_know and bool(roles & SEE_STATUS)
    if kind is Kind.ASSUMPTION_BROKE:
        may_know = may_know and bool(visible_of(user, {int(alert.facts.get("number", 0))}, clock.now()))
    if not may_know:
        raise DeliveryError("the user may not see this any more", is_final=True)


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
