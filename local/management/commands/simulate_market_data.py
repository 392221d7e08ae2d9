"""`simulate_market_data`: a market data provider that publishes reference prices, late and within its limits."""

from __future__ import annotations

import signal
import threading
from argparse import ArgumentParser, ArgumentTypeError
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from local.simulators.areas import known_area, played_area
from local.simulators.arguments import count, free_or_complain, market_zone, seconds, share
from local.simulators.provider import Faults, Limits, Market, SimulatedProvider, simulated_server


def latency(text: str) -> tuple[float, float]:
    """ "0.1" or "0.05..0.2": how long an answer takes, in seconds."""
    least, _, most = text.partition("..")
    low, high = seconds(least), seconds(most or least)
    if high < low:
        raise ArgumentTypeError(f"“{text}” ends before it begins")
    return low, high


class Command(BaseCommand):
    """Runs until SIGTERM or Ctrl-C."""

    help = "The provider's stand-in: GET /reference-price, and its own counts at /stats."
    requires_system_checks = ()

    def add_arguments(self, parser: ArgumentParser) -> None:
        """The publication, the limits, then the faults."""
        add = parser.add_argument
        add("--host", default="127.0.0.1")
        add("--port", type=int, default=8766)
        add("--seed", type=int, default=1, help="the same seed gives the same prices and publication times")
        add("--interval", type=count, default=600, help="seconds between publications, aligned to the clock")
        add("--delay-min", type=seconds, default=0.0, help="a publication is at least so many seconds late")
        add("--delay-max", type=seconds, default=30.0, help="and at most so many")
        add(
            "--delay-mode",
            choices=("common", "independent"),
            default="common",
            help="one delay for all periods, or each its own",
        )
        add("--limit-minute", type=count, default=50)
        add("--limit-hour", type=count, default=1000)
        add("--latency", type=latency, default=(0.05, 0.2), help="seconds an answer takes: 0.05..0.2")
        add("--market-zone", type=market_zone, default="Europe/Berlin")
        add("--gate-closure-minutes", type=seconds, default=5.0)
        add("--area", type=known_area, help="play an area by its code, for example FI: its days, products, gate, money")
        add("--error-rate", type=share, default=0.0, help="share of answers 500, 502 or 503")
        add("--hang-rate", type=share, default=0.0, help="share of answers that take 30 s")
        add("--garbage-rate", type=share, default=0.0, help="share of answers that are no price at all")
        add("--stale-rate", type=share, default=0.0, help="share of answers with the price before the latest")
        add("--wrong-hour-rate", type=share, default=0.0, help="share of answers about another period")
        add("--hours-only", action="store_true", help="no prices of quarter and half hours and blocks")
        add("--never-rate", type=share, default=0.0, help="share of publications that never come")

    def handle(self, *_args: Any, **options: Any) -> None:
        """Serve until told to stop."""
        if options["delay_max"] < options["delay_min"]:
            raise CommandError("--delay-max must not be below --delay-min.")
        free_or_complain(options["host"], options["port"], "market data simulator")
        stop = threading.Event()
        for sign in (signal.SIGTERM, signal.SIGINT):
            signal.signal(sign, lambda *_: stop.set())
        limits = Limits(options["limit_minute"], options["limit_hour"])
        provider = SimulatedProvider(_market(options), limits, _faults(options))
        server = simulated_server(provider, options["host"], options["port"])
        threading.Thread(target=server.serve_forever, args=(0.1,), daemon=True).start()
        self.stdout.write(f"The market data simulator listens on http://{options['host']}:{server.server_address[1]}")
        stop.wait()
        server.shutdown()
        server.server_close()


def _market(options: dict[str, Any]) -> Market:
    return Market(
        seed=options["seed"],
        interval=options["interval"],
        delay_min=options["delay_min"],
        delay_max=options["delay_max"],
        independent=options["delay_mode"] == "independent",
        area=played_area(options),
        never_rate=options["never_rate"],
        hours_only=options["hours_only"],
    )


def _faults(options: dict[str, Any]) -> Faults:
    names = ("error_rate", "hang_rate", "garbage_rate", "stale_rate", "wrong_hour_rate", "latency")
    return Faults(**{name: options[name] for name in names})
