"""Who may see which board. Every page, socket, export and API answer asks here.

A trader sees the own boards; a superuser and the members of the group "desk head" see all. What one may not see does
not exist: the answer is the same as for a trader that nobody has heard of.
"""

from __future__ import annotations

from django.contrib.auth.models import AbstractBaseUser, AnonymousUser, User

from dashboard.models import TraderLogin
from trades.models import Trader
from trades.queries import all_traders, trader_by_id

DESK_HEAD = "desk head"

AnyUser = AbstractBaseUser | AnonymousUser


def may_see_all(user: AnyUser) -> bool:
    """Whether the user sees every trader's boards."""
    if not isinstance(user, User) or not user.is_active:
        return False
    return user.is_superuser or user.groups.filter(name=DESK_HEAD).exists()


def own_trader(user: AnyUser) -> Trader | None:
    """The trader whose login this is."""
    if not isinstance(user, User) or not user.is_active:
        return None
    login = TraderLogin.objects.select_related("trader").filter(user=user).first()
    return login.trader if login else None


def visible_traders(user: AnyUser) -> list[Trader]:
    """The traders whose boards the user may see, by id."""
    if may_see_all(user):
        return all_traders()
    own = own_trader(user)
    return [own] if own else []


def board_trader(user: AnyUser, trader_id: str) -> Trader | None:
    """The trader of a board's address; None for an unknown one and for one without the right to it, alike."""
    own = own_trader(user)
    if own is not None and own.trader_id == trader_id:
        return own
    return trader_by_id(trader_id=trader_id) if may_see_all(user) else None


def home_trader(user: AnyUser) -> Trader | None:
    """Whose board "/" shows: the own one, else the first that the user may see, people before bots."""
    own = own_trader(user)
    if own is not None:
        return own
    return min(visible_traders(user), key=lambda trader: trader.is_bot, default=None)
