"""The real listener under a flood: websocket, journal, parsing, trades and positions, beside a bare batch insert."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

import psutil  # type: ignore[import-untyped]

from bench.cases.ingest import bare_insert, frame
from bench.table import Row
from local.simulators.exchange import ScriptedExchange
from trades.models import Trade

FRAMES = 30_000
ROOT = Path(__file__).resolve().parents[2]
PATIENCE = 120.0


def run(folder: Path) -> list[Row]:
    journal = folder / "listener-journal"
    shutil.rmtree(journal, ignore_errors=True)
    prefix = f"flood-{time.time_ns()}"
    frames = [frame(prefix, number).decode() for number in range(FRAMES)]
    with ScriptedExchange() as exchange:
        environment = {**os.environ, "EXCHANGE_WS_URL": exchange.url, "TRADE_JOURNAL_DIR": str(journal)}
        process = subprocess.Popen([sys.executable, "manage.py", "listen_trades"], cwd=ROOT, env=environment)
        try:
            exchange.wait_for_connections(1, 30)
            seconds, memory = _flood(exchange, frames, process.pid)
        finally:
            process.terminate()
            process.wait(20)
    floor = sum(bare_insert(500) for _ in range(20)) / 20
    note = f"{FRAMES} frames in {seconds:.1f} s, {memory:.0f} MB at the most; floor: batches of 500"
    return [Row("the listener's whole way, sustained", "trades/s", FRAMES / seconds, 500 / floor, note)]


def _flood(exchange: ScriptedExchange, frames: list[str], pid: int) -> tuple[float, float]:
    """Seconds until all are stored, and the listener's largest memory (MB)."""
    before, started, memory = Trade.objects.count(), time.perf_counter(), 0.0
    for start in range(0, len(frames), 500):
        exchange.send(*frames[start : start + 500])
    while Trade.objects.count() < before + len(frames):
        memory = max(memory, _resident(pid))
        if time.perf_counter() - started > PATIENCE:
            raise RuntimeError(f"only {Trade.objects.count() - before} of {len(frames)} stored")
        time.sleep(0.05)
    return time.perf_counter() - started, memory


def _resident(pid: int) -> float:
    return float(psutil.Process(pid).memory_info().rss) / 1e6
