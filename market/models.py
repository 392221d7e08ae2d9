"""A market: one configured delivery area. Everything else refers to it; nothing here knows trades or prices."""

from __future__ import annotations

from datetime import date, timedelta
from zoneinfo import ZoneInfo, available_timezones

from django.core.exceptions import ValidationError
from django.db import ProgrammingError, models, transaction
from django.db.models.functions import Now
from django.utils.functional import cached_property

from market.periods import DeliveryPeriod
from market.rules import HOUR, DatedSource, ReferenceSource, minutes_of, reference_period, source_of


def validate_time_zone(value: str) -> None:
    """Refuse a name that the time zone database doesn't have."""
    if value not in available_timezones():
        raise ValidationError(f"“{value}” is not a time zone, for example Europe/Berlin")


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

    @cached_property
    def dated_sources(self) -> tuple[DatedSource, ...]:
        """Where references of shorter products come from, by day; read once, when the first one is asked about.

        None before a market is stored, and where an update has not brought the table yet.
        """
        if self._state.adding:
            return ()
        try:
            with transaction.atomic():
                rules = list(self.reference_rules.values_list("valid_from", "minutes", "source"))
        except ProgrammingError:
            return ()
        return tuple(DatedSource(day, minutes, ReferenceSource(source)) for day, minutes, source in rules)

    def reference_source(self, day: date, period: DeliveryPeriod) -> ReferenceSource:
        """Where the reference of a period of that delivery day comes from."""
        if period.duration >= HOUR:
            return ReferenceSource.OWN
        return source_of(self.dated_sources, day=day, minutes=minutes_of(period))

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
