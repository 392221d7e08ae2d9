"""django.contrib.admin with our own site as the default one. Read before any model: imports nothing of ours."""

from __future__ import annotations

from django.contrib.admin.apps import AdminConfig


class DeskAdminConfig(AdminConfig):
    default_site = "dashboard.access.admin_site.DeskAdminSite"
