"""A user's own account: sessions, password, second factor; and the log-in's second steps."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import structlog
from django.conf import settings
from django.contrib import messages
from django.contrib.auth import login
from django.contrib.auth.decorators import login_required
from django.contrib.auth.forms import AuthenticationForm
from django.contrib.auth.models import User
from django.contrib.auth.views import LoginView, PasswordChangeView
from django.core.exceptions import ValidationError
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse, reverse_lazy
from django.utils import timezone
from django.utils.decorators import method_decorator
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.safestring import mark_safe
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts import oidc, second_factor
from accounts.audit.log import record
from accounts.audit.models import Action
from accounts.client_address import address_of
from accounts.login_throttle import LOCKED
from accounts.models import UserSession
from accounts.sessions import end_sessions, key_digest, sessions_of
from accounts.user_agents import browser_name
from dashboard.access.preferences import chosen_language, remember_language
from dashboard.access.rights import roles_of

log = structlog.get_logger("dashboard.pages.account")

BACKEND = "accounts.guessing.LimitedBackend"
WAITING, SECRET, NEXT = "_waiting", "_secret", "_next"
"""Session: who has shown a password and waits for the second factor; the secret of one that is being set up."""
PATIENCE = timedelta(minutes=10)


# --- the account ----------------------------------------------------------------------------------------------------
@require_safe
@never_cache
@login_required
def account(request: HttpRequest) -> HttpResponse:
    """The user's sessions, and what else is the user's own to change."""
    user, now = _user(request), timezone.now()
    own = _own_session(request)
    context = {
        "sessions": [_shown(row, own) for row in sessions_of(user=user, now=now)],
        "has_password": user.has_usable_password(),
        "factor_is_on": second_factor.is_on(),
        "factor": second_factor.of(user) if second_factor.is_on() else None,
        "factor_is_required": second_factor.is_required(roles_of(user)),
    }
    return render(request, "accounts/account.html", context)


def _shown(row: UserSession, own: str) -> dict[str, Any]:
    return {
        "id": row.session_key,
        "is_own": row.session_key == own,
        "started": f"{row.started_at:%Y-%m-%d %H:%M}",
        "seen": f"{row.seen_at:%Y-%m-%d %H:%M}",
        "address": row.address,
        "browser": browser_name(row.browser),
        "agent": row.browser,
    }


def _own_session(request: HttpRequest) -> str:
    return key_digest(request.session.session_key or "")


def _user(request: HttpRequest) -> User:
    assert isinstance(request.user, User)
    return request.user


@require_POST
@login_required
def end(request: HttpRequest) -> HttpResponse:
    """End one of the user's own sessions (`session`), or all but this one."""
    user, only = _user(request), request.POST.get("session")
    but = None if only else _own_session(request)
    ended = end_sessions(user=user, only=only or None, but=but)
    if ended:
        details = {"sessions": ended}
        record(action=Action.SESSIONS_ENDED, subject=f"user {user}", details=details, actor=user.get_username())
    return redirect("account")


@method_decorator(never_cache, name="dispatch")
class ChangePassword(PasswordChangeView):
    """A new password for the user; every other session ends."""

    template_name = "accounts/password.html"
    success_url = reverse_lazy("account")

    def form_valid(self, form: Any) -> HttpResponse:
        response = super().form_valid(form)
        self.request.session.save()
        end_sessions(user=_user(self.request), but=_own_session(self.request))
        return response


# --- the second factor ----------------------------------------------------------------------------------------------
def needs_second_step(user: User) -> bool:
    """Whether a right password is not enough for this user."""
    return second_factor.is_on() and (second_factor.is_required(roles_of(user)) or second_factor.of(user) is not None)


def wait_for_second_step(request: HttpRequest, user: User, target: str) -> HttpResponse:
    """Remember who has shown the password; nobody is logged in yet."""
    request.session.cycle_key()
    request.session[WAITING] = [user.pk, timezone.now().timestamp(), user.get_session_auth_hash()]
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
    now = timezone.now()
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


@require_http_methods(["GET", "POST"])
@never_cache
@login_required
def set_up_factor(request: HttpRequest) -> HttpResponse:
    """Set up a second factor for the account; one that is there is replaced with its own code only (see `remove`)."""
    user = _user(request)
    if not second_factor.is_on():
        raise Http404
    if second_factor.of(user) is not None:
        return redirect("account")
    return _set_up(request, user, timezone.now(), and_log_in=False)


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
    return render(request, "accounts/recovery.html", {"codes": codes, "way": _safe(request, target) or reverse("home")})


@require_POST
@login_required
def remove_factor(request: HttpRequest) -> HttpResponse:
    """Take the own second factor away, by a code of it; where a role needs one, the next log-in asks for a new one."""
    user = _user(request)
    if not second_factor.is_on():
        raise Http404
    code = request.POST.get("code", "")
    if second_factor.passes(user=user, code=code, address=address_of(request), now=timezone.now()):
        second_factor.remove(user=user, by=user.get_username())
    else:
        messages.error(request, _("This code is not right, or was used already."))
    return redirect("account")


def log_in(request: HttpRequest, user: User, target: str) -> HttpResponse:
    """Begin the user's session: a new key, and nothing of what was waiting."""
    for name in (WAITING, SECRET, NEXT):
        request.session.pop(name, None)
    login(request, user, backend=BACKEND)
    response = redirect(_safe(request, target) or settings.LOGIN_REDIRECT_URL)
    remember_language(response, chosen_language(user))
    return response


def _safe(request: HttpRequest, target: str) -> str:
    """The address if it is one of ours, else nothing."""
    allowed = url_has_allowed_host_and_scheme(
        target, allowed_hosts={request.get_host()}, require_https=request.is_secure()
    )
    return target if allowed else ""


# --- the company's identity provider ------------------------------------------------------------------------------
@require_safe
@never_cache
def to_company(request: HttpRequest) -> HttpResponse:
    """To the provider's own log-in: a link, because our policy lets no form lead to another site."""
    if not oidc.is_on():
        raise Http404
    request.session[NEXT] = request.GET.get("next", "")
    try:
        return oidc.begin(request, request.build_absolute_uri(reverse("from_company")))
    except oidc.CompanyError as error:
        return _refused(request, error)


@require_safe
@never_cache
def from_company(request: HttpRequest) -> HttpResponse:
    """Back from the provider. Its own second factor counts; ours is not asked for."""
    if not oidc.is_on():
        raise Http404
    try:
        user = oidc.finish(request)
    except oidc.CompanyError as error:
        return _refused(request, error)
    return log_in(request, user, request.session.pop(NEXT, ""))


def _refused(request: HttpRequest, error: oidc.CompanyError) -> HttpResponse:
    log.warning("company_log_in_failed", error=str(error)[:300])
    record(action=Action.LOG_IN_FAILED, actor="(company)", subject=str(error), address=address_of(request))
    return render(request, "accounts/company_refused.html", status=403)


class SignInForm(AuthenticationForm):
    """Django's form, with a shorter word for a wrong pair, and another for too many of them."""

    error_messages = {
        **AuthenticationForm.error_messages,
        "invalid_login": gettext_lazy("Username and password don't belong together. Upper and lower case matter."),
        "locked": gettext_lazy("Too many failed log-ins from here. Wait 15 minutes, then try again."),
    }

    def is_locked(self) -> bool:
        """Whether the pair was not even looked at."""
        return bool(getattr(self.request, LOCKED, False))

    def get_invalid_login_error(self) -> ValidationError:
        code = "locked" if self.is_locked() else "invalid_login"
        return ValidationError(self.error_messages[code], code=code)


@method_decorator(never_cache, name="dispatch")
class SignIn(LoginView):
    """The login page; who is signed in already goes on to the board."""

    authentication_form = SignInForm
    redirect_authenticated_user = True
    extra_context = {"company": oidc.is_on}

    def form_invalid(self, form: SignInForm) -> HttpResponse:  # type: ignore[override]  # its authentication_form
        response = super().form_invalid(form)
        response.status_code = 429 if form.is_locked() else 200
        return response

    def form_valid(self, form: AuthenticationForm) -> HttpResponse:
        user, target = form.get_user(), self.get_success_url()
        return (
            wait_for_second_step(self.request, user, target)
            if needs_second_step(user)
            else log_in(self.request, user, target)
        )
