"""How firm a row is, on the board, in an opened row, on its chart and on the desk; and what it costs."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
import time_machine
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from dashboard.figures.board_key import BoardKey
from dashboard.figures.firmness.outlook import load_outlook
from dashboard.figures.firmness.rules import Kind, Word
from dashboard.live.boards import render
from tests.dashboard.boards import SKETCH_DAY, store_price, store_trade
from tests.dashboard.figures.firmness.alike import store_alike
from tests.dashboard.people import a_head
from tests.trades.frames import confirmation, germany
from trades.frames import FrameSource, JournalFrame
from trades.ledger.store import store_frames
from trades.models import Trader

pytestmark = [pytest.mark.integration, pytest.mark.django_db]

NOW = datetime(2023, 2, 6, 9, 15, tzinfo=UTC)  # gates of 12-13, 13-14, …: 10:55, 11:55 UTC
ROWS = ("12-13", "13-14", "14-15", "16-17", "09-10", "18-19")
BOARD = f"/boards/trader_1/{SKETCH_DAY}/"


def traded(label: str, direction: str, price: str) -> None:
    """10 MW, heard of two hours before."""
    facts = {"delivery_day": SKETCH_DAY.isoformat(), "delivery_hour": label, "direction": direction}
    frame = confirmation(f"{label} {direction}", quantity=10.0, price=float(price), **facts)
    source = FrameSource(f"firm {label} {direction}", "l")
    store_frames(market=germany(), source=source, frames=[JournalFrame(1, NOW - timedelta(hours=2), frame)])


@pytest.fixture
def head(client: Client) -> Iterator[Client]:
    """Rows sold at 25, 1 and 7 above their references, one with as much bought, and one that is final."""
    for label, over in (("12-13", "45"), ("13-14", "21"), ("14-15", "27"), ("16-17", "30"), ("09-10", "30")):
        traded(label, "sell", over)
        store_price(label, "20", at=NOW - timedelta(minutes=20))
    traded("16-17", "buy", "20")
    store_price("09-10", "21", at=datetime(2023, 2, 6, 8, 0, 10, tzinfo=UTC))
    store_alike(germany(), SKETCH_DAY)
    client.force_login(a_head())
    with time_machine.travel(NOW, tick=False):
        yield client


def row(html: str, label: str) -> str:
    return html.split(f'data-delivery-hour="{label}"')[1].split("</tbody>", maxsplit=1)[0]


def test_a_row_says_how_firm_it_is_and_on_demand_why(head: Client) -> None:
    html = head.get(BOARD).content.decode()
    said = {label: re.findall(r'data-firm="(\w+)" title="([^"]*)"', row(html, label)) for label in ROWS}
    words = {label: found[0][0] for label, found in said.items() if found}
    assert words == {"12-13": "firm", "13-14": "open", "14-15": "leaning", "16-17": "locked"}
    assert "of 300 like cases in 60 days the sign turned in 40 %" in said["13-14"][0][1]
    assert "at closure −23.00 to +25.00 per MWh" in said["13-14"][0][1]


def test_an_opened_row_has_its_bands_and_a_fan(head: Client) -> None:
    html = head.get(f"{BOARD}13-14/").content.decode()
    line = re.findall(r'<p class="firm">(.*?)</p>', html)[0].replace("<i>", "").replace("</i>", "")
    assert line == (
        "open: 8 of 10 like cases end between −230.00 and +250.00 €, 5 of 10 between −50.00 and +70.00,"
        " of 300 like cases in 60 days the sign turned in 40 %"
    )
    chart = head.get(f"/api/v1/trades/trader_1/{SKETCH_DAY}/13-14").json()
    assert chart["fan"] == {"wide": ["-4", "44"], "narrow": ["14", "26"]}
    for label in ("09-10", "18-19"):
        assert head.get(f"/api/v1/trades/trader_1/{SKETCH_DAY}/{label}").json()["fan"] is None


def firmness(answer: dict[str, Any]) -> dict[str, Any]:
    """Of each row that has something to say."""
    rows = answer["periods"] if "periods" in answer else [answer["period"]]
    return {row["delivery_hour"]: row["firmness"] for row in rows if row["firmness"]}


def test_programs_are_told_the_same_now_and_of_a_past_moment(head: Client) -> None:
    board = firmness(head.get(f"/api/v1/boards/trader_1/{SKETCH_DAY}").json())
    words = {"12-13": "firm", "13-14": "open", "14-15": "leaning", "16-17": "locked", "09-10": "final"}
    assert {label: said["word"] for label, said in board.items()} == words
    assert board["13-14"] == {
        "word": "open",
        "cases": 300,
        "turned": "0.400000",
        "performance_eur_80": {"low": "-230", "high": "250"},
        "performance_eur_50": {"low": "-50", "high": "70"},
        "reference_price_80": {"low": "-4", "high": "44"},
        "reference_price_50": {"low": "14", "high": "26"},
    }
    assert firmness(head.get(f"/api/v1/periods/trader_1/{SKETCH_DAY}/13-14").json()) == {"13-14": board["13-14"]}
    desk = head.get(f"/api/v1/desk/{SKETCH_DAY}").json()
    assert [firmness(one) for one in (desk, *desk["traders"])] == [board, board]
    with time_machine.travel(GATE + timedelta(hours=1), tick=False):
        later = firmness(head.get(f"/api/v1/boards/trader_1/{SKETCH_DAY}").json())
        then = head.get(f"/api/v1/boards/trader_1/{SKETCH_DAY}?as_of={NOW:%Y-%m-%dT%H:%M:%SZ}").json()
    assert firmness(then) == board != later


def test_the_desk_says_how_much_of_its_money_is_firm(head: Client) -> None:
    html = head.get(f"/desk/{SKETCH_DAY}/").content.decode()
    share = Decimal(re.findall(r'data-total="firm_share" data-value="([^"]*)"', html)[0])
    assert round(share, 6) == round(Decimal(250 + 100 + 90) / (250 + 10 + 70 + 100 + 90), 6)


def test_too_few_is_said_and_never_guessed(head: Client) -> None:
    store_trade("10:30-10:45", "sell", "4", "30")
    store_trade("12:30-13:00", "sell", "4", "30")
    for label in ("12:30-13:00",):
        store_price(label, "20", at=NOW - timedelta(minutes=20))
    html = head.get(BOARD).content.decode()
    assert "too few like cases, 0 in 60 days" in row(html, "12:30-13:00")
    assert "data-firm" not in row(html, "10:30-10:45"), "without a reference there is no result"


def test_the_width_falls_to_nothing_at_the_final(head: Client) -> None:
    market = germany()
    widths = []
    for moment in (NOW, NOW + timedelta(hours=1), GATE - timedelta(minutes=15), GATE - timedelta(minutes=1)):
        board = render(key(), moment, None).board
        found = load_outlook(market, moment).of(next(one for one in board.rows if one.delivery_hour == "12-13"))
        assert found and found.wide
        widths.append(found.wide.width)
    assert widths == sorted(widths, reverse=True)
    assert widths[-1] < widths[0] / 4
    store_price("12-13", "22", at=GATE + timedelta(minutes=5))
    moment = GATE + timedelta(minutes=6)
    board = render(key(), moment, None).board
    found = load_outlook(market, moment).of(next(one for one in board.rows if one.delivery_hour == "12-13"))
    assert found and (found.word, found.wide) == (Word.FINAL, None)


GATE = datetime(2023, 2, 6, 10, 55, tzinfo=UTC)


def key() -> BoardKey:
    return BoardKey(Trader.objects.get(trader_id="trader_1").pk, germany().pk, SKETCH_DAY)


def test_a_push_asks_nothing_more(head: Client) -> None:
    board = key()
    before = render(board, NOW, None)
    assert 'data-firm="open"' in "".join(before.parts.values())
    store_trade("13-14", "buy", "1", "19")
    with CaptureQueriesContext(connection) as trade:
        after = render(board, NOW + timedelta(minutes=1), before)
    assert len(trade) == 1, [one["sql"][:150] for one in trade.captured_queries]
    with CaptureQueriesContext(connection) as price:
        render(board, NOW + timedelta(minutes=1), replace(after, prices_moved=True))
    assert len(price) == 2
    with CaptureQueriesContext(connection) as later:  # in other ten minutes: the lines over time are read, no more
        render(board, NOW + timedelta(minutes=31), after)
    assert not [query["sql"] for query in later.captured_queries if "likemoves" in query["sql"]]


def test_what_comes_later_is_not_used(head: Client) -> None:
    market, kind = germany(), Kind(60, 3, 2)
    before = load_outlook(market, NOW).cases.moves(kind)
    store_alike(market, SKETCH_DAY + timedelta(days=3), days=3, moves=("50",) * 99)
    assert load_outlook(market, NOW).cases.moves(kind) == before
    assert load_outlook(market, NOW + timedelta(days=3)).cases.moves(kind) != before
