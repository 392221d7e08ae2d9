"""The demo's past days in a test's own database, as `make run` fills a new desk with them."""

from __future__ import annotations

import io
from datetime import datetime
from pathlib import Path
from tempfile import TemporaryDirectory

from django.core.management import call_command
from django.test import override_settings

from dashboard.assumptions.demo.days import make_demo
from market.statements.planning import count_tables
from tests.trades.frames import germany


def fill_demo_past(*, until: datetime, days: int) -> int:
    """Germany's prices and trades of the days until then (UTC), and assumptions on them; how many of the last."""
    market = germany()
    with TemporaryDirectory() as folder, override_settings(DEBUG=True):
        options = {"area": market.code, "into": Path(folder), "days": days, "until": until}
        call_command("simulate_past", **options, quarter_hours=0.1, blocks=0.0, stdout=io.StringIO())
        for kind in ("prices", "trades"):
            file = Path(folder) / f"{market.code}-{kind}.jsonl"
            call_command(f"create_demo_{kind}", file, market=market.code, stdout=io.StringIO())
        made = make_demo(market=market, now=until)
    count_tables()
    return made
