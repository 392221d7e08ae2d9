"""What the desk has traded, and what could not be booked. Facts never change; counters and positions follow them.

Units: prices EUR/MWh (the market's currency), quantity MW, energy MWh, turnover EUR, all times UTC.
"""

from __future__ import annotations

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q, Value
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from market.models import Market

NO_CONTROL_CHARACTERS = "^[^\\u0001-\\u001f\\u007f-\\u009f]+$"


class Direction(models.TextChoices):
    BUY = "buy", _("buy")
    SELL = "sell", _("sell")


class TradeFlag(models.TextChoices):
    """Oddities that never stop a trade from being booked."""

    UNKNOWN_TRADER = "unknown_trader", _("unknown trader")
    PERIOD_CLOSED = "period_closed", _("arrived after gate closure")
    ODD_EXECUTION_TIME = "odd_execution_time", _("odd execution time")
    AMBIGUOUS_HOUR = "ambiguous_hour", _("hour exists twice, first taken")
    PRICE_OUT_OF_BOUNDS = "price_out_of_bounds", _("price outside the market's bounds")
    UNLISTED_PRODUCT = "unlisted_product", _("product the market doesn't list")
    NOT_IN_FILE = "not_in_file", _("missing from the exchange's own file")


class Trader(models.Model):
    """A person or a bot, known by the exchange's `trader_id`; an unknown one appears with its first trade."""

    trader_id = models.CharField(max_length=255, unique=True)
    name = models.CharField(max_length=80, blank=True, help_text="Shown instead of the id")
    is_bot = models.BooleanField(default=False)
    is_known = models.BooleanField(
        default=True, help_text="Off: appeared with a trade and nobody has confirmed it; its trades are flagged"
    )
    first_seen_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ("trader_id",)
        constraints = (
            models.CheckConstraint(name="trader_id_is_clean", condition=Q(trader_id__regex=NO_CONTROL_CHARACTERS)),
        )

    def __str__(self) -> str:
        return self.name or self.trader_id


class Trade(models.Model):
    """A stored, valid confirmation. Identity is the exchange's id within a market; the facts never change."""

    market = models.ForeignKey(Market, on_delete=models.PROTECT, db_index=False)  # the first of a constraint's
    exchange_id = models.CharField(max_length=255)
    trader = models.ForeignKey(
        Trader,
        on_delete=models.PROTECT,
        db_index=False,  # trade_by_trader_day begins with it
        related_name="trades",
    )
    direction = models.CharField(max_length=4, choices=Direction)
    price = models.DecimalField(max_digits=9, decimal_places=4, help_text="EUR/MWh")
    quantity = models.DecimalField(max_digits=9, decimal_places=4, help_text="MW")
    delivery_day = models.DateField(help_text="The market's local date")
    delivery_hour = models.CharField(max_length=16, help_text="Canonical label, for example 08-09")
    delivery_start = models.DateTimeField()
    delivery_end = models.DateTimeField()
    execution_time = models.DateTimeField()
    received_at = models.DateTimeField(help_text="When the frame reached the listener")
    stored_at = models.DateTimeField(db_default=Now())
    flags = ArrayField(models.CharField(max_length=32), default=list, blank=True)
    source = models.CharField(max_length=255, help_text="Journal (or file) that holds the frame")
    source_position = models.BigIntegerField(help_text="The frame's number in it")
    second_side_of = models.ForeignKey(
        "self",
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        db_index=False,  # a partial index has the few that there are
        related_name="second_sides",
        help_text="The trade whose other side this is: the desk traded with itself under one id",
    )

    class Meta:
        ordering = ("-id",)
        constraints = (
            models.UniqueConstraint(name="trade_once_per_market", fields=("market", "exchange_id")),
            models.CheckConstraint(name="trade_direction_known", condition=Q(direction__in=Direction.values)),
            models.CheckConstraint(name="trade_quantity_positive", condition=Q(quantity__gt=0)),
            models.CheckConstraint(
                name="trade_within_limits",
                condition=Q(price__gte=-99999, price__lte=99999, quantity__lte=99999),
            ),
            models.CheckConstraint(name="trade_period_forward", condition=Q(delivery_end__gt=F("delivery_start"))),
            models.CheckConstraint(name="trade_id_is_clean", condition=Q(exchange_id__regex=NO_CONTROL_CHARACTERS)),
        )
        indexes = (
            models.Index(name="trade_by_trader_day", fields=("trader", "delivery_day", "delivery_start", "id")),
            models.Index(name="trade_by_day", fields=("delivery_day", "id")),
            models.Index(name="trade_by_exchange_id", fields=("exchange_id",)),
            models.Index(name="trade_by_market", fields=("market", "id")),  # since when a market has any (past.py)
            models.Index(
                name="trade_second_sides", fields=("second_side_of",), condition=Q(second_side_of__isnull=False)
            ),
        )

    def __str__(self) -> str:
        return self.exchange_id


class TradeChange(models.Model):
    """A trade's life after its confirmation: cancelled, or corrected to other facts. The newest one holds.

    The trade's own row never changes. A correction carries all facts as they are now; a cancellation carries none.
    """

    class Kind(models.TextChoices):
        CANCELLED = "cancelled", _("cancelled")
        CORRECTED = "corrected", _("corrected")

    trade = models.ForeignKey(Trade, on_delete=models.PROTECT, related_name="changes")
    kind = models.CharField(max_length=16, choices=Kind)
    reason = models.CharField(max_length=500)
    made_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    made_at = models.DateTimeField(db_default=Now())
    trader = models.ForeignKey(Trader, on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    direction = models.CharField(max_length=4, choices=Direction, blank=True)
    price = models.DecimalField(max_digits=9, decimal_places=4, null=True, blank=True, help_text="EUR/MWh")
    quantity = models.DecimalField(max_digits=9, decimal_places=4, null=True, blank=True, help_text="MW")
    delivery_day = models.DateField(null=True, blank=True)
    delivery_hour = models.CharField(max_length=16, blank=True)
    delivery_start = models.DateTimeField(null=True, blank=True)
    delivery_end = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ("-id",)
        indexes = (models.Index(name="trade_change_by_trade", fields=("trade", "-id")),)
        constraints = (
            models.CheckConstraint(name="trade_change_has_a_reason", condition=~Q(reason="")),
            models.CheckConstraint(
                name="trade_change_is_whole",
                condition=Q(kind="cancelled")
                | Q(
                    kind="corrected",
                    trader__isnull=False,
                    direction__in=Direction.values,
                    price__isnull=False,
                    quantity__gt=0,
                    delivery_day__isnull=False,
                    delivery_start__isnull=False,
                    delivery_end__gt=F("delivery_start"),
                ),
            ),
        )
        permissions = (("judge_trade", "Can cancel and correct trades, with a reason"),)

    def __str__(self) -> str:
        return f"{self.trade_id} {self.kind}"


class Position(models.Model):
    """Per market, trader, period and direction: what the trades add up to. Kept in the trades' own transaction.

    `revision` grows by one with every change of the row, so that the sum over a board's rows is a version of its
    figures that only ever grows (dashboard.figures.board.version).
    """

    market = models.ForeignKey(Market, on_delete=models.PROTECT)
    trader = models.ForeignKey(Trader, on_delete=models.PROTECT, related_name="positions")
    direction = models.CharField(max_length=4, choices=Direction)
    delivery_day = models.DateField()
    delivery_hour = models.CharField(max_length=16)
    delivery_start = models.DateTimeField()
    delivery_end = models.DateTimeField()
    trade_count = models.PositiveIntegerField()
    quantity = models.DecimalField(max_digits=18, decimal_places=4, help_text="MW, summed")
    energy = models.DecimalField(max_digits=20, decimal_places=6, help_text="MWh")
    turnover = models.DecimalField(max_digits=28, decimal_places=10, help_text="EUR: sum of price x MWh")
    revision = models.BigIntegerField(default=1)
    updated_at = models.DateTimeField(db_default=Now())

    class Meta:
        ordering = ("-delivery_start", "trader", "direction")
        constraints = (
            models.UniqueConstraint(
                name="position_once",
                fields=("trader", "delivery_day", "market", "delivery_start", "delivery_end", "direction"),
            ),
            models.CheckConstraint(name="position_direction_known", condition=Q(direction__in=Direction.values)),
            models.CheckConstraint(name="position_not_negative", condition=Q(quantity__gte=0, energy__gte=0)),
        )
        indexes = (models.Index(name="position_by_day", fields=("delivery_day", "market")),)

    def __str__(self) -> str:
        return f"{self.trader} {self.delivery_day} {self.delivery_hour} {self.direction}"


class PositionSlot(models.Model):
    """What a position's trades of ten minutes add up to, by their execution: the course of a position over time.

    Kept in the position's own transaction, under its row's lock (trades/ledger/position_history.py).
    """

    position = models.ForeignKey(Position, on_delete=models.CASCADE, related_name="slots", db_index=False)
    slot = models.BigIntegerField(help_text="Ten minutes since 1970, UTC")
    trade_count = models.IntegerField()
    energy = models.DecimalField(max_digits=20, decimal_places=6, help_text="MWh")
    turnover = models.DecimalField(max_digits=28, decimal_places=10, help_text="EUR")

    class Meta:
        ordering = ("position", "slot")
        constraints = (models.UniqueConstraint(name="position_slot_once", fields=("position", "slot")),)

    def __str__(self) -> str:
        return f"{self.position_id} {self.slot}"


class QuarantinedMessage(models.Model):
    """A frame kept aside, whole, with the reason why it was not booked. One row per frame."""

    class Kind(models.TextChoices):
        UNUSABLE = "unusable", _("unusable")
        CONFLICT = "conflict", _("conflict with a stored trade")

    class Status(models.TextChoices):
        OPEN = "open", _("open")
        RETRIED = "retried", _("retried and booked")
        DISMISSED = "dismissed", _("dismissed")

    market = models.ForeignKey(Market, on_delete=models.PROTECT)
    kind = models.CharField(max_length=16, choices=Kind)
    status = models.CharField(max_length=16, choices=Status, default=Status.OPEN, db_default="open")
    handled_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    handled_at = models.DateTimeField(null=True, blank=True)
    note = models.CharField(max_length=500, blank=True, db_default="")
    reason = models.CharField(max_length=64, help_text="Machine-readable code (docs/confirmations.md)")
    detail = models.CharField(max_length=500, help_text="One sentence for people")
    exchange_id = models.CharField(max_length=255, blank=True, help_text="The trade's id, where it could be read")
    raw = models.BinaryField(help_text="The frame as it came")
    listener = models.CharField(max_length=80)
    received_at = models.DateTimeField()
    stored_at = models.DateTimeField(db_default=Now())
    source = models.CharField(max_length=255)
    source_position = models.BigIntegerField()

    class Meta:
        ordering = ("-id",)
        constraints = (
            models.UniqueConstraint(name="quarantined_once_per_frame", fields=("source", "source_position")),
        )
        indexes = (models.Index(name="quarantined_by_exchange_id", fields=("exchange_id",)),)
        permissions = (("judge_quarantine", "Can retry and dismiss quarantined frames"),)

    def __str__(self) -> str:
        return f"{self.reason} ({self.received_at:%Y-%m-%d %H:%M:%S} UTC)"


class JournalProgress(models.Model):
    """How far one journal is stored, and what became of its frames: received = stored + duplicates + aside.

    Written in the transaction that stores the frames, so a frame is counted exactly once whatever dies when.
    """

    market = models.ForeignKey(Market, on_delete=models.PROTECT)
    journal = models.CharField(max_length=255, unique=True, help_text="The journal's own identity")
    listener = models.CharField(max_length=80)
    position = models.BigIntegerField(default=0, help_text="Frames up to this number are stored")
    complete = models.BooleanField(default=False, help_text="Its last frame is stored and nobody writes to it any more")
    received = models.BigIntegerField(default=0)
    stored = models.BigIntegerField(default=0)
    duplicates = models.BigIntegerField(default=0)
    conflicts = models.BigIntegerField(default=0)
    quarantined = models.BigIntegerField(default=0)
    updated_at = models.DateTimeField(db_default=Now())

    class Meta:
        ordering = ("-updated_at",)
        verbose_name_plural = "journal progress"
        constraints = (
            models.CheckConstraint(
                name="journal_frames_add_up",
                condition=Q(received=F("stored") + F("duplicates") + F("conflicts") + F("quarantined")),
            ),
        )

    def __str__(self) -> str:
        return self.journal


class FeedConnection(models.Model):
    """One connection of one listener to the exchange: from when to when, and when it was last known alive."""

    market = models.ForeignKey(Market, on_delete=models.PROTECT)
    listener = models.CharField(max_length=80)
    connected_at = models.DateTimeField()
    alive_at = models.DateTimeField(help_text="Last moment at which the listener said that it was connected")
    last_frame_at = models.DateTimeField(null=True, blank=True)
    silent_since = models.DateTimeField(
        null=True, blank=True, help_text="When it was last heard from, if not even pings are answered any more"
    )
    disconnected_at = models.DateTimeField(null=True, blank=True)
    reason = models.CharField(max_length=200, blank=True, help_text="Why the connection ended")
    journal_failed = models.BooleanField(
        default=False, db_default=False, help_text="Its journal's disk fails: frames go to the database one by one"
    )
    waiting = models.IntegerField(default=0, db_default=0, help_text="Frames received and not stored yet")
    overflows = models.IntegerField(
        default=0, db_default=0, help_text="How often the memory was full and the socket had to wait"
    )

    class Meta:
        ordering = ("-id",)
        indexes = (models.Index(name="feed_by_market", fields=("market", "-alive_at")),)

    def __str__(self) -> str:
        return f"{self.listener} {self.connected_at:%Y-%m-%d %H:%M:%S} UTC"


class FeedGap(models.Model):
    """An interval in which no listener was connected: what the exchange pushed then never arrived."""

    market = models.ForeignKey(Market, on_delete=models.PROTECT)
    started_at = models.DateTimeField()
    ended_at = models.DateTimeField()
    closed_at = models.DateTimeField(null=True, blank=True)
    closed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    note = models.CharField(
        max_length=500, blank=True, help_text="Why it is closed, or what of it imported files have not covered"
    )
    covered = models.JSONField(
        default=list,
        db_default=Value([], output_field=models.JSONField()),
        blank=True,
        help_text="What imported files have covered of it: from, until (UTC), file",
    )

    class Meta:
        ordering = ("-started_at",)
        constraints = (
            models.UniqueConstraint(name="feed_gap_once", fields=("market", "started_at")),
            models.CheckConstraint(name="feed_gap_forward", condition=Q(ended_at__gt=F("started_at"))),
            models.CheckConstraint(
                name="feed_gap_closed_with_a_note", condition=Q(closed_at__isnull=True) | ~Q(note="")
            ),
        )
        indexes = (
            models.Index(name="feed_gap_open", fields=("market", "-started_at"), condition=Q(closed_at__isnull=True)),
        )
        permissions = (("close_gap", "Can close feed gaps, with a note"),)

    def __str__(self) -> str:
        return f"{self.started_at:%Y-%m-%d %H:%M:%S} to {self.ended_at:%H:%M:%S} UTC"
