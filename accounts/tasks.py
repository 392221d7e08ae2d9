"""Celery's entry point: what is over is cleared away."""

from __future__ import annotations

import structlog
from celery import shared_task
from django.db import InterfaceError, OperationalError, connection

from accounts.sessions import SessionStore

log = structlog.get_logger(__name__)


@shared_task(name="accounts.tasks.clear_ended", ignore_result=True)
def clear_ended() -> None:
    """Sessions that have run out; they let nobody in any more, they only take room."""
    try:
        SessionStore.clear_expired()
    except (OperationalError, InterfaceError) as error:
        connection.close()
        log.warning("clearing_without_database", error=str(error).strip().splitlines()[:1])
