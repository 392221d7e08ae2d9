"""`manage.py check_history`: are the sums that histories of closed days go by what positions and prices give?"""

from __future__ import annotations

import sys
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand

from dashboard.figures.kept.checking import check
from dashboard.figures.kept.keeping import drop, keep_some
from market import clock
from market.queries import active_markets

SHOWN = 20


class Command(BaseCommand):
    help = "Compares the kept sums of closed days with positions and prices, exactly. Exit code 1 on a difference."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--keep", action="store_true", help="first keep every closed day that is not kept yet")
        parser.add_argument("--rebuild", action="store_true", help="keep those that differ anew")

    def handle(self, *_args: Any, **options: Any) -> None:
        if options["keep"]:
            keep_some(clock.now(), seconds=float("inf"))
        checked = [(market, one) for market in active_markets() for one in check(market)]
        wrong = [(market, one) for market, one in checked if one.differences]
        for market, one in wrong[:SHOWN]:
            self.stdout.write(f"  {market.code}, {one.kept.first} to {one.kept.last}: {one.differences} rows differ")
        self.stdout.write(f"{len(checked)} days and months kept, {len(wrong)} differences.")
        if wrong and options["rebuild"]:
            for _, one in wrong:
                drop(one.kept)
            self.stdout.write(f"{keep_some(clock.now(), seconds=float('inf'))} kept anew.")
        elif wrong:
            sys.exit(1)
