"""Page loads a second of one web process, from 16 connections: four ways to answer the same page.

A trader with 150,000 trades in the day (a desk's whole day at 100 a minute) reloads the board; nothing else happens
meanwhile. The floor is the same server with a constant answer of the same size.
"""

from __future__ import annotations

from pathlib import Path

from django.db import connection

from bench.cases.storm import Storm, reload
from bench.desk import DAY, Login, log_in, web
from bench.table import Row

TRADES, CONNECTIONS, SECONDS = 150_000, 16, 5.0
STAGES = {
    "trades": f"{TRADES:,} trades added up for each",
    "positions": "position rows, through Django",
    "cached": "the page cached, behind Django's session and middleware",
}


def run(_folder: Path) -> list[Row]:
    print("  page loads …", flush=True)
    login = log_in(_a_day_of_trades())
    found = {what: _measure(login, "bench.alternatives.stages:application", stage) for stage, what in STAGES.items()}
    found["the desk's front"] = _measure(login, "reporting.asgi:application")
    size = found["the desk's front"].size
    floor = _measure(login, "bench.floors.constant:application", size=size)
    return [_row(what, one, floor) for what, one in found.items()]


def _row(what: str, one: Storm, floor: Storm) -> Row:
    note = f"{one.errors} errors, {one.wrong} wrong; {one.size} bytes"
    return Row(f"page loads, {what}", "a second", len(one.times) / SECONDS, len(floor.times) / SECONDS, note)


def _measure(login: Login, application: str, stage: str = "", size: int = 0) -> Storm:
    """After a second that nobody counts."""
    with web(application, STAGE=stage, SIZE=str(size)) as (address, _):
        reload(address, [login] * CONNECTIONS, 1.0)
        return reload(address, [login] * CONNECTIONS, SECONDS)


def _a_day_of_trades() -> str:
    """Made once for a kept database; whose they are."""
    from bench.history_data import generate_day, generated_traders
    from market.queries import market_by_code

    (trader,) = generated_traders(count=1)
    generate_day(market=market_by_code("DE"), day=DAY, traders=[trader], count=TRADES, seed=0.5)
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE trades_trade")
    return trader.trader_id
