"""A row opened in place, in a real Chromium: by click and keys, live, by its own address, quick with 10,000 trades."""

from __future__ import annotations

import re
from datetime import date, timedelta

import pytest
from django.db import connection
from django.utils import timezone
from playwright.sync_api import Page, Route, expect

from market.labels import parse_period
from market.models import Market
from market.periods import day_of
from tests.browser.conftest import Desk
from tests.browser.test_board import figure, link, open_board, row
from tests.dashboard.boards import SKETCH_DAY, store_price, store_sketch, store_trade
from tests.dashboard.people import a_trader
from tests.processes import wait_until
from trades.ledger.decisions import cancel_trade
from trades.ledger.traders import ensure_trader
from trades.models import Trade

pytestmark = pytest.mark.browser


@pytest.fixture
def tomorrow(market: Market) -> date:
    return day_of(timezone.now(), market.zone) + timedelta(days=1)


@pytest.fixture(autouse=True)
def _anna(market: Market) -> None:
    a_trader()


def drawn(page: Page, points: int) -> None:
    expect(page.locator("#chart")).to_have_attribute("data-drawn", str(points))


def test_a_row_opens_follows_and_closes(desk: Desk, page: Page, tomorrow: date) -> None:
    store_trade("12-13", "sell", "10", "30", day=tomorrow)
    store_price("12-13", "25", day=tomorrow, at=timezone.now() - timedelta(minutes=5))
    open_board(desk, page, tomorrow)
    page.evaluate("window.sameDocument = true")
    row(page, "12-13").locator("td").nth(4).click()
    expect(page).to_have_url(f"{desk.address}/boards/trader_1/{tomorrow}/12-13/")
    result = page.locator('#opened [data-field="performance_eur"]')
    expect(result).to_have_text("+50.00")
    expect(row(page, "12-13").locator("a")).to_have_attribute("aria-expanded", "true")
    drawn(page, 3)  # the trade, the price, and the price until now
    assert page.locator("#chart canvas").count() == 1

    store_trade("12-13", "buy", "4", "20", day=tomorrow)
    expect(result).to_have_text("+70.00", timeout=4_000)
    drawn(page, 4)
    store_price("12-13", "26", day=tomorrow, at=timezone.now())
    expect(result).to_have_text("+64.00", timeout=4_000)
    drawn(page, 5)

    page.get_by_role("link", name="Trades (2)").click()
    expect(page).to_have_url(re.compile(r"/12-13/\?show=trades$"))
    expect(page.locator("#opened .trades-part tbody tr")).to_have_count(2)
    expect(page.locator("#chart")).to_be_hidden()
    cancel_trade(trade=Trade.objects.latest("id"), reason="typed twice", user=a_trader("trader_9", "judge"))
    expect(page.locator("#opened [data-cancelled]")).to_have_count(1, timeout=4_000)
    expect(result).to_have_text("+40.00")
    page.get_by_role("link", name="Chart").click()
    drawn(page, 4)
    page.get_by_role("link", name="Close").click()
    expect(page.locator("#opened")).to_have_count(0)
    expect(page).to_have_url(f"{desk.address}/boards/trader_1/{tomorrow}/")
    expect(row(page, "12-13").locator("a")).to_be_focused()
    page.go_back()
    expect(page.locator("#opened")).to_be_visible()
    assert page.evaluate("window.sameDocument")


@pytest.mark.parametrize("how", ["link", "Escape", "back"])
def test_closed_while_its_panel_is_fetched_it_stays_closed(desk: Desk, page: Page, tomorrow: date, how: str) -> None:
    """The answer to a question that nobody asks any more changes nothing."""
    store_trade("12-13", "sell", "10", "30", day=tomorrow)
    open_board(desk, page, tomorrow)
    row(page, "12-13").locator("td").nth(4).click()
    result = page.locator('#opened [data-field="sold_mwh"]')
    expect(result).to_be_visible()
    held: list[Route] = []
    page.route("**/12-13/", lambda route: held.append(route))  # noqa: PLW0108 (Playwright marks it)
    store_trade("12-13", "sell", "4", "20", day=tomorrow)
    wait_until(lambda: page.evaluate("1") and held, "the panel to be asked for again")
    if how == "link":
        page.get_by_role("link", name="Close").click()
    elif how == "Escape":
        page.keyboard.press("Escape")
    else:
        page.go_back()
    expect(page.locator("#opened")).to_have_count(0)
    with page.expect_event("response", lambda answer: answer.url.endswith("/12-13/")):
        held[0].fulfill(response=held[0].fetch())
    store_trade("14-15", "sell", "4", "20", day=tomorrow)
    expect(figure(page, "14-15", "sold_mwh")).to_have_text("4.00")
    expect(page.locator("#opened")).to_have_count(0)
    expect(page).to_have_url(f"{desk.address}/boards/trader_1/{tomorrow}/")


def test_a_typo_in_the_closing_form_is_said_beside_its_field(desk: Desk, page: Page, tomorrow: date) -> None:
    store_trade("12-13", "sell", "10", "30", day=tomorrow)
    store_price("12-13", "25", day=tomorrow, at=timezone.now() - timedelta(minutes=5))
    desk.log_in(page, "anna", f"/boards/trader_1/{tomorrow}/12-13/")
    expect(link(page)).to_have_text("live")
    page.evaluate("window.sameDocument = true")
    energy, wrong = page.locator("#opened [name=close_mwh]"), page.locator("#closing-wrong")
    for typed in ("abc", "999999", "-5"):
        energy.fill(typed)
        energy.press("Enter")
        expect(page).to_have_url(re.compile(f"close_mwh={typed}$"))
        expect(wrong).to_have_text("What is to be closed is a number of MWh above 0, up to 99999.")
        expect(energy).to_have_value(typed)
        expect(energy).to_be_focused()
    store_trade("12-13", "buy", "4", "20", day=tomorrow)
    expect(page.locator('#opened [data-field="performance_eur"]')).to_have_text("+70.00")
    expect(wrong).to_be_visible()
    energy.fill("6")
    energy.press("Enter")
    expect(page.locator("#opened .closing output")).to_contain_text("locked in")
    expect(wrong).to_have_count(0)
    assert page.evaluate("window.sameDocument")


PLACES = """() => {
    const [head, row, panel] = ["#periods thead", "tbody:has(+ #opened) .period", "#opened"].map((one) =>
        document.querySelector(one).getBoundingClientRect());
    return [row.top - head.bottom, innerHeight - panel.bottom, panel.height + row.height + head.height - innerHeight];
}"""
"""Pixels: how far the row is below the head, how much room is below its panel, and by how much both don't fit."""


def in_view(page: Page) -> bool:
    below_head, room, too_much = page.evaluate(PLACES)
    return bool(below_head >= -1 and (room >= -1 or (too_much > 0 and below_head < 60)))


@pytest.mark.parametrize(("width", "height"), [(1366, 700), (390, 844), (390, 600)])
def test_the_opened_row_comes_into_view(desk: Desk, page: Page, width: int, height: int) -> None:
    store_sketch()
    for hour in range(24):
        store_trade(f"{hour:02d}-{hour + 1:02d}", "sell", "10", "30")
    page.set_viewport_size({"width": width, "height": height})
    board = f"/boards/trader_1/{SKETCH_DAY}/"
    desk.log_in(page, "anna", f"{board}21-22/")
    wait_until(lambda: in_view(page), "the row of a shared address to be seen")
    assert page.evaluate("scrollY") > 100
    page.goto(f"{desk.address}{board}")
    row(page, "23-24").locator("td").nth(4).click()
    expect(page.locator("#opened")).to_be_visible()
    wait_until(lambda: in_view(page), "the last row, clicked")
    page.keyboard.press("Escape")
    page.evaluate("scrollTo(0, 0)")
    row(page, "22-23").locator("th a").press("Enter")
    expect(page.locator("#opened")).to_be_visible()
    wait_until(lambda: in_view(page), "a row opened by keys")
    page.set_viewport_size({"width": width, "height": 1600})
    page.goto(f"{desk.address}{board}02-03/")
    expect(link(page)).to_have_text("live")
    drawn(page, 1)
    assert page.evaluate("scrollY") == 0, "it was seen already"


def test_its_own_address_opens_it(desk: Desk, page: Page) -> None:
    store_sketch()
    desk.log_in(page, "anna", f"/boards/trader_1/{SKETCH_DAY}/13-14/")
    expect(link(page)).to_have_text("live")
    drawn(page, 3)
    expect(row(page, "13-14").locator("a")).to_have_attribute("aria-expanded", "true")
    row(page, "12-13").locator("a").press("Enter")
    expect(page.locator("#opened h3")).to_have_text("Delivery period 12–13")
    expect(page.locator("#opened")).to_have_count(1)
    row(page, "12-13").locator("td").nth(4).click()
    expect(page.locator("#opened")).to_have_count(0)
    page.goto(f"{desk.address}/boards/trader_1/{SKETCH_DAY}/25-26/")
    expect(page.locator("main")).to_contain_text("“25-26” does not exist")
    desk.expect_complaints("404 (Not Found)")


def test_its_chart_follows_the_window_and_prints_in_ink(desk: Desk, page: Page, tomorrow: date) -> None:
    """As wide as there is room, with the trades beside it on a wide page; dark on paper whatever the theme."""
    store_trade("12-13", "sell", "10", "30", day=tomorrow)
    for minutes, value in ((40, "25"), (20, "31")):
        store_price("12-13", value, day=tomorrow, at=timezone.now() - timedelta(minutes=minutes))
    desk.log_in(page, "anna", f"/boards/trader_1/{tomorrow}/12-13/")
    drawn(page, 4)
    trades, canvas = page.locator("#opened .trades-part"), page.locator("#chart canvas")
    expect(trades).to_be_visible()
    page.set_viewport_size({"width": 1000, "height": 900})
    expect(trades).to_be_hidden()
    wait_until(lambda: canvas.evaluate("canvas => canvas.clientWidth") < 1000, "the chart to shrink")
    assert page.evaluate("document.documentElement.scrollWidth") <= 1000
    light = """canvas => canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height).data
        .some((red, at, all) => at % 4 === 0 && red > 226 && all[at + 3] === 255)"""
    wait_until(lambda: canvas.evaluate(light), "the reference's line on a dark ground")
    page.emulate_media(media="print")
    wait_until(lambda: not canvas.evaluate(light), "the chart in ink")
    desk.expect_complaints("getImageData")


def test_an_empty_folded_period_opens_by_its_address(desk: Desk, page: Page) -> None:
    store_sketch()
    desk.log_in(page, "anna", f"/boards/trader_1/{SKETCH_DAY}/05-06/")
    expect(page.locator("#opened")).to_contain_text("No trades for this period yet.")
    expect(row(page, "05-06")).to_be_visible()
    expect(row(page, "04-05")).to_be_hidden()


def test_ten_thousand_trades_are_drawn_at_once(desk: Desk, page: Page, market: Market) -> None:
    trader = ensure_trader(trader_id="trader_1")
    period = parse_period(SKETCH_DAY, "12-13", market.zone).period
    with connection.cursor() as cursor:
        cursor.execute(
            """INSERT INTO trades_trade (market_id, exchange_id, trader_id, direction, price, quantity, delivery_day,
                   delivery_hour, delivery_start, delivery_end, execution_time, received_at, flags, source,
                   source_position)
               SELECT %s, 'many-' || n, %s, CASE WHEN n %% 3 = 0 THEN 'buy' ELSE 'sell' END, 40 + 8 * sin(n / 900.0),
                   1 + n %% 9, %s, '12-13', %s, %s, %s - n * interval '3 s', now(), '{}', 'many', n
               FROM generate_series(1, 10000) AS n""",
            [market.pk, trader.pk, SKETCH_DAY, period.start, period.end, period.start],
        )
        cursor.execute("ANALYZE trades_trade")  # ten thousand at once are no table that PostgreSQL knows
    desk.log_in(page, "anna", f"/boards/trader_1/{SKETCH_DAY}/12-13/")
    drawn(page, 10_000)
    took = page.evaluate(
        """async () => {
        const chart = await import(`${document.getElementById("chart").dataset.draws}?anew`);
        const place = document.getElementById("chart");
        const data = await (await fetch(place.dataset.source)).json();
        const started = performance.now();
        chart.paint(place, data);
        await new Promise((done) => requestAnimationFrame(() => setTimeout(done)));
        return performance.now() - started; }"""
    )
    print(f"10,000 trades: {took:.0f} ms from data to the painted frame")
    expect(page.locator("#opened tbody tr")).to_have_count(50)


def canvases(page: Page) -> int:
    """How many canvas elements the page keeps alive, shown or not."""
    session = page.context.new_cdp_session(page)
    session.send("HeapProfiler.collectGarbage")
    prototype = session.send("Runtime.evaluate", {"expression": "HTMLCanvasElement.prototype"})
    found = session.send("Runtime.queryObjects", {"prototypeObjectId": prototype["result"]["objectId"]})
    length = {"functionDeclaration": "function () { return this.length }", "objectId": found["objects"]["objectId"]}
    count = session.send("Runtime.callFunctionOn", length)["result"]["value"]
    session.detach()
    return int(count)


@pytest.mark.parametrize("rounds", [1, pytest.param(25, marks=pytest.mark.long)])
def test_closed_charts_leave_nothing_behind(desk: Desk, page: Page, tomorrow: date, rounds: int) -> None:
    """12 rows, each opened and closed; in the long version 300 times in all."""
    hours = [f"{hour:02d}-{hour + 1:02d}" for hour in range(6, 18)]
    for label in hours:
        store_trade(label, "sell", "10", "30", day=tomorrow)
    open_board(desk, page, tomorrow)
    for label in hours * rounds:
        row(page, label).locator("td").nth(4).click()
        drawn(page, 1)
        page.keyboard.press("Escape")
        expect(page.locator("#opened")).to_have_count(0)
    assert canvases(page) <= 1, "the last one may be under the browser's own hand"
    row(page, hours[0]).locator("td").nth(4).click()
    drawn(page, 1)
    row(page, hours[1]).locator("td").nth(4).click()  # another row while one is open
    expect(row(page, hours[1]).locator("a")).to_have_attribute("aria-expanded", "true")  # its panel is there
    expect(page.locator("#chart canvas")).to_have_count(1)
    drawn(page, 1)
    assert canvases(page) <= 2


def test_a_row_that_is_closed_before_its_chart_is_painted_breaks_nothing(
    desk: Desk, page: Page, tomorrow: date
) -> None:
    """The library paints a moment after the chart is made: the row is closed in between."""
    store_trade("12-13", "sell", "10", "30", day=tomorrow)
    open_board(desk, page, tomorrow)
    page.evaluate(
        """() => {
            const seen = new MutationObserver(() => {
                if (!document.querySelector("#chart canvas")) return;
                seen.disconnect();
                document.dispatchEvent(new CustomEvent("desk:close"));
                window.hasClosed = true;
            });
            seen.observe(document.getElementById("board"), { subtree: true, childList: true });
        }"""
    )
    row(page, "12-13").locator("td").nth(4).click()
    page.wait_for_function("() => window.hasClosed")
    expect(page.locator("#opened")).to_have_count(0)
    page.evaluate("() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")
