"""The admin's pages of the feed: journals, connections and gaps."""

from __future__ import annotations

from collections.abc import Sequence

from django.contrib import admin
from django.db.models import F

from accounts.audit.read_only_admin import ReadOnlyAdmin
from trades.admin.base import DecidingAdmin, StyledAdmin, moment
from trades.admin.forms import CloseGapForm, DecisionForm
from trades.models import FeedConnection, FeedGap, JournalProgress


@admin.register(JournalProgress)
class JournalProgressAdmin(ReadOnlyAdmin):
    updated_at_utc = moment("updated_at")
    list_display = (
        "listener",
        "journal",
        "position",
        "complete",
        "received",
        "stored",
        "duplicates",
        "conflicts",
        "quarantined",
        "updated_at_utc",
    )
    list_filter = ("listener", "complete")


@admin.register(FeedConnection)
class FeedConnectionAdmin(StyledAdmin):
    connected_at_utc = moment("connected_at")
    alive_at_utc = moment("alive_at")
    last_frame_at_utc = moment("last_frame_at")
    silent_since_utc = moment("silent_since")
    disconnected_at_utc = moment("disconnected_at")
    list_display = (
        "listener",
        "market",
        "connected_at_utc",
        "alive_at_utc",
        "last_frame_at_utc",
        "journal_failed",
        "waiting",
        "overflows",
        "silent_since_utc",
        "disconnected_at_utc",
        "reason",
    )
    list_filter = ("listener", "journal_failed")
    list_select_related = ("market",)


@admin.register(FeedGap)
class FeedGapAdmin(DecidingAdmin):
    ended_at_utc = moment("ended_at")
    closed_at_utc = moment("closed_at")
    started_at_utc = moment("started_at")
    decision_permission = "trades.close_gap"
    decision_forms = (CloseGapForm,)
    list_display = ("started_at_utc", "ended_at_utc", "lasted", "market", "closed_at_utc", "closed_by", "note")
    list_filter = (("closed_at", admin.EmptyFieldListFilter), "market")
    list_select_related = ("market", "closed_by")
    ordering = (F("closed_at").desc(nulls_first=True), "-started_at")  # open ones first
    fields = ("market", "started_at_utc", "ended_at_utc", "lasted", "closed_at_utc", "closed_by", "note")

    @admin.display(description="lasted")
    def lasted(self, gap: FeedGap) -> str:
        return f"{(gap.ended_at - gap.started_at).total_seconds():.1f} s"

    def decisions(self, row: FeedGap) -> Sequence[DecisionForm]:
        return (CloseGapForm(prefix=CloseGapForm.name),) if row.closed_at is None else ()
