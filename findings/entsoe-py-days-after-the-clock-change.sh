#!/usr/bin/env bash
# Guess: the days of a transparency document with resolution P1D begin at local midnight, whichever side of a clock change
# they are on: its period runs from 2026-10-23T22:00Z to 2026-10-27T23:00Z, four days of Central Europe.
# Seen (entsoe-py 0.8.1, pandas 3.1.1): positions are counted in steps of 24 hours from the start, so every day after the
# change begins at 23:00 of the day before; grouped by date, 25 October has two values and the 27th none. Both for a
# document that writes all points (A01) and for one that may leave out repeated ones (A03).
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check entsoe-py==0.8.1 pandas==3.1.1 tzdata==2026.2
"$folder/venv/bin/python" - <<'PYTHON'
import sys

from entsoe import parsers

DOCUMENT = """<GL_MarketDocument><TimeSeries><mRID>1</mRID><curveType>{curve}</curveType><Period><timeInterval>
<start>2026-10-23T22:00Z</start><end>2026-10-27T23:00Z</end></timeInterval><resolution>P1D</resolution>{points}
</Period></TimeSeries></GL_MarketDocument>"""
POINT = "<Point><position>{0}</position><quantity>{0}</quantity></Point>"


def days(curve: str) -> list[str]:
    """When each day begins in Berlin, as the package has it."""
    text = DOCUMENT.format(curve=curve, points="".join(POINT.format(n) for n in range(1, 5)))
    (series,) = parsers._extract_timeseries(text)
    (found,) = [part for part in parsers._parse_timeseries_generic(series).values() if part is not None]
    return [f"{moment:%d %H:%M}" for moment in found.tz_convert("Europe/Berlin").index]


found = {curve: days(curve) for curve in ("A01", "A03")}
print(found)
if set(map(tuple, found.values())) != {("24 00:00", "25 00:00", "25 23:00", "26 23:00")}:
    sys.exit("Changed: the days of a document after a clock change begin at another time now.")
PYTHON
