"""`simulate_exchange`: an exchange whose websocket pushes made-up trade confirmations."""

from __future__ import annotations

import asyncio
import random
import signal
import time
from argparse import ArgumentParser
from datetime import UTC, datetime
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from local.simulators.areas import known_area, played_area
from local.simulators.arguments import free_or_complain, market_zone, seconds, share
from local.simulators.exchange import Exchange, serve
from local.simulators.prices import as_json
from local.simulators.trades import ENVELOPES, Desk, Habits


class Command(BaseCommand):
    """Runs until SIGTERM or Ctrl-C."""

    help = "The exchange's stand-in: pushes trade confirmations to every connection; no replay."
    requires_system_checks = ()

    def add_arguments(self, parser: ArgumentParser) -> None:
        """The market's day, then the faults."""
        add = parser.add_argument
        add("--host", default="127.0.0.1")
        add("--port", type=int, default=8765)
        add("--seed", type=int, default=1, help="the same seed repeats prices, sizes, directions and periods")
        add("--id-prefix", help="what trade ids begin with; without it they differ from run to run")
        add("--rate", type=seconds, default=40.0, help="trades a minute, on average (0: none)")
        add("--burst-every", type=seconds, default=90.0, help="seconds between bursts (0: none)")
        add("--burst-size", type=int, default=8, help="trades of a burst, in the same millisecond")
        add("--traders", type=int, default=5)
        add("--bots", type=int, default=1)
        add("--market-zone", type=market_zone, default="Europe/Berlin")
        add("--gate-closure-minutes", type=seconds, default=5.0)
        add("--area", type=known_area, help="play an area by its code, for example FI: its days, products, gate, money")
        add("--envelope", choices=(*ENVELOPES, "both"), default="trade_confirmation")
        add("--quarter-hours", type=share, default=0.0, help="share of trades in products shorter than an hour")
        add("--blocks", type=share, default=0.0, help="share of trades in blocks of hours")
        add("--duplicates", type=share, default=0.0, help="share of trades that are sent twice")
        add("--conflicts", type=share, default=0.0, help="share of trades that come again with another price")
        add("--garbage", type=share, default=0.0, help="share of trades that are followed by a bad frame")
        add("--unknown-traders", type=share, default=0.0, help="share of trades of a trader nobody knows")
        add("--heartbeats", type=seconds, default=0.0, help="seconds between heartbeat frames (0: none)")
        add("--drop-every", type=seconds, default=0.0, help="seconds between cuts of all connections (0: none)")
        add("--silence-every", type=seconds, default=0.0, help="seconds between silences (0: none)")
        add("--silence-for", type=seconds, default=60.0, help="length of a silence in seconds")

    def handle(self, *_args: Any, **options: Any) -> None:
        """Serve until told to stop."""
        if options["traders"] + options["bots"] < 1:
            raise CommandError("There must be at least one trader or bot.")
        free_or_complain(options["host"], options["port"], "exchange simulator")
        asyncio.run(self._serve(options))

    async def _serve(self, options: dict[str, Any]) -> None:
        stop = asyncio.Event()
        for sign in (signal.SIGTERM, signal.SIGINT):
            asyncio.get_running_loop().add_signal_handler(sign, stop.set)
        exchange = Exchange(keep_log=False)
        async with serve(options["host"], options["port"], exchange):
            self.stdout.write(f"The exchange simulator listens on ws://{options['host']}:{exchange.port}")
            tasks = [asyncio.create_task(work) for work in self._work(exchange, options)]
            await stop.wait()
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    def _work(self, exchange: Exchange, options: dict[str, Any]) -> list[Any]:
        desk = Desk(_habits(options), options["id_prefix"] or f"{time.time_ns() // 1_000_000:x}-")
        silence = (options["silence_every"], options["silence_for"])

        def trades(count: int) -> None:
            if not _is_silent(time.monotonic() - began, *silence):
                send_trades(exchange, desk, count)

        began = time.monotonic()
        work: list[Any] = []
        if options["rate"]:
            work.append(_at_random(options["rate"], options["seed"], lambda: trades(1)))
        if options["burst_every"]:
            work.append(_every(options["burst_every"], lambda: trades(options["burst_size"])))
        if options["heartbeats"]:
            work.append(_every(options["heartbeats"], lambda: exchange.send(_heartbeat())))
        if options["drop_every"]:
            work.append(_every(options["drop_every"], exchange.drop))
        return work


def _habits(options: dict[str, Any]) -> Habits:
    shares = ("quarter_hours", "blocks", "duplicates", "conflicts", "garbage", "unknown_traders")
    return Habits(
        seed=options["seed"],
        traders=options["traders"],
        bots=options["bots"],
        area=played_area(options),
        envelope=options["envelope"],
        **{name: options[name] for name in shares},
    )


def send_trades(exchange: Exchange, desk: Desk, count: int) -> None:
    """So many trades of this very moment to every connection."""
    now = datetime.now(UTC)
    for _ in range(count):
        for frame in desk.frames(now):
            exchange.send(frame)


def _heartbeat() -> str:
    return as_json({"heartbeat": datetime.now(UTC).isoformat()})


def _is_silent(passed: float, every: float, length: float) -> bool:
    return bool(every) and passed % (every + length) >= every


async def _every(pause: float, act: Any) -> None:
    while True:
        await asyncio.sleep(pause)
        act()


async def _at_random(rate: float, seed: int, act: Any) -> None:
    """As real trades come: independent of each other, so many a minute on average."""
    dice = random.Random(f"pauses {seed}")
    while True:
        await asyncio.sleep(dice.expovariate(rate / 60))
        act()
