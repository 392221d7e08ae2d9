"""Rules of alerts, what fired, and what is still to be delivered. All times UTC."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import Q

from dashboard.alerts.rules import Kind, Level
from market.models import Market
from trades.models import Trader

CHANNELS = ("mail", "webhook")


class AlertRule(models.Model):
    """What a user wants to be told. `desk_wide`: a head's, told to each trader whom it is about, and to the head."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="alert_rules")
    kind = models.CharField(max_length=20, choices=[(kind.value, kind.value) for kind in Kind])
    threshold = models.DecimalField(max_digits=20, decimal_places=4, null=True, help_text="MWh, or money")
    minutes = models.PositiveSmallIntegerField(null=True)
    trader = models.ForeignKey(Trader, on_delete=models.CASCADE, null=True, related_name="+", help_text="Empty: all")
    market = models.ForeignKey(Market, on_delete=models.CASCADE, null=True, related_name="+", help_text="Empty: all")
    desk_wide = models.BooleanField(default=False)
    sound = models.BooleanField(default=False)
    browser = models.BooleanField(default=False)
    mail = models.BooleanField(default=False)
    webhook = models.BooleanField(default=False)
    snoozed_until = models.DateTimeField(null=True)
    created_at = models.DateTimeField()

    class Meta:
        ordering = ("pk",)
        constraints = (
            models.CheckConstraint(name="alert_kind_known", condition=Q(kind__in=[kind.value for kind in Kind])),
        )

    def __str__(self) -> str:
        return f"{self.pk}: {self.kind} of {self.user}"


class AlertTarget(models.Model):
    """Where a user's webhooks go; what is sent is signed with the secret."""

    user = models.OneToOneField(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, primary_key=True, related_name="alert_target"
    )
    url = models.CharField(max_length=500)
    secret = models.CharField(max_length=64)

    def __str__(self) -> str:
        return f"webhook of {self.user}"


class Alert(models.Model):
    """One episode: told once, counted while it lasts. `muted`: only an import or late frames have brought it about."""

    rule = models.ForeignKey(AlertRule, on_delete=models.SET_NULL, null=True, related_name="alerts")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="alerts")
    kind = models.CharField(max_length=20)
    subject = models.CharField(max_length=400)
    facts = models.JSONField(default=dict)
    level = models.CharField(max_length=8, choices=[(level.value, level.value) for level in Level])
    muted = models.BooleanField(default=False)
    started_at = models.DateTimeField()
    last_at = models.DateTimeField()
    clear_since = models.DateTimeField(null=True)
    ended_at = models.DateTimeField(null=True)
    count = models.PositiveIntegerField(default=1)
    seen_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ("-pk",)
        indexes = (models.Index(name="alert_by_user", fields=("user", "-id")),)
        constraints = (
            models.UniqueConstraint(
                name="one_episode_at_a_time", fields=("rule", "user", "subject"), condition=Q(ended_at__isnull=True)
            ),
        )

    def __str__(self) -> str:
        return f"{self.pk}: {self.kind} {self.subject}"


class AlertDelivery(models.Model):
    """A mail or a webhook of an alert, until it has arrived or is given up."""

    alert = models.ForeignKey(Alert, on_delete=models.CASCADE, related_name="deliveries")
    channel = models.CharField(max_length=8, choices=[(name, name) for name in CHANNELS])
    attempts = models.PositiveSmallIntegerField(default=0)
    next_at = models.DateTimeField(null=True, help_text="Empty: it has arrived, or was given up")
    done_at = models.DateTimeField(null=True)
    error = models.CharField(max_length=200, blank=True)

    class Meta:
        indexes = (models.Index(name="delivery_due", fields=("next_at",), condition=Q(next_at__isnull=False)),)

    def __str__(self) -> str:
        return f"{self.channel} of {self.alert_id}"


class AlertWatch(models.Model):
    """How far the watch has looked: one row, so that a killed worker's successor misses nothing."""

    id = models.PositiveSmallIntegerField(primary_key=True, default=1)
    looked_at = models.DateTimeField()
    trade = models.BigIntegerField(default=0)
    gap = models.BigIntegerField(default=0)
    frame = models.BigIntegerField(default=0)

    def __str__(self) -> str:
        return f"{self.looked_at}"


class AlertSample(models.Model):
    """A board's result at a moment at which it became another one; kept for a day."""

    trader = models.ForeignKey(Trader, on_delete=models.CASCADE, related_name="+")
    market = models.ForeignKey(Market, on_delete=models.CASCADE, related_name="+")
    delivery_day = models.DateField()
    at = models.DateTimeField()
    result = models.DecimalField(max_digits=30, decimal_places=10)

    class Meta:
        indexes = (models.Index(name="sample_of_board", fields=("trader", "market", "delivery_day", "at")),)

    def __str__(self) -> str:
        return f"{self.at}: {self.result}"
