"""Days of 23 and 25 hours: hours, both of the doubled one, quarter hours and ranges are frozen, judged and checked."""

from __future__ import annotations

import io
import json
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

import pytest
import time_machine
from django.core.management import call_command
from django.test import Client

from dashboard.assumptions import judging
from dashboard.assumptions.facts import facts
from dashboard.assumptions.models import AssumedPeriod, Assumption, VerdictRecord
from market.areas.adding import add_market
from market.labels import label_of
from market.periods import PeriodError, day_periods
from tests.dashboard.assumptions.written import MINUTE, NOW, publish, said, written
from tests.dashboard.people import a_trader
from tests.trades.frames import germany

pytestmark = [pytest.mark.integration, pytest.mark.django_db(transaction=True)]

SHORT, LONG, AUTUMN = date(2026, 3, 29), date(2026, 10, 25), date(2026, 11, 25)
EVENINGS = {SHORT: datetime(2026, 3, 28, 20, tzinfo=UTC), LONG: datetime(2026, 10, 24, 20, tzinfo=UTC)}


@pytest.fixture(autouse=True)
def no_limits(settings: Any) -> None:
    """A day of quarters is asked for within a minute."""
    settings.MARKET_DATA_REQUESTS_PER_MINUTE = settings.MARKET_DATA_REQUESTS_PER_HOUR = 10_000


def labels(day: date, minutes: int) -> list[str]:
    zone = germany().zone
    return [label_of(period, zone) for period in day_periods(day, zone, minutes)]


@pytest.mark.parametrize(("day", "hours"), [(SHORT, 23), (LONG, 25)])
@pytest.mark.parametrize("minutes", [60, 15])
def test_every_period_of_the_day_has_its_own_price_and_verdict(day: date, hours: int, minutes: int) -> None:
    evening, every = EVENINGS[day], labels(day, minutes)
    for number, label in enumerate(every):
        publish(str(50 + number), evening - 20 * MINUTE, label=label, day=day)
        publish(str(51 + number), evening - 10 * MINUTE, label=label, day=day)
    assumption = written(at=evening, delivery_day=day.isoformat(), delivery_hours=every)
    periods = list(AssumedPeriod.objects.select_related("frozen"))
    assert [period.delivery_hour for period in periods] == every
    assert len({period.gate_closes_at for period in periods}) == hours * 60 // minutes
    for number, period in enumerate(periods):
        final = 51 + number + (1 if number % 2 else -1)
        publish(str(final), period.gate_closes_at + MINUTE, label=period.delivery_hour, day=day)
    with time_machine.travel(periods[-1].gate_closes_at + timedelta(hours=2), tick=False):
        assert judging.sweep() == 0, "each was judged where its price was stored"
        out = io.StringIO()
        call_command("check_assumptions", stdout=out)
    assert "0 differences" in out.getvalue()
    verdicts = VerdictRecord.objects.order_by("period__delivery_start").values_list("verdict", "move")
    assert list(verdicts) == [("right" if n % 2 else "wrong", Decimal(1 if n % 2 else -1)) for n in range(len(every))]
    read = facts(Assumption.objects.filter(pk=assumption.pk))
    assert {one.minutes for one in read} == {minutes}
    of_two = sum(one.hour == 2 for one in read)
    assert of_two == (0 if day == SHORT else 120 // minutes), "by the market's clock two o'clock is never, or twice"


def test_ranges_over_the_change_have_each_hour_that_there_is() -> None:
    short = written(at=EVENINGS[SHORT], delivery_day=SHORT.isoformat(), delivery_hours=["01-05"])
    long = written(at=EVENINGS[LONG], delivery_day=LONG.isoformat(), delivery_hours=["01-03"])
    assert [one.delivery_hour for one in short.periods.all()] == ["01-02", "03-04", "04-05"]
    assert [one.delivery_hour for one in long.periods.all()] == ["01-02", "02-03A", "02-03B"]
    quarters = ["02:45-03:00A", "02:00-02:15B"]
    both = written(at=EVENINGS[LONG], delivery_day=LONG.isoformat(), delivery_hours=quarters)
    assert [one.delivery_hour for one in both.periods.all()] == quarters


@pytest.mark.parametrize(
    ("area", "day", "label", "expected"),
    [
        ("SE", LONG, "00-03", ["00-01", "01-02", "02-03", "02-03X"]),
        ("SE", LONG, "02-04", ["02-03", "02-03X", "03-04"]),
        ("SE", LONG, "00-02", ["00-01", "01-02"]),
        ("FI", LONG, "01-03", ["01-02", "02-03", "02-03X"]),
        ("GB", LONG, "00-02", ["00-01", "01-02", "01-02X"]),
        ("GB", LONG, "23-02", ["23-24", "00-01", "01-02", "01-02X"]),
        ("GB", AUTUMN, "23-01", ["23-24", "00-01"]),
        ("GB", AUTUMN, "20-23", ["20-21", "21-22", "22-23"]),
        ("GB", AUTUMN, "23-00", ["23-24"]),
        ("IE", AUTUMN, "17-19", ["17-18", "18-19"]),
        ("DE", AUTUMN, "22-00", ["22-23", "23-24"]),
        ("DE", SHORT, "02-04", ["03-04"]),
    ],
)
def test_a_range_is_the_hours_of_its_market_s_day(area: str, day: date, label: str, expected: list[str]) -> None:
    germany()
    if area != "DE":
        add_market(area)
    evening = datetime.combine(day, time(12), tzinfo=UTC) - timedelta(days=1)
    assumption = written(at=evening, market=area, delivery_day=day.isoformat(), delivery_hours=[label])
    periods = assumption.periods.order_by("delivery_start")
    assert [one.delivery_hour for one in periods] == expected


def test_a_whole_day_is_all_of_its_hours() -> None:
    germany()
    add_market("GB")
    for market, label in (("DE", "00-24"), ("DE", "00-00"), ("GB", "23-23")):
        day = written(at=EVENINGS[LONG], market=market, delivery_day=LONG.isoformat(), delivery_hours=[label])
        assert day.periods.count() == 25


@pytest.mark.parametrize("area", ["GB", "IE"])
@pytest.mark.parametrize("label", ["20-24", "22-24", "22-00", "21-23:00", "22-01"])
def test_a_range_over_the_day_s_start_is_refused(client: Client, area: str, label: str) -> None:
    germany()
    add_market(area)
    client.force_login(a_trader())
    asked = said(market=area, delivery_hours=[label])
    with time_machine.travel(NOW, tick=False):
        answer = client.post("/api/v1/assumptions", json.dumps(asked), content_type="application/json")
    assert answer.status_code == 400
    if ":" not in label:
        sentence = f"“{label}” is no range within one delivery day, which begins at 23:00 here."
        assert answer.json()["error"] == sentence
    assert not Assumption.objects.exists()


@pytest.mark.parametrize(
    ("day", "label", "why"),
    [
        (LONG, "02-03", "twice"),
        (LONG, "02:15-02:30", "twice"),
        (SHORT, "02-03", "not"),
        (SHORT, "02:15-02:30", "not"),
    ],
)
def test_an_hour_that_is_not_there_or_there_twice_is_one_clear_sentence(day: date, label: str, why: str) -> None:
    with pytest.raises(PeriodError, match=why):
        written(at=EVENINGS[day], delivery_day=day.isoformat(), delivery_hours=[label])
    assert not Assumption.objects.exists()
