"""`manage.py check_assumptions`: every frozen price and verdict again, from the stored history and the audit log."""

from __future__ import annotations

import sys
from typing import Any

from django.core.management.base import BaseCommand

from dashboard.assumptions.checking import differences
from dashboard.assumptions.models import Assumption


class Command(BaseCommand):
    help = "Recomputes every assumption's frozen price and verdicts from the stored history; exit 1 on a difference."

    def handle(self, *_args: Any, **_options: Any) -> None:
        found = 0
        for sentence in differences():
            found += 1
            self.stdout.write(f"{sentence}.")
        self.stdout.write(f"{Assumption.objects.count()} assumptions, {found} differences.")
        if found:
            sys.exit(1)
