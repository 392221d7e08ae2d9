"""Which login belongs to which trader, and what a user has chosen.

Rights beyond the own board come from groups (dashboard/access/rights.py).
"""

from __future__ import annotations

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models.functions import Now

from dashboard.alerts import models as alerts  # noqa: F401
from dashboard.assumptions import models as assumptions  # noqa: F401 - Django looks for an app's models here
from dashboard.events import models as events  # noqa: F401
from market.models import Market
from market.statements.exact import Exact
from trades.models import Trader

READINGS = ("product", "hour", "quarter")
"""How a board may be read (dashboard/figures/readings.py)."""


class TraderLogin(models.Model):
    """A user who is a trader: sees that trader's boards."""

    user = models.OneToOneField(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, primary_key=True, related_name="trader_login"
    )
    trader = models.ForeignKey(Trader, on_delete=models.PROTECT, related_name="logins")

    def __str__(self) -> str:
        return f"{self.user} is {self.trader}"


class Preference(models.Model):
    """What a user has chosen for the own pages; without a row the browser's wishes hold."""

    user = models.OneToOneField(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, primary_key=True, related_name="preference"
    )
    language = models.CharField(max_length=8, choices=settings.LANGUAGES)
    reading = models.CharField(max_length=8, choices=[(name, name) for name in READINGS], db_default="product")

    class Meta:
        constraints = (
            models.CheckConstraint(name="preference_reading_known", condition=models.Q(reading__in=list(READINGS))),
            models.CheckConstraint(
                name="preference_language_known",
                condition=models.Q(language__in=[code for code, _ in settings.LANGUAGES]),
            ),
        )

    def __str__(self) -> str:
        return f"{self.user}: {self.language}"


class LikeMoves(models.Model):
    """What references of one delivery day still moved until they were final, of one kind of cases, ascending (EUR/MWh).

    Made from the prices on record (dashboard/figures/firmness/store.py), and made anew from them at any time.
    """

    market = models.ForeignKey(Market, on_delete=models.CASCADE)
    delivery_day = models.DateField()
    minutes = models.PositiveSmallIntegerField(help_text="Product length")
    time_left = models.PositiveSmallIntegerField(help_text="The bucket of time left (firmness/rules.py: LEFT)")
    part = models.PositiveSmallIntegerField(help_text="The part of the day (firmness/rules.py: PARTS)")
    moves = ArrayField(models.DecimalField(max_digits=24, decimal_places=10))

    class Meta:
        constraints = (
            models.UniqueConstraint(
                name="like_moves_once", fields=("market", "delivery_day", "minutes", "time_left", "part")
            ),
        )

    def __str__(self) -> str:
        return f"{self.delivery_day} {self.minutes} min, {self.time_left}, {self.part}"


class KeptHistory(models.Model):
    """That the sums of a closed delivery day are kept, or of a month of such days (dashboard/figures/kept/).

    They hold as long as `basis` is what the market's rules say, and no HistoryChange names one of their days.
    """

    market = models.ForeignKey(Market, on_delete=models.CASCADE)
    first_day = models.DateField()
    last_day = models.DateField(help_text="The first day itself, or the last one of its month")
    basis = models.TextField(help_text="Whose clock the hours go by, and the rules that find the reference prices")
    kept_at = models.DateTimeField(db_default=Now())

    class Meta:
        constraints = (models.UniqueConstraint(name="history_kept_once", fields=("market", "first_day", "last_day")),)

    def __str__(self) -> str:
        return f"{self.first_day} to {self.last_day}: {self.basis}"


class KeptSum(models.Model):
    """What one trader (0: the desk together) made of one side in one reading: in all, and by hour of the market's
    clock.

    Energies are MWh, turnover and results EUR, as the statements of dashboard/figures/history_sql.py have them. The
    arrays are as long as `hours`; only hours with something delivered are there.
    """

    kept = models.ForeignKey(KeptHistory, on_delete=models.CASCADE, db_index=False, related_name="sums")
    minutes = models.PositiveSmallIntegerField(help_text="The reading's rows; 0: by product")
    trader = models.BigIntegerField(help_text="By primary key; 0: all of them together")
    direction = models.CharField(max_length=4)
    trades = models.BigIntegerField()
    energy, turnover = Exact(), Exact()
    result = Exact(null=True)
    priced, unpriced, stand_in = Exact(), Exact(), Exact()
    hours = ArrayField(models.PositiveSmallIntegerField())
    hour_trades = ArrayField(models.BigIntegerField(), help_text="Those that touch the hour")
    hour_energy, hour_turnover = ArrayField(Exact()), ArrayField(Exact())
    hour_result = ArrayField(Exact(null=True))
    hour_priced, hour_unpriced, hour_stand_in = ArrayField(Exact()), ArrayField(Exact()), ArrayField(Exact())

    class Meta:
        constraints = (
            models.UniqueConstraint(name="history_sum_once", fields=("kept", "minutes", "trader", "direction")),
        )

    def __str__(self) -> str:
        return f"{self.trader} {self.direction}: {self.energy} MWh"


class HistoryChange(models.Model):
    """A delivery day whose positions or prices have changed since its sums were kept. Triggers write it, in the
    transaction of the change; whoever keeps the day anew takes it away."""

    market = models.ForeignKey(Market, on_delete=models.CASCADE, db_index=False)
    delivery_day = models.DateField()

    class Meta:
        indexes = (models.Index(name="history_change_by_day", fields=("market", "delivery_day")),)

    def __str__(self) -> str:
        return f"{self.delivery_day}"


class FirstVisit(models.Model):
    """That a user has begun the guided first visit (dashboard/access/first_visit.py): it is never shown twice."""

    user = models.OneToOneField(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, primary_key=True, related_name="first_visit"
    )
    begun_at = models.DateTimeField(db_default=Now())

    def __str__(self) -> str:
        return f"{self.user}: {self.begun_at}"


class HiddenMarks(models.Model):
    """The marks of boards that a user has switched off (dashboard/access/marks.py); without a row none."""

    user = models.OneToOneField(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, primary_key=True, related_name="hidden_marks"
    )
    names = models.CharField(max_length=200, help_text="Names of marks, with spaces between")

    def __str__(self) -> str:
        return f"{self.user}: {self.names}"
