"""`manage.py create_trader`: a login that belongs to one trader."""

from __future__ import annotations

import getpass
import sys
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from dashboard.access.logins import LoginError, create_trader_login


class Command(BaseCommand):
    help = "Creates a login that belongs to one trader. Prompts for the password if it isn't given."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("trader_id", metavar="TRADER_ID", help="the trader's id on the exchange")
        parser.add_argument("--username", required=True, help="the name to log in with")
        parser.add_argument("--password", help="asked for if not given")

    def handle(self, *_args: Any, **options: Any) -> None:
        password = options["password"] if options["password"] is not None else _prompt()
        try:
            create_trader_login(trader_id=options["trader_id"], username=options["username"], password=password)
        except LoginError as error:
            raise CommandError(str(error)) from None
        self.stdout.write(f"{options['username']} can log in and sees the boards of {options['trader_id']}")


def _prompt() -> str:
    if not sys.stdin.isatty():
        raise CommandError("give --password, or run this on a terminal to be asked for it")
    first, second = getpass.getpass("Password: "), getpass.getpass("Again: ")
    if first != second:
        raise CommandError("the two passwords differ")
    return first
