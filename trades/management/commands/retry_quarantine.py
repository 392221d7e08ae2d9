"""`manage.py retry_quarantine --reason R`: frames kept aside for a rule that has changed are judged again."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from accounts.audit.log import record
from accounts.audit.models import Action
from market import clock
from market.queries import MarketError, market_by_code
from trades.ledger.confirmations import timestamp_of
from trades.ledger.judging_again import judge_again, open_reasons


class Command(BaseCommand):
    help = (
        "Judges all open frames of one reason again, by the rules as they are now, in the order of their arrival: "
        "books what can be booked, each once, and says what became of them."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--reason", required=True, help="why they were kept aside, for example bad_execution_time")
        parser.add_argument("--since", metavar="TIME", help="only frames that arrived since, like 2026-11-23T06:00:00Z")
        parser.add_argument("--market", help="code of a market (default: all)")
        parser.add_argument("--dry-run", action="store_true", help="say what would become of them, change nothing")

    def handle(self, *_args: Any, **options: Any) -> None:
        try:
            since = timestamp_of(options["since"]) if options["since"] else None
            market_id = market_by_code(options["market"]).pk if options["market"] else None
        except (ValueError, MarketError) as error:
            raise CommandError(str(error)) from None
        waiting = open_reasons()
        if options["reason"] not in waiting:
            others = ", ".join(waiting) or "nothing"
            raise CommandError(f"no open frame was kept aside for “{options['reason']}”; frames wait for: {others}")
        result = judge_again(
            reason=options["reason"],
            since=since,
            market_id=market_id,
            now=clock.now(),
            dry_run=options["dry_run"],
        )
        self.stdout.write(f"{result}{' (dry run: nothing was changed)' if options['dry_run'] else ''}")
        if not options["dry_run"] and result.booked + result.known:
            counts = {"frames": result.frames, "booked": result.booked, "stored already": result.known}
            record(action=Action.RETRIED, subject=f"frames kept aside for {options['reason']}", details=counts)
