"""Who may do what. Every page, socket, export, API answer and admin page asks here.

Roles come from three places: a login that belongs to a trader, three groups, and Django's superuser.

- trader: sees the own boards
- desk head: sees all boards and the desk's view
- wall screen: sees the same and nothing else; its session stays for days (settings.WALL_SCREEN_DAYS)
- operations: sees the admin without trade facts (frames kept aside, gaps, feeds, prices, users); may judge frames,
  close gaps, look after traders and users
- auditor: sees everything, the admin and the audit log included; changes nothing
- admin (superuser): sees everything, may do all that may be done at all

What one may not see does not exist: the answer is the same as for a trader that nobody has heard of.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from enum import StrEnum
from typing import Any

from django.contrib.auth.backends import BaseBackend
from django.contrib.auth.models import AbstractBaseUser, AnonymousUser, User

from dashboard.models import TraderLogin
from trades.models import Trader
from trades.queries import all_traders, trader_by_id

AnyUser = AbstractBaseUser | AnonymousUser


class Role(StrEnum):
    """What a user is to the desk; a user may be several. `GROUP_ROLES` are groups of the same name."""

    TRADER = "trader"
    DESK_HEAD = "desk head"
    OPERATIONS = "operations"
    AUDITOR = "auditor"
    ADMIN = "admin"
    WALL_SCREEN = "wall screen"


DESK_HEAD = Role.DESK_HEAD.value
GROUP_ROLES = (Role.DESK_HEAD, Role.OPERATIONS, Role.AUDITOR, Role.WALL_SCREEN)
SEE_ALL_BOARDS = frozenset({Role.DESK_HEAD, Role.AUDITOR, Role.ADMIN, Role.WALL_SCREEN})
SEE_AGAINST_ITSELF = SEE_ALL_BOARDS - {Role.WALL_SCREEN}
SEE_STATUS = frozenset({Role.DESK_HEAD, Role.OPERATIONS, Role.AUDITOR, Role.ADMIN})
ENTER_ADMIN = frozenset({Role.OPERATIONS, Role.AUDITOR, Role.ADMIN})
SEE_TRADE_FACTS = frozenset({Role.TRADER, Role.DESK_HEAD, Role.AUDITOR, Role.ADMIN, Role.WALL_SCREEN})

OPERATIONS_PERMISSIONS = frozenset(
    {
        "auth.add_user",
        "auth.change_user",
        "auth.view_user",
        "accounts.delete_usersession",
        "accounts.view_usersession",
        "dashboard.view_traderlogin",
        "market.view_market",
        "prices.add_pricecheck",
        "prices.view_pricecheck",
        "prices.view_pricecorrection",
        "prices.view_providerrequest",
        "prices.view_referenceprice",
        "prices.view_referencepricehistory",
        "trades.add_trader",
        "trades.change_trader",
        "trades.close_gap",
        "trades.judge_quarantine",
        "trades.view_feedconnection",
        "trades.view_feedgap",
        "trades.view_journalprogress",
        "trades.view_quarantinedmessage",
        "trades.view_trader",
    }
)


# --- roles --------------------------------------------------------------------------------------------------------
def group_roles(user: AnyUser) -> frozenset[Role]:
    """The roles that come without a trader: by groups, and the superuser's. One query for each user object."""
    if not isinstance(user, User) or not user.is_active:
        return frozenset()
    if not hasattr(user, "_desk_roles"):
        read_roles((user,))
    known: frozenset[Role] = user._desk_roles  # type: ignore[attr-defined]
    return known


def read_roles(users: Iterable[User]) -> None:
    """What `group_roles` tells of each user, for as long as the objects live. One query."""
    asked = {user.pk: user for user in users}
    groups: dict[int, set[str]] = {pk: set() for pk in asked}
    rows = User.groups.through.objects.filter(user_id__in=asked)
    for user_pk, name in rows.values_list("user_id", "group__name"):
        groups[user_pk].add(name)
    for pk, user in asked.items():
        user._desk_roles = roles_from(groups=groups[pk], is_superuser=user.is_superuser)  # type: ignore[attr-defined]


def roles_from(*, groups: Collection[str], is_superuser: bool) -> frozenset[Role]:
    """Pure: the roles of an active user in these groups."""
    roles = {role for role in GROUP_ROLES if role.value in groups}
    return frozenset(roles | {Role.ADMIN} if is_superuser else roles)


def roles_of(user: AnyUser) -> frozenset[Role]:
    """All roles of the user, the trader's included."""
    return group_roles(user) | {Role.TRADER} if own_trader(user) else group_roles(user)


def allows(roles: Collection[Role], permission: str) -> bool:
    """Pure: whether the roles carry a permission of the admin ("app.codename")."""
    codename = permission.partition(".")[2]
    return (
        Role.ADMIN in roles
        or (Role.AUDITOR in roles and codename.startswith("view_"))
        or (Role.OPERATIONS in roles and permission in OPERATIONS_PERMISSIONS)
    )


class RolePermissions(BaseBackend):
    """Django's permissions as the roles carry them: from code, so that no row of the database can drift."""

    def has_perm(self, user_obj: Any, perm: str, obj: Any = None) -> bool:
        return allows(group_roles(user_obj), perm)

    def has_module_perms(self, user_obj: Any, app_label: str) -> bool:
        """Whether the admin's index names the app."""
        roles = group_roles(user_obj)
        of_app = any(name.startswith(f"{app_label}.") for name in OPERATIONS_PERMISSIONS)
        return bool(roles & {Role.ADMIN, Role.AUDITOR}) or (Role.OPERATIONS in roles and of_app)


# --- boards -------------------------------------------------------------------------------------------------------
def may_see_all(user: AnyUser) -> bool:
    """Whether the user sees every trader's boards."""
    return bool(group_roles(user) & SEE_ALL_BOARDS)


def may_see_against_itself(user: AnyUser) -> bool:
    """Whether the user sees who of the desk traded against whom: a list for heads and compliance, not for a wall."""
    return bool(group_roles(user) & SEE_AGAINST_ITSELF)


def own_trader(user: AnyUser) -> Trader | None:
    """The trader whose login this is."""
    if not isinstance(user, User) or not user.is_active:
        return None
    return own_traders((user,)).get(user.pk)


def own_traders(users: Iterable[User]) -> dict[int, Trader]:
    """The same of several, by the user's primary key. One query."""
    asked = [user.pk for user in users if user.is_active]
    logins = TraderLogin.objects.select_related("trader").filter(user__in=asked)
    return {login.user_id: login.trader for login in logins}


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


# --- everything else ----------------------------------------------------------------------------------------------
def may_see_status(user: AnyUser) -> bool:
    """Whether the user looks after the desk."""
    return bool(group_roles(user) & SEE_STATUS) or _is_staff(user)


def may_enter_admin(user: AnyUser) -> bool:
    """Whether the admin's pages exist for the user; what is on them is asked permission by permission."""
    return bool(group_roles(user) & ENTER_ADMIN) or _is_staff(user)


def is_wall_screen(user: AnyUser) -> bool:
    """Whether the user is a wall screen and nothing else: somebody with more to do logs in as everybody does."""
    return roles_of(user) == {Role.WALL_SCREEN} and not _is_staff(user)


def may_decide_roles(user: AnyUser) -> bool:
    """Whether the user gives and takes roles, superuser's status and traders' logins."""
    return Role.ADMIN in group_roles(user)


def may_set_password_of(user: AnyUser, other: User) -> bool:
    """Whether the user may give `other` a new password and so could log in as them.

    Operations may not, where `other` sees trade facts or decides roles: that would be a way around the own role.
    """
    if may_decide_roles(user):
        return True
    privileged = other.is_staff or other.is_superuser
    return not privileged and not roles_of(other) & (SEE_TRADE_FACTS | {Role.OPERATIONS})


def _is_staff(user: AnyUser) -> bool:
    return isinstance(user, User) and user.is_active and user.is_staff
