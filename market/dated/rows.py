"""The dated rules of markets, as rows: from a delivery day on something else holds, and days before keep their rule."""

from __future__ import annotations

from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo, available_timezones

from django.contrib.postgres.fields import ArrayField
from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from market.dated.currencies import WORDS
from market.periods import Marks
from market.rules import BLOCK, Phase, ReferenceSource

FIRST_DAY = "First delivery day; days before keep the rule of their time"
AS_BEFORE = "Empty: as before"
_NOT_BEFORE = "A gate closes before delivery: at least 1 minute."


class Product(models.IntegerChoices):
    """A product that an exchange trades, by its minutes."""

    HOUR = 60, "hours"
    HALF = 30, "half hours"
    QUARTER = 15, "quarter hours"
    BLOCK = BLOCK, "blocks of 2 to 24 hours"


def validate_time_zone(value: str) -> None:
    """Refuse a name that the time zone database doesn't have, and zones that are not whole hours from UTC."""
    if value not in available_timezones():
        raise ValidationError(f"“{value}” is not a time zone, for example Europe/Berlin")
    if not _is_whole_hours_from_utc(ZoneInfo(value)):
        raise ValidationError(f"{value} is not whole hours from UTC, as delivery hours are")


def _is_whole_hours_from_utc(zone: ZoneInfo) -> bool:
    """Whether delivery hours of the zone begin on whole hours of UTC, all year."""
    offsets = (datetime(2026, month, 1, tzinfo=zone).utcoffset() for month in range(1, 13))
    return all(offset is not None and not offset % timedelta(hours=1) for offset in offsets)


def validate_day_start(value: time) -> None:
    """Refuse a delivery day that begins within an hour: products lie within whole hours."""
    if value.minute or value.second or value.microsecond:
        raise ValidationError(f"A delivery day begins on a whole hour, not at {value:%H:%M}")


def validate_currency(value: str) -> None:
    """Refuse a currency that no provider's unit could be held against."""
    if value not in WORDS:
        raise ValidationError(f"“{value}” is not a currency known here: {', '.join(sorted(WORDS))}")


class DatedRow(models.Model):
    """A row that holds from a delivery day on."""

    valid_from = models.DateField(help_text=FIRST_DAY)
    entered_at = models.DateTimeField(db_default=Now(), editable=False)
    """Since when the rule is known here (UTC): boards of an earlier moment go without it."""

    class Meta:
        abstract = True


class MarketRule(DatedRow):
    """What else changes on a delivery day; an empty field stays as it was. Prices in the currency per MWh."""

    market = models.ForeignKey("market.Market", on_delete=models.CASCADE, related_name="rules")
    time_zone = models.CharField(
        "product zone",
        max_length=64,
        blank=True,
        validators=[validate_time_zone],
        help_text=f"What labels and delivery days mean, for example Europe/Berlin. {AS_BEFORE}",
    )
    day_start = models.TimeField(
        null=True,
        blank=True,
        validators=[validate_day_start],
        help_text="When the delivery day begins on the product zone's clock; 23:00 is the evening before its date. "
        + AS_BEFORE,
    )
    display_zone = models.CharField(
        "people's zone",
        max_length=64,
        blank=True,
        validators=[validate_time_zone],
        help_text=f"What the clocks of the market's people say, where that differs. {AS_BEFORE}",
    )
    currency = models.CharField(max_length=3, blank=True, validators=[validate_currency], help_text=AS_BEFORE)
    products = ArrayField(
        models.PositiveSmallIntegerField(choices=Product), blank=True, default=list, help_text=AS_BEFORE
    )
    opening = models.TimeField(
        null=True,
        blank=True,
        help_text=f"From when on tomorrow can be traded, on the product zone's clock of the day before. {AS_BEFORE}",
    )
    quarters_opening = models.TimeField(
        null=True, blank=True, help_text=f"The same for quarter hours, where they open later. {AS_BEFORE}"
    )
    lowest_price = models.DecimalField(
        max_digits=9, decimal_places=4, null=True, blank=True, help_text=f"Prices below are flagged. {AS_BEFORE}"
    )
    highest_price = models.DecimalField(
        max_digits=9, decimal_places=4, null=True, blank=True, help_text=f"Prices above are flagged. {AS_BEFORE}"
    )
    marks = models.CharField(
        "doubled hour",
        max_length=8,
        blank=True,
        choices=[(marks.value, marks.value) for marks in Marks],
        help_text=f"How the exchange writes the hour that exists twice. {AS_BEFORE}",
    )
    reference_name = models.CharField(
        max_length=80, blank=True, help_text=f"What the reference averages, and over which time. {AS_BEFORE}"
    )
    reference_rhythm = models.PositiveSmallIntegerField(
        null=True,
        blank=True,
        validators=[MaxValueValidator(3600)],
        help_text=f"Seconds from one publication to the next. {AS_BEFORE}",
    )
    to_check = ArrayField(models.CharField(max_length=32), blank=True, default=list, editable=False)
    """Fields whose value nobody has confirmed."""

    class Meta:
        ordering = ("market", "valid_from")
        constraints = (
            models.UniqueConstraint(
                name="one_market_rule_a_day",
                fields=("market", "valid_from"),
                violation_error_message="There is a rule from this day on already.",
            ),
            models.CheckConstraint(
                name="market_rule_bounds_in_order",
                condition=Q(lowest_price__isnull=True)
                | Q(highest_price__isnull=True)
                | Q(lowest_price__lt=models.F("highest_price")),
                violation_error_message="The lowest price is not below the highest.",
            ),
        )

    def __str__(self) -> str:
        return f"from {self.valid_from}"

    @property
    def says_something(self) -> bool:
        """Whether any field differs from \"as before\"."""
        about_it = {"id", "market", "valid_from", "entered_at", "to_check"}
        own = (field.name for field in self._meta.concrete_fields if field.name not in about_it)
        return any(getattr(self, name) not in {None, ""} if name != "products" else self.products for name in own)

    def clean(self) -> None:
        """One sentence for what can't be."""
        if not self.says_something:
            raise ValidationError("A rule that changes nothing: fill in what is different from this day on.")
        if self.reference_rhythm is not None and self.reference_rhythm < 60:
            raise ValidationError({"reference_rhythm": "A rhythm has 60 to 3600 seconds."})


class GateClosure(DatedRow):
    """From a delivery day on: when the gate of a phase closes."""

    class CountsFrom(models.TextChoices):
        OWN = "own", "its own start"
        HOUR = "hour", "the start of its hour"

    market = models.ForeignKey("market.Market", on_delete=models.CASCADE, related_name="gate_closures")
    phase = models.CharField(
        max_length=8,
        choices=[
            (Phase.BORDERS.value, "borders: across the country's borders"),
            (Phase.AREAS.value, "areas: across the areas of the country"),
            (Phase.AREA.value, "area: inside one area"),
        ],
    )
    product = models.PositiveSmallIntegerField(
        choices=Product, null=True, blank=True, help_text="Empty: every product without a rule of its own"
    )
    lead_minutes = models.PositiveSmallIntegerField(
        "minutes before delivery",
        null=True,
        blank=True,
        validators=[MinValueValidator(1, _NOT_BEFORE), MaxValueValidator(24 * 60)],
        help_text="Empty: from this day on there is no such phase",
    )
    counts_from = models.CharField(max_length=4, choices=CountsFrom, default=CountsFrom.OWN)
    is_confirmed = models.BooleanField(default=True, editable=False)

    class Meta:
        ordering = ("market", "phase", "product", "valid_from")
        constraints = (
            models.UniqueConstraint(
                name="one_gate_rule_a_day",
                fields=("market", "phase", "product", "valid_from"),
                nulls_distinct=False,
                violation_error_message="There is a rule for this gate from this day on already.",
            ),
            models.CheckConstraint(name="gate_closure_phase", condition=Q(phase__in=[phase.value for phase in Phase])),
        )

    def __str__(self) -> str:
        product = self.get_product_display() if self.product is not None else "every product"
        lead = "no such phase" if self.lead_minutes is None else f"{self.lead_minutes} min before delivery"
        return f"{self.phase}, {product}, from {self.valid_from}: {lead}"


class ReferenceRule(DatedRow):
    """From a delivery day on: where the reference price of a product shorter or longer than an hour comes from."""

    class Source(models.TextChoices):
        OWN = ReferenceSource.OWN, "own: the provider is asked for it"
        HOUR = ReferenceSource.HOUR, "hour: its hour's price (a block: its hours' mean) stands in, marked as such"
        NONE = ReferenceSource.NONE, "none: it has no reference"

    class Minutes(models.IntegerChoices):
        QUARTER = 15, "quarter hours"
        HALF = 30, "half hours"
        BLOCK = BLOCK, "blocks of 2 to 24 hours"

    market = models.ForeignKey("market.Market", on_delete=models.CASCADE, related_name="reference_rules")
    minutes = models.PositiveSmallIntegerField("product", choices=Minutes)
    source = models.CharField("reference", max_length=8, choices=Source)

    class Meta:
        ordering = ("minutes", "valid_from")
        constraints = (
            models.UniqueConstraint(
                name="one_reference_rule_a_day",
                fields=("market", "minutes", "valid_from"),
                violation_error_message="There is a rule for this product from this day on already.",
            ),
            models.CheckConstraint(name="reference_rule_of_another_product", condition=Q(minutes__in=(15, 30, BLOCK))),
            models.CheckConstraint(name="reference_rule_source", condition=Q(source__in=["own", "hour", "none"])),
        )

    def __str__(self) -> str:
        return f"{self.get_minutes_display()} from {self.valid_from}: {self.source}"
