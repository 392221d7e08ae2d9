"""A page's language: what the user has chosen, else what the browser asks for.

The choice is stored with the user and carried by Django's language cookie, so that no page needs a query for it and a
page without a session (login, errors) speaks it too. A log-in brings the stored choice to the browser.
"""

from __future__ import annotations

from django.contrib.auth.models import User
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext
from django.views.decorators.http import require_POST

from dashboard.access.preferences import LANGUAGES, remember_language
from dashboard.models import Preference
from dashboard.pages.requests import refusal


@require_POST
def choose(request: HttpRequest) -> HttpResponse:
    """POST /language/ with `language` and the page to go back to as `next`; anybody may, also before the log-in."""
    language = request.POST.get("language", "")
    if language not in LANGUAGES:
        return refusal(request, gettext("There are no pages in this language."), status=400)
    if isinstance(request.user, User):
        Preference.objects.update_or_create(user=request.user, defaults={"language": language})
    response = HttpResponseRedirect(_way_back(request))
    remember_language(response, language)
    return response


def _way_back(request: HttpRequest) -> str:
    """Only to a page of our own."""
    wanted = request.POST.get("next", "")
    own = url_has_allowed_host_and_scheme(wanted, {request.get_host()}, require_https=request.is_secure())
    return wanted if own else "/"
