#!/usr/bin/env bash
# Guess: resample("1D", offset="-1h") cuts a series with a zone into days from 23:00 to 23:00, as Great Britain's and
# Ireland's delivery days are; 48 half hours a day, 50 and 46 when the clocks change.
# Seen (pandas 3.1.1): on an index with a zone the offset does nothing but warn; every day is cut at midnight, so that the
# two half hours from 23:00 on belong to the day before theirs, and the sums look right (48, 50, 46). polars 2.1.0 cuts
# at 23:00 with group_by_dynamic(every="1d", offset="-1h"), across both clock changes.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check pandas==3.1.1 polars==2.1.0 tzdata==2026.2
"$folder/venv/bin/python" - <<'PYTHON'
import sys
import warnings
from datetime import datetime

import pandas
import polars

ZONE = "Europe/London"
CHANGES = {("2026-10-24", "2026-10-26"): 50, ("2026-03-28", "2026-03-30"): 46}


def by_pandas(first: str, last: str) -> tuple[list[int], list[str], bool]:
    """Half hours a day, the wall clock at which each day begins, and whether there was a warning."""
    halves = pandas.Series(1, pandas.date_range(f"{first} 00:00", f"{last} 23:30", freq="30min", tz=ZONE))
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        days = halves.resample("1D", offset="-1h").sum()
    return list(days), [f"{start:%H:%M}" for start in days.index], bool(said)


def by_polars(first: str, last: str) -> list[str]:
    """The wall clock at which each day begins."""
    moments = polars.datetime_range(
        datetime.fromisoformat(f"{first}T00:00"),
        datetime.fromisoformat(f"{last}T23:30"),
        "30m",
        time_zone=ZONE,
        eager=True,
    )
    days = polars.DataFrame({"start": moments}).group_by_dynamic("start", every="1d", offset="-1h").agg(polars.len())
    return [f"{start:%H:%M}" for start in days["start"]]


seen = {days: (*by_pandas(*days), by_polars(*days)) for days in CHANGES}
print(seen)
for days, halves in CHANGES.items():
    counts, starts, warned, right = seen[days]
    if counts != [48, halves, 48] or set(starts) != {"00:00"} or not warned or set(right) != {"23:00"}:
        sys.exit("Changed: pandas or polars cuts days from the evening before in another way now.")
PYTHON
