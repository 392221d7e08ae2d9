"""What a row says of time: two clocks where they differ, phases by name, and when tomorrow opens."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import UTC, date, datetime

import pytest

from dashboard.figures.board import load_board
from dashboard.figures.feed_status import load_feeds
from dashboard.render.board import render_parts
from dashboard.render.board_json import board_json
from dashboard.render.rows.clocks import zones_title
from market.areas.adding import add_market
from market.models import GateClosure, Market, MarketRule
from trades.ledger.traders import ensure_trader

pytestmark = [pytest.mark.integration, pytest.mark.django_db]
DAY = date(2026, 11, 27)
MORNING = datetime(2026, 11, 27, 7, tzinfo=UTC)


def rows(market: Market, day: date, now: datetime) -> dict[str, str]:
    """Delivery hour -> its row's HTML without tags, and what its gates' cell says when asked."""
    board = load_board(trader=ensure_trader(trader_id="trader_1"), market=market, delivery_day=day, now=now)
    parts = render_parts(board, load_feeds(market=market, now=now))
    found = {}
    for html in parts.values():
        if label := re.search(r'data-delivery-hour="([^"]+)"', html):
            gates = re.search(r'class="gate" title="([^"]+)"', html)
            found[label[1]] = " ".join([*re.sub(r"<[^>]+>", " ", html).split(), *([gates[1]] if gates else [])])
    return found


def test_a_row_of_finland_shows_both_clocks() -> None:
    market = add_market("FI")
    shown = rows(market, DAY, MORNING)["14-15"]
    assert shown.startswith("14–15 15–16 local")
    assert "14:30" in shown, "the gate, 30 min before 15:00 in Helsinki"
    assert zones_title(market, DAY) == "Europe/Berlin, clocks Europe/Helsinki"


def test_a_row_where_the_clocks_are_one_shows_one() -> None:
    market = add_market("GB")
    shown = rows(market, DAY, MORNING)
    assert next(iter(shown)) == "23-24"
    assert "local" not in shown["14-15"]
    assert zones_title(market, DAY) == "Europe/London"


def test_the_doubled_hour_of_the_people_s_clock() -> None:
    """The night of 25 October: the product day's 01-02 is the first 03-04 of Helsinki, both passes of 02-03 follow."""
    shown = rows(add_market("FI"), date(2026, 10, 25), MORNING)
    assert shown["01-02"].startswith("01–02 02–03 local")
    assert shown["02-03"].startswith("02–03 03–04A local")
    assert shown["02-03X"].startswith("02–03X 03–04B local")
    assert shown["03-04"].startswith("03–04 04–05 local")


def test_gates_are_named_by_phase_on_page_and_in_the_api() -> None:
    market = add_market("SE")
    GateClosure.objects.create(market=market, valid_from=DAY, phase="borders", lead_minutes=90)
    market = Market.objects.get(pk=market.pk)
    assert "13:00 borders 12:30, area 13:00" in rows(market, DAY, MORNING)["14-15"]
    board = load_board(trader=ensure_trader(trader_id="trader_1"), market=market, delivery_day=DAY, now=MORNING)
    hours = {row["delivery_hour"]: row for row in board_json(board)["periods"]}
    assert hours["14-15"]["gate_closures"] == [
        {"phase": "borders", "closes_at": "2026-11-27T11:30:00Z"},
        {"phase": "area", "closes_at": "2026-11-27T12:00:00Z"},
    ]
    assert (hours["07-08"]["state"], hours["07-08"]["gate_closures"]) == ("closed", [])
    between = datetime(2026, 11, 27, 11, 30, tzinfo=UTC)
    later = load_board(trader=board.trader, market=market, delivery_day=DAY, now=between)
    left = {row["delivery_hour"]: row["gate_closures"] for row in board_json(later)["periods"]}["14-15"]
    assert left == [{"phase": "area", "closes_at": "2026-11-27T12:00:00Z"}], "what stays open"
    assert board.changes_at <= datetime(2026, 11, 27, 7, 30, tzinfo=UTC), "the borders of 09-10 close then"


def test_tomorrow_says_from_when_on_it_can_be_traded() -> None:
    market = add_market("PL")
    tomorrow = date(2026, 11, 28)
    assert "opens 14:00" in rows(market, tomorrow, MORNING)["08-09"]
    afternoon = MORNING.replace(hour=13)
    assert "opens" not in rows(market, tomorrow, afternoon)["08-09"]
    board = load_board(trader=ensure_trader(trader_id="trader_1"), market=market, delivery_day=tomorrow, now=MORNING)
    assert board.rows[0].opens_at == afternoon
    MarketRule.objects.filter(market=market).update(opening=None)
    assert "opens" not in rows(Market.objects.get(pk=market.pk), tomorrow, MORNING)["08-09"]


def test_a_row_says_that_the_provider_has_no_prices_of_its_product() -> None:
    market = add_market("SE")
    trader, quarter = ensure_trader(trader_id="trader_1"), market.day_periods(DAY, 15)[57]
    board = load_board(trader=trader, market=market, delivery_day=DAY, now=MORNING, also=quarter)
    feeds = load_feeds(market=market, now=MORNING)
    assert "none yet" in render_parts(board, feeds)["p-20261127T1315Z-15"]
    unanswered = render_parts(board, replace(feeds, unanswered_products=(15,)))
    assert "the provider has none" in unanswered["p-20261127T1315Z-15"]
    assert "the provider has none" not in unanswered["p-20261127T1300Z-60"]
