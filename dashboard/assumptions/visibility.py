"""Who sees whose assumptions: one rule for pages, API, exports, search, charts and marks on boards.

- The own: always.
- Others': desk heads, auditors and admins; with the policy “shared” on, everybody who sees a board.
- With “blind” on nobody, whoever it is, sees another's assumption while one of its periods is open that the reader has
  not written an own one for.

What one may not see does not exist.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Exists, OuterRef, Q, QuerySet

from dashboard.access.rights import SEE_ALL_BOARDS, AnyUser, Role, group_roles, own_trader
from dashboard.assumptions.models import AssumedPeriod, Assumption, AssumptionPolicy
from market.tables import unless_missing
from trades.models import Trader

SEE_ALL_ASSUMPTIONS = SEE_ALL_BOARDS - {Role.WALL_SCREEN}
"""A screen on the wall shows everybody what it shows: only what is shared."""


@dataclass(frozen=True, slots=True)
class Viewer:
    """A user, as far as assumptions are concerned. `own`: the trader who writes; None: nobody writes here."""

    own: Trader | None
    sees_others: bool
    blind: bool


def viewer_of(user: AnyUser) -> Viewer | None:
    """The user as a viewer; None for somebody who may see none at all. A few queries."""
    own, roles = own_trader(user), group_roles(user)
    policy = current_policy()
    may_share = policy.shared and (own is not None or bool(roles & SEE_ALL_BOARDS))
    sees_others = may_share or bool(roles & SEE_ALL_ASSUMPTIONS)
    return Viewer(own, sees_others, policy.blind) if own is not None or sees_others else None


def current_policy() -> AssumptionPolicy:
    """The desk's; the strictest sharing without a row, and where an update has not brought the table yet."""
    return unless_missing(AssumptionPolicy.objects.first, None) or AssumptionPolicy()


def visible_to(viewer: Viewer, now: datetime) -> QuerySet[Assumption]:
    """All that the viewer may see at `now`."""
    own = Q(trader=viewer.own) if viewer.own else Q(pk__in=[])
    if not viewer.sees_others:
        return Assumption.objects.filter(own)
    if not viewer.blind:
        return Assumption.objects.all()
    return Assumption.objects.filter(own | ~Exists(_still_hidden(viewer, now)))


def visible_of(user: AnyUser, numbers: Collection[int], now: datetime) -> set[int]:
    """Those of these assumptions, by primary key, that the user may see at `now`. A few queries."""
    viewer = viewer_of(user)
    return set() if viewer is None else set(visible_to(viewer, now).filter(pk__in=numbers).values_list("pk", flat=True))


def _still_hidden(viewer: Viewer, now: datetime) -> QuerySet[AssumedPeriod]:
    """Periods of an assumption that are open and that the viewer has not written an own one for."""
    open_ones = AssumedPeriod.objects.filter(assumption=OuterRef("pk"), gate_closes_at__gt=now)
    if viewer.own is None:
        return open_ones
    written = AssumedPeriod.objects.filter(
        assumption__trader=viewer.own,
        assumption__market=OuterRef("assumption__market"),
        delivery_start=OuterRef("delivery_start"),
        delivery_end=OuterRef("delivery_end"),
    )
    return open_ones.filter(~Exists(written))


def named_trader(viewer: Viewer, trader_id: str) -> Trader | None:
    """The trader of that id, whose assumptions the viewer may see some of; None for others and unknown ones alike."""
    if viewer.own is not None and viewer.own.trader_id == trader_id:
        return viewer.own
    if not viewer.sees_others or "\0" in trader_id:
        return None
    return Trader.objects.filter(trader_id=trader_id).first()
