"""`import_trades`: the exchange's files against what is stored."""

from __future__ import annotations

import json
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from django.core.management import CommandError, call_command

from market.areas.adding import add_market
from tests.trades.frames import NOW, confirmation, germany, numbered, store
from trades.frames import FrameSource
from trades.imports.files import read_trades
from trades.imports.lines import FileError
from trades.ledger.confirmations import TradeConfirmation, Unusable
from trades.ledger.effective import position_differences
from trades.ledger.store import store_frames
from trades.models import FeedGap, Position, QuarantinedMessage, Trade

BERLIN = ZoneInfo("Europe/Berlin")
CSV = "id,price,quantity,direction,delivery_day,delivery_hour,trader_id,execution_time"
PRIVATE = """# private trades of 2026-11-23
TradeId;Side;DeliveryStart;DeliveryEnd;ExecutionTime;Price;Currency;Volume;VolumeUnit
11;SELL;2026-11-23T11:00:00.000Z;2026-11-23T12:00:00.000Z;2026-11-23T08:59:59.123Z;-20.5;EUR;12.0;MWH
12;BUY;2026-11-23T11:15:00.000Z;2026-11-23T11:30:00.000Z;2026-11-23T08:59:59.124Z;7;EUR;2.5;MWH
"""


def imported(path: Path, *options: str) -> int:
    """The exit code."""
    try:
        call_command("import_trades", str(path), *options)
    except SystemExit as ended:
        assert isinstance(ended.code, int)
        return ended.code
    return 0


def parse(text: str, trader: str | None = None) -> list[TradeConfirmation | Unusable]:
    lines = read_trades(text.split("\n"), days=BERLIN, currency_on=lambda _day: "EUR", trader_id=trader)
    return [line.parsed for line in lines]


def trades(text: str, trader: str | None = None) -> list[TradeConfirmation]:
    found = parse(text, trader)
    assert all(isinstance(item, TradeConfirmation) for item in found), found
    return [item for item in found if isinstance(item, TradeConfirmation)]


def test_json_lines_with_and_without_envelope() -> None:
    bare = json.dumps(json.loads(confirmation(2))["trade_confirmation"])
    one, two = trades(f"{confirmation(1).decode()}\n\n{bare}\n")
    assert (one.exchange_id, two.exchange_id, two.price) == ("1", "2", Decimal("20.5"))


@pytest.mark.parametrize(
    ("hour", "label"), [("14", "14-15"), ("14-15", "14-15"), ("8-9", "08-09"), ("08:15-08:30",) * 2]
)
def test_csv_with_hours_as_files_write_them(hour: str, label: str) -> None:
    (trade,) = trades(f"{CSV}\n1,-20.5,12.3,sell,2026-11-23,{hour},trader_1,2026-11-23T06:00:00Z\r\n")
    assert (trade.delivery_hour, trade.price, trade.quantity) == (label, Decimal("-20.5"), Decimal("12.3"))


@pytest.mark.parametrize(("hour", "label"), [(14, "14-15"), (0, "00-01"), (8, "08-09"), (23, "23-24")])
def test_a_json_line_with_its_hour_as_a_number(hour: int, label: str) -> None:
    bare = json.dumps(json.loads(confirmation(2, delivery_hour=hour))["trade_confirmation"])
    one, two = trades(f"{confirmation(1, delivery_hour=hour).decode()}\n{bare}")
    assert (one.delivery_hour, two.delivery_hour) == (label, label)


@pytest.mark.parametrize("hour", [14.5, 14.0, -1, True, None, [14]])
def test_a_json_line_with_another_hour_is_named(hour: object) -> None:
    (bad,) = parse(confirmation(1, delivery_hour=hour).decode())
    assert isinstance(bad, Unusable)
    assert bad.reason == "bad_delivery_hour"


def test_json_lines_that_count_their_hours_from_one_are_refused_whole() -> None:
    with pytest.raises(FileError, match="--hours-from 1"):
        parse("\n".join(confirmation(n, delivery_hour=n).decode() for n in range(1, 25)))


def test_the_private_trades_file_gives_mwh_and_no_trader() -> None:
    hour, quarter = trades(PRIVATE, "trader_1")
    assert (hour.direction, hour.quantity, hour.delivery_hour, hour.trader_id) == ("sell", 12, "12-13", "trader_1")
    assert (quarter.direction, quarter.quantity, quarter.energy) == ("buy", 10, Decimal("2.5"))
    with pytest.raises(FileError, match="--trader"):
        parse(PRIVATE)


@pytest.mark.parametrize("text", ["", "\n\n", "# only a comment\n", "a,b,c\n1,2,3\n", "hello\n"])
def test_a_file_in_no_known_format_is_one_sentence(text: str) -> None:
    with pytest.raises(FileError):
        parse(text)


@pytest.mark.parametrize(
    "line",
    [
        "1,x,12,sell,2026-11-23,14,trader_1,2026-11-23T06:00:00Z",
        "1,1,12,sell,2026-11-23,25-26,trader_1,2026-11-23T06:00:00Z",
        "1,1,12,hold,2026-11-23,14,trader_1,2026-11-23T06:00:00Z",
        "1,1,12,sell,2026-11-23,14,trader_1,yesterday",
        "1,NaN,12,sell,2026-11-23,14,trader_1,2026-11-23T06:00:00Z",
        "1,1,12",
    ],
)
def test_a_broken_line_is_named_and_the_next_is_read(line: str) -> None:
    bad, good = parse(f"{CSV}\n{line}\n2,1,12,sell,2026-11-23,14,trader_1,2026-11-23T06:00:00Z\n")
    assert isinstance(bad, Unusable)
    assert isinstance(good, TradeConfirmation)


@pytest.mark.parametrize("number", ["2_0.5", "١٢", "1２", "1e1", "1E+1", "0x1", "1,5", "Infinity", "sNaN", ".", ""])
def test_only_plain_decimals_are_numbers(number: str) -> None:
    line = f'1,"{number}",12,sell,2026-11-23,14,trader_1,2026-11-23T06:00:00Z'
    for bad in (*parse(f"{CSV}\n{line}"), parse(PRIVATE.replace("12.0", number), "trader_1")[0]):
        assert isinstance(bad, Unusable)
        assert f"“{number}” is not a number in plain decimals" in bad.detail


@pytest.mark.parametrize(("number", "value"), [("+5", "5"), ("-.5", "-0.5"), ("5.", "5"), ("007.10", "7.1")])
def test_plain_decimals_are_read_as_they_are_written(number: str, value: str) -> None:
    (trade,) = trades(f"{CSV}\n1,{number},12,sell,2026-11-23,14,trader_1,2026-11-23T06:00:00Z")
    assert trade.price == Decimal(value)


@pytest.mark.parametrize(
    "change",
    [("SELL", "HOLD"), ("EUR", "CHF"), ("MWH", "MW"), ("T12:00:00.000Z", "T13:30:00.000Z"), ("-20.5", "x")],
)
def test_a_private_line_that_says_something_else_is_refused(change: tuple[str, str]) -> None:
    assert isinstance(parse(PRIVATE.replace(*change, 1), "trader_1")[0], Unusable)


@pytest.mark.integration
@pytest.mark.django_db(transaction=True)
class TestCommand:
    """3 missing, 2 extra, 1 different: exactly 6 reported, 3 added; a second time nothing changes."""

    @pytest.fixture
    def day_end_file(self, tmp_path: Path) -> Path:
        extra = [confirmation(f"extra-{i}", quantity=7 + i) for i in (1, 2)]  # no twins of what is missing
        store(*[confirmation(i) for i in range(10)], *extra)
        lines = [confirmation(i) for i in range(9)] + [confirmation(9, price=1)]
        lines += [confirmation(f"missing-{i}") for i in range(3)]
        path = tmp_path / "day.jsonl"
        path.write_bytes(b"\n".join(lines) + b"\n")
        return path

    def test_a_day_end_file(self, day_end_file: Path, capsys: pytest.CaptureFixture[str]) -> None:
        assert imported(day_end_file) == 1, "one line is kept aside: not all of the file is stored"
        said = capsys.readouterr().out
        assert said.index("3 new, 9 known, 1 different, 0 both sides of one trade, 2 extra") < said.index("3 added")
        assert "missing: 3 (3 added), different: 1, extra: 2, unreadable lines: 0" in said
        assert Trade.objects.count() == 15
        assert Trade.objects.get(exchange_id="9").price == Decimal("20.5")
        flagged = Trade.objects.filter(flags__contains=["not_in_file"]).values_list("exchange_id", flat=True)
        assert set(flagged) == {"extra-1", "extra-2"}
        assert QuarantinedMessage.objects.get().exchange_id == "9"
        assert position_differences() == []

    def test_twice_changes_nothing(self, day_end_file: Path, capsys: pytest.CaptureFixture[str]) -> None:
        imported(day_end_file)
        before = self.everything()
        assert imported(day_end_file) == 1
        assert "missing: 0 (0 added), different: 1, extra: 2" in capsys.readouterr().out
        assert self.everything() == before

    def test_a_dry_run_changes_nothing(self, day_end_file: Path, capsys: pytest.CaptureFixture[str]) -> None:
        before = self.everything()
        imported(day_end_file, "--dry-run")
        assert "missing: 3 (none added (dry run)), different: 1, extra: 2" in capsys.readouterr().out
        assert self.everything() == before

    def test_the_good_lines_of_a_broken_file_are_imported(
        self, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        germany()
        path = tmp_path / "broken.jsonl"
        path.write_bytes(confirmation(1) + b"\n{broken\n" + confirmation(2) + b"\n")
        assert imported(path) == 1
        assert "unreadable: line 2: not JSON" in capsys.readouterr().out
        assert Trade.objects.count() == 2

    @pytest.mark.parametrize(
        ("code", "executed", "said"),
        [
            ("DE", ("22T22:30", "22T23:30", "23T22:30", "23T23:30"), "2026-11-22 23:00 to 2026-11-23 23:00 UTC"),
            ("DE", ("22T23:30", "23T00:30", "23T23:30", "24T00:30"), "2026-11-23 00:00 to 2026-11-24 00:00 UTC"),
            ("GB", ("22T23:30", "23T00:30", "23T23:30", "24T08:00"), "2026-11-23 00:00 to 2026-11-24 00:00 UTC"),
            ("GB", ("22T22:30", "22T23:30", "23T22:30", "23T23:30"), "2026-11-22 23:00 to 2026-11-23 23:00 UTC"),
            ("FI", ("22T21:30", "22T22:30", "23T21:30", "23T22:30"), "2026-11-22 22:00 to 2026-11-23 22:00 UTC"),
        ],
        ids=["a market's day", "a day of UTC", "a day of London", "a delivery day", "a day of Helsinki"],
    )
    def test_what_may_be_in_the_next_file_is_not_extra(
        self, tmp_path: Path, capsys: pytest.CaptureFixture[str], code: str, executed: tuple[str, ...], said: str
    ) -> None:
        """The file has the first and the last trade of its day; those before and after it are in other files."""
        market = germany() if code == "DE" else add_market(code)
        before, first, last, after = (
            confirmation(when, delivery_day="2026-11-24", execution_time=f"2026-11-{when}:00Z") for when in executed
        )
        noon = confirmation("noon", delivery_day="2026-11-24", execution_time="2026-11-23T12:00:00Z")
        frames = numbered(before, first, noon, last, after)
        store_frames(market=market, source=FrameSource("stored", "listener-1"), frames=frames)
        path = tmp_path / "day.jsonl"
        path.write_bytes(b"\n".join((first, last)))
        assert imported(path, "--market", code) == 0
        assert f"executed from {said}" in capsys.readouterr().out
        flagged = Trade.objects.filter(flags__contains=["not_in_file"])
        assert list(flagged.values_list("exchange_id", flat=True)) == ["noon"]

    @pytest.mark.parametrize(("trader", "closed"), [("trader_1", True), ("somebody else", False)])
    def test_a_gap_is_closed_by_a_file_of_everybodys_trades_only(
        self, tmp_path: Path, trader: str, closed: bool
    ) -> None:
        store(confirmation(1))
        gap = FeedGap.objects.create(
            market=germany(), started_at=NOW - timedelta(hours=1), ended_at=NOW - timedelta(minutes=59)
        )
        lines = [
            confirmation(number, trader_id=trader, execution_time=when)
            for number, when in ((10, "2026-11-23T07:00:00Z"), (11, "2026-11-23T10:00:00Z"))
        ]
        path = tmp_path / "day.jsonl"
        path.write_bytes(b"\n".join(lines))
        call_command("import_trades", str(path))
        gap.refresh_from_db()
        assert (gap.closed_at is not None, bool(gap.note)) == (closed, closed)

    def test_a_trade_twice_in_the_file_is_added_once(self, tmp_path: Path) -> None:
        germany()
        path = tmp_path / "twice.jsonl"
        path.write_bytes(confirmation(1) + b"\n" + confirmation(1) + b"\n")
        call_command("import_trades", str(path))
        assert Position.objects.get().trade_count == 1

    @pytest.mark.parametrize(
        ("content", "sentence"),
        [(None, "can't be read"), (b"\xff\xfe", "not UTF-8"), (b"hello", "none of the known formats")],
    )
    def test_wrong_input_is_one_sentence(self, tmp_path: Path, content: bytes | None, sentence: str) -> None:
        germany()
        path = tmp_path / "file"
        if content is not None:
            path.write_bytes(content)
        with pytest.raises(CommandError, match=sentence):
            call_command("import_trades", str(path))

    def everything(self) -> tuple[list[object], list[object], int]:
        return (
            list(Trade.objects.order_by("id").values_list()),
            list(Position.objects.order_by("id").values_list()),
            QuarantinedMessage.objects.count(),
        )
