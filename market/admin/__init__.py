"""Markets and their dated rules, for admins."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.http import HttpRequest

from market.admin.forms import GateClosureForm, MarketForm, MarketRuleForm, ReferenceRuleForm, RuleFormSet
from market.areas.adding import unconfirmed
from market.models import GateClosure, Market, MarketRule, ReferenceRule

FIRST_FIELDS = ("code", "time_zone", "currency", "gate_closure_minutes")
"""What holds from the first day on: another value would change how past days were judged."""


class _Dated(admin.TabularInline):
    """Rules are added and never changed: a rule is replaced by a later one."""

    formset = RuleFormSet
    extra = 0

    def has_change_permission(self, *_args: Any, **_options: Any) -> bool:
        return False

    def has_delete_permission(self, *_args: Any, **_options: Any) -> bool:
        return False


class Rules(_Dated, admin.StackedInline):
    template = "admin/edit_inline/stacked.html"
    model = MarketRule
    form = MarketRuleForm
    verbose_name = "rule from a day on"
    verbose_name_plural = "Rules: zones, day, products, opening, bounds, reference"
    fieldsets = (
        (None, {"fields": ("valid_from",)}),
        ("Days and clocks", {"fields": (("time_zone", "display_zone", "day_start", "marks"),)}),
        ("Trading", {"fields": ("products", ("opening", "quarters_opening"), ("lowest_price", "highest_price"))}),
        ("Money and reference", {"fields": (("currency", "reference_name", "reference_rhythm"),)}),
    )


class GateClosures(_Dated):
    model = GateClosure
    form = GateClosureForm
    verbose_name = "gate closure from a day on"
    verbose_name_plural = "Gate closures: without any, inside the area, by the minutes above"


class ReferenceRules(_Dated):
    model = ReferenceRule
    form = ReferenceRuleForm
    verbose_name_plural = "Reference prices of products but hours (without a rule: own)"


@admin.register(Market)
class MarketAdmin(admin.ModelAdmin):
    form = MarketForm
    list_display = ("code", "name", "time_zone", "currency", "is_active")
    inlines = (Rules, GateClosures, ReferenceRules)

    def get_fieldsets(self, request: HttpRequest, obj: Market | None = None) -> Any:
        """What is asked at the beginning, or waits for somebody who confirms it, and the market's own fields."""
        own = [name for name in self.get_fields(request, obj) if name not in {"area", "confirmed"}]
        if obj is None:
            return [(None, {"fields": ["area", *own]})]
        waiting = [("To be checked", {"fields": ["confirmed"]})] if unconfirmed(obj) else []
        return [*waiting, (None, {"fields": own})]

    def get_readonly_fields(self, _request: HttpRequest, obj: Market | None = None) -> tuple[str, ...]:
        return FIRST_FIELDS if obj else ()

    def get_inlines(self, _request: HttpRequest, obj: Market | None) -> tuple[type[_Dated], ...]:
        """A market is begun first, from what is known of its area; its rules change afterwards."""
        return self.inlines if obj else ()
