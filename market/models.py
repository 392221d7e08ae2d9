"""A market: one configured delivery area. Everything else refers to it; nothing here knows trades or prices."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any
from zoneinfo import ZoneInfo, available_timezones

from django.contrib.postgres.expressions import ArraySubquery
from django.core.exceptions import ValidationError
from django.db import models
from django.db.models.functions import JSONObject, Now

from market.periods import DeliveryPeriod
from market.rules import DatedSource, ReferenceSource, minutes_of, reference_period, source_of


def validate_time_zone(value: str) -> None:
    """Refuse a name that the time zone database doesn't have."""
    if value not in available_timezones():
        raise ValidationError(f"“{value}” is not a time zone, for example Europe/Berlin")


class MarketManager(models.Manager["Market"]):
    """Markets with their dated rules, in the same query: every board needs them."""

    def get_queryset(self) -> models.QuerySet[Market]:
        rules = ReferenceRule.objects.filter(market=models.OuterRef("pk")).order_by("valid_from")
        facts = JSONObject(valid_from="valid_from", minutes="minutes", source="source")
        return super().get_queryset().annotate(read_rules=ArraySubquery(rules.values(facts=facts)))


class Market(models.Model):
    """A delivery area: code, time zone, currency, gate closure, its exchange feed and its provider."""

    code = models.SlugField(max_length=16, unique=True, help_text="Short name, for example DE")
    name = models.CharField(max_length=80)
    time_zone = models.CharField(max_length=64, default="Europe/Berlin", validators=[validate_time_zone])
    currency = models.CharField(max_length=3, default="EUR")
    gate_closure_minutes = models.PositiveSmallIntegerField(
        default=5, help_text="Minutes before delivery starts after which a period can't be traded"
    )
    exchange_ws_url = models.CharField(
        max_length=500, blank=True, help_text="Websocket of the exchange; empty: EXCHANGE_WS_URL"
    )
    market_data_url = models.CharField(
        max_length=500, blank=True, help_text="Base URL of the market data provider; empty: MARKET_DATA_URL"
    )
    is_active = models.BooleanField(default=True, help_text="Listened to and priced")

    objects = MarketManager()

    class Meta:
        ordering = ("code",)
        constraints = (
            models.CheckConstraint(name="market_currency_is_iso", condition=models.Q(currency__regex="^[A-Z]{3}$")),
        )

    def __str__(self) -> str:
        return self.code

    @property
    def zone(self) -> ZoneInfo:
        return ZoneInfo(self.time_zone)

    @property
    def gate_closure_lead(self) -> timedelta:
        """How long before delivery start the gate closes."""
        return timedelta(minutes=self.gate_closure_minutes)

    @property
    def dated_sources(self) -> tuple[DatedSource, ...]:
        """Where references come from, by day; a market that was made and not read has no rules."""
        if "read_rules" not in self.__dict__:
            rules = [] if self._state.adding else self.reference_rules.values("valid_from", "minutes", "source")
            self.__dict__["read_rules"] = [{**rule, "valid_from": str(rule["valid_from"])} for rule in rules]
        read: list[dict[str, Any]] = self.__dict__["read_rules"]
        return tuple(
            DatedSource(date.fromisoformat(rule["valid_from"]), rule["minutes"], ReferenceSource(rule["source"]))
            for rule in read
        )

    def reference_source(self, day: date, period: DeliveryPeriod) -> ReferenceSource:
        """Where the reference of a period of that delivery day comes from."""
        rules = self.dated_sources
        return source_of(rules, day=day, minutes=minutes_of(period)) if rules else ReferenceSource.OWN

    def reference_period(self, day: date, period: DeliveryPeriod) -> DeliveryPeriod | None:
        """The period whose price is the reference of `period`; None where it has none."""
        return reference_period(period, self.reference_source(day, period))


class ReferenceRule(models.Model):
    """From a delivery day on: where the reference price of a product shorter than an hour comes from."""

    class Source(models.TextChoices):
        OWN = ReferenceSource.OWN, "own: the provider is asked for it"
        HOUR = ReferenceSource.HOUR, "hour: its hour's price stands in, marked as such"
        NONE = ReferenceSource.NONE, "none: it has no reference"

    class Minutes(models.IntegerChoices):
        QUARTER = 15, "quarter hours"
        HALF = 30, "half hours"

    market = models.ForeignKey(Market, on_delete=models.CASCADE, related_name="reference_rules")
    minutes = models.PositiveSmallIntegerField("product", choices=Minutes)
    source = models.CharField("reference", max_length=8, choices=Source)
    valid_from = models.DateField(help_text="First delivery day; days before keep the rule of their time")

    class Meta:
        ordering = ("minutes", "valid_from")
        constraints = (
            models.UniqueConstraint(
                name="one_reference_rule_a_day",
                fields=("market", "minutes", "valid_from"),
                violation_error_message="There is a rule for this product from this day on already.",
            ),
            models.CheckConstraint(
                name="reference_rule_of_a_shorter_product", condition=models.Q(minutes__in=(15, 30))
            ),
            models.CheckConstraint(
                name="reference_rule_source", condition=models.Q(source__in=["own", "hour", "none"])
            ),
        )

    def __str__(self) -> str:
        return f"{self.get_minutes_display()} from {self.valid_from}: {self.source}"


class DeskClock(models.Model):
    """How far the desk's time is ahead of PostgreSQL's clock, in seconds: one row (market/clock.py)."""

    id = models.PositiveSmallIntegerField(primary_key=True, default=1)
    ahead = models.FloatField(db_default=0.0)
    decisions = models.IntegerField(db_default=0)
    stepped = models.FloatField(db_default=0.0)
    kept_at = models.DateTimeField(db_default=Now())
    stepped_by = models.FloatField(null=True)
    stepped_at = models.DateTimeField(null=True)


class ClockReport(models.Model):
    """A process whose own clock is moved: how many seconds it is ahead of the desk's time (`seen_at`)."""

    process = models.CharField(max_length=120, unique=True)
    ahead = models.FloatField()
    seen_at = models.DateTimeField()
