"""A user's own account: sessions, password, second factor; and the log-in's second steps."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.decorators import login_required
from django.contrib.auth.views import PasswordChangeView
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse_lazy
from django.utils.decorators import method_decorator
from django.utils.translation import gettext
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from accounts import second_factor
from accounts.audit.log import record
from accounts.audit.models import Action
from accounts.models import ApiToken, UserSession
from accounts.sessions import end_sessions, key_digest, sessions_of
from accounts.tokens import TokenError, create_token, revoke_token, tokens_of
from accounts.user_agents import browser_name
from dashboard.access import marks
from dashboard.access.rights import is_wall_screen, roles_of
from dashboard.pages.requests import refusal
from dashboard.pages.second_factor import signed_in_user
from market import clock
from market.tables import unless_missing


# --- the account ----------------------------------------------------------------------------------------------------
@require_safe
@never_cache
@login_required
def account(request: HttpRequest) -> HttpResponse:
    """The user's sessions, and what else is the user's own to change."""
    return _show(request)


def _show(request: HttpRequest, status: int = 200, **more: Any) -> HttpResponse:
    user, now = signed_in_user(request), clock.now()
    own = _own_session(request)
    context = {
        "sessions": [_shown(row, own) for row in sessions_of(user=user, now=now)],
        "marks": _marks(request),
        "has_password": user.has_usable_password(),
        "factor_is_on": second_factor.is_on(),
        "factor": second_factor.of(user) if second_factor.is_on() else None,
        "factor_is_required": second_factor.is_required(roles_of(user)),
        "may_have_tokens": not is_wall_screen(user),
        "tokens": unless_missing(lambda: list(tokens_of(user=user, now=now)), list[ApiToken]()),
        **more,
    }
    return render(request, "accounts/account.html", context, status=status)


def _marks(request: HttpRequest) -> list[tuple[str, str, bool]]:
    """Each mark of boards: its name, what it is called, and whether it is shown."""
    hidden = marks.hidden(request.COOKIES).split()
    return [(name, title, name not in hidden) for name, title in marks.titles().items()]


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


@require_POST
@login_required
def end(request: HttpRequest) -> HttpResponse:
    """End one of the user's own sessions (`session`), or all but this one."""
    user, only = signed_in_user(request), request.POST.get("session")
    but = None if only else _own_session(request)
    ended = end_sessions(user=user, only=only or None, but=but)
    if ended:
        details = {"sessions": ended}
        record(action=Action.SESSIONS_ENDED, subject=f"user {user}", details=details, actor=user.get_username())
    return redirect("account")


# --- tokens for programs ----------------------------------------------------------------------------------------------
@require_POST
@never_cache
@login_required
def make_token(request: HttpRequest) -> HttpResponse:
    """A new token; the answer shows it, this once. 400 with a sentence for one that can't be made."""
    user, asked = signed_in_user(request), {name: request.POST.get(name, "") for name in ("name", "scope", "days")}
    if is_wall_screen(user):
        return refusal(request, gettext("There is nothing at this address."))
    days = int(asked["days"]) if asked["days"].isascii() and asked["days"].isdigit() and len(asked["days"]) < 6 else 0
    try:
        token = create_token(user=user, name=asked["name"], scope=asked["scope"], days=days, now=clock.now())
    except TokenError as error:
        return _show(request, 400, token_error=str(error), asked=asked)
    return _show(request, new_token=token)


@require_POST
@login_required
def end_token(request: HttpRequest) -> HttpResponse:
    """Revoke one of the user's own tokens (`token`); one that is not there is gone already."""
    number = request.POST.get("token", "")
    if number.isascii() and number.isdigit() and len(number) < 19:
        revoke_token(user=signed_in_user(request), pk=int(number), now=clock.now())
    return redirect("account")


@method_decorator(never_cache, name="dispatch")
class ChangePassword(PasswordChangeView):
    """A new password for the user; every other session ends."""

    template_name = "accounts/password.html"
    success_url = reverse_lazy("account")

    def form_valid(self, form: Any) -> HttpResponse:
        response = super().form_valid(form)
        self.request.session.save()
        end_sessions(user=signed_in_user(self.request), but=_own_session(self.request))
        return response
