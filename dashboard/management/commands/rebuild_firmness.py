"""`rebuild_firmness`: what like cases say of how firm results are, made anew from the prices on record."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from dashboard.figures.firmness.store import build_day, days_to_build
from market import clock
from market.queries import active_markets


class Command(BaseCommand):
    """Every settled day of the last sixty, or with --missing those alone that were never built."""

    help = "Make the table of like cases (how firm a result is) anew from the prices on record."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--missing", action="store_true", help="only days that were never built")

    def handle(self, *_args: Any, missing: bool, **_options: Any) -> None:
        for market in active_markets():
            days = days_to_build(market, clock.now(), anew=not missing)
            cases = sum(build_day(market, day) for day in days)
            self.stdout.write(f"{market.code}: {cases} cases of {len(days)} days")
