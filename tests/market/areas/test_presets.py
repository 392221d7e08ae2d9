"""What is known of Europe's areas: every value is one that a market can have."""

from __future__ import annotations

from datetime import date
from zoneinfo import ZoneInfo

import pytest

from market.areas.presets import FIRST_DAY, PRESETS, Preset
from market.dated.currencies import WORDS
from market.periods import Calendar, day_periods
from market.rules import PRODUCTS, Phase

COUNTRIES = "AT BE BG CH DE DK EE ES FI FR GB IE LT LV NL PL PT RO RS SE"


def test_every_country_of_the_list_is_there() -> None:
    assert sorted(PRESETS) == COUNTRIES.split()
    assert date(2001, 1, 1) > FIRST_DAY


@pytest.mark.parametrize("preset", PRESETS.values(), ids=str)
def test_a_preset_is_a_market_s_whole_first_rule(preset: Preset) -> None:
    assert preset.currency in WORDS
    assert preset.products and set(preset.products) <= set(PRODUCTS)
    assert [closure.phase for closure in preset.closures].count(Phase.AREA) == 1
    assert all(0 < closure.minutes <= 60 for closure in preset.closures)
    assert preset.lowest_price is None or preset.lowest_price < (preset.highest_price or 0)
    for day, hours in ((date(2026, 10, 25), 25), (date(2027, 3, 28), 23)):
        calendar = Calendar(ZoneInfo(preset.zone), preset.day_start or Calendar(ZoneInfo("UTC")).day_start)
        assert len(day_periods(day, calendar)) == hours, "all of Europe changes its clocks in the same night"


def test_days_that_are_not_the_local_clock_s() -> None:
    assert {code for code, preset in PRESETS.items() if preset.display_zone} == {
        "FI",
        "EE",
        "LV",
        "LT",
        "BG",
        "RO",
        "PT",
    }
    assert {code for code, preset in PRESETS.items() if preset.day_start} == {"GB", "IE"}
    assert {code for code, preset in PRESETS.items() if preset.currency != "EUR"} == {"GB", "RO"}
