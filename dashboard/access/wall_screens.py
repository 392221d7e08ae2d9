"""A wall screen's session stays for days: nobody stands before it to log in again."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.conf import settings
from django.contrib.auth.models import User
from django.contrib.auth.signals import user_logged_in
from django.db.models.signals import m2m_changed, post_save
from django.http import HttpRequest

from accounts.models import UserSession
from accounts.sessions import DAYS
from dashboard.access.rights import is_wall_screen
from market import clock


def connect_signals() -> None:
    """Called once, when Django has started."""
    user_logged_in.connect(_stay, dispatch_uid="dashboard.access.wall_screens.stay")
    m2m_changed.connect(_roles_changed, sender=User.groups.through, dispatch_uid="dashboard.access.wall_screens.roles")
    post_save.connect(_user_changed, sender=User, dispatch_uid="dashboard.access.wall_screens.user")


def _stay(request: HttpRequest | None, user: User, **_kwargs: Any) -> None:
    """Each log-in says anew how long it holds."""
    if request is None:
        return
    request.session.pop(DAYS, None)
    if is_wall_screen(user):
        request.session[DAYS] = settings.WALL_SCREEN_DAYS


def _roles_changed(instance: Any, action: str, pk_set: set[int] | None, **_kwargs: Any) -> None:
    if not action.startswith("post_"):
        return
    users = [instance] if isinstance(instance, User) else User.objects.filter(pk__in=pk_set or ())
    for user in users:
        _end_what_would_stay(user)


def _user_changed(instance: User, created: bool, **_kwargs: Any) -> None:
    if not created:
        _end_what_would_stay(instance)


def _end_what_would_stay(user: User) -> None:
    """Whoever is no wall screen (any more), or has become more than that, has no session that holds for days."""
    if not is_wall_screen(User.objects.get(pk=user.pk)):
        longest = clock.now() + timedelta(seconds=settings.SESSION_LONGEST_AGE)
        UserSession.objects.filter(user_id=user.pk, expire_date__gt=longest).delete()
