#!/usr/bin/env bash
# Guess: moments with a zone (TIMESTAMPTZ) that are an hour apart never share an hour's group, and a local time that exists
# twice means its first pass, as Python's datetime takes it.
# Seen (duckdb 2.0.1): with the session's zone Europe/Berlin date_trunc('hour', …) puts both passes of 02-03 on 2026-10-25
# into one group of eight quarters; time_bucket makes two of four. timezone('Europe/Berlin', 02:30) is the second pass.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check duckdb==2.0.1 pytz==2026.2 tzdata==2026.2
"$folder/venv/bin/python" - <<'PYTHON'
import sys
from datetime import datetime
from zoneinfo import ZoneInfo

import duckdb

database = duckdb.connect()
database.execute("SET timezone = 'Europe/Berlin'")
DAY = """generate_series(timestamptz '2026-10-25 00:00:00+02', timestamptz '2026-10-25 23:45:00+01',
    interval 15 minute) AS day(quarter)"""


def groups(hour: str) -> list[int]:
    """How many quarters each hour of the day of 25 hours has."""
    rows = database.execute(f"SELECT count(*) FROM {DAY} GROUP BY {hour} ORDER BY min(quarter)").fetchall()
    return [count for (count,) in rows]


truncated, bucketed = groups("date_trunc('hour', quarter)"), groups("time_bucket(interval 1 hour, quarter)")
first_pass = datetime(2026, 10, 25, 2, 30, tzinfo=ZoneInfo("Europe/Berlin")).timestamp()
local = "timezone('Europe/Berlin', timestamp '2026-10-25 02:30:00')"
later = database.execute(f"SELECT epoch({local})").fetchone()[0] - first_pass
print("date_trunc", truncated, "time_bucket", bucketed, "seconds after the first pass", later)
if truncated != [4, 4, 8, *[4] * 21] or bucketed != [4] * 25 or later != 3600:
    sys.exit("Changed: DuckDB treats the doubled hour in another way now.")
PYTHON
