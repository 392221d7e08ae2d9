"""Tokens: what programs show instead of a session. They see what their user sees, until they expire or are revoked.

A token is 256 random bits behind a prefix that scanners of repositories find. The database has its digest alone.
"""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.contrib.auth.models import User
from django.db import connection, transaction
from django.db.models import QuerySet
from django.utils.translation import gettext

from accounts.audit.log import record
from accounts.audit.models import Action
from accounts.login_throttle import counted_address
from accounts.models import ApiToken, LoginAttempt
from market.locks import AdvisoryLock

PREFIX = "desk_"
DAYS, MOST_DAYS, LONGEST_NAME, MOST_TOKENS = 90, 366, 80, 50
MINUTE = timedelta(minutes=1)
MOST_GUESSES, GUESSES_WINDOW = 20, timedelta(minutes=15)
"""Unknown tokens from one address: beyond that many only tokens that were used from there before are looked at."""

# One statement for everything that a request with a token asks for and leaves behind. It waits for no disk: a minute's
# count that a crash forgets costs nobody anything.
_USE = """UPDATE accounts_apitoken AS t SET used_at = %(now)s, address = %(address)s,
        minute_began_at = CASE WHEN fresh THEN %(now)s ELSE minute_began_at END,
        minute_count = CASE WHEN fresh THEN 1 ELSE minute_count + 1 END
    FROM (SELECT id, coalesce(minute_began_at <= %(now)s - %(minute)s, true) AS fresh,
            set_config('synchronous_commit', 'off', true)
        FROM accounts_apitoken WHERE digest = %(digest)s FOR UPDATE) AS counted
    WHERE t.id = counted.id AND (fresh OR minute_count < %(most)s)"""


class TokenError(ValueError):
    """A token that can't be made as asked; the message is one sentence for people, `field` what it is about."""

    def __init__(self, sentence: str, field: str) -> None:
        super().__init__(sentence)
        self.field = field


class UnknownTokenError(LookupError):
    """No such token, or one that has expired, was revoked, or whose user is gone."""


class TooManyError(Exception):
    """Not now: `seconds` later again."""

    def __init__(self, seconds: float, sentence: str) -> None:
        super().__init__(sentence)
        self.seconds = max(1, int(seconds + 0.999))


@dataclass(frozen=True, slots=True)
class Used:
    """A token that holds, and whose it is."""

    user: User
    token: ApiToken


def token_digest(token: str) -> str:
    """What the database knows of a token."""
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).hexdigest()


# --- made and revoked -------------------------------------------------------------------------------------------------
@transaction.atomic
def create_token(*, user: User, name: str, scope: str = "read", days: int = DAYS, now: datetime) -> str:
    """A new token of the user, told this once. Raises TokenError."""
    name = " ".join(name.split())
    if not name or len(name) > LONGEST_NAME or not name.isprintable():
        raise TokenError(gettext("Give the token a name of 1 to 80 characters, so that it is known again."), "name")
    if scope not in ApiToken.Scope.values:
        raise TokenError(gettext("A token is for “read” or for “write”."), "scope")
    if not 1 <= days <= MOST_DAYS:
        raise TokenError(gettext("A token holds from 1 to 366 days."), "days")
    if tokens_of(user=user, now=now).count() >= MOST_TOKENS:
        raise TokenError(gettext("You have 50 tokens that hold: revoke one first."), "name")
    token = PREFIX + secrets.token_urlsafe(32)
    row = ApiToken.objects.create(
        user=user,
        name=name,
        scope=scope,
        digest=token_digest(token),
        created_at=now,
        expires_at=now + timedelta(days=days),
    )
    record(action=Action.TOKEN_CREATED, subject=f"token {row}", details={"scope": scope, "days": days})
    return token


@transaction.atomic
def revoke_token(*, user: User, pk: int, now: datetime) -> bool:
    """It holds no longer, from the next request on; False when the user has no such token."""
    row = tokens_of(user=user, now=now).select_for_update(of=("self",)).filter(pk=pk).first()
    if row is None:
        return False
    row.revoked_at = now
    row.save(update_fields=["revoked_at"])
    record(action=Action.TOKEN_REVOKED, subject=f"token {row}")
    return True


def tokens_of(*, user: User, now: datetime) -> QuerySet[ApiToken]:
    """The user's tokens that hold, the newest first."""
    return ApiToken.objects.filter(user=user, revoked_at=None, expires_at__gt=now).select_related("user")


# --- used -------------------------------------------------------------------------------------------------------------
def use_token(*, token: str, address: str, most: int, now: datetime) -> Used:
    """Whose token this is, counted as one request of its minute. Raises UnknownTokenError or TooManyError."""
    row = ApiToken.objects.select_related("user").filter(digest=token_digest(token)).first()
    where = counted_address(address)
    if row is None or row.address != where:
        _refuse_guesses(where, now, is_guess=row is None)
    if row is None or row.revoked_at is not None or row.expires_at <= now or not row.user.is_active:
        raise UnknownTokenError
    values: dict[str, Any] = {"now": now, "address": where, "digest": row.digest, "minute": MINUTE, "most": most}
    with connection.cursor() as cursor:
        cursor.execute(_USE, values)
        counted = cursor.rowcount == 1
    if not counted:
        began = ApiToken.objects.values_list("minute_began_at", flat=True).get(pk=row.pk) or now
        sentence = gettext("A token may ask %(most)s times a minute; the next minute begins soon.") % {"most": most}
        raise TooManyError((began + MINUTE - now).total_seconds(), sentence)
    return Used(row.user, row)


@transaction.atomic
def _refuse_guesses(where: str, now: datetime, *, is_guess: bool) -> None:
    """Count an unknown token; raises TooManyError where too many came from. One at a time for an address."""
    name = f"tokens {where}"
    if is_guess:
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(%s, hashtext(%s))", [AdvisoryLock.LOGIN_ATTEMPTS, name])
    recent = LoginAttempt.objects.filter(address=name, at__gt=now - GUESSES_WINDOW).order_by("at")
    times = list(recent.values_list("at", flat=True))
    if len(times) >= MOST_GUESSES:
        wait = times[-MOST_GUESSES] + GUESSES_WINDOW - now
        raise TooManyError(wait.total_seconds(), gettext("Too many unknown tokens came from your address."))
    if is_guess:
        LoginAttempt.objects.create(name="", address=name, at=now)
    if is_guess and len(times) + 1 == MOST_GUESSES:
        record(action=Action.LOCKED_OUT, actor="(nobody)", subject=f"tokens from address {where}", address=where)
