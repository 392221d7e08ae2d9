#!/usr/bin/env bash
# Guess: a CSV with decimal points is read wrongly, if at all, in the same way by a spreadsheet in any language with a decimal
# comma: numbers stay text; and a period "08-09" is text, as no such date exists without a year.
# Seen (LibreOffice 7.4.7, its import of text with "detect special numbers", from the command line): 3.075 is 3075 in German
# and Dutch and text in Polish; 12.5 is text in German and Dutch and the 12th of May in Polish; 08-09 is the 8th of September
# in Dutch and text in the others. With four decimals (3.0750, 12.5000) a number is right or text in every one of them, and
# 08:00-09:00 is text everywhere.
# Needs libreoffice-calc-nogui from Debian's packages.
set -euo pipefail
soffice=$(command -v soffice) || { echo "There is no LibreOffice: apt-get install libreoffice-calc-nogui" >&2; exit 1; }
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check openpyxl==3.1.5
printf 'a,b,c,d,e,f\r\n3.075,3.0750,12.5,12.5000,08-09,08:00-09:00\r\n' > "$folder/table.csv"
"$soffice" --version
for language in 1033 1031 1043 1045; do  # English, German, Dutch, Polish
  "$soffice" --headless "-env:UserInstallation=file://$folder/profile" "--infilter=CSV:44,34,76,1,,$language,false,true" \
    --convert-to "xlsx:Calc MS Excel 2007 XML" --outdir "$folder/$language" "$folder/table.csv" > /dev/null 2>&1
done
FOLDER=$folder "$folder/venv/bin/python" -W ignore - <<'PYTHON'
import os
import sys
from datetime import datetime

import openpyxl

LANGUAGES = {"English": "1033", "German": "1031", "Dutch": "1043", "Polish": "1045"}
seen = {}
for language, number in LANGUAGES.items():
    sheet = openpyxl.load_workbook(f"{os.environ['FOLDER']}/{number}/table.xlsx").active
    row = [cell.value for cell in sheet[2]]
    seen[language] = [f"{value:%d %b}" if isinstance(value, datetime) else value for value in row]
    print(f"{language:8} {seen[language]}")
expected = {
    "English": [3.075, 3.075, 12.5, 12.5, "08-09", "08:00-09:00"],
    "German": [3075, "3.0750", "12.5", "12.5000", "08-09", "08:00-09:00"],
    "Dutch": [3075, "3.0750", "12.5", "12.5000", "08 Sep", "08:00-09:00"],
    "Polish": ["3.075", "3.0750", "12 May", "12.5000", "08-09", "08:00-09:00"],
}
if seen != expected:
    sys.exit(f"This has changed: {seen}")
PYTHON
