"""Who is logged in, from where and until when."""

from __future__ import annotations

from importlib import import_module
from typing import Any

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.contrib.sessions.base_session import AbstractBaseSession
from django.db import models
from django.utils.translation import gettext_lazy as _

from market import clock


class UserSession(AbstractBaseSession):
    """One browser's session. Only a digest of the cookie's key is kept: who reads this table can't become anybody."""

    session_key = models.CharField(max_length=64, primary_key=True, help_text="SHA-256 of the cookie's value")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, null=True, related_name="sessions")
    auth_hash = models.CharField(max_length=128, blank=True, help_text="Changes with the user's password")
    started_at = models.DateTimeField(default=clock.now)
    seen_at = models.DateTimeField(default=clock.now, help_text="To about ten minutes")
    address = models.CharField(max_length=64, blank=True)
    browser = models.CharField(max_length=200, blank=True)

    class Meta:
        ordering = ("-seen_at",)
        verbose_name = "session"

    def __str__(self) -> str:
        return f"since {self.started_at:%Y-%m-%d %H:%M:%S} UTC"

    @classmethod
    def get_session_store_class(cls) -> Any:
        return import_module(settings.SESSION_ENGINE).SessionStore


class LoginAttempt(models.Model):
    """A log-in (or second factor) that did not succeed, or has not yet: what the locks are counted from."""

    name = models.CharField(max_length=64, help_text="SHA-256 of the name that was typed")
    address = models.CharField(max_length=64)
    at = models.DateTimeField()

    class Meta:
        indexes = (models.Index(name="attempt_by_address", fields=("address", "at")),)

    def __str__(self) -> str:
        return f"{self.address} {self.at:%Y-%m-%d %H:%M:%S} UTC"


class SecondFactor(models.Model):
    """What a user's authenticator app shares with us, and the digests of the recovery codes that are left."""

    user = models.OneToOneField(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, primary_key=True, related_name="second_factor"
    )
    secret = models.CharField(max_length=64)
    last_step = models.BigIntegerField(help_text="The time step of the last code that was used: none works twice")
    recovery = ArrayField(models.CharField(max_length=64), default=list)
    since = models.DateTimeField()

    def __str__(self) -> str:
        return f"second factor of {self.user}"


class CompanyIdentity(models.Model):
    """Who a user is to the company's identity provider: tied at the first log-in, for good."""

    user = models.OneToOneField(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, primary_key=True, related_name="company_identity"
    )
    issuer = models.CharField(max_length=300)
    subject = models.CharField(max_length=300)

    class Meta:
        constraints = (models.UniqueConstraint(name="company_identity_once", fields=("issuer", "subject")),)

    def __str__(self) -> str:
        return f"{self.user} at {self.issuer}"


class ApiToken(models.Model):
    """What a program shows instead of a session. Only a digest is kept: who reads this table can't become anybody."""

    class Scope(models.TextChoices):
        READ = "read", _("read")
        WRITE = "write", _("read and write")

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="api_tokens")
    name = models.CharField(max_length=80)
    scope = models.CharField(max_length=8, choices=Scope)
    digest = models.CharField(max_length=64, unique=True, help_text="SHA-256 of the token")
    created_at = models.DateTimeField(default=clock.now)
    expires_at = models.DateTimeField()
    revoked_at = models.DateTimeField(null=True)
    used_at = models.DateTimeField(null=True)
    address = models.CharField(max_length=64, blank=True, help_text="Where it was used from last")
    minute_began_at = models.DateTimeField(null=True, help_text="When the minute began that requests are counted in")
    minute_count = models.PositiveIntegerField(default=0)

    class Meta:
        ordering = ("-created_at", "-pk")
        constraints = (
            models.CheckConstraint(name="token_scope_known", condition=models.Q(scope__in=["read", "write"])),
        )

    def __str__(self) -> str:
        return f"“{self.name}” of {self.user}"
