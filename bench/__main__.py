"""`make bench`: run all benchmarks, or the one that BENCH names, on servers started for them."""

from __future__ import annotations

import os
import sys
from contextlib import ExitStack
from pathlib import Path

from bench import table
from local import servers

NAMES = ("journal", "ingest", "listener", "replay", "board", "screen", "storm", "pages", "cost", "prices", "history")
FOLDER = Path(__file__).resolve().parent.parent / "var" / "bench"


def main() -> int:
    wanted = os.environ.get("BENCH") or ""
    if wanted and wanted not in NAMES:
        print(f"BENCH must be one of {', '.join(NAMES)}", file=sys.stderr)
        return 1
    with ExitStack() as stack:
        FOLDER.mkdir(parents=True, exist_ok=True)
        own = stack.enter_context(servers.running(FOLDER, fast=False))
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
            rows += __import__(f"bench.{name}", fromlist=["run"]).run(FOLDER)
    table.show(rows)
    print(f"Written to {table.keep(rows)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
