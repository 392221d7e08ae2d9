"""Reference prices as published, and the ledger of every request made for them.

Units: values EUR/MWh (the market's currency), all times UTC.
"""

from __future__ import annotations

from django.db import models
from django.db.models import F, Q

from market.models import Market


class PriceFields(models.Model):
    """One published value of one period."""

    market = models.ForeignKey(Market, on_delete=models.PROTECT)
    delivery_day = models.DateField(help_text="The market's local date")
    delivery_hour = models.CharField(max_length=16, help_text="Canonical label, for example 08-09")
    delivery_start = models.DateTimeField()
    delivery_end = models.DateTimeField()
    value = models.DecimalField(max_digits=24, decimal_places=10, help_text="EUR/MWh")
    last_update = models.DateTimeField(help_text="When the provider updated it, by the provider's word")
    arrived_at = models.DateTimeField(help_text="When the answer reached us")

    class Meta:
        abstract = True


class ReferencePrice(PriceFields):
    """The latest known reference price per period. `revision` grows by one with every change of the row."""

    revision = models.BigIntegerField(default=1)
    restated_from = models.DecimalField(
        max_digits=24, decimal_places=10, null=True, blank=True, help_text="The final price that this one replaced"
    )
    restated_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ("-delivery_start",)
        constraints = (
            models.UniqueConstraint(
                name="reference_price_once", fields=("market", "delivery_day", "delivery_start", "delivery_end")
            ),
            models.CheckConstraint(
                name="reference_price_period_forward", condition=Q(delivery_end__gt=F("delivery_start"))
            ),
        )

    def __str__(self) -> str:
        return f"{self.delivery_day} {self.delivery_hour}: {self.value}"


class ReferencePriceHistory(PriceFields):
    """Every value that was accepted, once: the path of a period's price."""

    class Meta:
        ordering = ("-last_update", "-delivery_start")
        verbose_name_plural = "reference price history"
        constraints = (
            models.UniqueConstraint(
                name="reference_price_history_once",
                fields=("market", "delivery_start", "delivery_end", "last_update"),
            ),
        )
        indexes = (
            models.Index(name="price_history_by_day", fields=("delivery_day", "market")),
            models.Index(name="price_history_by_market", fields=("market", "id")),  # since when it has any (past.py)
        )

    def __str__(self) -> str:
        return f"{self.delivery_day} {self.delivery_hour} at {self.last_update:%H:%M:%S}: {self.value}"


class PriceCheck(models.Model):
    """A person wants final prices asked for again: a day's, or one period's. Done from what the budget leaves."""

    market = models.ForeignKey(Market, on_delete=models.PROTECT)
    delivery_day = models.DateField(help_text="In the market's product zone")
    delivery_hour = models.CharField(
        max_length=16, blank=True, help_text="One period, for example 08-09 or 08:15-08:30; empty: the whole day"
    )
    delivery_start = models.DateTimeField(null=True, blank=True, editable=False)
    delivery_end = models.DateTimeField(null=True, blank=True, editable=False)
    reason = models.CharField(max_length=300)
    asked_by = models.CharField(max_length=150, editable=False)
    asked_at = models.DateTimeField(editable=False)

    class Meta:
        ordering = ("-id",)
        indexes = (models.Index(name="price_check_by_time", fields=("-asked_at",)),)
        constraints = (
            models.CheckConstraint(
                name="price_check_of_a_day_or_a_period",
                condition=Q(delivery_hour="", delivery_start__isnull=True, delivery_end__isnull=True)
                | (~Q(delivery_hour="") & Q(delivery_start__isnull=False, delivery_end__gt=F("delivery_start"))),
            ),
        )

    def __str__(self) -> str:
        return f"{self.delivery_day} {self.delivery_hour or 'all day'}"


class PriceCorrection(PriceFields):
    """A final price that was another one before: `value` replaced `old_value`, and `why` it was asked for again."""

    class Why(models.TextChoices):
        AFTER_DELIVERY = "after_delivery", "the check after delivery"
        NEXT_MORNING = "next_morning", "the check of the next morning"
        BY_HAND = "by_hand", "somebody wanted it asked for again"
        CHASE = "chase", "asked for as an open one still"

    old_value = models.DecimalField(max_digits=24, decimal_places=10, help_text="EUR/MWh")
    old_last_update = models.DateTimeField()
    why = models.CharField(max_length=16, choices=Why)

    class Meta:
        ordering = ("-id",)
        constraints = (
            models.UniqueConstraint(
                name="price_correction_once", fields=("market", "delivery_start", "delivery_end", "last_update")
            ),
        )
        indexes = (models.Index(name="price_correction_by_day", fields=("delivery_day", "market")),)

    def __str__(self) -> str:
        return f"{self.delivery_day} {self.delivery_hour}: {self.old_value} to {self.value}"


class ProviderRequest(models.Model):
    """The ledger: one row per request, written before it is sent. What is not here was not asked.

    A request counts against the provider's limits from `sent_at` until the window has passed since `finished_at`
    (or, unanswered, since it must have ended): the provider can have counted it at any moment between the two.
    """

    class Outcome(models.TextChoices):
        PENDING = "pending", "pending"
        NEWER = "newer", "newer value stored"
        UNCHANGED = "unchanged", "value already known"
        UNDEFINED = "undefined", "no price yet"
        REFUSED = "refused", "refused by the provider (429)"
        BAD_ANSWER = "bad_answer", "answer not usable"
        FAILED = "failed", "no answer"

    market = models.ForeignKey(Market, on_delete=models.PROTECT)
    delivery_start = models.DateTimeField()
    delivery_end = models.DateTimeField()
    sent_at = models.DateTimeField()
    finished_at = models.DateTimeField(null=True, blank=True)
    outcome = models.CharField(max_length=16, choices=Outcome, default=Outcome.PENDING)
    detail = models.CharField(max_length=300, blank=True)
    paused_until = models.DateTimeField(
        null=True, blank=True, help_text="After a 429: nobody asks for anything before this moment"
    )

    class Meta:
        ordering = ("-id",)
        indexes = (
            models.Index(name="provider_request_by_time", fields=("-sent_at",)),
            models.Index(name="provider_request_by_period", fields=("market", "delivery_start", "-sent_at")),
        )

    def __str__(self) -> str:
        return f"{self.sent_at:%Y-%m-%d %H:%M:%S} UTC: {self.outcome}"
