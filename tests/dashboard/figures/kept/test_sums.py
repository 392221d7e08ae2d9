"""Histories by kept sums are those by positions and prices alone, to the last digit, whatever is kept."""

from __future__ import annotations

import random
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from dashboard.figures.history import DayRange, History, load_history, load_total
from dashboard.figures.kept import sums
from dashboard.figures.kept.checking import check
from dashboard.figures.kept.keeping import days_to_keep, keep_day, keep_month, kept_of, months_to_keep
from dashboard.figures.readings import Reading
from dashboard.models import KeptHistory
from market.models import Market, ReferenceRule
from market.rules import BLOCK
from tests.dashboard.figures.test_history_readings import CHANGES, YEAR, day_positions, some_days, store
from tests.dashboard.figures.test_readings import ZONES
from trades.ledger.traders import ensure_trader
from trades.models import Position, Trader

pytestmark = [pytest.mark.integration, pytest.mark.django_db]

OCTOBER = [date(2026, 10, 1) + timedelta(days=number) for number in range(31)]
"""With the day of 100 quarters; March, with those of 92, is not whole in the year."""
LATER = datetime(2027, 6, 1, tzinfo=UTC)


@pytest.fixture(params=[zone for zone in ZONES if zone.key in {"Europe/Berlin", "Europe/Lisbon"}], ids=str)
def market(request: pytest.FixtureRequest) -> Market:
    """A year of two traders in a zone, and rules that change within it."""
    zone: ZoneInfo = request.param
    chance = random.Random(zone.key)
    market = Market.objects.create(code="XX", name="Somewhere", time_zone=zone.key)
    store(market, ensure_trader(trader_id="trader_1"), some_days(chance, 30), chance)
    other = ensure_trader(trader_id="trader_2")
    days = {*CHANGES, *chance.sample(OCTOBER, 8)}
    Position.objects.bulk_create(one for day in days for one in day_positions(market, other, day, chance))
    for minutes, source, day in (
        (15, "hour", OCTOBER[0]),
        (BLOCK, "hour", date(2026, 6, 10)),
        (30, "none", date(2026, 12, 6)),
        (15, "own", date(2027, 1, 20)),
    ):
        ReferenceRule.objects.create(market=market, minutes=minutes, source=source, valid_from=day)
    return Market.objects.get(pk=market.pk)


Found = dict[tuple[str, Reading], History]


def histories(market: Market, days: DayRange = YEAR) -> Found:
    """The desk's and a trader's in every reading; each total as it is asked for alone, too."""
    found = {}
    for trader in (None, Trader.objects.get(trader_id="trader_1")):
        for reading in Reading:
            history = load_history(market=market, trader=trader, days=days, reading=reading)
            assert history.total == load_total(market=market, trader=trader, days=days, reading=reading)
            found[str(trader), reading] = history
    return found


def worked_out(market: Market, monkeypatch: pytest.MonkeyPatch, days: DayRange = YEAR) -> Found:
    with monkeypatch.context() as without:
        without.setattr(sums, "FEWEST_DAYS", 1000)
        return histories(market, days)


def assert_alike(found: Found, expected: Found) -> None:
    """As values, and as the digits that programs are told."""
    for key, history in expected.items():
        one = found[key]
        for part in ("days", "hours", "traders", "total"):
            assert getattr(one, part) == getattr(history, part), (key, part)
            assert str(getattr(one, part)) == str(getattr(history, part)), (key, part)


def test_whatever_is_kept_the_history_is_the_same(market: Market, monkeypatch: pytest.MonkeyPatch) -> None:
    chance, expected = random.Random(market.time_zone), worked_out(market, monkeypatch)
    every = days_to_keep(market, LATER)
    for day in {*chance.sample(every, 30), *CHANGES[:2]}:
        assert keep_day(market, day)
    assert_alike(histories(market), expected)
    for day in OCTOBER:
        assert keep_day(market, day)
    assert months_to_keep(market) == [OCTOBER[0]]
    assert keep_month(market, OCTOBER[0])
    assert KeptHistory.objects.filter(first_day=OCTOBER[0], last_day=OCTOBER[-1]).exists()
    assert_alike(histories(market), expected)
    within = DayRange(date(2026, 9, 20), date(2026, 10, 20))
    assert_alike(histories(market, within), worked_out(market, monkeypatch, within))
    assert {one.differences for one in check(market)} == {0}


@pytest.mark.parametrize("market", [ZoneInfo("Europe/Berlin")], indirect=True, ids=str)
def test_a_whole_year_that_is_kept_is_read_without_positions(market: Market, monkeypatch: pytest.MonkeyPatch) -> None:
    days = DayRange(CHANGES[0], YEAR.last)
    expected = worked_out(market, monkeypatch, days)
    for day in days_to_keep(market, LATER):
        if day <= days.last:
            keep_day(market, day)
    for first in months_to_keep(market):
        keep_month(market, first)
    whole = [one.first.month for one in kept_of(market) if one.is_month]
    assert whole == [4, 5, 7, 8, 9, 10, 11, 2], "none of a month within which a rule begins"
    monkeypatch.setattr(sums, "statements", None)
    assert_alike(histories(market, days), expected)
