"""django.contrib.admin with our own site as the default one. Read before any model: imports nothing of ours."""

from __future__ import annotations

from django.conf import settings
from django.contrib.admin.apps import SimpleAdminConfig

WITHOUT_PAGES = frozenset({"listener", "worker"})
"""Processes that show nobody a page: their start is quicker and they are smaller without the admin's."""


class DeskAdminConfig(SimpleAdminConfig):
    default_site = "dashboard.access.admin_site.DeskAdminSite"

    def ready(self) -> None:
        super().ready()
        if settings.PROCESS_ROLE not in WITHOUT_PAGES:
            self.module.autodiscover()  # type: ignore[union-attr]
