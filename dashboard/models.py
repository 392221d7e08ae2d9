"""Which login belongs to which trader. Rights beyond the own board come from groups (dashboard/access.py)."""

from __future__ import annotations

from django.conf import settings
from django.db import models

from trades.models import Trader


class TraderLogin(models.Model):
    """A user who is a trader: sees that trader's boards."""

    user = models.OneToOneField(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, primary_key=True, related_name="trader_login"
    )
    trader = models.ForeignKey(Trader, on_delete=models.PROTECT, related_name="logins")

    def __str__(self) -> str:
        return f"{self.user} is {self.trader}"
