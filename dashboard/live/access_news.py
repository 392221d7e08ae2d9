"""News of users, to every web process: whoever logs out, changes the password or loses a role is looked at again."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from django.contrib.auth.models import Group, User
from django.db import transaction
from django.db.models.signals import m2m_changed, post_delete, post_save

from accounts import second_factor
from accounts.models import ApiToken, UserSession
from accounts.sessions import end_sessions
from dashboard.access.rights import roles_of
from dashboard.live.announcer import ACCESS, announcer
from dashboard.models import TraderLogin


def announce() -> None:
    """Tell every web process to look again, once this transaction is committed. Never blocks, never fails."""
    transaction.on_commit(lambda: announcer.add([ACCESS]), robust=True)


def connect_signals() -> None:
    """Whatever may take a right away is news. Called once, when Django has started."""
    post_save.connect(_on_user_saved, sender=User, dispatch_uid="dashboard.live.access_news.user")
    m2m_changed.connect(_on_roles_changed, sender=User.groups.through, dispatch_uid="dashboard.live.access_news.groups")
    for model in (UserSession, ApiToken, Group, TraderLogin, User):
        post_delete.connect(_on_news, sender=model, dispatch_uid="dashboard.live.access_news.deleted")
    for kept in (TraderLogin, ApiToken):
        post_save.connect(_on_news, sender=kept, dispatch_uid="dashboard.live.access_news.saved")


def _on_user_saved(update_fields: Collection[str] | None = None, **_kwargs: Any) -> None:
    if update_fields is None or set(update_fields) != {"last_login"}:
        announce()


def _on_news(**_kwargs: Any) -> None:
    announce()


def _on_roles_changed(instance: Any, action: str, reverse: bool = False, **_kwargs: Any) -> None:
    """Whose new role needs a second factor logs in anew, and is asked for it."""
    announce()
    if action != "post_add" or not second_factor.is_on():
        return
    for user in instance.user_set.all() if reverse else User.objects.filter(pk=instance.pk):  # as they are now
        if second_factor.is_required(roles_of(user)) and second_factor.of(user) is None:
            end_sessions(user=user)
