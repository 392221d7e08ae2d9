"""Logins for tests of pages, API and browser."""

from __future__ import annotations

from django.contrib.auth.models import Group, User

from dashboard.access.logins import create_trader_login
from dashboard.access.rights import DESK_HEAD
from dashboard.models import FirstVisit

PASSWORD = "a long enough password"


def a_trader(trader_id: str = "trader_1", username: str | None = None) -> User:
    return visited(create_trader_login(trader_id=trader_id, username=username or "anna", password=PASSWORD))


def visited(user: User) -> User:
    """Somebody who knows the desk already: no first visit is offered."""
    FirstVisit.objects.get_or_create(user=user)
    return user


def a_head(username: str = "head") -> User:
    user = User.objects.create_user(username, password=PASSWORD)
    user.groups.add(Group.objects.get_or_create(name=DESK_HEAD)[0])
    return visited(user)


def a_superuser(username: str = "root") -> User:
    return visited(User.objects.create_superuser(username, password=PASSWORD))
