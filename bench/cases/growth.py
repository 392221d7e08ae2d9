"""`make bench-growth`: the same board, storm and ingest with ten thousand, one million and ten million stored trades.

Each size is a database of its own, made by `generate_history` and kept for the next run: the largest takes a while. All
sizes are measured in turn, several times, each in a process of its own (`python -m bench.cases.growth NUMBER`).
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import time
from contextlib import ExitStack
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from pathlib import Path
from urllib.request import Request, urlopen

import psycopg
from psycopg import sql

from bench.desk import ROOT, Login, log_in, web
from bench.table import Row, timed

ROUNDS, SECONDS = 3, 3.0
DAY = date(2026, 11, 24)
"""The last day that the kept databases have trades of."""


@dataclass(frozen=True)
class Step:
    """One size: trades a day and market, over `days` up to DAY."""

    database: str
    what: str
    days: int
    traders: int
    trades_a_day: int
    markets: tuple[str, ...]


STEPS = (
    Step("growth_1", "10 thousand trades, 1 day, 5 traders, 1 market", 1, 5, 10_000, ("DE",)),
    Step("growth_2", "1 million, 400 days, 5 traders, 1 market", 400, 5, 2_500, ("DE",)),
    Step("reporting", "10 million, 401 days, 100 traders, 4 markets", 401, 100, 6_235, ("DE", "FR", "NL", "AT")),
)
FIGURES = (
    ("a board read and rendered", "ms"),
    ("a board's page by Django", "ms"),
    ("a board's page of a past moment", "ms"),
    ("a board's file", "ms"),
    ("storm against a constant answer", "ratio"),
    ("storing one trade", "ms"),
    ("storing 500 trades", "ms"),
)


def run(_folder: Path) -> list[Row]:
    """Fill what is missing, then measure; beside each figure the smallest size's."""
    for number, step in enumerate(STEPS):
        _create(step.database)
        _in_a_process(number, "fill")
    found: list[list[dict[str, float]]] = [[] for _ in STEPS]
    for _ in range(ROUNDS):
        for number in range(len(STEPS)):
            found[number].append(_in_a_process(number, "measure"))
    middle = [{name: statistics.median(one[name] for one in rounds) for name in rounds[0]} for rounds in found]
    return [
        Row(f"{what}: {step.what}", unit, figures[what], middle[0][what], f"{figures['trades']:,.0f} trades")
        for what, unit in FIGURES
        for step, figures in zip(STEPS, middle, strict=True)
    ]


def _url(database: str) -> str:
    return f"{os.environ['DATABASE_URL'].rpartition('/')[0]}/{database}"


def _create(database: str) -> None:
    with psycopg.connect(_url("postgres"), autocommit=True) as admin:
        if admin.execute("SELECT FROM pg_database WHERE datname = %s", [database]).fetchone() is None:
            admin.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(database)))


def _in_a_process(number: int, work: str) -> dict[str, float]:
    environment = {**os.environ, "DATABASE_URL": _url(STEPS[number].database)}
    argv = [sys.executable, "-m", "bench.cases.growth", str(number), work]
    done = subprocess.run(argv, cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True, check=True)
    result: dict[str, float] = json.loads(done.stdout.strip().rpartition("\n")[2])
    return result


# --- in the step's own process ----------------------------------------------------------------------------------------
def _fill(step: Step) -> dict[str, float]:
    from django.core.management import call_command

    from market.models import Market

    call_command("migrate", verbosity=0)
    wanted = {"days": step.days, "until": DAY.isoformat(), "traders": step.traders, "trades_a_day": step.trades_a_day}
    for code in step.markets:
        Market.objects.get_or_create(code=code, defaults={"name": code})
        call_command("generate_history", into=step.database, market=code, **wanted)
    return {}


def _measure() -> dict[str, float]:
    from bench.cases.ingest import store_some
    from bench.history_data import SOURCE
    from dashboard.figures.board_key import BoardKey
    from dashboard.live.boards import render
    from market.queries import market_by_code
    from trades.models import Trader

    market, trader = market_by_code("DE"), Trader.objects.get(trader_id="generated_1")
    key, now = BoardKey(trader.pk, market.pk, DAY), datetime.now(UTC)
    boards = [timed(lambda: render(key, now, None)) for _ in range(60)]
    ones = [store_some(1, SOURCE) for _ in range(60)]
    many = [store_some(500, SOURCE) for _ in range(10)]
    pages, ratio = _web(trader.trader_id)
    return {
        "a board read and rendered": statistics.median(boards) * 1000,
        **pages,
        "storm against a constant answer": ratio,
        "storing one trade": statistics.median(ones) * 1000,
        "storing 500 trades": statistics.median(many) * 1000,
        "trades": _trades(),
    }


def _trades() -> float:
    from trades.models import Trade

    return float(Trade.objects.count())


def _web(trader_id: str) -> tuple[dict[str, float], float]:
    """Milliseconds of what Django makes, and the storm's answers a second as a share of the constant's."""
    from bench.cases.storm import USERS, storm

    login = replace(log_in(trader_id), day=DAY)
    people = [login] * USERS
    with ExitStack() as stack:
        address, _ = stack.enter_context(web())
        addresses = {
            "a board's page by Django": login.board,
            "a board's page of a past moment": f"{login.board}?as_of={DAY}T12:00:00Z",
            "a board's file": f"{login.board}board.csv",
        }
        pages = {
            what: statistics.median(_page(address + path, login, number) for number in range(20)) * 1000
            for what, path in addresses.items()
        }
        size = storm(address, people, 1.0).size
        floor, _ = stack.enter_context(web("bench.floors.constant:application", SIZE=str(size)))
        ours, bare = storm(address, people, SECONDS), storm(floor, people, SECONDS)
    return pages, len(ours.times) / len(bare.times)


def _page(address: str, login: Login, number: int) -> float:
    """A request unlike the ones before it, so that nothing remembered answers it."""
    request = Request(address, headers={"Cookie": login.cookie, "X-Number": str(number)})
    began = time.perf_counter()
    with urlopen(request) as answer:
        answer.read()
    return time.perf_counter() - began


if __name__ == "__main__":
    import django

    django.setup()
    print(json.dumps(_fill(STEPS[int(sys.argv[1])]) if sys.argv[2] == "fill" else _measure()))
