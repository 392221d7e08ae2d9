"""The keyboard never loses its place; who listens is told what is shown, and no more than was asked for."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest
from django.utils import timezone
from playwright.sync_api import Page, expect

from market.models import Market
from market.periods import day_of
from tests.browser.conftest import Desk
from tests.browser.drivers.printing import not_printed
from tests.browser.test_board import figure, open_board, row
from tests.dashboard.boards import store_price, store_trade
from tests.dashboard.people import a_head, a_superuser, a_trader
from trades.ledger.decisions import cancel_trade
from trades.models import FeedConnection, Trade
from trades.signals import feed_changed

pytestmark = pytest.mark.browser

FRAME = """() => { const one = document.activeElement;
    return getComputedStyle(one.matches("th a") ? one.closest("tr") : one).outlineStyle; }"""


@pytest.fixture
def tomorrow(market: Market) -> date:
    return day_of(timezone.now(), market.zone) + timedelta(days=1)


@pytest.fixture
def board(desk: Desk, page: Page, tomorrow: date) -> Page:
    """A live board: three traded periods, folds between them."""
    a_trader()
    for label in ("05-06", "12-13", "15-16"):
        store_trade(label, "sell", "100", "30", day=tomorrow, at=timezone.now() - timedelta(hours=1))
        for minutes, value in ((50, "12"), (0, "10")):
            store_price(label, value, day=tomorrow, at=timezone.now() - timedelta(minutes=minutes))
    open_board(desk, page, tomorrow)
    return page


def cancel(label: str) -> None:
    cancel_trade(trade=Trade.objects.get(delivery_hour=label), reason="typed twice", user=a_superuser("judge"))


# --- the keyboard ---------------------------------------------------------------------------------------------------
def test_a_row_that_folds_away_leaves_the_focus_on_its_fold(board: Page) -> None:
    row(board, "12-13").locator("a").focus()
    cancel("12-13")
    expect(row(board, "12-13")).to_be_hidden()
    expect(board.locator(".fold button:focus")).to_contain_text("06–15 · 9 periods without trades")
    board.keyboard.press("Enter")
    expect(row(board, "12-13")).to_be_visible()


def test_a_fold_that_begins_elsewhere_keeps_the_focus(board: Page, tomorrow: date) -> None:
    board.locator(".fold button").nth(1).focus()
    store_trade("06-07", "sell", "1", "30", day=tomorrow)
    expect(figure(board, "06-07", "sold_mwh")).to_have_text("1.00")
    assert board.evaluate("document.activeElement !== document.body && document.activeElement.checkVisibility()")


def test_a_row_that_is_gone_gives_the_focus_to_a_neighbour(board: Page, tomorrow: date) -> None:
    """Shorter periods have a row only while somebody has traded them."""
    store_trade("12:15-12:30", "sell", "1", "30", day=tomorrow)
    row(board, "12-13").locator(".fold button").click()
    quarter = row(board, "12:15-12:30").locator("a")
    quarter.focus()
    cancel("12:15-12:30")
    expect(row(board, "12:15-12:30")).to_have_count(0)
    assert board.evaluate("document.activeElement.matches('.period a, .fold button')")


@pytest.mark.parametrize("how", ["back", "Escape", "Close"])
def test_a_panel_that_closes_gives_the_focus_to_its_row(board: Page, how: str) -> None:
    link = row(board, "12-13").locator("a")
    link.focus()
    board.keyboard.press("Enter")
    board.get_by_role("link", name="Trades (1)").focus()
    if how == "back":
        board.go_back()
    elif how == "Escape":
        board.keyboard.press("Escape")
    else:
        board.get_by_role("link", name="Close").press("Enter")
    expect(board.locator("#opened")).to_have_count(0)
    expect(link).to_be_focused()


def test_the_focus_stays_in_a_panel_that_is_fetched_again(board: Page, tomorrow: date) -> None:
    row(board, "12-13").locator("a").press("Enter")
    board.get_by_role("link", name="Trades (1)").press("Enter")
    expect(board.locator("#opened .trades-part tbody tr")).to_have_count(1)
    board.get_by_role("link", name="Trades (1)").focus()
    store_trade("12-13", "buy", "1", "20", day=tomorrow)
    expect(board.get_by_role("link", name="Trades (2)")).to_be_focused()


def test_a_day_by_the_keyboard_alone(board: Page, tomorrow: date) -> None:
    """Tab reaches everything, in order and in sight; what has the focus is framed."""
    board.keyboard.press("Tab")
    expect(board.locator(".skip")).to_be_focused()
    board.keyboard.press("Enter")
    board.keyboard.press("Tab")
    inside = "#periods [name=reading], #periods .period:not([data-folded]) th a, #periods .fold button"
    there = [one.inner_text().strip()[:5] for one in board.locator(inside).all() if one.is_visible()]
    reached = []
    while board.evaluate("document.activeElement.closest('#periods')"):
        reached.append(board.evaluate("document.activeElement.innerText.trim().slice(0, 5)"))
        assert board.evaluate(FRAME) == "solid", reached
        board.keyboard.press("Tab")
    assert len(there) > 5 and reached == there


def test_a_row_that_folds_away_under_the_list_of_keys(board: Page) -> None:
    row(board, "12-13").locator("a").focus()
    board.keyboard.press("?")
    cancel("12-13")
    expect(row(board, "12-13")).to_be_hidden()
    board.keyboard.press("Escape")
    expect(board.locator(".fold button:focus")).to_contain_text("06–15")


def test_a_browser_that_can_t_tell_what_is_visible_is_as_live(board: Page, tomorrow: date) -> None:
    board.evaluate("delete Element.prototype.checkVisibility")
    row(board, "12-13").locator("a").focus()
    cancel("12-13")
    expect(board.locator(".fold button:focus")).to_contain_text("06–15")
    store_trade("15-16", "sell", "1", "30", day=tomorrow)
    expect(figure(board, "15-16", "sold_mwh")).to_have_text("101.00")


# --- what is told ---------------------------------------------------------------------------------------------------
def told(page: Page, what: str, *, yes: bool = True) -> None:
    page.keyboard.press("?")
    page.get_by_role("checkbox", name=what).set_checked(yes)
    page.keyboard.press("Escape")


def test_the_result_is_told_once_a_minute_and_only_to_who_wants_it(desk: Desk, page: Page, tomorrow: date) -> None:
    a_trader()
    store_trade("12-13", "sell", "10", "30", day=tomorrow)
    store_price("12-13", "25", day=tomorrow, at=timezone.now())
    page.clock.install()
    open_board(desk, page, tomorrow)
    aloud, result = page.locator("#aloud"), page.locator("#summary strong")
    store_price("12-13", "26", day=tomorrow, at=timezone.now())
    expect(result).to_have_text("+40.00 €")
    expect(aloud).to_have_text("")
    told(page, "the day's result")
    expect(aloud).to_have_text("Result +40.00 €")
    store_price("12-13", "27", day=tomorrow, at=timezone.now())
    expect(result).to_have_text("+30.00 €")
    store_price("12-13", "28", day=tomorrow, at=timezone.now())
    expect(result).to_have_text("+20.00 €")
    expect(aloud).to_have_text("Result +40.00 €")
    page.clock.fast_forward(61_000)
    expect(aloud).to_have_text("Result +20.00 €")
    page.reload()
    page.keyboard.press("?")
    expect(page.get_by_role("checkbox", name="the day's result")).to_be_checked()
    desk.expect_complaints("WebSocket")


def test_two_tabs_share_what_is_chosen(board: Page) -> None:
    other = board.context.new_page()
    other.goto(board.url)
    told(board, "each gate closure")
    told(other, "the day's result")
    board.keyboard.press("?")
    for chosen in ("each gate closure", "the day's result", "what is wrong"):
        expect(board.get_by_role("checkbox", name=chosen)).to_be_checked()
    assert board.evaluate("localStorage.aloud") == '{"alarms":true,"gates":true,"result":true,"broken":false}'


def test_nonsense_that_was_kept_is_ignored(board: Page, tomorrow: date) -> None:
    for number, kept in enumerate(('"abc"', "[1, 2]", "xx", "5", "null"), start=1):
        board.evaluate("kept => { localStorage.aloud = kept; }", kept)
        board.reload()
        store_trade("15-16", "sell", "1", "30", day=tomorrow)
        expect(figure(board, "15-16", "sold_mwh")).to_have_text(f"{100 + number}.00")


def test_gates_are_told_with_their_result(board: Page) -> None:
    told(board, "each gate closure")
    row(board, "12-13").evaluate("row => { row.dataset.gateCloses = new Date(Date.now() + 1500).toISOString(); }")
    expect(board.locator("#aloud")).to_have_text("12–13 is closed: +2000.00")


def test_alarms_are_told_unless_they_are_switched_off(board: Page, connected: FeedConnection, market: Market) -> None:
    news = board.locator("#news")
    connected.alive_at = timezone.now() - timedelta(seconds=3)
    connected.save()
    feed_changed.send_robust(sender=FeedConnection, market_id=market.pk)
    expect(news).to_contain_text("the exchange is not connected")
    told(board, "what is wrong", yes=False)
    expect(news).to_have_text("")
    expect(board.locator("#as-of")).to_contain_text("the exchange is not connected")


# --- numbers --------------------------------------------------------------------------------------------------------
def accessible(page: Page) -> list[dict[str, Any]]:
    tree = page.context.new_cdp_session(page).send("Accessibility.getFullAXTree")
    return [node for node in tree["nodes"] if not node.get("ignored")]


def names(nodes: list[dict[str, Any]], role: str) -> list[str]:
    return [str(n["name"]["value"]) for n in nodes if n["role"]["value"] == role and n.get("name", {}).get("value")]


def test_numbers_read_aloud_are_the_numbers_shown(board: Page) -> None:
    """Cell by cell; without a space in a number, which would be read as two, and without the arrows."""
    shown = board.locator("#periods [data-field][data-value]:visible").all_inner_texts()
    nodes = accessible(board)
    cells = names(nodes, "cell")
    missing = [text for text in shown if not any(text in cell for cell in cells)]
    assert "+2000.00" in shown and missing == []
    everything = [*cells, *names(nodes, "StaticText"), *names(nodes, "image"), board.title()]
    assert [text for text in everything if "\u202f" in text or "▲" in text or "▼" in text] == []
    assert board.title().startswith("+6000.00 €")
    gap = "getComputedStyle(document.querySelector('#periods [data-field=performance_eur] i')).marginLeft"
    assert float(board.evaluate(gap).removesuffix("px")) > 1, "and for the eye thousands are set apart"


def test_printed_numbers_are_the_numbers_shown(board: Page, desk: Desk, tomorrow: date) -> None:
    """On the board, on the desk and in the history."""
    a_head()
    board.goto("about:blank")  # a live board that has lost its session asks for a log-in of its own
    board.context.clear_cookies()
    desk.log_in(board, "head")
    for address in (f"boards/trader_1/{tomorrow}/", f"desk/{tomorrow}/", f"history/?from={tomorrow}&to={tomorrow}"):
        board.goto(f"{desk.address}/{address}")
        shown, missing = not_printed(board)
        assert shown > 8, address
        assert missing == [], address


def test_no_page_has_a_space_within_a_number(board: Page, desk: Desk) -> None:
    a_head()
    board.goto("about:blank")  # as above
    board.context.clear_cookies()
    desk.log_in(board, "head")
    for address in ("status", "history", "desk"):
        board.goto(f"{desk.address}/{address}/")
        assert [text for text in names(accessible(board), "StaticText") if "\u202f" in text] == [], address


def test_totals_and_pictures_say_what_they_show(board: Page) -> None:
    nodes = accessible(board)
    print(
        [
            (n["role"]["value"], n["name"]["value"])
            for n in nodes
            if n.get("name", {}).get("value") and n["role"]["value"] not in ("StaticText", "cell", "InlineTextBox")
        ][:60]
    )
    words = names(nodes, "image")
    assert any("now +6000.00 €" in text for text in words), words
    assert any("best 15–16 +2000.00 €" in text for text in words), words
