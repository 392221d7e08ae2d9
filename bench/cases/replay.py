"""A day's journal (144,000 frames) into the database by `replay_journal`, beside bare inserts of as many rows."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

from bench.cases.ingest import bare_insert, frame
from bench.desk import ROOT
from bench.table import Row
from trades.capture.journal import Journal
from trades.models import Trade

FRAMES = 144_000
BATCH = 500


def run(folder: Path) -> list[Row]:
    home = folder / "replay-journal"
    shutil.rmtree(home, ignore_errors=True)
    now = datetime.now(UTC)
    prefix = f"replay-{time.time_ns()}"
    journal = Journal(home, market="DE", listener="bench", now=now)
    for start in range(0, FRAMES, BATCH):
        numbers = range(start, start + BATCH)
        journal.append([(now + timedelta(milliseconds=n), frame(prefix, n)) for n in numbers])
    journal.close()
    before, began = Trade.objects.count(), time.perf_counter()
    environment = {**os.environ, "TRADE_JOURNAL_DIR": str(home)}
    subprocess.run([sys.executable, "manage.py", "replay_journal"], cwd=ROOT, env=environment, check=True)
    took = time.perf_counter() - began
    stored = Trade.objects.count() - before
    shutil.rmtree(home, ignore_errors=True)
    floor = sum(bare_insert(BATCH) for _ in range(20)) / 20 / BATCH * FRAMES
    note = f"{stored} stored, {stored / took:,.0f} a second; floor: bare inserts in batches of {BATCH}"
    return [Row(f"replay of a journal of {FRAMES:,}", "s", took, floor, note)]
