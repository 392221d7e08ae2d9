#!/usr/bin/env python
"""Django's command line for the desk: `python manage.py COMMAND`."""

import os
import sys


def main() -> None:
    """Run one command; a database that is away is one sentence and exit code 1, not a stack trace."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "reporting.settings")
    from django.core.management import execute_from_command_line
    from django.db.utils import OperationalError

    try:
        execute_from_command_line(sys.argv)
    except OperationalError as error:
        if os.environ.get("DEBUG_TRACEBACKS"):
            raise
        first_line = str(error).strip().splitlines()[0] if str(error).strip() else "no answer"
        sys.exit(f"PostgreSQL can't be used: {first_line} (see DATABASE_URL; `make run` starts an embedded one)")


if __name__ == "__main__":
    main()
