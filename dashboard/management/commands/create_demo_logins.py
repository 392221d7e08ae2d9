"""`manage.py create_demo_logins`: what `make run` calls, so that there is somebody to log in as."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from dashboard.access.logins import ensure_demo_logins


class Command(BaseCommand):
    help = "Creates the demo desk's logins; run again, it changes nothing but a changed password. Only with DEBUG on."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--password", required=True)

    def handle(self, *_args: Any, **options: Any) -> None:
        if not settings.DEBUG:
            raise CommandError("demo logins are for a laptop: they are only created with DEBUG on")
        ensure_demo_logins(password=options["password"])
