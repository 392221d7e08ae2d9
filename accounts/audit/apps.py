from typing import Any

from django.apps import AppConfig
from django.conf import settings
from django.db.models.signals import post_migrate


class AuditConfig(AppConfig):
    name = "accounts.audit"
    label = "audit"  # tables, permissions and migrations keep their names
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        if settings.APPLICATION_DATABASE_ROLE:
            post_migrate.connect(_grant, sender=self, dispatch_uid="audit.grants")


def _grant(**_kwargs: Any) -> None:
    """New tables get their rights with the migration that made them."""
    from accounts.audit.database_role import grant_application

    grant_application(role=settings.APPLICATION_DATABASE_ROLE)
