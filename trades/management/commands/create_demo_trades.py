"""`manage.py create_demo_trades FILE`: what the demo's past days were traded, as if a listener had been there."""

from __future__ import annotations

import json
from argparse import ArgumentParser
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from market.queries import market_by_code
from trades.frames import FrameSource, JournalFrame
from trades.ledger.store import store_frames
from trades.models import Trade

SOURCE = FrameSource("demo", "demo")
ON_ITS_WAY = timedelta(milliseconds=180)
AT_ONCE = 500


class Command(BaseCommand):
    help = (
        "Stores a file of confirmations, one a line, as if each had been received right after its execution. "
        "Only with DEBUG on, and only on a desk that has no trade yet."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", metavar="FILE")
        parser.add_argument("--market")

    def handle(self, *_args: Any, **options: Any) -> None:
        if not settings.DEBUG:
            raise CommandError("demo trades are for a laptop: they are only made up with DEBUG on")
        if Trade.objects.exists():
            raise CommandError("this desk has trades: made-up ones are not put beside them")
        market = market_by_code(options["market"])
        lines = Path(options["file"]).read_bytes().splitlines()
        frames = [JournalFrame(number, _received_at(line), line) for number, line in enumerate(lines, start=1)]
        for first in range(0, len(frames), AT_ONCE):
            store_frames(market=market, source=SOURCE, frames=frames[first : first + AT_ONCE])
        self.stdout.write(f"{Trade.objects.count()} trades are made up.")


def _received_at(line: bytes) -> datetime:
    return datetime.fromisoformat(json.loads(line)["trade_confirmation"]["execution_time"]) + ON_ITS_WAY
