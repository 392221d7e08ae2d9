#!/usr/bin/env bash
# Guess: a frame with 100 quarter hours, each its own group, makes a dictionary of 100; moments an hour apart are two keys.
# Seen (polars 2.1.0, duckdb 2.0.1, pandas 3.1.1): polars counts 100 groups, and its own partition_by(…, as_dict=True) and
# rows_by_key(…, unique=True) give 96: at the first pass of 02-03 stands what belongs to the second, and the day's average
# price is another one. Python's moments of one zone are equal, and hash alike, when their clocks show the same, whichever
# pass they are; polars and DuckDB hand such moments out. pandas' Timestamps are 100 keys, its to_pydatetime() 96. In UTC
# all have 100.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check polars==2.1.0 duckdb==2.0.1 pandas==3.1.1 \
  tzdata==2026.2
"$folder/venv/bin/python" - <<'PYTHON'
import sys
from datetime import UTC, datetime, timedelta

import duckdb
import pandas
import polars

QUARTERS = [datetime(2026, 10, 24, 22, tzinfo=UTC) + timedelta(minutes=15 * at) for at in range(100)]
PRICES = [-10 if 8 <= at < 12 else 50 for at in range(100)]
"""The wind blows in the first pass of 02-03."""
SERIES = """SELECT moment, 0 FROM generate_series(timestamptz '2026-10-25 00:00:00+02',
    timestamptz '2026-10-25 23:45:00+01', interval 15 minute) AS day(moment)"""


def sizes(zone: str) -> dict[str, int]:
    """How many keys the long day has with moments in the zone, by what makes the dictionary."""
    frame = framed(zone)
    database = duckdb.connect()
    database.execute(f"SET timezone = '{zone}'")
    index = pandas.DatetimeIndex(QUARTERS).tz_convert(zone)
    return {
        "polars' groups": frame.group_by("start").len().height,
        "polars' partition_by": len(frame.partition_by("start", as_dict=True)),
        "polars' rows_by_key": len(frame.rows_by_key("start", unique=True)),
        "DuckDB's rows": len(dict(database.execute(SERIES).fetchall())),
        "pandas' to_dict": len(pandas.Series(PRICES, index).to_dict()),
        "pandas' to_pydatetime": len(dict(zip(index.to_pydatetime(), PRICES, strict=True))),
    }


def framed(zone: str) -> polars.DataFrame:
    return polars.DataFrame({"start": polars.Series(QUARTERS).dt.convert_time_zone(zone), "price": PRICES})


local, universal = sizes("Europe/Berlin"), sizes("UTC")
frame = framed("Europe/Berlin")
kept = [price for (price,) in frame.rows_by_key("start", unique=True).values()]
averages = frame["price"].mean(), sum(kept) / len(kept)
print("polars", polars.__version__, "duckdb", duckdb.__version__, "pandas", pandas.__version__)
print("keys in Europe/Berlin", local, "in UTC", set(universal.values()))
print("average price of the frame and of polars' dictionary", *averages)
if list(local.values()) != [100, 96, 96, 96, 100, 96] or set(universal.values()) != {100} or averages != (47.6, 50):
    sys.exit("Changed: moments of the doubled hour are other keys now.")
PYTHON
