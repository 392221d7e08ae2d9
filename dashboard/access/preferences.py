"""What a user has chosen: the language of the pages.

The choice is stored with the user and carried by Django's language cookie, so that no page needs a query for it and a
page without a session (login, errors) speaks it too. A log-in brings the stored choice to the browser.
"""

from __future__ import annotations

from django.conf import settings
from django.http import HttpResponse

from dashboard.access.rights import AnyUser
from dashboard.models import Preference

LANGUAGES = dict(settings.LANGUAGES)


def known_language(code: str) -> str:
    """The code if pages exist in it, else the product's first language."""
    return code if code in LANGUAGES else settings.LANGUAGE_CODE


def chosen_language(user: AnyUser) -> str | None:
    """The user's stored choice. One query."""
    if user.pk is None:
        return None
    return Preference.objects.filter(user_id=user.pk).values_list("language", flat=True).first()


def remember_language(response: HttpResponse, language: str | None) -> None:
    """Let the browser carry the choice; without one it keeps what it has."""
    if language is None:
        return
    response.set_cookie(
        settings.LANGUAGE_COOKIE_NAME,
        language,
        max_age=settings.LANGUAGE_COOKIE_AGE,
        httponly=settings.LANGUAGE_COOKIE_HTTPONLY,
        samesite="Lax",
        secure=settings.LANGUAGE_COOKIE_SECURE,
    )
