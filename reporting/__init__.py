"""The Django project: settings, addresses, processes, logs, health. Imported by none of the apps."""

from reporting.celery import app as celery_app

__all__ = ("celery_app",)
