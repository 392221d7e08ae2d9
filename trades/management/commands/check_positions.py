"""`manage.py check_positions`: are the positions what the trades add up to?"""

from __future__ import annotations

import sys
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand

from trades.ledger.effective import position_differences
from trades.ledger.position_history import slot_differences
from trades.ledger.rebuild import rebuild_positions

SHOWN = 20


class Command(BaseCommand):
    help = "Compares every position with its trades, exactly. Exit code 1 on a difference; --rebuild mends them."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--rebuild", action="store_true", help="mend the positions that differ")

    def handle(self, *_args: Any, **options: Any) -> None:
        differences = position_differences()
        for difference in differences[:SHOWN]:
            self.stdout.write(f"  {difference}")
        if len(differences) > SHOWN:
            self.stdout.write(f"  and {len(differences) - SHOWN} more")
        known = {difference.key for difference in differences}
        courses = [key for key in slot_differences() if key not in known]
        if courses:
            self.stdout.write(f"  {len(courses)} more in their course over time alone")
        keys = [*known, *courses]
        if not keys:
            self.stdout.write("Every position equals its trades.")
        elif options["rebuild"]:
            self.stdout.write(f"{rebuild_positions(keys=keys)} positions mended.")
        else:
            self.stdout.write(f"{len(keys)} positions differ from their trades; --rebuild mends them.")
            sys.exit(1)
