"""A market: one configured delivery area. Everything else refers to it; nothing here knows trades or prices."""

from __future__ import annotations

import copy
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from django.db import models
from django.db.models.functions import Now
from django.utils.functional import cached_property

from market.dated.reading import Dated, dated_rules
from market.dated.rows import GateClosure, MarketRule, ReferenceRule, validate_currency, validate_time_zone
from market.labels import label_of
from market.periods import DURATIONS, HOUR, Calendar, DeliveryPeriod, calendar_of, day_bounds, day_of, day_periods
from market.rules import (
    DatedGate,
    DayRules,
    Gate,
    PeriodRules,
    ReferenceSource,
    calendar_by,
    gate_rules,
    gates_of,
    product_of,
    reference_periods,
    rules_on,
    source_of,
)

__all__ = ["ClockReport", "DeskClock", "GateClosure", "Market", "MarketRule", "ReferenceRule", "validate_time_zone"]

_DAYS_KEPT = 8
"""Days whose periods' rules a market remembers: a board's and its neighbours'."""


class Market(models.Model):
    """A delivery area: code, its exchange feed and its provider, and what holds from its first day on.

    What changes afterwards are dated rules: see `rules_on`, `calendar` and `gates`.
    """

    code = models.SlugField(max_length=16, unique=True, help_text="Short name, for example DE")
    name = models.CharField(max_length=80)
    time_zone = models.CharField(max_length=64, default="Europe/Berlin", validators=[validate_time_zone])
    currency = models.CharField(max_length=3, default="EUR", validators=[validate_currency])
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
        """The product zone of the market's first day."""
        return ZoneInfo(self.time_zone)

    @cached_property
    def dated(self) -> Dated:
        """Everything dated about the market: read once, when the first day is asked about; nothing before it is
        stored."""
        return Dated() if self._state.adding else dated_rules([self.pk])[self.pk]

    def known_at(self, moment: datetime) -> Market:
        """The market with the dated rules that were known here at a moment (UTC)."""
        dated = self.dated.known_at(moment)
        if dated is self.dated:
            return self
        known = copy.copy(self)
        for remembered in ("calendar", "_rules", "_gate_rules", "_period_rules"):
            known.__dict__.pop(remembered, None)
        known.__dict__["dated"] = dated
        return known

    # --- days and labels ---
    @cached_property
    def calendar(self) -> Calendar:
        """How the market counts its delivery days, and writes their periods: the same object as long as it is the same,
        as what is remembered of periods is found by it."""
        return calendar_of(calendar_by(self._first_rules, self.dated.rules))

    @property
    def _first_rules(self) -> DayRules:
        return DayRules(self.zone, self.currency)

    def rules_on(self, day: date) -> DayRules:
        """What holds on a delivery day: its zones, currency, products, opening, bounds, and reference."""
        if day not in self._rules:
            self._rules[day] = rules_on(self._first_rules, self.dated.rules, day)
        return self._rules[day]

    @cached_property
    def _rules(self) -> dict[date, DayRules]:
        return {}

    def people_zone(self, day: date) -> ZoneInfo:
        """What the clocks of the market's people say on a delivery day."""
        return self.rules_on(day).people_zone

    def day_of(self, moment: datetime) -> date:
        """The delivery day of an aware moment."""
        return day_of(moment, self.calendar)

    def day_bounds(self, day: date) -> tuple[datetime, datetime]:
        """Start and end (UTC) of a delivery day."""
        return day_bounds(day, self.calendar)

    def day_periods(self, day: date, minutes: int = 60) -> tuple[DeliveryPeriod, ...]:
        """All periods of that length of a delivery day, in order."""
        return day_periods(day, self.calendar, minutes)

    def label_of(self, period: DeliveryPeriod) -> str:
        """The period's label as the market's exchange writes it."""
        return label_of(period, self.calendar)

    # --- when a period can be traded ---
    def gates(self, day: date, period: DeliveryPeriod) -> tuple[Gate, ...]:
        """The gate closures of a period of that delivery day, the first to close first."""
        kind = day, product_of(period)
        if kind not in self._gate_rules:
            lead = timedelta(minutes=self.gate_closure_minutes)
            self._gate_rules[kind] = gate_rules(self.dated.gates, day=day, product=kind[1], default_lead=lead)
        return gates_of(self._gate_rules[kind], period)

    @cached_property
    def _gate_rules(self) -> dict[tuple[date, int], tuple[DatedGate, ...]]:
        """What was found out already: a board asks for a hundred periods of a day."""
        return {}

    def period_rules(self, day: date, period: DeliveryPeriod) -> PeriodRules:
        """Everything that the rules say of a period of that delivery day; found out once for the last few days that
        were asked about, as a board asks with each trade."""
        of_day = self._period_rules.get(day)
        if of_day is None:
            if len(self._period_rules) >= _DAYS_KEPT:
                self._period_rules.clear()
            of_day = self._period_rules.setdefault(day, {})
        found = of_day.get(period)
        if found is None:
            source = self.reference_source(day, period)
            referred = ((one, self.gate_closure(day, one)) for one in reference_periods(period, source))
            gates, opens_at = self.gates(day, period), self.opens_at(day, period)
            found = PeriodRules(self.label_of(period), gates, opens_at, source, tuple(referred))
            of_day[period] = found
        return found

    @cached_property
    def _period_rules(self) -> dict[date, dict[DeliveryPeriod, PeriodRules]]:
        return {}

    def gate_closure(self, day: date, period: DeliveryPeriod) -> datetime:
        """The moment (UTC) after which the period can't be traded: its last gate's."""
        return self.gates(day, period)[-1].closes_at

    def longest_lead(self, day: date) -> timedelta:
        """How long before delivery the last gate closes, of the product of the day where that is longest."""
        first_hour = self.day_bounds(day)[0]
        starts = [first_hour + timedelta(minutes=minutes) for minutes in range(0, 60, 15)]
        lengths = [*DURATIONS, 2 * HOUR]
        periods = [DeliveryPeriod(start, start + length) for start in starts for length in lengths]
        return max(period.start - self.gate_closure(day, period) for period in periods)

    def opens_at(self, day: date, period: DeliveryPeriod) -> datetime | None:
        """From when on (UTC) a period of that delivery day can be traded; None where nobody has said it."""
        return self.rules_on(day).opens_at(day, product_of(period))

    # --- whose price a period goes by ---
    def reference_source(self, day: date, period: DeliveryPeriod) -> ReferenceSource:
        """Where the reference of a period of that delivery day comes from."""
        if period.duration == HOUR:
            return ReferenceSource.OWN
        return source_of(self.dated.sources, day=day, minutes=product_of(period))

    def reference_periods(self, day: date, period: DeliveryPeriod) -> tuple[DeliveryPeriod, ...]:
        """The periods whose price, or mean of prices, is the reference of `period`; none where it has none."""
        return reference_periods(period, self.reference_source(day, period))


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
