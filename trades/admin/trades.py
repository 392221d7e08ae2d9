"""Trades, positions and what was kept aside, for admins: facts can be read here, never changed.

What people may decide about them (trades/ledger/decisions.py) are forms beside the facts: for those with the
permission, by POST, each with an address of its own.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any

from django.contrib import admin
from django.db.models import OuterRef, QuerySet, Subquery
from django.http import HttpRequest

from accounts.audit.read_only_admin import ReadOnlyAdmin
from trades.admin.base import DecidingAdmin, moment
from trades.admin.forms import CancelForm, CorrectForm, DecisionForm
from trades.ledger.effective import facts_now
from trades.models import (
    Position,
    Trade,
    TradeChange,
    TradeFlag,
    Trader,
)
from trades.trace import source_words


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
class TradeAdmin(DecidingAdmin):
    execution_time_utc = moment("execution_time")
    delivery_start_utc = moment("delivery_start")
    delivery_end_utc = moment("delivery_end")
    received_at_utc = moment("received_at")
    stored_at_utc = moment("stored_at")
    decision_permission = "trades.judge_trade"
    decision_forms = (CancelForm, CorrectForm)
    list_display = (
        "exchange_id",
        "trader",
        "direction",
        "price",
        "quantity",
        "delivery_day",
        "delivery_hour",
        "execution_time_utc",
        "state",
        "flags",
    )
    list_filter = ("direction", "trader", "delivery_day")
    list_select_related = ("trader", "market")
    search_fields = ("exchange_id__exact",)
    search_help_text = "The exchange's id, whole"
    fields = (
        "market",
        "exchange_id",
        "trader",
        "direction",
        "price",
        "quantity",
        "delivery_day",
        "delivery_hour",
        "delivery_start_utc",
        "delivery_end_utc",
        "execution_time_utc",
        "received_at_utc",
        "stored_at_utc",
        "second_side_of",
        "flags_in_words",
        "origin",
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """With the kind of the newest change, in the same query."""
        newest = TradeChange.objects.filter(trade=OuterRef("pk")).order_by("-id").values("kind")[:1]
        trades: QuerySet[Any] = super().get_queryset(request).annotate(newest_change=Subquery(newest))
        return trades

    @admin.display(description="changed", empty_value="")
    def state(self, trade: Trade) -> str | None:
        return getattr(trade, "newest_change", None)

    @admin.display(description="flags")
    def flags_in_words(self, trade: Trade) -> str:
        labels = dict(TradeFlag.choices)
        return ", ".join(str(labels.get(flag, flag)) for flag in trade.flags) or "none"

    @admin.display(description="source")
    def origin(self, trade: Trade) -> str:
        return source_words(trade.source, trade.source_position)

    def decisions(self, row: Trade) -> Sequence[DecisionForm]:
        facts = facts_now(row)
        if facts is None:
            return ()
        return (
            CorrectForm(
                prefix=CorrectForm.name,
                initial=CorrectForm.prefilled(facts),
                currency=_currency(row, facts.delivery_day),
            ),
            CancelForm(prefix=CancelForm.name),
        )

    def facts_beside(self, request: HttpRequest, row: Trade) -> dict[str, Any]:
        return {
            "has_changes": True,
            "changes": [
                (change, _in_words(row, change) if change.trader else "nothing: it counts nowhere")
                for change in row.changes.select_related("trader", "made_by").order_by("id")
            ],
        }


@admin.register(Position)
class PositionAdmin(ReadOnlyAdmin):
    updated_at_utc = moment("updated_at")
    list_display = (
        "trader",
        "delivery_day",
        "delivery_hour",
        "direction",
        "trade_count",
        "quantity",
        "energy",
        "turnover",
        "updated_at_utc",
    )
    list_filter = ("direction", "trader", "delivery_day")
    list_select_related = ("trader",)


def _currency(trade: Trade, day: date | None) -> str:
    """What the trade's market traded in on that delivery day."""
    return trade.market.rules_on(day or trade.delivery_day).currency


def _in_words(trade: Trade, change: TradeChange) -> str:
    facts, currency = CorrectForm.prefilled(change), _currency(trade, change.delivery_day)
    return (
        f"{facts['direction']} {facts['quantity']} MW at {facts['price']} {currency}/MWh, "
        f"{facts['delivery_day']} {facts['delivery_hour']}, {facts['trader_id']}"
    )
