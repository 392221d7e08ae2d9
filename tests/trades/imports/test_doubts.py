"""`import_trades` where a careful person would doubt: ids, hours as numbers, repetitions, both sides, gaps.

Each case was booked wrong, or without a word, before.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command

from tests.trades.frames import NOW, confirmation, germany, store
from tests.trades.imports.test_import_trades import CSV, imported
from trades.ledger.decisions import DecisionError, accept_as_correction, book_second_side, close_gap
from trades.ledger.effective import position_differences
from trades.models import FeedGap, Position, QuarantinedMessage, Trade

pytestmark = [pytest.mark.integration, pytest.mark.django_db(transaction=True)]

PRIVATE = "TradeId;Side;DeliveryStart;DeliveryEnd;ExecutionTime;Price;Currency;Volume;VolumeUnit"
LONG_DAY = "2026-10-25"
Write = Callable[..., Path]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    def write_file(*lines: str | bytes, name: str = "file") -> Path:
        path = tmp_path / name
        path.write_bytes(b"\n".join(x.encode() if isinstance(x, str) else x for x in lines) + b"\n")
        return path

    return write_file


@pytest.fixture
def judge() -> User:
    return User.objects.create(username="judge")


def row(
    trade_id: object, hour: object = 14, *, day: str = "2026-11-23", price: object = 20, when: str = "06:00"
) -> str:
    return f"{trade_id},{price},12,sell,{day},{hour},trader_1,{day} {when}:00+00:00"


def ids() -> set[str]:
    return set(Trade.objects.values_list("exchange_id", flat=True))


# --- a real day ---------------------------------------------------------------------------------------------------
def test_a_real_days_file_with_spaces_offsets_and_six_digits(write: Write) -> None:
    """As many trades as a real day, one of them twice but for its id: all are trades."""
    germany()
    lines = [
        f"{900_000_000_000 + i};{'SELL' if i % 6 else 'BUY'};2025-06-08 {i % 24:02d}:00:00+00:00;"
        f"2025-06-08 {i % 24:02d}:15:00+00:00;2025-06-07 {10 + i % 12}:{i % 60:02d}:30.{i:06d}+00:00;"
        f"{i % 500 - 200}.25;EUR;{1 + i % 9}.25;MWH"
        for i in range(3_348)
    ]
    lines.append(lines[7].replace("900000000007", "900000003348"))
    path = write("# private trades", PRIVATE, *lines)
    assert imported(path, "--trader", "trader_1") == 0
    assert Trade.objects.count() == 3_349
    assert imported(path, "--trader", "trader_1") == 0
    assert Trade.objects.count() == 3_349
    assert position_differences() == []


@pytest.mark.parametrize("when", ["2026-11-23 06:00:00+00:00", "20261123T060000Z", "2026-11-23T07:00:00,5+01"])
def test_times_are_read_alike_in_all_three_formats(write: Write, when: str) -> None:
    germany()
    end = when.replace("06:00", "07:00", 1).replace("T0600", "T0700").replace("T07:00", "T08:00").replace(",5", "")
    start = when.replace(",5", "")
    csv = write(CSV, f'1,20,12,sell,2026-11-23,14,trader_1,"{when}"', name="csv")
    bare = write(confirmation(2, execution_time=when), name="json")
    private = write(PRIVATE, f"3;SELL;{start};{end};{when};20;EUR;12;MWH", name="private")
    codes = [imported(csv), imported(bare), imported(private, "--trader", "trader_1")]
    assert (codes, ids()) == ([0, 0, 0], {"1", "2", "3"})


# --- ids ----------------------------------------------------------------------------------------------------------
def test_ids_without_their_leading_zeros_are_not_booked_a_second_time(
    write: Write, capsys: pytest.CaptureFixture[str]
) -> None:
    store(*[confirmation(f"0000123456{i:02d}", price=i) for i in range(20)])
    path = write(*[confirmation(f"123456{i:02d}", price=i) for i in range(20)])
    assert imported(path) == 3
    captured = capsys.readouterr()
    assert "20 doubtful" in captured.out
    assert "under another id" in captured.out
    assert "--despite-doubt" in captured.err
    assert Trade.objects.count() == 20
    assert not Trade.objects.filter(flags__contains=["not_in_file"]).exists(), "nothing is written in doubt"
    assert imported(path, "--despite-doubt") == 0
    assert Trade.objects.count() == 40


def test_a_trade_with_a_booked_second_side_is_doubtful_under_another_id(write: Write, judge: User) -> None:
    store(confirmation("0042"), confirmation("0042", direction="sell"))
    book_second_side(message=QuarantinedMessage.objects.get(), note="", user=judge, now=NOW)
    assert imported(write(confirmation("42"), confirmation("42", direction="sell"))) == 3
    assert Trade.objects.count() == 2


def test_twins_whose_stored_one_is_in_the_file_are_no_doubt(write: Write) -> None:
    store(confirmation("a"))
    assert imported(write(confirmation("a"), confirmation("b"))) == 0
    assert ids() == {"a", "b"}


def test_ids_that_a_spreadsheet_rounded_are_never_booked(write: Write, capsys: pytest.CaptureFixture[str]) -> None:
    store(confirmation("123457000001"))
    path = write(CSV, *[row("1.23457E+11", price=i) for i in range(20)], row("7"))
    assert imported(path) == 3
    assert "was rounded by a spreadsheet" in capsys.readouterr().out
    assert ids() == {"123457000001"}
    assert imported(path, "--despite-doubt") == 1
    assert ids() == {"123457000001", "7"}


def test_one_id_with_other_facts_is_named_and_not_booked(write: Write, capsys: pytest.CaptureFixture[str]) -> None:
    germany()
    assert imported(write(CSV, row("1", price=10), row("1", price=11), row("2"), row("2"))) == 1
    said = capsys.readouterr().out
    assert "contradictory: line 2: 1 stands in the file with other facts: not booked" in said
    assert "contradictory: line 3: 1" in said
    assert "repeated: line 5: 2, with the same facts" in said
    assert ids() == {"2"}


# --- lines and hours ----------------------------------------------------------------------------------------------
def test_a_hash_is_a_comment_only_before_the_header(write: Write) -> None:
    germany()
    path = write("# of today", CSV, row("#A17"), "# the end")
    assert imported(path) == 1
    assert ids() == {"#A17"}


@pytest.mark.parametrize("hours", [range(1, 25), [1, 2, "3A", "3B", *range(4, 25)], range(1, 97), range(1, 26)])
def test_hours_counted_from_one_are_refused_whole(write: Write, hours: Any) -> None:
    germany()
    with pytest.raises(CommandError, match="--hours-from 1"):
        imported(write(CSV, *[row(f"t{i}", hour, day=LONG_DAY) for i, hour in enumerate(hours)]))
    assert ids() == set()


def test_hours_counted_from_one_are_read_when_told_so(write: Write) -> None:
    germany()
    hours = [1, 2, "3A", "3B", *range(4, 25)]
    path = write(CSV, *[row(f"t{i:02d}", hour, day=LONG_DAY) for i, hour in enumerate(hours)])
    assert imported(path, "--hours-from", "1") == 0
    found = dict(Trade.objects.values_list("exchange_id", "delivery_hour"))
    assert [found[f"t{i:02d}"] for i in (0, 2, 3, 24)] == ["00-01", "02-03A", "02-03B", "23-24"]
    assert len({*found.values()}) == 25
    bare = json.dumps(json.loads(confirmation("json", delivery_hour="24"))["trade_confirmation"])
    assert imported(write(bare, name="json"), "--hours-from", "1") == 0
    assert Trade.objects.get(exchange_id="json").delivery_hour == "23-24"


def test_what_numbers_are_needs_a_start(write: Write) -> None:
    germany()
    with pytest.raises(CommandError, match="--numbers-are needs --hours-from 1"):
        imported(write(CSV, row(1)), "--numbers-are", "quarters")


def test_the_flag_goes_when_a_later_file_has_the_trade(write: Write, capsys: pytest.CaptureFixture[str]) -> None:
    store(confirmation("1"), confirmation("2"))
    imported(write(confirmation("1")))
    assert "not_in_file" in Trade.objects.get(exchange_id="2").flags
    assert imported(write(confirmation("1"), confirmation("2"))) == 0
    assert "1 trades that an earlier file lacked" in capsys.readouterr().out
    assert "not_in_file" not in Trade.objects.get(exchange_id="2").flags


def test_the_flag_goes_from_a_second_side_too(write: Write, judge: User) -> None:
    sale, purchase = confirmation("77", direction="sell"), confirmation("77")
    store(sale, purchase)
    book_second_side(message=QuarantinedMessage.objects.get(), note="", user=judge, now=NOW)
    flagged = Trade.objects.filter(flags__contains=["not_in_file"])
    assert imported(write(sale)) == 0
    assert [trade.exchange_id for trade in flagged.all()] == ["77 (buy)"]
    assert imported(write(sale, name="again")) == 0
    assert flagged.count() == 1, "this file has the first side alone"
    assert imported(write(sale, purchase, name="both")) == 0
    assert not flagged.exists()


# --- both sides of one trade --------------------------------------------------------------------------------------
def test_both_sides_are_booked_beside_each_other(write: Write, judge: User) -> None:
    sale, purchase = confirmation("77", direction="sell"), confirmation("77", trader_id="trader_2")
    store(sale, purchase)
    aside = QuarantinedMessage.objects.get()
    assert (aside.reason, "both sides of one trade" in aside.detail) == ("both_sides", True)
    second = book_second_side(message=aside, note="", user=judge, now=NOW)
    assert (second.exchange_id, second.second_side_of) == ("77 (buy)", Trade.objects.get(exchange_id="77"))
    sides = Position.objects.values_list("trader__trader_id", "direction", "energy")
    assert set(sides) == {("trader_1", "sell", 12), ("trader_2", "buy", 12)}
    assert position_differences() == []
    assert imported(write(sale, purchase)) == 0, "a file with both sides is all stored"
    assert store(purchase, journal="another").duplicates == 1
    assert not Trade.objects.filter(flags__contains=["not_in_file"]).exists()
    with pytest.raises(DecisionError):
        book_second_side(message=aside, note="", user=judge, now=NOW)


def test_explain_tells_both_sides(judge: User, capsys: pytest.CaptureFixture[str]) -> None:
    store(confirmation("77", direction="sell"), confirmation("77"))
    book_second_side(message=QuarantinedMessage.objects.get(), note="", user=judge, now=NOW)
    call_command("explain", "77")
    said = capsys.readouterr().out
    assert said.index("Trade 77 in") < said.index("Trade 77 (buy) in") < said.index("the other side of trade 77")


def test_what_two_listeners_kept_aside_is_decided_once(judge: User) -> None:
    for journal in ("one", "two"):
        store(confirmation("77", direction="sell"), confirmation("77"), journal=journal)
    first, other = QuarantinedMessage.objects.all()
    book_second_side(message=first, note="seen", user=judge, now=NOW)
    other.refresh_from_db()
    assert (other.status, other.note, Trade.objects.count()) == ("retried", "seen", 2)


@pytest.mark.parametrize("change", [{"price": 21.5}, {"quantity": 11}, {"delivery_hour": "13-14"}])
def test_another_fact_makes_it_a_conflict(change: dict[str, Any]) -> None:
    store(confirmation("77", direction="sell"), confirmation("77", **change))
    assert QuarantinedMessage.objects.get().reason == "conflict"


def test_a_files_second_side_is_kept_aside_and_can_be_booked(write: Write, judge: User) -> None:
    germany()
    path = write(CSV, row("77"), row("77").replace("sell", "buy"))
    assert imported(path) == 1
    assert ids() == {"77"}
    book_second_side(message=QuarantinedMessage.objects.get(), note="", user=judge, now=NOW)
    assert imported(path) == 0
    assert Trade.objects.count() == 2


def test_what_a_file_kept_aside_can_be_accepted(write: Write, judge: User) -> None:
    store(confirmation("1", execution_time="2026-11-23T06:00:00Z", direction="sell"))
    assert imported(write(CSV, row("1", price="-7.25"))) == 1
    aside = QuarantinedMessage.objects.get()
    assert '"line"' in bytes(aside.raw).decode()
    change = accept_as_correction(message=aside, reason="the file is right", user=judge, now=NOW)
    assert change.price is not None
    assert f"{change.price:.2f}" == "-7.25"
    assert imported(write(CSV, row("1", price="-7.25"), row("2"), name="later")) == 0, "it says what counts now"


# --- gaps ---------------------------------------------------------------------------------------------------------
def gap(start: int, minutes: int) -> FeedGap:
    started = NOW.replace(hour=start)
    return FeedGap.objects.create(market=germany(), started_at=started, ended_at=started + timedelta(minutes=minutes))


def executed(trade_id: object, when: str, **changes: Any) -> bytes:
    return confirmation(trade_id, execution_time=f"2026-11-23T{when}:00Z", **changes)


def test_a_gap_is_covered_bit_by_bit(write: Write, capsys: pytest.CaptureFixture[str]) -> None:
    germany()
    open_gap = gap(7, 60)
    assert imported(write(executed(1, "06:00"), executed(2, "07:30"))) == 0
    open_gap.refresh_from_db()
    assert open_gap.closed_at is None
    assert open_gap.note == "covered by imported files but for 2026-11-23 07:30:00 to 08:00:00 UTC"
    assert "stays open for 2026-11-23 07:30:00 to 08:00:00 UTC" in capsys.readouterr().out
    assert imported(write(executed(3, "07:30", price=1), executed(4, "09:00"))) == 0
    open_gap.refresh_from_db()
    assert open_gap.closed_at is not None
    assert open_gap.note.count("file-") == 2


@pytest.mark.parametrize(
    ("lines", "words"),
    [
        ([executed(1, "06:00"), b"{broken", executed(2, "09:00")], "1 lines of the file could not be booked"),
        ([executed(1, "06:00"), executed(1, "06:01"), executed(2, "09:00")], "2 lines of the file could not be booked"),
        (
            [executed(1, "06:00"), executed(1, "06:00", direction="sell"), executed(2, "09:00")],
            "1 lines of the file could not be booked",
        ),
        ([executed(1, "06:00"), executed(99, "05:00", price=1), executed(2, "09:00")], "1 lines of the file could not"),
        ([executed(1, "06:00", trader_id="x"), executed(2, "09:00", trader_id="x")], "no trades of trader_1"),
        (
            [executed(i, t, delivery_hour="12:15-12:30") for i, t in ((1, "06:00"), (2, "09:00"))],
            "no periods of 60 minutes, which the desk trades",
        ),
    ],
)
def test_a_file_that_may_lack_something_closes_no_gap(
    write: Write, capsys: pytest.CaptureFixture[str], lines: list[bytes], words: str
) -> None:
    store(executed(99, "05:00"))
    open_gap = gap(7, 60)
    imported(write(*lines))
    open_gap.refresh_from_db()
    assert (open_gap.closed_at, open_gap.covered) == (None, [])
    assert words in capsys.readouterr().out


@pytest.mark.parametrize(("days_ago", "closed"), [(0, False), (6, False), (9, True)])
def test_one_traders_file_closes_no_gap_of_others_who_trade_these_days(
    write: Write, days_ago: int, closed: bool
) -> None:
    """All that another has traded this day may have been lost in the gap."""
    day = (NOW - timedelta(days=days_ago)).date()
    store(confirmation(99, trader_id="trader_2", execution_time=f"{day}T05:00:00Z"))
    open_gap = gap(7, 60)
    lines = (f"{n};SELL;2026-11-23T11:00Z;2026-11-23T12:00Z;2026-11-23T0{n}:00Z;20;EUR;12;MWH" for n in (6, 9))
    assert imported(write(PRIVATE, *lines), "--trader", "trader_1") == 0
    open_gap.refresh_from_db()
    assert (open_gap.closed_at is not None) == closed


@pytest.mark.parametrize("odd", ["9999-12-31T23:59:59Z", "0001-01-01T00:00:00Z"])
def test_an_odd_execution_time_is_booked_and_says_nothing_of_the_files_days(write: Write, odd: str) -> None:
    store(confirmation(99, execution_time="2026-11-20T05:00:00Z"))
    lines = [confirmation(1, execution_time=odd)]
    assert imported(write(*lines)) == 0
    assert imported(write(*lines, confirmation(2))) == 0
    assert ids() == {"1", "2", "99"}
    assert not Trade.objects.filter(flags__contains=["not_in_file"]).exists()


def test_a_file_of_several_is_of_everybody(write: Write) -> None:
    """Who is on leave keeps no gap open."""
    store(confirmation(99, trader_id="trader_3", execution_time="2026-11-20T05:00:00Z"))
    open_gap = gap(7, 60)
    traders = ((6, "trader_1"), (8, "trader_2"), (9, "trader_1"))
    lines = (confirmation(n, trader_id=t, execution_time=f"2026-11-23T0{n}:00:00Z") for n, t in traders)
    assert imported(write(*lines)) == 0
    open_gap.refresh_from_db()
    assert open_gap.closed_at is not None


@pytest.mark.parametrize(("blocks", "closed"), [(("08-20",), True), ((), False)])
def test_blocks_are_one_product_however_long(
    write: Write, capsys: pytest.CaptureFixture[str], blocks: tuple[str, ...], closed: bool
) -> None:
    """A base block has 25 hours on the long day and 24 on the next."""
    long_day = {"delivery_day": LONG_DAY, "delivery_hour": "00-24"}
    store(executed(98, "05:00", delivery_hour="22-24"), executed(99, "05:00", **long_day))
    open_gap = gap(7, 60)
    lines = [executed(f"b{i}", "06:00", delivery_hour=hour) for i, hour in enumerate(blocks)]
    assert imported(write(*lines, executed(1, "06:00"), executed(2, "09:00"))) == 0
    open_gap.refresh_from_db()
    assert (open_gap.closed_at is not None) == closed
    assert ("the file holds no blocks, which the desk trades" in capsys.readouterr().out) != closed


def test_a_file_closes_its_gap_once_all_that_was_kept_aside_is_decided(write: Write, judge: User) -> None:
    store(executed(99, "05:00"))
    open_gap = gap(7, 60)
    path = write(
        executed(99, "05:00", price=1),
        executed(1, "07:30"),
        executed(1, "07:30", direction="sell"),
        executed(2, "09:00"),
    )
    assert imported(path) == 1
    accept_as_correction(
        message=QuarantinedMessage.objects.get(reason="conflict"), reason="as the file says", user=judge, now=NOW
    )
    assert imported(path) == 1
    open_gap.refresh_from_db()
    assert open_gap.closed_at is None
    book_second_side(message=QuarantinedMessage.objects.get(reason="both_sides"), note="", user=judge, now=NOW)
    assert imported(path) == 0
    open_gap.refresh_from_db()
    assert open_gap.closed_at is not None


@pytest.mark.parametrize("note", ["", "  ", ".", "ok", "- - -"])
def test_nobody_closes_a_gap_without_a_sentence(judge: User, note: str) -> None:
    open_gap = gap(7, 60)
    with pytest.raises(DecisionError):
        close_gap(gap=open_gap, note=note, user=judge, now=NOW)
    open_gap.refresh_from_db()
    assert open_gap.closed_at is None
    close_gap(gap=open_gap, note="Compared with the exchange's list by phone", user=judge, now=NOW)
