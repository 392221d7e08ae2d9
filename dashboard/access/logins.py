"""Creating logins: for a trader, and for the demo desk."""

from __future__ import annotations

from django.conf import settings
from django.contrib.auth.hashers import check_password, make_password
from django.contrib.auth.models import Group, User
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction

from dashboard.access.rights import DESK_HEAD
from dashboard.models import TraderLogin
from trades.ledger.traders import ensure_trader, trader_id_problem

DEMO_TRADERS = tuple(f"trader_{number}" for number in range(1, 6))


class LoginError(Exception):
    """A login that can't be created as asked; the message is one sentence for people."""


def create_trader_login(*, trader_id: str, username: str, password: str) -> User:
    """A new user who sees the boards of `trader_id`; the trader is added if it is not known yet."""
    problem = trader_id_problem(trader_id)
    if problem:
        raise LoginError(f"the trader id {problem}")
    if not password:
        raise LoginError("the password is empty")
    _check_username(username)
    _check_password(password, username)
    try:
        with transaction.atomic():
            user = User.objects.create_user(username=username, password=password)
            TraderLogin.objects.create(user=user, trader=ensure_trader(trader_id=trader_id))
    except IntegrityError:
        raise LoginError(f"a user called “{username}” exists already") from None
    return user


def _check_username(username: str) -> None:
    try:
        User._meta.get_field("username").clean(username, None)
    except ValidationError as error:
        raise LoginError(f"“{username}” can't be a username: {' '.join(error.messages)}") from None


def _check_password(password: str, username: str) -> None:
    """As the pages do; a laptop's desk may have any."""
    if settings.DEBUG:
        return
    try:
        validate_password(password, User(username=username))
    except ValidationError as error:
        raise LoginError(f"the password can't be taken: {' '.join(error.messages)}") from None


@transaction.atomic
def ensure_demo_logins(*, password: str) -> None:
    """The demo desk's logins, all with one password: five traders, `head` (desk head) and `admin` (superuser)."""
    hashed = _OnePassword(password)
    for trader_id in DEMO_TRADERS:
        user = _ensure_user(trader_id, hashed)
        TraderLogin.objects.get_or_create(user=user, defaults={"trader": ensure_trader(trader_id=trader_id)})
    _ensure_user("head", hashed).groups.add(Group.objects.get_or_create(name=DESK_HEAD)[0])
    admin = _ensure_user("admin", hashed)
    admin.is_staff = admin.is_superuser = True
    admin.save(update_fields=["is_staff", "is_superuser"])
    bot = ensure_trader(trader_id="bot_1")
    bot.is_bot = True
    bot.save(update_fields=["is_bot"])


class _OnePassword:
    """A password of several logins: as costly as it is to hash, it is hashed or compared once."""

    def __init__(self, password: str) -> None:
        self._password = password
        self._right = ""

    def is_behind(self, encoded: str) -> bool:
        """Whether a stored hash is that of the password."""
        if encoded != self._right and check_password(self._password, encoded):
            self._right = encoded
        return encoded == self._right

    def encoded(self) -> str:
        """A hash of it."""
        self._right = self._right or make_password(self._password)
        return self._right


def _ensure_user(username: str, password: _OnePassword) -> User:
    user, created = User.objects.get_or_create(username=username)
    if created or not password.is_behind(user.password):
        user.password = password.encoded()
        user.save(update_fields=["password"])
    return user
