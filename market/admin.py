"""Markets and their dated rules, for admins."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin
from django.core.exceptions import ValidationError

from market import clock
from market.models import Market, ReferenceRule
from market.periods import day_of


class ReferenceRuleForm(forms.ModelForm):
    """A rule for today or later: what has begun is how past days were judged."""

    def clean_valid_from(self) -> Any:
        valid_from = self.cleaned_data["valid_from"]
        market = self.instance.market if self.instance.market_id else None
        today = day_of(clock.now(), market.zone) if market else clock.now().date()
        if valid_from < today:
            raise ValidationError(f"A rule can't begin in the past: days before {today} keep the one of their time.")
        return valid_from


class ReferenceRules(admin.TabularInline):
    """Without a rule the provider is asked for every product (own)."""

    model = ReferenceRule
    form = ReferenceRuleForm
    extra = 1
    verbose_name_plural = "Reference prices of products shorter than an hour (without a rule: own)"

    def has_change_permission(self, *_args: Any, **_options: Any) -> bool:
        return False  # a rule is replaced by a later one

    def has_delete_permission(self, *_args: Any, **_options: Any) -> bool:
        return False


@admin.register(Market)
class MarketAdmin(admin.ModelAdmin):
    list_display = ("code", "name", "time_zone", "currency", "gate_closure_minutes", "is_active")
    inlines = (ReferenceRules,)
