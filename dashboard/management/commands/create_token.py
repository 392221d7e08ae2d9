"""`manage.py create_token`: a token for a program that acts as a user, printed once."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.contrib.auth.models import User
from django.core.management.base import BaseCommand, CommandError

from accounts.tokens import DAYS, TokenError, create_token
from market import clock


class Command(BaseCommand):
    help = "Creates a token with which a program sees what the user sees. It is printed this once, on the last line."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("username", metavar="USERNAME", help="whose token it is")
        parser.add_argument("--name", required=True, help="what it is for, to know it again")
        parser.add_argument("--scope", choices=["read", "write"], default="read", help="what it may do (read)")
        parser.add_argument("--days", type=int, default=DAYS, help=f"how long it holds ({DAYS})")

    def handle(self, *_args: Any, **options: Any) -> None:
        name = options["username"]
        user = None if "\0" in name else User.objects.filter(username=name, is_active=True).first()
        if user is None:
            raise CommandError(f"there is no active user called “{name}”")
        asked = {key: options[key] for key in ("name", "scope", "days")}
        try:
            token = create_token(user=user, now=clock.now(), **asked)
        except TokenError as error:
            raise CommandError(str(error)) from None
        self.stderr.write(f"{asked['scope']}, {asked['days']} days, sees what {user} sees; it is shown this once:")
        self.stdout.write(token)
