"""The pages of earnings and of the desk against itself in a real browser: their switches, a phone, a sheet of paper."""

from __future__ import annotations

import re
from datetime import date, timedelta

import pytest
from django.utils import timezone
from playwright.sync_api import Page, expect

from market.models import Market
from market.periods import day_of
from tests.browser.conftest import Desk
from tests.browser.drivers.printing import not_printed
from tests.dashboard.boards import store_price, store_trade
from tests.dashboard.people import a_head

pytestmark = pytest.mark.browser
FIGURES = "[data-field][data-value], [data-total], .history td"


@pytest.fixture
def today(market: Market) -> date:
    """Two traders on both sides of three hours and a quarter hour."""
    a_head()
    day = day_of(timezone.now(), market.zone)
    earlier = timezone.now() - timedelta(minutes=50)
    for label in ("08-09", "12-13", "22-23", "22:15-22:30"):
        store_trade(label, "sell", "10.3", "-20.55", trader="trader_1", day=day, at=earlier)
        store_trade(label, "buy", "10.3", "-22", trader="trader_2", day=day, at=earlier + timedelta(seconds=0.5))
        store_price(label, "-21", day=day, at=earlier)
    return day


def addresses(desk: Desk, day: date) -> dict[str, str]:
    past = timezone.now().strftime("%Y-%m-%dT%H:%M:%SZ")
    paths = {
        "clock": "history/earnings/",
        "trades of a cell": "history/earnings/trades/",
        "against itself": f"desk/against-itself/{day}/",
        "past against itself": f"desk/against-itself/{day}/?as_of={past}",
        "past board": f"boards/trader_1/{day}/?as_of={past}",
        "past desk": f"desk/{day}/?as_of={past}",
    }
    return {name: f"{desk.address}/{path}" for name, path in paths.items()}


def test_a_choice_on_the_clock_takes_you_there(desk: Desk, page: Page, today: date) -> None:
    desk.log_in(page, "head")
    page.goto(f"{desk.address}/history/earnings/")
    page.get_by_label("Reading").select_option("hour")
    expect(page.get_by_label("Reading")).to_have_value("hour")
    page.wait_for_load_state()
    page.reload()
    expect(page.get_by_label("Reading")).to_have_value("hour")


def test_nothing_hangs_over_on_a_phone_nor_is_missing_on_paper(desk: Desk, page: Page, today: date) -> None:
    desk.log_in(page, "head")
    for theme in ("dark", "light"):
        for name, address in addresses(desk, today).items():
            page.emulate_media(media="screen", color_scheme=theme)  # type: ignore[arg-type]
            page.set_viewport_size({"width": 390, "height": 844})
            page.goto(address)
            assert page.evaluate("document.documentElement.scrollWidth") <= 390, f"{name} on a phone"
            page.emulate_media(media="print", color_scheme=theme)  # type: ignore[arg-type]
            page.set_viewport_size({"width": 1366, "height": 900})
            count, missing = not_printed(page, f"main :is({FIGURES}):visible")
            assert (count > 4, missing) == (True, []), name
            paper, ink = page.evaluate(
                "[document.body, document.querySelector('main')].map((e) => getComputedStyle(e))"
                ".map((style, n) => n ? style.color : style.backgroundColor)"
            )
            assert brightness(ink) < 100 < brightness(paper), f"{name}, {theme}: {ink} on {paper}"


def brightness(colour: str) -> float:
    """0 for black to 255 for white, and for what lets the paper through."""
    numbers = [float(number) for number in re.findall(r"[\d.]+", colour)]
    return 255 if len(numbers) == 4 and numbers[3] == 0 else sum(numbers[:3]) / 3
