"""`make bench`: run all benchmarks, or the one that BENCH names, on servers started for them.

`make bench-growth` (`python -m bench growth`) runs the one that takes its time, on a database of its own.
"""

from __future__ import annotations

import os
import sys
from contextlib import ExitStack
from pathlib import Path

from bench import table
from local import servers

NAMES = ("journal", "ingest", "listener", "replay", "board", "screen", "storm", "pages", "cost", "prices", "history")
FOLDER = Path(__file__).resolve().parent.parent / "var" / "bench"


GROWTH = "growth"


def main(arguments: list[str]) -> int:
    wanted = (arguments or [os.environ.get("BENCH") or ""])[0]
    if wanted and wanted not in {*NAMES, GROWTH}:
        print(f"BENCH must be one of {', '.join(NAMES)}", file=sys.stderr)
        return 1
    folder = FOLDER.with_name("bench-growth") if wanted == GROWTH else FOLDER
    with ExitStack() as stack:
        folder.mkdir(parents=True, exist_ok=True)
        own = stack.enter_context(servers.running(folder, fast=False))
        os.environ.update(
            DATABASE_URL=own.database_url,
            REDIS_URL=own.redis_url,
            SECRET_KEY="for benchmarks only",
            SECURE_COOKIES="0",
            LOG_LEVEL="ERROR",
            DJANGO_SETTINGS_MODULE="reporting.settings",
        )
        import django

        django.setup()
        from django.core.management import call_command

        call_command("migrate", verbosity=0)
        rows: list[table.Row] = []
        for name in [wanted] if wanted else NAMES:
            print(f"{name} …", flush=True)
            rows += __import__(f"bench.{name}", fromlist=["run"]).run(folder)
    table.show(rows)
    print(f"Written to {table.keep(rows)}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
