"""A wall screen's session stays for days: nobody stands before it to log in again."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.conf import settings
from django.contrib.auth.models import Group, User
from django.contrib.auth.signals import user_logged_in
from django.db.models.signals import m2m_changed, post_delete, post_save
from django.http import HttpRequest

from accounts.models import UserSession
from accounts.sessions import DAYS
from dashboard.access.rights import is_wall_screen
from dashboard.models import TraderLogin
from market import clock


def connect_signals() -> None:
    """Called once, when Django has started."""
    user_logged_in.connect(_stay, dispatch_uid="dashboard.access.wall_screens.stay")
    m2m_changed.connect(_end_others, sender=User.groups.through, dispatch_uid="dashboard.access.wall_screens.roles")
    for model in (User, TraderLogin):
        post_save.connect(_end_others, sender=model, dispatch_uid="dashboard.access.wall_screens.saved")
    post_delete.connect(_end_others, sender=Group, dispatch_uid="dashboard.access.wall_screens.deleted")


def _stay(request: HttpRequest | None, user: User, **_kwargs: Any) -> None:
    """Each log-in says anew how long it holds."""
    if request is None:
        return
    request.session.pop(DAYS, None)
    if is_wall_screen(user):
        request.session[DAYS] = settings.WALL_SCREEN_DAYS


def _end_others(**_kwargs: Any) -> None:
    """Roles may have changed: whoever is no wall screen, or more than that, has no session that holds for days."""
    longest = clock.now() + timedelta(seconds=settings.SESSION_LONGEST_AGE)
    staying = UserSession.objects.filter(expire_date__gt=longest)
    for user in User.objects.filter(pk__in=staying.values("user_id")):
        if not is_wall_screen(user):
            staying.filter(user_id=user.pk).delete()
