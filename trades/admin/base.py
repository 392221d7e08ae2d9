"""What the admin's pages of trades share: a look, moments to the microsecond, and decisions with a reason."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any, ClassVar

from django.contrib import admin, messages
from django.contrib.admin.utils import unquote
from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse

from accounts.audit.read_only_admin import ReadOnlyAdmin
from market import clock
from trades.admin.forms import CorrectForm, DecisionForm
from trades.ledger.decisions import DecisionError
from trades.models import Trade, TradeChange

LONGEST_SHOWN_FRAME = 4000

UNDEFINED = "—"

FACT_NAMES = {
    "price": "price (per MWh)",
    "quantity": "quantity (MW)",
    "direction": "direction",
    "delivery_day": "delivery day",
    "delivery_hour": "delivery hour",
    "trader_id": "trader",
}


def moment(name: str) -> Callable[[Any, Any], str]:
    """For an admin's `<name>_utc`: the row's moment called `name`, to the second, in UTC."""

    @admin.display(description=f"{name.removesuffix('_at').replace('_', ' ')} (UTC)", ordering=name)
    def shown(_admin: Any, row: Any) -> str:
        value: datetime | None = getattr(row, name)
        return f"{value:%Y-%m-%d %H:%M:%S}" if value else UNDEFINED

    return shown


class StyledAdmin(ReadOnlyAdmin):
    """Rows that are only read, with the little style of its own that pages of trades need."""

    class Media:
        css: ClassVar[dict[str, tuple[str, ...]]] = {"all": ("css/decisions.css",)}


class DecidingAdmin(StyledAdmin):
    """Rows that are only read, with decisions that people with `decision_permission` may take about them."""

    change_form_template = "admin/trades/decisions.html"
    decision_permission: ClassVar[str]
    decision_forms: ClassVar[tuple[type[DecisionForm], ...]]

    def decisions(self, row: Any) -> Sequence[DecisionForm]:
        """The forms that fit the row as it is now."""
        raise NotImplementedError

    def has_decision_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm(self.decision_permission)

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Who may decide may look."""
        return super().has_view_permission(request, obj) or self.has_decision_permission(request)

    def get_urls(self) -> list[URLPattern]:
        name = f"{self.opts.app_label}_{self.opts.model_name}_decide"
        view = self.admin_site.admin_view(self.decide_view)
        return [path("<path:object_id>/decide/<slug:decision>/", view, name=name), *super().get_urls()]

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        row = self.get_object(request, unquote(object_id))
        extra = {"decisions": self._offered(request, row), **self.facts_beside(request, row)} if row else {}
        return super().change_view(request, object_id, form_url, {**extra, **(extra_context or {})})

    def decisions_for(self, request: HttpRequest, row: Any) -> Sequence[DecisionForm]:
        """Those of them that this user may take."""
        return self.decisions(row) if self.has_decision_permission(request) else ()

    def may_take(self, request: HttpRequest, row: Any, decision: str) -> bool:
        """Whether this decision about this row is the user's to take, whatever its state."""
        return True

    def facts_beside(self, request: HttpRequest, row: Any) -> dict[str, Any]:
        """What else the page shows of the row to this user."""
        return {}

    def _offered(self, request: HttpRequest, row: Any) -> list[tuple[DecisionForm, str]]:
        return [(form, self._address("decide", row, form.name)) for form in self.decisions_for(request, row)]

    def _address(self, view: str, row: Any, *more: str) -> str:
        return reverse(f"admin:{self.opts.app_label}_{self.opts.model_name}_{view}", args=[row.pk, *more])

    def decide_view(self, request: HttpRequest, object_id: str, decision: str) -> HttpResponse:
        """Carry a decision out, or show its form again with what is wrong. Looking at the address decides nothing."""
        if not self.has_decision_permission(request):
            raise PermissionDenied
        row = self.get_object(request, unquote(object_id))
        form_class = next((form for form in self.decision_forms if form.name == decision), None)
        if row is None or form_class is None or not self.may_take(request, row, decision):
            raise Http404
        if request.method == "POST":
            form = form_class(request.POST, prefix=decision)
            if not (form.is_valid() and self._carry_out(request, row, form)):
                return self._again(request, row, form)
        return HttpResponseRedirect(self._address("change", row))

    def _carry_out(self, request: HttpRequest, row: Any, form: DecisionForm) -> bool:
        assert isinstance(request.user, User)
        try:
            with transaction.atomic():
                done = form.carry_out(row, request.user, clock.now())
                self.log_change(request, row, done)
        except DecisionError as error:
            sentence = str(error)
            messages.error(request, f"{sentence[:1].upper()}{sentence[1:]}.")
            return False
        messages.success(request, done)
        return True

    def _again(self, request: HttpRequest, row: Any, form: DecisionForm) -> HttpResponse:
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "title": form.label,
            "subtitle": str(row),
            "original": row,
            "decision": form,
            "address": self._address("decide", row, form.name),
            "back": self._address("change", row),
            "media": self.media,
        }
        return TemplateResponse(request, "admin/trades/decision_again.html", context, status=422)


def shown_facts(facts: Trade | TradeChange) -> dict[str, str]:
    shown = {key: str(value) for key, value in CorrectForm.prefilled(facts).items()}
    return {FACT_NAMES[key]: value for key, value in shown.items()}
