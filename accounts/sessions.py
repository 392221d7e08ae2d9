"""Sessions: kept in PostgreSQL, 12 h without a request and 24 h in all, listed for their users, ended at once.

`expires_at` is the rule, pure. Whose session a key is, and what they may: dashboard.access.standings.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from django.conf import settings
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
from django.contrib.auth.models import User
from django.contrib.auth.signals import user_logged_in
from django.contrib.sessions.backends.db import SessionStore as DatabaseStore
from django.http import HttpRequest, HttpResponse

from accounts.client_address import address_of
from accounts.models import UserSession
from market import clock

STARTED, SEEN, ADDRESS, BROWSER, DAYS = "_started", "_seen", "_address", "_browser", "_days"
"""DAYS: for how many a session holds that is no person's, used or not; missing for everybody else's."""
SEEN_EVERY = timedelta(minutes=10)
"""How often a session's use is written down: a storm of refreshes writes nothing."""


# --- the rule -----------------------------------------------------------------------------------------------------
def expires_at(*, started: datetime, seen: datetime, idle: timedelta, longest: timedelta) -> datetime:
    """When a session ends: so long after its last use, and so long after its log-in, whichever is first."""
    return min(seen + idle, started + longest)


def key_digest(key: str) -> str:
    """What the database knows of a cookie's value."""
    return hashlib.sha256(key.encode()).hexdigest()


# --- Django's session store -----------------------------------------------------------------------------------------
class SessionStore(DatabaseStore):
    """Django's own store on our table: digests for keys, and both ends of a session in its expiry."""

    @classmethod
    def get_model_class(cls) -> Any:
        return UserSession

    def _get_session_from_db(self) -> Any:
        row = UserSession.objects.filter(
            session_key=key_digest(self.session_key or ""), expire_date__gt=clock.now()
        ).first()
        if row is None:
            self._session_key = None
        return row

    async def _aget_session_from_db(self) -> Any:
        row = await UserSession.objects.filter(
            session_key=key_digest(self.session_key or ""), expire_date__gt=clock.now()
        ).afirst()
        if row is None:
            self._session_key = None
        return row

    def exists(self, session_key: str) -> bool:
        return super().exists(key_digest(session_key))

    async def aexists(self, session_key: str) -> bool:
        return await super().aexists(key_digest(session_key))

    def delete(self, session_key: str | None = None) -> None:
        key = session_key or self.session_key
        if key:
            super().delete(key_digest(key))

    async def adelete(self, session_key: str | None = None) -> None:
        key = session_key or self.session_key
        if key:
            await super().adelete(key_digest(key))

    def get_expiry_date(self, **_kwargs: Any) -> datetime:
        """From when it was begun and is used, not from what is asked for."""
        now, days = clock.now(), self.get(DAYS)
        idle, longest = (
            timedelta(days=days) if days else timedelta(seconds=most)
            for most in (settings.SESSION_COOKIE_AGE, settings.SESSION_LONGEST_AGE)
        )
        return expires_at(started=_moment(self.get(STARTED), now), seen=now, idle=idle, longest=longest)

    async def aget_expiry_date(self, **_kwargs: Any) -> datetime:
        await self._aget_session()  # type: ignore[attr-defined]  # loaded: what follows asks no database
        return self.get_expiry_date()

    def get_expiry_age(self, **_kwargs: Any) -> int:
        """Seconds until the expiry: the cookie's age."""
        return max(0, int((self.get_expiry_date() - clock.now()).total_seconds()))

    async def aget_expiry_age(self, **_kwargs: Any) -> int:
        await self._aget_session()  # type: ignore[attr-defined]
        return self.get_expiry_age()

    @classmethod
    def clear_expired(cls) -> None:
        UserSession.objects.filter(expire_date__lt=clock.now()).delete()

    @classmethod
    async def aclear_expired(cls) -> None:
        await UserSession.objects.filter(expire_date__lt=clock.now()).adelete()

    def create_model_instance(self, data: dict[str, Any]) -> Any:
        return self._row(self._get_or_create_session_key(), data)  # type: ignore[attr-defined]

    async def acreate_model_instance(self, data: dict[str, Any]) -> Any:
        return self._row(await self._aget_or_create_session_key(), data)  # type: ignore[attr-defined]

    def _row(self, key: str, data: dict[str, Any]) -> UserSession:
        now = clock.now()
        started = _moment(data.setdefault(STARTED, now.timestamp()), now)
        data[SEEN] = now.timestamp()
        return UserSession(
            session_key=key_digest(key),
            session_data=self.encode(data),
            expire_date=self.get_expiry_date(),
            user_id=data.get(SESSION_KEY),
            auth_hash=data.get(HASH_SESSION_KEY, ""),
            started_at=started,
            seen_at=now,
            address=data.get(ADDRESS, ""),
            browser=data.get(BROWSER, ""),
        )


def _moment(seconds: float | None, default: datetime) -> datetime:
    return default if seconds is None else datetime.fromtimestamp(seconds, UTC)


class SessionActivity:
    """Middleware: writes down, every ten minutes, that a session is used; its cookie is then sent anew."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        session = request.session
        if session.accessed and SESSION_KEY in session:
            seen = _moment(session.get(SEEN), datetime.fromtimestamp(0, UTC))
            session.modified = session.modified or clock.now() - seen >= SEEN_EVERY
        return response


def connect_signals() -> None:
    """Called once, when Django has started."""
    user_logged_in.connect(_begin, dispatch_uid="accounts.sessions")


def _begin(request: HttpRequest | None, **_kwargs: Any) -> None:
    """A log-in starts the session's clock anew; Django has given it a new key."""
    if request is None:
        return
    request.session[STARTED] = clock.now().timestamp()
    request.session[ADDRESS] = address_of(request)
    request.session[BROWSER] = _clean(request.META.get("HTTP_USER_AGENT", ""))


def _clean(text: str) -> str:
    return "".join(c if c.isprintable() else "�" for c in text[:200])


# --- a user's own sessions ------------------------------------------------------------------------------------------
def is_of_this_password(auth_hash: str, password: str) -> bool:
    """Whether a session was begun with the password that the user (by its stored hash) has now."""
    user = User(password=password)
    return auth_hash == user.get_session_auth_hash() or auth_hash in user.get_session_auth_fallback_hash()


def sessions_of(*, user: User, now: datetime) -> list[UserSession]:
    """The user's sessions that hold, the one used last first."""
    rows = UserSession.objects.filter(user=user, expire_date__gt=now)
    return [row for row in rows if is_of_this_password(row.auth_hash, user.password)]


def end_sessions(*, user: User, only: str | None = None, but: str | None = None) -> int:
    """End the user's sessions: all, `only` the one with this digest, or all `but` that. Returns how many ended."""
    rows = UserSession.objects.filter(user=user)
    rows = rows.filter(session_key=only) if only is not None else rows
    rows = rows.exclude(session_key=but) if but is not None else rows
    return rows.delete()[1].get(UserSession._meta.label, 0)


def backend_of(session: Any) -> str:
    """Which way the user came in: the path of an authentication backend."""
    return str(session.get(BACKEND_SESSION_KEY, ""))
