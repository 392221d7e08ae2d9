"""What tools make of our files: no period becomes a date, no 3.075 becomes 3075, wherever a file is opened.

LibreOffice in German, English, Dutch and Polish, Gnumeric, csvkit, SheetJS, pandas, polars and DuckDB, as many of them
as this machine has; a build server has all (local/checks/programs.py).
"""

from __future__ import annotations

import json
import os
import subprocess
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from django.test import Client

from local.checks import programs
from tests.dashboard.boards import store_price, store_trade
from tests.dashboard.people import a_head
from tests.trades.frames import germany

pytestmark = [
    pytest.mark.integration,
    pytest.mark.django_db,
    pytest.mark.filterwarnings("ignore:StreamingHttpResponse must consume"),
    pytest.mark.filterwarnings("ignore:Workbook contains no default style"),
]

DAY = date(2026, 11, 23)
READ_TABLES = Path(__file__).with_name("read_tables.py")
TEXTS = ("delivery_hour", "trader_id", "currency")
NUMBERS = ("average_price", "sold_mwh", "net_mwh", "performance_eur")
CALC = {"en": ("1033", 44), "de": ("1031", 59), "nl": ("1043", 59), "pl": ("1045", 59)}
"""Language -> its number in Calc's import of text, and what parts cells in its files."""
SHEETJS = """const XLSX = require("xlsx"), book = XLSX.readFile(process.argv[1], {raw: false, cellDates: true});
const typed = (value) => value instanceof Date ? {type: "date", value: value.toISOString()} : value;
const rows = XLSX.utils.sheet_to_json(book.Sheets[book.SheetNames[0]], {raw: true, defval: null});
const plain = (row) => Object.fromEntries(Object.entries(row).map(([name, value]) => [name, typed(value)]));
console.log(JSON.stringify(rows.map(plain)));"""

Row = dict[str, Any]
Expected = dict[str, dict[str, Any]]


@pytest.fixture
def board(client: Client) -> tuple[Client, Expected]:
    """A board of what is easily misread: hours that look like dates, prices like thousands; and what its rows are."""
    germany()
    client.force_login(a_head())
    for label, price in (("08-09", "3.075"), ("09-10", "12.5"), ("10-11", "1234.567"), ("11-12", "-3.3333")):
        store_trade(label, "sell", "3.075", price, day=DAY)
        store_price(label, "1.5", day=DAY, at=datetime.fromisoformat(f"{DAY}T06:00:00Z"))
    store_trade("08:15-08:30", "buy", "12.5", "0.1", day=DAY)
    store_price("08:15-08:30", "2", day=DAY, at=datetime.fromisoformat(f"{DAY}T06:00:00Z"))
    shown = client.get(f"/api/v1/boards/trader_1/{DAY}").json()
    traded = [one for one in shown["periods"] if one["trade_count"]]
    assert len(traded) == 5
    return client, {one["delivery_start"]: one for one in traded}


def saved(client: Client, folder: Path, form: str, language: str = "en") -> Path:
    answer = client.get(f"/boards/trader_1/{DAY}/board.{form}", headers={"Accept-Language": language})
    path = folder / f"board-{language}.{form}"
    path.write_bytes(answer.content if form == "xlsx" else b"".join(answer))  # type: ignore[arg-type]
    return path


def misread(rows: list[Row], expected: Expected, *, numbers_may_be_text: bool = False) -> list[str]:
    """What of the traded periods' rows is something else than the desk has written."""
    wrong, labels = [], {label(one): one for one in expected.values()}
    found = {str(row["delivery_hour"]): row for row in rows}
    wrong += [f"no row for {name}: {sorted(found)[:4]}" for name in labels.keys() - found.keys()]
    for name in labels.keys() & found.keys():
        row, one = found[name], labels[name]
        wrong += [f"{name} {text}: {row[text]!r}" for text in TEXTS if not isinstance(row[text], str)]
        for number in NUMBERS:
            value, due = row[number], Decimal(one[number])
            as_text = numbers_may_be_text and isinstance(value, str) and Decimal(value.replace(",", ".")) == due
            if not as_text and (isinstance(value, str | dict) or value is None or abs(Decimal(value) - due) > 1e-9):
                wrong.append(f"{name} {number}: {value!r} instead of {due}")
    return wrong


def label(one: dict[str, Any]) -> str:
    hour = one["delivery_hour"]
    return hour if ":" in hour else f"{hour[:2]}:00-{hour[3:5]}:00"


def only(program: programs.Program) -> str:
    path = program.find()
    if path is None and not os.environ.get("CI"):
        pytest.skip(f"{program.name} is not on this machine")
    return program.need()


def cells(path: Path) -> list[Row]:
    names, *rows = openpyxl.load_workbook(path).worksheets[0].iter_rows(values_only=True)
    return [{str(name): value for name, value in zip(names, row, strict=True)} for row in rows]


# --- programs -------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("tool", "form"),
    [
        ("pandas", "csv"),
        ("pandas", "xlsx"),
        ("polars", "csv"),
        ("duckdb", "csv"),
        ("csvkit", "csv"),
        ("csvkit", "xlsx"),
    ],
)
def test_programs_read_every_cell_right(board: tuple[Client, Expected], tmp_path: Path, tool: str, form: str) -> None:
    python = programs.python_tools()
    if python is None and not os.environ.get("CI"):
        pytest.skip("the tools can't be installed here")
    client, expected = board
    argv = [str(python), str(READ_TABLES), tool, str(saved(client, tmp_path, form))]
    assert misread(said_by(argv), expected) == []


@pytest.mark.parametrize("form", ["csv", "sheet.csv", "xlsx"])
def test_sheetjs(board: tuple[Client, Expected], tmp_path: Path, form: str) -> None:
    folder = programs.sheetjs()
    if folder is None and not os.environ.get("CI"):
        pytest.skip("there is no Node.js, or no registry")
    client, expected = board
    found = said_by(["node", "-e", SHEETJS, str(saved(client, tmp_path, form))], cwd=folder)
    assert misread(found, expected) == []
    if form == "xlsx":
        due = [f"{one['delivery_start'][:-1]}.000Z" for one in expected.values()]
        moments = {row["delivery_start_utc"]["value"] for row in found}
        assert [moment for moment in due if moment not in moments] == [], "SheetJS cuts at the millisecond"


def said_by(argv: list[str], cwd: Path | None = None) -> list[Row]:
    environment = {**os.environ, "LC_ALL": "C.UTF-8", "TZ": "UTC"}
    done = subprocess.run(argv, capture_output=True, text=True, check=False, env=environment, cwd=cwd)
    assert done.returncode == 0, done.stderr
    rows: list[Row] = json.loads(done.stdout)
    return rows


# --- spreadsheets ---------------------------------------------------------------------------------------------------
def test_calc(board: tuple[Client, Expected], tmp_path: Path) -> None:
    """The CSV for its language and the workbook come out right; the one for programs at worst as text."""
    program = only(programs.CALC)
    client, expected = board
    together: dict[str, list[Path]] = {}  # how files are read -> files: Calc starts once for them
    for language, (number, separator) in CALC.items():
        for form, parted_by in (("sheet.csv", separator), ("csv", 44), ("xlsx", None)):
            # Numbers that look special are recognised, as in its dialogue: the worst that a hand can choose.
            option = f"--infilter=CSV:{parted_by},34,76,1,,{number},false,true" if parted_by else ""
            together.setdefault(option, []).append(saved(client, tmp_path, form, language))
    for at, (option, paths) in enumerate(together.items()):
        target = tmp_path / f"made-{at}"
        argv = [program, "--headless", f"-env:UserInstallation=file://{tmp_path}/profile", *filter(None, [option])]
        argv += ["--convert-to", "xlsx:Calc MS Excel 2007 XML", "--outdir", str(target), *map(str, paths)]
        subprocess.run(argv, check=True, capture_output=True, env={**os.environ, "LC_ALL": "C.UTF-8"})
        assert len(list(target.iterdir())) == len(paths)
        for path in paths:
            for_programs = path.suffixes == [".csv"]
            made = cells(target / f"{path.stem}.xlsx")
            assert misread(made, expected, numbers_may_be_text=for_programs) == [], path.name


@pytest.mark.parametrize("form", ["csv", "sheet.csv", "xlsx"])
def test_gnumeric(board: tuple[Client, Expected], tmp_path: Path, form: str) -> None:
    program = only(programs.GNUMERIC)
    client, expected = board
    made = tmp_path / "made.xlsx"
    argv = [program, str(saved(client, tmp_path, form)), str(made)]
    subprocess.run(argv, check=True, capture_output=True, env={**os.environ, "LC_ALL": "C.UTF-8"})
    assert misread(cells(made), expected) == []


# --- the check itself -----------------------------------------------------------------------------------------------
def test_what_tools_make_of_short_labels_and_short_decimals_is_told() -> None:
    one = {"delivery_hour": "08-09", **dict.fromkeys(NUMBERS, "3.075")}
    right = {"delivery_hour": "08:00-09:00", "trader_id": "t", "currency": "EUR", **dict.fromkeys(NUMBERS, 3.075)}
    assert misread([right], {"": one}) == []
    assert len(misread([{**right, "delivery_hour": DAY}], {"": one})) == 1
    assert len(misread([{**right, "net_mwh": 3075}], {"": one})) == 1
    assert len(misread([{**right, "net_mwh": {"type": "date"}}], {"": one})) == 1
    assert len(misread([{**right, "net_mwh": "3.075"}], {"": one})) == 1
    assert misread([{**right, "net_mwh": "3.0750"}], {"": one}, numbers_may_be_text=True) == []
    assert len(misread([{**right, "net_mwh": 3075}], {"": one}, numbers_may_be_text=True)) == 1
