"""Guessing passwords and codes: 5 failures lock a user and an address for 15 minutes, 50 an hour lock the address.

Counted in PostgreSQL, before the password is looked at: a hundred guesses at the same moment are a hundred guesses.
A name that nobody has is counted like any other, so that a lock says nothing about it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from datetime import datetime, timedelta
from ipaddress import ip_address, ip_network
from typing import Any

from django.contrib.auth.backends import ModelBackend
from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied
from django.db import connection, transaction
from django.http import HttpRequest

from accounts.audit.log import record
from accounts.audit.models import Action
from accounts.client_address import UNKNOWN, address_of
from accounts.models import LoginAttempt
from market import clock
from market.locks import AdvisoryLock

MOST_FAILURES, LOCKED_FOR = 5, timedelta(minutes=15)
MOST_FROM_ADDRESS, ADDRESS_WINDOW = 50, timedelta(hours=1)
LOCKED = "_log_in_locked"
"""Set on a request whose log-in was not even tried."""


# --- the rule, pure -------------------------------------------------------------------------------------------------
def is_locked(*, of_pair: Sequence[datetime], of_address: Sequence[datetime], now: datetime) -> bool:
    """Whether nobody may try: by the failures of this user from this address, and by all of the address's."""
    newest = sorted(of_pair)[-MOST_FAILURES:]
    if len(newest) == MOST_FAILURES and newest[-1] - newest[0] <= LOCKED_FOR and now - newest[-1] < LOCKED_FOR:
        return True
    return sum(now - at < ADDRESS_WINDOW for at in of_address) >= MOST_FROM_ADDRESS


def counted_address(address: str) -> str:
    """What counts as one address: of IPv6 the network of a customer, who has 2^64 addresses to guess from."""
    if address == UNKNOWN or ip_address(address).version == 4:
        return address
    return str(ip_network(f"{address}/64", strict=False))


def name_digest(username: str) -> str:
    """How a name is kept: people type passwords into the wrong field."""
    return hashlib.sha256(username.strip().casefold().encode("utf-8", "surrogatepass")).hexdigest()


# --- in PostgreSQL --------------------------------------------------------------------------------------------------
@transaction.atomic
def begin_attempt(*, username: str, address: str, now: datetime) -> int | None:
    """Count an attempt as failed before it is made; None when it may not be made. One at a time for an address."""
    where = counted_address(address)
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s, hashtext(%s))", [AdvisoryLock.LOGIN_ATTEMPTS, where])
    recent = LoginAttempt.objects.filter(address=where, at__gt=now - ADDRESS_WINDOW).values_list("name", "at")
    who, times = name_digest(username), list(recent)
    of_pair = [at for name, at in times if name == who]
    if is_locked(of_pair=of_pair, of_address=[at for _, at in times], now=now):
        return None
    return int(LoginAttempt.objects.create(name=who, address=where, at=now).pk)


def succeed(*, username: str, address: str) -> None:
    """It was right: what this user got wrong from this address is forgotten."""
    LoginAttempt.objects.filter(name=name_digest(username), address=counted_address(address)).delete()


def clear_old(*, now: datetime) -> int:
    """Forget attempts that lock nobody any more."""
    return LoginAttempt.objects.filter(at__lt=now - ADDRESS_WINDOW - LOCKED_FOR).delete()[0]


def locks_now(*, username: str, address: str, now: datetime) -> bool:
    """Whether the failure that was just counted is the one that locks."""
    where, who = counted_address(address), name_digest(username)
    times = list(LoginAttempt.objects.filter(address=where, at__gt=now - ADDRESS_WINDOW).values_list("name", "at"))
    return is_locked(of_pair=[at for name, at in times if name == who], of_address=[at for _, at in times], now=now)


class LimitedBackend(ModelBackend):
    """Django's own check of names and passwords, for those who may still try."""

    def authenticate(
        self, request: HttpRequest | None, username: str | None = None, password: str | None = None, **kwargs: Any
    ) -> User | None:
        """The user; None for a wrong pair. Raises PermissionDenied when nobody may try: then no one else is asked."""
        if username is None or password is None:
            return None
        address, now = address_of(request), clock.now()
        if begin_attempt(username=username, address=address, now=now) is None:
            if request is not None:
                setattr(request, LOCKED, True)
            raise PermissionDenied
        user = None if "\0" in username else super().authenticate(request, username, password, **kwargs)
        if user is not None:
            succeed(username=username, address=address)
        elif locks_now(username=username, address=address, now=now):
            record(action=Action.LOCKED_OUT, actor="(nobody)", subject=f"address {address}", address=address)
        return user
