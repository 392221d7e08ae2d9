"""Trades, positions and what was kept aside, for admins: facts can be read here, never changed."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest

from market.admin_tools import ReadOnlyAdmin
from trades.models import (
    FeedConnection,
    JournalProgress,
    Position,
    QuarantinedMessage,
    Trade,
    Trader,
)

LONGEST_SHOWN_FRAME = 4000


@admin.register(Trader)
class TraderAdmin(admin.ModelAdmin):
    list_display = ("trader_id", "name", "is_bot", "is_known", "first_seen_at")
    list_filter = ("is_bot", "is_known")
    search_fields = ("trader_id", "name")

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        return ("trader_id",) if obj else ()


@admin.register(Trade)
class TradeAdmin(ReadOnlyAdmin):
    list_display = (
        "exchange_id",
        "trader",
        "direction",
        "price",
        "quantity",
        "delivery_day",
        "delivery_hour",
        "execution_time",
        "flags",
    )
    list_filter = ("direction", "trader", "delivery_day")
    list_select_related = ("trader", "market")
    search_fields = ("exchange_id__exact",)
    search_help_text = "The exchange's id, whole"


@admin.register(Position)
class PositionAdmin(ReadOnlyAdmin):
    list_display = (
        "trader",
        "delivery_day",
        "delivery_hour",
        "direction",
        "trade_count",
        "quantity",
        "energy",
        "turnover",
        "updated_at",
    )
    list_filter = ("direction", "trader", "delivery_day")
    list_select_related = ("trader",)


@admin.register(QuarantinedMessage)
class QuarantinedMessageAdmin(ReadOnlyAdmin):
    list_display = ("received_at", "kind", "reason", "detail", "exchange_id", "listener")
    list_filter = ("kind", "reason", "listener")
    search_fields = ("exchange_id__exact",)
    search_help_text = "The exchange's id, whole"
    fields = (
        "market",
        "kind",
        "reason",
        "detail",
        "exchange_id",
        "frame",
        "received_at",
        "stored_at",
        "listener",
        "source",
        "source_position",
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return super().get_queryset(request).defer("raw")

    @admin.display(description="frame as it came")
    def frame(self, message: QuarantinedMessage) -> str:
        raw = bytes(message.raw)
        shown = raw[:LONGEST_SHOWN_FRAME].decode("utf-8", "backslashreplace")
        rest = f" … ({len(raw)} bytes in all)" if len(raw) > LONGEST_SHOWN_FRAME else ""
        return shown + rest


@admin.register(JournalProgress)
class JournalProgressAdmin(ReadOnlyAdmin):
    list_display = (
        "listener",
        "journal",
        "position",
        "received",
        "stored",
        "duplicates",
        "conflicts",
        "quarantined",
        "updated_at",
    )
    list_filter = ("listener",)


@admin.register(FeedConnection)
class FeedConnectionAdmin(ReadOnlyAdmin):
    list_display = ("listener", "market", "connected_at", "alive_at", "last_frame_at", "disconnected_at", "reason")
    list_filter = ("listener",)
    list_select_related = ("market",)
