"""An open row says where it turns, and what it would be if some of it were closed at a price."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import timedelta

import pytest
import time_machine
from django.test import Client

from tests.dashboard.boards import MORNING, SKETCH_DAY, store_price, store_trade
from tests.dashboard.people import a_trader

pytestmark = [pytest.mark.integration, pytest.mark.django_db]

ROW = f"/boards/trader_1/{SKETCH_DAY}/12-13/"


@pytest.fixture
def anna(client: Client) -> Iterator[Client]:
    """Sold 10 MWh at 30 and bought 4 at 20: cash +220, net -6; it turns at 36.67. A closed row, and a flat one."""
    client.force_login(a_trader())
    store_trade("12-13", "sell", "10", "30")
    store_trade("12-13", "buy", "4", "20")
    store_trade("09-10", "sell", "10", "30")
    store_trade("14-15", "sell", "10", "30")
    store_trade("14-15", "buy", "10", "20")
    for label in ("12-13", "09-10", "14-15"):
        store_price(label, "25", at=MORNING - timedelta(minutes=5))
    with time_machine.travel(MORNING, tick=False):
        yield client


def fields(html: str) -> dict[str, str]:
    return dict(re.findall(r'data-field="(\w+)" data-value="([^"]*)"', html))


def row(html: str, label: str) -> str:
    return html.split(f'data-delivery-hour="{label}"')[1].split("</tbody>", maxsplit=1)[0]


def test_open_rows_with_a_net_say_where_they_turn(anna: Client) -> None:
    html = anna.get(f"/boards/trader_1/{SKETCH_DAY}/").content.decode()
    assert fields(row(html, "12-13"))["break_even"].startswith("36.66666666666666666666")
    for label in ("09-10", "14-15", "16-17"):
        assert "break_even" not in fields(row(html, label)), label
    told = anna.get(f"/api/v1/boards/trader_1/{SKETCH_DAY}").json()["periods"]
    turns = {one["delivery_hour"]: one["break_even"] for one in told}
    assert turns["12-13"].startswith("36.666666666666")
    assert (turns["14-15"], turns["16-17"]) == (None, None)


def test_all_or_a_part_of_it_closed_at_a_price(anna: Client) -> None:
    part = fields(anna.get(f"{ROW}?close_at=24,5&close_mwh=2").content.decode())
    assert (part["closed_result"], part["closed_net"], part["closed_break_even"]) == ("71", "-4", "42.75")
    whole = anna.get(f"{ROW}?close_at=24.5").content.decode()
    assert (fields(whole)["closed_result"], fields(whole)["closed_net"]) == ("73", "0")
    assert "locked in" in whole
    assert "no order" in whole


def test_a_row_that_nothing_can_be_closed_of_has_no_form(anna: Client) -> None:
    for label in ("09-10", "14-15", "16-17"):
        html = anna.get(f"/boards/trader_1/{SKETCH_DAY}/{label}/?close_at=20").content.decode()
        assert 'name="close_at"' not in html, label


@pytest.mark.parametrize(
    "asked", ["close_at=much", "close_at=1e5", "close_at=100000", "close_at=NaN", "close_at=1&close_mwh=0",
              "close_at=1&close_mwh=-2", "close_at=1&close_mwh=all"]
)  # fmt: skip
@pytest.mark.parametrize("part", ["", "opened"])
def test_what_is_no_price_and_no_energy_is_refused_beside_its_field(anna: Client, asked: str, part: str) -> None:
    """Also to a page that is open: it keeps its board."""
    answer = anna.get(f"{ROW}?{asked}", headers={"X-Part": part} if part else {})
    assert answer.status_code == 200
    form = answer.content.decode().partition('class="closing"')[2].partition("</form>")[0]
    assert 'id="closing-wrong" role="alert"' in form
    assert "is a number" in form
    assert "closed_result" not in form
    typed = asked.rpartition("=")[2]
    assert f'value="{typed}"' in form
    assert re.search(rf'value="{typed}"[^>]* aria-invalid="true" aria-describedby="closing-wrong"', form)


def test_a_row_without_the_form_takes_no_notice_of_nonsense(anna: Client) -> None:
    answer = anna.get(f"/boards/trader_1/{SKETCH_DAY}/09-10/?close_at=much")
    assert answer.status_code == 200
    assert 'id="closing-wrong"' not in answer.content.decode()
