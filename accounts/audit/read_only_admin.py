"""What the apps' admin pages share: rows that are read and never changed, millions of them paged without a count."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.contrib import admin
from django.core.paginator import Paginator
from django.db import connections, router
from django.db.models import Model, QuerySet
from django.http import HttpRequest
from django.utils.functional import cached_property

EXACT_UP_TO = 50_000
"""Whole tables are counted up to this many rows; above it PostgreSQL's estimate is shown."""

COUNTED_ROWS = 10_001
"""A filtered list is counted up to here and no further; nobody turns to its page 101."""

if TYPE_CHECKING:
    _ModelAdmin = admin.ModelAdmin[Any]
    _Paginator = Paginator[Any]
else:  # Django's admin classes can't be subscripted at run time
    _ModelAdmin, _Paginator = admin.ModelAdmin, Paginator


class EstimatingPaginator(_Paginator):
    """A paginator whose count costs milliseconds on any table.

    Unfiltered and large: PostgreSQL's own estimate. Filtered: counted, but at most COUNTED_ROWS of them.
    """

    @cached_property
    def count(self) -> int:
        """Rows to page through: exact when small, else an estimate or the cap."""
        rows = self.object_list
        if not isinstance(rows, QuerySet):
            return len(rows)
        if not rows.query.where:
            estimate = estimated_rows(rows.model)
            return estimate if estimate > EXACT_UP_TO else rows.order_by()[: EXACT_UP_TO + 1].count()
        return rows.order_by()[:COUNTED_ROWS].count()


def estimated_rows(model: type[Model]) -> int:
    """How many rows PostgreSQL believes the model's table to have; -1 if it was never analysed."""
    with connections[router.db_for_read(model)].cursor() as cursor:
        cursor.execute("SELECT reltuples::bigint FROM pg_class WHERE oid = to_regclass(%s)", [model._meta.db_table])
        row = cursor.fetchone()
    return int(row[0]) if row else -1


class ReadOnlyAdmin(_ModelAdmin):
    """An admin that shows rows and never writes them: for what the system records and people only read."""

    paginator = EstimatingPaginator
    show_full_result_count = False
    list_per_page = 100
    actions = None

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False
