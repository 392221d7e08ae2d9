"""Whether a user has had the guided first visit: stored with the user, carried by a cookie, begun once and for all.

The cookie holds whose visit it was, so that a browser that two people share shows it to both of them, and those who
have had it pay with no query.
"""

from __future__ import annotations

from django.contrib.auth.models import User
from django.http import HttpRequest, HttpResponse

from dashboard.access.preferences import remember
from dashboard.access.rights import AnyUser, is_wall_screen
from dashboard.models import FirstVisit
from market.tables import unless_missing

COOKIE = "visited"


def is_first(request: HttpRequest) -> bool:
    """Whether the user has not had the visit yet; a wall screen has none, and nobody where the table is missing."""
    user = request.user
    if not user.pk or request.COOKIES.get(COOKIE) == str(user.pk):
        return False
    had = unless_missing(FirstVisit.objects.filter(user_id=user.pk).exists, True)
    return not had and not is_wall_screen(user)


def begin(user: AnyUser) -> bool:
    """Note that the visit begins; False where it has begun before, in another tab or browser, or can't be noted."""
    assert isinstance(user, User)
    return unless_missing(lambda: FirstVisit.objects.get_or_create(user=user)[1], False)


def carry(response: HttpResponse, user: AnyUser) -> None:
    """Let the browser carry that the user has had it."""
    remember(response, COOKIE, str(user.pk))


def bring_visited(response: HttpResponse, user: AnyUser) -> None:
    """The same at a log-in, for who has had it. One query."""
    if user.pk and unless_missing(FirstVisit.objects.filter(user_id=user.pk).exists, False):
        carry(response, user)
