"""Exports: the page's own figures, typed, safe to open, for those who may see the page."""

from __future__ import annotations

import csv
import io
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import openpyxl
import pytest
from django.contrib.auth.models import User
from django.test import Client
from hypothesis import example, given
from hypothesis import strategies as st

from dashboard.render.files import csv_pieces, file_name, for_spreadsheets, xlsx_file
from dashboard.render.tables import Column, Kind, Table
from market.labels import file_label, unguarded
from market.models import Market
from tests.dashboard.boards import store_sketch, store_trade
from tests.dashboard.people import a_head, a_trader
from tests.trades.frames import germany
from trades.ledger.decisions import cancel_trade
from trades.ledger.traders import ensure_trader
from trades.models import Trade

BOARD = "/boards/trader_1/2023-02-06/board"
TRADES = "/boards/trader_1/2023-02-06/15-16/trades"
DESK = "/desk/2023-02-06/desk"
HISTORY = "/history/history"
EVERYTHING = (BOARD, TRADES, DESK, HISTORY)
FIGURES = (
    "trade_count",
    "average_price",
    "sold_mwh",
    "bought_mwh",
    "average_sell_price",
    "average_buy_price",
    "net_mwh",
    "reference_price",
    "performance",
    "performance_eur",
)
RANGE = {"from": "2023-02-01", "to": "2023-02-10"}
pages = pytest.mark.django_db


@pytest.fixture
def head(client: Client) -> User:
    germany()
    store_sketch()
    store_trade("12:15-12:30", "sell", "4", "-3.3333")
    user = a_head()
    client.force_login(user)
    return user


def fetched(client: Client, address: str, **asked: str) -> Any:
    response = client.get(address, asked)
    assert response.status_code == 200, address
    assert "no-store" in response["Cache-Control"]
    return response


def as_csv(client: Client, address: str, **asked: str) -> list[dict[str, str]]:
    response = fetched(client, f"{address}.csv", **asked)
    assert response["Content-Type"] == "text/csv; charset=utf-8"
    return list(csv.DictReader(io.StringIO(b"".join(response).decode(), newline="")))


def as_xlsx(client: Client, address: str, **asked: str) -> list[dict[str, Any]]:
    """The rows of all sheets; each sheet has the rows of one kind, by which it is named."""
    found = []
    for sheet in openpyxl.load_workbook(io.BytesIO(fetched(client, f"{address}.xlsx", **asked).content)).worksheets:
        names, *rows = [[cell.value for cell in row] for row in sheet.iter_rows()]
        of_sheet = [dict(zip(map(str, names), row, strict=True)) for row in rows]
        assert {row.get("row", sheet.title) for row in of_sheet} <= {sheet.title}
        found += of_sheet
    return found


def exact(value: object) -> Decimal | None:
    """A figure of a file or of the API: undefined is empty in one and null in the other."""
    return None if value in {"", None} else Decimal(str(value))


# --- the same figures -----------------------------------------------------------------------------------------------
@pages
@pytest.mark.filterwarnings("ignore:StreamingHttpResponse must consume")
def test_a_board_is_the_api_s(client: Client, head: User) -> None:
    shown = client.get("/api/v1/boards/trader_1/2023-02-06").json()
    *periods, total = as_csv(client, BOARD)
    assert [row["delivery_hour"] for row in periods] == [file_label(one["delivery_hour"]) for one in shown["periods"]]
    for row, one in zip([*periods, total], [*shown["periods"], shown["total"]], strict=True):
        assert [exact(row[name]) for name in FIGURES] == [exact(one[name]) for name in FIGURES]
    assert (total["row"], total["delivery_hour"], total["delivery_start_utc"]) == ("total", "", "")
    noon = next(row for row in periods if row["delivery_hour"] == "12:00-13:00")
    assert noon["delivery_start_utc"] == "2023-02-06T11:00:00Z"
    assert noon["delivery_start_local"] == "2023-02-06T12:00:00+01:00"
    assert noon["reference_updated_at_local"] == "2023-02-06T10:15:45+01:00"


@pages
@pytest.mark.filterwarnings("ignore:StreamingHttpResponse must consume")
@pytest.mark.parametrize("address", EVERYTHING)
def test_xlsx_says_what_csv_says_with_types(client: Client, head: User, address: str) -> None:
    asked = RANGE if address == HISTORY else {}
    rows, cells = as_csv(client, address, **asked), as_xlsx(client, address, **asked)
    assert len(rows) == len(cells) > 0
    kinds = list(dict.fromkeys(row.get("row") for row in rows))
    rows.sort(key=lambda row: kinds.index(row.get("row")))  # a sheet after the other
    for row, typed in zip(rows, cells, strict=True):
        assert list(row) == list(typed)
        for name, text in row.items():
            _assert_same(name, text, typed[name])


def _assert_same(name: str, text: str, value: Any) -> None:
    if value is None:
        assert text == "", name
    elif isinstance(value, datetime) and name.endswith("_utc"):
        assert value.replace(tzinfo=UTC) == datetime.fromisoformat(text), name
    elif isinstance(value, datetime) and name.endswith("_local"):
        assert value == datetime.fromisoformat(text).replace(tzinfo=None), name
    elif isinstance(value, datetime):
        assert value.date() == date.fromisoformat(text), name
    elif isinstance(value, int | float):
        assert value == pytest.approx(float(text), rel=1e-15), name
    else:
        assert value == text, name


@pages
@pytest.mark.filterwarnings("ignore:StreamingHttpResponse must consume")
def test_the_desk_is_every_board_and_the_page(client: Client, head: User) -> None:
    store_sketch(trader="trader_2")
    rows = as_csv(client, DESK)
    for trader in ("trader_1", "trader_2"):
        shown = client.get(f"/api/v1/boards/{trader}/2023-02-06").json()
        traded = [one for one in shown["periods"] if one["trade_count"]]
        mine = [row for row in rows if row["trader_id"] == trader]
        assert [row["row"] for row in mine] == ["trader period"] * len(traded) + ["trader total"]
        for row, one in zip(mine, [*traded, shown["total"]], strict=True):
            assert [exact(row[name]) for name in FIGURES] == [exact(one[name]) for name in FIGURES]
    whole = next(row for row in rows if row["row"] == "desk total")
    assert (
        f'data-total="performance_eur" data-trend="good" data-value="{whole["performance_eur"]}"'
        in client.get("/desk/2023-02-06/").content.decode()
    )
    totals = [
        Decimal(row["performance_eur"]) for row in rows if row["row"] == "trader total" and row["performance_eur"]
    ]
    assert sum(totals) == Decimal(whole["performance_eur"])


@pages
@pytest.mark.filterwarnings("ignore:StreamingHttpResponse must consume")
def test_a_history_is_the_page_s_and_adds_up(client: Client, head: User) -> None:
    rows = as_csv(client, HISTORY, **RANGE)
    text = client.get("/history/", RANGE).content.decode()
    total = next(row for row in rows if row["row"] == "total")
    for kind in ("day", "hour", "side", "trader"):
        parts = [row for row in rows if row["row"] == kind]
        assert parts, kind
        assert sum(Decimal(row["performance_eur"] or 0) for row in parts) == Decimal(total["performance_eur"])
        for row in parts:
            assert f'data-field="net_mwh" data-trend="none" data-value="{row["net_mwh"]}"' in text
    assert total["unpriced_mwh"] == "1"
    day = next(row for row in rows if row["row"] == "day")
    assert (day["delivery_day"], day["day_start_utc"]) == ("2023-02-06", "2023-02-05T23:00:00Z")


@pages
@pytest.mark.filterwarnings("ignore:StreamingHttpResponse must consume")
def test_trades_are_the_opened_row_s(client: Client, head: User) -> None:
    bought = Trade.objects.get(direction="buy")
    cancel_trade(trade=bought, reason="=keyed twice", user=head)
    rows = {row["direction"]: row for row in as_csv(client, TRADES)}
    sold = rows["sell"]
    assert (sold["quantity_mw"], sold["energy_mwh"], sold["price"]) == ("10", "10", "30")
    assert (sold["difference_to_reference_now"], sold["difference_to_reference_then"]) == ("5", "5")
    assert sold["execution_time_local"].endswith("+01:00")
    assert (rows["buy"]["change"], rows["buy"]["reason"]) == ("cancelled", "'=keyed twice")
    assert next(row for row in as_xlsx(client, TRADES) if row["change"])["reason"] == "=keyed twice"


# --- safe to open ---------------------------------------------------------------------------------------------------
FORMULAS = ["=1+1", "+1", "-1", "@x", "\t=1", "\r=1", "\n=1", "＝1", "-1+1|cmd", '=HYPERLINK("http://x")']


def a_table(*texts: str, number: Decimal = Decimal("-1.5")) -> Table:
    columns = (Column("text", Kind.TEXT), Column("number", Kind.NUMBER))
    return Table("t", Market(code="DE").zone, columns, tuple((text, number) for text in texts))


@pytest.mark.parametrize("text", FORMULAS)
def test_no_text_is_a_formula(text: str) -> None:
    _, row = csv.reader(io.StringIO("".join(csv_pieces(a_table(text))), newline=""))
    assert row[0].startswith("'") and unguarded(row[0]) == text
    assert row[1] == "-1.5000", "the number stays one"
    sheet = openpyxl.load_workbook(io.BytesIO(xlsx_file(a_table(text)))).active
    assert sheet is not None
    cell = sheet.cell(2, 1)
    assert (cell.data_type, cell.quotePrefix) == ("s", True)
    assert sheet.cell(2, 2).value == -1.5


@given(st.lists(st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1), max_size=5))
@example([";'"])
def test_any_text_comes_back_whole(texts: list[str]) -> None:
    _, *rows = csv.reader(io.StringIO("".join(csv_pieces(a_table(*texts))), newline=""))
    assert [unguarded(row[0]) for row in rows] == texts


@given(st.decimals(allow_nan=False, allow_infinity=False, min_value=-(10**9), max_value=10**9, places=6))
def test_numbers_are_exact_in_csv_and_numbers_in_xlsx(value: Decimal) -> None:
    _, row = csv.reader(io.StringIO("".join(csv_pieces(a_table("x", number=value)))))
    assert Decimal(row[1]) == value
    sheet = openpyxl.load_workbook(io.BytesIO(xlsx_file(a_table("x", number=value)))).active
    assert sheet is not None
    assert sheet.cell(2, 2).value == float(value)


# --- for spreadsheets -----------------------------------------------------------------------------------------------
def as_sheet(client: Client, address: str, language: str, **asked: str) -> list[dict[str, str]]:
    response = client.get(f"{address}.sheet.csv", asked, headers={"Accept-Language": language})
    assert response.status_code == 200
    text = b"".join(response).decode()  # type: ignore[arg-type]
    assert text.startswith("\ufeff"), "or Excel takes UTF-8 for an old encoding"
    separator = "," if language.startswith("en") else ";"
    return list(csv.DictReader(io.StringIO(text[1:], newline=""), delimiter=separator))


@pages
@pytest.mark.filterwarnings("ignore:StreamingHttpResponse must consume")
@pytest.mark.parametrize(
    ("language", "mark"), [("en", "."), ("de", ","), ("nl,en;q=0.8", ","), ("pl", ","), ("no", ",")]
)
def test_a_csv_for_spreadsheets_is_in_the_reader_s_language(
    client: Client, head: User, language: str, mark: str
) -> None:
    """The desk has no pages in Dutch or Polish; their readers' spreadsheets have a decimal comma all the same."""
    noon = next(row for row in as_sheet(client, BOARD, language) if row["delivery_hour"] == "12:00-13:00")
    assert noon["average_price"] == f"10{mark}2000"
    assert noon["delivery_start_utc"] == "2023-02-06 11:00:00"
    assert noon["delivery_start_local"] == "2023-02-06 12:00:00"
    assert noon["delivery_day"] == "2023-02-06"


@pages
@pytest.mark.filterwarnings("ignore:StreamingHttpResponse must consume")
def test_a_language_chosen_here_goes_before_the_browser_s(client: Client, head: User) -> None:
    client.post("/language/", {"language": "de"})
    response = client.get(f"{BOARD}.sheet.csv", headers={"Accept-Language": "en"})
    assert b";10,2000;" in b"".join(response)  # type: ignore[arg-type]


@pages
@pytest.mark.filterwarnings("ignore:StreamingHttpResponse must consume")
@pytest.mark.parametrize("address", [BOARD, DESK, HISTORY])
def test_a_columns_sum_in_a_csv_for_spreadsheets_is_the_truth(client: Client, head: User, address: str) -> None:
    """No row of it sums up another."""
    store_sketch(trader="trader_2")
    asked = RANGE if address == HISTORY else {}
    rows = as_sheet(client, address, "en", **asked)
    whole = as_csv(client, address, **asked)[-1]
    assert len({row["row"] for row in rows}) == 1
    for name in ("performance_eur", "sold_mwh", "trade_count"):
        assert sum(Decimal(row[name] or 0) for row in rows) == Decimal(whole[name])


@pytest.mark.parametrize(
    "text",
    [
        *("0042", "123456789012345678", "1E5", "2026-11-23", "8-9", "1,5", "TRUE", "12/5", "12:30", "08:00"),
        *("JAN-05", "DEC 1", "5%", "(5)", "€5", "$5", "1. Mai", "5 März 2026"),
    ],
)
def test_what_a_spreadsheet_would_take_for_a_number_or_a_date_is_guarded(text: str) -> None:
    _, row = csv.reader(io.StringIO("".join(csv_pieces(a_table(text), for_spreadsheets("en"))), newline=""))
    assert row[0] == f"'{text}"
    _, row = csv.reader(io.StringIO("".join(csv_pieces(a_table(text))), newline=""))
    assert row[0] == text, "a program gets it as it is"


@pytest.mark.parametrize("text", ["trader_1", "08:00-09:00", "02:00-03:00A", "a1", "é", "market_1", "Mark", "dec"])
def test_what_is_text_to_a_spreadsheet_stays_as_it_is(text: str) -> None:
    _, row = csv.reader(io.StringIO("".join(csv_pieces(a_table(text), for_spreadsheets("en"))), newline=""))
    assert row[0] == text


@pytest.mark.parametrize(
    ("value", "written"), [("3.075", "3.0750"), ("12.5", "12.5000"), ("12", "12"), ("0.12345", "0.12345")]
)
def test_no_number_has_one_to_three_decimals(value: str, written: str) -> None:
    """Where a comma is the decimal mark, 3.075 is 3075 and 12.5 is the 12th of May; 3.0750 and 12.5000 are text."""
    _, row = csv.reader(io.StringIO("".join(csv_pieces(a_table("x", number=Decimal(value))))))
    assert row[1] == written


@pages
@pytest.mark.filterwarnings("ignore:StreamingHttpResponse must consume")
def test_file_names_are_safe(client: Client, head: User) -> None:
    ensure_trader(trader_id='../a"b; é🚀')
    response = fetched(client, "/boards/../a%22b;%20%C3%A9%F0%9F%9A%80/2023-02-06/board.csv")
    assert response["Content-Disposition"] == 'attachment; filename="board_a_b_2023-02-06.csv"'
    assert file_name("board", "x" * 300, form="csv") == f"board_{'x' * 114}.csv"


# --- who, and what is not there -------------------------------------------------------------------------------------
@pages
@pytest.mark.parametrize("form", ["csv", "xlsx", "sheet.csv"])
def test_the_rights_are_the_views(client: Client, form: str) -> None:
    germany()
    ensure_trader(trader_id="trader_2")
    for address in EVERYTHING:
        response = client.get(f"{address}.{form}")
        assert response["Location"] == f"/accounts/login/?next={address}.{form}"
    client.force_login(a_trader(trader_id="trader_2"))
    for address in (BOARD, TRADES, DESK):
        assert client.get(f"{address}.{form}").status_code == 404
    assert client.get(f"{HISTORY}.{form}", {"trader": "trader_1"}).status_code == 404
    assert client.get(f"{HISTORY}.{form}").status_code == 200


@pages
@pytest.mark.parametrize(
    ("address", "status"),
    [
        ("/boards/trader_1/2023-02-30/board.csv", 404),
        ("/boards/trader_1/2023-02-06/25-26/trades.csv", 404),
        ("/boards/nobody/2023-02-06/board.csv", 404),
        ("/desk/2023-02-30/desk.xlsx", 404),
        ("/history/history.csv?from=2023-02-02&to=2023-02-01", 400),
    ],
)
def test_what_is_not_there(client: Client, head: User, address: str, status: int) -> None:
    response = client.get(address)
    assert response.status_code == status
    assert "Content-Disposition" not in response


def test_long_files_are_made_piece_by_piece() -> None:
    columns = (Column("n", Kind.INTEGER),)
    table = Table("t", Market(code="DE").zone, columns, tuple((n,) for n in range(1_200)))
    assert [piece.count("\r\n") for piece in csv_pieces(table)] == [1, 500, 500, 200]


@pages
@pytest.mark.filterwarnings("ignore:StreamingHttpResponse must consume")
@pytest.mark.parametrize(
    ("address", "parts", "whole"), [(BOARD, "period", "total"), (DESK, "trader period", "desk total")]
)
def test_a_columns_sum_in_a_workbook_is_the_truth(
    client: Client, head: User, address: str, parts: str, whole: str
) -> None:
    rows = as_xlsx(client, address)
    of = {kind: [row["performance_eur"] or 0 for row in rows if row["row"] == kind] for kind in (parts, whole)}
    assert len(of[whole]) == 1
    assert sum(of[parts]) == pytest.approx(of[whole][0])
