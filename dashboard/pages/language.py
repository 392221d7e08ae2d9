"""What a user chooses: a page's language (else what the browser asks for), how boards are read, and their marks.

The choice is stored with the user and carried by Django's language cookie, so that no page needs a query for it and a
page without a session (login, errors) speaks it too. A log-in brings the stored choice to the browser.
"""

from __future__ import annotations

from django.conf import settings
from django.contrib.auth.decorators import login_required
from django.contrib.auth.models import User
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import get_language, gettext
from django.utils.translation.trans_real import parse_accept_lang_header
from django.views.decorators.http import require_POST

from dashboard.access import marks
from dashboard.access.preferences import LANGUAGES, READING_COOKIE, remember
from dashboard.models import Preference
from dashboard.pages.requests import named_reading, refusal, refusing


@require_POST
def choose(request: HttpRequest) -> HttpResponse:
    """POST /language/ with `language` and the page to go back to as `next`; anybody may, also before the log-in."""
    language = request.POST.get("language", "")
    if language not in LANGUAGES:
        return refusal(request, gettext("There are no pages in this language."), status=400)
    if isinstance(request.user, User):
        Preference.objects.update_or_create(user=request.user, defaults={"language": language})
    response = HttpResponseRedirect(way_back(request))
    remember(response, settings.LANGUAGE_COOKIE_NAME, language)
    return response


@require_POST
@login_required
@refusing
def choose_reading(request: HttpRequest) -> HttpResponse:
    """POST /reading/ with `reading` and the page to go back to as `next`: how this user's boards are read."""
    reading = named_reading(request.POST.get("reading", ""))
    assert isinstance(request.user, User)
    language = get_language() or settings.LANGUAGE_CODE
    Preference.objects.update_or_create(
        user=request.user, defaults={"reading": reading}, create_defaults={"reading": reading, "language": language}
    )
    response = HttpResponseRedirect(way_back(request))
    remember(response, READING_COOKIE, reading)
    return response


@require_POST
@login_required
def choose_marks(request: HttpRequest) -> HttpResponse:
    """POST /marks/ with each `shown` mark and the page to go back to as `next`: what this user's boards show."""
    response = HttpResponseRedirect(way_back(request))
    marks.hide(response, request.user, marks.joined(set(marks.MARKS) - set(request.POST.getlist("shown"))))
    return response


def numbers_language(request: HttpRequest) -> str:
    """Whose decimal mark the reader's spreadsheet goes by: the language chosen here, else the browser's first.

    The desk has no pages in Dutch or Polish, but their readers' spreadsheets have a decimal comma all the same.
    """
    if settings.LANGUAGE_COOKIE_NAME in request.COOKIES:
        return get_language() or settings.LANGUAGE_CODE
    wanted = [name for name, _ in parse_accept_lang_header(request.headers.get("Accept-Language", "").lower())]
    return next((name for name in wanted if name != "*"), settings.LANGUAGE_CODE)


def way_back(request: HttpRequest) -> str:
    """Only to a page of our own."""
    wanted = request.POST.get("next", "")
    own = url_has_allowed_host_and_scheme(wanted, {request.get_host()}, require_https=request.is_secure())
    return wanted if own else "/"
