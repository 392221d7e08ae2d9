"""Logging in: password, second step, the company's identity provider."""

from __future__ import annotations

import structlog
from django.contrib.auth.forms import AuthenticationForm
from django.contrib.auth.views import LoginView
from django.core.exceptions import ValidationError
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.decorators import method_decorator
from django.utils.translation import gettext_lazy
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from accounts import oidc
from accounts.audit.log import record
from accounts.audit.models import Action
from accounts.client_address import address_of
from accounts.login_throttle import LOCKED
from dashboard.pages.second_factor import (
    NEXT,
    log_in,
    needs_second_step,
    wait_for_second_step,
)

log = structlog.get_logger("dashboard.pages.login")


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
