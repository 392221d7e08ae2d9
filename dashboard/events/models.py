"""Events as they are kept for seven days. Triggers write them, in the transaction of what they tell of."""

from __future__ import annotations

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from dashboard.events.wire import Kind


class Event(models.Model):
    """One thing that happened. `number` is given later, one after the other (store.py): until then nobody reads it.

    Without foreign keys: writing one must cost the storing of a trade next to nothing.
    """

    number = models.BigIntegerField(null=True, unique=True)
    kind = models.CharField(max_length=12, choices=[(kind.value, kind.value) for kind in Kind])
    at = models.DateTimeField(db_default=Now())
    trader = models.BigIntegerField(null=True, help_text="Whose it is, by primary key")
    user = models.BigIntegerField(null=True, help_text="The only one who may see it, by primary key")
    data = models.TextField(help_text="JSON, as it travels")

    class Meta:
        indexes = (models.Index(name="event_without_number", fields=("id",), condition=Q(number__isnull=True)),)

    def __str__(self) -> str:
        return f"{self.number}: {self.kind}"


class EventCount(models.Model):
    """How far events are numbered, and up to which number they are forgotten: one row, locked while numbers are
    given."""

    id = models.PositiveSmallIntegerField(primary_key=True, default=1)
    newest = models.BigIntegerField(default=0)
    forgotten = models.BigIntegerField(default=0)

    def __str__(self) -> str:
        return f"{self.forgotten} to {self.newest}"
