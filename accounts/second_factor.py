"""The optional second factor: one-time codes of an authenticator app, and recovery codes for when it is lost.

pyotp knows the codes; here is what they are good for: each once, few guesses (accounts/login_throttle.py), and
whether a user needs one. Off until settings.SECOND_FACTOR says otherwise; pyotp and segno are imported only then.
"""

from __future__ import annotations

import hashlib
import hmac
import io
import secrets
from collections.abc import Collection
from datetime import UTC, datetime

from django.conf import settings
from django.contrib.auth.models import User
from django.db import transaction

from accounts.audit.log import record
from accounts.audit.models import Action
from accounts.login_throttle import begin_attempt, succeed
from accounts.models import SecondFactor

ISSUER = "The desk"
STEP_SECONDS = 30
RECOVERY_CODES = 10
_LETTERS = "abcdefghjkmnpqrstuvwxyz23456789"  # none that is taken for another
_LENGTH = 10


def is_on() -> bool:
    """Whether second factors exist at all here."""
    return bool(settings.SECOND_FACTOR)


def is_required(roles: Collection[str]) -> bool:
    """Whether somebody of these roles must have one."""
    return bool(settings.SECOND_FACTOR_ROLES & set(roles))


def of(user: User) -> SecondFactor | None:
    """The user's second factor, if there is one."""
    return SecondFactor.objects.filter(user=user).first()


# --- setting it up --------------------------------------------------------------------------------------------------
def new_secret() -> str:
    """A secret for an authenticator app, base 32."""
    import pyotp

    return pyotp.random_base32()


def address_for_app(*, secret: str, username: str) -> str:
    """What the app reads: an otpauth address."""
    import pyotp

    return pyotp.TOTP(secret).provisioning_uri(name=username, issuer_name=ISSUER)


def square(address: str) -> str:
    """The address as a square to scan: SVG without any style."""
    import segno

    out = io.BytesIO()
    segno.make(address, error="m").save(out, kind="svg", xmldecl=False, svgns=True, scale=5, border=3, light="#fff")
    return out.getvalue().decode()


@transaction.atomic
def set_up(*, user: User, secret: str, code: str, now: datetime) -> list[str] | None:
    """Keep the secret if the code shows that the app has it. Returns the recovery codes, None for a wrong code."""
    step = matching_step(secret=secret, code=code, now=now, after=0)
    if step is None:
        return None
    codes = _recovery_codes()
    SecondFactor.objects.update_or_create(
        user=user,
        defaults={"secret": secret, "last_step": step, "since": now, "recovery": [_digest(code) for code in codes]},
    )
    record(action=Action.SECOND_FACTOR, subject=f"user {user}", details={"set": "up"}, actor=user.get_username())
    return codes


@transaction.atomic
def remove(*, user: User, by: str) -> bool:
    """Take the user's second factor away; `by` is the username of whoever does. False when there is none."""
    gone = SecondFactor.objects.filter(user=user).delete()[0] > 0
    if gone:
        record(action=Action.SECOND_FACTOR, subject=f"user {user}", details={"set": "removed"}, actor=by)
    return gone


def _recovery_codes() -> list[str]:
    return ["".join(secrets.choice(_LETTERS) for _ in range(_LENGTH)) for _ in range(RECOVERY_CODES)]


def _digest(code: str) -> str:
    return hashlib.sha256(code.encode()).hexdigest()


# --- checking it ----------------------------------------------------------------------------------------------------
def matching_step(*, secret: str, code: str, now: datetime, after: int) -> int | None:
    """The time step whose code this is: the present one or a neighbour, and later than `after`. Pure."""
    import pyotp

    codes = pyotp.TOTP(secret)
    present = int(now.astimezone(UTC).timestamp()) // STEP_SECONDS
    matching = [
        step for step in (present - 1, present, present + 1) if hmac.compare_digest(codes.at(step * STEP_SECONDS), code)
    ]
    return next((step for step in matching if step > after), None)


def passes(*, user: User, code: str, address: str, now: datetime) -> bool | None:
    """Whether the code lets the user in, once; None when there were too many wrong ones. Recovery codes count, too."""
    name = f"second factor of {user.pk}"
    if begin_attempt(username=name, address=address, now=now) is None:
        return None
    good = _use(user, "".join(code.split()).lower(), now)
    if good:
        succeed(username=name, address=address)
    else:
        record(action=Action.LOG_IN_FAILED, actor=user.get_username(), subject="second factor", address=address)
    return good


@transaction.atomic
def _use(user: User, code: str, now: datetime) -> bool:
    factor = SecondFactor.objects.select_for_update().filter(user=user).first()
    if factor is None or not code.isascii():
        return False
    step = matching_step(secret=factor.secret, code=code, now=now, after=factor.last_step)
    if step is not None:
        factor.last_step = step
    elif _digest(code) in factor.recovery:
        factor.recovery.remove(_digest(code))
        details = {"recovery codes left": len(factor.recovery)}
        record(action=Action.SECOND_FACTOR, subject=f"user {user}", details=details, actor=user.get_username())
    else:
        return False
    factor.save(update_fields=["last_step", "recovery"])
    return True
