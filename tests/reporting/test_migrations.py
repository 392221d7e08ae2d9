"""Migrations only expand: the version before goes on running on the new schema, and no table is locked for long."""

from __future__ import annotations

import pytest
from django.conf import settings
from django_migration_linter import MigrationLinter

pytestmark = [pytest.mark.integration, pytest.mark.django_db(transaction=True)]

OURS = ["market", "audit", "accounts", "trades", "prices", "dashboard"]


def test_no_migration_locks_or_breaks_what_runs() -> None:
    linter = MigrationLinter(
        path=str(settings.BASE_DIR),
        include_apps=OURS,
        no_cache=True,
        quiet=["ok", "ignore", "warning"],
    )
    linter.lint_all_migrations()
    assert linter.nb_total > 10
    assert linter.nb_erroneous == 0
