"""`manage.py create_demo_trades FILE`: what the demo's past days were traded, as if a listener had been there."""

from __future__ import annotations

import json
from argparse import ArgumentParser
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.db import transaction

from market.queries import market_by_code
from trades.frames import FrameSource, JournalFrame
from trades.ledger.store import store_frames
from trades.models import Trade
from trades.queries import MADE_UP, is_real

ON_ITS_WAY = timedelta(milliseconds=180)
AT_ONCE = 500


class Command(BaseCommand):
    help = (
        "Stores a file of confirmations, one a line, as if each had been received right after its execution. "
        "Only with DEBUG on, and never beside real trades."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", metavar="FILE")
        parser.add_argument("--market")
        parser.add_argument("--name", default="days", help="tells this file's trades from those of another one")

    def handle(self, *_args: Any, **options: Any) -> None:
        if not settings.DEBUG:
            raise CommandError("demo trades are for a laptop: they are only made up with DEBUG on")
        market = market_by_code(options["market"])
        source = FrameSource(journal=f"{MADE_UP}{market.code}-{options['name']}", listener="demo")
        if is_real(market_id=market.pk):
            raise CommandError("this market has real trades: made-up ones are not put beside them")
        if Trade.objects.filter(source=source.journal).exists():
            raise CommandError("these made-up trades are there already")
        lines = Path(options["file"]).read_bytes().splitlines()
        frames = [JournalFrame(number, _received_at(line), line) for number, line in enumerate(lines, start=1)]
        with transaction.atomic():  # all or nothing: what is there already is a reason to refuse
            for first in range(0, len(frames), AT_ONCE):
                store_frames(market=market, source=source, frames=frames[first : first + AT_ONCE])
        self.stdout.write(f"{len(frames)} trades are made up.")


def _received_at(line: bytes) -> datetime:
    return datetime.fromisoformat(json.loads(line)["trade_confirmation"]["execution_time"]) + ON_ITS_WAY
