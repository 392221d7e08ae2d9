"""`manage.py import_trades FILE`: the exchange's file against what is stored."""

from __future__ import annotations

import hashlib
import sys
from argparse import ArgumentParser
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from accounts.audit.log import record
from accounts.audit.models import Action
from market import clock
from market.models import Market
from market.queries import MarketError, market_by_code
from trades.frames import FrameSource
from trades.imports.files import FileLine, read_trades
from trades.imports.lines import FileError
from trades.imports.period_numbers import Counting
from trades.imports.reconciliation import Report, carry_out, compare
from trades.imports.workbooks import SIGNATURE, lines_of
from trades.ledger.confirmations import Unusable

SHOWN = 20
NOT_ALL_STORED, IN_DOUBT = 1, 3
_MINUTES = {"hours": 60, "half-hours": 30, "quarters": 15}


class Command(BaseCommand):
    help = (
        "Compares an exchange file with what is stored and says what it would do; then adds the missing trades, keeps "
        "different ones aside and flags extra ones. Run twice, it changes nothing. Exit code 0 if all of the file is "
        "stored, 1 if some of it is not (unreadable, different, contradictory lines; or the file can't be read), 3 if "
        "something is doubtful: then nothing was booked."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", metavar="FILE")
        parser.add_argument("--trader", metavar="TRADER_ID", help="whose trades they are, where the file doesn't say")
        parser.add_argument("--market", help="code of the market (needed with several active ones)")
        parser.add_argument("--dry-run", action="store_true", help="report only, change nothing")
        parser.add_argument(
            "--despite-doubt", action="store_true", help="you have looked: book doubtful lines that can be booked"
        )
        parser.add_argument(
            "--hours-from",
            type=int,
            choices=(0, 1),
            default=0,
            help="from where bare numbers of periods count: 0 (14 is 14-15, the default) or 1 (14 is 13-14)",
        )
        parser.add_argument(
            "--numbers-are", choices=tuple(_MINUTES), help="how long numbered periods are, where the largest can't tell"
        )

    def handle(self, *_args: Any, **options: Any) -> None:
        try:
            market = market_by_code(options["market"])
            data = Path(options["file"]).read_bytes()
            lines = self._read(market, data, options)
        except (FileError, MarketError) as error:
            raise CommandError(str(error)) from None
        except OSError as error:
            raise CommandError(f"{options['file']} can't be read: {error.strerror}") from None
        report = compare(market=market, lines=lines, progress=self._progress(len(lines)))
        self._say_plan(report)
        if report.doubts and not options["despite_doubt"]:
            self._stop_in_doubt(report)
        if not options["dry_run"]:
            self._book(market, data, report, options)
        self._say_done(report, dry_run=options["dry_run"])
        if not report.is_stored:
            sys.exit(NOT_ALL_STORED)

    def _read(self, market: Market, data: bytes, options: dict[str, Any]) -> list[FileLine]:
        counting = Counting(options["hours_from"], _MINUTES.get(options["numbers_are"] or ""))
        if counting.minutes and not counting.first:
            raise FileError("--numbers-are needs --hours-from 1")
        return read_trades(
            _lines(data),
            days=market.calendar,
            currency_on=lambda day: market.rules_on(day).currency,
            trader_id=options["trader"],
            market=market.code,
            counting=counting,
        )

    def _book(self, market: Market, data: bytes, report: Report, options: dict[str, Any]) -> None:
        source = FrameSource(f"file-{hashlib.sha256(data).hexdigest()}", "import")
        carry_out(market=market, source=source, report=report, now=clock.now())
        counts = {"lines": report.lines, "added": report.added, "different": len(report.different)}
        if report.doubts:
            counts["despite doubts"] = len(report.doubts)
        record(action=Action.IMPORTED, subject=f"file {options['file']}", details=counts)

    def _progress(self, total: int) -> Any:
        if not sys.stderr.isatty():
            return lambda _line: None

        def show(line: int) -> None:
            done = line * 40 // max(1, total)
            end = "\n" if line >= total else ""
            sys.stderr.write(f"\r[{'#' * done}{'.' * (40 - done)}] {line} of {total} lines{end}")

        return show

    def _say_plan(self, report: Report) -> None:
        """What the comparison found, before anything is written."""
        counts = {
            "new": len(report.missing),
            "known": report.known,
            "different": len(report.different),
            "both sides of one trade": len(report.both_sides),
            "extra": len(report.extra),
            "unreadable": len(report.bad),
            "contradictory": len(report.contradictory),
            "repeated": len(report.repeated),
            "doubtful": len(report.doubts),
        }
        self.stdout.write(f"Compared {report.lines} lines: " + ", ".join(f"{n} {name}" for name, n in counts.items()))
        for title, entries, most in self._entries(report):
            self._list(title, entries, most)

    def _entries(self, report: Report) -> Iterator[tuple[str, list[str], int]]:
        """What to name, with how many of it."""
        yield "missing", [f"line {m.number}: {m.parsed.exchange_id}" for m in report.missing], SHOWN
        different = [f"line {d.number}: {d.parsed.exchange_id}: {', '.join(names)}" for d, names in report.different]
        yield "different", different, SHOWN
        sides = [f"line {line.number}: {line.parsed.exchange_id}: kept aside" for line in report.both_sides]
        yield "both sides of one trade", sides, SHOWN
        yield "extra", report.extra, SHOWN
        bad = [f"line {b.number}: {b.parsed.detail}" for b in report.bad if isinstance(b.parsed, Unusable)]
        yield "unreadable", bad, len(bad)
        other = [
            f"line {c.number}: {c.parsed.exchange_id} stands in the file with other facts" for c in report.contradictory
        ]
        yield "contradictory", [f"{entry}: not booked" for entry in other], len(other)
        yield (
            "repeated",
            [f"line {r.number}: {r.parsed.exchange_id}, with the same facts" for r in report.repeated],
            SHOWN,
        )
        doubts = [f"line {d.line.number}: {d.line.parsed.exchange_id or 'no id'}: {d.why}" for d in report.doubts]
        yield "doubtful", doubts, SHOWN
        yield "gaps", [str(cover) for cover in report.covers], SHOWN

    def _stop_in_doubt(self, report: Report) -> None:
        self.stderr.write(
            f"Nothing is booked: {len(report.doubts)} lines are doubtful. Look at them; --despite-doubt books what can "
            "be booked."
        )
        sys.exit(IN_DOUBT)

    def _say_done(self, report: Report, *, dry_run: bool) -> None:
        added = "none added (dry run)" if dry_run else f"{report.added} added"
        self.stdout.write(
            f"{report.lines} trades in the file; missing: {len(report.missing)} ({added}), "
            f"different: {len(report.different)}, extra: {len(report.extra)}, unreadable lines: {len(report.bad)}"
        )
        if report.extra_within:
            start, end = report.extra_within
            self.stdout.write(
                "Extra means: stored for the file's traders and delivery days, executed from "
                f"{start:%Y-%m-%d %H:%M} to {end:%Y-%m-%d %H:%M} UTC, and not in the file."
            )
        if report.found_again:
            self.stdout.write(
                f"{report.found_again} trades that an earlier file lacked are in this one: not flagged any more."
            )
        if report.closed_gaps:
            self.stdout.write(f"{report.closed_gaps} gaps of the feed are covered by imported files and closed.")

    def _list(self, title: str, entries: list[str], most: int) -> None:
        for entry in entries[:most]:
            self.stdout.write(f"  {title}: {entry}")
        if len(entries) > most:
            self.stdout.write(f"  {title}: and {len(entries) - most} more")


def _lines(data: bytes) -> list[str]:
    if data.startswith(SIGNATURE):
        return lines_of(data)
    try:
        return data.decode("utf-8-sig").split("\n")
    except UnicodeDecodeError as error:
        raise FileError(f"the file is not UTF-8 text (byte {error.start})") from None
