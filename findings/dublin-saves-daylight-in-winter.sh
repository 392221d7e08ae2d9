#!/usr/bin/env bash
# Guess: dst() is an hour in summer and nothing in winter, in Dublin as in London and Lisbon, so that "dst() is not zero"
# tells the summer's delivery days and their offset.
# Seen (tzdata 2026.2 with zoneinfo, pytz 2026.6): in Dublin it is minus one hour in winter (GMT) and
# nothing in summer (IST): Irish standard time is the summer's. utcoffset() is as everywhere.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check tzdata==2026.2 pytz==2026.6
"$folder/venv/bin/python" - <<'PYTHON'
import sys
import zoneinfo
from datetime import datetime, timedelta

import pytz

zoneinfo.reset_tzpath([])  # the pinned package's data, not the system's
WINTER, SUMMER = datetime(2026, 1, 10, 12), datetime(2026, 7, 10, 12)
HOUR, NOTHING = timedelta(hours=1), timedelta()


def of_zoneinfo(zone: str) -> list[timedelta | None]:
    return [moment.replace(tzinfo=zoneinfo.ZoneInfo(zone)).dst() for moment in (WINTER, SUMMER)]


def of_pytz(zone: str) -> list[timedelta | None]:
    return [pytz.timezone(zone).localize(moment).dst() for moment in (WINTER, SUMMER)]


seen = {zone: (of_zoneinfo(zone), of_pytz(zone)) for zone in ("Europe/Dublin", "Europe/London", "Europe/Lisbon")}
offsets = [moment.replace(tzinfo=zoneinfo.ZoneInfo("Europe/Dublin")).utcoffset() for moment in (WINTER, SUMMER)]
print({zone: [list(map(str, each)) for each in both] for zone, both in seen.items()}, list(map(str, offsets)))
as_expected = seen["Europe/London"] == seen["Europe/Lisbon"] == ([NOTHING, HOUR], [NOTHING, HOUR])
if seen["Europe/Dublin"] != ([-HOUR, NOTHING], [-HOUR, NOTHING]) or offsets != [NOTHING, HOUR] or not as_expected:
    sys.exit("Changed: Dublin's summer time is told in another way now.")
PYTHON
