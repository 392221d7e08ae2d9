"""Who is told by which rule, with the rights that they have now: read once for all rules of a look."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

from django.contrib.auth.models import User

from dashboard.access.rights import may_see_all, own_traders, read_roles
from dashboard.alerts.models import AlertRule
from trades.models import Trader


@dataclass(frozen=True, slots=True)
class Told:
    """A rule and one who is told by it, about these traders. `own`: whose login it is."""

    rule: AlertRule
    user: User
    traders: tuple[Trader, ...]
    own: Trader | None


class Audience:
    """Of these rules. Four queries at most, however many rules and users there are."""

    def __init__(self, rules: Sequence[AlertRule]) -> None:
        users = {rule.user_id: rule.user for rule in rules}
        for rule in rules:
            rule.user = users[rule.user_id]  # one object a user: what is read of it once is known to all rules
        read_roles(users.values())
        self._own = own_traders(users.values())

    @cached_property
    def _known(self) -> tuple[Trader, ...]:
        return tuple(Trader.objects.filter(is_known=True))

    @cached_property
    def _desk(self) -> list[User]:
        """Everybody with a board of the own."""
        logins = User.objects.filter(is_active=True, trader_login__isnull=False)
        users = list(logins.select_related("trader_login__trader"))
        read_roles(users)
        return users

    def of(self, rule: AlertRule) -> Iterator[Told]:
        """Who is told by the rule."""
        user = rule.user
        own, sees_all = self._own.get(user.pk), may_see_all(user)
        if rule.desk_wide and sees_all:
            for other in self._desk:
                theirs = other.trader_login.trader
                if other.pk != user.pk and rule.trader in {None, theirs}:
                    yield Told(rule, other, (theirs,), theirs)
        if rule.trader is not None:
            may = sees_all or (own is not None and own.pk == rule.trader.pk)
            yield Told(rule, user, (rule.trader,) if may else (), own)
        elif sees_all:
            yield Told(rule, user, self._known, own)
        else:
            yield Told(rule, user, (own,) if own else (), own)
