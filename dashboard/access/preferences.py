"""What a user has chosen: the language of the pages, and how boards are read.

A choice is stored with the user and carried by a cookie (Django's own for the language), so that no page needs a query
for it and a page without a session (login, errors) speaks it too. A log-in brings the stored choices to the browser.
"""

from __future__ import annotations

from django.conf import settings
from django.http import HttpResponse

from dashboard.access.rights import AnyUser
from dashboard.models import Preference

LANGUAGES = dict(settings.LANGUAGES)
READING_COOKIE = "reading"


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
