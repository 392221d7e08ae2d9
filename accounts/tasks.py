"""Celery's entry point: what is over is cleared away."""

from __future__ import annotations

import structlog
from celery import shared_task
from django.db import InterfaceError, OperationalError, connection

from accounts.login_throttle import clear_old
from accounts.sessions import SessionStore
from market import clock

log = structlog.get_logger(__name__)


@shared_task(name="accounts.tasks.clear_ended", ignore_result=True)
def clear_ended() -> None:
    """Sessions that have run out and attempts that lock nobody any more: they only take room."""
    try:
        SessionStore.clear_expired()
        clear_old(now=clock.now())
    except (OperationalError, InterfaceError) as error:
        connection.close()
        log.warning("clearing_without_database", error=str(error).strip().splitlines()[:1])
