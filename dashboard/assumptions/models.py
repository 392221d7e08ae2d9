"""Assumptions as they are kept: written down, frozen, judged, withdrawn. Rows are added and never changed.

Units: prices, moves and thresholds EUR/MWh (the market's currency), quantity MW, net MWh, all times UTC.
"""

from __future__ import annotations

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q

from dashboard.assumptions.rules import BROKEN_AT, Claim, Verdict
from market.models import Market
from trades.models import Trader

LONGEST_REASON, LONGEST_TAG, MOST_TAGS = 280, 30, 3
JUDGED = (Verdict.RIGHT, Verdict.WRONG, Verdict.FLAT, Verdict.VOID)


class Assumption(models.Model):
    """What a trader expects of one or more periods of a delivery day. The desk's clock dates it."""

    market = models.ForeignKey(Market, on_delete=models.PROTECT)
    trader = models.ForeignKey(Trader, on_delete=models.PROTECT, related_name="assumptions")
    author = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    created_at = models.DateTimeField()
    delivery_day = models.DateField(help_text="The market's local date")
    reading = models.CharField(max_length=8, help_text="How the author's board was read")
    claim = models.CharField(max_length=8, choices=[(claim.value, claim.value) for claim in Claim])
    threshold = models.DecimalField(max_digits=24, decimal_places=10, null=True, help_text="Least move, width or bound")
    broken_at = models.DecimalField(max_digits=24, decimal_places=10, default=BROKEN_AT, help_text="EUR/MWh against it")
    confidence = models.PositiveSmallIntegerField(null=True, help_text="Per cent")
    quantity = models.DecimalField(max_digits=9, decimal_places=4, null=True, help_text="MW")
    tags = ArrayField(models.CharField(max_length=LONGEST_TAG), default=list)
    reason = models.CharField(max_length=LONGEST_REASON, blank=True)
    late = models.BooleanField(help_text="Written in the last ten minutes: in no rate")

    class Meta:
        ordering = ("-id",)
        indexes = (
            models.Index(name="assumption_by_trader", fields=("trader", "delivery_day", "-id")),
            models.Index(name="assumption_newest_of_trader", fields=("trader", "-id")),
            models.Index(name="assumption_by_day", fields=("market", "delivery_day")),
        )
        constraints = (
            models.CheckConstraint(name="assumption_claim_known", condition=Q(claim__in=[c.value for c in Claim])),
            models.CheckConstraint(
                name="assumption_has_its_threshold",
                condition=~Q(claim__in=["within", "above", "below"]) | Q(threshold__isnull=False),
            ),
            models.CheckConstraint(
                name="assumption_threshold_not_negative",
                condition=Q(claim__in=["above", "below"]) | Q(threshold__isnull=True) | Q(threshold__gte=0),
            ),
            models.CheckConstraint(
                name="assumption_confidence", condition=Q(confidence__isnull=True) | Q(confidence__range=(50, 90))
            ),
            models.CheckConstraint(name="assumption_broken_at_positive", condition=Q(broken_at__gt=0)),
        )

    def __str__(self) -> str:
        return f"{self.pk}: {self.delivery_day} {self.claim}"


class AssumedPeriod(models.Model):
    """One period of an assumption: by whose price it is judged, and what the author had of it.

    Without `reference_start` the market's rule gives it no reference: it stays without a price.
    """

    assumption = models.ForeignKey(
        Assumption,
        on_delete=models.PROTECT,
        related_name="periods",
        db_index=False,  # what makes it unique begins with it
    )
    delivery_hour = models.CharField(max_length=16)
    delivery_start = models.DateTimeField()
    delivery_end = models.DateTimeField()
    reference_start = models.DateTimeField(null=True)
    reference_end = models.DateTimeField(null=True)
    gate_closes_at = models.DateTimeField(help_text="The last gate closure, as the rules were when it was written")
    net_mwh = models.DecimalField(max_digits=20, decimal_places=6, help_text="The author's net position then")
    average_price = models.DecimalField(max_digits=24, decimal_places=10, null=True, help_text="The author's, then")

    class Meta:
        ordering = ("delivery_start", "delivery_end")
        constraints = (
            models.UniqueConstraint(
                name="assumed_period_once", fields=("assumption", "delivery_start", "delivery_end")
            ),
            models.CheckConstraint(name="assumed_period_forward", condition=Q(delivery_end__gt=F("delivery_start"))),
        )
        indexes = (
            models.Index(name="assumed_period_by_gate", fields=("gate_closes_at",)),
            models.Index(name="assumed_period_by_price", fields=("reference_start", "reference_end", "gate_closes_at")),
        )

    def __str__(self) -> str:
        return f"{self.assumption_id} {self.delivery_hour}"


class FrozenPrice(models.Model):
    """What an assumption is measured from: the newest price when it was stored, or the first one after it."""

    period = models.OneToOneField(AssumedPeriod, on_delete=models.PROTECT, primary_key=True, related_name="frozen")
    value = models.DecimalField(max_digits=24, decimal_places=10)
    last_update = models.DateTimeField(help_text="When the provider updated it, by the provider's word")
    last_change = models.DecimalField(max_digits=24, decimal_places=10, null=True, help_text="To the price before it")
    frozen_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.period_id}: {self.value}"


class VerdictRecord(models.Model):
    """What one final said of one period; without a final: void, because none came in time. The newest one holds."""

    period = models.ForeignKey(AssumedPeriod, on_delete=models.PROTECT, related_name="verdicts", db_index=False)
    verdict = models.CharField(max_length=8, choices=[(verdict.value, verdict.value) for verdict in JUDGED])
    final_price = models.DecimalField(max_digits=24, decimal_places=10, null=True)
    final_updated_at = models.DateTimeField(null=True)
    move = models.DecimalField(max_digits=24, decimal_places=10, null=True)
    judged_at = models.DateTimeField()

    class Meta:
        ordering = ("id",)
        constraints = (
            models.UniqueConstraint(name="verdict_once_a_final", fields=("period", "final_updated_at")),
            models.UniqueConstraint(name="void_once", fields=("period",), condition=Q(final_updated_at__isnull=True)),
            models.CheckConstraint(name="verdict_known", condition=Q(verdict__in=[v.value for v in JUDGED])),
        )

    def __str__(self) -> str:
        return f"{self.period_id}: {self.verdict}"


class Withdrawal(models.Model):
    """The author stands by it no more; it is judged all the same."""

    assumption = models.OneToOneField(Assumption, on_delete=models.PROTECT, primary_key=True, related_name="withdrawal")
    made_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.assumption_id}"


class AssumptionPolicy(models.Model):
    """Who sees whose assumptions: one row, set by an admin (dashboard/assumptions/visibility.py)."""

    id = models.PositiveSmallIntegerField(primary_key=True, default=1, editable=False)
    shared = models.BooleanField(
        default=False, help_text="On: traders see each other's. Off: heads, auditors and admins see all of them"
    )
    blind = models.BooleanField(
        default=False,
        help_text="On: nobody sees another's open assumption for a period before writing an own one for it",
    )

    class Meta:
        verbose_name_plural = "assumption policy"
        constraints = (models.CheckConstraint(name="one_assumption_policy", condition=Q(id=1)),)

    def __str__(self) -> str:
        return f"shared {self.shared}, blind {self.blind}"
