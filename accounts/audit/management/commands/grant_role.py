"""`manage.py grant_role ROLE`: the rights of the database role that the processes connect as, given by the owner."""

from __future__ import annotations

import os
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import Error as DatabaseProblem

from accounts.audit.database_role import grant_application, what_could_change


class Command(BaseCommand):
    help = "Gives ROLE what the processes need and nothing that could change a record. Run it again after migrations."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("role", metavar="ROLE", nargs="?", help="the role that the processes connect as")
        parser.add_argument("--create", action="store_true", help="create the role if it is not there")
        parser.add_argument("--password-from", metavar="NAME", help="set its password to this environment variable's")
        parser.add_argument(
            "--check", action="store_true", help="say what this connection's own role could do to records; exit code 1"
        )

    def handle(self, *_args: Any, **options: Any) -> None:
        if options["check"]:
            self._check()
        elif options["role"]:
            self._grant(options["role"], create=options["create"], password_from=options["password_from"])
        else:
            raise CommandError("name the role that the processes connect as, or ask with --check")

    def _check(self) -> None:
        dangers = what_could_change()
        if dangers:
            raise CommandError(f"the role of this connection can change records: {'; '.join(dangers)}")
        self.stdout.write("The role of this connection can't change or delete records.")

    def _grant(self, role: str, *, create: bool, password_from: str | None) -> None:
        password = os.environ.get(password_from) if password_from else None
        if password_from and not password:
            raise CommandError(f"{password_from} is not set")
        try:
            grant_application(role=role, create=create, password=password)
        except DatabaseProblem as error:
            raise CommandError(str(error).splitlines()[0]) from None
        self.stdout.write(f"{role} may do what the processes need; records stay as they are")
