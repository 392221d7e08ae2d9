"""A market: one configured delivery area. Everything else refers to it; nothing here knows trades or prices."""

from __future__ import annotations

from datetime import timedelta
from zoneinfo import ZoneInfo, available_timezones

from django.core.exceptions import ValidationError
from django.db import models
from django.db.models.functions import Now


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
