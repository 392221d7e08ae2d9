"""`manage.py import_trades FILE`: the exchange's file against what is stored."""

from __future__ import annotations

import hashlib
import sys
from argparse import ArgumentParser
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from accounts.audit.log import record
from accounts.audit.models import Action
from market.models import Market
from market.queries import MarketError, market_by_code
from trades.frames import FrameSource
from trades.imports.files import FileError, read_trades
from trades.imports.reconciliation import Report, reconcile
from trades.ledger.confirmations import Unusable

SHOWN = 20


class Command(BaseCommand):
    help = (
        "Compares an exchange file with what is stored: adds the missing trades, reports and flags different and "
        "extra ones. Run twice, it changes nothing. Exit code 1 if a line could not be read."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", metavar="FILE")
        parser.add_argument("--trader", metavar="TRADER_ID", help="whose trades they are, where the file doesn't say")
        parser.add_argument("--market", help="code of the market (needed with several active ones)")
        parser.add_argument("--dry-run", action="store_true", help="report only, change nothing")

    def handle(self, *_args: Any, **options: Any) -> None:
        try:
            market = market_by_code(options["market"])
            data = Path(options["file"]).read_bytes()
            report = self._reconcile(market, data, options)
        except (FileError, MarketError) as error:
            raise CommandError(str(error)) from None
        except OSError as error:
            raise CommandError(f"{options['file']} can't be read: {error.strerror}") from None
        if not options["dry_run"]:
            counts = {"lines": report.lines, "added": report.added, "different": len(report.different)}
            record(action=Action.IMPORTED, subject=f"file {options['file']}", details=counts)
        self._print(report, dry_run=options["dry_run"])
        if report.bad:
            sys.exit(1)

    def _reconcile(self, market: Market, data: bytes, options: dict[str, Any]) -> Report:
        try:
            lines = data.decode("utf-8-sig").split("\n")
        except UnicodeDecodeError as error:
            raise FileError(f"the file is not UTF-8 text (byte {error.start})") from None
        source = FrameSource(f"file-{hashlib.sha256(data).hexdigest()}", "import")
        return reconcile(
            market=market,
            source=source,
            lines=read_trades(lines, zone=market.zone, currency=market.currency, trader_id=options["trader"]),
            now=datetime.now(UTC),
            dry_run=options["dry_run"],
            progress=self._progress(len(lines)),
        )

    def _progress(self, total: int) -> Any:
        if not sys.stderr.isatty():
            return lambda _line: None

        def show(line: int) -> None:
            done = line * 40 // max(1, total)
            end = "\n" if line >= total else ""
            sys.stderr.write(f"\r[{'#' * done}{'.' * (40 - done)}] {line} of {total} lines{end}")

        return show

    def _print(self, report: Report, *, dry_run: bool) -> None:
        added = "none added (dry run)" if dry_run else f"{report.added} added"
        self.stdout.write(
            f"{report.lines} trades in the file; missing: {len(report.missing)} ({added}), "
            f"different: {len(report.different)}, extra: {len(report.extra)}, unreadable lines: {len(report.bad)}"
        )
        if report.first_execution:
            self.stdout.write(
                "Extra means: stored for the file's traders and delivery days, executed on "
                f"{report.first_execution:%Y-%m-%d} to {report.last_execution:%Y-%m-%d}, and not in the file."
            )
        if report.closed_gaps:
            self.stdout.write(f"{report.closed_gaps} gaps of the feed are covered by this file and closed.")
        self._list("missing", [f"line {m.number}: {m.parsed.exchange_id}" for m in report.missing])
        self._list(
            "different",
            [f"line {d.number}: {d.parsed.exchange_id}: {', '.join(names)}" for d, names in report.different],
        )
        self._list("extra", report.extra)
        self._list(
            "unreadable",
            [f"line {b.number}: {b.parsed.detail}" for b in report.bad if isinstance(b.parsed, Unusable)],
            most=len(report.bad),
        )

    def _list(self, title: str, entries: list[str], most: int = SHOWN) -> None:
        for entry in entries[:most]:
            self.stdout.write(f"  {title}: {entry}")
        if len(entries) > most:
            self.stdout.write(f"  {title}: and {len(entries) - most} more")
