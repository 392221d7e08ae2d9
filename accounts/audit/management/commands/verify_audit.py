"""`manage.py verify_audit`: whether the audit log is what was written, row by row."""

from __future__ import annotations

from argparse import ArgumentParser, ArgumentTypeError
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from accounts.audit.chain import BrokenChainError, Head
from accounts.audit.queries import verified_head


def noted_head(text: str) -> Head:
    """NUMBER:DIGEST, as this command and the log line `audit_head` print it."""
    number, _, digest = text.partition(":")
    if not number.isdecimal() or len(digest) != 64:
        raise ArgumentTypeError(f"“{text}” is not of the form NUMBER:DIGEST")
    return Head(int(number), digest)


class Command(BaseCommand):
    help = (
        "Follows the audit log's hash chain. Exit code 1 and the row's number if a row was changed, removed or added."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--noted", type=noted_head, action="append", default=[], metavar="NUMBER:DIGEST",
            help="a head that was noted earlier, outside of the database; may be given several times",
        )  # fmt: skip
        parser.add_argument(
            "--after", type=noted_head, metavar="NUMBER:DIGEST", help="the last row that is archived elsewhere"
        )

    def handle(self, *_args: Any, **options: Any) -> None:
        try:
            head = verified_head(after=options["after"], anchors=options["noted"])
        except BrokenChainError as error:
            raise CommandError(f"the audit log is broken: {error}") from None
        self.stdout.write(f"The audit log holds: {head.number} rows. Note its head: {head.number}:{head.digest}")
