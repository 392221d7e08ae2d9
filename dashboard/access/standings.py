"""Whose session or token it is and what they may, without Django's request: for sockets, streams, cached pages."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from django.contrib.auth.models import User
from django.contrib.postgres.aggregates import ArrayAgg
from django.db.models import Q
from django.http import HttpRequest

from accounts.bearer import token_of
from accounts.models import ApiToken, UserSession
from accounts.sessions import is_of_this_password, key_digest
from dashboard.access.rights import SEE_ALL_BOARDS, Role, roles_from

OF_TOKEN = "token:"  # noqa: S105 - what the digest of one begins with
_GROUP_NAMES = ArrayAgg("user__groups__name", filter=Q(user__groups__isnull=False))


@dataclass(frozen=True, slots=True)
class Standing:
    """A session that holds and what decides about its user's rights: for sockets, and whoever answers before Django."""

    session: str
    """The digest of its key (accounts.sessions.key_digest), or OF_TOKEN and that of a token."""
    user_pk: int
    username: str
    roles: frozenset[Role]
    """Without the trader's, which is `trader_pk`."""
    trader_pk: int | None
    expires_at: datetime

    def may_see_board(self, trader_pk: int | None) -> bool:
        """The same rule as `board_trader`; None is the whole desk. Asks no database."""
        own = trader_pk is not None and self.trader_pk == trader_pk  # who has no trader does not own the desk
        return own or bool(self.roles & SEE_ALL_BOARDS)


def standings(*, digests: Collection[str], now: datetime) -> dict[str, Standing]:
    """Those of the sessions and tokens that hold at `now`, by digest; one that is not there is logged out.

    One query, and another one where there are tokens.
    """
    of_tokens = {digest for digest in digests if digest.startswith(OF_TOKEN)}
    found = _of_sessions(set(digests) - of_tokens, now)
    return found | _of_tokens({digest.removeprefix(OF_TOKEN) for digest in of_tokens}, now) if of_tokens else found


def _of_sessions(digests: Collection[str], now: datetime) -> dict[str, Standing]:
    rows = (
        UserSession.objects.filter(session_key__in=digests, expire_date__gt=now, user__is_active=True)
        .annotate(names=_GROUP_NAMES)
        .order_by()
        .select_related("user__trader_login")
    )
    return {
        row.session_key: _standing(row.session_key, row.user, row.names, row.expire_date)
        for row in rows
        if is_of_this_password(row.auth_hash, row.user.password)
    }


def _of_tokens(digests: Collection[str], now: datetime) -> dict[str, Standing]:
    rows = (
        ApiToken.objects.filter(digest__in=digests, expires_at__gt=now, revoked_at=None, user__is_active=True)
        .annotate(names=_GROUP_NAMES)
        .order_by()
        .select_related("user__trader_login")
    )
    return {
        OF_TOKEN + row.digest: _standing(OF_TOKEN + row.digest, row.user, row.names, row.expires_at) for row in rows
    }


def _standing(session: str, user: User, groups: Collection[str] | None, expires_at: datetime) -> Standing:
    return Standing(
        session=session,
        user_pk=user.pk,
        username=user.username,
        roles=roles_from(groups=groups or (), is_superuser=user.is_superuser),
        trader_pk=user.trader_login.trader_id if hasattr(user, "trader_login") else None,
        expires_at=expires_at,
    )


def standing_of(request: HttpRequest, *, now: datetime) -> Standing | None:
    """That of a request's session or token; None for one that is logged out just now."""
    token = token_of(request)
    digest = OF_TOKEN + token.digest if token else key_digest(request.session.session_key or "")
    return standings(digests=[digest], now=now).get(digest)
