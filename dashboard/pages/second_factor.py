"""The second step of a log-in, and what an authenticator app shares with us: set up, asked for, removed."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.conf import settings
from django.contrib import messages
from django.contrib.auth import login
from django.contrib.auth.decorators import login_required
from django.contrib.auth.models import User
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.safestring import mark_safe
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

from accounts import second_factor
from accounts.client_address import address_of
from dashboard.access.first_visit import bring_visited
from dashboard.access.marks import bring_hidden
from dashboard.access.preferences import bring_choices
from dashboard.access.rights import roles_of
from market import clock

WAITING, SECRET, NEXT = "_waiting", "_secret", "_next"
"""Session: who has shown a password and waits for the second factor; the secret of one that is being set up."""

BACKEND = "accounts.guessing.LimitedBackend"

PATIENCE = timedelta(minutes=10)


def signed_in_user(request: HttpRequest) -> User:
    assert isinstance(request.user, User)
    return request.user


@require_http_methods(["GET", "POST"])
@never_cache
@login_required
def set_up_factor(request: HttpRequest) -> HttpResponse:
    """Set up a second factor for the account; one that is there is replaced with its own code only (see `remove`)."""
    user = signed_in_user(request)
    if not second_factor.is_on():
        raise Http404
    if second_factor.of(user) is not None:
        return redirect("account")
    return _set_up(request, user, clock.now(), and_log_in=False)


def _set_up(request: HttpRequest, user: User, now: datetime, *, and_log_in: bool) -> HttpResponse:
    secret = request.session.setdefault(SECRET, second_factor.new_secret())
    codes, error = None, ""
    if request.method == "POST":
        codes = second_factor.set_up(user=user, secret=secret, code=request.POST.get("code", "").strip(), now=now)
        error = "" if codes else _("This code is not right. Is the device's clock right?")
    if codes is None:
        address = second_factor.address_for_app(secret=secret, username=user.get_username())
        square = mark_safe(second_factor.square(address))  # noqa: S308 - segno's SVG of an address that is encoded in it
        context = {"secret": secret, "square": square, "error": error, "is_log_in": and_log_in}
        return render(request, "accounts/factor.html", context)
    del request.session[SECRET]
    target = request.session.pop(NEXT, "")
    if and_log_in:
        log_in(request, user, target)
    return render(
        request, "accounts/recovery.html", {"codes": codes, "way": safe_target(request, target) or reverse("home")}
    )


@require_POST
@login_required
def remove_factor(request: HttpRequest) -> HttpResponse:
    """Take the own second factor away, by a code of it; where a role needs one, the next log-in asks for a new one."""
    user = signed_in_user(request)
    if not second_factor.is_on():
        raise Http404
    code = request.POST.get("code", "")
    if second_factor.passes(user=user, code=code, address=address_of(request), now=clock.now()):
        second_factor.remove(user=user, by=user.get_username())
    else:
        messages.error(request, _("This code is not right, or was used already."))
    return redirect("account")


def needs_second_step(user: User) -> bool:
    """Whether a right password is not enough for this user."""
    return second_factor.is_on() and (second_factor.is_required(roles_of(user)) or second_factor.of(user) is not None)


def wait_for_second_step(request: HttpRequest, user: User, target: str) -> HttpResponse:
    """Remember who has shown the password; nobody is logged in yet."""
    request.session.cycle_key()
    request.session[WAITING] = [user.pk, clock.now().timestamp(), user.get_session_auth_hash()]
    request.session[NEXT] = target
    return redirect("second_step")


def _waiting(request: HttpRequest, now: datetime) -> User | None:
    """Who has shown the password a moment ago, and it is still theirs."""
    pk, since, password = request.session.get(WAITING) or (0, 0, "")
    user = User.objects.filter(pk=pk, is_active=True).first()
    in_time = now.timestamp() - since < PATIENCE.total_seconds()
    return user if user and in_time and user.get_session_auth_hash() == password else None


@require_http_methods(["GET", "POST"])
@never_cache
def second_step(request: HttpRequest) -> HttpResponse:
    """The log-in's second page: a code, or, where a role needs it and there is none yet, setting one up."""
    now = clock.now()
    user = _waiting(request, now) if second_factor.is_on() else None
    if user is None:
        return redirect("login")
    if second_factor.of(user) is None:
        return _set_up(request, user, now, and_log_in=True)
    if request.method == "GET":
        return render(request, "accounts/second_step.html")
    good = second_factor.passes(user=user, code=request.POST.get("code", ""), address=address_of(request), now=now)
    if good:
        return log_in(request, user, request.session.pop(NEXT, ""))
    problem = _("This code is not right, or was used already.")
    if good is None:
        problem = _("Too many failed log-ins from here. Wait 15 minutes, then try again.")
    return render(request, "accounts/second_step.html", {"error": problem}, status=200 if good is False else 429)


def log_in(request: HttpRequest, user: User, target: str) -> HttpResponse:
    """Begin the user's session: a new key, and nothing of what was waiting."""
    for name in (WAITING, SECRET, NEXT):
        request.session.pop(name, None)
    login(request, user, backend=BACKEND)
    response = redirect(safe_target(request, target) or settings.LOGIN_REDIRECT_URL)
    bring_choices(response, user)
    bring_hidden(response, user)
    bring_visited(response, user)
    return response


def safe_target(request: HttpRequest, target: str) -> str:
    """The address if it is one of ours, else nothing."""
    allowed = url_has_allowed_host_and_scheme(
        target, allowed_hosts={request.get_host()}, require_https=request.is_secure()
    )
    return target if allowed else ""
