"""Markets begun from what is known of their area, and their values confirmed by people."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass

from django.core.exceptions import ValidationError
from django.db import transaction

from market.areas.presets import FIRST_DAY, PRESETS, Preset
from market.dated.reading import ALWAYS
from market.dated.rows import Product
from market.models import GateClosure, Market, MarketRule

NAMES = {
    "products": "products",
    "currency": "currency",
    "day_start": "start of the delivery day",
    "opening": "opening for tomorrow",
    "quarters_opening": "opening of tomorrow's quarter hours",
    "lowest_price": "lowest price",
    "highest_price": "highest price",
    "marks": "how the doubled hour is written",
}
"""The fields of a rule that can wait for confirmation, in words."""


class AreaError(LookupError):
    """An area that nothing is known of, or one that is a market already; the message is one sentence for people."""


@dataclass(frozen=True, slots=True)
class Unconfirmed:
    """A value of a market that nobody has confirmed: a key for forms, its name and the value in words."""

    key: str
    name: str
    value: str


def known_areas() -> list[Preset]:
    """The areas that can be begun with, by code."""
    return sorted(PRESETS.values(), key=lambda preset: preset.code)


@transaction.atomic
def add_market(code: str, *, exchange_ws_url: str = "", market_data_url: str = "", is_active: bool = True) -> Market:
    """A market with the rules of its area. Raises AreaError; nothing is half added."""
    preset = PRESETS.get(code)
    if preset is None:
        raise AreaError(f"nothing is known of “{code}”; known: {', '.join(sorted(PRESETS))}")
    if Market.objects.filter(code=code).exists():
        raise AreaError(f"{code} is a market already")
    market = Market(
        code=code,
        name=preset.name,
        time_zone=preset.zone,
        currency=preset.currency,
        exchange_ws_url=exchange_ws_url,
        market_data_url=market_data_url,
        is_active=is_active,
    )
    market.full_clean()
    market.save()
    begin_with(market, preset)
    return market


def begin_with(market: Market, preset: Preset) -> None:
    """Store the area's rules as the market's first ones."""
    if market.rules.filter(valid_from=FIRST_DAY).exists():
        raise ValidationError("The market has its first rules already.")
    MarketRule.objects.create(
        market=market,
        valid_from=FIRST_DAY,
        entered_at=ALWAYS,
        day_start=preset.day_start,
        display_zone=preset.display_zone,
        products=list(preset.products),
        opening=preset.opening,
        quarters_opening=preset.quarters_opening,
        lowest_price=preset.lowest_price,
        highest_price=preset.highest_price,
        marks=preset.marks.value,
        to_check=list(preset.to_check),
    )
    GateClosure.objects.bulk_create(
        GateClosure(
            market=market,
            valid_from=FIRST_DAY,
            entered_at=ALWAYS,
            phase=closure.phase.value,
            lead_minutes=closure.minutes,
            is_confirmed=closure.confirmed,
        )
        for closure in preset.closures
    )


def unconfirmed(market: Market) -> list[Unconfirmed]:
    """What of the market nobody has confirmed, in the order of its rules."""
    return [*_of_rules(market), *_of_gates(market)]


def _of_rules(market: Market) -> Iterator[Unconfirmed]:
    for rule in market.rules.order_by("valid_from"):
        for name in rule.to_check:
            value = getattr(rule, name) or getattr(market, name, "")
            shown = _shown(rule, name, value)
            yield Unconfirmed(f"rule-{rule.pk}-{name}", NAMES[name], shown)


def _shown(rule: MarketRule, name: str, value: object) -> str:
    if name == "products":
        return ", ".join(Product(product).label for product in rule.products)
    return f"{value:%H:%M}" if hasattr(value, "hour") else str(value)


def _of_gates(market: Market) -> Iterator[Unconfirmed]:
    for gate in market.gate_closures.filter(is_confirmed=False).order_by("valid_from", "phase", "product"):
        yield Unconfirmed(f"gate-{gate.pk}", "gate closure", str(gate))


@transaction.atomic
def confirm(market: Market, keys: Collection[str]) -> int:
    """Somebody has checked these values; how many of them were not confirmed before."""
    found = [one.key for one in unconfirmed(market) if one.key in keys]
    for rule in market.rules.all():
        checked = {key.removeprefix(f"rule-{rule.pk}-") for key in found if key.startswith(f"rule-{rule.pk}-")}
        if checked:
            rule.to_check = [name for name in rule.to_check if name not in checked]
            rule.save(update_fields=["to_check"])
    gates = [int(key.removeprefix("gate-")) for key in found if key.startswith("gate-")]
    market.gate_closures.filter(pk__in=gates).update(is_confirmed=True)
    return len(found)
