"""Forms of markets and their dated rules: what they refuse, and the values that people confirm."""

from __future__ import annotations

from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.forms.models import BaseInlineFormSet

from market import clock
from market.areas.adding import begin_with, confirm, known_areas, unconfirmed
from market.areas.presets import PRESETS
from market.dated.rows import Product
from market.models import Market


class DatedForm(forms.ModelForm):
    """A rule for today or later: what has begun is how past days were judged."""

    def clean_valid_from(self) -> Any:
        valid_from = self.cleaned_data["valid_from"]
        market = self.instance.market if self.instance.market_id else None
        today = market.day_of(clock.now()) if market else clock.now().date()
        if valid_from < today:
            raise ValidationError(f"A rule can't begin in the past: days before {today} keep the one of their time.")
        return valid_from


class MarketRuleForm(DatedForm):
    products = forms.TypedMultipleChoiceField(
        choices=Product.choices,
        coerce=int,
        required=False,
        widget=forms.CheckboxSelectMultiple,
        help_text="What can be traded from this day on. None: as before",
    )


class GateClosureForm(DatedForm):
    """Minutes before delivery, by product and phase."""


class ReferenceRuleForm(DatedForm):
    """Where a reference comes from."""


class RuleFormSet(BaseInlineFormSet):
    """No two rules for one day, whether stored or on the same page."""

    def clean(self) -> None:
        super().clean()
        seen: set[tuple[Any, ...]] = set()
        for form in self.forms:
            said = getattr(form, "cleaned_data", None)
            if not said or said.get("DELETE") or not said.get("valid_from"):
                continue
            key = tuple(said.get(name) for name in ("phase", "product", "minutes", "valid_from"))
            if key in seen:
                raise ValidationError(f"There are two rules of the same kind from {said['valid_from']} on.")
            seen.add(key)


class MarketForm(forms.ModelForm):
    """A market: begun from what is known of an area, or by hand; its values are confirmed here."""

    area = forms.ChoiceField(
        required=False,
        label="Begin with the rules of",
        help_text="What is known of its zone, currency, products, gates, clocks and labels; you check it afterwards",
    )
    confirmed = forms.MultipleChoiceField(
        required=False,
        label="To be checked",
        widget=forms.CheckboxSelectMultiple,
        help_text="Nobody has confirmed these: tick what you have checked, put right what is wrong by a rule below",
    )

    class Meta:
        model = Market
        fields = (
            "code",
            "name",
            "time_zone",
            "currency",
            "gate_closure_minutes",
            "exchange_ws_url",
            "market_data_url",
            "is_active",
        )

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        is_new = self.instance.pk is None
        areas = [(preset.code, f"{preset.code} {preset.name}") for preset in known_areas()] if is_new else []
        waiting = [] if is_new else [(one.key, f"{one.name}: {one.value}") for one in unconfirmed(self.instance)]
        self._offer("area", areas and [("", "nothing: by hand"), *areas])
        self._offer("confirmed", waiting)

    def _offer(self, name: str, choices: list[tuple[str, str]]) -> None:
        field = self.fields[name]
        assert isinstance(field, forms.ChoiceField)
        field.choices = choices

    def clean(self) -> dict[str, Any]:
        """With an area its own zone and currency."""
        said = super().clean() or self.cleaned_data
        if preset := PRESETS.get(said.get("area", "")):
            said |= {"time_zone": preset.zone, "currency": preset.currency}
        return said

    def _save_m2m(self) -> None:
        super()._save_m2m()  # type: ignore[misc]  # the stubs don't know it
        if area := self.cleaned_data.get("area"):
            begin_with(self.instance, PRESETS[area])
        if keys := self.cleaned_data.get("confirmed"):
            confirm(self.instance, keys)
