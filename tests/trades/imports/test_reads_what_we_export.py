"""What the desk exports of its trades, in every form and language, is what `import_trades` reads back: each fact."""

from __future__ import annotations

import io
import random
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import openpyxl
import pytest
import time_machine
from django.contrib.auth.models import User
from django.core.management import CommandError
from django.test import Client

from market.labels import label_of
from market.models import Market, MarketRule
from market.periods import day_periods
from tests.dashboard.people import a_head
from tests.trades.frames import confirmation, germany, store
from tests.trades.imports.test_import_trades import imported
from trades.imports.files import read_trades
from trades.imports.lines import FileError
from trades.imports.workbooks import lines_of
from trades.ledger.confirmations import TradeConfirmation, Unusable, parse_frame
from trades.ledger.decisions import cancel_trade, correct_trade
from trades.ledger.effective import facts_of
from trades.models import QuarantinedMessage, Trade

BERLIN = ZoneInfo("Europe/Berlin")
LONG_DAY = date(2026, 10, 25)
SEED = 2510
IDS = ("123456789012345678", "0042", "1E5", "=1+1", "'quoted", "-7", "2026-11-23", "8-9", "a,b;c", "Ünïcode 漢", "true")
EVERY_FORM = [("csv", "de"), ("sheet.csv", "en"), ("sheet.csv", "de"), ("sheet.csv", "pl"), ("xlsx", "de")]

pytestmark = [
    pytest.mark.integration,
    pytest.mark.django_db(transaction=True),
    pytest.mark.filterwarnings("ignore:StreamingHttpResponse must consume"),
]


@pytest.fixture
def head(client: Client) -> User:
    germany()
    user = a_head()
    client.force_login(user)
    return user


def stored_trades(chance: random.Random) -> dict[str, tuple[str, TradeConfirmation]]:
    """Exchange id -> the label of its period and the confirmation, for trades in every product of the long day."""
    periods = [*day_periods(LONG_DAY, BERLIN), *day_periods(LONG_DAY, BERLIN, 15)]
    chosen = [*chance.sample(periods, len(IDS) - 2), *day_periods(LONG_DAY, BERLIN)[2:4]]
    found = {}
    for exchange_id, period in zip(IDS, chosen, strict=True):
        executed = period.start - timedelta(hours=chance.randrange(1, 30), microseconds=1000 * chance.randrange(999))
        frame = confirmation(
            exchange_id,
            trader_id="0815",
            direction=chance.choice(["buy", "sell"]),
            delivery_day=LONG_DAY.isoformat(),
            delivery_hour=label_of(period, BERLIN),
            price=chance.choice([3.075, 12.5, -3.3333, 0, 1234.5, 0.0001]),
            quantity=chance.choice([3.075, 0.1, 12]),
            execution_time=executed.isoformat(),
        )
        store(frame, first=len(found) + 1)
        parsed = parse_frame(frame, BERLIN)
        assert isinstance(parsed, TradeConfirmation)
        found[exchange_id] = (label_of(period, BERLIN), parsed)
    return found


def exported(client: Client, label: str, form: str, language: str) -> bytes:
    address = f"/boards/0815/{LONG_DAY}/{label}/trades.{form}"
    answer = client.get(address, headers={"Accept-Language": f"{language},en;q=0.5"})
    assert answer.status_code == 200
    return answer.content if form == "xlsx" else b"".join(answer)


def lines(data: bytes) -> list[str]:
    return lines_of(data) if data.startswith(b"PK") else data.decode("utf-8-sig").split("\n")


@pytest.mark.parametrize(("form", "language"), EVERY_FORM)
def test_every_fact_comes_back(client: Client, head: User, tmp_path: Path, form: str, language: str) -> None:
    path = tmp_path / f"trades.{form}"
    for exchange_id, (label, confirmed) in stored_trades(random.Random(SEED)).items():
        data = exported(client, label, form, language)
        read = read_trades(lines(data), days=BERLIN, currency_on=lambda _day: "EUR", trader_id=None)
        of_id = [line.parsed for line in read if getattr(line.parsed, "exchange_id", "") == exchange_id]
        assert [facts_of(one) for one in of_id if isinstance(one, TradeConfirmation)] == [facts_of(confirmed)], read
        path.write_bytes(data)
        assert imported(path) == 0
    assert Trade.objects.count() == len(IDS)
    assert not QuarantinedMessage.objects.exists()
    assert not Trade.objects.filter(flags__contains=["not_in_file"]).exists()


@pytest.mark.parametrize(("form", "language"), EVERY_FORM)
def test_decided_trades_are_known_where_they_are_stored_and_booked_nowhere_else(
    client: Client, head: User, tmp_path: Path, form: str, language: str
) -> None:
    store(confirmation("1", trader_id="0815"), confirmation("2", trader_id="0815"), confirmation("3", trader_id="0815"))
    cancel_trade(trade=Trade.objects.get(exchange_id="1"), reason="mistake", user=head)
    corrected = parse_frame(confirmation("2", trader_id="0815", price=99), BERLIN)
    assert isinstance(corrected, TradeConfirmation)
    correct_trade(trade=Trade.objects.get(exchange_id="2"), facts=corrected, reason="typed", user=head)
    trade = Trade.objects.get(exchange_id="3")
    address = f"/boards/0815/{trade.delivery_day}/{trade.delivery_hour}/trades.{form}"
    answer = client.get(address, headers={"Accept-Language": language})
    path = tmp_path / "trades"
    path.write_bytes(answer.content if form == "xlsx" else b"".join(answer))
    before = list(Trade.objects.values())
    assert imported(path) == 0
    assert list(Trade.objects.values()) == before
    elsewhere = read_trades(lines(path.read_bytes()), days=BERLIN, currency_on=lambda _day: "EUR", trader_id=None)
    assert {line.parsed.exchange_id: line.decision for line in elsewhere} == {
        "1": "cancelled",
        "2": "corrected",
        "3": "",
    }


def test_a_decided_trade_that_is_not_stored_is_named(
    client: Client, head: User, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    store(confirmation("1"))
    trade = Trade.objects.get()
    cancel_trade(trade=trade, reason="mistake", user=head)
    answer = client.get(f"/boards/trader_1/{trade.delivery_day}/{trade.delivery_hour}/trades.csv")
    path = tmp_path / "trades.csv"
    path.write_bytes(b"".join(answer).replace(b",1,", b",other,"))
    assert imported(path) == 1
    assert "cancelled by a person at the desk that exported it, and not so here" in "".join(capsys.readouterr())
    assert Trade.objects.count() == 1


@pytest.mark.parametrize("data", [b"PK\x03\x04", b"PK\x03\x04 no workbook at all"])
def test_what_is_no_workbook_is_one_sentence(data: bytes) -> None:
    with pytest.raises(FileError, match="can't be read as one"):
        lines_of(data)


def test_numbers_with_a_wrong_mark_are_named_with_their_line() -> None:
    head_line = "exchange_id;price;quantity_mw;direction;delivery_day;delivery_hour;trader_id;execution_time_utc;change"
    row = "1;3,0x;1;buy;2026-11-23;08:00-09:00;t;2026-11-23 06:00:00;"
    (line,) = read_trades([head_line, row], days=BERLIN, currency_on=lambda _day: "EUR", trader_id=None)
    assert isinstance(line.parsed, Unusable)
    assert line.number == 2
    assert "3.0x" in line.parsed.detail


# --- what must not be booked ----------------------------------------------------------------------------------------
def workbook(*sheets: list[list[object]]) -> bytes:
    """A workbook with these sheets, as another program writes it."""
    book = openpyxl.Workbook()
    book.remove(book.worksheets[0])
    for rows in sheets:
        page = book.create_sheet()
        for row in rows:
            page.append(row)
    file = io.BytesIO()
    book.save(file)
    return file.getvalue()


FACTS: dict[str, object] = {
    "market": "DE",
    "currency": "EUR",
    "time_zone": "Europe/Berlin",
    "exchange_id": "1",
    "price": 20.5,
    "quantity_mw": 12.0,
    "direction": "buy",
    "delivery_day": "2026-11-23",
    "delivery_hour": "12:00-13:00",
    "trader_id": "t",
    "execution_time_utc": "2026-11-23 06:00:00",
    "change": "",
}
HEAD: list[object] = list(FACTS)


def a_row(exchange_id: object, **more: object) -> list[object]:
    return list({**FACTS, "exchange_id": exchange_id, **more}.values())


def as_csv(*rows: list[object]) -> bytes:
    return "\r\n".join(",".join(map(str, row)) for row in (HEAD, *rows)).encode()


def import_of(data: bytes, tmp_path: Path) -> int:
    path = tmp_path / "file"
    path.write_bytes(data)
    return imported(path)


def test_a_csv_that_was_saved_as_a_workbook_has_its_guards_taken_off(head: User, tmp_path: Path) -> None:
    data = workbook([HEAD, a_row("'0042"), a_row("'123456789012345678"), a_row("''q")])
    assert import_of(data, tmp_path) == 0
    assert set(Trade.objects.values_list("exchange_id", flat=True)) == {"0042", "123456789012345678", "'q"}
    assert import_of(data, tmp_path) == 0
    assert Trade.objects.count() == 3


@pytest.mark.parametrize("spoilt", [42, 100000.0, 1.2345678901234568e17, True])
def test_an_id_that_is_no_text_any_more_is_doubtful(head: User, tmp_path: Path, spoilt: object) -> None:
    assert import_of(workbook([HEAD, a_row(spoilt), a_row("ok")]), tmp_path) == 3
    assert import_of(workbook([HEAD, a_row("ok", trader_id=spoilt)]), tmp_path) == 3
    assert not Trade.objects.exists()


def test_the_same_trade_under_another_id_is_doubtful_in_an_export_too(head: User, tmp_path: Path) -> None:
    """A spreadsheet that took 0042 for a number has written 42."""
    assert import_of(as_csv(a_row("0042")), tmp_path) == 0
    assert import_of(as_csv(a_row("42")), tmp_path) == 3
    assert Trade.objects.count() == 1
    assert not Trade.objects.filter(flags__contains=["not_in_file"]).exists()


@pytest.mark.parametrize("other", [{"market": "AT"}, {"currency": "GBP"}, {"time_zone": "Europe/London"}])
def test_another_market_s_export_is_refused(head: User, tmp_path: Path, other: dict[str, object]) -> None:
    with pytest.raises(CommandError, match="the file is of another market"):
        import_of(as_csv(a_row("1", **other)), tmp_path)
    assert not Trade.objects.exists()


def test_a_second_sheet_with_something_on_it_is_refused(head: User, tmp_path: Path) -> None:
    with pytest.raises(CommandError, match="several sheets"):
        import_of(workbook([HEAD, a_row("1")], [[1]]), tmp_path)
    assert import_of(workbook([HEAD, a_row("1")], []), tmp_path) == 0


@pytest.mark.parametrize("change", ["cancelled", "corrected"])
def test_a_decision_that_is_not_here_is_named(head: User, tmp_path: Path, change: str) -> None:
    assert import_of(as_csv(a_row("1")), tmp_path) == 0
    assert import_of(as_csv(a_row("1", change=change)), tmp_path) == 1
    assert Trade.objects.count() == 1


def test_a_second_side_is_booked_by_a_person_only(head: User, tmp_path: Path) -> None:
    assert import_of(as_csv(a_row("1"), a_row("1 (sell)", direction="sell")), tmp_path) == 1
    assert list(Trade.objects.values_list("exchange_id", flat=True)) == ["1"]


@pytest.mark.parametrize("exchange_id", ["a\u00a0", " b"])
def test_edge_spaces_of_an_id_stay(exchange_id: str) -> None:
    text = as_csv(a_row(exchange_id)).decode()
    (line,) = read_trades(text.split("\r\n"), days=BERLIN, currency_on=lambda _day: "EUR", trader_id=None)
    assert line.parsed.exchange_id == exchange_id


def test_a_workbook_s_milliseconds_are_no_other_fact(client: Client, head: User, tmp_path: Path) -> None:
    store(confirmation("1", trader_id="0815", execution_time="2026-11-23T05:59:59.123456Z"))
    trade = Trade.objects.get()
    for form in ("xlsx", "sheet.csv", "csv"):
        answer = client.get(f"/boards/0815/{trade.delivery_day}/{trade.delivery_hour}/trades.{form}")
        assert import_of(answer.content if form == "xlsx" else b"".join(answer), tmp_path) == 0, form
    assert not QuarantinedMessage.objects.exists()


# --- a market that has changed --------------------------------------------------------------------------------------
@pytest.fixture
def changed() -> Market:
    """A market with another currency and another zone from 2027 on; it is 2027."""
    market = Market.objects.create(code="RO", name="Romania", time_zone="Europe/Berlin", currency="RON")
    MarketRule.objects.create(market=market, valid_from=date(2027, 1, 1), currency="EUR", time_zone="Europe/Bucharest")
    return market


PRIVATE = "TradeId;Side;DeliveryStart;DeliveryEnd;ExecutionTime;Price;Currency;Volume;VolumeUnit"


def a_private_line(day: str, currency: str) -> str:
    return f"{day}{currency};SELL;{day}T11:00:00Z;{day}T12:00:00Z;{day}T08:59:59Z;100;{currency};12;MWH"


def test_a_private_line_is_in_the_currency_of_its_day(
    changed: Market, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "private.csv"
    lines = [a_private_line(day, currency) for day in ("2026-12-30", "2027-01-02") for currency in ("EUR", "RON")]
    path.write_text("\n".join([PRIVATE, *lines]))
    with time_machine.travel(datetime(2027, 1, 3, 9, tzinfo=UTC), tick=False):
        assert imported(path, "--trader", "t", "--market", changed.code) == 1
    assert set(Trade.objects.values_list("exchange_id", flat=True)) == {"2026-12-30RON", "2027-01-02EUR"}
    said = capsys.readouterr().out
    assert "line 2: Currency “EUR” is not the market's RON of 2026-12-30" in said
    assert "line 5: Currency “RON” is not the market's EUR of 2027-01-02" in said


def test_an_export_is_in_the_currency_and_the_zone_of_its_day(changed: Market, tmp_path: Path) -> None:
    path = tmp_path / "export.csv"
    old = {"market": "RO", "currency": "RON", "delivery_day": "2026-12-30"}
    new = {"market": "RO", "time_zone": "Europe/Bucharest", "delivery_day": "2027-01-02"}
    path.write_bytes(as_csv(a_row("1", **old), a_row("2", **new)))
    with time_machine.travel(datetime(2027, 1, 3, 9, tzinfo=UTC), tick=False):
        assert imported(path, "--market", changed.code) == 0
        for other in ({**old, "currency": "EUR"}, {**new, "time_zone": "Europe/Berlin"}):
            path.write_bytes(as_csv(a_row("3", **other)))
            with pytest.raises(CommandError, match="the file is of another market"):
                imported(path, "--market", changed.code)
