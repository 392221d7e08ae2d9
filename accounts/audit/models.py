"""The audit log: who did what and when. Rows are only ever added; each has a digest of itself and the one before.

PostgreSQL itself refuses to change or delete a row (a trigger), and the application's role has no right to.
"""

from __future__ import annotations

from django.db import models


class Action(models.TextChoices):
    """What is worth a row."""

    LOGGED_IN = "logged_in", "logged in"
    LOGGED_OUT = "logged_out", "logged out"
    LOG_IN_FAILED = "log_in_failed", "failed to log in"
    LOCKED_OUT = "locked_out", "was locked out"
    SESSIONS_ENDED = "sessions_ended", "ended sessions"
    VIEWED = "viewed", "viewed"
    EXPORTED = "exported", "exported"
    IMPORTED = "imported", "imported a file"
    CANCELLED = "cancelled", "cancelled a trade"
    CORRECTED = "corrected", "corrected a trade"
    RETRIED = "retried", "retried a frame"
    DISMISSED = "dismissed", "dismissed a frame"
    GAP_CLOSED = "gap_closed", "closed a gap"
    ASSUMED = "assumed", "wrote down an assumption"
    WITHDRAWN = "withdrawn", "withdrew an assumption"
    USER_ADDED = "user_added", "added a user"
    USER_CHANGED = "user_changed", "changed a user"
    SECOND_FACTOR = "second_factor", "changed a second factor"
    TOKEN_CREATED = "token_created", "created a token"
    TOKEN_REVOKED = "token_revoked", "revoked a token"
    RULE_CHANGED = "rule_changed", "changed a rule of alerts"
    ALERT_SEEN = "alert_seen", "acknowledged an alert"
    ADMIN_CHANGED = "admin_changed", "changed a row in the admin"


class Entry(models.Model):
    """One row. `number` counts without a gap; `digest` covers the rest, `previous` too (accounts/audit/chain.py)."""

    number = models.BigIntegerField(primary_key=True)
    at = models.DateTimeField()
    actor = models.CharField(max_length=150, help_text="Who: the username, or the command")
    action = models.CharField(max_length=32, choices=Action)
    subject = models.CharField(max_length=300, blank=True, help_text="What it was done to")
    details = models.TextField(blank=True, help_text="JSON")
    address = models.CharField(max_length=64, blank=True, help_text="The client's address")
    previous = models.CharField(max_length=64)
    digest = models.CharField(max_length=64)

    class Meta:
        ordering = ("-number",)
        verbose_name = "audit entry"
        verbose_name_plural = "audit log"
        indexes = (
            models.Index(name="audit_by_actor", fields=("actor", "-number")),
            models.Index(name="audit_by_time", fields=("at",)),
        )

    def __str__(self) -> str:
        return f"{self.number}: {self.actor} {self.get_action_display()}"
