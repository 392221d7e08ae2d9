"""What a user has chosen: the language of the pages, how boards are read, and whether anybody reads by quarter.

A choice is stored with the user and carried by a cookie (Django's own for the language), so that no page needs a query
for it and a page without a session (login, errors) speaks it too. A log-in brings the stored choices to the browser.
"""

from __future__ import annotations

import time

from django.conf import settings
from django.core.cache import cache
from django.http import HttpResponse

from dashboard.access.rights import AnyUser
from dashboard.models import Preference

LANGUAGES = dict(settings.LANGUAGES)
READING_COOKIE = "reading"
BY_QUARTER = "read-by-quarter"
"""In the cache while somebody has lately looked at a board by quarter hour, by whatever address."""
_QUARTER = "quarter"
"""Among the readings (dashboard/figures/readings.py)."""
LATELY, NOTED_EVERY = 2 * 3600, 300.0
"""Seconds for which a look counts, and at least between two notes of one process."""
_noted = {"at": float("-inf")}
ASKED_EVERY = 60.0
"""Seconds for which a process remembers what Redis has said: it may hang, and the chase after prices must not."""
_heard = {"at": float("-inf"), "is_read": False}


def known_language(code: str) -> str:
    """The code if pages exist in it, else the product's first language."""
    return code if code in LANGUAGES else settings.LANGUAGE_CODE


def bring_choices(response: HttpResponse, user: AnyUser) -> None:
    """Let the browser carry what the user has chosen; without a choice it keeps what it has. One query."""
    chosen = Preference.objects.filter(user_id=user.pk).values_list("language", "reading").first() if user.pk else None
    if chosen:
        remember(response, settings.LANGUAGE_COOKIE_NAME, chosen[0])
        remember(response, READING_COOKIE, chosen[1])


def remember(response: HttpResponse, cookie: str, choice: str) -> None:
    """Let the browser carry a choice."""
    response.set_cookie(
        cookie,
        choice,
        max_age=settings.LANGUAGE_COOKIE_AGE,
        httponly=settings.LANGUAGE_COOKIE_HTTPONLY,
        samesite="Lax",
        secure=settings.LANGUAGE_COOKIE_SECURE,
    )


def note_look(reading: str) -> None:
    """Somebody, or a program, looks at a board in this reading now. Without Redis it is not noted."""
    now = time.monotonic()
    if reading == _QUARTER and now - _noted["at"] >= NOTED_EVERY:
        cache.set(BY_QUARTER, 1, timeout=LATELY)
        _noted["at"] = now


def is_read_by_quarter() -> bool:
    """Whether somebody has chosen to read by quarter hour, or has lately done so. One query; Redis once a minute."""
    if Preference.objects.filter(reading=_QUARTER).exists():
        return True
    now = time.monotonic()
    if now - _heard["at"] >= ASKED_EVERY:
        _heard.update(at=now, is_read=cache.get(BY_QUARTER) is not None)
    return bool(_heard["is_read"])
