"""`simulate_past`: what the simulators would have sent until now, as files: `make run` fills a new desk with it."""

from __future__ import annotations

from argparse import ArgumentParser
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand

from local.simulators.areas import Area, known_area
from local.simulators.arguments import count, share
from local.simulators.past_days import PastDays, first_day, frames, traded_periods
from local.simulators.provider import Market
from local.simulators.trades import Desk, Habits


class Command(BaseCommand):
    """Writes AREA-trades.jsonl (frames, in the order of execution) and AREA-prices.jsonl (a period a line)."""

    help = "Makes up past days of an area until now, as both simulators would have played them, into two files."
    requires_system_checks = ()

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--area", required=True, help="its code, for example DE")
        parser.add_argument("--into", type=Path, required=True, metavar="FOLDER")
        parser.add_argument("--days", type=count, default=60, help="so many delivery days before today")
        parser.add_argument("--until", type=datetime.fromisoformat, metavar="MOMENT", help="with its zone; now")
        parser.add_argument("--seed", type=int, default=1, help="the simulators' own")
        parser.add_argument("--busy", type=share, default=1.0, help="trades, as a share of those of a real German day")
        parser.add_argument("--quarter-hours", type=share, default=0.0)
        parser.add_argument("--blocks", type=share, default=0.0)

    def handle(self, *_args: Any, **options: Any) -> None:
        area: Area = known_area(options["area"])
        now = options["until"] or datetime.now(UTC)
        market = Market(seed=options["seed"], area=area)
        habits = Habits(options["seed"], area=area, quarter_hours=options["quarter_hours"], blocks=options["blocks"])
        past = PastDays(first_day(now, options["days"], market), now, market, options["busy"])
        trades = list(past.trades(Desk(habits, "past-")))
        folder: Path = options["into"]
        folder.mkdir(parents=True, exist_ok=True)
        _write(folder / f"{options['area']}-trades.jsonl", frames(trades))
        _write(folder / f"{options['area']}-prices.jsonl", past.prices(traded_periods(trades, market)))
        self.stdout.write(f"{len(trades)} trades of {len(past.days)} days until {now:%Y-%m-%d %H:%M} UTC are made up.")


def _write(path: Path, lines: Iterable[str]) -> None:
    """Whole or not at all."""
    half = path.with_suffix(".half")
    half.write_text("".join(f"{line}\n" for line in lines))
    half.replace(path)
